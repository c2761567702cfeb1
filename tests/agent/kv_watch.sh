#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Watching the shared store: changes as they happen, by prefix, from where one stopped; and slow watchers, who hold nothing up.
HEARSAY=$1
AGENT="$1 agent"
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/kv_lib.sh"

# watches FILE FLAGS…: in the background
watches() {
    out=$1
    shift
    "$HEARSAY" kv watch --rpc-addr "$net.1:7373" "$@" >"$out" 2>"$out.err" &
    watcher=$!
    pids="$pids $watcher"
}

stores a1 1 --set store_changes=64
kv put before 1 || fail "put"
watches "$work/all" --format json
all=$watcher
watches "$work/some" some/
watches "$work/zero" --after 0
# Whether a watcher is there cannot be asked; so it is told until it hears.
tell() {
    kv put some/probe x
    has_line "$work/some" 'put some/probe' && has_line "$work/all" '"key":"some/probe"'
}
within "watchers hear" tell
kv put other 2 && kv put some/thing 3 && kv delete some/thing && kv put --ttl 1s some/short 4 || fail "writes"
within "an expiry is a change" has_line "$work/some" 'delete some/short'
has_line "$work/some" 'other' && fail "a prefix is kept"
has_line "$work/some" '^[0-9]+ put some/thing [0-9a-f]+-[0-9a-f]+ 1 bytes$' || fail "a put in words: $(cat "$work/some")"
has_line "$work/some" '^[0-9]+ delete some/thing ' || fail "a delete in words"
has_line "$work/all" '^\{"event":"put","change":[0-9]+,"key":"other","version":"[^"]+","value":"Mg=="\}$' || fail "a put in JSON: $(cat "$work/all")"
has_line "$work/all" '"key":"before"' && fail "a watcher hears of what comes"
head -n 2 "$work/zero" | tr '\n' , | grep -Eq '^reset[^,]*,0 put before ' || fail "after 0: everything: $(cat "$work/zero")"
has_line "$work/zero" '^[0-9]+ listed' || fail "after 0: the end of the list"

# ---- go on after the last one seen ---------------------------------------------------------------------------------------------
last=$(sed -n 's/.*"change":\([0-9]*\).*/\1/p' "$work/all" | tail -n 1)
kill $all
kv put missed 5 && kv delete other || fail "writes"
watches "$work/on" --format json --after "$last"
within "what was missed is told" has_line "$work/on" '"event":"put".*"key":"missed"'
within "deletes too" has_line "$work/on" '"event":"delete".*"key":"other"'
has_line "$work/on" '"reset"' && fail "nothing was forgotten yet"
kill $watcher
seq 200 | sed 's/.*/{"key":"many\/&","value":"eA=="}/' | kv import - >/dev/null || fail "import"
watches "$work/reset" --after "$last" many/
within "who missed too much gets everything" has_line "$work/reset" '^[0-9]+ listed'
has_line "$work/reset" '^reset' || fail "and is told so"
[ "$(grep -c ' put many/' "$work/reset")" -eq 200 ] || fail "everything is 200: $(wc -l <"$work/reset")"

# ---- a watcher that does not read ------------------------------------------------------------------------------------------------
mkfifo "$work/pipe"
watches "$work/pipe" --format json big/
slow=$watcher
exec 9<"$work/pipe" # opened and not read
head -c 700000 /dev/urandom | base64 -w 0 >"$work/big"
i=0
while [ $i -lt 30 ]; do # 20 MB, more than all buffers together
    i=$((i + 1))
    printf '{"key":"big/%d","value":"%s"}\n' $i "$(cat "$work/big")"
done | kv import - | grep -qx '30 entries imported' || fail "nobody waits for a slow watcher"
within "the agent is well" has missed 5
[ "$(figure entries)" -gt 30 ] || fail "status"
timeout 20 head -n 5 <&9 >"$work/read" || fail "the slow watcher reads on"
grep -q '"event":"' "$work/read" || fail "what it reads makes sense"
exec 9<&-
within "and is gone when nobody reads" not kill -0 $slow
exit 0
