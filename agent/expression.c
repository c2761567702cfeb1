/* SPDX-License-Identifier: MIT
 *
 * See expression.h. The text becomes a tree, the tree a program, and all threads of the program walk over the subject together.
 * What may repeat, nest and grow is bounded by the constants below; RE2 itself bounds repetitions at 1000.
 */
#include "agent/expression.h"

#include "agent/expression_parse.h"

#include <stdlib.h>
#include <string.h>

#define PROGRAM_MAX 4000 /* instructions; a subject has at most 512 bytes in practice */

enum op { OP_RUNE, OP_SPLIT, OP_JUMP, OP_ASSERT, OP_MATCH };

struct instruction {
    uint8_t op, assertion;
    uint16_t x, y;            /* where to go on; OP_RUNE: x = first range, y = number of ranges */
};

struct expression {
    struct instruction *program;
    uint32_t size, capacity;
    struct expression_range *ranges;
    bool is_too_large;
};

static uint16_t emit(struct expression *e, struct instruction i)
{
    if (e->size == PROGRAM_MAX) {
        e->is_too_large = true;
        return 0;
    }
    if (e->size == e->capacity) {
        uint32_t capacity = e->capacity == 0 ? 64 : e->capacity * 2;
        struct instruction *program = realloc(e->program, capacity * sizeof *program);
        if (program == NULL) {
            e->is_too_large = true;
            return 0;
        }
        e->program = program;
        e->capacity = capacity;
    }
    e->program[e->size] = i;
    return (uint16_t)e->size++;
}

static void compile(struct expression *e, const struct expression_tree *t, uint32_t at);

static void compile_star(struct expression *e, const struct expression_tree *t, uint32_t at)
{
    uint16_t split = emit(e, (struct instruction){.op = OP_SPLIT});
    compile(e, t, at);
    emit(e, (struct instruction){.op = OP_JUMP, .x = split});
    if (!e->is_too_large) {
        e->program[split].x = (uint16_t)(split + 1);
        e->program[split].y = (uint16_t)e->size;
    }
}

/* At least once: the way back stands behind it, so that it is there only once. */
static void compile_plus(struct expression *e, const struct expression_tree *t, uint32_t at)
{
    uint32_t first = e->size;
    compile(e, t, at);
    uint16_t split = emit(e, (struct instruction){.op = OP_SPLIT, .x = (uint16_t)first});
    if (!e->is_too_large) {
        e->program[split].y = (uint16_t)e->size;
    }
}

static void compile_optional(struct expression *e, const struct expression_tree *t, uint32_t at)
{
    uint16_t split = emit(e, (struct instruction){.op = OP_SPLIT});
    compile(e, t, at);
    if (!e->is_too_large) {
        e->program[split].x = (uint16_t)(split + 1);
        e->program[split].y = (uint16_t)e->size;
    }
}

static void compile_repeat(struct expression *e, const struct expression_tree *t, const struct expression_node *n)
{
    bool is_plus = n->most < 0 && n->least > 0;
    for (int i = is_plus; i < n->least && !e->is_too_large; i++) {
        compile(e, t, n->a);
    }
    if (is_plus) {
        compile_plus(e, t, n->a);
    } else if (n->most < 0) {
        compile_star(e, t, n->a);
    }
    for (int i = n->least; i < n->most && !e->is_too_large; i++) {
        compile_optional(e, t, n->a);
    }
}

static void compile_either(struct expression *e, const struct expression_tree *t, const struct expression_node *n)
{
    uint16_t split = emit(e, (struct instruction){.op = OP_SPLIT});
    compile(e, t, n->a);
    uint16_t jump = emit(e, (struct instruction){.op = OP_JUMP});
    uint32_t second = e->size;
    compile(e, t, n->b);
    if (!e->is_too_large) {
        e->program[split].x = (uint16_t)(split + 1);
        e->program[split].y = (uint16_t)second;
        e->program[jump].x = (uint16_t)e->size;
    }
}

static void compile(struct expression *e, const struct expression_tree *t, uint32_t at)
{
    const struct expression_node *n = &t->nodes[at];
    if (e->is_too_large) {
        return;
    }
    switch (n->kind) {
    case EXPRESSION_EMPTY: break;
    case EXPRESSION_RUNES: emit(e, (struct instruction){.op = OP_RUNE, .x = (uint16_t)n->a, .y = (uint16_t)n->b}); break;
    case EXPRESSION_ASSERT: emit(e, (struct instruction){.op = OP_ASSERT, .assertion = (uint8_t)n->a}); break;
    case EXPRESSION_BOTH:
        compile(e, t, n->a);
        compile(e, t, n->b);
        break;
    case EXPRESSION_EITHER: compile_either(e, t, n); break;
    case EXPRESSION_REPEAT: compile_repeat(e, t, n); break;
    }
}

struct expression *expression_create(struct hearsay_bytes text)
{
    struct expression_tree tree;
    struct expression *e = calloc(1, sizeof *e);
    bool is_parsed = expression_parse(&tree, text);
    if (e != NULL && is_parsed) {
        compile(e, &tree, tree.root);
        emit(e, (struct instruction){.op = OP_MATCH});
        e->ranges = tree.ranges;
        tree.ranges = NULL;
    }
    expression_free_tree(&tree);
    if (e != NULL && (!is_parsed || e->is_too_large)) {
        expression_destroy(e);
        return NULL;
    }
    return e;
}

void expression_destroy(struct expression *e)
{
    if (e != NULL) {
        free(e->program);
        free(e->ranges);
        free(e);
    }
}

/* ---- walking over the subject ----------------------------------------------------------------------------------------------------- */

/* The threads at one place of the subject: each instruction at most once. */
struct threads {
    uint16_t at[PROGRAM_MAX];
    uint32_t count;
    uint32_t seen[PROGRAM_MAX]; /* = generation: it is here already */
    uint32_t generation;
};

struct walk {
    const struct expression *e;
    struct threads now, next;
    uint16_t stack[2 * PROGRAM_MAX];
};

struct place {
    int32_t before, after; /* runes, -1 = none */
};

static bool is_word(int32_t rune)
{
    return (rune >= '0' && rune <= '9') || (rune >= 'a' && rune <= 'z') || (rune >= 'A' && rune <= 'Z') || rune == '_';
}

static bool holds(uint8_t assertion, struct place p)
{
    switch (assertion) {
    case EXPRESSION_TEXT_START: return p.before < 0;
    case EXPRESSION_TEXT_END: return p.after < 0;
    case EXPRESSION_LINE_START: return p.before < 0 || p.before == '\n';
    case EXPRESSION_LINE_END: return p.after < 0 || p.after == '\n';
    case EXPRESSION_WORD_EDGE: return is_word(p.before) != is_word(p.after);
    default: return is_word(p.before) == is_word(p.after);
    }
}

/* Adds the thread and all that it can reach without a rune. True when one of them is the match. */
static bool add(struct walk *w, struct threads *t, uint16_t start, struct place place)
{
    uint32_t depth = 0;
    w->stack[depth++] = start;
    while (depth > 0) {
        uint16_t at = w->stack[--depth];
        const struct instruction *i = &w->e->program[at];
        if (t->seen[at] == t->generation) {
            continue;
        }
        t->seen[at] = t->generation;
        switch (i->op) {
        case OP_MATCH: return true;
        case OP_RUNE: t->at[t->count++] = at; break;
        case OP_JUMP: w->stack[depth++] = i->x; break;
        case OP_SPLIT:
            w->stack[depth++] = i->y;
            w->stack[depth++] = i->x;
            break;
        default:
            if (holds(i->assertion, place)) {
                w->stack[depth++] = (uint16_t)(at + 1);
            }
        }
    }
    return false;
}

static bool takes(const struct expression *e, const struct instruction *i, int32_t rune)
{
    for (uint32_t k = 0; k < i->y; k++) {
        const struct expression_range *r = &e->ranges[i->x + k];
        if (rune >= r->first && rune <= r->last) {
            return true;
        }
    }
    return false;
}

static void clear(struct threads *t)
{
    t->count = 0;
    t->generation++;
}

bool expression_matches(const struct expression *e, struct hearsay_bytes text)
{
    struct walk *w = calloc(1, sizeof *w);
    if (w == NULL) {
        return false;
    }
    w->e = e;
    clear(&w->now);
    struct place place = {-1, -1};
    size_t at = 0, next = 0;
    place.after = expression_rune(text, &next);
    bool is_found = add(w, &w->now, 0, place);
    while (!is_found && at < text.size) {
        at = next;
        struct place then = {place.after, expression_rune(text, &next)};
        clear(&w->next);
        for (uint32_t i = 0; i < w->now.count && !is_found; i++) {
            uint16_t thread = w->now.at[i];
            is_found = takes(e, &e->program[thread], place.after) && add(w, &w->next, (uint16_t)(thread + 1), then);
        }
        is_found = is_found || add(w, &w->next, 0, then);
        struct threads *now = &w->now;
        memcpy(now->at, w->next.at, w->next.count * sizeof now->at[0]);
        now->count = w->next.count;
        place = then;
    }
    free(w);
    return is_found;
}

bool expression_match(void *context, struct hearsay_bytes expression, struct hearsay_bytes text)
{
    (void)context;
    struct expression *e = expression_create(expression);
    bool is_found = e != NULL && expression_matches(e, text);
    expression_destroy(e);
    return is_found;
}
