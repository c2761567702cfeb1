/* SPDX-License-Identifier: MIT
 *
 * What a service is, as people and programs define it: a JSON object in the configuration, or in a request. It knows the form and its
 * limits, not what becomes of it (registry.h) nor how checks are run (checks.h).
 *
 *     {"name": "web", "port": 80, "tags": ["v1"], "checks": [{"http": "http://127.0.0.1:80/health", "interval": "5s"}]}
 */
#ifndef HEARSAY_AGENT_DEFINITION_H
#define HEARSAY_AGENT_DEFINITION_H

#include "agent/lists.h"

#include <hearsay/services.h>
#include <jansson.h>

#define DEFINITION_CHECKS_MAX 16

enum check_kind { CHECK_SCRIPT, CHECK_TCP, CHECK_HTTP, CHECK_TTL };

struct check_definition {
    enum check_kind kind;
    char *name;
    char *target;         /* a command for the shell, "host:port", "http://host:port/path"; NULL of a heartbeat */
    uint64_t interval_ms; /* of a heartbeat: how long one lasts */
    uint64_t timeout_ms;
    uint32_t successes, failures; /* so many in a row before the state changes */
    enum hearsay_service_state initial;
};

struct definition {
    char *name, *id;
    struct hearsay_address address;
    struct words tags;
    struct taglist meta;
    struct check_definition *checks;
    size_t check_count;
};

/* What is wrong, and with which key of the object ("": with all of it). */
struct complaint {
    char text[400], key[64];
};

/* False with a complaint. Afterwards definition_free is due in either case. */
bool definition_read(struct definition *d, const json_t *object, struct complaint *complaint);
void definition_free(struct definition *d);
/* How it stands in the store, without state and output. Borrows from d. */
struct hearsay_service_definition definition_service(const struct definition *d);
/* "script", "tcp", "http", "ttl". */
const char *definition_kind_word(enum check_kind kind);

#endif
