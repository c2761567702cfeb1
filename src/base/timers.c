/* SPDX-License-Identifier: MIT
 *
 * See timers.h.
 */
#include "base/timers.h"

static struct timer *meld(struct timer *a, struct timer *b)
{
    if (a == NULL || b == NULL) {
        return a == NULL ? b : a;
    }
    if (b->at < a->at) {
        struct timer *swap = a;
        a = b;
        b = swap;
    }
    b->next = a->child;
    if (b->next != NULL) {
        b->next->previous = b;
    }
    b->previous = a;
    a->child = b;
    return a;
}

/* Pairs siblings left to right, then melds the pairs right to left. */
static struct timer *meld_siblings(struct timer *first)
{
    struct timer *pairs = NULL;
    while (first != NULL) {
        struct timer *a = first, *b = a->next;
        first = b == NULL ? NULL : b->next;
        a->next = a->previous = NULL;
        if (b != NULL) {
            b->next = b->previous = NULL;
        }
        struct timer *pair = meld(a, b);
        pair->next = pairs;
        pairs = pair;
    }
    struct timer *root = NULL;
    while (pairs != NULL) {
        struct timer *rest = pairs->next;
        pairs->next = NULL;
        root = meld(root, pairs);
        pairs = rest;
    }
    return root;
}

void timers_cancel(struct timers *timers, struct timer *timer)
{
    if (!timer->is_armed) {
        return;
    }
    struct timer *orphans = meld_siblings(timer->child);
    if (timers->root == timer) {
        timers->root = orphans;
    } else {
        if (timer->previous->child == timer) {
            timer->previous->child = timer->next;
        } else {
            timer->previous->next = timer->next;
        }
        if (timer->next != NULL) {
            timer->next->previous = timer->previous;
        }
        timers->root = meld(timers->root, orphans);
    }
    timer->child = timer->next = timer->previous = NULL;
    timer->is_armed = false;
}

void timers_set(struct timers *timers, struct timer *timer, uint64_t at)
{
    timers_cancel(timers, timer);
    timer->at = at;
    timer->child = timer->next = timer->previous = NULL;
    timer->is_armed = true;
    timers->root = meld(timers->root, timer);
}

struct timer *timers_due(struct timers *timers, uint64_t now)
{
    struct timer *first = timers->root;
    if (first == NULL || first->at > now) {
        return NULL;
    }
    timers_cancel(timers, first);
    return first;
}
