#!/bin/sh
# Trees that nobody has tried: made up ones, whose shell is everything but a shell, and every real one there is. Of each,
# `check` and `run` end soon, and with success or with a word of brandzone's: never a bare 139, never a hang.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
begin
first_user_only

# A word that a user can do something with, and the exit status that goes with it.
# shellcheck disable=SC2317 # `ok` calls it
told () {
  case $status in
    0) return 0 ;;
    1 | 8 | 125 | 126 | 127) printf '%s\n' "$out$err" | grep -Eq 'brandzone: |not covered' ;;
    135 | 139) printf '%s\n' "$err" | grep -q '^brandzone: .* died of SIG' ;;
    *) return 1 ;;
  esac
}

# try NAME EXPECTED: what running the shell of the made-up tree gives.
try () {
  run bz check "$odd"
  ok "$1: check tells" told || explain_run
  run bz run --image "$odd" -- /bin/sh -c 'echo hi'
  is "$1: run" "$status" "$2" || explain_run
  ok "$1: and says why" told || explain_run
}

# made_up NAME: an empty tree but for one good program, by which it is known as a userland.
made_up () {
  odd=$tmp/odd/$1
  by mkdir -p "$odd/bin" "$odd/etc" "$odd/tmp"
  if [ "$2" = with ]; then by cp "$guests/limits-x86_64" "$odd/bin/good"; fi
}

# odd_shell NAME EXPECTED COMMAND: the command makes bin/sh in the current directory.
odd_shell () {
  for good in with without; do
    made_up "$1-$good" $good
    # shellcheck disable=SC2016 # for the inner shell
    by sh -c 'cd "$1" && umask 022 && eval "$2"' sh "$odd" "$3"
    want=$2
    # Without a program that is known nothing is run.
    if [ $good = without ]; then
      case $1 in truncated | 'cut off' | 'not executable' | 'without its interpreter') ;; *) want=125 ;; esac
    fi
    try "$1, $good a good program" "$want"
  done
}

made_up_trees () {
  if [ ! -x "$guests/limits-x86_64" ]; then
    skip 'made-up trees' 'the compiler cannot build guests for x86-64'
    return
  fi
  odd_shell 'no shell' 127 ':'
  odd_shell 'a directory' 126 'mkdir bin/sh'
  odd_shell 'a link to itself' 126 'ln -s sh bin/sh'
  odd_shell 'a link out of the tree' 127 'ln -s ../../../../../../../../bin/no-such bin/sh'
  for shell in sh /bin/sh; do
    run bz run --image "$tmp/odd/a link out of the tree-with" -- $shell -c :
    is "a link to nothing, as $shell" "$status" 127
    like 'says where it leads' "$err" 'running /bin/sh: it is a link to [./]*bin/no-such, which does not exist in the zone'
  done
  odd_shell 'a fifo' 126 'mkfifo -m 755 bin/sh'
  odd_shell 'empty' 126 ': >bin/sh; chmod 755 bin/sh'
  odd_shell 'text' 126 'echo hello >bin/sh; chmod 755 bin/sh'
  odd_shell 'a script of itself' 126 'printf "#!/bin/sh\n" >bin/sh; chmod 755 bin/sh'
  odd_shell 'truncated' 126 "head -c 100 '$guests/limits-x86_64' >bin/sh; chmod 755 bin/sh"
  odd_shell 'cut off' 139 "head -c 4500 '$guests/limits-x86_64' >bin/sh; chmod 755 bin/sh"
  like 'cut off: what is the matter' "$err" 'is cut off: the file ends before'
  odd_shell 'not executable' 126 "cp '$guests/limits-x86_64' bin/sh; chmod 644 bin/sh"
  odd_shell 'noise behind an ELF header' 126 'printf "\177ELF\002\001\001" >bin/sh; seq 1 2000 >>bin/sh; chmod 755 bin/sh'
  if file=$(command -v true) && readelf -l "$file" 2>/dev/null | grep -q INTERP; then
    odd_shell 'without its interpreter' 127 "cp '$file' bin/sh"
  fi
}

# check looks at every file: what it says of it is its own matter, that it ends is ours.
real_trees () {
  for name in $("$BRANDZONE_SRCDIR/tests/trees/make-tree" --list); do
    make_tree "$name" || continue
    run bz check "$tree"
    ok "$name: check tells" told || explain_run
  done
}

for who in $users; do
  if [ "$who" = user ] && ! plain_users_work; then
    skip 'the zone of a plain user' 'newuidmap, setpriv or unprivileged user namespaces are missing'
    continue
  fi
  made_up_trees
  if [ -n "${BRANDZONE_TEST_FULL:-}" ]; then real_trees; fi
done
finish
