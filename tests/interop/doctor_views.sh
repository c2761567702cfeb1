#!/bin/sh
# SPDX-License-Identifier: MIT
#
# hearsay doctor before views that contradict each other for good: some nodes do not probe, so that they go on believing what the others have found to be
# wrong; and what single nodes are found guilty of: a clock that is wrong, slowness, restlessness, a stream without an answer, a name used twice.
AGENT="$1 agent"
HEARSAY=$1
shifted_clock=$2
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
has_kind() {
    kind=$1
    shift
    "$HEARSAY" doctor --timeout 1000 --format json "$@" | grep -q "\"kind\": \"$kind\""
}
# finds KIND PATTERN SEED…: sooner or later, for people and for programs; nothing here passes by itself
finds() {
    kind=$1 pattern=$2
    shift 2
    within "$kind: $pattern" says 1 "$pattern" "$@"
    within "$kind in JSON" has_kind "$kind" "$@"
}
: >"$work/out"

for number in 1 2; do
    ours h$number $number --retry-join "$net.1" --retry-interval 1s --set gossip_to_the_dead_ms=3600000 # nobody forgets in the meantime
done
for number in 3 4; do # they never probe, so they never bury anybody
    ours h$number $number --retry-join "$net.1" --retry-interval 1s --set probe_interval_ms=0
    eval "h$number=$pid"
done
for number in 1 2 3 4; do
    answers $number
done
for number in 1 2 3 4; do
    for name in h1 h2 h3 h4; do
        within "$number sees $name" sees $number $name alive
    done
done
within "healthy" says 0 '^4 of 4 members told their view in [0-9.]+ s: they agree, and all answer' "$net.1"
grep -q 'clock' "$work/out" && fail "clocks of hearsay nodes are known and right: $(cat "$work/out")"

# ---- single nodes

# its clock is wrong; the others' are not known, being Serf's
AGENT="env SHIFT_S=90 LD_PRELOAD=$shifted_clock ASAN_OPTIONS=verify_asan_link_order=0 $HEARSAY agent"
ours h5 5 --retry-join "$net.1" --retry-interval 1s
h5=$pid
AGENT="$HEARSAY agent"
answers 5
for number in 1 2 3 4; do
    within "$number sees h5" sees $number h5 alive
done
finds clock-skew "^warning +the clock of h5 is 90.0 s ahead of the others'" "$net.1"
"$HEARSAY" inspect "$net.5" >"$work/out" 2>&1
grep -Eq 'by a hearsay node, its clock (89.9|90.0)[0-9]+ s ahead of ours' "$work/out" || fail "inspect tells the clock: $(cat "$work/out")"
theirs s6 6
answers 6
within "one clock is not known" says 1 '^note +the clock of 1 member cannot be told from outside' "$net.1" "$net.6"

# five exchanges a second it can take; it is stopped for most of the time
(while kill -STOP "$h5" 2>/dev/null; do
    sleep 0.07
    kill -CONT "$h5"
    sleep 0.003
done) &
slower=$!
pids="$pids $slower"
finds slow '^warning +h5 answers slowly' "$net.1"
kill $slower
kill -CONT "$h5"

# pings are answered, streams are taken and then nothing comes
drop ip saddr "$net.5" tcp sport 7946 'tcp flags & psh == psh'
finds busy '^warning +h5 at .* answers pings but did not answer an exchange in time' "$net.1"
mend

# it changed its tags again and again: so do nodes that deny accusations
for count in $(seq 22); do
    "$HEARSAY" tags -rpc-addr="$net.5:7373" -set count="$count" >/dev/null || fail "tags"
done
within "restless" says 1 '^note +h5 is in its [0-9]+th incarnation' "$net.1"

# another cluster has a node of the same name elsewhere
ours h2 7
answers 7
finds name-conflict "^problem +h2 lives at $net.[27]:7946 for some and at $net.[27]:7946 for others" "$net.1" "$net.7"

# ---- views: cut in two, and only one half minds
for near in 1 2; do
    for far in 3 4; do
        drop ip daddr "$net.$far" ip saddr "$net.$near"
        drop ip daddr "$net.$near" ip saddr "$net.$far"
    done
done
kill -9 "$h5" # who could have told one half of the other
for name in h3 h4 h5; do
    within "1 buries $name" sees 1 $name failed
    within "2 buries $name" sees 2 $name failed
done
finds one-way '^problem +h3 answers us, but 2 of 3 members hold it failed' "$net.1" "$net.3"
grep -Eq 'up at h4' "$work/out" || fail "who holds h3 up? $(cat "$work/out")"
finds still-believed '^problem +h5 is dead to 2 of 4 members and up to the others' "$net.1" "$net.3"
grep -Eq "^problem +h5 does not answer at $net.5:7946, yet 2 of 4 members believe it up" "$work/out" || fail "who believes in h5? $(cat "$work/out")"
finds views '^problem +2 views: ' "$net.1" "$net.3"

# who missed what was said meanwhile lags behind
for count in $(seq 40); do
    "$HEARSAY" event -rpc-addr="$net.1:7373" --coalesce=false "news-$count" >/dev/null 2>&1 || fail "event"
done
finds clock-lag '^warning +h[34] lags [0-9]+ ticks behind in events' "$net.1" "$net.3"

# who joined one half only; and takes the address of the dead whom that half believes in
ours h8 5 --set probe_interval_ms=0
answers 5
for near in 1 2; do
    drop ip daddr "$net.5" ip saddr "$net.$near"
    drop ip daddr "$net.$near" ip saddr "$net.5"
done
calls 3 5
within "3 sees h8" sees 3 h8 alive
within "4 sees h8" sees 4 h8 alive
finds unheard '^warning +2 of 4 members do not know h8, which is up' "$net.1" "$net.3"
finds address-conflict '^problem +h[58] and h[58] are both said to live at the same address' "$net.1" "$net.3"
finds address-reused "^(problem|note) +h5 is said to live at $net.5:7946, but h8 answers there" "$net.1" "$net.3"
exit 0
