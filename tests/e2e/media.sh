#!/bin/sh
# install from media as they were and from disks: by the one command, then a program is run.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
begin

# medium FILE: a copy of one of the userlands that every user can read; sets $source.
medium () {
  source=$tmp/$(basename "$1")
  if [ ! -r "$BRANDZONE_USERLANDS/$1" ]; then
    skip "$1" "$BRANDZONE_USERLANDS/$1 is missing"
    return 1
  fi
  cp "$BRANDZONE_USERLANDS/$1" "$source"
  chmod 644 "$source"
}

# The first disks of Linux: there is no loader for their programs yet, which run has to say.
minix () {
  medium linux011-aout/rootimage-0.11 || return 0
  run bz install first "$source"
  is "Linux 0.11's root image is installed" "$status" 0
  like 'what it is is said first' "$(printf '%s\n' "$out" | head -n 1)" 'the source is a minix image of 1.4 MiB'
  root=$(bz show --json first | field root)
  ok 'its files are there, whole' by test "$(wc -c <"$root/usr/bin/tar")" -gt 10000
  run bz run first -- /bin/sh
  is 'its shell is refused' "$status" 126
  like 'in one line that names the row' "$err" 'running /bin/sh: .* \[E12\]$'
  run bz -q remove first

  medium sls-1.02-libc4-aout/a1.3 || return 0
  run bz install sls "$source"
  is "SLS 1.02's boot floppy is installed" "$status" 0
  case $who in
    root) like 'with its device nodes' "$(by ls -l "$(bz show --json sls | field root)/dev/")" 'hda1' ;;
    *) like 'a plain user is told what of it could not be made' "$err" 'device nodes left out: a plain user' ;;
  esac
  run bz run sls -- /bin/ls
  like 'a program of it is refused with the row' "$err" 'running /bin/ls: .* \[E12\]$'
  run bz -q remove sls
}

# put IMAGE FILE SECTOR
put () {
  dd if="$1" of="$2" bs=512 seek="$3" conv=notrunc status=none
}

# A disk as an installer leaves it: /boot, and the tree in a logical partition.
disks () {
  for tool in sfdisk mke2fs qemu-img; do
    if ! command -v $tool >/dev/null; then
      skip 'disk images' "$tool is missing (apt-get install fdisk e2fsprogs qemu-utils)"
      return
    fi
  done
  make_tree alpine-x86 || return 0
  if [ ! -e "$tmp/mbr.img" ]; then
    mke2fs -q -F -t ext4 -d "$BRANDZONE_TEST_CACHE/$(basename "$tree")" "$tmp/tree.img" 24M >/dev/null 2>&1
    mke2fs -q -F "$tmp/boot.img" 2M >/dev/null 2>&1
    truncate -s 40M "$tmp/mbr.img" "$tmp/gpt.img"
    printf '%s\n' 'label: dos' 'start=63,size=5000,type=83' 'start=8192,type=5' 'start=10240,type=83' |
      sfdisk -q "$tmp/mbr.img" >/dev/null
    printf '%s\n' 'label: gpt' 'start=2048,size=5000' 'start=10240' | sfdisk -q "$tmp/gpt.img" >/dev/null
    put "$tmp/boot.img" "$tmp/mbr.img" 63
    put "$tmp/boot.img" "$tmp/gpt.img" 2048
    put "$tmp/tree.img" "$tmp/mbr.img" 10240
    put "$tmp/tree.img" "$tmp/gpt.img" 10240
    qemu-img convert -f raw -O qcow2 "$tmp/mbr.img" "$tmp/mbr.qcow2"
    qemu-img convert -c -f raw -O qcow2 "$tmp/gpt.img" "$tmp/gpt.qcow2"
    chmod 644 "$tmp"/*.img "$tmp"/*.qcow2
  fi
  for disk in 'mbr.img:partition 5 (MBR)' 'gpt.img:partition 2 (GPT)' 'mbr.qcow2:partition 5 (MBR, qcow2)' \
    'gpt.qcow2:partition 2 (GPT, qcow2)'; do
    file=${disk%%:*}
    run bz install disk "$tmp/$file"
    is "install of $file" "$status" 0
    like 'the right partition is taken' "$out" "ext4 image in $(printf '%s' "${disk#*:}" | sed 's/[()]/[&]/g')"
    run bz run disk -- cat /etc/alpine-release
    is 'and a program runs' "$out" 3.6.5
    run bz -q remove disk
  done
}

cdrom () {
  command -v xorriso >/dev/null || {
    skip 'a CD-ROM' 'xorriso is missing (apt-get install xorriso)'
    return
  }
  make_tree alpine-x86 || return 0
  if [ ! -e "$tmp/tree.iso" ]; then
    xorriso -as mkisofs -quiet -R -o "$tmp/tree.iso" "$BRANDZONE_TEST_CACHE/$(basename "$tree")" >/dev/null 2>&1
    chmod 644 "$tmp/tree.iso"
  fi
  run bz install cd "$tmp/tree.iso"
  is 'install of an ISO 9660 image' "$status" 0
  like 'said so' "$out" 'an ISO 9660 image'
  run bz run cd -- cat /etc/alpine-release
  is 'and a program runs' "$out" 3.6.5
  run bz -q remove cd
}

# A file of 3 GiB of zeros, as its header says; and the limit that lets it pass is told.
bomb () {
  if [ ! -e "$tmp/bomb.tar.gz" ]; then
    python3 - "$tmp/bomb.tar.gz" <<'END'
import io, sys, tarfile, zlib
info = tarfile.TarInfo("bin/sh")
info.size, info.mode = 3 << 30, 0o755
pack = zlib.compressobj(1, zlib.DEFLATED, 31)
with open(sys.argv[1], "wb") as out:
    out.write(pack.compress(info.tobuf()))
    piece = bytes(1 << 20)
    for i in range(64):
        out.write(pack.compress(piece))
    out.write(pack.flush())
END
    chmod 644 "$tmp/bomb.tar.gz"
  fi
  run bz install bomb --max-size 16M "$tmp/bomb.tar.gz"
  is 'a decompression bomb is bad input' "$status" 8
  like 'the limit and the way past it are told' "$err" 'expands to more than 16.0 MiB .*--max-size'
  run bz show bomb
  is 'no zone is left' "$status" 3
}

for who in $users; do
  plain_users_work || continue
  minix
  disks
  cdrom
  bomb
done
finish
