#!/bin/sh
# Debian 12's kernel as it comes: no vsyscall page, no sync wake-up; only the most telling tests. A
# minute and a half on two busy CPUs: too long for every test run.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
boot_if_full --quick 6.1 vsyscall=none
