#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Queries in a mixed cluster: asked from either kind, acknowledged and answered by both, with filters by name and tag, with relays, and for real
# answers from scripts. Serf's own command is the client, whatever the agent.
AGENT=$1
. "$(dirname "$0")/lib.sh"

theirs s1 1 -tag role=db -tag rack=r1 -event-handler 'query:ask=echo from $SERF_SELF_NAME: $(cat)'
ours h2 2 --tag role=db --tag rack=r2 --event-handler 'query:ask=echo from $SERF_SELF_NAME: $(cat)'
theirs s3 3 -tag role=web -event-handler 'query:ask=echo from $SERF_SELF_NAME: $(cat)'
ours h4 4 --tag role=web --event-handler 'query:ask=echo from $SERF_SELF_NAME: $(cat)'
gather 4

# A rumour may miss somebody, and nothing repairs that for queries: so each may be asked a few times. once FROM ACKS RESPONSES FLAGS…
once() {
    from=$1 acks=$2 responses=$3
    shift 3
    serf query -rpc-addr="$net.$from:7373" -timeout=800ms "$@" ask hello >"$work/raw" 2>&1 || fail "query from $from: $(cat "$work/raw")"
    sort -u "$work/raw" >"$work/answer"
    grep -q "^Total Acks: $acks\$" "$work/raw" && grep -q "^Total Responses: $responses\$" "$work/raw"
}
ask() {
    within "from $*: not so many" once "$@"
}
reaches_all() {
    serf reachability -rpc-addr="$net.$1:7373" >"$work/reach" 2>&1 && grep -q 'Successfully contacted all live nodes' "$work/reach"
}
for from in 1 2; do
    ask $from 4 4
    for name in s1 h2 s3 h4; do
        grep -q "^Ack from '$name'\$" "$work/answer" && grep -q "^Response from '$name': from $name: hello\$" "$work/answer" || fail "$name answers $from"
    done
    ask $from 2 2 -node h4 -node s3
    ask $from 2 2 -tag 'role=^d.$'
    grep -q "^Ack from 's1'" "$work/answer" && grep -q "^Ack from 'h2'" "$work/answer" || fail "databases are meant"
    ask $from 2 2 -tag 'role=(?i)DB|web' -tag 'rack=r[12]'
    ask $from 0 0 -tag 'role=(' # no expression: nobody is meant
    serf query -rpc-addr="$net.$from:7373" -timeout=800ms -no-ack ask hello | grep '^Ack' && fail "nobody was asked for an ack"
    ask $from 4 4 -relay-factor 2
    within "$from reaches all" reaches_all $from
done
exit 0
