#!/bin/sh
# SPDX-License-Identifier: MIT
#
# A network that falls into two, with real agents and packets that the kernel drops: both sides write, keys are deleted on one side and on
# the other, an agent is killed meanwhile on each; when the network is whole again all hold the same and nothing deleted is back.
. "$(dirname "$0")/../interop/own_net.sh"
HEARSAY=$1
AGENT="$1 agent"
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/kv_lib.sh"

all() { # NUMBERS COMMAND…: the command succeeds at each of these agents
    numbers=$1
    shift
    for at in $numbers; do
        "$@" || return 1
    done
}

# member NAME NUMBER FLAGS…
member() {
    name=$1 number=$2
    shift 2
    stores "$name" "$number" --data-dir "$work/$name" --snapshot "$work/$name.snapshot" --set healing_interval_ms=100 "$@"
}

fill() { # PREFIX COUNT: at agent $at
    seq "$2" | sed "s|.*|{\"key\":\"$1/&\",\"value\":\"$(printf '%s' "$1" | base64)\"}|" | kv import - | grep -qx "$2 entries imported" ||
        fail "import of $2"
}

holds() { # COUNT PREFIX: so many keys
    [ "$(kv list "$2" --format json | grep -c '"key"')" -eq "$1" ]
}

same() { # NUMBERS: the same entries, to the byte
    rm -f "$work"/same.*
    for at in $1; do
        kv export >"$work/same.$at" || return 1
    done
    for other in $1; do
        cmp -s "$work/same.$other" "$work/same.1" || return 1
    done
}

member a1 1
for i in 2 3 4 5 6; do
    member a$i $i --retry-join "$net.1" --retry-interval 100ms
    eval "a$i=\$pid"
done
at=1
fill both 300
fill doomed 40
within "all have all" all '1 2 3 4 5 6' holds 340 ''
equal() { # with all five others
    [ "$(kv status --format json | grep -c '"equal_epoch": [1-9]')" -eq 5 ]
}
within "all see that they are equal" all '1 2 3 4 5 6' equal

# ---- 1, 2, 3 and 4, 5, 6 do not hear each other ---------------------------------------------------------------------------------------
for left in 1 2 3; do
    for right in 4 5 6; do
        drop ip saddr "$net.$left" ip daddr "$net.$right"
        drop ip saddr "$net.$right" ip daddr "$net.$left"
    done
done
failed() { # COUNT members, as agent $at sees them
    [ "$("$HEARSAY" members --rpc-addr "$net.$at:7373" | grep -c ' failed ')" -eq "$1" ]
}
within "each side sees the other fail" all '1 2 3 4 5 6' failed 3
at=2
fill left 200
kv put both/1 "of the left"
for i in $(seq 20); do
    kv delete "doomed/$i" || fail "delete on the left"
done
at=5
fill right 200
kv put both/1 "of the right, later" || fail "put"
for i in $(seq 21 40); do
    kv delete "doomed/$i" || fail "delete on the right"
done
# shellcheck disable=SC2154 # they are set above
kill -9 "$a3" "$a6" # each knows of the deletes of one side only, or not even of those
wait "$a3" "$a6" 2>/dev/null
at=1
fill later 50
within "the left is equal" all '1 2' holds 570 ''
within "the right is equal" all '4 5' holds 520 ''
all '1 2' not holds 1 right/1 || fail "the cut let something through"
member a3 3
member a6 6
within "who was killed catches up" all '3' holds 570 ''

# ---- whole again ---------------------------------------------------------------------------------------------------------------------
mend
within "all are equal" same '1 2 3 4 5 6'
all '1 2 3 4 5 6' holds 750 '' || fail "300 of both, 200 left, 200 right, 50 later, and no other"
all '1 2 3 4 5 6' holds 0 doomed || fail "what was deleted came back"
all '1 2 3 4 5 6' has both/1 "of the right, later" || fail "the later write wins"
at=4
kv put after all && within "life goes on" all '1 2 3 5 6' has after all
exit 0
