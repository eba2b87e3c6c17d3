#!/bin/sh
# systemd as a zone's init where the kernel offers the unified hierarchy alone, also the version that needs the other.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
BRANDZONE_GUEST_TOOLS='ssh ssh-keygen'
export BRANDZONE_GUEST_TOOLS
boot_if_full --timeout 900 --full --trees bullseye-systemd --tests systemd 6.12 cgroup_no_v1=all
