#!/bin/sh
# install, list, show, remove: from a user's view.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
begin

# What is below the state directory of the current user, names only.
state_of () {
  by sh -c 'cd "$1/state/zones" 2>/dev/null && find . -mindepth 1 -maxdepth 2 ! -name ".*.lock" ! -name .ids | sort' sh "$tmp/$who"
}

basics () {
  make_tree alpine-x86 || return 0
  run bz install first "$tar"
  is 'install of a tar archive' "$status" 0 || return 0
  run bz list
  like 'list shows the zone and its brand' "$out" '^first .*alpine'
  run bz list --json
  is 'list --json is one object with a schema' "$(printf '%s' "$out" | field schema)" 1
  is 'and holds the zone' "$(printf '%s' "$out" | field zones.0.name)" first
  run bz show first
  is 'show' "$status" 0
  run bz show --json first
  is 'show --json: stopped' "$(printf '%s' "$out" | field state)" stopped
  is 'show --json: the ABI' "$(printf '%s' "$out" | field abi)" i386
  root=$(printf '%s' "$out" | field root)
  ok 'the tree is where show says' by test -f "$root/etc/alpine-release"

  run bz install first "$tar"
  is 'a second zone of that name is refused as a wrong state' "$status" 4
  run bz install 'Bad/Name' "$tar"
  is 'a bad name is refused as bad usage' "$status" 2
  run bz install second "$tmp/no-such-file"
  ok 'a source that is not there fails' test "$status" != 0
  like 'and is named' "$err" no-such-file
  run bz show second
  is 'and leaves no zone' "$status" 3
  run bz show --json second
  like 'errors are JSON too: the code' "$err" '"code" *: *3'

  run bz remove first
  is 'remove' "$status" 0
  run bz show first
  is 'then it is gone' "$status" 3
  is 'nothing of it is left' "$(state_of)" ''
  run bz remove first
  is 'removing what is not there is said' "$status" 3
}

sources () {
  make_tree alpine-x86 || return 0
  run bz -q install dir "$tree"
  if [ "$who" = user ] && [ "$status" != 0 ]; then
    # The tree holds files of root's that a plain user cannot read.
    like 'a directory with unreadable files: said so' "$err" 'Permission denied'
  else
    is 'install of a directory' "$status" 0
    run bz run dir -- cat /etc/alpine-release
    is 'and it runs' "$out" 3.6.5
    run bz -q remove dir
  fi
  gz=$BRANDZONE_USERLANDS/alpine-3.6-musl/alpine-minirootfs-3.6.5-x86.tar.gz
  cp "$gz" "$tmp/alpine.tar.gz"
  chmod 644 "$tmp/alpine.tar.gz"
  run bz -q install gz "$tmp/alpine.tar.gz"
  is 'install of a compressed archive' "$status" 0
  run bz show --json gz
  like 'show tells what it was' "$out" 'tar\.gz'
  run bz run gz -- cat /etc/alpine-release
  is 'and it runs' "$out" 3.6.5
  run bz -q remove gz

  zip=$BRANDZONE_USERLANDS/basiclinux-2.1-glibc2.1.3/bl2-10.zip
  if [ -r "$zip" ]; then
    cp "$zip" "$tmp/bl.zip"
    chmod 644 "$tmp/bl.zip"
    run bz -q install basic "$tmp/bl.zip"
    is 'install of an ext2 image in gzip in a zip archive' "$status" 0
    run bz run basic -- /bin/sh -c 'echo $((6 * 7))'
    is 'and its shell runs' "$out" 42
    run bz -q remove basic
  else
    skip 'an ext2 image in a zip archive' "$zip is missing"
  fi
  is 'nothing is left' "$(state_of)" ''
}

damage () {
  cut=$BRANDZONE_USERLANDS/damaged/alpine-3.6.5-x86-truncated.tar.gz
  if [ ! -r "$cut" ]; then
    skip 'a damaged archive' "$cut is missing"
    return
  fi
  cp "$cut" "$tmp/cut.tar.gz"
  chmod 644 "$tmp/cut.tar.gz"
  run bz install cut "$tmp/cut.tar.gz"
  is 'a cut-off archive is bad input' "$status" 8
  like 'and --keep-partial is named' "$err" 'keep-partial'
  run bz show cut
  is 'no zone is made of it' "$status" 3
  is 'nothing is left' "$(state_of)" ''
  run bz install --keep-partial cut "$tmp/cut.tar.gz"
  is '--keep-partial keeps what was read' "$status" 0
  run bz show --json cut
  ok 'files are there' test "$(printf '%s' "$out" | field files)" -gt 50
  run bz -q remove cut
}

interruption () {
  # One file of 3 GiB of nothing: there is time to interrupt.
  python3 - "$tmp/long.tar" <<'END'
import sys, tarfile
info = tarfile.TarInfo("bin/sh")
info.size, info.mode = 3 << 30, 0o755
with open(sys.argv[1], "wb") as out:
    out.write(info.tobuf())
    out.truncate(512 + info.size + 1024)
END
  chmod 644 "$tmp/long.tar"
  for way in INT TERM; do
    in_background bz install broken "$tmp/long.tar"
    until_true 10 sh -c 'ls -A "$1" 2>/dev/null | grep -q installing' sh "$tmp/$who/state/zones" || :
    signal_below "$job" "$way"
    status=0
    wait "$job" || status=$?
    out=$(cat "$tmp/job.out")
    err=$(cat "$tmp/job.err")
    is "install interrupted by $way ends with 130" "$status" 130
    is "after $way nothing is left" "$(state_of)" ''
    run bz list
    unlike "after $way there is no zone" "$out" broken
  done
  rm -f "$tmp/long.tar"
}

# The terminal's interrupt goes to the whole process group: here to the program and all it started,
# but not to the shell that stands between.
signal_below () {
  [ -r "/proc/$1/task/$1/children" ] || return 0
  # shellcheck disable=SC2013 # one line of words
  for child in $(cat "/proc/$1/task/$1/children"); do
    signal_below "$child" "$2"
    kill -s "$2" "$child" 2>/dev/null
  done
}

hostile () {
  python3 - "$tmp/hostile.tar" <<'END'
import io, sys, tarfile
with tarfile.open(sys.argv[1], "w") as tar:
    def add(name, kind=tarfile.REGTYPE, link="", data=b"x"):
        info = tarfile.TarInfo(name)
        info.type, info.linkname = kind, link
        info.size = len(data) if kind == tarfile.REGTYPE else 0
        info.mode = 0o755
        tar.addfile(info, io.BytesIO(data) if info.size else None)
    add("bin", tarfile.DIRTYPE)
    add("out", tarfile.SYMTYPE, "../../../../../../../../tmp")
    add("out/brandzone-escaped")
END
  chmod 644 "$tmp/hostile.tar"
  rm -f /tmp/brandzone-escaped
  run bz install hostile "$tmp/hostile.tar"
  is 'an archive that leads out of the tree is bad input' "$status" 8
  ok 'and wrote nothing outside' test ! -e /tmp/brandzone-escaped
  is 'nothing is left' "$(state_of)" ''
}

for who in $users; do
  if [ "$who" = user ] && ! plain_users_work; then
    skip 'install as a plain user' 'newuidmap, setpriv or unprivileged user namespaces are missing'
    continue
  fi
  basics
  sources
  damage
  hostile
  interruption
done
finish
