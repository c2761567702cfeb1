#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Every subcommand of Debian's serf, one by one, against Serf's agent and against ours in the same cluster: the same output and the same exit code.
# Names of the two agents are told apart by nothing else, so they are written as "me" and "you".
AGENT=$1
. "$(dirname "$0")/lib.sh"

# shellcheck disable=SC2016
handler='query:load=echo "busy: $(cat)"'
theirs s1 1 -tag role=web -event-handler "$handler"
ours h2 2 --tag role=web --event-handler "$handler"
theirs s3 3 -tag role=db
s3=$pid
ours h4 4 --tag role=db
h4=$pid
gather 4

# What is whim in it: blanks at the ends of lines, the order of Go's maps, and figures that move. Where the asked agent stands is "me".
steady() { # NUMBER
    me=s1 you=h2
    [ "$1" -eq 1 ] || { me=h2 you=s1; }
    sed -e "s/$net\.$1:/ME:/g" -e "s/$net\.$((3 - $1)):/YOU:/g" -e "s/\b$me\b/me/g" -e "s/\b$you\b/you/g" -e 's/\b[sh]\([34]\)\b/x\1/g' \
        -e 's/rtt: [0-9.]* ms/rtt: N ms/' -e 's/[0-9.]* sec/N sec/g' -e 's/ \+/ /g' -e 's/,$//' -e 's/ *$//' | sort
}

# same COMMAND FLAGS…: at both; asked again while the world moves between the two.
same() {
    within "serf $*: the same (difference.log)" is_same "$@"
}
is_same() {
    command=$1
    shift
    for number in 1 2; do
        serf "$command" -rpc-addr="$net.$number:7373" "$@" >"$work/out" 2>"$work/err"
        eval "code$number=$?"
        cat "$work/out" "$work/err" | steady $number >"$work/$number.out"
    done
    # shellcheck disable=SC2154 # set by eval
    if [ "$code1" -ne "$code2" ]; then
        echo "exit codes $code1 and $code2" >"$work/difference.log"
        return 1
    fi
    diff "$work/1.out" "$work/2.out" >"$work/difference.log"
}
# fails COMMAND FLAGS…: both refuse; and if the words are the agent's own, they may differ.
fails() {
    command=$1
    shift
    for number in 1 2; do
        serf "$command" -rpc-addr="$net.$number:7373" "$@" >"$work/out" 2>&1 && fail "serf $command $* at $number is refused"
        grep -q . "$work/out" || fail "serf $command $* at $number says why"
    done
}

same members
same members -detailed
same members -format=json
same members -status=alive -tag role=web
same members -status=left
same members -name='(me|h2|s1)'
same members -name='('
same tags -set extra=1
within "both are told of the tag" sh -c "[ \$(serf members -rpc-addr=$net.3:7373 | grep -c extra=1) -eq 2 ]"
same members -tag extra=1
same tags -delete extra
same tags
same event deploy v1
same event -coalesce=false deploy
same event "$(head -c 600 /dev/zero | tr '\0' x)"
same join "$net.3"
same join -replay "$net.3" "$net.4"
fails join "$net.99"
same query -timeout=1s load much
same query -timeout=1s -no-ack load
same query -timeout=1s -format=json -tag role=nobody load
same query -timeout=1s -node x -relay-factor 1 load
same query -timeout=1s _serf_list-keys
same query -timeout=1s load "$(head -c 1100 /dev/zero | tr '\0' x)"
same reachability
same reachability -verbose
same rtt h4 s3
same rtt nobody
same keys -list
same keys -install HtkMFm5yzXnIqFdAe1Q1Hg==
fails keys -install nonsense
same force-leave nobody
same keygen -h
same version

# info: the same things are told, with the same values where these are no figures of the process.
told() { # NUMBER
    serf info -rpc-addr="$net.$1:7373" "$2" >"$work/info" || fail "info at $1"
    steady "$1" <"$work/info" | sed -e '/_time/d' -e '/_queue/d' -e 's/\(goroutines\|version\|max_procs\|cpu_count\|health_score\)\b.*/\1/'
}
for format in -format=text -format=json; do
    told 1 $format >"$work/1.out"
    told 2 $format >"$work/2.out"
    diff "$work/1.out" "$work/2.out" >"$work/difference.log" || fail "info $format differs"
done

# monitor: events, as they are shown.
for number in 1 2; do
    serf monitor -rpc-addr="$net.$number:7373" -log-level=err >"$work/monitor$number" 2>&1 &
    pids="$pids $!"
done
shown() {
    serf event -rpc-addr="$net.3:7373" -coalesce=false shown now >/dev/null
    grep -q shown "$work/monitor1" && grep -q shown "$work/monitor2"
}
within "both monitors show an event" shown
kill -9 $s3 $h4
wait $s3 $h4 2>/dev/null
for number in 1 2; do
    within "$number shows who failed" has_line "$work/monitor$number" '^ *(Type|Event)?.*member-failed'
done
block() { # FILE: how a user event is shown; its lines come in the order of a map of Go, which is none
    awk '/^Event Info/ { if (block ~ /"user"/) exit; block = ""; next } { block = block $0 "\n" } END { printf "%s", block }' "$1" |
        grep -E '^[[:space:]]*(Coalesce|Event|LTime|Name|Payload):' | sed -e 's/LTime: [0-9]*/LTime: N/' -e 's/ *$//' | sort
}
block "$work/monitor1" >"$work/1.out"
block "$work/monitor2" >"$work/2.out"
[ "$(wc -l <"$work/1.out")" -eq 5 ] || fail "the lines of an event: $(cat "$work/1.out")"
diff "$work/1.out" "$work/2.out" >"$work/difference.log" || fail "monitor shows events otherwise: $(cat "$work/difference.log")"

for name in s3 h4; do
    for number in 1 2; do
        within "$number sees $name failed" sees $number $name failed
    done
done
same members -status=failed
same reachability
serf force-leave -rpc-addr="$net.1:7373" s3 >"$work/1.out" 2>&1 || fail "force-leave at Serf's"
serf force-leave -rpc-addr="$net.2:7373" h4 >"$work/2.out" 2>&1 || fail "force-leave at ours"
diff "$work/1.out" "$work/2.out" || fail "force-leave says something else"
same members -status=left
serf leave -rpc-addr="$net.2:7373" >"$work/2.out" 2>&1 || fail "leave at ours"
serf leave -rpc-addr="$net.1:7373" >"$work/1.out" 2>&1 || fail "leave at Serf's"
diff "$work/1.out" "$work/2.out" || fail "leave says something else"
same members # nobody is there any more
exit 0
