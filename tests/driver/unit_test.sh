#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The systemd unit, booted: unit_test.sh BUILD. A systemd of its own, in a container over a copy-on-write view of this system, with what `meson install`
# installs: starts and says so, runs as nobody with nothing to gain, reloads, is caught by the watchdog when it freezes, leaves when stopped. Skips itself
# where no container can be booted.
AGENT=none
. "$(dirname "$0")/../agent/lib.sh"
build=$1

skip() {
    echo "skipped: $*"
    exit 77
}
[ "$(id -u)" -eq 0 ] || skip 'booting a container needs root'
[ -x /lib/systemd/systemd ] && command -v systemd-nspawn >/dev/null || skip 'systemd-container is not installed'
mkdir "$work/over"
unmount() {
    status=$?
    [ -z "${leader:-}" ] || kill -9 "$leader" 2>/dev/null
    # shellcheck disable=SC2086 # a list
    [ -z "$pids" ] || wait $pids 2>/dev/null
    umount "$work/over/root" 2>/dev/null
    umount "$work/over" 2>/dev/null
    (exit $status)
    finish
}
trap unmount EXIT
mount -t tmpfs tmpfs "$work/over" 2>/dev/null && mkdir "$work/over/upper" "$work/over/work" "$work/over/root" &&
    mount -t overlay overlay -o "lowerdir=/,upperdir=$work/over/upper,workdir=$work/over/work" "$work/over/root" 2>/dev/null ||
    skip 'cannot mount an overlay here'
root=$work/over/root
DESTDIR=$root meson install -C "$build" --no-rebuild --quiet || fail 'meson install'
unit=$(cd "$root" && find usr/local/lib/systemd usr/lib/systemd lib/systemd -name hearsay.service 2>/dev/null | head -n 1)
[ -n "$unit" ] || fail 'no unit was installed'
mkdir -p "$root/etc/systemd/system/hearsay.service.d" # 30 s are too long for a test
printf '[Service]\nWatchdogSec=5s\nRestartSec=100ms\n' >"$root/etc/systemd/system/hearsay.service.d/test.conf"

systemd-nspawn --quiet --directory="$root" --boot --register=no --keep-unit --private-network --machine="hearsay-$$" --link-journal=no \
    systemd.unit=basic.target >"$work/boot.log" 2>&1 &
nspawn=$!
pids="$pids $nspawn"
inside() {
    nsenter -t "$leader" -a "$@"
}
has_leader() {
    kill -0 $nspawn 2>/dev/null || skip "no container boots here: $(tail -n 2 "$work/boot.log")"
    leader=$(tr ' ' '\n' <"/proc/$nspawn/task/$nspawn/children" | grep . | head -n 1)
    [ -n "$leader" ] && inside systemctl is-active basic.target
}
within 'the container has booted' has_leader
property() {
    inside systemctl show -P "$1" hearsay
}
is_active() {
    [ "$(property ActiveState)" = active ] && [ "$(property MainPID)" -gt 0 ]
}
show() {
    inside systemctl status --no-pager hearsay >"$work/status.log" 2>&1
    fail "$1"
}

# systemctl returns when the agent has said READY=1
inside systemctl start hearsay || show 'it does not start'
is_active || show 'it is not active'
inside hearsay members >"$work/out" 2>&1 || fail 'it does not answer'
[ "$(grep -c alive "$work/out")" -eq 1 ] || fail 'it is not a member of its own cluster'

# what it may do: nothing
process=$(property MainPID)
inside cat "/proc/$process/status" >"$work/out"
for line in 'CapEff:.0+$' 'CapBnd:.0+$' 'CapAmb:.0+$' 'NoNewPrivs:.1' 'Seccomp:.2'; do
    has_line "$work/out" "^$line" || fail "in its status is no $line"
done
has_line "$work/out" '^Uid:.0' && fail 'it runs as root'
inside sh -c 'test -d /var/lib/private/hearsay && test -s /var/lib/private/hearsay/snapshot || ls /var/lib/private/hearsay' >"$work/out" 2>&1 ||
    fail 'it keeps no state'

inside systemctl reload hearsay || show 'it does not reload'
is_active || show 'a reload ended it'
[ "$(property MainPID)" = "$process" ] || fail 'a reload started another one'

# frozen: the watchdog ends it, and another one is started
inside kill -STOP "$process"
restarted() {
    is_active && [ "$(property NRestarts)" -ge 1 ] && [ "$(property MainPID)" != "$process" ]
}
within 'the watchdog restarts it' restarted
within 'it answers again' inside hearsay members

inside systemctl stop hearsay || show 'it does not stop'
[ "$(property ActiveState)" = inactive ] && [ "$(property Result)" = success ] || show "it did not stop well: $(property Result)"
inside systemd-analyze verify "/$unit" >"$work/out" 2>&1 || fail "systemd-analyze verify: $(cat "$work/out")"
inside systemd-analyze security --offline=true --threshold=20 "/$unit" >"$work/out" 2>&1 || fail "exposure beyond 2.0: $(tail -n 2 "$work/out")"
exit 0
