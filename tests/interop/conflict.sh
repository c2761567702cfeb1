#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Two nodes of one name in a mixed cluster: the majority keeps who was there first, and the other shuts down and exits with 0, whichever kind
# it is. Serf's log and exit are the measure.
AGENT=$1
. "$(dirname "$0")/lib.sh"

theirs s1 1
ours h2 2
theirs s3 3
ours twin 4
gather 4
twin=$pid
ours twin 5
second=$pid
answers 5
serf join -rpc-addr="$net.5:7373" "$net.1" "$net.2" >/dev/null 2>&1
exits $second 0
has_line "$work/twin.log" 'minority in name conflict resolution' || fail "it says why"
theirs twin 6
second=$pid
answers 6
serf join -rpc-addr="$net.6:7373" "$net.1" "$net.2" >/dev/null 2>&1
exits $second 0
kill -0 $twin || fail "who was there first stays"
[ "$(serf members -rpc-addr="$net.1:7373" -name twin -status alive | grep -c "$net.4")" -eq 1 ] || fail "and is seen"
theirs first 7
answers 7
calls 1 7
within "h2 sees first" sees 2 first alive
ours first 8
second=$pid
answers 8
serf join -rpc-addr="$net.8:7373" "$net.1" "$net.2" >/dev/null 2>&1
exits $second 0
exit 0
