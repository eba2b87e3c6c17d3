#!/bin/sh
# Real distributions, unchanged: their own programs run, as the host's root and as a plain user; what
# differs between the two is listed. Beside them, where it differs, what plain chroot does.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
begin

# By plain chroot, with /proc, as people did it.
# shellcheck disable=SC2317 # `run` calls it
by_chroot () {
  unshare --mount sh -c 'mount -t proc proc "$0/proc" 2>/dev/null
    cd "$0" && exec env -i PATH=/bin:/usr/bin:/sbin:/usr/sbin HOME=/root chroot "$0" "$@"' "$@"
}

# in_zone NAME PATTERN COMMAND...: runs in the zone $zone; status 0 and a line like the pattern. What it printed is
# kept, for the differences between the users.
in_zone () {
  name=$1
  pattern=$2
  shift 2
  run bz -q run "$zone" -- "$@"
  printf '%s\n' "$out" >"$tmp/seen/$zone.$(printf '%s' "$name" | tr -c 'a-zA-Z0-9\n' _).$who"
  if [ "$status" != 0 ]; then
    not_ok "$zone: $name"
    explain_run
  else
    like "$zone: $name" "$out" "$pattern"
  fi
}

# start_tree ZONE TREE: installs it under the tree's name.
start_tree () {
  zone=$1
  zone "$1" "$2"
}

end_tree () {
  run bz -q remove "$zone"
  is "$zone: removed" "$status" 0
}

# procps 2.0 of Slackware 4.0 with what changes all the time.
figures () {
  run bz -q run slackware -- /bin/bash -c 'cat /proc/uptime /proc/stat; cat /proc/cpuinfo | grep -c "^processor"'
  is 'slackware: all processors are one (O9)' "$(printf '%s\n' "$out" | tail -n 1)" 1
  is 'slackware: and its time by the uptime is the rate of the clock' \
    "$(printf '%s\n' "$out" | awk 'NR == 1 { up = $1 } $1 == "cpu" { printf "%.0f", ($2 + $3 + $4 + $5) / up }')" 100
  for command in '/bin/ps ax' /bin/free /usr/bin/uptime; do
    # shellcheck disable=SC2086 # words
    run bz -q run slackware -- $command
    unlike "slackware: $command: the rate is known (O9)" "$err" 'HZ'
  done
  in_zone 'vmstat (O9)' '^ +[0-9]+ .* [0-9]+$' /usr/bin/vmstat 1 2
  is 'slackware: vmstat looked twice' "$(printf '%s\n' "$out" | grep -c '^ *[0-9]')" 2
  run bz -q run slackware -- /bin/bash -c 'read a </proc/stat; while read b </proc/stat && [ "$a" = "$b" ]; do :; done; echo on'
  is 'slackware: the figures go on' "$out" on
  # Who holds thousands open is refused (ENFILE), for that is no memory of the zone's; afterwards it goes on.
  run bz -q run slackware -- /usr/bin/python -c '
import os, string
hold, end = os.pipe()
told, tell = os.pipe()
for i in range(5):
    if os.fork() == 0:
        os.close(end)
        files = []
        try:
            while 1:
                files.append(open("/proc/stat"))
        except IOError, why:
            os.write(tell, "%d " % why[0])
        os.read(hold, 1)
        os._exit(0)
text = ""
while len(string.split(text)) < 5:
    text = text + os.read(told, 100)
print text
os.close(end)
for i in range(5):
    os.wait()
print open("/proc/stat").readline()[:4]'
  like 'slackware: too many readers are refused' "$out" '(^| )23 '
  like 'slackware: and the next one is not' "$out" '^cpu '
  run bz -q run --disable-row O9 slackware -- /usr/bin/vmstat 1 2
  is 'slackware: O9 disabled: vmstat dies of SIGSEGV' "$status" 139
  run bz -q run --disable-row O9 slackware -- /bin/cat /proc/stat
  like 'slackware: O9 disabled: the host'"'"'s figures' "$out" '^softirq '
}

slackware () {
  start_tree slackware slackware-4.0 || return 0
  if [ "$who" = root ]; then
    # The kernels of many hosts start the heap page-aligned: then libc 5 does not find it.
    run by_chroot "$tree" /bin/bash -c 'echo hello'
    case $status in
      0) skip 'slackware: by plain chroot bash has no memory (E30)' 'this host'"'"'s kernel starts the heap at the end of bss' ;;
      *) like 'slackware: by plain chroot bash has no memory (E30)' "$err" 'Out of virtual memory!' ;;
    esac
  fi
  in_zone 'bash' '^hello 1\.14' /bin/bash -c 'echo hello $BASH_VERSION'
  in_zone 'uname' '^Linux slackware 2\.2\.6 ' /bin/uname -a
  in_zone 'find' '^/etc/passwd$' /usr/bin/find /etc -name passwd
  in_zone 'df' '^Filesystem' /bin/df /
  in_zone 'df without /etc/mtab (B16)' '^/?[a-z].*% +/$' /bin/df
  in_zone 'ps (O8)' ' 2 .*/bin/ps ax' /bin/ps ax
  in_zone 'free (O8)' '^Mem: +[1-9]' /bin/free
  in_zone 'lsmod' '^Module ' /sbin/lsmod
  in_zone 'python 1.5' '^1\.5.* 1024$' /usr/bin/python -c 'import sys; print sys.version[:5], 2 ** 10'
  in_zone 'bc' '^1267650600228229401496703205376$' /bin/bash -c 'echo "2 ^ 100" | bc'
  # Everything that gcc 2.7.2 starts: cpp, cc1, as, ld; then its program; then make.
  in_zone 'gcc 2.7.2 compiles a program, which runs' '^made by 2\.7' /bin/bash -c '
    cd /tmp && cat >hello.c <<END
#include <stdio.h>
int main (void) { printf ("made by %d.%d\n", __GNUC__, __GNUC_MINOR__); return 0; }
END
    gcc -O2 -o hello hello.c && ./hello'
  in_zone 'make' '^made by 2\.7' /bin/bash -c 'cd /tmp && rm -f hello && make hello >/dev/null && ./hello'
  in_zone 'tar and gzip' '^etc/passwd$' /bin/bash -c 'cd / && tar cf - etc/passwd | gzip | gzip -d | tar tf -'
  # A set-uid program loses ADDR_NO_RANDOMIZE, and so does what it starts: the heap is moved for them.
  in_zone 'su, and the shell under it' '^uid=65534\(nobody\)' /bin/su nobody -c id
  in_zone 'a set-uid shell' 'euid=0' /bin/bash -c '
    cp /bin/bash /tmp/root-bash && chmod 4755 /tmp/root-bash && su nobody -c "/tmp/root-bash -c id"'
  # Nor has it to ask more often where any signal interrupts its wait (Linux before 5.19).
  run bz -q run --stats slackware -- /bin/su nobody -c id
  calls=$(printf '%s' "$err" | sed -n 's/.*\(brk [0-9]*\).*; passed on: .*\(brk [0-9]*\).*/\1, \2/p')
  run bz -q run --stats --without wait-killable slackware -- /bin/su nobody -c id
  like 'su without killable waits' "$out" '^uid=65534\(nobody\)'
  is 'su without killable waits: its calls of brk' \
    "$(printf '%s' "$err" | sed -n 's/.*\(brk [0-9]*\).*; passed on: .*\(brk [0-9]*\).*/\1, \2/p')" "$calls"
  run bz -q run --disable-row E30 slackware -- /bin/bash -c 'echo hello'
  like 'slackware: E30 disabled: out of memory again' "$err" 'Out of virtual memory!'
  # ld-linux.so.1 clears the flag: the programs that this one starts have their heap elsewhere.
  run bz -q run --disable-row E31 slackware -- /bin/bash -c '/bin/bash -c "echo hello"; true'
  like 'slackware: E31 disabled: child programs are out of memory' "$err" 'Out of virtual memory!'
  run bz -q run --disable-row O8 slackware -- /bin/ps ax
  like 'slackware: O8 disabled: ps dies' "$err" 'Signal 11'
  if bz doctor 2>/dev/null | grep -q '^fuse  *yes'; then
    figures
  else
    skip 'slackware: figures of the machine (O9)' 'fuse: this user can'"'"'t open /dev/fuse'
  fi
  run bz -q run --without fuse slackware -- /bin/free
  like 'slackware: without fuse free has the figures of the start (O8)' "$out" '^Mem: +[1-9]'
  run bz -q run --disable-row B16 slackware -- /bin/df
  like 'slackware: B16 disabled: df has no list' "$err" 'cannot read table of mounted'
  run bz -q run --disable-row E6 slackware -- /bin/uname -r
  is 'slackware: E6 disabled: the host'"'"'s release' "$out" "$(uname -r)"
  end_tree
}

centos6 () {
  start_tree centos6 centos-6.8 || return 0
  # The first start without the row leaves the lists in the tree.
  run bz -q run --disable-row B15 centos6 -- /sbin/modprobe foo
  like 'centos6: B15 disabled: modprobe misses its list' "$err" 'modules.dep: No such file'
  in_zone 'bash' '^hello 4\.1' /bin/bash -c 'echo hello $BASH_VERSION'
  in_zone 'uname' '^2\.6\.32-.*\.el6\.x86_64$' /bin/uname -r
  in_zone 'python 2.6' '^2\.6\.6 2\.6\.32' /usr/bin/python -c \
    'import sys, os; print sys.version.split()[0], os.uname()[2]'
  in_zone 'python looks at the time' '^True$' /usr/bin/python -c 'import time; print time.time() > 1e9'
  in_zone 'rpm' '^RPM version 4\.8' /bin/rpm --version
  in_zone 'rpm -qa' '^done$' /bin/bash -c 'rpm -qa && echo done'
  in_zone 'ps' ' 1 .*init' /bin/bash -c 'ps ax; true'
  in_zone 'open files are limited (O5)' '^1024 4096$' /bin/bash -c 'echo $(ulimit -Sn) $(ulimit -Hn)'
  in_zone 'date' '^20[0-9][0-9]$' /bin/date +%Y
  in_zone 'df' '% +/$' /bin/df
  in_zone 'depmod and modprobe know that there is no module' '^Module foo not found' \
    /bin/bash -c 'depmod -a && ls /lib/modules/$(uname -r)/modules.dep && ! modprobe foo 2>/tmp/said && cut -d" " -f2- /tmp/said'
  in_zone 'no SELinux, no command line and no disk of the host' '^3 0 root=/dev/root ro$' /bin/bash -c \
    'echo $(grep -cE "proc|tmpfs|ext3" /proc/filesystems) $(grep -c selinuxfs /proc/filesystems) $(cat /proc/cmdline) $(sed 1,2d /proc/partitions)'
  in_zone '/dev/MAKEDEV' '^/sbin/MAKEDEV$' /bin/readlink /dev/MAKEDEV
  run bz -q run --disable-row B7 centos6 -- /bin/cat /proc/filesystems /proc/cmdline
  is 'centos6: B7 disabled: the host'"'"'s own' "$out" "$(cat /proc/filesystems /proc/cmdline)"
  # The symptom of O5 is time: a loop over every descriptor that might be open.
  start=$(date +%s)
  run bz -q run centos6 -- /usr/bin/python -c \
    'import subprocess; subprocess.Popen(["true"], close_fds=True).wait()'
  is 'centos6: closing every descriptor is quick (O5)' "$status $(($(date +%s) - start < 3))" '0 1'
  run bz -q run --disable-row O5 centos6 -- /bin/bash -c 'ulimit -Hn'
  is 'centos6: O5 disabled: the caller'"'"'s limit' "$out" "$(awk '/^Max open files/ { print $5 }' /proc/self/limits)"
  end_tree
}

alpine () {
  for arch in x86 x86_64; do
    start_tree "alpine-$arch" "alpine-$arch" || continue
    case $arch in x86) machine='i[3-6]86' ;; *) machine=x86_64 ;; esac
    in_zone 'sh' '^42$' /bin/sh -c 'echo $((6 * 7))'
    in_zone 'uname -m' "^$machine\$" uname -m
    in_zone 'apk' '^apk-tools 2\.7' apk --version
    in_zone 'installed packages' '^musl' apk info
    in_zone 'find' '^/etc/alpine-release$' find /etc -name alpine-release
    end_tree
  done
}

basiclinux () {
  start_tree basiclinux basiclinux || return 0
  in_zone 'bash 1.14' '^hello 1\.14' /bin/sh -c 'echo hello $BASH_VERSION'
  in_zone 'mount --version' 'mount-2\.10' /bin/mount --version
  in_zone 'release' '^2\.2\.16$' /bin/sh -c 'read a b release c </proc/version; echo $release'
  end_tree
}

bullseye () {
  start_tree bullseye bullseye-i386 || return 0
  in_zone 'bash' '^hello 5\.1' /bin/bash -c 'echo hello $BASH_VERSION'
  in_zone 'uname' '^5\.10\.0-.* i686$' uname -rm
  in_zone 'dpkg' '^ii  bash' dpkg -l bash
  in_zone 'apt-get' '^apt 2\.2' apt-get --version
  in_zone 'perl' '^5\.032' perl -e 'print "$]\n"'
  in_zone 'a temporary file of another owner' ' daemon ' /bin/sh -c 'touch /tmp/f && chown daemon /tmp/f && ls -l /tmp/f'
  in_zone 'dpkg --audit' '^clean$' /bin/sh -c 'dpkg --audit && echo clean'
  end_tree
}

# The others of the collection: their shell, and that they are told a release of their time.
others () {
  for arch in i386 x86_64; do
    if start_tree "cirros-$arch" "cirros-$arch"; then
      in_zone 'sh' '^42$' /bin/sh -c 'echo $((6 * 7))'
      in_zone 'uname' '^Linux cirros' uname -a
      end_tree
    fi
  done
  if start_tree fedora-core2 fedora-core2; then
    in_zone 'bash 2.05b' '^hello 2\.05b' /bin/bash -c 'echo hello $BASH_VERSION'
    in_zone 'uname' '^2\.[46]\.' /bin/uname -r
    in_zone 'ls' '^bin$' /bin/ls /
    run bz run --stats fedora-core2 -- /bin/ls /
    like 'fedora-core2: its libpthread'"'"'s _sysctl is answered (E33)' "$err" '_sysctl [0-9]'
    end_tree
  fi
  if start_tree docker-busybox docker-busybox; then
    in_zone 'sh' '^42$' /bin/sh -c 'echo $((6 * 7))'
    in_zone 'date' '^20' date +%Y
    end_tree
  fi
  if start_tree kaios kaios; then
    in_zone 'sh' '^42$' /bin/sh -c 'echo $((6 * 7))'
    in_zone 'busybox uname' '^[23]\.' /bin/busybox uname -r
    in_zone 'static busybox date' '^20' /bin/busybox date +%Y
    end_tree
  fi
  if start_tree centos5 centos5; then
    in_zone 'date on glibc 2.5' '^20' /bin/date +%Y
    in_zone 'echo' '^hello$' /bin/echo hello
    end_tree
  fi
  if start_tree rhel7 rhel7; then
    in_zone 'bash 4.2' '^hello 4\.2' /bin/bash -c 'echo hello $BASH_VERSION'
    in_zone 'uname' '^3\.10\.0' /bin/uname -r
    in_zone 'ls' '^bin$' /bin/ls /
    end_tree
  fi
  if start_tree uclibc-2005 uclibc-2005; then
    in_zone 'gzip' '^gzip 1\.3' /bin/gzip --version
    in_zone 'nasm' 'NASM version 0\.98' /bin/nasm -v
    end_tree
  fi
}

# What root and a plain user saw differently. Not a failure: a table for the reader.
differences () {
  diag 'differences between the zones of root and of a plain user:'
  for file in "$tmp"/seen/*.root; do
    [ -f "$file" ] || continue
    other=${file%.root}.user
    [ -f "$other" ] || continue
    if ! cmp -s "$file" "$other"; then
      diag "$(basename "${file%.root}"):"
      diff "$file" "$other" | sed -n -e 's/^</#   root: /p' -e 's/^>/#   user: /p' | head -n 6
    fi
  done
}

mkdir "$tmp/seen"
for who in $users; do
  if [ "$who" = user ] && ! plain_users_work; then
    skip 'real trees in a plain user'"'"'s zones' 'newuidmap, setpriv or unprivileged user namespaces are missing'
    continue
  fi
  slackware
  centos6
  alpine
  basiclinux
  bullseye
  others
done
differences
finish
