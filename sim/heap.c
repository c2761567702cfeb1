/* SPDX-License-Identifier: MIT
 *
 * See heap.h. Four children per entry: fewer levels, and the children of an entry lie side by side.
 */
#include "sim/heap.h"

#include "base/check.h"

#include <stdlib.h>
#include <string.h>

#define HEAP_CHILDREN 4

void heap_deinit(struct heap *heap)
{
    free(heap->entries);
    free(heap->places);
    memset(heap, 0, sizeof *heap);
}

static bool is_before(const struct heap_entry *a, const struct heap_entry *b)
{
    return a->at < b->at || (a->at == b->at && a->order < b->order);
}

static void put(struct heap *heap, uint32_t place, struct heap_entry entry)
{
    heap->entries[place] = entry;
    heap->places[entry.number] = place + 1;
}

static void rise(struct heap *heap, uint32_t place, struct heap_entry entry)
{
    while (place > 0) {
        uint32_t parent = (place - 1) / HEAP_CHILDREN;
        if (!is_before(&entry, &heap->entries[parent])) {
            break;
        }
        put(heap, place, heap->entries[parent]);
        place = parent;
    }
    put(heap, place, entry);
}

static void sink(struct heap *heap, uint32_t place, struct heap_entry entry)
{
    for (;;) {
        uint32_t first = place * HEAP_CHILDREN + 1, least = first;
        if (first >= heap->count) {
            break;
        }
        uint32_t last = first + HEAP_CHILDREN < heap->count ? first + HEAP_CHILDREN : heap->count;
        for (uint32_t child = first + 1; child < last; child++) {
            if (is_before(&heap->entries[child], &heap->entries[least])) {
                least = child;
            }
        }
        if (!is_before(&heap->entries[least], &entry)) {
            break;
        }
        put(heap, place, heap->entries[least]);
        place = least;
    }
    put(heap, place, entry);
}

static void make_room(struct heap *heap, uint32_t number)
{
    if (number >= heap->numbers) {
        uint32_t numbers = number < 8 ? 16 : number * 2;
        heap->places = realloc(heap->places, numbers * sizeof *heap->places);
        CHECK(heap->places != NULL);
        memset(heap->places + heap->numbers, 0, (numbers - heap->numbers) * sizeof *heap->places);
        heap->numbers = numbers;
    }
    if (heap->count == heap->capacity) {
        heap->capacity = heap->capacity == 0 ? 16 : heap->capacity * 2;
        heap->entries = realloc(heap->entries, heap->capacity * sizeof *heap->entries);
        CHECK(heap->entries != NULL);
    }
}

void heap_set(struct heap *heap, uint32_t number, uint64_t at)
{
    make_room(heap, number);
    uint32_t place = heap->places[number];
    struct heap_entry entry = {.at = at, .number = number};
    if (place == 0) {
        entry.order = heap->next_order++;
        rise(heap, heap->count++, entry);
        return;
    }
    uint64_t old = heap->entries[place - 1].at;
    if (old == at) {
        return;
    }
    entry.order = heap->next_order++;
    if (at < old) {
        rise(heap, place - 1, entry);
    } else {
        sink(heap, place - 1, entry);
    }
}

void heap_remove(struct heap *heap, uint32_t number)
{
    if (number >= heap->numbers || heap->places[number] == 0) {
        return;
    }
    uint32_t place = heap->places[number] - 1;
    heap->places[number] = 0;
    struct heap_entry last = heap->entries[--heap->count];
    if (last.number == number) {
        return;
    }
    if (place > 0 && is_before(&last, &heap->entries[(place - 1) / HEAP_CHILDREN])) {
        rise(heap, place, last);
    } else {
        sink(heap, place, last);
    }
}

uint32_t heap_take(struct heap *heap)
{
    CHECK(heap->count > 0);
    uint32_t number = heap->entries[0].number;
    heap_remove(heap, number);
    return number;
}
