#!/bin/sh
# SPDX-License-Identifier: MIT
#
# HTTP of the agent: what each path answers, who may ask, what strangers cannot do, and that streams go on where they stopped.
AGENT="$1 agent"
HEARSAY=$1
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/http_lib.sh"
need_http "$1"

web=http://$net.1:7380
refuses() { # PATTERN FLAGS…: the agent does not start
    pattern=$1
    shift
    $AGENT --node x --bind "$net.9" --rpc-addr "$net.9:7373" "$@" >"$work/refused" 2>&1 && fail "it started with $*"
    grep -Eq -- "$pattern" "$work/refused" || fail "$(cat "$work/refused") -- for: $*"
}

start h1 1 --store --http-addr "$net.1:7380" --http-metrics hearsay,serf,memberlist --tag 'role=<b>"x' --retry-join "$net.2" --retry-interval 1s
h1=$pid
within "HTTP answers" asks 200 '"status":"alive"' "$web/healthz"
expect 503 'nobody was met yet' "$web/readyz"
start h2 2
within "ready when somebody is met" asks 200 '"ready":true' "$web/readyz"
expect 200 '"role":"<b>\\"x"' "$web/v1/members"
expect 200 '"name":"h2","addr":"[0-9.]+","port":7946,"status":"alive"' "$web/v1/members"
expect 200 '"event":"member-join","cause":\{"reason":"' "$web/v1/why/h2"
expect 404 'no member of that name' "$web/v1/why/h3"
expect 200 '"members":\{"all":2,"alive":2' "$web/v1/status"
expect 200 '^hearsay_members\{status="alive"\} 2$' "$web/metrics"
expect 200 '^serf_queue_Event 0$' "$web/metrics"
expect 200 '^memberlist_health_score 0$' "$web/metrics"
expect 200 '^memberlist_node_instances\{node_state="alive"\} 2$' "$web/metrics"
expect 200 '^serf_queries [0-9]+$' "$web/metrics"
expect 200 '<!doctype html>' "$web/ui/"
expect 404 'openapi.json lists the paths' "$web/../etc/passwd"
expect 404 '' --path-as-is "$web/ui/../../etc/passwd"
curl -s -m 5 -D "$work/headers" -o "$work/body" "$web/ui/"
grep -qi '^content-security-policy: default-src .self.' "$work/headers" || fail "no policy for the page"

expect 200 '"key":"known"' -X PUT -d x "$web/v1/kv/known"

# every path of the description answers, and every metric has a type
curl -s "$web/openapi.json" | grep -oE '^  "/[^"]*"' | tr -d ' "' | sed 's/{name}/h2/; s/{key}/known/' | grep -v '^/v1/events$' | while read -r path; do
    asks 200 . "$web$path" || fail "$path answers $got"
done || exit 1
curl -s "$web/metrics" | awk '/^# TYPE/ { typed[$3] } /^[a-z]/ { n = $1; sub(/\{.*/, "", n); if (!(n in typed)) { print n; bad = 1 } } END { exit bad }' ||
    fail "a metric without a type"

# what the dashboard and the alerts look at is there
curl -s "$web/metrics" >"$work/metrics"
packaging=$(dirname "$0")/../../packaging
for metric in $(grep -oh 'hearsay_[a-z_]*' "$packaging/grafana/hearsay.json" "$packaging/prometheus/alerts.yml" | sort -u); do
    grep -q "^$metric[ {]" "$work/metrics" || fail "$metric is looked at, and not told"
done

# a browser's page from elsewhere, and other misuse
expect 403 'by its address' -H 'Host: rebound.example' "$web/v1/members"
expect 403 'other origins' -X PUT -H 'Origin: http://elsewhere' -d x "$web/v1/members"
expect 405 'use GET' -X DELETE "$web/v1/members"
expect 400 '' -H 'Transfer-Encoding: chunked' -H 'Content-Length: 3' -d abc "$web/v1/members"
head -c 2000000 /dev/zero >"$work/huge"
asks 413 '' -X PUT --data-binary "@$work/huge" "$web/v1/members" || [ "$got" = 000 ] || fail "a huge body: $got"
asks 4 '' -H "X: $(head -c 9000 /dev/zero | tr '\0' a)" "$web/healthz"
expect 200 alive "$web/healthz"

# streams: as it happens, and after a pause
curl -sN -m 300 "$web/v1/events?since=0-0" >"$work/stream" &
reader=$!
pids="$pids $reader"
"$HEARSAY" event -rpc-addr "$net.2:7373" first >/dev/null || fail "event"
within "the stream tells it" grep -q '"name":"first"' "$work/stream"
kill "$reader"
id=$(sed -n 's/^id: //p' "$work/stream" | tail -n 1)
"$HEARSAY" event -rpc-addr "$net.2:7373" second >/dev/null || fail "event"
within "it goes on where it stopped" sh -c "curl -sN -m 1 -H 'Last-Event-ID: $id' $web/v1/events | grep -q '\"name\":\"second\"'"
curl -sN -m 1 -H "Last-Event-ID: $id" "$web/v1/events" | grep -q '"name":"first"' && fail "told twice"
within "of another life all is told" sh -c "curl -sN -m 1 '$web/v1/events?since=1-1' | grep -q '\"name\":\"first\"'"

# a crowd of idle connections does not keep anybody out
if command -v python3 >/dev/null; then
    python3 - "$net.1" <<'END' || fail "a crowd of 1000 keeps others out"
import socket, sys, time, urllib.request
crowd = [socket.create_connection((sys.argv[1], 7380)) for _ in range(1000)]
deadline = time.time() + 90
while True: # the first who knock while the idle are being shown out may be turned away
    try:
        assert urllib.request.urlopen(f'http://{sys.argv[1]}:7380/healthz', timeout=15).status == 200
        break
    except OSError as error:
        assert time.time() < deadline, error
        time.sleep(0.05)
END
fi

# the slow are cut off: who sends half a head, half a body, or takes nothing of what was asked for
if command -v python3 >/dev/null; then
    head -c 1048576 /dev/zero >"$work/value"
    expect 200 . -X PUT --data-binary "@$work/value" "$web/v1/kv/large"
    python3 - "$net" <<'END' >"$work/slow" &
import socket, sys, time
held = []
for request in (b'GET /healthz HTTP/1.1\r\nHost: x\r\n', b'PUT /v1/kv/slow HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 10\r\n\r\nabc',
                b'GET /v1/kv/large HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n'):
    one = socket.socket()
    one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    one.bind((sys.argv[1] + '.77', 0))
    one.connect((sys.argv[1] + '.1', 7380))
    one.sendall(request)
    held.append(one)
print('held', flush=True)
time.sleep(600)
END
    slow=$!
    pids="$pids $slow"
    within "the slow are connected" grep -q held "$work/slow"
    within "the slow are cut off" sh -c "[ \$(ss -Htn state established src $net.1 dst $net.77 | wc -l) -eq 0 ]"
    kill "$slow"
    expect 404 'no entry' "$web/v1/kv/slow"
fi

# tokens
echo 'a secret' >"$work/token"
start h4 4 --http-addr "$net.4:7380" --http-token "@$work/token"
within "HTTP with a token" asks 200 alive "http://$net.4:7380/healthz"
expect 401 'wants its token' "http://$net.4:7380/v1/members"
expect 401 'wants its token' -H 'Authorization: Bearer a secres' "http://$net.4:7380/v1/members"
expect 200 h4 -H 'Authorization: Bearer a secret' "http://$net.4:7380/v1/members"
expect 200 doctype "http://$net.4:7380/ui/"
tr '\0' ' ' <"/proc/$pid/cmdline" | grep -q 'a secret' && fail "the token shows in ps"

refuses 'could be asked by anybody' --http-addr 0.0.0.0:7380
refuses 'must be a numeric address' --http-addr nowhere:1
refuses 'needs both a certificate and a key' --http-addr "$net.9:7380" --http-tls-cert "$work/token"
refuses 'cannot listen' --http-addr "$net.1:7380"
refuses 'cannot listen .* certificate' --http-addr "$net.9:7380" --http-tls-cert "$work/token" --http-tls-key "$work/token"

kill "$h1"
exits "$h1" 0
exit 0
