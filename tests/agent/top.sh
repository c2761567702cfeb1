#!/bin/sh
# SPDX-License-Identifier: MIT
#
# hearsay top: once for scripts, and in a terminal with keys; strangers' tags do not steer it, and the terminal is put back.
AGENT="$1 agent"
HEARSAY=$1
. "$(dirname "$0")/lib.sh"

once() { # FLAGS…
    "$HEARSAY" top --once --rpc-addr "$net.1:7373" "$@" >"$work/top" 2>&1
}
has() { # PATTERN FLAGS…
    pattern=$1
    shift
    once "$@" && grep -Eq -- "$pattern" "$work/top"
}

start t1 1 --tag role=web
start t2 2 --join "$net.1" --store --tag "steer=$(printf '\033[2Jgone')"
start t3 3 --join "$net.1"
t3=$pid
within "all met" has '^members 3: 3 alive'
grep -Eq '^t1  hearsay [0-9.]+  healthy' "$work/top" || fail "the head: $(cat "$work/top")"
grep -Eq '^NAME +STATUS +RTT +SINCE +ADDRESS +LAST EVENT +TAGS$' "$work/top" || fail "the columns: $(cat "$work/top")"
grep -Eq "^t1 +alive +self +[0-9]+s +$net.1:7946 .*role=web\$" "$work/top" || fail "a row: $(cat "$work/top")"
grep -Eq '^t2 +alive .* join [0-9]+s ago: ' "$work/top" || fail "a last event: $(cat "$work/top")"
grep -q "$(printf '\033')" "$work/top" && fail "a tag steers the terminal"
within "a round trip" has '^t2 +alive +[0-9.]+ ms '
once --filter role=web && [ "$(grep -c '^t[0-9] ' "$work/top")" -eq 2 ] || fail "a filter: $(cat "$work/top")" # the head begins with t1, too
kill -9 "$t3"
within "t3 fails, and the first row says so" sh -c "'$HEARSAY' top --once --rpc-addr $net.1:7373 | sed -n 6p | grep -Eq '^t3 +failed .* failed [0-9]+s ago: '"
once --sort name && [ "$(sed -n '6,$s/ .*//p' "$work/top" | tr '\n' ,)" = t1,t2,t3, ] || fail "sorted by name: $(cat "$work/top")"
"$HEARSAY" top --once --sort colour 2>"$work/err" && fail "an unknown order"
[ $? -eq 2 ] || grep -q 'sort by status, name' "$work/err" || fail "$(cat "$work/err")"
"$HEARSAY" top --rpc-addr "$net.1:7373" >"$work/out" 2>"$work/err" </dev/null
[ $? -eq 2 ] && grep -q 'not a terminal' "$work/err" || fail "without a terminal: $(cat "$work/err")"
"$HEARSAY" top --once --rpc-addr "$net.9:7373" 2>"$work/err" && fail "nobody there"
grep -q "$net.9" "$work/err" || fail "$(cat "$work/err")"

# in a terminal: a filter is typed, then it ends by q
if script -qc true /dev/null >/dev/null 2>&1; then # a chroot may have no terminals to give
    keys() { # once it shows something
        within "a screen" grep -q 'LAST EVENT' "$work/typescript"
        printf '/t2\rnq'
    }
    keys | timeout 200 script -qefc "$HEARSAY top --rpc-addr $net.1:7373" "$work/typescript" >/dev/null || fail "q ends it well: $(cat "$work/typescript")"
    grep -q "$(printf '\033\\[?1049h')" "$work/typescript" || fail "a screen of its own"
    grep -q "$(printf '\033\\[?1049l')" "$work/typescript" || fail "the terminal is put back"
    grep -q 't2 *alive' "$work/typescript" || fail "members are shown"
fi
exit 0
