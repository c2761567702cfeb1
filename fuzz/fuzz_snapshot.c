/* SPDX-License-Identifier: MIT
 *
 * Snapshot files: whatever is replayed can be written again, line by line, and reads as the same places.
 */
#include "fuzz.h"

#include "agent/snapshot.h"

static void write_alive(void *context, struct place *place)
{
    char address[56];
    text_place(&place->address, address);
    if (place->is_alive && places_can_write(place->name)) {
        text_printf(context, "alive: %s %s\n", place->name, address);
    }
}

struct comparison {
    const struct places *other;
    size_t count;
};

static void compare(void *context, struct place *place)
{
    struct comparison *c = context;
    const struct place *other = places_find(c->other, place->name);
    char one[56], two[56];
    FUZZ_CHECK(other != NULL && other->is_alive);
    text_place(&place->address, one);
    text_place(&other->address, two);
    FUZZ_CHECK(strcmp(one, two) == 0);
    c->count++;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct places places = {0}, again = {0};
    struct snapshot_clocks clocks = {0};
    struct text lines = {0};
    size_t complete;
    if (size < 1) {
        return 0;
    }
    const char *text = (const char *)data + 1;
    size_t skipped = snapshot_replay(text, size - 1, (data[0] & 1) != 0, &places, &clocks, &complete);
    FUZZ_CHECK(complete <= size - 1 && (complete == 0 || text[complete - 1] == '\n'));
    FUZZ_CHECK(skipped <= complete && places.alive <= places.count && places.count <= complete / 8);
    places_visit(&places, write_alive, &lines);
    if (lines.size > 0) {
        struct comparison c = {&places, 0};
        FUZZ_CHECK(snapshot_replay(lines.data, lines.size, false, &again, &clocks, &complete) == 0);
        FUZZ_CHECK(complete == lines.size && again.count <= places.alive);
        places_visit(&again, compare, &c);
        FUZZ_CHECK(c.count == again.count);
    }
    text_deinit(&lines);
    places_deinit(&places);
    places_deinit(&again);
    return 0;
}
