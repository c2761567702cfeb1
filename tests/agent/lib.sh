# SPDX-License-Identifier: MIT
#
# For tests with real processes: each test has loopback addresses of its own, waits by polling with a deadline, and ends only
# processes that it started. $AGENT is the command that starts an agent.

set -u
work=$(mktemp -d "${TMPDIR:-/tmp}/hearsay-agent.XXXXXX")
net=127.$(($$ / 250 % 250 + 1)).$(($$ % 250 + 1))
pids=

finish() {
    status=$?
    for pid in $pids; do
        kill -9 "$pid" 2>/dev/null
    done
    wait 2>/dev/null
    if [ $status -ne 0 ] && [ $status -ne 77 ]; then
        [ ! -e "$work/out" ] || cat "$work/out"
        for log in "$work"/*.log; do
            echo "---- $log"
            grep -v "Accepted client" "$log" | tail -n 40
        done
    fi
    rm -rf "$work"
    exit $status
}
trap finish EXIT
trap 'exit 1' INT TERM HUP

fail() {
    echo "FAILED: $*"
    exit 1
}

need_serf() {
    if ! command -v serf >/dev/null; then
        echo "skipped: Debian's serf is not installed"
        exit 77
    fi
}

# start NAME NUMBER FLAGS…: an agent at $net.NUMBER; its process is $pid.
start() {
    name=$1 number=$2
    shift 2
    $AGENT --node "$name" --bind "$net.$number" --rpc-addr "$net.$number:7373" --profile local "$@" \
        >>"$work/$name.log" 2>&1 &
    pid=$!
    pids="$pids $pid"
}

start_serf() {
    name=$1 number=$2
    shift 2
    serf agent -node "$name" -bind "$net.$number" -rpc-addr "$net.$number:7373" -profile local "$@" >>"$work/$name.log" 2>&1 &
    pid=$!
    pids="$pids $pid"
}

# within WHAT COMMAND…: the command must succeed before patience ends. How fast a thing is, is for the benches to say: a machine may be busy, and a
# rumour that missed somebody waits for the exchange every 15 s.
patience_s=90
within() {
    deadline=$(($(date +%s) + patience_s)) what=$1
    shift
    until "$@" >/dev/null 2>&1; do
        [ "$(date +%s)" -lt "$deadline" ] || fail "$what"
        sleep 0.05
    done
}

# exits PID CODE
exits() {
    within "process $1 ends" not kill -0 "$1"
    wait "$1"
    code=$?
    [ $code -eq "$2" ] || fail "exit code $code instead of $2"
}

not() {
    ! "$@"
}

# sees NUMBER NAME STATUS: as the agent at NUMBER tells Debian's serf
sees() {
    serf members -rpc-addr="$net.$1:7373" | grep -Eq "^$2 +[^ ]+ +$3( |\$)"
}

has_line() {
    grep -Eq -- "$2" "$1"
}
