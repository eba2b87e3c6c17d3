#!/bin/sh
# What plain users' zones can't have: each line of the lists in doc/limits.md and brandzone(1) is tried, with and without
# subordinate ids, and beside it what root's zones do.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
begin
[ "$(id -u)" -eq 0 ] || skip_all 'it needs root, to be several users'
plain_users_work || skip_all 'newuidmap, setpriv or unprivileged user namespaces are missing'
if masked subordinate-ids || masked idmapped-mounts || masked overlay; then skip_all "masked: $BRANDZONE_WITHOUT"; fi

# tries TEXT...: beginnings of the lines of the lists that the cases after it are about.
tries () {
  printf '%s\n' "$@" >>"$tmp/tried"
}

# Prints the lines of both lists: the first cells of the table, the items of the manual.
lists () {
  sed -n '/^## Zones of plain users/,/^## /s/^| \([^|]*\) |.*/\1/p' "$src/doc/limits.md" | grep -v '^What does not work$'
  sed -n '/^\.Sh PLAIN USERS/,/^\.El/p' "$src/doc/brandzone.1" | grep -A1 '^\.It$' | grep -v -e '^\.It$' -e '^--$'
}

# expected FOR-ROOT FOR-OTHERS: what the current user should get.
expected () {
  if [ "$who" = root ]; then echo "$1"; else echo "$2"; fi
}

ids () {
  tries 'chown, su, daemons' 'such a zone keeps no other owners' 'more than one user id'
  run bz run z -- su nobody -s /bin/sh -c 'id -u'
  if [ "$who" = alone ]; then
    ok 'su with one id' test "$status" != 0
    like 'is explained' "$err" 'one user id: chown, su and daemons .*\(see subordinate-ids in brandzone doctor\)'
    run bz doctor
    like 'and mended' "$out" 'usermod --add-subuids'
  else
    is 'su' "$status,$out" 0,65534
  fi
  run bz run z -- sh -c 'touch /tmp/f && chown 7 /tmp/f && stat -c %u:%g /tmp/f /etc/shadow'
  case $who in
    alone) is 'owners with one id' "$out" '0:0
0:0' ;;
    *) is 'owners' "$out" '7:0
0:42' ;;
  esac
}

layers () {
  tries 'renaming a directory of a layer' 'a file of a layer with several names' 'renaming of directories of the tree'
  if [ ! -x "$guests/rename-x86_64" ]; then
    skip 'layers' 'no guest program'
    return 0
  fi
  by cp "$guests/rename-x86_64" "$tmp/$who/rename"
  bz -q run z -- sh -c 'mkdir /opt && cd /opt && mkdir d && echo one >d/file && echo 1 >a && ln a b'
  run bz -q cp "$tmp/$who/rename" z:/opt/rename
  run bz run z -- sh -c 'cd /opt && ./rename d e && ./rename e d'
  is 'a directory is renamed where there are no layers' "$out" '0
0'
  run bz -q clone z c
  is 'clone' "$status" 0
  run bz run c -- sh -c 'cd /opt && ./rename d e; mv [de] f && cat f/file'
  is 'a directory of a layer' "$out" "$(expected 0 18)
one"
  run bz run c -- sh -c 'cd /opt && echo 2 >a && cat b; ln -f a b && cat b'
  is 'a file of a layer with two names' "$out" '1
2'
  bz -q remove c
}

copies () {
  tries 'clone and snapshot of a zone that runs' 'a copy (`--storage=copy`'
  in_background bz run z -- sleep 1000
  until_true 20 running z
  run bz -q clone z c
  if [ "$status" != 0 ]; then
    like 'a zone that runs is not cloned where it can not be held still' "$err" '^brandzone: .*: .* \(.*\)'
    ok 'and root can' test "$who" != root
  else
    pass 'a zone that runs is cloned'
    bz -q remove c
  fi
  run bz -q stop --time 0 z
  wait "$job"
  bz -q run z -- sh -c 'mkdir /opt/long && cd /opt/long && name=$(printf "%0240d" 0) &&
    for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18; do mkdir $name && cd ./$name || exit 1; done'
  run bz -q clone --storage=copy z c
  ok 'a path of more than 4095 bytes is not copied' test "$status" != 0
  like 'and says so' "$err" '^brandzone: .*: File name too long \(.*\)'
  bz -q remove c 2>/dev/null
  bz -q run z -- rm -rf /opt/long
}

limited () {
  tries 'limits of memory, processors, processes' 'limits of memory, processors and processes'
  for words in '--memory=64M MemoryMax' '--cpus=1 CPUQuota' '--pids-limit=50 TasksMax'; do
    run bz run "${words% *}" z -- true
    if [ "$who" != root ]; then
      is "${words% *}" "$status" 125
      like 'says what to do' "$err" "^brandzone: cannot limit the zone's .*cgroup.*\(.*systemd-run --user --scope -p ${words#* }="
    elif [ "$status" = 0 ]; then
      pass "${words% *}"
    else
      like "${words% *} without the controller" "$err" 'no cgroup with the controller .*\(is it in'
    fi
  done
  tries 'a cgroup of its own'
  run bz run z -- sh -c 'ls -d /sys/fs/cgroup/* 2>/dev/null | wc -l'
  is 'no control group is there to be managed' "$status" 0
  tries 'raising a limit above' "limits above the user's own"
  run bz run --brand linux-2.6 z -- sh -c 'ulimit -Hn 1000000; echo $?; ulimit -Hn'
  is 'a hard limit is said to be raised' "$out" '0
4096'
  run bz run --brand native z -- sh -c 'ulimit -Hn 100 && ulimit -Hn 200'
  ok 'where the brand does not say so it fails' test "$status" != 0
}

# On newer kernels System V IPC belongs to the zone, before to the root of the host.
sysctls () {
  tries '`--sysctl kernel.shmmax`'
  run bz run --sysctl kernel.shmmax=123456 z -- cat /proc/sys/kernel/shmmax
  if [ "$who" = root ] || [ "$status" = 0 ]; then
    is 'kernel.shmmax' "$status,$out" 0,123456
  else
    like 'kernel.shmmax is refused with a reason' "$err" '^brandzone: .*kernel.shmmax.*: .* \(.*\)'
  fi
}

nodes () {
  tries 'removing nodes in /dev' 'device nodes of their own'
  run bz run z -- sh -c 'rm /dev/null; echo $?'
  is 'rm /dev/null' "$out" "$(expected 0 1)"
  if [ "$who" != root ]; then like 'is busy' "$err" 'Resource busy'; fi
  run bz run --brand linux-2.6 z -- sh -c 'mknod /dev/x c 1 1 && { : >/dev/x; } 2>&1; echo $?'
  like 'a node that is made leads to no device' "$out" '/dev/x: (No such device or address|Permission denied)$'
}

networks () {
  tries '`--network macvlan`' 'ports below 1024'
  bz -q config set z Network.Mode=macvlan Network.Parent=lo
  run bz run z -- true
  is 'macvlan' "$status" 125
  case $who in
    root) unlike 'is for root to have' "$err" "takes the host's root" ;;
    *) like 'takes root' "$err" "^brandzone: an interface of the host's for the zone: it takes the host's root \(" ;;
  esac
  bz -q config set z Network.Mode=none
  bz -q config unset z Network.Parent
  bz -q config set z Network.Mode=private Network.Bridge=br9
  run bz run z -- true
  is 'Bridge=' "$status" 125
  case $who in
    root) like 'looks for it' "$err" "interface br9: No such device" ;;
    *) like 'takes root' "$err" "it takes the host's root \(set Mode=private without Bridge=" ;;
  esac
  bz -q config set z Network.Mode=none
  bz -q config unset z Network.Bridge
  bz -q config unset z Network.Mode
  run bz run --network private -p 80:80 z -- true
  if [ "$who" != root ]; then
    is 'a port below 1024' "$status" 125
    like 'is refused with a reason, or for want of pasta' "$err" '^brandzone: .*(pasta|80).*: .* \(.*\)'
  fi
}

sources () {
  tries 'installing files that the user' "files that the user can't read"
  by cp -r "$tree/etc" "$tmp/$who/etc" 2>/dev/null
  by mkdir -p "$tmp/$who/source/bin"
  by mv "$tmp/$who/etc" "$tmp/$who/source/etc"
  by cp "$tree/bin/busybox" "$tmp/$who/source/bin/busybox"
  echo secret >"$tmp/$who/source/secret"
  chown 0:0 "$tmp/$who/source/secret"
  chmod 600 "$tmp/$who/source/secret"
  run bz -q install s "$tmp/$who/source"
  is 'a file of another user' "$status" "$(expected 0 6)"
  if [ "$who" != root ]; then
    like 'is named' "$err" '^brandzone: reading .*/secret: Permission denied \(install it as a user who may read'
    run bz show s
    is 'and no zone is made' "$status" 3
  fi
  bz -q remove s 2>/dev/null
  tries 'writing below directories'
  # The shared tree itself is seen read-only here: a copy, root's.
  rm -rf "$tmp/shared"
  mkdir "$tmp/shared"
  tar -C "$tmp/shared" -xpf "$tar" --exclude='./dev/*'
  run bz run --image "$tmp/shared" -v "$tmp/$who:/mnt/x/y" -- sh -c 'test -d /mnt/x/y && echo new >/etc/new && cat /etc/new'
  if [ "$who" = root ]; then
    is "a volume in a tree of root's" "$status,$out" 0,new
  else
    is "a volume in a tree of root's" "$status" 125
    like 'is refused with the reason' "$err" 'cannot use /mnt/x/y of the zone as a mount point: Permission denied \(make it in the tree'
  fi
  rm -rf "$tmp/shared"
}

others () {
  tries 'seeing the zones of other users'
  run bz list --json
  is 'only the own zones are listed' "$(printf '%s' "$out" | grep -c '"name"')" 1
}

for who in root user alone; do
  zone z alpine-x86 || finish
done
for who in root user alone; do
  ids
  layers
  copies
  limited
  sysctls
  nodes
  networks
  sources
  others
done
who=
lists >"$tmp/lists"
ok 'the lists are found' test "$(wc -l <"$tmp/lists")" -ge 18
while IFS= read -r line; do
  found=
  while IFS= read -r start; do
    case $line in "$start"*) found=yes ;; esac
  done <"$tmp/tried"
  ok "tried: $line" test -n "$found"
done <"$tmp/lists"
for who in root user alone; do bz -q remove z; done
finish
