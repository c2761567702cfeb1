/* SPDX-License-Identifier: MIT
 *
 * The keyring at work: installing, using and removing keys of the envelope, answering the cluster's queries about them, and counting what each key
 * has sealed. AES-GCM with random nonces must stop well before 2^32 messages under one key (NIST SP 800-38D, section 8.3), and all members
 * together make that number. Reference: memberlist keyring.go, serf internal_query.go.
 */
#ifndef HEARSAY_SERF_KEYRING_H
#define HEARSAY_SERF_KEYRING_H

#include "base/cursor.h"
#include "spread/turn.h"
#include <hearsay/hearsay.h>

struct keyring {
    struct envelope *envelope;
    uint64_t sealed[HEARSAY_KEYS_MAX]; /* messages of ours, beside the envelope's keys */
    uint64_t warned_at;                /* messages of the cluster when the host was last warned of the key in use */
};

void keyring_init(struct keyring *k, struct envelope *envelope);
hearsay_err keyring_install(struct keyring *k, const struct hearsay_key *key);
hearsay_err keyring_use(struct keyring *k, const struct hearsay_key *key);
hearsay_err keyring_remove(struct keyring *k, const struct hearsay_key *key);
/* Carries out what a query asks for and writes the answer; false for a name that is no query about keys. *is_changed: the ring is another one. */
bool keyring_answer(struct keyring *k, struct hearsay_bytes query_name, struct hearsay_bytes payload, size_t limit, struct writer *answer,
                    bool *is_changed);
/* Tells the host when the key in use is worn: at option key_messages_max, and whenever that has doubled. */
void keyring_look(struct keyring *k, struct turn *turn);

#endif
