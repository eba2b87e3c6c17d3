#!/bin/sh
# refresh: zones that run go on with a brandzone that was installed meanwhile, and do not notice.
# shellcheck disable=SC2317 # functions that `until_true` and `ok` call
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
begin
if [ -z "${BRANDZONE_TEST_FULL:-}" ]; then
  skip 'zones that go on with another program' 'set BRANDZONE_TEST_FULL=1'
  finish
fi
limit=60

stopped () {
  [ "$(bz show --json "$1" 2>/dev/null | field state)" = stopped ]
}

pid_of () {
  bz show --json z 2>/dev/null | field "$1"
}

at_prompt () {
  bz logs "$1" | awk '/brandzone: zone .* starts/ { asks = 0 } /login:/ { asks = 1 } END { exit !asks }'
}

# An installation of our own, whose programs are exchanged as a package manager does: by rename.
installation () {
  mkdir -p "$tmp/libexec"
  cp "$build"/brandzone-* "$tmp/libexec/"
  BRANDZONE_LIBEXECDIR=$tmp/libexec
}

# upgrade VERSION: as long as 0.1.0.
upgrade () {
  sed "s/0\.1\.0/$1/" <"$build/brandzone-keeper" >"$tmp/libexec/new"
  chmod 755 "$tmp/libexec/new"
  mv "$tmp/libexec/new" "$tmp/libexec/brandzone-keeper"
}

# Translated calls all the while, of programs of both ABIs; refreshed as often as it goes.
under_load () {
  installation
  in_background bz -q run --brand linux-2.6 -v "$guests:/guest:ro" z -- sleep 1000
  owner=$job
  until_true 20 running z
  release=$(bz plan --json --brand linux-2.6 z | field release)
  for abi in i386 x86_64; do
    [ -x "$guests/loop-$abi" ] || continue
    bz exec z -- "/guest/loop-$abi" 10 "$release" 1 >"$tmp/loop-$abi.out" 2>"$tmp/loop-$abi.err" </dev/null &
    echo $! >"$tmp/loop-$abi.pid"
  done
  until_true 10 grep -q started "$tmp/loop-x86_64.out" || :
  keeper=$(pid_of keeper_pid)
  init=$(pid_of init_pid)
  refreshed=0
  failed=0
  while kill -0 "$(cat "$tmp/loop-x86_64.pid")" 2>/dev/null; do
    upgrade "0.2.$((refreshed % 10))"
    supervisor=$(pid_of supervisor_pid)
    if bz -q refresh z 2>"$tmp/refresh" && [ "$(pid_of supervisor_pid)" != "$supervisor" ] &&
      [ "$(pid_of version)" = "0.2.$((refreshed % 10))" ]; then
      refreshed=$((refreshed + 1))
    else
      failed=$((failed + 1))
      diag "$(cat "$tmp/refresh")"
    fi
  done
  diag "refreshed $refreshed times"
  ok 'it was refreshed meanwhile' test $refreshed -ge 2
  is 'each time' $failed 0
  for abi in i386 x86_64; do
    [ -x "$guests/loop-$abi" ] || continue
    status=0
    wait "$(cat "$tmp/loop-$abi.pid")" || status=$?
    out=$(cat "$tmp/loop-$abi.out")
    err=$(cat "$tmp/loop-$abi.err")
    is "no task hangs, none gets a wrong answer ($abi)" "$status" 0
    take_tap loop
  done
  is 'the keeper is the same process' "$(pid_of keeper_pid)" "$keeper"
  is 'so is the first of the zone' "$(pid_of init_pid)" "$init"
  ok 'who waits for it still does' kill -0 "$owner"
  run bz exec z -- uname -r
  is 'a new program gets the right answer, too' "$out" "$release"
  run bz stop --time 0 z
  is 'stop' "$status" 0
  wait "$owner" || :
}

tells () {
  # shellcheck disable=SC2016 # the zone's
  in_background bz -q run --brand linux-2.6 z -- sh -c 'while [ ! -e /go ]; do sleep 0.1; done; exit 37'
  owner=$job
  until_true 20 running z
  is 'what is installed runs' "$(pid_of current)" true
  upgrade 0.3.0
  is 'show tells when it does not' "$(pid_of current)" false
  run bz show z
  like 'and what to do' "$out" 'Kept by: .*not the one that is installed \(brandzone refresh'
  run bz refresh --all
  is 'refresh --all' "$status" 0
  like 'says by what it is kept' "$err" 'zone z is kept by brandzone 0\.3\.0'
  is 'so does show' "$(pid_of version) $(pid_of current)" '0.3.0 true'
  run bz exec z -- touch /go
  status=0
  wait "$owner" || status=$?
  is 'who has waited meanwhile gets the exit status' "$status" 37
  run bz refresh z
  is 'a zone that does not run' "$status" 4
  run bz refresh
  is 'no zone' "$status" 2
}

# A terminal that nobody watches keeps its text, and its command.
terminals () {
  script 'expect # ' 'send sleep 1; echo while-$((40 + 2))-away; cat\r' 'wait 0.2' 'send \r~.' 'expect detached'
  run terminal "$script" -- "$brandzone" --root "$tmp/$who/state" run -it -e 'PS1=# ' z -- sh
  is 'detached' "$status" 0
  sleep 1.5
  run bz refresh z
  is 'refreshed while nobody watches' "$status" 0
  script 'expect while-42-away' 'send still\r' 'expect still' 'expect still' 'send \x03' 'expect # ' 'send exit 37\r'
  run terminal "$script" -- "$brandzone" --root "$tmp/$who/state" console z
  is 'back, with what was said meanwhile' "$status" 37
}

boots () {
  zone a alpine-x86 || return 0
  run bz start a
  ok 'a zone that boots' until_true 30 at_prompt a
  in_background bz logs -f a
  follower=$job
  until_true 5 test -s "$tmp/job.out"
  run bz refresh a
  is 'is refreshed' "$status" 0
  run bz exec a -- sh -c 'echo said-afterwards >/dev/console'
  ok 'its console goes on for who follows' until_true 10 grep -q said-afterwards "$tmp/job.out"
  like 'and in the log' "$(bz logs a)" said-afterwards
  run bz exec a -- reboot
  ok 'a reboot inside starts it again' until_true 30 at_prompt_again
  run bz stop a
  is 'and stop has its init halt it' "$status" 0
  like 'by itself' "$(bz logs a | tail -n 1)" 'zone a halted'
  wait "$follower"
  is 'which ends who follows' $? 0
}

at_prompt_again () {
  [ "$(bz logs a | grep -c 'zone a starts')" = 2 ] && at_prompt a
}

# What cannot go on is refused, and nothing has happened.
refused () {
  in_background bz -q run --brand linux-2.6 z -- sleep 1000
  until_true 20 running z
  supervisor=$(pid_of supervisor_pid)
  for bad in /bin/true "$src/configure.ac" "$brandzone"; do
    cp "$bad" "$tmp/libexec/new"
    mv "$tmp/libexec/new" "$tmp/libexec/brandzone-keeper"
    run bz refresh z
    is "$(basename "$bad") instead of the program" "$status" 1
    like 'is refused' "$err" 'does not start, or is no'
  done
  upgrade 0.4.0
  run bz exec z -- uname -r
  is 'the zone runs on' "$status" 0
  is 'by the supervisor that it had' "$(pid_of supervisor_pid)" "$supervisor"
  run bz refresh z
  is 'and a right one is taken' "$status" 0
  run bz stop --time 0 z
  wait "$job" || :
}

# SIGKILL to any part in the middle of it.
kill_of () {
  for found in /proc/[0-9]*; do
    if [ "$(cat "$found/comm" 2>/dev/null)" = "$1" ]; then kill -9 "${found#/proc/}" 2>/dev/null; fi
  done
}

recovers () {
  bz start a 2>/dev/null
  running a && bz exec a -- true && bz refresh a 2>/dev/null && bz exec a -- true
}

killed () {
  [ -n "${BZ_E2E_INSIDE:-}" ] || return 0 # it kills by name, in a pid namespace of its own
  for part in brandzone bz-keeper bz-supervisor; do
    for delay in 0 0.003 0.006 0.01 0.015 0.02 0.03 0.05; do
      bz start a 2>/dev/null
      in_background bz refresh a
      sleep $delay
      kill_of $part
      wait "$job" || :
      ok "$part killed $delay s after the refresh began" until_true 10 recovers
    done
  done
  bz stop -t 0 a 2>/dev/null
  bz remove a
}

for user in $users; do
  as "$user"
  if [ "$user" = user ] && ! plain_users_work; then
    skip 'zones of a plain user' 'newuidmap, setpriv or user namespaces are missing'
    continue
  fi
  zone z alpine-x86 || continue
  under_load
  tells
  terminals
  boots
  refused
  killed
done
finish
