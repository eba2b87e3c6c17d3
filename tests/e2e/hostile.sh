#!/bin/sh
# Odd and hostile sources for install: each gives a good zone, or one clear line, and then nothing of the zone is left.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
begin
first_user_only

# What they hold is not enough to see what they are.
as_told='--brand el6 --abi x86_64'

left () {
  by sh -c 'ls -A "$1/state/zones" "$1/state/config" 2>/dev/null | grep -v ":$" | grep .; ls -A "$2"' sh "$tmp/$who" "$outside"
}

# refused SOURCE STATUS PATTERN: in one line, with a word of what to do.
refused () {
  # shellcheck disable=SC2086 # words
  run bz -q install $as_told z "$sources/$1"
  is "$1 is refused" "$status" "$2"
  like "$1: says why" "$err" "^brandzone: .*($3).* \\(.*\\)\$"
  is "$1: in one line" "$(printf '%s\n' "$err" | grep -c .)" 1
  is "$1: nothing is left" "$(left)" ''
}

# taken SOURCE: it is a zone that is as installed, can be copied and exported, and goes.
taken () {
  # shellcheck disable=SC2086 # words
  run bz -q install $as_told z "$sources/$1"
  is "$1 is taken" "$status" 0 || return
  run bz verify --all z
  is "$1: and is what was installed" "$status $out" '0 z: ready to start'
  run bz -q clone --storage=copy z copy
  if [ "$1" = deep.tar ]; then
    is "$1: paths of more than 4096 bytes are not copied" "$status" 1
    ok "$1: which is told in less" [ "${#err}" -lt 1200 ]
    like "$1: and why" "$err" '\.\.\.: File name too long'
  else
    is "$1: it can be copied" "$status" 0
    bz -q remove copy
  fi
  if [ "$1" != terabyte.tar ]; then
    run bz -q export z "$tmp/$who/z.tar"
    is "$1: and exported" "$status" 0
    rm -f "$tmp/$who/z.tar"
  fi
  run bz -q remove z
  is "$1: and removed" "$status" 0
  is "$1: whole" "$(left)" ''
}

bad () {
  refused empty 8 'it is empty'
  refused random 8 'not an archive or an image'
  refused zeros 8 'not an archive or an image'
  refused truncated.tar.xz 8 'bin/big, at its byte'
  refused damaged-header.tar 8 'after 2 entries'
  refused traversal.zip 8 'leads out of the tree'
  refused nothing.tar 8 'no files'
  for kind in file link fifo; do refused root-$kind.tar 8 'root of the tree is not a directory'; done
  refused through-link.tar 8 'symbolic link that the source made'
  refused link-out.tar 8 'leads out of the tree'
  refused link-to-directory.tar 8 "directory can't have two names"
  refused long-name.tar 8 'longer than 255 bytes'
  refused empty-directory 8 'no files'
  refused layout 8 'digest or size'
  refused backing.qcow2 8 'needs a backing file'
  refused overlapping.img 8 'no file system that brandzone can read'
  refused absurd-gpt.img 8 'no file system that brandzone can read'
  refused absurd-minix.img 8 'makes no sense'
  refused socket 8 'it is a socket'
  refused loop 1 'symbolic links'
  refused nowhere 8 'does not exist'
}

good () {
  for name in newlines.tar link-to-link.tar link-to-itself.tar loops.tar odd-kinds.tar deep.tar terabyte.tar; do
    taken $name
  done
  # A plain user may not be able to read what nobody may.
  if [ "$who" = root ]; then taken locked.tar; fi
  # shellcheck disable=SC2086 # words
  run bz install $as_told z "$sources/directory"
  like 'a directory with a socket: it is left out' "$err" '1 socket left out'
  run bz verify z
  is 'and the rest is taken' "$status" 0
  bz -q remove z
  # shellcheck disable=SC2086 # words
  run bz install $as_told z "$sources/attributes.tar"
  is 'attributes and owners that can not be: taken without' "$status" 0
  like 'and told' "$err" 'attributes? .*left out'
  run bz verify z
  is 'the file is there' "$status" 0
  bz -q remove z
}

kept () {
  # shellcheck disable=SC2086 # words
  run bz install $as_told --keep-partial z "$sources/damaged-header.tar"
  is 'a damaged archive, with --keep-partial' "$status" 0
  like 'what is missing is told' "$err" '2 entries before that were kept'
  bz -q remove z
}

many () {
  [ -n "${BRANDZONE_TEST_FULL:-}" ] && [ "$who" = root ] || return 0
  limit=120
  by python3 "$src/tests/e2e/hostile-sources.py" "$sources" million
  taken million.tar
  by rm -f "$sources/million.tar"
}

for who in $users; do
  if [ "$who" = user ] && ! plain_users_work; then
    skip 'hostile sources as a plain user' 'newuidmap, setpriv or unprivileged user namespaces are missing'
    continue
  fi
  # Where what leads out of a tree would come to.
  outside=$tmp/$who/outside
  sources=$tmp/$who/sources
  by mkdir -p "$outside" "$sources"
  by python3 "$src/tests/e2e/hostile-sources.py" "$sources"
  bad
  good
  kept
  many
done
finish
