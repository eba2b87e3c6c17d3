#!/bin/sh
# The same kernel, every tree, and what run and exec promise.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
boot_if_full --timeout 900 --tests hosts,run 6.1 vsyscall=none
