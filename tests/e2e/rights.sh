#!/bin/sh
# What the root of a zone may not, and is told that it may (rows S13 to S21); and calls that the host
# no longer has (S4, S5; --strict). In zones of root, of a user with many ids, and of one with his own.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
begin

# inside BRAND ABI [OPTION...] -- GUEST [ARGUMENT...]
inside () {
  brand=$1
  abi=$2
  shift 2
  options=
  while [ "$1" != -- ]; do
    options="$options $1"
    shift
  done
  shift
  program=$1
  shift
  # shellcheck disable=SC2086 # options are words
  run bz -q run --brand "$brand" --abi "$abi" $options -v "$guests:/guest:ro" z -- \
    "/guest/$program-$abi" "$@"
}

# symptom ROW PATTERN [ARGUMENT...]: what the guest says without the row, under $brand_of_row.
symptom () {
  row=$1
  pattern=$2
  shift 2
  inside "$brand_of_row" x86_64 --disable-row "$row" -- rights "$@"
  like "$row disabled: the symptom of the catalogue" "$out" "$pattern"
}

rights () {
  inside el6 x86_64 -- rights "$ids" audit
  take_tap 'el6 x86_64: rights'
  inside linux-3.10 x86_64 -- rights "$ids" audit ping
  take_tap 'linux-3.10 x86_64: rights'
  if [ -x "$guests/rights-i386" ] && ! masked ia32; then
    inside linux-2.4 i386 -- rights "$ids"
    take_tap 'linux-2.4 i386: rights'
    inside linux-2.6 i386 -- rights "$ids" audit
    take_tap 'linux-2.6 i386: rights'
  else
    skip 'rights of i386' 'ia32 is masked, or the compiler cannot build i386 guests (gcc-multilib)'
  fi
}

symptoms () {
  brand_of_row=linux-3.10
  symptom S13 'S13: raising a hard limit: expected 0, got -1$' "$ids"
  symptom S15 'S15: chown of /proc: expected 0, got -(1|30)$' "$ids"
  symptom S17 'S17: mknod of a device: expected 0, got -1$' "$ids"
  symptom S18 'not ok [0-9]+ - S18' "$ids" ping
  symptom S21 'S21: an audit socket: expected -93, got ' "$ids" audit
  if [ "$ids" = one ]; then
    symptom S14 'S14: setgroups: expected 0, got -1$' one
    symptom S15 'chown to an id that is not there: expected 0, got -22$' one
  fi
}

gone_calls () {
  inside linux-2.6 x86_64 --stats -- gone
  is 'S4: a call that is gone is ENOSYS' "$status" 0
  like 'S4: it is counted' "$err" 'nfsservctl 1'
  inside linux-2.6 x86_64 --stats --disable-row S4 -- gone
  unlike 'S4 disabled: nobody counts it' "$err" 'nfsservctl'
  inside linux-2.6 x86_64 --strict -- gone
  is '--strict: the program is killed' "$status" 137
  is '--strict: one line tells call, program and row' "$err" \
    "brandzone: gone-x86_64 was killed: it called nfsservctl (x86_64), which the host's kernel lacks (strict) [S4]"
  inside linux-2.6 x86_64 --strict -- rights "$ids" audit
  is '--strict: what is answered goes on' "$status" 0
  inside linux-3.10 x86_64 --strict -- gone
  is '--strict: a call that the brand lacked too is ENOSYS' "$status" 0
  printf '[Brand]\nStrict=yes\n' >"$tmp/strict.conf"
  chmod 644 "$tmp/strict.conf"
  drop_ins=$tmp/$who/state/config/z.zone.d
  by mkdir -p "$drop_ins" 2>/dev/null && by cp "$tmp/strict.conf" "$drop_ins/strict.conf"
  inside linux-2.6 x86_64 -- gone
  is 'Strict=yes in the zone file: the program is killed' "$status" 137
  by rm -r "$drop_ins"
}

if [ "$users" = self ]; then kinds=self; else kinds="$users alone"; fi
for who in $kinds; do
  if [ "$who" != root ] && ! plain_users_work; then
    skip 'rights in a plain user'"'"'s zone' 'newuidmap, setpriv or unprivileged user namespaces are missing'
    continue
  fi
  if [ "$who" = alone ]; then ids=one; else ids=many; fi
  zone z alpine-x86_64 || continue
  rights
  symptoms
  gone_calls
  run bz -q remove z
done
finish
