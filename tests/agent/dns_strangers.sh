#!/bin/sh
# SPDX-License-Identifier: MIT
#
# DNS beyond loopback, in a network of its own: a loud warning, no more bytes by UDP than were asked, all of them by TCP, and with the cookie from
# there by UDP too.
. "$(dirname "$0")/../interop/own_net.sh"
AGENT="$1 agent"
. "$(dirname "$0")/lib.sh"
command -v dig >/dev/null || { echo 'skipped: dig is not installed (bind9-dnsutils)'; exit 77; }

here=10.11.12.13
ip address add "$here/32" dev lo
answers() { # PATTERN DIG-ARGUMENTS…
    pattern=$1
    shift
    dig "@$here" -p 8600 +tries=2 +time=5 "$@" 2>&1 | tr -s '\t ' ' ' >"$work/dig"
    grep -Eq -- "$pattern" "$work/dig"
}
expect() {
    answers "$@" || fail "$(cat "$work/dig") -- for: $*"
}
start d1 1 --dns-addr "$here:8600"
within "DNS answers" answers "^d1.node.hearsay. 0 IN A $net.1\$" d1.node.hearsay # dig goes on by TCP
grep -q "DNS at $here:8600 TELLS ANYBODY" "$work/d1.log" || fail "no warning"

expect 'flags: qr aa tc rd; QUERY: 1, ANSWER: 0' +ignore +nocookie d1.node.hearsay
expect 'MSG SIZE rcvd: 44' +ignore +nocookie d1.node.hearsay # as many as were sent: 12 + 21 + 11
expect 'flags: qr aa tc rd; QUERY: 1, ANSWER: 0' +ignore d1.node.hearsay
expect 'status: NXDOMAIN' +ignore +nocookie d2.node.hearsay
expect 'status: REFUSED' +ignore +nocookie example.com
expect 'COOKIE: [0-9a-f]{48} \(good\)' +tcp d1.node.hearsay
cookie=$(sed -n 's/.*COOKIE: \([0-9a-f]*\) .*/\1/p' "$work/dig")
expect "^d1.node.hearsay. 0 IN A $net.1\$" +ignore +cookie="$cookie" d1.node.hearsay
forged=$(echo "$cookie" | tr '0123456789abcdef' '123456789abcdef0')
expect 'flags: qr aa tc rd; QUERY: 1, ANSWER: 0' +ignore +cookie="$forged" d1.node.hearsay
ip address add 10.11.12.14/32 dev lo
expect 'flags: qr aa tc rd; QUERY: 1, ANSWER: 0' +ignore +cookie="$cookie" -b 10.11.12.14 d1.node.hearsay # it is another's
exit 0
