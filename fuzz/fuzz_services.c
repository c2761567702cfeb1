/* SPDX-License-Identifier: MIT
 *
 * Services of strangers: a value that decodes can be walked to its end, and written again from what was read it means the same; a catalog
 * that is given any key and value shows what decodes, once, and forgets it again.
 */
#include "fuzz.h"

#include "base/bytes.h"
#include <hearsay/services.h>

#include <string.h>

static uint64_t sum; /* reads every byte, so that the sanitizer sees it */

static void touch(struct hearsay_bytes b)
{
    for (size_t i = 0; i < b.size; i++) {
        sum = sum * 31 + b.data[i];
    }
}

static char *string(struct hearsay_bytes b)
{
    char *s = calloc(1, b.size + 1);
    bytes_copy(s, b.data, b.size);
    FUZZ_CHECK(strlen(s) == b.size); /* what is taken has no NUL inside */
    return s;
}

struct copy {
    char *name;
    const char *tags[HEARSAY_SERVICE_TAGS_MAX];
    struct hearsay_tag meta[HEARSAY_SERVICE_TAGS_MAX];
    struct hearsay_service_definition d;
};

static void read_all(const struct hearsay_service *s, struct copy *c)
{
    struct hearsay_bytes a, b;
    *c = (struct copy){.name = string(s->name)};
    c->d = (struct hearsay_service_definition){
        .name = c->name, .address = s->address, .tags = c->tags, .meta = c->meta, .state = s->state, .output = s->output};
    for (size_t position = 0; hearsay_service_next_tag(s, &position, &a);) {
        FUZZ_CHECK(c->d.tag_count < HEARSAY_SERVICE_TAGS_MAX && hearsay_service_has_tag(s, a));
        c->tags[c->d.tag_count++] = string(a);
    }
    for (size_t position = 0; hearsay_service_next_meta(s, &position, &a, &b);) {
        FUZZ_CHECK(c->d.meta_count < HEARSAY_SERVICE_TAGS_MAX);
        c->meta[c->d.meta_count++] = (struct hearsay_tag){string(a), string(b)};
    }
    touch(s->output);
}

static void free_all(struct copy *c)
{
    free(c->name);
    for (size_t i = 0; i < c->d.tag_count; i++) {
        free((void *)(uintptr_t)c->tags[i]);
    }
    for (size_t i = 0; i < c->d.meta_count; i++) {
        free((void *)(uintptr_t)c->meta[i].key);
        free((void *)(uintptr_t)c->meta[i].value);
    }
}

static void try_value(struct hearsay_bytes value)
{
    struct hearsay_service s, again;
    struct copy c;
    uint8_t room[HEARSAY_SERVICE_VALUE_MAX];
    if (!hearsay_service_decode(value, &s)) {
        return;
    }
    read_all(&s, &c);
    FUZZ_CHECK(hearsay_service_problem(&c.d) == NULL);
    size_t size = hearsay_service_value(&c.d, room);
    if (size > 0) { /* written out in full it may be too long */
        FUZZ_CHECK(hearsay_service_decode(bytes_of(room, size), &again));
        FUZZ_CHECK(bytes_equal(s.name, again.name) && bytes_equal(s.output, again.output) && s.state == again.state);
        FUZZ_CHECK(address_equal(&s.address, &again.address));
    }
    free_all(&c);
}

static bool count(void *context, const struct hearsay_service *s)
{
    ++*(unsigned *)context;
    touch(s->id);
    touch(s->name);
    FUZZ_CHECK(s->node[0] != '\0');
    return true;
}

/* The first byte says how much of the rest is key. */
static void try_entry(const uint8_t *data, size_t size)
{
    struct hearsay_options options;
    uint8_t room[HEARSAY_KEY_MAX] = HEARSAY_SERVICE_PREFIX;
    size_t prefix = sizeof HEARSAY_SERVICE_PREFIX - 1, key_size = data[0] < size - 1 ? data[0] : size - 1;
    hearsay_options_local(&options);
    options.name = "n";
    options.advertise = (struct hearsay_address){.bytes = {127, 0, 0, 1}, .size = 4, .port = 7946};
    options.store = 1;
    struct hearsay_node *node = hearsay_create(&options, 1, NULL);
    memcpy(room + prefix, data + 1, key_size);
    struct hearsay_entry entry = {.key = bytes_of(room, prefix + key_size), .version = {UINT64_C(1) << 40, 1}};
    entry.value = bytes_of(data + 1 + key_size, size - 1 - key_size);
    hearsay_err err = hearsay_store_load(node, &entry);
    struct hearsay_services *services = hearsay_services_create(node, NULL);
    struct hearsay_service s;
    struct hearsay_services_stats stats;
    unsigned shown = 0;
    (void)hearsay_services_update(services);
    hearsay_services_get_stats(services, &stats);
    if (err == HEARSAY_OK && hearsay_service_decode(entry.value, &s)) {
        struct hearsay_services_query q = {.name = s.name};
        FUZZ_CHECK(stats.instances + stats.skipped == 1);
        hearsay_services_find(services, 1, &q, count, &shown);
        bool is_ours = key_size > 2 && memcmp(room + prefix, "n/", 2) == 0 && memchr(room + prefix + 2, '/', key_size - 2) == NULL;
        FUZZ_CHECK(shown == (is_ours ? 1 : 0)); /* nobody else is known here */
    }
    hearsay_services_destroy(services);
    hearsay_destroy(node);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 1) {
        try_value(bytes_of(data + 1, size - 1));
        try_entry(data, size);
    }
    return 0;
}
