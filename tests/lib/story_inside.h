/* SPDX-License-Identifier: MIT
 *
 * What the files of the story fixture share; stories themselves include story.h only.
 */
#ifndef HEARSAY_TESTS_STORY_INSIDE_H
#define HEARSAY_TESTS_STORY_INSIDE_H

#include "story.h"

#include <stdarg.h>
#include <stdio.h>

#define STORY_NODES 256
#define STORY_LINES 40
#define STORY_LINE_BYTES 160
#define STORY_POLL_US 10000 /* views are also looked at this often, besides after every notification */

/* One notification of one node. */
struct told {
    uint64_t at;
    uint32_t host, life;
    uint32_t about; /* number of the node that it is about, 0 = none of ours */
    enum hearsay_event_type type;
    struct hearsay_cause cause;
    char name[28];  /* of a user event or query; the payload's begin of a message or an answer; what was wrong with a key */
    uint32_t members, acks, answers, errors;
    bool is_ok;
};

struct story_node {
    struct host *host;
    char name[16];
    uint32_t ticket;
    unsigned contacted, refused;
    bool is_joining;
};

struct story {
    struct world *world;
    struct story_node nodes[STORY_NODES];
    unsigned count;
    amend_options *amend;
    uint64_t seed, began_at;
    const char *title, *program;
    bool is_traced;
    struct told *told;
    size_t told_count, told_capacity;
    char lines[STORY_LINES][STORY_LINE_BYTES];
    unsigned line_count;
};

static inline bool is_in(nodes who, unsigned index)
{
    return (who >> (index < 63 ? index : 63) & 1) != 0;
}

static inline bool is_running(const struct story *c, unsigned index)
{
    return host_is_up(c->nodes[index].host);
}

static inline struct hearsay_node *node_of(const struct story *c, unsigned index)
{
    return c->nodes[index].host->node;
}

/* story.c */
struct story *story_create(const char *title, uint64_t seed, bool is_traced);
void story_destroy(struct story *c);

/* story_report.c */
void report_line(struct story *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* "n1 n3", "everyone", "everyone except n3" */
const char *report_nodes(nodes who, char *text, size_t size);
void report_event(struct story *c, unsigned index, const struct hearsay_event *event);
/* For the world's on_packet, when everything is traced. */
void report_packet(void *context, struct host *from, struct host *to, struct hearsay_bytes bytes);
/* Prints everything a reader needs and ends the test. */
_Noreturn void report_failure(struct story *c, const char *claim);

/* story_claims.c */
bool claims_all_show_each_other(const struct story *c, nodes who);

#endif
