#!/bin/sh
# clone, snapshot, rollback, diff: trees in layers, as programs and the user see them.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
begin
first_user_only

full=${BRANDZONE_TEST_FULL:-}

# Every name, kind, mode, owner, size, time of a tree, what its files hold, and their attributes.
# The tree's own /dev, /proc, /sys are covered by mounts.
inventory='cd / && find . -xdev ! -path "./dev/*" ! -path "./proc/*" ! -path "./sys/*" | sort | while read -r f; do
  stat -c "%n %f %u %g" "$f"; if [ -h "$f" ]; then readlink "$f"; elif [ -f "$f" ]; then stat -c "%s %Y %h" "$f"; fi
  done; find . -xdev -type f ! -path "./proc/*" ! -path "./sys/*" | sort | xargs md5sum'

layers () {
  by sh -c 'ls "$1/state/zones/.layers" 2>/dev/null | wc -l' sh "$tmp/$who"
}

clones () {
  zone z alpine-x86 || return
  bz run z -- sh -c 'echo first >/etc/motd; mkdir -p /srv/dir/sub; echo deep >/srv/dir/sub/file; ln /etc/motd /etc/motd2
    chmod 4755 /srv/dir/sub/file; chown 5:6 /srv/dir/sub/file 2>/dev/null; dd if=/dev/zero of=/srv/hole bs=1 count=1 seek=9999999 2>/dev/null; chmod 3771 /srv'
  run bz run z -- sh -c "$inventory"
  before=$out
  run bz clone z other
  is 'clone' "$status" 0 || return
  like 'says on what it lies' "$out" '^other: a clone of z .*layer'
  run bz run other -- sh -c "$inventory"
  is 'the clone is the same to the last file' "$out" "$before"
  run bz run z -- sh -c "$inventory"
  is 'and the zone is what it was' "$out" "$before"

  bz run other -- sh -c 'rm /etc/issue; echo second >/etc/motd; rm -rf /srv/dir; mkdir /srv/dir; chmod g-s /srv/dir; echo new >/srv/dir/new'
  run bz run z -- sh -c 'cat /etc/motd /srv/dir/sub/file; ls /etc/issue /srv/dir'
  is 'what the clone does is not done to the zone' "$out" 'first
deep
/etc/issue

/srv/dir:
sub'
  run bz run other -- sh -c 'cat /etc/motd; ls /srv/dir; test -e /etc/issue || echo no issue'
  is 'nor undone when it starts again' "$out" 'second
new
no issue'
  bz run z -- sh -c 'echo third >/etc/motd'
  run bz run other -- cat /etc/motd
  is 'nor the other way round' "$out" second
  run bz diff other
  is 'diff: what the clone has changed' "$out" 'D /etc/issue
C /etc/motd
A /srv/dir/new
D /srv/dir/sub'
  run bz --json show other
  is 'show: its storage' "$(printf '%s' "$out" | field storage)" overlay
  run bz run --rm other -- sh -c 'cat /etc/motd; rm /etc/motd; ls /srv/dir; rm -r /srv/dir'
  is 'run --rm of a clone' "$out" 'second
new'
  run bz run other -- sh -c 'cat /etc/motd; ls /srv/dir'
  is 'forgets its changes' "$out" 'second
new'
  run bz check other
  ok 'check reads its tree' [ "$status" -le 1 ]
  run bz run other -- sh -c 'test -w /etc && echo x >/etc/x && chmod 600 /etc/x && cat /etc/x'
  is 'the clone is written to as its own' "$out" x

  run bz clone z other
  is 'a name that is taken' "$status" 4
  run bz clone none new
  is 'a zone that is none' "$status" 3
  run bz clone z@none new
  like 'a snapshot that is none' "$err" 'no snapshots'
  run bz list
  unlike 'leaves no zone' "$out" '^new'
}

# What cp does to a tree in layers.
copies () {
  bz show other >/dev/null 2>&1 || return 0
  by sh -c "echo outside >'$tmp/$who/outside'"
  run bz cp "$tmp/$who/outside" other:/srv/dir/outside
  is 'cp into a clone' "$status" 0
  run bz run other -- sh -c 'cat /srv/dir/outside; stat -c %u /srv/dir/outside; ls /srv/dir'
  is 'is seen by it' "$out" 'outside
0
new
outside'
  run bz cp other:/etc/motd "$tmp/$who/motd"
  is 'cp out of it' "$(cat "$tmp/$who/motd")" second
  run bz run z -- ls /srv/dir
  is 'the zone has none of it' "$out" sub
  bz run -i other -- cat <"$tmp/fifo" >/dev/null 2>&1 &
  holder=$!
  exec 9>"$tmp/fifo"
  until_true 10 running other
  run bz cp other:/etc/motd "$tmp/$who/motd2"
  is 'cp out of one that runs' "$(cat "$tmp/$who/motd2")" second
  run bz cp "$tmp/$who/outside" other:/srv/dir/late
  is 'into one that runs is refused' "$status" 4
  run bz snapshot other late
  exec 9>&-
  wait "$holder" || :
}

snapshots () {
  bz show z >/dev/null 2>&1 || return 0
  bz run z -- sh -c 'echo good >/etc/motd; rm -rf /srv/*'
  run bz snapshot z good
  is 'snapshot' "$status" 0
  run bz run z -- sh -c "$inventory"
  good=$out
  run bz snapshot z good
  is 'a name that is taken' "$status" 4
  run bz snapshot z 'Bad/Name'
  is 'a name that cannot be' "$status" 2
  bz run z -- sh -c 'rm -rf /etc /lib/apk /usr/bin; echo bad >/motd' >/dev/null 2>&1
  run bz diff z good
  like 'diff: what went as a whole is one line' "$out" '^D /etc$'
  unlike 'not one for each file' "$out" '^D /etc/'
  like 'and what came' "$out" '^A /motd$'
  run bz snapshot z bad
  bz run z -- sh -c 'echo worse >/motd'
  run bz rollback z good
  is 'rollback' "$status" 0
  run bz run z -- sh -c "$inventory"
  is 'the zone is what it was to the last file' "$out" "$good"
  run bz diff z good
  is 'and diff says so' "$out" ''
  run bz rollback z bad
  run bz run z -- cat /motd
  is 'rollback to a later one' "$out" bad
  run bz clone z@good third
  is 'clone of a snapshot' "$status" 0
  run bz run third -- sh -c "$inventory"
  is 'is what the snapshot was' "$out" "$good"
  run bz --json snapshot --list z
  is 'snapshot --list' "$(printf '%s' "$out" | field snapshots.0.name) $(printf '%s' "$out" | field snapshots.1.name)" 'good bad'
  run bz rollback z
  like 'rollback without a name is to the newest' "$out" 'bad '
  many=$(layers)
  run bz snapshot --remove z bad
  is 'snapshot --remove' "$status" 0
  run bz run z -- cat /motd
  is 'takes nothing from the zone' "$out" bad
  run bz -q rollback z good
  ok 'layers that nobody needs are gone' [ "$(layers)" -lt "$many" ]
  run bz remove z
  is 'remove of what others lie on' "$status" 0
  run bz run third -- sh -c "$inventory"
  is 'leaves them whole' "$out" "$good"
  run bz rename third fourth
  run bz run fourth -- cat /etc/motd
  is 'rename of a clone' "$out" good
  for name in fourth other; do bz remove "$name" >/dev/null 2>&1; done
  is 'nothing is left when all are gone' "$(by sh -c 'ls -A "$1/state/zones"' sh "$tmp/$who")" ''
}

# The base has a database of 54 packages; in clones of it the zone's own rpm installs, upgrades and removes, from one
# process that has read it before.
many_packages () {
  [ -n "$full" ] || return 0
  if ! "$src/tests/trees/make-old-packages" "$tmp/packages" >/dev/null 2>&1; then
    skip 'many packages in the base' 'rpmbuild is missing'
    return
  fi
  chmod -R a+rX "$tmp/packages"
  cat >"$tmp/packages/upgrade.py" <<'END'
import os, rpm
def versions(ts, name):
    return [str(h["version"]) for h in ts.dbMatch("name", name)]
reader = rpm.TransactionSet()
reader.openDB()
print("%d %s" % (len([1 for h in reader.dbMatch() if h["name"] != "bz-node"]), versions(reader, "bz-03")))
files = {}
def step(what, amount, total, key, data):
    if what == rpm.RPMCALLBACK_INST_OPEN_FILE:
        files[key] = os.open(key, os.O_RDONLY)
        return files[key]
    if what == rpm.RPMCALLBACK_INST_CLOSE_FILE:
        os.close(files[key])
writer = rpm.TransactionSet()
for number in range(1, 7):
    path = "/packages/rpm/2.0/bz-%02d-2.0-1.noarch.rpm" % number
    file = os.open(path, os.O_RDONLY)
    writer.addInstall(writer.hdrFromFdno(file), path, "u")
    os.close(file)
writer.addErase("bz-07")
print("%s" % writer.run(step, ""))
for ts in reader, rpm.TransactionSet():
    print("%s %s" % (versions(ts, "bz-03"), versions(ts, "bz-07")))
END
  bz clone c base >/dev/null
  bz run -v "$tmp/packages:/packages:ro" base -- sh -c 'rpm --initdb; cd /packages/rpm/1.0; rpm -i bz-*.rpm' >/dev/null 2>&1
  bz clone base e >/dev/null
  run bz run -v "$tmp/packages:/packages:ro" e -- python /packages/upgrade.py
  is "packages are upgraded and removed by one that has read the base's database" "$out" "55 ['1.0']
None
['2.0'] []
['2.0'] []"
  run bz run -v "$tmp/packages:/packages:ro" e -- sh -c 'cd /packages/rpm/2.0
    rpm -U --nodeps bz-08-*.rpm && rpm -e --nodeps bz-09 && rpm -i ../1.0/bz-09-*.rpm && rpm -q bz-08 bz-09; /usr/lib/rpm/rpmdb_verify /var/lib/rpm/Packages && echo whole'
  is 'and by rpm' "$out" 'bz-08-2.0-1.noarch
bz-09-1.0-1.noarch
whole'
  unlike 'which finds nothing amiss' "$err" 'error|checksum'
  run bz run base -- rpm -q bz-03 bz-07
  is 'the base has what it had' "$out" 'bz-03-1.0-1.noarch
bz-07-1.0-1.noarch'
  bz -q remove e base
}

# Directories of a layer are renamed by dpkg and rpm (P2), and rpm opens its database twice (P1).
packages () {
  [ -n "$full" ] || [ "$who" = root ] || return 0
  zone c centos-6.8 || return 0
  bz run c -- rpm --initdb
  bz clone c d >/dev/null || { not_ok 'clone of CentOS 6.8'; return; }
  run bz run d -- sh -c 'rpm --rebuilddb && rpm -qa && echo fine'
  is 'rpm rebuilds its database in a clone' "$status $out" '0 fine'
  unlike 'and finds it whole' "$err" 'checksum|error'
  if [ "$who" = root ]; then
    run bz run d -- python -c 'import os; os.rename("/usr/share/awk", "/usr/share/moved"); print(len(os.listdir("/usr/share/moved")) > 3)'
    is 'a directory of a layer is renamed' "$out" True
  fi
  # What was opened, or mapped, for reading sees what is written later (P1: a mapping would not).
  bz clone c e >/dev/null
  run bz run e -- python -c 'import os, mmap
name = "/var/lib/rpm/Packages"
old = os.open(name, os.O_RDONLY); seen = mmap.mmap(old, 4096, mmap.MAP_SHARED, mmap.PROT_READ); seen[0]
os.write(os.open(name, os.O_RDWR), "new!")
print(seen[0:4] + " " + os.read(old, 4))'
  is 'the database of a clone is one file to who reads it and to who writes to it (P1)' "$out" 'new! new!'
  bz -q remove e
  many_packages
  bz snapshot d fine >/dev/null
  run bz run d -- sh -c 'rm -rf /var/lib/rpm /lib64/libc*'
  run bz run d -- rpm -qa
  ok 'a zone that was broken' [ "$status" != 0 ]
  bz -q rollback d fine
  run bz run d -- sh -c 'rpm -qa && echo fine'
  is 'runs again after rollback' "$out" fine
  bz remove c d >/dev/null
}

# What is copied up at a start is little, whatever an archive has put in the place of databases (P1).
linked () {
  zone l alpine-x86 || return 0
  bz run l -- sh -c 'mkdir -p /var/lib/rpm && cd /var/lib/rpm && head -c 4194304 /dev/urandom >0 && echo small >small
    i=0; while [ $((i += 1)) -le 60 ]; do ln 0 $i; done'
  bz clone l k >/dev/null || { not_ok 'a clone'; return; }
  before=$(du -sk "$tmp/$who/state/zones" | cut -f 1)
  run bz run k -- cat /var/lib/rpm/small
  is 'a tree with many names of a large file starts' "$out" small
  ok 'which is not copied once for each' [ $(($(du -sk "$tmp/$who/state/zones" | cut -f 1) - before)) -lt 10000 ]
  bz -q remove k l
}

mkfifo "$tmp/fifo"
chmod 666 "$tmp/fifo"
for who in $users; do
  if [ "$who" = user ] && ! plain_users_work; then
    skip 'storage as a plain user' 'newuidmap, setpriv or unprivileged user namespaces are missing'
    continue
  fi
  if masked overlay || { [ "$who" = root ] && masked idmapped-mounts; }; then
    skip 'storage' 'overlay or idmapped-mounts is masked'
    continue
  fi
  clones
  copies
  snapshots
  packages
  linked
done
finish
