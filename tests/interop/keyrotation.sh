#!/bin/sh
# SPDX-License-Identifier: MIT
#
# serf keys on a mixed cluster, through an agent of either kind: list, install, use, remove; what the keyring files hold afterwards; and that
# a removed key opens nothing any more.
AGENT=$1
. "$(dirname "$0")/lib.sh"

old=$(head -c 32 /dev/urandom | base64 | tr -d '\n')
new=$(head -c 16 /dev/urandom | base64 | tr -d '\n')
third=$(head -c 24 /dev/urandom | base64 | tr -d '\n')
for name in s1 h2 s3 h4; do
    printf '["%s"]' "$old" >"$work/$name.keys"
    chmod 600 "$work/$name.keys"
done
theirs s1 1 -keyring-file "$work/s1.keys"
ours h2 2 --keyring-file "$work/h2.keys"
theirs s3 3 -keyring-file "$work/s3.keys"
ours h4 4 --keyring-file "$work/h4.keys"
gather 4

# keys FROM FLAGS…
keys() {
    from=$1
    shift
    serf keys -rpc-addr="$net.$from:7373" "$@" >"$work/keys" 2>&1
}
# A rumour may miss somebody, so what shall succeed may be asked a few times. done_by WHAT FROM FLAGS…
done_by() {
    what=$1
    shift
    within "$what" keys "$@"
}
# counted KEY NUMBER/NUMBER
counted() {
    tr -s " " <"$work/keys" | grep -qF "$1 [$2]" || fail "$1 is held by $2: $(cat "$work/keys")"
}
# first FILE KEY
first() {
    tr -d '[:space:]"[]' <"$1" | cut -d, -f1 | grep -qxF "$2"
}
for from in 1 2; do
    done_by "list from $from" $from -list
    counted "$old" 4/4
done
done_by "install from ours" 2 -install "$new"
done_by "install from theirs" 1 -install "$third"
done_by "list" 1 -list
counted "$old" 4/4
counted "$new" 4/4
counted "$third" 4/4
done_by "use from theirs" 1 -use "$new"
for name in s1 h2 s3 h4; do
    within "$name uses the new key" first "$work/$name.keys" "$new"
    [ "$(stat -c %a "$work/$name.keys")" = 600 ] || fail "mode of $name's keyring"
done
all_refuse() {
    keys "$@"
    grep -q '4/4 nodes reported failure' "$work/keys"
}
within "the key in use cannot be removed" all_refuse 2 -remove "$new"
keys 2 -use "$(head -c 16 /dev/urandom | base64)" && fail "an unknown key cannot be used"
done_by "remove from ours" 2 -remove "$old"
done_by "remove from theirs" 1 -remove "$third"
done_by "list" 2 -list
counted "$new" 4/4
grep -qF "$old" "$work/keys" && fail "the old key is gone"
grep -qF "$old" "$work/h2.keys" && fail "the old key is gone from the file"
event 2 sealed-anew
for name in s1 h2 s3 h4; do
    within "$name hears under the new key" heard $name sealed-anew
done
theirs s5 5 -encrypt "$old"
answers 5
serf join -rpc-addr="$net.5:7373" "$net.2" >/dev/null 2>&1 && fail "the old key opens nothing any more"

# Without encryption there is nothing to change, and both say so in the same words.
ours h6 6
theirs s7 7
answers 6
answers 7
calls 6 7
within "h6 sees s7" sees 6 s7 alive
for from in 6 7; do
    keys $from -list && fail "no keyring: an error"
    grep -q 'h6.*Keyring is empty (encryption not enabled)' "$work/keys" \
        && grep -q 's7.*Keyring is empty (encryption not enabled)' "$work/keys" || fail "both say why: $(cat "$work/keys")"
done
exit 0
