#!/bin/sh
# What happens to zones in the life of a host: it is switched off while they run, comes up with another kernel,
# brandzone is upgraded under them, and is purged. Two boots with one disk.
# shellcheck disable=SC2317 # the trap calls it
hosts=$(cd "$(dirname "$0")" && pwd -P)
if [ -z "${BRANDZONE_TEST_FULL:-}" ]; then
  echo 'set BRANDZONE_TEST_FULL=1 to boot these kernels (./quickstart test --full)'
  exit 77
fi
work=$(mktemp -d "${TMPDIR:-/tmp}/brandzone-life.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# boot KERNEL PART: in the guest; what it prints goes to $work/PART.
boot () {
  { echo "part=$2"; cat "$hosts/life-guest.sh"; } >"$work/script"
  "$hosts/run-host" --timeout 600 --trees alpine-x86_64 --disk "$work/disk" --script "$work/script" "$1" >"$work/$2"
  status=$?
  if [ $status -eq 77 ]; then
    cat "$work/$2"
    exit 77
  fi
  grep -E '^(ok|not ok|#)' "$work/$2"
  if [ $status -ne 0 ] || ! grep -q "^# end of $2" "$work/$2"; then
    echo "not ok - $2: the guest comes to its end"
    tail -n 40 "$work/$2" | sed 's/^/# | /'
  fi
}

{
  boot 6.1 before
  boot 6.12 after
} | awk '
/^(not )?ok/ { failed += /^not/; sub(/ok/, "ok " ++cases); print; fflush(); next }
/^1\.\.0/ { print; skipped = 1; next }
{ print }
END { if (!skipped) printf "1..%d\n", cases; exit failed > 0 }'
