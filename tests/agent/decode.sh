#!/bin/sh
# SPDX-License-Identifier: MIT
#
# hearsay decode on datagrams captured between Go agents: every one is read, named as its notes name it, and opened with its key; and on captures
# and hex that are not what they should be.
HEARSAY=$1
vectors=$(dirname "$0")/../wire/vectors
. "$(dirname "$0")/lib.sh"

# decodes CODE PATTERN FLAGS… <INPUT
decodes() {
    code=$1 pattern=$2
    shift 2
    "$HEARSAY" decode "$@" >"$work/out" 2>&1
    got=$?
    [ $got -eq "$code" ] && grep -Eq -- "$pattern" "$work/out" || fail "exit code $got: $(head -c 1500 "$work/out") -- for: $*"
}

sed -n 's/.*"hex": "\([0-9a-f]*\)".*/\1/p' "$vectors/udp-plain.json" >"$work/plain"
[ "$(wc -l <"$work/plain")" -gt 20 ] || fail "the vectors could not be read"
decodes 0 "^$(wc -l <"$work/plain") datagrams, 0 unreadable" "$work/plain"
for word in ping indirect-ping ack nack suspect alive dead; do
    grep -q "^    $word " "$work/out" || fail "no $word among the captured datagrams"
done
grep -Eq '^    user-event +ltime=[0-9]+ name="' "$work/out" || fail "user events"
grep -Eq '^    query +ltime=[0-9]+ id=[0-9]+ name="' "$work/out" || fail "queries"
grep -q '^    unknown' "$work/out" && fail "an unknown message among the captured"
echo '02 82 a7:50 61796c6f6164c0a55365714e6f01' | decodes 0 '^    ack +sequence=1$'
echo '02 82 a7:50 61796c6f6164c0a55365714e6f01' | decodes 0 '"messages":\[\{"type":"ack","sequence":1\}\]' --format json -

# keys
key=AAECAwQFBgcICQoLDA0ODw==
sed -n 's/.*"hex": "\([0-9a-f]*\)".*/\1/p' "$vectors/udp-encrypted.json" | head -n 1 >"$work/sealed"
decodes 1 'cannot be read: not understood: encrypted, perhaps' "$work/sealed"
decodes 1 'cannot be read: not understood: encrypted, perhaps, with another key' --encrypt "$("$HEARSAY" keygen)" "$work/sealed"
decodes 0 ', encrypted' --encrypt "$key" "$work/sealed"

# a capture made by hand: one UDP packet on Ethernet, little endian, microseconds; and one of TCP
pcap() { printf '\324\303\262\241\002\000\004\000\000\000\000\000\000\000\000\000\000\000\004\000\001\000\000\000'; }
udp() { printf '\001\000\000\000\002\000\000\000\074\000\000\000\074\000\000\000\001\002\003\004\005\006\001\002\003\004\005\007\010\000E\000\000\056\000\000\000\000\100\021\000\000\177\000\000\001\177\000\000\002\037\012\037\012\000\032\000\000\002\202\247Payload\300\245SeqNo\001'; }
tcp() { printf '\001\000\000\000\002\000\000\000\042\000\000\000\042\000\000\000\001\002\003\004\005\006\001\002\003\004\005\007\010\000E\000\000\024\000\000\000\000\100\006\000\000\177\000\000\001\177\000\000\002'; }
{ pcap; udp; tcp; } >"$work/pcap"
decodes 0 '^[0-9:]+\.000002  127\.0\.0\.1:7946 > 127\.0\.0\.2:7946: 18 bytes$' "$work/pcap"
grep -q '^1 datagram, 0 unreadable; skipped: 1 of TCP' "$work/out" || fail "$(cat "$work/out")"
decodes 0 '^0 datagrams' --port 9 "$work/pcap"
head -c 70 "$work/pcap" | decodes 1 'cut short or damaged at offset 24'
head -c 20 "$work/pcap" | decodes 1 'ends within its header, at offset 20'
{ head -c 20 "$work/pcap"; printf '\377\000\000\000'; udp; } | decodes 1 'link type 255 are not understood'

# what is no gossip
echo 0 | decodes 1 'line 1 is no hex'
printf '# a comment\n\nff\nzz\n' | decodes 1 'line 4 is no hex'
echo ff | decodes 0 'unknown +type_not_understood=255'
decodes 1 'cannot read .*/none' "$work/none"
decodes 2 'it must be from 1 to 65535' --port 0 "$work/pcap"
: | decodes 0 '^0 datagrams'
exit 0
