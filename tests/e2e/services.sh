#!/bin/sh
# What people run in zones whose init is not systemd: cron, syslog, sshd and sudo of Debian bullseye under
# sysvinit and under OpenRC, sshd of CentOS 6.8 under upstart; all unedited.
# shellcheck disable=SC2317 # functions that others call
# shellcheck source=services-lib.sh
. "$(dirname "$0")/services-lib.sh"

sysvinit () {
  zone "$1" "$2" || return 0
  bz config set "$1" Network.Mode=host
  people "$1"
  run bz start "$1"
  is "$2 starts" "$status" 0
  is 'no line of it is edited' "$out$err" ''
  ok 'a getty asks' until_true 60 at_prompt "$1"
  run bz exec "$1" -- runlevel
  is 'in runlevel 2' "$out" 'N 2'
  services "$1"
  [ -z "${3:-}" ] || "$3"
  begun=$(tenths)
  run bz stop "$1"
  is 'stop' "$status" 0
  taken=$(($(tenths) - begun))
  diag "stop took $taken tenths of a second"
  ok 'in less than ten seconds' test $taken -lt 100
  like 'by its own scripts' "$(bz logs "$1" | tail -n 5)" 'Will now halt'
  like 'to the end' "$(bz logs "$1" | tail -n 1)" "zone $1 halted"
  run bz remove "$1"
}

# OpenRC in the place of sysvinit's own scripts.
openrc () {
  zone r bullseye-openrc || return 0
  run bz run r -- sh -c 'test -x /sbin/openrc && grep -q openrc /etc/init.d/rc'
  is 'r: its runlevels are those of OpenRC' "$status" 0
  sysvinit r bullseye-openrc openrc_services
}

openrc_services () {
  run bz exec r -- rc-status --nocolor default
  like 'OpenRC has started its services' "$out" 'ssh .*started'
  like 'and cron' "$out" 'cron .*started'
  run bz exec r -- rc-service cron restart
  is 'it starts one again' "$status" 0
}

# What its archive, kept by git, has lost is put back: empty directories, /etc/fstab, modes.
centos () {
  zone c centos-6.8 || return 0
  if [ -z "${BZ_OWN_NETWORK:-}" ]; then
    skip 'ssh to CentOS 6.8' 'ip is missing (apt-get install iproute2)'
    return 0
  fi
  tree=$(bz show --json c | field root)
  mkdir -p "$tmp/key.d" "$tree/var/lock/subsys" "$tree/var/empty/sshd" "$tree/var/tmp" "$tree/home/anna/.ssh"
  chmod 711 "$tree/var/empty/sshd"
  : >"$tree/etc/fstab"
  echo NETWORKING=no >"$tree/etc/sysconfig/network"
  ssh-keygen -q -t rsa -m PEM -b 2048 -N '' -f "$tmp/key.d/rsa"
  cp "$tmp/key.d/rsa.pub" "$tree/home/anna/.ssh/authorized_keys"
  bz config set c Network.Mode=host
  run bz run c -- sh -c 'useradd -M anna && chown -R anna: /home/anna && chmod 700 /home/anna /home/anna/.ssh'
  is 'a user of c' "$status" 0
  run bz start c
  is 'CentOS 6.8 starts' "$status" 0
  ok 'its upstart brings up a getty' until_true 90 at_prompt c
  ok 'and sshd' until_true 60 answers_ssh c
  # What its openssh 5.3 knows is switched off in those of today.
  run ssh -F /dev/null -i "$tmp/key.d/rsa" -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null \
    -o KexAlgorithms=+diffie-hellman-group14-sha1 -o HostKeyAlgorithms=+ssh-rsa -o PubkeyAcceptedAlgorithms=+ssh-rsa \
    -o ConnectTimeout=10 -o LogLevel=ERROR -o BatchMode=yes anna@127.0.0.1 'id -un; uname -r; cat /proc/self/loginuid; echo'
  like 'a login by ssh from outside' "$out" '^anna$'
  like 'to a kernel of its time' "$out" '^2\.6\.32'
  unlike 'which the audit knows' "$out" 4294967295
  limit=60 run bz stop -t 40 c
  like 'and it halts' "$(bz logs c | tail -n 1)" 'zone c halted'
}

# The shared tree of Slackware 4.0 has neither inetd nor syslogd.
slackware () {
  zone s slackware-4.0 || return 0
  run bz run s -- /bin/sh -c "echo 'anna:x:1234:100:Anna:/home/anna:/bin/sh' >>/etc/passwd
    mkdir -p /home/anna && chown 1234:100 /home/anna
    echo '* * * * * id -un >/home/anna/cron-was-here' >/tmp/job && crontab /tmp/job -u anna"
  is 'a user of s with a job for cron' "$status" 0
  run bz start s
  is 'Slackware 4.0 starts' "$status" 0
  ok 'a getty asks' until_true 60 at_prompt s
  ok 'its crond runs the job within a minute' until_true 90 holds s /home/anna/cron-was-here '^anna$'
  limit=60 run bz stop -t 40 s
  like 'and it halts' "$(bz logs s | tail -n 1)" 'zone s halted'
}

as "${users%% *}"
if [ "$who" != root ]; then
  skip 'services' 'they are tested in zones of root'
elif [ -z "${BRANDZONE_TEST_FULL:-}" ]; then
  skip 'services under sysvinit and upstart' 'set BRANDZONE_TEST_FULL=1'
elif prepare; then
  sysvinit v bullseye-sysvinit
  sysvinit i bullseye-sysvinit-i386
  openrc
  centos
  slackware
else
  skip 'services' 'ssh-keygen is missing (apt-get install openssh-client)'
fi
finish
