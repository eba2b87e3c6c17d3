# The second stage of an installation from Debian packages, run inside the zone by its own /bin/sh as
# root. $1: the directory of the packages; ../seed there names those that are unpacked already. The
# order is that of debootstrap.
set -e
cd "$1"
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
DEBIAN_FRONTEND=noninteractive
DEBCONF_NONINTERACTIVE_SEEN=true
LC_ALL=C
export PATH DEBIAN_FRONTEND DEBCONF_NONINTERACTIVE_SEEN LC_ALL

mkdir -p /var/lib/dpkg/info /var/lib/dpkg/updates /var/lib/dpkg/alternatives /var/lib/dpkg/parts
if [ ! -s /var/lib/dpkg/status ]; then
  dpkg=$(echo dpkg_*.deb)
  version=${dpkg#dpkg_}
  printf 'Package: dpkg\nVersion: %s\nMaintainer: unknown\nStatus: install ok installed\n' \
    "${version%%_*}" >/var/lib/dpkg/status
  : >/var/lib/dpkg/available
fi
[ -e /etc/fstab ] || echo '# UNCONFIGURED FSTAB FOR BASE SYSTEM' >/etc/fstab
[ -e /usr/bin/awk ] || [ ! -e /usr/bin/mawk ] || ln -sf mawk /usr/bin/awk

# What a crash leaves is thrown away: no fsync after each file, where dpkg can do without.
fast=
if /usr/bin/dpkg --force-help 2>/dev/null | grep unsafe-io >/dev/null; then fast=--force-unsafe-io; fi

core () {
  for file in "$1"_*.deb; do
    if [ -e "$file" ]; then /usr/bin/dpkg $fast --force-depends --install "$file"; fi
  done
}

# Services are not started.
printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
chmod 755 /usr/sbin/policy-rc.d

core base-passwd
core base-files
core dpkg
[ -e /etc/localtime ] || ln -sf /usr/share/zoneinfo/UTC /etc/localtime
core libc6
core perl-base
if [ "$(readlink /usr/bin/awk)" = mawk ]; then rm -f /usr/bin/awk; fi
core mawk
core debconf

xargs /usr/bin/dpkg $fast --force-depends --unpack <../seed
/usr/bin/dpkg $fast --configure --pending --force-configure-any --force-depends

rest=
for file in *.deb; do
  grep -Fx -e "$file" ../seed >/dev/null || rest="$rest $file"
done
if [ -n "$rest" ]; then
  # shellcheck disable=SC2086 # names without blanks
  /usr/bin/dpkg $fast --force-depends --force-overwrite --force-confold --skip-same-version --unpack $rest
fi
/usr/bin/dpkg $fast --force-confold --configure -a
rm -f /usr/sbin/policy-rc.d
