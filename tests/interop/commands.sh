#!/bin/sh
# SPDX-License-Identifier: MIT
#
# serf and hearsay, the commands, asked of the same agent, of either kind: what is printed and the exit code are the same.
AGENT="$1 agent"
HEARSAY=$1
. "$(dirname "$0")/lib.sh"

# shellcheck disable=SC2016
handler='query:load=echo "$SERF_SELF_NAME $(cat) "' # what a member answers
theirs s1 1 -tag role=db -event-handler "$handler"
ours h2 2 --tag role=web --tag b=2 --event-handler "$handler"
theirs s3 3
s3=$pid
for number in 1 2 3; do
    answers $number
done
calls 1 2
calls 1 3
for number in 1 2; do
    for name in s1 h2 s3; do
        within "$number sees $name" sees $number $name alive
    done
done
kill -9 $s3
wait $s3 2>/dev/null
for number in 1 2; do
    within "$number sees s3 failed" sees $number s3 failed
done

# Blanks at the end of a line are serf's whim. Members come in no order from Serf's agent, and tags in none from its command; and figures of the runtime move.
steady() {
    sed -e 's/role=web,b=2/b=2,role=web/' -e '/goroutines/d' -e '/_time/d' -e 's/rtt: [0-9.]* ms/rtt: N ms/' -e 's/[0-9.]* sec/N sec/g' -e '/"[a-z]*_queue"/d' -e '/ [a-z]*_queue = /d' -e 's/,$//' -e 's/ *$//' | sort
}

# same COMMAND FLAGS…: at both agents. Asked again while they differ: between the one's answer and the other's, the world may move, and an answer may be late.
at='1 2'
same() {
    for number in $at; do
        within "$* at $number: the same (difference.log)" is_same "$number" "$@"
    done
}

differs() {
    echo "$*" >"$work/difference.log"
    return 1
}

# is_same NUMBER COMMAND FLAGS…
is_same() {
    number=$1 command=$2
    shift 2
    serf "$command" -rpc-addr="$net.$number:7373" "$@" >"$work/serf.out" 2>/dev/null
    wanted=$?
    "$HEARSAY" "$command" "-rpc-addr=$net.$number:7373" "$@" >"$work/hearsay.out" 2>"$work/hearsay.err"
    got=$?
    [ $got -eq $wanted ] || differs "exit code $got instead of $wanted" || return 1
    if [ $wanted -ne 0 ]; then # serf tells failures on stdout, in several lines
        [ ! -s "$work/hearsay.out" ] && [ "$(wc -l <"$work/hearsay.err")" -eq 1 ] || differs "not one line: $(cat "$work/hearsay.err")"
        return
    fi
    steady <"$work/serf.out" >"$work/wanted"
    steady <"$work/hearsay.out" >"$work/got"
    diff "$work/wanted" "$work/got" >"$work/difference.log"
}

same members
same members -detailed
same members -format=json
same members -status=failed
same members -status failed -format json
same members -status=left
same members -name='.2' -tag role=w.b
same members -tag role=nothing
same members -name='('
same info
same info -format=json
same tags -set extra=1
same tags -delete extra
same event hello world
same event -coalesce=false hello
same join "$net.1" "$net.2"
same join -replay "$net.1"
same join "$net.99"
same force-leave nobody
same force-leave s3

# ---- queries ---------------------------------------------------------------------------------------------------------------------
same query -timeout=1s load
same query -timeout=1s load 'much to do'
same query -timeout=1s -format=json load
same query -timeout=1s -format=json -tag role=nobody load
same query -timeout=1s -no-ack load
same query -timeout=1s -no-ack -format=json silence
same query -timeout=1s -node s1 -node nobody load
same query -timeout=1s -tag role=d. -relay-factor 1 load
same query -timeout=1s -tag 'role=(' load
same query -timeout=1s _serf_list-keys
same query -timeout=1s _serf_ping
same query -timeout=1s load "$(head -c 1100 /dev/zero | tr '\0' x)"
same rtt s1
same rtt s1 h2
same rtt nobody
same rtt s1 nobody

# sour COMMAND FLAGS…: the same, when it fails with lines on standard output; serf prints its error there too.
sour() {
    for number in $at; do
        command=$1
        shift
        serf "$command" -rpc-addr="$net.$number:7373" "$@" >"$work/serf.out" 2>/dev/null
        wanted=$?
        "$HEARSAY" "$command" "-rpc-addr=$net.$number:7373" "$@" >"$work/hearsay.out" 2>&1
        got=$?
        [ $got -eq 1 ] && [ $wanted -eq 1 ] || fail "$command $*: exit codes $got and $wanted at $number"
        for each in serf hearsay; do
            sed -e "s/^hearsay $command: //" "$work/$each.out" | grep . | sort >"$work/$each.sorted"
        done
        diff "$work/serf.sorted" "$work/hearsay.sorted" || fail "$command $*: prints something else at $number"
        set -- "$command" "$@"
    done
}
# The command alone asks so many that fail in one run.
same reachability
same reachability -verbose
sour keys -list
sour keys -install HtkMFm5yzXnIqFdAe1Q1Hg==

# ---- keys ----------------------------------------------------------------------------------------------------------------------------
old=cg8StVXbQJ0gPvMd9o7yrg==
new=HtkMFm5yzXnIqFdAe1Q1Hg==
theirs s4 4 -encrypt "$old"
ours h5 5 --encrypt "$old"
h5=$pid
answers 4
answers 5
calls 4 5
within "4 sees h5" sees 4 h5 alive
within "5 sees s4" sees 5 s4 alive
at='4 5'
same keys -list
sour keys -install nonsense
same keys -install "$new"
same keys -list
same keys -use "$new"
sour keys -remove "$new"
same keys -remove "$old"
same keys -remove "$old"
sour keys -use "$old"
for verb in list "install $old" "use $old" "remove $new"; do
    # shellcheck disable=SC2086 # a verb and its key
    "$HEARSAY" keys $verb --rpc-addr "$net.4:7373" >"$work/out" 2>&1 || fail "keys $verb: $(cat "$work/out")"
done
"$HEARSAY" keys list --format json --rpc-addr "$net.4:7373" | tr -d ' \n' | grep -q "{\"keys\":{\"$old\":2},\"members\":2}" || fail "keys list as JSON"
echo "$new" >"$work/new.key"
"$HEARSAY" keys rotate "@$work/new.key" --rpc-addr "$net.4:7373" | grep -q 'Rotated: 2 members use the new key, 1 old key was removed' || fail "rotate"
"$HEARSAY" keys list --rpc-addr "$net.4:7373" | tail -n +4 >"$work/out"
[ "$(cat "$work/out")" = "$new  [2/2]" ] || fail "after the rotation: $(cat "$work/out")"
"$HEARSAY" keys rotate --keep-old "$old" --rpc-addr "$net.4:7373" >"$work/out" || fail "rotate --keep-old"
"$HEARSAY" keys list --rpc-addr "$net.4:7373" | grep -c '2/2' | grep -qx 2 || fail "--keep-old keeps"
kill -9 "$h5"
wait "$h5" 2>/dev/null
"$HEARSAY" keys rotate --rpc-addr "$net.4:7373" >"$work/out" 2>&1 && fail "rotate while one is silent"
within "4 sees h5 failed" sees 4 h5 failed
at=4
same reachability
"$HEARSAY" keys rotate "$new" --rpc-addr "$net.4:7373" >"$work/out" 2>&1 && fail "rotate while one is failed"
grep -q '^failed member: h5' "$work/out" && grep -q 'nothing was removed' "$work/out" || fail "rotate names the failed: $(cat "$work/out")"
"$HEARSAY" keys list --rpc-addr "$net.4:7373" | grep -q "$old" || fail "the old key is still there"
"$HEARSAY" keys rotate --ignore-failed "$new" --rpc-addr "$net.4:7373" >"$work/out" || fail "rotate --ignore-failed"
"$HEARSAY" keys list --rpc-addr "$net.4:7373" | grep -q "$old" && fail "the old key is gone"
"$HEARSAY" force-leave --strict --rpc-addr "$net.4:7373" nobody 2>"$work/out" && fail "strict"
grep -q 'no member is called nobody' "$work/out" || fail "strict says why"
"$HEARSAY" force-leave --strict --rpc-addr "$net.4:7373" h5 || fail "strict of a member"

"$HEARSAY" leave -rpc-addr="$net.1:7373" | grep -qx 'Graceful leave complete' || fail "leave at Serf's agent"
"$HEARSAY" leave --rpc-addr "$net.2:7373" | grep -qx 'Graceful leave complete' || fail "leave at ours"
"$HEARSAY" members --rpc-addr "$net.2:7373" >"$work/out" 2>&1 && fail "members of nobody"
[ "$(wc -l <"$work/out")" -eq 1 ] && grep -q "$net.2:7373" "$work/out" || fail "one line that names the address: $(cat "$work/out")"
exit 0
