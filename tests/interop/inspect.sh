#!/bin/sh
# SPDX-License-Identifier: MIT
#
# hearsay inspect looks at Serf and at ours from outside: what it sees, how it explains refusals, and that nobody learns of it.
AGENT="$1 agent"
HEARSAY=$1
. "$(dirname "$0")/lib.sh"

head -c 16 /dev/urandom | base64 >"$work/key"
head -c 16 /dev/urandom | base64 >"$work/wrong"
theirs s1 1 -tag role=db
theirs s2 2 -encrypt "$(cat "$work/key")"
ours h3 3 --encrypt "@$work/key" --label blue --tag role=web
ours h4 4 --protocol-personality memberlist
ours h5 5 --join "$net.1"
for number in 1 2 3 4 5; do
    answers $number
done
within "s1 sees h5" sees 1 h5 alive

# looks CODE PATTERN FLAGS…
looks() {
    code=$1 pattern=$2
    shift 2
    "$HEARSAY" inspect "$@" >"$work/out" 2>&1
    got=$?
    [ $got -eq "$code" ] || fail "exit code $got instead of $code for: $*: $(cat "$work/out")"
    grep -Eq -- "$pattern" "$work/out" || fail "$(cat "$work/out") -- for: $*"
}

looks 0 "^$net.1:7946: Serf, NOT ENCRYPTED, compressed, 2 members\$" "$net.1:7946"
looks 0 "^s1 +$net.1:7946 +alive +[0-9]+ +1-5/2 2-5/5 +role=db\$" "$net.1"
looks 0 "^h5 +$net.5:7946 +alive +[0-9]+ +1-5/2 2-5/5 *\$" "$net.1"
looks 0 'pings: 5 of 5 answered, round trip [0-9.]+ / [0-9.]+ / [0-9.]+ ms' "$net.1"
looks 0 ': Serf, encrypted, compressed, 1 member$' --encrypt "@$work/key" "$net.2"
looks 0 ': Serf, encrypted, .* 1 member$' --label blue "-encrypt=@$work/key" "$net.3"
looks 0 ': plain memberlist, NOT ENCRYPTED,' "$net.4"
looks 0 'this is plain memberlist, not Serf' --personality serf "$net.4"

# Consul and Nomad are Serf with tags of their own
theirs s6 6 -tag role=consul -tag dc=east -tag build=1.9.0:3c1c
theirs c7 7 -tag role=node -tag dc=east -tag build=1.8.4:12b1
theirs n8 8 -tag role=nomad -tag dc=west -tag build=1.0.1
for number in 6 7 8; do
    answers $number
done
calls 6 7
within "s6 sees c7" sees 6 c7 alive
looks 0 "^$net.6: Consul, NOT ENCRYPTED, compressed, 2 members\$" --personality serf "$net.6"
looks 0 '^datacenter east: 1 server, 1 client, versions (1.9.0, 1.8.4|1.8.4, 1.9.0)$' --personality consul "$net.7"
looks 0 'this is Nomad, not Consul' --personality consul "$net.8"
"$HEARSAY" doctor "$net.6" >"$work/out" 2>&1
grep -Eq '^warning +2 versions of Consul are mixed: 1.[89].[04], 1.[89].[04]$' "$work/out" || fail "builds: $(cat "$work/out")"

looks 1 'it answers encrypted, and we have no key' "$net.2"
looks 1 'our key does not open it' --encrypt "@$work/wrong" "$net.2"
looks 1 'it answers in plain text although we came with a key' --encrypt "@$work/key" "$net.1"
looks 1 'it wants a label' --encrypt "@$work/key" "$net.3"
looks 1 'its label differs from ours' --encrypt "@$work/key" --label red "$net.3"
looks 1 'that is not the gossip port' "$net.1:7373"
looks 1 'Connection refused; is a node running there' "$net.99"
looks 1 "'99999' is no port" "$net.1:99999"
looks 1 'cannot read .*/none' --encrypt "@$work/none" "$net.1"
looks 1 'not 16, 24 or 32 bytes in base64' --encrypt AAEC "$net.1"
looks 2 'there is memberlist, serf, alertmanager, consul, nomad and dskit' --personality redis "$net.1"
looks 2 'there is no flag --encryp' --encryp x "$net.1"
looks 2 'an argument is missing'

looks 0 '"personality": "serf"' --format json "$net.1"
grep -q '"name": "h5"' "$work/out" || fail "members in JSON"
looks 1 '"seen": false' --format json "$net.2"

for number in 1 5; do
    [ "$(serf members -rpc-addr="$net.$number:7373" | wc -l)" -eq 2 ] || fail "$number learned of the onlooker"
done
for number in 2 3 4; do
    [ "$(serf members -rpc-addr="$net.$number:7373" | wc -l)" -eq 1 ] || fail "$number learned of the onlooker"
done
exit 0
