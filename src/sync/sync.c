/* SPDX-License-Identifier: MIT
 *
 * See sync.h.
 */
#include "sync/sync.h"

#include "base/logarithm.h"
#include "spread/outbox.h"
#include "sync/purge.h"

#define SEAL_DELAY_MS 2000
#define SWEEP_EVERY_US 2000

struct sync *sync_create(struct turn *turn, const struct hearsay_options *options)
{
    struct sync *s = memory_zeros(turn->memory, sizeof *s);
    if (s == NULL) {
        return NULL;
    }
    if (!store_init(&s->store, turn->memory, options->store_secret, options->store_changes)) {
        sync_destroy(s, turn->memory);
        return NULL;
    }
    hlc_init(&s->hlc, options->store_drift_max_ms, options->store_hlc_mark);
    batches_init(&s->batches, turn->memory, rng_next(turn->rng));
    s->origin = siphash_of(&s->store.keys.value, bytes_of_string(options->name));
    s->is_new = options->store_hlc_mark == 0;
    tombstones_init(&s->tombstones, turn->memory, options->store_purge_hlc, turn->host_now);
    s->timer.kind = TIMER_STORE;
    s->passed_epoch = merkle_epoch_of(options->store_hlc_mark);
    merkle_start_at(&s->store.merkle, s->passed_epoch);
    return s;
}

void sync_destroy(struct sync *s, const struct hearsay_allocator *memory)
{
    if (s != NULL) {
        if (s->batches.memory != NULL) {
            batches_deinit(&s->batches);
        }
        if (s->tombstones.memory != NULL) {
            tombstones_deinit(&s->tombstones);
        }
        meetings_deinit(&s->meetings, memory);
        store_deinit(&s->store);
        memory_free(memory, s);
    }
}

/* ---- epochs and expiry ------------------------------------------------------------------------------------------------------ */

/* A write reaches everybody within about log_{f+1}(n) + ln(n)/f rounds of fan-out f (Pittel 1987), and a few more with some loss. */
uint64_t sync_seal_delay_us(const struct turn *turn)
{
    double n = turn->population < 2 ? 2 : turn->population, f = turn->options->store_fanout;
    double rounds = logarithm(n) / logarithm(f + 1) + logarithm(n) / f + 3;
    uint64_t ms = (uint64_t)rounds * turn->options->store_interval_ms;
    return turn_ms(ms < SEAL_DELAY_MS ? SEAL_DELAY_MS : ms);
}

static uint64_t seal_delay(struct sync *s, const struct turn *turn)
{
    if (s->seal_delay_us == 0 || s->delay_for != turn->population) {
        s->delay_for = turn->population;
        s->seal_delay_us = sync_seal_delay_us(turn);
    }
    return s->seal_delay_us;
}

static void note_passed(struct sync *s, struct turn *turn)
{
    uint32_t epoch = merkle_epoch_of(hlc_now(&s->hlc, turn->host_now));
    if (epoch == 0 || epoch - 1 <= s->passed_epoch) {
        return;
    }
    s->passed_epoch = epoch - 1;
    if (s->passed_count == SYNC_PASSED_MAX) {
        s->passed_count--; /* the newest two are sealed together, later */
    }
    s->passed[s->passed_count].epoch = epoch - 1;
    s->passed[s->passed_count++].at = turn->now;
}

static void seal(struct sync *s, struct turn *turn)
{
    uint64_t delay = seal_delay(s, turn);
    unsigned due = 0;
    while (due < s->passed_count && s->passed[due].at + delay <= turn->now && s->hold_until <= turn->now) {
        merkle_seal(&s->store.merkle, s->passed[due++].epoch);
    }
    s->passed_count -= due;
    memmove(s->passed, s->passed + due, s->passed_count * sizeof s->passed[0]);
}

static void tell_change(struct sync *s, struct turn *turn)
{
    uint64_t lost = turn->counters->drop_no_memory;
    if (!s->has_told) {
        outbox_notify(turn->outbox, &(struct hearsay_event){.type = HEARSAY_ENTRY_CHANGED, .change = s->store.changes.newest});
        s->has_told = turn->counters->drop_no_memory == lost;
    }
}

static void expire(struct sync *s, struct turn *turn)
{
    uint64_t now = hlc_now(&s->hlc, turn->host_now);
    while (store_expire(&s->store, now)) {
        turn->counters->entries_expired++;
        tell_change(s, turn);
    }
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static void set_timer(struct sync *s, struct turn *turn)
{
    uint64_t next_epoch = hlc_of_ms(((uint64_t)s->passed_epoch + 2) * MERKLE_EPOCH_MS);
    uint64_t wait = hlc_us_until(&s->hlc, turn->host_now, next_epoch), at = wait == UINT64_MAX ? wait : turn->now + wait;
    const struct entry *first = expiry_first(&s->store.expiry);
    if (first != NULL) {
        wait = hlc_us_until(&s->hlc, turn->host_now, entry_expires(first));
        at = wait == UINT64_MAX ? at : earlier(at, turn->now + (wait == 0 ? turn_ms(MERKLE_EPOCH_MS) : wait)); /* 0: memory was out */
    }
    if (s->passed_count > 0) {
        uint64_t due = s->passed[0].at + seal_delay(s, turn);
        at = earlier(at, due < s->hold_until ? s->hold_until : due);
    }
    if (s->store.purged > 0) {
        at = earlier(at, turn->now + SWEEP_EVERY_US);
    }
    if (at == UINT64_MAX) {
        timers_cancel(turn->timers, &s->timer);
    } else if (!s->timer.is_armed || s->timer.at != at) {
        timers_set(turn->timers, &s->timer, at);
    }
}

/* Whatever time, or a moment heard, makes due. */
static void advance(struct sync *s, struct turn *turn)
{
    note_passed(s, turn);
    expire(s, turn);
    seal(s, turn);
    if (s->store.merkle.late_epoch != 0) {
        tombstones_on_late(&s->tombstones, s->store.merkle.late_epoch);
        s->store.merkle.late_epoch = 0;
    }
    set_timer(s, turn);
}

void sync_on_timer(struct sync *s, struct turn *turn)
{
    (void)store_sweep(&s->store, PURGE_AT_ONCE);
    purge_advance(s, turn);
    advance(s, turn);
}

void sync_hold(struct sync *s, struct turn *turn, uint32_t ms)
{
    s->hold_until = turn->now + turn_ms(ms > SYNC_HOLD_MAX_MS ? SYNC_HOLD_MAX_MS : ms);
    set_timer(s, turn);
}

/* ---- clocks ------------------------------------------------------------------------------------------------------------------- */

/* What we sealed by a clock that was far ahead is not sealed: or nobody could compare with us until the time comes. */
static void step_back(struct sync *s, struct turn *turn)
{
    uint32_t epoch = merkle_epoch_of(hlc_now(&s->hlc, turn->host_now));
    if (hlc_is_astray(&s->hlc) && epoch > 0 && s->passed_epoch >= epoch) {
        s->passed_epoch = epoch - 1;
        s->passed_count = 0;
        merkle_step_back(&s->store.merkle, epoch - 1);
    }
}

void sync_set_wall_clock(struct sync *s, struct turn *turn, uint64_t unix_ms)
{
    bool is_first = hlc_wall_ms(&s->hlc, turn->host_now) == 0;
    hlc_set_wall_clock(&s->hlc, turn->host_now, unix_ms);
    uint64_t now = hlc_now(&s->hlc, turn->host_now);
    if (is_first) {
        changes_start_at(&s->store.changes, now);
    }
    if (s->passed_epoch == 0 && merkle_epoch_of(now) > 0) { /* nothing is older than we are */
        s->passed_epoch = merkle_epoch_of(now) - 1;
        merkle_start_at(&s->store.merkle, s->passed_epoch);
    }
    step_back(s, turn);
    advance(s, turn);
}

bool sync_hear_clock(struct sync *s, struct turn *turn, uint64_t peer, uint64_t hlc, uint64_t wall_ms)
{
    hlc_hear_wall_clock(&s->hlc, turn->host_now, peer, wall_ms);
    step_back(s, turn);
    if (!hlc_witness(&s->hlc, turn->host_now, hlc)) {
        turn->counters->drop_entry_clock++;
        return false;
    }
    advance(s, turn);
    return true;
}

/* ---- writes ---------------------------------------------------------------------------------------------------------------------- */

void sync_report(struct turn *turn, uint32_t ticket, const struct hearsay_entry_version *version, uint32_t copies, bool is_ok,
                 const char *text)
{
    outbox_notify(turn->outbox, &(struct hearsay_event){.type = HEARSAY_PUT_DONE,
                                                        .ticket = ticket,
                                                        .copies = copies,
                                                        .hlc = version->hlc,
                                                        .origin = version->origin,
                                                        .is_ok = is_ok,
                                                        .text = text});
}

/* The entry counts from now on. */
static void commit(struct sync *s, struct turn *turn, struct pending *write)
{
    uint64_t id = entry_id(write->place, write->entry->digest);
    write->version = (struct hearsay_entry_version){write->entry->hlc, write->entry->origin};
    enum store_verdict verdict = store_commit(&s->store, write->place, write->entry);
    write->entry = verdict == STORE_NEWER ? store_find_id(&s->store, id) : NULL; /* it may have been copied over the old one */
    if (verdict == STORE_NO_MEMORY) {
        turn->counters->drop_no_memory++;
        if (write->ticket != 0) {
            sync_report(turn, write->ticket, &write->version, 0, false, "out of memory");
        }
        return;
    }
    if (verdict == STORE_NEWER) {
        uint32_t epoch = merkle_epoch_of(write->version.hlc);
        tombstones_note(&s->tombstones, epoch);
        if (epoch <= s->store.merkle.horizon && entry_is_live(write->entry)) {
            tombstones_on_late_value(&s->tombstones, epoch);
        }
        tell_change(s, turn);
    }
    bool is_theirs = s->listener.on_durable != NULL && s->listener.on_durable(s->listener.context, turn, write, verdict);
    if (write->ticket != 0 && !is_theirs) {
        sync_report(turn, write->ticket, &write->version, 1, true, NULL);
    }
}

/* Owns the entry from here on. */
static bool accept(struct sync *s, struct turn *turn, struct pending *write)
{
    if (turn->options->store_durable) {
        if (!batches_add(&s->batches, write)) {
            memory_free(turn->memory, write->entry);
            return false;
        }
        return true;
    }
    commit(s, turn, write);
    advance(s, turn);
    return true;
}

bool sync_bury(struct sync *s, struct turn *turn, uint64_t place, const struct entry *entry)
{
    struct hearsay_entry view = entry_view(entry);
    view.is_tombstone = true;
    view.value.size = 0;
    view.expires_hlc = 0;
    struct pending write = {.place = place, .entry = entry_create(turn->memory, &s->store.keys, place, &view)};
    if (write.entry == NULL || batches_find(&s->batches, view.key) != NULL) {
        memory_free(turn->memory, write.entry);
        return false;
    }
    if (!turn->options->store_durable) {
        commit(s, turn, &write); /* and nothing else: the caller is looking at entries */
        return true;
    }
    return accept(s, turn, &write);
}

/* Is there room for it, or does it replace something? */
static bool has_room(const struct sync *s, const struct turn *turn, const struct hearsay_entry *entry, const struct entry *present)
{
    const struct store *st = &s->store;
    uint64_t most = (uint64_t)turn->options->store_bytes_max_mib << 20;
    uint64_t before = present == NULL ? 0 : present->key_size + (uint64_t)present->value_size;
    if (entry->is_tombstone && present != NULL) {
        return true;
    }
    return (present != NULL || st->live + st->tombstones + s->batches.count < turn->options->store_entries_max) &&
           st->bytes + s->batches.bytes - before + entry->key.size + entry->value.size <= most;
}

static hearsay_err check_size(const struct turn *turn, const struct hearsay_entry *entry)
{
    if (entry->key.size == 0 || entry->key.size > HEARSAY_KEY_MAX) {
        return HEARSAY_ERR_ENTRY_KEY;
    }
    return entry->value.size > turn->options->store_value_max ? HEARSAY_ERR_TOO_LARGE : HEARSAY_OK;
}

uint32_t sync_next_ticket(struct sync *s)
{
    s->next_ticket += s->next_ticket == UINT32_MAX ? 2 : 1;
    return s->next_ticket;
}

hearsay_err sync_put(struct sync *s, struct turn *turn, struct hearsay_entry *entry, uint64_t ttl_ms, uint32_t copies, uint32_t *ticket)
{
    hearsay_err err = check_size(turn, entry);
    if (err != HEARSAY_OK) {
        return err;
    }
    if (hlc_wall_ms(&s->hlc, turn->host_now) == 0) {
        return HEARSAY_ERR_NO_CLOCK;
    }
    if (hlc_is_astray(&s->hlc)) {
        return HEARSAY_ERR_CLOCK_ASTRAY;
    }
    uint64_t place = entry_place(&s->store.keys, entry->key);
    if (batches_is_full(&s->batches)) {
        return HEARSAY_ERR_BUSY;
    }
    if (!has_room(s, turn, entry, store_find(&s->store, place, entry->key))) {
        return HEARSAY_ERR_STORE_FULL;
    }
    entry->version = (struct hearsay_entry_version){hlc_next(&s->hlc, turn->host_now), s->origin};
    uint64_t forever = hlc_ms(UINT64_MAX) - hlc_ms(entry->version.hlc);
    entry->expires_hlc = ttl_ms == 0 || ttl_ms >= forever ? 0 : entry->version.hlc + hlc_of_ms(ttl_ms);
    struct pending write = {.place = place, .copies = copies == 0 ? 1 : copies};
    write.entry = entry_create(turn->memory, &s->store.keys, place, entry);
    write.ticket = sync_next_ticket(s);
    if (write.entry == NULL || !accept(s, turn, &write)) {
        return HEARSAY_ERR_NO_MEMORY;
    }
    if (ticket != NULL) {
        *ticket = write.ticket;
    }
    return HEARSAY_OK;
}

/* The newest version of the key here, durable or not; NULL when it is unknown. */
static const struct entry *newest(const struct sync *s, uint64_t place, struct hearsay_bytes key)
{
    const struct entry *waiting = batches_find(&s->batches, key), *present = store_find(&s->store, place, key);
    return waiting == NULL || (present != NULL && entry_compare(present, waiting) > 0) ? present : waiting;
}

bool sync_wants(const struct sync *s, struct hearsay_bytes key, const struct hearsay_entry_version *version)
{
    const struct entry *known = newest(s, entry_place(&s->store.keys, key), key);
    return known == NULL || entry_compare_versions(known->hlc, known->origin, version->hlc, version->origin) < 0;
}

static bool is_sound(const struct hearsay_entry *entry)
{
    uint64_t last = entry->is_tombstone && entry->expires_hlc != 0 ? entry->expires_hlc : entry->version.hlc;
    return entry->version.hlc != 0 && hlc_ms(last) / MERKLE_EPOCH_MS < UINT32_MAX &&
           (entry->expires_hlc == 0 || entry->expires_hlc > entry->version.hlc) && (!entry->is_tombstone || entry->value.size == 0);
}

/* Counts what is refused. */
static bool may_receive(struct sync *s, struct turn *turn, const struct hearsay_entry *entry)
{
    struct hearsay_counters *c = turn->counters;
    if (!is_sound(entry) || entry->key.size == 0 || entry->key.size > HEARSAY_KEY_MAX) {
        c->drop_entry_bad++;
        return false;
    }
    if (entry->value.size > turn->options->store_value_max) {
        c->drop_entry_large++;
        return false;
    }
    if (!hlc_is_plausible(&s->hlc, turn->host_now, entry->version.hlc) ||
        (entry->is_tombstone && !hlc_is_plausible(&s->hlc, turn->host_now, entry->expires_hlc))) {
        c->drop_entry_clock++;
        return false;
    }
    return true;
}

enum sync_verdict sync_receive(struct sync *s, struct turn *turn, const struct hearsay_entry *entry, uint64_t source)
{
    if (!may_receive(s, turn, entry)) {
        return SYNC_REFUSED;
    }
    (void)hlc_witness(&s->hlc, turn->host_now, entry->version.hlc);
    uint64_t place = entry_place(&s->store.keys, entry->key);
    const struct entry *known = newest(s, place, entry->key);
    if (known != NULL && known == store_find(&s->store, place, entry->key) && merkle_is_settled(known) &&
        entry_compare_versions(known->hlc, known->origin, entry->version.hlc, entry->version.origin) > 0) {
        return SYNC_OUTDATED; /* the common way out, without a copy */
    }
    struct pending write = {.place = place, .source = source, .entry = entry_create(turn->memory, &s->store.keys, place, entry)};
    if (write.entry == NULL) {
        turn->counters->drop_no_memory++;
        return SYNC_REFUSED;
    }
    int order = known == NULL ? 1 : entry_compare(write.entry, known);
    if (order <= 0) {
        turn->counters->entries_conflicting += entry_is_conflict(write.entry, known);
        store_drop_loser(&s->store, place, write.entry);
        return order == 0 ? SYNC_KNOWN : SYNC_OUTDATED;
    }
    if (batches_is_full(&s->batches) || !has_room(s, turn, entry, known)) {
        turn->counters->drop_store_full++;
        memory_free(turn->memory, write.entry);
        return SYNC_REFUSED;
    }
    turn->counters->entries_conflicting += known != NULL && entry_is_conflict(write.entry, known);
    if (!accept(s, turn, &write)) {
        turn->counters->drop_no_memory++;
        return SYNC_REFUSED;
    }
    turn->counters->entries_received++;
    return SYNC_TAKEN;
}

hearsay_err sync_load(struct sync *s, struct turn *turn, const struct hearsay_entry *entry)
{
    hearsay_err err = check_size(turn, entry);
    if (err != HEARSAY_OK) {
        return err;
    }
    if (!is_sound(entry)) {
        return HEARSAY_ERR_ENTRY_KEY;
    }
    uint64_t place = entry_place(&s->store.keys, entry->key);
    struct entry *packed = entry_create(turn->memory, &s->store.keys, place, entry);
    if (packed == NULL) {
        return HEARSAY_ERR_NO_MEMORY;
    }
    uint64_t moment = entry_moment(packed);
    s->is_new = false;
    if (!entry_is_live(packed) && moment <= s->tombstones.purge_hlc) { /* purged; the disk may not have come to it */
        memory_free(turn->memory, packed);
        return HEARSAY_OK;
    }
    if (merkle_epoch_of(moment) > s->passed_epoch) { /* what was on the disk is settled */
        s->passed_epoch = merkle_epoch_of(moment);
        merkle_start_at(&s->store.merkle, s->passed_epoch);
    }
    s->hlc.last = moment > s->hlc.last ? moment : s->hlc.last;
    tombstones_note(&s->tombstones, merkle_epoch_of(packed->hlc));
    return store_commit(&s->store, place, packed) == STORE_NO_MEMORY ? HEARSAY_ERR_NO_MEMORY : HEARSAY_OK;
}

/* ---- the disk -------------------------------------------------------------------------------------------------------------------- */

bool sync_next_batch(struct sync *s, struct turn *turn, struct hearsay_persist *persist)
{
    bool is_due = turn->options->store_durable && meetings_are_due(&s->meetings, &s->tombstones, turn->host_now);
    if (!batches_start(&s->batches, is_due)) {
        return false;
    }
    *persist = (struct hearsay_persist){.batch = s->batches.batch,
                                        .entries = s->batches.views,
                                        .count = s->batches.out,
                                        .hlc_mark = hlc_now(&s->hlc, turn->host_now)};
    meetings_start(&s->meetings, &s->tombstones, &s->hlc, turn, persist);
    return true;
}

bool sync_on_persisted(struct sync *s, struct turn *turn, uint64_t batch, bool is_ok)
{
    struct pending write;
    if (!s->batches.is_out || batch != s->batches.batch) {
        return false;
    }
    meetings_end(&s->meetings, &s->tombstones, turn->host_now, is_ok);
    while (batches_take(&s->batches, &write)) {
        if (is_ok) {
            commit(s, turn, &write);
            continue;
        }
        memory_free(turn->memory, write.entry);
        if (write.ticket != 0) {
            sync_report(turn, write.ticket, &write.version, 0, false, "the storage could not write it");
        } else {
            turn->counters->drop_not_durable++;
        }
    }
    advance(s, turn);
    return true;
}
