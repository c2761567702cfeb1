/* SPDX-License-Identifier: MIT
 *
 * hearsay doctor: looks at every member that the seeds know, compares what they believe, and prints findings, worst first. It joins nothing
 * and costs each member one exchange and three pings. census.c gathers, diagnosis_*.c judge, findings.c prints.
 */
#include "cli/command.h"
#include "cli/diagnosis.h"
#include "cli/look.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PINGS 3
#define PING_WAIT_MS 400

enum { DOCTOR_HEALTHY = 0, DOCTOR_FINDINGS = 1, DOCTOR_BLIND = 2 };

static const char *format = "text";

static void tell(uint32_t looked, uint32_t known)
{
    fprintf(stderr, "\rlooked at %u of %u \033[K", looked, known);
}

static uint32_t views_of(const struct census *c)
{
    uint32_t seen = 0;
    for (uint32_t i = 0; i < c->look_count; i++) {
        seen += c->observations[i].is_seen;
    }
    return seen;
}

static void print_text(const struct census *c, const struct findings *f)
{
    uint32_t seen = views_of(c), members = 0;
    for (uint32_t s = 0; s < c->subject_count; s++) {
        members += !c->subjects[s].has_left;
    }
    printf("%u of %u members told their view in %.2f s: ", seen, members > c->look_count ? members : c->look_count,
           (double)c->took_us / 1e6);
    size_t serious = findings_serious(f);
    if (serious == 0 && seen > 0) {
        puts("they agree, and all answer");
    } else {
        printf("%zu finding%s\n", serious, serious == 1 ? "" : "s");
    }
    findings_print(f, isatty(STDOUT_FILENO));
}

static json_t *looked_at(const struct census *c)
{
    json_t *all = json_array();
    for (uint32_t i = 0; i < c->look_count; i++) {
        const struct inspection *it = &c->looks[i].inspection;
        const struct observation *o = &c->observations[i];
        json_t *one = json_pack("{s:s, s:s, s:b, s:i, s:i}", "name", o->subject == CENSUS_NONE ? "" : c->subjects[o->subject].name, "addr",
                                o->address, "seen", o->is_seen, "pings", (int)it->pings, "answered", (int)it->acks);
        if (it->acks > 0) {
            json_object_set_new(one, "rtt_us", json_integer((json_int_t)(it->rtt_sum_us / it->acks)));
        }
        if (it->has_clock) {
            json_object_set_new(one, "clock_ahead_ms", json_integer(it->clock_ahead_ms));
        }
        if (o->is_seen) {
            json_object_set_new(one, "members", json_integer(o->facts.members));
            json_object_set_new(one, "personality", json_string(product_word(o->product.kind)));
            json_object_set_new(one, "encrypted", json_boolean(o->facts.is_encrypted));
        }
        json_array_append_new(all, one);
    }
    return all;
}

static void print_json(const struct census *c, const struct findings *f)
{
    json_t *root =
        json_pack("{s:f, s:o, s:o}", "seconds", (double)c->took_us / 1e6, "looked_at", looked_at(c), "findings", findings_json(f));
    json_dumpf(root, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(root);
}

static int judge(struct census *c, bool is_json)
{
    struct findings f = {.count = 0};
    bool is_split = diagnosis_of_cluster(c, &f);
    diagnosis_of_reach(c, &f);
    diagnosis_of_views(c, is_split, &f);
    findings_sort(&f);
    if (is_json) {
        print_json(c, &f);
    } else {
        print_text(c, &f);
    }
    int answer = views_of(c) == 0 ? DOCTOR_BLIND : findings_serious(&f) > 0 || f.is_short ? DOCTOR_FINDINGS : DOCTOR_HEALTHY;
    findings_free(&f);
    return answer;
}

/* All places of all seeds; NULL after saying why. */
static struct place *resolve(int count, char **arguments, size_t *places)
{
    struct places found;
    struct place *seeds = malloc((size_t)count * sizeof found.at);
    *places = 0;
    for (int i = 0; seeds != NULL && i < count; i++) {
        if (!place_resolve(arguments[i], "7946", &found)) {
            free(seeds);
            return NULL;
        }
        memcpy(seeds + *places, found.at, found.count * sizeof found.at[0]);
        *places += found.count;
    }
    return seeds;
}

static int run(int count, char **arguments)
{
    struct hearsay_inspect_options options;
    struct census census;
    struct look_rules rules = {.options = &options, .ping_wait_ms = PING_WAIT_MS, .pings = PINGS};
    bool is_json, is_shown = isatty(STDERR_FILENO);
    int answer = DOCTOR_BLIND;
    size_t places;
    struct place *seeds;
    if (!command_format(format, &is_json) || !look_read_flags(&options, &rules.timeout_ms) ||
        (seeds = resolve(count, arguments, &places)) == NULL) {
        return DOCTOR_BLIND;
    }
    bool is_taken = census_take(&census, seeds, places, &rules, is_shown ? tell : NULL);
    if (is_shown) {
        fputs("\r\033[K", stderr);
    }
    if (is_taken) {
        answer = judge(&census, is_json);
    } else {
        command_fail("out of memory");
    }
    census_free(&census);
    look_forget(&options);
    free(seeds);
    return answer;
}

static const struct flag flags[] = {
    LOOK_FLAGS,
    {"format", FLAG_TEXT, &format, "text|json", "how to print (default text)"},
    {.name = NULL},
};

const struct command command_doctor = {
    .name = "doctor",
    .summary = "look at every member of a cluster and say what is wrong",
    .usage = "doctor [flags] SEED...",
    .text = "  Asks every member that the seeds know for its view, compares the views and prints findings, worst first, each with its "
            "evidence and\n"
            "  what to do next. Joins nothing; costs each member one exchange and three pings. Exit code 0: healthy, 1: findings, 2: could "
            "not look.\n\n"
            "    hearsay doctor --encrypt @cluster.key 10.0.0.1 10.0.0.2\n",
    .flags = flags,
    .least = 1,
    .most = -1,
    .flags_anywhere = true,
    .run = run,
};
