/* SPDX-License-Identifier: MIT
 *
 * The tree of a regular expression, and how its text is read: RE2's syntax (golang.org/s/re2syntax), with the errors that Go makes of it.
 * Only expression.c uses it.
 */
#ifndef HEARSAY_AGENT_EXPRESSION_PARSE_H
#define HEARSAY_AGENT_EXPRESSION_PARSE_H

#include <hearsay/types.h>

struct expression_range {
    int32_t first, last; /* runes */
};

enum expression_kind { EXPRESSION_EMPTY, EXPRESSION_RUNES, EXPRESSION_ASSERT, EXPRESSION_BOTH, EXPRESSION_EITHER, EXPRESSION_REPEAT };

enum expression_assertion {
    EXPRESSION_TEXT_START,
    EXPRESSION_TEXT_END,
    EXPRESSION_LINE_START,
    EXPRESSION_LINE_END,
    EXPRESSION_WORD_EDGE,
    EXPRESSION_NO_WORD_EDGE
};

struct expression_node {
    enum expression_kind kind;
    uint32_t a, b;     /* children; RUNES: first range and how many; ASSERT: a is which */
    int16_t least, most; /* REPEAT; most -1 = any number */
};

struct expression_tree {
    struct expression_node *nodes;
    struct expression_range *ranges;
    uint32_t node_count, node_capacity, range_count, range_capacity, root;
};

/* False: no expression. The tree must be freed in either case. */
bool expression_parse(struct expression_tree *tree, struct hearsay_bytes text);
void expression_free_tree(struct expression_tree *tree);
/* The rune at *at, which moves on; -1 at the end. What is no UTF-8 counts as U+FFFD, byte by byte. */
int32_t expression_rune(struct hearsay_bytes text, size_t *at);

#endif
