#!/bin/sh
# What people run in zones whose init is not systemd: cron, syslog, sshd and sudo of Debian bullseye under
# sysvinit and under OpenRC and of CirrOS under BusyBox's init, sshd of CentOS 6.8 under upstart (its shared tree has
# neither crond nor rsyslogd nor sudo), crond and inetd of Slackware 4.0; all unedited.
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

# talk PORT...: see talk.py.
talk () {
  python3 "$src/tests/e2e/talk.py" "$@" 2>&1
}

answers () {
  talk "$1" "$2" | grep -Eq -- "$3"
}

# RFC 868: the seconds since 1900.
tells_time () {
  said=$(talk 37 hex)
  [ ${#said} = 8 ] || return 1
  off=$((0x$said - 2208988800 - $(date +%s)))
  [ "$off" -ge -2 ] && [ "$off" -le 2 ]
}

# inetd.conf and the rest of etc-incoming are put in place as the package's own script does. A syslogd is in none of the
# series' packages that the shared tree has.
slackware () {
  zone s slackware-4.0 || return 0
  bz config set s Network.Mode=host
  run bz run s -- /bin/sh -c "echo 'anna::1234:100:Anna:/home/anna:/bin/sh' >>/etc/passwd
    mkdir -p /home/anna && chown 1234:100 /home/anna
    echo '* * * * * id -un >/home/anna/cron-was-here' >/tmp/job && crontab /tmp/job -u anna
    cd /etc-incoming && for file in * */*; do [ -d \$file ] || [ -r ../etc/\$file ] || cp -a \$file ../etc/\$file; done"
  is 'a user of s with a job for cron, and a network' "$status" 0
  run bz start s
  is 'Slackware 4.0 starts' "$status" 0
  ok 'a getty asks' until_true 60 at_prompt s
  if [ -z "${BZ_OWN_NETWORK:-}" ]; then
    skip 'inetd of s' 'ip is missing (apt-get install iproute2)'
  else
    ok 'its rc.inet2 has started inetd, which tells the time' until_true 20 tells_time
    ok 'and starts fingerd, by tcpd' until_true 20 answers 79 anna '^Login: anna .*Name: Anna'
    talk 23 telnet 'login: ' anna '$ ' 'id -un; uname -r; tty; exit' >"$tmp/telnet"
    like 'and telnetd: a user logs in from outside' "$(cat "$tmp/telnet")" '^anna$'
    like 'to a kernel of its time' "$(cat "$tmp/telnet")" '^2\.2\.6$'
  fi
  ok 'its crond runs the job within a minute' until_true 90 holds s /home/anna/cron-was-here '^anna$'
  limit=60 run bz stop -t 40 s
  like 'and it halts' "$(bz logs s | tail -n 1)" 'zone s halted'
}

# BusyBox's crond is there, but nothing starts it: that is the administrator's line in inittab.
cirros () {
  zone b cirros-x86_64 || return 0
  tree=$(bz show --json b | field root)
  bz config set b Network.Mode=host
  echo '::respawn:/usr/sbin/crond -f' >>"$tree/etc/inittab"
  echo '::respawn:/sbin/getty 38400 tty1' >>"$tree/etc/inittab"
  mkdir -p "$tree/var/spool/cron/crontabs" "$tree/home/cirros/.ssh"
  echo '* * * * * id -un >/home/cirros/cron-was-here' >"$tree/var/spool/cron/crontabs/cirros"
  ssh-keygen -q -t rsa -b 2048 -N '' -f "$tmp/key.cirros"
  cp "$tmp/key.cirros.pub" "$tree/home/cirros/.ssh/authorized_keys"
  run bz run b -- sh -c 'chown -R cirros: /home/cirros; chmod 700 /home/cirros /home/cirros/.ssh'
  is 'a user of b, with a key and a job for cron' "$status" 0
  run bz start b
  is 'CirrOS starts' "$status" 0
  ok 'a getty asks' until_true 90 at_prompt b
  run bz exec b -- logger 'a word for syslog'
  ok 'its syslogd has what logger says' until_true 10 holds b /var/log/messages 'a word for syslog'
  run bz exec -u cirros b -- sudo id -un
  is 'sudo by a user' "$out" root
  if [ -n "${BZ_OWN_NETWORK:-}" ]; then
    ok 'dropbear listens' until_true 20 listens_ssh
    run ssh -F /dev/null -i "$tmp/key.cirros" -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null \
      -o KexAlgorithms=+diffie-hellman-group14-sha1 -o HostKeyAlgorithms=+ssh-rsa -o PubkeyAcceptedAlgorithms=+ssh-rsa \
      -o ConnectTimeout=10 -o LogLevel=ERROR -o BatchMode=yes cirros@127.0.0.1 'id -un; sudo id -un'
    is 'a login by ssh from outside, and sudo in it' "$(printf '%s\n' "$out" | tr '\n' ' ')" 'cirros root '
  fi
  ok 'its crond runs the job within a minute' until_true 90 holds b /home/cirros/cron-was-here '^cirros$'
  limit=60 run bz stop -t 40 b
  like 'and it halts' "$(bz logs b | tail -n 1)" 'zone b halted'
}

tasks () {
  grep -lx "$1" /proc/[0-9]*/comm 2>/dev/null | cut -d/ -f3
}

network_is_left () {
  ip -o link show | grep -v ' lo: '
  nft list tables
  tasks dnsmasq
  tasks bz-keeper
}

# Whatever is killed while a zone with a network of its own starts, the next commands find their way, and nothing of it is left.
killed () {
  [ -n "${BZ_OWN_NETWORK:-}" ] && command -v nft >/dev/null || return 0
  for part in brandzone bz-keeper brandzone-netwo init; do
    for delay in 0.02 0.06 0.1 0.2; do
      zone n alpine-x86 || return 0
      bz config set n Network.Mode=private
      in_background bz start n
      sleep $delay
      for found in $(tasks $part); do kill -9 "$found" 2>/dev/null; done
      wait "$job" || :
      run bz remove --force n
      is "$part killed $delay s after the start began: it can be removed" "$status" 0
      ok 'and no interface, table or process is left' gone network_is_left
    done
  done
}

listens_ssh () {
  python3 -c 'import socket; socket.create_connection(("127.0.0.1", 22), 2)' 2>/dev/null
}

# Nothing that a network of a zone's own needs is left once it has stopped.
interfaces () {
  zone n alpine-x86 || return 0
  if [ -z "${BZ_OWN_NETWORK:-}" ] || ! command -v nft >/dev/null; then
    skip 'the interfaces of a zone that stops' 'ip or nft is missing (apt-get install iproute2 nftables)'
    return 0
  fi
  before=$(ip -o link show)
  bz config set n Network.Mode=private
  run bz start n
  is 'a zone with a network of its own starts' "$status" 0
  unlike 'it has interfaces on the host' "$(ip -o link show | diff - "$(echo "$before" >"$tmp/links"; echo "$tmp/links")" | wc -l)" '^0$'
  ok 'to its prompt' until_true 20 at_prompt n
  run bz stop n
  is 'stop' "$status" 0
  is 'leaves no interface' "$(ip -o link show)" "$before"
  is 'and no table of nftables' "$(nft list tables)" ''
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
  cirros
  slackware
  interfaces
  killed
else
  skip 'services' 'ssh-keygen is missing (apt-get install openssh-client)'
fi
finish
