/* SPDX-License-Identifier: MIT
 *
 * From what the agent was told to what the driver needs: files read and merged, secrets resolved, everything checked.
 */
#ifndef HEARSAY_AGENT_SETUP_H
#define HEARSAY_AGENT_SETUP_H

#include "agent/config.h"
#include "agent/log.h"

#include <hearsay/hearsay_uv.h>

/* Files, folders, flags and defaults in one. Secrets are not resolved yet. */
bool setup_gather(const struct config *flags, struct config *config, char *error, size_t size);
/* Replaces secrets by the content of the files they name, and the tags file's tags into tags. */
bool setup_resolve(struct config *config, char *error, size_t size);
/* Tags of the tags file, or of the configuration. */
bool setup_tags(const struct config *config, struct taglist *tags, char *error, size_t size);
/* Borrows from config and tags as long as options lives. Warnings go to the log. */
bool setup_options(const struct config *config, const struct taglist *tags, struct hearsay_uv_options *options, char *error,
                   size_t size);

#endif
