#!/bin/sh
# -t: a terminal of the zone; signals by its keys, its size, detaching.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
begin
command -v python3 >/dev/null || skip_all 'python3 is missing (it plays the terminal)'

# on_terminal OPTIONS...: brandzone on a terminal that follows $script.
on_terminal () {
  run terminal "$@"
}

keys () {
  script 'expect # ' 'send echo $((40 + 2)) $(tty)\r' 'expect 42 /dev/' 'expect # ' 'send exit 7\r'
  on_terminal "$script" -- "$brandzone" --root "$tmp/$who/state" run -it -e 'PS1=# ' z -- sh
  is '-it: a shell that answers, and its status' "$status" 7

  script 'expect # ' 'send sleep 1000\r' 'wait 0.5' 'send \x03' 'expect # ' 'send echo alive; exit 4\r' 'expect alive'
  on_terminal "$script" -- "$brandzone" --root "$tmp/$who/state" run -it -e 'PS1=# ' z -- sh
  is 'Ctrl-C ends the command, not the shell' "$status" 4

  script 'expect ready' 'send \x03'
  on_terminal "$script" -- "$brandzone" --root "$tmp/$who/state" run -it z -- \
    sh -c 'trap "exit 9" INT; echo ready; while :; do sleep 0.1; done'
  is 'Ctrl-C reaches the zone'"'"'s first process' "$status" 9

  script 'expect # ' 'send cat\r' 'wait 0.3' 'send typed\r' 'expect typed' 'expect typed' 'send \x04' 'expect # ' \
    'send \x04'
  on_terminal "$script" -- "$brandzone" --root "$tmp/$who/state" run -it -e 'PS1=# ' z -- sh
  is 'Ctrl-D is the end of input' "$status" 0

  script 'expect 31 101' 'resize 40 120' 'expect 40 120'
  on_terminal --rows 31 --columns 101 "$script" -- "$brandzone" --root "$tmp/$who/state" run -it z -- \
    sh -c 'stty size; for i in 1 2 3 4 5 6 7 8 9 10; do sleep 0.2; stty size; done'
  is 'the window has its size, and changes it' "$status" 0
}

# What login and getty do. S15 pretends for the host's nodes only.
owned () {
  script 'expect owner 1:0'
  on_terminal "$script" -- "$brandzone" --root "$tmp/$who/state" run --brand linux-2.6 -it z -- \
    sh -c 'chown 1:0 /dev/console && stat -c "owner %u:%g" /dev/console'
  is 'the console can be given to another user' "$status" 0
}

# Without -t, on a terminal: the interrupt key ends the command as it would end any.
no_terminal () {
  script 'expect ready' 'send \x03'
  on_terminal "$script" -- "$brandzone" --root "$tmp/$who/state" run z -- \
    sh -c 'trap "exit 9" INT; echo ready; while :; do sleep 0.1; done'
  is 'without -t Ctrl-C is passed on as a signal' "$status" 9
}

detaching () {
  script 'expect # ' 'send \r~.' 'wait 0.5'
  on_terminal "$script" -- "$brandzone" --root "$tmp/$who/state" run -it -e 'PS1=# ' z -- sh
  is '~. at the start of a line detaches' "$status" 0
  ok 'and the zone runs on' running z
  keeper=$(bz show --json z | field keeper_pid)
  # The master of the zone's own console is /dev/pts/ptmx.
  unlike 'and holds on to no terminal' "$(by ls -l "/proc/$keeper/fd" 2>&1)" '/dev/(pts/[0-9]|tty)'
  run bz exec z -- true
  is 'exec joins it' "$status" 0
  run bz stop --time 0 z
  is 'stop' "$status" 0

  script 'expect # ' 'close'
  on_terminal "$script" -- "$brandzone" --root "$tmp/$who/state" run -it -e 'PS1=# ' z -- sh
  run bz -q stop --time 0 z
  run bz show --json z
  is 'a lost terminal leaves a zone that can be stopped' "$(printf '%s' "$out" | field state)" stopped
}

joining () {
  in_background bz run z -- sleep 1000
  until_true 20 running z
  script 'expect # ' 'send echo $((40 + 2)); stty size\r' 'expect 42' 'expect 33 99' 'expect # ' 'send exit 6\r'
  on_terminal --rows 33 --columns 99 "$script" -- "$brandzone" --root "$tmp/$who/state" exec -it -e 'PS1=# ' z -- sh
  is 'exec -it' "$status" 6
  run bz stop --time 0 z
  wait "$job"
}

for who in $users; do
  if [ "$who" = user ] && ! plain_users_work; then
    skip 'terminals of a plain user' 'newuidmap, setpriv or unprivileged user namespaces are missing'
    continue
  fi
  zone z alpine-x86 || continue
  keys
  owned
  no_terminal
  detaching
  joining
  run bz -q remove z
done
finish
