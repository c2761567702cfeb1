/* SPDX-License-Identifier: MIT
 *
 * Small files as a whole: read with a limit, replaced atomically. Errors are one line naming the file and what is wrong.
 */
#ifndef HEARSAY_AGENT_DISK_H
#define HEARSAY_AGENT_DISK_H

#include "agent/text.h"

/* The content of path, NUL-terminated, to be freed; NULL with a line in error if it cannot be read or is longer than most. */
char *disk_read(const char *path, size_t most, size_t *length, char *error, size_t size);
/* Writes path.new and renames it onto path, so that a reader sees the old or the new content; mode is of the new file.
 * is_durable: also waits for the disk, which may take long. */
bool disk_replace(const char *path, const void *data, size_t length, unsigned mode, bool is_durable, char *error, size_t size);
/* Makes a rename or a new file in the folder of path durable. */
void disk_sync_folder(const char *path);

#endif
