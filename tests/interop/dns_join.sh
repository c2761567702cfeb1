#!/bin/sh
# SPDX-License-Identifier: MIT
#
# --retry-join by DNS: a name that does not exist yet, SRV records with ports, and everybody gone and back at another address. In a network of its own
# with a name server of its own; skips itself where it cannot have them.
AGENT="$1 agent"
HEARSAY=$1
. "$(dirname "$0")/own_net.sh"
if [ -z "${HEARSAY_OWN_NAMES:-}" ]; then
    unshare -m true 2>/dev/null || { echo "skipped: no mount namespaces here"; exit 77; }
    exec unshare -m env HEARSAY_OWN_NAMES=1 HEARSAY_OWN_NET=2 sh "$0" "$@"
fi
. "$(dirname "$0")/lib.sh"

command -v dnsmasq >/dev/null || { echo "skipped: dnsmasq is not installed"; exit 77; }
echo 'nameserver 127.0.0.1' >"$work/resolv.conf"
mount --bind "$work/resolv.conf" "$(readlink -f /etc/resolv.conf)" || { echo "skipped: cannot mount here"; exit 77; }

server=
# names RECORDS…: from now on these and no others
names() {
    if [ -n "$server" ]; then
        kill -9 "$server"
        wait "$server" 2>/dev/null
    fi
    dnsmasq --keep-in-foreground --conf-file=/dev/null --pid-file= --no-hosts --no-resolv --user=root --listen-address=127.0.0.1 --bind-interfaces \
        --local=/test/ "$@" >>"$work/dnsmasq.log" 2>&1 &
    server=$!
    pids="$pids $server"
}

names
ours h1 1 --bind "$net.1:17946"
h1=$pid
ours h2 2 --retry-join srv:_hearsay._tcp.test --retry-interval 1s
ours h3 3 --retry-join pods.test --retry-interval 1s
for number in 1 2 3; do
    answers $number
done
within "no such service" has_line "$work/h2.log" 'Join failed: cannot resolve "srv:_hearsay._tcp.test": .*retrying'
within "no such host" has_line "$work/h3.log" 'Join failed: cannot resolve "pods.test": .*retrying'

names --srv-host=_hearsay._tcp.test,a.test,17946,1 --srv-host=_hearsay._tcp.test,gone.test,7946,2 --address=/a.test/"$net.1" \
    --address=/pods.test/"$net.2"
within "by SRV, with its port" sees 2 h1 alive
within "by name" sees 3 h1 alive

# everybody else ends, and somebody comes back with another name and address
kill -9 "$h1" "$pid"
within "h1 is gone" sees 2 h1 failed
within "h3 is gone" sees 2 h3 failed
ours h4 4
answers 4
names --srv-host=_hearsay._tcp.test,b.test,7946,1 --address=/b.test/"$net.4"
within "the names are asked again" sees 2 h4 alive

# one that is already joined is not asked about again; nonsense is said at once
"$HEARSAY" join -rpc-addr="$net.4:7373" srv:_none._tcp.test >"$work/out" 2>&1 && fail "join of nobody"
grep -q 'cannot resolve "srv:_none._tcp.test"' "$work/out" || fail "reason: $(cat "$work/out")"
exit 0
