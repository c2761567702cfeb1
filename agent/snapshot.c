/* SPDX-License-Identifier: MIT
 *
 * See snapshot.h. The format and the moments of compaction are Serf's (serf/snapshot.go describes them), so that either
 * program can take over the other's file.
 */
#include "agent/snapshot.h"

#include "agent/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#define SNAPSHOT_BYTES_MAX ((size_t)64 << 20)
#define COMPACT_BYTES ((size_t)128 << 10)
#define BYTES_PER_NODE ((size_t)128)

static bool begins(const char *line, size_t size, const char *word, const char **rest, size_t *left)
{
    size_t length = strlen(word);
    if (size < length || memcmp(line, word, length) != 0) {
        return false;
    }
    *rest = line + length;
    *left = size - length;
    return true;
}

static bool parse_clock(const char *text, size_t size, uint64_t *clock)
{
    uint64_t value = 0;
    for (size_t i = 0; i < size; i++) {
        if (text[i] < '0' || text[i] > '9' || value > (UINT64_MAX - 9) / 10) {
            return false;
        }
        value = value * 10 + (uint64_t)(text[i] - '0');
    }
    if (size == 0) {
        return false;
    }
    *clock = value;
    return true;
}

static bool name_of(const char *text, size_t size, char name[HEARSAY_NAME_MAX + 1])
{
    if (size == 0 || size > HEARSAY_NAME_MAX || memchr(text, '\0', size) != NULL) {
        return false;
    }
    memcpy(name, text, size);
    name[size] = '\0';
    return true;
}

static bool replay_line(const char *line, size_t size, bool rejoins, struct places *places, struct snapshot_clocks *clocks)
{
    const char *rest;
    size_t left;
    char name[HEARSAY_NAME_MAX + 1];
    struct hearsay_address address;
    if (begins(line, size, "alive: ", &rest, &left)) {
        const char *space = memrchr(rest, ' ', left);
        if (space == NULL || !name_of(rest, (size_t)(space - rest), name)
            || !places_parse(space + 1, left - (size_t)(space - rest) - 1, &address)) {
            return false;
        }
        places_set(places, name, &address, true, 0);
        return true;
    }
    if (begins(line, size, "not-alive: ", &rest, &left)) {
        if (!name_of(rest, left, name)) {
            return false;
        }
        places_mark_gone(places, name);
        return true;
    }
    if (size == 5 && memcmp(line, "leave", 5) == 0) {
        if (!rejoins) {
            places_deinit(places);
            *clocks = (struct snapshot_clocks){0};
        }
        return true;
    }
    return begins(line, size, "clock: ", &rest, &left)         ? parse_clock(rest, left, &clocks->member)
           : begins(line, size, "event-clock: ", &rest, &left) ? parse_clock(rest, left, &clocks->event)
           : begins(line, size, "query-clock: ", &rest, &left) ? parse_clock(rest, left, &clocks->query)
                                                               : size == 0 || line[0] == '#'
                                                                     || begins(line, size, "coordinate: ", &rest, &left);
}

size_t snapshot_replay(const char *data, size_t size, bool rejoins, struct places *places, struct snapshot_clocks *clocks,
                       size_t *complete)
{
    size_t skipped = 0, at = 0;
    const char *newline;
    while (at < size && (newline = memchr(data + at, '\n', size - at)) != NULL) {
        size_t length = (size_t)(newline - data) - at;
        skipped += !replay_line(data + at, length, rejoins, places, clocks);
        at += length + 1;
    }
    *complete = at;
    return skipped;
}

static bool read_former_life(struct snapshot *s, struct places *places, char *error, size_t size)
{
    size_t length, complete;
    char *data = disk_read(s->path, SNAPSHOT_BYTES_MAX, &length, error, size);
    if (data == NULL) {
        return false;
    }
    s->skipped = snapshot_replay(data, length, s->rejoins, places, &s->clocks, &complete);
    free(data);
    s->written = complete;
    if (complete < length && ftruncate(s->fd, (off_t)complete) != 0) { /* else our first line would continue half a line */
        snprintf(error, size, "cannot write %s: %s", s->path, strerror(errno));
        return false;
    }
    return true;
}

static int open_locked(const char *path, int flags, char *error, size_t size)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | flags, 0644);
    if (fd < 0) {
        snprintf(error, size, "cannot open snapshot %s: %s", path, strerror(errno));
    } else if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        snprintf(error, size, "snapshot %s is in use by another agent", path);
        close(fd);
        fd = -1;
    }
    return fd;
}

bool snapshot_open(struct snapshot *s, const char *path, bool rejoins, struct places *places, char *error, size_t size)
{
    *s = (struct snapshot){.fd = -1, .rejoins = rejoins, .places = places};
    if (path == NULL) {
        return true;
    }
    s->path = must(strdup(path));
    s->fd = open_locked(path, 0, error, size);
    if (s->fd < 0 || !read_former_life(s, places, error, size)) {
        snapshot_close(s);
        return false;
    }
    return true;
}

void snapshot_close(struct snapshot *s)
{
    if (s->fd >= 0) {
        close(s->fd);
    }
    s->fd = -1;
    free(s->path);
    s->path = NULL;
    text_deinit(&s->pending);
}

static bool is_kept(const struct snapshot *s)
{
    return s->fd >= 0 && !s->has_left;
}

void snapshot_alive(struct snapshot *s, const char *name, const struct hearsay_address *address)
{
    char place[56];
    if (is_kept(s) && places_can_write(name)) {
        text_place(address, place);
        text_printf(&s->pending, "alive: %s %s\n", name, place);
    }
}

void snapshot_gone(struct snapshot *s, const char *name)
{
    if (is_kept(s) && places_can_write(name)) {
        text_printf(&s->pending, "not-alive: %s\n", name);
    }
}

static void put_clock(struct snapshot *s, const char *word, uint64_t *last, uint64_t now)
{
    if (s->fd >= 0 && now > *last) {
        *last = now;
        text_printf(&s->pending, "%s: %llu\n", word, (unsigned long long)now);
    }
}

void snapshot_clocks(struct snapshot *s, const struct snapshot_clocks *clocks)
{
    put_clock(s, "clock", &s->clocks.member, clocks->member);
    put_clock(s, "event-clock", &s->clocks.event, clocks->event);
    put_clock(s, "query-clock", &s->clocks.query, clocks->query);
}

void snapshot_leave(struct snapshot *s)
{
    if (is_kept(s)) {
        text_puts(&s->pending, "leave\n");
        s->has_left = true;
    }
}

static void put_alive(void *context, struct place *place)
{
    if (place->is_alive && places_can_write(place->name)) {
        char address[56];
        text_place(&place->address, address);
        text_printf(context, "alive: %s %s\n", place->name, address);
    }
}

static bool write_pending(int fd, const struct text *t)
{
    for (size_t done = 0; done < t->size;) {
        ssize_t put = write(fd, t->data + done, t->size - done);
        if (put < 0 && errno != EINTR) {
            return false;
        }
        done += put > 0 ? (size_t)put : 0;
    }
    return true;
}

/* PATH.compact is written, locked and renamed onto PATH; at every moment one of the two is whole. */
static bool compact(struct snapshot *s, char *error, size_t size)
{
    struct text content = {0}, path = {0};
    text_printf(&path, "%s.compact", s->path);
    places_visit(s->places, put_alive, &content);
    text_printf(&content, "clock: %llu\nevent-clock: %llu\nquery-clock: %llu\n", (unsigned long long)s->clocks.member,
                (unsigned long long)s->clocks.event, (unsigned long long)s->clocks.query);
    int fd = open_locked(path.data, O_TRUNC, error, size);
    bool is_done = fd >= 0 && write_pending(fd, &content) && fsync(fd) == 0 && rename(path.data, s->path) == 0;
    if (is_done) {
        disk_sync_folder(s->path);
        close(s->fd);
        s->fd = fd;
        s->written = content.size;
    } else if (fd >= 0) {
        snprintf(error, size, "cannot write %s: %s", path.data, strerror(errno));
        close(fd);
    }
    text_deinit(&content);
    text_deinit(&path);
    return is_done;
}

bool snapshot_flush(struct snapshot *s, char *error, size_t size)
{
    if (s->fd < 0 || s->pending.size == 0) {
        return true;
    }
    bool is_done = write_pending(s->fd, &s->pending);
    if (!is_done) {
        snprintf(error, size, "cannot write %s: %s", s->path, strerror(errno));
    }
    s->written += s->pending.size;
    text_shrink(&s->pending);
    if (s->has_left) {
        (void)fsync(s->fd);
        return is_done;
    }
    size_t by_nodes = 2 * BYTES_PER_NODE * s->places->alive;
    if (is_done && s->written > (by_nodes > COMPACT_BYTES ? by_nodes : COMPACT_BYTES)) {
        return compact(s, error, size);
    }
    return is_done;
}
