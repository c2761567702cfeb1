/* SPDX-License-Identifier: MIT
 *
 * Watching the shared store: a watcher takes changes from the node as fast as its connection takes them, so a slow one holds nothing up and
 * costs no memory. One that is further behind than the node remembers is told to forget what it knows, and gets everything again.
 */
#include "agent/fields.h"
#include "agent/kv.h"
#include "agent/kv_write.h"

#define OUTPUT_BYTES ((size_t)64 << 10) /* written at once */

struct watch {
    struct watch *next;
    uint64_t seq;
    uint64_t number; /* of the last change told */
    struct text prefix, after;
    bool is_listing; /* everything is being told; after is the last key */
};

static struct hearsay_bytes bytes_of_text(const struct text *t)
{
    return bytes_of(t->data, t->size);
}

static void begin_listing(struct session *session, struct watch *watch)
{
    watch->is_listing = true;
    text_clear(&watch->after);
    session_reply(session, watch->seq, "");
    kv_write_mark(&session->output, "reset", 0);
}

/* Tells one thing. False when there is nothing to tell. */
static bool tell_one(struct session *session, struct watch *watch, uint64_t unix_ms)
{
    struct hearsay_node *node = session->service->node;
    struct hearsay_entry entry;
    if (watch->is_listing) {
        struct hearsay_bytes after = bytes_of_text(&watch->after);
        session_reply(session, watch->seq, "");
        if (hearsay_next_entry(node, bytes_of_text(&watch->prefix), &after, &entry)) {
            text_clear(&watch->after);
            text_put(&watch->after, entry.key.data, entry.key.size);
            kv_write_change(&session->output, &entry, unix_ms, 0);
        } else {
            watch->is_listing = false;
            kv_write_mark(&session->output, "listed", watch->number);
        }
        return true;
    }
    switch (hearsay_next_change(node, bytes_of_text(&watch->prefix), &watch->number, &entry)) {
    case HEARSAY_CHANGE_FOUND:
        session_reply(session, watch->seq, "");
        kv_write_change(&session->output, &entry, unix_ms, watch->number);
        return true;
    case HEARSAY_CHANGE_TOO_OLD:
        begin_listing(session, watch);
        return true;
    case HEARSAY_CHANGE_NONE:
        break;
    }
    return false;
}

/* As much as the connection takes. */
static void tell(struct service *service, struct session *session)
{
    uint64_t unix_ms = service->unix_ms(service->context);
    bool is_any = true;
    while (is_any && !session->is_paused && !session->is_closing && session->watches != NULL) {
        is_any = false;
        for (struct watch *watch = session->watches; watch != NULL; watch = watch->next) {
            while (session->output.size < OUTPUT_BYTES && tell_one(session, watch, unix_ms)) {
                is_any = true;
            }
        }
        session_wake(session); /* sends it, and may find that nobody is there: then there are no watches any more */
    }
}

void kv_tell_watchers(struct service *service)
{
    for (struct session *s = service->sessions, *next; s != NULL; s = next) {
        next = s->next;
        if (s->watches != NULL) {
            tell(service, s);
        }
    }
}

bool kv_is_watched(const struct service *service)
{
    for (const struct session *s = service->sessions; s != NULL; s = s->next) {
        if (s->watches != NULL) {
            return true;
        }
    }
    return false;
}

static bool has_watch(const struct session *session, uint64_t seq, uint32_t *count)
{
    *count = 0;
    for (const struct watch *watch = session->watches; watch != NULL; watch = watch->next) {
        (*count)++;
        if (watch->seq == seq) {
            return true;
        }
    }
    return false;
}

bool kv_watch(struct session *session, uint64_t seq, struct hearsay_bytes body)
{
    struct hearsay_bytes prefix = {NULL, 0};
    struct hearsay_store_stats stats;
    uint64_t after = UINT64_MAX;
    uint32_t count;
    struct fields f = fields_of(body);
    while (fields_next(&f)) {
        if (msgpack_is(f.key, "Prefix")) {
            prefix = msgpack_get_raw(&f.r);
        } else if (msgpack_is(f.key, "After")) {
            after = msgpack_get_uint(&f.r, UINT64_MAX);
        } else {
            msgpack_skip(&f.r);
        }
    }
    if (f.r.is_bad) {
        return false;
    }
    hearsay_get_store_stats(session->service->node, &stats);
    const char *error = !stats.is_on                      ? "the store of this agent is off: start it with --store"
                        : has_watch(session, seq, &count) ? "Stream with given sequence exists"
                        : count >= KV_WATCHES             ? "Too many streams on this connection"
                        : prefix.size > HEARSAY_KEY_MAX   ? "the prefix is longer than a key can be"
                                                          : "";
    session_reply(session, seq, error);
    if (error[0] != '\0') {
        return true;
    }
    struct watch *watch = must(calloc(1, sizeof *watch));
    watch->seq = seq;
    watch->number = after == UINT64_MAX ? stats.change : after;
    text_put(&watch->prefix, prefix.data, prefix.size);
    watch->next = session->watches;
    session->watches = watch;
    if (after == 0) {
        watch->number = stats.change;
        begin_listing(session, watch);
    }
    session->service->want_watchers(session->service->context);
    return true;
}

static void free_watch(struct watch *watch)
{
    text_deinit(&watch->prefix);
    text_deinit(&watch->after);
    free(watch);
}

void kv_unwatch(struct session *session, uint64_t seq)
{
    struct watch **at = &session->watches;
    while (*at != NULL && (*at)->seq != seq) {
        at = &(*at)->next;
    }
    if (*at != NULL) {
        struct watch *gone = *at;
        *at = gone->next;
        free_watch(gone);
    }
}

void kv_unwatch_all(struct session *session)
{
    while (session->watches != NULL) {
        kv_unwatch(session, session->watches->seq);
    }
}
