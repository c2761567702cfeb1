/* SPDX-License-Identifier: MIT
 *
 * Parcels: the inputs that are under way, their memory kept in lists by size so that a running world hardly allocates.
 */
#ifndef HEARSAY_SIM_PARCEL_H
#define HEARSAY_SIM_PARCEL_H

#include "sim/host.h"

/* data may be NULL when size is 0. */
struct parcel *parcel_make(struct world *world, enum parcel_type type, const void *data, size_t size);
/* The pipe of the parcel must have been released. */
void parcel_free(struct world *world, struct parcel *parcel);
void parcel_deinit(struct world *world);

#endif
