#!/bin/sh
# How trees are copied: by overlay, btrfs snapshot, shared blocks or file by file, of zones that run too; what it
# costs; and a backup of layers, file by file.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
begin
if [ -z "${BRANDZONE_TEST_FULL:-}" ]; then
  skip 'ways of copying a tree' 'set BRANDZONE_TEST_FULL=1'
  finish
fi

# Every name, kind, mode, owner, time, size, number of names; and what files hold.
inventory='cd / && not="-xdev ! -path ./dev* ! -path ./proc* ! -path ./sys*"; set -f
  find . $not -type d -exec stat -c "%n %f %u %g %Y" {} + | sort
  find . $not ! -type d -exec stat -c "%n %f %u %g %s %Y %h %N" {} + | sort
  find . $not -type f -exec md5sum {} + | sort'

# The program with its state on the file system under test.
here () {
  by "$brandzone" --root "$spot/state" "$@"
}

see () {
  here run "$1" -- sh -c "$inventory" 2>/dev/null | md5sum
}

# Blocks of 1 KiB that are in use.
used () {
  sync -f "$spot"
  df --output=used -k "$spot" | tail -n 1 | tr -d ' '
}

# hold NAME: the zone's program runs until fifo 9 is closed, and counts.
hold () {
  rm -f "$tmp/hold"
  mkfifo -m 666 "$tmp/hold"
  here run -i "$1" -- sh -c 'i=0; echo 0 >/srv/one; echo 0 >/srv/two
    (while :; do i=$((i + 1)); echo $i >/srv/one.new; mv /srv/one.new /srv/one; echo $i >/srv/two.new; mv /srv/two.new /srv/two; touch /srv/big; done) & cat >/dev/null; kill $!' <"$tmp/hold" >/dev/null 2>&1 &
  holder=$!
  exec 9>"$tmp/hold"
  until_true 10 counts "$1"
}

# shellcheck disable=SC2317 # called by name
counts () {
  # A name of its own each time: what exec says must not be an old value.
  first=$(here exec "$1" -- cat /srv/two 2>/dev/null)
  second=$(here exec "$1" -- cat /srv/two 2>/dev/null)
  [ -n "$first" ] && [ -n "$second" ] && [ "$second" -gt "$first" ]
}

let_go () {
  exec 9>&-
  wait "$holder" || :
}

# shellcheck disable=SC2317 # called by name
of_one_moment () {
  one=$(here run "$1" -- cat /srv/one)
  two=$(here run "$1" -- cat /srv/two)
  [ -n "$one" ] && [ -n "$two" ] && [ $((one - two)) -ge 0 ] && [ $((one - two)) -le 1 ]
}

# own_file_system TYPE: sets $spot, or says why not.
own_file_system () {
  spot=$tmp/$who/$1
  if [ "$who" = self ]; then skip "$1" 'only root mounts'; return 1; fi
  if ! command -v "mkfs.$1" >/dev/null; then skip "$1" "mkfs.$1 is missing"; return 1; fi
  truncate -s 640M "$tmp/$1.img"
  case $1 in xfs) "mkfs.$1" -q -f "$tmp/$1.img" ;; *) "mkfs.$1" -q -f "$tmp/$1.img" ;; esac >/dev/null 2>&1
  mkdir -p "$spot"
  if ! mount -o loop "$tmp/$1.img" "$spot" 2>/dev/null; then
    rm -rf "$spot" "$tmp/$1.img"
    skip "$1" "this kernel can't mount it"
    return 1
  fi
  chmod 700 "$spot"
  chown --reference="$tmp/$who" "$spot"
}

# usual TYPE: what its file system gives without being asked.
usual () {
  here -q install z "$tar" || { not_ok "install on $1"; return 1; }
  here run z -- sh -c 'ln /etc/motd /etc/motd2; mkdir -p /srv/dir; echo x >/srv/dir/f; chmod 4755 /srv/dir/f; chown 5:6 /srv/dir/f; mkfifo /srv/pipe
    dd if=/dev/zero of=/srv/hole bs=1 count=1 seek=9999999 2>/dev/null; dd if=/dev/urandom of=/srv/big bs=1M count=24 2>/dev/null; ln -s nowhere /srv/link; chmod 3771 /srv'
  before=$(see z)
}

# space WAY: what a clone by it takes of 24 MiB, in KiB.
space () {
  start=$(used)
  run here clone --storage="$1" z "by-$1"
  is "clone --storage=$1" "$status" 0 || return 1
  taken=$(($(used) - start))
  is "$1: the clone is the same to the last file" "$(see "by-$1")" "$before"
}

no_copy () {
  space "$1" || return
  ok "$1: and takes almost no space" [ "$taken" -lt 6000 ] || diag "$taken KiB"
  run here --json show "by-$1"
  here run "by-$1" -- sh -c 'echo changed >/etc/motd; rm -r /srv/dir'
  is "$1: what the clone does is not done to the zone" "$(see z)" "$before"
  # Overlayfs parts them (brandzone(1)).
  [ "$1" = overlay ] || is "$1: hard links stay together" "$(here run "by-$1" -- cat /etc/motd2)" changed
}

whole_copy () {
  space copy || return
  ok 'copy: takes its space' [ "$taken" -gt 20000 ] || diag "$taken KiB"
  like 'copy: holes stay holes' "$(here run by-copy -- du -k /srv/hole | cut -f 1)" '^[0-9]{1,2}$'
}

# returns WAY: snapshot and rollback of a zone that is one directory.
returns () {
  run here snapshot --storage="$1" by-copy good
  is "snapshot by $1" "$status" 0 || return
  was=$(see by-copy)
  here run by-copy -- sh -c 'rm -rf /etc /srv; echo bad >/motd'
  like "diff of a snapshot by $1" "$(here diff by-copy good)" '^D /etc$'
  run here rollback --storage="$1" by-copy good
  is "rollback by $1" "$status" 0
  is 'the zone is what it was to the last file' "$(see by-copy)" "$was"
  is 'it is one directory' "$(here --json show by-copy | field storage)" directory
  here run by-copy -- sh -c 'echo twice >/motd'
  run here rollback --storage="$1" by-copy good
  is 'and can go back twice' "$(see by-copy)" "$was"
  here -q snapshot --remove by-copy good
}

refused () {
  run here clone --storage="$1" z no
  is "clone --storage=$1 where it can't be" "$status" 7
  like 'says why' "$err" "$2"
}

# bounded ZONE: it runs, with 24 MiB that change all the time and so are copied while it stands still.
bounded () {
  names=$(here list | sed 's/ .*//')
  copies=$(by sh -c 'ls "$1/state/zones/.layers" 2>/dev/null' sh "$spot")
  run here clone --storage=copy --freeze-limit 0.001 "$1" late
  is 'a clone that would take longer than --freeze-limit' "$status" 4
  like 'says so, and what to do' "$err" 'stand still for more than 1 ms \(stop the zone first, or allow more with --freeze-limit'
  ok 'and the zone goes on' until_true 5 counts "$1"
  run here snapshot --storage=copy --freeze-limit 0.001 "$1" late
  is 'a snapshot, too' "$status" 4
  ok 'and the zone goes on then' until_true 5 counts "$1"
  is 'neither is there' "$(here list | sed 's/ .*//') $(here -q snapshot --list "$1" | grep -c late)" "$names 0"
  is 'nor half a copy' "$(by sh -c 'ls "$1/state/zones/.layers" 2>/dev/null' sh "$spot")" "$copies"
  run here clone --storage=copy --freeze-limit 0 "$1" late
  is 'no limit lets it end' "$status" 0
  here -q remove late
}

# A zone that runs stands still while it is copied, and no longer.
running_zone () {
  if [ "$who" != root ] && ! here run z -- true 2>/dev/null; then return; fi
  hold "$1"
  run here snapshot "$1" live
  if [ "$status" = 7 ]; then
    like 'a zone that nothing can hold still: one line that names stop' "$err" \
      "^brandzone: cannot hold zone $1 still: it has no cgroup that can be frozen \\(stop it first: brandzone stop $1"
    is 'alone' "$(printf '%s\n' "$err" | grep -c .)" 1
    ok 'and it goes on' until_true 5 counts "$1"
    is 'with nothing left of the snapshot' "$(here -q snapshot --list "$1" | grep -c live)" 0
    let_go
    return
  fi
  like "snapshot of a zone that runs ($2)" "$out" "snapshot live \\(.*$1 stood still for [0-9.]+ ms"
  run here clone "$1" twin
  like 'a clone of it' "$out" 'stood still'
  ok 'it goes on' until_true 5 counts "$1"
  run here diff "$1" live
  like 'diff of one that runs' "$out" '^C /srv/(one|two)$'
  run here rollback "$1" live
  is 'rollback of one that runs' "$status" 4
  like 'says what to do' "$err" 'rollback --restart'
  run here rollback --restart "$1" live
  like 'a command is not started again' "$err" 'runs a command'
  ok 'it still goes on' until_true 5 counts "$1"
  for limit_given in x -1 1x nan 1e9; do
    run here clone --freeze-limit=$limit_given "$1" no
    is "a limit that is none: $limit_given" "$status" 2
  done
  [ "$2" != copy ] || bounded "$1"
  let_go
  ok 'the clone is of one moment' of_one_moment twin
  here -q rollback "$1" live
  ok 'so is the snapshot' of_one_moment "$1"
  here -q remove twin
  here -q snapshot --remove "$1" live
}

# A plain user's zones can be held still where the host has given him a group of the unified hierarchy, as systemd
# does with every session.
delegated () {
  [ "$who" = user ] || return 0
  unified=$(sed -n 's/^[^ ]* [^ ]* [^ ]* [^ ]* \([^ ]*\) .* - cgroup2 .*/\1/p' /proc/self/mountinfo | head -n 1)
  own=$unified$(sed -n 's/^0:://p' /proc/self/cgroup)
  group=$unified/bz-ways-$user_uid
  if [ -z "$unified" ] || ! mkdir "$group" 2>/dev/null; then
    skip 'zones of a plain user with a group of his' 'this host has no unified hierarchy in which groups can be made'
    return
  fi
  mkdir "$group/session"
  chown "$user_uid" "$group" "$group/cgroup.procs" "$group/session" "$group/session/cgroup.procs"
  echo $$ >"$group/session/cgroup.procs"
  running_zone "$1" 'in a group of the user'
  echo $$ >"$own/cgroup.procs"
  ok 'nothing is left in the group' until_true 5 rmdir_group
}

# shellcheck disable=SC2317 # called by name
rmdir_group () {
  find "$group" -depth -type d -exec rmdir {} + 2>/dev/null
  [ ! -d "$group" ]
}

nothing_left () {
  # shellcheck disable=SC2046 # names have no blanks
  here -q remove $(here list 2>/dev/null | sed -n '2,$s/ .*//p')
  is 'nothing is left when all are gone' "$(by sh -c 'ls -A "$1/state/zones"' sh "$spot")" ''
}

leave () {
  umount "$spot" || umount -l "$spot"
  rmdir "$spot"
  rm -f "$tmp/$1.img"
}

on_btrfs () {
  own_file_system btrfs || return 0
  if usual btrfs; then
    run here clone z twin
    like 'btrfs: a clone is a snapshot' "$out" 'btrfs snapshot'
    here -q remove twin
    for way in btrfs reflink; do no_copy $way; done
    whole_copy
    returns reflink
    run here clone by-btrfs second
    like 'a clone of the clone, too' "$out" 'btrfs snapshot'
    run here snapshot second one
    here run second -- rm -rf /etc
    run here rollback second one
    like 'and rollback' "$out" 'btrfs snapshot'
    run here run --rm second -- sh -c 'cat /etc/motd; echo gone >/etc/motd'
    is 'run --rm of a subvolume' "$out" changed
    running_zone second btrfs
    no_copy overlay
    nothing_left
  fi
  leave btrfs
}

on_xfs () {
  own_file_system xfs || return 0
  if usual xfs; then
    no_copy reflink
    whole_copy
    returns reflink
    refused btrfs 'not btrfs'
    running_zone by-copy reflink
    no_copy overlay
    nothing_left
  fi
  leave xfs
}

# Where there is neither, and where there is nothing at all.
on_this () {
  spot=$tmp/$who/usual
  by mkdir -p "$spot"
  usual here || return
  refused btrfs 'not btrfs'
  if by cp --reflink=always "$tar" "$spot/x" 2>/dev/null; then
    by rm -f "$spot/x"
  else
    refused reflink "can't share blocks"
  fi
  run here clone --storage=none z no
  is 'a way that is none' "$status" 2
  run here clone --without overlay z plain
  like 'without overlay it is copied' "$out" 'copy'
  is 'and is the same to the last file' "$(see plain)" "$before"
  space copy
  returns copy
  run here config set z Storage.Copy=copy
  run here clone z asked
  like 'Storage.Copy asks for it, too' "$out" '\(copy'
  here -q config unset z Storage.Copy
  running_zone plain copy
  here -q remove plain asked by-copy
  run here snapshot z one
  running_zone z 'on layers'
  delegated z
  nothing_left
  run here doctor
  like 'doctor tells of the file system' "$out" '^Trees in .* are copied by '
}

# --- what a clone of much costs ---

big_zone () {
  spot=$tmp/$who/usual
  here -q install z "$tar" || return
  here run z -- sh -c 'mkdir /srv/big; i=0; while [ $i -lt 1000 ]; do echo $i >/srv/big/$i; i=$((i + 1)); done'
  if ! here run z -- fallocate -l 1073741824 /srv/gigabyte 2>/dev/null &&
    ! here run z -- dd if=/dev/zero of=/srv/gigabyte bs=1M count=1024 2>/dev/null; then
    skip 'a zone of 1 GB' 'there is no room for it'
    return
  fi
  start=$(by du -sk "$spot/state/zones" | cut -f 1)
  ok 'the zone has a gigabyte' [ "$start" -gt 1048576 ]
  run here clone z other
  like 'a clone of it' "$out" 'overlay|btrfs'
  taken=$(($(by du -sk "$spot/state/zones" | cut -f 1) - start))
  ok 'takes less than 100 KiB' [ "$taken" -lt 100 ] || diag "$taken KiB"
  run here run other -- sh -c 'ls -l /srv/gigabyte | wc -c; cat /srv/big/999'
  like 'and has it all' "$out" '^999$'
  here -q remove z
  run here run other -- cat /srv/big/998
  is 'also when the zone is gone' "$out" 998
  here -q remove other
}

# --- backup ---

# A copy of the files, whoever makes it, is the zones: nothing lies elsewhere, and no file's data in another.
backup () {
  spot=$tmp/$who/usual
  here -q install z "$tar" || return
  here -q clone z other
  here run other -- sh -c 'rm -rf /etc/apk; mkdir /etc/apk; echo new >/etc/apk/new; rm /etc/issue; chmod 640 /etc/passwd; echo x >>/etc/motd'
  if [ "$who" = root ]; then here run other -- mv /lib /usr/lib.moved; here run other -- /usr/lib.moved/ld-musl-i386.so.1 /bin/mv /usr/lib.moved /lib; fi
  here -q snapshot other kept
  here run other -- sh -c 'echo later >/srv/later'
  for zone in z other; do see $zone; done >"$tmp/before"
  case $who in
    root) tar -C "$spot" --xattrs --xattrs-include='*' -cf "$tmp/backup.tar" state ;;
    *)
      # A plain user's files belong to subordinate ids: it is made in a user namespace of his, as all he does with them.
      by unshare --map-root-user --map-auto tar -C "$spot" --xattrs --xattrs-include='*' -cf "$spot/backup.tar" state 2>/dev/null ||
        { skip 'backup as a plain user' 'unshare can map no ranges'; here -q remove z other; return; }
      ;;
  esac
  here -q remove z other
  by mkdir -p "$tmp/$who/restored"
  case $who in
    root) tar -C "$tmp/$who/restored" --xattrs --xattrs-include='*' --numeric-owner -xpf "$tmp/backup.tar" ;;
    *) by unshare --map-root-user --map-auto tar -C "$tmp/$who/restored" --xattrs --xattrs-include='*' --numeric-owner -xpf "$spot/backup.tar" 2>/dev/null ;;
  esac
  rm -f "$tmp/backup.tar" "$spot/backup.tar"
  spot=$tmp/$who/restored
  for zone in z other; do see $zone; done >"$tmp/after"
  is 'a backup file by file holds the zones, layers and all' "$(cat "$tmp/after")" "$(cat "$tmp/before")"
  run here rollback other kept
  run here run other -- ls /srv/later
  ok 'and their snapshots' [ "$status" -ne 0 ]
  run here run other -- cat /etc/apk/new
  is 'which are whole' "$out" new
  nothing_left
}

for who in $users; do
  if [ "$who" = user ] && ! plain_users_work; then
    skip 'storage as a plain user' 'newuidmap, setpriv or unprivileged user namespaces are missing'
    continue
  fi
  if masked overlay || { [ "$who" = root ] && masked idmapped-mounts; }; then
    skip 'storage' 'overlay or idmapped-mounts is masked'
    continue
  fi
  make_tree alpine-x86 || continue
  on_this
  on_btrfs
  on_xfs
  backup
  big_zone
done
finish
