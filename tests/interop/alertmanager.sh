#!/bin/sh
# SPDX-License-Identifier: MIT
#
# hearsay inspect and doctor before Debian's Alertmanager: three real ones, their members, their silences, a state that does not spread, a stranger among
# them, and how refusals are explained. Skips itself where there is no Alertmanager.
HEARSAY=$1
AGENT="$1 agent"
. "$(dirname "$0")/own_net.sh"
. "$(dirname "$0")/lib.sh"

if ! command -v prometheus-alertmanager >/dev/null || ! command -v curl >/dev/null; then
    echo "skipped: Debian's prometheus-alertmanager or curl is not installed"
    exit 77
fi
printf 'route:\n  receiver: none\nreceivers:\n  - name: none\n' >"$work/am.yml"
head -c 16 /dev/urandom | base64 >"$work/key"

# alertmanager NUMBER FLAGS…
alertmanager() {
    number=$1
    shift
    mkdir "$work/am$number"
    # the heap it reserves is not needed here
    prometheus-alertmanager --config.file="$work/am.yml" --storage.path="$work/am$number" --web.listen-address="$net.$number:9093" \
        --cluster.listen-address="$net.$number:9094" --cluster.pushpull-interval=1h "$@" >>"$work/am$number.log" 2>&1 &
    pids="$pids $!"
}

# looks COMMAND CODE PATTERN ARGUMENTS…
looks() {
    command=$1 code=$2 pattern=$3
    shift 3
    "$HEARSAY" "$command" --timeout 2000 "$@" >"$work/out" 2>&1
    got=$?
    [ $got -eq "$code" ] && grep -Eq -- "$pattern" "$work/out"
}
# tells COMMAND CODE PATTERN ARGUMENTS…: sooner or later, for all of them are busy with themselves at times
tells() {
    within "exit code $2 and '$3' for: $1 $4 ${5:-} ${6:-}" looks "$@"
}
silence() {
    printf '{"matchers":[{"name":"job","value":"%s","isRegex":false}],"startsAt":"2020-01-01T00:00:00Z","endsAt":"2099-01-01T00:00:00Z","createdBy":"test","comment":"%s"}' \
        "$2" "$3" >"$work/silence.json"
    curl -s -f -H 'Content-Type: application/json' -d "@$work/silence.json" "http://$net.$1:9093/api/v2/silences" >/dev/null
}
# holds NUMBER COUNT: so many silences are known there
holds() {
    looks inspect 0 "$2 silences \(" "$net.$1:9094"
}

alertmanager 1
tells inspect 0 "^$net.1:9094: Alertmanager, NOT ENCRYPTED, compressed, 1 member\$" "$net.1:9094"
alertmanager 2 --cluster.peer="$net.1:9094"
tells inspect 0 ' 2 members$' "$net.1:9094"
alertmanager 3 --cluster.peer="$net.1:9094" --cluster.peer="$net.2:9094" # exchanges are an hour apart: nobody may miss the rumour
for number in 1 2 3; do
    tells inspect 0 "^$net.$number:9094: Alertmanager, NOT ENCRYPTED, compressed, 3 members\$" --personality alertmanager "$net.$number:9094"
    grep -Eq "^state of [0-9]+ bytes: .*0 silences \(0 bytes\)" "$work/out" || fail "state: $(cat "$work/out")"
    [ "$(grep -Ec "^[0-9A-HJKMNP-TV-Z]{26} +$net.[123]:9094 +alive +[0-9]+ +1-5/2 0-0/0" "$work/out")" -eq 3 ] || fail "members: $(cat "$work/out")"
done

# what it holds
within "a silence is taken" silence 1 one 'a short one'
within "told to 2" holds 2 1
within "told to 3" holds 3 1
tells inspect 0 '"personality": "alertmanager"' --format json "$net.2:9094"
grep -A3 '"name": "sil"' "$work/out" | grep -q '"entries": 1' || fail "silences in JSON: $(cat "$work/out")"
tells doctor 0 '^3 of 3 members told their view in [0-9.]+ s: they agree, and all answer' "$net.2:9094"
grep -q 'next: give it TLS' "$work/out" || fail "TLS is not recommended: $(cat "$work/out")"

# what is too large for a packet goes by stream: while 3 refuses that, a silence does not arrive there, though all are well
nft add rule ip broken out ip daddr "$net.3" tcp dport 9094 reject with tcp reset
long=$(printf '%1400s' '' | tr ' ' x)
within "a long silence is taken" silence 1 two "$long"
within "told to 2 by stream" holds 2 2
given_up() {
    curl -s -f "http://$net.1:9093/metrics" | grep -Eq '^alertmanager_oversized_gossip_message_failure_total\{.*\} [1-9]'
}
within "3 was tried" given_up
mend
tells doctor 1 '^warning +members agree on who is there, but not on silences' "$net.2:9094"
grep -Eq 'state of [0-9]+ bytes: .*1 silences' "$work/out" || fail "who lacks it? $(cat "$work/out")"

# refusals
tells inspect 1 'it answers in plain text although we came with a key' --encrypt "@$work/key" "$net.1:9094"
tells inspect 1 'it closed the stream without a word: its label differs from ours' --label blue "$net.1:9094"
tells inspect 0 'this is Alertmanager, not Consul' --personality consul "$net.1:9094"
tells inspect 1 'not memberlist' "$net.1:9093"

# another product beside it, which could never join
ours h5 5
answers 5
tells doctor 1 '^problem +(Alertmanager and Serf|Serf and Alertmanager) are mixed' "$net.1:9094" "$net.5"
grep -Eq "^problem +versions clash: h5 demands version 2 of the delegate's protocol, [0-9A-Z]{26} speaks at most 0" "$work/out" || fail "$(cat "$work/out")"
"$HEARSAY" join -rpc-addr="$net.5:7373" "$net.1:9094" >"$work/out" 2>&1 && fail "they join: $(cat "$work/out")"

# behind TLS there is no gossip port to be seen
if command -v openssl >/dev/null; then
    openssl req -x509 -newkey rsa:2048 -nodes -keyout "$work/tls.key" -out "$work/tls.pem" -days 2 -subj /CN=test >/dev/null 2>&1
    printf 'tls_server_config:\n  cert_file: %s\n  key_file: %s\ntls_client_config:\n  insecure_skip_verify: true\n' "$work/tls.pem" "$work/tls.key" >"$work/tls.yml"
    alertmanager 4 --cluster.tls-config="$work/tls.yml"
    tells inspect 1 'behind TLS \(as Alertmanager' "$net.4:9094"
fi

# dead, and noticed by the others
kill -9 "$(echo "$pids" | cut -d ' ' -f 4)" # the third
tells doctor 1 "^problem +[0-9A-Z]{26} does not answer at $net.3:9094, yet 2 of 2 members believe it up" "$net.1:9094"
tells doctor 0 'they agree' "$net.1:9094"
exit 0
