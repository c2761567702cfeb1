/* SPDX-License-Identifier: MIT
 *
 * What the benchmarks of the shared store ask of real agents. An agent that does not answer ends the benchmark.
 */
#ifndef HEARSAY_BENCH_STORE_RPC_H
#define HEARSAY_BENCH_STORE_RPC_H

#include "bench/rpc.h"

/* As an entry with key and value of these sizes moves: doc/store-wire.md. */
#define STORE_KEY_BYTES 16
#define STORE_VALUE_BYTES 64
#define STORE_ENTRY_BYTES (1 + 1 + 1 + 8 + 8 + STORE_KEY_BYTES + STORE_VALUE_BYTES)

/* The answer, borrowed until the next call. */
struct hearsay_bytes store_rpc_ask(struct rpc *rpc, const char *command, struct hearsay_bytes body);
/* One of HEARSAY_COUNTERS. */
uint64_t store_rpc_counter(struct rpc *rpc, const char *name);
/* A figure of kv status. */
uint64_t store_rpc_figure(struct rpc *rpc, const char *name);
/* The root of an agent when it is of so many entries; else "". */
void store_rpc_root(struct rpc *rpc, uint64_t entries, char out[40]);
void store_rpc_join(struct rpc *rpc, const char *address);

#endif
