#!/bin/sh
# SPDX-License-Identifier: MIT
#
# A keyring file that cannot be written is an error of that node in the answer to who changed the keys, whoever asks and whoever cannot write: the
# new key is in use there, but only until the process ends.
AGENT=$1
. "$(dirname "$0")/lib.sh"

key=$(head -c 16 /dev/urandom | base64 | tr -d '\n')
for name in s1 h2 h3; do
    mkdir "$work/$name"
    printf '["%s"]' "$key" >"$work/$name/keys"
    chmod 600 "$work/$name/keys"
done
theirs s1 1 -keyring-file "$work/s1/keys"
ours h2 2 --keyring-file "$work/h2/keys"
ours h3 3 --keyring-file "$work/h3/keys"
gather 3
rm -r "$work/s1" "$work/h2"

# All three have answered, and these two say that they could not.
told_by_both() { # FROM FLAGS…
    from=$1
    shift
    serf keys -rpc-addr="$net.$from:7373" "$@" >"$work/keys" 2>&1 && return 1
    grep -q '2/3 nodes reported failure' "$work/keys" && grep -q 's1.*no such file' "$work/keys" && grep -q "h2.*cannot write $work/h2/keys" "$work/keys"
}
for from in 1 2 3; do
    new=$(head -c 16 /dev/urandom | base64 | tr -d '\n')
    within "asked by $from, both say that they could not keep it" told_by_both $from -install "$new"
    grep -q 'h3' "$work/keys" && fail "h3 has nothing to complain of: $(cat "$work/keys")"
    within "h3 has kept it" grep -qF "$new" "$work/h3/keys"
done
mkdir "$work/s1" "$work/h2"
use() {
    serf keys -rpc-addr="$net.2:7373" -use "$new" >"$work/keys" 2>&1
}
within "with the folders back, all is well" use
within "h2 has written it" grep -qF "$new" "$work/h2/keys"
[ "$(stat -c %a "$work/h2/keys")" = 600 ] || fail "mode of the keyring"
exit 0
