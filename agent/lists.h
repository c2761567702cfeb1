/* SPDX-License-Identifier: MIT
 *
 * Two lists of the configuration: words in order, and tags by key. Both own their strings.
 */
#ifndef HEARSAY_AGENT_LISTS_H
#define HEARSAY_AGENT_LISTS_H

#include "agent/text.h"

struct words {
    char **at; /* NULL-terminated once something was added */
    size_t count;
};

void lists_add_word(struct words *words, const char *word);
void lists_free_words(struct words *words);

struct taglist {
    struct hearsay_tag *at; /* sorted by key */
    size_t count;
};

/* Sets or replaces one tag. */
void lists_set_tag(struct taglist *tags, const char *key, const char *value);
void lists_set_tag_bytes(struct taglist *tags, struct hearsay_bytes key, struct hearsay_bytes value);
void lists_delete_tag(struct taglist *tags, struct hearsay_bytes key);
void lists_copy_tags(struct taglist *to, const struct taglist *from);
void lists_free_tags(struct taglist *tags);
/* {"k":"v",…} as Serf writes its tags file. */
void lists_tags_json(const struct taglist *tags, struct text *out);

#endif
