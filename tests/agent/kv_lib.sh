# SPDX-License-Identifier: MIT
#
# For tests of the shared store: the command line asks the agent at $net.$at.

# kv COMMAND…: asks the agent at number $at
kv() {
    "$HEARSAY" kv "$@" --rpc-addr "$net.$at:7373"
}

# stores NAME NUMBER FLAGS…: starts an agent with a store and waits until it answers
stores() {
    name=$1 number=$2
    shift 2
    start "$name" "$number" --store "$@"
    at=$number
    within "$name answers" kv status
}

# has KEY VALUE
has() {
    [ "$(kv get "$1" 2>/dev/null)" = "$2" ]
}

# wrong CODE PATTERN COMMAND…: fails with one line that says so
wrong() {
    code=$1 pattern=$2
    shift 2
    "$@" >"$work/out" 2>"$work/err"
    got=$?
    [ $got -eq "$code" ] || fail "exit code $got instead of $code for: $*: $(cat "$work/err")"
    [ "$(wc -l <"$work/err")" -eq 1 ] || fail "not one line for: $*: $(cat "$work/err")"
    grep -Eq -- "$pattern" "$work/err" || fail "$(cat "$work/err") -- for: $*"
}

# figure NAME: of kv status
figure() {
    kv status | sed -n "s/^ *$1 = //p"
}
