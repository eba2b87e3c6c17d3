#!/bin/sh
# Networks of a zone's own: private (as root, and by pasta), macvlan, published ports.
#
# The test is the host, in a network namespace of its own; a second one is what lies outside.
# shellcheck disable=SC2317 # functions that `until_true` and `ok` call
if [ "$(id -u)" -eq 0 ] && [ -z "${BZ_E2E_NET:-}" ] && unshare --net true 2>/dev/null; then
  exec 9</proc/self/ns/net
  export BZ_E2E_NET=1 BZ_MACHINE_NETWORK=1
  exec unshare --net sh "$0"
fi
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
begin
# shellcheck disable=SC2154 # lib.sh sets status
trap 'status=$?; rm -rf "$(place)"; (exit $status); clean_up' EXIT
[ -n "${BZ_E2E_NET:-}" ] || skip_all 'it takes root to play a host with networks'
for program in ip nft python3; do
  command -v $program >/dev/null || skip_all "$program is missing"
done

# The host has an interface `up0`, whose other end is outside.
make_outside () {
  unshare --net sleep 1000 &
  outside=$!
  until_true 5 differs "$outside"
  ip link set lo up
  ip link add up0 type veth peer name out || return 1
  ip link set out netns "$outside"
  ip addr add 192.0.2.1/24 dev up0
  ip addr add 2001:db8::1/64 dev up0 nodad
  ip link set up0 up
  out sh -c 'ip link set lo up; ip addr add 192.0.2.9/24 dev out; ip addr add 2001:db8::9/64 dev out nodad; ip link set out up'
  ip route replace default via 192.0.2.9
  ip -6 route replace default via 2001:db8::9
  # Of this namespace: the real host's stay as they are.
  echo 1 >/proc/sys/net/ipv4/ip_forward
  echo 1 >/proc/sys/net/ipv6/conf/all/forwarding
}

differs () {
  [ "$(readlink "/proc/$1/ns/net" 2>/dev/null)" != "$(readlink /proc/self/ns/net)" ]
}

out () {
  nsenter -t "$outside" -n "$@"
}

# ask ADDRESS PORT, out_ask ADDRESS PORT: what a TCP server there says. It is spoken to first: the pasta of
# Debian 12 waits for that (doc/limits.md).
client='import socket, sys
s = socket.create_connection((sys.argv[1], int(sys.argv[2])), 2)
s.settimeout(2)
s.send(b"\n")
print(s.recv(100).decode().strip())'
ask () {
  python3 -c "$client" "$1" "$2" 2>&1 | tail -n 1
}
out_ask () {
  out python3 -c "$client" "$1" "$2" 2>&1 | tail -n 1
}

# gives FUNCTION ADDRESS PORT TEXT
gives () {
  [ "$("$1" "$2" "$3")" = "$4" ]
}

place () {
  echo "/run/brandzone.network-$(stat -L -c %i /proc/self/ns/net)"
}

nothing_left () {
  [ ! -e "$(place)" ] && [ -z "$(ip -o link show type bridge)" ] && [ -z "$(nft list tables)" ] &&
    [ -z "$(dnsmasqs)" ]
}

dnsmasqs () {
  grep -lx dnsmasq /proc/[0-9]*/comm 2>/dev/null | cut -d/ -f3
}

# serve NAME PORT... in the background until the zone ends: says its name to whoever connects.
serve () {
  server=$1
  shift
  bz run -q "$@" "$server" -- sh -c "nc -ll -p 80 -e echo from-$server & nc -ll -p 81 -e echo from-$server-81 & exec sleep 1000" \
    >"$tmp/$server.out" 2>&1 </dev/null &
  until_true 10 running "$server" && until_true 10 listens "$server"
}

listens () {
  bz exec "$1" -- netstat -ltn | grep -q ':81 '
}

address () {
  bz show --json "$1" | field addresses | cut -d' ' -f"${2:-1}"
}

has_names () {
  command -v dnsmasq >/dev/null && ! masked dnsmasq
}

# The changes of nftables that somebody makes from then on, one line each, in $tmp/nft.
count_changes () {
  nft monitor 2>/dev/null >"$tmp/nft" &
  monitor=$!
  nft add table inet ready
  until_true 10 sh -c 'test -s "$1" || { nft delete table inet ready; nft add table inet ready; false; }' sh "$tmp/nft"
  nft delete table inet ready
  until_true 5 grep -q 'delete table inet ready' "$tmp/nft"
  before=$(grep -c '# new generation' "$tmp/nft")
}

private () {
  zone a alpine-x86 || return 0
  zone b alpine-x86 || return 0
  count_changes
  ok 'a zone on the private network starts' serve a -p 8080:80 -p 127.0.0.1:8081:81
  ok 'its table of nftables is there' until_true 5 grep -q 'table inet brandzone' "$tmp/nft"
  is 'made in one go' "$(($(grep -c '# new generation' "$tmp/nft") - before))" 1
  kill "$monitor"
  ok 'and a second' serve b -p 8090:80
  like 'show tells its addresses' "$(address a)" '^10\.213\.'
  like 'list tells the first' "$(bz list)" "^a +running .* $(address a)$"
  before=$(bz show --json a | field addresses)
  run bz refresh a
  is 'a refresh changes none' "$(bz show --json a | field addresses)" "$before"
  bz exec a -- ip addr add 10.99.9.9/24 dev eth0
  like 'show tells what the zone has added' "$(bz show a)" '^Addresses: .*10\.99\.9\.9'
  bz exec a -- ip addr del 10.99.9.9/24 dev eth0
  name_a=a name_b=b six_a=a
  has_names || {
    name_a=$(address a) name_b=$(address b) six_a=$(address a 2)
    skip 'names of zones' 'dnsmasq is missing'
  }
  run bz exec b -- sh -c "ping -c 1 -w 2 $name_a && ping -6 -c 1 -w 2 $six_a"
  is 'zones reach each other by name, by IPv4 and IPv6' "$status" 0
  run bz exec b -- sh -c "nc $name_a 80; nc $name_b 80; nc $name_a 81"
  is 'both serve the same port' "$(printf '%s\n' "$out" | tr '\n' ' ')" 'from-a from-b from-a-81 '
  host=$(bz exec b -- sh -c 'ip route | sed -n "s/default via \([^ ]*\).*/\1/p"')
  run bz exec b -- ping -c 1 -w 2 "$host"
  is 'a zone reaches the host' "$status" 0
  ok 'the host reaches a zone' until_true 10 gives ask "$(address b)" 80 from-b
  ok 'by IPv6' until_true 10 gives ask "$(address b 2)" 80 from-b
  run bz exec a -- sh -c 'ping -c 1 -w 2 192.0.2.9 && ping -6 -c 1 -w 2 2001:db8::9'
  is 'a zone reaches what is outside, by IPv4 and IPv6' "$status" 0
  is 'no node of the host has another owner' "$(stat -c %u /dev/null)" "$null_owner"
  ok 'a published port leads from outside into the zone' until_true 10 gives out_ask 192.0.2.1 8080 from-a
  ok 'by IPv6' until_true 10 gives out_ask 2001:db8::1 8080 from-a
  ok 'and another into the other' until_true 10 gives out_ask 192.0.2.1 8090 from-b
  ok 'from the host itself' until_true 10 gives ask 192.0.2.1 8080 from-a
  ok 'from its loopback' until_true 10 gives ask 127.0.0.1 8080 from-a
  ok 'and one that is for the loopback alone' until_true 10 gives ask 127.0.0.1 8081 from-a-81
  unlike 'which is closed outside' "$(out_ask 192.0.2.1 8081)" from-a
  run bz exec b -- nc 192.0.2.1 8080
  is 'a zone reaches a published port by the address of the host' "$out" from-a
  out ip route add "$(address a)" via 192.0.2.1
  unlike 'what is not published is closed to those who know the way' "$(out_ask "$(address a)" 80)" from-a
  bz exec a -- ip addr add 127.0.0.3/32 dev lo
  ip addr add 127.0.0.2/8 dev lo
  run bz exec a -- sh -c "ip route add 127.0.0.2 via $host && ping -c 1 -w 1 127.0.0.2"
  unlike 'and the loopback of the host to zones' "$status" '^0$'
  loopback_is_closed
  zone c alpine-x86 || return 0
  run bz run -p 8080:80 c -- true
  is 'a port that is taken' "$status" 125
  like 'is told' "$err" '8080'
  run bz run -p 53000:80 -q c -- cat /etc/resolv.conf
  ! has_names || is 'the name server is the host' "$out" "nameserver $host"
  run bz exec b -- sh -c 'nc c 80'
  unlike 'a zone that has ended has no name' "$out" from
}

# hears PORT: in the background: who sends the first datagram to that port of the host, into $tmp/heard.
hears () {
  rm -f "$tmp/ready" "$tmp/heard"
  python3 -c 'import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("0.0.0.0", int(sys.argv[1])))
s.settimeout(10)
open(sys.argv[2] + "/ready", "w")
try:
    while True:
        text, sender = s.recvfrom(100)
        with open(sys.argv[2] + "/heard", "a") as file:
            print(sender[0], text.decode(), file=file)
        if text == b"last":
            break
except TimeoutError:
    pass' "$1" "$tmp" &
  listener=$!
  until_true 10 test -e "$tmp/ready"
}

# says FROM TO PORT TEXT: a datagram whose sender is made up.
says='import socket, struct, sys
source, target = (socket.inet_aton(a) for a in sys.argv[1:3])
text = sys.argv[4].encode()
datagram = struct.pack(">HHHH", 999, int(sys.argv[3]), 8 + len(text), 0) + text
header = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(datagram), 1, 0, 64, 17, 0, source, target)
s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
s.sendto(header + datagram, (sys.argv[2], 0))'

# What is for the loopback alone, or trusts it, is not reached with its addresses from elsewhere.
loopback_is_closed () {
  out sh -c 'ip addr flush dev lo; ip link set lo down; echo 1 >/proc/sys/net/ipv4/conf/out/route_localnet
    ip route add 127.0.0.1 via 192.0.2.1'
  unlike 'a port for the loopback alone is closed to a neighbour who sends to 127.0.0.1' "$(out_ask 127.0.0.1 8081)" from-a
  out sh -c 'ip addr add 127.0.0.1/8 dev lo; ip link set lo up; ip route del 127.0.0.1 via 192.0.2.1'
  hears 7777
  nsenter -t "$(bz show --json a | field init_pid)" -n python3 -c "$says" 127.0.0.9 "$host" 7777 loopback
  bz exec a -- sh -c "echo -n last | nc -u -w 1 $host 7777"
  wait "$listener"
  like 'a zone sends the host a datagram' "$(cat "$tmp/heard")" "^$(address a) last$"
  unlike 'but none with an address of the loopback' "$(cat "$tmp/heard")" '^127'
}

# What is killed leaves nothing that the next command does not mend or remove.
kills () {
  running a || return 0
  has_names && {
    kill -9 "$(dnsmasqs | head -n 1)"
    bz list >/dev/null
    run bz exec b -- ping -c 1 -w 2 a
    is 'a killed name server is started again by list' "$status" 0
  }
  kill -9 "$(bz show --json a | field keeper_pid)"
  ok 'the keeper of a zone is killed' until_true 5 stopped a
  ok 'the next list takes its port away' until_true 5 no_port 8080
  ok 'and leaves those of others' until_true 10 gives out_ask 192.0.2.1 8090 from-b
  kill -9 "$(bz show --json b | field keeper_pid)"
  ok 'the keeper of the last is killed' until_true 5 stopped b
  ok 'list removes bridge, table and name server' until_true 5 swept
  run bz remove a b c
}

swept () {
  bz list >/dev/null
  nothing_left
}

no_port () {
  bz list >/dev/null
  ! nft list table inet brandzone | grep -q "dport $1 "
}

stopped () {
  [ "$(bz show --json "$1" 2>/dev/null | field state)" = stopped ]
}

configured () {
  zone a alpine-x86 || return 0
  mkdir -p "$tmp/$who/state"
  printf '[Private]\nSubnet=10.77.7.0/24\nSubnet6=fd77::/64\n' >"$tmp/$who/state/network.conf"
  run bz config set a Network.Mode=private Network.Address=10.77.7.20 Network.Address6=fd77::20 \
    Network.MacAddress=02:00:5e:10:20:30 Network.DNS=192.0.2.53
  is 'config set' "$status" 0
  run bz run -q a -- sh -c 'ip -o addr show dev eth0; ip link show eth0; cat /etc/resolv.conf'
  like 'the address of the zone file' "$out" 'inet 10\.77\.7\.20/24'
  like 'of IPv6' "$out" 'inet6 fd77::20/64'
  like 'the MAC address' "$out" '02:00:5e:10:20:30'
  like 'the name server' "$out" '^nameserver 192\.0\.2\.53$'
  run bz config set a Network.Address=10.9.9.9
  run bz run -q a -- true
  is 'an address of another network' "$status" 125
  like 'is told' "$err" 'Subnet='
  run bz config unset a Network.Address Network.DNS
  run bz config set a Network.Configure=dhcp
  run bz run -q a -- sh -c 'ip -o -4 addr show dev eth0; udhcpc -f -n -q -t 5 -T 1 -i eth0 2>&1'
  if has_names; then
    unlike 'with Configure=dhcp there is no address' "$out" 'inet 10'
    like 'but a lease for a DHCP client' "$out" '^udhcpc: lease of 10\.77\.7\.'
  else
    skip 'DHCP' 'dnsmasq is missing'
  fi
  rm "$tmp/$who/state/network.conf"
  run bz config unset a Network.Mode Network.Address6 Network.MacAddress Network.Configure
  run bz run --network macvlan -q a -- true
  is 'macvlan beside nothing' "$status" 125
  like 'tells what is missing' "$err" 'Parent='
  run bz config set a Network.Mode=macvlan Network.Parent=up0 Network.Address=192.0.2.50/24
  run bz run -q a -- ping -c 1 -w 2 192.0.2.9
  is 'macvlan reaches the network of its parent' "$status" 0
  macvlan_dhcp
  run bz config set a Network.Mode=private Network.Publish=80:80
  run bz config set a Network.Bridge=br7
  unlike 'ports are for our own bridge' "$status" '^0$'
  run bz config unset a Network.Publish
  ip link add br7 type bridge && ip addr add 198.51.100.1/24 dev br7 && ip link set br7 up
  run bz config set a Network.Bridge=br7 Network.Address=198.51.100.7/24
  run bz run -q a -- ping -c 1 -w 2 198.51.100.1
  is 'a bridge of the host' "$status" 0
  ip link delete br7
  bz remove a
}

# --- what the distribution's own scripts make of it ---

at_prompt () {
  bz logs "$1" | awk '/brandzone: zone .* starts/ { asks = 0 } /login:/ { asks = 1 } END { exit !asks }'
}

# has_lease ZONE: dnsmasq knows of the IPv4 address that it has by now.
has_lease () {
  leased=$(bz show --json "$1" | field addresses | tr ' ' '\n' | grep -m 1 '\.') && grep -q " $leased " "$(place)/leases"
}

cirros () {
  zone i cirros-i386 || return 0
  run bz start --network private i
  is 'CirrOS starts' "$status" 0
  has_names || return 0
  ok 'its udhcpc gets the address that the zone has' until_true 20 has_lease i
  bz stop -t 0 i
  bz remove i
}

slackware () {
  zone s slackware-4.0 || return 0
  zone a alpine-x86 || return 0
  rc=$(bz show --json s | field root)/etc/rc.d/rc.inet1
  sed 's/^#\([A-Z]*=\)/\1/; s|^#\(/sbin/ifconfig eth0\)|\1|; s|^#\(/sbin/route add default\)|\1|' \
    "${rc%/etc/*}/etc-incoming/rc.d/rc.inet1" >"$rc"
  chmod 755 "$rc"
  sum=$(md5sum <"$rc")
  bz config set s Network.Mode=private
  run bz boot-edits s
  like 'boot-edits lists those of the network' "$out" '^rc-inet1-address +needed'
  run bz start s
  is 'Slackware 4.0 starts' "$status" 0
  like 'a line of its rc.inet1 is edited' "$err" 'rc\.inet1 is edited'
  ok 'a getty asks' until_true 60 at_prompt s
  run bz exec s -- /bin/sh -c '/sbin/ifconfig eth0; /sbin/route -n'
  like 'ifconfig of 1999 shows the address' "$out" "inet addr:$(address s)"
  like 'route the gateway' "$out" '^0\.0\.0\.0 +10\.213'
  ok 'a zone is there' serve a --network private
  run bz exec s -- /bin/sh -c 'telnet a 80 </dev/null'
  like 'which telnet of 1999 finds by name' "$out" 'Connected to a'
  bz stop -t 0 a
  limit=60 run bz stop -t 40 s
  bz config set s Network.Mode=none
  run bz start --init /bin/true s
  is 'without the network the lines are as they were' "$(md5sum <"$rc")" "$sum"
  until_true 5 stopped s
  bz remove s a
}

# ssh FROM-OUTSIDE: what openssh 5.3 knows is switched off in that of today.
ssh_out () {
  out ssh -F /dev/null -p "$1" -i "$tmp/rsa" -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null \
    -o KexAlgorithms=+diffie-hellman-group14-sha1 -o HostKeyAlgorithms=+ssh-rsa -o PubkeyAcceptedAlgorithms=+ssh-rsa \
    -o ConnectTimeout=10 -o LogLevel=ERROR -o BatchMode=yes "$2" 'uname -r; hostname; echo $SSH_CONNECTION'
}

centos () {
  zone c centos-6.8 || return 0
  root=$(bz show --json c | field root)
  mkdir -p "$root/var/lock/subsys" "$root/var/empty/sshd" "$root/var/tmp" "$root/root/.ssh"
  chmod 711 "$root/var/empty/sshd"
  chmod 700 "$root/root" "$root/root/.ssh"
  : >"$root/etc/fstab"
  printf 'NETWORKING=yes\nHOSTNAME=c\n' >"$root/etc/sysconfig/network"
  # As it was on the machine that it comes from.
  printf 'DEVICE="eth0"\nONBOOT="yes"\nBOOTPROTO=static\nIPADDR=172.31.9.10\nNETMASK=255.255.255.0\nGATEWAY=172.31.9.1\n' \
    >"$root/etc/sysconfig/network-scripts/ifcfg-eth0"
  ssh-keygen -q -t rsa -m PEM -b 2048 -N '' -f "$tmp/rsa"
  cp "$tmp/rsa.pub" "$root/root/.ssh/authorized_keys"
  run bz run c -- chown -R root: /root
  run bz start -p 2222:22 c
  is 'CentOS 6.8 starts' "$status" 0
  like 'a line of its ifcfg-eth0 is edited' "$err" 'ifcfg-eth0 is edited'
  ok 'its upstart brings up a getty' until_true 90 at_prompt c
  run bz exec c -- sh -c 'ip -4 -o addr show dev eth0; ip route; service network status'
  unlike 'the address of another network is not set' "$out" 172.31.9
  like 'the gateway is the one of this' "$out" '^default via 10\.213'
  run ssh_out 2222 root@192.0.2.1
  like 'a login by ssh from outside' "$out" '^2\.6\.32'
  like 'who is known by his address' "$out" '^192\.0\.2\.9 '
  limit=60 run bz stop -t 40 c
  like 'and it halts' "$(bz logs c | tail -n 1)" 'zone c halted'
  run bz boot-edits --undo c
  is 'boot-edits --undo' "$(grep -c '^ONBOOT="yes"$' "$root/etc/sysconfig/network-scripts/ifcfg-eth0")" 1
  bz remove c
}

debian () {
  zone d bullseye-ifupdown || return 0
  root=$(bz show --json d | field root)
  printf 'auto lo\niface lo inet loopback\nauto eth0\niface eth0 inet static\n  address 172.31.9.10/24\n  gateway 172.31.9.1\n' \
    >"$root/etc/network/interfaces"
  bz config set d Network.Mode=private
  run bz start d
  like 'a line of Debian.s interfaces is edited' "$err" 'network/interfaces is edited'
  ok 'a getty asks' until_true 60 at_prompt d
  run bz exec d -- sh -c 'ip -4 -o addr show dev eth0; ip route'
  unlike 'the address of another network is not set' "$out" 172.31.9
  like 'the gateway is the one of this' "$out" '^default via 10\.213'
  bz stop -t 5 d
  printf 'auto lo\niface lo inet loopback\nauto eth0\niface eth0 inet dhcp\n' >"$root/etc/network/interfaces"
  bz config set d Network.Configure=dhcp
  run bz start d
  is 'with dhcp nothing is edited' "$err" ''
  has_names || return 0
  ok 'ifup and its dhclient get an address' until_true 60 has_lease d
  ok 'a getty asks' until_true 60 at_prompt d
  run bz exec d -- sh -c 'ip -4 -o addr show dev eth0; cat /etc/resolv.conf'
  like 'which is set' "$out" "inet $(address d)/24"
  like 'and the name server' "$out" '^nameserver 10\.213'
  bz stop -t 5 d
  bz remove d
}

# On the network of the parent there is somebody who gives addresses away: outside.
macvlan_dhcp () {
  if ! command -v dnsmasq >/dev/null; then
    skip 'macvlan with DHCP' 'dnsmasq is missing'
    return 0
  fi
  out dnsmasq --keep-in-foreground --conf-file=/dev/null --port=0 --interface=out --bind-interfaces --user=root \
    --dhcp-range=192.0.2.100,192.0.2.150,255.255.255.0,1h --dhcp-option=3,192.0.2.9 --dhcp-leasefile="$tmp/leases" \
    --dhcp-authoritative --pid-file="$tmp/dhcpd.pid" --log-facility="$tmp/dhcpd.log" &
  server=$!
  ok 'a DHCP server on the network of the parent' until_true 10 test -s "$tmp/dhcpd.pid"
  bz config unset a Network.Address
  run bz config set a Network.Configure=dhcp
  is 'the zone is to ask it' "$status" 0
  # A tree of packages has the client's script, this small one has not.
  # shellcheck disable=SC2016 # the script's
  printf '%s\n' '#!/bin/sh' '[ "$1" = bound ] || exit 0' 'ifconfig "$interface" "$ip" netmask "$subnet"' \
    'route add default gw "$router"' >"$tmp/udhcpc"
  run_in "$tmp/udhcpc" bz run -i -q --network none a -- sh -c 'mkdir -p /usr/share/udhcpc && cd /usr/share/udhcpc &&
    cat >default.script && chmod 755 default.script'
  is 'the client has its script' "$status" 0
  in_background bz -q run a -- sh -c 'udhcpc -i eth0 -n -q && exec sleep 1000'
  ok 'macvlan with DHCP: show tells the address' until_true 20 gets_address
  is 'which is the lease' "$(address a)" "$(awk '{ print $3 }' "$tmp/leases")"
  run bz exec a -- ping -c 1 -w 2 192.0.2.9
  is 'and reaches the network' "$status" 0
  bz stop -t 0 a
  wait "$job" || :
  kill "$(cat "$tmp/dhcpd.pid")"
  wait "$server" 2>/dev/null || :
  bz config unset a Network.Configure
}

gets_address () {
  case $(address a) in 192.0.2.1[0-5]*) ;; *) return 1 ;; esac
}

# --- a plain user: pasta ---

# What distributions do, for this test's mount namespace: everybody may open it.
open_tun () {
  [ -c /dev/net/tun ] || return 1
  mkdir "$tmp/tun"
  mount -t tmpfs -o mode=755 tun "$tmp/tun" && mknod -m 666 "$tmp/tun/tun" c 10 200 &&
    mount --bind "$tmp/tun/tun" /dev/net/tun
}

pastas () {
  grep -lx 'pasta.*' /proc/[0-9]*/comm 2>/dev/null | cut -d/ -f3
}

no_pasta () {
  [ -z "$(pastas)" ]
}

plain () {
  zone a alpine-x86 || return 0
  zone b alpine-x86 || return 0
  ok 'a zone on a private network starts' serve a -p 8080:80
  ok 'and a second' serve b -p 127.0.0.1:8090:80
  like 'show tells the address that it has by pasta' "$(address a)" '^192\.0\.2\.1$'
  # pasta of 2023 may say the last of a connection again and again as it ends (seen on a busy machine).
  run bz exec a -- sh -c 'echo who | nc -w 3 192.0.2.9 7'
  is 'a zone reaches what is outside' "$(echo "$out" | head -n 1)" outside
  run bz exec a -- sh -c 'echo who | nc -w 3 2001:db8::9 7'
  is 'by IPv6' "$(echo "$out" | head -n 1)" outside
  ok 'a published port leads from outside into the zone' until_true 10 gives out_ask 192.0.2.1 8080 from-a
  ok 'and another into the other' until_true 10 gives ask 127.0.0.1 8090 from-b
  run bz run -p 8080:80 a -- true
  unlike 'a zone that runs is not started' "$status" '^0$'
  bz stop -t 0 b
  run bz run -p 8080:80 b -- true
  is 'a port that is taken' "$status" 125
  like 'is told' "$err" 8080
  kill -9 "$(bz show --json a | field keeper_pid)"
  ok 'a keeper that is killed takes pasta with it' until_true 5 no_pasta
  # The kernel takes a dying process's name away before it closes its sockets.
  ok 'and its port is free again' until_true 5 bz -q run -p 8080:80 a -- true
  ok 'as after the end of a zone' no_pasta
  run bz run --network macvlan a -- true
  is 'macvlan is not for plain users' "$status" 125
  bz remove a b
}

make_outside || skip_all 'the kernel has no veth'
null_owner=$(stat -c %u /dev/null)
as root
case $users in *root*)
  if masked nftables; then
    zone a alpine-x86 && run bz run -p 8080:80 a -- true
    is 'nftables: a private network is refused' "$status" 125
    finish
  fi
  private
  kills
  configured
  if [ -n "${BRANDZONE_TEST_FULL:-}" ]; then
    cirros
    slackware
    centos
    debian
  else
    skip 'network scripts of CirrOS, Slackware, CentOS and Debian' 'set BRANDZONE_TEST_FULL=1'
  fi
  ok 'nothing is left on the host' nothing_left
  ;;
esac
case $users in *user*)
  as user
  if ! plain_users_work; then
    skip 'networks of a plain user' 'newuidmap, setpriv or user namespaces are missing'
  elif masked pasta || ! command -v pasta >/dev/null; then
    skip 'networks of a plain user' 'pasta is missing'
  elif ! open_tun; then
    skip 'networks of a plain user' '/dev/net/tun is missing'
  else
    nsenter -t "$outside" -n python3 -c 'import socket
server = socket.create_server(("", 7), family=socket.AF_INET6, dualstack_ipv6=True)
while True:
    client = server.accept()[0]
    client.recv(16)
    client.sendall(b"outside\n")
    client.close()' &
    echoes=$!
    plain
    kill "$echoes"
    umount /dev/net/tun "$tmp/tun"
  fi
  ;;
esac
kill "$outside"
finish
