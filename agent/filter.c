/* SPDX-License-Identifier: MIT
 *
 * See filter.h.
 */
#include "agent/filter.h"

static const char *const kinds[] = {"member-join", "member-leave", "member-failed", "member-update", "member-reap", "user", "query", "*"};

/* A kind, or user and query with a name behind a colon. */
static bool is_word(const char *word, size_t size)
{
    const char *colon = memchr(word, ':', size);
    size_t length = colon == NULL ? size : (size_t)(colon - word);
    bool takes_name = (length == 4 && memcmp(word, "user", 4) == 0) || (length == 5 && memcmp(word, "query", 5) == 0);
    if (colon != NULL) {
        return takes_name;
    }
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strlen(kinds[i]) == size && memcmp(kinds[i], word, size) == 0) {
            return true;
        }
    }
    return false;
}

static void add(struct filter *filter, const char *word, size_t size)
{
    /* A name left empty means every name, in Serf too. */
    char *copy = must(strndup(word, size > 0 && word[size - 1] == ':' ? size - 1 : size));
    lists_add_word(&filter->words, copy);
    free(copy);
}

bool filter_parse(struct filter *filter, const char *list, size_t size)
{
    *filter = (struct filter){0};
    if (size == 0) {
        add(filter, "*", 1);
        return true;
    }
    for (const char *end = list + size;;) {
        const char *comma = memchr(list, ',', (size_t)(end - list));
        size_t length = (size_t)((comma == NULL ? end : comma) - list);
        if (!is_word(list, length)) {
            return false;
        }
        add(filter, list, length);
        if (comma == NULL) {
            return true;
        }
        list = comma + 1;
    }
}

static bool word_wants(const char *word, const char *event, const char *name)
{
    size_t length = strlen(event);
    if (strcmp(word, "*") == 0 || strcmp(word, event) == 0) {
        return true;
    }
    return name != NULL && strncmp(word, event, length) == 0 && word[length] == ':' && strcmp(word + length + 1, name) == 0;
}

bool filter_wants(const struct filter *filter, const char *event, const char *name)
{
    for (size_t i = 0; i < filter->words.count; i++) {
        if (word_wants(filter->words.at[i], event, name)) {
            return true;
        }
    }
    return false;
}

void filter_free(struct filter *filter)
{
    lists_free_words(&filter->words);
}
