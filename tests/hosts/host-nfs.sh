#!/bin/sh
# NFS against a real server, the kernel's: given to a zone by [Mount], and by the zone's own mount(8).
hosts=$(cd "$(dirname "$0")" && pwd -P)
if [ -z "${BRANDZONE_TEST_FULL:-}" ]; then
  echo 'set BRANDZONE_TEST_FULL=1 to boot this kernel (./quickstart test --full)'
  exit 77
fi
said=$("$hosts/run-host" --timeout 600 --trees alpine-x86_64 --modules nfsd,nfsv4 --script "$hosts/nfs-guest.sh" 6.12)
status=$?
printf '%s\n' "$said" | grep '^1\.\.0' && exit 77
printf '%s\n' "$said" | awk -v status=$status '
/^(not )?ok/ { failed += /^not/; sub(/ok/, "ok " ++cases); print; next }
/^# end of nfs/ { ended = 1 }
{ print "# " $0 }
END {
  if (status != 0 || !ended) { print "not ok " ++cases " - the guest comes to its end"; failed++ }
  printf "1..%d\n", cases
  exit failed > 0
}'
