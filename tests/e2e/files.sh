#!/bin/sh
# cp, rename and remove --all: what they do, and what a hostile tree can't make of them.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
begin

# What the host keeps for itself, and the caller's own files.
prepare () {
  here=$tmp/$who/here
  by rm -rf "$here"
  by mkdir -p "$here/dir/sub"
  by sh -c "cd '$here' && echo one >one && echo two >dir/two && chmod 640 dir/two && ln -s two dir/link &&
    echo deep >dir/sub/deep && mkfifo dir/fifo && cp one suid && chmod 4755 suid && touch -d '2001-02-03 04:05:06' one"
  by sh -c "echo secret of the host >'$tmp/$who/secret'"
}

into_the_zone () {
  run bz cp "$here/one" z:/root/
  is 'cp of a file into a directory of the zone' "$status" 0
  is 'says nothing' "$out$err" ''
  run bz run z -- sh -c 'cat /root/one; stat -c "%u %g %a %Y" /root/one'
  is 'it is there, root'"'"'s, with its time' "$out" "one
0 0 644 $(stat -c %Y "$here/one")"
  run bz cp "$here/dir" z:/opt
  like 'what is not copied is counted' "$err" '1 left out'
  run bz run z -- sh -c 'cd /opt; find . | sort; cat two link sub/deep; stat -c "%a" two; readlink link'
  is 'cp of a directory, made anew' "$out" '.
./link
./sub
./sub/deep
./two
two
two
deep
640
two'
  run bz -q cp "$here/dir" z:/opt
  run bz run z -- sh -c 'ls /opt/dir'
  is 'a second time it lands in it' "$out" 'link
sub
two'
  run bz -q cp "$here/dir/." z:/srv/new
  run bz run z -- sh -c 'ls /srv/new'
  is 'DIR/. is what is in it' "$out" 'link
sub
two'
  run bz cp "$tmp/$who/state" z:/srv
  is 'a copy that comes to itself' "$status" 2
  like 'is no copy for ever' "$err" 'copied into itself'
  by rm -rf "$tmp/$who/state/zones/z/root/srv/state" 2>/dev/null
  run bz cp "$here/suid" z:/root/suid
  run bz run z -- stat -c %a /root/suid
  is 'what goes in is not set-uid' "$out" 755
}

out_of_the_zone () {
  run bz run z -- sh -c 'cd /root; echo from the zone >mine; chmod 4711 mine; ln -s /root/mine there; mkdir d; mkfifo d/f; echo x >d/x'
  by mkfifo "$here/pipe"
  run bz cp z:/root/mine "$here/pipe"
  is 'cp replaces no pipe' "$status" 4
  like 'and says so' "$err" 'replacing pipe: it is a device, a pipe or a socket'
  ok 'which is still there' [ -p "$here/pipe" ]
  run bz cp z:/root/mine "$here/got"
  is 'cp out of the zone' "$(cat "$here/got")" 'from the zone'
  is 'it is the caller'"'"'s and not set-uid' "$(stat -c '%a %u' "$here/got")" "711 $(by id -u)"
  run bz -q cp z:/root/d "$here/d"
  is 'a directory' "$(ls "$here/d")" x
  run bz --json cp z:/root/d/x "$here/json"
  like 'counts as JSON' "$out" '"files" ?: ?1'
  run bz cp z:/root/none "$here/none"
  is 'what is not there' "$status" 1
  like 'is named' "$err" 'none'
  ok 'and nothing is made' [ ! -e "$here/none" ]
}

# Links out of the tree, before and behind the last name, on both ways.
hostile () {
  secret=$tmp/$who/secret
  run bz run z -- sh -c "cd /root; ln -s '$tmp/$who' out; ln -s '$secret' file; ln -s ../../../../../../..$tmp/$who up; ln -s /proc/1/root/etc magic; ln -s / top"
  for path in out/secret up/secret out/../secret ../../../../../../..$secret magic/passwd; do
    run bz cp "z:/root/$path" "$here/stolen"
    is "cp of $path" "$status" 1
    ok 'brings nothing of the host' [ ! -e "$here/stolen" ]
  done
  run bz cp z:/root/file "$here/stolen"
  ok 'a link is copied as a link' [ -L "$here/stolen" ]
  by rm -f "$here/stolen"
  run bz cp "$here/one" z:/root/file
  is 'cp over a link replaces it' "$status" 0
  is 'and does not write through it' "$(cat "$secret")" 'secret of the host'
  for path in out/new up/new magic/new; do
    run bz cp "$here/one" "z:/root/$path"
    is "cp to $path" "$status" 1
  done
  ok 'makes nothing on the host' [ ! -e "$tmp/$who/new" ]
  run bz cp "$here/one" z:/root/top/root/through
  run bz run z -- cat /root/through
  is 'a link to / is the zone'"'"'s own' "$out" one
  # A directory of the target that is a link is not entered.
  run bz run z -- sh -c "mkdir /srv/t; ln -s '$tmp/$who' /srv/t/sub"
  run bz -q cp "$here/dir/." z:/srv/t
  is 'a link in the place of a directory ends it' "$status" 1
  ok 'with nothing written behind it' [ ! -e "$tmp/$who/deep" ]
  run bz cp z:/dev/null "$here/null"
  is 'what is mounted is not in the tree' "$status" 4
  like 'and said so' "$err" '/dev'
  # A link that changes all the time: what comes out is of the zone, or nothing.
  bz run z -- sh -c "cd /srv; mkdir -p real; echo zone >real/secret; touch /srv/ready
    while [ -e ready ]; do ln -sfn real flip; ln -sfn '$tmp/$who' flip; done" >"$tmp/flip" 2>&1 &
  flipper=$!
  for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    bz cp z:/srv/ready "$here/ready" 2>/dev/null && break
    sleep 0.2
  done
  stolen=0
  for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    by rm -f "$here/raced"
    bz cp z:/srv/flip/secret "$here/raced" 2>/dev/null || continue
    if grep -q host "$here/raced"; then stolen=1; fi
  done
  is 'a race is not won' "$stolen" 0
  run bz stop --time 1 z
  wait "$flipper" || :
  run bz run z -- rm -f /srv/ready
}

renaming () {
  run bz config set z hostname=attic
  by mkdir "$tmp/$who/state/config/z.zone.d"
  by sh -c "echo '[Zone]
Environment=FROM=dropin' >'$tmp/$who/state/config/z.zone.d/1.conf'"
  run bz rename z other
  is 'rename' "$status" 0
  run bz run other -- sh -c 'hostname; echo $FROM; cat /root/one'
  is 'the zone is there with its configuration' "$out" 'attic
dropin
one'
  run bz run z -- true
  is 'and not under its old name' "$status" 125
  is 'of which nothing is left' "$(find "$tmp/$who/state" -maxdepth 2 -name '*z.*')" ''
  # As a rename that was killed leaves it, before and after its one step.
  by sh -c "cd '$tmp/$who/state' && mkdir zones/.z.removing zones/.other.removing && cp config/other.zone config/z.zone &&
    cp config/other.zone config/z.zone.A1B2C3"
  run bz list
  is 'a killed rename leaves no configuration to the next zone of that name' \
    "$(find "$tmp/$who/state" -maxdepth 2 -name '*z.*' -o -maxdepth 2 -name '*.removing')" ''
  run bz config get other hostname
  is 'and keeps that of its own' "$out" attic
  run bz rename other other
  is 'a name that it has' "$status" 2
  run bz rename other Bad/Name
  is 'a name that cannot be' "$status" 2
  bz run -i other -- cat <"$tmp/fifo" >/dev/null 2>&1 &
  holder=$!
  exec 9>"$tmp/fifo"
  for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    if bz list | grep -q running; then break; fi
    sleep 0.2
  done
  run bz rename other z
  is 'a running zone is not renamed' "$status" 4
  exec 9>&-
  wait "$holder" || :
  make_tree "$alpine" || return
  run bz -q install second "$tar"
  run bz rename other second
  is 'nor is one put in the place of another' "$status" 4
}

removal () {
  run bz --json remove --all
  is 'remove --all' "$status" 0
  like 'names them' "$out" 'second'
  run bz -q list
  is 'no zone is left' "$out" ''
  is 'nor anything else' "$(find "$tmp/$who/state" -mindepth 1 ! -name cache ! -name 'host-*')" ''
}

mkfifo "$tmp/fifo"
chmod 666 "$tmp/fifo"
alpine="alpine-x86"
if masked ia32; then alpine="alpine-x86_64"; fi
for who in $users; do
  if [ "$who" = user ] && ! plain_users_work; then
    skip 'files of a plain user' 'newuidmap, setpriv or unprivileged user namespaces are missing'
    continue
  fi
  zone z "$alpine" || continue
  prepare
  into_the_zone
  out_of_the_zone
  hostile
  renaming
  removal
done
finish
