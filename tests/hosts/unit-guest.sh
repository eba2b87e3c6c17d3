# shellcheck shell=sh
# The guest's side of host-units.sh, which puts the line part=first or part=second above it: a host with a real
# systemd, brandzone installed, its units.
# shellcheck disable=SC2154 # part

# ok NAME COMMAND...
ok () {
  name=$1
  shift
  if "$@" >/tmp/out 2>&1; then
    echo "ok - $part: $name"
  else
    echo "not ok - $part: $name"
    sed 's/^/# /' /tmp/out
  fi
}

# soon COMMAND...
soon () {
  for _ in $(seq 240); do
    "$@" && return 0
    sleep 0.5
  done
  return 1
}

at_prompt () {
  brandzone logs "$1" | awk '/brandzone: zone .* starts/ { asks = 0 } /login:/ { asks = 1 } END { exit !asks }'
}

field () {
  brandzone show --json "$1" | sed -n "s/.*\"$2\" *: *\"\{0,1\}\([^\",]*\).*/\1/p"
}

is () {
  echo "got: $1"
  [ "$1" = "$2" ]
}

unit_is () {
  is "$(systemctl show -p ActiveState --value "$1")" "$2"
}

zone_is () {
  is "$(field "$1" state)" "$2"
}

halted () {
  brandzone logs "$1" | tail -n 3
  brandzone logs "$1" | tail -n 1 | grep -q "zone $1 halted"
}

no_groups () {
  left=$(find /sys/fs/cgroup -path "*brandzone/$1-*" -type d)
  [ -z "$left" ] || { echo "$left"; return 1; }
}

works () {
  is "$(brandzone exec a -- uname -r)" "$release"
}

differs () {
  now=$(field "$1" "$2")
  [ -n "$now" ] && [ "$now" != 0 ] && [ "$now" != "$3" ]
}

exchange () {
  for file in /usr/local/libexec/brandzone/brandzone* /usr/libexec/brandzone/brandzone*; do
    [ -f "$file" ] || continue
    cp -p "$file" "$file.new" && echo upgraded >>"$file.new" && mv "$file.new" "$file" || return 1
  done
}

one_unit () {
  ok 'systemctl start brandzone@a' systemctl start brandzone@a
  ok 'the unit is active' unit_is brandzone@a active
  ok 'the zone comes to its prompt' soon at_prompt a
  ok 'its console is in the journal' sh -c 'journalctl -q -u brandzone@a | grep "Welcome to Alpine"'
  ok 'it is what its brand says' works
  init=$(field a init_pid)
  keeper=$(field a keeper_pid)
  ok 'systemctl daemon-reload' systemctl daemon-reload
  ok 'changes nothing' works
  ok 'systemctl daemon-reexec' systemctl daemon-reexec
  ok 'neither' works
  ok 'nor for the unit' unit_is brandzone@a active
  ok 'the keeper is the same' is "$(field a keeper_pid)" "$keeper"
  ok 'it keeps its descriptors itself' is "$(systemctl show -p NFileDescriptorStore --value brandzone@a)" 0
  supervisor=$(field a supervisor_pid)
  ok 'other programs are installed' exchange
  ok 'show tells it' is "$(field a current)" false
  ok 'systemctl reload brandzone@a' systemctl reload brandzone@a
  ok 'the zone goes on with them' is "$(field a current)" true
  ok 'by another supervisor' differs a supervisor_pid "$supervisor"
  ok 'the keeper is the same process' is "$(field a keeper_pid)" "$keeper"
  supervisor=$(field a supervisor_pid)
  kill -9 "$supervisor"
  ok 'a killed supervisor has a successor' soon differs a supervisor_pid "$supervisor"
  ok 'which answers' works
  ok 'the unit has not noticed' unit_is brandzone@a active
  ok 'nor the zone' is "$(field a init_pid)" "$init"
  ok 'systemctl restart brandzone@a' systemctl restart brandzone@a
  ok 'makes another init' differs a init_pid "$init"
  ok 'to its prompt' soon at_prompt a
  ok 'systemctl stop brandzone@a' systemctl stop brandzone@a
  ok 'ends the zone' zone_is a stopped
  ok 'by its own shutdown' halted a
  ok 'the unit has ended well' unit_is brandzone@a inactive
  ok 'no group is left' no_groups a
}

ends () {
  ok 'once more' systemctl start brandzone@a
  soon at_prompt a
  brandzone exec a -- poweroff
  ok 'a zone that halts by itself ends its unit' soon unit_is brandzone@a inactive
  ok 'and again' systemctl start brandzone@a
  soon at_prompt a
  kill -9 "$(field a keeper_pid)"
  ok 'a killed keeper fails it' soon unit_is brandzone@a failed
  ok 'and can be started again' systemctl start brandzone@a
  ok 'to its prompt' soon at_prompt a
  brandzone stop a
  ok 'brandzone stop ends the unit, too' soon unit_is brandzone@a inactive
  ok 'a zone that there is not' sh -c '! systemctl start brandzone@nothing'
  ok 'is told in the journal' sh -c 'journalctl -q -u brandzone@nothing | grep "no zone of this name\|nothing"'
}

first () {
  ok 'the host runs' sh -c 'systemctl is-system-running; ps -p 1 -o comm= | grep systemd'
  ok 'install' brandzone -q install --brand linux-2.6 a /disk/trees/alpine-x86_64-1.tar
  ok 'another' brandzone -q install b /disk/trees/alpine-x86_64-1.tar
  release=$(field a release)
  one_unit
  ends
  ok 'a zone that is to come up with the host' brandzone config set a Boot.Autostart=yes
  ok 'systemctl enable brandzone' systemctl enable brandzone
  ok 'and one as a unit of its own' systemctl enable brandzone@b
  ok 'systemctl start brandzone' systemctl start brandzone
  ok 'starts it' zone_is a running
  ok 'systemctl stop brandzone' systemctl stop brandzone
  ok 'stops it' zone_is a stopped
  ok 'by its own shutdown' halted a
  ok 'both are started' systemctl start brandzone brandzone@b
  ok 'to their prompts' soon at_prompt a
  ok 'both' soon at_prompt b
  # The host is shut down with both running.
}

ended_well () {
  brandzone logs "$1" | awk -v zone="$1" '
    $0 ~ "brandzone: zone " zone " starts" { before = last } /brandzone: zone/ { last = $0 } { print }
    END { exit before !~ "zone " zone " halted" }'
}

second () {
  release=$(field a release)
  ok 'the zone comes up with the host' soon zone_is a running
  ok 'to its prompt' soon at_prompt a
  ok 'that of its own unit, too' soon unit_is brandzone@b active
  ok 'to its prompt, too' soon at_prompt b
  ok 'one had been shut down by its own init when the host was' ended_well a
  ok 'and the other' ended_well b
  ok 'it works' works
  ok 'other programs are installed' exchange
  ok 'systemctl reload brandzone' systemctl reload brandzone
  ok 'goes on with them' is "$(field a current)" true
  ok 'systemctl disable' systemctl disable brandzone brandzone@b
  ok 'systemctl stop' systemctl stop brandzone brandzone@b
  ok 'ends both' zone_is a stopped
  ok 'well' halted b
  ok 'purged' brandzone remove --all
  ok 'nothing is left of them' sh -c '! find /var/lib/brandzone /run/brandzone /sys/fs/cgroup/brandzone /etc/brandzone -mindepth 1 2>/dev/null | grep .'
}

"$part"
echo "# end of $part"
