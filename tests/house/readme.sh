#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The program in the README compiles without a warning and runs: readme.sh ROOT DRIVER_AND_CORE_ARCHIVE. It meets a copy of itself.
set -eu
root=$1 archive=$2
work=$(mktemp -d)
first='' second=''
trap 'kill $first $second 2>/dev/null || true; rm -rf "$work"' EXIT
awk '/^```c$/ { inside = 1; next } /^```$/ { inside = 0 } inside' "$root/README.md" >"$work/member.c"
lines=$(grep -c . "$work/member.c")
if [ "$lines" -lt 10 ] || [ "$lines" -gt 22 ]; then
    echo "the README's program has $lines lines"
    exit 1
fi
# shellcheck disable=SC2046 # lists of flags
${CC:-cc} -std=gnu17 -Wall -Wextra -Werror -I "$root/include" "$work/member.c" "$archive" \
    $(pkg-config --cflags --libs libuv nettle) -lm -o "$work/member"
net=127.$(($$ / 250 % 250 + 1)).$(($$ % 250 + 1))
"$work/member" n1 "$net.1:7946" >"$work/n1" &
first=$!
"$work/member" n2 "$net.2:7946" "$net.1:7946" >"$work/n2" &
second=$!
tries=0
until grep -q 'member-join n2' "$work/n1" && grep -q 'member-join n1' "$work/n2"; do
    tries=$((tries + 1))
    [ $tries -lt 200 ] || { echo 'they did not meet within 10 s'; exit 1; }
    sleep 0.05
done
kill -INT $second
wait $second
tries=0
until grep -q 'member-leave n2' "$work/n1"; do
    tries=$((tries + 1))
    [ $tries -lt 200 ] || { echo 'n1 did not see n2 leave'; exit 1; }
    sleep 0.05
done
