/* SPDX-License-Identifier: MIT
 *
 * The virtual network: datagrams that are late, lost, doubled and overtaken; streams in order, which push their bytes again through
 * loss and wait for cuts to mend, are refused where nobody listens and reset when a process dies. Cuts and groups say who cannot
 * hear whom. It knows nothing of what is said.
 */
#ifndef HEARSAY_SIM_NETWORK_H
#define HEARSAY_SIM_NETWORK_H

#include "sim/world.h"

struct parcel;

/* What hosts do; `from` runs a node. */
void network_send(struct host *from, const struct hearsay_address *to, struct hearsay_bytes bytes);
void network_open(struct host *host, const struct hearsay_address *to, uint32_t stream);
void network_write(struct host *host, uint32_t stream, struct hearsay_bytes bytes);
void network_close(struct host *host, uint32_t stream);

/* Faults between hosts. A cut lasts until it is mended; a host is in one group at a time, first all in 0. */
void network_cut(struct host *from, const struct host *to);
void network_mend(struct host *from, const struct host *to);
void network_mend_all(struct world *world);
bool network_is_cut(const struct host *from, const struct host *to);

/* For host.c. */
void network_host_stopped(struct host *host, bool tells_peers);
/* Gives a stream's parcel to the node of the host. */
void network_hear(struct host *host, struct parcel *parcel);
void network_free(struct world *world, struct parcel *parcel);
/* For world.c: frees everything that is under way. Hosts are gone by then. */
void network_deinit(struct world *world);

#endif
