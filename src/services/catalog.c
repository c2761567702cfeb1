/* SPDX-License-Identifier: MIT
 *
 * The catalog: the entries of all owners (value.c), joined with what the node believes of the owners. Three lists: places (nodes that own
 * something), instances by their key, and offers (services by name), whose instances are kept in the order in which they are shown. It asks
 * the node through its public calls only, and catches up when it is asked itself, so an event costs it next to nothing.
 */
#include "base/table.h"
#include <hearsay/services.h>

#define REFRESH_US 5000000u /* estimated round trips are asked for this often, while somebody looks */
#define BAND_UNKNOWN 255

struct place {
    struct instance *first;
    struct hearsay_address address;
    enum hearsay_status status; /* HEARSAY_NONE: no member, its services are not shown */
    double rtt;
    uint8_t band; /* of rtt: 0 = here, then each is twice the one before */
    bool is_stale;
    uint8_t name_size;
    char name[];
};

struct instance {
    struct place *place;
    struct offer *offer;
    struct instance *next;       /* of the place */
    struct hearsay_service view; /* points into data; node, address, status and round trip are filled in when it is shown */
    bool is_seen;                /* by a listing under way */
    uint16_t key_size, value_size;
    uint8_t data[]; /* "NODE/ID", then the value */
};

struct offer {
    struct instance **list; /* by band, then by key, once sorted_for is the catalog's order */
    uint32_t count, capacity;
    uint64_t sorted_for, change;
    uint8_t name_size;
    char name[];
};

/* Things by name. */
struct roll {
    void **at;
    uint32_t count, capacity;
    struct table names;
};

struct hearsay_services {
    struct hearsay_allocator memory;
    const struct hearsay_node *node;
    struct roll places, instances, offers;
    uint64_t number;   /* of the store's changes */
    uint64_t change;   /* our own newest */
    uint64_t vanished; /* the change with which the last offer went */
    uint64_t order;    /* grows when a place changes its band */
    uint64_t refresh_at;
    uint64_t bytes, skipped;
    bool has_listed, has_stale, wants_refresh;
};

/* ---- rolls --------------------------------------------------------------------------------------------------------------------- */

static struct hearsay_bytes place_key(const void *owner, uint32_t number)
{
    const struct place *place = ((const struct roll *)owner)->at[number];
    return bytes_of(place->name, place->name_size);
}

static struct hearsay_bytes instance_key(const void *owner, uint32_t number)
{
    const struct instance *instance = ((const struct roll *)owner)->at[number];
    return bytes_of(instance->data, instance->key_size);
}

static struct hearsay_bytes offer_key(const void *owner, uint32_t number)
{
    const struct offer *offer = ((const struct roll *)owner)->at[number];
    return bytes_of(offer->name, offer->name_size);
}

/* Room for one more in an array. */
static bool reserve(struct hearsay_services *s, void **array, uint32_t count, uint32_t *capacity)
{
    uint32_t wanted = *capacity == 0 ? 8 : *capacity * 2;
    if (count < *capacity) {
        return true;
    }
    void *more = memory_resize(&s->memory, *array, wanted * sizeof(void *));
    if (more == NULL) {
        return false;
    }
    s->bytes += (wanted - *capacity) * sizeof(void *);
    *array = more;
    *capacity = wanted;
    return true;
}

static bool roll_reserve(struct hearsay_services *s, struct roll *roll)
{
    void *array = roll->at;
    bool is_ready = reserve(s, &array, roll->count, &roll->capacity) && table_reserve(&roll->names);
    roll->at = array;
    return is_ready;
}

/* Room is reserved. */
static void roll_add(struct roll *roll, void *thing)
{
    roll->at[roll->count] = thing;
    table_insert(&roll->names, roll->count++);
}

static void *roll_find(const struct roll *roll, struct hearsay_bytes name)
{
    uint32_t number = table_find(&roll->names, name);
    return number == TABLE_NONE ? NULL : roll->at[number];
}

/* The last one takes its place. */
static void roll_remove(struct roll *roll, struct hearsay_bytes name)
{
    uint32_t number = table_find(&roll->names, name), last = roll->count - 1;
    table_remove(&roll->names, number);
    if (number != last) {
        table_remove(&roll->names, last);
        roll->at[number] = roll->at[last];
        table_insert(&roll->names, number);
    }
    roll->count--;
}

static void *allocate(struct hearsay_services *s, size_t size)
{
    void *thing = memory_zeros(&s->memory, size);
    s->bytes += thing == NULL ? 0 : size;
    return thing;
}

static void release(struct hearsay_services *s, void *thing, size_t size)
{
    s->bytes -= size;
    memory_free(&s->memory, thing);
}

/* ---- order: nearest first --------------------------------------------------------------------------------------------------------- */

static uint8_t band_of(double rtt)
{
    uint8_t band = 1;
    if (rtt <= 0) {
        return rtt < 0 ? BAND_UNKNOWN : 0;
    }
    for (double edge = 0.001; rtt > edge && band < 20; edge *= 2) {
        band++;
    }
    return band;
}

static int compare(const struct instance *a, const struct instance *b)
{
    if (a->place->band != b->place->band) {
        return a->place->band < b->place->band ? -1 : 1;
    }
    size_t shorter = a->key_size < b->key_size ? a->key_size : b->key_size;
    int order = memcmp(a->data, b->data, shorter);
    return order != 0 ? order : (a->key_size > b->key_size) - (a->key_size < b->key_size);
}

static void sift(struct instance **heap, uint32_t count, uint32_t at)
{
    for (uint32_t child; (child = 2 * at + 1) < count; at = child) {
        child += child + 1 < count && compare(heap[child + 1], heap[child]) > 0;
        if (compare(heap[at], heap[child]) >= 0) {
            return;
        }
        struct instance *swapped = heap[at];
        heap[at] = heap[child];
        heap[child] = swapped;
    }
}

static void sort(struct hearsay_services *s, struct offer *offer)
{
    if (offer->sorted_for == s->order) {
        return;
    }
    for (uint32_t i = offer->count / 2; i > 0; i--) {
        sift(offer->list, offer->count, i - 1);
    }
    for (uint32_t left = offer->count; left > 1; left--) {
        struct instance *largest = offer->list[0];
        offer->list[0] = offer->list[left - 1];
        offer->list[left - 1] = largest;
        sift(offer->list, left - 1, 0);
    }
    offer->sorted_for = s->order;
}

/* The first place in the sorted list that is not before the instance. */
static uint32_t rank_of(const struct offer *offer, const struct instance *instance)
{
    uint32_t from = 0, to = offer->count;
    while (from < to) {
        uint32_t middle = from + (to - from) / 2;
        if (compare(offer->list[middle], instance) < 0) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    return from;
}

/* Where the band that begins at `from` ends. */
static uint32_t band_end(const struct offer *offer, uint32_t from)
{
    uint8_t band = offer->list[from]->place->band;
    uint32_t to = offer->count;
    for (from++; from < to;) {
        uint32_t middle = from + (to - from) / 2;
        if (offer->list[middle]->place->band == band) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    return from;
}

static void set_rtt(struct hearsay_services *s, struct place *place, double rtt)
{
    uint8_t band = band_of(rtt);
    place->rtt = rtt;
    s->order += band != place->band;
    place->band = band;
}

static void refresh_rtt(struct hearsay_services *s, uint64_t now)
{
    struct hearsay_member self;
    struct hearsay_coordinate own, other;
    size_t first = 0;
    if (now < s->refresh_at && !s->wants_refresh) {
        return;
    }
    s->refresh_at = now + REFRESH_US;
    s->wants_refresh = false;
    bool is_known = hearsay_next_member(s->node, &first, &self), is_placed = is_known && hearsay_get_coordinate(s->node, self.name, &own);
    for (uint32_t i = 0; i < s->places.count; i++) {
        struct place *place = s->places.at[i];
        bool is_here = is_known && bytes_equal(bytes_of_string(self.name), bytes_of(place->name, place->name_size));
        bool is_there = !is_here && is_placed && hearsay_get_coordinate(s->node, place->name, &other);
        set_rtt(s, place, is_here ? 0 : is_there ? hearsay_round_trip(&own, &other) : -1);
    }
}

/* ---- places and offers --------------------------------------------------------------------------------------------------------------- */

static uint64_t next_change(struct hearsay_services *s)
{
    s->change = s->change < s->number ? s->number : s->change + 1;
    return s->change;
}

static void touch(struct hearsay_services *s, struct instance *instance)
{
    instance->view.change = instance->offer->change = next_change(s);
}

/* What the node believes of it now. */
static void look_at(struct hearsay_services *s, struct place *place)
{
    struct hearsay_member member;
    struct hearsay_address address = {.size = 0};
    enum hearsay_status status = HEARSAY_NONE;
    if (hearsay_find_member(s->node, place->name, &member)) {
        status = member.status;
        address = member.address;
    }
    place->is_stale = false;
    if (status == place->status && address_equal(&address, &place->address)) {
        return;
    }
    place->status = status;
    place->address = address;
    for (struct instance *i = place->first; i != NULL; i = i->next) {
        touch(s, i);
    }
}

static struct place *place_of(struct hearsay_services *s, struct hearsay_bytes name)
{
    struct place *place = roll_find(&s->places, name);
    if (place != NULL) {
        return place;
    }
    if (!roll_reserve(s, &s->places) || (place = allocate(s, sizeof *place + name.size + 1)) == NULL) {
        return NULL;
    }
    place->name_size = (uint8_t)name.size;
    bytes_copy(place->name, name.data, name.size);
    place->rtt = -1;
    place->band = BAND_UNKNOWN;
    s->wants_refresh = true;
    roll_add(&s->places, place);
    look_at(s, place);
    return place;
}

static struct offer *offer_of(struct hearsay_services *s, struct hearsay_bytes name)
{
    struct offer *offer = roll_find(&s->offers, name);
    if (offer != NULL) {
        return offer;
    }
    if (!roll_reserve(s, &s->offers) || (offer = allocate(s, sizeof *offer + name.size + 1)) == NULL) {
        return NULL;
    }
    offer->name_size = (uint8_t)name.size;
    bytes_copy(offer->name, name.data, name.size);
    offer->sorted_for = s->order;
    roll_add(&s->offers, offer);
    return offer;
}

static void drop_place(struct hearsay_services *s, struct place *place)
{
    if (place->first == NULL) {
        roll_remove(&s->places, bytes_of(place->name, place->name_size));
        release(s, place, sizeof *place + place->name_size + 1);
    }
}

static void drop_offer(struct hearsay_services *s, struct offer *offer)
{
    if (offer->count == 0) {
        s->vanished = next_change(s);
        roll_remove(&s->offers, bytes_of(offer->name, offer->name_size));
        release(s, offer->list, offer->capacity * sizeof *offer->list);
        release(s, offer, sizeof *offer + offer->name_size + 1);
    }
}

/* ---- instances -------------------------------------------------------------------------------------------------------------------------
 */

static size_t instance_bytes(const struct instance *instance)
{
    return sizeof *instance + instance->key_size + instance->value_size;
}

static void remove_instance(struct hearsay_services *s, struct instance *instance)
{
    struct offer *offer = instance->offer;
    struct instance **at = &instance->place->first;
    while (*at != instance) {
        at = &(*at)->next;
    }
    *at = instance->next;
    sort(s, offer);
    uint32_t rank = rank_of(offer, instance);
    offer->count--;
    memmove(offer->list + rank, offer->list + rank + 1, (offer->count - rank) * sizeof *offer->list);
    offer->change = next_change(s);
    roll_remove(&s->instances, bytes_of(instance->data, instance->key_size));
    struct place *place = instance->place;
    release(s, instance, instance_bytes(instance));
    drop_offer(s, offer);
    drop_place(s, place);
}

/* "NODE/ID"; the node's name may have a '/', the id has none. */
static bool split(struct hearsay_bytes key, struct hearsay_bytes *node, struct hearsay_bytes *id)
{
    size_t at = key.size;
    while (at > 0 && key.data[at - 1] != '/') {
        at--;
    }
    if (at < 2 || at == key.size || at - 1 > HEARSAY_NAME_MAX) {
        return false;
    }
    *node = bytes_of(key.data, at - 1);
    *id = bytes_of(key.data + at, key.size - at);
    return true;
}

static struct instance *create_instance(struct hearsay_services *s, struct hearsay_bytes key, struct hearsay_bytes value)
{
    struct instance *instance = allocate(s, sizeof *instance + key.size + value.size);
    if (instance == NULL) {
        return NULL;
    }
    instance->key_size = (uint16_t)key.size;
    instance->value_size = (uint16_t)value.size;
    bytes_copy(instance->data, key.data, key.size);
    bytes_copy(instance->data + key.size, value.data, value.size);
    (void)hearsay_service_decode(bytes_of(instance->data + key.size, value.size), &instance->view);
    return instance;
}

/* Puts it where it belongs. False when memory is out. */
static bool add_instance(struct hearsay_services *s, struct instance *instance, struct hearsay_bytes node, struct hearsay_bytes id)
{
    struct place *place = place_of(s, node);
    struct offer *offer = place == NULL ? NULL : offer_of(s, instance->view.name);
    void *list = offer == NULL ? NULL : offer->list;
    bool has_room = offer != NULL && reserve(s, &list, offer->count, &offer->capacity);
    if (offer != NULL) {
        offer->list = list;
    }
    if (!has_room || !roll_reserve(s, &s->instances)) {
        if (offer != NULL) {
            drop_offer(s, offer);
        }
        if (place != NULL) {
            drop_place(s, place);
        }
        return false;
    }
    instance->view.id = bytes_of(instance->data + (node.size + 1), id.size);
    instance->place = place;
    instance->offer = offer;
    instance->next = place->first;
    place->first = instance;
    sort(s, offer);
    uint32_t rank = rank_of(offer, instance);
    memmove(offer->list + rank + 1, offer->list + rank, (offer->count - rank) * sizeof *offer->list);
    offer->list[rank] = instance;
    offer->count++;
    roll_add(&s->instances, instance);
    touch(s, instance);
    return true;
}

/* False when memory is out; then what was known of the key is forgotten. */
static bool take(struct hearsay_services *s, const struct hearsay_entry *entry)
{
    struct hearsay_bytes node, id, key = entry->key;
    struct hearsay_service view;
    key.data += sizeof HEARSAY_SERVICE_PREFIX - 1;
    key.size -= sizeof HEARSAY_SERVICE_PREFIX - 1;
    struct instance *known = roll_find(&s->instances, key);
    bool is_sound = !entry->is_tombstone && split(key, &node, &id) && hearsay_service_decode(entry->value, &view);
    s->skipped += !is_sound && !entry->is_tombstone;
    if (is_sound && known != NULL && bytes_equal(bytes_of(known->data + key.size, known->value_size), entry->value)) {
        known->is_seen = true;
        return true;
    }
    struct instance *fresh = is_sound ? create_instance(s, key, entry->value) : NULL;
    bool is_fine = !is_sound || fresh != NULL;
    if (known != NULL) {
        remove_instance(s, known);
    }
    if (fresh != NULL) {
        fresh->is_seen = true;
        is_fine = add_instance(s, fresh, node, id);
        if (!is_fine) {
            release(s, fresh, instance_bytes(fresh));
        }
    }
    return is_fine;
}

/* ---- catching up -----------------------------------------------------------------------------------------------------------------------
 */

/* Everything anew; what did not change keeps its number. */
static void list_all(struct hearsay_services *s)
{
    struct hearsay_bytes prefix = bytes_of_string(HEARSAY_SERVICE_PREFIX), after = {NULL, 0};
    struct hearsay_entry entry;
    bool is_fine = true;
    for (uint32_t i = 0; i < s->instances.count; i++) {
        ((struct instance *)s->instances.at[i])->is_seen = false;
    }
    while (is_fine && hearsay_next_entry(s->node, prefix, &after, &entry)) {
        is_fine = take(s, &entry);
    }
    for (uint32_t i = 0; is_fine && i < s->instances.count;) {
        struct instance *instance = s->instances.at[i];
        if (instance->is_seen) {
            i++;
        } else {
            remove_instance(s, instance); /* another takes its number */
        }
    }
    s->has_listed = is_fine; /* else once more, when there may be memory again */
}

uint64_t hearsay_services_update(struct hearsay_services *s)
{
    struct hearsay_bytes prefix = bytes_of_string(HEARSAY_SERVICE_PREFIX);
    struct hearsay_entry entry;
    enum hearsay_change change;
    while ((change = hearsay_next_change(s->node, prefix, &s->number, &entry)) == HEARSAY_CHANGE_FOUND && s->has_listed) {
        s->has_listed = take(s, &entry);
    }
    if (change == HEARSAY_CHANGE_TOO_OLD || !s->has_listed) {
        list_all(s);
    }
    for (uint32_t i = 0; s->has_stale && i < s->places.count; i++) {
        struct place *place = s->places.at[i];
        if (place->is_stale) {
            look_at(s, place);
        }
    }
    s->has_stale = false;
    return s->change;
}

void hearsay_services_on_event(struct hearsay_services *s, const struct hearsay_event *event)
{
    struct place *place = event->type <= HEARSAY_MEMBER_REAP ? roll_find(&s->places, bytes_of_string(event->member.name)) : NULL;
    if (place != NULL) {
        place->is_stale = s->has_stale = true;
    }
}

/* ---- answers ---------------------------------------------------------------------------------------------------------------------------
 */

static bool is_up(const struct place *place)
{
    return place->status == HEARSAY_ALIVE || place->status == HEARSAY_SUSPECT;
}

static bool is_healthy(const struct instance *instance)
{
    return instance->view.state <= HEARSAY_SERVICE_WARNING && is_up(instance->place);
}

struct showing {
    const struct hearsay_services_query *query;
    hearsay_services_visit visit;
    void *context;
    size_t shown;
};

/* False: enough. */
static bool show(struct showing *showing, const struct instance *instance)
{
    const struct place *place = instance->place;
    const struct hearsay_services_query *q = showing->query;
    bool is_wanted = place->status != HEARSAY_NONE && (!q->is_healthy_only || is_healthy(instance)) &&
                     (q->tag.size == 0 || hearsay_service_has_tag(&instance->view, q->tag));
    if (!is_wanted) {
        return true;
    }
    struct hearsay_service seen = instance->view;
    seen.node = place->name;
    seen.node_status = place->status;
    seen.is_healthy = is_healthy(instance);
    seen.rtt = place->rtt;
    if (seen.address.size == 0) {
        uint16_t port = seen.address.port;
        seen.address = place->address;
        seen.address.port = port;
    }
    showing->shown++;
    return showing->visit(showing->context, &seen);
}

size_t hearsay_services_find(struct hearsay_services *s, uint64_t now, const struct hearsay_services_query *query,
                             hearsay_services_visit visit, void *context)
{
    struct showing showing = {query, visit, context, 0};
    (void)hearsay_services_update(s);
    struct offer *offer = roll_find(&s->offers, query->name);
    if (offer == NULL) {
        return 0;
    }
    refresh_rtt(s, now);
    sort(s, offer);
    for (uint32_t from = 0, to; from < offer->count; from = to) {
        to = band_end(offer, from);
        uint32_t first = query->turn % (to - from);
        for (uint32_t i = from; i < to; i++) {
            uint32_t at = i + first < to ? i + first : i + first - (to - from);
            if (!show(&showing, offer->list[at])) {
                return showing.shown;
            }
        }
    }
    return showing.shown;
}

uint64_t hearsay_services_change(struct hearsay_services *s, struct hearsay_bytes name)
{
    (void)hearsay_services_update(s);
    const struct offer *offer = roll_find(&s->offers, name);
    return offer == NULL ? s->vanished : offer->change;
}

bool hearsay_services_next_name(struct hearsay_services *s, size_t *position, struct hearsay_services_name *name)
{
    if (*position == 0) {
        (void)hearsay_services_update(s);
    }
    while (*position < s->offers.count) {
        const struct offer *offer = s->offers.at[(*position)++];
        *name = (struct hearsay_services_name){.name = bytes_of(offer->name, offer->name_size), .change = offer->change};
        for (uint32_t i = 0; i < offer->count; i++) {
            name->instances += offer->list[i]->place->status != HEARSAY_NONE;
            name->healthy += is_healthy(offer->list[i]);
        }
        if (name->instances > 0) {
            return true;
        }
    }
    return false;
}

void hearsay_services_get_stats(const struct hearsay_services *s, struct hearsay_services_stats *stats)
{
    uint64_t slots = (uint64_t)s->places.names.capacity + s->instances.names.capacity + s->offers.names.capacity;
    *stats = (struct hearsay_services_stats){.names = s->offers.count,
                                             .instances = s->instances.count,
                                             .nodes = s->places.count,
                                             .memory = sizeof *s + s->bytes + slots * sizeof(uint32_t),
                                             .skipped = s->skipped};
}

/* ---- life ------------------------------------------------------------------------------------------------------------------------------
 */

struct hearsay_services *hearsay_services_create(const struct hearsay_node *node, const struct hearsay_allocator *allocator)
{
    const struct hearsay_allocator *memory = allocator == NULL || allocator->resize == NULL ? &memory_system : allocator;
    struct hearsay_services *s = memory_zeros(memory, sizeof *s);
    if (s == NULL) {
        return NULL;
    }
    s->memory = *memory;
    s->node = node;
    s->number = UINT64_MAX; /* from now on; what is there already is listed first */
    table_init(&s->places.names, &s->memory, 1, place_key, &s->places);
    table_init(&s->instances.names, &s->memory, 2, instance_key, &s->instances);
    table_init(&s->offers.names, &s->memory, 3, offer_key, &s->offers);
    return s;
}

static void free_roll(struct hearsay_services *s, struct roll *roll)
{
    for (uint32_t i = 0; i < roll->count; i++) {
        memory_free(&s->memory, roll->at[i]);
    }
    memory_free(&s->memory, roll->at);
    table_deinit(&roll->names);
}

void hearsay_services_destroy(struct hearsay_services *s)
{
    if (s == NULL) {
        return;
    }
    for (uint32_t i = 0; i < s->offers.count; i++) {
        memory_free(&s->memory, ((struct offer *)s->offers.at[i])->list);
    }
    free_roll(s, &s->places);
    free_roll(s, &s->instances);
    free_roll(s, &s->offers);
    struct hearsay_allocator memory = s->memory;
    memory_free(&memory, s);
}
