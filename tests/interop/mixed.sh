#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Five of ours and five of Serf's in one encrypted cluster: all meet, an event of each kind reaches all ten, one of each is killed and one of each
# leaves, and everybody agrees.
AGENT=$1
. "$(dirname "$0")/lib.sh"

key=$(head -c 32 /dev/urandom | base64 | tr -d '\n')
all=
for i in 1 2 3 4 5; do
    theirs "s$i" "$i" -profile lan -encrypt "$key" -retry-join "$net.1" -retry-interval 1s
    eval "pid_s$i=\$pid"
    ours "h$i" $((i + 5)) --profile lan --encrypt "$key" --retry-join "$net.1" --retry-interval 1s
    eval "pid_h$i=\$pid"
    all="$all s$i h$i"
done
agrees() { # NUMBER STATUS COUNT
    [ "$(serf members -rpc-addr="$net.$1:7373" -status "$2" | wc -l)" -eq "$3" ]
}
for number in 1 2 3 4 5 6 7 8 9 10; do
    answers $number
    within "$number sees all ten" agrees $number alive 10
done
# An event that overtakes a joining is an old one for who joins, so all joinings must be over.
for name in $all; do
    within "$name has joined" has_line "$work/$name.log" 'Join completed'
done
event 2 from-serf x
event 7 from-hearsay x
for name in $all; do
    within "$name hears serf" heard "$name" from-serf
    within "$name hears hearsay" heard "$name" from-hearsay
done
eval "kill -9 \$pid_s5 \$pid_h5; wait \$pid_s5 \$pid_h5" 2>/dev/null
eval "kill -INT \$pid_s4 \$pid_h4"
eval "exits \$pid_s4 0; exits \$pid_h4 0"
for number in 1 2 3 6 7 8; do
    within "$number sees two failed" agrees $number failed 2
    within "$number sees two left" agrees $number left 2
    within "$number sees six alive" agrees $number alive 6
    sees $number s5 failed && sees $number h5 failed && sees $number s4 left && sees $number h4 left || fail "$number mixes them up"
done
exit 0
