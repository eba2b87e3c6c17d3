#!/bin/sh
# What becomes of a zone whose supervisor or keeper dies, whose tasks die or are
# signalled in the middle of a translated call, and one of whose calls never ends.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
begin
first_user_only

brand=linux-2.6

start () {
  in_background bz -q run --brand $brand -v "$guests:/guest:ro" z -- sleep 1000
  until_true 20 running z
}

stop () {
  run bz stop --time 0 z
  wait "$job" 2>/dev/null || :
}

pid_of () {
  bz show --json z 2>/dev/null | field "$1"
}

# The count of a call so far.
counted () {
  bz trace --stats --json z | python3 -c '
import json, sys
calls = json.load(sys.stdin)["calls"]
print(sum(call["count"] for call in calls if call["name"] == sys.argv[1]))' "$1"
}

storms () {
  start
  for abi in i386 x86_64; do
    if [ ! -x "$guests/storm-$abi" ]; then
      skip "signals and deaths in translated calls ($abi)" 'the compiler cannot build i386 guests'
      continue
    fi
    before=$(counted uname)
    limit=60 run bz exec z -- "/guest/storm-$abi" 2000
    take_tap "signals and deaths"
  done
  # Alone, without the children that are killed: as many calls were answered as were made.
  before=$(counted uname)
  run bz exec z -- "/guest/storm-x86_64" 20000 signals
  made=$(printf '%s\n' "$out" | sed -n 's/^storm: calls \([0-9]*\) .*/\1/p')
  take_tap 'signals'
  answered=$(($(counted uname) - before))
  if masked wait-killable; then
    ok 'under signals no call is lost' test "$answered" -ge "${made:-none}"
    diag "for $made calls: $answered answers"
  else
    is 'under signals no call is carried out twice' "$answered" "${made:-none}"
  fi
  stop
}

# SIGKILL to the supervisor, again and again, while tasks of the zone do nothing but translated calls.
# kills ROUNDS SECONDS LEAST: at most for that time.
kills () {
  rounds=$1
  start
  bz exec z -- rm -f /tmp/end
  release=$(bz plan --json --brand $brand z | field release)
  seconds=$2
  for abi in i386 x86_64; do
    [ -x "$guests/loop-$abi" ] || continue
    bz exec z -- "/guest/loop-$abi" "$seconds" "$release" 1 /tmp/end >"$tmp/loop-$abi.out" 2>"$tmp/loop-$abi.err" </dev/null &
    echo $! >"$tmp/loop-$abi.pid"
  done
  until_true 10 grep -q started "$tmp/loop-x86_64.out" || :
  pid=$(pid_of supervisor_pid)
  keeper=$(pid_of keeper_pid)
  begun=$(date +%s)
  killed=$(python3 - "$keeper" "$pid" "$rounds" "$seconds" <<'END'
import os, signal, sys, time

# The supervisors are the keeper's children of this name: a look at /proc is much quicker than a command.
keeper, first, rounds, seconds = (int(word) for word in sys.argv[1:])
end = time.monotonic() + seconds - 1
name = open(f"/proc/{first}/comm").read()

def supervisors():
    try:
        children = open(f"/proc/{keeper}/task/{keeper}/children").read().split()
    except OSError:
        return []
    found = []
    for child in children:
        try:
            status = open(f"/proc/{child}/stat").read()
            if open(f"/proc/{child}/comm").read() == name and status.rsplit(")", 1)[1].split()[0] != "Z":
                found.append(int(child))
        except OSError:
            pass
    return found

killed = 0
while killed < rounds and time.monotonic() < end:
    for pid in supervisors():
        os.kill(pid, signal.SIGKILL)
        killed += 1
    time.sleep(0.001 * (1 + killed * 7 % 20))
print(killed)
END
)
  diag "the supervisor was killed $killed times in $(($(date +%s) - begun)) seconds"
  ok "it was killed often" test "$killed" -ge "$3"
  bz exec z -- touch /tmp/end
  for abi in i386 x86_64; do
    [ -x "$guests/loop-$abi" ] || continue
    waiting=$(cat "$tmp/loop-$abi.pid")
    status=0
    if until_true $((seconds + 20)) sh -c "! kill -0 $waiting 2>/dev/null"; then
      wait "$waiting" || status=$?
    else
      status=hangs
      kill -9 "$waiting"
    fi
    out=$(cat "$tmp/loop-$abi.out")
    err=$(cat "$tmp/loop-$abi.err")
    is "no task hangs, none gets a wrong answer ($abi)" "$status" 0
    take_tap "loop"
  done
  run bz exec z -- uname -r
  is 'then uname is answered as before' "$out" "$release"
  run bz trace --stats --json z
  successions=$(printf '%s' "$out" | field successions)
  ok 'trace tells of the successions' test "${successions:-0}" -gt 0
  stop
}

# A first process that stands still takes no messages: signals without end fill its socket, and the
# keeper must neither wait for room there nor leave others without an answer.
still_init () {
  start
  init=$(pid_of init_pid)
  kill -STOP "$init"
  python3 - "$job" <<'END'
import os, signal, sys, time

def client(pid):
    if open(f"/proc/{pid}/comm").read().strip() == "brandzone":
        return pid
    for child in open(f"/proc/{pid}/task/{pid}/children").read().split():
        if found := client(int(child)):
            return found

pid = client(int(sys.argv[1]))
for turn in range(3000):
    os.kill(pid, (signal.SIGUSR1, signal.SIGUSR2)[turn % 2])
    time.sleep(0.0005)
END
  limit=10 run bz show --json z
  is 'a zone whose init stands still under signals is shown' "$(printf '%s' "$out" | field state)" running
  limit=10 run bz exec z -- true
  is 'and can be joined' "$status" 0
  kill -CONT "$init"
  stop
}

# The keeper's log lies in memory, and a zone can have lines written to it.
long_log () {
  start
  log=$(find "$tmp/$who" -path '*/z/log' -type f | head -n 1)
  dd if=/dev/zero bs=1024 count=3000 2>/dev/null | tr '\0' 'x' >>"${log:-/none}"
  run bz exec z -- mount -t ext4 /etc/passwd /mnt
  size=$(stat -c %s "$log")
  diag "the log has ${size:-no} bytes"
  ok 'a long log starts anew' test "${size:-9999999}" -lt 1000
  ok 'with what is to be told' grep -q B12 "$log"
  stop
}

# More clients than the keeper may have descriptors: it does not turn in circles, and serves again when they
# have gone.
many_clients () {
  # shellcheck disable=SC3045 # dash and bash know it
  descriptors=$(ulimit -n)
  # shellcheck disable=SC3045
  ulimit -S -n 64
  start
  # shellcheck disable=SC3045
  ulimit -S -n "$descriptors"
  used=$(python3 - "$(pid_of keeper_pid)" "$(find "$tmp/$who" -path '*/z/*' -type s | head -n 1)" <<'END'
import os, socket, sys, time

def ticks():
    words = open(f"/proc/{sys.argv[1]}/stat").read().rsplit(")", 1)[1].split()
    return int(words[11]) + int(words[12])

def client():
    made = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    made.setblocking(False)
    try:
        made.connect(sys.argv[2])
    except BlockingIOError:
        pass
    return made

clients = [client() for _ in range(80)]
time.sleep(0.5)
before = ticks()
time.sleep(1)
print((ticks() - before) * 100 // os.sysconf("SC_CLK_TCK"))
END
)
  ok 'a keeper with too many clients rests' test "${used:-100}" -lt 20
  diag "it used ${used:-?} % of a processor"
  run bz exec z -- true
  is 'and serves others when they have gone' "$status" 0
  stop
}

# The end of the keeper is the end of the zone: clearly, and the next command finds it stopped.
keeper_dies () {
  start
  keeper=$(pid_of keeper_pid)
  init=$(pid_of init_pid)
  kill -9 "$keeper"
  status=0
  if until_true 20 sh -c "! kill -0 $job 2>/dev/null"; then wait "$job" || status=$?; else status=hangs; fi
  out=
  err=$(cat "$tmp/job.err")
  is 'the keeper is killed: run ends, as brandzone'"'"'s failure' "$status" 125
  like 'and says why' "$err" '(keeper|zone)'
  ok 'no task of the zone is left' until_true 10 sh -c "! kill -0 ${init:-1} 2>/dev/null || grep -q '^State:.Z' /proc/${init:-1}/status"
  run bz show --json z
  is 'the zone is stopped' "$(printf '%s' "$out" | field state)" stopped
  run bz -q run z -- sh -c 'exit 12'
  is 'and runs again' "$status" 12
}

# A file system of the zone that never answers. In this mount namespace everybody may open the host's /dev/fuse, which
# is the one that a plain user's zone gets.
hanging_file () {
  if [ "$who" = root ] && mknod -m 666 "$tmp/fuse" c 10 229 2>/dev/null && [ -c /dev/fuse ]; then
    mount --bind "$tmp/fuse" /dev/fuse
  fi
  if ! (: <>/dev/fuse) 2>/dev/null; then
    skip 'a file of the zone that never answers' 'the host has no FUSE'
    return
  fi
  start
  release=$(bz plan --json --brand $brand z | field release)
  for abi in i386 x86_64; do
    if [ ! -x "$guests/fuse-$abi" ]; then continue; fi
    limit=40 run bz exec z -- "/guest/fuse-$abi" "$release"
    take_tap 'hanging file'
  done
  run bz exec z -- uname -r
  is 'the zone is well afterwards' "$out" "$release"
  stop
  if [ "$who" = user ]; then umount /dev/fuse; fi
}

for who in $users; do
  if [ "$who" = user ] && ! plain_users_work; then
    skip 'the zone of a plain user' 'newuidmap, setpriv or unprivileged user namespaces are missing'
    continue
  fi
  zone z alpine-x86 || continue
  storms
  # How many there are in that time depends on the machine.
  if [ -n "${BRANDZONE_TEST_FULL:-}" ]; then kills 1000 60 1000; else kills 200 8 50; fi
  still_init
  long_log
  many_clients
  keeper_dies
  hanging_file
  run bz -q remove z
done
finish
