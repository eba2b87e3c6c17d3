#!/bin/sh
# install from repositories of packages: the zone's own package manager does it, in the zone.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
begin
first_user_only

# Names only: what is left of an installation.
state_of () {
  by sh -c 'cd "$1/state/zones" 2>/dev/null && find . -mindepth 1 -maxdepth 2 ! -name ".*.lock" ! -name .ids | sort' sh "$tmp/$who"
}

# The repositories for RPM; sets $packages.
make_packages () {
  if ! packages=$("$BRANDZONE_SRCDIR/tests/trees/make-packages" 2>"$tmp/make-packages"); then
    skip 'packages of an RPM distribution' "$(tail -n 1 "$tmp/make-packages")"
    return 1
  fi
  packages=$trees/$(basename "$packages")
}

rpm_with_metadata () {
  run bz install new "$packages/new" --packages bash,rpm --key "$packages/RPM-GPG-KEY-test"
  is 'install from a repository with metadata' "$status" 0 || { explain_run; return; }
  like 'it says what it is' "$out" 'from a repository of RPM packages'
  like 'and finds the brand' "$out" 'brand el6, x86_64'
  like 'and whose metadata they are' "$err" 'metadata are signed by .* Packages for tests'
  run bz run new -- /bin/sh -c 'rpm -Va; echo $?; rpm -q bash glibc'
  is 'its rpm finds every file as it was packaged' "$(printf '%s\n' "$out" | head -n 1)" 0
  like 'and knows the packages' "$out" '^glibc-2.12'
  run bz run new -- /bin/sh -c 'ls -a / | grep brandzone; test -e /usr/bin/python || echo none'
  like 'no more was installed than what was asked for and its needs' "$out" '^none'
  run bz remove new
  is 'and nothing of it is left' "$(state_of)" ''
}

rpm_without_metadata () {
  run bz install old "$packages/old" --packages brandtest --key "$packages/RPM-GPG-KEY-test"
  is 'install from RedHat/RPMS' "$status" 0 || { explain_run; return; }
  like 'it says what it is' "$out" 'medium of RPM packages \(in RedHat/RPMS\)'
  like 'it says that each package was verified' "$err" 'the signatures of 3[0-9] packages are good'
  run bz run old -- /bin/sh -c 'cat /var/log/brandtest; id -un; getent passwd brandtest; rpm -V brandtest; echo $?; stat -c %U /var/spool/brandtest; ls -A / | tr "\n" " "'
  like 'its scriptlets ran in the zone' "$out" '^installed on 2\.6\.32.* by root, 1$'
  like 'and made a user' "$out" '^brandtest:x:'
  if [ "$who" != alone ]; then like 'who owns what is his' "$out" '^brandtest$'; fi
  unlike 'the packages are not left in the tree' "$out" '\.brandzone'
  run bz -q remove old
}

# The same packages on a CD-ROM. They are found by what is on it, not by its name.
compact_disc () {
  command -v xorriso >/dev/null || {
    skip 'packages on a CD-ROM' 'xorriso is missing (apt-get install xorriso)'
    return
  }
  mkdir -p "$tmp/cd"
  case $1 in
    rpm) cp -r "$packages/old/." "$tmp/cd"; set -- 'RPM' 'brandtest' "$packages/RPM-GPG-KEY-test" ;;
    deb) cp -r "$debs/deb/." "$tmp/cd"; set -- 'Debian' 'hello' "$debs/key.asc" ;;
  esac
  mkdir -p "$tmp/cd/images" "$tmp/cd/isolinux"
  echo 'a boot floppy' >"$tmp/cd/images/boot.img"
  echo 'sources' >"$tmp/cd/isolinux/initrd.tgz"
  xorriso -as mkisofs -quiet -R -J -o "$tmp/cd.iso" "$tmp/cd" >/dev/null 2>&1
  chmod 644 "$tmp/cd.iso"
  rm -rf "$tmp/cd"
  run bz install disc "$tmp/cd.iso" --packages "$2" --key "$3"
  is "install from a CD-ROM of $1 packages" "$status" 0 || { explain_run; return; }
  like 'it says what it is' "$out" "the source is a medium of $1 packages in an ISO 9660 image"
  case $2 in
    hello) run bz run disc -- /bin/sh -c hello
      like 'its programs run' "$out" '^hello from a package' ;;
    *) run bz run disc -- /bin/sh -c 'rpm -V brandtest; echo $?; ls -A / | tr "\n" " "'
      like 'its rpm installed them' "$out" '^0'
      unlike 'nothing of the medium is left in the tree' "$out" '\.brandzone|image' ;;
  esac
  run bz verify disc
  is 'the list of what was installed is that of the complete tree' "$status" 0
  rm -f "$tmp/cd.iso"
  run bz -q remove disc
}

refused () {
  run bz install bad "$packages/new" --packages no-such-package
  is 'a package that is not there is bad input' "$status" 8
  like 'and is named' "$err" 'no-such-package'
  run bz install bad "$packages/new" --profile no-such-profile
  is 'a profile that there is not is bad usage' "$status" 2
  like 'and those that there are are named' "$err" 'minimal base'
  # One byte of a package is changed.
  mkdir -p "$tmp/changed"
  cp -r "$packages/new" "$tmp/changed"
  file=$(ls "$tmp/changed/new/Packages"/bash-*.rpm)
  chmod -R u+w,a+rX "$tmp/changed"
  printf X | dd of="$file" bs=1 seek=$(($(stat -c %s "$file") - 100)) conv=notrunc 2>/dev/null
  run bz install bad "$tmp/changed/new" --packages bash
  is 'a package that was changed is bad input' "$status" 8
  like 'and is named' "$err" 'bash-.*checksum'
  for way in new old; do
    run bz install bad "$packages/$way" --packages bash --key "$debs/other.asc"
    is "a key that did not sign it refuses it ($way)" "$status" 8
    like 'and the one that did is named' "$err" 'signed with another key'
  done
  is 'nothing is left' "$(state_of)" ''
  rm -rf "$tmp/changed"
}

# A made-up repository for Debian's package manager: the ways to it.
deb () {
  run bz install deb "$debs/deb" --packages hello --key "$debs/key.asc"
  is 'install from a Debian repository' "$status" 0 || { explain_run; return; }
  like 'it says what it is' "$out" 'from a repository of Debian packages \(test\)'
  like 'and who signed it' "$err" 'signed by .* Archive of tests'
  run bz run deb -- /bin/sh -c 'hello; cat /var/log.dpkg; ls -A / | grep brandzone; test -e /usr/bin/extra || echo none'
  like 'its programs run' "$out" '^hello from a package'
  like 'its dpkg was given the seed first' "$out" '--unpack base-files_.*dpkg_'
  like 'then the rest, an alternative that exists among it' "$out" '--unpack greetings_.* hello_'
  like 'no more than that' "$out" '^none'
  unlike 'and no package is left in the tree' "$out" '\.brandzone'
  mirrors
  run bz -q remove deb

  run bz install deb "$debs/deb" --key "$debs/other.asc"
  is 'a key that did not sign Release refuses it' "$status" 8
  cp -r "$debs/deb" "$tmp/expired"
  mv -f "$tmp/expired/dists/test/Release.gpg.old" "$tmp/expired/dists/test/Release.gpg"
  chmod -R u+w,a+rX "$tmp/expired"
  run bz install deb "$tmp/expired" --key "$debs/old.asc"
  is 'an expired key is refused' "$status" 8
  like 'and named, with what allows it' "$err" 'has expired: .* Old archive .*--allow-expired-key'
  run bz install deb "$tmp/expired" --key "$debs/old.asc" --allow-expired-key
  is 'unless that is given' "$status" 0
  like 'then it is said' "$err" 'signed by .*Old archive.*\(expired\)'
  run bz -q remove deb
  echo >>"$tmp/expired/dists/test/Release"
  run bz install deb "$tmp/expired" --key "$debs/key.asc"
  ok 'a Release that was changed is refused' test "$status" = 8
  rm -f "$tmp/expired/dists/test/main/binary-amd64/Packages.xz"
  echo >>"$tmp/expired/dists/test/main/binary-amd64/Packages"
  run bz install deb "$tmp/expired"
  is 'a list of packages that was changed is refused' "$status" 8
  like 'and named' "$err" 'Packages: its checksum'
  rm -rf "$tmp/expired"
  is 'nothing is left' "$(state_of)" ''
}

# To the program itself, whatever shells stand between.
signal_below () {
  [ -r "/proc/$1/task/$1/children" ] || return 0
  # shellcheck disable=SC2013 # one line of words
  for child in $(cat "/proc/$1/task/$1/children"); do
    signal_below "$child" "$2"
    kill -s "$2" "$child" 2>/dev/null
  done
}

# start_mirror NAME WORD...: sets $address and ${NAME}_job.
start_mirror () {
  name=$1
  shift
  rm -f "$tmp/$name.out" # of the last one, which said "serving", too
  bz mirror "$@" >"$tmp/$name.out" 2>"$tmp/$name.err" </dev/null &
  eval "${name}_job=$!"
  until_true 10 grep -q ^serving "$tmp/$name.out" || :
  address=$(sed -n 's/^serving .* at \(http.*\)\/ .*/\1/p' "$tmp/$name.out")
}

# request LINE...: what the server at $address answers, the head's first line and the body's.
request () {
  python3 - "$address" "$@" <<'END'
import socket, sys
host, port = sys.argv[1][7:].rsplit(":", 1)
with socket.create_connection((host, int(port)), 10) as s:
    s.sendall("".join(line + "\r\n" for line in sys.argv[2:]).encode() + b"\r\n")
    answer = b""
    while True:
        piece = s.recv(65536)
        if not piece:
            break
        answer += piece
head, _, body = answer.partition(b"\r\n\r\n")
print(head.decode().splitlines()[0])
print(body.decode(errors="replace").splitlines()[0] if body else "")
END
}

# The zone that deb made, its repository files, and servers for it.
mirrors () {
  # shellcheck disable=SC2016 # yum's own variables
  run bz run deb -- /bin/sh -c 'mkdir -p /etc/apt /etc/yum.repos.d
    echo "deb [arch=amd64] http://archive.example.org/debian test main" >/etc/apt/sources.list
    printf "%s\n" "[base]" "mirrorlist=http://m/" "#baseurl=http://mirror.example.org/centos/\$releasever/os/" >/etc/yum.repos.d/base.repo
    cat /etc/apt/sources.list /etc/yum.repos.d/base.repo'
  before=$out
  start_mirror first --zone deb "$debs/deb"
  ok 'mirror tells its address' test -n "$address"
  like 'and what it edits' "$(cat "$tmp/first.err")" '/etc/apt/sources.list: 1 line edited'
  run bz run --network host deb -- /bin/sh -c 'cat /etc/apt/sources.list /etc/yum.repos.d/base.repo
    busybox wget -q -O - "$(busybox sed -n "s/^deb [^ ]* \(http[^ ]*\) .*/\1/p" /etc/apt/sources.list)/dists/test/Release"'
  like 'apt is pointed to it' "$out" "^deb \\[arch=amd64\\] $address test main"
  like 'the line of before is kept' "$out" '^#brandzone:mirror.1# deb \[arch=amd64\] http://archive.example.org'
  # shellcheck disable=SC2016 # yum's own variables
  like 'yum, too' "$out" "^baseurl=$address/.releasever/os/"
  like 'and the zone reaches it' "$out" '^Origin: Test'
  like 'nothing leads out of the directory' "$(request 'GET /../../etc/passwd HTTP/1.1')" '400'
  like 'nor in another spelling' "$(request 'GET /%2e%2e/%2E%2e/etc/passwd HTTP/1.1')" '400'
  like 'a part of a file can be had' "$(request 'GET /dists/test/Release HTTP/1.1' 'Range: bytes=8-11')" '206'
  is 'that part' "$(request 'GET /dists/test/Release HTTP/1.1' 'Range: bytes=8-11' | tail -n 1)" Test
  like 'what is not there is not found' "$(request 'GET /nothing HTTP/1.1')" '404'
  like 'nothing is taken' "$(request 'PUT /x HTTP/1.1')" '405'
  start_mirror second "$address"
  is 'a mirror of a server passes files on' "$(request 'GET /dists/test/Release HTTP/1.1' | tail -n 1)" 'Origin: Test'
  like 'and that there are none' "$(request 'GET /nothing HTTP/1.1')" '404'
  # shellcheck disable=SC2154 # set by start_mirror
  signal_below "$second_job" TERM
  wait "$second_job" || :
  # shellcheck disable=SC2154
  signal_below "$first_job" INT
  status=0
  wait "$first_job" || status=$?
  is 'interrupted, it ends well' "$status" 0
  run bz run deb -- /bin/sh -c 'cat /etc/apt/sources.list /etc/yum.repos.d/base.repo'
  is 'and the repository files are what they were' "$out" "$before"
}

# The same over HTTP, from a server of our own.
http () {
  (cd "$debs/deb" && exec python3 -m http.server --bind 127.0.0.1 0) >"$tmp/http.out" 2>&1 &
  server=$!
  until_true 10 grep -q 'port [0-9]' "$tmp/http.out" || :
  port=$(sed -n 's/.*port \([0-9]*\).*/\1/p' "$tmp/http.out")
  run bz install net "http://127.0.0.1:$port" --suite test --packages hello --key "$debs/key.asc"
  is 'install over HTTP' "$status" 0 || explain_run
  run bz run net -- /bin/sh -c hello
  is 'and it runs' "$out" 'hello from a package'
  run bz -q remove net
  run bz install net "http://127.0.0.1:$port/nothing"
  is 'a server without a repository is bad input' "$status" 8
  kill $server
  wait $server 2>/dev/null || :
  run bz install net "http://127.0.0.1:$port" --suite test
  is 'a server that is gone is an error' "$status" 1
  like 'and is named' "$err" "127.0.0.1:$port"
  is 'nothing is left' "$(state_of)" ''
}

# certificate NAME SUBJECT: $tmp/NAME.pem and .key, vouched for by itself.
certificate () {
  openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj "/CN=$1" -addext "subjectAltName=$2" \
    -keyout "$tmp/$1.key" -out "$tmp/$1.pem" 2>/dev/null
}

# serve_tls NAME: the repository by a server with that certificate; sets $port and $server.
serve_tls () {
  rm -f "$tmp/https.out"
  python3 "$src/tests/e2e/https-server.py" "$debs/deb" "$tmp/$1.pem" "$tmp/$1.key" >"$tmp/https.out" 2>/dev/null &
  server=$!
  until_true 10 grep -q 'port [0-9]' "$tmp/https.out" || :
  port=$(sed -n 's/^port //p' "$tmp/https.out")
}

https () {
  if ! certificate right IP:127.0.0.1 || ! certificate wrong DNS:elsewhere.example; then
    skip 'install over HTTPS' 'openssl is missing'
    return
  fi
  # What this machine trusts is put back at the end.
  trusted=${CURL_CA_BUNDLE:-} file=${SSL_CERT_FILE:-}
  unset CURL_CA_BUNDLE SSL_CERT_FILE
  serve_tls right
  run bz install net "https://127.0.0.1:$port" --suite test
  is 'a server that nobody vouches for is refused' "$status" 1
  like 'in one line that says why, and what to do' "$err" \
    "fetching https://127.0.0.1:$port/.*certificate.* \(if it is the right server, .*CURL_CA_BUNDLE\)"
  is 'and no more' "$(printf '%s\n' "$err" | wc -l)" 1
  for variable in CURL_CA_BUNDLE SSL_CERT_FILE; do
    run env "$variable=$tmp/right.pem" "$brandzone" --root "$tmp/$who/state" -q install net "https://127.0.0.1:$port" \
      --suite test --packages hello --key "$debs/key.asc"
    is "install over HTTPS, trusted by $variable" "$status" 0 || explain_run
    run bz run net -- /bin/sh -c hello
    is 'and it runs' "$out" 'hello from a package'
    run bz -q remove net
  done
  run env CURL_CA_BUNDLE="$tmp/nothing.pem" "$brandzone" --root "$tmp/$who/state" install net "https://127.0.0.1:$port" --suite test
  like 'a file of certificates that is not there is named' "$err" 'nothing\.pem'
  CURL_CA_BUNDLE=$tmp/right.pem
  export CURL_CA_BUNDLE
  start_mirror third "https://127.0.0.1:$port"
  unset CURL_CA_BUNDLE
  is 'a mirror of such a server passes files on without TLS' "$(request 'GET /dists/test/Release HTTP/1.1' | tail -n 1)" 'Origin: Test'
  like 'and that there are none' "$(request 'GET /nothing HTTP/1.1')" '404'
  # shellcheck disable=SC2154 # set by start_mirror
  signal_below "$third_job" TERM
  wait "$third_job" || :
  kill $server
  wait $server 2>/dev/null || :
  serve_tls wrong
  run env CURL_CA_BUNDLE="$tmp/wrong.pem" "$brandzone" --root "$tmp/$who/state" install net "https://127.0.0.1:$port" --suite test
  is 'a certificate of another server is refused' "$status" 1
  like 'and said to be so' "$err" "fetching https://127.0.0.1:$port/.*127\.0\.0\.1"
  start_mirror third "https://127.0.0.1:$port"
  like 'a mirror of it says that it cannot pass on' "$(request 'GET /dists/test/Release HTTP/1.1')" '502'
  like 'and why' "$(cat "$tmp/third.err")" 'certificate'
  signal_below "$third_job" TERM
  wait "$third_job" || :
  kill $server
  wait $server 2>/dev/null || :
  is 'nothing is left' "$(state_of)" ''
  if [ -n "$trusted" ]; then export CURL_CA_BUNDLE="$trusted"; fi
  if [ -n "$file" ]; then export SSL_CERT_FILE="$file"; fi
}

# A medium without metadata, over HTTP: its list of packages is the server's list of the directory.
rpm_over_http () {
  start_mirror first "$packages/old"
  limit=120 run bz install far "$address" --packages bash --key "$packages/RPM-GPG-KEY-test"
  is 'install from RedHat/RPMS over HTTP' "$status" 0 || explain_run
  run bz run far -- /bin/sh -c 'rpm -Va; echo $?'
  is 'and its rpm finds nothing amiss' "$out" 0
  signal_below "$first_job" TERM
  wait "$first_job" || :
  run bz -q remove far
}

# Debian itself, from the mirror that this machine uses.
mirror () {
  # shellcheck disable=SC2016 # apt-get's own placeholders
  site=$(apt-get indextargets --format '$(SITE) $(COMPONENT)' 'Created-By: Packages' 2>/dev/null |
    awk '$2 == "main" && $1 ~ /\/debian\/?$/ { print $1; exit }')
  keys=/usr/share/keyrings/debian-archive-keyring.gpg
  if [ -z "$site" ] || [ ! -r "$keys" ] ||
    ! "$BRANDZONE_LIBEXECDIR/brandzone-fetch" "$site/dists/bullseye/Release" >"$tmp/release" 2>/dev/null; then
    skip 'Debian bullseye from its mirror' 'no mirror is configured or reachable'
    return
  fi
  limit=400 run bz install debian "$site" --suite bullseye --abi i386 --key "$keys"
  is 'Debian bullseye from its mirror' "$status" 0 || { explain_run; return; }
  run bz run debian -- /bin/sh -c 'dpkg --audit && dpkg -s apt | grep ^Status'
  is 'its dpkg finds nothing amiss' "$out" 'Status: install ok installed'
  run bz verify debian
  is 'and the list is of what it has installed' "$status" 0
  bz -q remove debian
  # Its packages still hold /bin, which has to be a link to /usr/bin.
  limit=400 run bz install debian "$site" --suite bookworm --key "$keys"
  is 'Debian bookworm from its mirror' "$status" 0 || { explain_run; return; }
  run bz run debian -- /bin/sh -c 'readlink /bin /sbin /lib /lib64 | tr "\n" " "; dpkg --audit; dpkg -s usr-is-merged | grep ^Status; test /bin/ls -ef /usr/bin/ls && echo same'
  is 'its /bin is /usr/bin, and its dpkg finds nothing amiss' "$out" 'usr/bin usr/sbin usr/lib usr/lib64 Status: install ok installed
same'
  run bz -q remove debian
}

debs=$tmp/debs
if ! "$BRANDZONE_SRCDIR/tests/trees/make-debs" "$debs" 2>"$tmp/make-debs"; then
  debs=
fi
for who in $users; do
  if [ -z "$debs" ]; then
    skip 'packages of a Debian repository' "$(tail -n 1 "$tmp/make-debs")"
    continue
  fi
  deb
  if [ "$who" != user ]; then http; https; fi
  compact_disc deb
  if [ "${BRANDZONE_TEST_FULL:-}" = yes ]; then mirror; fi
done

if [ -n "$debs" ] && make_packages; then
  for who in $users; do
    case $who in
      root) rpm_with_metadata ;;
      *) rpm_without_metadata ;;
    esac
    if [ "$who" != user ]; then refused; fi
    if [ "$who" != user ] || [ "${BRANDZONE_TEST_FULL:-}" = yes ]; then compact_disc rpm; fi
    if [ "${BRANDZONE_TEST_FULL:-}" = yes ] && [ "$who" = root ]; then
      rpm_without_metadata
      rpm_over_http
    fi
    if [ "${BRANDZONE_TEST_FULL:-}" = yes ] && [ "$who" = user ]; then rpm_with_metadata; fi
  done
fi
finish
