#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Services over HTTP: names, instances, filters, a read that waits for a change, a stream, and what is refused.
AGENT="$1 agent"
HEARSAY=$1
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/kv_lib.sh"
. "$(dirname "$0")/http_lib.sh"
need_http "$1"

services=http://$net.1:7380/v1/services
stores h1 1 --http-addr "$net.1:7380"
within "HTTP answers" asks 200 alive "http://$net.1:7380/healthz"

service() {
    "$HEARSAY" service "$@" --rpc-addr "$net.1:7373"
}

# ---- names and instances ---------------------------------------------------------------------------------------------------------
expect 200 '^\{"index":[0-9]+,"services":\[\]\}$' "$services"
service register web --port 80 --tag v1 --meta rack=7 || fail "register"
service register db --port 5432 --ttl 1h || fail "register"
expect 200 '"name":"db","instances":1,"healthy":0' "$services"
expect 200 '"name":"web","instances":1,"healthy":1' "$services/"
expect 200 "\"name\":\"web\",\"node\":\"h1\",\"id\":\"web\",\"address\":\"$net.1\",\"port\":80,\"healthy\":true,\"state\":\"passing\",\"node_status\":\"alive\"" "$services/web"
expect 200 '"tags":\["v1"\],"meta":\{"rack":"7"\},"output":""' "$services/web?tag=V1"
expect 200 '"services":\[\]' "$services/web?tag=v2"
expect 200 '"state":"critical"' "$services/db"
expect 200 '"services":\[\]' "$services/db?healthy"
expect 200 '"state":"critical"' "$services/db?healthy=false"
expect 200 '"services":\[\]' "$services/nothing"

# ---- waiting ------------------------------------------------------------------------------------------------------------------------
index() {
    curl -s -m 20 "$1" | sed -n 's/^{"index":\([0-9]*\).*/\1/p'
}
now=$(index "$services/db")
curl -s -m 100 "$services/db?healthy&index=$now&wait=90s" >"$work/waited" &
waiting=$!
pids="$pids $waiting"
curl -s -N -m 100 "$services/db?watch&healthy" >"$work/streamed" &
streaming=$!
pids="$pids $streaming"
within "the stream begins with what there is" grep -q '^data: {"index":[0-9]*,"services":\[\]}' "$work/streamed"
[ ! -s "$work/waited" ] || fail "it waits"
service pass db --note ready || fail "pass"
within "whoever waits is answered" grep -q '"output":"ready"' "$work/waited"
within "the stream goes on" grep -q '^ *data: .*"output":"ready"\|"output":"ready"' "$work/streamed"
wait $waiting || fail "the answer is whole"
kill $streaming
[ "$(index "$services/db")" -gt "$now" ] || fail "the index grows"
expect 200 '"state":"passing"' "$services/db?index=1&wait=90s"
expect 200 '"state":"passing"' "$services/db?index=$(index "$services/db")&wait=300ms"

# ---- what is refused ---------------------------------------------------------------------------------------------------------------
expect 400 'means nothing here' "$services/web?passing"
expect 400 'index is a number' "$services/web?index=x"
expect 400 'wait is a span' "$services/web?wait=x"
expect 400 'need the name of a service' "$services?healthy"
expect 405 'only be read' -X PUT -d x "$services/web"
expect 403 'reserved' -X PUT -d x "http://$net.1:7380/v1/kv/_service/h1/web"
start h2 2 --http-addr "$net.2:7380"
within "h2 answers" asks 200 alive "http://$net.2:7380/healthz"
expect 501 'start it with --store' "http://$net.2:7380/v1/services/web"
exit 0
