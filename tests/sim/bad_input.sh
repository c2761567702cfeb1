#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What is no scenario, no tape and no result of a search: exit code 2, nothing on stdout, and one line on stderr that names the place, by
# line and column or by byte. The tape is a short life of an agent, cut and spoilt. bad_input.sh PROGRAM
program=$1
# shellcheck disable=SC2034
AGENT="$program agent"
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
# shellcheck source=tests/agent/lib.sh
. "$here/../agent/lib.sh"

# refuse PATTERN WHAT COMMAND…
refuse() {
    pattern=$1 what=$2 code=0
    shift 2
    timeout 60 "$program" "$@" >"$work/out" 2>"$work/why" || code=$?
    [ "$code" = 2 ] || fail "$what: exit code $code: $(cat "$work/why")"
    [ "$(wc -l <"$work/why")" = 1 ] || fail "$what: not one line: $(cat "$work/why")"
    [ ! -s "$work/out" ] || fail "$what: something on stdout: $(cat "$work/out")"
    grep -q -e "$pattern" "$work/why" || fail "$what: not $pattern: $(cat "$work/why")"
}

# ---- scenarios: LINE:COLUMN TEXT

while read -r place text; do
    printf '%b' "$text" >"$work/bad.json"
    refuse "bad.json:$place: " "$text" sim cluster --nodes 20 --scenario "$work/bad.json"
done <<'END'
1:0
1:1 []
1:1 3
1:12 {"faults": [
1:12 {"loss": 0.1
1:22 {"loss": 0.1} trailing
1:14 {"loss": 0.1}\0000
2:1 {"loss": 0.1}\n\0000{
1:20 {"loss": 0.1, "loss": 0.2}
2:2 {\n "speed": 3}
1:2 {"loss": 2}
1:2 {"loss": "much"}
1:2 {"loss": true}
1:2 {"latency": -1}
1:2 {"long_tail": 5}
1:2 {"burst": 1}
1:2 {"timer_grain": 2}
1:2 {"cores": 2}
1:2 {"wake_cpu": 0.001}
1:2 {"cores": 1.5, "wake_cpu": 0.001}
1:2 {"cores": 65, "wake_cpu": 0.001}
1:2 {"description": 5}
1:2 {"faults": {}}
1:2 {"faults": [3]}
1:13 {"faults": [{}]}
1:14 {"faults": [{"fault": 3}]}
2:3 {"faults": [{"fault": "crash"},\n {"fault": "crush"}]}
2:21 {"faults": [\n {"fault": "crash", "at": -1}]}
1:32 {"faults": [{"fault": "crash", "at": "now"}]}
1:32 {"faults": [{"fault": "crash", "at": 1e300}]}
1:32 {"faults": [{"fault": "crash", "when": 1}]}
1:32 {"faults": [{"fault": "crash", "nodes": "many"}]}
1:32 {"faults": [{"fault": "crash", "nodes": 0}]}
1:32 {"faults": [{"fault": "crash", "nodes": 1.5}]}
1:32 {"faults": [{"fault": "crash", "nodes": 21}]}
1:32 {"faults": [{"fault": "crash", "nodes": "9-5"}]}
1:32 {"faults": [{"fault": "crash", "nodes": "9-21"}]}
1:32 {"faults": [{"fault": "crash", "nodes": "1-99999999999999"}]}
1:32 {"faults": [{"fault": "crash", "nodes": "120%"}]}
1:32 {"faults": [{"fault": "crash", "nodes": "nan%"}]}
1:32 {"faults": [{"fault": "crash", "keeps_disk": 1}]}
1:32 {"faults": [{"fault": "crash", "every": 0.0000001}]}
1:32 {"faults": [{"fault": "crash", "until": 9}]}
1:41 {"faults": [{"fault": "crash", "at": 9, "until": 3, "every": 1}]}
1:33 {"faults": [{"fault": "freeze", "for": 2, "every": 1}]}
1:33 {"faults": [{"fault": "freeze", "loss": 0.5}]}
1:33 {"faults": [{"fault": "freeze", "drift": 0.1}]}
1:31 {"faults": [{"fault": "skew", "drift": -1}]}
1:31 {"faults": [{"fault": "slow", "run": 1, "slice": 1}]}
1:31 {"faults": [{"fault": "slow", "run": 5000, "slice": 6000}]}
1:31 {"faults": [{"fault": "link", "burst": 1}]}
1:34 {"faults": [{"fault": "garbage", "rate": 0}]}
1:13 {"faults": [{"fault": "join"}]}
1:31 {"faults": [{"fault": "join", "nodes": "5%"}]}
1:70 {"description": "\\"faults\\" and \\"at\\"", "faults": [{"fault":"crash","at":"x"}]}
END
refuse 'Is a directory' 'a folder' sim cluster --scenario "$work"
refuse 'nowhere' 'no file' sim cluster --scenario nowhere
head -c 1100000 /dev/zero | tr '\0' ' ' >"$work/large.json"
refuse 'larger than' 'a large file' sim cluster --scenario "$work/large.json"
echo '{"loss": 0.1, "long_tail": true, "faults": [{"fault": "join", "nodes": 5}, {"fault": "crash", "at": 9, "nodes": 25}]}' >"$work/good.json"
"$program" sim cluster --nodes 20 --duration 10 --scenario "$work/good.json" >"$work/out" || fail 'those who join count'

# ---- tapes: wherever it is cut, what was whole before it is the same, and the place of the cut is told

start one 1 --record "$work/one.tape"
one=$pid
within 'one is up' "$program" info --rpc-addr "$net.1:7373"
start two 2 --join "$net.1"
alive() {
    [ "$("$program" members --rpc-addr "$net.1:7373" --status alive --format json | grep -o '"name"' | wc -l)" = 2 ]
}
within 'they know each other' alive
"$program" event --rpc-addr "$net.1:7373" deploy 42 >"$work/event.log" || fail 'the event is sent'
kill -TERM "$one"
wait "$one"
"$program" sim replay "$work/one.tape" >"$work/same.log" || fail "the same life: $(cat "$work/same.log")"
size=$(wc -c <"$work/one.tape")
whole=0
for step in $(seq 0 60); do
    length=$(((size - 1) * step / 60)) # the last lacks one byte
    head -c $length "$work/one.tape" >"$work/cut.tape"
    code=0
    "$program" sim replay "$work/cut.tape" >"$work/out" 2>"$work/why" || code=$?
    case $code in
    0) whole=$((whole + 1)) ;; # just behind a record: an agent that was killed leaves such a tape
    2) grep -q -e 'byte [0-9]' -e 'no hearsay tape' "$work/why" || fail "cut at byte $length: $(cat "$work/why")" ;;
    *) fail "cut at byte $length: exit code $code: $(cat "$work/out" "$work/why")" ;;
    esac
done
grep -q -e 'byte [0-9]' "$work/why" || fail "the last cut: $(cat "$work/why")"
[ "$whole" -lt 20 ] || fail "of 61 tapes cut anywhere $whole passed as whole"
for step in $(seq 0 60); do # a spoilt byte: another life, or damage, but never a crash
    cp "$work/one.tape" "$work/spoilt.tape"
    printf '\377\377\377' | dd of="$work/spoilt.tape" bs=1 seek=$((size * step / 61)) conv=notrunc 2>"$work/dd.log"
    code=0
    "$program" sim replay "$work/spoilt.tape" >"$work/out" 2>"$work/why" || code=$?
    [ "$code" -le 2 ] || fail "spoilt at byte $((size * step / 61)): exit code $code"
done
echo nonsense >"$work/none.tape"
refuse 'none.tape' 'no tape' sim replay "$work/none.tape"
refuse 'nowhere.tape' 'no file' sim replay "$work/nowhere.tape"
refuse "$work" 'a folder' sim replay "$work"

# ---- results of searches

while read -r place text; do
    printf '%b' "$text" >"$work/bad.txt"
    refuse "bad.txt:$place: " "$text" sim merge "$work/bad.txt"
done <<'END'
1:1 {}\n
1:1 {"seed": 1}\n
1:1 {"seed": "one", "digest": "x", "ok": true}\n
1:1 {"seed": 1, "digest": 5, "ok": true}\n
2:10 {"seed": 1, "digest": "x", "ok": true}\n{"seed": }\n
2:7 {"seed": 1, "digest": "x", "ok": true}\n{"seed"
END
refuse nowhere 'no file' sim merge nowhere
