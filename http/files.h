/* SPDX-License-Identifier: MIT
 *
 * The files that the module carries in itself (made from ui/ and openapi.json by embed.sh), so that the page needs no installation.
 */
#ifndef HEARSAY_HTTP_FILES_H
#define HEARSAY_HTTP_FILES_H

#include "http.h"

/* NULL when there is none of that path. */
const struct http_file *files_find(const char *path);

#endif
