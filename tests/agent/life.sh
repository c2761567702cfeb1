#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Signals, reloading, and what survives a restart: snapshot, address book, tags file.
AGENT=$1
. "$(dirname "$0")/lib.sh"
need_serf

ready() {
    within "$1 is ready" has_line "$work/$1.events" '"event":"ready"'
}

# ---- signals -----------------------------------------------------------------------------------------------------------------
start a1 1 --event-log "$work/a1.events" --data-dir "$work/d1"
a1=$pid
ready a1
start a2 2 --event-log - --data-dir "$work/d2" --join "$net.1"
a2=$pid
within "they meet" sees 2 a1 alive
grep -q '^{"schema":1,"event":"ready"' "$work/a2.log" || fail "event log on stdout"
kill -INT $a2
exits $a2 0
within "an interrupted agent has left" sees 1 a2 left
start a3 3 --leave-on-term --join "$net.1"
a3=$pid
within "a3 is met" sees 1 a3 alive
kill -TERM $a3
exits $a3 0
within "leave on TERM if wished" sees 1 a3 left
start a4 4 --join "$net.1"
a4=$pid
within "a4 is met" sees 1 a4 alive
kill -TERM $a4
exits $a4 0
within "else it has failed" sees 1 a4 failed

# ---- reload ------------------------------------------------------------------------------------------------------------------
echo '{"tags":{"v":"1"},"log_level":"warn"}' >"$work/a5.json"
start a5 5 --join "$net.1" --config-file "$work/a5.json" --event-log "$work/a5.events"
a5=$pid
ready a5
echo '{"tags":{"v":"2"},"log_level":"info"}' >"$work/a5.json"
mv "$work/a5.events" "$work/a5.events.1"
kill -HUP $a5
within "new tags" sh -c "serf members -rpc-addr=$net.1:7373 -name a5 | grep -q v=2"
within "the event log is opened anew" has_line "$work/a5.events" '"member-update"'
echo '{"tags":' >"$work/a5.json"
kill -HUP $a5
within "a wrong file is told" has_line "$work/a5.log" 'Failed to reload: .*a5.json:2'
sees 5 a1 alive || fail "a5 lives on"
kill -9 $a5

# ---- a full pipe costs lines, not time -----------------------------------------------------------------------------------------
mkfifo "$work/pipe"
start a6 6 --event-log "$work/pipe"
a6=$pid
within "a6 does not wait for a reader" sees 6 a6 alive
text=$(head -c 400 /dev/zero | tr '\0' x)
said=0
while [ $said -lt 160 ]; do # 64 KiB hold about a hundred of them
    said=$((said + 1))
    serf event -rpc-addr="$net.6:7373" "e$said" "$text" >/dev/null || fail "a6 serves while its pipe is full"
done
within "a6 tells that it drops lines" has_line "$work/a6.log" 'event log: [0-9]+ lines were dropped'
timeout 2 cat "$work/pipe" >"$work/read" &
reader=$!
within "what was not dropped can be read" has_line "$work/read" '"name":"e1"'
kill $reader
head -n 1 "$work/read" | grep -q '^{"schema":1,"event":"ready"' || fail "the first line is ready"
grep -vqE '^\{"schema":1,.*\}$' "$work/read" && fail "a line is cut: $(grep -vE '^\{"schema":1,.*\}$' "$work/read")"
kill -9 $a6

# ---- snapshot: a crashed agent finds its cluster again ---------------------------------------------------------------------------
start a7 7 --join "$net.1" --snapshot "$work/s7" --tags-file "$work/t7"
a7=$pid
within "a7 knows a1" has_line "$work/s7" '^alive: a1 '
serf tags -rpc-addr="$net.7:7373" -set kept=yes >/dev/null || fail "tags"
within "the tags file is written" has_line "$work/t7" '"kept": "yes"'
serf event -rpc-addr="$net.7:7373" old x >/dev/null || fail "event"
within "clocks are kept" has_line "$work/s7" '^event-clock: 1$'
kill -9 $a7
wait $a7 2>/dev/null
start a7 7 --snapshot "$work/s7" --tags-file "$work/t7"
a7=$pid
within "a7 finds a1 by its snapshot" sees 7 a1 alive
within "a7 has its tags" sh -c "serf members -rpc-addr=$net.1:7373 -name a7 | grep -q kept=yes"
kill -INT $a7
exits $a7 0
has_line "$work/s7" '^leave$' || fail "leave in the snapshot"
start a7 7 --snapshot "$work/s7" --tags-file "$work/t7" --event-log "$work/a7.events"
a7=$pid
ready a7
serf members -rpc-addr="$net.7:7373" | grep -q a1 && fail "a7 came back although it had left"
kill -9 $a7

# ---- address book: everybody is restarted and nobody is told whom to join ---------------------------------------------------------
start a8 8 --join "$net.1" --data-dir "$work/d8"
a8=$pid
within "they meet" sees 8 a1 alive
within "a8 writes a1 down" has_line "$work/d8/addresses" "^$net.1:7946 [0-9]+ a1\$"
within "a1 writes a8 down" has_line "$work/d1/addresses" "^$net.8:7946 [0-9]+ a8\$"
kill -9 $a1 $a8
wait $a1 $a8 2>/dev/null
rm "$work/d1/snapshot" "$work/d8/snapshot"
echo 'broken line' >>"$work/d8/addresses"
start a1 1 --data-dir "$work/d1" --set healing_interval_ms=100
start a8 8 --data-dir "$work/d8" --set healing_interval_ms=100
within "they find each other again" sees 8 a1 alive
has_line "$work/a8.log" 'skipped 1 damaged' || fail "damaged line is told"
exit 0
