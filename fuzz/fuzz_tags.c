/* SPDX-License-Identifier: MIT
 *
 * Strings that people and clients hand in: values of flags (tags among them), spans, base64, patterns, names of events. What a node takes as
 * tags can be read out of it again, and what is written as JSON is JSON.
 */
#include "fuzz.h"

#include "agent/config.h"
#include "agent/pattern.h"

#include <hearsay/hearsay.h>
#include <jansson.h>

static void check_json(const char *string)
{
    struct text t = {0};
    json_error_t error;
    text_json_c(&t, string);
    json_t *value = json_loads(t.data, JSON_DECODE_ANY, &error);
    FUZZ_CHECK(json_is_string(value));
    for (size_t i = 0; i < t.size; i++) {
        FUZZ_CHECK((uint8_t)t.data[i] >= 0x20 && t.data[i] != 0x7f);
    }
    json_decref(value);
    text_deinit(&t);
}

static void check_node(const struct taglist *tags, const char *string, size_t size)
{
    struct hearsay_options options;
    struct hearsay_output output;
    struct hearsay_member self;
    struct hearsay_bytes key, value;
    size_t first = 0, position = 0, i = 0;
    hearsay_options_local(&options);
    options.name = "n1";
    options.advertise = (struct hearsay_address){.bytes = {127, 0, 0, 1}, .port = 7946, .size = 4};
    options.seed = 1;
    struct hearsay_node *node = hearsay_create(&options, 1000, NULL);
    if (hearsay_set_tags(node, 1000, tags->at, tags->count) == HEARSAY_OK) {
        FUZZ_CHECK(hearsay_next_member(node, &first, &self));
        for (; hearsay_next_tag(&self, &position, &key, &value); i++) {
            FUZZ_CHECK(i < tags->count && bytes_equal(key, bytes_of_string(tags->at[i].key)));
            FUZZ_CHECK(bytes_equal(value, bytes_of_string(tags->at[i].value)));
        }
        FUZZ_CHECK(i == tags->count);
    }
    (void)!hearsay_send_event(node, 1000, string, string, size, true);
    (void)!hearsay_force_leave(node, 1000, string, true);
    while (hearsay_next_output(node, &output)) {
        FUZZ_CHECK(output.type != HEARSAY_NOTIFY || output.event.type != HEARSAY_USER_EVENT ||
                   strncmp(output.event.name, string, size) == 0);
    }
    hearsay_destroy(node);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct config config;
    struct pattern pattern = {.expression = NULL};
    int64_t ms = 0;
    char error[500];
    uint8_t bytes[64];
    if (size < 1) {
        return 0;
    }
    char *string = must(strndup((const char *)data + 1, size - 1));
    size_t length = strlen(string);
    config_init(&config);
    const struct config_field *field = &config_fields[data[0] % config_field_count];
    if (field->kind != CONFIG_HELP && field->flag != NULL && !config_set(&config, field, string, error, sizeof error)) {
        FUZZ_CHECK(error[0] != '\0');
    }
    for (char *rest = string, *line; (line = strsep(&rest, "\n")) != NULL;) {
        for (size_t i = 0; i < config_field_count; i++) {
            if (config_fields[i].kind == CONFIG_TAGS && config_fields[i].flag != NULL) {
                (void)config_set(&config, &config_fields[i], line, error, sizeof error);
            }
        }
    }
    free(string);
    string = must(strndup((const char *)data + 1, size - 1));
    FUZZ_CHECK(!config_parse_span(string, &ms) || ms >= 0);
    int count = text_base64_decode(string, bytes, sizeof bytes);
    FUZZ_CHECK(count >= -1 && count <= (int)sizeof bytes);
    if (pattern_set(&pattern, bytes_of_string(string), true)) {
        (void)pattern_matches(&pattern, bytes_of_string("web-17"));
        pattern_free(&pattern);
    }
    check_json(string);
    check_node(&config.tags, string, length);
    free(string);
    config_deinit(&config);
    return 0;
}
