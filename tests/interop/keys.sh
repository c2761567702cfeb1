#!/bin/sh
# SPDX-License-Identifier: MIT
#
# AES-128, 192 and 256 with Serf agents, compression on and off; and nobody gets in with the wrong key or without one, in either direction.
AGENT=$1
. "$(dirname "$0")/lib.sh"

number=0
for size in 16 24 32; do
    key=$(head -c "$size" /dev/urandom | base64 | tr -d '\n')
    wrong=$(head -c "$size" /dev/urandom | base64 | tr -d '\n')
    s=$((number + 1)) h=$((number + 2)) w=$((number + 3)) p=$((number + 4)) x=$((number + 5))
    number=$((number + 5))
    flag=
    [ "$size" -ne 24 ] || flag=--disable-compression
    theirs s$s $s -encrypt "$key"
    ours h$h $h --encrypt "$key" $flag
    ours w$w $w --encrypt "$wrong"
    ours p$p $p
    theirs x$x $x -encrypt "$wrong"
    for each in $s $h $w $p $x; do
        answers "$each"
    done
    calls $s $h
    within "s$s sees h$h" sees $s h$h alive
    within "h$h sees s$s" sees $h s$s alive
    event $s "sealed-$size"
    event $h "sealed-too-$size"
    within "h$h hears s$s" heard h$h "sealed-$size"
    within "s$s hears h$h" heard s$s "sealed-too-$size"
    for outsider in $w $p $x; do
        serf join -rpc-addr="$net.$outsider:7373" "$net.$s" >/dev/null 2>&1 && fail "$outsider got into s$s"
        serf join -rpc-addr="$net.$outsider:7373" "$net.$h" >/dev/null 2>&1 && fail "$outsider got into h$h"
    done
    serf join -rpc-addr="$net.$h:7373" "$net.$x" >/dev/null 2>&1 && fail "h$h took x$x in"
    [ "$(serf members -rpc-addr="$net.$h:7373" | wc -l)" -eq 2 ] || fail "h$h sees only s$s"
    [ "$(serf members -rpc-addr="$net.$s:7373" | wc -l)" -eq 2 ] || fail "s$s sees only h$h"
    [ "$(serf info -rpc-addr="$net.$h:7373" -format=json | grep -c '"encrypted": "true"')" -eq 1 ] || fail "h$h says that it encrypts"
done
exit 0
