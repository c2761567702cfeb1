#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Event handlers with real scripts: they find in environment and input what Serf's agent gives them; and scripts that hang, fork,
# flood, die or do not read do no harm to the agent.
AGENT=$1
. "$(dirname "$0")/lib.sh"
need_serf

# What a script is told, one file per event.
cat >"$work/tell.sh" <<'END_OF_SCRIPT'
#!/bin/sh
mkdir -p "$1"
file=$1/$SERF_EVENT-$SERF_USER_EVENT$SERF_QUERY_NAME
{
    env | grep '^SERF_' | sort
    echo --
    cat /dev/stdin
} >"$file.$$"
mv "$file.$$" "$file"
END_OF_SCRIPT
chmod +x "$work/tell.sh"

# ---- the same as Serf's agent ----------------------------------------------------------------------------------------------------
start h1 1 --tag role=web --tag a-b=2 --event-handler "$work/tell.sh $work/h1" --event-handler "user:only=$work/tell.sh $work/only"
h1=$pid
start_serf s2 2 -tag role=web -tag a-b=2 -event-handler "$work/tell.sh $work/s2"
within "s2 answers" serf members -rpc-addr="$net.2:7373"
within "h1 answers" serf members -rpc-addr="$net.1:7373"
serf join -rpc-addr="$net.1:7373" "$net.2" >/dev/null || fail join
within "h1 tells of joins" has_line "$work/h1/member-join-" "^s2"
serf event -rpc-addr="$net.1:7373" deploy 'v1 of it' >/dev/null || fail event
serf event -rpc-addr="$net.1:7373" -coalesce=false only '' >/dev/null || fail event
for name in h1 s2; do
    within "$name is told of deploy" test -e "$work/$name/user-deploy"
    within "$name is told of only" test -e "$work/$name/user-only"
done
[ "$(ls "$work/only")" = user-only ] || fail "a filter by name: $(ls "$work/only")"
sed -i "s/=s2\$/=h1/" "$work"/s2/user-*
for event in user-deploy user-only; do
    diff "$work/s2/$event" "$work/h1/$event" || fail "$event: a script is told something else than by Serf"
done
serf query -rpc-addr="$net.1:7373" -timeout=1s load 'now' >/dev/null || fail query
for name in h1 s2; do
    within "$name is told of a query" test -e "$work/$name/query-load"
done
sed -i "s/=s2\$/=h1/" "$work/s2/query-load"
diff "$work/s2/query-load" "$work/h1/query-load" || fail "a query: a script is told something else than by Serf"
serf tags -rpc-addr="$net.1:7373" -set role=db -delete a-b >/dev/null || fail tags
within "an update is told" has_line "$work/h1/member-update-" "^h1	$net.1	db	role=db\$"
within "by Serf too" has_line "$work/s2/member-update-" "^h1	$net.1	db	role=db\$"
has_line "$work/h1/member-update-" '^SERF_SELF_ROLE=db$' || fail "new tags in the environment"
serf info -rpc-addr="$net.1:7373" | grep -q "user:only = $work/tell.sh $work/only" || fail "info lists handlers"

# ---- wrong ones ----------------------------------------------------------------------------------------------------------------------
"$AGENT" --node x --bind "$net.9" --rpc-addr "$net.9:7373" --event-handler 'member-jion=true' >"$work/x.log" 2>&1
[ $? -eq 1 ] && grep -q "event handler 'member-jion=true' must be" "$work/x.log" || fail "a wrong filter: $(cat "$work/x.log")"

# ---- bad scripts -----------------------------------------------------------------------------------------------------------------------
cat >"$work/h3.json" <<END_OF_FILE
{"event_handlers": [
  "user:hang=trap '' TERM; echo \$\$ >$work/hang.pid; sleep 1000 & echo \$! >$work/hang.child; sleep 1000; sleep 1000",
  "user:fork=sleep 1000 & echo \$! >$work/fork.child; echo done",
  "user:flood=yes",
  "user:die=kill -9 \$\$",
  "user:deaf=exec 0<&-; sleep 0.2; echo deaf >$work/deaf",
  "user:many=sleep 0.3; echo \$SERF_USER_LTIME >>$work/many",
  "user:missing=/nonexistent/script",
  "query:fine=echo fine; echo more >&2", "query:long=head -c 1100 /dev/zero | tr '\\\\0' x", "query:wrong=echo no; exit 3",
  "query:late=sleep 1.5; echo late", "query:mute=true",
  "user:ping=echo \$SERF_USER_LTIME >>$work/pings"
], "handler_timeout": "2s", "handler_limit": 3, "log_level": "debug", "coalesce_period": "0"}
END_OF_FILE
start h3 3 --config-file "$work/h3.json"
h3=$pid
within "h3 answers" serf members -rpc-addr="$net.3:7373"
said=0
say() {
    said=$((said + 1))
    serf event -rpc-addr="$net.3:7373" "$@" >/dev/null || fail "event $*"
}
pings() {
    [ -e "$work/pings" ] && [ "$(wc -l <"$work/pings")" -ge "$1" ]
}
say missing
say die
say fork
say deaf "$(head -c 400 /dev/zero | tr '\0' x)"
say ping
within "others are served" pings 1
within "deaf is done" test -s "$work/deaf"
within "a script that forks is over when its shell is" has_line "$work/h3.log" "Event 'user' script output: done"
child=$(cat "$work/fork.child")
kill -0 "$child" || fail "what it left in the background runs on"
kill "$child"
within "dying is told" has_line "$work/h3.log" "ERR\\] agent: Error invoking script 'kill -9 \\$\\$': signal: Killed"
within "so is a missing script" has_line "$work/h3.log" "Error invoking script '/nonexistent/script': exit status 127"

say hang
say flood
say ping
within "a hanging and a flooding script hinder nobody" pings 2
within "h3 serves" serf members -rpc-addr="$net.3:7373"
within "slow scripts are told" has_line "$work/h3.log" "WARN\\] agent: Script 'yes' slow, execution exceeding 1s"
within "hang is stopped" not kill -0 "$(cat "$work/hang.pid")"
within "with all it started" not kill -0 "$(cat "$work/hang.child")"
within "the flood is stopped" has_line "$work/h3.log" "Error invoking script 'yes': stopped after its time limit of 2 s"
within "its output is cut" has_line "$work/h3.log" "Script 'yes' generated [0-9]+ bytes of output, truncated to 8192"
rss=$(awk '/VmRSS/ { print $2 }' "/proc/$h3/status")
[ "$rss" -lt 20000 ] || fail "h3 takes $rss KiB"

# ---- answers to queries ----------------------------------------------------------------------------------------------------------
answers() {
    serf query -rpc-addr="$net.3:7373" -timeout="$1" "$2" >"$work/answer" || fail "query $2"
}
answers 4s fine
[ "$(sed -n '/^Response/,/^Total/p' "$work/answer" | grep -v '^Ack')" = "$(printf "Response from 'h3': fine\nmore\nTotal Acks: 1")" ] || fail "fine: $(cat "$work/answer")"
for each in long wrong late mute; do
    answers 700ms $each
    grep -q 'Total Responses: 0' "$work/answer" || fail "$each: $(cat "$work/answer")"
done
within "long is told" has_line "$work/h3.log" "WARN\\] agent: Failed to respond to query 'long': response exceeds limit of 1024 bytes"
within "late is told" has_line "$work/h3.log" "WARN\\] agent: Failed to respond to query 'late'"

# One handler keeps the order of events, and runs one script at a time.
for each in 1 2 3 4; do
    say many "$each"
done
within "all four" sh -c "[ \$(wc -l <$work/many) -eq 4 ]"
sort -n "$work/many" | diff - "$work/many" || fail "order of events"

# ---- reload: handlers that are gone are not run; those that are new are -------------------------------------------------------------------
cat >"$work/h3.json" <<END_OF_FILE
{"event_handlers": ["user:fresh=echo fresh >$work/fresh"], "coalesce_period": "0", "log_level": "debug"}
END_OF_FILE
kill -HUP "$h3"
within "reloaded" sh -c "serf info -rpc-addr=$net.3:7373 | grep -q user:fresh"
say ping
say fresh
within "the new handler runs" test -s "$work/fresh"
pings 3 && fail "the old one still runs"
echo '{"event_handlers": ["nonsense=x"]}' >"$work/h3.json"
kill -HUP "$h3"
within "a wrong handler is told" has_line "$work/h3.log" "event handlers stay as they were: event handler 'nonsense=x'"
rm "$work/fresh"
say fresh
within "and changes nothing" test -s "$work/fresh"

# ---- nobody can set one from outside ------------------------------------------------------------------------------------------------
serf tags -rpc-addr="$net.3:7373" -set event_handlers='touch x' >/dev/null || fail tags
serf info -rpc-addr="$net.3:7373" -format=json | grep -q '"user:fresh": "echo fresh' || fail "handlers are as configured"

# ---- what runs goes on: over a reload that drops its handler, and over the end of the agent -------------------------------------------
echo '{"event_handlers": ["user:go='"read -r line <$work/pipe; echo over >$work/over"'"], "coalesce_period": "0"}' >"$work/h3.json"
mkfifo "$work/pipe"
kill -HUP "$h3"
within "reloaded" sh -c "serf info -rpc-addr=$net.3:7373 | grep -q user:go"
say go
say go
echo '{"event_handlers": ["user:gone=true"], "coalesce_period": "0"}' >"$work/h3.json"
kill -HUP "$h3"
within "reloaded again" sh -c "serf info -rpc-addr=$net.3:7373 | grep -q user:gone"
echo >"$work/pipe"
within "the script of a handler that is gone comes to its end" test -s "$work/over"
rm "$work/over"
echo '{"event_handlers": ["user:go='"read -r line <$work/pipe; echo over >$work/over"'"], "coalesce_period": "0"}' >"$work/h3.json"
kill -HUP "$h3"
within "reloaded for the last time" sh -c "serf info -rpc-addr=$net.3:7373 | grep -q user:go"
say go
kill -INT "$h1" "$h3"
exits "$h1" 0
exits "$h3" 0
echo >"$work/pipe"
within "a script outlives its agent" test -s "$work/over"
exit 0
