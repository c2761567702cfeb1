#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What can be wrong with the disk: a damaged or foreign file, a folder that is not to be written, no room. The agent says what and what to do.
HEARSAY=$1
AGENT="$1 agent"
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/kv_lib.sh"

refuses() {
    pattern=$1 folder=$2
    wrong 1 "$pattern" timeout 20 "$HEARSAY" agent --node a9 --bind "$net.9" --rpc-addr "$net.9:7373" --store --snapshot "$work/s9" --data-dir "$folder"
}

stores a1 1 --data-dir "$work/d1"
a1=$pid
seq 300 | sed 's/.*/{"key":"k&","value":"dGhlIHZhbHVl"}/' | kv import - >/dev/null || fail "import"
refuses 'another agent is using it: give every agent its own --data-dir' "$work/d1"
kill -TERM $a1
exits $a1 0

# ---- damage ------------------------------------------------------------------------------------------------------------------
# The text of a value somewhere in the middle is changed.
cp -r "$work/d1" "$work/d2"
at=$(grep -abo 'the value' "$work/d2/store.db" | sed -n '150s/:.*//p')
printf 'THE' | dd of="$work/d2/store.db" bs=1 seek="$at" conv=notrunc 2>/dev/null
refuses "store in $work/d2/store.db is damaged .*: move that file and its -wal away.* takes everything from the other members" "$work/d2"
rm "$work/d2/store.db"
stores a2 2 --data-dir "$work/d2" # what it advises works
[ "$(figure entries)" -eq 0 ] || fail "an empty store after that"
cp -r "$work/d1" "$work/d3"
dd if=/dev/urandom of="$work/d3/store.db" bs=4096 seek=2 count=2 conv=notrunc 2>/dev/null
refuses 'd3/store.db is damaged' "$work/d3"
truncate -s 10000 "$work/d3/store.db"
refuses 'd3/store.db is damaged' "$work/d3"
echo 'a letter' >"$work/d3/store.db"
refuses 'd3/store.db is damaged' "$work/d3"

# ---- no right, no room ---------------------------------------------------------------------------------------------------------
mkdir "$work/d4"
if [ "$(id -u)" -eq 0 ] && mount -t tmpfs -o size=1m,mode=755 none "$work/d4" 2>/dev/null; then
    trap 'status=$?; umount -l "$work/d4"; (exit $status); finish' EXIT
    stores a4 4 --data-dir "$work/d4"
    kv put kept 1 || fail "put"
    head -c 1000000 /dev/urandom >"$work/large"
    wrong 1 'could not|not.*disk|disk' kv put large --file "$work/large"
    within "the log says why" has_line "$work/a4.log" 'ERR.*cannot write the store .*the disk is full'
    wrong 1 'there is no' kv get large
    has kept 1 || fail "what was there stays"
    kv put small 2 || fail "a small one fits"
    within "the log says that it is mended" has_line "$work/a4.log" 'the store can be written again'
    kill -9 $pid
    wait $pid 2>/dev/null
    stores a4 4 --data-dir "$work/d4"
    has kept 1 && has small 2 || fail "a full disk lost something"
    kill -9 $pid
    wait $pid 2>/dev/null
    mount -o remount,ro "$work/d4"
    rm -f "$work/d4.snapshot"
    wrong 1 'read-only|Read-only' timeout 20 "$HEARSAY" agent --node a9 --bind "$net.9" --rpc-addr "$net.9:7373" --store --data-dir "$work/d4"
    echo 'a full and a read-only disk were tried'
fi
exit 0
