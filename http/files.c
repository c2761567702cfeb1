/* SPDX-License-Identifier: MIT
 *
 * See files.h. The table is made by embed.sh.
 */
#include "files.h"

#include <string.h>

#include "files_table.h"

const struct http_file *files_find(const char *path)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (strcmp(table[i].path, path) == 0) {
            return &table[i];
        }
    }
    return NULL;
}
