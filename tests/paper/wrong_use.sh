#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What a user can get wrong with the spread model: one line on stderr that names the flag, exit code 2, nothing on stdout.
set -eu
program=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# wrong PATTERN ARGUMENTS…
wrong() {
    pattern=$1 code=0
    shift
    "$program" sim "$@" >"$work/out" 2>"$work/err" || code=$?
    [ "$code" -eq 2 ] || { echo "exit code $code instead of 2 for: $*"; exit 1; }
    [ "$(wc -l <"$work/err")" -eq 1 ] && [ ! -s "$work/out" ] || { echo "not one line for: $*"; exit 1; }
    grep -q -e "$pattern" "$work/err" || { cat "$work/err"; echo "for: $*"; exit 1; }
}

wrong "no command 'spred'" spred
wrong 'there is only push, pull' spread --mode shout
wrong '2 to 10000000' spread --nodes 1
wrong '2 to 10000000' spread --nodes 10000001
wrong 'nobody calls itself' spread --nodes 3 --fanout 3
wrong 'from 0 to below 1' spread --loss 1
wrong 'as in age:2' spread --stop age
wrong 'only table, json and csv' spread --format xml
wrong 'only rounds and timers' spread --timing clocks
wrong 'no flag --rounds' spread --rounds 3
wrong 'say how many and how fast' advise --nodes 10
wrong 'a time with a unit' advise --nodes 10 --within 3
wrong '100 to 1000000' paper --trials 1
wrong 'there is only all, rounds' paper --only round
wrong 'there is only all, rounds' paper --only swim,
