#!/bin/sh
# Zones of other versions of brandzone on one host: older records are read and stay as they are, newer ones are left alone by every
# verb, with one line that tells which version to use.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
begin

# rewrite NAME FORMAT WRITER: the record of a zone, as that version would have written it.
rewrite () {
  record=$tmp/$who/state/zones/$1/zone.state
  [ -f "$record" ] || record=$tmp/$who/state/data/$1/zone.state
  by sed -i "s/^Format=.*/Format=$2/; s/^Writer=.*/Writer=$3/" "$record"
}

# What the first format needs and nothing that came after it: which ids the zone has and how they lie on disk.
older () {
  rewrite old 1 0.0.1
  by sed -i -e '/^Abi=/d' -e '/^Source=/d' -e '/^Kind=/d' -e '/^Files=/d' -e '/^Bytes=/d' -e '/^Writer=/d' "$record"
  before=$(by cksum "$record")
  run bz run old -- cat /etc/alpine-release
  is 'a zone of an older version runs' "$status,$out" 0,3.6.5
  run bz list --json
  is 'and is listed' "$(printf '%s' "$out" | field zones.0.name)" old
  is 'its record stays as that version wrote it' "$(by cksum "$record")" "$before"
  run bz rename old elder
  is 'it is renamed' "$status" 0
  run bz clone elder old
  is 'and cloned, in the format that layers need' "$status" 0
  if [ "$status" = 0 ]; then
    run bz run old -- cat /etc/alpine-release
    is 'and its clone runs' "$status,$out" 0,3.6.5
    bz -q remove old
  fi
  bz -q remove elder
}

# refused VERB WORDS...: with the line, and nothing is done.
refused () {
  run bz "$@"
  ok "$1 is refused" test "$status" != 0
  like "$1 tells the version to use" "$out
$err" 'zone new: brandzone 9\.8 wrote its record in format 99; this one, [0-9.]+, reads up to [0-9]+ \(use that version'
}

newer () {
  rewrite new 99 9.8
  before=$(by cksum "$record")
  for words in 'show new' 'run new -- true' 'exec new -- true' 'login new' 'start new' 'stop new' 'remove new' 'rename new other' \
    'clone new other' 'snapshot new s' 'diff new' "export new $tmp/$who/x.tar" "detach new $tmp/$who/x" 'verify new' 'plan new' \
    'check new' 'config get new Zone.Brand' "cp $tmp/$who new:/tmp" 'logs new' 'trace new' 'boot-edits new'; do
    # shellcheck disable=SC2086 # words
    refused $words
  done
  run bz install new "$tar"
  is 'nor is its name given to another' "$status" 4
  run bz list
  like 'list shows the others' "$out" '^old '
  like 'and says why it is not there' "$err" 'zone new: brandzone 9\.8'
  run bz remove --all
  ok 'remove --all is no success' test "$status" != 0
  ok 'it is still there' test -d "$(dirname "$record")/root"
  is 'and nobody wrote into its record' "$(by cksum "$record")" "$before"
  rewrite new 1 9.8
  run bz run new -- cat /etc/alpine-release
  is 'it runs, once it is of a format that is known' "$status,$out" 0,3.6.5
  bz -q remove new
}

for who in $users; do
  if [ "$who" = user ] && ! plain_users_work; then
    skip 'zones of a plain user' 'newuidmap, setpriv or unprivileged user namespaces are missing'
    continue
  fi
  zone old alpine-x86 || continue
  # With a tree of its own: older records know no layers.
  run bz -q install --share=no new "$tar"
  newer
  zone old alpine-x86 || continue
  older
done
finish
