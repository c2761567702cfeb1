/* SPDX-License-Identifier: MIT
 *
 * See scenario.h. jansson tells where bad JSON is; where a bad value stands is looked up in the text.
 */
#include "sim/scenario.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CROWD_MAX 1000000
#define LONG_TAIL 10 /* the place of "long_tail" among the fields of a link */

struct reader {
    const char *text, *name;
    char *error;
    size_t size;
    size_t object;      /* which of the faults is read, from 1; 0 = outside of them */
    uint32_t nodes;     /* that there will be at most, with those who join */
};

/* The text from the nth object inside the list of faults on. */
static const char *find_object(const struct reader *r)
{
    const char *at = strstr(r->text, "\"faults\"");
    size_t depth = 0, seen = 0;
    bool is_string = false;
    for (; at != NULL && r->object > 0 && *at != 0; at++) {
        if (*at == '"' && at[-1] != '\\') {
            is_string = !is_string;
        } else if (!is_string && *at == '{' && depth++ == 0 && ++seen == r->object) {
            return at;
        } else if (!is_string && *at == '}') {
            depth--;
        }
    }
    return r->text;
}

static bool wrong(const struct reader *r, const char *key, const char *format, ...) __attribute__((format(printf, 3, 4)));
static bool wrong(const struct reader *r, const char *key, const char *format, ...)
{
    char quoted[80], what[160];
    unsigned line = 1, column = 1;
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    (void)snprintf(quoted, sizeof quoted, "\"%.70s\"", key);
    const char *from = find_object(r), *place = strstr(from, quoted);
    for (const char *at = r->text; at < (place == NULL ? from : place); at++) {
        column = *at == '\n' ? 1 : column + 1;
        line += *at == '\n';
    }
    (void)snprintf(r->error, r->size, "%s:%u:%u: \"%.60s\" %s", r->name, line, column, key, what);
    return false;
}

static bool read_number(const struct reader *r, const char *key, json_t *value, double least, double most, double *out)
{
    *out = json_number_value(value);
    if (!json_is_number(value) || !(*out >= least && *out <= most)) {
        return wrong(r, key, "must be a number from %g to %g", least, most);
    }
    return true;
}

/* 3, "10%", "5-9" */
static bool read_crowd(const struct reader *r, const char *key, json_t *value, struct crowd *crowd, uint64_t salt)
{
    const char *text = json_string_value(value);
    unsigned first, last;
    double share;
    char rest;
    bool is_fine = true;
    *crowd = (struct crowd){.salt = salt};
    if (json_is_integer(value) && json_integer_value(value) > 0 && json_integer_value(value) <= CROWD_MAX) {
        crowd->count = (uint32_t)json_integer_value(value);
    } else if (text != NULL && sscanf(text, "%lf%c%c", &share, &rest, &rest) == 2 && rest == '%' && share > 0 && share <= 100) {
        crowd->share = share / 100;
    } else if (text != NULL && sscanf(text, "%7u-%7u%c", &first, &last, &rest) == 2 && first > 0 && last >= first &&
               last <= CROWD_MAX) {
        crowd->first = first;
        crowd->count = last - first + 1;
    } else {
        is_fine = wrong(r, key, "must be a number of nodes, \"10%%\" or \"5-9\"");
    }
    uint32_t most = crowd->first > 0 ? crowd->first + crowd->count - 1 : crowd->count;
    return is_fine && (most <= r->nodes || wrong(r, key, "speaks of %u nodes, but there are only %u", most, r->nodes));
}

static bool read_link(const struct reader *r, const char *key, json_t *value, struct link *link, bool *is_known)
{
    static const struct {
        const char *name;
        double most;
    } fields[] = {{"loss", 1}, {"duplication", 1}, {"reordering", 1}, {"latency", 60}, {"jitter", 60}, {"reorder_by", 60}, {"burst", 60},
                  {"burst_every", 3600}, {"burst_loss", 1}, {"bytes_per_second", 4e9}, {"long_tail", 1}};
    double number;
    size_t i = 0, count = sizeof fields / sizeof fields[0];
    while (i < count && strcmp(fields[i].name, key) != 0) {
        i++;
    }
    *is_known = i < count;
    json_t *switched = json_is_boolean(value) && i == LONG_TAIL ? json_integer(json_is_true(value)) : NULL;
    bool is_read = *is_known && read_number(r, key, switched != NULL ? switched : value, 0, fields[i].most, &number);
    json_decref(switched);
    if (!is_read) {
        return !*is_known;
    }
    uint32_t us = (uint32_t)(number * 1e6 < 4e9 ? number * 1e6 : 4e9);
    switch (i) {
    case 0: link->loss = number; break;
    case 1: link->duplication = number; break;
    case 2: link->reordering = number; break;
    case 3: link->latency_us = us; break;
    case 4: link->jitter_us = us; break;
    case 5: link->reorder_us = us; break;
    case 6: link->burst_us = us; break;
    case 7: link->burst_every_us = us; break;
    case 8: link->burst_loss = number; break;
    case 9: link->bytes_per_second = (uint32_t)number; break;
    default: link->has_long_tail = number > 0; break;
    }
    return true;
}

static bool read_kind(const struct reader *r, json_t *value, struct fault *fault)
{
    const char *text = json_string_value(value);
    for (unsigned kind = 0; text != NULL && kind < FAULT_KINDS; kind++) {
        if (strcmp(fault_names[kind].name, text) == 0) {
            fault->kind = (enum fault_kind)kind;
            return true;
        }
    }
    return wrong(r, "fault", "must be one of crash, switch_off, leave, join, freeze, block, slow, skew, cut, cut_one_way, partition, link, "
                             "garbage, event, tags");
}

static bool read_time(const struct reader *r, const char *key, json_t *value, uint64_t *us)
{
    double number;
    bool is_read = read_number(r, key, value, 0, 1e6, &number);
    *us = is_read ? (uint64_t)(number * 1e6) : 0;
    return is_read;
}

static bool read_field(const struct reader *r, const char *key, json_t *value, struct fault *fault)
{
    uint64_t us;
    double number;
    bool is_link;
    if (strcmp(key, "fault") == 0) {
        return read_kind(r, value, fault);
    } else if (strcmp(key, "at") == 0) {
        return read_time(r, key, value, &fault->at_us);
    } else if (strcmp(key, "for") == 0) {
        return read_time(r, key, value, &fault->for_us);
    } else if (strcmp(key, "every") == 0) {
        return read_number(r, key, value, 0.001, 1e6, &number) && read_time(r, key, value, &fault->every_us);
    } else if (strcmp(key, "until") == 0) {
        return read_time(r, key, value, &fault->until_us);
    } else if (strcmp(key, "spacing") == 0) {
        return read_time(r, key, value, &fault->spacing_us);
    } else if (strcmp(key, "ahead") == 0) {
        return read_time(r, key, value, &fault->ahead_us);
    } else if (strcmp(key, "run") == 0 || strcmp(key, "slice") == 0) {
        bool is_read = read_time(r, key, value, &us) && us < 4000000000u;
        *(key[0] == 'r' ? &fault->run_us : &fault->slice_us) = (uint32_t)us;
        return is_read || wrong(r, key, "must be a number of seconds below 4000");
    } else if (strcmp(key, "nodes") == 0) {
        return read_crowd(r, key, value, &fault->who, r->object * 2);
    } else if (strcmp(key, "others") == 0) {
        return read_crowd(r, key, value, &fault->whom, r->object * 2 + 1);
    } else if (strcmp(key, "rate") == 0) {
        return read_number(r, key, value, 0.001, 1e6, &fault->rate);
    } else if (strcmp(key, "drift") == 0) {
        bool is_read = read_number(r, key, value, -0.9, 10, &number);
        fault->drift_ppm = is_read ? (int32_t)(number * 1e6) : 0;
        return is_read;
    } else if (strcmp(key, "keeps_disk") == 0) {
        fault->keeps_disk = json_is_true(value);
        return json_is_boolean(value) || wrong(r, key, "must be true or false");
    }
    return read_link(r, key, value, &fault->link, &is_link) && (is_link || wrong(r, key, "is not known here"));
}

/* A key that says nothing about this kind of fault is one that was meant otherwise. */
static bool is_of(const char *key, enum fault_kind kind)
{
    static const struct {
        const char *key;
        unsigned kinds; /* bits */
    } fields[] = {{"keeps_disk", 1u << FAULT_CRASH | 1u << FAULT_SWITCH_OFF | 1u << FAULT_LEAVE}, {"run", 1u << FAULT_SLOW},
                  {"slice", 1u << FAULT_SLOW}, {"ahead", 1u << FAULT_SKEW}, {"drift", 1u << FAULT_SKEW}, {"rate", 1u << FAULT_GARBAGE},
                  {"others", 1u << FAULT_CUT | 1u << FAULT_CUT_ONE_WAY},
                  {"for", ~(1u << FAULT_JOIN | 1u << FAULT_EVENT | 1u << FAULT_TAGS)},
                  {"spacing", ~(1u << FAULT_CUT | 1u << FAULT_CUT_ONE_WAY | 1u << FAULT_PARTITION | 1u << FAULT_LINK | 1u << FAULT_GARBAGE)},
                  {"fault", ~0u}, {"at", ~0u}, {"every", ~0u}, {"until", ~0u}, {"nodes", ~0u}};
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        if (strcmp(fields[i].key, key) == 0) {
            return (fields[i].kinds >> kind & 1) != 0;
        }
    }
    return kind == FAULT_LINK;
}

static bool fits_kind(const struct reader *r, json_t *object, const struct fault *fault)
{
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value) {
        if (!is_of(key, fault->kind)) {
            return wrong(r, key, "says nothing about a %s", fault_names[fault->kind].name);
        }
    }
    if (fault->kind == FAULT_JOIN && fault->who.count == 0) {
        return wrong(r, "nodes", "must be the number of new nodes");
    }
    if (fault->link.burst_us > 0 && fault->link.burst_every_us == 0) {
        return wrong(r, "burst", "goes with \"burst_every\"");
    }
    if (fault->kind == FAULT_SLOW && fault->run_us >= fault->slice_us) {
        return wrong(r, "run", "must be less than \"slice\"");
    }
    return true;
}

static bool fits_time(const struct reader *r, json_t *object, const struct fault *fault)
{
    if (json_object_get(object, "until") != NULL && (fault->every_us == 0 || fault->until_us < fault->at_us)) {
        return wrong(r, "until", "must be later than \"at\", and go with \"every\"");
    }
    if (fault->every_us > 0 && fault->for_us >= fault->every_us) {
        return wrong(r, "for", "must be less than \"every\"");
    }
    return true;
}

static bool read_fault(struct reader *r, json_t *object, struct scenario *scenario)
{
    struct fault *fault = &scenario->faults[scenario->fault_count++];
    const char *key;
    json_t *value;
    *fault = (struct fault){.kind = FAULT_KINDS, .link = scenario->link, .until_us = UINT64_MAX / 4};
    r->object = scenario->fault_count;
    if (!json_is_object(object)) {
        return wrong(r, "faults", "must be a list of objects");
    }
    json_object_foreach(object, key, value) {
        if (!read_field(r, key, value, fault)) {
            return false;
        }
    }
    if (fault->kind == FAULT_KINDS) {
        return wrong(r, "fault", "is missing in fault %zu", scenario->fault_count);
    }
    return fits_kind(r, object, fault) && fits_time(r, object, fault);
}

static bool read_faults(struct reader *r, json_t *list, struct scenario *scenario)
{
    size_t index;
    json_t *object;
    if (!json_is_array(list) || json_array_size(list) > SCENARIO_FAULTS_MAX) {
        return wrong(r, "faults", "must be a list of at most %d faults", SCENARIO_FAULTS_MAX);
    }
    json_array_foreach(list, index, object) {
        if (!read_fault(r, object, scenario)) {
            return false;
        }
    }
    return true;
}

static bool read_all(struct reader *r, json_t *root, struct scenario *scenario)
{
    const char *key;
    json_t *value;
    bool is_link;
    if (!json_is_object(root)) {
        return wrong(r, "faults", "is missing: a scenario is an object");
    }
    json_object_foreach(root, key, value) { /* the link first: faults begin with it */
        double seconds;
        if (strcmp(key, "timer_grain") == 0) {
            if (!read_number(r, key, value, 0, 1, &seconds)) {
                return false;
            }
            scenario->timer_grain_us = (uint32_t)(seconds * 1e6);
        } else if (strcmp(key, "wake_cpu") == 0) {
            if (!read_number(r, key, value, 0, 1, &seconds)) {
                return false;
            }
            scenario->wake_cpu_us = (uint32_t)(seconds * 1e6 + 0.5);
        } else if (strcmp(key, "cores") == 0) {
            if (!read_number(r, key, value, 0, WORLD_CORES_MAX, &seconds) || seconds != (uint32_t)seconds) {
                return wrong(r, key, "must be a whole number up to %d", WORLD_CORES_MAX);
            }
            scenario->cores = (uint32_t)seconds;
        } else if (strcmp(key, "description") == 0) {
            if (!json_is_string(value)) {
                return wrong(r, key, "must be a text");
            }
            (void)snprintf(scenario->description, sizeof scenario->description, "%s", json_string_value(value));
        } else if (strcmp(key, "faults") != 0 && !read_link(r, key, value, &scenario->link, &is_link)) {
            return false;
        } else if (strcmp(key, "faults") != 0 && !is_link) {
            return wrong(r, key, "is not known here");
        }
    }
    if ((scenario->cores > 0) != (scenario->wake_cpu_us > 0)) {
        return wrong(r, scenario->cores > 0 ? "cores" : "wake_cpu", "goes with \"%s\"", scenario->cores > 0 ? "wake_cpu" : "cores");
    }
    if (scenario->link.burst_us > 0 && scenario->link.burst_every_us == 0) {
        return wrong(r, "burst", "goes with \"burst_every\"");
    }
    value = json_object_get(root, "faults");
    return value == NULL || read_faults(r, value, scenario);
}

/* Those who will have joined. */
static uint32_t newcomers(json_t *root)
{
    size_t index;
    json_t *object;
    uint64_t count = 0;
    json_array_foreach(json_object_get(root, "faults"), index, object) {
        const char *kind = json_string_value(json_object_get(object, "fault"));
        json_int_t nodes = json_integer_value(json_object_get(object, "nodes"));
        if (kind != NULL && strcmp(kind, fault_names[FAULT_JOIN].name) == 0) {
            count += nodes > 0 && nodes <= CROWD_MAX ? (uint64_t)nodes : 0;
        }
    }
    return (uint32_t)count;
}

bool scenario_parse(struct scenario *scenario, const char *text, const char *name, uint32_t nodes, char *error, size_t size)
{
    json_error_t why;
    struct reader r = {.text = text, .name = name, .error = error, .size = size};
    json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, &why);
    memset(scenario, 0, sizeof *scenario);
    scenario->link = (struct link){.latency_us = 500, .jitter_us = 500};
    if (root == NULL) {
        (void)snprintf(error, size, "%s:%d:%d: %s", name, why.line, why.column, why.text);
        return false;
    }
    r.nodes = nodes == 0 ? CROWD_MAX : nodes + newcomers(root);
    bool is_read = read_all(&r, root, scenario);
    json_decref(root);
    return is_read;
}
