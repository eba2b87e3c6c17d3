#!/bin/sh
# A user's life on a terminal: editor, job control, pipelines, a paste, coming and going; today's musl, libc 5 and programs
# that were linked with glibc 2.0.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
begin
first_user_only
command -v python3 >/dev/null || skip_all 'python3 is missing (it plays the terminal)'
limit=60
way=run

on () {
  case $1 in run) bz -q stop --time 0 z 2>/dev/null ;; esac
  run terminal --rows 30 --columns 90 "$script" -- "$brandzone" --root "$tmp/$who/state" "$@"
}

# session SHELL: the script on a terminal of the kind that $way names; exec and login join a zone that runs. A login
# shell has a prompt of its own: the script's comes first.
session () {
  case $way in
    run) on run -it -e 'PS1=# ' -e TERM=vt100 z -- "$1" ;;
    exec) on exec -it -e 'PS1=# ' -e TERM=vt100 z -- "$1" ;;
    login)
      { printf '%s\n' 'expect # ' 'send PS1="# " TERM=vt100; export TERM; echo be""gin\r' 'expect begin'; cat "$script"; } >"$script.login"
      mv "$script.login" "$script"
      on login z
      ;;
  esac
}

editor () {
  script 'expect # ' 'send vi /tmp/note\r' 'expect 1/1 100%' 'send ihello\x1b' 'expect [Modified]' \
    'resize 41 99' 'expect [41;' 'send :wq\r' \
    'expect # ' 'send stty size; cat /tmp/note; exit 37\r' 'expect 41 99' 'expect hello'
  session sh
  is "$1 by $way: vi draws itself anew when the window changes, and writes its file" "$status" 37
}

# libc 5 has no editor in its tree: a pager knows the window, too.
pager () {
  script 'expect # ' 'send i=0; while [ $i -lt 99 ]; do i=`expr $i + 1`; echo line $i; done >/tmp/lines; less /tmp/lines\r' \
    'expect line 28' 'resize 41 99' 'expect line 39' 'send q' \
    'expect # ' 'send stty size; exit 37\r' 'expect 41 99'
  session bash
  is "$1 by $way: less draws itself anew when the window changes" "$status" 37
}

pico () {
  script 'expect # ' 'send pico /tmp/note\r' 'expect New File' 'send hello' 'expect hello' 'resize 41 99' \
    'expect [41;' 'expect hello' 'send \x18' 'expect Save' 'send y' 'expect note' 'send \r' 'expect # ' \
    'send read line </tmp/note; echo it says $line; exit 37\r' 'expect it says hello'
  on run -it -e 'PS1=# ' -e TERM=linux z -- bash -norc
  is "$1: pico draws itself anew when the window changes, and writes its file" "$status" 37
}

# jobs_of LABEL SHELL: Ctrl-C comes when all of the pipeline runs: one that comes before a child of libc 5's bash executes its
# program does not reach that program. So a line goes through; but not where cat is BusyBox's, which keeps it back.
jobs_of () {
  label=$1
  shell=$2
  case $label in
    libc5) set -- 'send echo go\"\"ing; cat | cat | cat\r' 'expect going' 'send three\r' 'expect three' 'expect three' ;;
    *) set -- 'send echo go\"\"ing >/tmp/running; cat | cat | tail -f /tmp/running\r' 'expect going' ;;
  esac
  script 'expect # ' 'send echo be\"\"gun; cat\r' 'expect begun' 'send one\r' 'expect one' 'expect one' 'send \x1a' 'expect topped' 'expect # ' 'send fg\r' \
    'expect cat' 'send two\r' 'expect two' 'expect two' 'send \x04' 'expect # ' \
    "$@" 'send \x03' 'expect # ' \
    'send echo $((40 + 2))\r' 'expect 42' 'send exit 37\r'
  session "$shell"
  is "$label by $way: Ctrl-Z and fg, Ctrl-C in a pipeline, exit status 37" "$status" 37
}

paste () {
  # Printable, without the tilde that detaches; 1 MiB.
  python3 -c 'import random; random.seed(1); print(end="".join(random.choices("".join(map(chr, range(33, 126))) + "\n", k=1 << 20)))' \
    >"$tmp/paste"
  script 'expect # ' 'send stty raw -echo; echo go\"\"ahead; head -c 1048576 >/tmp/pasted; stty sane; echo do\"\"ne\r' \
    'expect goahead' "paste $tmp/paste" 'expect done' 'expect # ' 'send cksum </tmp/pasted; exit 37\r' \
    "expect $(cksum <"$tmp/paste")"
  session "$2"
  is "$1 by $way: a megabyte pasted arrives byte for byte" "$status" 37
}

# What is left on a terminal waits for a word of ours, and then says its own; nobody is there to see that.
# shellcheck disable=SC2016 # for the zone's shell
wait_there='rm -f /tmp/go /tmp/said; mkfifo /tmp/go /tmp/said; echo go\"\"ing; read word </tmp/go'
# go_on: lets it, and is back when it has.
go_on () {
  run bz exec z -- sh -c 'echo on >/tmp/go; read word </tmp/said; echo $word'
  is "$1" "$status $out" '0 said'
}

# coming_back LABEL SHELL
coming_back () {
  script 'expect # ' 'send here=$((40 + 2))\r' 'expect # ' \
    "send $wait_there; echo mean\\\"\\\"while; echo said >/tmp/said\\r" 'expect going' 'send \r~.'
  on run -it -e 'PS1=# ' z -- "$2"
  is "$1: detached" "$status" 0
  like "$1: with a word on how to come back" "$out" 'console z'
  go_on "$1: it goes on while nobody is there"
  script 'expect meanwhile' 'send \r' 'expect # ' 'send echo back $here; stty size\r' 'expect back 42' 'expect 30 90' \
    'send exit 37\r'
  on console z
  is "$1: back at the same shell, with what it said meanwhile and its exit status" "$status" 37
  run bz show --json z
  is "$1: and the zone has ended" "$(printf '%s' "$out" | field state)" stopped
}

# A zone that says more than a terminal holds does not wait for a reader.
alone () {
  script 'expect # ' 'send \r~.'
  on run -it -e 'PS1=# ' z -- sh
  run bz exec z -- sh -c 'seq 1 100000 >/dev/pts/0; echo written'
  is 'what is written to a detached terminal is read' "$out" written
  run bz stop --time 0 z
}

# sessions_are NAME STATES: what the zone has; who holds one tells it a moment after the command that changed it.
sessions_are () {
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    states=$(bz show --json z | python3 -c 'import json, sys
print(" ".join("%d:%s" % (s["session"], s["state"]) for s in json.load(sys.stdin)["sessions"]))')
    [ "$states" != "$2" ] || break
    sleep 0.2
  done
  is "$1" "$states" "$2"
}

# sessions LABEL SHELL: what was begun by exec or login is left and come back to.
sessions () {
  script 'expect # ' 'send here=$((40 + 2))\r' 'expect # ' \
    "send $wait_there; echo mean\\\"\\\"while; echo said >/tmp/said\\r" 'expect going' 'send \r~.' 'expect --session 1 z'
  on exec -it -e 'PS1=# ' z -- "$2"
  is "$1: exec: detached, with a word on how to come back" "$status" 0
  sessions_are "$1: it is listed" 1:detached
  run bz list
  like "$1: list tells it" "$err" "session.* 1: $2 .pts/[0-9]+., detached"
  go_on "$1: it goes on while nobody is there"
  # Its terminal is lost, as when a window is closed or a line goes dead; then its client is killed.
  script 'expect # ' 'send PS1="# "; echo be""gin\r' 'expect begin' 'expect # ' 'send there=51; echo s""et\r' 'expect set' 'close'
  on login z
  sessions_are "$1: login: a lost terminal ends nothing" '1:detached 2:detached'
  script 'expect meanwhile' 'send \r' 'expect # ' 'send echo back $here; stty size\r' 'expect back 42' 'expect 30 90' \
    'resize 41 99' 'send until stty size | grep "41 99"; do :; done\r' 'expect 41 99' 'expect 41 99' 'send echo s""een\r' 'expect seen' 'kill'
  on console --session 1 z
  sessions_are "$1: a client that is killed ends nothing" '1:detached 2:detached'
  run bz refresh z
  is "$1: the zone goes on with another program" "$status" 0
  script 'send \r' 'expect # ' 'send echo still $here\r' 'expect still 42' 'send exit 37\r'
  on console --session 1 z
  is "$1: exec: back at the same shell, with what it said, its window and its exit status" "$status" 37
  script 'send \r' 'expect # ' 'send echo login $there\r' 'expect login 51' \
    "send $wait_there; echo said >/tmp/said; exit 36\\r" 'expect going' 'send \r~.' 'expect detached'
  on console --session 2 z
  is "$1: login: back, and left again" "$status" 0
  go_on "$1: its shell goes on"
  sessions_are "$1: what ends while nobody is there waits" 2:ended
  script
  on console --session 2 z
  is "$1: and tells its exit status" "$status" 36
  script 'expect ready' 'send \r~.' 'expect detached'
  on exec -it z -- sh -c 'trap "echo hup >/tmp/hup; exit" HUP; rm -f /tmp/hup; mkfifo /tmp/hup; echo ready; while :; do sleep 1; done'
  sessions_are "$1: one more, with the first number that is free" 1:detached
  run bz console --session 1 --hang-up z
  is "$1: it can be hung up" "$status" 0
  sessions_are "$1: and is gone" ''
  run bz exec z -- cat /tmp/hup
  is "$1: its shell was told as by a line that goes dead" "$out" hup
  script 'expect # ' 'send \r~.' 'expect hung up'
  on exec -it --hang-up -e 'PS1=# ' z -- "$2"
  is "$1: exec --hang-up: left with a word on what became of it" "$status" 0
  sessions_are "$1: it is no session" ''
  run bz console --session 7 z
  is "$1: no such session" "$status" 4
  like "$1: says where they are told" "$err" 'show, Sessions'
}

# many: no more than there is room for; those that have ended make room.
many () {
  script 'expect ready' 'send \r~.' 'expect goes on'
  words='echo ready; exec sleep 1000'
  for number in $(seq 1 34); do
    if [ "$number" = 1 ]; then words='echo ready; sleep 1; exit 9'; else words='echo ready; exec sleep 1000'; fi
    on exec -it z -- sh -c "$words"
    if [ "$status" != 0 ]; then break; fi
    if [ "$number" = 1 ]; then sessions_are 'the first ends' 1:ended; fi
  done
  is 'as many can be left as there is room for, and one in the place of what has ended' "$number $status" '34 0'
  like 'the next is hung up, and says so' "$out" 'was hung up'
  is 'so many are listed' "$(bz list --json | field zones.0.sessions | grep -o '"detached"' | wc -l)" 32
}

# joining LABEL SHELL: the same again in a zone that runs, by exec and by login.
joining () {
  in_background bz run z -- sleep 1000
  until_true 20 running z
  for way in exec login; do
    case $1 in
      musl) editor "$1" ;;
      libc5) pager "$1" ;;
    esac
    jobs_of "$1" "$2"
    paste "$1" "$2"
  done
  way=run
  if [ "$1" = musl ] || [ -n "${BRANDZONE_TEST_FULL:-}" ]; then sessions "$1" "$2"; fi
  if [ "$1" = musl ] && [ -n "${BRANDZONE_TEST_FULL:-}" ]; then many; fi
  script 'expect # ' 'send echo I am $((40 + 2)) $HOME\r' 'expect I am 42 /root' 'send exit 37\r'
  on login z
  is 'login: a shell of root, its exit status' "$status" 37
  run bz console z
  is 'console of a command without terminal' "$status" 4
  like 'says what to do' "$err" 'brandzone start|exec -it'
  run bz stop --time 0 z
  wait "$job"
  run bz login z
  is 'login to a zone that does not run' "$status" 125
}

# with TREE SHELL LABEL: everything in a zone of that tree.
with () {
  run bz -q remove z
  zone z "$1" || return 0
  case $3 in
    musl) editor "$3"; alone ;;
    libc5) pager "$3" ;;
  esac
  jobs_of "$3" "$2"
  paste "$3" "$2"
  coming_back "$3" "$2"
  joining "$3" "$2"
  run bz -q remove z
}

for who in $users; do
  if [ "$who" = user ] && ! plain_users_work; then
    skip 'terminals of a plain user' 'newuidmap, setpriv or unprivileged user namespaces are missing'
    continue
  fi
  with alpine-x86 sh musl
  with slackware-4.0 bash libc5
  # Neither cat nor stty is in that tree.
  bz -q remove z 2>/dev/null
  if zone z basiclinux; then
    pico 'glibc 2.0'
    bz -q remove z
  fi
done
finish
