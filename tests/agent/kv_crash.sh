#!/bin/sh
# SPDX-License-Identifier: MIT
#
# kill -9 in a loop while writing: whatever was acknowledged is there after the restart, and every checksum fits.
# HEARSAY_CRASH_ROUNDS says how often (default 6).
HEARSAY=$1
AGENT="$1 agent"
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/kv_lib.sh"
rounds=${HEARSAY_CRASH_ROUNDS:-6}

# Puts one after the other until one fails; those that went well are noted.
writer() {
    n=0
    while "$HEARSAY" kv put "w/$1/$2/$n" "$1-$2-$n" --rpc-addr "$net.1:7373" 2>/dev/null; do
        echo "w/$1/$2/$n $1-$2-$n" >>"$work/acknowledged.$2"
        n=$((n + 1))
    done
}
# And many at once, over and over the same keys, so that rows are replaced.
importer() {
    while :; do
        seq 2000 | sed "s/.*/{\"key\":\"i\/&\",\"value\":\"$(printf '%s' "$1" | base64)\"}/" |
            "$HEARSAY" kv import - --rpc-addr "$net.1:7373" >/dev/null 2>&1 || return
    done
}

round=0
: >"$work/acknowledged.1"
: >"$work/acknowledged.2"
while [ "$round" -lt "$rounds" ]; do
    round=$((round + 1))
    stores a1 1 --data-dir "$work/d1"
    a1=$pid
    writer $round 1 &
    one=$!
    writer $round 2 &
    two=$!
    importer $round &
    three=$!
    pids="$pids $one $two $three"
    wanted=$(($(wc -l <"$work/acknowledged.1") + 3 + round % 7))
    within "it is written in round $round" sh -c "[ \$(wc -l <'$work/acknowledged.1') -ge $wanted ]"
    kill -9 $a1
    wait $a1 $one $two $three 2>/dev/null
done
stores a1 1 --data-dir "$work/d1"
kv export w/ | sed 's/.*"key":"\([^"]*\)","value":"\([^"]*\)".*/\1 \2/' | while read -r key value; do
    printf '%s %s\n' "$key" "$(printf '%s' "$value" | base64 -d)"
done | sort >"$work/there"
sort "$work/acknowledged.1" "$work/acknowledged.2" >"$work/wanted"
missing=$(comm -23 "$work/wanted" "$work/there")
[ -z "$missing" ] || fail "acknowledged, but lost: $missing"
count=$(wc -l <"$work/wanted")
[ "$count" -ge $((rounds * 6)) ] || fail "too few writes to mean anything: $count"
surplus=$(comm -13 "$work/wanted" "$work/there" | wc -l) # written, but killed before they could be acknowledged
[ "$surplus" -le $((rounds * 2)) ] || fail "$surplus entries from nowhere"
echo "$rounds rounds, $count acknowledged writes, none missing"
exit 0
