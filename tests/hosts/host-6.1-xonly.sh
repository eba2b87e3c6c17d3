#!/bin/sh
# Only the most telling tests (host-6.1.sh has all): the vsyscall page as most kernels serve it; more processors than a word has bits; zones on a tmpfs, which has neither user xattrs nor idmapped mounts here.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
boot_if_full --cpus 1 --timeout 600 --quick --state tmpfs 6.1 vsyscall=xonly cgroup_no_v1=all possible_cpus=96
