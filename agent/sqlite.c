/* SPDX-License-Identifier: MIT
 *
 * See sqlite.h. The soname stands for the interface of all of SQLite 3; RETURNING, which storage.c uses, came with 3.35.
 */
#include "agent/sqlite.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stdio.h>

#define LIBRARY "libsqlite3.so.0"

static bool find(void *library, const char *name, void *function, char *error, size_t size)
{
    void *found = dlsym(library, name);
    *(void **)function = found; /* POSIX lets a function's address be kept so */
    if (found == NULL) {
        snprintf(error, size, "%s is too old, it has no %s: install SQLite 3.35 or later", LIBRARY, name);
    }
    return found != NULL;
}

const struct sqlite *sqlite_load(char *error, size_t size)
{
    static struct sqlite table;
    static bool is_loaded;
    if (is_loaded) {
        return &table;
    }
    void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        snprintf(error, size,
                 "a store on disk needs SQLite, which is not installed (%s): install the package libsqlite3-0, or leave --data-dir out",
                 LIBRARY);
        return NULL;
    }
#define SQLITE_FIND(name)                                                                                                                  \
    if (!find(library, "sqlite3_" #name, &table.name, error, size)) {                                                                      \
        return NULL;                                                                                                                       \
    }
    SQLITE_FUNCTIONS(SQLITE_FIND)
#undef SQLITE_FIND
    is_loaded = true;
    return &table;
}
