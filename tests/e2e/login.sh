#!/bin/sh
# `login --own`: the distribution's own login(1) asks, refuses, lets in and keeps its records.
# shellcheck disable=SC2317 # functions that `until_true` and `ok` call
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
begin
if [ -z "${BRANDZONE_TEST_FULL:-}" ]; then
  skip 'logins by the distributions'"'"' own login(1)' 'set BRANDZONE_TEST_FULL=1'
  finish
fi
limit=90

at_prompt () {
  bz logs "$1" | awk '/brandzone: zone .* starts/ { asks = 0 } /login:/ { asks = 1 } END { exit !asks }'
}

# A user whose password is Old.1999, in the way that each crypt(3) of the last thirty years knows.
anna () {
  # shellcheck disable=SC2016 # no variables
  case $2 in
    des) hash='abE7LbQD5V5AY' ;;
    md5) hash='$1$abcdefgh$mKpqf37d4PaQxR2kitZzD.' ;;
  esac
  run bz run "$1" -- /bin/sh -c "
    echo 'anna:x:1234:100:Anna:/home/anna:/bin/sh' >>/etc/passwd
    echo 'anna:$hash:10000:0:99999:7:::' >>/etc/shadow
    mkdir -p /home/anna && chown 1234:100 /home/anna; touch /var/run/utmp /var/log/wtmp"
  is "$1: a user with a password" "$status" 0
}

login () {
  run terminal "$script" -- "$brandzone" --root "$tmp/$who/state" login "$@"
}

# logs_in NAME: what all have in common.
logs_in () {
  script 'expect login:' 'send anna\r' 'expect assword' 'send wrong\r' 'expect ncorrect' 'expect login:' \
    'send anna\r' 'expect assword' 'send Old.1999\r' 'expect $' 'send PS1=READY\r' 'expect READY' \
    'send who | grep anna; id -un; tty; pwd\r' 'expect READY' 'expect READY' 'send exit 7\r'
  login --own "$1"
  like "$1: it asks for name and password, refuses, lets in" "$out" '^anna.?$'
  like "$1: at home" "$out" '^/home/anna'
  like "$1: with an entry in utmp" "$out" '^anna .*(pts/|ttyp)[0-9]+ '
  like "$1: on a terminal of the zone's" "$out" '^/dev/(pts/|ttyp)[0-9]+'
  unlike "$1: the password is not shown" "$out" 'Old.1999'
  is "$1: and its exit status is the shell's or its own" "$((status == 7 || status == 0))" 1
  script 'expect assword' 'send Old.1999\r' 'expect $' 'send PS1=READY\r' 'expect READY' \
    'send echo I am $(id -un)\r' 'expect I am anna' 'send exit\r'
  login --own -l anna "$1"
  is "$1: with a name it asks for the password alone" "$status" 0
}

# Root's terminals are listed, in a file that is the distribution's.
root_is_refused () {
  script 'expect login:' 'send root\r' 'expect assword' 'send Old.1999\r' 'expect ncorrect' 'send \x04' 'wait 0.5' 'close'
  login --own "$1"
  like "$1: root is refused where securetty does not list the terminal" "$out" ncorrect
}

boots () {
  run bz start "$1"
  is "$1 starts" "$status" 0
  ok "$1: to its prompt" until_true 90 at_prompt "$1"
}

# A login program of libc 5 knows no terminal but those in /dev: a getty of the zone's own asks there.
slackware () {
  zone s slackware-4.0 || return 0
  anna s des
  boots s
  script 'send \r' 'expect login:' 'send anna\r' 'expect assword' 'send wrong\r' 'expect ncorrect' 'expect login:' \
    'send anna\r' 'expect assword' 'send Old.1999\r' 'expect $' 'send PS1=READY\r' 'expect READY' \
    'send who | grep anna; id -un; tty; pwd\r' 'expect READY' 'expect READY' 'send exit\r' 'expect login:' \
    'send ~.' 'expect detached'
  run terminal "$script" -- "$brandzone" --root "$tmp/$who/state" console --terminal 2 s
  is 's: a second terminal has a getty of its own' "$status" 0
  like 's: it asks for name and password, refuses, lets in' "$out" '^anna.?$'
  like 's: at home' "$out" '^/home/anna'
  like 's: with an entry in utmp' "$out" '^anna .*tty2 '
  like 's: on a terminal of the zone' "$out" '^/dev/tty2'
  unlike 's: the console is another terminal' "$(bz logs s)" 'READY'
  script 'expect name' 'wait 0.3'
  login --own s
  like 's: what libc 5 does not know it says' "$out" 'Unable to determine your tty name'
  script 'expect #' 'send id -un; tty\r' 'expect root' 'send exit 37\r'
  login s
  is 's: login without --own asks nothing' "$status" 37
  run bz login --own s
  is 'without a terminal' "$status" 125
  like 'it says so' "$err" 'asks on a terminal'
  run bz login --own s -l -froot
  is 'an option is no name' "$status" 125
  run bz console --terminal 7 s
  is 'there are six terminals' "$status" 2
  bz stop -t 0 s
  bz remove s
}

centos () {
  zone c centos-6.8 || return 0
  anna c md5
  run bz run c -- sh -c 'chmod 4755 /bin/su; mkdir -p /var/lock/subsys; : >/etc/fstab'
  boots c
  logs_in c
  root_is_refused c
  bz stop -t 0 c
  bz remove c
}

bullseye () {
  zone b bullseye-sysvinit || return 0
  anna b md5
  boots b
  logs_in b
  bz stop -t 0 b
  bz remove b
}

for user in $users; do
  as "$user"
  if [ "$user" = user ] && ! plain_users_work; then
    skip 'logins of a plain user' 'newuidmap, setpriv or user namespaces are missing'
    continue
  fi
  slackware
  if [ "$user" = root ]; then
    centos
    bullseye
  fi
done
finish
