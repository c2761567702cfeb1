#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Services by DNS: instances of three agents, asked at a fourth that offers nothing: by name, tag and RFC 2782, only the healthy ones, until their
# node dies; answers too large for UDP come by TCP; other domains and times to live; the figures of it all.
HEARSAY=$1
AGENT="$1 agent"
. "$(dirname "$0")/lib.sh"
command -v dig >/dev/null || { echo 'skipped: dig is not installed (bind9-dnsutils)'; exit 77; }

answers() { # PATTERN DIG-ARGUMENTS…: what dig shows, blanks made one
    pattern=$1
    shift
    dig "@$net.4" -p 8600 +tries=2 +time=5 "$@" 2>&1 | tr -s '\t ' ' ' >"$work/dig"
    grep -Eq -- "$pattern" "$work/dig"
}
expect() {
    answers "$@" || fail "$(cat "$work/dig") -- for: $*"
}
are() { # "SORTED ANSWERS" DIG-ARGUMENTS…
    wanted=$1
    shift
    [ "$(dig "@$net.4" -p 8600 +short +tries=2 +time=5 "$@" | sort | tr '\n' ' ')" = "$wanted" ]
}
service() { # NUMBER COMMAND…: at the agent of that number
    number=$1
    shift
    "$HEARSAY" service "$@" --rpc-addr "$net.$number:7373" >"$work/service" 2>&1 || fail "service $*: $(cat "$work/service")"
}
local_agent() { # NUMBER FLAGS…
    number=$1
    shift
    start "n$number" "$number" --store --retry-join "$net.1" --retry-interval 200ms "$@"
}

http=
[ ! -e "$(dirname "$1")/http/hearsay-http.so" ] || http="--http-addr $net.4:7380"
local_agent 1
local_agent 2
local_agent 3
third=$pid
echo '{"disable_coordinates": true}' >"$work/far.json" # it knows no distances, so all are equally near, however busy the machine is
# shellcheck disable=SC2086 # http is a list
local_agent 4 --config-file "$work/far.json" --dns-addr "$net.4:8600" $http
for number in 1 2 3; do
    within "agent $number listens" "$HEARSAY" info --rpc-addr "$net.$number:7373"
done
service 1 register web --port 8001 --tag v1 --tag a.dotted-tag
service 2 register web --port 8002 --tag v2
service 3 register web --port 8003 --tag v2 --address "$net.33"
within "all three are known" are "$net.1 $net.2 $net.33 " web.service.hearsay
are "$net.2 $net.33 " V2.web.service.hearsay || fail "by tag"
are "$net.1 " a.dotted-tag.web.service.hearsay || fail "by a tag with a dot"
are "$net.2 $net.33 " _web._v2.service.hearsay || fail "by tag, as in RFC 2782"
hex=$(echo "$net.33" | awk -F. '{ printf "%02x%02x%02x%02x", $1, $2, $3, $4 }')
are "1 1 8001 n1.node.hearsay. 1 1 8002 n2.node.hearsay. 1 1 8003 $hex.addr.hearsay. " SRV _web._tcp.service.hearsay || fail "SRV"
are "$net.33 " "$hex.addr.hearsay" || fail "the name of an address"
expect "^n2.node.hearsay. 0 IN A $net.2\$" SRV web.service.hearsay # it comes along
expect 'status: NXDOMAIN' v3.web.service.hearsay
expect 'status: NXDOMAIN' mail.service.hearsay
expect 'status: NXDOMAIN' "$(printf '%063d' 0).service.hearsay"
expect 'ANSWER: 0' AAAA web.service.hearsay

# all orders come
: >"$work/first"
for _ in $(seq 200); do
    dig "@$net.4" -p 8600 +short web.service.hearsay | head -n 1 >>"$work/first"
    [ "$(sort -u "$work/first" | wc -l)" -lt 3 ] || break
done
[ "$(sort -u "$work/first" | wc -l)" -eq 3 ] || fail "always the same comes first"

service 2 maint web
within "in maintenance it is not named" are "$net.1 $net.33 " web.service.hearsay
service 2 maint --off web
within "and then again" are "$net.1 $net.2 $net.33 " web.service.hearsay
service 1 register web --port 8001 --tcp "$net.1:1" --interval 200ms # where nobody listens
within "what fails its check is not named" are "$net.2 $net.33 " web.service.hearsay
kill -9 "$third"
within "whose node is dead is not named" are "$net.2 " web.service.hearsay
service 2 deregister web
within "a service without a healthy instance" answers 'ANSWER: 0' web.service.hearsay
expect 'status: NOERROR' web.service.hearsay
service 1 deregister web

# too large for UDP
for i in $(seq 40); do
    printf '{"name": "many", "id": "many%d", "address": "10.0.0.%d", "port": %d}\n' "$i" "$i" $((9000 + i))
done | awk 'BEGIN { print "[" } NR > 1 { print "," } { print } END { print "]" }' >"$work/many.json"
service 1 register --file "$work/many.json"
within "many are known" answers 'ANSWER: 40' +tcp many.service.hearsay
expect 'flags: qr aa tc rd; QUERY: 1, ANSWER: 29,' +ignore +noedns many.service.hearsay
expect 'ANSWER: 40' +noedns many.service.hearsay # dig goes on by TCP
expect 'ANSWER: 40, AUTHORITY: 0, ADDITIONAL: 41' +tcp SRV many.service.hearsay
if [ -n "$http" ] && command -v curl >/dev/null; then
    curl -s "http://$net.4:7380/metrics" >"$work/metrics"
    grep -Eq '^hearsay_dns_truncated_total [1-9]' "$work/metrics" || fail "figures: $(grep dns "$work/metrics")"
    grep -Eq '^hearsay_dns_nxdomain_total [1-9]' "$work/metrics" || fail "figures: $(grep dns "$work/metrics")"
fi

# another domain and time to live, with the same cluster
local_agent 5 --dns-addr "$net.5:8600" --dns-domain cluster.example.com --dns-ttl 5s
elsewhere() {
    dig "@$net.5" -p 8600 +noall +answer many1.node.cluster.example.com n1.node.cluster.example.com | tr -s '\t ' ' ' |
        grep -Eq "^n1.node.cluster.example.com. 5 IN A $net.1\$"
}
within "another domain" elsewhere
exit 0
