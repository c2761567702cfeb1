/* SPDX-License-Identifier: MIT
 *
 * A node in one call: prints who comes and goes until it is interrupted, then says goodbye.
 *
 *     one_call NAME ADDRESS[:PORT] [PEER…]        one_call n1 127.0.0.1:7946
 *                                                 one_call n2 127.0.0.1:7947 127.0.0.1:7946
 */
#include <hearsay/hearsay_uv.h>
#include <stdio.h>

static void on_event(struct hearsay_uv *uv, const struct hearsay_event *event, void *user)
{
    (void)uv;
    (void)user;
    if (event->member.name != NULL) {
        char address[64];
        hearsay_address_text(&event->member.address, address, sizeof address);
        printf("%s %s %s\n", hearsay_event_text(event->type), event->member.name, address);
    } else if (event->type == HEARSAY_USER_EVENT) {
        printf("event %s: %.*s\n", event->name, (int)event->payload.size, (const char *)event->payload.data);
    }
    fflush(stdout);
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: %s NAME ADDRESS[:PORT] [PEER...]\n", argv[0]);
        return 2;
    }
    struct hearsay_uv_options options;
    hearsay_uv_options(&options);
    options.node.name = argv[1];
    options.bind = argv[2];
    options.on_event = on_event;
    return hearsay_uv_run(&options, (const char *const *)argv + 3);
}
