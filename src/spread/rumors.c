/* SPDX-License-Identifier: MIT
 *
 * See rumors.h. Reference: memberlist's TransmitLimitedQueue (queue.go); eager copies after Demers et al. 1987, section 1.4 ("hot
 * rumours"), as extra copies so that the tick's own resilience against bursts of loss is kept.
 * Differs: memberlist has no eager copies; everything waits for the next tick.
 */
#include "spread/rumors.h"

#include "base/check.h"

struct rumor {
    struct rumor *next; /* in its bucket, if it has a subject */
    uint64_t id;
    struct hearsay_address from; /* size 0 = ours */
    uint32_t size;
    uint16_t transmits;
    uint8_t class, notice;
    uint8_t eager_left;
    uint8_t subject_size;
    uint8_t bytes[]; /* message, then subject */
};

void rumors_init(struct rumors *r, struct turn *turn)
{
    *r = (struct rumors){.phase = turn->now};
    r->gossip.kind = TIMER_GOSSIP;
    r->eager.kind = TIMER_EAGER;
    uint64_t interval = turn_ms(turn->options->gossip_interval_ms);
    r->phase += interval == 0 ? 0 : rng_below(turn->rng, interval);
}

void rumors_deinit(struct rumors *r, const struct hearsay_allocator *memory)
{
    for (int c = 0; c < RUMOR_CLASSES; c++) {
        for (uint32_t i = 0; i < r->queues[c].count; i++) {
            memory_free(memory, r->queues[c].items[i]);
        }
        memory_free(memory, r->queues[c].items);
    }
    memory_free(memory, r->taken);
}

uint32_t rumors_limit(const struct turn *turn)
{
    uint32_t digits = 0;
    for (uint64_t power = 1; power < (uint64_t)turn->population + 1; power *= 10) {
        digits++;
    }
    return turn->options->retransmit_mult * digits;
}

/* Is a to be told before b? */
static bool comes_before(const struct rumor *a, const struct rumor *b)
{
    if (a->transmits != b->transmits) {
        return a->transmits < b->transmits;
    }
    return a->size != b->size ? a->size > b->size : a->id > b->id;
}

static bool reserve_list(const struct hearsay_allocator *memory, struct rumor ***list, uint32_t *capacity, uint32_t count)
{
    if (count < *capacity) {
        return true;
    }
    uint32_t grown = *capacity == 0 ? 16 : *capacity * 2;
    struct rumor **items = memory_resize(memory, *list, grown * sizeof *items);
    if (items == NULL) {
        return false;
    }
    *list = items;
    *capacity = grown;
    return true;
}

/* Where the rumour stands, or would stand: the order is total. */
static uint32_t index_of(const struct rumor_queue *q, const struct rumor *rumor)
{
    uint32_t low = 0, high = q->count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (comes_before(q->items[middle], rumor)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* There is room: the caller reserved it, or just removed the same rumour. */
static void insert(struct rumor_queue *q, struct rumor *rumor)
{
    uint32_t index = index_of(q, rumor);
    memmove(q->items + index + 1, q->items + index, (q->count - index) * sizeof(struct rumor *));
    q->items[index] = rumor;
    q->smallest = q->count == 0 || rumor->size < q->smallest ? rumor->size : q->smallest;
    q->count++;
}

static struct hearsay_bytes subject_of(const struct rumor *rumor)
{
    return bytes_of(rumor->bytes + rumor->size, rumor->subject_size);
}

static struct rumor **bucket_of(struct rumors *r, struct hearsay_bytes subject)
{
    return &r->by_subject[bytes_hash(subject, 5) % RUMORS_BUCKETS];
}

static void unlink_subject(struct rumors *r, const struct rumor *rumor)
{
    struct rumor **at = bucket_of(r, subject_of(rumor));
    while (*at != rumor) {
        at = &(*at)->next;
    }
    *at = rumor->next;
}

static void finish(struct turn *turn, struct rumor *rumor)
{
    struct rumors *r = turn->rumors;
    if (rumor->eager_left > 0) {
        r->eager_count--;
    }
    r->told |= rumor->notice;
    if (rumor->subject_size > 0) {
        unlink_subject(r, rumor);
    }
    memory_free(turn->memory, rumor);
}

static void remove_at(struct rumor_queue *q, uint32_t index)
{
    q->count--;
    memmove(q->items + index, q->items + index + 1, (q->count - index) * sizeof(struct rumor *));
}

static void replace_older(struct turn *turn, struct rumor_queue *q, struct hearsay_bytes subject)
{
    struct rumor *old = *bucket_of(turn->rumors, subject);
    while (old != NULL && !bytes_equal(subject_of(old), subject)) {
        old = old->next;
    }
    if (old != NULL) { /* there is at most one */
        uint32_t index = index_of(q, old);
        CHECK(q->items[index] == old);
        remove_at(q, index);
        finish(turn, old);
    }
}

static void arm_timers(struct turn *turn)
{
    struct rumors *r = turn->rumors;
    uint64_t interval = turn_ms(turn->options->gossip_interval_ms);
    if (!r->gossip.is_armed && interval > 0 && turn->options->gossip_nodes > 0) {
        uint64_t next = r->phase;
        if (next <= turn->now) {
            next += ((turn->now - next) / interval + 1) * interval;
        }
        timers_set(turn->timers, &r->gossip, next);
    }
    if (r->eager_count > 0 && !r->eager.is_armed) {
        uint32_t delay = turn->options->eager_delay_us;
        timers_set(turn->timers, &r->eager, turn->now + delay / 3 + rng_below(turn->rng, delay - delay / 3 + 1));
    }
}

static struct rumor *make(struct turn *turn, enum rumor_class class, struct hearsay_bytes message, const struct rumor_source *source)
{
    CHECK(source->subject.size <= HEARSAY_NAME_MAX);
    struct rumor *rumor = memory_zeros(turn->memory, sizeof *rumor + message.size + source->subject.size);
    if (rumor == NULL) {
        return NULL;
    }
    rumor->id = ++turn->rumors->next_id;
    rumor->class = (uint8_t)class;
    rumor->size = (uint32_t)message.size;
    rumor->notice = source->notice;
    rumor->subject_size = (uint8_t)source->subject.size;
    if (source->from != NULL) {
        rumor->from = *source->from;
    }
    bytes_copy(rumor->bytes, message.data, message.size);
    bytes_copy(rumor->bytes + message.size, source->subject.data, source->subject.size);
    return rumor;
}

void rumors_add(struct turn *turn, enum rumor_class class, struct hearsay_bytes message, struct rumor_source source)
{
    struct rumors *r = turn->rumors;
    struct rumor_queue *q = &r->queues[class];
    struct rumor *rumor = make(turn, class, message, &source);
    if (rumor == NULL || !reserve_list(turn->memory, &q->items, &q->capacity, q->count)) {
        memory_free(turn->memory, rumor);
        turn->counters->drop_no_memory++;
        r->told |= source.notice;
        return;
    }
    if (source.subject.size > 0) {
        replace_older(turn, q, source.subject);
    }
    if (q->count >= turn->options->queue_max) {
        struct rumor *last = q->items[q->count - 1];
        remove_at(q, q->count - 1);
        finish(turn, last);
        turn->counters->drop_queue_full++;
    }
    r->told &= (uint8_t)~source.notice;
    if (turn->options->eager && turn->population > 1 && !source.is_quiet) {
        uint32_t copies = (rumors_limit(turn) + 1) / 2, others = turn->population - 1 - (source.from != NULL);
        copies = copies > others ? others : copies; /* nobody gets two */
        rumor->eager_left = (uint8_t)(copies > 255 ? 255 : copies);
        r->eager_count += rumor->eager_left > 0;
    }
    if (rumor->subject_size > 0) {
        struct rumor **bucket = bucket_of(r, source.subject);
        rumor->next = *bucket;
        *bucket = rumor;
    }
    insert(q, rumor);
    arm_timers(turn);
}

unsigned rumors_take(struct turn *turn, size_t space, struct hearsay_bytes *parts, unsigned max)
{
    struct rumors *r = turn->rumors;
    unsigned count = 0;
    CHECK(r->taken_count == 0);
    for (int c = 0; c < RUMOR_CLASSES; c++) {
        struct rumor_queue *q = &r->queues[c];
        uint32_t kept = 0;
        for (uint32_t i = 0; i < q->count; i++) {
            struct rumor *rumor = q->items[i];
            if (count == max || space < (size_t)q->smallest + 2) { /* full: no need to look at the rest of a long queue */
                memmove(q->items + kept, q->items + i, (q->count - i) * sizeof(struct rumor *));
                kept += q->count - i;
                break;
            }
            bool fits = rumor->size + 2 <= space;
            if (!fits || !reserve_list(turn->memory, &r->taken, &r->taken_capacity, r->taken_count)) {
                q->items[kept++] = rumor;
                continue;
            }
            space -= rumor->size + 2;
            parts[count++] = bytes_of(rumor->bytes, rumor->size);
            r->taken[r->taken_count++] = rumor;
        }
        q->count = kept;
    }
    return count;
}

void rumors_settle(struct turn *turn)
{
    struct rumors *r = turn->rumors;
    uint32_t limit = rumors_limit(turn);
    for (uint32_t i = 0; i < r->taken_count; i++) {
        struct rumor *rumor = r->taken[i];
        if (rumor->transmits + 1u >= limit) {
            finish(turn, rumor);
        } else {
            rumor->transmits++;
            insert(&r->queues[rumor->class], rumor);
        }
    }
    r->taken_count = 0;
}

unsigned rumors_take_eager(struct turn *turn, const struct hearsay_address *to, size_t space, struct hearsay_bytes *parts, unsigned max)
{
    struct rumors *r = turn->rumors;
    unsigned count = 0;
    for (int c = 0; c < RUMOR_CLASSES && r->eager_count > 0; c++) {
        struct rumor_queue *q = &r->queues[c];
        for (uint32_t i = 0; i < q->count && count < max && space > 2; i++) {
            struct rumor *rumor = q->items[i];
            if (rumor->eager_left == 0 || rumor->size + 2 > space || address_same_place(&rumor->from, to)) {
                continue;
            }
            space -= rumor->size + 2;
            parts[count++] = bytes_of(rumor->bytes, rumor->size);
            if (--rumor->eager_left == 0) {
                r->eager_count--;
            }
        }
    }
    return count;
}

uint32_t rumors_eager_most(const struct rumors *r)
{
    uint32_t most = 0;
    for (int c = 0; c < RUMOR_CLASSES && r->eager_count > 0; c++) {
        for (uint32_t i = 0; i < r->queues[c].count; i++) {
            uint32_t left = r->queues[c].items[i]->eager_left;
            most = left > most ? left : most;
        }
    }
    return most;
}

void rumors_eager_clear(struct rumors *r)
{
    for (int c = 0; c < RUMOR_CLASSES && r->eager_count > 0; c++) {
        for (uint32_t i = 0; i < r->queues[c].count; i++) {
            r->queues[c].items[i]->eager_left = 0;
        }
    }
    r->eager_count = 0;
}

bool rumors_eager_token(struct turn *turn)
{
    struct rumors *r = turn->rumors;
    uint64_t cost = 1000000 / turn->options->eager_packets_per_second;
    uint64_t burst = 250000; /* a quarter of a second's worth may leave at once */
    uint64_t from = r->tokens_at > turn->now ? r->tokens_at : turn->now;
    if (from + cost > turn->now + burst) {
        return false;
    }
    r->tokens_at = from + cost;
    return true;
}
