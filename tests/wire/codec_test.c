/* SPDX-License-Identifier: MIT
 *
 * The same values as two generations of Go's codec wrote them: read, compared, written again.
 */
#include "generic.h"
#include "shape.h"

#include "base/memory.h"
#include "wire/message.h"
#include "wire/serf_message.h"

#include <stdlib.h>
#include <string.h>

enum carrier { CARRIER_MESSAGE, CARRIER_SERF, CARRIER_STATE, CARRIER_RELAY, CARRIER_NONE };

static const struct kind {
    const char *value;
    enum carrier carrier;
    uint8_t type;
    const char *name;
} kinds[] = {
    {"alive v4 meta", CARRIER_MESSAGE, MESSAGE_ALIVE, "alive"}, {"alive nil", CARRIER_MESSAGE, MESSAGE_ALIVE, "alive"},
    {"ping omit", CARRIER_MESSAGE, MESSAGE_PING, "ping"},       {"query", CARRIER_SERF, SERF_QUERY, "query"},
    {"query nilfilters", CARRIER_SERF, SERF_QUERY, "query"},    {"pp", CARRIER_STATE, SERF_PUSH_PULL, "pushPull"},
    {"pp nil", CARRIER_STATE, SERF_PUSH_PULL, "pushPull"},      {"relay", CARRIER_RELAY, SERF_RELAY, "relay"},
    {"members", CARRIER_NONE, 0, NULL},                         {"hdr", CARRIER_NONE, 0, NULL},
    {"keyresp", CARRIER_NONE, 0, NULL},                         {"coord", CARRIER_NONE, 0, NULL},
    {"strmap nil", CARRIER_NONE, 0, NULL},                      {"tags", CARRIER_NONE, 0, NULL},
    {"long str", CARRIER_NONE, 0, NULL},
};

static const struct kind *kind_of(const char *value)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(kinds[i].value, value) == 0) {
            return &kinds[i];
        }
    }
    fail_msg("unknown kind of value \"%s\"", value);
    return NULL;
}

/* The value as it would travel, read through its struct. RPC forms are accepted, but not emitted there. */
static void check_struct(const struct kind *kind, struct hearsay_bytes body, const json_t *decoded, bool is_rpc)
{
    static const uint8_t inner[] = {SERF_JOIN, 0x82, 0xa5, 'L', 'T', 'i', 'm', 'e', 1, 0xa4, 'N', 'o', 'd', 'e', 0xa1, 'a'};
    struct buffer message;
    json_t *wanted = NULL;
    if (kind->carrier == CARRIER_NONE || is_rpc) {
        return;
    }
    buffer_init(&message, &memory_system);
    assert_true(buffer_append(&message, &kind->type, 1) && buffer_append(&message, body.data, body.size));
    switch (kind->carrier) {
    case CARRIER_MESSAGE:
        wanted = json_pack("{s:s, s:O}", "t", kind->name, "body", decoded);
        shape_message(buffer_bytes(&message), wanted);
        break;
    case CARRIER_RELAY:
        assert_true(buffer_append(&message, inner, sizeof inner));
        wanted = json_pack("{s:s, s:O, s:{s:s, s:{s:i, s:s}}}", "serf", kind->name, "header", decoded, "inner", "serf", "join",
                           "body", "LTime", 1, "Node", "a");
        shape_serf(buffer_bytes(&message), wanted);
        break;
    default:
        wanted = json_pack("{s:s, s:O}", "serf", kind->name, "body", decoded);
        shape_serf(buffer_bytes(&message), wanted);
    }
    json_decref(wanted);
    buffer_deinit(&message);
}

static void both_generations_are_read_and_the_old_one_is_written(void **state)
{
    (void)state;
    size_t i;
    json_t *vector;
    json_array_foreach(vector_load("codec.json"), i, vector) {
        vector_begin(vector);
        const struct kind *kind = kind_of(vector_text(vector, "value"));
        bool is_rpc = json_is_true(json_object_get(vector, "write_ext"));
        struct hearsay_bytes older = vector_hex_of(vector, "go_msgpack_0_5_5_hex");
        struct hearsay_bytes newer = vector_hex_of(vector, "go_msgpack_2_1_5_hex");
        const json_t *decoded = json_object_get(vector, "decoded");
        json_t *list = json_pack("[O]", decoded);
        generic_check(older, list, is_rpc);
        generic_check(newer, list, is_rpc);
        check_struct(kind, older, decoded, is_rpc);
        check_struct(kind, newer, decoded, is_rpc);
        vector_expect(bytes_equal(older, newer) == json_is_true(json_object_get(vector, "same")), "sameness");
        json_decref(list);
    }
    vector_report("codec");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(both_generations_are_read_and_the_old_one_is_written)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
