/* SPDX-License-Identifier: MIT
 *
 * Where members are or were, by name: what the snapshot and the address book write down. It outlives the core's member list,
 * because members of a former life stay in it until they are met again or too old.
 */
#ifndef HEARSAY_AGENT_PLACES_H
#define HEARSAY_AGENT_PLACES_H

#include "agent/text.h"

struct place {
    struct hearsay_address address;
    uint64_t seen_s; /* unix time when it was last known to be alive */
    bool is_alive;
    char name[];
};

struct places {
    void *tree; /* of tsearch */
    size_t count, alive;
};

/* Sets or replaces. seen_s does not go back. */
void places_set(struct places *places, const char *name, const struct hearsay_address *address, bool is_alive, uint64_t seen_s);
void places_mark_gone(struct places *places, const char *name); /* not alive, but remembered */
void places_remove(struct places *places, const char *name);
const struct place *places_find(const struct places *places, const char *name);
void places_deinit(struct places *places);
/* In order of names. visit must not change the set. */
void places_visit(const struct places *places, void (*visit)(void *context, struct place *place), void *context);
/* The numeric address "1.2.3.4:7946" or "[::1]:7946" of size bytes. */
bool places_parse(const char *text, size_t size, struct hearsay_address *address);
/* Of this machine only. */
bool places_is_loopback(const struct hearsay_address *address);
/* Names that fit on a line: no control bytes. */
bool places_can_write(const char *name);

#endif
