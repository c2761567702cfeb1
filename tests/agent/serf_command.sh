#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Debian's serf command drives our agents, unchanged, and a Serf agent is in the cluster.
AGENT=$1
. "$(dirname "$0")/lib.sh"
need_serf
rpc=-rpc-addr=$net.1:7373

start a1 1 --tag role=web --event-log "$work/a1.events"
a1=$pid
start a2 2 --event-log "$work/a2.events"
a2=$pid
start_serf s3 3
s3=$pid
within "a1 is ready" has_line "$work/a1.events" '^{"schema":1,"event":"ready","name":"a1","addr":"'"$net.1"'","port":7946'
within "a2 is ready" has_line "$work/a2.events" '"event":"ready"'
within "s3 answers" serf members -rpc-addr="$net.3:7373"

serf join $rpc "$net.2" "$net.3" | grep -q 'Successfully joined cluster by contacting 2 nodes' || fail "join"
for number in 1 2 3; do
    for name in a1 a2 s3; do
        within "$number sees $name" sees $number $name alive
    done
done
serf join $rpc "$net.99" 2>&1 | grep -q 'Error joining the cluster: .*refused' || fail "join of nobody"

# members and its filters
[ "$(serf members $rpc -name 'a.' | wc -l)" -eq 2 ] || fail "filter by name"
[ "$(serf members $rpc -tag role=w.b | wc -l)" -eq 1 ] || fail "filter by tag"
serf members $rpc -status=left | grep -q . && fail "filter by status"
serf members $rpc -format=json | grep -q '"role": "web"' || fail "members as JSON"
serf members $rpc -detailed | grep -q 'Protocol Version: 5' || fail "detailed members"
serf members $rpc -name '(' 2>&1 | grep -q 'Error retrieving members' || fail "bad pattern"

# monitor shows old lines and then new ones; a user event reaches everybody
serf monitor $rpc -log-level=debug >"$work/monitor.out" 2>&1 &
monitor=$!
pids="$pids $monitor"
within "old lines" has_line "$work/monitor.out" 'EventMemberJoin: a2'
serf event $rpc deploy 'v1.2.3' | grep -q dispatched || fail "event"
within "a1 gets its own event" has_line "$work/a1.events" '"event":"user","name":"deploy","ltime":1,"payload":"djEuMi4z"'
within "a2 gets the event" has_line "$work/a2.events" '"event":"user","name":"deploy","ltime":1,"payload":"djEuMi4z"'
within "s3 gets the event" has_line "$work/s3.log" 'user-event: deploy'
within "new lines" has_line "$work/monitor.out" 'Event Info:|user-event: deploy'
serf event -rpc-addr="$net.3:7373" back '' >/dev/null || fail "event from s3"
within "a2 gets the event of s3" has_line "$work/a2.events" '"event":"user","name":"back"'
head -c 600 /dev/zero | tr '\0' x >"$work/large"
serf event $rpc large "$(cat "$work/large")" 2>&1 | grep -q 'exceeds configured limit of 512 bytes' || fail "large event"

# tags, info
serf tags $rpc -set build=77 -delete role | grep -q Success || fail "tags"
within "s3 sees new tags" sh -c "serf members -rpc-addr=$net.3:7373 -name a1 | grep -q 'build=77\$'"
within "a2 logs the update" has_line "$work/a2.events" '"event":"member-update","member":{"name":"a1",.*"build":"77"'
serf info $rpc | grep -q 'members = 3' || fail "info"
serf info $rpc -format=json | grep -q '"encrypted": "false"' || fail "info as JSON"
asks() {
    serf query $rpc -timeout=1s uptime >"$work/query" && grep -q "^Ack from '.*'$" "$work/query" &&
        grep -q '^Total Acks: 3$' "$work/query" && grep -q '^Total Responses: 0$' "$work/query"
}
within "a query is acknowledged by all three" asks

# a crash is failed, force-leave makes it left
kill -9 $s3
wait $s3 2>/dev/null
within "a1 sees s3 failed" sees 1 s3 failed
has_line "$work/a1.events" '"event":"member-failed","member":{"name":"s3".*"cause":{"reason":"[a-z-]+"' || fail "cause of failure"
serf force-leave $rpc s3 || fail "force-leave"
within "a2 sees s3 left" sees 2 s3 left

# leave: the others see it left, the process ends with 0
serf leave -rpc-addr="$net.2:7373" | grep -q 'Graceful leave complete' || fail "leave"
exits $a2 0
within "a1 sees a2 left" sees 1 a2 left
kill -TERM $a1
exits $a1 0
within "monitor ends with the agent" not kill -0 $monitor
