#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The examples meet each other on loopback: examples_test.sh ONE_CALL OWN_LOOP EPOLL STORE SOURCE_FOLDER
set -u
one_call=$1 own_loop=$2 epoll=$3 store=$4 sources=$5
folder=$(mktemp -d) || exit 1
net=127.$((($$ >> 14) % 100 + 100)).$((($$ >> 7) % 128)) # nobody else's addresses, as everybody uses port 7946
host=$(($$ % 128))
a=$net.$host b=$net.$((host + 128)) c=127.0.0.1:0
pids=

finish()
{
    for pid in $pids; do
        kill -9 "$pid" 2>/dev/null
    done
    rm -rf "$folder"
}
trap finish EXIT

fail()
{
    echo "$1"
    for log in "$folder"/*; do
        echo "--- ${log##*/}"
        cat "$log"
    done
    exit 1
}

# wait_for FILE LINE: until the line stands in the file, 20 seconds at most.
wait_for()
{
    tries=0
    while ! grep -q "^$2" "$folder/$1"; do
        tries=$((tries + 1))
        [ $tries -lt 200 ] || fail "$1 does not say \"$2\""
        sleep 0.1
    done
}

for source in one_call own_loop epoll store; do
    [ "$(wc -l <"$sources/$source.c")" -le 60 ] || fail "$source.c is longer than 60 lines"
done
if ldd "$epoll" | grep -q libuv || grep -q uv.h "$sources/epoll.c" "$sources/plain_sockets.h"; then
    fail "the epoll example needs libuv"
fi

"$one_call" one "$a" >"$folder/one" 2>&1 &
one=$! pids="$pids $!"
wait_for one "member-join one"
"$epoll" two "$b" "$a" >"$folder/two" 2>&1 &
pids="$pids $!"
wait_for two "member-join one"
wait_for one "member-join two $b:7946"
"$own_loop" three "$c" "$a" 2 >"$folder/three" 2>&1 || fail "own_loop failed"
wait_for three joined
wait_for one "event tick: 1 ticks to go"
wait_for one "member-leave three"
wait_for two "user"
wait_for two "member-leave three"
"$store" five "$net.$((host + 64)):7946" "$a" >"$folder/five" 2>&1 &
five=$! pids="$pids $!"
wait_for five "five says: hello, everybody"
wait_for one "member-join five"
kill -TERM $five
wait $five || fail "store did not end well"
wait_for two "member-leave five"
kill -TERM $one
wait $one || fail "one_call did not end well"
wait_for two "member-leave one"
grep -q "member-failed" "$folder"/* && fail "somebody was accused falsely"
"$one_call" four "$b" >"$folder/four" 2>&1 && fail "a port in use was accepted"
grep -q "$b:7946" "$folder/four" || fail "a port in use was not named"
[ "$(wc -l <"$folder/four")" -eq 1 ] || fail "more than one line about a port in use"
exit 0
