/* SPDX-License-Identifier: MIT
 *
 * See lists.h.
 */
#include "agent/lists.h"

void lists_add_word(struct words *words, const char *word)
{
    words->at = must(realloc(words->at, (words->count + 2) * sizeof *words->at));
    words->at[words->count++] = must(strdup(word));
    words->at[words->count] = NULL;
}

void lists_free_words(struct words *words)
{
    for (size_t i = 0; i < words->count; i++) {
        free(words->at[i]);
    }
    free(words->at);
    *words = (struct words){0};
}

/* Where key stands or would stand. */
static size_t place_of(const struct taglist *tags, const char *key, bool *is_there)
{
    size_t i = 0;
    int order = 1;
    while (i < tags->count && (order = strcmp(tags->at[i].key, key)) < 0) {
        i++;
    }
    *is_there = i < tags->count && order == 0;
    return i;
}

static void free_tag(struct hearsay_tag *tag)
{
    free((char *)tag->key);
    free((char *)tag->value);
}

void lists_set_tag(struct taglist *tags, const char *key, const char *value)
{
    bool is_there;
    size_t i = place_of(tags, key, &is_there);
    struct hearsay_tag tag = {must(strdup(key)), must(strdup(value))};
    if (is_there) {
        free_tag(&tags->at[i]);
    } else {
        tags->at = must(realloc(tags->at, (tags->count + 1) * sizeof *tags->at));
        memmove(tags->at + i + 1, tags->at + i, (tags->count - i) * sizeof *tags->at);
        tags->count++;
    }
    tags->at[i] = tag;
}

static char *string_of(struct hearsay_bytes bytes)
{
    return must(strndup(bytes.size == 0 ? "" : (const char *)bytes.data, bytes.size));
}

void lists_set_tag_bytes(struct taglist *tags, struct hearsay_bytes key, struct hearsay_bytes value)
{
    char *k = string_of(key), *v = string_of(value);
    lists_set_tag(tags, k, v);
    free(k);
    free(v);
}

void lists_delete_tag(struct taglist *tags, struct hearsay_bytes key)
{
    char *k = string_of(key);
    bool is_there;
    size_t i = place_of(tags, k, &is_there);
    free(k);
    if (is_there) {
        free_tag(&tags->at[i]);
        memmove(tags->at + i, tags->at + i + 1, (--tags->count - i) * sizeof *tags->at);
    }
}

void lists_copy_tags(struct taglist *to, const struct taglist *from)
{
    for (size_t i = 0; i < from->count; i++) {
        lists_set_tag(to, from->at[i].key, from->at[i].value);
    }
}

void lists_free_tags(struct taglist *tags)
{
    for (size_t i = 0; i < tags->count; i++) {
        free_tag(&tags->at[i]);
    }
    free(tags->at);
    *tags = (struct taglist){0};
}

void lists_tags_json(const struct taglist *tags, struct text *out)
{
    text_puts(out, "{");
    for (size_t i = 0; i < tags->count; i++) {
        text_puts(out, i == 0 ? "\n  " : ",\n  ");
        text_json_c(out, tags->at[i].key);
        text_puts(out, ": ");
        text_json_c(out, tags->at[i].value);
    }
    text_puts(out, tags->count == 0 ? "}\n" : "\n}\n");
}
