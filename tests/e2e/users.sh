#!/bin/sh
# Zones of several users on one host do not see one another.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
begin
[ "$(id -u)" -eq 0 ] || skip_all 'it needs root, to be several users'
plain_users_work || skip_all 'newuidmap, setpriv or unprivileged user namespaces are missing'

for who in root user alone; do
  if [ "$who" = user ] && masked subordinate-ids; then continue; fi
  if ! zone z alpine-x86; then finish; fi
  bz run z -- sh -c "echo $who >/etc/whose; sleep 1000" >/dev/null 2>&1 </dev/null &
  until_true 20 running z
done
for who in root user alone; do
  if [ "$who" = user ] && masked subordinate-ids; then continue; fi
  run bz list --json
  is 'list shows one zone' "$(printf '%s' "$out" | grep -c '"name"')" 1
  run bz exec z -- cat /etc/whose
  is 'exec joins the own one of that name' "$out" "$who"
  run bz exec z -- ps
  is 'its processes are its own' "$(printf '%s\n' "$out" | grep -c '0 sleep 1000$')" 1
done
who=alone
for other in root user; do
  run by "$brandzone" --root "$tmp/$other/state" list
  ok "the state of $other is closed to others" test "$status" != 0
  run by "$brandzone" --root "$tmp/$other/state" exec z -- id
  is "and so are running zones of $other" "$status" 125
  run by "$brandzone" --root "$tmp/$other/state" stop z
  ok "which nobody else stops ($other)" test "$status" != 0
  who=$other
  if ! masked subordinate-ids; then ok 'it runs on' running z; fi
  who=alone
done
for who in root user alone; do
  bz -q stop --time 0 z
  bz -q remove z
done
finish
