/* SPDX-License-Identifier: MIT
 *
 * RPC requests that only look: members, stats, and hearsay's own why and health.
 */
#include "agent/eventlog.h"
#include "agent/fields.h"
#include "agent/handlers.h"
#include "agent/pattern.h"
#include "agent/requests.h"
#include "base/check.h"
#include "wire/msgpack.h"

#include <sys/utsname.h>
#include <unistd.h>

static void put(struct text *out, const struct writer *w)
{
    CHECK(!w->is_full);
    text_put(out, w->data, w->size);
}

static void put_named(struct writer *w, const char *key, uint64_t value)
{
    msgpack_put_text(w, key);
    msgpack_put_uint(w, value);
}

/* Serf has no word for suspected members: for it they are alive until they fail. */
static const char *status_word(enum hearsay_status status)
{
    return hearsay_status_text(status == HEARSAY_SUSPECT ? HEARSAY_ALIVE : status);
}

static uint32_t count_tags(const struct hearsay_member *member)
{
    struct hearsay_bytes key, value;
    uint32_t count = 0;
    for (size_t position = 0; hearsay_next_tag(member, &position, &key, &value);) {
        count++;
    }
    return count;
}

void views_put_member(struct text *out, const struct hearsay_member *member)
{
    uint8_t room[4096]; /* a name of 255 bytes, tags from a meta of 512, and ten short keys */
    struct writer w = writer_of(room, sizeof room);
    struct hearsay_bytes key, value, name = {(const uint8_t *)member->name, strlen(member->name)};
    msgpack_put_map(&w, 11);
    msgpack_put_text(&w, "Addr");
    msgpack_put_bin(&w, (struct hearsay_bytes){member->address.bytes, member->address.size});
    put_named(&w, "DelegateCur", member->versions[5]);
    put_named(&w, "DelegateMax", member->versions[4]);
    put_named(&w, "DelegateMin", member->versions[3]);
    msgpack_put_text(&w, "Name");
    msgpack_put_str(&w, name);
    put_named(&w, "Port", member->address.port);
    put_named(&w, "ProtocolCur", member->versions[2]);
    put_named(&w, "ProtocolMax", member->versions[1]);
    put_named(&w, "ProtocolMin", member->versions[0]);
    msgpack_put_text(&w, "Status");
    msgpack_put_text(&w, status_word(member->status));
    msgpack_put_text(&w, "Tags");
    msgpack_put_map(&w, count_tags(member));
    for (size_t position = 0; hearsay_next_tag(member, &position, &key, &value);) {
        msgpack_put_str(&w, key);
        msgpack_put_str(&w, value);
    }
    put(out, &w);
}

static void put_list(struct session *session, const char *key, uint32_t count, const struct text *items)
{
    uint8_t room[64];
    struct writer w = writer_of(room, sizeof room);
    msgpack_put_map(&w, 1);
    msgpack_put_text(&w, key);
    msgpack_put_array(&w, count);
    put(&session->output, &w);
    text_put(&session->output, items->data, items->size);
}

/* ---- members ---- */

#define TAG_FILTERS 64

struct member_filter {
    struct pattern name, status;
    struct {
        struct hearsay_bytes key; /* of the request */
        struct pattern value;
    } tags[TAG_FILTERS];
    uint32_t tag_count;
};

static bool tag_matches(const struct hearsay_member *member, struct hearsay_bytes wanted, const struct pattern *pattern)
{
    struct hearsay_bytes key, value;
    for (size_t position = 0; hearsay_next_tag(member, &position, &key, &value);) {
        if (bytes_equal(key, wanted)) {
            return pattern_matches(pattern, value);
        }
    }
    return pattern_matches(pattern, (struct hearsay_bytes){NULL, 0});
}

static bool matches(const struct member_filter *filter, const struct hearsay_member *member)
{
    const char *status = status_word(member->status);
    if (!pattern_matches(&filter->name, bytes_of_string(member->name))
        || !pattern_matches(&filter->status, bytes_of_string(status))) {
        return false;
    }
    for (uint32_t i = 0; i < filter->tag_count; i++) {
        if (!tag_matches(member, filter->tags[i].key, &filter->tags[i].value)) {
            return false;
        }
    }
    return true;
}

static void list_members(struct session *session, uint64_t seq, const struct member_filter *filter)
{
    struct text items = {0};
    struct hearsay_member member;
    uint32_t count = 0;
    for (size_t position = 0; hearsay_next_member(session->service->node, &position, &member);) {
        if (member.status != HEARSAY_NONE && (filter == NULL || matches(filter, &member))) {
            views_put_member(&items, &member);
            count++;
        }
    }
    session_reply(session, seq, "");
    put_list(session, "Members", count, &items);
    text_deinit(&items);
}

bool views_members(struct session *session, uint64_t seq, struct hearsay_bytes body)
{
    (void)body;
    list_members(session, seq, NULL);
    return true;
}

static bool read_filter(struct member_filter *filter, struct hearsay_bytes body)
{
    struct reader r = reader_of(body);
    bool is_fine = true;
    for (uint32_t n = msgpack_get_map(&r); n > 0 && is_fine && !r.is_bad; n--) {
        struct hearsay_bytes key = msgpack_get_raw(&r);
        if (msgpack_is(key, "Name")) {
            is_fine = pattern_set(&filter->name, msgpack_get_raw(&r), true);
        } else if (msgpack_is(key, "Status")) {
            is_fine = pattern_set(&filter->status, msgpack_get_raw(&r), true);
        } else if (msgpack_is(key, "Tags")) {
            for (uint32_t t = msgpack_get_map(&r); t > 0 && is_fine && !r.is_bad; t--) {
                is_fine = filter->tag_count < TAG_FILTERS;
                if (is_fine) {
                    filter->tags[filter->tag_count].key = msgpack_get_raw(&r);
                    is_fine = pattern_set(&filter->tags[filter->tag_count].value, msgpack_get_raw(&r), false);
                    filter->tag_count++;
                }
            }
        } else {
            msgpack_skip(&r);
        }
    }
    return is_fine && !r.is_bad;
}

bool views_members_filtered(struct session *session, uint64_t seq, struct hearsay_bytes body)
{
    struct member_filter *filter = must(calloc(1, sizeof *filter));
    bool is_fine = read_filter(filter, body); /* Serf closes the connection on a bad pattern, without an answer */
    if (is_fine) {
        list_members(session, seq, filter);
    }
    pattern_free(&filter->name);
    pattern_free(&filter->status);
    for (uint32_t i = 0; i < filter->tag_count; i++) {
        pattern_free(&filter->tags[i].value);
    }
    free(filter);
    return is_fine;
}

/* ---- stats: a map of maps of strings ---- */

static void put_section(struct writer *w, const char *name, uint32_t count)
{
    msgpack_put_text(w, name);
    msgpack_put_map(w, count);
}

static void put_string(struct writer *w, const char *key, const char *value)
{
    msgpack_put_text(w, key);
    msgpack_put_str(w, bytes_of_string(value));
}

static void put_count(struct writer *w, const char *key, uint64_t value)
{
    char digits[24];
    snprintf(digits, sizeof digits, "%llu", (unsigned long long)value);
    put_string(w, key, digits);
}

static void put_runtime(struct writer *w)
{
    struct utsname machine;
    char version[64];
    snprintf(version, sizeof version, "hearsay %s", hearsay_version());
    bool is_known = uname(&machine) == 0;
    put_section(w, "runtime", 6);
    put_string(w, "arch", !is_known ? "unknown" : strcmp(machine.machine, "x86_64") == 0 ? "amd64" : machine.machine);
    put_count(w, "cpu_count", (uint64_t)sysconf(_SC_NPROCESSORS_ONLN));
    put_count(w, "goroutines", 1);
    put_count(w, "max_procs", 1);
    put_string(w, "os", "linux");
    put_string(w, "version", version);
}

static void put_serf(struct writer *w, const struct hearsay_stats *stats)
{
    put_section(w, "serf", 12);
    put_count(w, "coordinate_resets", stats->coordinate_resets);
    put_string(w, "encrypted", stats->is_encrypted ? "true" : "false");
    put_count(w, "event_queue", stats->event_queue);
    put_count(w, "event_time", stats->event_time);
    put_count(w, "failed", stats->failed);
    put_count(w, "health_score", stats->health_score);
    put_count(w, "intent_queue", stats->intent_queue);
    put_count(w, "left", stats->left);
    put_count(w, "member_time", stats->member_time);
    put_count(w, "members", stats->members);
    put_count(w, "query_queue", stats->query_queue);
    put_count(w, "query_time", stats->query_time);
}

static void put_own_tags(struct writer *w, const struct service *service)
{
    struct hearsay_member self = {0};
    struct hearsay_bytes key, value;
    size_t first = 0;
    bool is_there = hearsay_next_member(service->node, &first, &self);
    put_section(w, "tags", is_there ? count_tags(&self) : 0);
    for (size_t position = 0; is_there && hearsay_next_tag(&self, &position, &key, &value);) {
        msgpack_put_str(w, key);
        msgpack_put_str(w, value);
    }
}

static void add_handler(void *context, const char *filter, const char *script)
{
    struct text key = {0};
    text_printf(&key, "%s%s", filter, strchr(filter, ':') == NULL ? ":" : "");
    lists_set_tag(context, key.data, script);
    text_deinit(&key);
}

/* "user:deploy" to script, as Serf lists them. Answers what they take at most when encoded. */
static size_t list_handlers(const struct service *service, struct taglist *list)
{
    size_t size = 0;
    if (service->handlers != NULL) {
        handlers_visit(service->handlers, add_handler, list);
    }
    for (size_t i = 0; i < list->count; i++) {
        size += strlen(list->at[i].key) + strlen(list->at[i].value) + 10;
    }
    return size;
}

static void put_handlers(struct writer *w, const struct taglist *handlers)
{
    put_section(w, "event_handlers", (uint32_t)handlers->count);
    for (size_t i = 0; i < handlers->count; i++) {
        put_string(w, handlers->at[i].key, handlers->at[i].value);
    }
}

bool views_stats(struct session *session, uint64_t seq, struct hearsay_bytes body)
{
    (void)body;
    struct hearsay_stats stats;
    struct taglist handlers = {0};
    size_t size = 4096 + list_handlers(session->service, &handlers);
    uint8_t *room = must(malloc(size));
    struct writer w = writer_of(room, size);
    hearsay_get_stats(session->service->node, &stats);
    msgpack_put_map(&w, 5);
    put_section(&w, "agent", 1);
    put_string(&w, "name", session->service->name);
    put_handlers(&w, &handlers);
    put_runtime(&w);
    put_serf(&w, &stats);
    put_own_tags(&w, session->service);
    session_reply(session, seq, "");
    put(&session->output, &w);
    lists_free_tags(&handlers);
    free(room);
    return true;
}

/* ---- why: the flight recorder ---- */

struct pieces {
    struct writer w;
    uint32_t count;
};

static void put_piece(void *context, const char *key, const char *text, uint64_t number)
{
    struct pieces *p = context;
    msgpack_put_text(&p->w, key);
    if (text != NULL) {
        msgpack_put_str(&p->w, bytes_of_string(text));
    } else {
        msgpack_put_uint(&p->w, number);
    }
    p->count++;
}

static void put_record(struct text *out, const struct hearsay_record *record, uint64_t unix_ms)
{
    uint8_t room[1024], cause[1024];
    struct writer w = writer_of(room, sizeof room);
    struct pieces p = {.w = writer_of(cause, sizeof cause)};
    eventlog_visit_cause(&record->cause, put_piece, &p);
    msgpack_put_map(&w, 4);
    msgpack_put_text(&w, "AtMs");
    msgpack_put_uint(&w, unix_ms);
    msgpack_put_text(&w, "Event");
    msgpack_put_text(&w, record->type == HEARSAY_EVENT_COUNT ? "note" : hearsay_event_text(record->type));
    msgpack_put_text(&w, "Name");
    msgpack_put_str(&w, bytes_of_string(record->name));
    msgpack_put_text(&w, "Cause");
    msgpack_put_map(&w, p.count);
    put(out, &w);
    put(out, &p.w);
}

bool views_why(struct session *session, uint64_t seq, struct hearsay_bytes body)
{
    struct service *service = session->service;
    struct hearsay_bytes wanted = {NULL, 0};
    struct reader r = reader_of(body);
    for (uint32_t n = msgpack_get_map(&r); n > 0 && !r.is_bad; n--) {
        struct hearsay_bytes key = msgpack_get_raw(&r);
        if (msgpack_is(key, "Node")) {
            wanted = msgpack_get_raw(&r);
        } else {
            msgpack_skip(&r);
        }
    }
    if (r.is_bad) {
        return false;
    }
    struct text items = {0};
    struct hearsay_record record;
    uint32_t count = 0;
    uint64_t now = service->now_us(service->context), unix_ms = service->unix_ms(service->context);
    for (size_t position = 0; hearsay_next_record(service->node, &position, &record);) {
        const char *name = record.name == NULL ? "" : record.name;
        record.name = name;
        if (wanted.size == 0 || bytes_equal(bytes_of_string(name), wanted)) {
            uint64_t age = now > record.at_us ? (now - record.at_us) / 1000 : 0;
            put_record(&items, &record, unix_ms - age);
            count++;
        }
    }
    session_reply(session, seq, "");
    put_list(session, "Records", count, &items);
    text_deinit(&items);
    return true;
}

/* ---- coordinates ---- */

static void put_double(struct writer *w, const char *key, double value)
{
    msgpack_put_text(w, key);
    msgpack_put_double(w, value);
}

bool views_coordinate(struct session *session, uint64_t seq, struct hearsay_bytes body)
{
    struct hearsay_bytes name = {NULL, 0};
    struct fields f = fields_of(body);
    while (fields_next(&f)) {
        if (msgpack_is(f.key, "Node")) {
            name = msgpack_get_raw(&f.r);
        } else {
            msgpack_skip(&f.r);
        }
    }
    if (f.r.is_bad) {
        return false;
    }
    char *text = fields_string(name);
    struct hearsay_coordinate c = {.error = 0};
    bool is_known = hearsay_get_coordinate(session->service->node, text, &c);
    free(text);
    uint8_t room[256];
    struct writer w = writer_of(room, sizeof room);
    msgpack_put_map(&w, 2);
    msgpack_put_text(&w, "Coord");
    msgpack_put_map(&w, 4);
    put_double(&w, "Adjustment", c.adjustment);
    put_double(&w, "Error", c.error);
    put_double(&w, "Height", c.height);
    msgpack_put_text(&w, "Vec");
    if (is_known) {
        msgpack_put_array(&w, HEARSAY_DIMENSIONS);
    } else {
        msgpack_put_nil(&w);
    }
    for (int i = 0; is_known && i < HEARSAY_DIMENSIONS; i++) {
        msgpack_put_double(&w, c.vec[i]);
    }
    msgpack_put_text(&w, "Ok");
    msgpack_put_bool(&w, is_known);
    session_reply(session, seq, "");
    put(&session->output, &w);
    return true;
}

/* ---- health ---- */

bool views_health(struct session *session, uint64_t seq, struct hearsay_bytes body)
{
    (void)body;
    struct service *service = session->service;
    const struct hearsay_counters *counters = hearsay_counters(service->node);
    struct hearsay_stats s;
    uint8_t room[4096];
    struct writer w = writer_of(room, sizeof room);
    uint32_t count = 1; /* with the agent's own */
#define COUNT_ONE(field, sentence) count++;
    HEARSAY_COUNTERS(COUNT_ONE)
#undef COUNT_ONE
    msgpack_put_map(&w, 2);
    put_section(&w, "Counters", count);
#define PUT_ONE(field, sentence) put_named(&w, #field, counters->field);
    HEARSAY_COUNTERS(PUT_ONE)
#undef PUT_ONE
    put_named(&w, "lines_dropped", service->lines_dropped(service->context));
    hearsay_get_stats(service->node, &s);
    put_section(&w, "Stats", 18);
    put_named(&w, "members", s.members);
    put_named(&w, "alive", s.alive);
    put_named(&w, "suspect", s.suspect);
    put_named(&w, "failed", s.failed);
    put_named(&w, "left", s.left);
    put_named(&w, "health_score", s.health_score);
    put_named(&w, "member_time", s.member_time);
    put_named(&w, "event_time", s.event_time);
    put_named(&w, "query_time", s.query_time);
    put_named(&w, "intent_queue", s.intent_queue);
    put_named(&w, "event_queue", s.event_queue);
    put_named(&w, "query_queue", s.query_queue);
    put_named(&w, "member_queue", s.member_queue);
    put_named(&w, "streams", s.streams);
    put_named(&w, "is_encrypted", s.is_encrypted);
    put_named(&w, "sealed", s.sealed);
    put_named(&w, "coordinate_resets", s.coordinate_resets);
    put_named(&w, "is_leaving", s.is_leaving);
    session_reply(session, seq, "");
    put(&session->output, &w);
    return true;
}
