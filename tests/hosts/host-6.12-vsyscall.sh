#!/bin/sh
# Every old x86-64 program of e2e/vsyscall.sh without a vsyscall page, where text of others can't be written through /proc.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
BRANDZONE_GUEST_TOOLS=gdb
export BRANDZONE_GUEST_TOOLS
boot_if_full --timeout 1100 --tests vsyscall 6.12 vsyscall=none proc_mem.force_override=never
