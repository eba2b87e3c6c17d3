#!/bin/sh
# install from repositories of packages: the zone's own package manager does it, in the zone.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
begin

# Names only: what is left of an installation.
state_of () {
  by sh -c 'cd "$1/state/zones" 2>/dev/null && find . -mindepth 1 -maxdepth 2 ! -name ".*.lock" ! -name .ids | sort' sh "$tmp/$who"
}

# The repositories for RPM; sets $packages.
make_packages () {
  if ! packages=$("$BRANDZONE_SRCDIR/tests/trees/make-packages" 2>"$tmp/make-packages"); then
    skip 'packages of an RPM distribution' "$(tail -n 1 "$tmp/make-packages")"
    return 1
  fi
  packages=$trees/$(basename "$packages")
}

rpm_with_metadata () {
  run bz install new "$packages/new" --packages bash,rpm
  is 'install from a repository with metadata' "$status" 0 || { explain_run; return; }
  like 'it says what it is' "$out" 'from a repository of RPM packages'
  like 'and finds the brand' "$out" 'brand el6, x86_64'
  like 'and that nothing was verified' "$err" 'no signature was checked'
  run bz run new -- /bin/sh -c 'rpm -Va; echo $?; rpm -q bash glibc'
  is 'its rpm finds every file as it was packaged' "$(printf '%s\n' "$out" | head -n 1)" 0
  like 'and knows the packages' "$out" '^glibc-2.12'
  run bz run new -- /bin/sh -c 'ls -a / | grep brandzone; test -e /usr/bin/python || echo none'
  like 'no more was installed than what was asked for and its needs' "$out" '^none'
  run bz remove new
  is 'and nothing of it is left' "$(state_of)" ''
}

rpm_without_metadata () {
  run bz install old "$packages/old" --packages brandtest
  is 'install from RedHat/RPMS' "$status" 0 || { explain_run; return; }
  like 'it says what it is' "$out" 'medium of RPM packages \(in RedHat/RPMS\)'
  run bz run old -- /bin/sh -c 'cat /var/log/brandtest; id -un; getent passwd brandtest; rpm -V brandtest; echo $?; stat -c %U /var/spool/brandtest; ls -A / | tr "\n" " "'
  like 'its scriptlets ran in the zone' "$out" '^installed on 2\.6\.32.* by root, 1$'
  like 'and made a user' "$out" '^brandtest:x:'
  if [ "$who" != alone ]; then like 'who owns what is his' "$out" '^brandtest$'; fi
  unlike 'the packages are not left in the tree' "$out" '\.brandzone'
  run bz -q remove old
}

refused () {
  run bz install bad "$packages/new" --packages no-such-package
  is 'a package that is not there is bad input' "$status" 8
  like 'and is named' "$err" 'no-such-package'
  run bz install bad "$packages/new" --profile no-such-profile
  is 'a profile that there is not is bad usage' "$status" 2
  like 'and those that there are are named' "$err" 'minimal base'
  # One byte of a package is changed.
  mkdir -p "$tmp/changed"
  cp -r "$packages/new" "$tmp/changed"
  file=$(ls "$tmp/changed/new/Packages"/bash-*.rpm)
  chmod -R u+w,a+rX "$tmp/changed"
  printf X | dd of="$file" bs=1 seek=$(($(stat -c %s "$file") - 100)) conv=notrunc 2>/dev/null
  run bz install bad "$tmp/changed/new" --packages bash
  is 'a package that was changed is bad input' "$status" 8
  like 'and is named' "$err" 'bash-.*checksum'
  is 'nothing is left' "$(state_of)" ''
  rm -rf "$tmp/changed"
}

if make_packages; then
  for who in $users; do
    case $who in
      root) rpm_with_metadata ;;
      *) rpm_without_metadata ;;
    esac
    if [ "$who" != user ]; then refused; fi
    if [ "${BRANDZONE_TEST_FULL:-}" = yes ] && [ "$who" = root ]; then rpm_without_metadata; fi
    if [ "${BRANDZONE_TEST_FULL:-}" = yes ] && [ "$who" = user ]; then rpm_with_metadata; fi
  done
fi
finish
