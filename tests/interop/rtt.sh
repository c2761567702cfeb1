#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Network coordinates of a mixed cluster: serf rtt between any two, asked of agents of either kind; Serf takes our coordinates without a word,
# and one with coordinates switched off has none.
AGENT=$1
. "$(dirname "$0")/lib.sh"

theirs s1 1
ours h2 2
theirs s3 3
ours h4 4
ours h5 5 --set coordinates=0
gather 5
rtt() { # ASKED A B
    serf rtt -rpc-addr="$net.$1:7373" "$2" "$3" >"$work/rtt" 2>&1 && grep -q "^Estimated $2 <-> $3 rtt: [0-9.]* ms\$" "$work/rtt"
}
for asked in 1 2; do
    for pair in 's1 h2' 'h2 h4' 's1 s3' 's3 h4'; do
        # shellcheck disable=SC2086 # two words
        within "$asked estimates $pair" rtt $asked $pair
        awk '{ if ($6 + 0 > 50) exit 1 }' "$work/rtt" || fail "on one machine it is no $(cat "$work/rtt")"
    done
done
grep -i 'coordinate\|ping' "$work/s1.log" "$work/s3.log" | grep 'ERR\|WARN' && fail "Serf does not like our coordinates"
serf rtt -rpc-addr="$net.2:7373" h2 h5 >"$work/rtt" 2>&1 && fail "h5 has no coordinate"
grep -q "Could not find a coordinate for node \"h5\"" "$work/rtt" || fail "h5 is unknown: $(cat "$work/rtt")"
serf info -rpc-addr="$net.2:7373" | grep -q 'coordinate_resets = 0' || fail "no resets"
exit 0
