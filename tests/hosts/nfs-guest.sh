# shellcheck shell=sh
# The guest's side of host-nfs.sh: the kernel's own NFS server, and zones that have what it exports. No programs of
# a server's package are needed: what exportfs(8) and mountd(8) would tell the kernel is written to it.

bz () {
  "$BRANDZONE" --root /disk/nfs "$@"
}

# ok NAME COMMAND...
ok () {
  name=$1
  shift
  if "$@" >/tmp/out 2>&1; then
    echo "ok - $name"
  else
    echo "not ok - $name"
    sed 's/^/# /' /tmp/out
  fi
}

is () {
  echo "got: $1"
  [ "$1" = "$2" ]
}

# Version 4 alone: the others register with a port mapper. Nobody has state of before to reclaim.
serve () {
  mkdir -p /disk/export/below
  echo served >/disk/export/file
  chown 5:7 /disk/export/file
  chmod 1777 /disk/export/below
  mount -t nfsd nfsd /proc/fs/nfsd || return 1
  echo '-2 -3 +4 +4.1 +4.2' >/proc/fs/nfsd/versions
  never=2147483647
  # insecure, async, no_subtree_check, fsid=0, no_root_squash
  flags=$((0x2 | 0x10 | 0x400 | 0x2000))
  echo "nfsd 127.0.0.1 $never hosts" >/proc/net/rpc/auth.unix.ip/channel
  echo "hosts /disk/export $never $flags 65534 65534 0" >/proc/net/rpc/nfsd.export/channel
  printf '%s\n' "hosts 1 \\x00000000 $never /disk/export" >/proc/net/rpc/nfsd.fh/channel
  echo 2 >/proc/fs/nfsd/threads || return 1
  echo Y >/proc/fs/nfsd/v4_end_grace 2>/dev/null || : # it has ended by itself
}

host () {
  mkdir -p /tmp/nfs
  ok 'the kernel serves' serve
  ok 'the host mounts it' mount -i -t nfs4 -o vers=4.2,addr=127.0.0.1,clientaddr=127.0.0.1 127.0.0.1:/ /tmp/nfs
  ok 'and reads' is "$(cat /tmp/nfs/file)" served
}

# What the host has mounted, given by [Mount].
given () {
  ok 'a zone' bz -q install a /disk/trees/alpine-x86_64-1.tar
  ok '[Mount] of it' bz config set a Mount.nfs.Source=/tmp/nfs Mount.nfs.Target=/srv/nfs
  bz -q run a -- sh -c 'cat /srv/nfs/file; echo zone >/srv/nfs/below/made; cat /srv/nfs/below/made' >/tmp/said 2>&1
  ok 'the zone reads and writes it' is "$(tr '\n' ' ' </tmp/said)" 'served zone '
  ok 'and the server has what it wrote' is "$(cat /disk/export/below/made)" zone
  ok 'the zone file forgets it' bz config unset a Mount.nfs.Source Mount.nfs.Target
  bz -q run a -- sleep 1000 >/dev/null 2>&1 &
  for _ in $(seq 100); do
    bz exec a -- true 2>/dev/null && break
    sleep 0.5
  done
  ok 'to a zone that runs: mount' bz mount a /tmp/nfs:/srv/now
  ok 'it reads it' is "$(bz exec a -- cat /srv/now/file)" served
  ok 'umount' bz umount a /srv/now
  ok 'the zone stops' bz stop -t 1 a
  wait
}

# The zone's own mount(8), of BusyBox.
own () {
  ask='mount -t nfs4 -o vers=4.2,addr=127.0.0.1,clientaddr=127.0.0.1 127.0.0.1:/ /mnt'
  bz -q run --network host a -- sh -c "$ask" >/tmp/said 2>&1
  ok 'a zone that may not mount NFS is told how (B12)' grep -q 'mount of nfs4: zones may not (B12).*Storage.Mounts=nfs4' /tmp/said
  ok 'Mounts=' bz config set a 'Storage.Mounts=nfs;nfs4'
  bz -q run --network host a -- sh -c "$ask && cat /mnt/file && cat /mnt/below/made && ls -ln /mnt | grep -c below
    echo mine >/mnt/below/by-zone && cat /mnt/below/by-zone; umount /mnt && ls /mnt" >/tmp/said 2>&1
  ok 'one that may mounts it, reads, writes and unmounts' is "$(tr '\n' ' ' </tmp/said)" 'served zone 1 mine '
  ok 'the server sees the number that its root has on the host' \
    is "$(stat -c %u /disk/export/below/by-zone)" "$(bz -q run a -- awk '{ print $2; exit }' /proc/self/uid_map)"
  bz -q run --network host a -- sh -c "mount -t nfs4 -o ro,vers=4.2,addr=127.0.0.1,clientaddr=127.0.0.1 127.0.0.1:/ /mnt
    touch /mnt/below/x 2>/dev/null || echo read-only" >/tmp/said 2>&1
  ok 'to be read' is "$(tr '\n' ' ' </tmp/said)" 'read-only '
  bz -q run a -- sh -c "$ask" >/tmp/said 2>&1
  ok 'a server that is not in the network of the zone is not there' sh -c '! grep -q served /tmp/said; test -s /tmp/said'
  cat /tmp/said
  ok 'the zone is removed' bz remove a
}

clean () {
  ok 'the host unmounts it' umount /tmp/nfs
  ok 'no mount of a zone is left' sh -c '! grep " nfs4 " /proc/self/mountinfo'
  echo 0 >/proc/fs/nfsd/threads
}

host
given
own
clean
echo '# end of nfs'
