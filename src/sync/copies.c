/* SPDX-License-Identifier: MIT
 *
 * See copies.h. A receipt names the version by place and moment, mixed into one number that both sides can compute.
 */
#include "sync/copies.h"

#include "sync/talk.h"

#define WAITING_MAX 65536
#define TOLD_MAX 64     /* peers that are told at once */
#define RETRY_MS 200

struct copy {
    uint64_t place, hlc;
    uint64_t deadline, retry_at;
    uint32_t ticket, wanted;
    uint32_t *acked; /* peers */
    uint32_t count;
};

static uint64_t receipt_of(uint64_t place, uint64_t hlc)
{
    return place ^ hlc * 0x9e3779b97f4a7c15u;
}

void copies_deinit(struct exchange *x, const struct hearsay_allocator *memory)
{
    for (uint32_t i = 0; i < x->copy_count; i++) {
        memory_free(memory, x->copies[i].acked);
    }
    memory_free(memory, x->copies);
    x->copies = NULL;
    x->copy_count = x->copy_capacity = 0;
}

static bool has_acked(const struct copy *c, uint32_t peer)
{
    for (uint32_t i = 0; i < c->count; i++) {
        if (c->acked[i] == peer) {
            return true;
        }
    }
    return false;
}

static const struct entry *entry_of(const struct exchange *x, const struct copy *c)
{
    uint64_t at = c->place;
    unsigned rank = 0;
    struct index_item item;
    while (index_next(&x->sync->store.index, &at, &rank, &item) && item.place == c->place) {
        if (item.entry->hlc == c->hlc && item.entry->origin == x->sync->origin) {
            return item.entry;
        }
    }
    return NULL;
}

/* To as many peers as are missing that have not confirmed it yet. */
static void tell(struct exchange *x, struct turn *turn, struct copy *c, const struct entry *entry)
{
    uint32_t chosen[TOLD_MAX], missing = c->wanted - 1 - c->count, told = 0;
    uint32_t most = c->count + missing < TOLD_MAX ? c->count + missing : TOLD_MAX; /* others at the next occasion */
    uint32_t count = peers_choose(&x->peers, &x->beliefs->members, turn->rng, most, PEERS_NONE, chosen);
    struct talk t;
    for (uint32_t i = 0; i < count && told < missing; i++) {
        if (!has_acked(c, chosen[i]) && talk_begin(&t, x, turn, chosen[i], 0, PARLEY_PUSH, NULL)) {
            (void)talk_entry(&t, entry, PARLEY_ENTRY_RECEIPT);
            talk_end(&t, false);
            told++;
        }
    }
    c->retry_at = turn->now + turn_ms(RETRY_MS);
}

static void report(struct exchange *x, struct turn *turn, uint32_t number, const char *text)
{
    struct copy *c = &x->copies[number];
    sync_report(turn, c->ticket, &(struct hearsay_entry_version){c->hlc, x->sync->origin}, c->count + 1, text == NULL, text);
    memory_free(turn->memory, c->acked);
    *c = x->copies[--x->copy_count];
}

static void arm(struct exchange *x, struct turn *turn)
{
    uint64_t at = UINT64_MAX;
    for (uint32_t i = 0; i < x->copy_count; i++) {
        at = x->copies[i].retry_at < at ? x->copies[i].retry_at : at;
        at = x->copies[i].deadline < at ? x->copies[i].deadline : at;
    }
    if (at == UINT64_MAX) {
        timers_cancel(turn->timers, &x->copy_timer);
    } else {
        timers_set(turn->timers, &x->copy_timer, at > turn->now ? at : turn->now + 1);
    }
}

static bool reserve(struct exchange *x, struct turn *turn)
{
    if (x->copy_count < x->copy_capacity) {
        return true;
    }
    uint32_t capacity = x->copy_capacity == 0 ? 16 : x->copy_capacity * 2;
    struct copy *copies = capacity > WAITING_MAX ? NULL : memory_resize(turn->memory, x->copies, capacity * sizeof *copies);
    if (copies == NULL) {
        return false;
    }
    x->copies = copies;
    x->copy_capacity = capacity;
    return true;
}

bool copies_on_durable(struct exchange *x, struct turn *turn, const struct pending *write, enum store_verdict verdict)
{
    if (write->ticket == 0 || write->copies <= 1) {
        return false;
    }
    const char *text = verdict != STORE_NEWER ? "a newer write came before it was told"
                       : !reserve(x, turn)    ? "too many writes wait for copies"
                                              : NULL;
    if (text != NULL) {
        sync_report(turn, write->ticket, &write->version, 1, false, text);
        return true;
    }
    struct copy *c = &x->copies[x->copy_count++];
    *c = (struct copy){.place = write->place, .hlc = write->version.hlc, .ticket = write->ticket, .wanted = write->copies,
                       .deadline = turn->now + turn_ms(turn->options->copies_timeout_ms)};
    tell(x, turn, c, write->entry);
    arm(x, turn);
    return true;
}

void copies_on_timer(struct exchange *x, struct turn *turn)
{
    for (uint32_t i = x->copy_count; i-- > 0;) {
        struct copy *c = &x->copies[i];
        const struct entry *entry = entry_of(x, c);
        if (entry == NULL) {
            report(x, turn, i, "a newer write came before enough copies were confirmed");
        } else if (c->deadline <= turn->now) {
            report(x, turn, i, "fewer nodes confirmed it in time");
        } else if (c->retry_at <= turn->now) {
            tell(x, turn, c, entry);
        }
    }
    arm(x, turn);
}

static void note_ack(struct turn *turn, struct copy *c, uint32_t peer)
{
    uint32_t *acked = memory_resize(turn->memory, c->acked, (c->count + 1) * sizeof *acked);
    if (acked == NULL) { /* it is told again, and says so again */
        turn->counters->drop_no_memory++;
        return;
    }
    c->acked = acked;
    acked[c->count++] = peer;
}

void copies_on_receipt(struct exchange *x, struct turn *turn, uint32_t peer, const struct parley_message *m)
{
    struct reader sections = m->sections, body;
    enum parley_section_type type;
    uint64_t receipt;
    while (parley_next_section(&sections, &type, &body)) {
        while (type == PARLEY_IDS && parley_next_number(&body, &receipt)) {
            for (uint32_t i = x->copy_count; i-- > 0;) {
                struct copy *c = &x->copies[i];
                if (receipt_of(c->place, c->hlc) == receipt && !has_acked(c, peer)) {
                    note_ack(turn, c, peer);
                    if (c->count + 1 >= c->wanted) {
                        report(x, turn, i, NULL);
                    }
                }
            }
        }
    }
    arm(x, turn);
}

void copies_confirm(struct exchange *x, struct turn *turn, uint32_t peer, uint64_t place, const struct hearsay_entry_version *version)
{
    uint64_t at = place;
    unsigned rank = 0;
    struct index_item item;
    struct talk t;
    while (index_next(&x->sync->store.index, &at, &rank, &item) && item.place == place) {
        const struct entry *e = item.entry;
        if (entry_compare_versions(e->hlc, e->origin, version->hlc, version->origin) >= 0 &&
            talk_begin(&t, x, turn, peer, 0, PARLEY_RECEIPT, NULL)) {
            talk_number(&t, PARLEY_IDS, receipt_of(place, version->hlc));
            talk_end(&t, true);
            return;
        }
    }
}
