#!/bin/sh
# Debian 12's kernel as it comes: no vsyscall page, no sync wake-up. The one boot that every test run makes.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
boot --quick 6.1 vsyscall=none
