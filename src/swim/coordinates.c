/* SPDX-License-Identifier: MIT
 *
 * See coordinates.h. Nothing but additions, multiplications and divisions, which IEEE 754 rounds the same everywhere.
 */
#include "swim/coordinates.h"

#include "base/cursor.h"
#include "base/root.h"
#include "wire/msgpack.h"

#define PING_VERSION 1
#define ERROR_MAX 1.5
#define ERROR_WEIGHT 0.25 /* Vivaldi's c_e */
#define FORCE_WEIGHT 0.25 /* and c_c */
#define HEIGHT_LEAST 1e-5
#define FILTER_SAMPLES 3
#define GRAVITY_RHO 150.0
#define ZERO 1e-6
#define RTT_MOST_US 10000000
#define RANDOM_SALT UINT64_C(0x636f6f7264696e61)

enum { DIMENSIONS = HEARSAY_DIMENSIONS };

struct coordinates_entry {
    char *name;  /* NULL = free; NUL-terminated */
    uint32_t next_free;
    uint8_t name_size;
    uint8_t samples, next_sample; /* round trips of the latency filter; samples 0 = no coordinate yet */
    double rtt[FILTER_SAMPLES];
    struct hearsay_coordinate coordinate;
};

static struct hearsay_bytes key_of(const void *owner, uint32_t number)
{
    const struct coordinates *c = owner;
    return bytes_of(c->entries[number].name, c->entries[number].name_size);
}

static void reset(struct coordinates *c)
{
    c->own = (struct hearsay_coordinate){.error = ERROR_MAX, .height = HEIGHT_LEAST};
    memset(c->adjustments, 0, sizeof c->adjustments);
    c->next_adjustment = 0;
}

void coordinates_init(struct coordinates *c, struct turn *turn)
{
    *c = (struct coordinates){.is_on = turn->options->coordinates != 0 && turn->options->personality == HEARSAY_SERF};
    rng_init(&c->rng, turn->options->seed ^ RANDOM_SALT);
    table_init(&c->names, turn->memory, rng_next(&c->rng), key_of, c);
    reset(c);
}

void coordinates_deinit(struct coordinates *c, const struct hearsay_allocator *memory)
{
    for (uint32_t i = 0; i < c->used; i++) {
        memory_free(memory, c->entries[i].name);
    }
    memory_free(memory, c->entries);
    table_deinit(&c->names);
}

/* ---- vectors ------------------------------------------------------------------------------------------------------------------- */

static double magnitude(const double v[DIMENSIONS])
{
    double sum = 0;
    for (int i = 0; i < DIMENSIONS; i++) {
        sum += v[i] * v[i];
    }
    return root(sum);
}

static bool is_finite(double x)
{
    return x - x == 0; /* neither an infinity nor no number */
}

static bool is_valid(const struct hearsay_coordinate *c)
{
    bool is_fine = is_finite(c->error) && is_finite(c->height) && is_finite(c->adjustment);
    for (int i = 0; i < DIMENSIONS; i++) {
        is_fine = is_fine && is_finite(c->vec[i]);
    }
    return is_fine;
}

static double raw_distance(const struct hearsay_coordinate *a, const struct hearsay_coordinate *b)
{
    double difference[DIMENSIONS];
    for (int i = 0; i < DIMENSIONS; i++) {
        difference[i] = a->vec[i] - b->vec[i];
    }
    return magnitude(difference) + a->height + b->height;
}

double coordinates_distance(const struct hearsay_coordinate *a, const struct hearsay_coordinate *b)
{
    double raw = raw_distance(a, b), adjusted = raw + a->adjustment + b->adjustment;
    double seconds = adjusted > 0 ? adjusted : raw;
    double ns = seconds * 1e9;
    return ns > 0 && ns < 9e18 ? (double)(int64_t)ns / 1e9 : seconds; /* Go keeps whole nanoseconds */
}

/* The direction from b to a, and how far it is; a random direction when they are at the same place. */
static double unit_from(struct coordinates *c, const double a[DIMENSIONS], const double b[DIMENSIONS], double unit[DIMENSIONS])
{
    for (int i = 0; i < DIMENSIONS; i++) {
        unit[i] = a[i] - b[i];
    }
    double far = magnitude(unit);
    if (far > ZERO) {
        for (int i = 0; i < DIMENSIONS; i++) {
            unit[i] /= far;
        }
        return far;
    }
    for (int i = 0; i < DIMENSIONS; i++) {
        unit[i] = rng_unit(&c->rng) - 0.5;
    }
    double length = magnitude(unit);
    for (int i = 0; i < DIMENSIONS; i++) {
        unit[i] = length > ZERO ? unit[i] / length : i == 0;
    }
    return 0;
}

static void apply_force(struct coordinates *c, double force, const struct hearsay_coordinate *other)
{
    double unit[DIMENSIONS];
    double far = unit_from(c, c->own.vec, other->vec, unit);
    for (int i = 0; i < DIMENSIONS; i++) {
        c->own.vec[i] += unit[i] * force;
    }
    if (far > ZERO) {
        double height = (c->own.height + other->height) * force / far + c->own.height;
        c->own.height = height > HEIGHT_LEAST ? height : HEIGHT_LEAST;
    }
}

/* ---- learning ------------------------------------------------------------------------------------------------------------------ */

static void update_vivaldi(struct coordinates *c, const struct hearsay_coordinate *other, double rtt)
{
    rtt = rtt < ZERO ? ZERO : rtt;
    double distance = coordinates_distance(&c->own, other);
    double wrongness = distance > rtt ? (distance - rtt) / rtt : (rtt - distance) / rtt;
    double total = c->own.error + other->error;
    double weight = c->own.error / (total < ZERO ? ZERO : total);
    c->own.error = ERROR_WEIGHT * weight * wrongness + c->own.error * (1.0 - ERROR_WEIGHT * weight);
    c->own.error = c->own.error > ERROR_MAX ? ERROR_MAX : c->own.error;
    apply_force(c, FORCE_WEIGHT * weight * (rtt - distance), other);
}

static void update_adjustment(struct coordinates *c, const struct hearsay_coordinate *other, double rtt)
{
    double sum = 0;
    c->adjustments[c->next_adjustment] = rtt - raw_distance(&c->own, other);
    c->next_adjustment = (c->next_adjustment + 1) % COORDINATES_WINDOW;
    for (int i = 0; i < COORDINATES_WINDOW; i++) {
        sum += c->adjustments[i];
    }
    c->own.adjustment = sum / (2.0 * COORDINATES_WINDOW);
}

/* Keeps the whole of the cluster from drifting away. */
static void update_gravity(struct coordinates *c)
{
    const struct hearsay_coordinate origin = {.error = ERROR_MAX, .height = HEIGHT_LEAST};
    double far = coordinates_distance(&origin, &c->own) / GRAVITY_RHO;
    apply_force(c, -1.0 * (far * far), &origin);
}

static double filter_latency(struct coordinates_entry *e, double rtt)
{
    double sorted[FILTER_SAMPLES];
    e->rtt[e->next_sample] = rtt;
    e->next_sample = (uint8_t)((e->next_sample + 1) % FILTER_SAMPLES);
    e->samples = (uint8_t)(e->samples + (e->samples < FILTER_SAMPLES));
    for (uint8_t i = 0; i < e->samples; i++) {
        uint8_t at = i;
        for (; at > 0 && sorted[at - 1] > e->rtt[i]; at--) {
            sorted[at] = sorted[at - 1];
        }
        sorted[at] = e->rtt[i];
    }
    return sorted[e->samples / 2];
}

static struct coordinates_entry *entry_of(struct coordinates *c, struct turn *turn, struct hearsay_bytes name)
{
    uint32_t number = table_find(&c->names, name);
    if (number != TABLE_NONE) {
        return &c->entries[number];
    }
    if (c->names.count >= turn->options->coordinates_max) {
        return NULL;
    }
    if (c->free_first == 0 && c->used == c->capacity) {
        uint32_t capacity = c->capacity == 0 ? 8 : c->capacity + c->capacity / 2;
        struct coordinates_entry *entries = memory_resize(turn->memory, c->entries, capacity * sizeof *entries);
        if (entries == NULL) {
            turn->counters->drop_no_memory++;
            return NULL;
        }
        c->entries = entries;
        c->capacity = capacity;
    }
    char *copy = table_reserve(&c->names) ? memory_resize(turn->memory, NULL, name.size + 1) : NULL;
    if (copy == NULL) {
        turn->counters->drop_no_memory++;
        return NULL;
    }
    number = c->free_first > 0 ? c->free_first - 1 : c->used++;
    c->free_first = c->free_first > 0 ? c->entries[number].next_free : 0;
    bytes_copy(copy, name.data, name.size);
    copy[name.size] = 0;
    c->entries[number] = (struct coordinates_entry){.name = copy, .name_size = (uint8_t)name.size};
    table_insert(&c->names, number);
    return &c->entries[number];
}

static bool decode(struct hearsay_bytes payload, struct hearsay_coordinate *out)
{
    struct reader r = reader_of(payload);
    *out = (struct hearsay_coordinate){.error = 0};
    uint32_t dimensions = 0;
    if (reader_u8(&r) != PING_VERSION) {
        return false;
    }
    for (uint32_t n = msgpack_get_map(&r); n > 0 && !r.is_bad; n--) {
        struct hearsay_bytes key = msgpack_get_raw(&r);
        if (msgpack_is(key, "Vec")) {
            dimensions = msgpack_get_array(&r);
            for (uint32_t i = 0; i < dimensions && !r.is_bad; i++) {
                double x = msgpack_get_double(&r);
                out->vec[i < DIMENSIONS ? i : 0] = x;
            }
        } else if (msgpack_is(key, "Error")) {
            out->error = msgpack_get_double(&r);
        } else if (msgpack_is(key, "Adjustment")) {
            out->adjustment = msgpack_get_double(&r);
        } else if (msgpack_is(key, "Height")) {
            out->height = msgpack_get_double(&r);
        } else {
            msgpack_skip(&r);
        }
    }
    return !r.is_bad && dimensions == DIMENSIONS && is_valid(out);
}

struct hearsay_bytes coordinates_payload(const struct coordinates *c, uint8_t room[COORDINATES_WIRE_BYTES])
{
    struct writer w = writer_of(room, COORDINATES_WIRE_BYTES);
    if (!c->is_on) {
        return bytes_of(NULL, 0);
    }
    writer_u8(&w, PING_VERSION);
    msgpack_put_map(&w, 4);
    msgpack_put_text(&w, "Adjustment");
    msgpack_put_double(&w, c->own.adjustment);
    msgpack_put_text(&w, "Error");
    msgpack_put_double(&w, c->own.error);
    msgpack_put_text(&w, "Height");
    msgpack_put_double(&w, c->own.height);
    msgpack_put_text(&w, "Vec");
    msgpack_put_array(&w, DIMENSIONS);
    for (int i = 0; i < DIMENSIONS; i++) {
        msgpack_put_double(&w, c->own.vec[i]);
    }
    return writer_bytes(&w);
}

void coordinates_on_ack(struct coordinates *c, struct turn *turn, struct hearsay_bytes name, uint64_t rtt_us, struct hearsay_bytes payload)
{
    struct hearsay_coordinate other;
    if (!c->is_on || payload.size == 0) {
        return; /* its coordinates are switched off, or it is no Serf */
    }
    if (!decode(payload, &other) || rtt_us > RTT_MOST_US) {
        turn->counters->drop_coordinate++;
        return;
    }
    double rtt = (double)rtt_us / 1e6;
    struct coordinates_entry *entry = entry_of(c, turn, name);
    if (entry != NULL) { /* else there is no room, and ours learns from it all the same */
        rtt = filter_latency(entry, rtt);
        entry->coordinate = other;
    }
    update_vivaldi(c, &other, rtt);
    update_adjustment(c, &other, rtt);
    update_gravity(c);
    if (!is_valid(&c->own)) {
        c->resets++;
        reset(c);
    }
}

bool coordinates_of(const struct coordinates *c, struct hearsay_bytes name, struct hearsay_coordinate *out)
{
    uint32_t number = table_find(&c->names, name);
    if (number == TABLE_NONE) {
        return false;
    }
    *out = c->entries[number].coordinate;
    return true;
}

void coordinates_sweep(struct coordinates *c, const struct members *m)
{
    if (c->swept_drops == m->drops) {
        return; /* nobody was forgotten since */
    }
    c->swept_drops = m->drops;
    for (uint32_t number = 0; number < c->used; number++) {
        struct coordinates_entry *entry = &c->entries[number];
        if (entry->name != NULL && members_find(m, key_of(c, number)) == MEMBERS_NONE) {
            table_remove(&c->names, number);
            memory_free(c->names.memory, entry->name);
            *entry = (struct coordinates_entry){.next_free = c->free_first};
            c->free_first = number + 1;
        }
    }
}
