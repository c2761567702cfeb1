/* SPDX-License-Identifier: MIT
 *
 * See storage.h. Write-ahead log with synchronous=FULL: a commit is one append and one fsync. The file is locked for this process alone,
 * so that two agents on one folder are found out at the start.
 */
#include "agent/storage.h"

#include "agent/rows.h"
#include "agent/sqlite.h"
#include "agent/text.h"

#include <nettle/sha2.h>
#include <sys/stat.h>

#define FILE_NAME "store.db"
#define APPLICATION_ID 0x68656172 /* "hear" */
#define SCHEMA_VERSION 1

enum { STATEMENT_FIND, STATEMENT_PUT, STATEMENT_PURGE, STATEMENT_MEETING, STATEMENT_STATE, STATEMENT_BEGIN, STATEMENT_COMMIT, STATEMENTS };

static const char *const statement_texts[STATEMENTS] = {
    [STATEMENT_FIND] = "SELECT sum, key FROM entries WHERE id = ?1",
    [STATEMENT_PUT] = "INSERT OR REPLACE INTO entries (key, value, hlc, origin, expires, flags, dies, sum, id)"
                      " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    [STATEMENT_PURGE] = "DELETE FROM entries WHERE dies > 0 AND dies <= ?1 RETURNING sum, key, id",
    [STATEMENT_MEETING] = "INSERT OR REPLACE INTO meetings (member, epoch, seen, sum) VALUES (?1, ?2, ?3, ?4)",
    [STATEMENT_STATE] = "INSERT OR REPLACE INTO state (one, mark, purge, entries, total, sum) VALUES (1, ?1, ?2, ?3, ?4, ?5)",
    [STATEMENT_BEGIN] = "BEGIN IMMEDIATE",
    [STATEMENT_COMMIT] = "COMMIT",
};

/* total is the sum of the checksums of all rows. */
struct state {
    uint64_t mark, purge, entries, total;
};

struct storage {
    const struct sqlite *sql;
    sqlite3 *db;
    sqlite3_stmt *statements[STATEMENTS];
    struct state state, next; /* on disk; after the commit */
    struct rows rows;         /* as after the commit */
    bool has_rows;            /* they are known */
    bool is_begun, has_failed;
    char *path;
    char problem[300];
};

/* ---- checksums ---- */

static void hash_number(struct sha256_ctx *hash, uint64_t number)
{
    uint8_t bytes[8];
    for (int i = 0; i < 8; i++) {
        bytes[i] = (uint8_t)(number >> (8 * i));
    }
    sha256_update(hash, sizeof bytes, bytes);
}

static uint64_t hash_end(struct sha256_ctx *hash)
{
    uint8_t digest[8];
    uint64_t sum = 0;
    sha256_digest(hash, sizeof digest, digest);
    for (int i = 0; i < 8; i++) {
        sum |= (uint64_t)digest[i] << (8 * i);
    }
    return sum;
}

static uint64_t sum_of_entry(const struct hearsay_entry *entry)
{
    struct sha256_ctx hash;
    sha256_init(&hash);
    hash_number(&hash, entry->version.hlc);
    hash_number(&hash, entry->version.origin);
    hash_number(&hash, entry->expires_hlc);
    hash_number(&hash, entry->key.size << 1 | entry->is_tombstone);
    sha256_update(&hash, entry->key.size, entry->key.data);
    sha256_update(&hash, entry->value.size, entry->value.data);
    return hash_end(&hash);
}

static uint64_t sum_of_state(const struct state *state)
{
    struct sha256_ctx hash;
    sha256_init(&hash);
    hash_number(&hash, state->mark);
    hash_number(&hash, state->purge);
    hash_number(&hash, state->entries);
    hash_number(&hash, state->total);
    return hash_end(&hash);
}

static uint64_t sum_of_meeting(const struct hearsay_meeting *meeting)
{
    struct sha256_ctx hash;
    sha256_init(&hash);
    hash_number(&hash, meeting->member);
    hash_number(&hash, meeting->epoch);
    hash_number(&hash, meeting->seen_ms);
    return hash_end(&hash);
}

/* ---- errors ---- */

static const char *words_for(struct storage *s, int code)
{
    int system = s->db == NULL ? 0 : s->sql->system_errno(s->db);
    switch (code & 0xff) {
    case SQLITE_FULL:
        return "the disk is full";
    case SQLITE_READONLY:
        return "it, or its folder, is read-only";
    case SQLITE_BUSY:
        return "another agent is using it: give every agent its own --data-dir";
    case SQLITE_NOMEM:
        return "out of memory";
    case SQLITE_CANTOPEN:
    case SQLITE_IOERR:
        return system != 0 ? strerror(system) : s->sql->errmsg(s->db);
    default:
        return s->sql->errmsg(s->db);
    }
}

static bool is_damage(int code)
{
    switch (code & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_ERROR: /* a table or a column that is not there */
    case SQLITE_MISMATCH:
    case SQLITE_SCHEMA:
    case SQLITE_CONSTRAINT:
        return true;
    default:
        return code == SQLITE_IOERR_SHORT_READ;
    }
}

static void explain_damage(const struct storage *s, const char *what, char *error, size_t size)
{
    snprintf(
        error, size,
        "the store in %s is damaged (%s): move that file and its -wal away and start again; this node then takes everything from the other"
        " members",
        s->path, what);
}

static void explain(struct storage *s, const char *what, int code, char *error, size_t size)
{
    if (is_damage(code)) {
        explain_damage(s, s->sql->errmsg(s->db), error, size);
    } else {
        snprintf(error, size, "cannot %s the store %s: %s", what, s->path, words_for(s, code));
    }
}

/* ---- opening ---- */

static int pragma(struct storage *s, const char *text)
{
    return s->sql->exec(s->db, text, NULL, NULL, NULL);
}

/* The one number that a query answers. */
static int ask(struct storage *s, const char *query, int64_t *answer)
{
    sqlite3_stmt *statement;
    int code = s->sql->prepare_v2(s->db, query, -1, &statement, NULL);
    if (code != SQLITE_OK) {
        return code;
    }
    code = s->sql->step(statement);
    if (code == SQLITE_ROW) {
        *answer = s->sql->column_int64(statement, 0);
        code = SQLITE_OK;
    } else if (code == SQLITE_DONE) {
        code = SQLITE_CORRUPT;
    }
    s->sql->finalize(statement);
    return code;
}

static int make_tables(struct storage *s)
{
    char facts[120];
    snprintf(facts, sizeof facts, "PRAGMA application_id = %d; PRAGMA user_version = %d; COMMIT", APPLICATION_ID, SCHEMA_VERSION);
    int code =
        pragma(s, "BEGIN IMMEDIATE;"
                  "CREATE TABLE entries (id INTEGER PRIMARY KEY, key BLOB NOT NULL, value BLOB NOT NULL, hlc INTEGER NOT NULL, origin "
                  "INTEGER NOT NULL,"
                  " expires INTEGER NOT NULL, flags INTEGER NOT NULL, dies INTEGER, sum INTEGER NOT NULL);"
                  "CREATE INDEX mortal ON entries (dies) WHERE dies IS NOT NULL;"
                  "CREATE TABLE state (one INTEGER PRIMARY KEY, mark INTEGER NOT NULL, purge INTEGER NOT NULL, entries INTEGER NOT NULL, "
                  "total INTEGER NOT NULL,"
                  " sum INTEGER NOT NULL);");
    return code == SQLITE_OK ? pragma(s, facts) : code;
}

static int prepare_all(struct storage *s)
{
    int code = SQLITE_OK;
    for (int i = 0; i < STATEMENTS && code == SQLITE_OK; i++) {
        code = s->sql->prepare_v2(s->db, statement_texts[i], -1, &s->statements[i], NULL);
    }
    return code;
}

/* False when the row of the state does not fit. */
static bool read_state(struct storage *s, int *code)
{
    sqlite3_stmt *statement;
    bool is_fine = true;
    *code = s->sql->prepare_v2(s->db, "SELECT mark, purge, entries, total, sum FROM state WHERE one = 1", -1, &statement, NULL);
    if (*code != SQLITE_OK) {
        return true;
    }
    *code = s->sql->step(statement);
    if (*code == SQLITE_ROW) {
        s->state = (struct state){.mark = (uint64_t)s->sql->column_int64(statement, 0),
                                  .purge = (uint64_t)s->sql->column_int64(statement, 1),
                                  .entries = (uint64_t)s->sql->column_int64(statement, 2),
                                  .total = (uint64_t)s->sql->column_int64(statement, 3)};
        is_fine = sum_of_state(&s->state) == (uint64_t)s->sql->column_int64(statement, 4);
    } else if (*code == SQLITE_DONE) {
        is_fine = false;
    }
    *code = *code == SQLITE_ROW || *code == SQLITE_DONE ? SQLITE_OK : *code;
    s->sql->finalize(statement);
    return is_fine;
}

static bool open_file(struct storage *s, char *error, size_t size)
{
    struct stat facts;
    if (stat(s->path, &facts) == 0 && facts.st_size > 0 && facts.st_size < 512) { /* SQLite takes less than its smallest page for nothing */
        explain_damage(s, "it is cut off", error, size);
        return false;
    }
    int code = s->sql->open_v2(s->path, &s->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
    if (code == SQLITE_OK) {
        s->sql->extended_result_codes(s->db, 1);
        code = s->sql->db_readonly(s->db, "main")
                   ? SQLITE_READONLY
                   : pragma(s, "PRAGMA locking_mode = EXCLUSIVE; PRAGMA cache_size = -4096; PRAGMA temp_store = MEMORY;");
    }
    code = code != SQLITE_OK ? code : pragma(s, "PRAGMA journal_mode = WAL");
    code = code != SQLITE_OK
               ? code
               : pragma(s, "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4000; PRAGMA journal_size_limit = 16777216");
    if (code != SQLITE_OK) {
        explain(s, "open", code, error, size);
    }
    return code == SQLITE_OK;
}

/* A new file gets its tables; any other must have ours. */
static bool open_tables(struct storage *s, char *error, size_t size)
{
    int64_t pages = 0, application = 0, version = 0;
    int code = ask(s, "SELECT count(*) FROM sqlite_schema", &pages);
    code = code != SQLITE_OK ? code : ask(s, "PRAGMA application_id", &application);
    code = code != SQLITE_OK ? code : ask(s, "PRAGMA user_version", &version);
    bool is_new = pages == 0 && application == 0 && version == 0;
    if (code == SQLITE_OK && is_new) {
        code = make_tables(s);
        s->is_begun = false;
    } else if (code == SQLITE_OK && application != APPLICATION_ID) {
        snprintf(error, size, "%s is not a store of hearsay: give another --data-dir, or move that file away", s->path);
        return false;
    } else if (code == SQLITE_OK && version != SCHEMA_VERSION) {
        snprintf(error, size,
                 "the store in %s has version %lld, which this agent does not know: run the hearsay that wrote it, or move the file"
                 " away; this node then takes everything from the other members",
                 s->path, (long long)version);
        return false;
    }
    code = code != SQLITE_OK ? code
                             : pragma(s, "CREATE TABLE IF NOT EXISTS meetings (member INTEGER PRIMARY KEY, epoch INTEGER NOT NULL,"
                                         " seen INTEGER NOT NULL, sum INTEGER NOT NULL)");
    code = code != SQLITE_OK ? code : prepare_all(s);
    bool is_sound = code != SQLITE_OK || is_new || read_state(s, &code);
    if (code != SQLITE_OK) {
        explain(s, is_new ? "make" : "read", code, error, size);
    } else if (!is_sound) {
        explain_damage(s, "the checksum of its state does not fit", error, size);
    }
    return code == SQLITE_OK && is_sound;
}

struct storage *storage_open(const char *folder, char *error, size_t size)
{
    const struct sqlite *sql = sqlite_load(error, size);
    if (sql == NULL) {
        return NULL;
    }
    struct storage *s = must(calloc(1, sizeof *s));
    struct text path = {0};
    text_printf(&path, "%s/%s", folder, FILE_NAME);
    s->sql = sql;
    s->path = path.data;
    bool is_open = open_file(s, error, size) && open_tables(s, error, size);
    if (is_open && s->state.entries == 0 && s->state.mark == 0) {
        storage_begin(s); /* so that the state is there from now on, and a disk without room is found at once */
        is_open = storage_commit(s, 0, 0, error, size);
    }
    if (!is_open) {
        storage_close(s);
        return NULL;
    }
    return s;
}

void storage_close(struct storage *s)
{
    if (s == NULL) {
        return;
    }
    for (int i = 0; i < STATEMENTS; i++) {
        s->sql->finalize(s->statements[i]);
    }
    s->sql->close(s->db); /* also moves the log into the file */
    rows_deinit(&s->rows);
    free(s->path);
    free(s);
}

/* ---- reading ---- */

static struct hearsay_bytes column(const struct storage *s, sqlite3_stmt *statement, int i)
{
    const void *data = s->sql->column_blob(statement, i);
    return (struct hearsay_bytes){data, (size_t)s->sql->column_bytes(statement, i)};
}

/* False when the row's checksum does not fit. */
static bool read_row(const struct storage *s, sqlite3_stmt *statement, struct hearsay_entry *entry, uint64_t *sum)
{
    *entry = (struct hearsay_entry){.key = column(s, statement, 0),
                                    .value = column(s, statement, 1),
                                    .version.hlc = (uint64_t)s->sql->column_int64(statement, 2),
                                    .version.origin = (uint64_t)s->sql->column_int64(statement, 3),
                                    .expires_hlc = (uint64_t)s->sql->column_int64(statement, 4),
                                    .is_tombstone = (s->sql->column_int64(statement, 5) & 1) != 0};
    *sum = sum_of_entry(entry);
    return *sum == (uint64_t)s->sql->column_int64(statement, 6) && entry->key.size > 0 && entry->key.size <= HEARSAY_KEY_MAX;
}

static void forget_rows(struct storage *s)
{
    rows_deinit(&s->rows);
    rows_init(&s->rows);
    s->has_rows = false;
}

bool storage_load(struct storage *s, storage_visit visit, void *context, char *error, size_t size)
{
    sqlite3_stmt *statement = NULL;
    struct state found = {.mark = s->state.mark};
    struct hearsay_entry entry;
    uint64_t sum;
    bool is_sound = true;
    forget_rows(s);
    int code =
        s->sql->prepare_v2(s->db, "SELECT key, value, hlc, origin, expires, flags, sum, id FROM entries ORDER BY id", -1, &statement, NULL);
    while (code == SQLITE_OK && is_sound && (code = s->sql->step(statement)) == SQLITE_ROW) {
        code = SQLITE_OK;
        is_sound = read_row(s, statement, &entry, &sum);
        found.entries++;
        found.total += sum;
        if (is_sound) {
            rows_add_known(&s->rows, rows_hash(&s->rows, entry.key), (uint32_t)s->sql->column_int64(statement, 7));
            visit(context, &entry);
        }
    }
    if (!is_sound) {
        explain_damage(s, "the checksum of an entry does not fit", error, size);
    } else if (code != SQLITE_DONE) {
        is_sound = false;
        explain(s, "read", code, error, size);
    } else if (found.entries != s->state.entries || found.total != s->state.total) {
        is_sound = false;
        explain_damage(s, "entries are missing", error, size);
    }
    s->sql->finalize(statement);
    s->has_rows = is_sound;
    return is_sound;
}

bool storage_load_meetings(struct storage *s, storage_visit_meeting visit, void *context, char *error, size_t size)
{
    sqlite3_stmt *statement = NULL;
    bool is_sound = true;
    int code = s->sql->prepare_v2(s->db, "SELECT member, epoch, seen, sum FROM meetings", -1, &statement, NULL);
    while (code == SQLITE_OK && is_sound && (code = s->sql->step(statement)) == SQLITE_ROW) {
        struct hearsay_meeting meeting = {.member = (uint64_t)s->sql->column_int64(statement, 0),
                                          .epoch = (uint32_t)s->sql->column_int64(statement, 1),
                                          .seen_ms = (uint64_t)s->sql->column_int64(statement, 2)};
        code = SQLITE_OK;
        is_sound = sum_of_meeting(&meeting) == (uint64_t)s->sql->column_int64(statement, 3);
        if (is_sound) {
            visit(context, &meeting);
        }
    }
    if (!is_sound) {
        explain_damage(s, "the checksum of what it knows of a member does not fit", error, size);
    } else if (code != SQLITE_DONE) {
        is_sound = false;
        explain(s, "read", code, error, size);
    }
    s->sql->finalize(statement);
    return is_sound;
}

struct storage_facts storage_facts(const struct storage *s)
{
    return (struct storage_facts){.entries = s->state.entries, .mark = s->state.mark, .purge = s->state.purge};
}

/* ---- writing ---- */

/* Keeps the first failure of a transaction. */
static void check(struct storage *s, int code)
{
    if (code != SQLITE_DONE && code != SQLITE_ROW && !s->has_failed) {
        s->has_failed = true;
        explain(s, "write", code, s->problem, sizeof s->problem);
    }
}

/* Runs a prepared statement that answers nothing. */
static void run(struct storage *s, int which)
{
    check(s, s->sql->step(s->statements[which]));
    s->sql->reset(s->statements[which]);
}

static void bind_number(const struct storage *s, int which, int i, uint64_t number)
{
    s->sql->bind_int64(s->statements[which], i, (int64_t)number);
}

static void bind_bytes(const struct storage *s, int which, int i, struct hearsay_bytes bytes)
{
    s->sql->bind_blob(s->statements[which], i, bytes.size == 0 ? (const void *)"" : bytes.data, (int)bytes.size, SQLITE_STATIC);
}

/* After a transaction that failed, or when nothing was loaded. */
static void learn_rows(struct storage *s)
{
    sqlite3_stmt *statement = NULL;
    forget_rows(s);
    int code = s->sql->prepare_v2(s->db, "SELECT id, key FROM entries ORDER BY id", -1, &statement, NULL);
    while (code == SQLITE_OK && (code = s->sql->step(statement)) == SQLITE_ROW) {
        code = SQLITE_OK;
        rows_add_known(&s->rows, rows_hash(&s->rows, column(s, statement, 1)), (uint32_t)s->sql->column_int64(statement, 0));
    }
    check(s, code);
    s->sql->finalize(statement);
    s->has_rows = !s->has_failed;
}

void storage_begin(struct storage *s)
{
    s->next = s->state;
    s->has_failed = false;
    run(s, STATEMENT_BEGIN);
    s->is_begun = !s->has_failed;
    if (s->is_begun && !s->has_rows) {
        learn_rows(s);
    }
}

/* The row of this key, taken out of the totals; a number for a new one if there is none. */
static uint32_t replace_row(struct storage *s, struct hearsay_bytes key)
{
    sqlite3_stmt *statement = s->statements[STATEMENT_FIND];
    uint32_t hash = rows_hash(&s->rows, key);
    for (uint32_t at = 0, row; (row = rows_next(&s->rows, hash, &at)) != 0;) {
        bind_number(s, STATEMENT_FIND, 1, row);
        int code = s->sql->step(statement);
        uint64_t sum = code == SQLITE_ROW ? (uint64_t)s->sql->column_int64(statement, 0) : 0;
        struct hearsay_bytes there = code == SQLITE_ROW ? column(s, statement, 1) : (struct hearsay_bytes){NULL, 0};
        bool is_it = there.size == key.size && memcmp(there.data, key.data, key.size) == 0;
        check(s, code);
        s->sql->reset(statement);
        if (is_it) {
            s->next.entries--;
            s->next.total -= sum;
            return row;
        }
    }
    uint32_t row = rows_take(&s->rows);
    rows_add(&s->rows, hash, row);
    return row;
}

/* The moment from which an entry may be purged, NULL if it lives for ever; it is indexed, so that a purge need not look at the living. */
static void bind_death(const struct storage *s, const struct hearsay_entry *entry)
{
    if (entry->expires_hlc != 0 || entry->is_tombstone) {
        bind_number(s, STATEMENT_PUT, 7, entry->expires_hlc != 0 ? entry->expires_hlc : entry->version.hlc);
    } else {
        s->sql->bind_null(s->statements[STATEMENT_PUT], 7);
    }
}

void storage_put(struct storage *s, const struct hearsay_entry *entry)
{
    if (s->has_failed) {
        return;
    }
    uint64_t sum = sum_of_entry(entry);
    uint32_t row = replace_row(s, entry->key);
    bind_bytes(s, STATEMENT_PUT, 1, entry->key);
    bind_bytes(s, STATEMENT_PUT, 2, entry->value);
    bind_number(s, STATEMENT_PUT, 3, entry->version.hlc);
    bind_number(s, STATEMENT_PUT, 4, entry->version.origin);
    bind_number(s, STATEMENT_PUT, 5, entry->expires_hlc);
    bind_number(s, STATEMENT_PUT, 6, entry->is_tombstone);
    bind_death(s, entry);
    bind_number(s, STATEMENT_PUT, 8, sum);
    bind_number(s, STATEMENT_PUT, 9, row);
    run(s, STATEMENT_PUT);
    s->next.entries++;
    s->next.total += sum;
}

void storage_put_meeting(struct storage *s, const struct hearsay_meeting *meeting)
{
    if (s->has_failed) {
        return;
    }
    bind_number(s, STATEMENT_MEETING, 1, meeting->member);
    bind_number(s, STATEMENT_MEETING, 2, meeting->epoch);
    bind_number(s, STATEMENT_MEETING, 3, meeting->seen_ms);
    bind_number(s, STATEMENT_MEETING, 4, sum_of_meeting(meeting));
    run(s, STATEMENT_MEETING);
}

static void purge(struct storage *s, uint64_t line)
{
    sqlite3_stmt *statement = s->statements[STATEMENT_PURGE];
    int code;
    bind_number(s, STATEMENT_PURGE, 1, line);
    while ((code = s->sql->step(statement)) == SQLITE_ROW) {
        s->next.entries--;
        s->next.total -= (uint64_t)s->sql->column_int64(statement, 0);
        rows_remove(&s->rows, rows_hash(&s->rows, column(s, statement, 1)), (uint32_t)s->sql->column_int64(statement, 2));
    }
    check(s, code);
    s->sql->reset(statement);
}

bool storage_commit(struct storage *s, uint64_t mark, uint64_t line, char *error, size_t size)
{
    s->next.mark = mark > s->next.mark ? mark : s->next.mark;
    if (!s->has_failed && line > s->next.purge) {
        s->next.purge = line;
        purge(s, line);
    }
    if (!s->has_failed) {
        bind_number(s, STATEMENT_STATE, 1, s->next.mark);
        bind_number(s, STATEMENT_STATE, 2, s->next.purge);
        bind_number(s, STATEMENT_STATE, 3, s->next.entries);
        bind_number(s, STATEMENT_STATE, 4, s->next.total);
        bind_number(s, STATEMENT_STATE, 5, sum_of_state(&s->next));
        run(s, STATEMENT_STATE);
    }
    if (!s->has_failed) {
        run(s, STATEMENT_COMMIT);
    }
    if (s->has_failed) {
        snprintf(error, size, "%s", s->problem);
        if (s->is_begun) {
            (void)pragma(s, "ROLLBACK"); /* SQLite may have done so already: then this changes nothing */
            s->has_rows = false;
        }
    } else {
        s->state = s->next;
    }
    s->is_begun = false;
    return !s->has_failed;
}
