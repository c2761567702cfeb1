# SPDX-License-Identifier: MIT
#
# For tests of HTTP: questions by curl, and bytes as they are. $net.1:7380 is the agent that is asked raw.

need_http() { # PROGRAM
    [ -e "$(dirname "$1")/http/hearsay-http.so" ] || {
        echo 'skipped: built without libwebsockets'
        exit 77
    }
}

# asks CODE PATTERN CURL-ARGUMENTS…
asks() {
    code=$1 pattern=$2
    shift 2
    got=$(curl -s -m 20 -o "$work/body" -w '%{http_code}' "$@")
    [ "$got" = "$code" ] && grep -Eq -- "$pattern" "$work/body"
}

expect() {
    asks "$@" || fail "$got $(head -c 2000 "$work/body") -- for: $*"
}

# raw REQUEST: sends exactly this (as printf reads it), hangs up its half, and shows what comes back
raw() {
    # shellcheck disable=SC2059
    printf "$1" | curl -s -m 5 "telnet://$net.1:7380"
}

# says CODE REQUEST: it is answered so, and nothing behind it is
says() {
    raw "$2" >"$work/raw"
    grep -aEq "^HTTP/1.1 $1 " "$work/raw" || fail "not $1 but '$(head -c 300 "$work/raw")' -- for: $2"
    [ "$(grep -ac '^HTTP/' "$work/raw")" -eq 1 ] || fail "more than one answer for: $2"
}
