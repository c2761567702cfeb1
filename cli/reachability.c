/* SPDX-License-Identifier: MIT
 *
 * hearsay reachability: does every living member hear a query of this agent, and is its answer heard?
 */
#include "cli/plain.h"
#include "cli/question.h"
#include "cli/roster.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static bool is_verbose;

struct test {
    const struct roster *roster;
    char **names; /* of acks, in the order they came */
    size_t count;
    bool has_twins;
    double began, last;
};

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static bool has_acked(const struct test *test, const char *name)
{
    for (size_t i = 0; i < test->count; i++) {
        if (strcmp(test->names[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_alive(const struct roster *roster, const char *name)
{
    for (size_t i = 0; i < roster->count; i++) {
        if (strcmp(roster->at[i].name, name) == 0) {
            return strcmp(roster->at[i].status, "alive") == 0;
        }
    }
    return false;
}

static void on_ack(void *context, struct hearsay_bytes from)
{
    struct test *test = context;
    char *name = plain_copy(from), **grown = realloc(test->names, (test->count + 1) * sizeof *grown);
    if (grown != NULL) {
        test->names = grown;
    }
    if (name == NULL || grown == NULL) {
        free(name);
        return;
    }
    plain_tame(name);
    if (is_verbose) {
        printf("\tAck from '%s'\n", name);
        fflush(stdout);
    }
    if (has_acked(test, name)) {
        test->has_twins = true;
        printf("Duplicate response from '%s'\n", name);
    }
    test->names[test->count++] = name;
    test->last = now();
}

static int complain(const char *what)
{
    printf("%s\n\nTroubleshooting tips:\n"
           "* Ensure that the bind addr:port is accessible by all other nodes\n"
           "* If an advertise address is set, ensure it routes to the bind address\n"
           "* Check that no nodes are behind a NAT\n"
           "* If nodes are behind firewalls or iptables, check that Serf traffic is permitted (UDP and TCP)\n"
           "* Verify networking equipment is functional\n",
           what);
    return EXIT_FAILED;
}

static int judge(const struct test *test, size_t alive)
{
    if (test->has_twins) {
        puts("Duplicate responses means there is a misconfiguration. Verify that node names are unique.");
    }
    if (test->count == alive) {
        puts("Successfully contacted all live nodes");
        return test->has_twins ? EXIT_FAILED : EXIT_DONE;
    }
    if (test->count > alive) {
        puts("Received more acks than live nodes! Acks from non-live nodes:");
        for (size_t i = 0; i < test->count; i++) {
            if (!is_alive(test->roster, test->names[i])) {
                printf("\t%s\n", test->names[i]);
            }
        }
        return complain("This could mean Serf is detecting false-failures due to a misconfiguration or network issue.");
    }
    puts("Received less acks than live nodes! Missing acks from:");
    for (size_t i = 0; i < test->roster->count; i++) {
        const struct roster_member *m = &test->roster->at[i];
        if (strcmp(m->status, "alive") == 0 && !has_acked(test, m->name)) {
            printf("\t%s\n", m->name);
        }
    }
    return complain("This could mean Serf gossip packets are being lost due to a misconfiguration or network issue.");
}

static int probe(struct client *client, const struct roster *roster)
{
    struct test test = {.roster = roster, .began = now()};
    struct question q = {.name = "_serf_ping", .wants_acks = true, .on_ack = on_ack, .context = &test};
    size_t alive = 0;
    for (size_t i = 0; i < roster->count; i++) {
        plain_tame(roster->at[i].name);
        alive += strcmp(roster->at[i].status, "alive") == 0;
    }
    printf("Total members: %zu, live members: %zu\nStarting reachability test...\n", roster->count, alive);
    fflush(stdout);
    test.last = test.began;
    int result = EXIT_FAILED;
    if (question_send(client, &q) && question_wait(client, &q)) {
        if (is_verbose) {
            printf("Query time: %.2f sec, time to last response: %.2f sec\n", now() - test.began, test.last - test.began);
        }
        result = judge(&test, alive);
    }
    for (size_t i = 0; i < test.count; i++) {
        free(test.names[i]);
    }
    free(test.names);
    return result;
}

static int run(int count, char **arguments)
{
    (void)count;
    (void)arguments;
    struct client client;
    struct hearsay_bytes object;
    struct roster roster;
    if (!client_open(&client)) {
        return EXIT_FAILED;
    }
    int result = EXIT_FAILED;
    if (client_ask(&client, "members", bytes_of(NULL, 0)) && client_next(&client, &object, false)) {
        if (roster_read(&roster, object)) {
            result = probe(&client, &roster);
            roster_free(&roster);
        } else {
            result = command_fail("the agent's list of members makes no sense");
        }
    }
    client_close(&client);
    return result;
}

static const struct flag flags[] = {
    {"verbose", FLAG_SWITCH, &is_verbose, NULL, "also show every ack and how long it took"},
    COMMAND_RPC_FLAGS,
    {.name = NULL},
};

const struct command command_reachability = {
    .name = "reachability",
    .summary = "test whether every living member can be reached",
    .usage = "reachability [flags]",
    .text = "  Sends a query that every living member must acknowledge, and names those that do not. It takes as long as a query: seconds.\n\n"
            "    hearsay reachability --verbose\n",
    .flags = flags,
    .run = run,
};
