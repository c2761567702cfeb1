#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What an agent of a large cluster would answer, as files for any web server, so that the page can be looked at without a thousand
# processes: five places, some members in trouble, a store. ui_feed.sh MEMBERS FOLDER
set -eu
members=$1 folder=$2
ui=$(dirname "$0")/../../http/ui
mkdir -p "$folder/ui" "$folder/v1/why"
cp "$ui"/* "$folder/ui/"
now=$(date +%s)
awk -v n="$members" -v now="$now" -v folder="$folder" '
function noise() { return rand() + rand() + rand() - 1.5 }
function member(i, state, own) {
    place = int((i % 11) / 2.3)
    for (d = 0; d < 8; d++) at[d] = centre[place, d] + noise() * 0.0016
    if (own) for (d = 0; d < 8; d++) self[d] = at[d]
    far = 0
    for (d = 0; d < 8; d++) far += (at[d] - self[d]) ^ 2
    line = sprintf("{\"name\":\"%s-%d\",\"addr\":\"10.%d.%d.%d\",\"port\":7946,\"status\":\"%s\",\"incarnation\":%d,\"since_ms\":%.0f,\"self\":%s,\"hearsay\":%s,",
        role[i % 4], i, place, int(i / 250), i % 250 + 1, state, i % 7, (now - (state == "alive" ? 3600 * (i % 70) + 400 : 3 * (i % 50) + 2)) * 1000, own ? "true" : "false", i % 9 ? "true" : "false")
    line = line sprintf("\"tags\":{\"role\":\"%s\",\"zone\":\"%s\"%s}", role[i % 4], zone[place], i % 13 ? "" : ",\"version\":\"2.4.1\"")
    line = line ",\"coordinate\":["
    for (d = 0; d < 8; d++) line = line (d ? "," : "") sprintf("%.6g", at[d])
    line = line sprintf("],\"height\":%.6g", 0.0001 + rand() * 0.0004)
    return line (own ? "" : sprintf(",\"rtt_ms\":%.3f", sqrt(far) * 1000 + 0.4)) "}"
}
BEGIN {
    srand(7)
    split("web api db cache", words, " "); for (i = 0; i < 4; i++) role[i] = words[i + 1]
    split("fra ams dub iad ord", words, " "); for (i = 0; i < 5; i++) zone[i] = words[i + 1]
    for (p = 0; p < 5; p++) for (d = 0; d < 8; d++) centre[p, d] = 0
    centre[0, 0] = 0; centre[1, 0] = 0.006; centre[1, 1] = 0.003; centre[2, 0] = -0.004; centre[2, 1] = 0.012; centre[3, 0] = 0.028; centre[3, 2] = 0.01; centre[4, 0] = 0.034; centre[4, 1] = -0.008; centre[4, 2] = 0.012
    file = folder "/v1/members"
    for (i = 0; i < n; i++) {
        state = i && i % 97 == 5 ? "failed" : i && i % 61 == 7 ? "suspect" : i && i % 89 == 11 ? "left" : "alive"
        count[state]++
        printf("%s%s", i ? ",\n" : "[\n", member(i, state, i == 0)) >file
    }
    print "\n]" >file
    store = sprintf("{\"entries\":20480,\"tombstones\":112,\"bytes\":9437184,\"memory_bytes\":12582912,\"pending\":0,\"unsettled\":6,\"root_epoch\":%d,\"root_entries\":20474,\"root\":\"9f2c41d07be85a63e1c9d4b20f7a8e55\",\"change\":31044,\"purged_until_ms\":0,\"clock_ahead_ms\":-3,\"clock_astray\":false,\"mode\":\"push-pull\",\"fanout\":3,\"interval_ms\":200,\"durable\":true}", now - 4)
    file = folder "/v1/status"
    printf("{\"name\":\"web-0\",\"version\":\"0.1.0\",\"unix_ms\":%d000,\"encrypted\":true,\"leaving\":false,\"health_score\":0,\n\"members\":{\"all\":%d,\"alive\":%d,\"suspect\":%d,\"failed\":%d,\"left\":%d},\"clocks\":{\"members\":9,\"events\":4,\"queries\":2},\"queues\":{\"members\":3,\"intents\":0,\"events\":1,\"queries\":0},\"streams\":1,\n\"counters\":{\"packets_in\":120000,\"packets_out\":118000,\"bytes_in\":9000000,\"bytes_out\":8800000,\"probes\":8111,\"probes_failed\":14,\"suspicions\":11,\"refutations\":0,\"conflicts\":0,\"pauses\":0,\"events_in\":4,\"repair_bytes_in\":0,\"repair_bytes_out\":0,\"drop_truncated\":2},\n\"store\":%s}\n", now, n, count["alive"], count["suspect"], count["failed"], count["left"], store) >file
    file = folder "/v1/store"
    printf("{\"store\":%s,\n\"peers\":[", store) >file
    for (i = 1; i < n; i++) printf("%s\n{\"name\":\"%s-%d\",\"up\":%s,\"equal_epoch\":%d,\"repairs\":%d,\"bytes_in\":%d,\"bytes_out\":%d,\"entries_in\":%d,\"entries_out\":%d}", i > 1 ? "," : "", role[i % 4], i, i % 97 == 5 || i % 89 == 11 ? "false" : "true", i % 61 == 7 ? now - 300 : i % 53 ? now - 5 - i % 20 : 0, i % 5, i % 5 * 4096, i % 3 * 2048, i % 5 * 11, i % 3 * 7) >file
    print "\n]}" >file
    file = folder "/v1/events"
    for (i = 0; i < 60; i++) {
        m = (i * 37) % n
        kind = i % 6 == 0 ? "member-suspect" : i % 6 == 1 ? "member-alive" : i % 6 == 2 ? "member-failed" : i % 6 == 4 ? "user" : "member-join"
        if (kind == "user") event = sprintf("\"event\":\"user\",\"name\":\"deploy\",\"ltime\":%d,\"payload\":\"YnVpbGQgMTI%s\"", i, i % 12 ? "wMQ==" : "wMg==")
        else event = sprintf("\"event\":\"%s\",\"member\":{\"name\":\"%s-%d\",\"addr\":\"10.0.0.1\",\"port\":7946},\"cause\":{%s}", kind, role[m % 4], m,
            kind == "member-suspect" ? "\"reason\":\"probe-failed\",\"probe\":{\"direct\":\"silent\",\"indirect\":\"silent\",\"stream\":\"refused\",\"relays_asked\":3,\"nacks\":3,\"waited_ms\":1000}" : kind == "member-alive" ? "\"reason\":\"refuted\",\"incarnation\":4" : kind == "member-failed" ? sprintf("\"reason\":\"timer\",\"accuser\":\"%s-%d\",\"confirmations\":3,\"confirmations_wanted\":3,\"timer_ran_ms\":6012", role[(m + 1) % 4], m + 1) : "\"reason\":\"alive-heard\",\"incarnation\":1")
        printf("id: 1-%d\ndata: {\"schema\":1,\"time_ms\":%d000,%s}\n\n", i + 1, now - (60 - i) * 7, event) >file
    }
    file = folder "/v1/why/cache-7"
    printf("{\"name\":\"cache-7\",\"observer\":\"web-0\",\"records\":[{\"at_ms\":%d000,\"event\":\"member-join\",\"cause\":{\"reason\":\"push-pull\",\"accuser\":\"api-1\"}},{\"at_ms\":%d000,\"event\":\"note\",\"cause\":{\"reason\":\"probe-failed\",\"probe_direct\":\"silent\",\"probe_indirect\":\"silent\",\"probe_stream\":\"refused\",\"probe_relays_asked\":3,\"probe_nacks\":3,\"probe_waited_ms\":1000}},{\"at_ms\":%d000,\"event\":\"member-suspect\",\"cause\":{\"reason\":\"accused\",\"accuser\":\"db-2\",\"incarnation\":3}}]}\n", now - 4000, now - 9, now - 8) >file
}'
