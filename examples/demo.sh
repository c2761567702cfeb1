#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Five encrypted agents on loopback meet, hear an event, lose one of them, find it again and part. `./dev demo` calls it with the
# program; --stay leaves the agents running. Every wait polls with a deadline; agents are ended by their process ids.
set -eu

program=$1
shift
stay=no
case ${1:-} in
'') ;;
--stay) stay=yes ;;
*)
    echo "usage: ./dev demo [--stay]" >&2
    exit 2
    ;;
esac

names='ada bea cyn dot eve'
net=127.$((64 + $$ % 128)).7
dir=$(mktemp -d "${TMPDIR:-/tmp}/hearsay-demo.XXXXXX")
started=$(date +%s)

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
    bold=$(printf '\033[1m') green=$(printf '\033[32m') red=$(printf '\033[31m') plain=$(printf '\033[0m')
else
    bold='' green='' red='' plain=''
fi

title() {
    printf '\n%s%s%s\n' "$bold" "$*" "$plain"
}

stop_all() {
    for pid_file in "$dir"/*.pid; do
        if [ -e "$pid_file" ]; then
            kill -9 "$(cat "$pid_file")" 2>/dev/null || true
        fi
    done
}

clean_up() {
    [ "$stay" = yes ] && return
    stop_all
    rm -rf "$dir"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

fail() {
    stay=no
    printf '%sdemo: %s%s\n' "$red" "$*" "$plain" >&2
    tail -n 5 "$dir"/*.log >&2
    exit 1
}

address_of() {
    number=0
    for name in $names; do
        number=$((number + 1))
        [ "$name" != "$1" ] || echo "$net.$number"
    done
}

start() {
    "$program" agent --node "$1" --bind "$(address_of "$1"):7946" --rpc-addr "$(address_of "$1"):7373" --profile local \
        --encrypt "@$dir/key" --tag role=demo --event-log "$dir/$1.events" --retry-join "$net.1" --retry-interval 1s \
        >>"$dir/$1.log" 2>&1 &
    echo $! >"$dir/$1.pid"
}

# wait_for SECONDS WHAT COMMAND…: until the command succeeds.
wait_for() {
    deadline=$(($(date +%s) + $1))
    what=$2
    shift 2
    until "$@"; do
        [ "$(date +%s)" -lt "$deadline" ] || fail "$what did not happen in time"
        sleep 0.05
    done
}

# Lines of every agent but $1 that match the pattern $2.
others_with() {
    for name in $names; do
        [ "$name" = "$1" ] || grep -c "$2" "$dir/$name.events" | sed "s/^[1-9].*/$name/;/^0$/d"
    done
}

all_see() { # STATUS COUNT: every running agent counts COUNT members of this status
    for name in $names; do
        [ -e "$dir/$name.pid" ] || continue
        seen=$("$program" members --rpc-addr "$(address_of "$name"):7373" --status "$1" 2>/dev/null | grep -c . || true)
        [ "$seen" -eq "$2" ] || return 1
    done
}

all_heard() {
    [ "$(others_with nobody "\"event\":\"$1\".*\"name\":\"$2\"" | wc -l)" -eq "$3" ]
}

# When did the agents log this? "name milliseconds-after-the-first …", sorted by time.
times_of() {
    grep -H "$1" "$dir"/*.events | sed 's|.*/\([a-z]*\)\.events:.*"time_ms":\([0-9]*\).*|\2 \1|' | sort -n |
        awk '!seen[$2]++ { if (!first) first = $1; printf "  %-4s %5d ms\n", $2, $1 - first }'
}

causes_of() {
    grep -H "\"event\":\"member-failed\".*\"name\":\"$1\"" "$dir"/*.events | awk -v start="$2" '
        function field(name, text) {
            if (match($0, "\"" name "\":\"?[^,\"}]*")) { text = substr($0, RSTART, RLENGTH); sub(/^"[a-z_]*":"?/, "", text); return text }
            return ""
        }
        {
            who = $0; sub(/\.events:.*/, "", who); sub(/.*\//, "", who)
            printf "  %-4s after %4.1f s  %-17s", who, (field("time_ms") - start) / 1000, field("reason")
            if (field("accuser") != "") printf "  accuser %s", field("accuser")
            if (field("direct") != "") printf ", direct %s", field("direct")
            if (field("indirect") != "") printf ", relays %s", field("indirect")
            if (field("stream") != "") printf ", stream %s", field("stream")
            if (field("confirmations") != "") printf ", %s confirmation(s)", field("confirmations")
            print ""
        }'
}

now_ms() {
    date +%s%3N
}

"$program" keygen >"$dir/key"
chmod 600 "$dir/key"

title 'Five agents start, each with the key of the cluster, and meet through the first'
meet_start=$(now_ms)
for name in $names; do
    start "$name"
done
wait_for 20 'the meeting' all_see alive 5
met=$(($(now_ms) - meet_start))
"$program" members --rpc-addr "$net.1:7373"

title 'eve tells everybody: deploy v1.2.3'
"$program" event --rpc-addr "$(address_of eve):7373" deploy v1.2.3 >/dev/null
wait_for 10 'the event' all_heard user deploy 5
times_of '"event":"user".*"name":"deploy"'
heard=$(times_of '"event":"user".*"name":"deploy"' | awk '{ last = $2 } END { print last }')

title 'cyn is killed with kill -9'
killed_at=$(now_ms)
kill -9 "$(cat "$dir/cyn.pid")"
rm "$dir/cyn.pid"
wait_for 30 'noticing' all_see failed 1
noticed=$(($(now_ms) - killed_at))
causes_of cyn "$killed_at"
title 'hearsay why cyn, asked of ada'
"$program" why --rpc-addr "$(address_of ada):7373" cyn

title 'cyn comes back'
back_start=$(now_ms)
start cyn
wait_for 20 'the return' all_see alive 5
back=$(($(now_ms) - back_start))
"$program" members --rpc-addr "$net.1:7373"

if [ "$stay" = yes ]; then
    title 'The agents stay. Talk to them:'
    cat <<END
  $program members --rpc-addr $net.1:7373
  $program event --rpc-addr $net.1:7373 hello world
  $program monitor --rpc-addr $net.1:7373
  $program inspect --encrypt @$dir/key $net.1
  tail -f $dir/ada.events
Stop them:
  kill $(cat "$dir"/*.pid | tr '\n' ' '); rm -r $dir
END
    exit 0
fi

title 'dot leaves politely, then all end'
left_start=$(now_ms)
"$program" leave --rpc-addr "$(address_of dot):7373" >/dev/null
rm "$dir/dot.pid"
wait_for 20 'the leaving' all_see left 1
left=$(($(now_ms) - left_start))

title 'Summary'
printf '  %-42s %6d ms\n' 'five agents met' "$met" 'an event reached everybody after' "${heard:-0}" \
    'a kill -9 was noticed by everybody after' "$noticed" 'the killed agent was back everywhere after' "$back" \
    'a polite leave was known everywhere after' "$left"
printf '%s  all well, %d s in all%s\n' "$green" $(($(date +%s) - started)) "$plain"
