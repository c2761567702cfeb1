/* SPDX-License-Identifier: MIT
 *
 * See items.h. Wants lie in a list; a few lines (streams to holders) each fetch one after the other of what their holder has.
 */
#include "sync/items.h"

#include "spread/outbox.h"
#include "spread/rumors.h"

#define WANTS_MAX 1024
#define HOLDERS_MAX 4
#define LINES_MAX 4
#define UPLOADS_MAX 32
#define UPLOADS_OF_ONE 2
#define EVENTS_MAX 64
#define EVENTS_BYTES_MAX (64u << 20)
#define SEEN_MAX 1024
#define KEEP_US 300000000u  /* events are kept so long … */
#define RECENT_US 60000000u /* … and told of so long */
#define BUSY_US 300000u
#define BUSY_TIMES 40
#define KIND_EVENT 1
#define EVENT_HEAD 9 /* moment, size of the name */

struct want {
    uint64_t id;
    uint64_t retry_at;
    uint32_t holders[HOLDERS_MAX];
    uint8_t holder_count, tried; /* tried: bits by holder */
    uint8_t line;                /* 1 + number of the line that fetches it */
    uint8_t busy_times;
    bool is_event;
    unsigned how;
};

struct line {
    uint32_t peer, stream; /* stream 0: not in use */
    bool is_connected, is_asking;
    uint64_t due;
};

struct event_item {
    uint64_t id, came_at;
    uint32_t from;
    bool is_judged;
    uint32_t size;
    uint8_t *data; /* moment 8, size of the name 1, name, payload */
};

struct items {
    struct want wants[WANTS_MAX];
    uint32_t want_count;
    struct line lines[LINES_MAX];
    struct {
        uint64_t id;
        uint32_t stream;
    } uploads[UPLOADS_MAX];
    struct event_item events[EVENTS_MAX];
    uint32_t event_count;
    uint64_t event_bytes;
    uint64_t seen[SEEN_MAX];
    uint32_t seen_next;
    struct timer timer;
};

static void work(struct exchange *x, struct turn *turn);

bool items_init(struct exchange *x, struct turn *turn)
{
    x->items = memory_zeros(turn->memory, sizeof *x->items);
    if (x->items != NULL) {
        x->items->timer.kind = TIMER_ITEMS;
    }
    return x->items != NULL;
}

void items_deinit(struct exchange *x, const struct hearsay_allocator *memory)
{
    for (uint32_t i = 0; x->items != NULL && i < x->items->event_count; i++) {
        memory_free(memory, x->items->events[i].data);
    }
    memory_free(memory, x->items);
    x->items = NULL;
}

/* ---- wanting ------------------------------------------------------------------------------------------------------------------ */

static struct want *find_want(struct items *s, uint64_t id)
{
    for (uint32_t i = 0; i < s->want_count; i++) {
        if (s->wants[i].id == id) {
            return &s->wants[i];
        }
    }
    return NULL;
}

static void want(struct exchange *x, struct turn *turn, uint32_t peer, uint64_t id, bool is_event, unsigned how)
{
    struct items *s = x->items;
    struct want *w = find_want(s, id);
    if (w == NULL && s->want_count == WANTS_MAX) {
        turn->counters->drop_items_full++;
        return;
    }
    if (w == NULL) {
        w = &s->wants[s->want_count++];
        *w = (struct want){.id = id, .is_event = is_event};
    }
    w->how |= how;
    for (uint8_t i = 0; i < w->holder_count; i++) {
        if (w->holders[i] == peer) {
            return;
        }
    }
    if (w->holder_count < HOLDERS_MAX) {
        w->holders[w->holder_count++] = peer;
        work(x, turn);
    }
}

static void drop_want(struct items *s, const struct want *w)
{
    s->wants[w - s->wants] = s->wants[--s->want_count];
}

void items_on_offer(struct exchange *x, struct turn *turn, uint32_t peer, uint64_t place, unsigned how)
{
    want(x, turn, peer, place, false, how);
}

/* ---- events that are kept --------------------------------------------------------------------------------------------------------- */

static struct event_item *find_event(const struct items *s, uint64_t id)
{
    for (uint32_t i = 0; i < s->event_count; i++) {
        if (s->events[i].id == id) {
            return (struct event_item *)&s->events[i];
        }
    }
    return NULL;
}

static bool has_seen(const struct items *s, uint64_t id)
{
    for (uint32_t i = 0; i < SEEN_MAX; i++) {
        if (s->seen[i] == id) {
            return true;
        }
    }
    return false;
}

/* The oldest, and what is too old. */
static void make_room(struct items *s, struct turn *turn, uint32_t size)
{
    while (s->event_count > 0 && (s->event_count == EVENTS_MAX || s->event_bytes + size > EVENTS_BYTES_MAX ||
                                  turn->now - s->events[0].came_at > KEEP_US)) {
        s->event_bytes -= s->events[0].size;
        memory_free(turn->memory, s->events[0].data);
        s->event_count--;
        memmove(s->events, s->events + 1, s->event_count * sizeof s->events[0]);
    }
}

static uint64_t id_of(const struct exchange *x, struct hearsay_bytes body)
{
    uint64_t id = siphash_of(&x->sync->store.keys.value, body);
    return id == 0 ? 1 : id;
}

/* Tells a few at once that we have it; the rounds tell more. */
static void announce(struct exchange *x, struct turn *turn, const struct event_item *e)
{
    uint32_t chosen[64], most = (rumors_limit(turn) + 1) / 2;
    uint32_t count = peers_choose(&x->peers, &x->beliefs->members, turn->rng, most > 64 ? 64 : most, e->from, chosen);
    struct talk t;
    for (uint32_t i = 0; i < count; i++) {
        if (talk_begin(&t, x, turn, chosen[i], 0, PARLEY_PUSH, NULL)) {
            talk_number(&t, PARLEY_ITEMS, e->id);
            talk_end(&t, false);
        }
    }
}

static void deliver(struct turn *turn, const struct event_item *e)
{
    char name[256];
    size_t size = e->data[8];
    bytes_copy(name, e->data + EVENT_HEAD, size);
    name[size] = 0;
    struct hearsay_event event = {.type = HEARSAY_LARGE_EVENT, .name = name, .change = e->id,
                                  .payload = bytes_of(e->data + EVENT_HEAD + size, e->size - EVENT_HEAD - size)};
    outbox_notify(turn->outbox, &event);
}

/* Keeps, delivers and announces; takes the data over. */
static void accept(struct exchange *x, struct turn *turn, uint8_t *data, uint32_t size, uint32_t from)
{
    struct items *s = x->items;
    make_room(s, turn, size);
    struct event_item *e = &s->events[s->event_count++];
    *e = (struct event_item){.id = id_of(x, bytes_of(data, size)), .came_at = turn->now, .from = from, .size = size, .data = data,
                             .is_judged = from == PEERS_NONE || !turn->options->judge_events};
    s->event_bytes += size;
    s->seen[s->seen_next++ % SEEN_MAX] = e->id;
    turn->counters->large_events_in++;
    deliver(turn, e);
    if (e->is_judged) {
        announce(x, turn, e);
    }
}

hearsay_err items_send(struct exchange *x, struct turn *turn, struct hearsay_bytes name, struct hearsay_bytes payload)
{
    if (name.size == 0 || name.size > 255) {
        return HEARSAY_ERR_NAME;
    }
    if (payload.size > ITEMS_EVENT_MAX) {
        return HEARSAY_ERR_TOO_LARGE;
    }
    uint32_t size = (uint32_t)(EVENT_HEAD + name.size + payload.size);
    uint8_t *data = memory_resize(turn->memory, NULL, size);
    if (data == NULL) {
        return HEARSAY_ERR_NO_MEMORY;
    }
    bytes_put_u64(data, hlc_next(&x->sync->hlc, turn->host_now)); /* the same words twice are two events */
    data[8] = (uint8_t)name.size;
    bytes_copy(data + EVENT_HEAD, name.data, name.size);
    bytes_copy(data + EVENT_HEAD + name.size, payload.data, payload.size);
    accept(x, turn, data, size, PEERS_NONE);
    return HEARSAY_OK;
}

bool items_judge(struct exchange *x, struct turn *turn, uint64_t id, bool is_good)
{
    struct event_item *e = find_event(x->items, id);
    if (e == NULL || e->is_judged) {
        return false;
    }
    if (is_good) {
        e->is_judged = true;
        announce(x, turn, e);
    } else {
        e->came_at = 0; /* forgotten at the next occasion, told to nobody */
    }
    return true;
}

static bool is_recent(const struct event_item *e, const struct turn *turn)
{
    return e->is_judged && turn->now - e->came_at < RECENT_US;
}

bool items_any_recent(const struct exchange *x, const struct turn *turn)
{
    const struct items *s = x->items;
    return s->event_count > 0 && is_recent(&s->events[s->event_count - 1], turn);
}

void items_tell(const struct exchange *x, struct talk *t)
{
    const struct items *s = x->items;
    for (uint32_t i = s->event_count; i-- > 0 && is_recent(&s->events[i], t->turn);) {
        talk_number(t, PARLEY_ITEMS, s->events[i].id);
    }
}

void items_on_ids(struct exchange *x, struct turn *turn, uint32_t peer, struct reader body)
{
    uint64_t id;
    while (parley_next_number(&body, &id)) {
        if (id != 0 && !has_seen(x->items, id)) {
            want(x, turn, peer, id, true, 0);
        }
    }
}

/* ---- fetching ------------------------------------------------------------------------------------------------------------------------ */

static struct want *want_of_line(struct items *s, uint32_t number)
{
    for (uint32_t i = 0; i < s->want_count; i++) {
        if (s->wants[i].line == number + 1) {
            return &s->wants[i];
        }
    }
    return NULL;
}

/* Something that this peer has, that nobody fetches, and whose time has come. */
static struct want *next_for(struct items *s, const struct turn *turn, uint32_t peer)
{
    for (uint32_t i = 0; i < s->want_count; i++) {
        struct want *w = &s->wants[i];
        for (uint8_t h = 0; h < w->holder_count && w->line == 0 && w->retry_at <= turn->now; h++) {
            if (w->holders[h] == peer && (w->tried >> h & 1) == 0) {
                return w;
            }
        }
    }
    return NULL;
}

static void ask(struct exchange *x, struct turn *turn, uint32_t number, struct want *w)
{
    struct line *l = &x->items->lines[number];
    struct talk t;
    w->line = (uint8_t)(number + 1);
    l->is_asking = true;
    l->due = turn->now + turn_ms(turn->options->stream_timeout_ms);
    if (talk_begin(&t, x, turn, l->peer, l->stream, PARLEY_FETCH, NULL)) {
        talk_number(&t, w->is_event ? PARLEY_IDS : PARLEY_WANTED_KEYS, w->id);
        talk_end(&t, true);
    }
}

/* This holder will not do (for now): the next one, or later, or never. */
static void pass_over(struct items *s, const struct turn *turn, struct want *w, uint32_t peer, bool is_busy)
{
    w->line = 0;
    for (uint8_t h = 0; h < w->holder_count; h++) {
        w->tried |= (uint8_t)(w->holders[h] == peer ? 1u << h : 0);
    }
    w->busy_times += is_busy;
    if (w->tried != (1u << w->holder_count) - 1) {
        return;
    }
    if (w->busy_times > 0 && w->busy_times < BUSY_TIMES) {
        w->tried = 0;
        w->retry_at = turn->now + BUSY_US;
    } else {
        drop_want(s, w); /* whoever offers it again is asked again */
    }
}

static void hang_up(struct exchange *x, struct turn *turn, uint32_t number, bool tells_node)
{
    struct line *l = &x->items->lines[number];
    struct want *w = want_of_line(x->items, number);
    if (w != NULL) {
        pass_over(x->items, turn, w, l->peer, false);
    }
    if (tells_node) {
        x->links.close(x->links.context, turn, l->stream);
    }
    *l = (struct line){.stream = 0};
}

static void dial(struct exchange *x, struct turn *turn, struct line *l)
{
    struct items *s = x->items;
    for (uint32_t i = 0; i < s->want_count; i++) {
        struct want *w = &s->wants[i];
        for (uint8_t h = 0; h < w->holder_count && w->line == 0 && w->retry_at <= turn->now; h++) {
            bool has_line = false;
            for (uint32_t k = 0; k < LINES_MAX; k++) {
                has_line = has_line || (s->lines[k].stream != 0 && s->lines[k].peer == w->holders[h]);
            }
            uint32_t slot = x->peers.list[w->holders[h]].slot;
            if (has_line || (w->tried >> h & 1) != 0 || slot == MEMBERS_NONE) {
                continue;
            }
            *l = (struct line){.peer = w->holders[h], .due = turn->now + turn_ms(turn->options->stream_timeout_ms)};
            l->stream = x->links.open(x->links.context, turn, members_at(&x->beliefs->members, slot)->identity);
            return;
        }
    }
}

/* Every line that is free fetches on or hangs up, every unused one is dialled if it would help. */
static void work(struct exchange *x, struct turn *turn)
{
    struct items *s = x->items;
    uint64_t at = UINT64_MAX;
    for (uint32_t i = 0; i < LINES_MAX; i++) {
        struct line *l = &s->lines[i];
        if (l->stream != 0 && l->due <= turn->now) {
            hang_up(x, turn, i, true);
        }
        if (l->stream != 0 && l->is_connected && !l->is_asking) {
            struct want *w = next_for(s, turn, l->peer);
            if (w != NULL) {
                ask(x, turn, i, w);
            } else {
                hang_up(x, turn, i, true);
            }
        }
        if (l->stream == 0) {
            dial(x, turn, l);
        }
        at = l->stream != 0 && l->due < at ? l->due : at;
    }
    for (uint32_t i = 0; i < s->want_count; i++) {
        uint64_t due = s->wants[i].retry_at > turn->now ? s->wants[i].retry_at : turn->now + BUSY_US;
        at = s->wants[i].line == 0 && due < at ? due : at;
    }
    if (at == UINT64_MAX) {
        timers_cancel(turn->timers, &s->timer);
    } else {
        timers_set(turn->timers, &s->timer, at > turn->now ? at : turn->now + 1000);
    }
}

void items_on_timer(struct exchange *x, struct turn *turn)
{
    for (uint32_t i = x->items->want_count; i-- > 0;) { /* holders that are gone */
        struct want *w = &x->items->wants[i];
        bool is_hopeless = w->line == 0;
        for (uint8_t h = 0; h < w->holder_count; h++) {
            is_hopeless = is_hopeless && !peers_is_up(&x->peers, &x->beliefs->members, w->holders[h]);
        }
        if (is_hopeless) {
            drop_want(x->items, w);
        }
    }
    work(x, turn);
}

static uint32_t line_of(const struct items *s, uint32_t stream)
{
    uint32_t i = 0;
    while (i < LINES_MAX && (stream == 0 || s->lines[i].stream != stream)) {
        i++;
    }
    return i;
}

bool items_on_connected(struct exchange *x, struct turn *turn, uint32_t stream)
{
    uint32_t number = line_of(x->items, stream);
    if (number == LINES_MAX) {
        return false;
    }
    x->items->lines[number].is_connected = true;
    work(x, turn);
    return true;
}

bool items_on_closed(struct exchange *x, struct turn *turn, uint32_t stream)
{
    struct items *s = x->items;
    uint32_t number = line_of(s, stream);
    for (uint32_t i = 0; i < UPLOADS_MAX; i++) {
        s->uploads[i].stream = s->uploads[i].stream == stream ? 0 : s->uploads[i].stream;
    }
    if (number == LINES_MAX) {
        return false;
    }
    struct line *l = &s->lines[number];
    struct want *w = l->is_asking ? NULL : next_for(s, turn, l->peer);
    if (w != NULL) { /* it cannot even be reached */
        pass_over(s, turn, w, l->peer, false);
    }
    hang_up(x, turn, number, false);
    work(x, turn);
    return true;
}

static void hear_event(struct exchange *x, struct turn *turn, uint32_t peer, const struct want *w, struct reader body)
{
    uint64_t id = reader_u64(&body);
    uint8_t kind = reader_u8(&body);
    struct hearsay_bytes bytes = reader_take(&body, reader_left(&body));
    bool is_sound = id == w->id && kind == KIND_EVENT && bytes.size >= EVENT_HEAD + 1u && bytes.data[8] > 0 &&
                    bytes.size >= EVENT_HEAD + (size_t)bytes.data[8] && bytes.size <= EVENT_HEAD + 255u + ITEMS_EVENT_MAX;
    if (!is_sound || id_of(x, bytes) != id) {
        turn->counters->drop_item_bad++;
        return;
    }
    uint8_t *data = memory_resize(turn->memory, NULL, bytes.size);
    if (data == NULL) {
        turn->counters->drop_no_memory++;
        return;
    }
    memcpy(data, bytes.data, bytes.size);
    if (!has_seen(x->items, id)) {
        accept(x, turn, data, (uint32_t)bytes.size, peer);
    } else {
        memory_free(turn->memory, data);
    }
}

void items_on_item(struct exchange *x, struct turn *turn, uint32_t stream, const struct parley_message *m)
{
    struct items *s = x->items;
    uint32_t number = line_of(s, stream);
    struct reader sections = m->sections, body;
    enum parley_section_type type;
    if (number == LINES_MAX || !s->lines[number].is_asking) {
        return;
    }
    struct line *l = &s->lines[number];
    struct want *found = want_of_line(s, number), w = found == NULL ? (struct want){.id = 0} : *found;
    l->is_asking = false;
    if (found != NULL && m->has_status) {
        pass_over(s, turn, found, l->peer, m->status == PARLEY_BUSY);
    } else if (found != NULL) {
        drop_want(s, found);
        while (parley_next_section(&sections, &type, &body)) {
            if (type == PARLEY_ENTRIES && !w.is_event) {
                (void)exchange_receive(x, turn, l->peer, body, w.how);
            } else if (type == PARLEY_BODY && w.is_event) {
                hear_event(x, turn, l->peer, &w, body);
            }
        }
    }
    work(x, turn);
}

/* ---- uploading ----------------------------------------------------------------------------------------------------------------------- */

/* Notes the upload that begins on this stream. False: as many get this already as may. An upload lasts until the next on its stream. */
static bool may_upload(struct items *s, uint32_t stream, uint64_t id)
{
    uint32_t free_place = UPLOADS_MAX, count = 0;
    for (uint32_t i = 0; i < UPLOADS_MAX; i++) {
        if (s->uploads[i].stream == stream || s->uploads[i].stream == 0) {
            free_place = s->uploads[i].stream == stream || free_place == UPLOADS_MAX ? i : free_place;
            s->uploads[i].stream = 0;
        } else {
            count += s->uploads[i].id == id;
        }
    }
    if (free_place == UPLOADS_MAX || count >= UPLOADS_OF_ONE) {
        return false;
    }
    s->uploads[free_place].id = id;
    s->uploads[free_place].stream = stream;
    return true;
}

static void upload_event(struct exchange *x, struct turn *turn, uint32_t peer, uint32_t stream, uint64_t id)
{
    const struct event_item *e = find_event(x->items, id);
    struct talk t;
    if (!talk_begin(&t, x, turn, peer, stream, PARLEY_ITEM, NULL) || !talk_make_whole(&t)) {
        return;
    }
    if (e == NULL || !e->is_judged) {
        talk_status(&t, PARLEY_NOT_FOUND, 0);
    } else if (!may_upload(x->items, stream, id)) {
        talk_status(&t, PARLEY_BUSY, BUSY_US / 1000);
    } else {
        size_t begun = parley_begin(&t.w, PARLEY_BODY);
        parley_put_u64(&t.w, id);
        writer_u8(&t.w, KIND_EVENT);
        writer_put(&t.w, e->data, e->size);
        parley_end(&t.w, begun);
    }
    talk_end(&t, true);
}

static void upload_entry(struct exchange *x, struct turn *turn, uint32_t peer, uint32_t stream, uint64_t place)
{
    uint64_t at = place;
    unsigned rank = 0;
    struct index_item item;
    struct talk t;
    if (!talk_begin(&t, x, turn, peer, stream, PARLEY_ITEM, NULL) || !talk_make_whole(&t)) {
        return;
    }
    if (!index_next(&x->sync->store.index, &at, &rank, &item) || item.place != place) {
        talk_status(&t, PARLEY_NOT_FOUND, 0);
    } else if (!may_upload(x->items, stream, place)) {
        talk_status(&t, PARLEY_BUSY, BUSY_US / 1000);
    } else {
        (void)talk_entry(&t, item.entry, 0);
    }
    talk_end(&t, true);
}

void items_on_fetch(struct exchange *x, struct turn *turn, uint32_t peer, uint32_t stream, const struct parley_message *m)
{
    struct reader sections = m->sections, body;
    enum parley_section_type type;
    uint64_t id;
    if (stream == 0) {
        return; /* an answer would not fit */
    }
    while (parley_next_section(&sections, &type, &body)) {
        if (type == PARLEY_IDS && parley_next_number(&body, &id)) {
            upload_event(x, turn, peer, stream, id);
        } else if (type == PARLEY_WANTED_KEYS && parley_next_number(&body, &id)) {
            upload_entry(x, turn, peer, stream, id);
        }
    }
}
