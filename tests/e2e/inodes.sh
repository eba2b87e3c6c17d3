#!/bin/sh
# Inode numbers, directory places and sizes above 32 bits (rows O1, O2, O3) in i386 zones: an overlay
# with xino=on has such numbers, a tmpfs of 20 TiB such sizes. And that a zone without such file systems
# traps nothing for it.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
begin

if [ "$(id -u)" -ne 0 ]; then skip_all 'mounting file systems with long inode numbers needs root'; fi
if masked ia32; then skip_all 'ia32 is masked'; fi
if masked overlay; then skip_all 'overlay is masked'; fi
if [ ! -x "$guests/inodes-i386" ]; then skip_all 'the compiler cannot build i386 programs (gcc-multilib)'; fi

long=$tmp/mounts/long
large=$tmp/mounts/large

# Two layers on two file systems: only then xino puts the layer's number into the high bits.
make_mounts () {
  mkdir -p "$tmp/mounts/a" "$tmp/mounts/b" "$long" "$large"
  chmod 755 "$tmp/mounts"
  mount -t tmpfs -o inode32 long-a "$tmp/mounts/a" || return 1
  mount -t tmpfs -o inode32 long-b "$tmp/mounts/b" || return 1
  mkdir "$tmp/mounts/b/upper" "$tmp/mounts/b/work"
  (
    cd "$tmp/mounts/a" || exit 1
    echo one >one
    ln one hard
    mkdir d1 secret
    echo two >d1/two
    ln -s /long/d1/two abs
    echo s >secret/s
    chmod 700 secret
  )
  mount -t overlay -o "lowerdir=$tmp/mounts/a,upperdir=$tmp/mounts/b/upper,workdir=$tmp/mounts/b/work,xino=on" \
    long "$long" || return 1
  mount -t tmpfs -o size=20t large "$large"
}

drop_mounts () {
  umount "$large"
  umount "$long"
  umount "$tmp/mounts/b"
  umount "$tmp/mounts/a"
}

# inside [OPTION...] -- GUEST [ARGUMENT...]
inside () {
  options=
  while [ "$1" != -- ]; do
    options="$options $1"
    shift
  done
  shift
  program=$1
  shift
  # shellcheck disable=SC2086 # options are words
  run bz -q run --brand "$brand" --abi i386 $options -v "$guests:/guest:ro" z -- "/guest/$program-i386" "$@"
}

# The directory of mode 0700 is the zone's root's: it may look in there, its users may not.
give_secret () {
  run bz -q run --brand native z -- cat /proc/self/uid_map
  # shellcheck disable=SC2086 # three numbers
  set -- $out
  chown -R "${2:-0}" "$tmp/mounts/a/secret"
}

numbers () {
  inside -v "$long:/long" -- inodes /long
  take_tap "$brand: $who: inodes"
  inside -v "$long:/long" --stats -- inodes /long
  like "$brand: what was answered is counted" "$err" 'answered:.* stat [0-9]'
  for row in O1 O2; do
    inside -v "$long:/long" --disable-row $row -- inodes /long long
    take_tap "$brand: $who: $row disabled"
  done
  inside -v "$long:/long" --fold-inodes=no -- inodes /long long
  take_tap "$brand: $who: fold-inodes=no"
}

sizes () {
  inside -v "$large:/large" -- sizes /large
  take_tap "$brand: $who: sizes"
  inside -v "$large:/large" --disable-row O3 -- sizes /large long
  take_tap "$brand: $who: O3 disabled"
}

# By looking, and never otherwise.
plans () {
  run bz plan --json --brand "$brand" --abi i386 z
  is 'no fold without such a file system' "$(printf '%s' "$out" | field quirks.fold-inodes)" host
  unlike 'then stat is not trapped' "$out" '"name" *: *"stat"'
  run bz plan --json --brand "$brand" --abi i386 --fold-inodes=yes z
  is 'fold-inodes=yes' "$(printf '%s' "$out" | field quirks.fold-inodes)" fold
  bz config set z "Storage.Volumes=$long:/long" >/dev/null 2>&1
  run bz plan --json --brand "$brand" --abi i386 z
  is 'a volume with long numbers is seen' "$(printf '%s' "$out" | field quirks.fold-inodes)" fold
  like 'and named' "$(printf '%s' "$out" | field inodes_folded)" 'mounts/long is on overlay'
  run bz plan --json --brand native --abi i386 z
  is 'a native zone is left alone' "$(printf '%s' "$out" | field quirks.fold-inodes)" host
  bz config unset z Storage.Volumes >/dev/null 2>&1
}

# What is mounted later is told of; a zone that folds anyway has it folded.
later () {
  for fold in auto yes; do
    bz config set z Storage.FoldInodes=$fold >/dev/null 2>&1
    in_background bz -q run -v "$guests:/guest:ro" z -- sleep 60
    until_true 20 running z
    run bz mount z "$long:/long"
    is "FoldInodes=$fold: mount in a zone that runs" "$status" 0
    if [ $fold = auto ]; then
      like 'mount tells that its numbers are too long' "$err" 'mounts/long is on overlay.*\(O1\).*FoldInodes=yes'
      run bz exec z -- /guest/inodes-i386 /long long
    else
      is 'and nothing where they are folded' "$err" ''
      run bz exec z -- /guest/inodes-i386 /long
    fi
    take_tap "FoldInodes=$fold: $who: mounted later"
    run bz stop --time 0 z
    wait "$job"
  done
  bz config unset z Storage.FoldInodes >/dev/null 2>&1
}

# `check` says the same of a real tree on such a file system: what the plan folds is covered.
foretold () {
  make_tree slackware-4.0 || return 0
  mkdir -p "$tmp/mounts/tree" "$tmp/mounts/b/upper-2" "$tmp/mounts/b/work-2"
  mount -t overlay -o "lowerdir=$tree,upperdir=$tmp/mounts/b/upper-2,workdir=$tmp/mounts/b/work-2,xino=on" \
    tree "$tmp/mounts/tree" || return 0
  run bz check "$tmp/mounts/tree/bin/bash"
  is 'check: long numbers are covered' "$status" 0
  like 'check: by the fold' "$out" '^O1 +covered .*fold-inodes=fold'
  run bz check --disable-row O1 "$tmp/mounts/tree/bin/bash"
  is 'check, O1 disabled: they are not' "$status" 1
  like 'check, O1 disabled: what to do' "$out" '^O1 +not covered .*FoldInodes=yes'
  case $(stat -f -c %T "$tree") in
    ext*)
      run bz check "$tree/bin/bash"
      unlike 'check: no word of it where numbers are short' "$out" '^O1'
      ;;
  esac
  umount "$tmp/mounts/tree"
}

# Numbers outlive the supervisor that gave them.
killed () {
  limit=60
  (
    inside -v "$long:/long" -- inodes /long hold
    printf '%s' "$status" >"$tmp/held.status"
    cp "$tmp/out" "$tmp/held"
  ) &
  job=$!
  tries=0
  until grep -q '# ready' "$tmp/out" 2>/dev/null || [ $tries -ge 200 ]; do
    tries=$((tries + 1))
    sleep 0.05
  done
  kills=0
  while [ $kills -lt 20 ] && kill -0 $job 2>/dev/null; do
    supervisor=$(bz show --json z 2>/dev/null | field supervisor_pid)
    if [ -n "$supervisor" ] && kill -9 "$supervisor" 2>/dev/null; then kills=$((kills + 1)); fi
    sleep 0.05
  done
  wait $job
  limit=
  diag "$kills supervisors were killed"
  ok 'supervisors were killed meanwhile' [ $kills -gt 0 ]
  out=$(cat "$tmp/held")
  take_tap "$brand: $who: killed supervisors"
}

for who in $users; do
  if [ "$who" = user ] && ! plain_users_work; then
    skip 'a plain user'"'"'s zone' 'newuidmap, setpriv or unprivileged user namespaces are missing'
    continue
  fi
  zone z alpine-x86 || continue
  # For each user anew: an overlay remembers the owners of its layers' files.
  if ! make_mounts 2>"$tmp/mount.err"; then
    skip 'inode numbers of 64 bits' "$(tail -n 1 "$tmp/mount.err")"
    continue
  fi
  give_secret
  for brand in linux-2.2 linux-2.6; do
    numbers
    sizes
  done
  plans
  later
  foretold
  killed
  run bz -q remove z
  drop_mounts
done
finish
