#!/bin/sh
# What a stock kernel must give, run inside it (see run-host): doctor tells the truth about this kernel,
# trees of every libc are installed and run as root and as a plain user, calls are answered, and
# where the kernel lacks something nothing but the cost differs.
# shellcheck source=../e2e/lib.sh
. "$(dirname "$0")/../e2e/lib.sh"
begin
limit=60

release=$(uname -r)
# at_least MAJOR MINOR: this kernel.
at_least () {
  have=$(echo "$release" | sed 's/^\([0-9]*\)\.\([0-9]*\).*/\1 \2/')
  # shellcheck disable=SC2086 # two words
  set -- "$1" "$2" $have
  [ "$3" -gt "$1" ] || { [ "$3" -eq "$1" ] && [ "$4" -ge "$2" ]; }
}

# What a 64-bit process is given, never the command line.
vsyscall=none
case $(awk '$NF == "[vsyscall]" { print $2 }' /proc/self/maps) in
  r-xp) vsyscall=emulate ;;
  --xp) vsyscall=xonly ;;
esac
ia32=no
if "$guests/limits-i386" >/dev/null 2>&1; then ia32=yes; fi
# Whether code that calls the vsyscall page can run here: by the kernel, or by rewriting it.
quick=${BRANDZONE_TEST_QUICK:-}
rewriter=no
if [ -x "$BRANDZONE_LIBEXECDIR/brandzone-rewriter" ]; then rewriter=yes; fi

# feature NAME: yes or no, as doctor said.
feature () {
  printf '%s\n' "$doctor" | awk -v name="$1" '$1 == name && $2 ~ /^(yes|no)$/ { print $2 }'
}

yes_if () {
  if "$@"; then echo yes; else echo no; fi
}

doctor () {
  run bz doctor
  doctor=$out
  is 'doctor: zones can run here' "$status" 0
  is 'doctor: the kernel is new enough' "$(feature kernel)" yes
  is "doctor: vsyscall is $vsyscall" "$(feature vsyscall)" "$(yes_if test $vsyscall != none)"
  is "doctor: 32-bit programs run: $ia32" "$(feature ia32)" $ia32
  is 'doctor: signals do not restart calls (5.19)' "$(feature wait-killable)" "$(yes_if at_least 5 19)"
  is 'doctor: a task wakes its supervisor on its own CPU (6.6)' "$(feature sync-wake-up)" "$(yes_if at_least 6 6)"
  explain_run
}

# Linux before 5.14: one clear refusal, from every verb that would start a zone, and nothing left.
refusal () {
  run bz doctor
  is 'doctor: the host lacks a feature' "$status" 7
  like 'doctor: it names the kernel that is needed' "$out$err" '5\.14'
  explain_run
  make_tree alpine-x86 || return 0
  run bz -q install z "$tar"
  run bz -q run z -- true
  ok 'run fails as brandzone' test "$status" = 125
  like 'run: it names the kernel that is needed' "$err" '5\.14'
  explain_run
  run bz -q remove z
}

# --- the trees -----------------------------------------------------------------

# Everything that tells a release tells the same.
agreement () {
  # shellcheck disable=SC2016 # for the zone's shell
  run bz -q run "$1" -- "$2" -c \
    'read a b r rest </proc/version; read o </proc/sys/kernel/osrelease; echo $r $o `uname -r`'
  # shellcheck disable=SC2086 # words
  set -- "$1" $out
  is "$1: uname, /proc/version and /proc/sys/kernel agree" "$status $# ${2:-} ${2:-}" "0 4 ${3:-} ${4:-}"
}

# tree ZONE TREE SHELL: installed, a shell runs, the releases agree.
tree () {
  started=$(date +%s)
  zone "$1" "$2" || return 1
  diag "installed $1 in $(($(date +%s) - started)) s"
  # shellcheck disable=SC2016 # for the zone's shell
  run bz -q run "$1" -- "$3" -c 'echo hello $0'
  is "$1: a shell runs" "$status $out" "0 hello $3" || return 1
  agreement "$1" "$3"
}

# Without a kernel that runs i386 code: a clear word, not a bare status.
no_ia32 () {
  zone "$1" "$2" || return 0
  run bz -q run "$1" -- /bin/sh -c 'echo hello'
  ok "$1: an i386 tree is refused" test "$status" -ne 0
  like "$1: and the line says why" "$err" '(i386|IA32|ia32|32-bit)'
  explain_run
  run bz -q remove "$1"
}

i386_trees () {
  if [ $ia32 = no ]; then
    no_ia32 i386 alpine-x86
    return
  fi
  tree alpine alpine-x86 /bin/sh || return 0
  if [ -n "$quick" ]; then return 0; fi
  heap
  tree slackware slackware-4.0 /bin/bash || return 0
  run bz -q run slackware -- /usr/bin/python -c 'print 2 ** 10'
  is 'slackware: python 1.5' "$out" 1024
  run bz -q run slackware -- /usr/bin/vmstat 1 2
  is 'slackware: vmstat counts (O9)' "$(printf '%s\n' "$out" | grep -c '^ *[0-9]')" 2 || explain_run
  run bz -q run --disable-row E30 slackware -- /bin/bash -c 'echo hello'
  if [ $without = right ]; then
    is 'E30 disabled: this kernel is itself right' "$out" hello
  else
    like 'E30 disabled: out of memory' "$err" 'Out of virtual memory!'
  fi
  run bz -q remove slackware
}

# Kernels differ in where they start the heap: natively, without the row (sets $without), and with it.
heap () {
  natively=wrong
  if setarch i686 -R "$guests/heap-i386" >"$tmp/native" 2>&1; then natively=right; fi
  run bz -q run --brand linux-2.2 -v "$guests:/guest:ro" alpine -- /guest/heap-i386 again
  is 'E30, E31: the heap of libc 5 begins where bss ends' "$status" 0 || explain_run
  run bz -q run --disable-row E30 --brand linux-2.2 -v "$guests:/guest:ro" alpine -- /guest/heap-i386
  without=wrong
  if [ "$status" = 0 ]; then without=right; fi
  diag "the heap of libc 5, not randomised, natively on this kernel: $natively; without row E30: $without"
}

x86_64_trees () {
  tree alpine64 alpine-x86_64 /bin/sh || return 0
  if [ -n "$quick" ]; then return 0; fi
  tree cirros cirros-x86_64 /bin/sh
  # The guest's own hard limit is 2^30, as systemd gives it.
  run bz -q run --brand el6 alpine64 -- /bin/sh -c 'ulimit -Sn; ulimit -Hn'
  is 'O5: open files in an el6 zone' "$(echo "$out" | tr '\n' ' ')" '1024 4096 '
  run bz -q run --brand el6 --disable-row O5 alpine64 -- /bin/sh -c 'ulimit -Hn'
  is 'O5 disabled: the limit of the caller' "$out" "$(by sh -c 'ulimit -Hn')"
  run bz -q remove cirros
}

# --- the life of a zone -----------------------------------------------------------

# shellcheck disable=SC2317 # killed() calls it
pid_of () {
  bz show --json life 2>/dev/null | field "$1"
}

# killed ROUNDS: the supervisor, each time after its successor was there.
# shellcheck disable=SC2317 # `ok` calls it
killed () {
  rounds=0
  last=
  while [ "$rounds" -lt "$1" ]; do
    pid=$(pid_of supervisor_pid)
    if [ -n "$pid" ] && [ "$pid" != 0 ] && [ "$pid" != "$last" ]; then
      kill -9 "$pid" || return 1
      last=$pid
      rounds=$((rounds + 1))
    else
      sleep 0.1
    fi
  done
}

# What a call costs here. Software emulation is slow in everything: the ratio of the lines is what tells.
costs () {
  for guest in $abi x86_64; do
    run bz exec life -- "/guest/cost-$guest" uname 256
    like "the cost of a translated uname can be told ($guest)" "$out" '^[0-9]+$'
    diag "$release: a translated uname, median ($guest): $((${out:-0} / 1000)) us"
    if [ "$abi" = x86_64 ]; then break; fi
  done
  run bz exec life -- "/guest/cost-$abi" getppid 20000
  diag "$release: a call that is allowed ($abi): ${out:-0} ns"
}

one_cpu () {
  run bz -q run --cpuset-cpus 0 --brand linux-2.6 -v "$guests:/guest:ro" life -- "/guest/cost-$abi" uname 256
  is 'a zone and its supervisor on one CPU' "$status" 0
  diag "$release: a translated uname, zone and supervisor on one CPU, median ($abi): $((${out:-0} / 1000)) us"
}

life () {
  abi=i386
  if [ $ia32 = yes ]; then zone life alpine-x86; else abi=x86_64; zone life alpine-x86_64; fi || return 0
  one_cpu
  in_background bz -q run --brand linux-2.6 -v "$guests:/guest:ro" life -- sleep 1000
  until_true 30 running life
  zone_release=$(bz plan --json --brand linux-2.6 life | field release)
  run bz exec life -- uname -r
  is 'exec: uname is answered' "$out" "$zone_release"
  run bz trace --stats life
  like 'trace --stats counts it' "$out" 'uname +[a-z0-9_]+ +[0-9]'
  costs
  # While two processes of two threads do nothing but translated calls.
  bz exec life -- "/guest/loop-$abi" 15 "$zone_release" 2 >"$tmp/loop.out" 2>"$tmp/loop.err" </dev/null &
  loop=$!
  until_true 10 grep -q started "$tmp/loop.out" || :
  ok 'the supervisor is killed 20 times' killed 20
  status=0
  if until_true 90 sh -c "! kill -0 $loop 2>/dev/null"; then wait $loop || status=$?; else status=hangs; kill -9 $loop; fi
  out=$(cat "$tmp/loop.out")
  err=$(cat "$tmp/loop.err")
  is 'no task hangs, none gets a wrong answer' "$status" 0
  take_tap loop
  run bz exec life -- "/guest/storm-$abi" 100
  take_tap 'signals and deaths in translated calls'
  run bz stop --time 0 life
  is 'stop' "$status" 0
  status=0
  if until_true 30 sh -c "! kill -0 $job 2>/dev/null"; then wait "$job" || status=$?; else status=hangs; fi
  is 'the end of its first process ends the zone' "$status" 137
  run bz -q remove life
}

# The same in a few seconds.
life_quickly () {
  name=alpine
  abi=i386
  if [ $ia32 = no ]; then name=alpine64 abi=x86_64; fi
  in_background bz -q run --brand linux-2.6 -v "$guests:/guest:ro" $name -- sleep 1000
  until_true 30 running $name
  run bz exec $name -- "/guest/cost-$abi" uname 64
  like 'exec: a translated call is answered' "$out" '^[0-9]+$'
  diag "$release: a translated uname, median: $((${out:-0} / 1000)) us"
  run bz stop --time 0 $name
  is 'stop' "$status" 0
  wait "$job"
}

# --- processors (O6) ------------------------------------------------------------------

# On a kernel that was told of more processors than a word has bits (possible_cpus=).
processors () {
  read -r possible </sys/devices/system/cpu/possible
  if [ "${possible#0-}" -lt 64 ] 2>/dev/null; then return 0; fi
  if [ $ia32 = yes ]; then name=alpine abi=i386; else name=alpine64 abi=x86_64; fi
  for guest in $abi x86_64; do
    set -- -v "$guests:/guest:ro" $name -- "/guest/sizes-$guest" processors
    run bz -q run --brand linux-2.6 --abi $abi "$@"
    take_tap "processors $possible: $guest"
    run bz -q run --brand linux-2.6 --abi $abi --disable-row O6 "$@"
    like "O6 disabled: the symptom of the catalogue ($guest)" "$out" 'O6: a mask of one word: expected [48], got -22'
    if [ $abi = x86_64 ]; then break; fi
  done
}

# --- the vsyscall page (E1) ---------------------------------------------------------

# old NAME PATTERN COMMAND...: in the zone $zone.
old () {
  name="E1, vsyscall=$vsyscall: $zone: $1"
  pattern=$2
  shift 2
  run bz -q run "$zone" -- "$@"
  if [ $vsyscall = none ] && [ $rewriter = no ]; then
    diag "exit status $status"
    skip "$name" 'brandzone-rewriter is not installed and this kernel has no vsyscall page'
    return 0
  fi
  like "$name" "$status $out" "$pattern" || explain_run
}

vsyscalls () {
  zone=kaios
  if zone kaios kaios; then
    old 'static busybox' '^0 20[0-9][0-9]$' /bin/busybox date +%Y
    run bz -q remove kaios
  fi
  if [ -n "$quick" ] && [ $vsyscall = none ] && [ $rewriter = no ]; then return 0; fi
  zone=centos
  archive=$(ls "$trees"/centos-6.8-cut-*.tar 2>/dev/null || ls "$trees"/centos-6.8-*.tar 2>/dev/null)
  if [ -z "$archive" ]; then
    skip "E1: $zone" 'the tree centos-6.8 is missing'
    return 0
  fi
  started=$(date +%s)
  run bz -q install centos "$archive"
  is 'centos: installed' "$status" 0 || { explain_run; return 0; }
  diag "installed centos in $(($(date +%s) - started)) s"
  old 'bash' '^0 20[0-9][0-9]$' /bin/bash -c 'date +%Y'
  old 'python looks at the time' '^0 True$' /usr/bin/python -c 'import time; print time.time() > 1e9'
  run bz -q run centos -- /bin/uname -r
  like 'centos: uname' "$out" '^2\.6\.32-.*\.el6\.x86_64$'
  run bz -q remove centos
}

if ! at_least 5 14; then
  refusal
  finish
fi
doctor
for who in $users; do
  if [ "$who" = user ] && ! plain_users_work; then
    skip 'zones of a plain user' 'newuidmap, setpriv or unprivileged user namespaces are missing'
    continue
  fi
  i386_trees
  if [ -n "$quick" ] && [ $ia32 = no ]; then x86_64_trees; fi
  if [ "$who" = root ]; then processors; fi
  if [ -z "$quick" ]; then
    x86_64_trees
    life
    vsyscalls
  elif [ "$who" = root ]; then
    life_quickly
    vsyscalls
  fi
  for name in alpine alpine64; do
    if bz show $name >/dev/null 2>&1; then run bz -q remove $name; fi
  done
done
finish
