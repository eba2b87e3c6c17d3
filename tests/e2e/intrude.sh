#!/bin/sh
# The supervisor acts for tasks with no more than their own rights: a guest program tries to make it do more, by each call
# that a plan can trap, as a user, without capabilities, and as the root of a user namespace inside the zone's
# (tests/guest/intrude.c). The supervisors' own counts tell that no call of the tables was left out.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
begin
first_user_only
limit=60

# intrude ABI BRAND ZONE-ABI [OPTION...]
intrude () {
  abi=$1
  brand=$2
  zone_abi=$3
  shift 3
  if [ ! -x "$guests/intrude-$abi" ]; then return; fi
  if masked ia32 && [ "$abi$zone_abi" != x86_64x86_64 ]; then return; fi
  run bz --json run --stats --brand "$brand" --abi "$zone_abi" --disable-row S6 --without fchmodat2 "$@" \
    -v "$guests:/guest:ro" z -- "/guest/intrude-$abi"
  take_tap "$brand $zone_abi $*: intrude"
  tail -n 1 "$tmp/err" >>"$tmp/counts"
}

# Each call of the tables that has a handler, and each that was trapped.
all_tried () {
  for abi in i386 x86_64; do
    if [ $abi = i386 ] && { masked ia32 || [ ! -x "$guests/intrude-i386" ]; }; then continue; fi
    awk -v abi=$abi '$1 ~ /^[0-9]+$/ && $6 != "-" { print $2, abi }' "$src/syscall-xlat/tables/$abi.tbl"
  done | sort >"$tmp/trapped"
  python3 -c '
import json, sys
for line in sys.stdin:
    for call in json.loads(line)["calls"]:
        print(call["name"], call["abi"])' <"$tmp/counts" | sort -u >"$tmp/tried"
  who=
  is 'each call that is answered or looked at was intruded upon' "$(comm -23 "$tmp/trapped" "$tmp/tried")" ''
}

: >"$tmp/counts"
if [ "$users" = self ]; then kinds=self; else kinds="$users alone"; fi
for who in $kinds; do
  if [ "$who" != root ] && ! plain_users_work; then
    skip 'intrusions in a plain user'"'"'s zone' 'newuidmap, setpriv or unprivileged user namespaces are missing'
    continue
  fi
  zone z alpine-x86_64 || continue
  for abi in i386 x86_64; do
    intrude "$abi" linux-2.2 i386 --fold-inodes yes
    intrude "$abi" linux-2.6 x86_64 --fold-inodes yes
    intrude "$abi" linux-3.10 x86_64 --mounts ext4
    intrude "$abi" native x86_64
    if one_id; then intrude "$abi" linux-2.6 x86_64 --remember-owners; fi
  done
  run bz -q remove z
done
all_tried
finish
