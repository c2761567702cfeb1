#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Secrets: tokens and keys from files, wrong ones refused, nothing of them in argv or the log.
AGENT=$1
. "$(dirname "$0")/lib.sh"
need_serf
key=$(serf keygen)
printf '%s\n' "$key" >"$work/key"
echo '["'"$key"'"]' >"$work/ring.json"
chmod 600 "$work/ring.json"
echo hush >"$work/token"

start a1 1 --encrypt "$key" --rpc-auth hush --event-log "$work/a1.events"
a1=$pid
start a2 2 --encrypt "@$work/key" --rpc-auth "file:$work/token" --retry-join "$net.1" --retry-interval 200ms
start a3 3 --keyring-file "$work/ring.json" --retry-join "$net.1" --retry-interval 200ms
start plain 4 --retry-join "$net.1" --retry-interval 200ms
start_serf s5 5 -encrypt "$key" -retry-join "$net.1" -retry-interval 1s
within "a1 is ready" has_line "$work/a1.events" '"event":"ready"'
tr '\0' ' ' <"/proc/$a1/cmdline" | grep -qF -e "$key" -e hush && fail "secrets in argv"

serf members -rpc-addr="$net.1:7373" 2>&1 | grep -q 'Authentication required' || fail "no token"
serf members -rpc-addr="$net.1:7373" -rpc-auth=wrong 2>&1 | grep -q 'Invalid authentication token' || fail "wrong token"
within "all with the key meet" sh -c "test \$(serf members -rpc-addr=$net.2:7373 -rpc-auth=hush -status=alive | wc -l) -eq 4"
within "one with a keyring is among them" sees 3 a1 alive
within "Serf too" sees 5 a3 alive
within "one without the key is refused" has_line "$work/plain.log" 'Join failed'
SERF_RPC_AUTH=hush serf members -rpc-addr="$net.1:7373" -name plain | grep -q . && fail "one without the key got in"
within "without a key the log warns" has_line "$work/plain.log" 'RUNNING WITHOUT ENCRYPTION'
grep -qF -e "$key" "$work"/*.log && fail "key in a log"
exit 0
