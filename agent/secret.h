/* SPDX-License-Identifier: MIT
 *
 * Keys and tokens: from files, from the environment, from keyring files. It says what is wrong with a secret, never the secret.
 */
#ifndef HEARSAY_AGENT_SECRET_H
#define HEARSAY_AGENT_SECRET_H

#include "agent/text.h"

/* "@FILE" or "file:FILE". */
bool secret_is_path(const char *value);
/* Replaces *value by the content of the file that it names, without white space around it. Anything else stays as it is. */
bool secret_resolve(char **value, const char *what, char *error, size_t size);
/* Moves an environment variable into *value unless that is set; the variable and its memory are wiped. */
void secret_from_environment(char **value, const char *name);
/* base64 of 16, 24 or 32 bytes. */
bool secret_parse_key(const char *base64, const char *what, struct hearsay_key *key, char *error, size_t size);
/* A JSON array of base64 keys, the first encrypts. *is_open tells that others may read the file. */
bool secret_read_keyring(const char *path, struct hearsay_key keys[HEARSAY_KEYS_MAX], size_t *count, bool *is_open, char *error,
                         size_t size);
/* Sixteen bytes that tell nothing about the secret. */
void secret_digest(const char *secret, uint8_t digest[16]);
/* Replaces the file atomically; only its owner may read it. */
bool secret_write_keyring(const char *path, const struct hearsay_key *keys, size_t count, char *error, size_t size);
/* Compares in a time that depends on the length of given only. */
bool secret_equal(const char *secret, struct hearsay_bytes given);

#endif
