/* SPDX-License-Identifier: MIT
 *
 * The store on disk: what a commit called done survives kill -9 at any moment; a damaged file is never taken for a sound one; a full disk
 * and a read-only folder change nothing and are told in words; batches are written in the order they came.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "agent/commits.h"
#include "agent/sqlite.h"
#include "agent/storage.h"
#include "agent/text.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[64], file[96], error[512];

static int make_folder(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/agent-storage-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(file, sizeof file, "%s/store.db", folder);
    return 0;
}

static int remove_folder(void **state)
{
    static const char *const names[] = {"store.db", "store.db-wal", "store.db-shm", "store.db-journal"};
    char path[128];
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        (void)unlink(path);
    }
    return rmdir(folder);
}

static struct storage *open_it(void)
{
    struct storage *s = storage_open(folder, error, sizeof error);
    if (s == NULL) {
        fail_msg("%s", error);
    }
    return s;
}

static struct hearsay_bytes bytes(const char *text)
{
    return (struct hearsay_bytes){(const uint8_t *)text, strlen(text)};
}

static void put(struct storage *s, const char *key, const char *value, uint64_t hlc)
{
    storage_put(s,
                &(struct hearsay_entry){.key = bytes(key), .value = bytes(value), .version.hlc = hlc, .version.origin = UINT64_MAX - hlc});
}

static void commit(struct storage *s, uint64_t mark)
{
    if (!storage_commit(s, mark, 0, error, sizeof error)) {
        fail_msg("%s", error);
    }
}

/* All entries in words, each with a space behind it; in the order of keys, as they are shown in none. */
struct content {
    char *entries[512];
    size_t count;
};

static void describe(void *context, const struct hearsay_entry *e)
{
    struct content *content = context;
    struct text t = {0};
    text_printf(&t, "%.*s=%.*s@%llu/%llu/%llu%s ", (int)e->key.size, (const char *)e->key.data, (int)e->value.size,
                (const char *)e->value.data, (unsigned long long)e->version.hlc, (unsigned long long)e->version.origin,
                (unsigned long long)e->expires_hlc, e->is_tombstone ? "x" : "");
    assert_in_range(content->count, 0, 511);
    content->entries[content->count++] = t.data;
}

static int compare_words(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Puts it into t and forgets it. */
static void join_content(struct content *content, struct text *t)
{
    qsort(content->entries, content->count, sizeof content->entries[0], compare_words);
    text_puts(t, "");
    for (size_t i = 0; i < content->count; i++) {
        text_puts(t, content->entries[i]);
        free(content->entries[i]);
    }
    content->count = 0;
}

static bool load(struct storage *s, struct text *t)
{
    struct content content = {.count = 0};
    bool is_read = storage_load(s, describe, &content, error, sizeof error);
    join_content(&content, t);
    return is_read;
}

static bool is_content(struct storage *s, const char *expected)
{
    struct text t = {0};
    bool is_read = load(s, &t), is_it = is_read && strcmp(t.data, expected) == 0;
    if (is_read && !is_it) {
        print_message("found %s\n", t.data);
    }
    text_deinit(&t);
    return is_it;
}

/* ---- what is kept ---- */

static void what_is_committed_is_there_again(void **state)
{
    (void)state;
    struct storage *s = open_it();
    assert_int_equal(storage_facts(s).entries, 0);
    storage_begin(s);
    put(s, "b", "2", 7);
    put(s, "a", "1", 5);
    storage_put(s, &(struct hearsay_entry){
                       .key = bytes("c"), .version.hlc = UINT64_MAX, .version.origin = 1, .expires_hlc = UINT64_MAX, .is_tombstone = true});
    commit(s, 70);
    storage_begin(s);
    put(s, "a", "newer", 6);
    commit(s, 60); /* the mark never goes back */
    static const char expected[] = "a=newer@6/18446744073709551609/0 b=2@7/18446744073709551608/0 "
                                   "c=@18446744073709551615/1/18446744073709551615x ";
    assert_true(is_content(s, expected));
    storage_close(s);
    s = open_it();
    assert_true(is_content(s, expected));
    assert_int_equal(storage_facts(s).entries, 3);
    assert_int_equal(storage_facts(s).mark, 70);
    storage_begin(s);
    put(s, "e", "not committed", 9);
    storage_close(s);
    s = open_it();
    assert_true(is_content(s, expected));
    storage_close(s);
}

static void put_mortal(struct storage *s, const char *key, uint64_t hlc, uint64_t expires, bool is_tombstone)
{
    storage_put(s, &(struct hearsay_entry){.key = bytes(key), .version.hlc = hlc, .expires_hlc = expires, .is_tombstone = is_tombstone});
}

static void a_purge_takes_the_dead_up_to_its_line(void **state)
{
    (void)state;
    struct storage *s = open_it();
    storage_begin(s);
    put_mortal(s, "deleted", 10, 0, true);
    put_mortal(s, "deleted later", 11, 0, true);
    put_mortal(s, "expired", 5, 10, true);
    put_mortal(s, "expires", 5, 10, false);
    put_mortal(s, "expires later", 5, 11, false);
    put_mortal(s, "expires never, almost", 5, UINT64_MAX, false);
    put_mortal(s, "lives", 5, 0, false);
    commit(s, 0);
    storage_begin(s);
    put_mortal(s, "deleted", 9, 0, true); /* written and purged in one */
    assert_true(storage_commit(s, 0, 10, error, sizeof error));
    static const char expected[] =
        "deleted later=@11/0/0x expires later=@5/0/11 expires never, almost=@5/0/18446744073709551615 lives=@5/0/0 ";
    assert_true(is_content(s, expected));
    storage_close(s);
    s = open_it();
    assert_true(is_content(s, expected));
    assert_int_equal(storage_facts(s).purge, 10);
    assert_int_equal(storage_facts(s).entries, 4);
    storage_close(s);
}

static void add_meeting(void *context, const struct hearsay_meeting *m)
{
    text_printf(context, "%llu: %u, %llu; ", (unsigned long long)m->member, m->epoch, (unsigned long long)m->seen_ms);
}

static void are_meetings(struct storage *s, const char *expected)
{
    struct text t = {0};
    text_puts(&t, "");
    if (!storage_load_meetings(s, add_meeting, &t, error, sizeof error)) {
        fail_msg("%s", error);
    }
    assert_string_equal(t.data, expected);
    text_deinit(&t);
}

static void change_file(const char *text)
{
    const struct sqlite *sql = sqlite_load(error, sizeof error);
    sqlite3 *db;
    assert_int_equal(sql->open_v2(file, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    assert_int_equal(sql->exec(db, text, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sql->close(db), SQLITE_OK);
}

static void ignore_meeting(void *context, const struct hearsay_meeting *meeting)
{
    (void)context;
    (void)meeting;
}

static void meetings_are_there_again_unless_they_are_damaged(void **state)
{
    (void)state;
    struct storage *s = open_it();
    are_meetings(s, "");
    storage_begin(s);
    storage_put_meeting(s, &(struct hearsay_meeting){7, 100, 1});
    storage_put_meeting(s, &(struct hearsay_meeting){8, 100, 1});
    storage_put_meeting(s, &(struct hearsay_meeting){7, 101, UINT64_MAX});
    assert_true(storage_commit(s, 5, 60, error, sizeof error)); /* without an entry */
    storage_begin(s);
    storage_put_meeting(s, &(struct hearsay_meeting){9, 1, 1});
    storage_close(s);
    s = open_it();
    are_meetings(s, "7: 101, 18446744073709551615; 8: 100, 1; ");
    assert_int_equal(storage_facts(s).purge, 60);
    storage_close(s);
    change_file("UPDATE meetings SET epoch = 200 WHERE member = 8");
    s = open_it();
    assert_false(storage_load_meetings(s, ignore_meeting, NULL, error, sizeof error));
    assert_non_null(strstr(error, "is damaged"));
    storage_close(s);
}

/* A file of an agent that did not know meetings. */
static void an_older_file_gets_meetings(void **state)
{
    (void)state;
    struct storage *s = open_it();
    storage_begin(s);
    put(s, "a", "1", 1);
    commit(s, 1);
    storage_close(s);
    change_file("DROP TABLE meetings");
    s = open_it();
    are_meetings(s, "");
    assert_int_equal(storage_facts(s).entries, 1);
    storage_close(s);
}

/* An oracle in memory, while rows come, are replaced, purged, rolled back and used again. */
static void rows_are_found_again_whatever_happened(void **state)
{
    (void)state;
    static uint64_t there[200]; /* hlc by key, 0 = none; odd ones are tombstones */
    struct storage *s = open_it();
    unsigned seed = 5;
    uint64_t line = 0;
    for (uint64_t round = 1; round <= 300; round++) {
        uint64_t now[200];
        memcpy(now, there, sizeof now);
        storage_begin(s);
        for (int i = 0; i < 20; i++) {
            unsigned k = (unsigned)rand_r(&seed) % 200;
            char key[16];
            now[k] = round * 4 + (unsigned)rand_r(&seed) % 2;
            snprintf(key, sizeof key, "k%u", k);
            put_mortal(s, key, now[k], 0, now[k] % 2 == 1);
        }
        bool is_kept = rand_r(&seed) % 4 != 0;
        if (!is_kept) {
            storage_close(s); /* forgets it */
            s = open_it();
        } else {
            line = round > 10 && round % 3 == 0 ? round * 4 - 40 : line;
            assert_true(storage_commit(s, 0, line, error, sizeof error));
            for (int k = 0; k < 200; k++) {
                there[k] = now[k] % 2 == 1 && now[k] <= line ? 0 : now[k];
            }
        }
        struct content content = {.count = 0};
        struct text t = {0}, expected = {0};
        for (int k = 0; k < 200; k++) {
            if (there[k] != 0) {
                char key[16];
                snprintf(key, sizeof key, "k%d", k);
                describe(&content, &(struct hearsay_entry){.key = bytes(key), .version.hlc = there[k], .is_tombstone = there[k] % 2 == 1});
            }
        }
        join_content(&content, &expected);
        if (round % 5 != 0) { /* else the rows are not known from loading */
            assert_true(load(s, &t));
            assert_string_equal(t.data, expected.data);
        }
        text_deinit(&t);
        text_deinit(&expected);
    }
    storage_close(s);
}

static void keys_and_values_are_any_bytes_of_any_size(void **state)
{
    (void)state;
    static uint8_t key[512], value[1 << 20];
    for (size_t i = 0; i < sizeof value; i++) {
        value[i] = (uint8_t)(i * 7 + i / 256);
    }
    for (size_t i = 0; i < sizeof key; i++) {
        key[i] = (uint8_t)~i;
    }
    struct storage *s = open_it();
    struct hearsay_entry e = {.key = {key, sizeof key}, .value = {value, sizeof value}, .version.hlc = 1, .version.origin = 2};
    storage_begin(s);
    storage_put(s, &e);
    e.key = (struct hearsay_bytes){(const uint8_t *)"\0", 1};
    e.value = (struct hearsay_bytes){(const uint8_t *)"\0\0", 2};
    storage_put(s, &e);
    commit(s, 0);
    storage_close(s);
    s = open_it();
    struct text t = {0};
    assert_true(load(s, &t));
    assert_int_equal(storage_facts(s).entries, 2);
    text_deinit(&t);
    storage_close(s);
}

static void two_agents_cannot_share_a_folder(void **state)
{
    (void)state;
    storage_close(open_it());
    struct storage *s = open_it();
    pid_t child = fork();
    if (child == 0) { /* another process, since locks are per process */
        struct storage *second = storage_open(folder, error, sizeof error);
        _exit(second == NULL && strstr(error, "another agent is using it") != NULL ? 0 : 1);
    }
    int status;
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
    storage_close(s);
}

/* ---- crashes ---- */

#define CRASH_KEYS 64

/* Writes for ever; what is acknowledged is noted in shared memory: per key the greatest number that was committed, and the greatest begun.
 */
struct notes {
    volatile uint32_t committed[CRASH_KEYS], begun[CRASH_KEYS];
};

static void write_for_ever(struct notes *notes, unsigned seed)
{
    struct storage *s = storage_open(folder, error, sizeof error);
    if (s == NULL) {
        _exit(1);
    }
    for (;;) {
        unsigned keys[40], count = 1 + (unsigned)rand_r(&seed) % 40;
        char key[16], value[200];
        storage_begin(s);
        for (unsigned i = 0; i < count; i++) {
            unsigned k = keys[i] = (unsigned)rand_r(&seed) % CRASH_KEYS;
            uint32_t number = ++notes->begun[k];
            snprintf(key, sizeof key, "k%u", k);
            memset(value, 'v', sizeof value);
            storage_put(s, &(struct hearsay_entry){
                               .key = bytes(key), .value = {(uint8_t *)value, number % 200}, .version.hlc = number, .version.origin = k});
        }
        if (!storage_commit(s, 0, 0, error, sizeof error)) {
            _exit(1);
        }
        for (unsigned i = 0; i < count; i++) {
            notes->committed[keys[i]] = notes->begun[keys[i]];
        }
    }
}

static void take_version(void *context, const struct hearsay_entry *e)
{
    uint32_t *found = context;
    assert_in_range(e->version.origin, 0, CRASH_KEYS - 1);
    assert_int_equal(e->value.size, e->version.hlc % 200);
    found[e->version.origin] = (uint32_t)e->version.hlc;
}

static void no_acknowledged_write_is_lost_by_kill_9(void **state)
{
    (void)state;
    struct notes *notes = mmap(NULL, sizeof *notes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    const char *rounds = getenv("HEARSAY_CRASH_ROUNDS");
    assert_true(notes != MAP_FAILED);
    for (int round = 0; round < (rounds == NULL ? 20 : atoi(rounds)); round++) {
        uint32_t found[CRASH_KEYS] = {0}, before = notes->committed[0];
        pid_t child = fork();
        if (child == 0) {
            write_for_ever(notes, (unsigned)round);
        }
        int status, wanted = 1 + round * 3 % 20; /* at another moment each time */
        for (int i = 0; notes->committed[0] < before + 1 || i < wanted; i++) {
            usleep(997);
            assert_int_equal(waitpid(child, &status, WNOHANG), 0);
        }
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, &status, 0), child);
        struct storage *s = open_it();
        if (!storage_load(s, take_version, found, error, sizeof error)) {
            fail_msg("round %d: %s", round, error);
        }
        for (unsigned k = 0; k < CRASH_KEYS; k++) {
            assert_in_range(found[k], notes->committed[k], notes->begun[k]);
            notes->committed[k] = notes->begun[k] = found[k];
        }
        storage_close(s);
    }
    munmap(notes, sizeof *notes);
}

/* ---- damage ---- */

static void make_sample(void)
{
    char key[16], value[64];
    struct storage *s = open_it();
    storage_begin(s);
    for (unsigned i = 0; i < 300; i++) {
        snprintf(key, sizeof key, "key%u", i);
        snprintf(value, sizeof value, "the value of number %u", i * i);
        put(s, key, value, i);
    }
    commit(s, 1000);
    storage_close(s);
}

/* Opens and loads the damaged file: refused with a line, or exactly what was written. */
static bool is_refused(const struct text *whole, size_t at)
{
    struct text t = {0};
    error[0] = '\0';
    struct storage *s = storage_open(folder, error, sizeof error);
    bool is_read = s != NULL && load(s, &t);
    if (is_read && (t.size != whole->size || memcmp(t.data, whole->data, t.size) != 0)) {
        fail_msg("a damaged file was taken for a sound one: byte %zu", at);
    }
    if (!is_read && (strstr(error, file) == NULL || strchr(error, '\n') != NULL)) {
        fail_msg("no clear line: %s", error);
    }
    storage_close(s);
    text_deinit(&t);
    return !is_read;
}

static void restore(const uint8_t *content, size_t size, size_t at, uint8_t byte)
{
    char path[128];
    int fd = open(file, O_WRONLY | O_TRUNC | O_CREAT, 0600);
    assert_int_equal(write(fd, content, size), size);
    if (at < size) {
        assert_int_equal(pwrite(fd, &byte, 1, (off_t)at), 1);
    }
    close(fd);
    snprintf(path, sizeof path, "%s-wal", file);
    (void)unlink(path);
}

static void damage_anywhere_is_found(void **state)
{
    (void)state;
    static uint8_t content[1 << 17];
    struct text whole = {0};
    make_sample();
    struct storage *s = open_it();
    assert_true(load(s, &whole));
    storage_close(s);
    int fd = open(file, O_RDONLY);
    ssize_t size = read(fd, content, sizeof content);
    close(fd);
    assert_in_range(size, 20000, sizeof content - 1);
    unsigned refused = 0, tried = 0;
    for (size_t at = 0; at < (size_t)size; at += at < 200 ? 1 : 61) {
        restore(content, (size_t)size, at, (uint8_t)(content[at] ^ (1u << at % 8)));
        refused += is_refused(&whole, at);
        tried++;
    }
    assert_in_range(refused, tried / 3, tried);                      /* the rest hit free space */
    for (size_t length = 1; length < (size_t)size; length += 1777) { /* cut off */
        restore(content, length, SIZE_MAX, 0);
        assert_true(is_refused(&whole, length));
        assert_non_null(strstr(error, "takes everything from the other members"));
    }
    restore((const uint8_t *)"this is no database, it is a letter to my aunt", 46, SIZE_MAX, 0);
    assert_true(is_refused(&whole, 0));
    text_deinit(&whole);
}

static void run_sql(const char *text)
{
    const struct sqlite *sql;
    sqlite3 *db;
    sql = sqlite_load(error, sizeof error);
    assert_non_null(sql);
    assert_int_equal(sql->open_v2(file, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    assert_int_equal(sql->exec(db, text, NULL, NULL, NULL), SQLITE_OK);
    sql->close(db);
}

static void rows_that_were_lost_or_changed_are_missed(void **state)
{
    static const char *const deeds[] = {
        "DELETE FROM entries WHERE key = CAST('key7' AS BLOB)",
        "UPDATE entries SET value = CAST('forged' AS BLOB) WHERE key = CAST('key7' AS BLOB)",
        "UPDATE entries SET hlc = hlc + 1 WHERE key = CAST('key7' AS BLOB)",
        "UPDATE entries SET flags = 1 WHERE key = CAST('key7' AS BLOB)",
        "UPDATE state SET mark = 1",
        "DELETE FROM state",
        "DROP TABLE entries",
        "PRAGMA user_version = 2",
        "PRAGMA application_id = 1",
    };
    (void)state;
    for (size_t i = 0; i < sizeof deeds / sizeof deeds[0]; i++) {
        struct text whole = {0};
        (void)unlink(file);
        make_sample();
        run_sql(deeds[i]);
        if (!is_refused(&whole, 0)) {
            fail_msg("not noticed: %s", deeds[i]);
        }
    }
}

/* ---- no room, no right ---- */

static void a_full_disk_changes_nothing_and_is_told(void **state)
{
    (void)state;
    struct storage *s = open_it();
    storage_begin(s);
    put(s, "before", "1", 1);
    commit(s, 0);
    struct rlimit was, small;
    getrlimit(RLIMIT_FSIZE, &was);
    small = was;
    small.rlim_cur = 100000;
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &small);
    static uint8_t large[200000];
    storage_begin(s);
    put(s, "small", "2", 2);
    storage_put(s, &(struct hearsay_entry){.key = bytes("large"), .value = {large, sizeof large}});
    bool is_done = storage_commit(s, 5, 0, error, sizeof error);
    setrlimit(RLIMIT_FSIZE, &was);
    assert_false(is_done);
    assert_non_null(strstr(error, "cannot write the store"));
    assert_true(is_content(s, "before=1@1/18446744073709551614/0 "));
    storage_begin(s); /* there is room again */
    put(s, "after", "3", 3);
    commit(s, 0);
    storage_close(s);
    s = open_it();
    assert_true(is_content(s, "after=3@3/18446744073709551612/0 before=1@1/18446744073709551614/0 "));
    assert_int_equal(storage_facts(s).mark, 0);
    storage_close(s);
}

/* As somebody who is not root, who may write anything. */
static void expect_refusal(mode_t file_mode, mode_t folder_mode)
{
    int status;
    assert_int_equal(chmod(file, file_mode), 0);
    assert_int_equal(chmod(folder, folder_mode), 0);
    pid_t child = fork();
    if (child == 0) {
        if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0)) {
            _exit(0);
        }
        struct storage *s = storage_open(folder, error, sizeof error);
        bool is_told = s == NULL && (strstr(error, "read-only") != NULL || strstr(error, "Permission denied") != NULL);
        if (!is_told) {
            fprintf(stderr, "%s\n", error);
        }
        _exit(is_told ? 0 : 1);
    }
    waitpid(child, &status, 0);
    assert_int_equal(chmod(folder, 0755), 0);
    assert_int_equal(status, 0);
}

static void a_folder_that_cannot_be_written_is_told(void **state)
{
    (void)state;
    storage_close(open_it());
    assert_int_equal(chmod(folder, 0755), 0);
    expect_refusal(0444, 0755);
    expect_refusal(0666, 0555);
    assert_null(storage_open("/nonexistent", error, sizeof error));
    assert_non_null(strstr(error, "/nonexistent/store.db: No such file or directory"));
}

/* ---- batches ---- */

struct batches {
    struct text told;
    struct commits *commits;
};

static void on_done(void *context, uint64_t batch, const char *problem)
{
    struct batches *b = context;
    text_printf(&b->told, "%llu%s ", (unsigned long long)batch, problem == NULL ? "" : "!");
    if (batch == 2) { /* one more from within */
        commits_put(b->commits, &(struct hearsay_entry){.key = bytes("k"), .value = bytes("last"), .version.hlc = 4});
        commits_end(b->commits, 9, 90, 0);
    }
}

static void batches_are_written_in_order_and_told_one_by_one(void **state)
{
    (void)state;
    uv_loop_t loop;
    struct batches b = {0};
    struct storage *s = open_it();
    uv_loop_init(&loop);
    b.commits = commits_start(&loop, s, on_done, &b);
    for (uint64_t i = 1; i <= 3; i++) {
        char value[8];
        snprintf(value, sizeof value, "v%llu", (unsigned long long)i);
        commits_put(b.commits, &(struct hearsay_entry){.key = bytes("k"), .value = bytes(value), .version.hlc = i, .version.origin = 0});
        commits_put(b.commits, &(struct hearsay_entry){.key = bytes(value), .version.hlc = i, .is_tombstone = true});
        commits_end(b.commits, i, i * 10, 0);
    }
    commits_end(b.commits, 4, 0, 1); /* nothing but a purge */
    assert_true(commits_waiting(b.commits) > 100);
    assert_int_equal(b.told.size, 0); /* never from within a call */
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_string_equal(b.told.data, "1 2 3 4 9 ");
    assert_int_equal(commits_waiting(b.commits), 0);
    commits_put(b.commits, &(struct hearsay_entry){.key = bytes("z"), .version.hlc = 5}); /* at the end, without a loop */
    commits_mute(b.commits);
    commits_stop(b.commits);
    uv_loop_close(&loop);
    assert_true(is_content(s, "k=last@4/0/0 v2=@2/0/0x v3=@3/0/0x z=@5/0/0 "));
    assert_int_equal(storage_facts(s).mark, 90);
    storage_close(s);
    text_deinit(&b.told);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_committed_is_there_again, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(a_purge_takes_the_dead_up_to_its_line, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(meetings_are_there_again_unless_they_are_damaged, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(an_older_file_gets_meetings, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(rows_are_found_again_whatever_happened, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(keys_and_values_are_any_bytes_of_any_size, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(two_agents_cannot_share_a_folder, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(no_acknowledged_write_is_lost_by_kill_9, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(damage_anywhere_is_found, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(rows_that_were_lost_or_changed_are_missed, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(a_full_disk_changes_nothing_and_is_told, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(a_folder_that_cannot_be_written_is_told, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(batches_are_written_in_order_and_told_one_by_one, make_folder, remove_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
