#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The shared store over HTTP: what each method does, reads that wait, streams, and that nothing comes in by odd keys, broken bodies or
# requests that hide others.
AGENT="$1 agent"
HEARSAY=$1
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/kv_lib.sh"
. "$(dirname "$0")/http_lib.sh"
need_http "$1"

web=http://$net.1:7380 kv=http://$net.1:7380/v1/kv
stores k1 1 --http-addr "$net.1:7380" --data-dir "$work/d1"
within "HTTP answers" asks 200 alive "$web/healthz"

# ---- values -------------------------------------------------------------------------------------------------------------------
expect 404 'no entry of this key' "$kv/greeting"
expect 200 '^\{"key":"greeting","version":"[0-9a-f]{16}-[0-9a-f]{16}","copies":1\}$' -X PUT --data-binary hello "$kv/greeting"
expect 200 '^hello$' "$kv/greeting"
at=1
has greeting hello || fail "the command line sees what HTTP wrote"
expect 200 '^\{"key":"greeting","value":"aGVsbG8=","version":"[0-9a-f-]{33}","size":5\}$' "$kv/greeting?format=json"
head -c 1048576 /dev/urandom >"$work/large"
expect 200 '"copies":1' -X PUT --data-binary "@$work/large" "$kv/large"
curl -s -m 20 "$kv/large" | cmp - "$work/large" || fail "a value of 1 MiB comes back"
expect 200 '"copies":1' -X PUT "$kv/empty"
expect 200 '"size":0' "$kv/empty?format=json"
expect 200 . -X PUT -d x "$kv/lasting?ttl=1h"
expect 200 '"ttl_s":3[56][0-9][0-9]\.' "$kv/lasting?format=json"
expect 200 '"copies":1' -X DELETE "$kv/greeting"
expect 404 'no entry' "$kv/greeting"
expect 200 '"copies":1' -X DELETE "$kv/greeting"

# ---- keys of every kind ---------------------------------------------------------------------------------------------------------
expect 200 '"key":"a/b c' -X PUT -d 1 "$kv/a/b%20c"
expect 200 '^1$' "$kv/a%2Fb%20c"
expect 200 '"key":"a//b/../c"' -X PUT -d 2 "$kv/?key=a//b/../c"
at=1
has a//b/../c 2 || fail "a key that no path carries"
expect 200 '"key_base64":"//4="' -X PUT -d 3 "$kv/%FF%FE"
expect 200 '"key":"<b>\\"' -X PUT -d 4 "$kv/%3Cb%3E%22"
key512=$(head -c 512 /dev/zero | tr '\0' k)
expect 200 '"copies"' -X PUT -d 5 "$kv/$key512"
expect 400 'at most 512 bytes' -X PUT -d 5 "$kv/${key512}k"
asks 4 . --path-as-is "$kv/%zz" || [ "$got" = 403 ] || [ "$got" = 400 ] || [ "$got" = 000 ] || fail "a bad percent encoding: $got"
asks 4 . "$kv/a%00b" || [ "$got" = 403 ] || [ "$got" = 400 ] || [ "$got" = 000 ] || fail "a NUL: $got"
asks 4 . "$kv/$(head -c 9000 /dev/zero | tr '\0' a)" || [ "$got" = 000 ] || [ "$got" -ge 400 ] || fail "a huge key: $got"
expect 400 'which key' "$kv/"
expect 400 'key of the store must have' -X PUT -d x "$kv/"
expect 403 'reserved' -X PUT -d x "$kv/_service/other/web/1"

# ---- lists ----------------------------------------------------------------------------------------------------------------------
for i in 1 2 3; do
    expect 200 . -X PUT -d "v$i" "$kv/list/$i"
done
expect 200 '"key":"list/1","value":"djE="' "$kv/list/?prefix"
expect 200 '"key":"list/1","version"' "$kv/list/?keys"
tr -d '\n' <"$work/body" | grep -Eq '^\{"index":[0-9]+,"entries":\[\{"key":"list/1".*"list/2".*"list/3".*\],"more":false\}$' || fail "a list: $(cat "$work/body")"
expect 200 '"more":true' "$kv/list/?keys&limit=2"
expect 200 '"key":"list/3"' "$kv/list/?keys&after=list/2"
grep -q 'list/2' "$work/body" && fail "after means after"
expect 200 '"entries":\[' "$kv/nothing/?keys"
expect 200 '"key_base64":"//4="' "$kv/?keys"

# ---- wrong parameters -------------------------------------------------------------------------------------------------------------
for wrong in 'ttl=soon:ttl is a span' 'ttl=0:ttl is a span' 'ttl=-1s:ttl is a span' 'copies=-1:copies is a number' 'copies=99:copies is a number' \
    'index=x:index is a number' 'wait=1:wait is a span' 'limit=0:limit is a number' 'format=xml:raw or json' 'colour=red:means nothing here'; do
    expect 400 "${wrong#*:}" -X PUT -d x "$kv/wrong?${wrong%%:*}"
done
expect 404 'no entry' "$kv/wrong"
expect 405 'GET, PUT or DELETE' -X POST -d x "$kv/wrong"
curl -s -m 5 -X PATCH -d x -D - "$kv/wrong" | grep -qi '^allow: GET, HEAD, PUT, DELETE' || fail "405 names the methods"
expect 403 'other origins' -X PUT -H 'Origin: http://elsewhere' -d x "$kv/wrong"
expect 403 'by its address' -X PUT -H 'Host: rebound.example' -d x "$kv/wrong"
expect 200 . -X PUT -H "Origin: $web" -d x "$kv/right"
head -c 1048577 /dev/zero >"$work/huge"
asks 413 '' -X PUT -H 'Expect:' --data-binary "@$work/huge" "$kv/wrong" || [ "$got" = 000 ] || fail "a huge body: $got"
expect 504 'not confirmed in time' -X PUT -d x "$kv/alone?copies=3&timeout=100ms"
expect 200 '^x$' "$kv/alone"

# ---- reads that wait --------------------------------------------------------------------------------------------------------------
index() {
    curl -s -m 5 -o /dev/null -D - "$1" | tr -d '\r' | sed -n 's/^[Xx]-[Hh]earsay-[Ii]ndex: //p'
}
expect 200 . -X PUT -d one "$kv/watched"
now=$(index "$kv/watched")
[ "$now" -gt 0 ] || fail "an index"
expect 200 '^one$' "$kv/watched?index=$((now - 1))&wait=5m"
expect 200 '^one$' "$kv/watched?index=$now&wait=50ms"
expect 200 '^one$' "$kv/watched?index=$((now + 1000000))&wait=5m"
curl -s -m 300 "$kv/watched?index=$now&wait=5m" >"$work/waited" &
waiter=$!
curl -s -m 300 "$kv/wat?index=$now&wait=5m&keys" >"$work/waited_list" &
waiters="$waiter $!"
pids="$pids $waiters"
within "both wait" sh -c "[ \$(ss -Htn state established src $net.1:7380 | wc -l) -ge 2 ]"
expect 200 . -X PUT -d other "$kv/unrelated"
expect 200 . -X PUT -d two "$kv/watched"
within "who waited for the key hears of it" grep -qx two "$work/waited"
within "who waited for the prefix hears of it" grep -q '"key":"watched"' "$work/waited_list"
for waiter in $waiters; do
    wait "$waiter" || fail "a reader that waited"
done

# ---- a stream ---------------------------------------------------------------------------------------------------------------------
curl -sN -m 300 "$kv/list/?watch&index=0" >"$work/stream" &
reader=$!
pids="$pids $reader"
within "everything is listed first" grep -q '^event: listed' "$work/stream"
[ "$(grep -c '^event: put' "$work/stream")" -eq 3 ] || fail "three entries: $(cat "$work/stream")"
expect 200 . -X PUT -d new "$kv/list/4"
expect 200 . -X DELETE "$kv/list/1"
within "a deletion is told" grep -q '^event: delete' "$work/stream"
grep -q '"key":"list/4","value":"bmV3"' "$work/stream" || fail "a put is told"
kill "$reader"
id=$(sed -n 's/^id: //p' "$work/stream" | tail -n 1)
expect 200 . -X PUT -d newer "$kv/list/5"
within "it goes on where it stopped" sh -c "curl -sN -m 1 -H 'Last-Event-ID: $id' '$kv/list/?watch' | grep -q '\"key\":\"list/5\"'"
curl -sN -m 1 -H "Last-Event-ID: $id" "$kv/list/?watch" | grep -q 'list/4' && fail "told twice"

# ---- requests that hide others ------------------------------------------------------------------------------------------------------
put='PUT /v1/kv/smuggled HTTP/1.1\r\nHost: 127.0.0.1\r\n'
hidden='PUT /v1/kv/hidden HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1\r\n\r\nx'
says '400' "${put}Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc$hidden"
says '400' "${put}Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc$hidden"
says '400' "${put}Content-Length: 3, 3\r\n\r\nabc$hidden"
says '400' "${put}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n$hidden"
says '400' "${put}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n$hidden"
says '400' "${put}Content-Length: +3\r\n\r\nabc$hidden"
says '400' "${put}Content-Length: 0x3\r\n\r\nabc$hidden"
says '413' "${put}Content-Length: 99999999999999999999999\r\n\r\nabc$hidden"
says '413' "${put}Content-Length: 9999999999\r\n\r\nabc$hidden"
says '40[13]' "PUT /v1/kv/smuggled HTTP/1.1\r\nHost: rebound.example\r\nContent-Length: ${#hidden}\r\n\r\n$hidden"
raw "${put}Content-Length: 10\r\n\r\nabc" >/dev/null # and hangs up
expect 404 'no entry' "$kv/smuggled"
expect 404 'no entry' "$kv/hidden"

# ---- without a store, and with a token ------------------------------------------------------------------------------------------------
echo 'a secret' >"$work/token"
start k2 2 --http-addr "$net.2:7380"
start k3 3 --store --http-addr "$net.3:7380" --http-token "@$work/token"
within "HTTP answers" asks 200 alive "http://$net.2:7380/healthz"
within "HTTP answers" asks 200 alive "http://$net.3:7380/healthz"
expect 501 'start it with --store' "http://$net.2:7380/v1/kv/x"
expect 501 'start it with --store' -X PUT -d x "http://$net.2:7380/v1/kv/x"
expect 401 'wants its token' "http://$net.3:7380/v1/kv/x"
expect 401 'wants its token' -X PUT -H 'Authorization: Bearer a secre' -d x "http://$net.3:7380/v1/kv/x"
expect 401 'wants its token' -X DELETE "http://$net.3:7380/v1/kv/x"
expect 200 '"copies":1' -X PUT -H 'Authorization: Bearer a secret' -d x "http://$net.3:7380/v1/kv/x"
exit 0
