#!/bin/sh
# Whatever is killed, and wherever: zones are what they were or what they are to be, nothing is lost, and the
# next command finds nothing half made.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
begin

# One point in five, or in fifteen.
if [ -n "${BRANDZONE_TEST_FULL:-}" ]; then step=5; else step=15; fi

zones () {
  by "$brandzone" --root "$tmp/$who/state" list 2>"$tmp/list.err" | sed -n '2,$s/ .*//p' | tr '\n' ' '
}

# What is hidden beside the zones, but for locks and layers; then layers that no record names.
rubbish () {
  by sh -c 'cd "$1/state/zones" || exit
    find . -mindepth 1 -maxdepth 1 -name ".*" ! -name "*.lock" ! -name .layers ! -name .ids
    for layer in .layers/*; do
      [ -d "$layer" ] || continue
      grep -qs "${layer#.layers/}" ./*/zone.state ./*/snapshots/*/zone.state ||
        readlink ./*/root | grep -q "${layer#.layers/}" || echo "$layer"
    done
    find .layers -mindepth 1 -maxdepth 1 -name ".*" 2>/dev/null
    find ../config -name "*.zone*" | while read -r file; do
      name=${file##*/}; [ -d "${name%.zone*}" ] || echo "$file"; done' sh "$tmp/$who"
}

# shellcheck disable=SC2317 # called by name
content () {
  run bz run "$1" -- cat /etc/motd
  printf '%s' "$out"
}

# killed NAME MAKE CHECK COMMAND...: MAKE makes what the command needs, the command is killed at one point after
# the other, CHECK tells after each whether all is as it must be.
killed () {
  what=$1 make=$2 check=$3
  shift 3
  point=1 points=0 bad=
  while [ $point -lt 400 ]; do
    $make >/dev/null 2>&1
    state=0
    by timeout 60 python3 "$src/tests/e2e/kill-at.py" $point "$brandzone" --root "$tmp/$who/state" "$@" \
      >/dev/null 2>&1 </dev/null || state=$?
    [ $state -eq 0 ] || break
    points=$((points + 1))
    if ! by "$brandzone" --root "$tmp/$who/state" list >/dev/null 2>"$tmp/list.err" || [ -s "$tmp/list.err" ]; then
      bad="$bad $point(list)"
    fi
    left=$(rubbish)
    # What works for the killed one ends with it, but a moment later.
    if [ -n "$left" ]; then sleep 0.3; zones >/dev/null; left=$(rubbish); fi
    [ -z "$left" ] || bad="$bad $point($left)"
    $check || bad="$bad $point($check)"
    point=$((point + step))
  done
  ok "$what, killed at $points points, leaves all whole" [ -z "$bad" ] || diag "at:$bad"
  ok "$what can be killed at all" [ $points -gt 0 ]
  ok "$what works after that" [ "$state" -eq 1 ]
}

# shellcheck disable=SC2317 # called by name
have_source () {
  case " $(zones) " in *' z '*) ;; *) bz -q install z "$tar"; bz run z -- sh -c 'echo kept >/etc/motd' ;; esac
  bz -q remove other
}

# shellcheck disable=SC2317 # called by name
source_is_kept () {
  [ "$(content z)" = kept ] || return 1
  case " $(zones) " in *' other '*) [ "$(content other)" = kept ] || return 1 ;; esac
  return 0
}

# Each time from a zone that is one directory.
# shellcheck disable=SC2317 # called by name
have_directory () {
  bz -q remove z other
  have_source
}

# shellcheck disable=SC2317 # called by name
have_snapshot () {
  case " $(zones) " in *' z '*) ;; *) have_source ;; esac
  bz -q snapshot z one
  bz run z -- sh -c 'echo later >/etc/motd'
}

# shellcheck disable=SC2317 # called by name
kept_or_later () {
  case $(content z) in kept | later) ;; *) return 1 ;; esac
  bz -q rollback z one && [ "$(content z)" = kept ]
}

# shellcheck disable=SC2317 # called by name
have_two () {
  have_source
  bz -q clone z other
}

# shellcheck disable=SC2317 # called by name
renamed_or_not () {
  bz -q remove other
  case " $(zones) " in *' z '*) ;; *' new '*) bz -q rename new z ;; esac
  source_is_kept
}

# shellcheck disable=SC2317 # called by name
nothing () {
  bz -q remove fresh
}

# shellcheck disable=SC2317 # called by name
whole_or_none () {
  case " $(zones) " in *' fresh '*) run bz run fresh -- cat /etc/alpine-release; [ "$out" = 3.6.5 ] ;; esac
}

# The only one of its source that nobody has changed.
# shellcheck disable=SC2317 # called by name
have_untouched () {
  bz -q remove fresh first 2>/dev/null
  bz -q remove z other 2>/dev/null
  bz -q install first "$tar"
}

# shellcheck disable=SC2317 # called by name
both_or_one () {
  run bz run first -- cat /etc/alpine-release
  [ "$out" = 3.6.5 ] && whole_or_none
}

# shellcheck disable=SC2317 # called by name
nothing_carried () {
  by rm -rf "$tmp/$who/carried"
  have_two
}

# shellcheck disable=SC2317 # called by name
in_one_place () {
  source_is_kept || return 1
  case " $(zones) " in *' other '*) ;; *) [ -f "$tmp/$who/carried/manifest" ] ;; esac
}

# A zone that is one directory, with a snapshot that is a copy.
# shellcheck disable=SC2317 # called by name
have_alone () {
  case " $(zones) " in
    *' z '*) ;;
    *)
      bz -q install z "$tar"
      bz run z -- sh -c 'echo kept >/etc/motd'
      bz -q snapshot --storage=copy z one
      ;;
  esac
  bz run z -- sh -c 'echo later >/etc/motd'
}

# shellcheck disable=SC2317 # called by name
ticks () {
  first=$(bz exec z -- cat /srv/tick 2>/dev/null)
  second=$(bz exec z -- cat /srv/tick 2>/dev/null)
  [ -n "$first" ] && [ -n "$second" ] && [ "$second" -gt "$first" ]
}

# shellcheck disable=SC2317 # called by name
goes_on () {
  until_true 10 ticks && bz -q snapshot --remove z two 2>/dev/null
  bz -q remove other 2>/dev/null
  until_true 10 ticks
}

# shellcheck disable=SC2317 # called by name
nothing_more () {
  bz -q remove other
  bz -q snapshot --remove z two
}

# However the one who holds a zone still is killed, it is let go.
held_still () {
  have_alone
  bz run z -- sh -c 'i=0; while :; do i=$((i + 1)); echo $i >/srv/tick.new; mv /srv/tick.new /srv/tick; done' >/dev/null 2>&1 &
  runs=$!
  until_true 10 ticks || not_ok 'a zone that ticks'
  run bz snapshot z two
  if [ "$status" != 0 ]; then
    skip 'kills of who holds a zone still' "$err"
  else
    killed 'snapshot of a zone that runs' nothing_more goes_on snapshot z two
    killed 'clone of a zone that runs' nothing_more goes_on clone z other
    # Also at moments that no call marks: while it is held, and while the copy goes on.
    for moment in 0.02 0.03 0.04 0.05 0.06 0.08 0.1; do
      by sh -c 'exec timeout -s KILL "$@"' sh $moment "$brandzone" --root "$tmp/$who/state" snapshot z two >/dev/null 2>&1 || :
      by sh -c 'exec timeout -s KILL "$@"' sh $moment "$brandzone" --root "$tmp/$who/state" diff z one >/dev/null 2>&1 || :
      goes_on || break
    done
    ok 'a zone goes on whenever who held it was killed' goes_on
  fi
  bz stop --time 1 z >/dev/null 2>&1
  wait "$runs" || :
}

kills () {
  make_tree alpine-x86 || return
  have_source
  killed clone have_directory source_is_kept clone z other
  killed 'a second clone' have_source source_is_kept clone z other
  killed snapshot have_snapshot kept_or_later snapshot z two
  bz -q snapshot --remove z two
  killed rollback have_snapshot kept_or_later rollback z one
  bz -q rollback z one
  killed 'remove of a clone' have_two source_is_kept remove other
  have_two
  killed 'rename of a clone' have_two renamed_or_not rename z new
  bz -q rename new z
  killed install nothing whole_or_none install fresh "$tar"
  bz -q remove fresh 2>/dev/null
  killed 'install of what another zone has' have_untouched both_or_one install fresh "$tar"
  bz -q remove first fresh 2>/dev/null
  killed detach nothing_carried in_one_place detach other "$tmp/$who/carried"
  by rm -rf "$tmp/$who/carried" "$tmp/$who/carried.partial"
  killed 'a clone by copying' have_source source_is_kept clone --storage=copy z other
  bz -q remove z other 2>/dev/null
  killed 'a snapshot by copying' have_alone kept_or_later snapshot --storage=copy z two
  bz -q snapshot --remove z two
  killed 'rollback by copying' have_alone kept_or_later rollback --storage=copy z one
  held_still
  for zone in z other fresh; do bz -q remove "$zone" 2>/dev/null; done
}

# On a file system that is full, nothing that was there goes.
full_disk () {
  [ "$who" = root ] || return 0
  make_tree alpine-x86 || return
  mkdir "$tmp/full"
  mount -t tmpfs -o size=16m,mode=700 tmpfs "$tmp/full" || return
  small () {
    "$brandzone" --root "$tmp/full" "$@"
  }
  run small -q install z "$tar"
  if [ "$status" != 0 ]; then
    skip 'a full disk' "$err"
    umount "$tmp/full"
    return
  fi
  small run z -- sh -c 'echo kept >/etc/motd; cat /dev/zero >/fill 2>/dev/null'
  run small clone z other
  ok 'clone on a full disk fails, or does it' [ "$status" = 9 -o "$status" = 0 ]
  run small snapshot z one
  run small -q install fresh "$tar"
  is 'install on a full disk' "$status" 9
  unlike 'says so in words of its own' "$err" 'Failed to'
  run small list
  is 'list' "$status" 0
  unlike 'shows no half zone' "$out" fresh
  run small run z -- sh -c 'cat /etc/motd; rm /fill'
  is 'what was there is there' "$out" kept
  small -q snapshot --remove z one 2>/dev/null
  run small -q rollback z
  small -q remove other 2>/dev/null
  run small remove z
  is 'and can be removed' "$status" 0
  is 'with all of it' "$(ls -A "$tmp/full/zones")" ''
  umount "$tmp/full"
}

# The source goes while it is read.
pulled_away () {
  make_tree alpine-x86 || return
  by mkdir -p "$tmp/$who/source"
  by tar -xf "$tar" -C "$tmp/$who/source" --exclude 'dev/*' 2>/dev/null
  in_background bz -q install pulled "$tmp/$who/source"
  by rm -rf "$tmp/$who/source"
  wait "$job" || :
  run bz list
  is 'the source was pulled away: list' "$status" 0
  is 'leaves nothing half made' "$(rubbish)" ''
  bz -q remove pulled 2>/dev/null
  by cp "$tar" "$tmp/$who/source.tar"
  by chmod 644 "$tmp/$who/source.tar"
  in_background bz -q install pulled "$tmp/$who/source.tar"
  by truncate -s 100k "$tmp/$who/source.tar"
  wait "$job" || :
  run bz list
  is 'an archive that becomes shorter: list' "$status" 0
  is 'leaves nothing half made, too' "$(rubbish)" ''
  bz -q remove pulled 2>/dev/null
}

for who in $users; do
  if [ "$who" = user ] && ! plain_users_work; then
    skip 'kills as a plain user' 'newuidmap, setpriv or unprivileged user namespaces are missing'
    continue
  fi
  if masked overlay || { [ "$who" = root ] && masked idmapped-mounts; }; then
    skip 'kills' 'overlay or idmapped-mounts is masked'
    continue
  fi
  if ! python3 -c 'import platform, sys; sys.exit(platform.machine() != "x86_64")'; then
    skip 'kills' 'python on x86-64 is needed'
    continue
  fi
  if [ "$who" != user ] || [ -n "${BRANDZONE_TEST_FULL:-}" ]; then kills; fi
  full_disk
  pulled_away
done
finish
