#!/bin/sh
# SPDX-License-Identifier: MIT
#
# hearsay doctor: each trouble is made with real processes and firewall rules in a network of its own, and the doctor must name it.
AGENT="$1 agent"
HEARSAY=$1
. "$(dirname "$0")/own_net.sh"
. "$(dirname "$0")/lib.sh"

# says CODE PATTERN ARGUMENTS…
says() {
    code=$1 pattern=$2
    shift 2
    "$HEARSAY" doctor --timeout 1000 "$@" >"$work/out" 2>&1
    got=$?
    [ $got -eq "$code" ] && grep -Eq -- "$pattern" "$work/out"
}
# with patience: a machine without CPU to spare loses pings, too
expect() {
    within "exit code $1 and '$2' for: doctor ${3:-} ${4:-} ${5:-}" says "$@"
}
head -c 16 /dev/urandom | base64 >"$work/key"
theirs s1 1 -tag role=db
ours h2 2 --retry-join "$net.1" --retry-interval 1s --set gossip_to_the_dead_ms=3600000 # it goes on telling us of the dead
ours h3 3 --retry-join "$net.1" --retry-interval 1s
h3=$pid
ours h4 4
ours h5 5 --encrypt "@$work/key"
ours h6 6 --label blue
ours h7 7 --protocol-personality memberlist
theirs s8 8 -protocol=4
for number in 1 2 3 4 5 6 7 8; do
    answers $number
done
for number in 1 2 3; do
    within "$number sees h3" sees $number h3 alive
    within "$number sees h2" sees $number h2 alive
done

within "healthy" says 0 "^3 of 3 members told their view in [0-9.]+ s: they agree, and all answer" "$net.1"
expect 0 '^note +the cluster is not encrypted' "$net.3"

# others beside it
expect 1 '^problem +2 separate clusters, .*: \{(s1|h2|h3), (s1|h2|h3), (s1|h2|h3)\} \{h4\}' "$net.1" "$net.4"
expect 1 "^problem +$net.5:7946 does not share our lack of a key: it wants encryption" "$net.1" "$net.5"
expect 1 "^problem +$net.1:7946 runs without encryption although the cluster has a key" --encrypt "@$work/key" "$net.5" "$net.1"
expect 1 "^problem +$net.6:7946 closes without a word: another label" "$net.1" "$net.6"
expect 1 '^problem +Serf and plain memberlist are mixed' "$net.1" "$net.7"
expect 1 'h7 is plain memberlist' "$net.1" "$net.7"
expect 1 '^warning +protocol versions are mixed' "$net.1" "$net.8"
expect 1 "^problem +$net.1:7373 closes without a word: .* not the gossip port" "$net.1" "$net.1:7373"
expect 2 '^warning +nobody answers at' "$net.99"
expect 2 "cannot resolve|is no port" "$net.1:99999"
expect 2 'an argument is missing'

# on the way from here
drop ip saddr 127.0.0.1 ip daddr "$net.3" udp dport 7946
expect 1 '^problem +h3 serves streams but answers no ping: UDP' "$net.1"
mend
nft add rule ip broken out ip saddr 127.0.0.1 ip daddr "$net.3" tcp dport 7946 reject with tcp reset
expect 1 '^problem +h3 answers pings but no stream: TCP' "$net.1"
mend
drop ip saddr 127.0.0.1 ip daddr "$net.3" udp dport 7946 numgen inc mod 3 == 0
expect 1 '^warning +1 of 3 pings to h3 were lost' "$net.1"
mend

# frozen, then suspected, then back
kill -STOP "$h3"
within "frozen" says 1 '^problem +h3 at .* accepts connections .* frozen or overloaded' "$net.1"
# suspicion lasts 3 s: who missed it wakes h3 and begins again
suspected() {
    says 1 '^warning +h3 is suspected right now' --timeout 200 "$net.1" && return 0
    if sees 1 h3 failed; then
        kill -CONT "$h3"
        within "h3 is back" sees 1 h3 alive
        kill -STOP "$h3"
    fi
    return 1
}
within "suspected" suspected
kill -CONT "$h3"
within "h3 is well again" says 0 '^3 of 3 members told .*they agree' "$net.1"

# cut off from the others, but not from here
drop ip saddr "$net.3" ip daddr { "$net.1", "$net.2" }
drop ip daddr "$net.3" ip saddr { "$net.1", "$net.2" }
within "split brain" says 1 '^problem +(split brain, 2 views|2 separate clusters).*: \{.*(s1|h2), (s1|h2)\} \{h3\}' "$net.1" "$net.3"
mend
within "healed" says 0 '^3 of 3 members told .*they agree' "$net.1"

# dead, and its address taken over by another node
kill -9 "$h3"
still_believed() {
    says 1 '^problem +h3 does not answer at .*, yet [12] of 2 members believe it up' "$net.1" && return 0
    if sees 1 h3 failed; then # too late: once more
        ours h3 3 --retry-join "$net.1" --retry-interval 1s
        within "h3 is back" sees 1 h3 alive
        kill -9 $pid
    fi
    return 1
}
within "dead and believed alive" still_believed
within "its death is agreed upon" says 0 'they agree' "$net.1"
ours h9 3 --join "$net.1"
within "h9 is met" sees 1 h9 alive
within "a reused address" says 0 "^note +h3 is said to live at $net.3:7946, but h9 answers there" "$net.1"

expect 0 '"seconds"' --format json "$net.1"
grep -q '"kind": "address-reused"' "$work/out" || fail "kinds in JSON"
[ "$(serf members -rpc-addr="$net.1:7373" | wc -l)" -eq 4 ] || fail "somebody learned of the doctor"
exit 0
