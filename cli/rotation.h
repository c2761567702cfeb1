/* SPDX-License-Identifier: MIT
 *
 * The rotation of the cluster's key in one go.
 */
#ifndef HEARSAY_CLI_ROTATION_H
#define HEARSAY_CLI_ROTATION_H

#include "cli/client.h"

struct rotation {
    const char *key;      /* the new one */
    bool keeps_old;       /* stop before anything is removed */
    bool ignores_failed;  /* members that failed do not hinder the removal */
};

/* Installs the new key everywhere, has everybody use it, removes all others; stops at the first step that not every member confirmed.
 * Answers an exit code after saying what was done. */
int rotation_run(struct client *client, const struct rotation *rotation);

#endif
