#!/bin/sh
# A zone's own mount(8) of what a user namespace can't mount (B12), by the policy Mounts=.
# shellcheck disable=SC2317 # functions that `ok` and `until_true` call
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
begin
first_user_only
limit=60
PATH=$PATH:/usr/sbin:/sbin

# An image with a device node, a set-uid program and a file of another owner.
make_image () {
  command -v mke2fs >/dev/null || return 1
  mkdir "$tmp/files" && echo inside >"$tmp/files/file" && cp "$guests/limits-x86_64" "$tmp/files/program" || return 1
  if [ "$(id -u)" -eq 0 ]; then
    mknod "$tmp/files/zero" c 1 5 && chmod 666 "$tmp/files/zero"
    chown 5:7 "$tmp/files/file" "$tmp/files/program" && chmod u+s "$tmp/files/program"
  fi
  truncate -s 4M "$tmp/image" && mke2fs -q -F -t ext4 -d "$tmp/files" "$tmp/image"
}

# in_zone [OPTION...] -- SCRIPT: in the zone m, with the guest programs in /guest and the image as /image.
in_zone () {
  options=
  while [ "$1" != -- ]; do
    options="$options $1"
    shift
  done
  # shellcheck disable=SC2086 # words
  run bz -q run $options -v "$guests:/guest:ro" m -- /bin/sh -c "m () { /guest/mounts-$abi \"\$@\"; }; $2"
}

loops () {
  cat /sys/block/loop*/loop/backing_file 2>/dev/null | grep -F -e /image -e brandzone-nothing || :
}

no_loop () {
  [ "$(loops)" = "$loops_before" ]
}

refused () {
  in_zone -- 'm ext4 /image /mnt "" 0; m ext4 /image /mnt "" 1; m nfs srv:/x /mnt "addr=127.0.0.1" 0'
  # A kernel without NFS has another word for it.
  like 'B12: a zone may not mount ext4 and NFS: the errno is the kernel'"'"'s' "$(echo "$out" | tr '\n' ' ')" '^1 1 (1|19) $'
  is 'B12: a line tells it, once for each type' "$(printf '%s\n' "$err" | grep -c 'B12')" 2
  if [ "$who" = root ]; then
    like 'B12: and the key that lets it' "$err" 'mount of ext4: .*brandzone config set m Storage.Mounts=ext4'
  else
    like 'B12: and that only zones of root can be let' "$err" 'mount of ext4: .*only zones of root'
  fi
  in_zone --disable-row B12 -- 'm ext4 /image /mnt "" 0'
  is 'B12 disabled: the errno is the same' "$out" 1
  unlike 'B12 disabled: no line tells it' "$err" B12
  in_zone -- 'm tmpfs t /mnt "" 0; m proc p /mnt "" 0; m devpts d /mnt "" 0; m ext9 /image /mnt "" 0'
  is 'what a user namespace mounts is the kernel'"'"'s, and so is what there is not' "$(echo "$out" | tr '\n' ' ')" '0 0 0 19 '
  is 'of which nothing is told' "$err" ''
  in_zone -- 'mount -o loop -t ext4 /image /mnt 2>/dev/null || echo not; rm -f /dev/loop0; m autofs auto /mnt "" 0'
  like 'B12: nor set up loop devices, nor mount autofs' "$(echo "$out" | tr '\n' ' ')" '^not (1|19) $'
  like 'B12: a line tells it of loop devices' "$err" 'loop devices: zones have none \(B12\).*brandzone mount m SRC:DST'
  like 'B12: and of autofs' "$err" 'mount of autofs: zones may not \(B12\).*brandzone mount m SRC:DST'
  if [ "$who" != root ]; then
    in_zone --mounts ext4 -- 'm ext4 /image /mnt "" 0'
    is 'a plain user'"'"'s zone can'"'"'t be let' "$out" 1
  fi
}

policy () {
  run bz config set m Storage.Mounts=btrfs
  is 'Mounts= takes what can be mounted for a zone' "$status" 8 || is 'as a usage error' "$status" 2
  like 'and lists it' "$err" 'ext4.*nfs'
  run bz config set m 'Storage.Mounts=ext4;iso9660'
  is 'Mounts= is set' "$status" 0
  # shellcheck disable=SC2016 # for the zone's shell
  in_zone -- 'm ext4 /image /mnt "errors=remount-ro" 0; cat /mnt/file; stat -c "%u %g" /mnt/file; m nfs a:/b /mnt "" 0
    echo more >>/mnt/file; mkdir /mnt/new; chown 9 /mnt/new; m umount /mnt; ls /mnt
    m ext4 /image /mnt "" 1; cat /mnt/file; stat -c %u /mnt/new; touch /mnt/other 2>/dev/null || echo read-only'
  like 'B12: an ext4 image is mounted, written to, unmounted, and mounted to be read' "$(echo "$out" | tr '\n' ' ')" \
    '^0 inside 5 7 (1|19) 0 0 inside more 9 read-only $'
  ok 'its loop device goes with the zone' until_true 5 no_loop
  # shellcheck disable=SC2016 # for the zone's shell
  in_zone -- 'm ext4 /image /mnt "" 0; head -c 1 /mnt/zero 2>&1 | head -n 1; mount -o remount,bind,dev /mnt
    head -c 1 /mnt/zero >/dev/null 2>&1 || echo still; ls -l /mnt/program | cut -c 1-10'
  like 'device nodes of an image are dead' "$out" 'Permission denied'
  like 'also when it is mounted again with them' "$out" '^still'
  like 'set-uid programs are the zone'"'"'s own' "$out" '^-rws'
  in_zone -- 'm ext4 /image /mnt "journal_dev=2049" 0; m ext4 /image /mnt "journal_path=/dev/vda" 0
    m ext4 /etc /mnt "" 0; m ext4 /none /mnt "" 0; m ext4 /dev/null /mnt "" 0; m ext4 /image /none "" 0
    m ext4 /etc/passwd /mnt "" 0'
  like 'options that name devices, and what is no image, are refused' "$(echo "$out" | tr '\n' ' ')" '^22 22 15 2 15 2 (12|22|5) $'
  in_zone -- 'ln -s /image /link; cd /mnt; mkdir sub; m ext4 /link sub "" 0; ls sub/file; cd /; m umount /mnt/sub; rmdir /mnt/sub; rm /link'
  is 'paths are the task'"'"'s own: links, and a directory where it stands' "$(echo "$out" | tr '\n' ' ')" '0 sub/file 0 '
  in_zone -u 1000 -- 'm ext4 /image /mnt "" 0'
  is 'users of the zone mount nothing' "$out" 1
  in_zone -- 'unshare -m sh -c "/guest/mounts-'$abi' ext4 /image /mnt \"\" 0; ls /mnt/file"; ls /mnt'
  is 'a mount namespace inside the zone keeps it to itself' "$(echo "$out" | tr '\n' ' ')" '0 /mnt/file '
  in_zone --mounts squashfs -- 'm ext4 /image /mnt "" 0'
  is '--mounts goes over the zone file; who tries all types goes on' "$out" 19
  run bz config set m Storage.Mounts=autofs
  is 'autofs is not let' "$status" 8 || is 'as a usage error' "$status" 2
  run bz config unset m Storage.Mounts
}

second_start () {
  [ "$(bz logs m | grep -c 'zone m starts')" -ge 2 ] &&
    bz exec m -- /bin/sh -c 'losetup /dev/loop2 2>/dev/null || losetup /dev/loop2 /image'
}

# Of the older types, by whose names ext4's driver maps no ids.
older_types () {
  mkdir "$tmp/older"
  for type in ext2 ext3; do
    truncate -s 8M "$tmp/older/$type" && mke2fs -q -F -t $type -d "$tmp/files" "$tmp/older/$type"
    in_zone --mounts ext2,ext3 -v "$tmp/older:/older:ro" -- 'cp /older/'$type' /older-image; m '$type' /older-image /mnt "" 0
      stat -c "%u %g" /mnt/file; echo new >/mnt/new && cat /mnt/new; m umount /mnt; m '$type' /older-image /mnt "" 1; cat /mnt/file /mnt/new
      m umount /mnt; cp /image /older-image; m '$type' /older-image /mnt "" 0; rm /older-image'
    is "B12: an $type image, with its owners, to be written to; no ext4 one as $type" "$(echo "$out" | tr '\n' ' ')" \
      '0 5 7 new 0 0 inside new 0 22 '
  done
}

# mount -o loop, by BusyBox.
loop_mounts () {
  run bz config set m Storage.Mounts=ext4
  # shellcheck disable=SC2016 # for the zone's shell
  in_zone -- 'mount -o loop -t ext4 /image /mnt && cat /mnt/file; grep -c "^/dev/loop0 /mnt ext4 rw," /proc/mounts
    echo loop >/mnt/loop; umount /mnt; mount -o loop,ro /image /mnt && cat /mnt/loop; touch /mnt/x 2>/dev/null || echo read-only
    umount /mnt; ls /mnt'
  is 'mount -o loop, also without a type' "$(echo "$out" | tr '\n' ' ')" 'inside more 1 loop read-only '
  in_zone -- 'cp /image /image.2; mkdir -p /a /b; mount -o loop -t ext4 /image /a; mount -o loop -t ext4 /image.2 /b
    echo two >/b/file; cat /a/file /b/file; umount /a; cat /b/file; umount /b; rm /image.2'
  is 'of two images at once' "$(echo "$out" | tr '\n' ' ')" 'inside more two two '
  in_zone -- 'mount -o loop -t ext4 /image /mnt; losetup -f; losetup /dev/loop0 /image 2>/dev/null || echo busy; umount /mnt; losetup -f'
  is 'its name is not free while it is mounted' "$(echo "$out" | tr '\n' ' ')" '/dev/loop1 busy /dev/loop0 '
  in_zone -- 'losetup -o 1024 /dev/loop5 /image; head -c 58 /dev/loop5 | tail -c 2 | od -An -tx1; losetup -d /dev/loop5
    losetup -d /dev/loop5 2>/dev/null || echo gone; head -c 1024 /dev/loop5 | wc -c'
  is 'losetup: the device shows the image, until it is cleared' "$(echo "$out" | tr -s '\n ' ' ')" ' 53 ef gone 512 '
  in_zone -- 'losetup /dev/loop5 /etc 2>/dev/null || echo no directory; losetup /dev/loop5 /dev/null 2>/dev/null || echo no device
    losetup /dev/loop5 /image; losetup /dev/loop5 /image 2>/dev/null || echo busy; ls -l /dev/loop5 | cut -c 1-10'
  is 'losetup: of regular files, each device once' "$(echo "$out" | tr '\n' ' ')" 'no directory no device busy brw------- '
  if [ -e /dev/fuse ]; then
    served='mkdir /served /empty /over; /guest/served-'$abi' /served /bin/sh -c'
    in_zone -- "$served 'head -c 99 /served/image | wc -c
      losetup /dev/loop5 /served/image 2>/dev/null || echo refused'"
    is 'losetup: none that a process of the zone serves' "$(echo "$out" | tr -s '\n ' ' ')" '99 refused '
    in_zone -- "$served 'mount -t overlay -o lowerdir=/served:/empty over /over
      head -c 99 /over/image | wc -c; losetup /dev/loop5 /over/image 2>&1; losetup -f'"
    is 'losetup: nor through an overlay, and nobody waits for that process' "$(echo "$out" | tr -s '\n ' ' ')" \
      '99 losetup: /over/image: Invalid argument /dev/loop0 '
  else
    skip 'losetup of a file of FUSE' '/dev/fuse is missing'
  fi
  run bz -q clone --storage=overlay m layered
  # shellcheck disable=SC2016 # for the zone's shell
  run bz -q run layered -- /bin/sh -c 'mount -o loop -t ext4 /image /mnt && cat /mnt/file; echo more >/image.2
    losetup /dev/loop5 /image.2 && losetup -d /dev/loop5 && echo own'
  is 'losetup: of an overlay that is the tree itself' "$(echo "$out" | tr '\n' ' ')" 'inside more own ' || explain_run
  run bz -q remove layered
  in_zone -u 1000 -- 'losetup /dev/loop5 /image 2>/dev/null || echo no'
  is 'losetup: not by users of the zone' "$out" no
  ok 'the loop devices go with the zone' until_true 5 no_loop
  in_background bz run m -- /bin/sleep 1000
  ok 'a zone runs' until_true 20 running m
  inside 'losetup /dev/loop2 /image'
  run bz refresh m
  is 'refresh' "$status" 0
  kill -9 "$(bz show --json m | field supervisor_pid)"
  inside 'mount -t ext4 /dev/loop2 /mnt && cat /mnt/file; ls -l /dev/loop2 | cut -c 1-10'
  is 'its loop devices outlive a newer brandzone and a killed supervisor' "$(echo "$out" | tr '\n' ' ')" 'inside more brw------- '
  kill -9 "$(bz show --json m | field keeper_pid)"
  wait "$job"
  ok 'and go with a killed keeper' until_true 10 no_loop
  run bz start m
  is 'a zone that boots' "$status" 0
  inside 'losetup /dev/loop2 /image; ls /dev/loop2; reboot'
  is 'has loop devices' "$out" /dev/loop2
  ok 'which are free again once it has booted once more' until_true 20 second_start
  bz stop -t 0 m
  ok 'and go with it' until_true 10 no_loop
  run bz config unset m Storage.Mounts
}

# The mount(8) and losetup(8) of util-linux 2.36: /dev/loop-control, LOOP_CONFIGURE or LOOP_SET_STATUS64.
new_mount () {
  [ -n "${BRANDZONE_TEST_FULL:-}" ] || return 0
  zone d bullseye-sysvinit || return 0
  cp "$tmp/image" "$(bz show --json d | field root)/image"
  run bz -q run --mounts ext4 d -- /bin/sh -c 'mount -o loop /image /mnt && cat /mnt/file; findmnt -no SOURCE,FSTYPE /mnt
    losetup -f; umount /mnt; losetup -f; losetup -f --show -r /image; blkid -o value -s TYPE /dev/loop0; losetup -d /dev/loop0
    losetup -f; e2fsck -fn /image >/dev/null 2>&1; echo $?'
  is 'Debian 11: mount -o loop finds the type, losetup and blkid work' "$(echo "$out" | tr -s '\n ' ' ')" \
    'inside more /dev/loop0 ext4 /dev/loop1 /dev/loop0 /dev/loop0 ext4 /dev/loop0 0 '
  run bz -q run d -- mount -o loop /image /mnt
  like 'Debian 11: where the zone may not, a line tells it' "$err" 'loop devices: zones have none \(B12\)'
  run bz -q remove d
}

# --- brandzone mount, umount ---

inside () {
  run bz exec m -- /bin/sh -c "$1"
}

give () {
  by mkdir -p "$tmp/$who/old" "$tmp/$who/new/below" && by sh -c "echo host >'$tmp/$who/new/file'"
  by sh -c "echo old >'$tmp/$who/old/file'"
  in_background bz run -v "$tmp/$who/old:/old" m -- /bin/sleep 1000
  ok 'a zone runs' until_true 20 running m
  run bz mount m "$tmp/$who/new:/srv/new"
  is 'mount gives a directory of the host to a zone that runs' "$status$err" 0
  inside 'cat /srv/new/file; stat -c %u:%a /srv/new/file; echo zone >/srv/new/made; ls /srv/new; grep -c /srv/new /proc/mounts'
  is 'which the zone sees and writes, as its root' "$(echo "$out" | tr '\n' ' ')" 'host 0:644 below file made 1 '
  is 'and the host sees what it wrote' "$(cat "$tmp/$who/new/made")" zone
  run bz mount m "$tmp/$who/new:/srv/new"
  is 'the same place twice: a wrong state' "$status" 4
  run bz mount m "$tmp/$who/new/file:/etc/given:ro"
  is 'a file, to be read' "$status$err" 0
  inside 'cat /etc/given; echo more 2>/dev/null >/etc/given || echo read-only; mount -o remount,bind,rw /etc/given 2>/dev/null
    echo more 2>/dev/null >/etc/given || echo still'
  is 'which the zone cannot change, nor make writable' "$(echo "$out" | tr '\n' ' ')" 'host read-only still '
  inside 'ln -s / /here'
  run bz mount m "$tmp/$who/new:/here/through"
  is 'links of the zone are followed inside it' "$status$err" 0
  inside 'cat /through/file'
  is 'and lead nowhere else' "$out" host
  run bz refresh m
  is 'a newer brandzone knows of it' "$status" 0
  run bz umount m /here/through
  is 'umount' "$status$err" 0
  run bz umount m /old
  is 'also of a volume of its start' "$status$err" 0
  inside 'ls /old /through'
  is 'nothing is there any more' "$(echo "$out" | tr '\n' ' ')" '/old:  /through: '
  run bz umount m /proc
  is 'what brandzone has not mounted there stays' "$status" 8
  run bz mount m "$tmp/$who/none:/x"
  like 'what the host has not got' "$err" 'No such file'
  run bz mount --remember m "$tmp/$who/new:/srv/again:ro"
  is '--remember' "$status$err" 0
  run bz stop -t 1 m
  is 'the zone ends as ever' "$status" 0
  wait "$job"
  run bz mount m "$tmp/$who/new:/srv/new"
  is 'a zone that does not run: a wrong state' "$status" 4
  run bz config get m
  like 'its zone file holds what is to be remembered' "$out" "^Mount.srv-again.Target=/srv/again"
  unlike 'and nothing else' "$out" 'srv-new'
  run bz -q run m -- /bin/sh -c 'cat /srv/again/file; touch /srv/again/x 2>/dev/null || echo read-only'
  is 'and the next start finds it' "$(echo "$out" | tr '\n' ' ')" 'host read-only '
  run bz umount --remember m /srv/again
  run bz config get m
  unlike 'umount --remember forgets it' "$out" '^Mount'
}

# The mount(8) of 1999 takes a file as it comes.
old_mount () {
  zone s slackware-4.0 || return 0
  cp "$tmp/image" "$(bz show --json s | field root)/image"
  run bz -q run s -- /bin/bash -c 'mount -n -t ext4 -o ro /image /mnt'
  like 'Slackware 4.0: mount says that it may not' "$err" 'permission denied'
  run bz -q run --mounts ext4 s -- /bin/bash -c 'mount -n -t ext4 -o ro /image /mnt && cat /mnt/file && umount -n /mnt'
  is 'Slackware 4.0: mount of an image' "$out" "$(printf 'inside\nmore')"
  run bz -q run --mounts ext4 s -- /bin/bash -c 'mount -o loop -t ext4 /image /mnt && cat /mnt/file; mount | grep /mnt; umount /mnt
    losetup /dev/loop0 2>&1 | tail -n 1'
  like 'Slackware 4.0: mount -o loop' "$out" '^/dev/loop0 on /mnt type ext4'
  like 'Slackware 4.0: and umount, which clears the device' "$out" 'No such device'
  run bz -q remove s
}

make_image || skip_all 'mke2fs is missing'
loops_before=$(loops)
for who in $users; do
  if [ "$who" = user ] && ! plain_users_work; then
    skip 'mounts in a plain user'"'"'s zone' 'newuidmap, setpriv or unprivileged user namespaces are missing'
    continue
  fi
  abi=x86_64
  zone m alpine-x86_64 || continue
  chmod 644 "$tmp/image"
  bz cp "$tmp/image" m:/image
  refused
  give
  if [ "$who" = root ]; then
    if [ ! -e /dev/loop-control ] || ! grep -qw ext4 /proc/filesystems; then
      skip 'images' 'this kernel has no loop devices or no ext4'
    else
      policy
      older_types
      loop_mounts
      if ! masked ia32; then
        bz cp m:/image "$tmp/image.new" && mv "$tmp/image.new" "$tmp/image"
        old_mount
        new_mount
      fi
    fi
  fi
  run bz -q remove m
done
finish
