/* SPDX-License-Identifier: MIT
 *
 * What a story prints: lines as things happen, and everything a reader needs when a claim does not hold.
 */
#include "story_inside.h"

#include <setjmp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void put_line(struct story *c, const char *text)
{
    char *line = c->lines[c->line_count++ % STORY_LINES];
    (void)snprintf(line, STORY_LINE_BYTES, "[%11.6f] %.*s", (double)time_of(c) / 1e6, STORY_LINE_BYTES - 30, text);
    if (c->is_traced) {
        fprintf(stderr, "%s\n", line);
    }
}

void report_line(struct story *c, const char *format, ...)
{
    char text[STORY_LINE_BYTES - 20];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    put_line(c, text);
}

static void list_nodes(nodes who, char *text, size_t size)
{
    size_t used = 0;
    for (unsigned i = 0; i < 64 && used < size; i++) {
        if ((who >> i & 1) != 0) {
            int added = snprintf(text + used, size - used, "%sn%u%s", used == 0 ? "" : " ", i + 1, i == 63 ? "…" : "");
            used += (size_t)(added > 0 ? added : 0);
        }
    }
}

const char *report_nodes(nodes who, char *text, size_t size)
{
    static const char most[] = "everyone except ";
    (void)snprintf(text, size, "%s", who == everyone ? "everyone" : "nobody");
    if (who != everyone && (who >> 63) != 0) {
        (void)snprintf(text, size, "%s", most);
        list_nodes(~who, text + sizeof most - 1, size - sizeof most + 1);
    } else if (who != everyone && who != nobody) {
        list_nodes(who, text, size);
    }
    return text;
}

static const char *address_text(const struct hearsay_address *a, char text[32])
{
    (void)snprintf(text, 32, "%u.%u.%u.%u:%u", a->bytes[0], a->bytes[1], a->bytes[2], a->bytes[3], a->port);
    return text;
}

void report_event(struct story *c, unsigned index, const struct hearsay_event *event)
{
    char address[32];
    const char *self = c->nodes[index].name, *what = hearsay_event_text(event->type);
    const struct hearsay_cause *cause = &event->cause;
    switch (event->type) {
    case HEARSAY_USER_EVENT:
    case HEARSAY_MESSAGE:
        report_line(c, "%s: %s %s", self, what, event->name == NULL ? "" : event->name);
        break;
    case HEARSAY_JOIN_RESULT:
        report_line(c, "%s: %s %s %s", self, what, address_text(&event->other_address, address), event->contacted ? "met" : event->text);
        break;
    case HEARSAY_QUERY:
    case HEARSAY_QUERY_ACK:
    case HEARSAY_QUERY_RESPONSE:
    case HEARSAY_KEY_RESULT:
        report_line(c, "%s: %s %s from %s%s%s", self, what, event->name == NULL ? "" : event->name, event->from,
                    event->text == NULL ? "" : ": ", event->text == NULL ? "" : event->text);
        break;
    case HEARSAY_QUERY_DONE:
    case HEARSAY_CONFLICT_RESOLVED:
        report_line(c, "%s: %s, %u members, %u acks, %u answers, %u errors%s", self, what, event->members, event->acks, event->answers,
                    event->errors, event->is_ok ? ", ok" : "");
        break;
    case HEARSAY_KEYRING_CHANGED:
    case HEARSAY_KEY_WORN:
        report_line(c, "%s: %s", self, what);
        break;
    case HEARSAY_LEAVE_DONE:
        report_line(c, "%s: %s", self, what);
        break;
    default:
        report_line(c, "%s: %s %s (%s%s%s, incarnation %u%s%s)", self, what, event->member.name, hearsay_reason_text(cause->reason),
                    cause->accuser == NULL ? "" : " by ", cause->accuser == NULL ? "" : cause->accuser, cause->incarnation,
                    event->other_address.size == 0 ? "" : ", at ",
                    event->other_address.size == 0 ? "" : address_text(&event->other_address, address));
    }
}

/* The type bytes of memberlist, outermost first; encrypted or labelled packets show what can be seen. */
static const char *packet_text(struct hearsay_bytes bytes)
{
    static const char *const words[] = {"ping", "indirect-ping", "ack", "suspect", "alive", "dead", "push-pull", "compound", "user",
                                        "compressed", "encrypted", "nack", "crc", "error"};
    size_t at = bytes.size > 5 && bytes.data[0] == 12 ? 5 : 0;
    return bytes.size > at && bytes.data[at] < sizeof words / sizeof words[0] ? words[bytes.data[at]] : "packet";
}

void report_packet(void *context, struct host *from, struct host *to, struct hearsay_bytes bytes)
{
    const struct story *c = context;
    fprintf(stderr, "[%11.6f] %s > %s %s, %zu bytes%s\n", (double)time_of(c) / 1e6, from->name, to == NULL ? "nobody" : to->name,
            packet_text(bytes), bytes.size, to != NULL && network_is_cut(from, to) ? ", cut off" : "");
}

/* ---- failure --------------------------------------------------------------------------------------------------------------- */

static char letter_of(enum hearsay_status status)
{
    switch (status) {
    case HEARSAY_ALIVE:
        return 'A';
    case HEARSAY_SUSPECT:
        return 's';
    case HEARSAY_LEAVING:
        return 'l';
    case HEARSAY_LEFT:
        return 'L';
    case HEARSAY_FAILED:
        return 'F';
    case HEARSAY_NONE:
        break;
    }
    return '.';
}

static const char *state_text(const struct host *host)
{
    switch (host->state) {
    case HOST_DOWN:
        return "down";
    case HOST_OFF:
        return "off";
    case HOST_FROZEN:
        return host->is_starved ? "starved" : "frozen";
    case HOST_RUNNING:
        break;
    }
    return host->is_starved ? "starved" : "runs";
}

static void print_row(const struct story *c, unsigned index)
{
    const struct host *host = c->nodes[index].host;
    fprintf(stderr, "  %-5s %-8s ", c->nodes[index].name, state_text(host));
    if (!host_is_up(host)) {
        fprintf(stderr, "%-6s\n", "");
        return;
    }
    struct hearsay_stats stats;
    hearsay_get_stats(host->node, &stats);
    fprintf(stderr, "%6u ", stats.health_score);
    for (unsigned k = 0; k < c->count; k++) {
        struct hearsay_member member;
        bool is_known = hearsay_find_member(host->node, c->nodes[k].name, &member);
        const char *gap = c->count > 30 ? "" : "   ";
        fprintf(stderr, "%s%c", gap, is_known ? letter_of(member.status) : '.');
    }
    fprintf(stderr, "\n");
}

static void print_views(const struct story *c)
{
    fprintf(stderr, "\nviews (a row is what one node shows; A alive, s suspect, l leaving, L left, F failed, . unknown)\n");
    fprintf(stderr, "  %-5s %-8s %6s ", "node", "process", "health");
    for (unsigned k = 0; k < c->count && c->count <= 30; k++) {
        fprintf(stderr, "%4s", c->nodes[k].name);
    }
    fprintf(stderr, "\n");
    for (unsigned i = 0; i < c->count; i++) {
        print_row(c, i);
    }
}

void report_failure(struct story *c, const char *claim)
{
    fprintf(stderr, "\nSTORY  %s, seed %llu\nCLAIM  %s\nWHEN   %.6f s: it does not hold\n", c->title, (unsigned long long)c->seed, claim,
            (double)time_of(c) / 1e6);
    print_views(c);
    fprintf(stderr, "\nwhat happened last\n");
    unsigned first = c->line_count > STORY_LINES ? c->line_count - STORY_LINES : 0;
    for (unsigned i = first; i < c->line_count; i++) {
        fprintf(stderr, "  %s\n", c->lines[i % STORY_LINES]);
    }
    fprintf(stderr, "\nreplay: %s --story %s --seed %llu --trace\n\n", c->program == NULL ? "<this test>" : c->program, c->title,
            (unsigned long long)c->seed);
    fail();
    abort();
}
