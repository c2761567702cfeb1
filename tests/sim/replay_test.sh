#!/bin/sh
# SPDX-License-Identifier: MIT
#
# An agent's life on tape is the same when it is lived again; a changed tape differs, a damaged one is refused with the place.
# replay_test.sh PROGRAM
program=$1
# shellcheck disable=SC2034
AGENT="$program agent"
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
# shellcheck source=tests/agent/lib.sh
. "$here/../agent/lib.sh"

start one 1 --record "$work/one.tape"
one=$pid
within 'one is up' "$program" info --rpc-addr "$net.1:7373"
start two 2 --join "$net.1"
within 'two is up' "$program" info --rpc-addr "$net.2:7373"
alive() {
    [ "$("$program" members --rpc-addr "$net.1:7373" --status alive --format json | grep -o '"name"' | wc -l)" = 2 ]
}
within 'they know each other' alive
"$program" event --rpc-addr "$net.1:7373" deploy 42 >"$work/event.log" || fail 'the event is sent'
"$program" tags --rpc-addr "$net.1:7373" --set role=witness >"$work/tags.log" || fail 'tags are set'
kill -TERM "$one"
wait "$one"

"$program" sim replay "$work/one.tape" >"$work/same.log" || fail "the same life: $(cat "$work/same.log")"
grep -q '^the same: [0-9]* inputs' "$work/same.log" || fail "$(cat "$work/same.log")"

size=$(wc -c <"$work/one.tape")
head -c $((size - 3)) "$work/one.tape" >"$work/cut.tape"
code=0
"$program" sim replay "$work/cut.tape" 2>"$work/cut.log" || code=$?
{ [ "$code" = 2 ] && grep -q 'byte [0-9]' "$work/cut.log"; } || fail "a cut tape: $code, $(cat "$work/cut.log")"

# The digest of the last outputs is the end of the tape: another one is another life.
cp "$work/one.tape" "$work/other.tape"
printf 'xxxx' | dd of="$work/other.tape" bs=1 seek=$((size - 4)) conv=notrunc 2>"$work/dd.log"
code=0
"$program" sim replay "$work/other.tape" >"$work/other.log" 2>&1 || code=$?
{ [ "$code" = 1 ] && grep -q '^DIFFERS after input' "$work/other.log"; } || fail "another life: $code, $(cat "$work/other.log")"

echo nonsense >"$work/none.tape"
code=0
"$program" sim replay "$work/none.tape" 2>"$work/none.log" || code=$?
[ "$code" = 2 ] || fail "no tape: $code"
