/* SPDX-License-Identifier: MIT
 *
 * See changes.h.
 */
#include "sync/changes.h"

void changes_init(struct changes *c, const struct hearsay_allocator *memory, uint32_t most)
{
    *c = (struct changes){.memory = memory, .most = most};
}

void changes_deinit(struct changes *c)
{
    memory_free(c->memory, c->places);
    *c = (struct changes){.memory = c->memory};
}

void changes_start_at(struct changes *c, uint64_t number)
{
    c->newest = c->oldest = number > c->newest ? number : c->newest;
}

static bool grow(struct changes *c)
{
    uint32_t size = c->size == 0 ? 64 : c->size * 2;
    uint64_t *places = memory_resize(c->memory, NULL, size * sizeof *places);
    if (places == NULL) {
        return false;
    }
    for (uint64_t i = c->oldest + 1; i <= c->newest; i++) {
        places[i % size] = c->places[i % c->size];
    }
    memory_free(c->memory, c->places);
    c->places = places;
    c->size = size;
    return true;
}

void changes_add(struct changes *c, uint64_t place)
{
    if (c->newest - c->oldest == c->size && (c->size * 2 > c->most || !grow(c))) {
        c->oldest++; /* full: the oldest is forgotten */
    }
    c->newest++;
    if (c->size == 0) {
        c->oldest = c->newest;
        return;
    }
    c->places[c->newest % c->size] = place;
}

bool changes_next(const struct changes *c, uint64_t *number, uint64_t *place)
{
    if (*number >= c->newest) {
        return false;
    }
    *place = c->places[++*number % c->size];
    return true;
}
