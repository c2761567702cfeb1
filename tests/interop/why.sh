#!/bin/sh
# SPDX-License-Identifier: MIT
#
# hearsay why over a whole cluster: each trouble is made with real processes and must be told in the sentence that fits it.
AGENT="$1 agent"
HEARSAY=$1
. "$(dirname "$0")/own_net.sh"
. "$(dirname "$0")/lib.sh"

# why CODE PATTERN NAME [FLAGS…]: as h1 has it told
why() {
    code=$1 pattern=$2
    shift 2
    "$HEARSAY" why -rpc-addr="$net.1:7373" --timeout 1s "$@" >"$work/out" 2>&1
    got=$?
    [ $got -eq "$code" ] && grep -Eq -- "$pattern" "$work/out"
}
# with patience: an answer to the query may be late
expect() {
    within "exit code $1 and '$2' for: why $3" why "$@"
}

for number in 1 2 3 4 5 6; do
    # awareness_max: whoever judges is well, however busy this machine is
    ours h$number $number --retry-join "$net.1" --retry-interval 1s --set awareness_max=1
    eval "h$number=$pid"
done
for number in 1 2 3 4 5 6; do
    answers $number
    within "$number sees h6" sees $number h6 alive
done

# a machine without CPU may have had it suspected already
well='Nothing is held against h3 by any of 6 nodes|h3 was away for .* nobody minded|It denied the suspicion in time: nobody declared it failed'
all_answer() {
    why 0 "$well" h3 && grep -q '(6 nodes answered' "$work/out"
}
within "all answer" all_answer
expect 1 'None of [0-9]+ nodes remembers anything about nobody' nobody
expect 0 '"observer": "h' --format json h3
grep -Eq "\"diagnosis\": \".*($well)" "$work/out" || fail "diagnosis in JSON"
expect 0 'h3 is well' --local h3

# frozen, and back in time
kill -STOP "$h3"
within "somebody suspects h3" why 0 'suspected by us' h3
kill -CONT "$h3"
within "h3 tells of its pause" why 0 '^h3 was frozen for [0-9.]+ s: its own timers fired that late' h3
expect 0 '  h3 +note +this node was not running for [0-9]+ ms' h3

# gone without a word: the host refuses
kill -9 "$h4"
within "h4 fails" sees 1 h4 failed
within "its end is explained" why 0 '^The host of h4 answered, but refused connections: its process was gone\..* it has not come back' h4

# datagrams only: UDP to h5 is lost, streams get through
drop ip daddr "$net.5" udp dport 7946
within "UDP is blamed" why 0 '^Datagrams to h5 are lost while streams are answered: UDP is blocked' h5
mend

# cut off altogether
drop ip daddr "$net.6" ip saddr != "$net.6"
drop ip saddr "$net.6" ip daddr != "$net.6"
within "h6 fails" sees 1 h6 failed
expect 0 '^h6 was silent on every path to [0-9]+ nodes?' h6
mend
within "h6 is back" sees 1 h6 alive
expect 0 'declared it failed; it is back' h6

# intended
"$HEARSAY" leave -rpc-addr="$net.2:7373" >/dev/null || fail leave
within "h2 leaves" sees 1 h2 left
within "a goodbye" why 0 '^h2 left by its own wish' h2
"$HEARSAY" force-leave -rpc-addr="$net.1:7373" h4 >/dev/null || fail force-leave
within "h4 is made to leave" sees 1 h4 left
within "a forced leave" why 0 '^h4 was told to leave' h4

theirs s7 7
answers 7
calls 1 7
within "h3 sees s7" sees 3 s7 alive
# through a Serf agent of the same cluster it works as well, and Serf complains of nothing
through_serf() {
    "$HEARSAY" why -rpc-addr="$net.7:7373" --timeout 1s h3 >"$work/out" 2>&1 && grep -Eq '^h3 was frozen' "$work/out"
}
within "through Serf" through_serf
grep -E 'ERR|WARN' "$work/s7.log" | grep -iE 'query|unhandled' && fail "Serf complains"
exit 0
