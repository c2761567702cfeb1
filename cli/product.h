/* SPDX-License-Identifier: MIT
 *
 * Which product speaks memberlist here, and what can be told of the state that it adds to an exchange: of Alertmanager's silences and of dskit's
 * (Loki, Mimir, Tempo) keys how many and how large they are, of Consul what its Serf tags say. Contents are not decoded: they are the
 * product's business. The formats are clusterpb.FullState of Alertmanager and KeyValuePair of dskit, both protobuf.
 */
#ifndef HEARSAY_CLI_PRODUCT_H
#define HEARSAY_CLI_PRODUCT_H

#include <hearsay/inspect.h>
#include <jansson.h>

enum product_kind { PRODUCT_MEMBERLIST, PRODUCT_SERF, PRODUCT_ALERTMANAGER, PRODUCT_CONSUL, PRODUCT_NOMAD, PRODUCT_DSKIT, PRODUCT_KINDS };

#define PRODUCT_PARTS 32
#define PRODUCT_TEXT 512

/* One piece of the state. Names are a stranger's, already safe to show. */
struct product_part {
    char name[100];
    char codec[40];  /* dskit: how its value is written; else "" */
    size_t size;     /* bytes of the value */
    size_t entries;  /* Alertmanager: how many it holds */
    bool is_deleted; /* dskit: a tombstone */
};

struct product {
    enum product_kind kind;
    size_t state_size;
    struct product_part parts[PRODUCT_PARTS];
    size_t part_count; /* of all, even beyond PRODUCT_PARTS */
    uint64_t digest;   /* what must be the same on all members: silences, names of keys; whatever their order */
    char summary[PRODUCT_TEXT]; /* Consul, Nomad: "datacenter dc1: 3 servers, 2 clients, version 1.9.0"; else "" */
    char builds[200];           /* versions of the product, as its tags tell, with commas */
    size_t build_count;
};

/* Of a view that is complete. */
void product_read(struct product *p, const struct hearsay_inspection *view);
/* "Alertmanager", and the word for programs, "alertmanager". */
const char *product_title(enum product_kind kind);
const char *product_word(enum product_kind kind);
/* PRODUCT_KINDS: there is no such word. */
enum product_kind product_of_word(const char *word);
/* May one cluster be both? A Consul is a Serf, and all are memberlist's. */
bool product_is(enum product_kind kind, enum product_kind wanted);
/* The state in words for people, or "". */
void product_describe(const struct product *p, char *out, size_t size);
json_t *product_json(const struct product *p);

#endif
