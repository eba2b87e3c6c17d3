# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154,SC2317 # variables and functions of lib.sh, and of the tests that read this
# For the tests of what people run in a zone that boots: cron, syslog, sshd and sudo, unedited.
#
#   . "$(dirname "$0")/services-lib.sh"     replaces lib.sh, and its begin
#
# Where there is ip(8) such a test runs in a network of its own, so that a sshd of a zone with Mode=host
# can have its port 22.
if [ "$(id -u)" -eq 0 ] && [ -z "${BZ_OWN_NETWORK:-}" ] && command -v ip >/dev/null; then
  exec 9</proc/self/ns/net
  export BZ_OWN_NETWORK=1 BZ_MACHINE_NETWORK=1
  exec unshare --net sh -c 'ip link set lo up && echo 0 >/proc/sys/net/ipv4/ip_unprivileged_port_start; exec sh "$0"' "$0"
fi
. "$(dirname "$0")/lib.sh"
begin
limit=240 # also under emulation

# at_prompt NAME: its last start came to a getty that asks.
at_prompt () {
  bz logs "$1" | awk '/brandzone: zone .* starts/ { asks = 0 } /login:/ { asks = 1 } END { exit !asks }'
}

stopped () {
  [ "$(bz show --json "$1" 2>/dev/null | field state)" = stopped ]
}

tenths () {
  awk '{ print int($1 * 10) }' /proc/uptime
}

# A zone with a user of its own, who has a key for ssh, may use sudo, and has a job for cron.
prepare () {
  [ ! -f "$tmp/key" ] || return 0
  ssh-keygen -q -t ed25519 -N '' -f "$tmp/key" || return 1
}

people () {
  run_in "$tmp/key.pub" bz run -i "$1" -- sh -c 'passwd -d root && useradd -m -s /bin/sh anna &&
    mkdir -p /home/anna/.ssh && cat >/home/anna/.ssh/authorized_keys &&
    chown -R anna: /home/anna && chmod 700 /home/anna/.ssh &&
    echo "anna ALL=(ALL) NOPASSWD: ALL" >/etc/sudoers.d/anna && chmod 440 /etc/sudoers.d/anna &&
    echo "@reboot id -un >/home/anna/cron-was-here" | crontab -u anna -'
  is "a user of $1, with a key, a job for cron and the right to sudo" "$status" 0
}

# ssh_in COMMAND: as anna, from outside.
ssh_in () {
  run ssh -F /dev/null -i "$tmp/key" -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null \
    -o ConnectTimeout=10 -o LogLevel=ERROR -o BatchMode=yes anna@127.0.0.1 "$1"
}

holds () {
  bz exec "$1" -- grep -Eq -- "$3" "$2" 2>/dev/null
}

answers_ssh () {
  bz exec "$1" -- bash -c 'exec 3<>/dev/tcp/127.0.0.1/22' 2>/dev/null
}

# What runs in it does its work.
services () {
  ok 'cron has run the job of a user' until_true 20 holds "$1" /home/anna/cron-was-here '^anna$'
  run bz exec "$1" -- logger -p daemon.warning 'a word for syslog'
  is 'logger' "$status" 0
  ok 'syslog has it' until_true 10 holds "$1" /var/log/syslog 'root: a word for syslog'
  if [ -z "${BZ_OWN_NETWORK:-}" ] || ! command -v ssh >/dev/null; then
    skip 'ssh from outside' 'ip or ssh is missing (apt-get install iproute2 openssh-client)'
    return 0
  fi
  ok 'sshd listens' until_true 20 answers_ssh "$1"
  ssh_in 'id -un; sudo id -un; cat /proc/self/loginuid; echo'
  is 'a login by ssh from outside, and sudo in it' "$(printf '%s\n' "$out" | head -n 2 | tr '\n' ' ')" 'anna root '
  is 'which the audit knows' "$(printf '%s\n' "$out" | sed -n 3p)" 1000
  ok 'and syslog' until_true 10 holds "$1" /var/log/auth.log 'Accepted publickey for anna'
}
