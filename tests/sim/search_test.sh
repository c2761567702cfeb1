#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The search itself: seeds hold, the same seed is the same run whatever the threads and shards, a broken promise is found, shrunk and
# lived again, wrong use is exit code 2. search_test.sh PROGRAM FIRST LAST
set -eu
program=$1
first=$2
last=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
    echo "FAIL: $*" >&2
    exit 1
}

# Whatever the threads and shards, a seed has one digest.
"$program" sim search --seeds "$first..$last" --format json >"$work/all" || fail "a promise was broken: $(grep -v '"ok":true' "$work/all")"
"$program" sim search --seeds "$first..$((first + 5))" --threads 1 --shard 1/2 --format json >"$work/odd"
"$program" sim search --seeds "$first..$((first + 5))" --threads 2 --shard 2/2 --format json >"$work/even"
[ "$(wc -l <"$work/odd")" -eq 3 ] || fail 'shard 1/2 of six seeds is three'
"$program" sim merge "$work/all" "$work/odd" "$work/even" >"$work/merged" || fail "shards differ: $(cat "$work/merged")"
grep -q "^$((last - first + 1)) seeds, 0 failed" "$work/merged" || fail "merged: $(cat "$work/merged")"
sed 's/"digest":"./"digest":"x/' "$work/odd" >"$work/other"
! "$program" sim merge "$work/all" "$work/other" 2>/dev/null >&2 || fail 'a seed with two lives must be noticed'

# A bound that nobody can keep: the judge says so, shrinks, and the command that it prints fails again.
found=0
for seed in 1 2 3 4 5 6 7 8 9 10; do
    if ! "$program" sim search --seed "$seed" --bound 1 >"$work/tight"; then
        again=$(sed -n 's/^  again: hearsay sim //p' "$work/tight")
        # shellcheck disable=SC2086
        ! "$program" sim $again >/dev/null || fail "does not fail again: $again"
        found=1
        break
    fi
done
[ "$found" = 1 ] || fail 'no seed needs longer than a second to agree: the judge is blind'

# Memory that fails at random: dropped inputs, and all agree in the end.
"$program" sim search --seeds 1..4 --nodes 10..30 --duration 300 --allocation-failures 0.01 --format json >"$work/scarce" ||
    fail "scarce memory: $(cat "$work/scarce")"
grep -q failed_allocations "$work/scarce" || fail 'no allocation failed'

# The shared store under the same faults: crashes with and without the disk, partitions, clocks beyond the drift allowed.
"$program" sim search --store --seeds 1..10 --nodes 5..16 --duration 300 --format json >"$work/store" ||
    fail "the store: $(grep -v '"ok":true' "$work/store")"
grep -q '"acknowledged":[1-9]' "$work/store" || fail 'nothing was ever acknowledged: the oracle is blind'

for wrong in '--seeds 5..1' '--seeds x' '--shard 3/2' '--nodes 1..5' '--faults 99' '--duration 1' '--allocation-failures 2' '--format xml'; do
    code=0
    # shellcheck disable=SC2086
    "$program" sim search $wrong >/dev/null 2>"$work/why" || code=$?
    [ "$code" = 2 ] || fail "$wrong: exit code $code"
    [ "$(wc -l <"$work/why")" = 1 ] || fail "$wrong: $(cat "$work/why")"
done
