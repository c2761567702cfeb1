#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The Kubernetes manifest says what the agent understands: one is started with its very arguments, and asked what its probes ask, at its ports; names
# within it belong together. manifests.sh PROGRAM PACKAGING. In a network of its own, since pods listen everywhere.
AGENT="$1 agent"
HEARSAY=$1
packaging=$2
. "$(dirname "$0")/../interop/own_net.sh"
. "$(dirname "$0")/lib.sh"
pods=10.42.0 # pods have addresses of their own, or answers would come from 127.0.0.1
ip addr add $pods.1/24 dev lo && ip addr add $pods.2/24 dev lo || fail "addresses of pods"
manifest=$packaging/kubernetes/cluster.yaml
command -v curl >/dev/null || { echo "skipped: curl is not installed"; exit 77; }

# value KEY: of all lines "KEY: VALUE"
value() {
    sed -n "s/^[- ]*$1: *//p" "$manifest" | sort -u
}
[ "$(value app)" = hearsay ] || fail "the selectors and the pods' label differ: $(value app)"
[ "$(value serviceName)" = hearsay ] || fail "the StatefulSet names another service"
[ "$(value publishNotReadyAddresses)" = true ] && [ "$(value clusterIP)" = None ] || fail "the service is not headless for all pods"
grep -c "$(printf '\t')" "$manifest" | grep -qx 0 || fail "tabs in YAML"

# its arguments, in a pod of ours
mkdir -m 700 "$work/secrets"
for secret in key token; do
    "$HEARSAY" keygen >"$work/secrets/$secret"
    chmod 400 "$work/secrets/$secret"
    grep -q -- "--from-literal=$secret=" "$manifest" || fail "the secret's $secret is not explained"
done
mount=$(value mountPath)
sed -n '/^ *args:/,/^ *env:/s/^ *- //p' "$manifest" | tail -n +2 |
    sed "s,\$(POD_NAME),pod-0,; s,\$(POD_IP),$pods.1,; s,$mount,$work/secrets,; s,--retry-join=hearsay,--retry-join=$pods.2:17946," >"$work/arguments"
[ "$(wc -l <"$work/arguments")" -ge 8 ] || fail "arguments: $(cat "$work/arguments")"
grep -q '\$(\|/run/' "$work/arguments" && fail "not replaced: $(cat "$work/arguments")"
# shellcheck disable=SC2046 # a list
"$HEARSAY" agent $(cat "$work/arguments") >"$work/pod-0.log" 2>&1 &
pids="$pids $!"

probe() { # PATH CODE
    [ "$(curl -s -o /dev/null -w '%{http_code}' "http://$pods.1:$port$1")" = "$2" ]
}
port=$(sed -n '/^ *- name: http/,/protocol/s/^ *containerPort: *//p' "$manifest")
[ "$(value path)" = "$(printf '/healthz\n/readyz')" ] || fail "probes: $(value path)"
within 'alive' probe /healthz 200
probe /readyz 200 && fail 'ready before it has met anybody'
start pod-1 2 --bind "$pods.2:17946" --encrypt "@$work/secrets/key"
within 'ready when it has met somebody' probe /readyz 200

# the gossip port by TCP and UDP, and the goodbye before the end
[ "$(sed -n '/^ *- name: gossip/,/protocol/s/^ *containerPort: *//p' "$manifest" | sort -u)" = 7946 ] || fail "gossip ports"
"$HEARSAY" inspect --encrypt "@$work/secrets/key" "$pods.1:7946" >"$work/out" 2>&1 || fail "the gossip port: $(cat "$work/out")"
grep -q '5 of 5 answered\|of 5 answered, round' "$work/out" || fail "UDP: $(cat "$work/out")"
command=$(sed -n 's/^ *command: *\[\(.*\)\]/\1/p' "$manifest" | tr -d ',')
# shellcheck disable=SC2086 # a list
set -- $command
[ "$1" = "$(sed -n 's/^ENTRYPOINT \["\(.*\)"\]/\1/p' "$packaging/Containerfile")" ] || fail "preStop calls $1, which is not in the container"
shift
"$HEARSAY" "$@" || fail "preStop: $*"
sees_left() {
    "$HEARSAY" members -rpc-addr="$net.2:7373" | grep -Eq '^pod-0 .* left'
}
within 'pod-1 sees it leave' sees_left
exit 0
