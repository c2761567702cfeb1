/* SPDX-License-Identifier: MIT
 *
 * See handlers.h. What a script finds in its environment and input, and the lines of the log, are those of Serf's agent.
 */
#include "agent/handlers.h"

#include "agent/log.h"
#include "agent/script.h"

#include <ctype.h>
#include <stdarg.h>

/* One event, shared by the handlers that want it. */
struct errand {
    uint32_t owners;
    char *event; /* "user" */
    char *name;  /* of a user event or query, else NULL */
    struct words variables;
    struct text input;
    uint64_t query;
    bool is_query;
    struct handlers *h; /* of a large event that is judged; else NULL */
    uint64_t item;
    uint32_t judges, approvals;
};

struct waiting {
    struct waiting *next;
    struct errand *errand;
};

struct handler {
    struct handler *next;
    struct handlers *h;
    char *line, *script; /* script points into line */
    struct filter filter;
    bool is_judge;       /* it wants nothing but to judge … */
    char *cause;         /* … the large events of this name; NULL = all */
    struct waiting *oldest, **end;
    uint32_t count;
    size_t size;
    uint64_t dropped; /* since it was last said */
    struct script *running;
    struct errand *errand; /* of running */
    uint64_t began_ms;
    bool is_gone;          /* of an older configuration; freed when its script ends */
};

/* ---- errands ---- */

static void release(struct errand *e)
{
    if (--e->owners == 0) {
        if (e->h != NULL && e->h->judged != NULL) {
            e->h->judged(e->h->context, e->item, e->approvals == e->judges);
        }
        lists_free_words(&e->variables);
        text_deinit(&e->input);
        free(e->event);
        free(e->name);
        free(e);
    }
}

static void __attribute__((format(printf, 2, 3))) add_variable(struct errand *e, const char *format, ...)
{
    char *line;
    va_list list;
    va_start(list, format);
    int size = vasprintf(&line, format, list);
    va_end(list);
    must(size < 0 ? NULL : line);
    lists_add_word(&e->variables, line);
    free(line);
}

/* SERF_TAG_NAME, in capitals, with _ for what a variable cannot be called. */
static void add_tag(struct errand *e, struct hearsay_bytes key, struct hearsay_bytes value)
{
    char *name = must(strndup((const char *)key.data, key.size));
    for (char *p = name; *p != '\0'; p++) {
        *p = isalnum((unsigned char)*p) ? (char)toupper((unsigned char)*p) : '_';
    }
    add_variable(e, "SERF_TAG_%s=%.*s", name, (int)value.size, (const char *)value.data);
    free(name);
}

static struct errand *errand_of(const struct handlers *h, const char *event, const char *name)
{
    struct errand *e = must(calloc(1, sizeof *e));
    struct hearsay_member self = {0};
    struct hearsay_bytes key, value, role = {NULL, 0};
    size_t first = 0, position = 0;
    bool is_known = h->node != NULL && hearsay_next_member(h->node, &first, &self);
    e->owners = 1;
    e->event = must(strdup(event));
    e->name = name == NULL ? NULL : must(strdup(name));
    while (is_known && hearsay_next_tag(&self, &position, &key, &value)) {
        if (key.size == 4 && memcmp(key.data, "role", 4) == 0) {
            role = value;
        }
        add_tag(e, key, value);
    }
    add_variable(e, "SERF_EVENT=%s", event);
    add_variable(e, "SERF_SELF_NAME=%s", h->name);
    add_variable(e, "SERF_SELF_ROLE=%.*s", (int)role.size, role.size == 0 ? "" : (const char *)role.data);
    return e;
}

/* ---- running ---- */

static void start_some(struct handlers *h);

static void free_handler(struct handler *r)
{
    while (r->oldest != NULL) {
        struct waiting *w = r->oldest;
        r->oldest = w->next;
        release(w->errand);
        free(w);
    }
    filter_free(&r->filter);
    free(r->cause);
    free(r->line);
    free(r);
}

static void on_slow(void *user)
{
    const struct handler *r = user;
    log_put(LOG_WARN, "agent: Script '%s' slow, execution exceeding 1s", r->script);
}

static void answer(struct handlers *h, const struct errand *e, struct hearsay_bytes output)
{
    char error[200];
    if (e->is_query && output.size > 0 && h->respond != NULL && !h->respond(h->context, e->query, output, error, sizeof error)) {
        log_put(LOG_WARN, "agent: Failed to respond to query '%s': %s", e->name, error);
    }
}

static void on_end(void *user, const struct script_result *result)
{
    struct handler *r = user;
    struct handlers *h = r->h;
    struct errand *e = r->errand;
    r->running = NULL;
    r->errand = NULL;
    h->running--;
    if (h->on_run != NULL) {
        h->on_run(h->context, r->script, uv_now(h->loop) - r->began_ms);
    }
    if (result->printed > SCRIPT_OUTPUT_BYTES) {
        log_put(LOG_WARN, "agent: Script '%s' generated %llu bytes of output, truncated to %d", r->script,
                (unsigned long long)result->printed, SCRIPT_OUTPUT_BYTES);
    }
    log_put(LOG_DEBUG, "agent: Event '%s' script output: %.*s", e->event, (int)result->output.size, (const char *)result->output.data);
    if (result->was_stopped) {
        log_put(LOG_ERR, "agent: Error invoking script '%s': stopped after its time limit of %llu s (handler_timeout)", r->script,
                (unsigned long long)h->limit_ms / 1000);
    } else if (result->signal != 0) {
        log_put(LOG_ERR, "agent: Error invoking script '%s': signal: %s", r->script, strsignal(result->signal));
    } else if (result->exit_code != 0 && r->is_judge) {
        log_put(LOG_INFO, "agent: Script '%s' judged large event '%s': exit status %d, it is not told on", r->script, e->name, result->exit_code);
    } else if (result->exit_code != 0) {
        log_put(LOG_ERR, "agent: Error invoking script '%s': exit status %d", r->script, result->exit_code);
    } else {
        e->approvals++;
        answer(h, e, result->output);
    }
    release(e);
    if (r->is_gone) {
        struct handler **at = &h->gone;
        while (*at != r) {
            at = &(*at)->next;
        }
        *at = r->next;
        free_handler(r);
    }
    start_some(h);
}

static struct errand *take(struct handler *r)
{
    struct waiting *w = r->oldest;
    struct errand *e = w->errand;
    r->oldest = w->next;
    r->end = r->oldest == NULL ? &r->oldest : r->end;
    r->count--;
    r->size -= e->input.size;
    free(w);
    return e;
}

static void start_one(struct handler *r)
{
    char error[200];
    struct errand *e = take(r);
    struct script_order order = {.command = r->script, .added = &e->variables, .limit_ms = r->h->limit_ms, .on_slow = on_slow,
                                 .on_end = on_end, .user = r, .input = {(const uint8_t *)e->input.data, e->input.size}};
    if (r->dropped > 0) {
        log_put(LOG_WARN, "agent: Script '%s' is too slow: %llu events were dropped", r->script, (unsigned long long)r->dropped);
        r->dropped = 0;
    }
    r->running = script_start(r->h->loop, &order, error, sizeof error);
    if (r->running == NULL) {
        log_put(LOG_ERR, "agent: Error invoking script '%s': %s", r->script, error);
        release(e);
        return;
    }
    r->errand = e;
    r->began_ms = uv_now(r->h->loop);
    r->h->running++;
}

/* Whoever has something to do begins, in turn, as long as there is room: nobody is starved by those before. */
static void start_some(struct handlers *h)
{
    uint32_t count = 0, at = 0;
    for (const struct handler *r = h->first; r != NULL; r = r->next) {
        count++;
    }
    for (uint32_t pass = 0; pass < 2; pass++) {
        at = 0;
        for (struct handler *r = h->first; r != NULL && h->running < h->running_max; r = r->next, at++) {
            bool is_later = at >= h->turn % (count == 0 ? 1 : count);
            while (is_later == (pass == 0) && r->running == NULL && r->oldest != NULL) {
                start_one(r);
                h->turn = h->running == h->running_max ? at + 1 : h->turn;
            }
        }
    }
}

static void enqueue(struct handler *r, struct errand *e)
{
    if (r->count == HANDLERS_WAITING || r->size + e->input.size > HANDLERS_WAITING_BYTES) {
        r->h->dropped++;
        if (r->dropped++ == 0) {
            log_put(LOG_WARN, "agent: Script '%s' is too slow: %u events wait, dropping more of them", r->script, r->count);
        }
        return;
    }
    struct waiting *w = must(malloc(sizeof *w));
    *w = (struct waiting){NULL, e};
    *r->end = w;
    r->end = &w->next;
    r->count++;
    r->size += e->input.size;
    e->owners++;
}

/* Takes e. */
static void hand_out(struct handlers *h, struct errand *e)
{
    for (struct handler *r = h->first; r != NULL; r = r->next) {
        if (filter_wants(&r->filter, e->event, e->name)) {
            enqueue(r, e);
        }
    }
    release(e);
    start_some(h);
}

/* ---- events ---- */

static void put_clean(struct text *out, struct hearsay_bytes bytes)
{
    for (size_t i = 0; i < bytes.size; i++) {
        char c = (char)bytes.data[i];
        text_put(out, c == '\t' ? "\\t" : c == '\n' ? "\\n" : &c, c == '\t' || c == '\n' ? 2 : 1);
    }
}

/* name, address, role and tags, tabs between. */
static void put_member(struct text *out, const struct hearsay_member *member)
{
    char ip[46];
    struct hearsay_bytes key, value;
    struct text role = {0}, tags = {0};
    for (size_t position = 0; hearsay_next_tag(member, &position, &key, &value);) {
        if (key.size == 4 && memcmp(key.data, "role", 4) == 0) {
            put_clean(&role, value);
        }
        text_puts(&tags, tags.size == 0 ? "" : ",");
        put_clean(&tags, key);
        text_puts(&tags, "=");
        put_clean(&tags, value);
    }
    text_ip(&member->address, ip);
    put_clean(out, (struct hearsay_bytes){(const uint8_t *)member->name, strlen(member->name)});
    text_printf(out, "\t%s\t", ip);
    text_put(out, role.data, role.size);
    text_puts(out, "\t");
    text_put(out, tags.data, tags.size);
    text_puts(out, "\n");
    text_deinit(&role);
    text_deinit(&tags);
}

void handlers_flush(struct handlers *h)
{
    if (h->members.size == 0) {
        return;
    }
    struct errand *e = errand_of(h, hearsay_event_text(h->member_type), NULL);
    e->input = h->members;
    h->members = (struct text){0};
    hand_out(h, e);
}

static void put_payload(struct errand *e, struct hearsay_bytes payload)
{
    if (payload.size > 0) {
        text_put(&e->input, payload.data, payload.size);
        text_puts(&e->input, payload.data[payload.size - 1] == '\n' ? "" : "\n");
    }
}

void handlers_event(struct handlers *h, const struct hearsay_event *event)
{
    if (h->first == NULL) {
        return;
    }
    switch (event->type) {
    case HEARSAY_MEMBER_JOIN:
    case HEARSAY_MEMBER_LEAVE:
    case HEARSAY_MEMBER_FAILED:
    case HEARSAY_MEMBER_UPDATE:
    case HEARSAY_MEMBER_REAP:
        if (h->member_type != event->type || h->members.size > HANDLERS_WAITING_BYTES / 4) {
            handlers_flush(h);
        }
        h->member_type = event->type;
        put_member(&h->members, &event->member);
        break;
    case HEARSAY_USER_EVENT: {
        handlers_flush(h);
        struct errand *e = errand_of(h, "user", event->name);
        add_variable(e, "SERF_USER_EVENT=%s", event->name);
        add_variable(e, "SERF_USER_LTIME=%llu", (unsigned long long)event->ltime);
        put_payload(e, event->payload);
        hand_out(h, e);
        break;
    }
    default:
        break;
    }
}

void handlers_query(struct handlers *h, const char *name, uint64_t ltime, struct hearsay_bytes payload, uint64_t query)
{
    if (h->first == NULL) {
        return;
    }
    handlers_flush(h);
    struct errand *e = errand_of(h, "query", name);
    e->is_query = true;
    e->query = query;
    add_variable(e, "SERF_QUERY_NAME=%s", name);
    add_variable(e, "SERF_QUERY_LTIME=%llu", (unsigned long long)ltime);
    put_payload(e, payload);
    hand_out(h, e);
}

bool handlers_judge(struct handlers *h, const struct hearsay_event *event)
{
    struct errand *e = NULL;
    for (struct handler *r = h->first; r != NULL; r = r->next) {
        if (!r->is_judge || (r->cause != NULL && strcmp(r->cause, event->name) != 0)) {
            continue;
        }
        if (e == NULL) {
            e = errand_of(h, "judge", event->name);
            e->h = h;
            e->item = event->change;
            add_variable(e, "SERF_USER_EVENT=%s", event->name);
            text_put(&e->input, event->payload.data, event->payload.size); /* as it is: a checksum may be of every byte */
        }
        e->judges++; /* whoever cannot be asked does not approve */
        enqueue(r, e);
    }
    if (e == NULL) {
        return false;
    }
    release(e);
    start_some(h);
    return true;
}

/* ---- configuration ---- */

/* "judge" or "judge:NAME" before the equals sign. */
static bool parse_judge(struct handler *r, const char *line, size_t size)
{
    if (size < 5 || memcmp(line, "judge", 5) != 0 || (size > 5 && line[5] != ':')) {
        return false;
    }
    r->is_judge = true;
    r->cause = size > 6 ? must(strndup(line + 6, size - 6)) : NULL;
    return true;
}

static struct handler *parse(struct handlers *h, const char *line, char *error, size_t size)
{
    const char *equals = strchr(line, '=');
    struct handler *r = must(calloc(1, sizeof *r));
    r->h = h;
    r->end = &r->oldest;
    r->line = must(strdup(line));
    r->script = equals == NULL ? r->line : r->line + (equals - line) + 1;
    size_t length = equals == NULL ? 0 : (size_t)(equals - line);
    if ((parse_judge(r, line, length) || filter_parse(&r->filter, line, length)) && r->script[0] != '\0') {
        return r;
    }
    snprintf(error, size, "event handler '%s' must be SCRIPT or EVENT=SCRIPT, where EVENT is member-join, member-leave, member-failed,"
             " member-update, member-reap, user, user:NAME, query, query:NAME or *, or several of them with commas; or judge or judge:NAME",
             line);
    free_handler(r);
    return NULL;
}

static struct handler **find(struct handler **at, const char *line)
{
    while (*at != NULL && strcmp((*at)->line, line) != 0) {
        at = &(*at)->next;
    }
    return at;
}

static void drop_all(struct handlers *h, struct handler *r)
{
    for (struct handler *next; r != NULL; r = next) {
        next = r->next;
        if (r->running == NULL) {
            free_handler(r);
        } else {
            r->is_gone = true;
            r->next = h->gone;
            h->gone = r;
        }
    }
}

bool handlers_set(struct handlers *h, const struct words *lines, char *error, size_t size)
{
    struct handler *fresh = NULL, **end = &fresh;
    for (size_t i = 0; i < lines->count; i++) {
        *end = parse(h, lines->at[i], error, size);
        if (*end == NULL) {
            drop_all(h, fresh);
            return false;
        }
        end = &(*end)->next;
    }
    for (struct handler **at = &fresh; *at != NULL; at = &(*at)->next) {
        struct handler **old = find(&h->first, (*at)->line), *kept = *old;
        if (kept != NULL) { /* it takes the place of its twin */
            *old = kept->next;
            kept->next = (*at)->next;
            free_handler(*at);
            *at = kept;
        }
    }
    drop_all(h, h->first);
    h->first = fresh;
    h->turn = 0;
    return true;
}

void handlers_visit(const struct handlers *h, void (*visit)(void *context, const char *filter, const char *script), void *context)
{
    for (const struct handler *r = h->first; r != NULL; r = r->next) {
        if (r->is_judge) {
            char filter[300];
            snprintf(filter, sizeof filter, "judge%s%s", r->cause == NULL ? "" : ":", r->cause == NULL ? "" : r->cause);
            visit(context, filter, r->script);
        }
        for (size_t i = 0; i < r->filter.words.count; i++) {
            visit(context, r->filter.words.at[i], r->script);
        }
    }
}

static void forget_all(struct handler *r)
{
    for (struct handler *next; r != NULL; r = next) {
        next = r->next;
        if (r->running != NULL) {
            script_forget(r->running);
            release(r->errand);
        }
        free_handler(r);
    }
}

void handlers_close(struct handlers *h)
{
    h->judged = NULL; /* there is nobody left to be told */
    forget_all(h->first);
    forget_all(h->gone);
    h->first = h->gone = NULL;
    h->running = 0;
    text_deinit(&h->members);
}
