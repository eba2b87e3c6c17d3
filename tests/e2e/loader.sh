#!/bin/sh
# What a hostile tree and a hostile zone can't do to the host, and what a caller's odd surroundings
# don't do to a zone.
# shellcheck disable=SC2016,SC2012,SC2086,SC2116,SC2317 # scripts for the zone's shell, words, functions called by name
. "$(dirname "$0")/lib.sh"
begin

command -v busybox >/dev/null || skip_all 'busybox (static) is not installed'
if ldd "$(command -v busybox)" 2>/dev/null | grep -q '=>'; then skip_all 'busybox is not static'; fi

secret=$tmp/secret-of-the-host
mkdir -m 755 "$secret"

# hostile NAME: a small tree that the current user of the test can read; sets $tree.
hostile () {
  tree=$tmp/$who-$1
  mkdir -p "$tree/bin" "$tree/etc" "$tree/root" "$tree/tmp" "$tree/proc" "$tree/sys"
  cp "$(command -v busybox)" "$tree/bin/busybox"
  for tool in sh ls cat mount id sleep true grep touch head rm ln stat mkdir; do
    ln -sf busybox "$tree/bin/$tool"
  done
  echo 'root:x:0:0:root:/root:/bin/sh' >"$tree/etc/passwd"
  echo 'root:x:0:' >"$tree/etc/group"
  give
}

give () {
  case $who in
    user) chown -R "$user_uid:$user_uid" "$tree" ;;
    alone) chown -R "$alone_uid:$alone_uid" "$tree" ;;
  esac
  chmod 755 "$tree"
}

image () {
  run bz -q run --image "$tree" "$@"
}

# A home directory that is a link to one of brandzone's own descriptors (as CVE-2024-21626).
home_in_descriptors () {
  hostile home
  found=
  for n in 4 6 8 10 11 12 13 14 15; do
    echo "root:x:0:0:root:/proc/self/fd/$n:/bin/sh" >"$tree/etc/passwd"
    image -- /bin/sh -c 'pwd; ls -d /bin/../../../../../../../../'"$secret"'; cd ../../../../../..; ls -d .'"$secret"
    found=$found$out
  done
  unlike 'a home that is a descriptor leads to no directory of the host' "$found" 'secret|unreachable'
}

# exec: the same with the zone's root at work already.
exec_of_hostile () {
  hostile exec
  run bz -q install hostile "$tree"
  is 'the tree is installed' "$status" 0
  in_background bz -q run hostile -- /bin/sh -c '
    rm -f /dev/null && ln -s /proc/self/fd/14 /dev/null || mount -o bind /etc/passwd /dev/null
    exec /bin/sleep 60'
  ok 'it runs' until_true 10 running hostile
  found=
  for n in 4 6 8 10 11 12 13 14 15; do
    run bz -q exec -i -w "/proc/self/fd/$n" hostile -- /bin/sh -c 'cd ../../../../../..; ls -d .'"$secret"
    found=$found$out
  done
  unlike 'a descriptor as directory leads to no directory of the host' "$found" 'secret'
  until_true 10 not_null
  run bz -q exec hostile -- /bin/sh -c 'ls /proc/self/fd/0/'
  # What the link leads to depends on what exec holds: something else, or what can't be opened at all.
  like 'a /dev/null of its own is refused' "$err" 'cannot (use|open) the zone.s /dev/null'
  run bz -q exec -i hostile -- /bin/sh -c 'set -- /proc/self/fd/[0-9]*; echo "${#}"; grep -E "^Cap(Inh|Amb)|NoNew" /proc/self/status'
  like 'a program inherits no capability' "$out" 'CapInh:[[:space:]]0000000000000000'
  run bz -q exec -i hostile -- /bin/ls -l /proc/self/fd
  is 'a program has its three streams and no more' "$(printf '%s\n' "$out" | grep -c -- '->')" 3
  run bz -q exec -i hostile -- /bin/sh -c '
    ls -d /proc/1/fd/* /proc/1/root/* 2>/dev/null | grep -v "[*]"; cat /proc/1/environ /proc/1/mem'
  is 'process 1 is not looked into' "$out" ''
  pid=$(bz show --json hostile | field init_pid)
  if [ "$who" = root ]; then
    ok 'process 1 holds its streams and two more' test "$(ls "/proc/$pid/fd" | wc -l)" -le 5
  fi
  run by python3 -c '
import os, signal, sys
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
os.execv(sys.argv[1], sys.argv[1:])' "$brandzone" --root "$tmp/$who/state" -q exec -i hostile -- /bin/sh -c 'exit 7'
  is 'a caller that ignores its children gets the exit status of exec' "$status" 7
  run bz stop --time 0 hostile
  is 'it is stopped' "$status" 0
  wait "$job"
}

not_null () {
  bz -q exec -i hostile -- /bin/sh -c '[ -L /dev/null ] || [ ! -c /dev/null ]' >/dev/null 2>&1
}

# The zone's root may not lift what was set on the mounts.
locked_mounts () {
  hostile locks
  mkdir -p "$tree/../volume-$who"
  echo text >"$tmp/volume-$who/file"
  chmod -R a+rwX "$tmp/volume-$who"
  if [ "$who" = root ]; then mknod -m 666 "$tree/zero" c 1 5; fi
  image -v "$tmp/volume-$who:/mnt/a b/ro:ro" -- /bin/sh -c '
    mount -o remount,bind,rw "/mnt/a b/ro"; mount -o remount,bind,rw,nodev "/mnt/a b/ro"
    mkdir /q; mount -o bind "/mnt/a b/ro" /q; mount -o remount,bind,rw,nodev /q
    touch /q/made "/mnt/a b/ro/made" && echo written'
  unlike 'a read-only volume stays so' "$out" written
  ok 'and nothing was written' test ! -e "$tmp/volume-$who/made"
  if [ "$who" = root ]; then
    image -- /bin/sh -c 'mount -o remount,bind,dev / 2>&1; head -c 1 /zero >/dev/null && echo alive'
    unlike 'a device node of the tree stays dead' "$out" alive
  fi
  image --network host -v "$tmp/volume-$who:/mnt:rw" -- /bin/sh -c '
    mount -o remount,bind,rw /sys 2>/dev/null; grep " /sys " /proc/self/mountinfo; touch /mnt/made'
  like 'the host'\''s /sys is read-only' "$out" ' /sys ro,'
  rm -f "$tmp/volume-$who/made"
}

# Mount points through the tree's own links.
links_to_the_host () {
  hostile links
  target=$tmp/target-$who
  mkdir -m 777 "$target"
  ln -s "$target" "$tree/dev"
  mkdir -p "$tree$target"
  ln -s ../../../../../../../../../..$target "$tree/up"
  ln -s "$target/dangling" "$tree/dangling"
  give
  image -v "$tmp/volume-$who:/up/new/dir" -- /bin/ls /dev/
  is 'nothing is made behind a /dev that links to a directory of the host' "$(ls -A "$target")" ''
  like 'the zone has its devices there' "$out" null
  image -v "$tmp/volume-$who:/dangling" -- /bin/true
  is 'nor behind a dangling link' "$(ls -A "$target")" ''
}

# A plain user's own program file, run by his hostile tree.
own_program () {
  hostile self
  mkdir -p "$tmp/$who/bin"
  for program in brandzone brandzone-keeper brandzone-install brandzone-rewriter; do
    [ ! -e "$build/$program" ] || cp "$build/$program" "$tmp/$who/bin/"
  done
  chown -R "$user_uid:$user_uid" "$tmp/$who/bin" 2>/dev/null
  rm "$tree/bin/true"
  # Without the zone's loader it does not start; what counts is what the link names.
  ok 'no keeper is left of before' until_true 10 no_keeper
  in_background by env BRANDZONE_LIBEXECDIR="$tmp/$who/bin" "$tmp/$who/bin/brandzone" -q \
    --root "$tmp/$who/state" run --image "$tree" -- /bin/sleep 60
  until_true 10 keeper_there
  like 'it is a sealed copy that runs the zone' "$(readlink "/proc/$keeper/exe")" '^/memfd:'
  [ -z "$keeper" ] || kill -9 "$keeper"
  wait "$job"
}

keeper_there () {
  keeper=$(grep -lsx bz-keeper /proc/[0-9]*/comm | sed 's:/proc/\([0-9]*\)/.*:\1:' | head -n 1)
  [ -n "$keeper" ]
}

pipes () {
  hostile pipes
  ln -sf busybox "$tree/bin/yes"
  seq 50000 >"$tmp/lines"
  run_in "$tmp/lines" bz -q run -it --image "$tree" -- /bin/cat
  is 'more input than a terminal holds comes back whole' "$(printf '%s\n' "$out" | tail -n 1 | tr -d '\r')" 50000
  is 'and once: piped input is not echoed' "$(printf '%s\n' "$out" | wc -l)" 50000
  piped=$(limit=10 bz -q run -t --image "$tree" -- /bin/yes 2>/dev/null | head -n 1 | tr -d '\r')
  is 'the first line of an endless command' "$piped" y
  ok 'which ends with its reader' until_true 5 no_keeper
}

no_keeper () {
  ! keeper_there
}

surroundings () {
  hostile odd
  mkdir -p "$tmp/volume-$who"
  chmod 777 "$tmp/volume-$who"
  umask 077
  image -v "$tmp/volume-$who:/opt/a/b" -- /bin/stat -c %a /opt /opt/a
  umask 022
  is 'the umask of the caller hides no mount point' "$(echo $out)" '755 755'
  status=0
  bz -q run --image "$tree" -- /bin/sh -c 'exit 9' <&- >&- 2>&- || status=$?
  is 'closed streams do no harm' "$status" 9
  run by python3 -c '
import os, signal, sys
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM, signal.SIGCHLD])
os.execv(sys.argv[1], sys.argv[1:])' "$brandzone" -q --root "$tmp/$who/state" run --image "$tree" -- /bin/sh -c 'exit 7'
  is 'a caller that ignores and blocks signals gets the exit status' "$status" 7
  run bz -q run --image "$tree" -- "$(printf '/bin/\377')"
  is 'a command in another encoding is told as missing' "$status" 127
  unlike 'without an error of ours' "$err" 'GLib|assertion'
  run bz -q run --image "$tree" -- /bin/sh -c '
    i=0; while [ $i -lt 3000 ]; do (true &); i=$((i + 1)); done; exit 4'
  is 'thousands of orphans are reaped' "$status" 4
  volumes=
  n=0
  while [ $n -lt 100 ]; do
    volumes="$volumes -v $tmp/volume-$who:/v/$n"
    n=$((n + 1))
  done
  # shellcheck disable=SC2086 # words
  image $volumes -- /bin/sh -c 'set -- /v/*; echo $#'
  is 'a hundred volumes' "$out" 100
}

# A tree as version control keeps it, without its empty directories.
without_empty_directories () {
  hostile bare
  rmdir "$tree/tmp" "$tree/proc" "$tree/sys"
  rm -rf "${tree:?}/dev"
  run bz -q run --image "$tree" --brand linux-2.6 -- /bin/sh -c '
    umask 077; cat <<end
$(cat /proc/self/comm) $(stat -c %a /tmp) $(ls -d /sys/kernel)
end
    : >/tmp/file'
  is 'a tree without empty directories gets /proc, /sys and a /tmp for all' "$out" \
    'cat 1777 /sys/kernel'
}

for who in $users; do
  if [ "$who" = user ] && ! plain_users_work; then
    skip 'a plain user'\''s zones' 'newuidmap, setpriv or user namespaces are missing'
    continue
  fi
  home_in_descriptors
  exec_of_hostile
  locked_mounts
  links_to_the_host
  [ "$who" = root ] || own_program
  pipes
  surroundings
  without_empty_directories
done
finish
