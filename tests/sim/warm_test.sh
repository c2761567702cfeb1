#!/bin/sh
# SPDX-License-Identifier: MIT
#
# A warm start: 300 nodes know each other from the first instant, nobody is told what everybody knows, an event reaches all, a crash is detected by
# all, a known member costs what it may, and one seed is one digest. The same with labels and keys. warm_test.sh PROGRAM
set -eu
program=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
    echo "FAIL: $*" >&2
    exit 1
}

number() { # KEY: its value in the last run
    sed "s/.*\"$1\":\([0-9.]*\).*/\1/" "$work/run.json"
}

run() { # FLAG…
    "$program" sim cluster --nodes 300 --warm --format json "$@" >"$work/run.json" || fail "$*"
}

run --duration 3
grep -q '"converged_s":0.0,"coverage":1.0000,"queue_max":0,' "$work/run.json" || fail "all know each other at once, and have nothing to tell: $(cut -c1-600 "$work/run.json")"
small=$(number node_bytes)
"$program" sim cluster --nodes 900 --warm --format json --duration 3 >"$work/run.json"
each=$((($(number node_bytes) - small) / 600))
echo "a node that knows 300 holds $small bytes; each further member costs it $each"
[ "$small" -le 102400 ] || fail "a node holds $small bytes"
[ "$each" -le 56 ] || fail "a member costs $each bytes, with the allocator's own"

for seed in 1 1 2; do
    run --scenario event-and-crash --duration 60 --seed "$seed"
    grep -q '"seen":300,"hearers":300' "$work/run.json" || fail "an event reaches all: $(cut -c1-600 "$work/run.json")"
    grep -q '"seen":299,"observers":299' "$work/run.json" || fail "a crash is detected by all: $(cut -c1-600 "$work/run.json")"
    grep -q '"false_positives":0' "$work/run.json" || fail 'nobody is accused wrongly'
    sed 's/.*"digest":"\([0-9a-f]*\)".*/\1/' "$work/run.json" >>"$work/digests"
done
[ "$(sort -u "$work/digests" | wc -l)" = 2 ] || fail "a seed is a digest: $(cat "$work/digests")"

echo '{"node_name": "any", "label": "blue", "encrypt_key": "MDEyMzQ1Njc4OWFiY2RlZg==", "profile": "wan"}' >"$work/agent.json"
run --config-file "$work/agent.json" --duration 3
grep -q '"coverage":1.0000' "$work/run.json" || fail 'with a label and a key'

echo '{"node_name": "any", "numbers": {"members_max": 200}}' >"$work/agent.json"
! "$program" sim cluster --nodes 300 --warm --config-file "$work/agent.json" 2>"$work/why" || fail 'more than members_max'
grep -q members_max "$work/why" || fail "it says what is wrong: $(cat "$work/why")"
