/* SPDX-License-Identifier: MIT
 *
 * See places.h.
 */
#include "agent/places.h"

#include <arpa/inet.h>
#include <search.h>

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct place *)a)->name, ((const struct place *)b)->name);
}

static struct place *make(const char *name)
{
    size_t length = strlen(name) + 1;
    struct place *place = must(calloc(1, sizeof *place + length));
    memcpy(place->name, name, length);
    return place;
}

static struct place *find(const struct places *places, const char *name)
{
    struct place *key = make(name);
    struct place **found = tfind(key, &places->tree, by_name);
    free(key);
    return found == NULL ? NULL : *found;
}

const struct place *places_find(const struct places *places, const char *name)
{
    return find(places, name);
}

void places_set(struct places *places, const char *name, const struct hearsay_address *address, bool is_alive, uint64_t seen_s)
{
    struct place *place = find(places, name);
    if (place == NULL) {
        place = make(name);
        must(tsearch(place, &places->tree, by_name));
        places->count++;
    }
    places->alive += (size_t)is_alive - (size_t)place->is_alive;
    place->address = *address;
    place->is_alive = is_alive;
    place->seen_s = seen_s > place->seen_s ? seen_s : place->seen_s;
}

void places_mark_gone(struct places *places, const char *name)
{
    struct place *place = find(places, name);
    if (place != NULL && place->is_alive) {
        place->is_alive = false;
        places->alive--;
    }
}

void places_remove(struct places *places, const char *name)
{
    struct place *place = find(places, name);
    if (place != NULL) {
        tdelete(place, &places->tree, by_name);
        places->count--;
        places->alive -= place->is_alive;
        free(place);
    }
}

void places_deinit(struct places *places)
{
    tdestroy(places->tree, free);
    *places = (struct places){0};
}

struct visit {
    void (*visit)(void *context, struct place *place);
    void *context;
};

static void visit_node(const void *node, VISIT order, void *context)
{
    const struct visit *v = context;
    if (order == postorder || order == leaf) { /* glibc's "postorder" is between the children */
        v->visit(v->context, *(struct place *const *)node);
    }
}

void places_visit(const struct places *places, void (*visit)(void *context, struct place *place), void *context)
{
    struct visit v = {visit, context};
    twalk_r(places->tree, visit_node, &v);
}

bool places_parse(const char *text, size_t size, struct hearsay_address *address)
{
    char copy[64];
    if (size >= sizeof copy) {
        return false;
    }
    memcpy(copy, text, size);
    copy[size] = '\0';
    char *colon = strrchr(copy, ':');
    size_t digits = colon == NULL ? 0 : strspn(colon + 1, "0123456789");
    if (digits == 0 || digits > 5 || colon[1 + digits] != '\0') {
        return false;
    }
    unsigned long port = strtoul(colon + 1, NULL, 10);
    *colon = '\0';
    *address = (struct hearsay_address){.port = (uint16_t)port};
    if (copy[0] == '[' && colon > copy + 1 && colon[-1] == ']') {
        colon[-1] = '\0';
        address->size = inet_pton(AF_INET6, copy + 1, address->bytes) == 1 ? 16 : 0;
    } else {
        address->size = inet_pton(AF_INET, copy, address->bytes) == 1 ? 4 : 0;
    }
    return address->size != 0 && port > 0 && port <= 65535;
}

bool places_is_loopback(const struct hearsay_address *address)
{
    static const uint8_t one[16] = {[15] = 1};
    return (address->size == 4 && address->bytes[0] == 127) || (address->size == 16 && memcmp(address->bytes, one, 16) == 0);
}

bool places_can_write(const char *name)
{
    if (name[0] == '\0') {
        return false;
    }
    for (; *name != '\0'; name++) {
        if ((unsigned char)*name < 0x20) {
            return false;
        }
    }
    return true;
}
