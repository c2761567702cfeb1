#!/bin/sh
# SPDX-License-Identifier: MIT
#
# migrate-check: what differs is listed, what is wrong is named with file and line; and Serf's own agent takes a file with every key that ours takes.
PROGRAM=$1
AGENT="$PROGRAM agent"
. "$(dirname "$0")/lib.sh"

check() { # CODE FILE…
    wanted=$1
    shift
    "$PROGRAM" migrate-check "$@" >"$work/out" 2>"$work/err"
    code=$?
    [ $code -eq "$wanted" ] || fail "exit code $code instead of $wanted for $*: $(cat "$work/out" "$work/err")"
}

echo '{"node_name": "n1", "Bind": "127.0.0.1", "tags": {"role": "web"}, "retry_join": ["10.0.0.1"]}' >"$work/same.json"
check 0 "$work/same.json"
grep -qx 'Nothing differs.' "$work/out" || fail "nothing differs: $(cat "$work/out")"
echo '{"discover": "prod", "mdns": {"disable_ipv6": true}, "reconnect_interval": "30s", "validate_node_names": true, "msgpack_use_new_time_format": true}' \
    >"$work/same-too.json"
check 0 "$work/same-too.json"
echo '{"statsd_addr": "127.0.0.1:8125", "rpc_addr": "0.0.0.0:7373", "event_handlers": ["x.sh"]}' >"$work/other.json"
check 1 "$work/same.json" "$work/other.json"
[ "$(awk '{ print $1 }' "$work/out" | tr '\n' ' ')" = 'KEY event_handlers statsd_addr rpc_addr ' ] || fail "table: $(cat "$work/out")"
[ "$(awk '{ print index($0, substr($0, match($0, /(HEARSAY|handlers run|one line a second|does not))/))) }' "$work/out" | sort -u | wc -l)" -eq 1 ] ||
    fail "the table is aligned: $(cat "$work/out")"
check 1 --format json "$work/other.json"
tr -d ' \n' <"$work/out" | grep -q '^{"differences":\[{"key":"event_handlers","serf":' || fail "JSON: $(cat "$work/out")"
printf '{\n  "node_name": "x",\n  "start_jion": []\n}\n' >"$work/wrong.json"
check 2 "$work/wrong.json"
grep -q "wrong.json:3: unknown key 'start_jion'; did you mean 'start_join'?" "$work/err" || fail "wrong key: $(cat "$work/err")"
check 2 "$work/nothing.json"
echo '{"encrypt_key": "short"}' >"$work/key.json"
check 2 "$work/key.json"

# Every key of Serf's agent, with a value of its type: Serf takes the file, so do we. Folders are merged in order, lists grow.
need_serf
cat >"$work/all.json" <<END_OF_FILE
{
  "node_name": "all", "role": "x", "disable_coordinates": true, "tags": {"a": "b"}, "bind": "$net.1", "advertise": "$net.1",
  "log_level": "warn", "rpc_addr": "$net.1:7373", "rpc_auth": "token", "protocol": 5, "replay_on_join": true, "query_response_size_limit": 1000,
  "query_size_limit": 1000, "user_event_size_limit": 500, "start_join": [], "event_handlers": ["user:a=true"], "profile": "local",
  "snapshot_path": "$work/snapshot", "leave_on_terminate": true, "skip_leave_on_interrupt": false, "reconnect_interval": "30s",
  "reconnect_timeout": "24h", "tombstone_timeout": "24h", "disable_name_resolution": true, "rejoin_after_leave": true, "enable_syslog": false,
  "syslog_facility": "LOCAL1", "retry_join": [], "retry_max_attempts": 3, "retry_interval": "30s", "enable_compression": true,
  "statsd_addr": "127.0.0.1:9", "broadcast_timeout": "5s"
}
END_OF_FILE
serf agent -config-file "$work/all.json" >"$work/serf.log" 2>&1 &
pid=$!
pids="$pids $pid"
within "Serf takes the file" serf members -rpc-addr="$net.1:7373" -rpc-auth=token
kill -9 $pid
wait $pid 2>/dev/null
check 1 "$work/all.json"
mkdir "$work/folder"
cp "$work/all.json" "$work/folder/10.json"
echo '{"event_handlers": ["user:b=true"], "tags": {"c": "d"}}' >"$work/folder/20.json"
$AGENT --config-dir "$work/folder" >"$work/ours.log" 2>&1 &
pid=$!
pids="$pids $pid"
within "we take the folder" serf members -rpc-addr="$net.1:7373" -rpc-auth=token
serf info -rpc-addr="$net.1:7373" -rpc-auth=token -format=json >"$work/info"
grep -q '"user:a": "true"' "$work/info" && grep -q '"user:b": "true"' "$work/info" || fail "lists grow: $(cat "$work/info")"
grep -q '"a": "b"' "$work/info" && grep -q '"c": "d"' "$work/info" || fail "tags are merged"
kill -INT $pid
exits $pid 0
exit 0
