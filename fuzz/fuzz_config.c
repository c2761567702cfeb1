/* SPDX-License-Identifier: MIT
 *
 * Configuration files: parsed and merged into a configuration that can be used, or refused with one line.
 */
#include "fuzz.h"

#include "agent/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct config one, all;
    char error[500] = "";
    char *json = must(malloc(size + 1));
    memcpy(json, data, size);
    json[size] = '\0';
    config_init(&one);
    config_init(&all);
    if (config_parse(&one, json, "fuzz.json", error, sizeof error)) {
        config_merge(&all, &one);
        config_merge(&all, &one);
        config_default(&all);
        FUZZ_CHECK(all.node_name == NULL || one.node_name == NULL || strcmp(all.node_name, one.node_name) == 0);
        FUZZ_CHECK(all.tags.count >= one.tags.count);
    } else {
        FUZZ_CHECK(strncmp(error, "fuzz.json", 9) == 0 && strchr(error, '\n') == NULL);
    }
    config_deinit(&one);
    config_deinit(&all);
    free(json);
    return 0;
}
