/* SPDX-License-Identifier: MIT
 *
 * The shared store: writes a greeting under the node's own name, and prints every entry that changes anywhere in the cluster, in memory
 * only.
 *
 *     store NAME ADDRESS[:PORT] [PEER…]
 */
#include <hearsay/hearsay_uv.h>
#include <stdio.h>
#include <string.h>

static uint64_t last_change = UINT64_MAX; /* that was printed; this is "from now on" */

static struct hearsay_bytes bytes(const char *text)
{
    return (struct hearsay_bytes){(const uint8_t *)text, strlen(text)};
}

static void greet(struct hearsay_uv *uv, const char *name)
{
    hearsay_err err = hearsay_uv_put(uv, bytes(name), bytes("hello, everybody"), 0 /* for ever */, 1 /* here */, NULL);
    if (err != HEARSAY_OK) {
        fprintf(stderr, "%s\n", hearsay_err_text(err));
    }
    hearsay_uv_flush(uv);
}

static void print_changes(struct hearsay_node *node)
{
    struct hearsay_entry entry;
    while (hearsay_next_change(node, bytes(""), &last_change, &entry) == HEARSAY_CHANGE_FOUND) {
        printf("%.*s says: %.*s\n", (int)entry.key.size, (const char *)entry.key.data, (int)entry.value.size,
               (const char *)entry.value.data);
        fflush(stdout);
    }
}

static void on_event(struct hearsay_uv *uv, const struct hearsay_event *event, void *user)
{
    const char *own = user;
    if (event->type == HEARSAY_MEMBER_JOIN && strcmp(event->member.name, own) == 0) { /* the first event: we are there */
        print_changes(hearsay_uv_node(uv));
        greet(uv, own);
    } else if (event->type == HEARSAY_ENTRY_CHANGED) {
        print_changes(hearsay_uv_node(uv));
    }
}

int main(int argc, char **argv)
{
    struct hearsay_uv_options options;
    hearsay_uv_options(&options);
    options.node.store = 1;
    options.node.name = argc > 1 ? argv[1] : "n1";
    options.bind = argc > 2 ? argv[2] : "127.0.0.1:7946";
    options.user = (void *)(size_t)options.node.name;
    options.on_event = on_event;
    return hearsay_uv_run(&options, argc > 3 ? (const char *const *)argv + 3 : NULL);
}
