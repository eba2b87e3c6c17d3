#!/bin/sh
# Only the most telling tests: a kernel that runs no 32-bit programs (ia32_emulation=0 came with 6.7).
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
boot_if_full --cpus 1 --timeout 600 --quick 6.12 ia32_emulation=0
