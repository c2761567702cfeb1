/* SPDX-License-Identifier: MIT
 *
 * hearsay rtt: the round trip between two members, estimated from their network coordinates (Vivaldi), without a packet sent.
 */
#include "cli/client.h"
#include "cli/command.h"
#include "cli/plain.h"
#include "wire/msgpack.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DIMENSIONS_MAX 64

static const char *format = "text";

struct coordinate {
    double at[DIMENSIONS_MAX], height, adjustment;
    uint32_t dimensions;
};

static void read_coordinate(struct reader *r, struct coordinate *c)
{
    for (uint32_t n = msgpack_get_map(r); n > 0 && !r->is_bad; n--) {
        struct hearsay_bytes key = msgpack_get_raw(r);
        if (msgpack_is(key, "Adjustment")) {
            c->adjustment = msgpack_get_double(r);
        } else if (msgpack_is(key, "Height")) {
            c->height = msgpack_get_double(r);
        } else if (msgpack_is(key, "Vec")) {
            c->dimensions = msgpack_get_array(r);
            r->is_bad |= c->dimensions > DIMENSIONS_MAX;
            for (uint32_t i = 0; i < c->dimensions && !r->is_bad; i++) {
                c->at[i] = msgpack_get_double(r);
            }
        } else {
            msgpack_skip(r);
        }
    }
}

static bool get_coordinate(struct client *client, const char *name, struct coordinate *c)
{
    uint8_t room[1024];
    struct hearsay_bytes object;
    struct writer w = writer_of(room, sizeof room);
    bool is_known = false;
    msgpack_put_map(&w, 1);
    msgpack_put_text(&w, "Node");
    msgpack_put_str(&w, bytes_of_string(name));
    *c = (struct coordinate){0};
    if (w.is_full) {
        command_fail("%s: no member has so long a name", name);
        return false;
    }
    if (!client_ask(client, "get-coordinate", writer_bytes(&w)) || !client_next(client, &object, false)) {
        return false;
    }
    struct reader r = reader_of(object);
    for (uint32_t n = msgpack_get_map(&r); n > 0 && !r.is_bad; n--) {
        struct hearsay_bytes key = msgpack_get_raw(&r);
        if (msgpack_is(key, "Ok")) {
            is_known = msgpack_get_bool(&r);
        } else if (msgpack_is(key, "Coord")) {
            read_coordinate(&r, c);
        } else {
            msgpack_skip(&r);
        }
    }
    if (r.is_bad || !is_known) {
        command_fail(r.is_bad ? "the coordinate of \"%s\" makes no sense" : "Could not find a coordinate for node \"%s\"", name);
    }
    return !r.is_bad && is_known;
}

/* Milliseconds, from whole nanoseconds as Serf has it. */
static double distance_ms(const struct coordinate *a, const struct coordinate *b)
{
    double sum = 0;
    for (uint32_t i = 0; i < a->dimensions; i++) {
        sum += (a->at[i] - b->at[i]) * (a->at[i] - b->at[i]);
    }
    double raw = sqrt(sum) + a->height + b->height, adjusted = raw + a->adjustment + b->adjustment;
    return trunc((adjusted > 0 ? adjusted : raw) * 1e9) / 1e6;
}

/* Its own name, from stats: {"agent": {"name": …}}. */
static char *name_of_agent(struct client *client)
{
    struct hearsay_bytes object;
    char *name = NULL;
    if (!client_ask(client, "stats", bytes_of(NULL, 0)) || !client_next(client, &object, false)) {
        return NULL;
    }
    struct reader r = reader_of(object);
    for (uint32_t n = msgpack_get_map(&r); n > 0 && !r.is_bad; n--) {
        bool is_agent = msgpack_is(msgpack_get_raw(&r), "agent");
        for (uint32_t k = msgpack_get_map(&r); k > 0 && !r.is_bad; k--) {
            struct hearsay_bytes key = msgpack_get_raw(&r), value = msgpack_get_raw(&r);
            if (is_agent && msgpack_is(key, "name")) {
                free(name);
                name = strndup((const char *)value.data, value.size);
            }
        }
    }
    if (name == NULL) {
        command_fail("the agent does not tell its name");
    }
    return name;
}

static int show(char *a, char *b, double ms, bool is_json)
{
    if (is_json) {
        json_t *root = json_pack("{s:s, s:s, s:f}", "from", a, "to", b, "rtt_ms", ms);
        json_dumpf(root, stdout, JSON_INDENT(2));
        putchar('\n');
        json_decref(root);
    } else {
        plain_tame(a);
        plain_tame(b);
        printf("Estimated %s <-> %s rtt: %.3f ms\n", a, b, ms);
    }
    return EXIT_DONE;
}

static int estimate(struct client *client, char *a, char *b, bool is_json)
{
    struct coordinate one, other;
    if (!get_coordinate(client, a, &one) || !get_coordinate(client, b, &other)) {
        return EXIT_FAILED;
    }
    if (one.dimensions != other.dimensions) {
        return command_fail("the coordinates of %s and %s cannot be compared", a, b);
    }
    return show(a, b, distance_ms(&one, &other), is_json);
}

static int run(int count, char **arguments)
{
    struct client client;
    bool is_json;
    int result = EXIT_FAILED;
    if (!command_format(format, &is_json) || !client_open(&client)) {
        return EXIT_FAILED;
    }
    char *own = count == 1 ? name_of_agent(&client) : NULL;
    if (count == 2 || own != NULL) {
        result = estimate(&client, arguments[0], own != NULL ? own : arguments[1], is_json);
    }
    free(own);
    client_close(&client);
    return result;
}

static const struct flag flags[] = {
    {"format", FLAG_TEXT, &format, "text|json", "how to print (default text)"},
    COMMAND_RPC_FLAGS,
    {.name = NULL},
};

const struct command command_rtt = {
    .name = "rtt",
    .summary = "estimate the round trip between two members",
    .usage = "rtt [flags] NAME [NAME]",
    .text = "  Estimates the time a packet takes from one member to another and back, from their network coordinates; the second is the\n"
            "  agent itself when it is not given. No packet is sent.\n\n"
            "    hearsay rtt web-7 db-2\n",
    .flags = flags,
    .least = 1,
    .most = 2,
    .run = run,
};
