# The second stage of an installation from RPM packages, run inside the zone by its own /bin/sh as
# root. $1: the directory of the packages. rpm orders them by itself; --percent has been there since
# rpm 2.5.
set -e
cd "$1"
mkdir -p /var/lib/rpm /var/tmp /tmp
rpm --initdb
rpm -U --percent ./*.rpm
