/* SPDX-License-Identifier: MIT
 *
 * See parts.h.
 */
#include "parts.h"

#include <stdlib.h>

static void on_change(void *context, struct turn *turn, uint32_t slot, enum member_change change, const struct hearsay_cause *cause,
                      const struct hearsay_address *other_address)
{
    struct parts *p = context;
    (void)turn, (void)slot, (void)cause, (void)other_address;
    if (p->change_count < PARTS_CHANGES_MAX) {
        p->changes[p->change_count++] = change;
    }
}

static struct hearsay_address address_of(const char *name)
{
    uint16_t port = (uint16_t)(bytes_hash(bytes_of_string(name), 1) | 1024);
    return (struct hearsay_address){.bytes = {127, 0, 0, 1}, .size = 4, .port = port};
}

void parts_init(struct parts *p)
{
    *p = (struct parts){0};
    p->memory = allocator_counting_of(&p->counting);
    hearsay_options_lan(&p->options);
    p->options.advertise = address_of("me");
    p->options.eager = 0;
    rng_init(&p->rng, 1);
    p->envelope.memory = &p->memory;
    outbox_init(&p->outbox, &p->memory, &p->counters.drop_no_memory);
    recorder_init(&p->recorder, &p->memory, 16);
    buffer_init(&p->scratch[0], &p->memory);
    buffer_init(&p->scratch[1], &p->memory);
    p->turn = (struct turn){.now = 1000000, .host_now = 1000000, .options = &p->options, .memory = &p->memory,
                            .counters = &p->counters, .envelope = &p->envelope, .rng = &p->rng, .timers = &p->timers,
                            .outbox = &p->outbox, .recorder = &p->recorder, .rumors = &p->rumors, .scratch = p->scratch};
    rumors_init(&p->rumors, &p->turn);
    p->pool = pool_create(&p->memory);
    struct members *m = &p->beliefs.members;
    members_init(m, &p->turn, p->pool);
    m->on_change = on_change;
    m->context = p;
    struct hearsay_address own = address_of("me");
    m->self = members_add(m, &p->turn, bytes_of_string("me"), &own, bytes_of(NULL, 0), (const uint8_t[6]){1, 5, 2, 2, 5, 5});
    members_at(m, m->self)->state = MESSAGE_STATE_ALIVE;
    (void)members_enlist(m, &p->turn, m->self);
    claims_announce_self(&p->beliefs, &p->turn);
    (void)parts_take_types(p, NULL, 0);
}

bool parts_deinit(struct parts *p)
{
    suspicions_deinit(&p->beliefs.suspicions, &p->memory);
    members_deinit(&p->beliefs.members, &p->turn);
    rumors_deinit(&p->rumors, &p->memory);
    recorder_deinit(&p->recorder);
    outbox_deinit(&p->outbox);
    buffer_deinit(&p->scratch[0]);
    buffer_deinit(&p->scratch[1]);
    pool_destroy(p->pool);
    return p->counting.blocks == 0;
}

int parts_setup(void **state)
{
    *state = malloc(sizeof(struct parts));
    if (*state == NULL) {
        return -1;
    }
    parts_init(*state);
    return 0;
}

int parts_teardown(void **state)
{
    bool is_clean = parts_deinit(*state);
    free(*state);
    return is_clean ? 0 : -1;
}

void parts_advance(struct parts *p, uint64_t us)
{
    p->turn.now += us;
    p->turn.host_now += us;
}

static const struct hearsay_address somebody = {.bytes = {127, 0, 0, 2}, .size = 4, .port = 7946};

void parts_alive(struct parts *p, const char *name, uint32_t incarnation)
{
    struct claim_source source = {.from = &somebody};
    struct message_alive claim = {.incarnation = incarnation, .node = bytes_of_string(name), .address = address_of(name),
                                  .versions = bytes_of((const uint8_t[6]){1, 5, 2, 2, 5, 5}, 6)};
    claims_alive(&p->beliefs, &p->turn, &claim, &source);
}

void parts_suspect(struct parts *p, const char *name, uint32_t incarnation, const char *from)
{
    struct claim_source source = {.from = &somebody};
    struct message_accusation claim = {.incarnation = incarnation, .node = bytes_of_string(name), .from = bytes_of_string(from)};
    claims_suspect(&p->beliefs, &p->turn, &claim, &source);
}

void parts_dead(struct parts *p, const char *name, uint32_t incarnation, const char *from)
{
    struct claim_source source = {.from = &somebody};
    struct message_accusation claim = {.incarnation = incarnation, .node = bytes_of_string(name), .from = bytes_of_string(from)};
    claims_dead(&p->beliefs, &p->turn, &claim, &source);
}

const struct member *parts_member(const struct parts *p, const char *name)
{
    uint32_t slot = members_find(&p->beliefs.members, bytes_of_string(name));
    return slot == MEMBERS_NONE ? NULL : members_at(&p->beliefs.members, slot);
}

unsigned parts_take_types(struct parts *p, uint8_t *types, unsigned max)
{
    struct rumor_queue *q = &p->rumors.queues[RUMOR_MEMBER];
    struct hearsay_bytes parts[PARTS_CHANGES_MAX];
    unsigned taken = 0;
    while (q->count > 0) {
        unsigned count = rumors_take(&p->turn, SIZE_MAX / 2, parts, PARTS_CHANGES_MAX);
        for (unsigned i = 0; i < count && taken < PARTS_CHANGES_MAX; i++, taken++) {
            if (taken < max) {
                types[taken] = parts[i].data[0];
            }
        }
        uint32_t mult = p->options.retransmit_mult;
        p->options.retransmit_mult = 0; /* told once is told enough */
        rumors_settle(&p->turn);
        p->options.retransmit_mult = mult;
    }
    return taken;
}
