#!/bin/sh
# install from media as they were and from disks: by the one command, then a program is run.
# shellcheck source=lib.sh
# shellcheck disable=SC2317 # functions that `until_true` calls
. "$(dirname "$0")/lib.sh"
begin
first_user_only

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
  # A logical partition in MBR, and GPT in compressed qcow2; with the whole run the other two ways.
  for disk in 'mbr.img:partition 5 (MBR)' 'gpt.qcow2:partition 2 (GPT, qcow2)' \
    'full:gpt.img:partition 2 (GPT)' 'full:mbr.qcow2:partition 5 (MBR, qcow2)'; do
    case ${BRANDZONE_TEST_FULL:+yes}:$disk in :full:*) continue ;; esac
    disk=${disk#full:}
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

# oci TREE DIRECTORY: an OCI layout of one layer.
oci () {
  python3 - "$1" "$2" <<'END'
import gzip, hashlib, io, json, os, sys, tarfile
tree, layout = sys.argv[1:]
blobs = os.path.join(layout, "blobs/sha256")
os.makedirs(blobs)
def put(data):
    name = hashlib.sha256(data).hexdigest()
    with open(os.path.join(blobs, name), "wb") as out:
        out.write(data)
    return {"digest": "sha256:" + name, "size": len(data)}
plain = io.BytesIO()
with tarfile.open(fileobj=plain, mode="w") as tar:
    tar.add(tree, ".", filter=lambda info: info if not info.isdev() else None)
layer = put(gzip.compress(plain.getvalue(), 1))
layer["mediaType"] = "application/vnd.oci.image.layer.v1.tar+gzip"
config = put(json.dumps({"os": "linux", "architecture": "386", "config": {}, "rootfs": {"type": "layers",
    "diff_ids": ["sha256:" + hashlib.sha256(plain.getvalue()).hexdigest()]}}).encode())
config["mediaType"] = "application/vnd.oci.image.config.v1+json"
manifest = put(json.dumps({"schemaVersion": 2, "config": config, "layers": [layer]}).encode())
manifest.update(mediaType="application/vnd.oci.image.manifest.v1+json", annotations={"org.opencontainers.image.ref.name": "old"})
with open(os.path.join(layout, "index.json"), "w") as out:
    json.dump({"schemaVersion": 2, "manifests": [manifest]}, out)
with open(os.path.join(layout, "oci-layout"), "w") as out:
    out.write('{"imageLayoutVersion": "1.0.0"}')
END
}

# An image made on the spot: as a layout, and from where skopeo gets it: that layout, and a registry.
registry () {
  make_tree alpine-x86 || return 0
  image=$tmp/image
  if [ ! -d "$image" ]; then
    oci "$BRANDZONE_TEST_CACHE/$(basename "$tree")" "$image"
    chmod -R a+rX "$image"
  fi
  run bz install oci "$image"
  is 'install of an OCI layout' "$status" 0
  run bz run oci -- cat /etc/alpine-release
  is 'and a program runs' "$out" 3.6.5
  run bz -q remove oci
  if ! command -v skopeo >/dev/null || [ ! -r /etc/containers/policy.json ]; then
    run bz install ref docker://127.0.0.1:1/old
    is 'without skopeo the host lacks it' "$status" 7 || :
    skip 'images through skopeo' 'skopeo is missing (apt-get install skopeo)'
    return
  fi
  run bz install ref "oci:$image:old"
  is 'install through skopeo' "$status" 0
  like 'the reference is told first' "$(printf '%s\n' "$out" | head -n 1)" "a container image, fetched by skopeo: oci:$image:old"
  run bz run ref -- cat /etc/alpine-release
  is 'and a program of it runs' "$out" 3.6.5
  run bz -q remove ref
  run bz install ref "oci:$image:none"
  is 'an image that is not there is bad input' "$status" 8
  run bz show ref
  is 'nothing is left' "$status" 3
  is 'not even the file that it was fetched to' "$(by find "$tmp/$who/state/zones" -name image.tar)" ''
}

# A registry on the loopback of this test; who installs may name it in his settings.
served () {
  if ! command -v docker-registry >/dev/null || ! command -v skopeo >/dev/null; then
    skip 'a registry' 'docker-registry or skopeo is missing (apt-get install docker-registry skopeo)'
    return
  fi
  [ -d "$tmp/image" ] || return 0
  mkdir -p "$tmp/home/.config/containers"
  printf '%s\n' 'version: 0.1' "storage: {filesystem: {rootdirectory: $tmp/served}}" 'http: {addr: 127.0.0.1:5780}' >"$tmp/registry.yml"
  printf '%s\n' '[[registry]]' 'location = "127.0.0.1:5780"' 'insecure = true' >"$tmp/home/.config/containers/registries.conf"
  docker-registry serve "$tmp/registry.yml" >"$tmp/registry.log" 2>&1 &
  server=$!
  if until_true 10 skopeo copy -q --dest-tls-verify=false "oci:$tmp/image:old" docker://127.0.0.1:5780/old:1; then
    run env HOME="$tmp/home" "$brandzone" --root "$tmp/root/state" install --abi i386 \
      served docker://127.0.0.1:5780/old:1
    is 'install from a registry' "$status" 0
    run bz run served -- cat /etc/alpine-release
    is 'and a program of the image runs' "$out" 3.6.5
    run bz -q remove served
  else
    not_ok 'the registry serves'
  fi
  kill $server
  wait $server 2>/dev/null || :
}

# series DIRECTORY PACKAGE...: a series of a few packages; sets $source.
series () {
  source=$tmp/series-$(basename "$1")
  if [ ! -d "$BRANDZONE_USERLANDS/$1" ]; then
    skip "$1" "$BRANDZONE_USERLANDS/$1 is missing"
    return 1
  fi
  [ ! -d "$source" ] || return 0
  mkdir -p "$source/a1" "$source/a2"
  from=$BRANDZONE_USERLANDS/$1
  shift
  for package; do
    case $package in a* | b* | e*) cp "$from/$package.tgz" "$source/a1" ;; *) cp "$from/$package.tgz" "$source/a2" ;; esac
  done
  chmod -R a+rX "$source"
}

# The program and all below it.
signal_below () {
  [ -r "/proc/$1/task/$1/children" ] || return 0
  # shellcheck disable=SC2013 # one line of words
  for child in $(cat "/proc/$1/task/$1/children"); do
    case $(tr '\0' ' ' <"/proc/$child/cmdline" 2>/dev/null) in
      *brandzone*install*) kill "-$2" "$child" 2>/dev/null ;;
    esac
    signal_below "$child" "$2"
  done
}

# brandzone and its installer, at once. Not the child that stands for the script: it is to notice.
kill_both () {
  [ -r "/proc/$1/task/$1/children" ] || return 0
  # shellcheck disable=SC2013 # one line of words
  for child in $(cat "/proc/$1/task/$1/children"); do
    case $2$(tr '\0' ' ' <"/proc/$child/cmdline" 2>/dev/null) in
      *brandzone-install*) kill -9 "$child" ;;
      inside*) ;;
      *brandzone*install*)
        set -- "$1" "$2" "$child"
        kill -STOP "$3"
        kill_both "$3" inside
        kill -9 "$3"
        ;;
      *) kill_both "$child" "" ;;
    esac
  done
}

script_runs () {
  our_processes | grep -q 'install/doinst.sh' && grep -q 'while :' "$tmp/$who/state/zones/.looping.installing/root.partial/root/mnt/install/doinst.sh" 2>/dev/null
}

# A command takes away what another one has left.
swept () {
  bz list >/dev/null 2>&1
  [ -z "$(by find "$tmp/$who/state/zones" -name '*looping*' ! -name '*.lock')" ]
}

no_script_runs () {
  ! our_processes | grep -q 'install/doinst.sh'
}

# Slackware 4.0's own scripts, run by its own shell: links, waiting names, settings that are there
# already. Of elflibs and libc, which bring the same library, the first one's stays.
packages () {
  masked ia32 && return
  series slackware-4.0-libc5 aaa_base ash bash bin elflibs etc fileutls grep ldso libc sh_utils shadow tar \
    txtutils || return 0
  limit=120 run bz install slack "$source"
  is "install of Slackware 4.0's packages" "$status" 0 || return 0
  like 'they are recognised first' "$(printf '%s\n' "$out" | head -n 1)" 'the source is a series of 14 packages'
  unlike 'all scripts ended well' "$err" 'install script'
  run bz run slack -- /bin/sh -c 'cd / && echo bin/*.new lib/*.newlib etc/*-incoming install &&
    ls -l lib/ld-linux.so.1 lib/libm.so.5.0.9 var/log/scripts/tar && id'
  is 'and its shell runs' "$status" 0 || :
  like 'no waiting name is left' "$out" '^bin/\*.new lib/\*.newlib etc/\*-incoming install$'
  like 'the links are there' "$out" ' -> ld-linux.so.1.9.9$'
  like "the first package's library stays" "$out" ' 32168 .* lib/libm.so.5.0.9'
  like "pkgtool's records are there" "$out" ' var/log/scripts/tar$'
  like 'its users have names' "$out" 'uid=0.root. gid=0.root.'
  run bz -q remove slack

  # A script may do in the zone what it likes; what becomes the tree is what was unpacked.
  hostile=$tmp/hostile-series
  if [ ! -d "$hostile" ]; then
    mkdir -p "$hostile" "$tmp/package/install" "$tmp/package/etc"
    for package in ash elflibs fileutls ldso; do
      cp "$BRANDZONE_USERLANDS/slackware-4.0-libc5/$package.tgz" "$hostile"
    done
    echo 'cd / && mv mnt moved && ln -s / mnt' >"$tmp/package/install/doinst.sh"
    tar -C "$tmp/package" -czf "$hostile/zzz.tgz" install etc
    chmod -R a+rX "$hostile"
  fi
  limit=60 run bz install moved "$hostile"
  is 'a script that moves the tree away is bad input' "$status" 8
  like 'and said so' "$err" 'moved the tree away'
  run bz show moved
  is 'nothing is left' "$status" 3

  # One that never ends: an interrupt ends its zone, and nothing is left; nor of a brandzone that was killed
  # together with its installer.
  if [ "$who" = root ] || [ -n "${BRANDZONE_TEST_FULL:-}" ]; then
    looping=$tmp/looping-series
    if [ ! -d "$looping" ]; then
      cp -r "$hostile" "$looping"
      echo 'while :; do :; done' >"$tmp/package/install/doinst.sh"
      tar -C "$tmp/package" -czf "$looping/zzz.tgz" install etc
      chmod -R a+rX "$looping"
    fi
    in_background bz install looping "$looping"
    ok 'the script runs' until_true 60 script_runs
    signal_below "$job" INT
    status=0
    wait "$job" || status=$?
    is 'an interrupt of a script ends with 130' "$status" 130
    ok 'and its zone' until_true 10 no_script_runs
    run bz show looping
    is 'and leaves nothing' "$status" 3
    in_background bz install looping "$looping"
    until_true 60 script_runs || :
    kill_both "$job" ""
    wait "$job" 2>/dev/null || :
    ok 'a killed brandzone takes the zone of the script along' until_true 10 no_script_runs
    run bz list
    unlike 'no zone is left of it' "$out" looping
    # What holds the tree's lock may still be ending.
    ok 'nor a tree, once all of it has ended' until_true 10 swept
  fi

  series sls-1.02-libc4-aout base bin4 shlibs shadow || return 0
  run bz install sls "$source"
  is "install of SLS 1.02's packages" "$status" 0
  like 'the script that needs an a.out shell is told, with the row' "$err" "scripts can't be run: .* [[]E12[]]"
  like 'and where it is kept' "$err" '1 of 1 install scripts were not run; they are kept in /install'
  run bz run sls -- /bin/cat
  like 'its programs are refused with the row' "$err" '[[]E12[]]$'
  run bz -q remove sls
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
  packages
  registry
  if [ "$who" = root ]; then served; fi
  bomb
done
finish
