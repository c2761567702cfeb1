#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Agents that have only a name to --discover by find each other by multicast DNS: ours find Serf's, Serf's find ours, and who has another name
# stays alone. In a network of its own, whose loopback can multicast.
AGENT=$1
. "$(dirname "$0")/own_net.sh"
. "$(dirname "$0")/lib.sh"

{ ip link set lo multicast on && ip route add 224.0.0.0/4 dev lo && ip -6 route add multicast ff00::/8 dev lo table local; } 2>/dev/null ||
    { echo "skipped: loopback cannot multicast here"; exit 77; }

# Serf asks once, when it starts, and then a minute later: who joined whom stands in its log.
theirs s1 1 -discover prod
answers 1
ours h2 2 --discover prod
answers 2
within "h2 finds s1" grep -q 'agent.mdns: Joined 1 hosts' "$work/h2.log"
within "s1 sees h2" sees 1 h2 alive
ours h3 3 --discover prod
answers 3
within "h3 finds somebody" grep -q 'agent.mdns: Joined' "$work/h3.log"
theirs s4 4 -discover prod
answers 4
within "s4 finds us" grep -q 'agent.mdns: Joined' "$work/s4.log"
for each in 1 2 3 4; do
    within "$each sees all 4" all_meet $each 4
done
ours h5 5 --discover staging
ours h6 6 --discover staging
answers 5
answers 6
within "h5 and h6 find each other" all_meet 5 2
all_meet 2 4 || fail "who has another name joins nobody of ours"

# Serf's key of the configuration, and one family only.
echo '{"discover": "prod", "mdns": {"interface": "lo", "disable_ipv6": true}}' >"$work/mdns.json"
ours h7 7 --config-file "$work/mdns.json"
answers 7
within "h7 finds the others" all_meet 7 5
printf 'nonsense' | timeout 5 bash -c "exec 3<>/dev/udp/224.0.0.251/5353; cat >&3" 2>/dev/null
answers 7

# What cannot be is said, and the agent does not start.
$AGENT --node h8 --bind "$net.8" --rpc-addr "$net.8:7373" --discover "$(printf 'x%.0s' $(seq 60))" >"$work/h8.out" 2>&1 && fail "a name too long"
grep -q 'must have 1 to 57 bytes' "$work/h8.out" || fail "what is wrong with the name: $(cat "$work/h8.out")"
echo '{"discover": "prod", "mdns": {"interface": "nowhere0"}}' >"$work/nowhere.json"
$AGENT --node h9 --bind "$net.9" --rpc-addr "$net.9:7373" --config-file "$work/nowhere.json" >"$work/h9.out" 2>&1 && fail "no such interface"
grep -q "cannot discover 'prod' by multicast DNS" "$work/h9.out" || fail "what is wrong: $(cat "$work/h9.out")"
exit 0
