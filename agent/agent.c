/* SPDX-License-Identifier: MIT
 *
 * See agent.h. Flags in, exit code out; life.c does the rest.
 */
#include "agent/agent.h"

#include "agent/flags.h"
#include "agent/life.h"
#include "agent/log.h"
#include "agent/syslog.h"

#include <malloc.h>
#include <signal.h>

/* An agent lives long and needs little: memory that is freed goes back to the system soon (life.c: once it has started, in small pieces). */
static void keep_memory_small(void)
{
    mallopt(M_ARENA_MAX, 1);
    mallopt(M_TRIM_THRESHOLD, 32 << 10);
    mallopt(M_MMAP_THRESHOLD, 32 << 10);
}

static bool asks_for_numbers(int argc, char **argv)
{
    return argc == 3 && (strcmp(argv[1], "--set") == 0 || strcmp(argv[1], "-set") == 0) && strcmp(argv[2], "help") == 0;
}

int agent_main(int argc, char **argv)
{
    char error[512];
    struct config flags;
    if (asks_for_numbers(argc, argv)) {
        flags_help_numbers(stdout);
        return 0;
    }
    keep_memory_small();
    signal(SIGPIPE, SIG_IGN);
    config_init(&flags);
    enum flags_result result = flags_parse(&flags, argc, argv, error, sizeof error);
    int code = result == FLAGS_WRONG ? 2 : 0;
    if (result == FLAGS_WRONG) {
        fprintf(stderr, "agent: %s (see `hearsay agent --help`)\n", error);
    } else if (result == FLAGS_HELP) {
        flags_help(stdout);
    } else {
        struct life *life = must(calloc(1, sizeof *life));
        if (life_start(life, &flags, error, sizeof error)) {
            code = life_run(life);
        } else {
            fprintf(stderr, "agent: %s\n", error);
            config_deinit(&life->config);
            code = 1;
        }
        free(life);
        syslog_close();
        log_stop();
    }
    config_deinit(&flags);
    return code;
}
