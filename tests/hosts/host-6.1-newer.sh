#!/bin/sh
# A userland that is newer than the kernel: Debian trixie on Linux 6.1.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
boot_if_full --cpus 1 --full --timeout 1200 --trees trixie,alpine-x86_64,old-packages-few --tests newer 6.1 vsyscall=none
