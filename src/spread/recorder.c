/* SPDX-License-Identifier: MIT
 *
 * See recorder.h.
 */
#include "spread/recorder.h"

struct recorder_entry {
    struct hearsay_record record;
    char strings[]; /* name, then accuser */
};

void recorder_init(struct recorder *r, const struct hearsay_allocator *memory, uint32_t capacity)
{
    *r = (struct recorder){.memory = memory, .capacity = capacity};
}

void recorder_deinit(struct recorder *r)
{
    for (uint32_t i = 0; i < r->count; i++) {
        memory_free(r->memory, r->entries[i]);
    }
    memory_free(r->memory, r->entries);
    r->entries = NULL;
    r->count = 0;
}

static bool reserve_ring(struct recorder *r)
{
    if (r->entries == NULL && r->capacity > 0) {
        r->entries = memory_zeros(r->memory, r->capacity * sizeof *r->entries);
    }
    return r->entries != NULL;
}

void recorder_note(struct recorder *r, uint64_t at_us, enum hearsay_event_type type, const char *name, const struct hearsay_cause *cause)
{
    if (!reserve_ring(r)) {
        return;
    }
    size_t name_size = strlen(name) + 1;
    size_t accuser_size = cause->accuser == NULL ? 0 : strlen(cause->accuser) + 1;
    struct recorder_entry *e = memory_resize(r->memory, NULL, sizeof *e + name_size + accuser_size);
    if (e == NULL) {
        return;
    }
    bytes_copy(e->strings, name, name_size);
    bytes_copy(e->strings + name_size, cause->accuser, accuser_size);
    e->record = (struct hearsay_record){.at_us = at_us, .type = type, .name = e->strings, .cause = *cause};
    e->record.cause.accuser = accuser_size == 0 ? NULL : e->strings + name_size;
    if (r->count < r->capacity) {
        r->entries[r->count++] = e;
    } else {
        memory_free(r->memory, r->entries[r->oldest]);
        r->entries[r->oldest] = e;
        r->oldest = (r->oldest + 1) % r->capacity;
    }
}

bool recorder_next(const struct recorder *r, size_t *position, struct hearsay_record *record)
{
    if (*position >= r->count) {
        return false;
    }
    *record = r->entries[(r->oldest + *position) % r->count]->record;
    ++*position;
    return true;
}
