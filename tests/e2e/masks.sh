#!/bin/sh
# --without FEATURE and BRANDZONE_WITHOUT: what a masked feature changes, one short look at each. What
# the rest of the tests makes of a mask is seen by `./quickstart test --full` (tests/masks).
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
begin

# As brand/features.def has them; brandzone's own list must be no longer than what is looked at here.
features='kernel user-namespaces user-notify wait-killable sync-wake-up idmapped-mounts subordinate-ids'
features="$features ia32 overlay vsyscall cgroup modify-ldt fuse fchmodat2 nftables dnsmasq pasta"

# refused NAME PATTERN: the last run was, as a lack of the host, and said so.
refused () {
  is "$1: refused" "$status" 125 && like "$1: and told" "$err" "$2"
}

known () {
  bz doctor --json >"$tmp/doctor"
  is 'every feature is looked at' \
    "$(python3 -c 'import json, sys; print(*[f["name"] for f in json.load(sys.stdin)["features"]])' <"$tmp/doctor")" \
    "$features"
  is 'and every one that zones can do without has its run of the tests (tests/masks)' \
    "$(sed -n 's/^\([a-z][^ ]*\) .*/\1/p' "$src/tests/masks" | tr ',' '\n' | sort | tr '\n' ' ')" \
    "$(echo "$features" | tr ' ' '\n' | grep -vx -e kernel -e user-namespaces -e user-notify | sort | tr '\n' ' ')"
  BRANDZONE_WITHOUT='cgroup  overlay'
  run bz doctor
  like 'BRANDZONE_WITHOUT masks one' "$out" '^cgroup +no +masked '
  like 'and another' "$out" '^overlay +no +masked '
  BRANDZONE_WITHOUT=flight
  run bz plan z
  is 'a feature that does not exist' "$status" 2
  like 'is named' "$err" 'BRANDZONE_WITHOUT flight: there is no such feature'
  BRANDZONE_WITHOUT=$masked_outside
}

required () {
  for feature in kernel user-namespaces user-notify; do
    run bz run --without $feature z -- true
    refused $feature "$([ $feature = kernel ] && echo 'Linux 5\.14 or later' || echo "^brandzone: $feature, needed for ")"
    run bz doctor --without $feature
    is "$feature: doctor's exit status" "$status" 7
  done
  if [ "$who" != root ]; then
    run bz install --without user-namespaces y "$tar"
    ok 'user-namespaces: a plain user cannot install' test "$status" = 7
    run bz show y
    ok 'and nothing is left' test "$status" != 0
  fi
}

# What the listener is made with: read from the plan that the run would have.
listener () {
  for feature in wait-killable sync-wake-up; do
    name=$(echo $feature | tr - _)
    run bz plan --json --without $feature z
    is "$feature: the plan does not use it" "$(printf '%s' "$out" | field "$name")" false
    run bz run --without $feature --brand el6 z -- uname -r
    like "$feature: and calls are answered" "$out" '\.el6\.'
  done
}

# The owner of the zone's / on disk, and that the zone sees its own ids all the same.
ids () {
  if [ "$who" = root ]; then
    run bz install --without idmapped-mounts shifted "$tar"
    is 'idmapped-mounts: install' "$status" 0
    owner=$(stat -c %u "$tmp/$who/state/zones/shifted/root/etc/passwd")
    ok 'idmapped-mounts: the tree is stored with shifted ids' test "$owner" -ge 524288
    run bz run --without idmapped-mounts shifted -- sh -c 'stat -c %u:%g /etc/passwd; touch /f && chown 5:6 /f && stat -c %u:%g /f'
    is 'idmapped-mounts: the zone sees its own' "$(printf '%s' "$out" | tr '\n' ' ')" '0:0 5:6'
    run bz run shifted -- stat -c %u /etc/passwd
    is 'idmapped-mounts: also once the host has them' "$out" 0
    run bz -q remove shifted
    is 'idmapped-mounts: removed' "$status" 0
    run bz run --without idmapped-mounts z -- true
    refused 'idmapped-mounts: a tree that needs them' 'zone z: its tree needs idmapped mounts'
    return
  fi
  run bz install --without subordinate-ids one "$tar"
  is 'subordinate-ids: install' "$status" 0
  like 'subordinate-ids: told' "$err" 'one user id'
  run bz run --without subordinate-ids one -- sh -c 'wc -l </proc/self/uid_map; awk "{ print \$3 }" /proc/self/uid_map'
  is 'subordinate-ids: the zone has one id' "$(printf '%s' "$out" | tr '\n' ' ')" '1 1'
  run bz -q remove one
  run bz run --without subordinate-ids z -- true
  refused 'subordinate-ids: a tree that needs them' 'zone z: its tree belongs to subordinate ids'
}

others () {
  run bz run --without ia32 --abi i386 --brand linux-2.6 z -- true
  refused ia32 'does not run i386 programs .*\[E9\]|E9'
  run bz run --without overlay --rm z -- true
  refused 'overlay: run --rm' 'no overlay file system'
  run bz run --without overlay --image "$tree" -- true
  refused 'overlay: run --image' 'no overlay file system'
  network=nftables
  [ "$who" = root ] || network=pasta
  run bz run --without $network -p 8080:80 z -- true
  refused "$network: a private network" "^brandzone: $network, needed for "
  run bz -q run --brand linux-2.4 --without fuse z -- cat /proc/stat
  like 'fuse: /proc/stat is the host'"'"'s' "$out" '^softirq '
  run bz -q run --brand linux-2.4 --without fuse z -- cat /proc/meminfo
  like 'fuse: /proc/meminfo is written at the start' "$out" '^Mem: '
  if [ -x "$guests/missing-x86_64" ]; then
    run bz -q run --brand el6 -v "$guests:/guest:ro" z -- /guest/missing-x86_64 +modify_ldt:154
    is 'modify-ldt: there, unmasked' "$status" 0
    run bz -q run --without modify-ldt --brand el6 -v "$guests:/guest:ro" z -- /guest/missing-x86_64 -modify_ldt:154
    is 'modify-ldt: ENOSYS' "$status" 0
    run bz plan --json --without fchmodat2 --brand native z
    is 'fchmodat2: the plan has it answered' "$(printf '%s' "$out" | field quirks.newer-calls)" older
  fi
  if [ -x "$guests/vsyscall-x86_64" ]; then
    bz check --brand el6 "$guests/vsyscall-x86_64" >"$tmp/with" 2>&1
    bz check --brand el6 --without vsyscall "$guests/vsyscall-x86_64" >"$tmp/without" 2>&1
    out=$(cat "$tmp/without")
    unlike 'vsyscall: check does not count on the host' "$out" 'vsyscall=(xonly|emulate)'
    bz check --brand native --without vsyscall "$guests/vsyscall-x86_64" >"$tmp/native" 2>&1
    is 'vsyscall: a brand that does not rewrite leaves it uncovered' $? 1
  fi
}

# Where the zone's first process is, as the host sees it.
cgroup_of_zone () {
  in_background bz -q run "$@" z -- sleep 1000
  until_true 20 running z
  made=$(new_cgroups_now)
  run bz stop --time 0 z
  wait "$job" 2>/dev/null
}

new_cgroups_now () {
  our_cgroups | grep "/z-"
}

cgroups () {
  cgroup_of_zone --without cgroup
  is 'cgroup: none is made' "$made" ''
  bz doctor --json >"$tmp/doctor"
  if [ "$who" = root ] && python3 -c '
import json, sys
sys.exit(not [f["here"] for f in json.load(sys.stdin)["features"] if f["name"] == "cgroup"][0])' <"$tmp/doctor"; then
    cgroup_of_zone
    ok 'cgroup: one is, unmasked' test -n "$made"
  fi
}

masked_outside=$BRANDZONE_WITHOUT
[ -z "$masked_outside" ] || skip_all "already masked: $masked_outside"
for who in $users; do
  if [ "$who" = user ] && ! plain_users_work; then
    skip 'masks in a plain user'"'"'s zone' 'newuidmap, setpriv or unprivileged user namespaces are missing'
    continue
  fi
  zone z alpine-x86_64 || continue
  make_tree alpine-x86_64 || continue
  known
  required
  listener
  ids
  others
  cgroups
  run bz -q remove z
  is 'remove' "$status" 0
done
finish
