#!/bin/sh
# Every old x86-64 program of e2e/vsyscall.sh without a vsyscall page, under the oldest kernel that many run.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
BRANDZONE_GUEST_TOOLS=gdb
export BRANDZONE_GUEST_TOOLS
boot_if_full --timeout 1100 --tests vsyscall 6.1 vsyscall=none
