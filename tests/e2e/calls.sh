#!/bin/sh
# The translated calls, made by guest programs under several brands; and every row of the
# catalogue of failures that they answer: right with it, wrong as the catalogue says without it.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
begin

# inside BRAND ABI [OPTION...] -- GUEST [ARGUMENT...]: runs a guest program in the zone under that brand.
inside () {
  brand=$1
  abi=$2
  shift 2
  # The guests lie in a volume; options end at --, the program's name gets its ABI.
  count=$#
  options=
  while [ "$1" != -- ]; do
    options="$options $1"
    shift
  done
  shift
  program=$1
  shift
  : "$count"
  # shellcheck disable=SC2086 # options are words
  run bz -q run --brand "$brand" --abi "$abi" $options -v "$guests:/guest:ro" z -- \
    "/guest/$program-${guest_abi:-$abi}" "$@"
}

# planned PATH: a value of the last plan.
planned () {
  printf '%s' "$plan" | field "$1"
}

# own_limit 4: the caller's soft limit of open files; 5: the hard one.
own_limit () {
  awk -v field="$1" '/^Max open files/ { print $field }' /proc/self/limits
}

# with_plan BRAND ABI
with_plan () {
  plan=$(bz plan --json --brand "$1" --abi "$2" z)
  release=$(planned release)
  version=$(planned version)
}

has () {
  [ "$(planned "quirks.$1")" = "$2" ]
}

# The same calls on the host and in the zone, call family by call family: what differs is a row of the brand, and S6 (calls
# that its kernel lacked) is put back.
conformance () {
  guest_abi=
  left_out=
  for family in "$src"/syscall-xlat/calls/*.c; do
    family=$(basename "$family" .c)
    case $family in *-guest | *-value) continue ;; esac
    grep -q "{ \"$family\", " "$src/tests/guest/conform.c" || left_out="$left_out $family"
  done
  is 'each family of calls is compared with the host' "$left_out" ''
  for abi in i386 x86_64; do
    if [ ! -x "$guests/conform-$abi" ]; then continue; fi
    if [ $abi = i386 ] && masked ia32; then continue; fi
    mkdir -p "$tmp/conform"
    "$guests/conform-$abi" "$tmp/conform" >"$tmp/conform-host" </dev/null
    is "$abi: each family runs to its end on the host" "$?" 0
    rm -rf "$tmp/conform"
    for brand in native linux-2.0 linux-2.2 linux-2.4 linux-2.6; do
      if [ $brand$abi = linux-2.0x86_64 ]; then continue; fi
      # Nobody sets groups in a user namespace with one id (setgroups=deny), not even wrong ones; brands say so themselves.
      if [ $brand != native ] || [ "$who" = root ] || ! masked subordinate-ids; then groups='&'; else groups='setgroups -1'; fi
      sed "s/^setgroups .*/$groups/" "$tmp/conform-host" >"$tmp/expected"
      run bz -q run --brand $brand --disable-row S6 -v "$guests:/guest:ro" z -- \
        /bin/sh -c 'd=$(mktemp -d /tmp/XXXXXX) && "$0" "$d" && rm -r "$d"' "/guest/conform-$abi"
      is "$brand $abi: every call of the list ends as on the host" \
        "$(printf '%s\n' "$out" | diff "$tmp/expected" -)" ''
    done
  done
}

# matrix BRAND ABI GUEST-ABI: every guest whose family the brand answers.
matrix () {
  case $2$3 in
    *i386*)
      if masked ia32; then
        skip "$1 $2: guests for $3" 'ia32 is masked'
        return
      fi
      ;;
  esac
  with_plan "$1" "$2"
  guest_abi=$3
  machine=$(planned "machine.$3")
  label="$1 $2"
  if [ -z "$release" ]; then
    not_ok "$label: it can be planned"
    return
  fi
  if [ ! -x "$guests/release-$3" ]; then
    skip "$label: guests for $3" 'the compiler cannot build them (gcc-multilib)'
    return
  fi
  inside "$1" "$2" -- release "$release" "$version" "$machine"
  take_tap "$label: release"
  soft=$(planned limits.nofile.soft)
  hard=$(planned limits.nofile.hard)
  if [ "${hard:-0}" -gt "$(own_limit 5)" ]; then hard=; fi
  inside "$1" "$2" -- limits ${hard:+"$soft" "$hard"}
  take_tap "$label: limits"
  if has heap end-of-bss; then
    inside "$1" "$2" -- heap again
    take_tap "$label: heap"
  fi
  if has sysctl answer; then
    inside "$1" "$2" -- sysctl "$release" "$version"
    take_tap "$label: sysctl"
  fi
  if has modules empty; then
    case $release in 2.0.*) inside "$1" "$2" -- modules 2.0 ;; *) inside "$1" "$2" -- modules ;; esac
    take_tap "$label: modules"
  fi
  if has syslog empty; then
    if has bdflush accept; then inside "$1" "$2" -- boot bdflush; else inside "$1" "$2" -- boot; fi
    take_tap "$label: boot"
  fi
  if has clock pretend; then
    inside "$1" "$2" -- clock
    take_tap "$label: clock"
  fi
  case $(planned quirks.sysinfo) in
    host) ;;
    *)
      inside "$1" "$2" -- memory "$(planned quirks.sysinfo)"
      take_tap "$label: memory"
      ;;
  esac
  if has missing release; then
    # clone3, openat2 and statx are newer than every release here.
    case $3 in
      i386) inside "$1" "$2" -- missing -clone3:435 -openat2:437 -statx:383 -futex_time64:422 +getpid:20 ;;
      *) inside "$1" "$2" -- missing -clone3:435 -openat2:437 -statx:332 +getpid:39 ;;
    esac
    take_tap "$label: missing"
  fi
}

# A 32-bit program in a 64-bit zone, and a linux32 task there: the machine is told by task.
machines () {
  if masked ia32; then
    skip 'el6 x86_64: linux32' 'ia32 is masked'
    return
  fi
  with_plan el6 x86_64
  guest_abi=x86_64
  inside el6 x86_64 -- release "$release" "$version" "$(planned machine.x86_64)" "$(planned machine.i386)"
  take_tap 'el6 x86_64: linux32'
}

# The rows. answered ROW GUEST ...: passes; without ROW PATTERN GUEST ...: the symptom shows.
answered () {
  row=$1
  shift
  inside "$brand_of_row" "$abi_of_row" -- "$@"
  is "$row is answered" "$status" 0
}

without () {
  row=$1
  pattern=$2
  shift 2
  inside "$brand_of_row" "$abi_of_row" --disable-row "$row" -- "$@"
  like "$row disabled: the symptom of the catalogue" "$out" "$pattern"
}

rows () {
  if masked ia32; then
    skip 'rows of i386' 'ia32 is masked'
    return
  fi
  host_release=$(uname -r | sed 's/[.+]/\\&/g')
  brand_of_row=linux-2.2
  abi_of_row=i386
  guest_abi=i386
  if [ ! -x "$guests/heap-i386" ]; then
    skip 'rows of i386' 'the compiler cannot build i386 guests (gcc-multilib)'
    return
  fi
  with_plan linux-2.2 i386
  machine=$(planned machine.i386)
  set -- release "$release" "$version" "$machine"
  answered E6 "$@"
  without E6 "uname: release: expected .*, got \"$host_release\"" "$@"
  answered E7 "$@"
  without E7 'uname: machine: expected "i[3-6]86", got "x86_64"' release "$release" "$version" "$machine"
  answered E30 heap
  without E30 'not ok [0-9]* - brk\(end \+ 84\)' heap
  answered E31 heap again
  without E31 'not ok [0-9]* - after personality\(0\)' heap again
  answered S1 sysctl "$release" "$version"
  without S1 'KERN_OSRELEASE: expected 0, got -38' sysctl "$release" "$version"
  answered E33 sysctl "$release" "$version"
  without E33 'KERN_VERSION: expected 0, got -38' sysctl "$release" "$version"
  answered S2 modules
  without S2 'QM_MODULES: expected 0, got -38' modules
  answered S3 boot bdflush
  without S3 'bdflush\(1\).*: expected 0, got -38' boot bdflush
  answered S22 boot
  without S22 'syslog\(CONSOLE_LEVEL, 7\): expected 0, got -1$' boot
  answered S23 clock
  without S23 'settimeofday: expected 0, got -1$' clock
  answered S24 boot
  without S24 'reboot\(CAD_ON\): expected 0, got -22$' boot
  answered S6 missing -clone3:435 -statx:383
  without S6 'statx: expected -38, got -(14|22|9)$' missing -clone3:435 -statx:383
  answered O5 limits "$(planned limits.nofile.soft)" "$(planned limits.nofile.hard)"
  if [ "$(own_limit 4)" != "$(planned limits.nofile.soft)" ]; then
    without O5 "soft limit: expected .*, got $(own_limit 4)$" limits "$(planned limits.nofile.soft)" \
      "$(planned limits.nofile.hard)"
  else
    skip 'O5 disabled: the symptom of the catalogue' 'the caller has the limit of the brand already'
  fi
  answered O7 memory no-unit
  if [ "$(awk '$1 == "MemTotal:" { print $2 }' /proc/meminfo)" -gt 2097152 ]; then
    without O7 "not ok [0-9]* - (in bytes, it is the machine's memory|Linux 2.2 leaves mem_unit alone)" memory no-unit
  else
    skip 'O7 disabled: the symptom of the catalogue' 'this machine has no more than 2 GiB'
  fi
  # A start script mounts proc once more.
  set -- sh -c 'mount -t proc proc /proc 2>/dev/null; cut -d " " -f 3 /proc/version'
  run bz -q run --brand linux-2.6 --release 2.6.32-told z -- "$@"
  is 'B14: a proc mounted on proc tells the release of the brand' "$out" 2.6.32-told
  run bz -q run --brand linux-2.6 --release 2.6.32-told --disable-row B14 z -- "$@"
  is 'B14 disabled: the symptom of the catalogue' "$out" "$(uname -r)"
  # A kernel of 6.14 and later has a limit for each pid namespace: a new one's is the highest.
  if uname -r | awk -F '[.-]' '{ exit !($1 > 6 || $1 == 6 && $2 >= 14) }'; then
    run bz -q run --brand linux-2.6 z -- cat /proc/sys/kernel/pid_max
    is 'O4: process numbers fit 16 bits' "$out" 32768
    run bz -q run --brand linux-2.6 --disable-row O4 z -- cat /proc/sys/kernel/pid_max
    is 'O4 disabled: they need not' "$out" 4194304
  else
    skip 'O4: process numbers fit 16 bits' 'this kernel has no limit of its own for each pid namespace (6.14)'
  fi
  # Every disabled row is the host again: nothing trapped means no supervisor.
  run bz -q run --disable-row NO-SUCH-ROW z -- true
  is 'a row that does not exist is refused' "$status" 125
}

# shellcheck disable=SC2317 # `until_true` calls it
traced_uname () {
  run bz exec z -- uname -r
  grep -q uname "$tmp/trace.out"
}

joined () {
  if masked ia32; then
    skip 'exec under an i386 brand' 'ia32 is masked'
    return
  fi
  in_background bz -q run --brand linux-2.6 --abi i386 -v "$guests:/guest:ro" z -- sh -c 'while sleep 1; do :; done'
  until_true 20 running z
  with_plan linux-2.6 i386
  run bz exec z -- /guest/release-i386 "$release" "$version" "$(planned machine.i386)"
  take_tap 'exec: its calls are answered too'
  run bz trace --stats z
  like 'trace --stats counts uname' "$out" '^uname +i386 +[1-9]'
  like 'and tells its rate' "$out" '^CALL .* PER SECOND +MEAN US'
  run bz trace --stats --json z
  is 'trace --stats --json' "$(printf '%s' "$out" | field schema)" 1
  like 'and for how many seconds it was counted' "$(printf '%s' "$out" | field seconds)" '^[1-9][0-9]*$'
  by "$brandzone" --root "$tmp/$who/state" trace z >"$tmp/trace.out" 2>"$tmp/trace.err" </dev/null &
  tracer=$!
  # Calls before the tracer is attached are not shown: again, until one is.
  until_true 10 traced_uname || :
  is 'exec: uname' "$out" "$release"
  out=$(cat "$tmp/trace.out")
  err=$(cat "$tmp/trace.err")
  like 'trace shows the call as it is answered' "$out" 'uname'
  run bz stop --time 0 z
  wait "$job"
  wait "$tracer"
  is 'trace ends with the zone' "$?" 0
  run bz run --stats --brand linux-2.6 --abi i386 z -- uname -r
  is 'run --stats: the command' "$out" "$release"
  like 'run --stats: the counts' "$err" 'uname( \(i386\))? [0-9]'
}

for who in $users; do
  if [ "$who" = user ] && ! plain_users_work; then
    skip 'calls in a plain user'"'"'s zone' 'newuidmap, setpriv or unprivileged user namespaces are missing'
    continue
  fi
  if masked ia32; then alpine="alpine-x86_64"; else alpine="alpine-x86"; fi
  zone z "$alpine" || continue
  for brand in linux-2.0 linux-2.2 linux-2.4 linux-2.6; do
    matrix $brand i386 i386
  done
  matrix linux-2.6 x86_64 x86_64
  matrix el6 x86_64 x86_64
  matrix el6 x86_64 i386
  machines
  conformance
  rows
  joined
  run bz -q remove z
done
finish
