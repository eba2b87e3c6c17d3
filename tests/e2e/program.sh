#!/bin/sh
# run ./program: one old program as if there were no zone.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
begin

# here COMMAND...: as the current user, in the directory of the programs.
# shellcheck disable=SC2317 # `run` calls it
here () {
  by sh -c 'cd "$1" && shift && exec "$@"' sh "$work" "$@"
}

# shellcheck disable=SC2317 # `run` calls it
one () {
  here "$brandzone" --root "$tmp/$who/state" run "$@"
}

statuses () {
  run one ./busybox sh -c 'exit 37'
  is 'the exit status' "$status" 37
  run one ./no-such-program
  is 'a program that is not there' "$status" 127
  by sh -c 'echo data >"$1"' sh "$work/data"
  run one ./data
  is 'a file that is not executable' "$status" 126
  run one ./busybox sh -c 'kill -TERM $$; ./busybox sleep 5'
  is 'a death by signal' "$status" 143
  cat >"$tmp/dies" <<'END'
import os, subprocess, sys
print(subprocess.run(sys.argv[1:], stderr=subprocess.DEVNULL).returncode)
END
  run by python3 "$tmp/dies" sh -c 'cd "$1" && shift && exec "$@"' sh "$work" \
    "$brandzone" --root "$tmp/$who/state" run ./busybox sh -c 'kill -USR1 $$; ./busybox sleep 5'
  is 'is one for the caller too' "$out" -10
}

surroundings () {
  echo 'through standard input' >"$tmp/input"
  run_in "$tmp/input" one ./busybox cat
  is 'standard input, output' "$out$err" 'through standard input'
  run one ./busybox sh -c 'echo to stderr >&2'
  is 'standard error' "$err" 'to stderr'
  run one ./busybox pwd
  is 'the directory has its own name' "$out" "$work"
  run one ./busybox cat data "$work/data" ./data
  is 'relative and absolute paths in arguments' "$(printf %s "$out" | wc -l)" 2
  run one ./busybox echo -n -- -x
  is 'every argument is the program'"'"'s' "$out" '-- -x'
  run one ./busybox touch made
  is 'what it makes' "$(by stat -c '%u %g' "$work/made")" "$(by id -u) $(by id -g)"
  run one ./busybox sh -c './busybox id -u; ./busybox id -g'
  is 'it sees its user' "$out" "$(by id -u)
$(by id -g)"
  run one ./busybox stat -c '%u' data
  is 'and its files as his' "$out" "$(by id -u)"
  run here env FOO='a b' LD_LIBRARY_PATH=/bad LD_BIND_NOW=1 "$brandzone" --root "$tmp/$who/state" run ./busybox \
    sh -c 'echo "$FOO,$LD_LIBRARY_PATH,$LD_BIND_NOW"'
  is 'the environment, but what names libraries of the host' "$out$err" 'a b,,'
  run one ./busybox hostname
  is 'the host name' "$out" "$(hostname)"
  run here sh -c 'umask 027; exec "$@"' sh "$brandzone" --root "$tmp/$who/state" run ./busybox sh -c umask
  is 'the umask' "$out" 0027
  run here sh -c 'trap "" USR1; exec "$@"' sh "$brandzone" --root "$tmp/$who/state" run ./busybox \
    sh -c 'kill -USR1 $$; echo alive'
  is 'signals that the caller ignores stay ignored' "$out" alive
  by mkdir -p "$work/sub"
  run by sh -c 'cd "$1" && shift && exec "$@"' sh "$work/sub" "$brandzone" --root "$tmp/$who/state" run ../busybox pwd
  is 'a program of another directory' "$out" "$work/sub"
  run by sh -c 'cd / && exec "$@"' sh "$brandzone" --root "$tmp/$who/state" run "$work/busybox" echo works
  is 'from the root directory' "$out" works
  like 'with a word about it' "$err" 'the program does not see it'
  run one ./busybox uname -r
  is 'its kernel is of its time' "${out%%-*}" 2.6.32
  unlike 'no zone is left' "$(bz list 2>&1)" scratch
}

signals () {
  cat >"$tmp/signals.py" <<'END'
# The caller is stopped by its program and goes on with it; signals to it alone are passed on; killed, it leaves nothing.
import os, signal, subprocess, sys
run = sys.argv[1:]
child = subprocess.Popen(run + ["sh", "-c", "kill -STOP $$; echo on"], stdout=subprocess.PIPE)
_, status = os.waitpid(child.pid, os.WUNTRACED)
print("stops" if os.WIFSTOPPED(status) else "goes on")
os.kill(child.pid, signal.SIGCONT)
print(child.stdout.read().decode().strip())
os.waitpid(child.pid, 0)
child = subprocess.Popen(run + ["sh", "-c", "trap 'echo got it; exit 8' TERM; echo ready; while :; do ./busybox sleep 1; done"],
                         stdout=subprocess.PIPE)
child.stdout.readline()
child.terminate()
print(child.stdout.read().decode().strip(), child.wait())
child = subprocess.Popen(run + ["sh", "-c", "echo ready; exec ./busybox sleep 1000"], stdout=subprocess.PIPE)
child.stdout.readline()
child.kill()
child.wait()
print("ended" if child.stdout.read() == b"" else "?")  # end of file: nobody holds its output
END
  run here python3 "$tmp/signals.py" "$brandzone" --root "$tmp/$who/state" run ./busybox
  is 'it stops and goes on, gets signals, and ends with its caller' "$out" 'stops
on
got it 8
ended'
}

core () {
  pattern=$(cat /proc/sys/kernel/core_pattern)
  case $pattern in
    core*) ;;
    *) skip 'a core dump' "core_pattern is $pattern"; return 0 ;;
  esac
  by rm -f "$work"/core*
  run here sh -c 'ulimit -c unlimited; exec "$@"' sh "$brandzone" --root "$tmp/$who/state" run ./busybox \
    sh -c 'kill -SEGV $$; ./busybox sleep 5'
  is 'a death by SIGSEGV' "$status" 139
  like 'is told' "$err" 'busybox died of SIGSEGV'
  ok 'the core dump is where the program ran' by sh -c 'test -s "$(echo "$1"/core*)"' sh "$work"
  by rm -f "$work"/core*
}

on_terminal () {
  # A shell of the host with job control: its prompt comes back while the program is stopped.
  by sh -c 'printf %s\\n "PS1=\"back \\\$? # \"" >"$1"' sh "$work/rc"
  script 'expect # ' "send cd $work; $brandzone --root $tmp/$who/state run ./busybox sh -c 'echo re\"\"ady; read x; echo got \$x'\\r" \
    'expect ready' 'send \x1a' 'expect back 148 # ' 'send fg\r' 'expect run' 'send hello\r' 'expect got hello' 'expect back 0 # ' \
    "send $brandzone --root $tmp/$who/state run ./busybox sh -c 'echo re\"\"ady; ./busybox sleep 1000'\\r" 'expect ready' 'send \x03' \
    'expect back 130 # ' \
    "send $brandzone --root $tmp/$who/state run ./busybox sh -c 'read x </dev/tty; echo tty \$x'\\r" 'wait 0.3' 'send yes\r' \
    'expect tty yes' 'expect # ' 'send exit 5\r'
  run terminal "$script" -- bash --noprofile --rcfile "$work/rc" -i
  is 'Ctrl-Z, fg, Ctrl-C and /dev/tty as for any program' "$status" 5
}

# A static program of Linux 2.6.26 and later, told that it runs on 2.6.18, and one that asks for 3.2.
releases () {
  run one --release 2.6.18 ./busybox uname -r
  is 'a static program is told no release below its ABI note'"'"'s' "$out" 2.6.26
  run one --release 2.6.18 --disable-row E5 ./busybox uname -r
  ok 'without the row it does not start' test "$status" != 0 -a -z "$out"
  run one --release 2.6.39 ./busybox uname -r
  is 'a newer release stays' "$out" 2.6.39
  run one -e BRANDZONE_RELEASE=2.6.27-mine ./busybox uname -r
  is 'BRANDZONE_RELEASE: another release' "$out" 2.6.27-mine
  run one -e BRANDZONE_RELEASE=2.6.27 ./busybox sh -c 'BRANDZONE_RELEASE=2.6.30 ./busybox uname -r; BRANDZONE_RELEASE=x ./busybox uname -r'
  is 'for one program; what is no release does not count' "$out" '2.6.30
2.6.32-5-amd64'
  run one ./busybox sh -c 'BRANDZONE_RELEASE=2.6.30 ./busybox uname -r'
  is 'only where it was asked for' "$out" 2.6.32-5-amd64
  for abi in i386 x86_64; do
    if [ ! -x "$guests/note-$abi" ] || { [ $abi = i386 ] && masked ia32; }; then
      skip "the note of a program for $abi" 'no guest program'
      continue
    fi
    by cp "$guests/note-$abi" "$work/note"
    run one --brand linux-2.4 ./note
    is "$abi: a note" "$out,$status" 3.2.0,0
    run one --brand linux-2.4 --disable-row E5 ./note
    is "$abi: without the row" "$out,$status" 2.4.20,1
  done
}

libraries () {
  make_tree "$dynamic" || return 0
  by cp "$tree/bin/$shell" "$work/old"
  run one ./old -c true
  is 'a dynamic program without libraries' "$status" 127
  like 'names its interpreter and its libraries, and says what to do' "$err" \
    '^brandzone: running ./old: it needs the interpreter /lib.*/ld-linux.* libraries? .*libc.so.* \(--libs DIR .*--image TREE'
  is 'in one line' "$(printf '%s\n' "$err" | wc -l)" 1
  run one --libs "$tree/$libs" ./old -c 'echo $((6 * 7)) $BASH_VERSION'
  is 'with --libs' "${out%% *}" 42
  is 'without a word' "$err" ''
  echo 'through standard input' >"$tmp/input"
  # shellcheck disable=SC2016 # the program's own variables
  run_in "$tmp/input" one --libs "$tree/$libs" ./old -c 'read x; echo "$x" >&2; echo "$PWD"; exit 37'
  is "$dynamic: exit status, streams and directory" "$status,$out,$err" "37,$work,through standard input"
  # shellcheck disable=SC2016
  run one --libs "$tree/$libs" ./old -c 'kill -TERM $$; while :; do :; done'
  is "$dynamic: a death by signal" "$status" 143
  case $(cat /proc/sys/kernel/core_pattern) in
    core*) ;;
    *) skip "$dynamic: a core dump" 'core_pattern names another place'; return 0 ;;
  esac
  # shellcheck disable=SC2016
  run here sh -c 'ulimit -c unlimited; exec "$@"' sh "$brandzone" --root "$tmp/$who/state" run --libs "$tree/$libs" ./old \
    -c 'kill -SEGV $$; while :; do :; done'
  is "$dynamic: a death by SIGSEGV" "$status" 139
  ok "$dynamic: its core dump is where it ran" by sh -c 'od -An -c -N4 "$1"/core* | grep -q "177 *E *L *F"' sh "$work"
  by rm -f "$work"/core*
  run one --libs "$tree/etc" ./old -c true
  is '--libs without the interpreter' "$status" 127
  like 'says so' "$err" 'is not in .*/etc'
}

image () {
  if masked overlay; then
    skip '--image' 'overlay is masked'
    return 0
  fi
  make_tree alpine-x86 || return 0
  copy=$tmp/$who/tree
  by mkdir "$copy"
  by tar -C "$copy" -xpf "$tar" --exclude='./dev/*' 2>/dev/null
  run one --image "$copy" ./busybox sh -c 'echo $0; test -e /etc/alpine-release && echo tree; exit 6'
  is '--image: a program of the host in a tree' "$out,$status" 'sh
tree,6'
  run one --image "$copy" -- /bin/busybox pwd
  is 'one of the tree runs as ever' "$out" /root
}

if ! command -v python3 >/dev/null; then skip_all 'python3 is missing'; fi
for who in $users alone; do
  if [ "$who" != root ] && ! plain_users_work; then
    skip 'programs of a plain user' 'newuidmap, setpriv or unprivileged user namespaces are missing'
    continue
  fi
  if [ "$who" = alone ] && [ "$(id -u)" -ne 0 ]; then continue; fi
  if [ "$who" = root ] && masked idmapped-mounts; then
    skip 'programs of root' 'idmapped-mounts is masked'
    continue
  fi
  work=$tmp/$who/work
  by mkdir -p "$work"
  # Static, of glibc 2.13, with calls of the vsyscall page.
  if make_tree kaios; then
    by cp "$tree/bin/busybox" "$work/busybox"
    statuses
    surroundings
    signals
    core
    releases
    on_terminal
    image
  fi
  dynamic=centos-6.8 shell=bash libs=lib64
  libraries
  dynamic=slackware-4.0 shell=bash libs=lib
  libraries
  dynamic=fedora-core2 shell=bash libs=lib
  libraries
done
finish
