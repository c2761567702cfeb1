/* SPDX-License-Identifier: MIT
 *
 * See book.h.
 */
#include "agent/book.h"

#include "agent/disk.h"

#include <unistd.h>

#define BOOK_BYTES_MAX ((size_t)64 << 20)

static bool replay_line(const char *line, size_t size, uint64_t now_s, struct places *places)
{
    char name[HEARSAY_NAME_MAX + 1];
    struct hearsay_address address;
    const char *space = memchr(line, ' ', size);
    if (space == NULL || !places_parse(line, (size_t)(space - line), &address)) {
        return false;
    }
    uint64_t seen = 0;
    const char *p = space + 1, *end = line + size;
    for (; p < end && *p >= '0' && *p <= '9' && seen < UINT64_MAX / 20; p++) {
        seen = seen * 10 + (uint64_t)(*p - '0');
    }
    size_t length = p < end ? (size_t)(end - p) - 1 : 0;
    bool is_shaped = p > space + 1 && p < end && *p == ' ' && length > 0 && length <= HEARSAY_NAME_MAX;
    if (!is_shaped || memchr(p, '\0', length + 1) != NULL) {
        return false;
    }
    memcpy(name, p + 1, length);
    name[length] = '\0';
    if (seen + BOOK_SECONDS >= now_s) {
        places_set(places, name, &address, false, seen < now_s ? seen : now_s);
    }
    return true;
}

size_t book_replay(const char *data, size_t size, uint64_t now_s, struct places *places)
{
    size_t skipped = 0;
    for (size_t at = 0; at < size;) {
        const char *newline = memchr(data + at, '\n', size - at);
        size_t length = newline == NULL ? size - at : (size_t)(newline - data) - at;
        bool is_note = length == 0 || data[at] == '#';
        skipped += newline == NULL || (!is_note && !replay_line(data + at, length, now_s, places));
        at += length + 1;
    }
    return skipped;
}

bool book_read(const char *path, uint64_t now_s, struct places *places, size_t *skipped, char *error, size_t size)
{
    size_t length;
    *skipped = 0;
    if (access(path, F_OK) != 0) {
        return true;
    }
    char *data = disk_read(path, BOOK_BYTES_MAX, &length, error, size);
    if (data == NULL) {
        return false;
    }
    *skipped = book_replay(data, length, now_s, places);
    free(data);
    return true;
}

struct page {
    struct text text;
    uint64_t now_s;
    const char *own;
};

static void put_place(void *context, struct place *place)
{
    struct page *page = context;
    char address[56];
    if (place->is_alive) {
        place->seen_s = page->now_s;
    }
    if (place->seen_s + BOOK_SECONDS >= page->now_s && places_can_write(place->name) && strcmp(place->name, page->own) != 0) {
        text_place(&place->address, address);
        text_printf(&page->text, "%s %llu %s\n", address, (unsigned long long)place->seen_s, place->name);
    }
}

bool book_write(const char *path, uint64_t now_s, const struct places *places, const char *own, char *error, size_t size)
{
    struct page page = {.now_s = now_s, .own = own};
    text_puts(&page.text, "# members known lately: address, unix time last seen, name\n");
    places_visit(places, put_place, &page);
    bool is_done = disk_replace(path, page.text.data, page.text.size, 0644, false, error, size); /* not worth a wait */
    text_deinit(&page.text);
    return is_done;
}
