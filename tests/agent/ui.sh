#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The agent's page in a real browser: each view, live events, hostile names as plain text, a large cluster, dark and light, wide and narrow;
# screenshots are kept where HEARSAY_SHOTS says. Skipped where there is no Chromium.
AGENT="$1 agent"
HEARSAY=$1
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/http_lib.sh"
need_http "$1"
command -v chromium >/dev/null || { echo 'skipped: no chromium'; exit 77; }
shots=${HEARSAY_SHOTS:-$work}
here=$(dirname "$0")

browser() { # FLAGS…: what the page has become
    timeout 80 chromium --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --hide-scrollbars --user-data-dir="$work/profile" \
        --virtual-time-budget=5000 "$@" 2>/dev/null
}
dom() { # URL
    browser --dump-dom "$1" >"$work/dom"
}
# becomes URL PATTERN…: all of them, in the end
becomes() {
    page=$1
    shift
    dom "$page"
    for pattern; do
        grep -Eq -- "$pattern" "$work/dom" || return 1
    done
}
shot() { # NAME URL FLAGS…
    name=$1 page=$2
    shift 2
    browser --window-size=1440,900 "$@" --screenshot="$shots/$name.png" "$page" >/dev/null
    [ -s "$shots/$name.png" ] || fail "the screenshot $name"
}

web=http://$net.1:7380
start n1 1 --store --http-addr "$net.1:7380" --tag 'role=<img src=x onerror=document.title="pwned">'
start n2 2 --store --join "$net.1" --tag zone=eu
start n3 3 --join "$net.1"
n3=$pid
within "all met" sh -c "curl -s $web/v1/members | grep -q n3 && curl -s $web/v1/members | grep -q n2"
"$HEARSAY" event --rpc-addr "$net.2:7373" '<b>deploy</b>' '<script>document.title="pwned"</script>' || fail "an event"
within "n1 has heard it" sh -c "curl -s -N -m 1 '$web/v1/events?since=0-0' | grep -q deploy"

within "members" becomes "$web/ui/" '<h1 id="node">n1</h1>' 'Members \(3\)' 'data-name="n2"' 'zone=eu' 'role=&lt;img src=x' 'event &lt;b&gt;deploy&lt;/b&gt;' \
    '&lt;script&gt;document' '>live<'
grep -q 'pwned</title>' "$work/dom" && fail "a stranger's text became code"
within "a round trip is told" sh -c "curl -s $web/v1/members | grep '\"name\":\"n2\"' | grep -q '\"rtt_ms\":'"
within "a map" becomes "$web/ui/#map/n2" 'class="dot alive "[^>]*aria-selected="true"[^>]*aria-label="n2, alive' 'class="ring"' '<h2 id="detail-title">n2</h2>' 'member-join|>join<'
"$HEARSAY" kv put --rpc-addr "$net.2:7373" one entry || fail "put"
within "the holders compare" sh -c "curl -s $web/v1/store | grep -Eq '\"name\":\"n2\",\"up\":true,\"equal_epoch\":[1-9]'"
within "a store" becomes "$web/ui/#store" 'The other holder agrees|0 of 1 other holders agree' '<td class="name">n2</td>' 'class="cell (alive|suspect)"'
"$HEARSAY" service register web --rpc-addr "$net.2:7373" --port 80 --tag v1 2>"$work/err" || fail "a service: $(cat "$work/err")"
within "services" becomes "$web/ui/#services" '>web</button>' '1 of 1' 'status alive">passing' "$net.2:80" '<span class="tag">v1'
shot ui-services "$web/ui/#services"
kill -9 "$n3"
within "n3 fails" sh -c "curl -s $web/v1/members | grep -q '\"name\":\"n3\".*\"failed\"'"
within "a failed member" becomes "$web/ui/#timeline" 'status failed' 'data-event="member-failed"'
shot ui-light "$web/ui/"
shot ui-dark "$web/ui/#map" --blink-settings=preferredColorScheme=0

# A large cluster, from files.
if command -v python3 >/dev/null; then
    sh "$here/ui_feed.sh" 1000 "$work/feed"
    (cd "$work/feed" && exec python3 -m http.server --bind "$net.9" 8000 >/dev/null 2>&1) &
    pids="$pids $!"
    feed=http://$net.9:8000/ui/
    within "the feed is served" curl -sf -o /dev/null "$feed"
    within "1,000 members" becomes "$feed" 'data-members="1000"' 'Members \(1000\)' 'class="chip failed"' 'data-name="db-998"'
    [ "$(grep -o '<tr tabindex' "$work/dom" | wc -l)" -eq 1000 ] || fail "a row for each"
    within "1,000 on the map" becomes "$feed#map/cache-7" '988 of 1000 are placed' 'aria-label="cache-7, suspect' 'says db-2'
    shot ui-1000-light "$feed#map/cache-7"
    shot ui-1000-dark "$feed" --blink-settings=preferredColorScheme=0
    shot ui-1000-narrow "$feed#store" --window-size=500,900
fi
exit 0
