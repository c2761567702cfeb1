#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Compression on and off on either side: long tags and long events pass in every combination, and what goes over the wire is what
# was asked for, says hearsay inspect.
AGENT="$1 agent"
. "$(dirname "$0")/lib.sh"

echo '{"enable_compression":false}' >"$work/plain.json"
ours h1 1 --profile lan --disable-compression
theirs s2 2 -profile lan -disable-compression
ours h3 3 --profile lan --config-file "$work/plain.json"
ours h4 4 --profile lan
theirs s5 5 -profile lan
for number in 1 2 3 4 5; do
    answers $number
done
calls 2 1
calls 5 4
calls 5 3
calls 4 1
text=0123456789.0123456789.0123456789.0123456789.0123456789.0123456789.0123456789.0123456789
for number in 1 2 3 4 5; do
    serf tags -rpc-addr="$net.$number:7373" -set "t=$text" >/dev/null || fail "tags of $number"
    event $number from-$number "$text$text"
done
for name in h1 s2 h3 h4 s5; do
    for number in 1 2 3 4 5; do
        within "$number sees the tag of $name" tagged $number $name "alive *t=$text\$"
        within "$name hears $number" heard $name from-$number
    done
done

for number in 1 2 3; do
    "$1" inspect "$net.$number" | grep -q ', not compressed, 5 members' || fail "$number compresses"
done
for number in 4 5; do
    "$1" inspect "$net.$number" | grep -q ', compressed, 5 members' || fail "$number does not compress"
done
exit 0
