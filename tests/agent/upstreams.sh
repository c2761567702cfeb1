#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The example of examples/haproxy with real processes: three web servers behind HAProxy, whose upstreams follow hearsay. One dies by kill -9 under
# load: once the change has spread no request goes there, none fails, and none has to be sent twice. It comes back and is used again; a whole
# machine dies, and a server is taken out by hand.
AGENT="$1 agent"
HEARSAY=$1
. "$(dirname "$0")/lib.sh"
for tool in haproxy python3 curl dig; do
    command -v $tool >/dev/null || { echo "skipped: $tool is not installed"; exit 77; }
done
example=$(dirname "$0")/../../examples/haproxy

# serve NUMBER: the web server at $net.NUMBER says its number; its process is $pid
serve() {
    mkdir -p "$work/web$1"
    echo "$1" >"$work/web$1/index.html"
    python3 -m http.server --bind "$net.$1" --directory "$work/web$1" 8000 >>"$work/web$1.log" 2>&1 &
    pid=$!
    pids="$pids $pid"
}

# offer NUMBER FLAGS…: an agent beside the web server, with the example's configuration at the addresses of this test
offer() {
    number=$1
    shift
    sed "s/127\.0\.0\.1/$net.$number/; s/\"1s\"/\"100ms\"/; s/\"500ms\"/\"20s\"/; s/dns_addr.*/dns_addr\": \"$net.$number:8600\",/" "$example/web.json" >"$work/web$number.json"
    start "n$number" "$number" --config-file "$work/web$number.json" "$@"
}

named() { # COUNT: so many instances have a name
    [ "$(dig "@$net.4" -p 8600 +short SRV _web._tcp.service.hearsay | wc -l)" -eq "$1" ]
}
figure() { # COLUMN SERVER: of HAProxy's figures of the backend
    curl -s -m 5 "http://$net.4:8404/;csv" | awk -F, -v column="$1" -v server="$2" '
        NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i }
        $1 == "web" && $2 == server { print $at[column] }'
}
used() { # COUNT: HAProxy gives requests to so many
    [ "$(curl -s -m 5 "http://$net.4:8404/;csv" | awk -F, '
        NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i }
        $1 == "web" && $2 ~ /^web/ && $at["status"] !~ /MAINT/ { n++ } END { print n + 0 }')" -eq "$1" ]
}
ask() { # COUNT: so many requests; prints who answered, or what went wrong
    for _ in $(seq "$1"); do
        curl -s -m 60 -f "http://$net.4:8080/" || echo "failed: $?"
    done
}
answered_by() { # WANTED COUNT: requests reach exactly these
    ask "$2" | sort -u | tr '\n' ' ' >"$work/answers"
    [ "$(cat "$work/answers")" = "$1 " ]
}

serve 1
serve 2
second=$pid
serve 3
offer 1
offer 2 --retry-join "$net.1" --retry-interval 200ms
offer 3 --retry-join "$net.1" --retry-interval 200ms
third=$pid
start n4 4 --store --retry-join "$net.1" --retry-interval 200ms --dns-addr "$net.4:8600"
within "all three are known" named 3
WEB=$net.4:8080 FIGURES=$net.4:8404 HEARSAY_DNS=$net.4:8600 haproxy -db -f "$example/haproxy.cfg" >"$work/haproxy.log" 2>&1 &
pids="$pids $!"
within "HAProxy uses all three" used 3
answered_by '1 2 3' 30 || fail "not all three answer: $(cat "$work/answers")"

# one dies while somebody asks all the time
(while [ ! -e "$work/enough" ]; do ask 20; done) >"$work/load" &
load=$!
pids="$pids $load"
within "the load runs" grep -q 2 "$work/load"
kill -9 "$second"
within "the death is known" named 2
within "HAProxy knows it" used 2
known=$(wc -l <"$work/load")
longer() { # LINES: than so many
    [ "$(wc -l <"$work/load")" -gt "$1" ]
}
within "what was under way then is over" longer $((known + 1))
before=$(figure wretr BACKEND) || fail "no figures"
answered_by '1 3' 100 || fail "after the change: $(cat "$work/answers")"
[ "$(figure wretr BACKEND)" = "$before" ] || fail "requests had to be sent again after the change had spread"
touch "$work/enough"
wait "$load"
tail -n +$((known + 2)) "$work/load" | grep -vx '[13]' && fail "the load, after the change"

# it comes back
serve 2
within "HAProxy uses it again" used 3
within "and it answers" answered_by '1 2 3' 30

# out of service by hand, and back
"$HEARSAY" service maint -rpc-addr "$net.1:7373" --reason 'new disk' web >"$work/maint.log" || fail "$(cat "$work/maint.log")"
within "HAProxy leaves it out" used 2
answered_by '2 3' 30 || fail "under maintenance: $(cat "$work/answers")"
"$HEARSAY" service maint -rpc-addr "$net.1:7373" --off web >"$work/maint.log" || fail "$(cat "$work/maint.log")"
within "and takes it back" used 3

# an agent dies with its machine: its server's health is nobody's to tell
kill -9 "$third"
within "the machine's death is known" named 2
within "HAProxy knows it" used 2
answered_by '1 2' 30 || fail "after the machine: $(cat "$work/answers")"
exit 0
