#!/bin/sh
# Zones that were installed from the same source share one tree.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
begin
first_user_only


# KiB that the zones take.
taken () {
  by sh -c 'du -sk "$1/state/zones" | cut -f 1' sh "$tmp/$who"
}

storage_of () {
  bz --json show --size "$1" | field "$2"
}

# Root's zones share unasked; a plain user's overlay has limits, so it is asked for.
case_of () {
  if [ "$who" = root ]; then share=auto; else share=yes; fi
}

install () {
  run bz --json install --share=$share "$1" "$2"
}

two_zones () {
  run bz --json install a "$tar"
  is 'the first zone of a source' "$status $(printf '%s' "$out" | field shared)" '0 false'
  is 'has its tree for itself' "$(storage_of a storage)" directory
  one=$(taken)
  install b "$tar"
  is 'the second' "$status $(printf '%s' "$out" | field shared) $(printf '%s' "$out" | field shared_with)" '0 true a'
  ok 'takes no space' [ $(($(taken) - one)) -lt 200 ] || diag "$(taken) KiB, before $one"
  is 'has the same brand and size' "$(storage_of b brand) $(storage_of b files) $(storage_of b bytes)" \
    "$(storage_of a brand) $(storage_of a files) $(storage_of a bytes)"
  is 'show tells with whom' "$(storage_of b shared_with)" '["a"]'
  ok 'and how much' [ "$(storage_of b own_bytes)" -lt 100000 ] && ok 'is whose' [ "$(storage_of b shared_bytes)" -gt 3000000 ]
  run bz list --size
  like 'list --size, too' "$out" '^b .* KiB +[0-9.]+ MiB$'
  run bz run b -- sh -c 'echo changed >/etc/motd; rm /etc/issue; mkdir /srv/new; stat -c "%u %g" /etc/motd'
  is 'it can be written to, by its own root' "$status $out" '0 0 0'
  run bz run a -- sh -c 'ls /etc/issue /srv; cat /etc/motd'
  unlike 'the first one sees nothing of that' "$out" 'changed|new'
  like 'and has its own' "$out" '^/etc/issue$'
  run bz diff b
  is 'diff is against what was installed' "$out" 'D /etc/issue
C /etc/motd
A /srv/new'
  install c "$tar"
  is 'a third shares whatever the others did since' "$status $(printf '%s' "$out" | field shared)" '0 true'
  run bz run c -- cat /etc/issue /etc/alpine-release
  like 'and is as it was installed' "$out" '^3.6.5$'
}

# Content counts, not names.
other_files () {
  by cp "$tar" "$tmp/$who/renamed.tar"
  install d "$tmp/$who/renamed.tar"
  is 'a copy of the archive is the same source' "$(printf '%s' "$out" | field shared)" true
  by mkdir -p "$tmp/$who/edited"
  by cp "$tar" "$tmp/$who/edited.tar"
  # One byte of the data of the first file that has any, size and all else as they were.
  by python3 - "$tmp/$who/edited.tar" <<'END'
import sys, tarfile
with tarfile.open(sys.argv[1]) as tar:
    at = next(m.offset_data for m in tar if m.name.endswith("etc/motd") and m.size > 10)
with open(sys.argv[1], "r+b") as file:
    file.seek(at)
    file.write(b"@")
END
  install e "$tmp/$who/edited.tar"
  is 'another of its size is not' "$status $(printf '%s' "$out" | field shared)" '0 false'
  run bz run e -- head -c 1 /etc/motd
  is 'and becomes what it is' "$out" '@'
  run bz --json install --share=no f "$tar"
  is '--share=no' "$(printf '%s' "$out" | field shared) $(storage_of f storage)" 'false directory'
  run bz install --share=maybe g "$tar"
  is 'neither' "$status" 2
  run bz --json install --keep-partial g "$tar"
  is '--keep-partial never shares' "$(printf '%s' "$out" | field shared)" false
  bz -q remove g
  run bz --json install --abi i386 g "$tar"
  is 'nor do other options' "$(printf '%s' "$out" | field shared)" false
  bz -q remove g
}

goes_with_the_last () {
  bz -q remove a b d e f
  run bz run c -- cat /etc/alpine-release
  is 'the last one of many is whole' "$out" 3.6.5
  install a "$tar"
  is 'a base is there as long as one lies on it' "$(printf '%s' "$out" | field shared)" true
  bz -q remove a c
  is 'and goes with the last' "$(by sh -c 'ls -A "$1/state/zones"' sh "$tmp/$who")" ''
}

# One that was changed is nobody's base.
changed () {
  bz -q install a "$tar"
  bz run a -- sh -c 'touch -r /etc/motd /tmp/times; echo mine >/etc/motd; touch -r /tmp/times /etc/motd; rm /tmp/times'
  install b "$tar"
  is 'a zone that was changed shares nothing' "$(printf '%s' "$out" | field shared)" false
  run bz run b -- cat /etc/motd
  unlike 'and gives nothing' "$out" mine
  install c "$tar"
  is 'but from then on there is a base' "$(printf '%s' "$out" | field shared)" true
  bz -q remove a b c
  run bz --json install --share=yes a "$tar"
  bz run a -- sh -c 'echo mine >/etc/motd'
  install b "$tar"
  is '--share=yes makes one at once' "$(printf '%s' "$out" | field shared)" true
  run bz run b -- cat /etc/motd
  unlike 'whatever the first one does' "$out" mine
  bz -q remove a b
}

# A layout's index names all that is in it.
container_images () {
  bz -q install a "$tar"
  run bz -q export a "$tmp/$who/image.oci.tar"
  by mkdir "$tmp/$who/layout"
  by tar -xf "$tmp/$who/image.oci.tar" -C "$tmp/$who/layout"
  by cp -r "$tmp/$who/layout" "$tmp/$who/layout2"
  bz -q remove a
  bz -q install a "$tmp/$who/layout"
  install b "$tmp/$who/layout2"
  is 'OCI layouts with the same index' "$status $(printf '%s' "$out" | field shared_with)" '0 a'
  run bz run b -- cat /etc/alpine-release
  is 'run' "$out" 3.6.5
  run bz verify b
  is 'and are verified' "$status" 0
  bz -q remove a b
  bz -q install a "$tmp/$who/image.oci.tar"
  install b "$tmp/$who/image.oci.tar"
  is 'and archives of them' "$(printf '%s' "$out" | field shared_with)" a
  bz -q remove a b
  # A directory's files may be others the next time.
  by mkdir "$tmp/$who/tree"
  by tar -xf "$tar" -C "$tmp/$who/tree" --exclude 'dev/*' 2>/dev/null
  bz -q install a "$tmp/$who/tree"
  install b "$tmp/$who/tree"
  is 'a directory is copied each time' "$status $(printf '%s' "$out" | field shared)" '0 false'
  bz -q remove a b
  is 'nothing is left when all are gone' "$(by sh -c 'ls -A "$1/state/zones"' sh "$tmp/$who")" ''
}

for who in $users; do
  if [ "$who" = user ] && ! plain_users_work; then
    skip 'bases as a plain user' 'newuidmap, setpriv or unprivileged user namespaces are missing'
    continue
  fi
  if masked overlay || { [ "$who" = root ] && masked idmapped-mounts; }; then
    skip 'bases' 'overlay or idmapped-mounts is masked'
    continue
  fi
  make_tree alpine-x86 || continue
  case_of
  two_zones
  other_files
  goes_with_the_last
  changed
  container_images
done
finish
