/* SPDX-License-Identifier: MIT
 *
 * The main program of a topic of stories: every story under a few seeds, or what the command line asks for.
 */
#include "story_inside.h"

#include "base/check.h"

#include <setjmp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SEEDS_USUAL 5

static struct story_entry *first_entry, **last_entry = &first_entry;

struct command_line {
    const char *program, *title;
    uint64_t first_seed, last_seed;
    bool is_traced, lists, digests;
};

struct telling {
    const struct story_entry *entry;
    const struct command_line *line;
    uint64_t seed;
    struct story *story;
    char title[160];
};

void story_enter(struct story_entry *entry)
{
    *last_entry = entry;
    last_entry = &entry->next;
}

static void tell(void **state)
{
    struct telling *telling = *state;
    struct story *c = story_create(telling->entry->title, telling->seed, telling->line->is_traced);
    telling->story = c;
    c->program = telling->line->program;
    telling->entry->tell(c);
    if (telling->line->digests) {
        printf("%s seed %llu digest %016llx\n", c->title, (unsigned long long)c->seed, (unsigned long long)world_digest(c->world));
    }
}

static int forget(void **state)
{
    struct telling *telling = *state;
    story_destroy(telling->story);
    telling->story = NULL;
    return 0;
}

static int usage(const char *program, const char *problem)
{
    fprintf(stderr, "%s: %s\nusage: %s [--story TITLE] [--seed N | --seeds A..B] [--trace] [--digest] [--list]\n", program, problem, program);
    return 2;
}

static bool read_seeds(struct command_line *line, const char *text, bool is_range)
{
    char *end;
    line->first_seed = line->last_seed = strtoull(text, &end, 10);
    if (is_range && strncmp(end, "..", 2) == 0) {
        line->last_seed = strtoull(end + 2, &end, 10);
    }
    return *end == 0 && end != text && line->last_seed >= line->first_seed;
}

static int read_command_line(struct command_line *line, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i], *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (strcmp(word, "--trace") == 0) {
            line->is_traced = true;
        } else if (strcmp(word, "--digest") == 0) {
            line->digests = true;
        } else if (strcmp(word, "--list") == 0) {
            line->lists = true;
        } else if (strcmp(word, "--story") == 0 && value != NULL) {
            line->title = argv[++i];
        } else if (strncmp(word, "--seed", 6) == 0 && value != NULL) {
            if (!read_seeds(line, argv[++i], strcmp(word, "--seeds") == 0)) {
                return usage(line->program, "a seed is a number, seeds are A..B");
            }
        } else {
            return usage(line->program, word);
        }
    }
    return 0;
}

static bool is_asked_for(const struct command_line *line, const struct story_entry *entry)
{
    return line->title == NULL || strcmp(line->title, entry->title) == 0;
}

static size_t gather(const struct command_line *line, struct telling *tellings, struct CMUnitTest *tests)
{
    size_t count = 0;
    for (const struct story_entry *entry = first_entry; entry != NULL; entry = entry->next) {
        for (uint64_t seed = line->first_seed; is_asked_for(line, entry) && seed <= line->last_seed; seed++) {
            if (tests != NULL) {
                struct telling *telling = &tellings[count];
                *telling = (struct telling){.entry = entry, .line = line, .seed = seed};
                (void)snprintf(telling->title, sizeof telling->title, "%s, seed %llu", entry->title, (unsigned long long)seed);
                tests[count] = (struct CMUnitTest){.name = telling->title, .test_func = tell, .teardown_func = forget,
                                                   .initial_state = telling};
            }
            count++;
        }
    }
    return count;
}

int story_main(int argc, char **argv)
{
    struct command_line line = {.program = argv[0], .first_seed = 1, .last_seed = SEEDS_USUAL};
    int wrong = read_command_line(&line, argc, argv);
    if (wrong != 0) {
        return wrong;
    }
    for (const struct story_entry *entry = first_entry; line.lists && entry != NULL; entry = entry->next) {
        printf("%s\n", entry->title);
    }
    size_t count = line.lists ? 0 : gather(&line, NULL, NULL);
    if (count == 0) {
        return line.lists ? 0 : usage(argv[0], "there is no such story");
    }
    struct telling *tellings = calloc(count, sizeof *tellings);
    struct CMUnitTest *tests = calloc(count, sizeof *tests);
    CHECK(tellings != NULL && tests != NULL);
    gather(&line, tellings, tests);
    int failed = _cmocka_run_group_tests("stories", tests, count, NULL, NULL);
    free(tests);
    free(tellings);
    return failed == 0 ? 0 : 1;
}
