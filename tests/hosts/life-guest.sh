# shellcheck shell=sh
# The guest's side of host-life.sh, which puts the line part=before or part=after above it. The disk is kept from one
# shellcheck disable=SC2154 # part
# part to the other; nothing else is.

state=/disk/life
bz () {
  "$BRANDZONE" --root "$state" "$@"
}

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

at_prompt () {
  for _ in $(seq 300); do
    bz logs "$1" | awk '/brandzone: zone .* starts/ { asks = 0 } /login:/ { asks = 1 } END { exit !asks }' && return 0
    sleep 0.5
  done
  return 1
}

says () {
  [ "$(bz exec a -- cat /root/word 2>&1)" = kept ]
}

state_is () {
  bz show --json "$1" | grep -q "\"state\" *: *\"$2\""
}

before () {
  ok 'install' bz -q install a /disk/trees/alpine-x86_64-1.tar
  ok 'a second zone' bz -q install b /disk/trees/alpine-x86_64-1.tar
  ok 'one is to come up with the host' bz config set a Boot.Autostart=yes
  ok 'start --autostart' bz start --autostart
  ok 'it comes to its prompt' at_prompt a
  ok 'a file is written in it' bz exec a -- sh -c 'echo kept >/root/word; sync'
  # The host is switched off with the zone running.
}

# exchange: as a package manager does it, with programs that are not the same: what follows an ELF file's sections
# belongs to nothing.
exchange () {
  for file in "$BRANDZONE_LIBEXECDIR"/brandzone*; do
    cp -p "$file" "$file.new" && echo upgraded >>"$file.new" && mv "$file.new" "$file" || return 1
  done
}

pid_of () {
  bz show --json a | sed -n "s/.*\"$1\" *: *\([0-9]*\).*/\1/p"
}

current_is () {
  bz show --json a | grep -q "\"current\" *: *$1"
}

other_supervisor () {
  for _ in $(seq 100); do
    now=$(pid_of supervisor_pid)
    [ -z "$now" ] || [ "$now" = 0 ] || [ "$now" = "$1" ] || return 0
    sleep 0.1
  done
  return 1
}

nothing_left () {
  for _ in $(seq 50); do
    left=$(grep -lx bz-keeper /proc/[0-9]*/comm 2>/dev/null
      find /sys/fs/cgroup -path '*brandzone*' -type d
      grep -E "brandzone|$state" /proc/self/mountinfo
      if [ -d "$state" ]; then find "$state" -mindepth 1; fi)
    [ -n "$left" ] || return 0
    sleep 0.2
  done
  echo "$left"
  return 1
}

after () {
  ok 'nothing is said to run' state_is a stopped
  ok 'start --autostart' bz start --autostart
  ok 'the zone comes to its prompt on the other kernel' at_prompt a
  ok 'with what was written in it' says
  ok 'the zone that is not to come up has not' state_is b stopped
  init=$(pid_of init_pid)
  ok 'every program of brandzone is exchanged' exchange
  ok 'the zone does not notice' says
  ok 'until it is refreshed another program is installed' current_is false
  keeper=$(pid_of keeper_pid)
  supervisor=$(pid_of supervisor_pid)
  ok 'refresh --all' bz refresh --all
  ok 'the zone is kept by what is installed' current_is true
  ok 'in the same process' [ "$(pid_of keeper_pid)" = "$keeper" ]
  if [ -n "$supervisor" ] && [ "$supervisor" != 0 ]; then
    ok 'with another supervisor' other_supervisor "$supervisor"
  fi
  ok 'and does not notice' says
  ok 'its init is the same' [ "$(pid_of init_pid)" = "$init" ]
  ok 'the new program stops it' bz stop a
  ok 'by its own shutdown' sh -c '"$BRANDZONE" --root "$1" logs a | tail -n 1 | grep -q halted' sh "$state"
  ok 'and starts it' bz start a
  ok 'to its prompt' at_prompt a
  ok 'purged: all zones are removed, one of them running' bz remove --all --force
  ok 'nothing is left' nothing_left
}

"$part"
echo "# end of $part"
