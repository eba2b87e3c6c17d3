#!/bin/sh
# Zones that come up with the host: Autostart=, start --autostart, stop --all, and start --wait as a service
# manager uses it.
# shellcheck disable=SC2317 # functions that `until_true` and `ok` call
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
begin
limit=60

stopped () {
  [ "$(bz show --json "$1" 2>/dev/null | field state)" = stopped ]
}

at_prompt () {
  bz logs "$1" | awk '/brandzone: zone .* starts/ { asks = 0 } /login:/ { asks = 1 } END { exit !asks }'
}

autostart () {
  for name in a b c d; do
    zone $name alpine-x86 || return 0
  done
  bz config set a Boot.Autostart=yes
  bz config set b Boot.Autostart=yes
  bz config set c Boot.Autostart=yes
  bz -q run b -- /bin/mv /sbin /sbin.away
  run bz start --autostart
  is 'a zone that does not start is told' "$status" 1
  like 'by its name' "$err" 'zone b: the zone has no init'
  ok 'the one before it runs' running a
  ok 'and the one after it' running c
  ok 'one that does not ask for it does not' stopped d
  bz config unset b Boot.Autostart
  run bz start --autostart
  is 'what runs is no news' "$status $err" '0 '
  for name in a c; do until_true 20 at_prompt $name; done
  run bz stop --all
  is 'stop --all' "$status" 0
  ok 'ends one' stopped a
  ok 'and the other' stopped c
  like 'by their own shutdown' "$(bz logs c | tail -n 1)" 'zone c halted'
  run bz stop --all
  is 'and is content with nothing' "$status" 0
  run bz start
  is 'start without a zone' "$status" 2
  run bz start --autostart a
  is 'start --autostart with one' "$status" 2
  run bz stop
  is 'stop without a zone' "$status" 2
  run bz stop --all a
  is 'stop --all with one' "$status" 2
}

# What a service manager hears: python is the manager.
waits () {
  zone a alpine-x86 || return 0
  in_background python3 -c '
import os, socket, subprocess, sys, signal
path = sys.argv[1]
heard = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
heard.bind(path)
os.chmod(path, 0o777)
zone = subprocess.Popen(sys.argv[2:], env=dict(os.environ, NOTIFY_SOCKET=path), stdout=subprocess.DEVNULL)
heard.settimeout(20)
print(heard.recv(4096).decode().replace("\n", " "), flush=True)
signal.signal(signal.SIGTERM, lambda *_: zone.terminate())
print("ended", zone.wait(), flush=True)
' "$tmp/notify" sh -c 'exec "$@"' sh "$brandzone" --root "$tmp/$who/state" start --wait a
  ok 'start --wait tells the service manager that the zone runs' until_true 20 grep -sq '^READY=1 STATUS=zone a runs' "$tmp/job.out"
  ok 'it runs' running a
  until_true 20 at_prompt a
  kill "$job"
  wait "$job"
  like 'when it is told to end it ends the zone' "$(cat "$tmp/job.out")" '^ended 0$'
  ok 'the zone is stopped' stopped a
  like 'by its own shutdown' "$(bz logs a | tail -n 1)" 'zone a halted'
  rm -f "$tmp/notify"
  in_background bz start --wait a
  ok 'again' until_true 20 running a
  until_true 20 at_prompt a
  run bz exec a -- poweroff
  wait "$job"
  is 'when the zone halts it ends' $? 0
  like 'it has shown the console' "$(cat "$tmp/job.out")" 'login:'
  in_background bz start --wait a
  ok 'once more' until_true 20 running a
  kill -9 "$(bz show --json a | field keeper_pid)"
  status=0
  wait "$job" || status=$?
  is 'when the keeper is killed it fails' "$status" 1
  like 'and says so' "$(cat "$tmp/job.err")" 'zone a: its keeper died'
  run bz start a
  is 'the next start works' "$status" 0
  bz stop -t 0 a
}

for user in $users; do
  as "$user"
  if [ "$user" = user ] && ! plain_users_work; then
    skip 'zones of a plain user' 'newuidmap, setpriv or user namespaces are missing'
    continue
  fi
  autostart
  [ "$who" = user ] || waits
done
finish
