# shellcheck shell=sh
# shellcheck disable=SC2034 # its variables are for the tests that read it
# For the end-to-end tests: TAP, a host's root and a plain user, and proof that nothing is left.
#
#   . "$(dirname "$0")/lib.sh"; begin
#   as root; bz run ...          `as user`: a user with 65536 subordinate ids, `as alone`: without
#   run bz run ...               sets $status, $out (text), $err
#   ok/is/like/unlike/skip ...   one TAP case each; $who is part of its name
#   for who in $users            root and user, or those of them that BRANDZONE_TEST_USERS names
#   masked FEATURE               whether BRANDZONE_WITHOUT, brandzone(1), takes it from brandzone
#   finish                       the plan; checks that no mount, process or cgroup is left
#
# Started as root, a test runs in a mount and a pid namespace of its own, so that the host's
# /etc/passwd, /etc/subuid and /etc/subgid can be replaced by copies with test users in them
# and every process that outlives its zone can be found. Started by a plain user it
# runs as that user alone, and what needs root is skipped.

: "${BRANDZONE:?is the program under test}" "${BRANDZONE_SRCDIR:?}" "${BRANDZONE_BUILDDIR:?}"
: "${BRANDZONE_USERLANDS:=$BRANDZONE_SRCDIR/../shared/userlands}"
: "${BRANDZONE_WITHOUT:=}"
: "${BRANDZONE_TEST_CACHE:=${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/brandzone-tests}"
export BRANDZONE_USERLANDS BRANDZONE_TEST_CACHE BRANDZONE_WITHOUT
unset BRANDZONE_INSIDE_ZONE

# Ids that no host hands out: above the usual users, below 2^31.
user_uid=64321
alone_uid=64322
user_range=1811939328

cases=0
failures=0
who=

# begin: starts the script again in its own namespaces, and makes the directories.
begin () {
  [ -x "$BRANDZONE" ] || skip_all "$BRANDZONE is not built"
  if [ "$(id -u)" -eq 0 ] && [ -z "${BZ_E2E_INSIDE:-}" ]; then
    BZ_E2E_INSIDE=1
    export BZ_E2E_INSIDE
    if unshare --mount --pid --fork true 2>/dev/null; then
      # One of these tests at a time: they look at what is left on the machine. The shell in
      # between reaps what is orphaned.
      exec flock -o "$BRANDZONE_BUILDDIR/tests/e2e.lock" \
        unshare --mount --pid --fork --mount-proc --kill-child --propagation slave \
        sh -c 'sh "$@"; exit $?' sh "$0"
    fi
  fi
  test_name=$(basename "$0" .sh)
  tmp=$(mktemp -d "${TMPDIR:-/tmp}/brandzone-$test_name.XXXXXX")
  trap clean_up EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  chmod 755 "$tmp"
  build=$BRANDZONE_BUILDDIR
  src=$BRANDZONE_SRCDIR
  trees=$BRANDZONE_TEST_CACHE
  [ -z "$BRANDZONE_WITHOUT" ] || diag "masked: $BRANDZONE_WITHOUT"
  if [ "$(id -u)" -eq 0 ]; then
    make_users
    users=${BRANDZONE_TEST_USERS:-root user}
    who=root
  else
    case ${BRANDZONE_TEST_USERS:-user} in *user*) ;; *) skip_all 'asked for root alone' ;; esac
    users=self
    who=self
    mkdir -p "$tmp/self"
  fi
  guests=$build/tests/guest
  export BRANDZONE_LIBEXECDIR="$build" BRANDZONE_BRAND_PATH="$src/brand/definitions"
  brandzone=$build/$(basename "$BRANDZONE")
}

# The test users, and paths that they can reach however the checkout's parents are protected.
make_users () {
  mkdir -p "$tmp/build" "$tmp/src" "$tmp/trees" "$tmp/etc" "$tmp/root" "$BRANDZONE_TEST_CACHE"
  for bind in "$BRANDZONE_BUILDDIR:build" "$BRANDZONE_SRCDIR:src" "$BRANDZONE_TEST_CACHE:trees"; do
    mount --bind "${bind%:*}" "$tmp/${bind##*:}"
    # Nothing that goes wrong here may reach the checkout.
    mount -o remount,bind,ro "$tmp/${bind##*:}"
  done
  build=$tmp/build
  src=$tmp/src
  trees=$tmp/trees
  for name in user alone; do
    install -d -m 700 "$tmp/$name" "$tmp/$name/run"
  done
  chown -R "$user_uid:$user_uid" "$tmp/user"
  chown -R "$alone_uid:$alone_uid" "$tmp/alone"
  for file in passwd group subuid subgid; do
    if [ -f "/etc/$file" ]; then cat "/etc/$file"; fi >"$tmp/etc/$file"
  done
  {
    echo "bzuser:x:$user_uid:$user_uid::$tmp/user:/bin/sh"
    echo "bzalone:x:$alone_uid:$alone_uid::$tmp/alone:/bin/sh"
  } >>"$tmp/etc/passwd"
  {
    echo "bzuser:x:$user_uid:"
    echo "bzalone:x:$alone_uid:"
  } >>"$tmp/etc/group"
  for file in subuid subgid; do
    echo "bzuser:$user_range:65536" >>"$tmp/etc/$file"
  done
  for file in passwd group subuid subgid; do
    if [ ! -f "/etc/$file" ]; then : >"/etc/$file"; fi
    chmod 644 "$tmp/etc/$file"
    mount --bind "$tmp/etc/$file" "/etc/$file"
  done
}

# as NAME: root, user, alone, or self.
as () {
  who=$1
}

masked () {
  case " $BRANDZONE_WITHOUT " in *" $1 "*) ;; *) return 1 ;; esac
}

# one_id: the current user's zones have a single user id.
one_id () {
  case $who in
    alone) ;;
    root) return 1 ;;
    *) masked subordinate-ids ;;
  esac
}

# i386_tree NAME: its programs are for i386.
i386_tree () {
  case $1 in
    alpine-x86_64 | centos-6.8 | centos5 | cirros-x86_64 | docker-busybox | kaios | rhel7) return 1 ;;
  esac
}

# Whether a plain user of this host can have a zone at all.
plain_users_work () {
  [ "$(id -u)" -eq 0 ] || return 0
  command -v newuidmap >/dev/null && command -v setpriv >/dev/null || return 1
  privately user unshare --user true 2>/dev/null
}

# privately NAME COMMAND...: as that user, with nothing of the caller's environment but what the program needs.
privately () {
  case $1 in
    user) uid=$user_uid ;;
    *) uid=$alone_uid ;;
  esac
  place=$tmp/$1
  shift
  setpriv --reuid "$uid" --regid "$uid" --clear-groups --reset-env \
    env HOME="$place" XDG_RUNTIME_DIR="$place/run" PATH="$PATH" LC_ALL=C.UTF-8 \
    BRANDZONE_LIBEXECDIR="$BRANDZONE_LIBEXECDIR" BRANDZONE_BRAND_PATH="$BRANDZONE_BRAND_PATH" \
    BRANDZONE_WITHOUT="$BRANDZONE_WITHOUT" \
    sh -c 'cd / && exec "$@"' sh "$@"
}

# Runs any command as the current user of the test.
by () {
  case $who in
    root | self) "$@" ;;
    *) privately "$who" "$@" ;;
  esac
}

# The program under test, with a state directory of its own for each user.
bz () {
  by "$brandzone" --root "$tmp/$who/state" "$@"
}

# run COMMAND...: at most 20 seconds (or $limit); sets status, out, err.
run () {
  run_in /dev/null "$@"
}

# run_in FILE COMMAND...: the same with standard input. A function cannot be given to timeout(1), and a
# background job would have its interrupt signal ignored: so a watchdog looks on.
run_in () {
  input=$1
  shift
  rm -f "$tmp/timeout"
  (
    exec >/dev/null 2>&1
    sleep "${limit:-20}" && echo timeout >"$tmp/timeout" && kill_children $$
  ) &
  watchdog=$!
  status=0
  "$@" >"$tmp/out" 2>"$tmp/err" <"$input" || status=$?
  kill_children $watchdog
  kill -9 $watchdog 2>/dev/null
  wait $watchdog 2>/dev/null || :
  if [ -e "$tmp/timeout" ]; then status=timeout; fi
  out=$(cat "$tmp/out")
  err=$(cat "$tmp/err")
}

# All descendants of a process but the watchdog.
kill_children () {
  [ -r "/proc/$1/task/$1/children" ] || return 0
  # shellcheck disable=SC2013 # one line of words
  for child in $(cat "/proc/$1/task/$1/children"); do
    [ "$child" != "${watchdog:-}" ] || continue
    kill_children "$child"
    kill -9 "$child" 2>/dev/null
  done
}

# A test that plays a host in a network namespace of its own keeps the machine's as descriptor 9: trees are fetched there.
by_machine () {
  if [ -n "${BZ_MACHINE_NETWORK:-}" ]; then nsenter --net=/proc/self/fd/9 "$@"; else "$@"; fi
}

# make_tree NAME: sets $tree and $tar, or prints a skipped case and fails. `make_tree NAME || return`.
make_tree () {
  maker=$BRANDZONE_SRCDIR/tests/trees/make-tree
  if masked ia32 && i386_tree "$1"; then
    skip "the tree $1" 'ia32 is masked'
    return 1
  fi
  if ! tree=$(by_machine "$maker" "$1" 2>"$tmp/make-tree") ||
    ! tar=$(by_machine "$maker" --tar "$1" 2>>"$tmp/make-tree"); then
    skip "the tree $1" "$(tail -n 1 "$tmp/make-tree")"
    return 1
  fi
  tree=$trees/$(basename "$tree")
  tar=$trees/$(basename "$tar")
}

# zone NAME TREE: installs the tree as a zone of the current user, unless it is there.
zone () {
  if bz show "$1" >/dev/null 2>&1; then return 0; fi
  make_tree "$2" || return 1
  run bz -q install "$1" "$tar"
  if [ "$status" != 0 ]; then
    not_ok "install $1"
    explain_run
    return 1
  fi
}

# first_user_only: what takes long is done as the first of the users alone, but in the long run.
first_user_only () {
  if [ -z "${BRANDZONE_TEST_FULL:-}" ]; then users=${users%% *}; fi
}

# TAP.

diag () {
  printf '%s\n' "$*" | sed 's/^/# /'
}

pass () {
  cases=$((cases + 1))
  printf 'ok %d - %s%s\n' $cases "${who:+$who: }" "$*"
}

not_ok () {
  cases=$((cases + 1))
  failures=$((failures + 1))
  printf 'not ok %d - %s%s\n' $cases "${who:+$who: }" "$*"
}

# What the last run did.
explain_run () {
  diag "exit status: ${status:-}"
  printf '%s\n' "$out" | head -n 30 | sed 's/^/# stdout: /'
  printf '%s\n' "$err" | head -n 30 | sed 's/^/# stderr: /'
}

# ok NAME COMMAND...: passes when the command succeeds.
ok () {
  name=$1
  shift
  if "$@"; then pass "$name"; else not_ok "$name"; diag "failed: $*"; return 1; fi
}

# is NAME GOT EXPECTED
is () {
  if [ "$2" = "$3" ]; then
    pass "$1"
  else
    not_ok "$1"
    diag "expected: $3"
    diag "got:      $2"
    explain_run
    return 1
  fi
}

# like NAME TEXT PATTERN: an extended regular expression matches a line of the text.
like () {
  if printf '%s\n' "$2" | grep -Eq -- "$3"; then
    pass "$1"
  else
    not_ok "$1"
    diag "expected a line like: $3"
    explain_run
    return 1
  fi
}

unlike () {
  if printf '%s\n' "$2" | grep -Eq -- "$3"; then
    not_ok "$1"
    diag "expected no line like: $3"
    explain_run
    return 1
  else
    pass "$1"
  fi
}

# skip NAME REASON
skip () {
  cases=$((cases + 1))
  printf 'ok %d - %s%s # SKIP %s\n' $cases "${who:+$who: }" "$1" "$2"
}

skip_all () {
  echo "1..0 # SKIP $*"
  exit 0
}

# take_tap NAME: the TAP of a guest program that the last run made, as cases of ours. By the shell alone: there are
# thousands of lines, and to start a program takes 100 ms on an emulated kernel (tests/hosts).
take_tap () {
  printf '%s\n' "$out" >"$tmp/tap"
  planned=0
  seen=0
  while IFS= read -r line; do
    case_name=$1:\ ${line#*ok * - }
    case $line in
      'ok '*'# SKIP '*) skip "${case_name%% # SKIP*}" "${line##*# SKIP }"; seen=$((seen + 1)) ;;
      'ok '*) pass "$case_name"; seen=$((seen + 1)) ;;
      'not ok '*) not_ok "$case_name"; seen=$((seen + 1)) ;;
      1..*) planned=${line#1..} ;;
      *) printf '# %s\n' "${line#\# }" ;;
    esac
  done <"$tmp/tap"
  if [ "$planned" -eq 0 ] || [ "$seen" -ne "$planned" ]; then
    not_ok "$1 runs to its end"
    explain_run
    return 1
  fi
}

# What must not be left.

# Groups of zones of this test: each is marked with its zone's run-time directory. Others of the machine have some, too.
our_cgroups () {
  python3 -c '
import os, sys
for top, names, _ in os.walk("/sys/fs/cgroup"):
    for path in [os.path.join(top, name) for name in names if os.path.basename(top) == "brandzone"]:
        for mark in "trusted.brandzone", "user.brandzone":
            try:
                if os.getxattr(path, mark).decode().startswith(sys.argv[1]):
                    print(path)
            except OSError:
                pass' "$tmp/" | sort
}

# Processes of this pid namespace but us; without one of our own, those that name our directory.
our_processes () {
  for process in /proc/[0-9]*; do
    pid=${process#/proc/}
    case $pid in 1 | "$$") continue ;; esac
    words=$(tr '\0' ' ' <"$process/cmdline" 2>/dev/null) || continue
    [ -n "$words" ] || continue # kernel threads, and those that have ended
    [ "$words" != "sleep ${limit:-20} " ] || continue # a watchdog that was killed while it forked
    if [ -n "${BZ_E2E_INSIDE:-}" ]; then
      # Children of this very shell are its own helpers.
      case $(sed -n 's/^PPid:[[:space:]]*//p' "$process/status" 2>/dev/null) in "$$") continue ;; esac
      echo "$pid $words"
    else
      case $words in *"$tmp"*) echo "$pid $words" ;; esac
    fi
  done
}

# Ending takes the kernel a moment: up to five seconds.
gone () {
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    left=$("$@")
    [ -n "$left" ] || return 0
    sleep 0.5
  done
  diag "left: $left"
  return 1
}

our_mounts () {
  awk -v tmp="$tmp/" 'index($5, tmp) == 1 { print $5 }' /proc/self/mountinfo |
    grep -vx -e "$tmp/build" -e "$tmp/src" -e "$tmp/trees" || :
}

run_directories () {
  find "$tmp" -xdev -path '*/state/run/*' ! -name '.*' -maxdepth 4 2>/dev/null
}

finish () {
  who=
  ok 'no process is left' gone our_processes
  ok 'no mount is left' gone our_mounts
  if [ -n "${BZ_E2E_INSIDE:-}" ]; then ok 'no cgroup is left' gone our_cgroups; fi
  ok 'no run-time directory is left' gone run_directories
  echo "1..$cases"
  [ $failures -eq 0 ]
  exit
}

clean_up () {
  status=$?
  trap - EXIT INT TERM
  cd /
  if [ -n "${BZ_E2E_INSIDE:-}" ]; then
    our_processes | while read -r pid _; do kill -9 "$pid" 2>/dev/null; done
  fi
  for mount in $(our_mounts | sort -r); do umount -l "$mount" 2>/dev/null; done
  for mount in build src trees; do
    if mountpoint -q "$tmp/$mount" 2>/dev/null; then umount "$tmp/$mount" || umount -l "$tmp/$mount"; fi
  done
  # Never through a mount that could not be ended.
  if [ -z "$(our_mounts)" ] && ! mountpoint -q "$tmp/trees" && ! mountpoint -q "$tmp/src" &&
    ! mountpoint -q "$tmp/build"; then
    if [ "$(id -u)" -ne 0 ]; then
      unshare --map-root-user --map-auto rm -rf "$tmp" 2>/dev/null || :
    fi
    chmod -R u+rwX "$tmp" 2>/dev/null
    rm -rf --one-file-system "$tmp"
  fi
  exit "$status"
}

# field PATH: of the JSON on standard input, `zones.0.name`; nothing when it is not there.
field () {
  python3 -c '
import json, sys
value = json.load(sys.stdin)
for key in sys.argv[1].split("."):
    try:
        value = value[int(key) if isinstance(value, list) else key]
    except (KeyError, IndexError, TypeError, ValueError):
        value = None
if value is not None:
    print(value if not isinstance(value, (dict, list, bool)) else json.dumps(value))' "$1"
}

# in_background COMMAND...: sets $job; its output goes to $tmp/job.out and .err.
in_background () {
  "$@" >"$tmp/job.out" 2>"$tmp/job.err" </dev/null &
  job=$!
}

# until_true SECONDS COMMAND...
until_true () {
  tenths=$(($1 * 10))
  shift
  while [ $tenths -gt 0 ]; do
    if "$@"; then return 0; fi
    sleep 0.1
    tenths=$((tenths - 1))
  done
  return 1
}

running () {
  [ "$(bz show --json "$1" 2>/dev/null | field state)" = running ]
}

# For a user on the test's own terminal.
terminal () {
  by python3 "$src/tests/e2e/terminal.py" "$@"
}

# script LINE...: writes a script for terminal.py that every user can read; sets $script.
script () {
  script=$tmp/script
  printf '%s\n' "$@" >"$script"
}
