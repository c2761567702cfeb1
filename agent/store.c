/* SPDX-License-Identifier: MIT
 *
 * See store.h.
 */
#include "agent/store.h"

#include "agent/log.h"

bool store_open(struct store *store, const struct config *config, struct hearsay_uv_options *options, char *error, size_t size)
{
    if (!options->node.store || config->data_dir == NULL) {
        return true;
    }
    store->storage = storage_open(config->data_dir, error, size);
    if (store->storage == NULL) {
        return false;
    }
    struct storage_facts facts = storage_facts(store->storage);
    options->node.store_durable = 1;
    options->node.store_hlc_mark = facts.mark;
    options->node.store_purge_hlc = facts.purge;
    return true;
}

struct loading {
    struct hearsay_uv *uv;
    hearsay_err err;
};

static void load_one(void *context, const struct hearsay_entry *entry)
{
    struct loading *loading = context;
    if (loading->err == HEARSAY_OK) {
        loading->err = hearsay_uv_store_load(loading->uv, entry);
    }
}

static void load_meeting(void *context, const struct hearsay_meeting *meeting)
{
    struct loading *loading = context;
    if (loading->err == HEARSAY_OK) {
        loading->err = hearsay_uv_store_load_meeting(loading->uv, meeting);
    }
}

static void on_committed(void *context, uint64_t batch, const char *error)
{
    struct store *store = context;
    if (error != NULL && !store->is_failing) {
        log_put(LOG_ERR, "agent: %s; nothing is put until that is mended", error);
    } else if (error == NULL && store->is_failing) {
        log_put(LOG_INFO, "agent: the store can be written again");
    }
    store->is_failing = error != NULL;
    hearsay_uv_persisted(store->uv, batch, error == NULL);
}

bool store_load(struct store *store, struct hearsay_uv *uv, uv_loop_t *loop, char *error, size_t size)
{
    struct loading loading = {uv, HEARSAY_OK};
    store->uv = uv;
    if (store->storage == NULL) {
        return true;
    }
    if (!storage_load(store->storage, load_one, &loading, error, size) ||
        !storage_load_meetings(store->storage, load_meeting, &loading, error, size)) {
        return false;
    }
    if (loading.err != HEARSAY_OK) {
        snprintf(error, size, "the store on disk cannot be taken into memory: %s", hearsay_err_text(loading.err));
        return false;
    }
    store->commits = commits_start(loop, store->storage, on_committed, store);
    return true;
}

void store_persist(struct store *store, const struct hearsay_persist *persist)
{
    for (size_t i = 0; i < persist->count; i++) {
        commits_put(store->commits, &persist->entries[i]);
    }
    for (size_t i = 0; i < persist->meeting_count; i++) {
        commits_put_meeting(store->commits, &persist->meetings[i]);
    }
    commits_end(store->commits, persist->batch, persist->hlc_mark, persist->purge_hlc);
}

size_t store_waiting(const struct store *store)
{
    return store->commits == NULL ? 0 : commits_waiting(store->commits);
}

void store_mute(struct store *store)
{
    if (store->commits != NULL) {
        commits_mute(store->commits);
    }
}

void store_close(struct store *store)
{
    commits_stop(store->commits);
    storage_close(store->storage);
    *store = (struct store){0};
}
