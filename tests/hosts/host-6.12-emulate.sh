#!/bin/sh
# Only the most telling tests (host-6.12.sh has all): the vsyscall page as kernels before 5.3 served it.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
boot_if_full --cpus 1 --timeout 600 --quick --state tmpfs 6.12 vsyscall=emulate cgroup_no_v1=all
