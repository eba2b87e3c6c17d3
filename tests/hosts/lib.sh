# shellcheck shell=sh
# For the host-*.sh: which boots the suite makes, and when.
#
#   boot [OPTION...] KERNEL [PARAMETER...]    always; replaces the script
#   boot_if_full ...                          only when everything is tested

hosts=$(cd "$(dirname "$0")" && pwd -P)

boot () {
  exec "$hosts/run-host" "$@"
}

boot_if_full () {
  if [ -z "${BRANDZONE_TEST_FULL:-}" ]; then
    echo 'set BRANDZONE_TEST_FULL=1 to boot this kernel (./quickstart test --full)'
    exit 77
  fi
  boot "$@"
}
