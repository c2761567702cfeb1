/* SPDX-License-Identifier: MIT
 *
 * See commits.h. A batch is a string of changes in memory; the worker walks over it.
 */
#include "agent/commits.h"

#include "agent/text.h"

struct change { /* its key and value follow */
    uint64_t hlc, origin, expires_hlc;
    uint32_t key_size, value_size;
    bool is_tombstone;
};

struct load {
    struct text changes, meetings; /* meetings: as they are, one behind the other */
    uint64_t *batches;
    size_t count, capacity;
    uint64_t mark, purge;
};

struct commits {
    uv_loop_t *loop;
    uv_work_t work;
    struct storage *storage;
    commits_done done;
    void *context;
    struct load filling, writing;
    bool is_writing, is_fine;
    char error[400];
};

struct commits *commits_start(uv_loop_t *loop, struct storage *storage, commits_done done, void *context)
{
    struct commits *c = must(calloc(1, sizeof *c));
    c->loop = loop;
    c->storage = storage;
    c->done = done;
    c->context = context;
    c->work.data = c;
    return c;
}

static void add(struct commits *c, const struct change *change, struct hearsay_bytes key, struct hearsay_bytes value)
{
    struct text *t = &c->filling.changes;
    text_put(t, change, sizeof *change);
    text_put(t, key.data, key.size);
    text_put(t, value.data, value.size);
}

void commits_put(struct commits *c, const struct hearsay_entry *entry)
{
    struct change change = {.hlc = entry->version.hlc,
                            .origin = entry->version.origin,
                            .expires_hlc = entry->expires_hlc,
                            .key_size = (uint32_t)entry->key.size,
                            .value_size = (uint32_t)entry->value.size,
                            .is_tombstone = entry->is_tombstone};
    add(c, &change, entry->key, entry->value);
}

void commits_put_meeting(struct commits *c, const struct hearsay_meeting *meeting)
{
    text_put(&c->filling.meetings, meeting, sizeof *meeting);
}

size_t commits_waiting(const struct commits *c)
{
    return c->filling.changes.size + c->writing.changes.size;
}

/* ---- the transaction ---- */

/* Copies the next change out, since it need not be aligned where it lies. */
static const char *take(const char *at, struct change *change, struct hearsay_entry *entry)
{
    memcpy(change, at, sizeof *change);
    const uint8_t *bytes = (const uint8_t *)at + sizeof *change;
    *entry = (struct hearsay_entry){.key = {bytes, change->key_size},
                                    .value = {bytes + change->key_size, change->value_size},
                                    .version.hlc = change->hlc,
                                    .version.origin = change->origin,
                                    .expires_hlc = change->expires_hlc,
                                    .is_tombstone = change->is_tombstone};
    return at + sizeof *change + change->key_size + change->value_size;
}

static void write_load(struct commits *c)
{
    struct change change;
    struct hearsay_entry entry;
    const struct text *t = &c->writing.changes;
    storage_begin(c->storage);
    for (const char *at = t->data; at != NULL && at < t->data + t->size;) {
        at = take(at, &change, &entry);
        storage_put(c->storage, &entry);
    }
    for (size_t i = 0; i < c->writing.meetings.size / sizeof(struct hearsay_meeting); i++) {
        struct hearsay_meeting meeting;
        memcpy(&meeting, c->writing.meetings.data + i * sizeof meeting, sizeof meeting);
        storage_put_meeting(c->storage, &meeting);
    }
    c->is_fine = storage_commit(c->storage, c->writing.mark, c->writing.purge, c->error, sizeof c->error);
}

static void free_load(struct load *load)
{
    text_deinit(&load->changes);
    text_deinit(&load->meetings);
    free(load->batches);
    *load = (struct load){0};
}

static void begin(struct commits *c)
{
    c->writing = c->filling;
    c->filling = (struct load){0};
}

/* ---- the loop's side ---- */

static void work(uv_work_t *request)
{
    write_load(request->data);
}

static void start_if_due(struct commits *c);

static void on_worked(uv_work_t *request, int status)
{
    struct commits *c = request->data;
    (void)status; /* it is never cancelled */
    c->is_writing = false;
    struct load written = c->writing;
    bool is_fine = c->is_fine;
    char error[sizeof c->error];
    memcpy(error, c->error, sizeof error);
    c->writing = (struct load){0};
    start_if_due(c); /* the disk need not wait for those who are told */
    for (size_t i = 0; i < written.count && c->done != NULL; i++) {
        c->done(c->context, written.batches[i], is_fine ? NULL : error);
    }
    free_load(&written);
}

static void start_if_due(struct commits *c)
{
    if (!c->is_writing && c->filling.count > 0) {
        begin(c);
        c->is_writing = true;
        uv_queue_work(c->loop, &c->work, work, on_worked);
    }
}

void commits_end(struct commits *c, uint64_t batch, uint64_t mark, uint64_t purge)
{
    struct load *load = &c->filling;
    if (load->count == load->capacity) {
        load->capacity = load->capacity == 0 ? 16 : load->capacity * 2;
        load->batches = must(realloc(load->batches, load->capacity * sizeof *load->batches));
    }
    load->batches[load->count++] = batch;
    load->mark = mark > load->mark ? mark : load->mark;
    load->purge = purge > load->purge ? purge : load->purge;
    start_if_due(c);
}

void commits_mute(struct commits *c)
{
    c->done = NULL;
}

void commits_stop(struct commits *c)
{
    if (c == NULL) {
        return;
    }
    if (c->filling.changes.size > 0 || c->filling.count > 0) {
        begin(c);
        write_load(c);
    }
    free_load(&c->filling);
    free_load(&c->writing);
    free(c);
}
