/* SPDX-License-Identifier: MIT
 *
 * See tombstones.h.
 */
#include "sync/tombstones.h"

#include "sync/merkle.h"

#define AWAY_US 120000000u /* not seen for so long: away */

void tombstones_init(struct tombstones *t, const struct hearsay_allocator *memory, uint64_t purge_hlc, uint64_t host_now)
{
    *t = (struct tombstones){.memory = memory, .purge_hlc = purge_hlc, .started_at = host_now, .window_at = host_now};
}

void tombstones_deinit(struct tombstones *t)
{
    memory_free(t->memory, t->rows);
    *t = (struct tombstones){.memory = t->memory};
}

static struct tombstones_row *find(const struct tombstones *t, uint64_t member)
{
    for (uint32_t i = 0; i < t->count; i++) {
        if (t->rows[i].member == member) {
            return &t->rows[i];
        }
    }
    return NULL;
}

/* The one that was away for longest makes room. */
static struct tombstones_row *oldest(struct tombstones *t)
{
    struct tombstones_row *row = &t->rows[0];
    for (uint32_t i = 1; i < t->count; i++) {
        row = (int64_t)(t->rows[i].alive_at - row->alive_at) < 0 ? &t->rows[i] : row;
    }
    return row;
}

static struct tombstones_row *add(struct tombstones *t)
{
    if (t->count == TOMBSTONES_ROWS_MAX) {
        return oldest(t);
    }
    if (t->count == t->capacity) {
        uint32_t capacity = t->capacity == 0 ? 8 : t->capacity * 2;
        struct tombstones_row *rows = memory_resize(t->memory, t->rows, capacity * sizeof *rows);
        if (rows == NULL) {
            return NULL;
        }
        t->rows = rows;
        t->capacity = capacity;
    }
    return &t->rows[t->count++];
}

void tombstones_see(struct tombstones *t, uint64_t member, uint64_t host_now)
{
    struct tombstones_row *row = find(t, member);
    if (row == NULL && (row = add(t)) != NULL) {
        *row = (struct tombstones_row){.member = member};
    }
    if (row != NULL) {
        row->alive_at = host_now;
    }
}

static void note_met(struct tombstones *t, struct tombstones_row *row, uint32_t epoch)
{
    row->met = epoch;
    t->met_most = epoch > t->met_most ? epoch : t->met_most;
}

bool tombstones_recall(struct tombstones *t, uint64_t member, uint32_t met, uint64_t alive_at)
{
    struct tombstones_row *row = find(t, member);
    if (row == NULL && (row = add(t)) != NULL) {
        *row = (struct tombstones_row){.member = member, .kept = met, .alive_at = alive_at};
        note_met(t, row, met);
    }
    return row != NULL;
}

const struct tombstones_row *tombstones_row(const struct tombstones *t, uint64_t member)
{
    return find(t, member);
}

void tombstones_on_equal(struct tombstones *t, uint64_t member, uint32_t epoch)
{
    struct tombstones_row *row = find(t, member);
    if (row != NULL) {
        row->epoch = epoch > row->epoch ? epoch : row->epoch;
        t->has_news = t->has_news || (epoch > row->met && row->kept < t->newest);
        note_met(t, row, epoch > row->met ? epoch : row->met);
    }
}

void tombstones_remind(struct tombstones *t, uint64_t member, uint32_t epoch)
{
    struct tombstones_row *row = find(t, member);
    if (row != NULL && row->met == 0) {
        note_met(t, row, epoch);
    }
}

void tombstones_on_row(struct tombstones *t, uint32_t equal, uint64_t member, uint32_t epoch)
{
    tombstones_on_equal(t, member, epoch < equal ? epoch : equal);
}

void tombstones_on_late(struct tombstones *t, uint32_t epoch)
{
    for (uint32_t i = 0; i < t->count; i++) {
        if (t->rows[i].epoch >= epoch) {
            t->rows[i].epoch = epoch - 1;
        }
    }
    t->window_low = t->window_low >= epoch ? epoch - 1 : t->window_low;
}

void tombstones_on_late_value(struct tombstones *t, uint32_t epoch)
{
    if (epoch > t->met_most) {
        return; /* as when a newcomer is filled */
    }
    t->met_most = epoch - 1;
    for (uint32_t i = 0; i < t->count; i++) {
        if (t->rows[i].met >= epoch) {
            t->rows[i].met = epoch - 1;
            t->has_news = true;
        }
    }
}

uint32_t tombstones_stable(const struct tombstones *t, const struct tombstones_terms *terms)
{
    uint32_t stable = terms->horizon;
    bool is_alone = true;
    for (uint32_t i = 0; i < t->count; i++) {
        const struct tombstones_row *row = &t->rows[i];
        uint64_t away = terms->now - row->alive_at;
        if (away < terms->forget_us && !(terms->is_crowded && away > AWAY_US)) {
            stable = row->epoch < stable ? row->epoch : stable;
            is_alone = false;
        }
    }
    bool may_come = is_alone && terms->now - t->started_at < terms->forget_us && !terms->is_crowded;
    return may_come ? 0 : stable;
}

bool tombstones_advance(struct tombstones *t, const struct tombstones_terms *terms)
{
    uint32_t stable = tombstones_stable(t, terms);
    if (t->window_at > terms->now || terms->now - t->window_at < terms->grace_us) {
        t->window_low = stable < t->window_low ? stable : t->window_low;
        return false;
    }
    uint64_t held_ms = (uint64_t)(stable < t->window_low ? stable : t->window_low) * MERKLE_EPOCH_MS, grace_ms = terms->grace_us / 1000;
    t->window_at = terms->now;
    t->window_low = stable;
    uint64_t line_ms = held_ms < grace_ms ? 0 : (held_ms - grace_ms) / TOMBSTONES_MINUTE_MS * TOMBSTONES_MINUTE_MS;
    return tombstones_adopt(t, hlc_of_ms(line_ms));
}

bool tombstones_adopt(struct tombstones *t, uint64_t line)
{
    if (line <= t->purge_hlc) {
        return false;
    }
    t->purge_hlc = line;
    return true;
}
