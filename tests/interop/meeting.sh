#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Meeting either way, tags both ways and their changes, events both ways; crash and return both ways; with and without compression.
# The LAN profile: with two copies of each rumour, as local has, one of four misses a tag or an event now and then; Serf too.
AGENT=$1
. "$(dirname "$0")/lib.sh"

# We join them, and they join us; compression is off on one side of each pair.
theirs s1 1 -profile lan -tag side=go
s1=$pid
ours h2 2 --profile lan --tag side=c --disable-compression
h2=$pid
answers 1
answers 2
calls 1 2
ours h3 3 --profile lan --tag side=c
theirs s4 4 -profile lan -disable-compression
answers 3
answers 4
calls 3 4
calls 3 1 # and both pairs become one cluster
for number in 1 2 3 4; do
    for name in s1 h2 h3 s4; do
        within "$number sees $name" sees $number $name alive
    done
    within "$number sees the tag of s1" tagged $number s1 side=go
    within "$number sees the tag of h2" tagged $number h2 side=c
done

serf tags -rpc-addr="$net.1:7373" -set version=2 >/dev/null || fail "tags of s1"
serf tags -rpc-addr="$net.2:7373" -set version=3 -delete side >/dev/null || fail "tags of h2"
for number in 1 2 3 4; do
    within "$number sees the new tag of s1" tagged $number s1 version=2
    within "$number sees the new tag of h2" tagged $number h2 version=3
done
within "h3 logs the update" has_line "$work/h3.events" '"event":"member-update","member":{"name":"s1"'

event 1 from-go 'a payload'
event 2 from-c 'a payload'
for name in s1 h2 h3 s4; do
    within "$name hears s1" heard $name from-go
    within "$name hears h2" heard $name from-c
done
has_line "$work/h3.events" '"name":"from-go","ltime":[0-9]+,"payload":"YSBwYXlsb2Fk"' || fail "the payload of s1 is whole"

# serf's reachability counts everybody, and a query's receipt is acknowledged directly and through relays
reaches() {
    serf reachability -rpc-addr="$net.1:7373" 2>&1 | grep -q 'Successfully contacted all live nodes'
}
within "all four acknowledge" reaches
serf query -rpc-addr="$net.1:7373" -timeout 2s -node h2 -relay-factor 1 whoami >"$work/query.out" 2>&1
grep -q "Ack from 'h2'" "$work/query.out" || fail "h2 acknowledges a query that names it: $(cat "$work/query.out")"
grep -q "Ack from 'h3'" "$work/query.out" && fail "h3 was not named"

# kill -9, both ways, and the return under the same name
kill -9 $s1
kill -9 $h2
wait $s1 $h2 2>/dev/null
for number in 3 4; do
    within "$number sees s1 failed" sees $number s1 failed
    within "$number sees h2 failed" sees $number h2 failed
done
has_line "$work/h3.events" '"event":"member-failed","member":{"name":"s1".*"cause":{"reason":"[a-z-]+"' || fail "the failure has a cause"
theirs s1 1 -profile lan -tag side=back
ours h2 2 --profile lan --tag side=back
answers 1
answers 2
calls 3 1
calls 4 2
for number in 1 2 3 4; do
    for name in s1 h2 h3 s4; do
        within "$number sees $name again" sees $number $name alive
    done
    within "$number sees who is back" tagged $number s1 side=back
done
grep -q 'Failed to\|\[ERR\]\|unknown message' "$work/s4.log" && { grep 'Failed to\|\[ERR\]\|unknown message' "$work/s4.log" | grep -v 'Failed to reconnect\|connection refused\|Failed fallback' && fail "serf complains"; }
exit 0
