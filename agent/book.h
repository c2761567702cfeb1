/* SPDX-License-Identifier: MIT
 *
 * The address book on disk: every member known lately, so that healing finds the cluster even after everybody restarted.
 * A text file of lines "ADDR:PORT UNIX-SECONDS NAME", rewritten as a whole.
 */
#ifndef HEARSAY_AGENT_BOOK_H
#define HEARSAY_AGENT_BOOK_H

#include "agent/places.h"

/* Members not seen for longer are left out. */
#define BOOK_SECONDS (30 * 86400u)

/* Reads lines into places (not alive). Answers the number of lines that were damaged or too old to use. */
size_t book_replay(const char *data, size_t size, uint64_t now_s, struct places *places);
/* A missing file is an empty book. */
bool book_read(const char *path, uint64_t now_s, struct places *places, size_t *skipped, char *error, size_t size);
/* Those alive are written as seen now; own is left out. */
bool book_write(const char *path, uint64_t now_s, const struct places *places, const char *own, char *error, size_t size);

#endif
