/* SPDX-License-Identifier: MIT
 *
 * Files that people and crashes write: configuration, snapshot, spans of time, keys. Wrong ones get one line that says what is wrong.
 */
#include "fuzz.h"

#include "agent/config.h"
#include "agent/secret.h"
#include "agent/snapshot.h"

#include <string.h>

static void read_configuration(const char *text)
{
    struct config config;
    char error[512] = "";
    int64_t ms;
    config_init(&config);
    if (!config_parse(&config, text, "x.json", error, sizeof error)) {
        FUZZ_CHECK(error[0] != 0 && strchr(error, '\n') == NULL);
    }
    config_deinit(&config);
    (void)config_parse_span(text, &ms);
}

static void read_key(const char *text)
{
    struct hearsay_key key;
    char error[512] = "";
    if (secret_parse_key(text, "key", &key, error, sizeof error)) {
        FUZZ_CHECK(key.size == 16 || key.size == 24 || key.size == 32);
    } else {
        FUZZ_CHECK(error[0] != 0);
    }
}

static void read_snapshot(const char *text, size_t size)
{
    struct places places = {0};
    struct snapshot_clocks clocks = {0};
    size_t complete;
    (void)snapshot_replay(text, size, size % 2 == 0, &places, &clocks, &complete);
    FUZZ_CHECK(complete <= size && places.alive <= size);
    places_deinit(&places);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    FUZZ_CHECK(text != NULL);
    memcpy(text, data, size);
    text[size] = 0;
    read_configuration(text);
    read_key(text);
    read_snapshot(text, size);
    free(text);
    return 0;
}
