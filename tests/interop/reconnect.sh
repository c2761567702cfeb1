#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Who crashed comes back and is told nobody: Serf finds an agent of ours again, and ours finds one of Serf's, each kind alone at work.
AGENT="$1 agent"
. "$(dirname "$0")/lib.sh"

echo '{"reconnect_interval":"500ms"}' >"$work/often.json"
theirs s1 1 -config-file "$work/often.json"
ours h3 3 --config-file "$work/often.json"
answers 1
answers 3
ours h2 2 --join "$net.1" --tag life=1
h2=$pid
theirs s4 4 -join "$net.3" -tag life=1
s4=$pid
within "s1 sees h2" sees 1 h2 alive
within "h3 sees s4" sees 3 s4 alive
kill -9 $h2 $s4
wait $h2 $s4 2>/dev/null
within "s1 sees h2 failed" sees 1 h2 failed
within "h3 sees s4 failed" sees 3 s4 failed
"$1" why --rpc-addr "$net.3:7373" s4 | grep -q failed || fail "hearsay why says that it failed"

ours h2 2 --tag life=2
theirs s4 4 -tag life=2
within "s1 finds h2" tagged 1 h2 'alive.*life=2'
within "h2 knows s1" sees 2 s1 alive
within "h3 finds s4" tagged 3 s4 'alive.*life=2'
within "s4 knows h3" sees 4 h3 alive
exit 0
