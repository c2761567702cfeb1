/* SPDX-License-Identifier: MIT
 *
 * See talk.h.
 */
#include "sync/talk.h"

#include "spread/packing.h"
#include "sync/reconcile.h"

#define ROWS_AT_ONCE 32
#define LISTS_MAX 32   /* groups or numbers in one question, so that its answer stays small */
#define STREAM_BYTES (128u << 10) /* holds what is sent when fuller than SOFT, and a value */
#define LENGTH_BYTES 4 /* the length of a section may grow by so many bytes when it is closed */

static void begin_message(struct talk *t)
{
    struct parley_head head = exchange_head(t->x, t->turn, t->kind);
    t->w.size = 0;
    t->w.is_full = false;
    t->open = 0;
    t->lists = 0;
    parley_put_head(&t->w, &head);
    if (t->session != NULL) {
        struct parley_session session = *t->session;
        session.part = t->part;
        session.is_last = false;
        parley_put_session(&t->w, &session);
    }
    t->empty = t->w.size;
}

bool talk_begin(struct talk *t, struct exchange *x, struct turn *turn, uint32_t peer, uint32_t stream, enum parley_kind kind,
                const struct parley_session *session)
{
    *t = (struct talk){.x = x, .turn = turn, .peer = peer, .stream = stream, .kind = kind, .session = session, .most = UINT32_MAX};
    if (stream == 0) {
        size_t beside = envelope_overhead(turn->envelope) + 5, most = turn->options->packet_bytes_max;
        most = most < EXCHANGE_PACKET_MAX ? most : EXCHANGE_PACKET_MAX;
        t->w = writer_of(t->bytes_of_packet, most - beside);
        t->soft = t->w.capacity;
    } else {
        x->big.size = 0;
        if (!buffer_reserve(&x->big, STREAM_BYTES)) {
            turn->counters->drop_no_memory++;
            return false;
        }
        t->w = writer_of(x->big.data, STREAM_BYTES);
        t->soft = TALK_STREAM_SOFT;
    }
    begin_message(t);
    return true;
}

bool talk_make_whole(struct talk *t)
{
    struct buffer *big = &t->x->big;
    if (!buffer_reserve(big, PARLEY_MESSAGE_MAX)) {
        t->turn->counters->drop_no_memory++;
        return false;
    }
    t->w.data = big->data;
    t->w.capacity = PARLEY_MESSAGE_MAX;
    t->is_whole = true;
    return true;
}

static void close_section(struct talk *t)
{
    if (t->open != 0) {
        parley_end(&t->w, t->begun);
        t->open = 0;
    }
}

static void send_message(struct talk *t, bool is_last)
{
    close_section(t);
    if (t->session != NULL) {
        t->w.data[t->empty - 1] = is_last; /* the last byte of the session */
    }
    struct hearsay_bytes message = writer_bytes(&t->w);
    if (t->sent < t->most && !t->w.is_full) { /* full: a key that no packet of this size can hold */
        if (t->asks != NULL) {
            reconcile_queue(t->asks, t->turn, message, t->empty);
        } else if (t->stream != 0) {
            t->x->links.send(t->x->links.context, t->turn, t->stream, message);
        } else {
            packing_send_parts(t->turn, &t->x->peers.list[t->peer].address, &message, 1, !envelope_encrypts(t->turn->envelope));
        }
        t->bytes += message.size;
    }
    t->sent++;
    t->part++;
}

bool talk_is_empty(const struct talk *t)
{
    return t->w.size == t->empty;
}

/* Makes room for so many more bytes in a section of this type (and level), in this message or the next. */
static void make_room(struct talk *t, enum parley_section_type type, uint8_t level, size_t size)
{
    size_t head = t->open == type && t->level == level ? 0 : 3;
    bool is_long = t->asks != NULL && t->lists >= LISTS_MAX && type != PARLEY_ENTRIES;
    if (!talk_is_empty(t) && (is_long || t->w.size + head + size + LENGTH_BYTES > t->soft)) {
        send_message(t, false);
        begin_message(t);
    }
    t->lists++;
    if (t->open != type || t->level != level) {
        close_section(t);
        t->begun = parley_begin(&t->w, type);
        t->open = type;
        t->level = level;
        t->next = 0;
        if (type == PARLEY_NODES || type == PARLEY_PRINTS || type == PARLEY_WANTED_PRINTS) {
            writer_u8(&t->w, level);
        }
    }
}

void talk_beacon(struct talk *t)
{
    struct merkle_root root = merkle_root(&t->x->sync->store.merkle);
    close_section(t);
    parley_put_beacon(&t->w, &(struct parley_beacon){.epoch = root.epoch, .count = root.count, .digest = root.sum.lo});
}

static void put_row(struct talk *t, const struct tombstones_row *row)
{
    if (row != NULL && row->epoch != 0) {
        parley_put_u64(&t->w, row->member);
        writer_u32(&t->w, row->epoch);
    }
}

void talk_rows(struct talk *t)
{
    const struct tombstones *table = &t->x->sync->tombstones;
    close_section(t);
    size_t begun = parley_begin(&t->w, PARLEY_EQUAL);
    put_row(t, tombstones_row(table, t->x->peers.list[t->peer].digest));
    for (uint32_t i = 0; i < table->count && i < ROWS_AT_ONCE; i++) {
        put_row(t, &table->rows[(t->x->rounds + i) % table->count]);
    }
    parley_end(&t->w, begun);
}

void talk_status(struct talk *t, enum parley_status status, uint32_t retry_ms)
{
    close_section(t);
    parley_put_status(&t->w, status, retry_ms);
}

void talk_range(struct talk *t, const struct parley_range *range)
{
    close_section(t);
    if (t->w.size + 22 > t->soft) {
        send_message(t, false);
        begin_message(t);
    }
    parley_put_range(&t->w, range);
}

void talk_number(struct talk *t, enum parley_section_type type, uint64_t number)
{
    make_room(t, type, 0, 8);
    parley_put_u64(&t->w, number);
}

void talk_offer(struct talk *t, uint64_t place, uint64_t hlc)
{
    make_room(t, PARLEY_OFFERS, 0, 16);
    parley_put_u64(&t->w, place);
    parley_put_u64(&t->w, hlc);
}

/* Groups rise; one that does not begins a section of its own. */
static void make_room_for_group(struct talk *t, enum parley_section_type type, uint8_t level, uint32_t index, size_t size)
{
    if (t->open == type && index < t->next) {
        close_section(t);
    }
    make_room(t, type, level, size);
}

void talk_nodes(struct talk *t, uint8_t level, const struct parley_nodes *group)
{
    make_room_for_group(t, PARLEY_NODES, level, group->parent, 5 + 2 + 64);
    parley_put_nodes(&t->w, &t->next, group);
}

void talk_prints(struct talk *t, enum parley_section_type type, uint8_t level, uint32_t index, const uint32_t *prints, size_t count)
{
    make_room_for_group(t, type, level, index, 5 + 3 + 4 * count);
    parley_put_prints(&t->w, &t->next, index, prints, count);
}

size_t talk_entry(struct talk *t, const struct entry *entry, uint8_t flags)
{
    struct hearsay_entry view = entry_view(entry);
    struct parley_entry e = {.key = view.key, .value = view.value, .value_size = (uint32_t)view.value.size, .hlc = view.version.hlc,
                             .origin = view.version.origin, .expires_hlc = view.expires_hlc, .flags = flags};
    e.flags |= view.is_tombstone ? PARLEY_ENTRY_TOMBSTONE : 0;
    e.flags |= view.expires_hlc != 0 ? PARLEY_ENTRY_EXPIRES : 0;
    size_t most = t->is_whole ? PARLEY_MESSAGE_MAX : TALK_VALUE_MAX + PARLEY_KEY_MAX + 64;
    most = t->stream == 0 ? t->w.capacity - t->empty - 3 - LENGTH_BYTES : most;
    if (parley_entry_bytes(&e) > most) {
        e.flags |= PARLEY_ENTRY_OFFER;
    }
    make_room(t, PARLEY_ENTRIES, 0, parley_entry_bytes(&e));
    parley_put_entry(&t->w, &e);
    return e.key.size + ((e.flags & PARLEY_ENTRY_OFFER) != 0 ? 0 : e.value.size);
}

void talk_end(struct talk *t, bool is_needed)
{
    if (is_needed || !talk_is_empty(t)) {
        send_message(t, true);
    }
    if (t->is_whole) {
        buffer_deinit(&t->x->big); /* that was much memory for one value */
    }
}
