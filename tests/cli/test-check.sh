#!/bin/sh
# `brandzone check` over real trees, unchanged: which rows it foretells, and whether they are covered. Nothing
# is run, so that any user may do it on any host.
set -u

: "${BRANDZONE:?is the program under test}" "${BRANDZONE_SRCDIR:?}"
: "${BRANDZONE_USERLANDS:=$BRANDZONE_SRCDIR/../shared/userlands}"
export BRANDZONE BRANDZONE_USERLANDS

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cases=0
failures=0

ok () {
  cases=$((cases + 1))
  echo "ok $cases - $1"
}

not_ok () {
  cases=$((cases + 1))
  failures=$((failures + 1))
  echo "not ok $cases - $1"
  sed 's/^/# /' "$tmp/out" "$tmp/err"
}

skip () {
  cases=$((cases + 1))
  echo "ok $cases - $1 # SKIP $2"
}

# check STATUS NAME ARGUMENT...: runs it.
check () {
  wanted=$1
  name=$2
  shift 2
  "$BRANDZONE" check "$@" >"$tmp/out" 2>"$tmp/err"
  status=$?
  if [ "$status" = "$wanted" ]; then ok "$name: status $wanted"; else not_ok "$name: status $status, not $wanted"; fi
}

# says PATTERN, says_not PATTERN: of the last run.
says () {
  if grep -Eq -- "$1" "$tmp/out" "$tmp/err"; then ok "$name: /$1/"; else not_ok "$name: /$1/"; fi
}

says_not () {
  if grep -Eq -- "$1" "$tmp/out" "$tmp/err"; then not_ok "$name: not /$1/"; else ok "$name: not /$1/"; fi
}

# tree NAME: the path of a tree of tests/trees/make-tree, or a skip.
tree () {
  tree=$(sh "$BRANDZONE_SRCDIR/tests/trees/make-tree" "$1" 2>"$tmp/err") && return
  skip "$1" "$(tail -n 1 "$tmp/err")"
  return 1
}

# unpack NAME ARCHIVE...: into $tmp/NAME.
unpack () {
  tree=$tmp/$1
  mkdir "$tree"
  shift
  for archive in "$@"; do
    if [ ! -r "$BRANDZONE_USERLANDS/$archive" ]; then
      skip "$archive" "$BRANDZONE_USERLANDS/$archive is missing (set BRANDZONE_USERLANDS)"
      return 1
    fi
    tar -C "$tree" --no-same-owner --exclude='dev/*' --exclude='./dev/*' --warning=no-alone-zero-block \
      -xf "$BRANDZONE_USERLANDS/$archive" || return 1
  done
}

if tree centos-6.8; then
  check 0 'CentOS 6.8' "$tree"
  says '^E1 +covered .*lib64/libc-2\.12\.so'
  says_not '0x9c904'
  check 0 'CentOS 6.8, each rewrite with its reason' "$tree" -v
  says '^ +0x9c904, 9 bytes: calls time\(\) of the vsyscall page through %rax'
  says '^ +0x1eb78, left alone \(movq .*\): chosen by a conditional move'
  check 0 'CentOS 6.8 again' "$tree"
  says 'sbin/insmod\.static|and [0-9]+ more'
  says_not '^E12|^E30'
  check 0 'bash of CentOS 6.8, by its libraries' "$tree/bin/bash"
  says '^E1 +covered '
  check 1 'CentOS 6.8, no vsyscall page and no rewriting' --without vsyscall --disable-row E1 "$tree"
  says '^E1 +not covered '
  check 1 'CentOS 6.8 for an older kernel' --release 2.6.9 "$tree"
  says '^E5 +not covered .*2\.6\.18'
fi

if tree slackware-4.0; then
  check 1 'Slackware 4.0' "$tree"
  says '^E12 +not covered .*\(ZMAGIC\).*usr/bin/basic'
  says '^E12 +not covered .*\(QMAGIC\).*x286emul'
  says '^E14 +not covered '
  says '^E30 +covered .*bin/bash'
  says '^E18 +covered '
  says '^S2 +covered .*query_module'
  says '^S3 +covered .*bdflush.*sbin/update'
  says_not '^E1 '
  check 0 'bash of Slackware 4.0' "$tree/bin/bash"
  check 1 'bash of Slackware 4.0, E30 disabled' --disable-row E30 "$tree/bin/bash"
  says '^E30 +not covered '
  check 1 'Slackware 4.0 without IA32' --without ia32 "$tree"
  says '^E9 +not covered .*and [0-9]+ more'
  says_not '^E30'
fi

for abi in x86 x86_64; do
  if tree "alpine-$abi"; then
    check 0 "Alpine $abi" "$tree"
    says 'nothing stands in the way'
  fi
done

if tree cirros-x86_64; then
  check 0 'cirros without a vsyscall page, rewritten' --without vsyscall "$tree"
  says '^E1 +covered .*libpthread-0\.9\.33\.2\.so'
  check 1 'cirros without a vsyscall page' --without vsyscall --disable-row E1 "$tree"
  says '^E1 +not covered .*libpthread-0\.9\.33\.2\.so'
fi

if tree fedora-core2; then
  check 0 'Fedora Core 2' "$tree"
  says '^S1 +covered .*_sysctl.*libpthread'
fi

# glibc 2.17 holds the addresses only for kernels without a vDSO.
if tree rhel7; then
  check 0 'RHEL 7' --without vsyscall "$tree"
  says_not '^E1 '
fi

if unpack sls sls-1.02-libc4-aout/shlibs.tgz sls-1.02-libc4-aout/base.tgz sls-1.02-libc4-aout/bin.tgz; then
  check 1 'SLS 1.02' "$tree"
  says '^E12 +not covered .*\(OMAGIC\)'
  says '^E12 +not covered .*\(ZMAGIC\)'
  says '^E13 +not covered .*0x0'
  says '^E14 +not covered '
fi

if unpack arm foreign-arm-eabi-glibc2.5/mtdblock2.tar.xz; then
  check 1 'a tree for ARM' "$tree"
  says 'not covered .*another CPU \(ARM\).*bin/busybox'
fi

# The x bits of this one are lost: its libraries tell.
if unpack oabi foreign-arm-oabi-glibc2.3.6/gp2x-oabi.tar.xz; then
  check 1 'a tree of libraries for ARM' "$tree"
  says 'not covered .*another CPU \(ARM\)'
fi

# Hostile: links that lead out, a FIFO, an interpreter's name with an escape sequence.
mkdir -p "$tmp/odd/bin"
ln -s /etc "$tmp/odd/etc"
ln -s /etc/passwd "$tmp/odd/bin/passwd"
mkfifo "$tmp/odd/bin/fifo"
printf '#!/bin/\033[31mred\n' >"$tmp/odd/bin/red"
chmod 755 "$tmp/odd/bin/red"
check 0 'an odd tree' "$tmp/odd"
says 'interpreter /bin/\\x1b\[31mred does not exist.*bin/red'
says '^1 files'
check 8 'a FIFO' "$tmp/odd/bin/fifo"
echo text >"$tmp/text"
check 8 'no program' "$tmp/text"
says 'no program, library or script'
check 8 'a missing file' "$tmp/none"
if [ "$(id -u)" -ne 0 ]; then
  mkdir "$tmp/odd/closed"
  chmod 0 "$tmp/odd/closed"
  check 0 'a closed directory' "$tmp/odd"
  says '^brandzone: 1 files or directories could not be read'
  chmod 755 "$tmp/odd/closed"
fi

"$BRANDZONE" --json check "$tmp/odd" >"$tmp/out" 2>"$tmp/err"
if python3 -c 'import json, sys
report = json.load (open (sys.argv[1]))
assert report["schema"] == 1 and report["covered"] is True
assert report["findings"][0]["finding"] == "interpreter"
assert report["findings"][0]["files"] == ["bin/red"]' "$tmp/out" 2>>"$tmp/err"; then
  ok 'JSON'
else
  not_ok 'JSON'
fi

echo "1..$cases"
[ "$failures" -eq 0 ]
