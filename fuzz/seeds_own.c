/* SPDX-License-Identifier: MIT
 *
 * Seeds of formats that no vector holds: Serf's files (snapshot, keyring, configuration), strings of flags, tapes. See seeds.h.
 */
#include "seeds.h"

#include "base/bytes.h"
#include "driver/tape.h"

#include <string.h>

static void texts(const char *target, int settings, const char *const *list)
{
    for (; *list != NULL; list++) {
        seed(target, settings, bytes_of_string(*list));
    }
}

static const char *const snapshots[] = {
    "alive: n1 127.0.0.1:7946\nclock: 7\nevent-clock: 3\nquery-clock: 1\nalive: n2 [::1]:7946\nnot-alive: n2\ncoordinate: {}\n# note\n",
    "alive: a name with spaces 10.0.0.1:1\nleave\nalive: n3 10.0.0.3:65535\n",
    "alive: n1 127.0.0.1:7946\nalive: n1 127.0.0.2:7946\nclock: 18446744073709551615\nclock: 18446744073709551616\nalive: cut off 1",
    "alive:  1.2.3.4:5\nalive: n 1.2.3.4\nnot-alive: \nclock: \n\nbogus\n",
    NULL,
};

static const char *const keyrings[] = {
    "[\"AAECAwQFBgcICQoLDA0ODw==\"]",
    "[\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYX\", \"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\"]\n",
    "[]",
    "[\"short\", 7]",
    " AAECAwQFBgcICQoLDA0ODw==\n",
    NULL,
};

static const char *const configurations[] = {
    "{\"node_name\": \"n1\", \"bind\": \"127.0.0.1:7946\", \"tags\": {\"role\": \"web\"}, \"retry_join\": [\"a\", \"b:1\"], "
    "\"retry_interval\": \"30s\"}",
    "{\"protocol\": 5, \"leave_on_terminate\": true, \"rpc_addr\": \"127.0.0.1:7373\", \"snapshot_path\": \"/x\", \"disable_compression\": true}",
    "{\"role\": \"db\", \"event_handlers\": [\"x.sh\"], \"numbers\": {\"probe_interval_ms\": 5}, \"reconnect_interval\": \"1m30s\"}",
    "{\"nodename\": \"typo\"}",
    "{\"tags\": {\"a\": 1}}",
    "[1, 2",
    "{\"start_join\": [\"n1\"], \"numbers\": {\"eager\": false}, \"encrypt_key\": \"AAECAwQFBgcICQoLDA0ODw==\"}",
    NULL,
};

static const char *const strings[] = {
    "role=web",
    "a=b\nrole=\n=x\nnovalue",
    "1h30m2.5s250ms",
    "AAECAwQFBgcICQoLDA0ODw==",
    "^n[0-9]+$|web-(a|b){1,3}",
    "\x1b[31m\x01\xff\xc3\xa9\xed\xa0\x80",
    "probe_interval_ms=200",
    NULL,
};

/* An expression, a NUL, a text. */
static void expressions(void)
{
    static const char *const pairs[][2] = {{"^(web|db)-[0-9]{1,3}$", "web-12"}, {"(?i)[[:alpha:]]+?x", "ABCX"}, {"a**", "a"},
                                           {"\\bq\\B|(?P<n>\\x{e9})", "\xc3\xa9"},
                                           {"[^]a-z\\d]{2,}", "QQ"}, {"((a*)*)*b", "aaaaaaaa"}, {"\\Q(\\E", "("}, {"(?s-i:.)", "\n"}};
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        char bytes[128];
        size_t first = strlen(pairs[i][0]) + 1, second = strlen(pairs[i][1]);
        memcpy(bytes, pairs[i][0], first);
        memcpy(bytes + first, pairs[i][1], second);
        seed("expression", -1, bytes_of(bytes, first + second));
    }
}

/* What internal queries carry (wire/serf_inner.h). */
static void inner(void)
{
    static const uint8_t request[] = {7, 0x81, 0xa3, 'K', 'e', 'y', 0xb0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    static const uint8_t listing[] = {8,   0x84, 0xa4, 'K',  'e', 'y', 's', 0x91, 0xa4, 'A',  'A', '=', '=', 0xa7, 'M',  'e', 's',
                                      's', 'a', 'g', 'e', 0xa0, 0xaa, 'P', 'r',  'i',  'm', 'a', 'r', 'y',  'K',  'e',  'y', 0xa0,
                                      0xa6, 'R', 'e',  's',  'u', 'l', 't', 0xc3};
    static const uint8_t unknown[] = {6, 0xc0}, place[] = {6, 0x82, 0xa4, 'A', 'd', 'd', 'r', 0xa4, 127, 0, 0, 1, 0xa4, 'P', 'o', 'r', 't', 7};
    for (int first = 0; first < 4; first++) {
        seed("serf_inner", first, bytes_of(request, sizeof request));
    }
    seed("serf_inner", 200, bytes_of(listing, sizeof listing));
    seed("serf_inner", 0, bytes_of(unknown, sizeof unknown));
    seed("serf_inner", 0, bytes_of(place, sizeof place));
}

/* One node's life with a bit of everything; the outputs on it are nobody's, so replay says that it diverged where outputs are noted. */
static void tape(bool has_outputs)
{
    struct hearsay_options options;
    struct hearsay_tag tag = {"role", "web"};
    struct hearsay_address place = {.bytes = {10, 0, 0, 2}, .size = 4, .port = 7946};
    static const uint8_t ping[] = {0, 0x82, 0xa4, 'N', 'o', 'd', 'e', 0xa2, 'n', '1', 0xa5, 'S', 'e', 'q', 'N', 'o', 1};
    const char *path = seed_path("tape");
    struct tape *t = tape_open(path);
    if (t == NULL) {
        seed_stop(path, "cannot be written");
        return;
    }
    hearsay_options_local(&options);
    options.name = "n1";
    options.advertise = place;
    options.tags = &tag;
    options.tag_count = 1;
    options.seed = 7;
    tape_options(t, 1000000, &options);
    if (has_outputs) {
        tape_output(t, NULL);
    }
    tape_record(t, TAPE_PACKET, 1000100);
    tape_address(t, &place);
    tape_bytes(t, ping, sizeof ping);
    tape_record(t, TAPE_ACCEPTED, 1000200);
    tape_address(t, &place);
    tape_record(t, TAPE_STREAM, 1000300);
    tape_number(t, 1);
    tape_bytes(t, ping, sizeof ping);
    tape_record(t, TAPE_CLOSED, 1000400);
    tape_number(t, 1);
    tape_number(t, HEARSAY_CLOSE_END);
    tape_record(t, TAPE_JOIN, 1000500);
    tape_number(t, 1);
    tape_number(t, 1);
    tape_address(t, &place);
    tape_text(t, NULL);
    tape_record(t, TAPE_EVENT, 1000600);
    tape_text(t, "deploy");
    tape_bytes(t, "42", 2);
    tape_number(t, 1);
    tape_record(t, TAPE_TAGS, 1000700);
    tape_tags(t, &tag, 1);
    tape_record(t, TAPE_REMEMBER, 1000800);
    tape_text(t, "n9");
    tape_address(t, &place);
    tape_record(t, TAPE_FORCE_LEAVE, 1000900);
    tape_text(t, "n9");
    tape_number(t, 0);
    tape_record(t, TAPE_TICK, 2000000);
    tape_record(t, TAPE_LEAVE, 2000100);
    tape_record(t, TAPE_TICK, 9000000);
    tape_close(t);
}

void seeds_own(void)
{
    texts("snapshot", 0, snapshots);
    texts("snapshot", 1, snapshots);
    texts("keyring", -1, keyrings);
    texts("config", -1, configurations);
    expressions();
    inner();
    for (int field = 0; field < 64; field += 7) {
        texts("tags", field, strings);
    }
    tape(false);
    tape(true);
}
