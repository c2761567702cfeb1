#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Leaving is not failing: in both directions a leave shows as left, a crash as failed, force-leave turns failed into left, and a wish to remove one
# that lives is denied. The LAN profile: with local's two copies of each rumour, one of six hears nothing every twelfth time.
AGENT=$1
. "$(dirname "$0")/lib.sh"

theirs s1 1 -profile lan
theirs s2 2 -profile lan
s2=$pid
theirs s3 3 -profile lan
s3=$pid
ours h4 4 --profile lan
ours h5 5 --profile lan
h5=$pid
ours h6 6 --profile lan
h6=$pid
for number in 1 2 3 4 5 6; do
    answers $number
done
for number in 2 3 4 5 6; do
    calls 1 $number
done
for number in 1 2 3 4 5 6; do
    for name in s1 s2 s3 h4 h5 h6; do
        within "$number sees $name" sees $number $name alive
    done
done

within "clocks agree" clocks_agree 1 2 3 4 5 6
# who lives denies it (serf tells nobody when no third member is alive)
serf force-leave -rpc-addr="$net.1:7373" h4 || fail "force-leave of h4"
within "clocks agree" clocks_agree 1 2 3 4 5 6
serf force-leave -rpc-addr="$net.4:7373" s1 || fail "force-leave of s1"
event 1 after-all
within "h4 still hears" heard h4 after-all
for number in 1 4; do
    within "$number sees s1 alive" sees $number s1 alive
    within "$number sees h4 alive" sees $number h4 alive
done

serf leave -rpc-addr="$net.2:7373" | grep -q 'Graceful leave complete' || fail "s2 leaves"
kill -INT $h5
exits $s2 0
exits $h5 0
for number in 1 3 4 6; do
    within "$number sees s2 left" sees $number s2 left
    within "$number sees h5 left" sees $number h5 left
done
has_line "$work/h4.events" '"event":"member-leave","member":{"name":"s2"' || fail "h4 tells of s2's leave"
grep -q '"event":"member-failed"' "$work/h4.events" && fail "nobody failed so far"

kill -9 $s3 $h6
wait $s3 $h6 2>/dev/null
for number in 1 4; do
    within "$number sees s3 failed" sees $number s3 failed
    within "$number sees h6 failed" sees $number h6 failed
done
serf force-leave -rpc-addr="$net.4:7373" s3 || fail "force-leave by h4"
serf force-leave -rpc-addr="$net.1:7373" h6 || fail "force-leave by s1"
for number in 1 4; do
    within "$number sees s3 left" sees $number s3 left
    within "$number sees h6 left" sees $number h6 left
done

exit 0
