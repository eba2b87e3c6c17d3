#!/bin/sh
# The same kernel, every tree and the end-to-end tests.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
boot_if_full --timeout 900 6.1 vsyscall=none
