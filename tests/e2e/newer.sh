#!/bin/sh
# A newer userland on an older kernel: Debian trixie, whose glibc and tools know calls that Linux 6.1 lacks
# (fchmodat2, cachestat, statmount, mseal, setxattrat ...). A call that the host lacks is ENOSYS, never EPERM, and the
# C library goes on without it: threads, processes, archives, modes, its package manager. In tests/hosts on 6.1.
# By default only the calls, in a small zone; trixie with BRANDZONE_TEST_FULL.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
begin
first_user_only
limit=60

# What each release of Linux brought, by its number, for both ABIs.
newer='452:6.6:fchmodat2 451:6.5:cachestat 453:6.6:map_shadow_stack 454:6.7:futex_wake 457:6.8:statmount 462:6.10:mseal
463:6.13:setxattrat 464:6.13:getxattrat 467:6.15:open_tree_attr 468:6.17:file_getattr 900:99.0:unassigned'

# lacks MAJOR.MINOR: this kernel is older.
lacks () {
  uname -r | awk -F '[.-]' -v major="${1%.*}" -v minor="${1#*.}" '{ exit !($1 < major || $1 == major && $2 < minor) }'
}

calls () {
  lacking=
  for call in $newer; do
    number=${call%%:*}
    name=${call##*:}
    since=${call#*:}
    if lacks "${since%:*}"; then lacking="$lacking -$name:$number"; fi
  done
  for abi in x86_64 i386; do
    if [ ! -x "$guests/missing-$abi" ]; then continue; fi
    if [ $abi = i386 ] && masked ia32; then continue; fi
    for brand in native debian-bullseye; do
      # shellcheck disable=SC2086 # words
      run bz -q run --brand $brand -v "$guests:/guest:ro" z -- "/guest/missing-$abi" $lacking
      take_tap "$brand: what this kernel lacks is ENOSYS"
    done
  done
}

# carried_out BRAND [OPTION...]: fchmodat2 without flags, as a kernel that has it answers it.
carried_out () {
  for abi in x86_64 i386; do
    if [ ! -x "$guests/newer-$abi" ]; then continue; fi
    if [ $abi = i386 ] && masked ia32; then continue; fi
    run bz -q run --brand "$@" --stats -v "$guests:/guest:ro" z -- \
      /bin/sh -c 'd=$(mktemp -d /tmp/XXXXXX) && chmod 755 $d && "$0" $d' "/guest/newer-$abi"
    take_tap "$*: newer"
  done
}

# What an older call does as well, on a kernel that has the newer one and where it is masked: with the same answers.
older_call () {
  for brand in native debian-bullseye alpine; do
    carried_out $brand
    if lacks 6.6 || masked fchmodat2; then
      like "$brand: fchmodat2 is answered by fchmodat" "$err" 'answered: (.*, )?fchmodat2( \(i386\))? [0-9]'
    else
      unlike "$brand: nothing is trapped where the kernel has fchmodat2" "$err" 'fchmodat2'
      carried_out $brand --without fchmodat2
      like "$brand: fchmodat2 is answered by fchmodat" "$err" 'answered: (.*, )?fchmodat2( \(i386\))? [0-9]'
    fi
  done
  run bz -q run --brand native --without fchmodat2 --disable-row S7 --stats -v "$guests:/guest:ro" z -- \
    /guest/newer-x86_64 /tmp
  unlike 'S7 disabled: nothing is answered' "$err" 'fchmodat2'
  if lacks 6.6; then
    like 'S7 disabled: the symptom of the catalogue' "$out" 'S7: fchmodat2 without flags.*: expected 0, got -38$'
  fi
  run bz -q run --brand linux-2.6 --without fchmodat2 -v "$guests:/guest:ro" z -- /guest/missing-x86_64 -fchmodat2:452
  is 'a brand whose kernel did not have it lacks it' "$status" 0
}

write_script () {
  cat >"$tmp/new/script" <<'END'
set -u
cases=0
is () {
  cases=$((cases + 1))
  if [ "$2" = "$3" ]; then echo "ok $cases - $1"; else
    echo "not ok $cases - $1"
    printf '%s\n' "expected: $3" "got: $2" | sed 's/^/# /'
  fi
}
cd /tmp
is 'processes and threads' "$(python3 -c '
import subprocess, threading
said = []
thread = threading.Thread(target=lambda: said.append(subprocess.check_output(["echo", "child"], close_fds=True).decode().strip()))
thread.start()
thread.join()
print(said[0])' 2>&1)" child
mkdir -p tree/a/b
echo text >tree/a/file
ln -s file tree/a/link
ln tree/a/file tree/hard
chmod 2750 tree/a
chmod 4711 tree/hard
is 'chmod of a link itself is refused or done, not forbidden by a filter' \
  "$(chmod -h 700 tree/a/link 2>&1 | grep -c 'not permitted')" 0
is 'an archive holds modes and links' "$(tar cf tree.tar tree && mkdir out && tar -C out -xpf tree.tar &&
  stat -c '%a %h %n' out/tree/a out/tree/hard && readlink out/tree/a/link)" '2750 3 out/tree/a
4711 2 out/tree/hard
file'
is 'a tree is copied whole' "$(cp -a tree copy && diff -r tree copy && stat -c '%a' copy/a copy/hard | xargs)" '2750 4711'
is 'and removed' "$(rm -rf copy out tree && ls)" tree.tar
is 'test -r' "$(test -r /etc/passwd && test -x /bin/sh && echo yes)" yes
is 'apt knows its packages' "$(apt-get -q check >/dev/null 2>&1; echo $?)" 0
is 'dpkg verifies them' "$(dpkg -V 2>&1)" ''
is 'each program of coreutils starts' "$(dpkg -L coreutils | grep '^/usr/bin/' | grep -v -e '/\[$' -e '/false$' -e '/test$' | while read -r program; do
  "$program" --version >/dev/null 2>&1 || echo "$program"
done)" ''
if [ -d /packages/deb ]; then
  is 'packages are installed' "$(cd /packages/deb/1.0 && dpkg -i ./*.deb >/tmp/said 2>&1 || cat /tmp/said; dpkg -V)" ''
  is 'and removed' "$(dpkg -P $(dpkg-query -W -f '${Package}\n' 'bz-*') >/tmp/said 2>&1 || cat /tmp/said; ls /opt)" ''
fi
echo "1..$cases"
END
  chmod -R a+rX "$tmp/new"
}

trixie () {
  zone trixie trixie || return 0
  packages_tree=$tmp/new
  if make_tree old-packages-few; then packages_tree=$tree; fi
  run bz -q run -v "$packages_tree:/packages:ro" -v "$tmp/new:/new:ro" trixie -- /bin/sh /new/script
  take_tap trixie
  run bz -q remove trixie
}

mkdir "$tmp/new"
write_script
for who in $users; do
  if [ "$who" = user ] && ! plain_users_work; then
    skip 'a newer userland in a plain user'"'"'s zone' 'newuidmap, setpriv or unprivileged user namespaces are missing'
    continue
  fi
  if zone z alpine-x86_64; then
    calls
    older_call
    run bz -q remove z
  fi
  if [ -n "${BRANDZONE_TEST_FULL:-}" ]; then trixie; fi
done
finish
