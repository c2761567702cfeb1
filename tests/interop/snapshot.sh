#!/bin/sh
# SPDX-License-Identifier: MIT
#
# One node is switched over in place: the snapshot that Serf's agent wrote is ours, ours is Serf's, and back again. Nobody is told whom to
# join, and no event is heard twice.
AGENT=$1
. "$(dirname "$0")/lib.sh"
snapshot=$work/snapshot

theirs s1 1
answers 1
theirs n2 2 -snapshot "$snapshot"
n2=$pid
answers 2
calls 1 2
within "1 sees n2" sees 1 n2 alive
event 1 before
within "n2 hears" heard n2 before
# Serf writes lines when the next one comes, half a second later.
nudged() {
    event 1 "more$(wc -l <"$snapshot")" && has_line "$snapshot" '^event-clock: '
}
within "Serf writes its clock" nudged
kill -9 $n2
wait $n2 2>/dev/null
grep -Eq '^alive: s1 ' "$snapshot" || fail "Serf's snapshot: $(cat "$snapshot")"

# Serf's file, with a name that has blanks and a comment, as it may be.
printf 'alive: long gone 127.255.255.1:1\n# a comment\ncoordinate: {}\n' >>"$snapshot"
mv "$work/n2.log" "$work/n2.serf.log"
ours n2 2 --snapshot "$snapshot"
n2=$pid
within "ours finds the cluster by Serf's snapshot" sees 2 s1 alive
within "1 sees n2 again" sees 1 n2 alive
event 1 between
time=$(serf info -rpc-addr="$net.1:7373" | sed -n 's/.*event_time = //p')
within "n2 hears" heard n2 between
heard n2 before && fail "an event from before is heard again"
within "our clock is written" sh -c "[ \$(sed -n 's/^event-clock: //p' $snapshot | tail -n 1) -ge $((time - 1)) ]"
grep -q 'skipped .* damaged' "$work/n2.log" && fail "lines of Serf are called damaged: $(grep skipped "$work/n2.log")"
kill -9 $n2
wait $n2 2>/dev/null
rm "$work/n2.events"
mv "$work/n2.log" "$work/n2.ours.log"

theirs n2 2 -snapshot "$snapshot"
n2=$pid
within "Serf finds the cluster by ours" sees 2 s1 alive
event 1 after
within "n2 hears" heard n2 after
grep -q 'user-event: between' "$work/n2.log" && fail "Serf hears an old event again"

# A leave, and what is kept of it.
serf leave -rpc-addr="$net.2:7373" >/dev/null || fail leave
exits $n2 0
has_line "$snapshot" '^leave$' || fail "Serf writes the leave"
cp "$snapshot" "$work/copy"
ours n2 2 --snapshot "$snapshot"
n2=$pid
answers 2
[ "$(serf members -rpc-addr="$net.2:7373" | wc -l)" -eq 1 ] || fail "who left comes back by itself"
kill -9 $n2
wait $n2 2>/dev/null
ours n2 2 --snapshot "$work/copy" --rejoin
n2=$pid
within "with --rejoin it does" sees 2 s1 alive
kill -INT $n2
exits $n2 0
has_line "$work/copy" '^leave$' || fail "our leave"
theirs n2 2 -snapshot "$work/copy" -rejoin
within "and so does Serf, by ours" sees 2 s1 alive
exit 0
