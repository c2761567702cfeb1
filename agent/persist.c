/* SPDX-License-Identifier: MIT
 *
 * See persist.h.
 */
#include "agent/persist.h"

#include "agent/log.h"

#include <errno.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>

static void collect(void *context, struct place *place)
{
    if (place->is_alive) {
        struct text peer = {0};
        char address[56];
        text_place(&place->address, address);
        text_printf(&peer, "%s/%s", place->name, address);
        lists_add_word(context, peer.data);
        text_deinit(&peer);
    }
}

static void shuffle(struct words *words)
{
    for (size_t i = words->count; i > 1; i--) {
        uint64_t chance = 0;
        (void)!getrandom(&chance, sizeof chance, 0);
        size_t j = chance % i;
        char *word = words->at[j];
        words->at[j] = words->at[i - 1];
        words->at[i - 1] = word;
    }
}

static bool open_book(struct persist *p, const char *folder, char *error, size_t size)
{
    size_t skipped;
    struct text path = {0};
    text_printf(&path, "%s/addresses", folder);
    p->book_path = path.data;
    if (!book_read(p->book_path, (uint64_t)time(NULL), &p->places, &skipped, error, size)) {
        return false;
    }
    if (skipped > 0) {
        log_put(LOG_WARN, "agent: address book %s: skipped %zu damaged lines", p->book_path, skipped);
    }
    return true;
}

bool persist_open(struct persist *p, const struct config *config, char *error, size_t size)
{
    *p = (struct persist){.snapshot.fd = -1, .rejoins = config->rejoins != 0};
    p->is_kept = config->snapshot_path != NULL || config->data_dir != NULL;
    if (config->data_dir != NULL && mkdir(config->data_dir, 0750) != 0 && errno != EEXIST) {
        snprintf(error, size, "cannot make the data folder %s: %s", config->data_dir, strerror(errno));
        return false;
    }
    if (!snapshot_open(&p->snapshot, config->snapshot_path, p->rejoins, &p->places, error, size)) {
        return false;
    }
    if (p->snapshot.skipped > 0) {
        log_put(LOG_WARN, "agent: snapshot %s: skipped %zu damaged lines", config->snapshot_path, p->snapshot.skipped);
    }
    places_visit(&p->places, collect, &p->rejoin);
    shuffle(&p->rejoin);
    return config->data_dir == NULL || open_book(p, config->data_dir, error, size);
}

void persist_set_clocks(const struct persist *p, struct hearsay_options *options)
{
    options->clock = p->snapshot.clocks.member;
    options->event_clock = p->snapshot.clocks.event;
    options->query_clock = p->snapshot.clocks.query;
}

struct remembering {
    struct hearsay_uv *uv;
    const char *own;
};

static void remember(void *context, struct place *place)
{
    struct remembering *r = context;
    if (strcmp(place->name, r->own) != 0
        && hearsay_uv_remember(r->uv, place->name, &place->address) != HEARSAY_OK) {
        log_put(LOG_DEBUG, "agent: could not remember %s", place->name);
    }
}

void persist_remember(const struct persist *p, struct hearsay_uv *uv, const char *own)
{
    struct remembering r = {uv, own};
    places_visit(&p->places, remember, &r);
}

bool persist_event(struct persist *p, const struct hearsay_event *event)
{
    const struct hearsay_member *member = &event->member;
    if (!p->is_kept || p->has_left) {
        return false;
    }
    switch (event->type) {
    case HEARSAY_MEMBER_JOIN:
        places_set(&p->places, member->name, &member->address, true, (uint64_t)time(NULL));
        snapshot_alive(&p->snapshot, member->name, &member->address);
        break;
    case HEARSAY_MEMBER_UPDATE:
        places_set(&p->places, member->name, &member->address, true, (uint64_t)time(NULL));
        break;
    case HEARSAY_MEMBER_FAILED:
        places_mark_gone(&p->places, member->name);
        snapshot_gone(&p->snapshot, member->name);
        break;
    case HEARSAY_MEMBER_LEAVE:
    case HEARSAY_MEMBER_REAP:
        snapshot_gone(&p->snapshot, member->name);
        places_remove(&p->places, member->name);
        break;
    case HEARSAY_USER_EVENT:
        return p->snapshot.fd >= 0;
    default:
        return false;
    }
    p->is_book_dirty = true;
    return true;
}

void persist_clocks(struct persist *p, const struct hearsay_node *node)
{
    if (p->snapshot.fd >= 0) {
        struct hearsay_stats stats;
        hearsay_get_stats(node, &stats);
        struct snapshot_clocks clocks = {stats.member_time - (stats.member_time > 0), stats.event_time - (stats.event_time > 0),
                                         stats.query_time - (stats.query_time > 0)};
        snapshot_clocks(&p->snapshot, &clocks);
    }
}

void persist_leave(struct persist *p)
{
    if (p->is_kept && !p->has_left) {
        p->has_left = true;
        if (!p->rejoins) {
            places_deinit(&p->places); /* who leaves wants to be found by nobody */
            p->is_book_dirty = true;
        }
        snapshot_leave(&p->snapshot);
        persist_flush(p);
    }
}

void persist_flush(struct persist *p)
{
    char error[400];
    if (!snapshot_flush(&p->snapshot, error, sizeof error)) {
        log_put(LOG_ERR, "agent: %s", error);
    }
}

void persist_flush_book(struct persist *p, const char *own, bool is_due)
{
    char error[400];
    if (p->book_path == NULL || (!p->is_book_dirty && !is_due)) {
        return;
    }
    p->is_book_dirty = false;
    if (!book_write(p->book_path, (uint64_t)time(NULL), &p->places, own, error, sizeof error)) {
        log_put(LOG_ERR, "agent: %s", error);
    }
}

void persist_close(struct persist *p, const char *own)
{
    persist_flush(p);
    persist_flush_book(p, own, true);
    persist_abandon(p);
}

void persist_abandon(struct persist *p)
{
    snapshot_close(&p->snapshot);
    places_deinit(&p->places);
    lists_free_words(&p->rejoin);
    free(p->book_path);
    p->book_path = NULL;
    p->is_kept = false;
}
