/* SPDX-License-Identifier: MIT
 *
 * See parcel.h.
 */
#include "sim/parcel.h"

#include "base/bytes.h"
#include "base/check.h"

#include <stdlib.h>

#define PARCEL_CLASSES (sizeof ((struct world *)0)->free_parcels / sizeof(struct parcel *))
#define PARCEL_LEAST 64u /* data of class 0; each class holds twice as much as the one before */

static uint8_t class_of(size_t size)
{
    uint8_t class = 0;
    while (((size_t)PARCEL_LEAST << class) < size) {
        class++;
    }
    CHECK(class < PARCEL_CLASSES);
    return class;
}

struct parcel *parcel_make(struct world *world, enum parcel_type type, const void *data, size_t size)
{
    uint8_t class = class_of(size);
    struct parcel *parcel = world->free_parcels[class];
    if (parcel != NULL) {
        world->free_parcels[class] = parcel->next;
    } else {
        parcel = world_resize(NULL, sizeof *parcel + ((size_t)PARCEL_LEAST << class));
    }
    *parcel = (struct parcel){.type = type, .size = (uint32_t)size, .size_class = class};
    bytes_copy(parcel->data, data, size);
    return parcel;
}

void parcel_free(struct world *world, struct parcel *parcel)
{
    CHECK(parcel->pipe == NULL);
    parcel->next = world->free_parcels[parcel->size_class];
    world->free_parcels[parcel->size_class] = parcel;
}

void parcel_deinit(struct world *world)
{
    for (size_t class = 0; class < PARCEL_CLASSES; class++) {
        while (world->free_parcels[class] != NULL) {
            struct parcel *parcel = world->free_parcels[class];
            world->free_parcels[class] = parcel->next;
            free(parcel);
        }
    }
}
