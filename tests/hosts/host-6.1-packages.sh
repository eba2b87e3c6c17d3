#!/bin/sh
# Packages inside, by rpm 4.8 and dpkg 1.20, where the hard limit of open files is 2^30 (row O5).
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
boot_if_full --cpus 1 --timeout 1500 --trees centos-6.8,bullseye-i386,old-packages-few --tests old-packages 6.1 vsyscall=none
