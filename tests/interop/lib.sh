# SPDX-License-Identifier: MIT
#
# Rumours may miss a member: the profile local exchanges all every 15 s, so whoever has not heard by gossip hears then.
#
# For interop: agents of either kind under one word. ours NAME NUMBER FLAGS…, theirs NAME NUMBER FLAGS…; hearing an event is asked of the event log
# or of serf's log, by the name of the agent.

# shellcheck source=tests/agent/lib.sh
. "$(dirname "$0")/../agent/lib.sh"
need_serf

ours() {
    start "$@" --event-log "$work/$1.events"
}

theirs() {
    start_serf "$@"
}

answers() {
    within "the agent at $1 answers" serf members -rpc-addr="$net.$1:7373"
}

# calls NUMBER BY: BY joins through NUMBER
calls() {
    serf join -rpc-addr="$net.$2:7373" "$net.$1" | grep -q 'contacting 1 nodes' || fail "$2 joins through $1"
}

all_meet() {
    [ "$(serf members -rpc-addr="$net.$1:7373" -status alive | wc -l)" -eq "$2" ]
}

# gather COUNT: the agents 1..COUNT answer, all join through the first, and everybody sees everybody
gather() {
    for each in $(seq "$1"); do
        answers "$each"
    done
    for each in $(seq 2 "$1"); do
        calls 1 "$each"
    done
    for each in $(seq "$1"); do
        within "$each sees all $1" all_meet "$each" "$1"
    done
}

heard() {
    if [ -e "$work/$1.events" ]; then
        grep -q "\"event\":\"user\",\"name\":\"$2\"" "$work/$1.events"
    else
        grep -q "user-event: $2" "$work/$1.log"
    fi
}

event() {
    serf event -rpc-addr="$net.$1:7373" "$2" "${3:-}" >/dev/null || fail "event $2"
}

tagged() {
    serf members -rpc-addr="$net.$1:7373" -name "$2" | grep -q "$3"
}

# Nobody has a later Lamport time than another: whatever is said next is news to everybody.
clocks_agree() {
    clocks=$(for each in "$@"; do serf info -rpc-addr="$net.$each:7373" | sed -n 's/.*member_time = //p'; done | sort -u | wc -l)
    [ "$clocks" -eq 1 ]
}
