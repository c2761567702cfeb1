#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Clusters in virtual time: every ready scenario runs and ends in agreement, one seed is one digest, a page has no foreign address. What
# is no scenario stands in bad_input.sh. cluster_test.sh PROGRAM
set -eu
program=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
    echo "FAIL: $*" >&2
    exit 1
}

[ "$("$program" sim cluster --list | wc -l)" = 11 ] || fail 'eleven scenarios are ready'
for name in $("$program" sim cluster --list | sed 's/ .*//'); do
    "$program" sim cluster --nodes 30 --scenario "$name" --duration 150 --format json >"$work/$name.json" || fail "$name"
    grep -q '"coverage":1.0000' "$work/$name.json" || fail "$name does not end in agreement: $(cut -c1-600 "$work/$name.json")"
done
grep -q '"false_positives":0' "$work/steady.json" || fail 'a quiet cluster accuses nobody'
deaths=$(grep -o '"first_s":[0-9.]*,"last_s":[0-9.]*,"seen":[0-9]*' "$work/mass-crash.json" | wc -l)
[ "$deaths" -ge 5 ] || fail "three die and then three, of whom one may be dead already: $deaths"
"$program" sim cluster --nodes 30 --scenario mass-crash --duration 150 --format json >"$work/again.json"
for run in again mass-crash; do
    sed 's/,"cost":{[^}]*}//' "$work/$run.json" >"$work/$run.same"
done
cmp -s "$work/again.same" "$work/mass-crash.same" || fail 'the same seed is the same run'

# The report has everything: deaths, events, false verdicts, agreement, queues, what each type of message costs.
echo '{"faults": [{"fault": "event", "at": 1, "nodes": 5, "spacing": 1}, {"fault": "crash", "at": 20, "nodes": 1}]}' >"$work/events.json"
"$program" sim cluster --nodes 30 --scenario "$work/events.json" --duration 60 --format json >"$work/report.json" || fail 'a scenario with events'
for part in '"event_reach":{"events":5,"50":{"events":5,"mean_s":0.0' '"100":{"events":5,' '"seen":30,"hearers":30}' '"first_s":' '"last_s":' \
    '"false_positives":0' '"false_positives_at_healthy":0' '"converged_s":' '"queue_max":' '"packets_per_node_second":' \
    '"stream_bytes_per_node_second":' '"ping":{"messages":' '"user":{"messages":'; do
    grep -qF -e "$part" "$work/report.json" || fail "the report lacks $part: $(cut -c1-1500 "$work/report.json")"
done
half_us() {
    sed 's/.*"50":{"events":5,"mean_s":0.0*\([1-9][0-9]*\).*/\1/' "$1"
}
sed 's/^{/{"timer_grain": 0.001, /' "$work/events.json" >"$work/coarse.json"
"$program" sim cluster --nodes 30 --scenario "$work/coarse.json" --duration 60 --format json >"$work/coarse-report.json" || fail 'coarse timers'
[ "$(half_us "$work/coarse-report.json")" -gt $(($(half_us "$work/report.json") + 1000)) ] || fail 'timers that count milliseconds are late'
sed 's/^{/{"cores": 1, "wake_cpu": 0.0005, /' "$work/events.json" >"$work/shared.json"
"$program" sim cluster --nodes 30 --scenario "$work/shared.json" --duration 60 --format json >"$work/shared-report.json" || fail 'a shared core'
[ "$(half_us "$work/shared-report.json")" -gt $(($(half_us "$work/report.json") + 1000)) ] || fail 'nodes that share a core wait for it'
"$program" sim cluster --nodes 30 --scenario "$work/events.json" --duration 60 >"$work/report.txt"
grep -q '^event reach      100 % .*: 5 of 5 events$' "$work/report.txt" || fail "the text tells of events: $(cat "$work/report.txt")"

echo '{"node_name": "any", "encrypt_key": "MDEyMzQ1Njc4OWFiY2RlZg==", "numbers": {"suspicion_mult": 2}}' >"$work/agent.json"
"$program" sim cluster --nodes 20 --scenario split-brain --config-file "$work/agent.json" --html "$work/page.html" --duration 100 >"$work/text" ||
    fail 'with the configuration of an agent'
grep -q encrypted "$work/text" || fail "the key of the configuration is used: $(cat "$work/text")"
grep -q '<svg' "$work/page.html" || fail 'the page has plots'
! grep -q 'https\?:' "$work/page.html" || fail 'the page needs a network'
