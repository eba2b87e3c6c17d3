#!/bin/sh
# Packages inside: made here (tests/trees/make-old-packages), installed, verified, upgraded, removed by the zones'
# own old package managers, rpm 4.8 of CentOS 6.8 and dpkg 1.20 of Debian bullseye, as root and as a plain user: scriptlets,
# triggers, set-uid files, capabilities, odd owners, accounts, diversions, alternatives, devices. Where the host's hard
# limit of open files is 2^30 (tests/hosts), it is O5's test too.
#
# By default 12 packages, rpm as a plain user and dpkg as root; with BRANDZONE_TEST_FULL 54, both as both, and
# in a zone with one id.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
begin
limit=120

if [ -n "${BRANDZONE_TEST_FULL:-}" ]; then
  made=old-packages
  count=54
else
  made='old-packages-few'
  count=12
fi

# What the scripts in the zone share: TAP.
# shellcheck disable=SC2317 # called by the name that is made below
write_common () {
  cat >"$tmp/common.sh" <<'END'
cases=0
is () {
  cases=$((cases + 1))
  if [ "$2" = "$3" ]; then
    echo "ok $cases - $1"
  else
    echo "not ok $cases - $1"
    printf '%s\n' "expected: $3" "got: $2" | sed 's/^/# /'
  fi
}
# ran WORDS: how often a scriptlet was called so, of all packages.
ran () {
  cut -d ' ' -f 1,3- /var/lib/bz/log 2>/dev/null | grep -cx "$1"
}
# owners FILE...: mode, owner and group.
owners () {
  for file in "$@"; do stat -c '%a %U %G' "$file"; done
}
count=$1
END
}

# shellcheck disable=SC2317 # called by the name that is made below
write_rpm () {
  cat >"$tmp/rpm.sh" <<'END'
. /scripts/common.sh
# Each file that verification has something to say of, with what it says.
verify () {
  rpm -Va 2>&1 | sort
}
# In a plain user's zone a node has no device, but where nodes are remembered.
device='...D.....    /opt/bz/null'
case $2 in root | alone) device= ;; esac
rpm --initdb
cd /packages/rpm/1.0
is 'rpm -i' "$(rpm -i bz-*.rpm 2>&1; echo $?)" 0
is 'all of them are there' "$(rpm -qa 'bz-*' | wc -l)" $((count + 2))
is 'rpm -Va has nothing to say but of the device (S17)' "$(verify)" "$device"
is 'every scriptlet ran' "$(ran 'pre 1') $(ran 'post 1')" "$count $count"
is 'set-uid and set-gid' "$(owners /opt/bz/01/suid /opt/bz/01/sgid)" '4755 root root
2755 root mail'
is 'capabilities' "$(getcap /opt/bz/02/caps)" '/opt/bz/02/caps = cap_net_raw+ep'
is 'odd owners' "$(owners /opt/bz/03/owned /opt/bz/03/spool /opt/bz/03/both)" '640 daemon mail
770 nobody nobody
4710 uucp bin'
is 'an account of the package' "$(owners /opt/bz/05/account /opt/bz/05/act)" '600 acc05 acc05
6755 acc05 daemon'
chown games /opt/bz/01/suid
is 'verification sees a changed owner, and the set-uid bit that chown took' "$(rpm -V bz-01)" '.M...U...    /opt/bz/01/suid'
rpm --setperms bz-01; rpm --setugids bz-01; rpm --setperms bz-01
is 'rpm puts it back' "$(rpm -V bz-01)" ''
echo changed >>/etc/bz/06.conf
cd ../2.0
is 'rpm -U' "$(rpm -U bz-*.rpm 2>&1; echo $?)" 'warning: /etc/bz/06.conf created as /etc/bz/06.conf.rpmnew
0'
is 'only what the user changed differs' "$(verify)" "${device:+$device
}S.5....T.  c /etc/bz/06.conf"
is 'the old files are gone, the new ones here' "$(find /opt/bz -name old | wc -l) $(find /opt/bz -name new | wc -l)" "0 $count"
is 'every scriptlet of the upgrade ran' "$(ran 'pre 2') $(ran 'post 2') $(ran 'preun 1') $(ran 'postun 1')" "$count $count $count $count"
is 'triggers ran' "$(test "$(ran 'trigger 1 1')" -gt 0 && echo yes)" yes
is 'rpm -e' "$(rpm -e $(rpm -qa 'bz-*') 2>&1; echo $?)" 'warning: /etc/bz/06.conf saved as /etc/bz/06.conf.rpmsave
0'
is 'every last scriptlet ran' "$(ran 'preun 0') $(ran 'postun 0')" "$count $count"
is 'nothing is left' "$(find /opt/bz /etc/bz -type f | sort)" '/etc/bz/06.conf.rpmnew
/etc/bz/06.conf.rpmsave'
is 'the database is empty and whole' "$(rpm -qa; rpmdb --verifydb /var/lib/rpm/Packages 2>&1; echo $?)" 0
echo "1..$cases"
END
}

# shellcheck disable=SC2317 # called by the name that is made below
write_dpkg () {
  cat >"$tmp/dpkg.sh" <<'END'
. /scripts/common.sh
export DEBIAN_FRONTEND=noninteractive
# quietly COMMAND...: its output only when it fails.
quietly () {
  "$@" >/tmp/said 2>&1 || { cat /tmp/said; return 1; }
}
cd /packages/deb/1.0
is 'dpkg -i' "$(quietly dpkg -i ./*.deb; echo $?)" 0
is 'all of them are there' "$(dpkg-query -W -f '${Status}\n' 'bz-*' | grep -c '^install ok installed$')" $((count + 1))
is 'dpkg -V has nothing to say' "$(dpkg -V 2>&1)" ''
is 'nor dpkg --audit' "$(dpkg --audit)" ''
is 'every script ran' "$(ran 'preinst install') $(ran 'postinst configure')" "$count $count"
is 'set-uid and set-gid' "$(owners /opt/bz/01/suid /opt/bz/01/sgid)" '4755 root root
2755 root mail'
is 'odd owners' "$(owners /opt/bz/03/owned /opt/bz/03/spool /opt/bz/03/both)" '640 daemon mail
770 nobody nogroup
4710 uucp bin'
is 'an account of the package, and a stat-override' "$(owners /opt/bz/05/account /opt/bz/05/act)" '600 acc05 acc05
6755 acc05 daemon'
is 'a diversion' "$(cat /opt/bz/base-01 /opt/bz/base-01.real)" "the other's
base's own"
is 'an alternative' "$(readlink /etc/alternatives/bz-tool)" "/opt/bz/$count/link"
echo changed >>/etc/bz/06.conf
cd ../2.0
is 'dpkg -i of the next version' "$(quietly dpkg --force-confold -i ./*.deb; echo $?)" 0
is 'only what the user changed differs' "$(dpkg -V)" '??5?????? c /etc/bz/06.conf'
is 'the old files are gone, the new ones here' "$(find /opt/bz -name old | wc -l) $(find /opt/bz -name new | wc -l)" "0 $count"
is 'the stat-override holds' "$(owners /opt/bz/05/act)" '6755 acc05 daemon'
is 'every script of the upgrade ran' "$(ran 'prerm upgrade') $(ran 'postrm upgrade') $(ran 'preinst upgrade')" "$count $count $count"
is 'dpkg -r' "$(quietly dpkg -r $(dpkg-query -W -f '${Package}\n' 'bz-*'); echo $?)" 0
is 'configuration stays' "$(test -e /opt/bz || cat /etc/bz/06.conf)" 'setting=1.0
changed'
is 'dpkg -P' "$(quietly dpkg -P $(dpkg-query -W -f '${Package}\n' 'bz-??'); echo $?)" 0
is 'nothing is left' "$(find /opt/bz /etc/bz /usr/bin/bz-tool 2>/dev/null; dpkg --audit)" ''
is 'every last script ran' "$(ran 'prerm remove') $(ran 'postrm purge')" "$count $count"
echo "1..$cases"
END
}

# kernel_package RELEASE: a package of a kernel as the distribution's are, of the zone's own release.
# shellcheck disable=SC2317 # called by `ok`
kernel_package () {
  mkdir -p "$tmp/kernel/root/lib/modules/$1/kernel/fs"
  echo module >"$tmp/kernel/root/lib/modules/$1/kernel/fs/bz.ko"
  echo 'kernel/fs/bz.ko:' >"$tmp/kernel/root/lib/modules/$1/modules.dep"
  cat >"$tmp/kernel/spec" <<END
%define _binary_payload w6.gzdio
%define _binary_filedigest_algorithm 1
%define __os_install_post %{nil}
%define debug_package %{nil}
%define _use_internal_dependency_generator 0
%define __find_requires %{nil}
%define __find_provides %{nil}
Name: bz-kernel
Summary: a kernel
License: none
Version: 1
Release: 1
BuildArch: noarch
%description
Test.
%files
%defattr(-,root,root)
/lib/modules/$1
END
  rpmbuild --quiet -bb --define "_topdir $tmp/kernel/top" --define "_rpmdir $tmp/kernel" --buildroot "$tmp/kernel/root" \
    --define '__spec_install_pre %{nil}' --define '__spec_clean_cmd true' --noclean \
    --define "_dbpath $tmp/kernel/db" "$tmp/kernel/spec" >"$tmp/kernel/log" 2>&1 || { diag "$(tail -n 5 "$tmp/kernel/log")"; return 1; }
  chmod -R a+rX "$tmp/kernel"
}

# B15: what a kernel's package installs is there at the next start.
kernels () {
  command -v rpmbuild >/dev/null || { skip 'a package of a kernel' 'rpmbuild is missing'; return 0; }
  zone k6 centos-6.8 || return 0
  run bz -q run k6 -- /bin/sh -c 'uname -r; ls -A /lib/modules; find /lib/modules/*/ -type f ! -size 0'
  release=$(printf '%s\n' "$out" | head -n 1)
  is 'the lists of the own release are there, empty, and no other' "$out" "$release
$release"
  ok 'a package is made' kernel_package "$release" || return 0
  run bz -q run -v "$tmp/kernel/noarch:/packages:ro" k6 -- /bin/sh -c 'rpm -i --nodeps /packages/*.rpm && rpm -V --nodeps bz-kernel && depmod -a; echo $?'
  is 'rpm installs modules of the own release' "$out" 0
  # shellcheck disable=SC2016 # for the zone's shell
  run bz -q run k6 -- /bin/sh -c 'cat /lib/modules/$(uname -r)/kernel/fs/bz.ko; rpm -q bz-kernel'
  is 'they are there at the next start' "$out" 'module
bz-kernel-1-1.noarch'
  # shellcheck disable=SC2016 # for the zone's shell
  run bz -q run k6 -- /bin/sh -c 'rpm -e bz-kernel; echo $?; ls /lib/modules/$(uname -r)/kernel /lib/modules/$(uname -r)/modules.dep 2>&1 | grep -c "No such"'
  is 'and gone with the package' "$out" '0
2'
  # shellcheck disable=SC2016 # for the zone's shell
  run bz -q run k6 -- /bin/sh -c 'ls /lib/modules/$(uname -r)/modules.dep; modprobe foo'
  like 'nothing is made where some of it is left' "$out$err" 'modules.dep'
  run bz -q remove k6
}

# inside ZONE TREE SCRIPT: in a zone of the current user.
inside () {
  zone "$1" "$2" || return 0
  # shellcheck disable=SC2086 # a word or none
  run bz -q run ${owners:-} -v "$packages_tree:/packages:ro" -v "$tmp/scripts:/scripts:ro" "$1" -- /bin/sh "/scripts/$3.sh" "$count" "$who"
  take_tap "$2: $3"
  run bz -q remove "$1"
}

rpms () {
  if [ ! -d "$packages_tree/rpm" ]; then
    skip 'packages of rpm' 'rpmbuild was missing when they were to be made (apt-get install rpm)'
    return 0
  fi
  inside c6 centos-6.8 rpm
  kernels
}

debs () {
  if [ ! -d "$packages_tree/deb" ]; then
    skip 'packages of dpkg' 'dpkg-deb was missing when they were to be made (apt-get install dpkg)'
    return 0
  fi
  inside bullseye bullseye-i386 dpkg
}

make_tree "$made" || { finish; }
packages_tree=$tree
mkdir "$tmp/scripts"
for script in common rpm dpkg; do
  write_$script
  mv "$tmp/$script.sh" "$tmp/scripts/"
done
chmod -R a+rX "$tmp/scripts"
# shellcheck disable=SC3045 # every sh that this may be has -H and -n
diag "the hard limit of open files here: $(ulimit -Hn)"
if [ "$users" = self ]; then kinds=self; else kinds="$users${BRANDZONE_TEST_FULL:+ alone}"; fi
for who in $kinds; do
  owners=
  if [ "$who" = alone ]; then owners=--remember-owners; fi
  if [ "$who" != root ] && ! plain_users_work; then
    skip 'packages in a plain user'"'"'s zone' 'newuidmap, setpriv or unprivileged user namespaces are missing'
    continue
  fi
  if [ -n "${BRANDZONE_TEST_FULL:-}" ] || [ "$who" != root ]; then rpms; fi
  if [ -n "${BRANDZONE_TEST_FULL:-}" ] || [ "$who" = root ]; then debs; fi
done
finish
