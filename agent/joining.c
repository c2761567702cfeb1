/* SPDX-License-Identifier: MIT
 *
 * Meeting the cluster: --join (or exit), --retry-join (until it works), and the members that the snapshot remembers, one after
 * the other until somebody answers.
 */
#include "agent/life.h"
#include "agent/log.h"

static const char *const *peers_of(const struct words *words)
{
    return (const char *const *)words->at;
}

static void on_start_joined(struct hearsay_uv *uv, size_t contacted, const char *error, void *user)
{
    struct life *life = user;
    (void)uv;
    if (life->state != LIFE_RUNNING) {
        return;
    }
    if (contacted > 0) {
        log_banner("==> Join completed. Synced with %zu initial agents", contacted);
        log_put(LOG_INFO, "agent: joined: %zu nodes", contacted);
        chores_want(&life->chores, CHORE_TRIM, 2000);
        return;
    }
    fprintf(stderr, "agent: failed to join: %s (use --retry-join to keep trying)\n",
            error == NULL ? "nobody answered" : error);
    life_stop(life, 1);
}

static void on_retry_joined(struct hearsay_uv *uv, size_t contacted, const char *error, void *user)
{
    struct life *life = user;
    (void)uv;
    if (life->state != LIFE_RUNNING) {
        return;
    }
    if (contacted > 0) {
        log_put(LOG_INFO, "agent: Join completed. Synced with %zu initial agents", contacted);
        life->attempts = 0;
        life->has_met = true;
        chores_want(&life->chores, CHORE_TRIM, 2000);
        chores_want(&life->chores, CHORE_JOIN, (uint64_t)life->config.retry_interval_ms);
        return;
    }
    life->attempts++;
    const char *reason = error == NULL ? "nobody answered" : error;
    if (life->config.retry_max > 0 && !life->has_met && life->attempts > life->config.retry_max) {
        log_put(LOG_ERR, "agent: maximum retry join attempts made, exiting: %s", reason);
        fprintf(stderr, "agent: failed to join after %lld attempts: %s\n", (long long)life->attempts, reason);
        life_stop(life, 1);
        return;
    }
    log_put(LOG_WARN, "agent: Join failed: %s, retrying in %lld ms", reason, (long long)life->config.retry_interval_ms);
    chores_want(&life->chores, CHORE_JOIN, (uint64_t)life->config.retry_interval_ms);
}

/* Is anybody there? Who has lost everybody asks the names again: all the others may have come back elsewhere. */
static bool has_company(const struct life *life)
{
    struct hearsay_member m;
    for (size_t position = 0; hearsay_next_member(life->service.node, &position, &m);) {
        if ((m.status == HEARSAY_ALIVE || m.status == HEARSAY_SUSPECT) && strcmp(m.name, life->config.node_name) != 0) {
            return true;
        }
    }
    return false;
}

void joining_retry(struct life *life)
{
    const struct words *peers = &life->config.retry_join;
    if (life->state == LIFE_RUNNING && life->has_met && has_company(life)) { /* until it has worked once, whoever found us may be a stray too */
        chores_want(&life->chores, CHORE_JOIN, (uint64_t)life->config.retry_interval_ms);
    } else if (life->state == LIFE_RUNNING) {
        log_put(LOG_INFO, "agent: Joining cluster...(replay: %s)", life->config.is_replaying ? "true" : "false");
        hearsay_uv_join(life->uv, peers_of(peers), peers->count, life->config.is_replaying != 0, on_retry_joined, life);
    }
}

static void rejoin_next(struct life *life);

static void on_rejoined(struct hearsay_uv *uv, size_t contacted, const char *error, void *user)
{
    struct life *life = user;
    (void)uv;
    (void)error;
    if (life->state != LIFE_RUNNING) {
        return;
    }
    if (contacted > 0) {
        log_put(LOG_INFO, "agent: Re-joined to previously known node: %s", life->persist.rejoin.at[life->rejoined - 1]);
        lists_free_words(&life->persist.rejoin);
        chores_want(&life->chores, CHORE_TRIM, 2000);
    } else {
        rejoin_next(life);
    }
}

/* Name of a "name/addr:port" is our own? After a restart we stand in our own snapshot. */
static bool is_self(const struct life *life, const char *peer)
{
    const char *slash = strrchr(peer, '/'), *name = life->config.node_name;
    return slash != NULL && strlen(name) == (size_t)(slash - peer) && memcmp(peer, name, strlen(name)) == 0;
}

static void rejoin_next(struct life *life)
{
    struct words *peers = &life->persist.rejoin;
    while (life->rejoined < peers->count && is_self(life, peers->at[life->rejoined])) {
        life->rejoined++;
    }
    if (life->rejoined == peers->count) {
        log_put(LOG_WARN, "agent: Failed to re-join any previously known node; healing goes on looking for them");
        lists_free_words(peers);
        return;
    }
    const char *const *peer = peers_of(peers) + life->rejoined++;
    log_put(LOG_INFO, "agent: Attempting re-join to previously known node: %s", *peer);
    hearsay_uv_join(life->uv, peer, 1, true, on_rejoined, life);
}

void joining_start(struct life *life)
{
    const struct words *start = &life->config.start_join, *former = &life->persist.rejoin;
    if (start->count > 0) {
        log_banner("==> Joining cluster...(replay: %s)", life->config.is_replaying ? "true" : "false");
        hearsay_uv_join(life->uv, peers_of(start), start->count, life->config.is_replaying != 0, on_start_joined, life);
    }
    if (life->config.retry_join.count > 0) {
        joining_retry(life);
    }
    if (former->count > 1 || (former->count == 1 && !is_self(life, former->at[0]))) {
        rejoin_next(life);
    }
}

/* ---- by RPC: the driver's answer carried to the service ---- */

struct errand {
    service_joined done;
    void *user;
};

static void on_rpc_joined(struct hearsay_uv *uv, size_t contacted, const char *error, void *user)
{
    struct errand errand = *(struct errand *)user;
    (void)uv;
    free(user);
    errand.done(errand.user, contacted, error);
}

void joining_by_rpc(void *context, const char *const *peers, size_t count, bool replay, service_joined done, void *user)
{
    struct life *life = context;
    if (count == 0 || life->state != LIFE_RUNNING) {
        done(user, 0, count == 0 ? "no address was given" : "this agent is leaving");
        return;
    }
    struct errand *errand = must(malloc(sizeof *errand));
    *errand = (struct errand){done, user};
    hearsay_uv_join(life->uv, peers, count, replay, on_rpc_joined, errand);
}
