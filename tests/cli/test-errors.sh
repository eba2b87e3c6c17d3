#!/bin/sh
# Every message says what failed, why, and where it can what to do: the sources are read for error paths
# that say less, and the common mistakes are made.
set -u

: "${BRANDZONE:?is the program under test}" "${BRANDZONE_SRCDIR:?}"
BRANDZONE_BRAND_PATH=$BRANDZONE_SRCDIR/brand/definitions
BRANDZONE_SOURCES_PATH=$BRANDZONE_SRCDIR/installer/sources
export BRANDZONE_BRAND_PATH BRANDZONE_SOURCES_PATH
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cases=0
failures=0

result () {
  cases=$((cases + 1))
  if [ "$1" -eq 0 ]; then
    echo "ok $cases - $2"
  else
    failures=$((failures + 1))
    echo "not ok $cases - $2"
    sed 's/^/# /' "$tmp/out"
  fi
}

# --- the sources ---

sources () {
  for directory in brand syscall-xlat loader installer zone; do
    find "$BRANDZONE_SRCDIR/$directory" -name '*.c'
  done
}

# bz_fail's third argument is the reason: never nothing. (Calls are joined to one line first.)
sources | while IFS= read -r file; do
  tr '\n' ' ' <"$file" | grep -oE 'bz_fail \([^;]*;' | tr -s ' ' |
    grep -E '^bz_fail \([a-z&>_.-]+, BZ_ERROR_[A-Z_]+, NULL,' | sed "s|^|${file##*/}: |"
done >"$tmp/out"
[ ! -s "$tmp/out" ]
result $? 'no error without a reason'

# perror tells an errno and nothing else.
sources | xargs grep -nE '\bperror \(' >"$tmp/out"
[ ! -s "$tmp/out" ]
result $? 'no perror'

# Text of an errno alone, as a whole message.
sources | xargs grep -nE '(fprintf \(stderr|bz_context_note \([a-z]+), "%s(\\n)?", g?_?strerror' >"$tmp/out"
[ ! -s "$tmp/out" ]
result $? 'no message that is an errno alone'

# --- the common mistakes ---

# mistake NAME PATTERN ARGUMENT...: fails, with one message of the form "what: why (what to do)".
mistake () {
  name=$1
  pattern=$2
  shift 2
  "$BRANDZONE" --root "$tmp/state" "$@" >/dev/null 2>"$tmp/out" </dev/null
  status=$?
  [ "$status" -ne 0 ] && [ "$status" -lt 127 ] &&
    grep -Eq '^brandzone: .+: .+ \(.+\)$' "$tmp/out" && grep -Eq -- "$pattern" "$tmp/out"
  result $? "$name"
}

mistake 'no such verb' 'did you mean install' instal x y
mistake 'no such option' 'did you mean --brand' install --bramd el6 x y
mistake 'an option without its value' 'write --brand' install x y --brand
mistake 'words are missing' 'write: brandzone install' install x
mistake 'too many words' 'one word too many' show a b
mistake 'no such zone' 'install one' run nobody
mistake 'a bad name' 'name' install ../x /tmp
mistake 'no such source' 'it does not exist' install x /nowhere/at/all
mistake 'no such source by name' 'did you mean debian:etch' install x debian:ech
mistake 'a source without a checksum' '--unverified' install x centos:6
mistake 'no such brand' 'lists them' brands show el66
mistake 'no such row' '' explain E999
mistake 'a tree that is none' 'bin, lib and etc' detect "$tmp"
mistake 'stop of nothing' 'install one' stop nobody
mistake 'a bad size' '' run --memory lots nobody
mistake 'a brand file that is not there' 'none.brand' brands verify "$tmp/none.brand"

echo "1..$cases"
[ $failures -eq 0 ]
