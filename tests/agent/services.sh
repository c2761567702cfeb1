#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Services of real agents: defined by configuration and by clients, checked in every way, known to another agent, unhealthy when their node dies, kept
# over a restart; and what is refused.
HEARSAY=$1
AGENT="$1 agent"
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/kv_lib.sh"

# service COMMAND…: asks the agent at number $at
service() {
    "$HEARSAY" service "$@" --rpc-addr "$net.$at:7373"
}

# is ID STATE: as the agent at $at sees the only instance of the service ID
is() {
    service list "$1" --format json | tr -d '\n' | grep -q "\"state\": \"$2\""
}

healthy() { # NAME COUNT
    [ "$(service list "$1" --healthy | sed 1d | wc -l)" -eq "$2" ]
}

# ---- the configuration, and every kind of check --------------------------------------------------------------------------------------
echo fine >"$work/answer"
cat >"$work/services.json" <<END
{"services": [
  {"name": "web", "port": 80, "tags": ["v1", "blue"], "meta": {"rack": "7"},
   "checks": [{"script": "cat $work/answer; test -s $work/answer || exit 2", "interval": "200ms"}]},
  {"name": "db", "port": 5432, "checks": [{"tcp": "$net.1:7373", "interval": "200ms"}, {"tcp": "localhost:1", "initial": "passing", "interval": "1h"}]},
  {"name": "closed", "checks": [{"tcp": "$net.1:1", "interval": "200ms", "initial": "passing"}]},
  {"name": "hanging", "checks": [{"script": "sleep 3600 & echo begun; wait", "timeout": "300ms", "interval": "300ms", "initial": "passing"}]},
  {"name": "flooding", "checks": [{"script": "yes flood | head -c 3000000; exit 1", "timeout": "60s", "interval": "300ms"}]},
  {"name": "endless", "checks": [{"script": "yes endless", "timeout": "500ms", "interval": "300ms", "initial": "passing"}]},
  {"name": "unchecked"}
]}
END
stores n1 1 --data-dir "$work/d1" --config-file "$work/services.json"
n1=$pid
within "web is healthy" is web passing
service list web --format json | grep -q '"output": "fine"' || fail "the output is told: $(service list web)"
within "unchecked is healthy" is unchecked passing
within "closed is critical" is closed critical
service list closed | grep -q 'cannot connect: connection refused' || fail "why: $(service list closed)"
within "hanging is stopped" is hanging critical
service list hanging | grep -q 'stopped after its time limit of 0.3 s' || fail "why: $(service list hanging)"
within "endless is stopped" is endless critical
within "flooding is a warning" is flooding warning
size=$(service checks --format json | tr ',' '\n' | grep flood | wc -c)
[ "$size" -lt 20000 ] || fail "what it prints is cut: $size bytes"
service checks | grep -Eq '^db +[a-z]+ +tcp +tcp +passing' || fail "checks: $(service checks)"
: >"$work/answer"
within "web fails" is web critical
echo fine >"$work/answer"
within "web recovers" is web passing
service list | grep -Eqx 'web +1 of 1' || fail "names: $(service list)"
service list web --tag BLUE | grep -q n1 || fail "by tag"
[ "$(service list web --tag green | wc -l)" -eq 1 ] || fail "by a tag that it has not"

# ---- clients ------------------------------------------------------------------------------------------------------------------------------
stores n2 2 --data-dir "$work/d2" --join "$net.1"
n2=$pid
within "n2 knows the services of n1" healthy web 1
service register api --port 8080 --tag v2 --meta zone=a --ttl 1h || fail "register"
within "it is critical without a heartbeat" is api critical
service pass api --note 'queue 3' || fail "pass"
at=1
within "n1 hears the heartbeat" is api passing
service list api | grep -Eq "^n2 +api +$net.2:8080 +passing .* v2 +queue 3" || fail "n1's view: $(service list api)"
"$HEARSAY" service watch api --format json --rpc-addr "$net.1:7373" >"$work/watched" 2>/dev/null &
watch=$!
pids="$pids $watch"
within "the watch begins" grep -q '"state":"passing"' "$work/watched"
at=2
service warn api && within "a warning is healthy" healthy api 1
service fail api --note broken || fail "fail"
within "the watch sees it fail" grep -q '"output":"broken"' "$work/watched"
service pass api
service maint api --reason 'new disk' || fail "maint"
within "it is out of use" is api maintenance
service list api | grep -q 'new disk' || fail "the reason: $(service list api)"
service register api2 --ttl 200ms --initial passing || fail "register with a heartbeat"
within "the heartbeat ends" is api2 critical
service deregister api2 || fail "deregister"
at=1
within "n1 forgets it" sh -c "! '$HEARSAY' service list --rpc-addr '$net.1:7373' | grep -q api2"
kill -0 $watch || fail "the watch goes on"
kill $watch

# ---- two instances; a node dies -----------------------------------------------------------------------------------------------------------------
at=2
service register web --id web --port 81 || fail "the same id at another node"
at=1
within "there are two" healthy web 2
[ "$(service list web | sed -n 2p | cut -d ' ' -f 1)" = n1 ] || fail "the nearest first, which is the agent's own: $(service list web)"
kill -9 "$n2"
wait "$n2" 2>/dev/null
within "web at n2 is unhealthy once n2 has failed" healthy web 1
service list web | grep -q 'passing, node failed' || fail "the table says why: $(service list web)"

# ---- restart: what clients registered, and maintenance, are kept ------------------------------------------------------------------------------------
stores n2 2 --data-dir "$work/d2" --join "$net.1"
n2=$pid
within "web at n2 is back" healthy web 2
within "still in maintenance" is api maintenance
service maint api --off || fail "maint --off"
within "critical until a heartbeat comes" is api critical
grep -q '"name":"api"' "$work/d2/services.json" || fail "the file: $(cat "$work/d2/services.json")"

# ---- reload: what did not change keeps its state, what is gone is gone ---------------------------------------------------------------------------------
sed -i '/"unchecked"/s/unchecked/other/' "$work/services.json"
kill -HUP $n1
at=2
within "the new one is there" healthy other 1
within "the old one is not" sh -c "! '$HEARSAY' service list --rpc-addr '$net.2:7373' | grep -q unchecked"
sed -i 's/"other"/"Other"/' "$work/services.json"
kill -HUP $n1
within "a wrong file changes nothing" grep -q "Failed to reload: .*services.json:[0-9]*: service 'Other'" "$work/n1.log"
healthy other 1 || fail "it stays as it was"

# ---- what is refused -----------------------------------------------------------------------------------------------------------------------------------
wrong 1 "service 'a.b': the name of a service must be a DNS label" service register a.b
wrong 1 "service 'Web': the name of a service must be a DNS label" service register Web
wrong 1 'the id of a service must have' service register web --id a/b
wrong 1 "'address' must be a numeric address" service register web --address somewhere
wrong 1 "'http' cannot speak TLS: use a script" service register web --http https://x/
wrong 1 "'interval' must be a time span from 100ms" service register web --tcp 127.0.0.1:1 --interval 5ms
wrong 2 'these flags are of a check' service register web --interval 5s
wrong 2 'KEY=VALUE' service register web --meta x
wrong 2 'give the NAME' service register
echo '{"name": "x", "checks": [{"script": "id"}]}' >"$work/x.json"
wrong 1 'script checks come from the configuration only' service register --file "$work/x.json"
echo '{"name": "x", "prot": 1}' >"$work/x.json"
wrong 1 "unknown key 'prot' of a service; did you mean 'port'" service register --file "$work/x.json"
wrong 1 "no service with the id 'nothing'" service deregister nothing
wrong 1 "has no such heartbeat" service pass web
wrong 1 'keys that begin with _service/ are written by services' kv put _service/n1/web x
wrong 1 'keys that begin with _service/ are written by services' kv delete _service/n1/web
at=1
wrong 1 'is defined in the configuration: take it out there' service deregister web
wrong 1 'is defined in the configuration: change it there' service register web
printf '{"services": [\n{"name": "x",\n "cheks": []}]}' >"$work/x.json"
$AGENT --config-file "$work/x.json" >"$work/out" 2>&1 && fail "a wrong configuration"
grep -q "x.json:3: unknown key 'cheks' of a service; did you mean 'checks'?" "$work/out" || fail "$(cat "$work/out")"
printf '{"services": [{"name": "x"}, {"name": "x"}]}' >"$work/x.json"
$AGENT --node n3 --bind "$net.3" --rpc-addr "$net.3:7373" --store --config-file "$work/x.json" >"$work/out" 2>&1 && fail "one id twice"
grep -q "two services have the id 'x'" "$work/out" || fail "$(cat "$work/out")"
$AGENT --node n3 --bind "$net.3" --rpc-addr "$net.3:7373" --config-file "$work/services.json" >"$work/out" 2>&1 && fail "without a store"
grep -q 'start the agent with --store\|DNS label' "$work/out" || fail "$(cat "$work/out")"
start n3 3
at=3
within "n3 answers" sh -c "'$HEARSAY' info --rpc-addr $net.3:7373"
wrong 1 'the store of this agent is off, and services are kept there' service list
wrong 1 'start the agent with --store' service register web

# ---- what a former life left behind, and what a node that is forgotten left ------------------------------------------------------------------------
entries() { # NODE COUNT: of its services in the store of the agent at $at
    [ "$("$HEARSAY" kv list "_service/$1/" --rpc-addr "$net.$at:7373" | sed 1d | wc -l)" -eq "$2" ]
}
at=1
entries n2 2 || fail "n2 has two services: $(kv list _service/n2/)"
kill -9 "$n2"
wait "$n2" 2>/dev/null
stores n2 2 --join "$net.1"
n2=$pid
at=1
within "n2 takes back what it no longer offers" entries n2 0
at=2
service register brief || fail "register without --data-dir"
at=1
within "n1 knows it" healthy brief 1
kill -9 "$n2"
wait "$n2" 2>/dev/null
within "n2 has failed" healthy brief 0
"$HEARSAY" force-leave --prune --rpc-addr "$net.1:7373" n2 || fail "force-leave"
within "nothing of n2 is left" entries n2 0
exit 0
