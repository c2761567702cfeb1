#!/bin/sh
# SPDX-License-Identifier: MIT
#
# serf and hearsay, the commands, asked of the same agent, of either kind: what is printed and the exit code are the same.
AGENT="$1 agent"
HEARSAY=$1
. "$(dirname "$0")/lib.sh"

theirs s1 1 -tag role=db
ours h2 2 --tag role=web --tag b=2
theirs s3 3
s3=$pid
for number in 1 2 3; do
    answers $number
done
calls 1 2
calls 1 3
for number in 1 2; do
    for name in s1 h2 s3; do
        within 15 "$number sees $name" sees $number $name alive
    done
done
kill -9 $s3
wait $s3 2>/dev/null
for number in 1 2; do
    within 40 "$number sees s3 failed" sees $number s3 failed
done

# Blanks at the end of a line are serf's whim. Members come in no order from Serf's agent, and tags in none from its command; and figures of the runtime move.
steady() {
    sed -e 's/role=web,b=2/b=2,role=web/' -e '/goroutines/d' -e '/_time/d' -e '/"[a-z]*_queue"/d' -e '/ [a-z]*_queue = /d' -e 's/,$//' -e 's/ *$//' | sort
}

# same COMMAND FLAGS…: at both agents
same() {
    for number in 1 2; do
        command=$1
        shift
        serf "$command" -rpc-addr="$net.$number:7373" "$@" >"$work/serf.out" 2>/dev/null
        wanted=$?
        "$HEARSAY" "$command" "-rpc-addr=$net.$number:7373" "$@" >"$work/hearsay.out" 2>"$work/hearsay.err"
        got=$?
        [ $got -eq $wanted ] || fail "$command $*: exit code $got instead of $wanted at $number"
        if [ $wanted -ne 0 ]; then # serf tells failures on stdout, in several lines
            [ ! -s "$work/hearsay.out" ] && [ "$(wc -l <"$work/hearsay.err")" -eq 1 ] || fail "$command $*: not one line at $number"
            set -- "$command" "$@"
            continue
        fi
        steady <"$work/serf.out" >"$work/wanted"
        steady <"$work/hearsay.out" >"$work/got"
        diff "$work/wanted" "$work/got" || fail "$command $*: prints something else at $number"
        set -- "$command" "$@"
    done
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
"$HEARSAY" leave -rpc-addr="$net.1:7373" | grep -qx 'Graceful leave complete' || fail "leave at Serf's agent"
"$HEARSAY" leave --rpc-addr "$net.2:7373" | grep -qx 'Graceful leave complete' || fail "leave at ours"
"$HEARSAY" members --rpc-addr "$net.2:7373" >"$work/out" 2>&1 && fail "members of nobody"
[ "$(wc -l <"$work/out")" -eq 1 ] && grep -q "$net.2:7373" "$work/out" || fail "one line that names the address: $(cat "$work/out")"
exit 0
