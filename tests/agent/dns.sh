#!/bin/sh
# SPDX-License-Identifier: MIT
#
# DNS of the agent, asked by dig and through dnsmasq: nodes as they come and go, other zones, TCP, garbage and crowds, wrong settings.
AGENT="$1 agent"
. "$(dirname "$0")/lib.sh"
command -v dig >/dev/null || { echo 'skipped: dig is not installed (bind9-dnsutils)'; exit 77; }

server="@$net.1 -p 8600"
# answers PATTERN DIG-ARGUMENTS…: what dig shows, blanks made one
answers() {
    pattern=$1
    shift
    # shellcheck disable=SC2086 # server is several words
    dig $server +tries=2 +time=5 "$@" 2>&1 | tr -s '\t ' ' ' >"$work/dig"
    grep -Eq -- "$pattern" "$work/dig"
}
expect() {
    answers "$@" || fail "$(cat "$work/dig") -- for: $*"
}
refuses() { # PATTERN FLAGS…: the agent does not start
    pattern=$1
    shift
    $AGENT --node x --bind "$net.9" --rpc-addr "$net.9:7373" "$@" >"$work/refused" 2>&1 && fail "it started with $*"
    grep -Eq -- "$pattern" "$work/refused" || fail "$(cat "$work/refused") -- for: $*"
}

start D1 1 --dns-addr "$net.1:8600"
d1=$pid
within "DNS answers" answers "^d1.node.hearsay. 0 IN A $net.1\$" d1.node.hearsay
grep -q 'TELLS ANYBODY' "$work/D1.log" && fail "loopback is nothing to warn of"
start d2 2 --join "$net.1"
d2=$pid
within "a node that joins has a name" answers "^d2.node.hearsay. 0 IN A $net.2\$" d2.node.hearsay
expect "^D2.Node.HearSay. 0 IN A $net.2\$" D2.Node.HearSay
expect "^d2.node.hearsay. 0 IN A $net.2\$" +tcp d2.node.hearsay
expect 'COOKIE: [0-9a-f]{48} \(good\)' d2.node.hearsay
expect 'status: NXDOMAIN' d3.node.hearsay
expect '^hearsay. 0 IN SOA D1.node.hearsay. hostmaster.hearsay. ' d3.node.hearsay
expect 'status: NOERROR' AAAA d2.node.hearsay
expect 'ANSWER: 0' AAAA d2.node.hearsay
expect 'status: REFUSED' example.com
expect 'status: REFUSED' .
expect 'status: NOTIMP' +opcode=UPDATE d2.node.hearsay
expect 'status: BADVERS' +edns=7 +noednsnegotiation d2.node.hearsay
expect '^hearsay. 0 IN NS D1.node.hearsay.' NS hearsay
expect 'Transfer failed' AXFR hearsay

# forwarded, as a machine's own resolver would
if command -v dnsmasq >/dev/null; then
    dnsmasq --no-daemon --conf-file=/dev/null --no-resolv --no-hosts --user="$(id -un)" --pid-file= --port=8653 --listen-address="$net.3" \
        --bind-interfaces --server="/hearsay/$net.1#8600" >"$work/dnsmasq.log" 2>&1 &
    pids="$pids $!"
    forwarded() {
        dig "@$net.3" -p 8653 +short +tries=1 "$@" | grep -q -x -F -e "$net.2"
    }
    within "dnsmasq forwards" forwarded d2.node.hearsay
fi

# garbage, pipelining, and a crowd that says nothing
if command -v python3 >/dev/null; then
    python3 - "$net.1" "$net.2" <<'END' || fail "strangers"
import os, socket, struct, sys
at = (sys.argv[1], 8600)
def question(number, name=b'\2d2\4node\7hearsay\0'):
    return struct.pack('>6H', number, 0x100, 1, 0, 0, 0) + name + b'\0\1\0\1'
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for size in list(range(64)) + [4096, 5000, 60000]:
    udp.sendto(os.urandom(size), at)
crowd = [socket.create_connection(at) for _ in range(1000)]
tcp = socket.create_connection(at)
tcp.settimeout(60)
numbers = list(range(1, 400))
frames = b''.join(struct.pack('>H', len(question(n))) + question(n) for n in numbers)
for i in range(0, len(frames), 7): # in crumbs
    tcp.sendall(frames[i:i + 7])
stream = tcp.makefile('rb')
for n in numbers:
    answer = stream.read(struct.unpack('>H', stream.read(2))[0])
    assert answer[:2] == struct.pack('>H', n), (n, answer)
    assert answer[-4:] == socket.inet_aton(sys.argv[2])
try:
    tcp.sendall(b'\xff\xff' + b'x' * 5000)
    assert stream.read(1) == b'' # too long to be a question: the connection ends
except (ConnectionResetError, BrokenPipeError):
    pass
END
fi
expect "^d2.node.hearsay. 0 IN A $net.2\$" d2.node.hearsay

# who is gone has a name without address
kill -9 "$d2"
within "a failed node has no address" answers 'ANSWER: 0' d2.node.hearsay
expect 'status: NOERROR' d2.node.hearsay

refuses 'must be a numeric address' --dns-addr nowhere:53
refuses 'cannot be a DNS domain' --dns-addr "$net.9:8600" --dns-domain a..b
refuses 'cannot be a DNS domain' --dns-addr "$net.9:8600" --dns-domain .
refuses 'cannot listen for DNS on .*address already in use.*another server' --dns-addr "$net.1:8600"
refuses "'soon' is no time span" --dns-addr "$net.9:8600" --dns-ttl soon

kill "$d1"
exits "$d1" 0
exit 0
