/* SPDX-License-Identifier: MIT
 *
 * See event_copy.h.
 */
#include "event_copy.h"

#include <stdlib.h>
#include <string.h>

#define MEMORY_KEPT 8192

static size_t text_size(const char *text)
{
    return text == NULL ? 0 : strlen(text) + 1;
}

static bool reserve(struct event_copy *e, size_t size)
{
    if (e->capacity > MEMORY_KEPT && size <= MEMORY_KEPT) { /* a large one has passed */
        event_copy_deinit(e);
    }
    if (e->capacity >= size) {
        return true;
    }
    uint8_t *memory = realloc(e->memory, size);
    if (memory == NULL) {
        return false;
    }
    e->memory = memory;
    e->capacity = size;
    return true;
}

static void move_text(const char **text, uint8_t **at)
{
    size_t size = text_size(*text);
    if (size > 0) {
        *text = memcpy(*at, *text, size);
        *at += size;
    }
}

static void move_bytes(struct hearsay_bytes *bytes, uint8_t **at)
{
    if (bytes->size > 0) {
        bytes->data = memcpy(*at, bytes->data, bytes->size);
        *at += bytes->size;
    }
}

const struct hearsay_event *event_copy_make(struct event_copy *e, const struct hearsay_event *event)
{
    struct hearsay_event *copy = &e->copy;
    *copy = *event;
    if (!reserve(e, text_size(copy->member.name) + copy->member.meta.size + text_size(copy->cause.accuser) + text_size(copy->name) +
                        copy->payload.size + text_size(copy->text) + text_size(copy->from))) {
        return NULL;
    }
    uint8_t *at = e->memory;
    move_text(&copy->member.name, &at);
    move_bytes(&copy->member.meta, &at);
    move_text(&copy->cause.accuser, &at);
    move_text(&copy->name, &at);
    move_bytes(&copy->payload, &at);
    move_text(&copy->text, &at);
    move_text(&copy->from, &at);
    return copy;
}

void event_copy_deinit(struct event_copy *e)
{
    free(e->memory);
    e->memory = NULL;
    e->capacity = 0;
}
