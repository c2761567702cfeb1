/* SPDX-License-Identifier: MIT
 *
 * See expression_parse.h. Recursive descent; depth and size of the tree are bounded.
 */
#include "agent/expression_parse.h"

#include <stdlib.h>
#include <string.h>

#define TEXT_MAX 4096
#define DEPTH_MAX 100
#define REPEAT_MAX 1000
#define NODES_MAX 16384
#define RANGES_MAX 16384
#define RUNE_MAX 0x10ffff
#define RUNE_BAD 0xfffd

enum { FOLD = 1, MANY_LINES = 2, DOT_ALL = 4 };

struct parser {
    struct expression_tree *tree;
    struct hearsay_bytes text;
    size_t at;
    unsigned flags, depth;
    bool is_bad;
};

int32_t expression_rune(struct hearsay_bytes text, size_t *at)
{
    if (*at >= text.size) {
        return -1;
    }
    const uint8_t *p = text.data + *at;
    size_t left = text.size - *at;
    size_t more = p[0] < 0x80 ? 0 : p[0] >= 0xc2 && p[0] < 0xe0 ? 1 : (p[0] & 0xf0) == 0xe0 ? 2 : p[0] >= 0xf0 && p[0] < 0xf5 ? 3 : 9;
    ++*at;
    if (more == 0) {
        return p[0];
    }
    if (more >= left || more > 3) {
        return RUNE_BAD;
    }
    int32_t rune = p[0] & (0x3f >> more);
    for (size_t i = 1; i <= more; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            return RUNE_BAD;
        }
        rune = rune << 6 | (p[i] & 0x3f);
    }
    bool is_surrogate = rune >= 0xd800 && rune <= 0xdfff;
    bool is_good = more == 1 || (more == 2 && rune >= 0x800 && !is_surrogate) || (more == 3 && rune >= 0x10000 && rune <= RUNE_MAX);
    *at += is_good ? more : 0;
    return is_good ? rune : RUNE_BAD;
}

/* ---- the tree ---------------------------------------------------------------------------------------------------------------- */

static void *grown(void *array, uint32_t count, uint32_t *capacity, size_t size, uint32_t most)
{
    if (count < *capacity) {
        return array;
    }
    uint32_t wanted = *capacity == 0 ? 64 : *capacity * 2;
    void *larger = wanted > most ? NULL : realloc(array, wanted * size);
    *capacity = larger == NULL ? *capacity : wanted;
    return larger;
}

static uint32_t node(struct parser *p, struct expression_node n)
{
    struct expression_tree *t = p->tree;
    void *nodes = grown(t->nodes, t->node_count, &t->node_capacity, sizeof n, NODES_MAX);
    if (nodes == NULL) {
        p->is_bad = true;
        return 0;
    }
    t->nodes = nodes;
    t->nodes[t->node_count] = n;
    return t->node_count++;
}

static void range(struct parser *p, int32_t first, int32_t last)
{
    struct expression_tree *t = p->tree;
    void *ranges = grown(t->ranges, t->range_count, &t->range_capacity, sizeof *t->ranges, RANGES_MAX);
    if (ranges == NULL) {
        p->is_bad = true;
        return;
    }
    t->ranges = ranges;
    t->ranges[t->range_count++] = (struct expression_range){first, last};
}

static void range_folded(struct parser *p, int32_t first, int32_t last)
{
    range(p, first, last);
    if ((p->flags & FOLD) == 0) {
        return;
    }
    for (int32_t c = 'a'; c <= 'z'; c++) {
        if (c >= first && c <= last) {
            range(p, c - 32, c - 32);
        }
        if (c - 32 >= first && c - 32 <= last) {
            range(p, c, c);
        }
    }
}

static uint32_t runes_since(struct parser *p, uint32_t first)
{
    return node(p, (struct expression_node){.kind = EXPRESSION_RUNES, .a = first, .b = p->tree->range_count - first});
}

static int by_first(const void *a, const void *b)
{
    const struct expression_range *x = a, *y = b;
    return (x->first > y->first) - (x->first < y->first);
}

/* Turns the ranges from first on into all others. */
static void negate(struct parser *p, uint32_t first)
{
    struct expression_tree *t = p->tree;
    uint32_t count = t->range_count - first;
    struct expression_range *old = malloc((count + 1) * sizeof *old);
    if (old == NULL) {
        p->is_bad = true;
        return;
    }
    if (count > 0) {
        memcpy(old, t->ranges + first, count * sizeof *old);
        qsort(old, count, sizeof *old, by_first);
    }
    t->range_count = first;
    int32_t next = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (old[i].first > next) {
            range(p, next, old[i].first - 1);
        }
        next = old[i].last + 1 > next ? old[i].last + 1 : next;
    }
    if (next <= RUNE_MAX) {
        range(p, next, RUNE_MAX);
    }
    free(old);
}

/* ---- looking ahead ------------------------------------------------------------------------------------------------------------ */

static int peek(const struct parser *p, size_t ahead)
{
    return p->at + ahead < p->text.size ? p->text.data[p->at + ahead] : -1;
}

static bool next_is(struct parser *p, const char *word)
{
    size_t size = strlen(word);
    if (p->text.size - p->at < size || memcmp(p->text.data + p->at, word, size) != 0) {
        return false;
    }
    p->at += size;
    return true;
}

static int32_t take(struct parser *p)
{
    size_t before = p->at;
    int32_t rune = expression_rune(p->text, &p->at);
    p->is_bad |= rune < 0 || (rune == RUNE_BAD && p->at - before == 1); /* the expression itself must be UTF-8 */
    return rune;
}

static int digit_of(int c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : 99;
}

/* ---- classes --------------------------------------------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    const char *ranges; /* pairs */
} classes[] = {
    {"alnum", "09AZaz"}, {"alpha", "AZaz"}, {"ascii", "\001\177"}, {"blank", "\t\t  "}, {"cntrl", "\001\037\177\177"}, {"digit", "09"},
    {"graph", "!~"}, {"lower", "az"}, {"print", " ~"}, {"punct", "!/:@[`{~"}, {"space", "\t\r  "}, {"upper", "AZ"}, {"word", "09AZaz__"},
    {"xdigit", "09AFaf"},
    {"d", "09"}, {"s", "\t\n\f\r  "}, {"w", "09AZaz__"}, /* \s has no vertical tab */
};

static bool put_class(struct parser *p, const char *name, size_t size, bool is_negated)
{
    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++) {
        if (strlen(classes[i].name) != size || memcmp(classes[i].name, name, size) != 0) {
            continue;
        }
        uint32_t first = p->tree->range_count;
        if (classes[i].ranges[0] == 1) {
            range(p, 0, 0); /* NUL cannot stand in the table */
        }
        for (const char *r = classes[i].ranges; *r != 0; r += 2) {
            range_folded(p, (uint8_t)r[0], (uint8_t)r[1]);
        }
        if (is_negated) {
            negate(p, first);
        }
        return true;
    }
    return false;
}

/* \d \D \s \S \w \W, behind the backslash. */
static bool put_perl_class(struct parser *p)
{
    int c = peek(p, 0);
    if (c < 0 || strchr("dDsSwW", c) == NULL) {
        return false;
    }
    char name = (char)(c | 32);
    p->at++;
    return put_class(p, &name, 1, c < 'a');
}

static int32_t hex_escape(struct parser *p)
{
    int32_t rune = 0;
    if (peek(p, 0) == '{') {
        unsigned digits = 0;
        for (p->at++; digit_of(peek(p, 0)) < 16; p->at++, digits++) {
            rune = rune > RUNE_MAX ? rune : rune * 16 + digit_of(peek(p, 0));
        }
        p->is_bad |= digits == 0 || rune > RUNE_MAX || peek(p, 0) != '}';
        p->at++;
        return rune;
    }
    for (int i = 0; i < 2; i++) {
        int digit = digit_of(peek(p, 0));
        p->is_bad |= digit > 15;
        rune = rune * 16 + (digit & 15);
        p->at++;
    }
    return rune;
}

/* One rune, behind the backslash. */
static int32_t escape(struct parser *p)
{
    int c = peek(p, 0);
    if (c < 0 || c >= 0x80) {
        p->is_bad = true; /* nothing, or a letter that is none of ASCII's */
        return 0;
    }
    p->at++;
    static const char letters[] = "aftnrv", meant[] = "\a\f\t\n\r\v";
    const char *letter = strchr(letters, c);
    if (letter != NULL && c != 0) {
        return meant[letter - letters];
    }
    if (c == 'x') {
        return hex_escape(p);
    }
    if (c >= '0' && c <= '7') {
        int32_t rune = c - '0';
        p->is_bad |= c != '0' && !(peek(p, 0) >= '0' && peek(p, 0) <= '7'); /* \1 would be a reference back */
        for (int i = 0; i < 2 && peek(p, 0) >= '0' && peek(p, 0) <= '7'; i++) {
            rune = rune * 8 + (p->text.data[p->at++] - '0');
        }
        return rune;
    }
    p->is_bad |= (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    return c;
}

static bool put_named_class(struct parser *p)
{
    if (peek(p, 0) != '[' || peek(p, 1) != ':') {
        return false;
    }
    size_t start = p->at + 2, end = start;
    while (end + 1 < p->text.size && (p->text.data[end] != ':' || p->text.data[end + 1] != ']')) {
        end++;
    }
    if (end + 1 >= p->text.size) {
        return false; /* a bracket like others */
    }
    bool is_negated = start < end && p->text.data[start] == '^';
    start += is_negated;
    p->is_bad |= !put_class(p, (const char *)p->text.data + start, end - start, is_negated);
    p->at = end + 2;
    return true;
}

static int32_t class_rune(struct parser *p)
{
    if (peek(p, 0) == '\\') {
        p->at++;
        return escape(p);
    }
    return take(p);
}

/* Behind the bracket. */
static uint32_t parse_brackets(struct parser *p)
{
    bool is_negated = next_is(p, "^");
    uint32_t first = p->tree->range_count;
    for (bool is_first = true; !p->is_bad && (is_first || peek(p, 0) != ']'); is_first = false) {
        if (peek(p, 0) == '\\' && peek(p, 1) >= 0 && strchr("dDsSwW", peek(p, 1)) != NULL) {
            p->at++;
            put_perl_class(p);
            continue;
        }
        if (put_named_class(p)) {
            continue;
        }
        int32_t from = class_rune(p), to = from;
        if (peek(p, 0) == '-' && peek(p, 1) >= 0 && peek(p, 1) != ']') {
            p->at++;
            to = class_rune(p);
        }
        p->is_bad |= from > to;
        range_folded(p, from, to);
    }
    p->is_bad |= !next_is(p, "]");
    if (is_negated && !p->is_bad) {
        negate(p, first);
    }
    return runes_since(p, first);
}

/* ---- the rest --------------------------------------------------------------------------------------------------------------------- */

static uint32_t parse_either(struct parser *p);

static uint32_t assertion(struct parser *p, enum expression_assertion which)
{
    return node(p, (struct expression_node){.kind = EXPRESSION_ASSERT, .a = which});
}

static uint32_t one_rune(struct parser *p, int32_t rune)
{
    uint32_t first = p->tree->range_count;
    range_folded(p, rune, rune);
    return runes_since(p, first);
}

/* "i-s:" or "i)" behind "(?"; true: a group follows. */
static bool parse_flags(struct parser *p)
{
    unsigned flags = p->flags;
    bool is_clearing = false, is_any = false;
    for (;;) {
        int c = peek(p, 0);
        p->at++;
        unsigned flag = c == 'i' ? FOLD : c == 'm' ? MANY_LINES : c == 's' ? DOT_ALL : 0;
        if (flag != 0 || c == 'U') {
            flags = is_clearing ? flags & ~flag : flags | flag;
            is_any = true;
        } else if (c == '-' && !is_clearing) {
            is_clearing = true;
            is_any = false;
        } else if (c == ':' || c == ')') {
            p->is_bad |= is_clearing && !is_any;
            p->flags = flags;
            return c == ':';
        } else {
            p->is_bad = true; /* looking around and its like are not RE2's */
            return false;
        }
    }
}

static void parse_name(struct parser *p)
{
    size_t start = p->at;
    for (int c = peek(p, 0); c == '_' || digit_of(c) < 10 || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); c = peek(p, 0)) {
        p->at++;
    }
    p->is_bad |= p->at == start || !next_is(p, ">");
}

/* Behind the parenthesis. */
static uint32_t parse_group(struct parser *p)
{
    unsigned outside = p->flags;
    if (next_is(p, "?P<") || next_is(p, "?<")) {
        parse_name(p);
    } else if (next_is(p, "?") && !parse_flags(p)) {
        return node(p, (struct expression_node){.kind = EXPRESSION_EMPTY}); /* flags for the rest of this group */
    }
    uint32_t inner = parse_either(p);
    p->is_bad |= !next_is(p, ")");
    p->flags = outside;
    return inner;
}

static uint32_t parse_escape(struct parser *p)
{
    uint32_t first = p->tree->range_count;
    switch (peek(p, 0)) {
    case 'A': p->at++; return assertion(p, EXPRESSION_TEXT_START);
    case 'z': p->at++; return assertion(p, EXPRESSION_TEXT_END);
    case 'b': p->at++; return assertion(p, EXPRESSION_WORD_EDGE);
    case 'B': p->at++; return assertion(p, EXPRESSION_NO_WORD_EDGE);
    default: break;
    }
    return put_perl_class(p) ? runes_since(p, first) : one_rune(p, escape(p));
}

/* Between \Q and \E. */
static uint32_t parse_quoted(struct parser *p)
{
    uint32_t all = node(p, (struct expression_node){.kind = EXPRESSION_EMPTY});
    while (!p->is_bad && p->at < p->text.size && !next_is(p, "\\E")) {
        uint32_t one = one_rune(p, take(p));
        all = node(p, (struct expression_node){.kind = EXPRESSION_BOTH, .a = all, .b = one});
    }
    return all;
}

static uint32_t parse_atom(struct parser *p)
{
    uint32_t first = p->tree->range_count;
    if (next_is(p, "\\Q")) {
        return parse_quoted(p);
    }
    int32_t c = take(p);
    switch (c) {
    case '(': return parse_group(p);
    case '[': return parse_brackets(p);
    case '\\': return parse_escape(p);
    case '^': return assertion(p, (p->flags & MANY_LINES) != 0 ? EXPRESSION_LINE_START : EXPRESSION_TEXT_START);
    case '$': return assertion(p, (p->flags & MANY_LINES) != 0 ? EXPRESSION_LINE_END : EXPRESSION_TEXT_END);
    case '.':
        if ((p->flags & DOT_ALL) == 0) {
            range(p, 0, '\n' - 1);
        }
        range(p, (p->flags & DOT_ALL) == 0 ? '\n' + 1 : 0, RUNE_MAX);
        return runes_since(p, first);
    case '*':
    case '+':
    case '?':
        p->is_bad = true; /* nothing to repeat */
        return 0;
    default: return one_rune(p, c);
    }
}

static int parse_count(struct parser *p)
{
    int count = -1;
    for (; digit_of(peek(p, 0)) < 10; p->at++) {
        count = count < 0 ? 0 : count;
        count = count > REPEAT_MAX ? count : count * 10 + digit_of(peek(p, 0));
    }
    return count;
}

/* "{2}", "{2,}", "{2,5}"; everything else in braces is text. */
static bool parse_braces(struct parser *p, int16_t *least, int16_t *most)
{
    size_t start = p->at;
    if (!next_is(p, "{")) {
        return false;
    }
    int low = parse_count(p), high = low;
    if (low >= 0 && next_is(p, ",")) {
        high = parse_count(p);
    }
    if (low < 0 || !next_is(p, "}")) {
        p->at = start;
        return false;
    }
    p->is_bad |= low > REPEAT_MAX || high > REPEAT_MAX || (high >= 0 && high < low);
    *least = (int16_t)low;
    *most = (int16_t)high;
    return true;
}

static bool parse_repeat(struct parser *p, int16_t *least, int16_t *most)
{
    *least = peek(p, 0) == '+';
    *most = peek(p, 0) == '?' ? 1 : -1;
    if (!next_is(p, "*") && !next_is(p, "+") && !next_is(p, "?") && !parse_braces(p, least, most)) {
        return false;
    }
    (void)next_is(p, "?"); /* as few as possible: the same to us */
    return true;
}

static uint32_t parse_both(struct parser *p)
{
    uint32_t all = node(p, (struct expression_node){.kind = EXPRESSION_EMPTY});
    int16_t least, most, again_least, again_most;
    while (!p->is_bad && p->at < p->text.size && peek(p, 0) != '|' && peek(p, 0) != ')') {
        uint32_t one = parse_atom(p);
        if (!p->is_bad && parse_repeat(p, &least, &most)) {
            p->is_bad |= parse_repeat(p, &again_least, &again_most); /* "a**" */
            one = node(p, (struct expression_node){.kind = EXPRESSION_REPEAT, .a = one, .least = least, .most = most});
        }
        all = node(p, (struct expression_node){.kind = EXPRESSION_BOTH, .a = all, .b = one});
    }
    return all;
}

static uint32_t parse_either(struct parser *p)
{
    if (++p->depth > DEPTH_MAX) {
        p->is_bad = true;
        return 0;
    }
    uint32_t all = parse_both(p);
    while (!p->is_bad && next_is(p, "|")) {
        uint32_t other = parse_both(p);
        all = node(p, (struct expression_node){.kind = EXPRESSION_EITHER, .a = all, .b = other});
    }
    p->depth--;
    return all;
}

bool expression_parse(struct expression_tree *tree, struct hearsay_bytes text)
{
    *tree = (struct expression_tree){.nodes = NULL};
    struct parser p = {.tree = tree, .text = text};
    if (text.size > TEXT_MAX) {
        return false;
    }
    tree->root = parse_either(&p);
    return !p.is_bad && p.at == text.size;
}

void expression_free_tree(struct expression_tree *tree)
{
    free(tree->nodes);
    free(tree->ranges);
    *tree = (struct expression_tree){.nodes = NULL};
}
