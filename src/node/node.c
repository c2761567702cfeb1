/* SPDX-License-Identifier: MIT
 *
 * Life of a node, its turns and its timers. See node.h.
 * Differs: memberlist's deadlines run on while the process does not; ours run in attended time.
 */
#include "node/exchanges.h"
#include "node/inquiries.h"
#include "node/node.h"

#include "sync/copies.h"
#include "sync/items.h"
#include "sync/reconcile.h"
#include "swim/gossip.h"
#include "swim/push_pull.h"

#include "base/check.h"

#define PAUSE_ANNOUNCED_TO 3 /* members, by random choice */
#define PAUSE_MENTIONED_US 30000000u

static void on_change(void *context, struct turn *turn, uint32_t slot, enum member_change change, const struct hearsay_cause *cause,
                      const struct hearsay_address *other_address)
{
    struct hearsay_node *node = context;
    presence_on_change(&node->serf.presence, &node->beliefs, turn, slot, change, cause, other_address);
    exchanges_on_change(node, turn, slot, change);
    if (change == MEMBERS_DIED) {
        rejoin_on_failure(&node->rejoin, &node->beliefs, turn);
    }
    if (change == MEMBERS_CONFLICT && slot == node->beliefs.members.self) {
        inquiries_on_conflict(node, turn);
    }
}

/* ---- turns and attended time --------------------------------------------------------------------------------------------- */

/* We were away for long: let a few members hear that we are here, and hear what is said about us. */
static void announce_after_pause(struct hearsay_node *node, struct turn *turn)
{
    uint64_t period = turn_ms(suspicion_least_ms(turn));
    if (node->has_announced && turn->host_now - node->announced_at < period) {
        return;
    }
    node->has_announced = true;
    node->announced_at = turn->host_now;
    for (int i = 0; i < PAUSE_ANNOUNCED_TO; i++) {
        streams_exchange(node, turn);
    }
}

static void leave_out_pause(struct hearsay_node *node, struct turn *turn, uint64_t now)
{
    uint64_t due = timers_next(&node->timers), attended = now - node->skipped_us;
    uint64_t grace = turn_ms(node->options.probe_timeout_ms);
    if (!node->options.attended_time || due == UINT64_MAX || attended <= due + grace) {
        return;
    }
    uint64_t excess = attended - due - grace;
    bool is_same = node->pauses_due == due && excess < grace; /* what piled up during a pause comes in before the timer that was due */
    node->skipped_us += excess;
    node->paused_us += excess;
    node->counters.paused_ms = node->paused_us / 1000;
    if (is_same) {
        return;
    }
    node->pauses_due = due;
    node->counters.pauses++;
    node->last_pause_ms = (uint32_t)((attended - due) / 1000);
    node->paused_until = now + PAUSE_MENTIONED_US;
    struct hearsay_cause cause = {.reason = HEARSAY_BECAUSE_PAUSED, .own_pause_ms = node->last_pause_ms,
                                  .own_health = node->beliefs.health.score};
    recorder_note(&node->recorder, now, HEARSAY_EVENT_COUNT, members_name(&node->beliefs.members, node->beliefs.members.self), &cause);
    turn->now = now - node->skipped_us;
    turn->host_now = now;
    if (excess > turn_ms(suspicion_least_ms(turn))) {
        announce_after_pause(node, turn);
    }
}

uint64_t node_wall_ms(const struct hearsay_node *node)
{
    return node->wall_ms == 0 ? 0 : node->wall_ms + (node->turn.host_now - node->wall_at) / 1000;
}

struct turn *node_begin(struct hearsay_node *node, uint64_t now)
{
    struct turn *turn = &node->turn;
    if (now < turn->host_now) {
        now = turn->host_now; /* a host whose clock steps back gets a standstill */
    }
    leave_out_pause(node, turn, now);
    turn->host_now = now;
    turn->now = now - node->skipped_us;
    turn->pause_ms = now < node->paused_until ? node->last_pause_ms : 0;
    return turn;
}

void node_end(struct hearsay_node *node)
{
    if (node->leave.stage != LEAVE_NOT) {
        leave_advance(node, &node->turn);
    }
    keyring_look(&node->keyring, &node->turn);
}

uint64_t hearsay_next_deadline(const struct hearsay_node *node)
{
    uint64_t next = timers_next(&node->timers);
    return next == UINT64_MAX ? next : next + node->skipped_us;
}

static void on_push_pull(struct hearsay_node *node, struct turn *turn)
{
    timers_set(turn->timers, &node->push_pull, turn->now + push_pull_delay_us(turn));
    streams_exchange(node, turn);
}

static void on_probe_timeout(struct hearsay_node *node, struct turn *turn)
{
    if (probe_on_timeout(&node->probe, &node->beliefs, turn)) {
        streams_ping(node, turn, node->probe.target, node->probe.sequence, node->probe.end.at);
    }
}

static void on_timer(struct hearsay_node *node, struct turn *turn, const struct timer *timer)
{
    struct beliefs *b = &node->beliefs;
    switch ((enum timer_kind)timer->kind) {
    case TIMER_PROBE:
        probe_on_round(&node->probe, b, turn);
        break;
    case TIMER_PROBE_TIMEOUT:
        on_probe_timeout(node, turn);
        break;
    case TIMER_PROBE_END:
        probe_on_end(&node->probe, b, turn);
        break;
    case TIMER_RELAY:
        relay_on_timer(&node->relays, turn, timer->number);
        break;
    case TIMER_SUSPICION:
        claims_on_timer(b, turn, timer->number);
        break;
    case TIMER_GOSSIP:
        gossip_on_tick(b, turn);
        break;
    case TIMER_EAGER:
        gossip_on_eager(b, turn);
        break;
    case TIMER_PUSH_PULL:
        on_push_pull(node, turn);
        break;
    case TIMER_STREAM:
        streams_on_timer(node, turn, timer->number);
        break;
    case TIMER_HEAL:
        rejoin_on_next(&node->rejoin, b, turn);
        break;
    case TIMER_HEAL_PING:
        rejoin_on_ping_timeout(&node->rejoin, b);
        break;
    case TIMER_REAP:
        presence_on_reap(&node->serf.presence, b, turn);
        coordinates_sweep(&node->coordinates, &b->members);
        break;
    case TIMER_LEAVE:
        leave_on_timer(node, turn);
        break;
    case TIMER_QUERY:
        asks_on_timer(&node->serf.queries.asks, turn, timer->number);
        break;
    case TIMER_STORE:
        sync_on_timer(node->sync, turn);
        break;
    case TIMER_EXCHANGE:
        exchange_on_round(node->exchange, turn);
        break;
    case TIMER_EXCHANGE_EAGER:
        exchange_on_eager(node->exchange, turn);
        break;
    case TIMER_RECONCILE:
        reconcile_on_timer(node->exchange, turn, timer->number);
        break;
    case TIMER_COPIES:
        copies_on_timer(node->exchange, turn);
        break;
    case TIMER_ITEMS:
        items_on_timer(node->exchange, turn);
        break;
    }
}

void hearsay_tick(struct hearsay_node *node, uint64_t now)
{
    struct turn *turn = node_begin(node, now);
    const struct timer *timer;
    while ((timer = timers_due(&node->timers, turn->now)) != NULL) {
        on_timer(node, turn, timer);
    }
    node_end(node);
}

bool hearsay_next_output(struct hearsay_node *node, struct hearsay_output *output)
{
    if (outbox_next(&node->outbox, output)) {
        if (output->type == HEARSAY_NOTIFY && output->event.type == HEARSAY_ENTRY_CHANGED) {
            output->event.change = node->sync->store.changes.newest;
            node->sync->has_told = false;
        }
        return true;
    }
    output->type = HEARSAY_PERSIST; /* last of all, so that it collects what the inputs brought */
    return node->sync != NULL && sync_next_batch(node->sync, &node->turn, &output->persist);
}

/* ---- life ---------------------------------------------------------------------------------------------------------------- */

struct hearsay_pool *hearsay_pool_create(const struct hearsay_allocator *allocator)
{
    return pool_create(allocator == NULL || allocator->resize == NULL ? &memory_system : allocator);
}

void hearsay_pool_destroy(struct hearsay_pool *pool)
{
    pool_destroy(pool);
}

static void init_envelope(struct hearsay_node *node, const struct hearsay_options *o)
{
    struct envelope *e = &node->envelope;
    e->memory = &node->memory;
    e->cipher = o->cipher;
    e->label_size = (uint8_t)bytes_of_string(o->label).size;
    bytes_copy(e->label, o->label, e->label_size);
    memcpy(e->keys, o->keys, sizeof e->keys);
    e->key_count = o->key_count;
    e->compression = o->compression;
    e->verify_incoming = o->verify_incoming;
    e->verify_outgoing = o->verify_outgoing;
    e->skip_label_check = o->skip_label_check;
    e->encryption_version = (uint8_t)o->encryption_version;
    keyring_init(&node->keyring, e);
}

static void init_turn(struct hearsay_node *node, uint64_t now)
{
    node->turn = (struct turn){.now = now, .host_now = now, .options = &node->options, .memory = &node->memory,
                               .counters = &node->counters, .envelope = &node->envelope, .rng = &node->rng, .timers = &node->timers,
                               .outbox = &node->outbox, .recorder = &node->recorder, .rumors = &node->rumors, .scratch = node->scratch};
}

static void forget_pointers(struct hearsay_options *o)
{
    o->name = NULL;
    o->label = NULL;
    o->tags = NULL;
    o->meta = bytes_of(NULL, 0);
    memory_wipe(o->keys, sizeof o->keys); /* the envelope has them */
}

/* Our own place among the members: alive from the start, told to whoever will be met. */
static bool enter_self(struct hearsay_node *node, const struct hearsay_options *o)
{
    struct members *m = &node->beliefs.members;
    uint8_t versions[6] = {1, 5, 2, o->delegate_versions[0], o->delegate_versions[1], o->delegate_versions[2]};
    uint8_t tags[HEARSAY_META_MAX];
    struct hearsay_bytes meta = o->meta;
    if (o->personality == HEARSAY_SERF) {
        struct writer w = writer_of(tags, sizeof tags);
        serf_tags_encode(&w, o->tags, o->tag_count);
        meta = writer_bytes(&w); /* hearsay_options_check saw that it fits */
    }
    uint32_t slot = members_add(m, &node->turn, bytes_of_string(o->name), &o->advertise, meta, versions);
    if (slot == MEMBERS_NONE) {
        return false;
    }
    m->self = slot;
    members_at(m, slot)->state = MESSAGE_STATE_ALIVE;
    (void)abilities_learn(m, slot, abilities_own(o));
    if (!members_enlist(m, &node->turn, slot)) {
        return false;
    }
    struct hearsay_cause cause = {.reason = HEARSAY_BECAUSE_SELF, .incarnation = 1};
    claims_announce_self(&node->beliefs, &node->turn);
    members_report(m, &node->turn, slot, MEMBERS_JOINED, &cause);
    return true;
}

static void init_parts(struct hearsay_node *node, const struct hearsay_options *o)
{
    struct turn *turn = &node->turn;
    buffer_init(&node->scratch[0], &node->memory);
    buffer_init(&node->scratch[1], &node->memory);
    buffer_init(&node->opened[0], &node->memory);
    buffer_init(&node->opened[1], &node->memory);
    outbox_init(&node->outbox, &node->memory, &node->counters.drop_no_memory);
    recorder_init(&node->recorder, &node->memory, o->recorder_records);
    rumors_init(&node->rumors, turn);
    members_init(&node->beliefs.members, turn, node->pool);
    node->beliefs.members.on_change = on_change;
    node->beliefs.members.context = node;
    probe_init(&node->probe, turn);
    coordinates_init(&node->coordinates, turn);
    rejoin_init(&node->rejoin);
    presence_init(&node->serf.presence, turn);
    events_init(&node->serf.events, turn);
    queries_init(&node->serf.queries, turn);
    node->push_pull.kind = TIMER_PUSH_PULL;
    if (o->push_pull_interval_ms > 0) {
        timers_set(turn->timers, &node->push_pull, turn->now + rng_below(turn->rng, turn_ms(o->push_pull_interval_ms)));
    }
}

struct hearsay_node *hearsay_create(const struct hearsay_options *options, uint64_t now, hearsay_err *err)
{
    const char *what;
    hearsay_err ignored, *result = err == NULL ? &ignored : err;
    *result = hearsay_options_check(options, &what);
    if (*result != HEARSAY_OK) {
        return NULL;
    }
    const struct hearsay_allocator *memory = options->allocator.resize == NULL ? &memory_system : &options->allocator;
    *result = HEARSAY_ERR_NO_MEMORY;
    struct hearsay_node *node = memory_zeros(memory, sizeof *node);
    if (node == NULL) {
        return NULL;
    }
    node->memory = *memory;
    node->options = *options;
    forget_pointers(&node->options);
    rng_init(&node->rng, options->seed);
    node->owns_pool = options->pool == NULL;
    node->pool = node->owns_pool ? pool_create(&node->memory) : options->pool;
    if (node->pool == NULL) {
        memory_free(memory, node);
        return NULL;
    }
    init_envelope(node, options);
    init_turn(node, now);
    init_parts(node, options);
    node->sync = options->store ? sync_create(&node->turn, options) : NULL;
    if ((options->store && (node->sync == NULL || !exchanges_init(node, &node->turn))) || !enter_self(node, options)) {
        hearsay_destroy(node);
        return NULL;
    }
    *result = HEARSAY_OK;
    return node;
}

void hearsay_destroy(struct hearsay_node *node)
{
    if (node == NULL) {
        return;
    }
    struct hearsay_allocator memory = node->memory;
    exchanges_deinit(node);
    sync_destroy(node->sync, &memory);
    streams_deinit(&node->streams, node->pool, &memory);
    presence_deinit(&node->serf.presence, &memory);
    events_deinit(&node->serf.events, &memory);
    queries_deinit(&node->serf.queries, &memory);
    rejoin_deinit(&node->rejoin, &node->beliefs);
    relays_deinit(&node->relays, &memory);
    probe_deinit(&node->probe, &node->beliefs);
    coordinates_deinit(&node->coordinates, &memory);
    suspicions_deinit(&node->beliefs.suspicions, &memory);
    members_deinit(&node->beliefs.members, &node->turn);
    rumors_deinit(&node->rumors, &memory);
    recorder_deinit(&node->recorder);
    outbox_deinit(&node->outbox);
    buffer_deinit(&node->scratch[0]);
    buffer_deinit(&node->scratch[1]);
    buffer_deinit(&node->opened[0]);
    buffer_deinit(&node->opened[1]);
    if (node->owns_pool) {
        pool_destroy(node->pool);
    }
    memory_free(&memory, node->seen_messages);
    memory_wipe(&node->envelope, sizeof node->envelope);
    memory_free(&memory, node);
}
