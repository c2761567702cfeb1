/* SPDX-License-Identifier: MIT
 *
 * One service of this node, and what the files of the registry share: registry.c (definitions, wishes, publishing), registry_file.c (what
 * survives the process), registry_tidy.c (the store's part under our name). Nobody else includes this.
 */
#ifndef HEARSAY_AGENT_OWN_H
#define HEARSAY_AGENT_OWN_H

#include "agent/registry.h"

#define REGISTRY_RETRY_MS 1000

struct own {
    struct own *next;
    struct registry *registry;
    char *json; /* as it was defined */
    struct definition d;
    struct words variables; /* of its scripts */
    struct check **checks;
    char *maintenance; /* the reason, or NULL */
    bool is_configured, is_seen;
    bool is_dirty;     /* what the store has is not what it should have */
    uint32_t ticket;   /* of a put under way */
    size_t value_size; /* of what was put last */
    uint8_t *value;
};

/* NULL when there is none. */
struct own *registry_find(const struct registry *r, const char *id);
bool registry_is_on(const struct registry *r);
/* A service made of a JSON object, not yet in use; NULL with a complaint. */
struct own *registry_parse(struct registry *r, const char *json, struct complaint *complaint);
/* Its checks start, and it is published. */
void registry_begin(struct registry *r, struct own *own);
void registry_free(struct own *own);
/* Puts what the store should have, if that is not what was put last. */
void registry_publish(struct registry *r, struct own *own);
/* Deletes the entry of this id under our name; or any entry. */
void registry_withdraw(struct registry *r, const char *id);
hearsay_err registry_delete(struct registry *r, struct hearsay_bytes key);

/* registry_file.c: false with a line in error. */
bool registry_save(const struct registry *r, char *error, size_t size);
bool registry_restore(struct registry *r, char *error, size_t size);

#endif
