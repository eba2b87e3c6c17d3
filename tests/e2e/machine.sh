#!/bin/sh
# install from a machine: over ssh from one that runs, and from its disk.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
begin

# A machine: an Alpine with disks, a network card and a boot loader. Sets $machine.
make_machine () {
  make_tree alpine-x86 || return 1
  machine=$tmp/machine
  cp -a "$tree" "$machine"
  chmod 755 "$machine"
  mkdir -p "$machine/etc/udev/rules.d" "$machine/etc/ssh" "$machine/boot" "$machine/proc/1" "$machine/mnt/cdrom" "$machine/tmp"
  cat >"$machine/etc/fstab" <<'FSTAB'
# its disks
LABEL=/ / ext3 defaults 1 1
/dev/hda2 /home ext3 defaults 1 2
none /proc proc defaults 0 0
/dev/hda3 swap swap defaults 0 0
fileserver:/export /srv nfs soft 0 0
FSTAB
  echo 'SUBSYSTEM=="net", ATTR{address}=="00:11:22:33:44:55", NAME="eth0"' >"$machine/etc/udev/rules.d/70-persistent-net.rules"
  echo secret >"$machine/etc/ssh/ssh_host_rsa_key"
  chmod 600 "$machine/etc/ssh/ssh_host_rsa_key"
  echo kernel >"$machine/boot/vmlinuz-2.6.18"
  echo no >"$machine/proc/1/status"
  echo no >"$machine/tmp/scratch"
}

# An sshd of ours whose every session is in that machine. Sets $port and $sshd.
start_sshd () {
  sshd=$(command -v sshd || command -v /usr/sbin/sshd) || sshd=
  if [ -z "$sshd" ] || ! command -v ssh-keygen >/dev/null; then
    skip 'a machine over ssh' 'sshd is missing (install openssh-server)'
    return 1
  fi
  ssh-keygen -q -t ed25519 -N '' -f "$tmp/host-key"
  ssh-keygen -q -t ed25519 -N '' -f "$tmp/root/key"
  cp "$tmp/root/key.pub" "$tmp/authorized"
  chmod 644 "$tmp/authorized"
  if [ -d "$tmp/user" ]; then
    cp "$tmp/root/key" "$tmp/user/key"
    chown "$user_uid" "$tmp/user/key"
  fi
  port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  # shellcheck disable=SC2016 # the session's own variable
  printf '%s\n' "Port $port" 'ListenAddress 127.0.0.1' "HostKey $tmp/host-key" "AuthorizedKeysFile $tmp/authorized" \
    'StrictModes no' 'UsePAM no' 'PidFile none' 'PermitRootLogin yes' \
    "ForceCommand exec chroot $machine /bin/sh -c \"\$SSH_ORIGINAL_COMMAND\"" >"$tmp/sshd_config"
  made=
  if [ ! -d /run/sshd ]; then mkdir /run/sshd && made=yes; fi
  "$sshd" -D -e -f "$tmp/sshd_config" >"$tmp/sshd.log" 2>&1 &
  server=$!
  until_true 10 grep -q 'listening on' "$tmp/sshd.log" || :
}

over_ssh () {
  reach="ssh -p $port -i $tmp/$who/key -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -o BatchMode=yes"
  run bz install far --from-ssh root@127.0.0.1 --ssh "$reach"
  is 'install from a machine over ssh' "$status" 0 || { explain_run; return; }
  like 'what it is is said' "$out" 'brand alpine'
  like 'its disks do not come along' "$out" '/etc/fstab: file systems of its own disks .*\(2 lines, the first: LABEL=/ / ext3'
  like 'nor its network card' "$out" '70-persistent-net.rules: names of devices'
  like 'nor its kernel' "$out" '/boot/vmlinuz-2.6.18: its kernel'
  unlike 'what it had of proc is no disk' "$out" 'none /proc'
  run bz run far -- /bin/sh -c 'cat /etc/alpine-release; grep -c brandzone /etc/fstab; ls /tmp; ls /etc/ssh'
  is 'it runs, and its configuration is preserved, without what was in /tmp' "$out" "3.6.5
0
ssh_host_rsa_key"
  run bz -q remove far

  run bz install far --from-ssh root@127.0.0.1 --ssh "$reach" --unconfigure
  is 'install with --unconfigure' "$status" 0
  like 'says what was done' "$out" 'swap of its own .*; commented out'
  run bz run far -- /bin/sh -c 'grep -v "^#" /etc/fstab; ls /etc/ssh; cat /etc/udev/rules.d/*'
  is 'what only the machine had is out' "$out" "none /proc proc defaults 0 0
ssh_host_rsa_key.brandzone
#brandzone:unconfigured# SUBSYSTEM==\"net\", ATTR{address}==\"00:11:22:33:44:55\", NAME=\"eth0\""
  run bz -q remove far

  run bz install far --from-ssh root@127.0.0.1 --ssh "ssh -p 1 -o BatchMode=yes"
  is 'a machine that does not answer is an error' "$status" 1
  like 'and is named' "$err" 'the machine root@127.0.0.1: ssh did not come to it'
  run bz list
  unlike 'no zone is left' "$out" far
  ok 'and no process' gone our_processes
}

from_disk () {
  run bz install disk --from-disk "$machine"
  is 'install from a mounted disk' "$status" 0 || { explain_run; return; }
  like 'what does not come along is said, too' "$out" '/etc/fstab: file systems of its own disks'
  run bz --json install other --from-disk "$machine"
  is 'in JSON, too' "$(printf '%s' "$out" | field left_behind.0.check)" disks
  run bz -q remove disk other
  run bz install disk "$machine" --from-disk "$machine"
  is 'two sources are bad usage' "$status" 2
  run bz install disk
  is 'none is, too' "$status" 2
}

if [ "$who" = root ] && make_machine && start_sshd; then
  for who in $users; do
    over_ssh
    if [ "$who" = root ]; then from_disk; fi
  done
  kill "$server"
  wait "$server" 2>/dev/null || :
  if [ -n "$made" ]; then rmdir /run/sshd; fi
elif [ "$who" = self ]; then
  skip 'a machine over ssh' 'its sshd needs root'
fi
finish
