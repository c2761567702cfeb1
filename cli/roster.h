/* SPDX-License-Identifier: MIT
 *
 * Members as RPC tells them, and how people and programs get to see them.
 */
#ifndef HEARSAY_CLI_ROSTER_H
#define HEARSAY_CLI_ROSTER_H

#include "base/cursor.h"

struct roster_member {
    char *name, *address, *status, *tags; /* tags: "a=b,c=d", sorted; address with port */
    char **keys, **values;                /* the same tags, sorted by key */
    size_t tag_count;
    unsigned port;
    uint8_t protocol[3]; /* min, max, current of the delegate */
};

struct roster {
    struct roster_member *at;
    size_t count;
};

/* Reads {Members [..]}. False when it makes no sense. */
bool roster_read(struct roster *roster, struct hearsay_bytes object);
void roster_free(struct roster *roster);
void roster_print_text(const struct roster *roster, bool is_detailed);
void roster_print_json(const struct roster *roster);

#endif
