/* SPDX-License-Identifier: MIT
 *
 * SQLite, found at run time: an agent that keeps nothing on disk neither maps the library nor pays for its relocations (about half of what
 * an idle agent needs). Its functions are called through a table, as sql->step(statement) instead of sqlite3_step(statement).
 */
#ifndef HEARSAY_AGENT_SQLITE_H
#define HEARSAY_AGENT_SQLITE_H

#include <sqlite3.h>
#include <stddef.h>

/* clang-format off */
#define SQLITE_FUNCTIONS(X) \
    X(open_v2) X(close) X(exec) X(prepare_v2) X(step) X(reset) X(finalize) X(bind_blob) X(bind_int64) X(bind_null) X(column_blob) \
    X(column_bytes) X(column_int64) X(errmsg) X(system_errno) X(extended_result_codes) X(db_readonly)
/* clang-format on */

struct sqlite {
#define SQLITE_FIELD(name) __typeof__(&sqlite3_##name) name;
    SQLITE_FUNCTIONS(SQLITE_FIELD)
#undef SQLITE_FIELD
};

/* The table, loaded at the first call; NULL with a line in error when there is no SQLite on this machine. */
const struct sqlite *sqlite_load(char *error, size_t size);

#endif
