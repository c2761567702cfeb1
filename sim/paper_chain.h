/* SPDX-License-Identifier: MIT
 *
 * Exact values, where the number of those who know is a Markov chain: what trials can only estimate. Doubles, no chance.
 */
#ifndef HEARSAY_SIM_PAPER_CHAIN_H
#define HEARSAY_SIM_PAPER_CHAIN_H

#include "sim/spread_model.h"

#define PAPER_CHAIN_FANOUT_MAX 8

/* Rounds until everybody knows: synchronous, distinct partners, no loss, any number of incoming calls. Time and memory grow with the
 * square of the nodes (with calls of those who know, time a little faster): for thousands. False when memory is out. */
bool paper_chain_rounds(enum spread_mode mode, uint32_t nodes, uint32_t fanout, double *mean, double *p99, double *sd);

/* Push, blind, coin 1/k: the share that never hears, and copies per node. In which order calls are made does not matter to either. */
bool paper_chain_blind_coin(uint32_t nodes, uint32_t k, double *residue, double *copies);

#endif
