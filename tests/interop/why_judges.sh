#!/bin/sh
# SPDX-License-Identifier: MIT
#
# hearsay why where the judges are the trouble, or somebody else is: one path only, a judge that was away or unwell, one that keeps no record, a name
# claimed twice, an address that another cluster got. Each is made with real processes.
AGENT="$1 agent"
HEARSAY=$1
. "$(dirname "$0")/own_net.sh"
. "$(dirname "$0")/lib.sh"

# why NUMBER PATTERN NAME: as the agent at NUMBER has it told
why() {
    "$HEARSAY" why -rpc-addr="$net.$1:7373" --timeout 1s "$3" >"$work/out" 2>&1 && grep -Eq -- "$2" "$work/out"
}
both_ways() {
    drop ip saddr "$net.$1" ip daddr "$net.$2"
    drop ip saddr "$net.$2" ip daddr "$net.$1"
}
calm='--set awareness_max=1 --set probe_interval_ms=20000 --set probe_timeout_ms=10000' # accuses nobody, and takes no delay for a pause

# ---- one path: h1 asks no relays, so only its own counts
ours h1 1 --set indirect_checks=0 --set awareness_max=1
h1=$pid
for number in 2 3; do
    # shellcheck disable=SC2086 # a list of flags
    ours h$number $number --retry-join "$net.1" --retry-interval 1s $calm
done
for number in 1 2 3; do
    answers $number
    for name in h1 h2 h3; do
        within "$number sees $name" sees $number $name alive
    done
done
both_ways 1 3
# (a machine without CPU may have made it pause by itself, too)
within "one path" why 2 '^Only h1 could not reach h3: look at the path between the two|^h1 accused h3 after it had been away' h3
kill -STOP "$h1"
sleep 2 # so long is it away
kill -CONT "$h1"
within "the judge was away" why 2 '^h1 accused h3 after it had been away for [0-9.]+ s itself: its verdict is doubtful' h3
mend

# ---- a judge that hears nothing: the more it accuses, the less well it is, and of whom it accuses late that is said
ours h4 4 --retry-join "$net.2" --retry-interval 1s
answers 4
for number in 5 6 7 8; do
    # shellcheck disable=SC2086
    ours h$number $number --retry-join "$net.2" --retry-interval 1s $calm
    answers $number
done
for name in h5 h6 h7 h8; do
    within "h4 sees $name" sees 4 $name alive
    within "h2 sees $name" sees 2 $name alive
done
drop ip daddr "$net.4" udp dport 7946
drop ip daddr "$net.4" tcp sport 7946
unwell() {
    for name in h5 h6 h7 h8; do
        why 4 "^Those who accused $name were unwell themselves \\(h4\\): doubt them before you doubt it" $name && return 0
    done
    return 1
}
within "an unwell judge" unwell
mend

# ---- a judge that keeps no record: Serf, before somebody who never probes
theirs s1 11
ours h12 12 --retry-join "$net.11" --retry-interval 1s --set probe_interval_ms=0
ours h13 13 --retry-join "$net.11" --retry-interval 1s --set probe_interval_ms=0
h13=$pid
for number in 11 12 13; do
    answers $number
    within "$number sees h13" sees $number h13 alive
    within "$number sees h12" sees $number h12 alive
done
kill -9 "$h13"
within "Serf has found it dead" sees 12 h13 failed
within "a judge without a record" why 12 '^h13 was accused by (s1|somebody), which keeps no record of its reasons or did not answer' h13

# ---- a name claimed twice
ours twin 21
answers 21
ours h22 22 --retry-join "$net.21" --retry-interval 1s
answers 22
within "the first twin is known" sees 22 twin alive
ours twin 23 --retry-join "$net.22" --retry-interval 1s
within "a conflict" why 22 '^Two nodes claim the name twin: rename one of them' twin

# ---- an address that another cluster got, name and all
ours h31 31
ours h32 32 --retry-join "$net.31" --retry-interval 1s
h32=$pid
for number in 31 32; do
    answers $number
    within "$number sees h32" sees $number h32 alive
done
kill -9 "$h32"
within "h32 fails" sees 31 h32 failed
ours h33 33
ours h32 32 --retry-join "$net.33" --retry-interval 1s
within "the other cluster is whole" sees 33 h32 alive
within "a foreign cluster" why 31 '^The address of h32 was given to a node of another cluster' h32
exit 0
