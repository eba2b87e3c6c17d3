#!/bin/sh
# The vsyscall page as most kernels serve it; zones on a tmpfs, which has neither user xattrs nor idmapped mounts here.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
boot_if_full --timeout 900 --state tmpfs 6.1 vsyscall=xonly cgroup_no_v1=all
