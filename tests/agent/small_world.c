/* SPDX-License-Identifier: MIT
 *
 * See small_world.h. Packets and streams are handed over within the same instant; a place where nobody stands refuses.
 */
#include "small_world.h"

#include "agent/expression.h"

#include <assert.h>

#undef NDEBUG

static unsigned number_at(const struct small_world *w, const struct hearsay_address *place)
{
    unsigned i = 0;
    while (i < w->count && (memcmp(w->nodes[i].place.bytes, place->bytes, 4) != 0 || w->nodes[i].place.port != place->port)) {
        i++;
    }
    return i;
}

/* The other end of a stream; count when there is none. */
static unsigned other_end(const struct small_world *w, unsigned number, uint32_t id, uint32_t *theirs)
{
    for (unsigned i = w->stream_count; i-- > 0 && i + SMALL_STREAMS > w->stream_count;) {
        for (unsigned end = 0; end < 2; end++) {
            if (w->streams[i % SMALL_STREAMS].ends[end] == number && w->streams[i % SMALL_STREAMS].ids[end] == id) {
                *theirs = w->streams[i % SMALL_STREAMS].ids[1 - end];
                return w->streams[i % SMALL_STREAMS].ends[1 - end];
            }
        }
    }
    return w->count;
}

static void open_stream(struct small_world *w, unsigned number, const struct hearsay_output *output)
{
    unsigned to = number_at(w, &output->address), at = w->stream_count % SMALL_STREAMS;
    uint32_t theirs = to == w->count ? 0 : hearsay_stream_accepted(w->nodes[to].node, w->now, &w->nodes[number].place);
    if (theirs == 0) {
        hearsay_stream_closed(w->nodes[number].node, w->now, output->stream, HEARSAY_CLOSE_REFUSED);
        return;
    }
    w->streams[at].ids[0] = output->stream;
    w->streams[at].ids[1] = theirs;
    w->streams[at].ends[0] = number;
    w->streams[at].ends[1] = to;
    w->stream_count++;
    hearsay_stream_connected(w->nodes[number].node, w->now, output->stream);
}

static void notify(struct small_node *n, const struct hearsay_event *event)
{
    if (event->type == HEARSAY_JOIN_RESULT && n->joined != NULL && event->ticket == n->join_ticket) {
        n->contacted += event->contacted;
        if (event->is_last) {
            service_joined done = n->joined;
            n->joined = NULL;
            done(n->joined_user, n->contacted, n->contacted > 0 ? NULL : "nobody answered");
        }
        return;
    }
    if (event->type == HEARSAY_LEAVE_DONE) {
        service_left(&n->service);
        return;
    }
    service_event(&n->service, event);
    if (event->type == HEARSAY_QUERY && n->script != NULL && strcmp(event->name, "uptime") == 0) {
        (void)!hearsay_respond(n->node, n->world->now, event->query, n->script, n->script_size);
    }
}

static void carry(struct small_world *w, unsigned number, const struct hearsay_output *output)
{
    struct small_node *n = &w->nodes[number];
    unsigned to;
    uint32_t theirs;
    switch (output->type) {
    case HEARSAY_SEND_PACKET:
        to = number_at(w, &output->address);
        if (to < w->count) {
            hearsay_receive_packet(w->nodes[to].node, w->now, &n->place, output->bytes.data, output->bytes.size);
        }
        break;
    case HEARSAY_OPEN_STREAM:
        open_stream(w, number, output);
        break;
    case HEARSAY_SEND_STREAM:
        to = other_end(w, number, output->stream, &theirs);
        if (to < w->count) {
            hearsay_receive_stream(w->nodes[to].node, w->now, theirs, output->bytes.data, output->bytes.size);
        }
        break;
    case HEARSAY_CLOSE_STREAM:
        to = other_end(w, number, output->stream, &theirs);
        if (to < w->count) {
            hearsay_stream_closed(w->nodes[to].node, w->now, theirs, HEARSAY_CLOSE_END);
        }
        break;
    case HEARSAY_NOTIFY:
        notify(n, &output->event);
        break;
    default:
        break;
    }
}

void small_world_settle(struct small_world *w)
{
    struct hearsay_output output;
    if (w->is_settling) {
        return;
    }
    w->is_settling = true;
    for (bool is_busy = true; is_busy;) {
        is_busy = false;
        for (unsigned i = 0; i < w->count; i++) {
            while (hearsay_next_output(w->nodes[i].node, &output)) {
                carry(w, i, &output);
                is_busy = true;
            }
            service_flush_events(&w->nodes[i].service);
        }
    }
    w->is_settling = false;
}

void small_world_pass(struct small_world *w, uint64_t ms)
{
    uint64_t until = w->now + ms * 1000;
    small_world_settle(w);
    for (;;) {
        uint64_t first = UINT64_MAX;
        unsigned whose = 0;
        for (unsigned i = 0; i < w->count; i++) {
            uint64_t due = hearsay_next_deadline(w->nodes[i].node);
            whose = due < first ? i : whose;
            first = due < first ? due : first;
        }
        if (first > until) {
            break;
        }
        w->now = first > w->now ? first : w->now;
        hearsay_tick(w->nodes[whose].node, w->now);
        small_world_settle(w);
    }
    w->now = until;
}

/* ---- the service's deeds ------------------------------------------------------------------------------------------------------ */

static uint64_t now_us(void *context)
{
    const struct small_node *n = context;
    return n->world->now;
}

static uint64_t unix_ms(void *context)
{
    return 1700000000000 + now_us(context) / 1000;
}

static void flush(void *context)
{
    struct small_node *n = context;
    small_world_settle(n->world);
}

static void join(void *context, const char *const *peers, size_t count, bool replay, service_joined done, void *user)
{
    struct small_node *n = context;
    struct hearsay_target targets[8];
    assert(count <= 8);
    for (size_t i = 0; i < count; i++) {
        targets[i].name = NULL;
        bool is_address = hearsay_address_parse(peers[i], 7946, &targets[i].address);
        assert(is_address);
        (void)is_address;
    }
    n->joined = done;
    n->joined_user = user;
    n->contacted = 0;
    (void)!hearsay_join(n->node, n->world->now, targets, count, replay, &n->join_ticket);
    small_world_settle(n->world);
}

static void leave(void *context)
{
    struct small_node *n = context;
    (void)!hearsay_leave(n->node, n->world->now);
    small_world_settle(n->world);
}

static bool save_tags(void *context, const struct taglist *tags, char *error, size_t size)
{
    (void)context;
    (void)tags;
    (void)error;
    (void)size;
    return true;
}

static uint64_t lines_dropped(void *context)
{
    (void)context;
    return 0;
}

/* ---- life --------------------------------------------------------------------------------------------------------------------------- */

void small_world_open(struct small_world *w)
{
    *w = (struct small_world){.now = 1000000};
    bool is_open = hearsay_cipher_nettle(&w->cipher);
    assert(is_open);
    (void)is_open;
}

static void parse_tags(struct taglist *list, const char *tags)
{
    char copy[100], *rest = copy;
    snprintf(copy, sizeof copy, "%s", tags);
    for (char *tag = strsep(&rest, ","); tag != NULL && tag[0] != '\0'; tag = strsep(&rest, ",")) {
        char *value = strchr(tag, '=');
        *value++ = '\0';
        lists_set_tag(list, tag, value);
    }
}

struct small_node *small_world_add(struct small_world *w, const char *name, uint8_t last_octet, const char *tags, const struct hearsay_key *key,
                                   bool is_joined)
{
    struct hearsay_options options;
    struct taglist list = {0};
    struct small_node *n = &w->nodes[w->count];
    parse_tags(&list, tags);
    hearsay_options_local(&options);
    *n = (struct small_node){.name = name, .world = w, .place = {.bytes = {127, 0, 0, last_octet}, .size = 4, .port = 7946}};
    options.name = name;
    options.advertise = n->place;
    options.tags = list.at;
    options.tag_count = list.count;
    options.seed = last_octet;
    options.announce_abilities = 0;
    options.matcher.match = expression_match;
    if (key != NULL) {
        options.keys[0] = *key;
        options.key_count = 1;
    }
    options.cipher = w->cipher;
    n->node = hearsay_create(&options, w->now, NULL);
    assert(n->node != NULL);
    lists_free_tags(&list);
    n->service = (struct service){.node = n->node, .name = name, .context = n, .event_bytes_max = 512, .query_bytes_max = 1024,
                                  .response_bytes_max = 1024, .now_us = now_us, .unix_ms = unix_ms, .flush = flush, .join = join,
                                  .leave = leave, .save_tags = save_tags, .lines_dropped = lines_dropped};
    session_init(&n->sessions[0], &n->service);
    session_init(&n->sessions[1], &n->service);
    w->count++;
    small_world_settle(w);
    if (is_joined && w->count > 1) {
        struct hearsay_target first = {.address = w->nodes[0].place};
        uint32_t ticket;
        (void)!hearsay_join(n->node, w->now, &first, 1, false, &ticket);
        small_world_settle(w);
    }
    return n;
}

void small_world_close(struct small_world *w)
{
    for (unsigned i = 0; i < w->count; i++) {
        session_deinit(&w->nodes[i].sessions[0]);
        session_deinit(&w->nodes[i].sessions[1]);
        hearsay_destroy(w->nodes[i].node);
        service_deinit(&w->nodes[i].service);
    }
    hearsay_cipher_nettle_free(&w->cipher);
}
