#!/bin/sh
# The zone file and the options of run: what is asked for is what the zone's programs find.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
begin

identity () {
  run bz config set z hostname=attic hostid=cafe0001 machineid=0123456789abcdef0123456789abcdef \
    'environment=ONE=1;TWO=a b'
  is 'config set' "$status" 0
  is 'says nothing' "$out$err" ''
  run bz run -e ONE=mine z -- sh -c 'hostname; od -An -tx4 /etc/hostid; cat /etc/machine-id; echo "$ONE,$TWO"'
  is 'host name, host id, machine id, variables' "$out" "attic
 cafe0001
0123456789abcdef0123456789abcdef
mine,a b"
  run bz run z -- sh -c 'echo x >/etc/hostid'
  isnt_0 'the zone cannot change its host id' "$status"
  run bz config get z HOSTID
  is 'config get' "$out" cafe0001
  run bz config unset z hostid machineid
  run bz config get z hostid
  is 'config get of what is not set fails' "$status" 1
  run bz run z -- sh -c 'wc -c </etc/hostid'
  is 'and without it nothing is left but an empty file' "$out" 0
}

isnt_0 () {
  ok "$1" [ "$2" != 0 ]
}

mounts () {
  mkdir -p "$tmp/$who/shared"
  echo 'of the host' >"$tmp/$who/shared/file"
  chmod 755 "$tmp/$who/shared"
  run bz config set z mount.s.source="$tmp/$who/shared" mount.s.target=/mnt/s mount.s.readonly=yes
  run bz run z -- sh -c 'cat /mnt/s/file; echo >/mnt/s/new'
  is 'a [Mount] is seen' "$out" 'of the host'
  like 'and is read-only' "$err" 'Read-only'
  run bz config set z mount.s.source=/no/such/place
  run bz verify z
  is 'verify finds a missing source' "$status" 1
  like 'and names it' "$out" 'z: mount /no/such/place: No such file'
  run bz run z -- true
  is 'and the zone does not start' "$status" 125
  run bz config unset z mount.s.source mount.s.target mount.s.readonly
  run bz verify --ready z
  is 'verify of a zone that is ready' "$out" 'z: ready to start'
}

devices () {
  run bz config set z device.d.source=/dev/full device.d.target=/dev/dongle/one
  run bz run z -- sh -c 'test -c /dev/dongle/one && echo x >/dev/dongle/one'
  like 'a [Device] works under another name' "$err" 'No space left'
  if [ "$who" = root ]; then
    run bz config set z device.d.mode=0640 device.d.group=5
    run bz run z -- sh -c 'stat -c "%a %u %g %t %T" /dev/dongle/one; rm /dev/dongle/one && echo gone'
    is 'with the mode and group asked for, and can be removed' "$out" '640 0 5 1 7
gone'
    run bz run --device /dev/zero:/dev/mine:0600 z -- stat -c '%a %t %T' /dev/mine
    is '--device' "$out" '600 1 5'
    run bz run --device /etc/passwd:/dev/mine z -- true
    is '--device of a file' "$status" 125
    mkdir "$tmp/nodes" "$tmp/nodes/inner"
    mknod "$tmp/nodes/a" c 1 3
    mknod "$tmp/nodes/inner/b" c 1 5
    ln -s /etc/passwd "$tmp/nodes/link"
    echo secret >"$tmp/nodes/file"
    run bz run --device "$tmp/nodes:/dev/snd" z -- sh -c 'cd /dev/snd; find . | sort; stat -c "%t %T" inner/b'
    is 'a directory of devices: its nodes and nothing else' "$out" '.
./a
./inner
./inner/b
1 5'
  fi
  run bz run --device /dev/none z -- true
  is 'a device that is not there' "$status" 125
  run bz run --device /dev/null:/etc/null z -- true
  is 'a device outside /dev' "$status" 125
  run bz config unset z device.d.source device.d.target
  if [ "$who" = root ]; then run bz config unset z device.d.mode device.d.group; fi
}

values () {
  host_before=$(cat /proc/sys/kernel/shmmax /proc/sys/kernel/sem)
  run bz config set z kernel.shmmax=33554432 kernel.msgmni=77
  run bz run --sysctl 'kernel.sem=250 32000 32 128' z -- \
    cat /proc/sys/kernel/shmmax /proc/sys/kernel/msgmni /proc/sys/kernel/sem
  if [ "$who" != root ] && [ "$status" = 125 ]; then
    like 'this kernel has no such values for plain users, and says so' "$err" 'recent kernels'
  else
    is 'sysctl values' "$out" "$(printf '33554432\n77\n250\t32000\t32\t128')"
  fi
  run bz config unset z kernel.shmmax kernel.msgmni
  run bz run --sysctl net.ipv4.ip_forward=1 z -- cat /proc/sys/net/ipv4/ip_forward
  is 'and of the network' "$out" 1
  is 'the host keeps its own' "$(cat /proc/sys/kernel/shmmax /proc/sys/kernel/sem)" "$host_before"
  run bz run --network host --sysctl net.ipv4.ip_forward=1 z -- true
  is 'but not of the host'"'"'s network' "$status" 125
  run bz run --sysctl kernel.panic=1 z -- true
  is 'what is the whole machine'"'"'s is refused' "$status" 125
  like 'and said so' "$err" 'whole machine'
  if by test -w /dev/net/tun; then
    run bz run --mac-address 02:00:5e:10:20:30 z -- cat /sys/class/net/eth0/address
    is '--mac-address' "$out" 02:00:5e:10:20:30
    run bz run --network host --mac-address 02:00:5e:10:20:30 z -- true
    is 'not on the host'"'"'s network' "$status" 125
  else
    skip 'an interface with a fixed address' "$who may not open /dev/net/tun"
  fi
}

limits () {
  run bz config set z descriptors=333:444 dropcapabilities=CAP_NET_RAW
  run bz run z -- sh -c 'ulimit -n; ulimit -Hn; sed -n "s/^CapBnd:.*\(.\{4\}\)$/\1/p" /proc/self/status'
  like 'descriptors: soft' "$out" '^333$'
  like 'and hard' "$out" '^444$'
  like 'a dropped capability is out of reach' "$out" '^dfff$'
  run bz config unset z descriptors dropcapabilities
  if masked cgroup || [ "$who" != root ]; then
    run bz run --memory 64M z -- true
    if [ "$status" = 0 ]; then
      pass 'memory is limited'
    else
      like 'a limit that cannot be set is an error' "$err" "cannot limit the zone's memory"
    fi
    return
  fi
  run bz run --memory 64M z -- sh -c 'head -c 150000000 /dev/zero | tail | wc -c'
  if [ "$status" = 125 ]; then
    skip 'limits of memory and processes' "$(tail -n 1 "$tmp/err")"
    return
  fi
  unlike 'a program above the limit of memory ends' "$out" 150000000
  run bz run z -- sh -c 'head -c 150000000 /dev/zero | tail | wc -c'
  is 'without the limit it does not' "$out" 150000000
  run bz config set z processes=12
  run bz run z -- sh -c 'for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do sleep 1 & done; wait'
  like 'nor can it have more processes' "$err" 'fork'
  run bz config unset z processes
  run bz run --cpus 0.5 z -- true
  is '--cpus' "$status" 0
}

# cpus_of PROCESS
cpus_of () {
  sed -n 's/^Cpus_allowed_list:[[:space:]]*//p' "/proc/$1/status"
}

# The first that this test may use, and one that no machine has.
processors () {
  first=$(cpus_of self | sed 's/[-,].*//')
  run bz run --cpuset-cpus "$first" z -- sed -n 's/^Cpus_allowed_list:[[:space:]]*//p' /proc/self/status
  is '--cpuset-cpus keeps a zone on a processor' "$out" "$first"
  run bz config set z "cpuset=$first,8191"
  in_background bz -q run z -- sleep 1000
  until_true 20 running z
  run bz exec z -- sed -n 's/^Cpus_allowed_list:[[:space:]]*//p' /proc/self/status
  is 'and who joins it' "$out" "$first"
  is 'and its supervisor' "$(cpus_of "$(bz show --json z | field supervisor_pid)")" "$first"
  is 'not who called it' "$(cpus_of self)" "$(cpus_of $$)"
  bz -q stop --time 0 z
  wait "$job"
  run bz config unset z cpuset
  run bz run --cpuset-cpus 8191 z -- true
  is 'processors that are not there' "$status" 125
  like 'say so' "$err" 'cannot keep the zone on the processors 8191: this host has none of them'
  run bz run --cpuset-cpus 1-0 z -- true
  like 'a bad list says what is good' "$err" '0-3,8'
}

texts () {
  run bz config set z hostnam=x
  is 'an unknown key' "$status" 2
  like 'names the nearest' "$err" 'Zone.Hostname'
  run bz config set z memory=lots
  is 'a bad value' "$status" 8
  like 'says what is good' "$err" '512M'
  run bz config set z brand.name=no-such-brand
  is 'a brand that there is not' "$status" 3
  run bz config get z brand.name
  is 'and nothing was changed' "$out" alpine
  echo '[Zone]
Hostname=from-a-file
Colour=red' >"$tmp/$who/new"
  chmod 644 "$tmp/$who/new"
  by mkfifo "$tmp/$who/pipe"
  run bz config export z "$tmp/$who/pipe"
  is 'export replaces no pipe' "$status" 4
  ok 'which is still there' [ -p "$tmp/$who/pipe" ]
  run bz config export z
  printf '%s\n' "$out" >"$tmp/$who/old"
  run bz config import z "$tmp/$who/new"
  is 'import' "$status" 0
  like 'warns of an unknown key with its line' "$err" 'z.zone:3: unknown key Colour in \[Zone\]'
  run bz run z -- hostname
  is 'and counts' "$out" from-a-file
  chmod 644 "$tmp/$who/old"
  run_in "$tmp/$who/old" bz config import z -
  run bz config get z brand.name
  is 'import of what export wrote' "$out" alpine
  bz config export z | sed '/^\[Zone\]/a Description=of a pipe' >"$tmp/$who/piped"
  # shellcheck disable=SC2002 # a pipe is what is tested
  cat "$tmp/$who/piped" | bz config import z -
  run bz config get z description
  is 'import from a pipe' "$out" 'of a pipe'
  run bz config unset z description
  run_in /dev/null by env EDITOR="sed -i 's/^Hostname=.*/Hostname=edited/'" \
    "$brandzone" --root "$tmp/$who/state" config edit z
  is 'edit' "$status" 0
  run bz config get z hostname
  is 'takes what the editor wrote' "$out" edited
  run_in /dev/null by env EDITOR="sed -i 's/^Format=1/Format=7/'" TMPDIR="$tmp/$who" \
    "$brandzone" --root "$tmp/$who/state" config edit z
  is 'edit to something wrong' "$status" 8
  kept=$(printf '%s\n' "$err" | sed -n 's/.*your text is in \([^)]*\)).*/\1/p')
  ok 'keeps the text' grep -q Format=7 "$kept"
  rm -f "$kept"
  run bz config get z format
  is 'but not the file' "$out" 1
  run_in /dev/null by env TMPDIR="$tmp/$who" BZ="$brandzone --root $tmp/$who/state" \
    EDITOR="sh -c 'timeout 20 \$BZ config set z hostname=meanwhile; echo \"# late\" >>\"\$0\"'" \
    "$brandzone" --root "$tmp/$who/state" config edit z
  is 'a change while the editor runs does not wait for it' "$status" 5
  kept=$(printf '%s\n' "$err" | sed -n 's/.*your text is in \([^)]*\)).*/\1/p')
  ok 'what was edited is kept' grep -q late "$kept"
  rm -f "$kept"
  run bz config get z hostname
  is 'and the change too' "$out" meanwhile
  mkdir -p "$tmp/$who/state/config/z.zone.d"
  echo '[Zone]
Hostname=of-drop-in' >"$tmp/$who/state/config/z.zone.d/10-a.conf"
  chmod -R a+rX "$tmp/$who/state/config/z.zone.d"
  run bz config set z hostname=mine
  like 'a drop-in that says otherwise is named' "$err" 'which counts: of-drop-in'
  rm -r "$tmp/$who/state/config/z.zone.d"
  run bz config unset z hostname
}

alpine="alpine-x86"
if masked ia32; then alpine="alpine-x86_64"; fi
for who in $users; do
  if [ "$who" = user ] && ! plain_users_work; then
    skip 'configuration by a plain user' 'newuidmap, setpriv or unprivileged user namespaces are missing'
    continue
  fi
  zone z "$alpine" || continue
  identity
  mounts
  devices
  values
  limits
  processors
  texts
  run bz -q remove z
  is 'remove' "$status" 0
done
finish
