/* SPDX-License-Identifier: MIT
 *
 * See outbox.h. An entry is a header, for NOTIFY an event whose pointers are rebuilt on the way out, then bytes.
 */
#include "spread/outbox.h"

#include "base/check.h"

#define OUTBOX_KEEP (16u << 10) /* memory kept when empty */

struct parcel {
    _Alignas(8) uint32_t size; /* whole entry, padded to 8 */
    uint32_t bytes;
    uint32_t stream;
    enum hearsay_output_type type;
    struct hearsay_address address;
};

static size_t padded(size_t size)
{
    return (size + 7) & ~(size_t)7;
}

void outbox_init(struct outbox *o, const struct hearsay_allocator *memory, uint64_t *lost)
{
    *o = (struct outbox){.lost = lost};
    buffer_init(&o->entries, memory);
}

void outbox_deinit(struct outbox *o)
{
    buffer_deinit(&o->entries);
}

struct buffer *outbox_begin(struct outbox *o, enum hearsay_output_type type, const struct hearsay_address *address, uint32_t stream)
{
    struct parcel entry = {.type = type, .stream = stream};
    if (address != NULL) {
        entry.address = *address;
    }
    if (o->taken > 0 && o->taken == o->entries.size) {
        buffer_clear(&o->entries);
        o->taken = 0;
    }
    o->open_at = o->entries.size;
    if (!buffer_append(&o->entries, &entry, padded(sizeof entry))) {
        ++*o->lost;
        return NULL;
    }
    return &o->entries;
}

size_t outbox_end(struct outbox *o)
{
    size_t size = o->entries.size - o->open_at;
    size_t bytes = size - padded(sizeof(struct parcel));
    static const uint8_t zeros[8];
    if (!buffer_append(&o->entries, zeros, padded(size) - size)) {
        outbox_abort(o);
        return 0;
    }
    struct parcel *entry = (struct parcel *)(void *)(o->entries.data + o->open_at);
    entry->bytes = (uint32_t)bytes;
    entry->size = (uint32_t)padded(size);
    return bytes;
}

void outbox_abort(struct outbox *o)
{
    o->entries.size = o->open_at;
    ++*o->lost;
}

void outbox_open_stream(struct outbox *o, const struct hearsay_address *address, uint32_t stream)
{
    if (outbox_begin(o, HEARSAY_OPEN_STREAM, address, stream) != NULL) {
        outbox_end(o);
    }
}

void outbox_close_stream(struct outbox *o, uint32_t stream)
{
    if (outbox_begin(o, HEARSAY_CLOSE_STREAM, NULL, stream) != NULL) {
        outbox_end(o);
    }
}

static bool append_string(struct buffer *b, const char *string)
{
    return string == NULL || buffer_append(b, string, strlen(string) + 1);
}

void outbox_notify(struct outbox *o, const struct hearsay_event *event)
{
    struct buffer *b = outbox_begin(o, HEARSAY_NOTIFY, NULL, 0);
    if (b == NULL) {
        return;
    }
    if (buffer_append(b, event, padded(sizeof *event)) && append_string(b, event->member.name) &&
        buffer_append(b, event->member.meta.data, event->member.meta.size) && append_string(b, event->cause.accuser) &&
        append_string(b, event->name) && buffer_append(b, event->payload.data, event->payload.size) &&
        append_string(b, event->text) && append_string(b, event->from)) {
        outbox_end(o);
    } else {
        outbox_abort(o);
    }
}

static const char *rebuild_string(const char *was, const uint8_t **at)
{
    if (was == NULL) {
        return NULL;
    }
    const char *string = (const char *)*at;
    *at += strlen(string) + 1;
    return string;
}

static struct hearsay_bytes rebuild_bytes(struct hearsay_bytes was, const uint8_t **at)
{
    struct hearsay_bytes bytes = {*at, was.size};
    *at += was.size;
    return bytes;
}

static void rebuild_event(struct hearsay_event *event, const uint8_t *at)
{
    memcpy(event, at, sizeof *event);
    at += padded(sizeof *event);
    event->member.name = rebuild_string(event->member.name, &at);
    event->member.meta = rebuild_bytes(event->member.meta, &at);
    event->cause.accuser = rebuild_string(event->cause.accuser, &at);
    event->name = rebuild_string(event->name, &at);
    event->payload = rebuild_bytes(event->payload, &at);
    event->text = rebuild_string(event->text, &at);
    event->from = rebuild_string(event->from, &at);
}

bool outbox_next(struct outbox *o, struct hearsay_output *output)
{
    if (o->taken == o->entries.size) {
        if (o->entries.capacity > OUTBOX_KEEP) {
            buffer_deinit(&o->entries);
        }
        buffer_clear(&o->entries);
        o->taken = 0;
        return false;
    }
    const uint8_t *at = o->entries.data + o->taken;
    const struct parcel *entry = (const struct parcel *)(const void *)at;
    o->taken += entry->size;
    at += padded(sizeof *entry);
    output->type = entry->type;
    output->address = entry->address;
    output->stream = entry->stream;
    output->bytes = (struct hearsay_bytes){at, entry->bytes};
    if (entry->type == HEARSAY_NOTIFY) {
        output->bytes.size = 0;
        rebuild_event(&output->event, at);
    }
    return true;
}
