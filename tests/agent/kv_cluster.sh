#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The shared store of several agents: writes are everywhere at once, who was away or comes late catches up, two clusters that meet become one,
# nothing that was deleted comes back, and a Serf agent among them is not disturbed.
HEARSAY=$1
AGENT="$1 agent"
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/kv_lib.sh"
head -c 32 /dev/urandom | base64 >"$work/key"

# member NAME NUMBER FLAGS…: an agent with a store that joins the agent at 1, or through --retry-join among FLAGS
member() {
    name=$1 number=$2
    shift 2
    stores "$name" "$number" --encrypt "@$work/key" --set healing_interval_ms=100 "$@"
}

# all NUMBERS COMMAND…: the command succeeds at each of these agents
all() {
    numbers=$1
    shift
    for at in $numbers; do
        "$@" || return 1
    done
}

# same NUMBERS: they hold the same entries, to the byte, and the same root at one epoch
same() {
    rm -f "$work"/same.*
    for at in $1; do
        kv export | sed 's/"ttl_s":.*//' >"$work/same.$at" || return 1
    done
    set -- "$work"/same.*
    first=$1
    for other; do
        cmp -s "$first" "$other" || return 1
    done
}

fill() { # PREFIX COUNT: at agent $at
    seq "$2" | sed "s|.*|{\"key\":\"$1/&\",\"value\":\"$(printf '%s' "$1" | base64)\"}|" | kv import - | grep -qx "$2 entries imported" ||
        fail "import of $2"
}

# ---- three agents -----------------------------------------------------------------------------------------------------------------
member a1 1 --data-dir "$work/d1"
member a2 2 --data-dir "$work/d2" --retry-join "$net.1" --retry-interval 100ms
member a3 3 --retry-join "$net.1" --retry-interval 100ms
a3=$pid
at=1
kv put --copies 3 --format json first 1 >"$work/out" 2>&1 || within "three have it" kv put --copies 3 first 1
all '2 3' has first 1 || fail "whoever confirmed a copy shows it"
kv put second 2 || fail "put"
within "a write is everywhere" all '2 3' has second 2
head -c 1048576 /dev/urandom >"$work/large"
at=2
kv put large --file "$work/large" || fail "put"
large_is_there() {
    kv get large 2>/dev/null | cmp -s - "$work/large"
}
within "a large value too" all '1 3' large_is_there
at=3
kv delete second && kv put --ttl 1s short 1 || fail "writes at a3"
within "a delete too" all '1 2' not has second 2
within "an expiry too" all '1 2 3' not has short 1
wrong 1 'not confirmed in time|were confirmed' kv put --copies 4 --timeout 300ms fourth x
fill bulk 3000
within "3000 more" same '1 2 3'
at=1
kv status --format json | grep -q '"name": "a3"' || fail "status names the others"
kv status --gossip | grep -Eq '^a2$' || fail "status --gossip"
equal() {
    kv status --format json | sed -n 's/.*"equal_epoch": //p' | grep -vq '^0'
}
within "they see that they are equal" all '1 2 3' equal

# ---- every mode -----------------------------------------------------------------------------------------------------------------------
for mode in push pull push-pull; do
    all '1 2 3' kv tune --mode $mode --fanout 1 --interval 50ms || fail "tune"
    at=2
    [ "$(figure mode)" = $mode ] || fail "status says the mode"
    kv put "mode" "$mode" || fail "put"
    within "a write is everywhere by $mode" all '1 3' has mode "$mode"
done
wrong 2 'there is push, pull and push-pull' kv tune --mode shout

# ---- away, and back; late; and repair by hand -----------------------------------------------------------------------------------------
kill -9 "$a3"
wait "$a3" 2>/dev/null
at=1
fill missed 500
kv delete bulk/7 || fail "delete"
member a3 3 --retry-join "$net.1" --retry-interval 100ms
member a4 4 --retry-join "$net.1" --retry-interval 100ms
within "who comes empty is filled" same '1 2 3 4'
all '1 2 3 4' not has bulk/7 bulk || fail "what was deleted came back"
at=1
"$HEARSAY" repair a4 --rpc-addr "$net.1:7373" >"$work/out" || fail "repair: $(cat "$work/out")"
grep -Eq 'found = [0-9]+' "$work/out" && grep -Eq 'moved = [0-9]+' "$work/out" || fail "repair says what it found: $(cat "$work/out")"
"$HEARSAY" repair --format json --rpc-addr "$net.1:7373" | grep -q '"found": 0' || fail "repair of equals finds nothing"
wrong 1 'does not hold the store, or is not there' "$HEARSAY" repair nobody --rpc-addr "$net.1:7373"

# ---- two clusters that were one, or never met --------------------------------------------------------------------------------------------
member b1 11 --data-dir "$work/e1"
member b2 12 --retry-join "$net.11" --retry-interval 100ms
at=11
within "b1 and b2 meet" kv put --copies 2 --timeout 500ms theirs b
fill theirs 700
kv put both b || fail "put"
at=2
kv put both a || fail "put" # the later one
"$HEARSAY" join --rpc-addr "$net.11:7373" "$net.1" >/dev/null || fail "join"
within "two clusters become one" same '1 2 3 4 11 12'
all '1 2 3 4 11 12' has both a || fail "the newer write wins"
all '1 4 12' has theirs/700 theirs || fail "both sides' writes are everywhere"

# ---- large events -------------------------------------------------------------------------------------------------------------------------
stores a6 6 --encrypt "@$work/key" --retry-join "$net.1" --retry-interval 100ms --event-log "$work/a6.events" \
    --event-handler "user:blob=head -c 1048576 >$work/blob.new; mv $work/blob.new $work/blob"
ready() {
    kv status --format json | grep -q '"store": "yes"'
}
within "a6 knows others with a store" ready
head -c 1048576 /dev/urandom >"$work/payload"
"$HEARSAY" event --rpc-addr "$net.2:7373" --large blob "$work/payload" | grep -q 'of 1048576 bytes dispatched' || fail "event --large"
within "a large event reaches a handler" test -e "$work/blob"
cmp "$work/payload" "$work/blob" || fail "byte for byte"
has_line "$work/a6.events" '"event":"large-event","name":"blob"' || fail "the event log says that it is large"
wrong 1 'longer than 1048576 bytes' sh -c "head -c 1048577 /dev/zero | '$HEARSAY' event --rpc-addr $net.2:7373 --large blob -"
wrong 2 '\-\-large needs a file' "$HEARSAY" event --rpc-addr "$net.2:7373" --large blob

# ---- Serf among them ----------------------------------------------------------------------------------------------------------------------
if command -v serf >/dev/null; then
    start_serf s5 5 -encrypt "$(cat "$work/key")" -join "$net.1"
    serf=$pid
    within "Serf joins" sees 5 a4 alive
    at=4
    fill serf 200
    within "the store goes on" same '1 2 3 4 11 12'
    serf event -rpc-addr="$net.5:7373" still here >/dev/null || fail "Serf's events"
    grep -E '\[(WARN|ERR)' "$work/s5.log" | grep -v 'Refuting' && fail "Serf complains"
    kill "$serf"
fi
exit 0
