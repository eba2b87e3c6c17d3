#!/bin/sh
# Debian 13's kernel.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
boot_if_full --timeout 900 --tests hosts,run 6.12 vsyscall=none
