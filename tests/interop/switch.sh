#!/bin/sh
# SPDX-License-Identifier: MIT
#
# A cluster of Serf agents is switched to hearsay, one agent after the other, while events flow from agents of both kinds; beside it, in the same
# minutes, an all-Serf cluster is restarted in the same way. Ours misses no more events than Serf's, nobody is ever taken for failed, and at
# every step a query is acknowledged by all. switch.sh PROGRAM [AGENTS]
AGENT=$1
size=${2:-5}
case $AGENT in */hearsay) AGENT="$AGENT agent" ;; esac
. "$(dirname "$0")/lib.sh"
began=$(date +%s)

# The clusters: ours at numbers 1.., the one that stays Serf's at 101...
all() {
    seq $(($1 + 1)) $(($1 + size))
}
first_peer() { # NUMBER: another one of its cluster
    base=$(($1 / 100 * 100))
    [ "$1" -eq $((base + 1)) ] && echo "$net.$((base + 2))" || echo "$net.$((base + 1))"
}
run_theirs() {
    theirs "n$1" "$1" -snapshot "$work/snapshot$1" -rejoin -retry-join "$(first_peer "$1")" -retry-interval 1s -profile lan
    echo "$pid" >"$work/pid$1"
}
run_ours() {
    ours "n$1" "$1" --snapshot "$work/snapshot$1" --rejoin --retry-join "$(first_peer "$1")" --retry-interval 1s --profile lan
    echo "$pid" >"$work/pid$1"
}
alive_at() { # NUMBER: how many it sees
    serf members -rpc-addr="$net.$1:7373" -status=alive 2>/dev/null | grep -c alive
}
is_whole() { # BASE
    for number in $(all "$1"); do
        [ "$(alive_at "$number")" -eq "$size" ] || return 1
    done
}

# Events from one agent after another; not through the one that is down just now. What an agent took is noted.
send() {
    i=0
    while [ ! -e "$work/stop" ]; do
        i=$((i + 1))
        for base in 0 100; do
            number=$((base + i % size + 1))
            if [ ! -e "$work/down$number" ] && serf event -rpc-addr="$net.$number:7373" -coalesce=false "e$i" >/dev/null 2>&1; then
                echo "e$i" >>"$work/sent$base"
            fi
        done
        sleep 0.1
    done
}
heard_by() { # NUMBER: the names, sorted
    cat "$work/n$1.log" "$work/n$1.events" 2>/dev/null | sed -n -e 's/.*user-event: \(e[0-9]*\)$/\1/p' -e 's/.*"event":"user","name":"\(e[0-9]*\)".*/\1/p' | sort -u
}
missed() { # BASE: how many events in all
    sort -u "$work/sent$1" >"$work/all$1"
    sum=0
    for number in $(all "$1"); do
        heard_by "$number" >"$work/heard"
        sum=$((sum + $(comm -23 "$work/all$1" "$work/heard" | wc -l)))
    done
    echo "$sum"
}
failures() { # BASE: how often somebody was taken for failed
    for number in $(all "$1"); do
        cat "$work/n$number.log" "$work/n$number.events" 2>/dev/null
    done | grep -cE 'EventMemberFailed|"event":"member-failed"'
}
acks() { # NUMBER
    serf query -rpc-addr="$net.$1:7373" -timeout=2s -format=json anybody | sed -n '/"Acks": \[/,/\]/p' | grep -c '"n[0-9]*"'
}
# Gossip tells each member with high probability, not for certain: what one query misses, the next finds.
asked=0 repeated=0
answered() { # NUMBER
    for _ in 1 2 3; do
        asked=$((asked + 1))
        count=$(acks "$1")
        [ "$count" -eq "$size" ] && return
        repeated=$((repeated + 1))
    done
    fail "a query of n$1 is acknowledged by $count of $size, at the third try"
}
restart() { # NUMBER HOW: a graceful leave, then another process in its place
    touch "$work/down$1"
    kill -INT "$(cat "$work/pid$1")"
    within "n$1 leaves" not kill -0 "$(cat "$work/pid$1")"
    "$2" "$1"
    within "n$1 answers" serf members -rpc-addr="$net.$1:7373"
    rm "$work/down$1"
}

for base in 0 100; do
    for number in $(all $base); do
        run_theirs "$number"
    done
done
for base in 0 100; do
    within "the clusters meet" is_whole $base
done
send &
sender=$!
pids="$pids $sender"
for step in $(seq 1 "$size"); do
    restart "$step" run_ours
    restart $((100 + step)) run_theirs
    within "all see n$step again" is_whole 0
    within "all see n$((100 + step)) again" is_whole 100
    other=$((step % size + 1)) # one that is Serf's still, but for the last step
    answered "$step"
    answered "$other"
done
touch "$work/stop"
wait $sender
all_heard() {
    [ "$(missed 0)" -eq 0 ] && [ "$(missed 100)" -eq 0 ]
}
# What gossip missed comes with the next exchange, within half a minute; whoever has not heard then never will.
deadline=$(($(date +%s) + 35))
until all_heard || [ "$(date +%s)" -ge $deadline ]; do
    sleep 1
done
ours=$(missed 0) serfs=$(missed 100) failed=$(failures 0) failed_there=$(failures 100)
echo "agents $size, events $(sort -u "$work/sent0" | wc -l), queries $asked of which $repeated not heard by all, seconds $(($(date +%s) - began))"
echo "switched to hearsay: missed $ours, failures $failed; restarted Serf: missed $serfs, failures $failed_there"
if [ "$failed" -gt 0 ]; then
    for number in $(all 0); do
        grep -hE 'EventMemberFailed|"event":"member-failed"' "$work/n$number.log" "$work/n$number.events" 2>/dev/null | sed "s/^/n$number: /"
    done
fi
# Most are missed while an agent is away, so in a small cluster one event per restart is chance.
[ "$size" -ge 10 ] || serfs=$((serfs + size))
[ "$ours" -le "$serfs" ] || fail "more events were missed than by Serf"
[ "$failed" -eq 0 ] || [ "$failed" -le "$failed_there" ] || fail "somebody was taken for failed"
exit 0
