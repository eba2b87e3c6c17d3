#!/bin/sh
# The command line without any partition: help, usage, exit codes, JSON, completion, the manual.
set -u

: "${BRANDZONE:?is the program under test}" "${BRANDZONE_SRCDIR:?}"
[ -x "$BRANDZONE" ] || { echo "1..0 # SKIP $BRANDZONE is not built"; exit 0; }

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cases=0
failures=0
status=0

# result STATUS NAME: one TAP case, with what the program said when it failed.
result () {
  cases=$((cases + 1))
  if [ "$1" -eq 0 ]; then
    echo "ok $cases - $2"
    return
  fi
  failures=$((failures + 1))
  echo "not ok $cases - $2"
  sed 's/^/# out: /' "$tmp/out"
  sed 's/^/# err: /' "$tmp/err"
  echo "# status: $status"
}

bz () {
  "$BRANDZONE" --root "$tmp/state" "$@" >"$tmp/out" 2>"$tmp/err" </dev/null
  status=$?
}

exits () {
  [ "$status" -eq "$1" ]
  result $? "$2"
}

# says FILE TEXT NAME: the text stands in out or err.
says () {
  grep -qF -- "$2" "$tmp/$1"
  result $? "$3"
}

silent () {
  [ ! -s "$tmp/$1" ]
  result $? "$2"
}

if command -v python3 >/dev/null 2>&1; then
  valid_json () { python3 -m json.tool "$tmp/$1" >"$tmp/formatted" 2>/dev/null; }
elif command -v json-glib-validate >/dev/null 2>&1; then
  valid_json () { json-glib-validate "$tmp/$1" >/dev/null 2>&1; }
else
  valid_json () { grep -q '^{' "$tmp/$1" && grep -q '}$' "$tmp/$1"; }
fi

# json NAME: standard output is one object with the schema, and nothing is on standard error.
json () {
  valid_json out && grep -Eq '"schema" ?: ?1' "$tmp/out" && [ ! -s "$tmp/err" ]
  result $? "$1"
}

# json_error CODE NAME: standard error is one error object, standard output is empty.
json_error () {
  valid_json err && grep -q "\"code\":$1}" "$tmp/err" && [ ! -s "$tmp/out" ]
  result $? "$2"
}

help () {
  bz --help
  exits 0 '--help succeeds'
  says out 'Usage: brandzone' 'and shows how to call it'
  silent err 'and is no error'
  for verb in install run exec stop list show remove rename cp config verify detect check plan doctor brands explain trace help; do
    says out "  $verb " "--help lists $verb"
    bz help "$verb"
    [ "$status" -eq 0 ] && grep -q "^Usage: brandzone $verb" "$tmp/out"
    result $? "help $verb"
    cp "$tmp/out" "$tmp/by-help"
    bz "$verb" --help
    [ "$status" -eq 0 ] && cmp -s "$tmp/by-help" "$tmp/out"
    result $? "$verb --help is the same"
    bz --help
  done
  ! grep -q __ "$tmp/out"
  result $? 'hidden verbs stay hidden'
  bz --version
  says out 'brandzone ' '--version'
  "$BRANDZONE" --help >/dev/full 2>"$tmp/err"
  status=$?
  exits 1 'output that cannot be written is a failure'
}

# Nothing is taken from or put into / because the current directory has no name any more.
deleted_directory () {
  mkdir "$tmp/gone"
  bz list
  here=$PWD
  cd "$tmp/gone" || return
  rmdir "$tmp/gone"
  for words in 'install z usr' 'install z .' 'detect .' 'check .' 'attach .'; do
    # shellcheck disable=SC2086 # words
    bz $words
    exits 8 "$words in a deleted directory"
  done
  says err '(deleted)' 'says that it is deleted'
  timeout 10 "$BRANDZONE" --root "$tmp/state" mirror . >"$tmp/out" 2>"$tmp/err" </dev/null
  status=$?
  exits 8 'mirror there serves nothing'
  "$BRANDZONE" --root bz-test-state install z /etc/passwd >"$tmp/out" 2>"$tmp/err" </dev/null
  status=$?
  exits 1 'a state directory there is refused'
  says err '(deleted)' 'by its name'
  cd "$here" || exit
}

usage () {
  bz
  exits 2 'no verb is a usage error'
  says err 'brandzone --help' 'that names --help'
  bz rnu
  exits 2 'so is an unknown verb'
  says err 'did you mean run?' 'the nearest one is named'
  bz list --jsno
  exits 2 'and an unknown option'
  says err 'did you mean --json?' 'the nearest one is named too'
  bz install x
  exits 2 'a word is missing'
  bz help nothing
  exits 2 'help for an unknown verb'
  bz install Bad/Name /etc
  exits 2 'a name that cannot be'
  bz stop --time soon z
  exits 2 'a number that is none'
  bz plan
  exits 2 'plan of nothing'
  bz plan --brand el6 --disable-row E999
  exits 2 'a row that nothing answers'
  bz plan --brand el6 --without warp-drive
  [ "$status" -ne 0 ]
  result $? 'a feature that there is not'
  bz --user --system list
  exits 2 '--user contradicts --system'
  prlimit --nofile=12 "$BRANDZONE" brands >"$tmp/out" 2>"$tmp/err"
  status=$?
  exits 7 'too few open files'
  says err 'brands: only 12 open files are allowed at once (ulimit -n 64' 'and the way out'
  bz run -w relative --image /etc/.. -- true
  exits 125 'run never exits with a status that could be the command'"'"'s'
}

zones () {
  bz list
  exits 0 'no zones is no error'
  bz -q list
  silent err '-q keeps quiet about it'
  bz --json list
  json 'list --json'
  for verb in show stop remove trace plan; do
    bz "$verb" nowhere
    exits 3 "$verb of a zone that is not there"
  done
  bz rename nowhere elsewhere
  exits 3 'rename of a zone that is not there'
  bz cp nowhere:/etc/passwd "$tmp/copy"
  exits 3 'cp from a zone that is not there'
  bz cp a b
  exits 2 'cp without a zone'
  bz remove
  exits 2 'remove of nothing'
  bz remove --all z
  exits 2 'remove of all and one'
  bz config gte z
  exits 2 'config with a typing error'
  says err 'did you mean get?' 'names the action'
  bz config get nowhere
  exits 3 'config of a zone that is not there'
  bz verify nowhere
  exits 3 'verify of a zone that is not there'
  bz --json verify
  json 'verify --json'
  bz run nowhere -- true
  exits 125 'run of a zone that is not there'
  bz exec nowhere -- true
  exits 125 'exec in a zone that is not there'
  bz --json show nowhere
  json_error 3 'the error as JSON'
  bz --json rnu
  json_error 2 'an unknown verb as JSON'
  bz list --json --wrong
  json_error 2 'an unknown option as JSON'
  bz install z "$tmp/no-such-file"
  exits 8 'install from a file that is not there'
  bz install z "$tmp" --brand no-such-brand
  exits 3 'install with a brand that there is not'
  bz detect "$tmp/no-such-file"
  exits 8 'detect of a tree that is not there'
  bz detect "$BRANDZONE"
  exits 8 'detect of a file'
  says err 'brandzone install' 'names install'
  mkdir "$tmp/empty"
  bz detect "$tmp/empty"
  exits 8 'detect of an empty directory'
  bz --json detect "$tmp/empty"
  json_error 8 'the same as JSON'
  bz run --image "$tmp/empty" -- true
  exits 125 'run --image of an empty directory'
  mkdir -p "$tmp/state/zones/damaged"
  bz list
  exits 0 'a damaged record does not stop list'
  bz show damaged
  exits 8 'show of it is an error'
}

knowledge () {
  bz doctor
  [ "$status" -eq 0 ] || [ "$status" -eq 7 ]
  result $? 'doctor succeeds, or says 7'
  says out user-notify 'doctor lists features'
  bz --json doctor
  json 'doctor --json'
  bz doctor --without user-notify
  exits 7 'doctor says 7 when a required feature is missing'
  says out 'user-notify is missing' 'and which'
  says out 'Mend it' 'and what to do'
  bz brands
  exits 0 'brands'
  says out native 'brands lists native'
  bz --json brands
  json 'brands --json'
  bz brands show el6
  says out 2.6.32 'brands show el6'
  bz --json brands show el6
  json 'brands show --json'
  bz brands show el66
  exits 3 'brands show of none'
  bz brands verify "$BRANDZONE_SRCDIR"/brand/definitions/*.brand
  exits 0 'brands verify of our own'
  printf '[Brand]\nInherits=\001\n' >"$tmp/bad.brand"
  bz brands verify "$tmp/bad.brand"
  [ "$status" -eq 8 ] || [ "$status" -eq 3 ]
  result $? 'brands verify of a bad one'
  bz brands verify "$tmp/none.brand"
  exits 1 'brands verify of none'
  bz brands shwo el6
  says err 'did you mean show?' 'brands with a typing error'
  bz plan --brand el6
  says out 2.6.32 'plan --brand shows the release'
  says out 'x86_64: ' 'and the calls'
  bz --json plan --brand el6
  json 'plan --json'
  says out '"trapped"' 'with the trapped calls'
  bz plan --brand el6 --release 2.6.18-1
  says out 2.6.18-1 'plan --release'
  bz explain e30
  says out heap 'explain'
  bz --json explain E30
  json 'explain --json'
  bz explain
  says out 'Exec format error' 'explain lists the catalogue'
  answered=$(awk '$1 ~ /^(S4|S13|S20|E12)$/ { printf "%s %s ", $1, $2 }' "$tmp/out")
  [ "$answered" = 'E12 no S4 counted S13 yes S20 yes ' ]
  result $? 'and tells which rows are answered, and which only counted'
  unexplained=
  # shellcheck disable=SC2013 # one word each
  for row in $(awk 'NR > 1 { print $1 }' "$tmp/out"); do
    bz explain "$row"
    # Symptom, cause, and what answers it or what helps.
    [ "$(grep -Ec '^(Symptom: |Cause: )' "$tmp/out")" -eq 2 ] && grep -Eq '^(Brands that need it answer it by:|What to do: )' "$tmp/out" ||
      unexplained="$unexplained $row"
  done
  [ "${row:-}" != '' ] && [ -z "$unexplained" ]
  result $? "each row is explained${unexplained:+, but$unexplained}"
  bz explain E12
  exits 0 'explain of a row that nothing answers'
  says out 'nothing in brandzone' 'and says so'
  bz explain S20
  says out 'has the login id unset' 'explain tells what is done besides calls'
  ! grep -q 'nothing in brandzone' "$tmp/out"
  result $? 'and does not say that nothing is'
  bz explain Z9
  exits 8 'explain of no row'
}

# A bash with the completion loaded, asked for the words after a line that ends in $*.
words_after () {
  bash -c '
    PATH=$1:$PATH
    . "$2"
    shift 2
    COMP_WORDS=("$@")
    COMP_CWORD=$(($# - 1))
    _brandzone
    printf "%s\n" "${COMPREPLY[@]}"' complete "$(dirname "$BRANDZONE")" "$tmp/completion" "$@" \
    >"$tmp/out" 2>"$tmp/err"
}

completion () {
  bz __completion
  exits 0 'the completion is printed'
  cp "$tmp/out" "$tmp/completion"
  if ! command -v bash >/dev/null 2>&1; then
    cases=$((cases + 1))
    echo "ok $cases - completion in bash # SKIP bash is not installed"
    return
  fi
  bz __completion fish
  says out "-l network -x -a 'none host private macvlan'" 'the completion for fish has values'
  if command -v fish >/dev/null 2>&1; then
    fish -N -n "$tmp/out" 2>"$tmp/err"
    result $? 'fish can read it'
  fi
  bash -n "$tmp/completion" 2>"$tmp/err"
  result $? 'bash can read it'
  words_after brandzone r
  says out run 'verbs are completed'
  words_after brandzone run --netw
  says out --network 'options are completed'
  words_after brandzone run --network ''
  says out host 'values are completed'
  words_after brandzone plan --brand el
  says out el6 'brands are completed'
  words_after brandzone config s
  says out set 'actions of config are completed'
  words_after brandzone config get z Zone.Host
  says out Zone.HostId 'and keys'
  words_after brandzone --root "$tmp" list --js
  says out --json 'global options are, too'
  silent err 'without a complaint'
}

manual () {
  page=$BRANDZONE_SRCDIR/doc/brandzone.1
  "$BRANDZONE_SRCDIR/zone/update-manual" "$BRANDZONE" "$page" >"$tmp/out" 2>"$tmp/err"
  status=$?
  exits 0 'the manual has a place for every verb'
  diff -u "$page" "$tmp/out" >"$tmp/err"
  result $? 'the manual says what the command table says (else: make update-manual)'
  page=$BRANDZONE_SRCDIR/doc/brandzone-zone.5
  "$BRANDZONE_SRCDIR/zone/update-manual" "$BRANDZONE" "$page" >"$tmp/out" 2>"$tmp/err"
  diff -u "$page" "$tmp/out" >"$tmp/err" && grep -q 'Cm MacAddress' "$page"
  result $? 'the manual of zone files says what their table says (else: make update-manual)'
}

help
usage
deleted_directory
zones
knowledge
completion
manual
echo "1..$cases"
[ "$failures" -eq 0 ]
