#!/bin/sh
# start, stop, restart, console, logs and boot-edits: zones that run their own init.
# shellcheck disable=SC2317 # functions that `until_true` and `ok` call
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
begin
first_user_only
limit=90

root_of () {
  bz show --json "$1" | field root
}

says () {
  bz logs "$1" | grep -Eq -- "$2"
}

# How often the console has said it.
times_said () {
  bz logs "$1" | grep -Ec -- "$2"
}

started_times () {
  [ "$(times_said "$1" "zone $1 starts")" = "$2" ]
}

# at_prompt NAME: its last start came to a getty that asks.
at_prompt () {
  bz logs "$1" | awk '/brandzone: zone .* starts/ { asks = 0 } /login:/ { asks = 1 } END { exit !asks }'
}

stopped () {
  [ "$(bz show --json "$1" 2>/dev/null | field state)" = stopped ]
}

keepers () {
  grep -lx bz-keeper /proc/[0-9]*/comm 2>/dev/null | cut -d/ -f3
}

tenths () {
  awk '{ print int($1 * 10) }' /proc/uptime
}

# --- BusyBox ---

lives () {
  zone a alpine-x86 || return 0
  # The distribution locks root's account; with one that is open the console can be logged in to.
  run bz run a -- sed -i 's/^root:[^:]*:/root::/' /etc/shadow
  run bz start a
  is 'start' "$status" 0
  is 'start says nothing' "$out$err" ''
  ok 'a getty asks on the console' until_true 20 at_prompt a
  ok 'list shows it running' running a
  run bz exec a -- sh -c 'readlink /proc/1/exe; cat /proc/1/comm; tr "\0" "\n" </proc/1/environ'
  is 'process 1 is its init' "$(printf '%s\n' "$out" | head -n 2 | tr '\n' ' ')" '/bin/busybox init '
  like 'which is told that it is in a container' "$out" '^container=lxc$'
  unlike 'and nothing of the caller' "$out" '^(SSH|XDG|BRANDZONE|LD_)'
  if [ "$who" = root ]; then
    # A new network is an event of the host, for which no udevd of the zone may wait.
    before=$(bz exec a -- cat /sys/kernel/uevent_seqnum)
    was=$(cat /sys/kernel/uevent_seqnum)
    unshare --net true
    ok 'something happens on the host' [ "$was" != "$(cat /sys/kernel/uevent_seqnum)" ]
    run bz exec a -- cat /sys/kernel/uevent_seqnum
    is 'the zone does not wait for it' "$out" "$before"
  fi
  run bz exec a -- sh -c 'ls -l /proc/1/fd'
  is 'it holds its console alone' "$(printf '%s\n' "$out" | grep -c 'pts/0$\|console$')/$(printf '%s\n' "$out" | grep -c -- '->')" 3/3
  run bz exec a -- cat /proc/1/loginuid
  is 'nobody has logged in' "$out" 4294967295
  run bz exec a -- sh -c 'ps -o comm | sort | uniq -c'
  like 'six gettys run' "$out" ' 6 getty'
  run bz start a
  is 'what runs is not started again' "$status" 4
  run bz exec a -- sh -c 'umount -a; mount -o remount,ro /; mount -t tmpfs t /mnt; ls / | tr "\n" " "'
  is 'umount -a and remounts uncover nothing of the host' "$out" 'bin dev etc home lib media mnt proc root run sbin srv sys tmp usr var '
  run bz exec a -- sh -c 'echo still here'
  is 'and the zone goes on' "$out" 'still here'
  run bz exec a -- sh -c 'echo on the console >/dev/console'
  ok 'with its console' until_true 5 says a 'on the console'
  run bz exec a -- sh -c 'cat /proc/1/comm'
  is 'and its /proc' "$out" init
}

attached () {
  running a || return 0
  script 'expect login:' 'send root\r' 'expect #' 'send tty; echo from-the-$((40 + 2))\r' 'expect from-the-42' \
    'send exit\r' 'expect login:' 'send \r' 'expect login:' 'send ~.' 'expect detached'
  run terminal "$script" -- "$brandzone" --root "$tmp/$who/state" console a
  is 'root logs in on the console, out again, and detaches' "$status" 0
  like 'on tty1' "$out" '^/dev/(tty1|console)'
  ok 'the zone goes on' running a
  ok 'the log has it' says a '^from-the-42'
  unlike 'without escape sequences' "$(bz logs a | tr '\033' '@')" '@'
  run bz exec a -- sh -c 'printf "\033]0;title\007\033[6n<text>\n" >/dev/console'
  ok 'whatever a program writes' until_true 5 says a '^<text>|login: <text>'
  run bz logs --json no-such
  is 'logs of no zone' "$status" 3
  in_background bz logs -f a
  run bz exec a -- sh -c 'sleep 1; echo followed >/dev/console'
  ok 'logs -f goes on' until_true 10 grep -q followed "$tmp/job.out"
}

# A zone that is at work goes back to what it was, and is at work again.
goes_back () {
  run bz snapshot a good
  if [ "$status" = 7 ]; then
    like 'a snapshot of what can not stand still names stop' "$err" "brandzone stop a"
    skip 'rollback --restart' 'its tasks are in no control group'
    return
  fi
  is 'snapshot of a zone that runs its init' "$status" 0 || return 0
  bz exec a -- sh -c 'echo bad >/etc/issue; rm /etc/motd; echo new >/srv/new'
  before=$(bz show --json a | field init_pid)
  run bz rollback a good
  is 'rollback of it is refused' "$status" 4
  like 'with the way to do it' "$err" 'brandzone rollback --restart a'
  is 'and it runs on' "$(bz show --json a | field init_pid)" "$before"
  run bz rollback --restart a nothing
  is 'nor is it stopped for a snapshot that is none' "$status $(bz show --json a | field init_pid)" "8 $before"
  run bz rollback --restart a good
  is 'rollback --restart' "$status" 0
  like 'says what the zone is now' "$out" '^a: is again what it was at good'
  ok 'another init runs' test "$before" != "$(bz show --json a | field init_pid)"
  ok 'up to its prompt' until_true 20 at_prompt a
  run bz exec a -- sh -c 'cat /etc/issue; ls /etc/motd /srv'
  unlike 'what was bad is gone' "$out$err" 'bad|new|No such'
  like 'and what was good is back' "$out" '^/etc/motd$'
  run bz -q snapshot --remove a good
  is 'the snapshot can go' "$status" 0
}

ends () {
  running a || return 0
  run bz exec a -- reboot
  ok 'a reboot inside starts it again' until_true 20 started_times a 2
  ok 'to its prompt' until_true 20 at_prompt a
  ok 'logs -f is still there' kill -0 "$job"
  run bz exec a -- poweroff
  ok 'poweroff ends it' until_true 20 stopped a
  wait "$job"
  is 'and logs -f with it' $? 0
  like 'which says so' "$(tail -n 2 "$tmp/job.out")" 'zone a halted'
  run bz restart a
  is 'restart of a zone that is stopped starts it' "$status" 0
  ok 'to its prompt again' until_true 20 at_prompt a
  before=$(bz show --json a | field init_pid)
  run bz restart a
  ok 'restart of one that runs makes another init' test "$before" != "$(bz show --json a | field init_pid)"
  until_true 20 at_prompt a
  goes_back
  begun=$(tenths)
  run bz stop a
  is 'stop' "$status" 0
  taken=$(($(tenths) - begun))
  ok 'which does not wait for sleeps of a BusyBox init' test $taken -lt 15
  diag "stop took $taken tenths of a second"
  like 'and it halted by itself' "$(bz logs a | tail -n 1)" 'zone a halted'
  run bz stop a
  is 'what is stopped is not stopped again' "$status" 4
}

arguments () {
  zone a alpine-x86 || return 0
  run bz start --init /bin/sh a -- -c 'echo "$0 $*: $$"; echo init >/dev/tty2; exit 3' one two
  is 'any program can be the init' "$status" 0
  ok 'with the arguments that are given' until_true 10 says a '^one two: 1'
  ok 'its end is the end of the zone' until_true 10 stopped a
  like 'and is told' "$(bz logs a | tail -n 1)" 'ended: its init died'
  run bz start --init /sbin/reboot a -- -f
  ok 'an init that only reboots is not started for ever' until_true 20 stopped a
  like 'which is told' "$(bz logs a | tail -n 5)" 'reboots again and again'
  run bz start --init /no/such/init a
  is 'an init that is not there' "$status" 1
  like 'is named' "$err" '/no/such/init'
  ok 'and nothing runs' stopped a
}

# --- what is killed ---

kills () {
  zone a alpine-x86 || return 0
  # Before the keeper is there, while it works, and when init runs.
  for delay in 0 0.005 0.01 0.02 0.04; do
    in_background bz start a
    sleep $delay
    for keeper in $(keepers); do kill -9 "$keeper" 2>/dev/null; done
    wait "$job" || :
    # One that came too late to be seen.
    for keeper in $(keepers); do kill -9 "$keeper" 2>/dev/null; done
    ok "killed $delay s after its start, it is stopped" until_true 5 stopped a
  done
  run bz start a
  is 'and can be started' "$status" 0
  until_true 20 at_prompt a
  kill -9 "$(bz show --json a | field keeper_pid)"
  ok 'the death of the keeper ends the zone' until_true 5 stopped a
  run bz start a
  is 'the next start works' "$status" 0
  until_true 20 at_prompt a
  in_background bz stop a
  sleep 0.05
  for keeper in $(keepers); do kill -9 "$keeper" 2>/dev/null; done
  wait "$job" || :
  ok 'killed while it is stopped, it is stopped' until_true 5 stopped a
  run bz restart a
  is 'and can be restarted' "$status" 0
  run bz stop -t 0 a
  is 'stop -t 0 does not ask' "$status" 0
}

# Every part at every stage: whatever is killed, the next command finds its way.
kill_part () {
  grep -lx "$1" /proc/[0-9]*/comm 2>/dev/null | cut -d/ -f3 | while read -r found; do
    kill -9 "$found" 2>/dev/null
  done
}

recovers () {
  run bz start a
  case $status in 0 | 4) ;; *) return 1 ;; esac
  run bz exec a -- true
  [ "$status" = 0 ] || { run bz start a && run bz exec a -- true && [ "$status" = 0 ]; }
}

kills_anywhere () {
  [ -n "${BRANDZONE_TEST_FULL:-}" ] || return 0
  zone a alpine-x86 || return 0
  for part in brandzone bz-keeper bz-supervisor init; do
    for delay in 0 0.005 0.01 0.02 0.04 0.1; do
      in_background bz start a
      sleep $delay
      kill_part $part
      wait "$job" || :
      ok "$part killed $delay s after the start began" recovers || explain_run
      until_true 20 at_prompt a
      in_background bz stop a
      sleep $delay
      kill_part $part
      wait "$job" || :
      ok "$part killed $delay s after the stop began" recovers || explain_run
      bz stop -t 0 a 2>/dev/null
    done
  done
}

# What a killed zone has left goes with a later command, whatever zone that is about, and even if nobody knows the zone
# any more.
left_groups () {
  [ "$who" = root ] && [ -n "${BRANDZONE_TEST_FULL:-}" ] || return 0
  zone a alpine-x86 || return 0
  make_tree alpine-x86 || return 0
  by "$brandzone" -q --root "$tmp/root/lost" install a "$tar"
  in_background by "$brandzone" --root "$tmp/root/lost" run a -- /bin/sleep 1000
  ok 'a zone of another state directory runs' until_true 20 lost_runs
  kill -9 "$(by "$brandzone" --root "$tmp/root/lost" show --json a | field keeper_pid)"
  wait "$job" || :
  rm -rf --one-file-system "$tmp/root/lost"
  ok 'killed, and its directory deleted, it leaves control groups' test -n "$(our_cgroups)"
  ok 'which a later start of another zone removes' until_true 20 lost_is_swept
}

lost_runs () {
  by "$brandzone" --root "$tmp/root/lost" exec a -- true 2>/dev/null
}

lost_is_swept () {
  bz run a -- true
  [ -z "$(our_cgroups)" ]
}

# A program that is set-group-id is not told of its parent's death. Without a cgroup it lives on.
outlives () {
  [ "$who" = root ] || return 0
  zone a alpine-x86 || return 0
  run bz run a -- sh -c 'cp /bin/busybox /srv/sh && chgrp 100 /srv/sh && chmod 2755 /srv/sh'
  run by nice -n 5 "$brandzone" --root "$tmp/$who/state" start a
  run bz exec a -- awk '{ print $19 }' /proc/1/stat
  is 'an init does not have the priority of who started it' "$out" 0
  bz stop -t 0 a
  for next in start rename remove; do
    run bz start --init /srv/sh a -- -c 'while :; do usleep 100000; done'
    is 'an init of another kind' "$status" 0
    init=$(bz show --json a | field init_pid)
    kill -9 "$(bz show --json a | field keeper_pid)"
    ok 'its keeper is killed' until_true 5 stopped a
    ok 'it goes on' kill -0 "$init"
    case $next in
    start) run bz start a ;;
    rename) run bz rename a b ;;
    remove) run bz remove a ;;
    esac
    is "$next works" "$status" 0
    unlike 'and ends what was left' "$(cat "/proc/$init/status" 2>/dev/null)" '^State:.[^ZX]'
    case $next in
    start) bz stop -t 0 a ;;
    rename) bz rename b a ;;
    esac
  done
}

# A family may ask for a cgroup hierarchy of the first version that the host does not have (B1 to B3).
named_hierarchy () {
  zone a alpine-x86 || return 0
  mkdir -p "$tmp/data/boot" "$tmp/data/definitions"
  { sed '/^\[Edit/,$d' "$src/brand/boot/busybox.edits"; echo "Cgroups=named bz-test"; } >"$tmp/data/boot/busybox.edits"
  cp "$src"/brand/definitions/*.brand "$tmp/data/definitions/"
  saved=$BRANDZONE_BRAND_PATH
  BRANDZONE_BRAND_PATH=$tmp/data/definitions
  run bz start a
  is 'a zone with a named hierarchy starts' "$status" 0
  run bz exec a -- sh -c 'cd /sys/fs/cgroup/bz-test && mkdir one && echo $$ >one/cgroup.procs && grep :name=bz-test: /proc/self/cgroup'
  like 'it is the root of its own' "$out" 'name=bz-test:/one$'
  keeper=$(bz show --json a | field keeper_pid)
  kill -9 "$keeper"
  ok 'its keeper is killed' until_true 5 stopped a
  run bz start a
  is 'the next start works' "$status" 0
  run bz exec a -- ls -d /sys/fs/cgroup/bz-test/one
  ok 'with a hierarchy that is empty' [ "$status" != 0 ]
  bz stop -t 0 a
  BRANDZONE_BRAND_PATH=$saved
  ok 'soon the host has no such hierarchy' until_true 10 sh -c '! grep -q bz-test /proc/self/cgroup /proc/self/mountinfo'
}

# --- Slackware 4.0: sysvinit, libc 5 ---

slackware () {
  zone s slackware-4.0 || return 0
  file=$(root_of s)/etc/rc.d/rc.S
  sum=$(by md5sum <"$file")
  run bz boot-edits s
  like 'boot-edits lists what is needed' "$out" '^rc-s-wait +needed +/etc/rc.d/rc.S'
  run bz start s
  is 'Slackware 4.0 starts' "$status" 0
  like 'its edit is told' "$err" 'line [0-9]+ of the zone.s /etc/rc.d/rc.S is edited'
  ok 'a getty asks' until_true 60 at_prompt s
  script 'expect login:' 'send root\r' 'expect #' \
    'send cd /tmp; echo "main(){puts(__VERSION__);}" >v.c; gcc -o v v.c; ./v\r' \
    'expect 2.7.2.3' 'expect #' 'send halt\r' 'expect runlevel: 0' 'wait 15'
  limit=60 run terminal "$script" -- "$brandzone" --root "$tmp/$who/state" console s
  is 'root logs in, compiles, halts' "$status" 0
  like 'the program of gcc 2.7.2 runs' "$out" '^2\.7\.2\.3'
  ok 'and the zone has halted' until_true 20 stopped s
  like 'by itself' "$(bz logs s | tail -n 1)" 'zone s halted'
  run bz start s
  is 'it starts again' "$status" 0
  is 'the edit is not made twice' "$err" ''
  is 'and marked' "$(grep -c '#brandzone:rc-s-wait# *read junk;' "$file")" 1
  until_true 60 at_prompt s
  if [ "$who" = root ]; then
    supervisor=$(bz show --json s | field supervisor_pid)
    kill -9 "$supervisor"
    run bz exec s -- /bin/uname -r
    is 'a killed supervisor goes unnoticed' "$out" 2.2.6
  fi
  run bz exec s -- /bin/sh -c '/sbin/umount /proc/version; /sbin/umount /proc/sys/kernel/osrelease; cat /proc/sys/kernel/osrelease'
  is 'the release in /proc cannot be uncovered by umount' "$out" 2.2.6
  run bz exec s -- /bin/sh -c '/sbin/mount -n -t proc none /proc; cat /proc/sys/kernel/osrelease'
  is 'nor by another proc' "$out" 2.2.6
  like 'which is busy, as it was' "$err" 'already mounted'
  begun=$(tenths)
  # On a busy machine its scripts take longer than they sleep.
  limit=60 run bz stop -t 40 s
  is 'stop' "$status" 0
  taken=$(($(tenths) - begun))
  diag "stop took $taken tenths of a second"
  like 'runs its own scripts to the end' "$(bz logs s | tail -n 12)" 'Remounting root filesystem read-only'
  like 'and halts' "$(bz logs s | tail -n 1)" 'zone s halted'
  run bz boot-edits --diff s
  like 'boot-edits --diff shows the line' "$out" '^\+: #brandzone:rc-s-wait#'
  run bz boot-edits --undo s
  is 'boot-edits --undo' "$status" 0
  is 'puts the file back, byte for byte' "$(by md5sum <"$file")" "$sum"
  run bz start --no-edits s
  is '--no-edits' "$status" 0
  ok 'leaves it waiting for a key' until_true 30 says s 'Press ENTER to continue'
  is 'and the file alone' "$(by md5sum <"$file")" "$sum"
  run bz stop -t 0 s
}

hostile_edits () {
  zone s slackware-4.0 || return 0
  tree=$(root_of s)
  mkdir -p "$tmp/outside"
  cp "$tree/etc/rc.d/rc.S" "$tmp/outside/rc.S"
  sum=$(md5sum <"$tmp/outside/rc.S")
  mv "$tree/etc/rc.d" "$tree/etc/rc.was"
  ln -s "$tmp/outside" "$tree/etc/rc.d"
  run bz boot-edits s
  like 'a directory that leads out of the tree is not followed' "$out" 'not there'
  run bz start s
  bz stop -t 0 s
  rm "$tree/etc/rc.d"
  mv "$tree/etc/rc.was" "$tree/etc/rc.d"
  mv "$tree/etc/rc.d/rc.S" "$tree/etc/rc.d/rc.S.was"
  ln -s "$tmp/outside/rc.S" "$tree/etc/rc.d/rc.S"
  run bz start s
  bz stop -t 0 s
  is 'nor a file' "$(md5sum <"$tmp/outside/rc.S")" "$sum"
  rm "$tree/etc/rc.d/rc.S"
  mkfifo "$tree/etc/rc.d/rc.S"
  limit=10 run bz boot-edits s
  is 'a FIFO holds nobody up' "$status" 0
}

# --- CentOS 6.8: upstart ---

centos () {
  zone c centos-6.8 || return 0
  # What its archive, kept by git, lost: empty directories, and files that are made at install time.
  tree=$(root_of c)
  mkdir -p "$tree/var/lock/subsys" "$tree/var/empty/sshd" "$tree/var/tmp"
  chmod 711 "$tree/var/empty/sshd"
  : >"$tree/etc/fstab"
  echo NETWORKING=no >"$tree/etc/sysconfig/network"
  run bz start c
  is 'CentOS 6.8 starts' "$status" 0
  ok 'its upstart brings up a getty' until_true 90 at_prompt c
  run bz exec c -- /bin/sh -c 'runlevel; /sbin/initctl list; ps -C sshd,mingetty -o comm='
  like 'in runlevel 3' "$out" '^N 3'
  like 'upstart answers' "$out" '^rc .*stop/waiting'
  is 'six gettys run' "$(printf '%s\n' "$out" | grep -c '^mingetty')" 6
  like 'sshd runs' "$out" '^sshd'
  limit=60 run bz stop -t 40 c
  is 'stop' "$status" 0
  like 'by its own scripts' "$(bz logs c | tail -n 20)" 'Halting system'
  like 'and halts' "$(bz logs c | tail -n 1)" 'zone c halted'
  if running c; then bz stop -t 0 c; fi
  run bz start --disable-row B13 c
  ok 'without the answer to vhangup its gettys end' until_true 90 says c 'init: tty .* terminated with status 1'
  bz stop -t 0 c
}

basiclinux () {
  zone b basiclinux || return 0
  run bz start b
  is 'BasicLinux starts' "$status" 0
  ok 'a getty asks' until_true 60 at_prompt b
  run bz boot-edits b
  like 'it needs no edits' "$err" 'needs no edits'
  limit=60 run bz stop -t 40 b
  is 'stop' "$status" 0
  like 'a reboot while it is stopped ends it' "$(bz logs b | tail -n 1)" 'zone b halted'
}

# For one user, with what run's options set, and the same by the zone file.
one_user () {
  zone o alpine-x86 || return 0
  run bz start --single --nofile 300:400 --cap-drop CAP_MKNOD --cap-drop net_raw o
  is 'start --single' "$status" 0
  ok 'a shell is on the console' until_true 20 says o '/ #|[$#] *$'
  run bz exec o -- sh -c 'echo $(ulimit -n) $(ulimit -Hn); ps -o comm; grep CapBnd /proc/self/status'
  like 'limits at start' "$out" '^300 400$'
  unlike 'no getty runs' "$out" 'getty'
  bounding=$(printf '%s\n' "$out" | sed -n 's/^CapBnd:[[:space:]]*//p')
  is 'what was dropped is gone' $((0x$bounding >> 27 & 1))$((0x$bounding >> 13 & 1)) 00
  bz stop -t 0 o 2>/dev/null
  run bz config set o Boot.Single=yes Boot.AsItIs=yes
  is 'the zone file, too' "$status" 0
  run bz start o
  ok 'boots for one user' until_true 20 started_times o 2
  run bz exec o -- ps -o comm
  unlike 'and without gettys' "$out" 'getty'
  bz stop -t 0 o 2>/dev/null
  run bz start --cap-drop CAP_FLY o
  is 'a capability that there is not' "$status" 2
  like 'is told how to be named' "$err" 'capabilities\(7\) lists them'
}

for user in $users; do
  as "$user"
  if [ "$user" = user ] && ! plain_users_work; then
    skip 'zones of a plain user' 'newuidmap, setpriv or user namespaces are missing'
    continue
  fi
  lives
  attached
  ends
  arguments
  one_user
  slackware
  kills
  kills_anywhere
  left_groups
  outlives
done
as "${users%% *}"
if [ "$who" = root ]; then
  hostile_edits
  centos
  basiclinux
  named_hierarchy
fi
finish
