#!/bin/sh
# export, detach, attach: what comes out goes in again as it was.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
begin

# What is hard to keep: links, holes, times, modes, set-id bits, and what a layer hides.
fill='cd /srv || exit; echo one >a; ln a b; mkdir -p d/e/f; echo deep >d/e/f/g; chmod 1777 d; ln -s ../a d/link; ln -s nowhere lost
  dd if=/dev/zero of=hole bs=1 count=1 seek=30000000 2>/dev/null; mkfifo pipe; chmod 6711 a; touch -d "2001-02-03 04:05:06" a d/e
  echo "name with spaces" >"n a m e"; chown 7:8 d/e 2>/dev/null; rm -rf /etc/apk; mkdir /etc/apk; echo new >/etc/apk/new; rm -f /etc/issue; mv /etc/motd /etc/moved'
look='cd /srv && find . | sort | while read -r f; do if [ -d "$f" ]; then stat -c "%n %f %u %g %Y" "$f"; else stat -c "%n %f %u %g %h %s %Y" "$f"; fi; done; cat a d/e/f/g; stat -c %b hole; ls /etc/apk; ls /etc/issue /etc/motd /etc/moved 2>/dev/null'

round_trip () {
  zone z alpine-x86 || return
  # Over a layer, so that there are whiteouts and opaque directories.
  if ! masked overlay; then bz -q snapshot z; fi
  bz run z -- sh -c "$fill"
  run bz run z -- sh -c "$look"
  before=$out
  run bz export z "$tmp/$who/z.tar.gz"
  is 'export to a compressed archive' "$status" 0 || return
  run bz export z "$tmp/$who/z.tar.gz"
  is 'a file that is there is not replaced' "$status" 4
  run bz -q export --force z "$tmp/$who/z.tar.gz"
  is 'but with --force' "$status" 0
  by mkfifo "$tmp/$who/pipe"
  by ln -s pipe "$tmp/$who/to-pipe"
  for odd in pipe to-pipe; do
    run bz export --force z "$tmp/$who/$odd"
    is "--force replaces no $odd" "$status" 4
    ok 'which is still there' [ -p "$tmp/$who/$odd" ]
  done
  run bz -q install y "$tmp/$who/z.tar.gz"
  is 'install of what was exported' "$status" 0
  run bz run y -- sh -c "$look"
  is 'is the same: links, holes, modes, times, what was deleted' "$out" "$before"
  bz export y - >"$tmp/$who/y.tar"
  bz export z - >"$tmp/$who/z.tar"
  ok 'and comes out byte for byte as the first time' cmp -s "$tmp/$who/y.tar" "$tmp/$who/z.tar"
  ok 'holes take no room in the archive' [ "$(stat -c %s "$tmp/$who/z.tar")" -lt 20000000 ]
  run bz export z "$tmp/$who/z.oci.tar"
  like 'export to an image' "$out" 'z: [0-9]* files'
  run bz install --json x "$tmp/$who/z.oci.tar"
  like 'install finds that it is one' "$out" 'OCI'
  bz export x - >"$tmp/$who/x.tar"
  ok 'and it holds the same' cmp -s "$tmp/$who/x.tar" "$tmp/$who/z.tar"
  status=0
  bz export z - >&- 2>"$tmp/err" || status=$?
  is 'to a closed standard output' "$status" 2
  like 'is refused' "$(cat "$tmp/err")" 'standard output is closed'
  is 'and written to nothing in its stead' "$(by find "$tmp/$who/state/zones" -maxdepth 1 -name '.*.lock' -size +0)" ''
  run bz export z /nowhere/at/all
  is 'a place that is not there' "$status" 1
  by mkdir "$tmp/$who/small"
  if [ "$who" = root ] && mount -t tmpfs -o size=1m tmpfs "$tmp/$who/small"; then
    run bz export z "$tmp/$who/small/z.tar"
    is 'a full disk' "$status" 9
    is 'leaves nothing' "$(ls -A "$tmp/$who/small")" ''
    umount "$tmp/$who/small"
  fi
  for name in x y; do bz -q remove "$name"; done
}

carrying () {
  bz show z >/dev/null 2>&1 || return 0
  bz config set z hostname=attic
  by mkdir -p "$tmp/$who/state/config/z.zone.d"
  by sh -c "printf '[Mount data]\nSource=%s\nTarget=/data\n' '$tmp/$who/gone' >'$tmp/$who/state/config/z.zone.d/1.conf'"
  by mkdir -p "$tmp/$who/gone"
  if ! masked overlay; then
    run bz detach z "$tmp/$who/carried"
    is 'detach of a zone with snapshots' "$status" 4
  fi
  run bz detach --force z "$tmp/$who/carried"
  is 'detach' "$status" 0 || return
  run bz show z
  is 'then the zone is gone' "$status" 3
  is 'with its configuration' "$(by sh -c 'ls -A "$1/state/config"' sh "$tmp/$who")" ''
  run bz attach --dry-run "$tmp/$who/carried" back
  is 'attach --dry-run' "$status" 0
  like 'finds what it needs' "$out" 'lacks nothing'
  by rmdir "$tmp/$who/gone"
  run bz attach -n "$tmp/$who/carried" back
  like 'and tells what this host lacks' "$out" 'back: this host lacks: mount .*gone'
  by mkdir "$tmp/$who/gone"
  run bz show back
  is 'it makes nothing' "$status" 3
  run bz attach "$tmp/$who/carried" back
  is 'attach' "$status" 0
  run bz run back -- sh -c "$look"
  is 'the tree is what it was' "$out" "$before"
  run bz run back -- sh -c 'hostname; ls -d /data'
  is 'and so is the configuration, drop-ins too' "$out" 'attic
/data'
  run bz attach "$tmp/$who/carried" back
  is 'a name that is taken' "$status" 4
  by sh -c 'printf x | dd of="$1/carried/tree.tar" bs=1 seek=5000 conv=notrunc 2>/dev/null' sh "$tmp/$who"
  run bz attach "$tmp/$who/carried" third
  is 'a tree that was changed on the way is not taken' "$status" 8
  run bz attach "$tmp/$who/nothing" third
  is 'nor what is no detached zone' "$status" 8
  run bz list
  unlike 'and no zone is made' "$out" third
  bz -q remove back
}

elsewhere () {
  by "$brandzone" --root "$tmp/$who/elsewhere" "$@"
}

# exported FILE...: v as archive and as image: what was installed comes beside it, and is taken where it is.
exported () {
  [ "$who" = "${users%% *}" ] || [ -n "${BRANDZONE_TEST_FULL:-}" ] || return 0
  for file in "$@"; do
    archive=$tmp/$who/$file
    run bz -q export v "$archive"
    like "$file: its list lies beside it" "$(cat "$archive.installed.mtree")" '^# of sha256:[0-9a-f]{64}$'
    run elsewhere -q install v "$archive"
    is "$file: is installed elsewhere" "$status $err" '0 '
    run elsewhere verify v
    is "$file: verify tells what was changed before" "$out" "$changes"
    elsewhere run v -- sh -c 'echo y >>/etc/shells'
    run elsewhere verify v
    is "$file: and what was changed since" "$(printf '%s\n' "$out" | grep -v /etc/shells)" \
      "$(printf '%s\n' "$changes" | sed 's/2 of configuration/3 of configuration/')"
    like "$file: by name" "$out" '^v: /etc/shells: contents'
    run elsewhere -q export --force v "$archive"
    is "$file: goes on to a third place" "$status $(grep -c '^# of sha256' "$archive.installed.mtree")" '0 1'
    run elsewhere -q install --share=no w "$archive"
    run elsewhere verify w
    like "$file: where it tells the same" "$out" '^w: /etc/shells: contents'
    elsewhere -q remove v w
  done
  # An archive that became another.
  by cp "$archive.installed.mtree" "$tmp/$who/list"
  bz -q export --force v "$archive"
  by cp "$tmp/$who/list" "$archive.installed.mtree"
  run elsewhere install v "$archive"
  like 'a list of another archive is not taken' "$err" '^brandzone: the list .* is not taken$'
  is 'but the archive is' "$status" 0
  run elsewhere verify v
  is 'what was unpacked counts then' "$out" 'v: ready to start'
  elsewhere -q remove v
  # One that nobody can make sense of.
  by sh -c 'echo "/../x type=file" >>"$1.installed.mtree"' sh "$archive"
  bz -q export --force v "$archive"
  by sh -c 'echo "/../x type=file" >>"$1.installed.mtree"' sh "$archive"
  run elsewhere install v "$archive"
  like 'nor one that makes no sense' "$err" '^brandzone: line [0-9]+ of .*: it makes no sense'
  is 'which is bad input' "$status" 8
  run elsewhere list
  unlike 'and no zone is made' "$out" '^v'
  by rm -f "$archive.installed.mtree"
  by mkfifo "$archive.installed.mtree"
  run elsewhere install v "$archive"
  like 'nor what is no file' "$err" '^brandzone: .*: it is no list of a tree'
  by sh -c 'rm -rf "$@"' sh "$archive" "$archive.installed.mtree" "$tmp/$who/v.tar.gz" "$tmp/$who/v.tar.gz.installed.mtree" "$tmp/$who/list" "$tmp/$who/elsewhere"
}

# What is not as it was installed: a list is kept with the zone, with its clones, and with what is carried away.
lists () {
  zone v alpine-x86 || return
  list=$tmp/$who/state/zones/v/installed.mtree
  run bz verify v
  is 'a zone is as it was installed' "$out" 'v: ready to start'
  bz run v -- sh -c 'echo x >>/etc/passwd; rm /bin/cat; chmod 4711 /bin/busybox; ln -sf nowhere /bin/ash; mkdir -p /opt/new/dir
    echo new >/opt/new/dir/file; : >/var/log/messages; touch /bin/ls /etc/group; rm /etc/motd; mkdir /etc/motd; printf %s "name=with spaces" >"/usr/bin/n a=m#e"'
  changes='v: /bin/ash: target nowhere (was /bin/busybox)
v: /bin/busybox: mode 4711 (was 0755)
v: /bin/cat: missing
v: /etc/motd: type dir (was file)
v: /etc/passwd: contents (1.2 KiB, was 1.2 KiB)
v: /opt: added
v: /usr/bin/n a=m#e: added
v: not as installed: 5 of programs, 2 of configuration, 1 of data (--all names those, too)
v: ready to start'
  run bz verify v
  is 'verify tells what changed' "$out" "$changes"
  is 'with status 1' "$status" 1
  run bz verify --all v
  like 'and with --all of data, too' "$out" 'v: /var/log/messages: added'
  run bz verify --ready v
  is 'or only whether it is ready' "$status $out" '0 v: ready to start'
  run bz --json verify v
  like 'as JSON' "$(printf %s "$out" | tr -d ' \n')" '"path":"/bin/busybox","place":"program","differs":\["mode"\]'
  if command -v bsdtar >/dev/null; then
    is 'others read the list, too' "$(by sh -c 'cd "$1/state/zones/v/root" && bsdtar -tf "$2" | grep -c .' sh "$tmp/$who" "$list")" \
      "$(grep -c '^\.' "$list")"
  fi
  run bz -q export v "$tmp/$who/now.mtree"
  like 'export writes a list of now' "$(cat "$tmp/$who/now.mtree")" './bin/busybox .*mode=4711'
  rm -f "$tmp/$who/now.mtree"
  if ! masked overlay; then
    bz -q snapshot v first
    bz -q clone v w
    run bz verify w
    is 'a clone keeps it' "$out" "$(printf %s "$changes" | sed 's/^v/w/')"
    bz run v -- rm -rf /etc
    bz -q rollback v
    bz -q remove w
  fi
  run bz verify v
  is 'a rolled back zone differs as before' "$out" "$changes"
  exported v.tar.gz v.oci.tar
  bz -q detach --force v "$tmp/$who/away"
  bz -q attach "$tmp/$who/away" v
  run bz verify v
  is 'and so does one that was carried' "$out" "$changes"
  by sh -c 'echo "./etc/shadow type=file" >>"$1/away/installed.mtree"' sh "$tmp/$who"
  run bz attach "$tmp/$who/away" u
  is 'a list that was changed on the way is not taken' "$status" 8
  by sh -c 'echo "/../x type=file" >>"$1"' sh "$list"
  run bz verify v
  like 'a list that is damaged' "$status $out" '1 v: line [0-9]* of .*installed.mtree: it makes no sense'
  by rm -rf "$list" "$tmp/$who/away"
  run bz verify v
  like 'without a list the tree is not compared' "$status $out" '0 v: warning: nothing says what was installed'
  bz -q remove v
}

# Capabilities and access lists are as good as a set-id bit.
attributes () {
  zone v alpine-x86 || return
  file=$tmp/$who/state/zones/v/root/bin/busybox
  if [ "$who" = root ] && command -v setcap setfattr >/dev/null && setcap cap_net_raw+ep "$file" 2>/dev/null; then
    run bz verify v
    is 'a capability that was given' "$out" 'v: /bin/busybox: attributes
v: not as installed: 1 of programs, 0 of configuration, 0 of data
v: ready to start'
    bz -q export v "$tmp/$who/v.tar"
    rm "$tmp/$who/v.tar.installed.mtree"
    bz -q install u "$tmp/$who/v.tar"
    run bz verify u
    is 'and one that was installed' "$out" 'u: ready to start'
    setcap -r "$tmp/$who/state/zones/u/root/bin/busybox"
    run bz verify u
    like 'and taken away' "$out" 'u: /bin/busybox: attributes'
    bz -q remove u
    rm "$tmp/$who/v.tar"
  fi
  bz -q remove v
}

# shellcheck disable=SC2317 # called by name
ticks () {
  bz cp c:/srv/tick "$tmp/$who/tick" >/dev/null 2>&1 && [ -s "$tmp/$who/tick" ] && cat "$tmp/$who/tick"
}

# shellcheck disable=SC2317 # called by name
goes_on () {
  first=$(ticks)
  for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    if [ "$(ticks)" != "$first" ]; then return 0; fi
    sleep 0.1
  done
  return 1
}

# A running zone is held still: two files that are always written one after the other never differ by
# more than one. uname keeps its supervisor busy.
running_zones () {
  zone c alpine-x86 || return
  bz run c -- sh -c 'i=0; while :; do i=$((i + 1)); echo $i >/srv/one; uname -r >/dev/null; echo $i >/srv/two; echo $i >/srv/tick; done' >/dev/null 2>&1 &
  job=$!
  until_true 10 running c
  until_true 10 ticks >/dev/null
  run bz export c "$tmp/$who/c.tar"
  if [ "$status" = 7 ]; then
    like 'without cgroups a running zone is not exported' "$err" 'cgroup'
    bz stop --time 1 c
    wait "$job" || :
    bz -q remove c
    return
  fi
  is 'export of a running zone' "$status" 0
  one=$(tar -xOf "$tmp/$who/c.tar" srv/one 2>/dev/null)
  two=$(tar -xOf "$tmp/$who/c.tar" srv/two 2>/dev/null)
  # A shell empties a file before it writes to it.
  : "${one:=$two}" "${two:=$one}"
  ok 'its files are of one moment' [ $(((one - two) / 2)) -eq 0 ]
  ok 'and it goes on' goes_on
  # Killed while the zone stands still.
  for _ in 1 2 3 4 5; do
    by sh -c 'exec timeout -s KILL 0.06 "$@"' sh "$brandzone" --root "$tmp/$who/state" export c - >/dev/null 2>&1 || :
  done
  ok 'it goes on when export was killed' goes_on
  bz stop --time 1 c
  wait "$job" || :
  bz -q remove c
}

for who in $users ${BRANDZONE_TEST_FULL:+alone}; do
  if [ "$who" != root ] && [ "$who" != self ] && { [ "$users" = self ] || ! plain_users_work; }; then
    skip 'export as a plain user' 'newuidmap, setpriv or unprivileged user namespaces are missing'
    continue
  fi
  [ "$who" != alone ] || [ "$(id -u)" -eq 0 ] || continue
  round_trip
  carrying
  lists
  attributes
  [ "$who" = alone ] || running_zones
done
finish
