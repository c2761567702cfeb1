/* SPDX-License-Identifier: MIT
 *
 * A warm start: hosts that know each other from the first instant, as after hours of running. 10,000 nodes that join one by one, each telling all
 * the others, would be told 10^8 things before anything can be watched; here they exchange lists once, in no time, and owe nobody any news.
 */
#ifndef HEARSAY_SIM_WARM_H
#define HEARSAY_SIM_WARM_H

#include "sim/cluster.h"

/* Adds hosts, named n1, n2 …, and lets them know each other. False when a node did not answer or understand (which a label, key or
 * personality of its own would explain, or too little room for members). */
bool warm_start(struct cluster *cluster, uint32_t count);

#endif
