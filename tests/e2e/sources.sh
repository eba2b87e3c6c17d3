#!/bin/sh
# Sources by name: fetched from a server on loopback, resumed, checked, kept, taken from mirrors.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
begin
command -v python3 >/dev/null || skip_all 'no python3 here to be the server'
plain_users_work || users=$(echo "$users" | sed 's/user//; s/self//')

# A tree that takes a while to send: a static program, and two megabytes that do not compress.
mkdir -p "$tmp/tree/bin" "$tmp/tree/etc" "$tmp/files"
cp "$guests/release-x86_64" "$tmp/tree/bin/sh" || skip_all 'the guest programs are not built'
head -c 2000000 /dev/urandom >"$tmp/tree/etc/noise"
tar -C "$tmp/tree" -czf "$tmp/files/tree.tar.gz" .
sum=$(sha256sum "$tmp/files/tree.tar.gz" | cut -d ' ' -f 1)
wrong=$(printf '%064d' 0)
chmod -R a+rX "$tmp/files"

python3 "$src/tests/e2e/range-server.py" "$tmp/files" "$tmp/requests" "$tmp/port" &
server=$!
stop_server () {
  kill "$server" 2>/dev/null
  wait "$server" 2>/dev/null
}
trap 'stop_server; clean_up' EXIT
tries=0
until [ -s "$tmp/port" ]; do
  tries=$((tries + 1))
  [ $tries -lt 200 ] || skip_all 'the server does not start'
  sleep 0.05
done
here=http://127.0.0.1:$(cat "$tmp/port")

# source NAME URL KEY=VALUE: one more line of the test's own file of sources.
mkdir -p "$tmp/sources"
source_of () {
  printf '[%s x86_64]\nTitle=A test\nNames=%s\nKind=tar.gz\nUrl=%s\n%s\nSource=the test\n\n' "$1" "$1-also" "$2" "$3"
}
{
  source_of test:ok "$here/ok/tree.tar.gz" "Sha256=$sum"
  source_of test:cut "$here/cut/tree.tar.gz" "Sha256=$sum"
  source_of test:plain "$here/plain/tree.tar.gz" "Sha256=$sum"
  source_of test:slow "$here/slow/tree.tar.gz" "Sha256=$sum"
  source_of test:other "$here/other/tree.tar.gz" "Sha256=$sum"
  source_of test:wrong "$here/ok/tree.tar.gz" "Sha256=$wrong"
  source_of test:gone "$here/ok/nothing.tar.gz" "Sha256=$sum"
  source_of test:unsure "$here/ok/tree.tar.gz" 'Unverified=nobody published one'
  source_of test:far 'http://archive.invalid/pub/tree.tar.gz' "Sha256=$sum"
} >"$tmp/sources/test.sources"
chmod -R a+rX "$tmp/sources"

with () {
  by env BRANDZONE_SOURCES_PATH="$tmp/sources" no_proxy="${proxy:+archive.example}" http_proxy="${proxy:-}" \
    "$brandzone" --root "$tmp/$who/state" "$@"
}
requests () {
  [ -f "$tmp/requests" ] && grep -c "$1" "$tmp/requests"
}
cached () {
  by sh -c "ls '$tmp/$who/state/cache/downloads' 2>/dev/null" | tr '\n' ' '
}
forget () {
  run with remove -f z
  by rm -rf "$tmp/$who/state/cache/downloads"
  : >"$tmp/requests"
}

fetched_and_kept () {
  : >"$tmp/requests"
  run with install z test:ok
  is 'a source by name is installed' "$status" 0
  like 'show says where it came from' "$(with show z)" 'test:ok, http://127'
  run with remove z
  run with install z test:ok-also
  is 'by its other name, too' "$status" 0
  is 'the second time without the server' "$(requests GET)" 1
  run with install z test:ok
  is 'a zone that is there is not fetched for' "$status" 4
  forget
}

broken_lines () {
  run with install z test:cut
  is 'a line that breaks is taken up again' "$status" 0
  like 'from where it broke' "$(cat "$tmp/requests")" 'cut/tree.tar.gz bytes=[1-9]'
  forget
  by mkdir -p "$tmp/$who/state/cache/downloads"
  run with install z test:plain
  is 'a server without Range' "$status" 0
  forget
  # Ctrl-C, as a terminal sends it.
  by env BRANDZONE_SOURCES_PATH="$tmp/sources" timeout --foreground -s INT 2 \
    "$brandzone" --root "$tmp/$who/state" install z test:slow >"$tmp/out" 2>"$tmp/err"
  status=$?
  like 'an interrupt says that what came is kept' "$(cat "$tmp/err")" 'it was interrupted .*goes on from there'
  run with list
  unlike 'no zone is left of it' "$out" '^z '
  like 'but the part that came' "$(cached)" 'partial'
  : >"$tmp/requests"
  run with install z test:slow
  is 'the same command goes on' "$status" 0
  like 'from there' "$(cat "$tmp/requests")" 'bytes=[1-9]'
  forget
}

refused () {
  run with install z test:wrong
  is 'a wrong checksum is bad input' "$status" 8
  like 'both are told' "$err" "SHA-256 is $sum, not $wrong"
  is 'and what came is thrown away' "$(cached)" ''
  run with install z test:other
  is 'so is a file that was changed on the way' "$status" 8
  run with install z test:gone
  like 'what the server does not have' "$err" 'the server has no such file \(it may have moved'
  run with install z test:unsure
  is 'no checksum: refused' "$status" 8
  like 'with the reason and the way out' "$err" 'nobody published one .*--unverified'
  run with install --unverified z test:unsure
  is 'taken where it is asked for' "$status" 0
  like 'and its checksum told' "$err" "nothing says whether test:unsure .*$sum"
  run with install y test:okk
  like 'a typing error' "$err" 'no file and no source of this name \(did you mean test:ok'
  run with install --abi i386 y test:ok
  like 'another ABI' "$err" 'known for another ABI only'
  forget
  run with install y test:far
  like 'a server that is not there' "$err" 'fetching http://archive.invalid/pub/tree.tar.gz: .*proxy is taken from'
  forget
}

mirrors () {
  mkdir -p "$tmp/mirror/archive.invalid/pub"
  run with install --mirror "$tmp/files" z test:far
  is 'a directory as mirror, by the last name' "$status" 0
  is 'asks no server' "$(requests GET)" 0
  run with remove z
  cp "$tmp/files/tree.tar.gz" "$tmp/mirror/archive.invalid/pub/"
  chmod -R a+rX "$tmp/mirror"
  run with install --mirror "$tmp/mirror" z test:far
  is 'by the whole address' "$status" 0
  run with remove z
  run with install --mirror "$tmp/mirror" z test:wrong
  is 'its checksum is looked at, too' "$status" 8
  run with install --mirror "$tmp/tree" z test:far
  like 'a mirror without it' "$err" 'the mirror has no such file \(put it there'
  run with install --mirror "$here/ok" z test:far
  is 'a server as mirror' "$status" 0
  forget
  proxy=$here
  run with install z test:far
  proxy=
  is 'a proxy' "$status" 0
  like 'which was asked for the whole address' "$(cat "$tmp/requests")" 'GET http://archive.invalid/pub'
  forget
}

listed () {
  run with sources
  like 'sources lists them' "$out" '^test:ok +x86_64 +known +A test'
  run with --json sources show test:unsure-also
  like 'sources show --json' "$out" '"unverified" *: *"nobody published one"'
  run with sources verify "$src/installer/sources/distributions.sources"
  is 'the shipped ones are good' "$status" 0
  printf '[x:1 x86_64]\nTitle=t\nKind=tar\nUrl=ftp://x/y\n' >"$tmp/$who/bad.sources"
  run with sources verify "$tmp/$who/bad.sources"
  like 'a bad one is told with its line' "$err" 'bad.sources:4: .*Url.* no address of a web server'
  run with sources veryfy
  like 'a misspelt verb' "$err" 'did you mean verify'
}

for who in $users; do
  as "$who"
  listed
  fetched_and_kept
  broken_lines
  refused
  mirrors
done
stop_server
trap clean_up EXIT
finish
