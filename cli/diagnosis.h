/* SPDX-License-Identifier: MIT
 *
 * What a census means: rules that turn it into findings. Three kinds: what one node answers (reach), what observers say of one member
 * (views), and what holds for the cluster as a whole. They look only at the census; nothing here sends anything.
 */
#ifndef HEARSAY_CLI_DIAGNOSIS_H
#define HEARSAY_CLI_DIAGNOSIS_H

#include "cli/census.h"
#include "cli/findings.h"

/* Part of diagnosis_of_cluster: which products these are, whether they fit together, and whether their own states agree. */
void diagnosis_of_products(const struct census *c, struct findings *f);
void diagnosis_of_reach(const struct census *c, struct findings *f);
/* is_split: the cluster is in parts, so that what one part says of members of another needs no finding of its own. */
void diagnosis_of_views(const struct census *c, bool is_split, struct findings *f);
/* Answers whether the cluster is in parts. */
bool diagnosis_of_cluster(const struct census *c, struct findings *f);

#endif
