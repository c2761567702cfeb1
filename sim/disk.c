/* SPDX-License-Identifier: MIT
 *
 * See disk.h.
 */
#include "sim/disk.h"

#include "base/bytes.h"
#include "base/check.h"

#include <stdlib.h>

static struct hearsay_entry copy_of(const struct hearsay_entry *from)
{
    struct hearsay_entry e = *from;
    uint8_t *bytes = malloc(from->key.size + from->value.size + 1);
    CHECK(bytes != NULL);
    bytes_copy(bytes, from->key.data, from->key.size);
    bytes_copy(bytes + from->key.size, from->value.data, from->value.size);
    e.key.data = bytes;
    e.value.data = bytes + from->key.size;
    return e;
}

static void free_row(struct disk_row *row)
{
    free((void *)(uintptr_t)row->entry.key.data);
}

static void forget_under_way(struct disk *d)
{
    for (uint32_t i = 0; i < d->under_way_count; i++) {
        free_row(&d->under_way[i]);
    }
    free(d->under_way);
    free(d->under_way_meetings);
    d->under_way = NULL;
    d->under_way_meetings = NULL;
    d->under_way_count = d->under_way_meeting_count = 0;
    d->is_writing = false;
}

void disk_wipe(struct disk *d)
{
    forget_under_way(d);
    for (uint32_t i = 0; i < d->count; i++) {
        free_row(&d->rows[i]);
    }
    free(d->rows);
    free(d->meetings);
    *d = (struct disk){.rows = NULL};
}

void disk_deinit(struct disk *d)
{
    disk_wipe(d);
}

static int compare(struct hearsay_bytes a, struct hearsay_bytes b)
{
    size_t size = a.size < b.size ? a.size : b.size;
    int order = size == 0 ? 0 : memcmp(a.data, b.data, size);
    return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

/* The first row that is not below key. */
static uint32_t lower(const struct disk *d, struct hearsay_bytes key)
{
    uint32_t low = 0, high = d->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (compare(d->rows[middle].entry.key, key) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

const struct hearsay_entry *disk_find(const struct disk *d, struct hearsay_bytes key)
{
    uint32_t i = lower(d, key);
    return i < d->count && bytes_equal(d->rows[i].entry.key, key) ? &d->rows[i].entry : NULL;
}

void disk_begin(struct disk *d, const struct hearsay_persist *persist)
{
    CHECK(!d->is_writing); /* one batch at a time */
    d->is_writing = true;
    d->under_way = calloc(persist->count + 1, sizeof *d->under_way);
    d->under_way_meetings = calloc(persist->meeting_count + 1, sizeof *d->under_way_meetings);
    CHECK(d->under_way != NULL && d->under_way_meetings != NULL);
    for (size_t i = 0; i < persist->meeting_count; i++) {
        d->under_way_meetings[i] = persist->meetings[i];
    }
    d->under_way_meeting_count = (uint32_t)persist->meeting_count;
    for (size_t i = 0; i < persist->count; i++) {
        d->under_way[i].entry = copy_of(&persist->entries[i]);
    }
    d->under_way_count = (uint32_t)persist->count;
    d->under_way_mark = persist->hlc_mark;
    d->under_way_purge = persist->purge_hlc;
}

static void put(struct disk *d, const struct disk_row *row)
{
    uint32_t i = lower(d, row->entry.key);
    if (i < d->count && bytes_equal(d->rows[i].entry.key, row->entry.key)) {
        free_row(&d->rows[i]);
    } else {
        if (d->count == d->capacity) {
            d->capacity = d->capacity == 0 ? 64 : d->capacity * 2;
            d->rows = world_resize(d->rows, d->capacity * sizeof *d->rows);
        }
        memmove(d->rows + i + 1, d->rows + i, (d->count - i) * sizeof *d->rows);
        d->count++;
    }
    d->rows[i] = *row;
}

static bool is_purged(const struct disk *d, const struct hearsay_entry *e)
{
    return e->expires_hlc != 0 ? e->expires_hlc <= d->purge_hlc : e->is_tombstone && e->version.hlc <= d->purge_hlc;
}

static void purge(struct disk *d)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < d->count; i++) {
        if (is_purged(d, &d->rows[i].entry)) {
            free_row(&d->rows[i]);
        } else {
            d->rows[kept++] = d->rows[i];
        }
    }
    d->count = kept;
}

static void put_meeting(struct disk *d, const struct hearsay_meeting *meeting)
{
    uint32_t i = 0;
    while (i < d->meeting_count && d->meetings[i].member != meeting->member) {
        i++;
    }
    if (i == d->meeting_count) {
        d->meetings = world_resize(d->meetings, (d->meeting_count + 1) * sizeof *d->meetings);
        d->meeting_count++;
    }
    d->meetings[i] = *meeting;
}

void disk_commit(struct disk *d)
{
    for (uint32_t i = 0; i < d->under_way_meeting_count; i++) {
        put_meeting(d, &d->under_way_meetings[i]);
    }
    for (uint32_t i = 0; i < d->under_way_count; i++) {
        put(d, &d->under_way[i]);
    }
    bool is_moved = d->under_way_purge > d->purge_hlc;
    d->hlc_mark = d->under_way_mark;
    d->purge_hlc = d->under_way_purge;
    if (is_moved) {
        purge(d);
    }
    d->under_way_count = 0; /* the rows are the disk's now */
    forget_under_way(d);
}

void disk_crash(struct disk *d, bool is_written)
{
    if (d->is_writing && is_written) {
        disk_commit(d);
    }
    forget_under_way(d);
}
