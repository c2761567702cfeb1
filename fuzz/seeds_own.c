/* SPDX-License-Identifier: MIT
 *
 * Seeds of formats that no vector holds: Serf's files (snapshot, keyring, configuration), strings of flags, tapes. See seeds.h.
 */
#include "seeds.h"

#include "base/bytes.h"
#include "driver/tape.h"
#include "wire/msgpack.h"
#include <hearsay/services.h>

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
    "{\"protocol\": 5, \"leave_on_terminate\": true, \"rpc_addr\": \"127.0.0.1:7373\", \"snapshot_path\": \"/x\", \"disable_compression\": "
    "true}",
    "{\"role\": \"db\", \"event_handlers\": [\"x.sh\"], \"numbers\": {\"probe_interval_ms\": 5}, \"reconnect_interval\": \"1m30s\"}",
    "{\"nodename\": \"typo\"}",
    "{\"tags\": {\"a\": 1}}",
    "{\"services\": [{\"name\": \"web\", \"port\": 80, \"address\": \"::1\", \"tags\": [\"a\"], \"meta\": {\"k\": \"v\"}, \"checks\": [{\"tcp\": "
    "\"a:1\", \"interval\": \"1s\", \"failure_threshold\": 3}, {\"http\": \"http://[::1]:80/x\", \"initial\": \"warning\"}, {\"script\": "
    "\"true\"}, {\"ttl\": \"1m\"}]}]}",
    "[1, 2",
    "{\"start_join\": [\"n1\"], \"numbers\": {\"eager\": false}, \"encrypt_key\": \"AAECAwQFBgcICQoLDA0ODw==\"}",
    NULL,
};

/* The size of the key, the key behind its prefix, the value. */
static void services(void)
{
    static const char *const tags[] = {"v1", "Blue"};
    static const struct hearsay_tag meta[] = {{"rack", "7"}, {"empty", ""}};
    static const char *const keys[] = {"n/web", "n/a/web", "other/web", "n/", "/web"};
    struct hearsay_service_definition d = {.name = "web", .address = {.bytes = {10, 0, 0, 1}, .size = 4, .port = 80}, .tags = tags, .tag_count = 2,
                                           .meta = meta, .meta_count = 2, .state = HEARSAY_SERVICE_WARNING, .output = bytes_of_string("slow")};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        uint8_t room[1 + 64 + HEARSAY_SERVICE_VALUE_MAX];
        size_t size = strlen(keys[i]);
        memcpy(room, keys[i], size);
        size_t value = hearsay_service_value(&d, room + size);
        seed("services", (int)size, bytes_of(room, size + value));
        seed("services", 0, bytes_of(room + size, value)); /* a value alone */
    }
}

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

static void put_store(struct tape *t)
{
    tape_record(t, TAPE_CLOCK, 1000910);
    tape_number(t, 1700000000000);
    tape_record(t, TAPE_LOAD, 1000910);
    tape_bytes(t, "old", 3);
    tape_bytes(t, "gold", 4);
    tape_number(t, (uint64_t)1700000000000 << 16);
    tape_number(t, 7);
    tape_number(t, 0);
    tape_number(t, 0);
    tape_record(t, TAPE_PUT, 1000920);
    tape_bytes(t, "key", 3);
    tape_bytes(t, "value", 5);
    tape_number(t, 1000);
    tape_number(t, 1);
    tape_record(t, TAPE_PERSISTED, 1000930);
    tape_number(t, 1);
    tape_number(t, 1);
    tape_record(t, TAPE_DELETE, 1000940);
    tape_bytes(t, "old", 3);
    tape_number(t, 2);
    tape_record(t, TAPE_REPAIR, 1000950);
    tape_text(t, NULL);
    tape_record(t, TAPE_TUNE, 1000960);
    tape_number(t, HEARSAY_PUSH);
    tape_number(t, 1);
    tape_number(t, 100);
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
    options.store = 1;
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
    tape_record(t, TAPE_KEYS, 1000550);
    tape_number(t, HEARSAY_KEYS_INSTALL);
    tape_number(t, 2);
    tape_bytes(t, "sixteen bytes ok", 16);
    tape_record(t, TAPE_KEPT, 1000560);
    tape_number(t, 1);
    tape_text(t, "the disk is full");
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
    put_store(t);
    tape_record(t, TAPE_TICK, 2000000);
    tape_record(t, TAPE_LEAVE, 2000100);
    tape_record(t, TAPE_TICK, 9000000);
    tape_close(t);
}

struct field {
    const char *key, *text;
    uint64_t number; /* when text is NULL */
};

static void put_request(struct writer *w, const char *command, uint64_t seq, const struct field *fields, uint32_t count)
{
    msgpack_put_map(w, 2);
    msgpack_put_text(w, "Command");
    msgpack_put_text(w, command);
    msgpack_put_text(w, "Seq");
    msgpack_put_uint(w, seq);
    msgpack_put_map(w, count);
    for (uint32_t i = 0; i < count; i++) {
        msgpack_put_text(w, fields[i].key);
        if (fields[i].text != NULL) {
            msgpack_put_bin(w, bytes_of_string(fields[i].text));
        } else {
            msgpack_put_uint(w, fields[i].number);
        }
    }
}

/* A client of the shared store. */
static void kv_session(void)
{
    uint8_t room[2048];
    struct writer w = writer_of(room, sizeof room);
    put_request(&w, "kv-watch", 1, (struct field[]){{"Prefix", "k", 0}, {"After", NULL, 0}}, 2);
    put_request(&w, "kv-put", 2, (struct field[]){{"Key", "key", 0}, {"Value", "value", 0}, {"TTL", NULL, 5000}}, 3);
    put_request(&w, "kv-put", 3, (struct field[]){{"Key", "k2", 0}, {"Value", "", 0}, {"Copies", NULL, 2}, {"Timeout", NULL, 1}}, 4);
    put_request(&w, "kv-get", 4, (struct field[]){{"Key", "key", 0}}, 1);
    put_request(&w, "kv-delete", 5, (struct field[]){{"Key", "key", 0}}, 1);
    put_request(&w, "kv-list", 6, (struct field[]){{"Prefix", "k", 0}, {"After", "k1", 0}, {"Values", NULL, 1}}, 3);
    put_request(&w, "kv-tune", 7, (struct field[]){{"Mode", NULL, 1}, {"Fanout", NULL, 2}, {"Interval", NULL, 50}}, 3);
    put_request(&w, "kv-repair", 8, (struct field[]){{"Member", "n2", 0}}, 1);
    put_request(&w, "service-list", 10, (struct field[]){{"Name", "web", 0}, {"Tag", "v1", 0}, {"Healthy", NULL, 1}}, 3);
    put_request(&w, "service-watch", 11, (struct field[]){{"Name", "", 0}}, 1);
    put_request(&w, "service-register", 12, (struct field[]){{"Definition", "{\"name\":\"web\"}", 0}}, 1);
    put_request(&w, "service-report", 13, (struct field[]){{"ID", "web", 0}, {"State", NULL, 1}, {"Output", "x", 0}}, 3);
    put_request(&w, "service-maint", 14, (struct field[]){{"ID", "web", 0}, {"Reason", "x", 0}, {"Off", NULL, 0}}, 3);
    put_request(&w, "service-deregister", 15, (struct field[]){{"ID", "web", 0}}, 1);
    put_request(&w, "stop", 9, (struct field[]){{"Stop", NULL, 1}}, 1);
    seed("session", 1, writer_bytes(&w));
    seed("session", 1 + 8 + 32, writer_bytes(&w)); /* in small pieces */
}

/* Writes of few keys, by a small generator. */
static void store(unsigned seed_number, unsigned size)
{
    uint8_t bytes[1024];
    uint64_t x = seed_number * 0x9e3779b97f4a7c15u + 1;
    for (unsigned i = 0; i < size; i++) {
        x = x * 6364136223846793005u + 1442695040888963407u;
        bytes[i] = (uint8_t)(x >> 56);
    }
    seed("store", -1, bytes_of(bytes, size));
}

void seeds_own(void)
{
    kv_session();
    for (unsigned i = 0; i < 16; i++) {
        store(i, i * 64);
    }
    texts("snapshot", 0, snapshots);
    texts("snapshot", 1, snapshots);
    texts("keyring", -1, keyrings);
    texts("config", -1, configurations);
    expressions();
    services();
    inner();
    for (int field = 0; field < 64; field += 7) {
        texts("tags", field, strings);
    }
    tape(false);
    tape(true);
}
