#!/bin/sh
# Every message says what failed, why and what to do: the sources are read for error paths
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

# Every error path's text: file, line, what failed, why, what to do. "%s" alone says a name, and with an errno behind
# it that is a bare errno.
collector=$tmp/collect.py
cat >"$collector" <<'END'
import re, sys

def arguments(text, at):
    """The arguments of a call whose bracket opens before `at`."""
    depth, quoted, words, word = 1, False, [], ""
    while depth and at < len(text):
        c = text[at]
        if quoted:
            if c == "\\":
                word, at = word + c, at + 1
                c = text[at]
            elif c == '"':
                quoted = False
        elif c == '"':
            quoted = True
        elif c in "([{":
            depth += 1
        elif c in ")]}":
            depth -= 1
        if depth and not (c == "," and depth == 1 and not quoted):
            word += c
        else:
            words.append(re.sub(r'"\s+"', "", re.sub(r"\s+", " ", word).strip()))
            word = ""
        at += 1
    return words

for path in sys.stdin.read().split():
    text = open(path, encoding="utf-8").read()
    for call in re.finditer(r"\bbz_fail(_errno)? \((?!GError)", text):
        words = arguments(text, call.end())
        if call[1]:
            why, hint, what = "errno", words[2], words[3]
        else:
            why, hint, what = words[2], words[3], words[4]
        print(path, text.count("\n", 0, call.start()) + 1, what, why, hint, sep="\t")
END
if command -v python3 >/dev/null; then
  sources | python3 "$collector" >"$tmp/paths"
  [ "$(wc -l <"$tmp/paths")" -gt 600 ]
  result $? "$(wc -l <"$tmp/paths") error paths are found"
  awk -F '\t' '$4 == "errno" && $3 !~ /[a-z][a-z]+ / && $3 !~ /^"%s %s/' "$tmp/paths" >"$tmp/out"
  [ ! -s "$tmp/out" ]
  result $? 'none tells an errno without what failed (or a phrase that a variable holds, with a name)'
  awk -F '\t' '$4 ~ /^(g_)?strerror/ && $3 !~ /[a-z][a-z]+ /' "$tmp/paths" >"$tmp/out"
  [ ! -s "$tmp/out" ]
  result $? 'nor by another way'
  awk -F '\t' '$3 == "" || $4 == "" || $4 == "NULL" || $4 == "\"\""' "$tmp/paths" >"$tmp/out"
  [ ! -s "$tmp/out" ]
  result $? 'each tells what failed and why'
else
  cases=$((cases + 1))
  echo "ok $cases # SKIP python3 is missing, which reads the sources' error paths"
fi

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
