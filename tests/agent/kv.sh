#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The commands of the shared store at one agent: what they print, what they refuse, and that a restart keeps everything.
HEARSAY=$1
AGENT="$1 agent"
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/kv_lib.sh"

# ---- values of every kind ----------------------------------------------------------------------------------------------------
stores a1 1 --data-dir "$work/d1"
a1=$pid
kv put greeting hello || fail "put"
[ "$(kv get greeting)" = hello ] || fail "get"
head -c 300000 /dev/urandom >"$work/bytes"
kv put from/stdin - <"$work/bytes" || fail "put from standard input"
kv get from/stdin | cmp - "$work/bytes" || fail "a value from standard input"
kv put from/file --file "$work/bytes" || fail "put from a file"
kv get from/file | cmp - "$work/bytes" || fail "a value from a file"
head -c 1048576 /dev/zero | kv put largest - || fail "the largest value"
[ "$(kv get largest | wc -c)" -eq 1048576 ] || fail "the largest value comes back"
kv put empty '' || fail "an empty value"
kv get empty >"$work/out" && [ ! -s "$work/out" ] || fail "an empty value is there, and empty"
key512=$(head -c 512 /dev/zero | tr '\0' k)
kv put "$key512" long && has "$key512" long || fail "a key of 512 bytes"
kv put 'ключ "1"' 'значение' && has 'ключ "1"' 'значение' || fail "UTF-8"
kv put "$(printf '\377\376')" binary && has "$(printf '\377\376')" binary || fail "a key that is no UTF-8"
kv put --format json counted 1 | grep -Eqx '\{"key":"counted","version":"[0-9a-f]{16}-[0-9a-f]{16}","copies":1\}' || fail "put --format json"

# ---- reading and listing -----------------------------------------------------------------------------------------------------
wrong 1 "kv get: there is no 'nothing'" kv get nothing
kv get --format json greeting | grep -Eqx '\{"key":"greeting","value":"aGVsbG8=","version":"[0-9a-f]{16}-[0-9a-f]{16}","size":5\}' ||
    fail "get --format json"
kv list from/ --format json | tr -d '\n' | grep -Eqx '\[\{"key":"from/file","version":"[^"]+","size":300000\}, \{"key":"from/stdin",[^}]*\}\]' ||
    fail "list --format json: $(kv list from/ --format json)"
[ "$(kv list nothing/ --format json)" = '[]' ] || fail "an empty list"
kv list | sed -n '2,$s/ .*//p' | head -n 3 | tr '\n' , | grep -qx 'counted,empty,from/file,' || fail "the order of keys: $(kv list)"
kv list --format json | grep -q '"key_base64":"//4="' || fail "a key that is no UTF-8 in JSON"
kv list | grep -q "$(printf '\377')" && fail "raw bytes on the terminal"

# ---- overwriting, deleting, expiring --------------------------------------------------------------------------------------------
kv put greeting hi && has greeting hi || fail "a newer value"
kv delete greeting || fail "delete"
wrong 1 'there is no' kv get greeting
kv delete greeting || fail "delete again"
kv put --ttl 3s short lived || fail "put --ttl"
has short lived || fail "it lives"
kv get --format json short | grep -Eq '"ttl_s":[0-3]\.[0-9]+' || fail "its time is shown"
within "it is gone" not has short lived
[ "$(figure tombstones)" -eq 2 ] || fail "two tombstones: $(kv status)"

# ---- export and import -----------------------------------------------------------------------------------------------------------
kv put --ttl 1h lasting x || fail "put"
kv export >"$work/all" || fail "export"
grep -q '"key":"lasting","value":"eA==","ttl_s":3[56]' "$work/all" || fail "export has the time to live: $(grep lasting "$work/all")"
grep -q '"key_base64":"//4="' "$work/all" || fail "export of a key that is no UTF-8"
lines=$(wc -l <"$work/all")
[ "$lines" -eq "$(figure entries)" ] || fail "a line per entry"
stores a2 2
kv import "$work/all" | grep -qx "$lines entries imported" || fail "import"
kv export | sed 's/"ttl_s":.*//' >"$work/again"
sed 's/"ttl_s":.*//' "$work/all" | cmp - "$work/again" || fail "import gives what export took"
[ "$(figure kept_in)" = memory ] || fail "a2 has no disk"
seq 5000 | sed 's/.*/{"key":"n\/&","value":"eA=="}/' >"$work/many"
kv import - <"$work/many" | grep -qx '5000 entries imported' || fail "import from standard input"
[ "$(kv list n/ | wc -l)" -eq 5001 ] || fail "a long list is complete"
[ "$(kv list n/ | sed 1d | sort -C && echo sorted)" = sorted ] || fail "a long list is in order"

# ---- what is refused ---------------------------------------------------------------------------------------------------------------
bad() {
    printf '%s\n' '{"key":"fine","value":"eA=="}' '' "$1" '{"key":"after","value":"eA=="}' >"$work/bad"
    wrong 1 "$work/bad, line 3: $2; 1 entries were put before" kv import "$work/bad"
}
bad '{"key":"k","value":"?"}' 'the value is not base64'
bad '{"key":"k","value":"eA"}' 'the value is not base64'
bad '{"key":"k"}' 'it needs a value, a string'
bad '{"value":"eA=="}' 'it needs a key, a string'
bad '{"key":"","value":"eA=="}' 'the key is empty'
bad "{\"key\":\"x$key512\",\"value\":\"eA==\"}" 'the key has more than 512 bytes'
bad '{"key_base64":"!","value":"eA=="}' 'key_base64 is not base64 of at most 512 bytes'
bad '{"key":"k","value":"eA==","ttl_s":-1}' 'ttl_s must be a number of seconds above 0'
bad '[1]' 'it is not a JSON object'
bad 'nonsense' '.*'
bad "{\"key\":\"k\",\"value\":\"$(head -c 1500000 /dev/zero | tr '\0' A)\"}" 'the value has more than 1 MiB'
wrong 1 'cannot read /nonexistent: No such file' kv import /nonexistent
has fine x && not has after x || fail "an import ends at its first wrong line"
wrong 2 'the key has 0 bytes; it must have 1 to 512' kv put '' x
wrong 2 'the key has 513 bytes' kv put "x$key512" x
wrong 1 'standard input is longer than 1048576 bytes' sh -c "head -c 1048577 /dev/zero | '$HEARSAY' kv put big - --rpc-addr $net.2:7373"
wrong 2 'one of them' kv put k
wrong 2 'one of them' kv put k v --file "$work/bytes"
wrong 1 'cannot read /nonexistent' kv put k --file /nonexistent
wrong 2 '\-\-ttl soon: give a span' kv put --ttl soon k v
wrong 2 '\-\-ttl 0' kv put --ttl 0 k v
wrong 2 '\-\-copies 0' kv put --copies 0 k v
wrong 2 'there is only text and json' kv list --format xml
wrong 2 "there is no command 'push'; see hearsay kv --help" kv push
stores a3 3 --set store_value_max=10 --set store_entries_max=2
wrong 1 'the value is larger than this agent.s store_value_max' kv put k 12345678901
kv put k1 1 && kv put k2 2 || fail "as many as are allowed"
wrong 1 'the store is full' kv put k3 3

# ---- agents without a store ------------------------------------------------------------------------------------------------------------
start a4 4
at=4
within "a4 answers" sh -c "'$HEARSAY' info --rpc-addr $net.4:7373"
for command in 'put k v' 'get k' 'delete k' list export status watch; do
    # shellcheck disable=SC2086 # words
    wrong 1 'the store of this agent is off: start it with --store' kv $command
done
wrong 1 'the store of this agent is off' kv import "$work/many"
if command -v serf >/dev/null; then
    start_serf s5 5
    at=5
    within "s5 answers" serf members -rpc-addr="$net.5:7373"
    for command in 'put k v' 'get k' list status watch; do
        # shellcheck disable=SC2086
        wrong 1 "this agent has no shared store: it is Serf's, or an older hearsay" kv $command
    done
    wrong 1 'this agent has no shared store' kv import "$work/many"
fi

# ---- restart -----------------------------------------------------------------------------------------------------------------------------
at=1
kv export | sed 's/"ttl_s":.*//' >"$work/before"
kill -TERM $a1
exits $a1 0
[ ! -e "$work/d1/store.db-wal" ] || fail "an agent that ends leaves one file"
stores a1 1 --data-dir "$work/d1"
kv export | sed 's/"ttl_s":.*//' | cmp - "$work/before" || fail "a restart keeps everything"
wrong 1 'there is no' kv get greeting
[ "$(figure tombstones)" -eq 2 ] || fail "tombstones too"
[ "$(figure kept_in)" = "$work/d1" ] || fail "status says where"
exit 0
