#!/bin/sh
# What inits and start scripts mount, mount again and unmount neither uncovers the host nor breaks the zone.
# shellcheck disable=SC2317 # functions that `ok` and `until_true` call
# shellcheck disable=SC2016 # for the zone's shell
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
begin
first_user_only
limit=90

at_prompt () {
  bz logs "$1" | grep -q 'login:'
}

says () {
  bz logs "$1" | grep -Eq -- "$2"
}

# In the zone: what tells whether it is whole.
look='PATH=/sbin:/bin:/usr/sbin:/usr/bin; cd /; echo *; uname -r; cat /proc/sys/kernel/osrelease /proc/1/comm; test -c /dev/null && echo null'

# unharmed NAME SHELL: a zone at its prompt.
unharmed () {
  bz exec "$1" -- "$2" -c "$look" >"$tmp/before" 2>/dev/null
  run bz exec "$1" -- "$2" -c 'PATH=/sbin:/bin:/usr/sbin:/usr/bin; export PATH; cd /
    mount -n -o remount,ro /; mount -n -o remount,rw /; mount -n -o remount,rw /proc; mount -n -o remount /dev/pts; mount -n -o remount,rw /sys
    mount -n -t proc proc /proc; mount -n -t sysfs sys /sys; mount -n -t devpts devpts /dev/pts; mount -n -t tmpfs run /dev/shm
    mount -a; swapoff -a; umount -a; umount -a -t nonfs,noproc; umount -n /proc; umount -n /dev; umount -n /; true'
  run bz exec "$1" -- "$2" -c "$look"
  is "$1: remounts and umount -a leave it whole" "$out" "$(cat "$tmp/before")"
  run bz exec "$1" -- "$2" -c 'for file in "$0" /root/.ssh/authorized_keys; do test -e "$file" && echo "$file"; done; cat /proc/self/mounts' "$tmp"
  unlike "$1: and show nothing of the host" "$out" "$tmp|^/root"
  run bz exec "$1" -- "$2" -c 'echo still-here >/dev/console'
  ok "$1: its console is still there" until_true 10 says "$1" still-here
  run bz exec -t "$1" -- "$2" -c 'test -t 0 && echo terminal'
  like "$1: and who joins it gets a terminal" "$out" '^terminal'
  run bz stop -t 40 "$1"
  is "$1: it stops" "$status" 0
}

# zone_of NAME TREE SHELL
zone_of () {
  zone "$1" "$2" || return 0
  run bz start "$1"
  ok "$1: boots to its prompt" until_true 60 at_prompt "$1" || { bz -q stop -t 0 "$1"; return 0; }
  unharmed "$1" "$3"
  run bz -q remove --force "$1"
}

for who in $users; do
  if [ "$who" = user ] && ! plain_users_work; then
    skip 'zones of a plain user' 'newuidmap, setpriv or user namespaces are missing'
    continue
  fi
  zone_of busybox alpine-x86 /bin/sh
  if [ "$who" = root ]; then
    zone_of sysvinit slackware-4.0 /bin/bash
    if [ -n "${BRANDZONE_TEST_FULL:-}" ]; then
      zone_of upstart centos-6.8 /bin/bash
      zone_of old-busybox basiclinux /bin/sh
    fi
  fi
done
finish
