#!/bin/sh
# brandzone's units under a host's real systemd: start, reload, restart, stop, zones that come up and go down with
# the host. Two boots with one disk.
# shellcheck disable=SC2317 # the trap calls it
hosts=$(cd "$(dirname "$0")" && pwd -P)
if [ -z "${BRANDZONE_TEST_FULL:-}" ]; then
  echo 'set BRANDZONE_TEST_FULL=1 to boot these kernels (./quickstart test --full)'
  exit 77
fi
work=$(mktemp -d "${TMPDIR:-/tmp}/brandzone-units.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# boot KERNEL PART: in the guest; what it prints goes to $work/PART.
boot () {
  { echo "part=$2"; cat "$hosts/unit-guest.sh"; } >"$work/script"
  "$hosts/run-host" --timeout 900 --trees machine-systemd,alpine-x86_64 --disk "$work/disk" --script "$work/script" "$1" bz_host=machine-systemd \
    systemd.mask=serial-getty@ttyS0.service >"$work/$2"
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
  boot 6.12 first
  boot 6.12 second
} | awk '
/^(not )?ok/ { failed += /^not/; sub(/ok/, "ok " ++cases); print; fflush(); next }
/^1\.\.0/ { print; skipped = 1; next }
{ print }
END { if (!skipped) printf "1..%d\n", cases; exit failed > 0 }'
