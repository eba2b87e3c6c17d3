#!/bin/sh
# What the root of a zone may not, and is told that it may (rows S13 to S21); and calls that the host
# no longer has (S4, S5; --strict). In zones of root, of a user with many ids, and of one with his own.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
begin

# inside BRAND ABI [OPTION...] -- GUEST [ARGUMENT...]
inside () {
  brand=$1
  abi=$2
  shift 2
  options=
  while [ "$1" != -- ]; do
    options="$options $1"
    shift
  done
  shift
  program=$1
  shift
  # shellcheck disable=SC2086 # options are words
  run bz -q run --brand "$brand" --abi "$abi" $options -v "$guests:/guest:ro" z -- \
    "/guest/$program-$abi" "$@"
}

# symptom ROW PATTERN [ARGUMENT...]: what the guest says without the row, under $brand_of_row.
symptom () {
  row=$1
  pattern=$2
  shift 2
  inside "$brand_of_row" x86_64 --disable-row "$row" -- rights "$@"
  like "$row disabled: the symptom of the catalogue" "$out" "$pattern"
}

rights () {
  inside el6 x86_64 -- rights "$ids" audit
  take_tap 'el6 x86_64: rights'
  inside linux-3.10 x86_64 -- rights "$ids" audit ping
  take_tap 'linux-3.10 x86_64: rights'
  if [ -x "$guests/rights-i386" ] && ! masked ia32; then
    inside linux-2.4 i386 -- rights "$ids"
    take_tap 'linux-2.4 i386: rights'
    inside linux-2.6 i386 -- rights "$ids" audit
    take_tap 'linux-2.6 i386: rights'
  else
    skip 'rights of i386' 'ia32 is masked, or the compiler cannot build i386 guests (gcc-multilib)'
  fi
}

symptoms () {
  brand_of_row=linux-3.10
  symptom S13 'S13: raising a hard limit: expected 0, got -1$' "$ids"
  symptom S15 'S15: chown of /proc: expected 0, got -(1|30)$' "$ids"
  symptom S17 'S17: mknod of a device: expected 0, got -1$' "$ids"
  symptom S18 'not ok [0-9]+ - S18' "$ids" ping
  symptom S21 'S21: an audit socket: expected -93, got ' "$ids" audit
  if [ "$ids" = one ]; then
    symptom S14 'S14: setgroups: expected 0, got -1$' one
    symptom S15 'chown to an id that is not there: expected 0, got -22$' one
  fi
}

# What MAKEDEV and packages of devices do: /dev/null goes and comes again. Root's zones have it back; console never is the host's.
safe_nodes () {
  if [ "$who" = root ]; then null='1 3' zero='1 5' said=said; else null='0 0' zero='0 0' said=; fi
  # In an overlay nothing stands in its place.
  if [ $# -gt 0 ]; then console="stat: can't stat 'console': No such file or directory"; else console='0 0'; fi
  # shellcheck disable=SC2016 # for the zone's shell
  run bz -q run --brand el6 --abi x86_64 "$@" z -- /bin/sh -c '
    if rm /dev/null 2>&1; then
      mknod -m 666 /dev/null c 1 3; stat -c "%t %T %a %u" /dev/null; { echo said >/dev/null && echo said; } 2>&1
    else
      stat -c "%t %T %a 0" /dev/null; echo said
    fi
    cd /tmp && rm -f zero console && umask 027 && chown 0:7 . && chmod g+s . && mknod zero c 1 5; mknod zero c 1 5 2>&1
    stat -c "%t %T %a %u %g" zero; rm zero; chmod g-s .
    mknod console c 5 1 2>/dev/null; stat -c "%t %T" console 2>&1; rm -f console
    ls -A /tmp /dev | grep brandzone'
  case $out in
    *busy*) like 'S17: bound nodes are not removed' "$out" 'busy' ;; # a plain user's
    *)
      is 'S17: null and its like can be made anew' "$out" "$null 666 0
${said}
mknod: zero: File exists
$zero 640 0 7
$console"
      ;;
  esac
}

# MAKEDEV makes it in the place of the link to the one of /dev/pts.
terminals_anew () {
  run bz -q run --brand el6 --abi x86_64 z -- /bin/sh -c 'cd /dev && rm ptmx && mknod -m 666 ptmx c 5 2 && : <>ptmx && echo opened
    mkdir other && mknod other/ptmx c 5 2 && { (: <>other/ptmx) 2>/dev/null || echo none; }'
  is 'S17: ptmx made anew gives terminals, but not away from pts' "$out" "opened
none"
}

# The wrapper of brandzone-syscalls(7): the host's iptables-nft, in the zone's network and by the zone's shell.
old_iptables () {
  if ! command -v xtables-nft-multi >/dev/null || ! unshare --net xtables-nft-multi iptables -nL >/dev/null 2>&1; then
    skip 'S19: iptables by the wrapper' 'the host has no iptables-nft that works'
    return
  fi
  cp "$src/zone/zone-iptables" "$tmp/zone-iptables"
  chmod 755 "$tmp/zone-iptables"
  run bz -q run --network none --brand el6 --abi x86_64 -v /usr:/opt/host/usr:ro -v "$tmp/zone-iptables:/sbin/iptables:ro" z -- \
    /bin/sh -c 'iptables -A INPUT -p tcp --dport 22 -j ACCEPT && iptables -nL INPUT'
  is 'S19: iptables by the wrapper' "$status" 0
  like 'S19: the rule is there' "$out" 'ACCEPT .*dpt:22'
  run bz -q run --network none --brand el6 --abi x86_64 -v "$tmp/zone-iptables:/sbin/iptables:ro" z -- iptables -nL
  like 'S19: without the host'"'"'s /usr the wrapper says so' "$status $err" '^1 iptables: there is no iptables-nft in /opt/host/usr'
}

# A caller who has logged in has the id set: what is run, and what joins, can set it all the same.
# shellcheck disable=SC2317 # `run` calls it
logged_in () {
  sh -c 'echo 4242 >/proc/self/loginuid; exec "$@"' sh "$brandzone" --root "$tmp/$who/state" "$@"
}

login_id () {
  if ! sh -c 'echo 4242 >/proc/self/loginuid' 2>/dev/null; then
    skip 'S20: the login id is unset for who joins' 'the kernel has no login ids, or lets nobody change one'
    return
  fi
  run logged_in -q run z -- sh -c 'echo 5 >/proc/self/loginuid && cat /proc/self/loginuid'
  is 'S20: a program may set its login id' "$status $out" '0 5'
  in_background bz -q run z -- sleep 60
  until_true 20 running z
  run logged_in exec z -- sh -c 'echo 5 >/proc/self/loginuid && cat /proc/self/loginuid'
  is 'S20: so may one that joins' "$status $out" '0 5'
  run bz stop --time 0 z
  wait "$job"
}

gone_calls () {
  inside linux-2.6 x86_64 --stats -- gone
  is 'S4: a call that is gone is ENOSYS' "$status" 0
  like 'S4: it is counted' "$err" 'nfsservctl 1'
  for row in S4 S5 E14 E21; do
    inside linux-2.6 x86_64 --stats --disable-row $row -- gone
    unlike "$row disabled: nobody counts it" "$err" 'nfsservctl'
  done
  inside linux-2.6 x86_64 --strict -- gone
  is '--strict: the program is killed' "$status" 137
  is '--strict: one line tells call, program and row' "$err" \
    "brandzone: gone-x86_64 was killed: it called nfsservctl (x86_64), which the host's kernel lacks (strict) [S4]"
  inside linux-2.6 x86_64 --strict -- rights "$ids" audit
  is '--strict: what is answered goes on' "$status" 0
  inside linux-3.10 x86_64 --strict -- gone
  is '--strict: a call that the brand lacked too is ENOSYS' "$status" 0
  printf '[Brand]\nStrict=yes\n' >"$tmp/strict.conf"
  chmod 644 "$tmp/strict.conf"
  drop_ins=$tmp/$who/state/config/z.zone.d
  by mkdir -p "$drop_ins" 2>/dev/null && by cp "$tmp/strict.conf" "$drop_ins/strict.conf"
  inside linux-2.6 x86_64 -- gone
  is 'Strict=yes in the zone file: the program is killed' "$status" 137
  by rm -r "$drop_ins"
}

# Also the owners that the archive named, and device nodes; and an export carries all of them.
carried () {
  # shellcheck disable=SC2016 # for the zone's shell
  run bz -q run --remember-owners --stats z -- /bin/sh -c '
    stat -c "%u %g %a" /etc/shadow
    mkdir -p /root/n && cd /root/n && umask 0
    mknod -m 666 null c 1 3; mknod -m 660 hda b 3 0; mknod -m 644 null c 1 3
    stat -c "%n %F %t %T %a" null hda
    ls -l hda | tr -s " " | cut -d " " -f 1,3-6
    chown 5:6 hda; stat -c "%u %g %F" hda
    test -c null && test -b hda && echo tested
    cp -a hda copy; stat -c "%u %g %F" copy; rm copy'
  is 'S17: nodes and the owners of the archive are remembered' "$out" '0 42 640
null character special file 1 3 666
hda block special file 3 0 660
brw-rw---- root root 3, 0
5 6 block special file
tested
5 6 block special file'
  like 'S17: a name that is taken is no success' "$err" 'null: File exists'
  unlike 'S17: what is remembered is no pretence' "$err" 'without effect'
  run bz -q run z -- stat -c '%F' /root/n/hda
  is 'S17: without --remember-owners it is an empty file' "$out" 'regular empty file'
  bz export z - >"$tmp/carried.tar" 2>/dev/null
  carried=$(tar --numeric-owner -tvf "$tmp/carried.tar" etc/shadow root/n/hda root/n/null 2>&1 |
    tr -s ' ' | cut -d ' ' -f 1-3,6 | sort -k 4 | sed 's/ [0-9]* \([a-z]\)/ \1/')
  is 'S15, S17: an export carries them' "$carried" "-rw-r----- 0/42 etc/shadow
brw-rw---- 5/6 3,0 root/n/hda
crw-rw-rw- 0/0 1,3 root/n/null"
  unlike 'S15: and has no record of its own' "$(tar --xattrs -tvvf "$tmp/carried.tar" etc/shadow 2>&1)" 'brandzone'
}

# A zone with one id shows the owners that its files should have, in every call and by every name, and keeps
# them in the tree.
remembered () {
  # shellcheck disable=SC2016 # for the zone's shell
  run bz -q run --remember-owners --stats z -- /bin/sh -c '
    cd /root && rm -rf r && mkdir r && cd r
    show () { stat -c "%u %g %a" "$@" 2>&1; }
    echo text >file; mkdir dir; ln -s file link
    chown 48:5 file; show file; show -L link
    chgrp 7 file; show file
    mv file moved; ln moved hard; show hard
    chown 33 dir; show dir; ls -ldn dir | awk "{ print \$3, \$4 }"
    find . -user 48 | sort
    tar cf a.tar moved dir && tar tvf a.tar | awk "{ print \$2 }"
    mkdir out && tar -C out -xpf a.tar && show out/moved out/dir
    chown 0:0 moved; show moved
    chmod 4755 hard; chown 9 hard; show hard
    chown -h 4 link; show link'
  is 'S15: owners are remembered' "$out" '48 5 644
48 5 644
48 7 644
48 7 644
33 0 755
33 0
./hard
./moved
48/lp
xfs/root
48 7 644
33 0 755
0 0 644
9 0 755
0 0 777'
  like 'S15: a link keeps none, and is counted' "$err" 'without effect: lchown 1'
  run bz -q run --remember-owners z -- stat -c '%u %g' /root/r/hard
  is 'S15: the next start shows them' "$out" '9 0'
  run bz -q run z -- stat -c '%u %g' /root/r/hard
  is 'S15: without --remember-owners nothing is trapped for it' "$out" '0 0'
  printf '[Storage]\nRememberOwners=yes\n' >"$tmp/owners.conf"
  chmod 644 "$tmp/owners.conf"
  drop_ins=$tmp/$who/state/config/z.zone.d
  by mkdir -p "$drop_ins" 2>/dev/null && by cp "$tmp/owners.conf" "$drop_ins/owners.conf"
  run bz -q run z -- stat -c '%u %g' /root/r/hard
  is 'S15: RememberOwners=yes in the zone file' "$out" '9 0'
  if [ -x "$guests/rights-i386" ] && ! masked ia32; then
    # This guest wants to see that nothing is remembered.
    inside linux-2.6 i386 -- rights one audit
    like 'S15: i386 programs are shown them, too' "$out" 'its owner: expected 0, got 48'
  fi
  run bz -q run --disable-row S15 z -- chown 3 /root/r/hard
  like 'S15 disabled: the symptom of the catalogue' "$err" 'Invalid argument'
  by rm -r "$drop_ins"
}

if [ "$users" = self ]; then kinds=self; else kinds="$users alone"; fi
for who in $kinds; do
  if [ "$who" != root ] && ! plain_users_work; then
    skip 'rights in a plain user'"'"'s zone' 'newuidmap, setpriv or unprivileged user namespaces are missing'
    continue
  fi
  if [ "$who" = alone ]; then ids=one; else ids=many; fi
  zone z alpine-x86_64 || continue
  rights
  symptoms
  safe_nodes
  if [ "$who" = root ]; then login_id; fi
  if [ "$who" != alone ]; then old_iptables; fi
  if [ "$who" = root ] && ! masked overlay; then safe_nodes --rm; fi
  if [ "$who" = root ]; then terminals_anew; fi
  gone_calls
  if [ "$ids" = one ]; then
    carried
    remembered
  fi
  run bz -q remove z
done
finish
