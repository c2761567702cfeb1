/* SPDX-License-Identifier: MIT
 *
 * The parts below the node, by hand: a turn whose clock the test moves, and our beliefs with ourselves ("me") in them. Changes of members
 * are kept in a log. No node, no packets, no time of its own.
 */
#ifndef HEARSAY_TESTS_PARTS_H
#define HEARSAY_TESTS_PARTS_H

#include "allocator_counting.h"
#include "spread/outbox.h"
#include "spread/recorder.h"
#include "spread/rumors.h"
#include "swim/claims.h"

#define PARTS_CHANGES_MAX 64

struct parts {
    struct allocator_counting counting;
    struct hearsay_allocator memory;
    struct hearsay_options options; /* of the LAN profile; eager copies off */
    struct hearsay_counters counters;
    struct envelope envelope;
    struct rng rng;
    struct timers timers;
    struct outbox outbox;
    struct recorder recorder;
    struct rumors rumors;
    struct buffer scratch[2];
    struct turn turn;
    struct hearsay_pool *pool;
    struct beliefs beliefs;
    enum member_change changes[PARTS_CHANGES_MAX];
    unsigned change_count;
};

void parts_init(struct parts *p);
/* False when memory was lost. */
bool parts_deinit(struct parts *p);
/* The same for cmocka: *state is the parts. */
int parts_setup(void **state);
int parts_teardown(void **state);
/* Moves both clocks on. */
void parts_advance(struct parts *p, uint64_t us);

/* Claims as if heard from somebody. The address of a member is 127.0.0.1 and a port made of its name. */
void parts_alive(struct parts *p, const char *name, uint32_t incarnation);
void parts_suspect(struct parts *p, const char *name, uint32_t incarnation, const char *from);
void parts_dead(struct parts *p, const char *name, uint32_t incarnation, const char *from);
const struct member *parts_member(const struct parts *p, const char *name);
/* The rumours waiting about members, forgotten afterwards: their type bytes in the order of telling; answers how many. */
unsigned parts_take_types(struct parts *p, uint8_t *types, unsigned max);

#endif
