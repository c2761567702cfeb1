/* SPDX-License-Identifier: MIT
 *
 * See meetings.h.
 */
#include "sync/meetings.h"

#define REST_US 5000000u

void meetings_deinit(struct meetings *m, const struct hearsay_allocator *memory)
{
    memory_free(memory, m->list);
    *m = (struct meetings){.list = NULL};
}

bool meetings_are_due(const struct meetings *m, const struct tombstones *t, uint64_t host_now)
{
    return m->failed_until <= host_now && (t->has_purged || (t->has_news && m->rest_until <= host_now));
}

static uint64_t seen_ms(const struct hlc *h, const struct turn *turn, const struct tombstones_row *row)
{
    uint64_t wall = hlc_wall_ms(h, turn->host_now), away = (turn->host_now - row->alive_at) / 1000;
    return wall > away ? wall - away : 0;
}

/* Room for so many, or for some. */
static void reserve(struct meetings *m, struct turn *turn, uint32_t count)
{
    struct hearsay_meeting *list = count <= m->capacity ? NULL : memory_resize(turn->memory, m->list, count * sizeof *list);
    if (list != NULL) {
        m->list = list;
        m->capacity = count;
    }
}

void meetings_start(struct meetings *m, struct tombstones *t, const struct hlc *h, struct turn *turn, struct hearsay_persist *persist)
{
    m->count = 0;
    if (meetings_are_due(m, t, turn->host_now)) {
        reserve(m, turn, t->count);
        for (uint32_t i = 0; i < t->count && m->count < m->capacity; i++) {
            struct tombstones_row *row = &t->rows[i];
            if (row->met != row->kept) {
                m->list[m->count++] = (struct hearsay_meeting){row->member, row->met, seen_ms(h, turn, row)};
                row->kept = row->met;
            }
        }
        t->has_news = false;
    }
    m->has_purged = t->has_purged;
    t->has_purged = false;
    persist->purge_hlc = t->purge_hlc;
    persist->meetings = m->list;
    persist->meeting_count = m->count;
}

void meetings_end(struct meetings *m, struct tombstones *t, uint64_t host_now, bool is_ok)
{
    for (uint32_t i = 0; i < t->count && m->count > 0 && !is_ok; i++) {
        t->rows[i].kept = 0; /* all of them again */
    }
    t->has_news = t->has_news || (m->count > 0 && !is_ok);
    t->has_purged = t->has_purged || (m->has_purged && !is_ok);
    m->rest_until = m->count > 0 ? host_now + REST_US : m->rest_until;
    m->failed_until = is_ok ? 0 : host_now + REST_US;
    m->count = 0;
}

hearsay_err meetings_load(struct tombstones *t, const struct hlc *h, const struct turn *turn, const struct hearsay_meeting *meeting)
{
    uint64_t wall = hlc_wall_ms(h, turn->host_now), away = wall > meeting->seen_ms ? wall - meeting->seen_ms : 0;
    bool is_known = tombstones_recall(t, meeting->member, meeting->epoch, turn->host_now - away * 1000);
    return is_known ? HEARSAY_OK : HEARSAY_ERR_NO_MEMORY;
}
