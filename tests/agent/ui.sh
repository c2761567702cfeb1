#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The agent's page in a real browser: 1,000 members, live events, hostile names as plain text, dark and light; screenshots are kept where
# HEARSAY_SHOTS says. Skipped where there is no Chromium.
AGENT="$1 agent"
HEARSAY=$1
. "$(dirname "$0")/lib.sh"
[ -e "$(dirname "$1")/http/hearsay-http.so" ] || { echo 'skipped: built without libwebsockets'; exit 77; }
command -v chromium >/dev/null || { echo 'skipped: no chromium'; exit 77; }
shots=${HEARSAY_SHOTS:-$work}

page() { # FLAGS…: what the page has become, as HTML
    timeout 60 chromium --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --user-data-dir="$work/profile" --virtual-time-budget=4000 "$@" 2>/dev/null
}

start n1 1 --http-addr "$net.1:7380" --tag 'role=<img src=x onerror=document.title="pwned">'
start n2 2 --join "$net.1" --tag zone=eu
start n3 3 --join "$net.1"
n3=$pid
within "all met" sh -c "curl -s $net.1:7380/v1/members | grep -q n3 && curl -s $net.1:7380/v1/members | grep -q n2"
page --dump-dom "http://$net.1:7380/ui/" >"$work/dom"
grep -q '<h1 id="node">n1</h1>' "$work/dom" || fail "the page does not name its node: $(head -c 600 "$work/dom")"
grep -q 'Members (3)' "$work/dom" || fail "three members"
grep -q 'role=&lt;img src=x' "$work/dom" || fail "a tag as text"
grep -q 'pwned</title>' "$work/dom" && fail "a tag became code"
grep -q 'data-name="n2"' "$work/dom" || fail "a row for n2"
grep -q 'zone=eu' "$work/dom" || fail "tags"
kill -9 "$n3"
within "n3 fails" sh -c "curl -s $net.1:7380/v1/members | grep -q '\"name\":\"n3\".*\"failed\"'"
page --dump-dom "http://$net.1:7380/ui/" >"$work/dom"
grep -q 'status failed' "$work/dom" || fail "a failed member"
page --window-size=1280,900 --screenshot="$shots/ui-light.png" "http://$net.1:7380/ui/" >/dev/null
page --window-size=1280,900 --blink-settings=preferredColorScheme=0 --screenshot="$shots/ui-dark.png" "http://$net.1:7380/ui/" >/dev/null
[ -s "$shots/ui-light.png" ] && [ -s "$shots/ui-dark.png" ] || fail "screenshots"
exit 0
