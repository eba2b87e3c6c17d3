#!/bin/sh
# run and exec: what a user asks for is what the command gets.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
begin

# What the command wrote, without what brandzone tells of a zone with one id.
own_err () {
  if one_id; then printf '%s\n' "$err" | grep -v 'installed with one user id'; else printf '%s\n' "$err"; fi
}

statuses () {
  run bz run z -- sh -c 'exit 37'
  is 'the exit status is the command'"'"'s' "$status" 37
  run bz run z -- sh -c 'kill -9 $$'
  is 'a death by signal 9 is 137' "$status" 137
  run bz run z -- sh -c 'kill -TERM $$; exit 3'
  is 'a death by signal 15 is 143' "$status" 143
  run bz run z -- /no/such/program
  is 'a command that is not there is 127' "$status" 127
  like 'and named' "$err" '/no/such/program'
  run bz run z -- no-such-program
  is 'also when it is looked for' "$status" 127
  run bz run z -- /etc/alpine-release
  is 'a command that is not executable is 126' "$status" 126
  run bz run no-such-zone -- true
  is 'a zone that is not there is a failure of brandzone, 125' "$status" 125
  run bz run --no-such-option z -- true
  is 'so is an unknown option' "$status" 125
  run bz run z -- true
  is 'true' "$status" 0
  is 'prints nothing' "$out$(own_err)" ''
}

surroundings () {
  echo 'through standard input' >"$tmp/input"
  run_in "$tmp/input" bz run -i z -- cat
  is '-i passes standard input on' "$out" 'through standard input'
  run_in "$tmp/input" bz run z -- cat
  is 'without -i there is none' "$out" ''
  run bz run z -- sh -c 'echo to stdout; echo to stderr >&2'
  is 'standard output' "$out" 'to stdout'
  is 'standard error' "$(own_err)" 'to stderr'
  run bz run z -- sh -c 'echo "$(id -u) $(id -g) $PWD $HOME"'
  is 'root, in its home' "$out" '0 0 /root /root'
  run bz run -w /etc z -- pwd
  is '-w' "$out" /etc
  run bz run -w /no/such/directory z -- pwd
  is '-w of a directory that is not there' "$status" 125
  run bz run -e 'A=one two' -e B=3 z -- sh -c 'echo "$A $B"'
  is '-e' "$out" 'one two 3'
  run env LD_LIBRARY_PATH=/bad SECRET=1 true
  SECRET=1
  export SECRET
  run bz run z -- env
  unset SECRET
  unlike 'nothing of the caller'"'"'s environment passes' "$out" SECRET
  run bz run --hostname attic z -- hostname
  is '--hostname' "$out" attic
  run bz run z -- hostname
  is 'the name of the zone is its host name' "$out" z
  if one_id; then
    run bz run z -- sh -c 'chown 1000:1000 /etc/passwd && stat -c %u:%g /etc/passwd'
    is 'chown to an id that the zone has not has no effect (S15)' "$status $out" '0 0:0'
    run bz run -u 65534:65533 z -- true
    is '-u with such an id' "$status" 125
    like 'is refused with the reason' "$err" 'id'
  else
    run bz run -u 65534:65533 z -- sh -c 'echo "$(id -u) $(id -g)"'
    is '-u with numbers' "$out" '65534 65533'
    run bz run -u nobody z -- id -un
    is '-u with a name' "$out" nobody
    run bz run z -- sh -c 'touch /tmp/f && chown 1000:1000 /tmp/f && ls -ln /tmp/f'
    like 'chown works' "$out" ' 1000 +1000 '
  fi
  run bz run -u no-such-user z -- true
  is '-u of nobody known' "$status" 125
}

volumes () {
  by mkdir -p "$tmp/$who/share"
  by sh -c 'echo from the host >"$1"' sh "$tmp/$who/share/file"
  run bz run -v "$tmp/$who/share:/mnt" z -- cat /mnt/file
  is '-v shows a directory of the host' "$out" 'from the host'
  run bz run -v "$tmp/$who/share:/mnt:ro" z -- sh -c 'echo no >/mnt/file'
  ok ':ro cannot be written' test "$status" != 0
  like 'and says so' "$err" 'Read-only file system'
  is 'the file is as it was' "$(by cat "$tmp/$who/share/file")" 'from the host'
  run bz run -v "$tmp/$who/share/file:/etc/motd:ro" z -- cat /etc/motd
  is '-v of a single file' "$out" 'from the host'
  run bz run -v "$tmp/$who/no-such:/mnt" z -- true
  is 'a source that is not there' "$status" 125
}

partition () {
  run bz run z -- sh -c 'ls -d /proc/[0-9]* | wc -l'
  ok 'only its own processes are seen' test "$out" -lt 6
  run bz run z -- ls -A /sys/class/net
  if [ "$status" = 0 ]; then is 'network none: loopback alone' "$out" lo; fi
  run bz run z -- sh -c 'cat /proc/net/dev'
  unlike 'no interface of the host' "$out" '(eth|en|wl|docker|veth)[a-z0-9]*:'
  run bz run z -- ping -c 1 -W 2 127.0.0.1
  is 'loopback is up' "$status" 0
  run bz run --network host z -- cat /proc/net/dev
  is 'network host: the same interfaces' "$(printf '%s\n' "$out" | sed -n 's/^ *\([^ :]*\):.*/\1/p' | sort)" \
    "$(sed -n 's/^ *\([^ :]*\):.*/\1/p' /proc/net/dev | sort)"
  run bz run z -- sh -c 'echo x >/dev/null && head -c 3 /dev/zero | wc -c && test -c /dev/tty && test -c /dev/urandom'
  is 'devices work' "$out" 3
  run bz run z -- cat /proc/mounts
  unlike 'no path of the host is seen' "$out" "$tmp"
  run bz run z -- sh -c 'test -e /etc/brandzone-left || echo clean; touch /etc/brandzone-left'
  is 'the first run of a zone finds it clean' "$out" clean
  run bz run z -- sh -c 'test -e /etc/brandzone-left && rm /etc/brandzone-left && echo kept'
  is 'the zone keeps what was written' "$out" kept
  run bz run z -- sh -c 'sleep 1000 & exec true'
  is 'the zone ends with its command' "$status" 0
}

# A checksum over names, modes, owners, times and contents.
print_of () {
  (cd "$1" && find . -printf '%p %m %U %G %T@ %s %l\n' | sort && find . -type f -exec cksum {} + | sort) | cksum
}

image () {
  if masked overlay; then
    skip 'run --image' 'overlay is masked'
    return 0
  elif [ "$who" = root ] && masked idmapped-mounts; then
    skip 'run --image' 'idmapped-mounts is masked'
    return 0
  fi
  make_tree "$alpine" || return 0
  copy=$tmp/$who/tree
  by mkdir "$copy"
  by tar -C "$copy" -xpf "$tar" --exclude='./dev/*' 2>/dev/null
  before=$(print_of "$copy")
  run bz run --image "$copy" -- sh -c 'echo changed >/etc/issue; rm -rf /usr; touch /new; cat /etc/issue'
  if [ "$status" = 125 ] && printf '%s' "$err" | grep -q overlay; then
    skip 'run --image' 'overlay is missing'
    return 0
  fi
  is 'run --image: changes are seen inside' "$out" changed
  is 'and the tree is as it was' "$(print_of "$copy")" "$before"
  run bz run --image "$tmp/$who" -- true
  ok 'a directory without a userland is refused' test "$status" = 125
  by rm -rf "$copy"
}

second_run () {
  in_background bz run z -- sleep 1000
  until_true 20 running z
  run bz run z -- true
  is 'run on a running zone fails' "$status" 125
  like 'and names exec' "$err" 'exec'
  run bz remove z
  is 'remove of a running zone is a wrong state' "$status" 4
  run bz exec z -- sh -c 'exit 38'
  is 'exec: the exit status' "$status" 38
  run bz exec z -- sh -c 'ls -d /proc/[0-9]* | wc -l'
  ok 'exec joins the zone: it sees sleep' test "$out" -ge 2
  run bz exec -e A=b -w /etc z -- sh -c 'echo $A $PWD'
  is 'exec: -e and -w' "$out" 'b /etc'
  run bz exec z -- /no/such/program
  is 'exec of what is not there' "$status" 127
  run bz list --json
  is 'list shows it running' "$(printf '%s' "$out" | field zones.0.state)" running
  run bz stop --time 1 z
  is 'stop' "$status" 0
  like 'stop says what it did' "$err" '^brandzone: zone z was stopped$'
  wait "$job"
  err=$(cat "$tmp/job.err")
  is 'run says that the zone was stopped, and not what its command died of' "$(own_err)" 'brandzone: zone z was stopped'
  run bz exec z -- true
  is 'exec of a stopped zone' "$status" 125
}

alpine="alpine-x86"
if masked ia32; then alpine="alpine-x86_64"; fi
for who in $users alone; do
  case $who in
    user | alone)
      if [ "$(id -u)" -ne 0 ]; then continue; fi
      if ! plain_users_work; then
        skip 'run as a plain user' 'newuidmap, setpriv or unprivileged user namespaces are missing'
        continue
      fi
      ;;
  esac
  if [ "$who" = alone ]; then
    make_tree "$alpine" || continue
    run bz install z "$tar"
    is 'a user without subordinate ids installs' "$status" 0
    like 'and is told what will not work' "$err" 'one user id.*chown'
    run bz -q run z -- sh -c 'id -u; exit 5'
    is 'and has one id' "$out" 0
    is 'and gets the status' "$status" 5
  else
    zone z "$alpine" || continue
    statuses
    surroundings
    volumes
    partition
    image
    second_run
  fi
  run bz -q remove z
  is 'remove' "$status" 0
done
finish
