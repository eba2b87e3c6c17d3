#!/bin/sh
# systemd as a zone's init: its own way (the unified hierarchy), and as a version that knows only cgroups
# of version 1 is served; and what people run in it: cron, syslog, sshd, sudo, all unedited.
# shellcheck disable=SC2317 # functions that `until_true` and `ok` call
# shellcheck source=services-lib.sh
. "$(dirname "$0")/services-lib.sh"

# --- bullseye's systemd 247 ---

zone_d () {
  zone d "$1" || return 1
  # With limits the unified hierarchy has controllers, which its init hands on.
  bz config set d Network.Mode=host Resources.Memory=800M Resources.Processes=2000
  people d
}

systemd () {
  run bz start d
  is 'start' "$status" 0
  is 'says nothing' "$out$err" ''
  ok 'a getty asks on the console' until_true 60 at_prompt d
  run bz exec d -- systemctl is-system-running --wait
  is 'the whole system runs' "$out" running || diag "$(bz exec d -- systemctl --failed --no-legend)"
  run bz exec d -- sh -c 'sed -n "s/^0:://p" /proc/1/cgroup; stat -f -c %T /sys/fs/cgroup; ps -o comm= -C agetty'
  is 'process 1 in its group of the unified hierarchy, one getty' "$(echo "$out" | tr '\n' ' ')" '/init.scope cgroup2fs agetty '
  run bz exec d -- sh -c 'cat /proc/self/cgroup; systemctl show -p ControlGroup --value ssh.service'
  like 'who joins has a group beside its own' "$out" '^0::/exec$'
  like 'sshd is in the group of its unit' "$out" '^/system.slice/ssh.service$'
  services d
}

console () {
  script 'expect login:' 'send root\r' 'expect #' 'send systemctl reboot\r' 'expect zone d starts' 'expect login:' \
    'send \r' 'expect login:' 'send ~.' 'expect detached'
  limit=60 run terminal "$script" -- "$brandzone" --root "$tmp/$who/state" console d
  is 'root logs in on the console and reboots the zone' "$status" 0
  run bz exec d -- sh -c 'systemctl is-system-running --wait; sed -n "s/^0:://p" /proc/1/cgroup'
  is 'it runs again' "$(echo "$out" | tr '\n' ' ')" 'running /init.scope '
}

ends () {
  begun=$(tenths)
  run bz stop d
  taken=$(($(tenths) - begun))
  is 'stop' "$status" 0
  diag "stop took $taken tenths of a second"
  ok 'in less than ten seconds' test $taken -lt 100
  like 'by its own shutdown' "$(bz logs d)" 'Reached target.*Power-Off'
  like 'to the end' "$(bz logs d | tail -n 1)" 'zone d halted'
}

hierarchies () {
  [ "$(grep -c name=systemd /proc/self/cgroup)" = "$1" ]
}

# The named hierarchy, as systemd before 229 needs it.
version_1 () {
  was=$(grep -c name=systemd /proc/self/cgroup)
  run bz start d -- systemd.unified_cgroup_hierarchy=0
  is 'start with cgroups of version 1' "$status" 0
  ok 'a getty asks' until_true 60 at_prompt d
  run bz exec d -- systemctl is-system-running --wait
  is 'the whole system runs' "$out" running || diag "$(bz exec d -- systemctl --failed --no-legend)"
  run bz exec d -- sh -c 'sed -n "s/^[0-9]*:name=systemd://p" /proc/1/cgroup; cat /sys/fs/cgroup/systemd/system.slice/ssh.service/tasks | wc -l; stat -f -c %T /sys/fs/cgroup/systemd'
  is 'process 1 and sshd are in their groups of the named hierarchy' "$(echo "$out" | tr '\n' ' ')" '/init.scope 1 cgroupfs '
  run bz exec d -- systemctl restart cron
  is 'a unit is started again' "$status" 0
  keeper=$(bz show --json d | field keeper_pid)
  case $1 in
    kill)
      kill -9 "$keeper"
      ok 'its keeper is killed' until_true 5 stopped d
      run bz start d -- systemd.unified_cgroup_hierarchy=0
      is 'the next start works' "$status" 0
      ok 'to its prompt' until_true 60 at_prompt d
      ;;
  esac
  run bz stop -t 60 d
  is 'stop' "$status" 0
  like 'by its own shutdown' "$(bz logs d | tail -n 1)" 'zone d halted'
  ok 'soon the host has as many hierarchies as before' until_true 10 hierarchies "$was"
}

# The same for i386.
i386 () {
  run bz remove d
  zone_d bullseye-systemd-i386 || return 0
  systemd
  ends
  version_1
}

# Without a group that is theirs plain users are told so; with one it works as for root.
plain_user () {
  zone d bullseye-systemd || return 0
  run bz start d
  is 'systemd without a cgroup of the user does not start' "$status" 7
  like 'which is told, with what to do' "$err" 'systemd-run --user --scope -p Delegate=yes'
  run bz start d -- systemd.unified_cgroup_hierarchy=0
  is 'nor with cgroups of version 1' "$status" 7
  like 'which only root can give' "$err" "the host's root can"
  unified=$(awk '{ for (i = 7; i < NF; i++) if ($i == "-" && $(i + 1) == "cgroup2") print $5 }' /proc/self/mountinfo | head -n 1)
  group=$unified/brandzone-test-$$
  if [ "$who" != user ] || [ -z "$unified" ] || ! mkdir "$group" 2>/dev/null; then
    skip 'systemd of a plain user with a group' 'there is no unified hierarchy to make one in'
    return 0
  fi
  chown -R "$user_uid" "$group"
  run delegated "$group" "$brandzone" --root "$tmp/$who/state" start d
  is 'in a group of the user it starts' "$status" 0
  ok 'to its prompt' until_true 60 at_prompt d
  run bz exec d -- systemctl is-system-running --wait
  like 'the system runs' "$out" '^(running|degraded)$'
  diag "$out: $(bz exec d -- systemctl --failed --no-legend --plain)"
  run bz stop -t 60 d
  is 'stop' "$status" 0
  like 'halts it' "$(bz logs d | tail -n 1)" 'zone d halted'
  rmdir "$group/brandzone" "$group" 2>/dev/null
  ok 'no group is left' test ! -d "$group"
}

# delegated GROUP COMMAND...: in that group of the unified hierarchy.
delegated () {
  group_of=$1
  shift
  (
    sh -c 'echo "$PPID" >"$1/cgroup.procs"' sh "$group_of"
    by "$@"
  )
}

for user in $users; do
  as "$user"
  if [ "$user" = user ] && ! plain_users_work; then
    skip 'zones of a plain user' 'newuidmap, setpriv or user namespaces are missing'
    continue
  fi
  case $user in
    root)
      if ! prepare; then
        skip 'systemd' 'ssh-keygen is missing (apt-get install openssh-client)'
        continue
      fi
      zone_d bullseye-systemd || continue
      systemd
      console
      ends
      version_1 "${BRANDZONE_TEST_FULL:+kill}"
      [ -z "${BRANDZONE_TEST_FULL:-}" ] || i386
      ;;
    *)
      if [ -n "${BRANDZONE_TEST_FULL:-}" ]; then
        plain_user
      else
        skip 'systemd of a plain user' 'set BRANDZONE_TEST_FULL=1'
      fi
      ;;
  esac
done
finish
