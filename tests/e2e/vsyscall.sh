#!/bin/sh
# Old x86-64 programs, which call the vsyscall page (E1, E2, E4): their text is put right however it comes into a
# process, their answers are right, and the rewritten copies can't be changed by a zone. The same
# on kernels that have the page and on those that have none (tests/hosts); there the row disabled is the catalogue's exit
# status 139.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
begin
first_user_only
: "${limit:=60}"

# What a 64-bit process is given, never the command line.
page=no
if grep -qF '[vsyscall]' /proc/self/maps; then page=yes; fi

vsyscall=/guest/vsyscall-x86_64

# in_zone [OPTION...] NAME -- COMMAND...
in_zone () {
  run bz -q run -v "$guests:/guest:ro" -v "$src/tests/e2e:/e2e:ro" "$@"
}

# tap NAME [OPTION...] ZONE -- COMMAND...
tap () {
  label=$1
  shift
  in_zone "$@"
  take_tap "$label"
}

# --- guests: programs without a libc ---------------------------------------------------------------

guest_programs () {
  tap 'text and answers' c -- $vsyscall rewritten check
  for row in E1 E2 E4; do
    if [ $page = yes ]; then
      tap "$row disabled" --disable-row $row c -- $vsyscall original check
    else
      in_zone --disable-row $row c -- $vsyscall original check
      is "$row disabled: the symptom of the catalogue" "$status" 139
    fi
  done
  tap 'ways to execute' c -- $vsyscall rewritten ways
  # With calls that are newer than the brand: execveat.
  tap 'ways to execute, all calls' --disable-row S6 c -- $vsyscall rewritten ways
  if [ $page = no ] && grep -Eq 'proc_mem\.force_override=(never|ptrace)' /proc/cmdline; then
    skip 'with a tracer' 'this kernel forbids to put such a program right (doc/limits.md)'
  else
    tap 'with a tracer' c -- $vsyscall rewritten traced
  fi
  # Here uname looks at a task's namespaces only once somebody has his own.
  tap 'names' c -- $vsyscall rewritten names
  in_zone c -- $vsyscall rewritten chain 300
  is 'a program executes itself 300 times' "$status $out" '0 chain: done, 0 left'
  in_zone c -- $vsyscall rewritten maps $vsyscall
  is 'a program that was put right is itself in /proc/self/maps' "$status" 0
  # A program that wants a newer kernel than the zone's is seen when it starts (E5), also later than others.
  in_zone c -- /guest/note-x86_64
  is 'a static program is told no release below its ABI note'"'"'s' "$out,$status" 3.2.0,0
  in_zone c -- /bin/sh -c '/guest/note-x86_64; true; uname -r'
  is 'others are told the zone'"'"'s' "$out" "3.2.0
$(in_zone c -- uname -r; printf %s "$out")"
  if [ ! -x "$guests/cost-i386" ] || masked ia32; then
    skip 'a 32-bit program starts one that was put right' 'no program for i386 runs here'
  else
    in_zone c -- /guest/cost-i386 exec 3 $vsyscall rewritten quiet
    ok 'a 32-bit program starts one that was put right' test "$status" = 0 -a "${out:-0}" -gt 0
  fi
  for what in answers signals stops; do
    tap "no way to rewrite: $what" c -- /guest/lastresort-x86_64 $what
  done
  tap 'no way to rewrite: a library' c -- /guest/loads-x86_64 /guest/library-x86_64
}

# --- strace and gdb of the zone ------------------------------------------------------------------------

# tool NAME: this machine's own, with its libraries, at /tools in the zone; fails when there is none.
tool () {
  path=$(command -v "$1") || { skip "under $1" "$1 is not installed here"; return 1; }
  mkdir -p "$tmp/tools"
  cp -L "$path" "$tmp/tools/$1"
  # ldd runs the program's own interpreter: these are this machine's own programs.
  for library in $(ldd "$path" | sed -n -e 's/.*=> \(\/[^ ]*\) (.*/\1/p' -e 's/^[[:space:]]*\(\/[^ ]*\) (.*/\1/p'); do
    cp -L "$library" "$tmp/tools/"
  done
  linker=/tools/$(basename "$(ldd "$path" | sed -n 's/^[[:space:]]*\(\/[^ ]*ld-linux[^ ]*\) (.*/\1/p')")
}

# with_tool NAME ARGUMENT...: of today, so it is told today's release and given today's calls.
with_tool () {
  program=/tools/$1
  shift
  set -- "$linker" --library-path /tools "$program" "$@"
  # gdb has a python, which does not start without its files.
  python=/usr/lib/$(cd "$tmp/tools" && find . -name 'libpython3*' | sed 's/.*lib\(python3\.[0-9]*\).*/\1/')
  if [ -d "$python/encodings" ]; then
    in_zone --disable-row E6 --disable-row E7 --disable-row S6 -v "$tmp/tools:/tools:ro" \
      -v "$python:$python:ro" -e PYTHONHOME=/usr c -- "$@"
  else
    in_zone --disable-row E6 --disable-row E7 --disable-row S6 -v "$tmp/tools:/tools:ro" c -- "$@"
  fi
}

# Whether prctl tells the auxiliary vector: the kernel, or what it has of later ones.
tells_auxv () {
  python3 -c 'import ctypes, sys; sys.exit(ctypes.CDLL(None).prctl(0x41555856, ctypes.create_string_buffer(64), 64, 0, 0) < 0)'
}

debuggers () {
  if [ $page = no ] && grep -Eq 'proc_mem\.force_override=(never|ptrace)' /proc/cmdline; then
    skip 'under strace and gdb' 'this kernel forbids to put such a program right (doc/limits.md)'
    return 0
  fi
  if tool strace; then
    with_tool strace -f -e trace=execve,time $vsyscall rewritten quiet
    is 'under strace: a program without a libc' "$status" 0
    like 'strace shows its calls' "$err" '^time\('
    unlike 'and nothing of ours' "$err" 'SIGSTOP|SIGCONT|SIGTRAP'
    with_tool strace -f -e trace=execve /bin/sh -c "$vsyscall rewritten quiet && $vsyscall rewritten quiet && date"
    is 'under strace: what a shell starts' "$status" 0
    with_tool strace -f -o /dev/null -e trace=execve $vsyscall rewritten ways
    take_tap 'under strace, ways to execute'
    with_tool strace -f -o /dev/null /usr/bin/python /e2e/vsyscall.py rewritten
    take_tap 'under strace'
    # libc.time() leads to the vDSO at its 64th call; syscall(2) does not.
    with_tool strace -e trace=time /usr/bin/python /e2e/vsyscall.py often 1000
    is 'time() of libc, again and again' "$status" 0
    calls=$(echo "$err" | grep -c '^time(NULL)')
    if tells_auxv; then
      ok 'soon asks the kernel no more' test "$calls" -ge 263 -a "$calls" -lt 900
    else
      ok 'always asks the kernel, which does not tell where the vDSO is (Linux 6.4)' test "$calls" -ge 1000
    fi
  fi
  if tool gdb; then
    with_tool gdb -nx -batch -ex 'break old_time' -ex run -ex 'x/3i place_of_time' -ex delete -ex continue \
      -ex 'print $_exitcode' --args $vsyscall rewritten quiet
    like 'under gdb: the text is right at the first breakpoint' "$out" 'mov +\$0xc9,%eax$'
    like 'under gdb: a program without a libc' "$out" '^\$1 = 0$'
    with_tool gdb -nx -batch -ex run -ex 'print $_exitcode' --args /usr/bin/python -c 'import time; time.time()'
    like 'under gdb: python' "$out" '^\$1 = 0$'
    with_tool gdb -nx -batch -ex run -ex 'print $_exitcode' --args /usr/bin/python -c 'import os, threading
program = "/guest/vsyscall-x86_64"
threading.Thread(target=lambda: os.execv(program, [program, "rewritten", "quiet"])).start()'
    like 'under gdb: execve by a thread that is not the first' "$out" '^\$1 = 0$'
  fi
}

# Where no copy can be made, a program runs as its kernel lets it, or under the tracer of last resort.
no_cache () {
  cache=$tmp/$who/state/cache/shadow
  by mv "$cache" "$cache.away" && by touch "$cache"
  in_zone c -- /bin/bash -c 'date +%s; python -c "import time; print int(time.time())"'
  is 'without a cache: bash, date and python' "$status" 0
  by rm "$cache" && by mv "$cache.away" "$cache"
}

privileges_and_scripts () {
  in_zone c -- /bin/sh -c '
    cp /guest/vsyscall-x86_64 /usr/bin/vs && chmod 4755 /usr/bin/vs &&
    printf "#!/guest/vsyscall-x86_64 rewritten\n" >/tmp/one && printf "#!/tmp/one\n" >/tmp/two &&
    chmod 755 /tmp/one /tmp/two'
  is 'files of the zone' "$status" 0 || return 0
  in_zone -u 1000 c -- /usr/bin/vs rewritten euid 0
  is 'a set-uid program, executed by a user of the zone, is put right and keeps its rights' "$status" 0
  in_zone -u 1000 c -- /guest/vsyscall-x86_64 rewritten ways
  take_tap 'ways to execute, a user of the zone'
  in_zone c -- /tmp/one
  is 'a script' "$status" 0
  in_zone c -- /tmp/two
  is 'a script of a script' "$status" 0
  in_zone -w /tmp c -- ./one
  is 'a script, by a relative path' "$status" 0
}

# --- real programs -----------------------------------------------------------------------------------

userland () {
  in_zone c -- /bin/bash -c 'date +%s'
  now=$(date +%s)
  ok 'bash and date' test "$status" = 0 -a "${out:-0}" -le "$now" -a "${out:-0}" -ge $((now - 60))
  tap python c -- /usr/bin/python /e2e/vsyscall.py rewritten
  if [ $page = yes ]; then
    tap 'python, E1 disabled' --disable-row E1 c -- /usr/bin/python /e2e/vsyscall.py original
  else
    in_zone --disable-row E1 c -- /bin/bash -c 'date +%s'
    is 'bash, E1 disabled: the symptom of the catalogue' "$status" 139
  fi
  in_zone c -- /sbin/ldconfig -p
  like 'ldconfig' "$out" 'libc\.so\.6'
  in_zone c -- /usr/bin/python /e2e/vsyscall.py often 100000
  is 'time() of libc, a hundred thousand times' "$status" 0 || diag "$err"
  in_zone -u 1000 c -- /usr/bin/python /e2e/vsyscall.py rewritten
  take_tap 'python, a user of the zone'
}

# A throw-away copy is an overlay: its files before and after they are copied up.
overlay () {
  for feature in overlay idmapped-mounts; do
    if masked $feature; then
      skip overlay "$feature is masked"
      return
    fi
  done
  if [ "$who" != root ]; then
    skip 'overlay' 'its tree belongs to ids that this user does not have'
    return
  fi
  run bz -q run --image "$tree" -v "$src/tests/e2e:/e2e:ro" -- /bin/bash -c '
    python /e2e/vsyscall.py rewritten >/tmp/1 || { cat /tmp/1; exit 1; }
    before=`python /e2e/vsyscall.py inode libc`
    touch -m /lib64/libc-2.12.so
    python /e2e/vsyscall.py rewritten >/tmp/2 || { cat /tmp/2; exit 2; }
    echo >>/lib64/libc-2.12.so
    python /e2e/vsyscall.py rewritten >/tmp/3 || { cat /tmp/3; exit 3; }
    after=`python /e2e/vsyscall.py inode libc`
    echo $before $after'
  is 'overlay: a library before it is copied up, touched, and longer' "$status" 0
  # shellcheck disable=SC2086 # two words
  set -- $out
  ok 'overlay: each content has its copy' test $# = 2 -a "${1:-}" != "${2:-}"
}

# Each has a copy that the supervisor holds: it must not come to the end of its descriptors.
many_programs () {
  # shellcheck disable=SC3045 # dash and bash know it
  descriptors=$(ulimit -n)
  # shellcheck disable=SC3045 # dash and bash know it
  ulimit -S -n 160
  in_zone c -- /bin/sh -c '
    i=0
    while [ $i -lt 100 ]; do
      cp /guest/vsyscall-x86_64 "/tmp/v$i"
      "/tmp/v$i" rewritten quiet || exit 1
      rm -f "/tmp/v$i"
      i=$((i + 1))
    done; echo $i'
  is 'every one of many new programs is put right' "$status $out" '0 100'
  # shellcheck disable=SC3045
  ulimit -S -n "$descriptors"
}

# As rpm does: beside the old one, then renamed over it.
replaced () {
  in_zone c -- /bin/bash -c '
    before=`python /e2e/vsyscall.py inode libc`
    cp -p /lib64/libc-2.12.so /lib64/new && echo changed >>/lib64/new && mv -f /lib64/new /lib64/libc-2.12.so
    after=`python /e2e/vsyscall.py inode libc`
    python /e2e/vsyscall.py rewritten >/tmp/1 || { cat /tmp/1; exit 1; }
    cp /guest/vsyscall-x86_64 /tmp/program && /tmp/program rewritten quiet || exit 2
    cp /bin/true /tmp/new && mv -f /tmp/new /tmp/program && /tmp/program rewritten nonsense || exit 3
    cp /guest/vsyscall-x86_64 /tmp/program && /tmp/program rewritten quiet || exit 4
    echo $before $after'
  is 'a program and a library replaced in the running zone are followed by the next start' "$status" 0
  # shellcheck disable=SC2086 # two words
  set -- $out
  ok 'which maps the new one' test $# = 2 -a "${1:-}" != "${2:-}"
}

joined () {
  in_background bz -q run -v "$guests:/guest:ro" c -- sleep 1000
  until_true 20 running c
  # Nobody may look into the launcher: see loader/shadow/hold.c.
  if masked wait-killable; then
    run bz exec c -- $vsyscall original quiet
    is 'exec: before Linux 5.19 a program without a libc runs as it is on disk (doc/limits.md)' "$status" \
      "$(if [ $page = yes ]; then echo 0; else echo 139; fi)"
  else
    run bz exec c -- $vsyscall rewritten check
    take_tap 'exec: a program without a libc'
    run bz exec -u 1000 c -- $vsyscall rewritten quiet
    is 'exec: the same, a user of the zone' "$status" 0
  fi
  run bz exec c -- /guest/lastresort-x86_64 answers
  take_tap 'exec: no way to rewrite'
  run bz exec c -- /no/such/program
  is 'exec: a program that does not exist' "$status" 127
  run bz exec c -- /bin/sh -c "$vsyscall rewritten quiet"
  is 'exec: a program of a shell is put right' "$status" 0
  run bz exec c -- /usr/bin/python -c 'import time; print time.time() > 1e9'
  is 'exec: a dynamic program' "$out" True
  killed_supervisors
  run bz stop --time 0 c
  wait "$job" 2>/dev/null || :
}

# A supervisor that is killed while it holds a starting program: its successor finds that one, and puts it right.
killed_supervisors () {
  # Before Linux 5.19 a program at its start is not held, and runs as it is on disk (doc/limits.md).
  text=rewritten
  if masked wait-killable; then
    text=any
    if [ $page = no ]; then
      skip 'the supervisor is killed while programs start' 'wait-killable is masked, and this kernel has no vsyscall page'
      return
    fi
  fi
  keeper=$(bz show --json c | field keeper_pid)
  rm -f "$tmp/chain.out"
  bz exec c -- $vsyscall $text chain 1000000 /tmp/end >"$tmp/chain.out" 2>"$tmp/chain.err" </dev/null &
  chain=$!
  kills=$(python3 "$src/tests/e2e/kill-supervisors.py" "$keeper" $chain 100 20)
  ok 'it was killed often' test "$kills" -ge 20
  run bz exec c -- touch /tmp/end
  is 'and then starts programs as before' "$status" 0
  # From here on it is one more exec: how many it has made is the machine's, however slow that is.
  status=0
  if until_true 60 sh -c "! kill -0 $chain 2>/dev/null"; then wait $chain || status=$?; else status=hangs; kill -9 $chain; fi
  out=$(cat "$tmp/chain.out")
  err=$(cat "$tmp/chain.err")
  like 'a program executes itself while the supervisor is killed again and again' "$status $out" '^0 chain: done, [0-9]+ left$'
  left=$(echo "$out" | sed -n 's/^chain: done, \([0-9]*\) left$/\1/p')
  diag "$((1000000 - ${left:-1000000})) times, while the supervisor was killed $kills times"
  ok 'it went on between the kills' test $((1000000 - ${left:-1000000})) -ge 10
  run bz exec c -- rm /tmp/end
}

# --- CPUs ----------------------------------------------------------------------------------------------

# A script that executes itself: the supervisor binds a program to its CPU for the moment in which it is let through.
cpus () {
  cat >"$tmp/again.sh" <<'END'
#!/bin/bash
[ "$1" = 0 ] && exec grep Cpus_allowed_list: /proc/self/status
exec /again.sh $(($1 - 1))
END
  chmod 755 "$tmp/again.sh"
  run bz -q run -v "$tmp/again.sh:/again.sh:ro" c -- /again.sh 20
  is 'a program goes on on every CPU' "$out" "$(grep Cpus_allowed_list: /proc/self/status)"
  last=$(sed -n 's/^Cpus_allowed_list:.*[-,]\([0-9]*\)$/\1/p' /proc/self/status)
  if [ -z "$last" ]; then
    skip 'one that has a CPU keeps it' 'more than one CPU'
  else
    run by taskset -c "$last" "$brandzone" --root "$tmp/$who/state" -q run -v "$tmp/again.sh:/again.sh:ro" c -- /again.sh 20
    is 'one that has a CPU keeps it' "$out" "Cpus_allowed_list:	$last"
  fi
}

# --- hostile files and zones ---------------------------------------------------------------------------

# What the cache holds: names, modes, owners, times and bytes of the copies.
copies () {
  (cd "$tmp/$who/state/cache/shadow" && find . -name .copy | sort | while read -r copy; do
    stat -c '%n %a %u %g %s %Y %i' "$copy"
    cksum <"$copy"
  done)
}

hostile () {
  # In this mount namespace everybody may open the host's /dev/fuse, which is the one that a plain user's zone gets.
  fuse=
  if [ "$who" != self ] && mknod -m 666 "$tmp/fuse-$who" c 10 229 2>/dev/null && [ -c /dev/fuse ]; then
    mount --bind "$tmp/fuse-$who" /dev/fuse && fuse=mounted
  fi
  tap 'files that are endless, never still, never read' c -- /guest/hang-x86_64 rewritten
  if [ -n "$fuse" ]; then umount /dev/fuse; fi
  in_zone c -- /bin/sh -c 'echo well'
  is 'the zone is well afterwards' "$out" well
}

thieves () {
  copies >"$tmp/copies"
  ok 'there are copies' test -s "$tmp/copies"
  for user in '' 1000; do
    # shellcheck disable=SC2086 # none or one
    in_zone --disable-row S6 c -- /guest/steal-x86_64 /lib64/libc.so.6 $user
    take_tap "the copy of a library${user:+, as another user of the zone}"
    # shellcheck disable=SC2086
    in_zone --disable-row S6 c -- /guest/steal-x86_64 $vsyscall $user
    take_tap "the copy of a program${user:+, as another user of the zone}"
  done
  if zone k kaios; then
    in_zone --disable-row S6 k -- /guest/steal-x86_64 $vsyscall
    take_tap 'from another zone'
  fi
  copies >"$tmp/copies-now"
  out=$(diff "$tmp/copies" "$tmp/copies-now" | grep '^<')
  is 'no copy has changed' "$out" ''
}

# Two things keep a zone of root from a copy: it belongs to an id that no zone has, and it comes on a read-only mount. In
# a plain user's zone it is the mount alone. Here it is for both: the copies that the zone has already are made
# everybody's. (Control: with the mount writable, by MOUNT_ATTR_RDONLY left out in loader/shadow/broker.c, `thieves`
# fails for a plain user alone, in fchmod, fchown, setxattr, truncate and the way through /proc/self/fd; this one for both.)
thieves_at_an_open_door () {
  in_background bz -q run --disable-row S6 -v "$guests:/guest:ro" c -- sleep 1000
  until_true 20 running c
  cache=$tmp/$who/state/cache/shadow
  run bz exec c -- /guest/steal-x86_64 /lib64/libc.so.6
  take_tap 'the copy of a library, in a zone that runs'
  find "$cache" -name .copy -exec chmod 777 {} +
  copies >"$tmp/copies"
  ok 'the copies are writable to everybody' grep -q ' 777 ' "$tmp/copies"
  run bz exec c -- /guest/steal-x86_64 /lib64/libc.so.6
  take_tap 'the copy of a library, which the file system would let everybody write'
  copies >"$tmp/copies-now"
  out=$(diff "$tmp/copies" "$tmp/copies-now")
  is 'no copy has changed, nor is there another' "$out" ''
  find "$cache" -name .copy -exec chmod 555 {} +
  run bz stop --time 0 c
  wait "$job" 2>/dev/null || :
}

busybox () {
  zone k kaios || return 0
  in_zone k -- /bin/busybox date +%s
  now=$(date +%s)
  ok 'a static busybox tells the time' test "$status" = 0 -a "${out:-0}" -le "$now" -a "${out:-0}" -ge $((now - 60))
  if [ $page = no ]; then
    in_zone --disable-row E1 k -- /bin/busybox date +%s
    is 'a static busybox, E1 disabled: the symptom of the catalogue' "$status" 139
  fi
}

# The whole tree, or the part of it that tests/hosts takes along.
centos () {
  tar=$(find "$trees/" -maxdepth 1 -name 'centos-6.8-cut-*.tar' | head -n 1)
  if [ -n "$tar" ] && [ ! -e "$trees/centos-6.8-1" ]; then
    tree=$tmp/centos
    if [ ! -d "$tree" ]; then mkdir "$tree" && tar -C "$tree" -xf "$tar"; fi
  else
    make_tree centos-6.8 || return 1
  fi
  run bz -q install c "$tar"
  is 'centos 6.8 is installed' "$status" 0
}

if [ ! -x "$guests/vsyscall-x86_64" ] || [ "$(uname -m)" != x86_64 ]; then
  skip_all 'the vsyscall page is of x86-64 alone'
fi
if [ ! -x "$BRANDZONE_BUILDDIR/brandzone-rewriter" ]; then
  skip_all 'built without libelf or capstone: nothing is rewritten'
fi
for who in $users; do
  if [ "$who" = user ] && ! plain_users_work; then
    skip 'the zone of a plain user' 'newuidmap, setpriv or unprivileged user namespaces are missing'
    continue
  fi
  centos || continue
  guest_programs
  debuggers
  privileges_and_scripts
  userland
  overlay
  replaced
  many_programs
  no_cache
  joined
  cpus
  hostile
  busybox
  thieves
  thieves_at_an_open_door
  run bz -q remove c
  run bz -q remove k
done
finish
