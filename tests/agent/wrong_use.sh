#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What a user can get wrong: one line on stderr that names the thing, and the right exit code.
AGENT=$1
. "$(dirname "$0")/lib.sh"

# wrong CODE PATTERN FLAGS…
wrong() {
    code=$1 pattern=$2
    shift 2
    timeout 10 $AGENT --bind "$net.9" --rpc-addr "$net.9:7373" "$@" >"$work/out" 2>"$work/err"
    got=$?
    [ $got -eq "$code" ] || fail "exit code $got instead of $code for: $*"
    [ "$(wc -l <"$work/err")" -eq 1 ] || fail "not one line for: $*"
    grep -Eq -- "$pattern" "$work/err" || fail "$(cat "$work/err") -- for: $*"
}

mkdir "$work/conf"
echo '{ "tags": {"a":"b"} }' >"$work/conf/1.json"
printf '{\n "node_nam": "x"\n}\n' >"$work/conf/2.json"
echo '[ 1 ]' >"$work/ring"
echo 'AAEC' >"$work/short"

wrong 2 'unknown flag --bogus' --bogus
wrong 2 'unknown flag --rejoi; did you mean --rejoin' --rejoi
wrong 2 'flag --node needs a value' --node
wrong 2 "must be KEY=VALUE, not 'foo'" --tag foo
wrong 2 "no number called 'gossip_node'; did you mean 'gossip_nodes'" --set gossip_node=1
wrong 2 'unexpected argument' surplus
wrong 1 "2.json:2: unknown key 'node_nam'; did you mean 'node_name'" --config-dir "$work/conf"
wrong 1 'cannot read /nonexistent: No such file' --config-file /nonexistent
wrong 1 'the encryption key is not base64' --encrypt '?'
wrong 1 'the encryption key has 3 bytes' --encrypt "@$work/short"
wrong 1 'cannot read /nonexistent' --encrypt @/nonexistent
wrong 1 'keyring .*/ring: key 1 is not base64' --keyring-file "$work/ring"
wrong 1 'cannot be given while a keyring is used' --keyring-file "$work/ring" --encrypt AAEC
wrong 1 'tags cannot be configured while a tags file' --tags-file "$work/tags" --tag a=b
wrong 1 "unknown profile 'moon'" --profile moon
wrong 1 'invalid log level: loud' --log-level loud
wrong 1 'RPC on 0.0.0.0:7373 would let anybody' --rpc-addr 0.0.0.0:7373
wrong 1 "RPC address 'x' is not IP:PORT" --rpc-addr x
wrong 1 'cannot open /nonexistent/log' --event-log /nonexistent/log
wrong 1 'cannot open snapshot' --snapshot /nonexistent/snapshot
wrong 1 'interface .*nosuch' --iface nosuch
wrong 1 'bind address .*300.1.1.1' --bind 300.1.1.1
wrong 1 'cannot advertise' --advertise somewhere
wrong 1 "failed to join: .*$net.8" --join "$net.8"
wrong 1 'failed to join after 3 attempts' --retry-join "$net.8" --retry-interval 50ms --retry-max 2
# a key from the environment is a key; and it is checked like one
HEARSAY_ENCRYPT=AAEC wrong 1 'the encryption key has 3 bytes'

start a1 9 --event-log "$work/events"
within "a1 is ready" has_line "$work/events" '"event":"ready"'
wrong 1 "$net.9:7946" --rpc-addr "$net.10:7373"
wrong 1 "cannot listen for RPC on $net.9:7373: address already in use" --bind "$net.10"
$AGENT --help | grep -q -- '--retry-join ADDR' || fail "help"
$AGENT --set help | grep -q 'gossip_nodes' || fail "help for numbers"
