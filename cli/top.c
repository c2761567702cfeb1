/* SPDX-License-Identifier: MIT
 *
 * hearsay top: the members as one agent sees them, anew every second, in a terminal; with --once a single time, for scripts. Plain ANSI
 * sequences and termios; the terminal is put back as it was however this ends.
 */
#include "cli/client.h"
#include "cli/clock.h"
#include "cli/command.h"
#include "cli/overview.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#define REFRESH_MS 1000
#define LINE_MAX_BYTES 4096

static bool is_once;
static const char *sort_word = "status", *filter_word = "";

struct top {
    struct client client;
    struct overview now;
    struct overview before; /* only its figures: rates are differences */
    bool has_before, is_terminal, is_typing, is_quitting, is_asked;
    enum overview_order order;
    char filter[128];
    size_t first; /* row at the top of the screen */
    int width, height;
    char *screen; /* of this turn: written at once, so that nothing flickers */
    size_t size, capacity;
};

static struct termios original;
static volatile sig_atomic_t was_ended;

/* ---- the picture ---------------------------------------------------------------------------------------------------------------- */

static void put(struct top *t, const char *data, size_t size)
{
    if (t->capacity - t->size < size) {
        size_t capacity = (t->capacity + size) * 2;
        char *more = realloc(t->screen, capacity);
        if (more == NULL) {
            return;
        }
        t->screen = more;
        t->capacity = capacity;
    }
    memcpy(t->screen + t->size, data, size);
    t->size += size;
}

/* How many bytes of text fill at most so many columns: a character is a column, its continuation bytes are none. */
static size_t cut(const char *text, int columns)
{
    size_t i = 0;
    for (int used = 0; text[i] != '\0'; i++) {
        if (((unsigned char)text[i] & 0xc0) != 0x80 && used++ == columns) {
            break;
        }
    }
    return i;
}

static int columns_of(const char *text)
{
    int count = 0;
    for (; *text != '\0'; text++) {
        count += ((unsigned char)*text & 0xc0) != 0x80;
    }
    return count;
}

/* One line, cut to the width of the terminal, in this style. */
__attribute__((format(printf, 3, 4))) static void put_line(struct top *t, const char *style, const char *format, ...)
{
    char text[LINE_MAX_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    size_t size = t->is_terminal ? cut(text, t->width) : strlen(text);
    while (!t->is_terminal && size > 0 && text[size - 1] == ' ') {
        size--;
    }
    if (t->is_terminal && style[0] != '\0') {
        put(t, style, strlen(style));
    }
    put(t, text, size);
    if (t->is_terminal) {
        put(t, "\033[0m\033[K\r", 8);
    }
    put(t, "\n", 1);
}

static void span_text(char out[16], uint64_t ms)
{
    uint64_t s = ms / 1000;
    snprintf(out, 16, s < 120 ? "%llus" : s < 7200 ? "%llum" : s < 172800 ? "%lluh" : "%llud",
             (unsigned long long)(s < 120 ? s : s < 7200 ? s / 60 : s < 172800 ? s / 3600 : s / 86400));
}

static double rate(const struct top *t, uint64_t now, uint64_t before)
{
    uint64_t ms = t->now.now_ms - t->before.now_ms;
    return t->has_before && t->now.now_ms > t->before.now_ms && now >= before ? (double)(now - before) * 1000 / (double)ms : 0;
}

static size_t count_of(const struct overview *o, const char *status)
{
    size_t count = 0;
    for (size_t i = 0; i < o->count; i++) {
        count += strcmp(o->members[i].status, status) == 0;
    }
    return count;
}

static void put_head(struct top *t)
{
    const struct overview *o = &t->now;
    char store[64] = "off", health[32] = "healthy";
    if (o->has_store) {
        snprintf(store, sizeof store, "%llu entries, %llu bytes", (unsigned long long)o->entries, (unsigned long long)o->store_bytes);
    }
    if (o->health > 0) {
        snprintf(health, sizeof health, "score %llu", (unsigned long long)o->health);
    }
    put_line(t, "\033[1m", "%s  hearsay %s  %s", o->name, o->version, health);
    put_line(t, "", "members %zu: %zu alive, %zu suspect, %zu failed, %zu left   store %s", o->count, count_of(o, "alive"),
             count_of(o, "suspect"), count_of(o, "failed"), count_of(o, "left"), store);
    if (t->has_before) {
        put_line(t, "", "packets/s %.1f in, %.1f out   bytes/s %.0f in, %.0f out   rumours waiting %llu   probes %llu, %llu failed",
                 rate(t, o->packets_in, t->before.packets_in), rate(t, o->packets_out, t->before.packets_out),
                 rate(t, o->bytes_in, t->before.bytes_in), rate(t, o->bytes_out, t->before.bytes_out), (unsigned long long)o->waiting,
                 (unsigned long long)o->probes, (unsigned long long)o->probes_failed);
    } else {
        put_line(t, "", "packets %llu in, %llu out   bytes %llu in, %llu out   rumours waiting %llu   probes %llu, %llu failed",
                 (unsigned long long)o->packets_in, (unsigned long long)o->packets_out, (unsigned long long)o->bytes_in,
                 (unsigned long long)o->bytes_out, (unsigned long long)o->waiting, (unsigned long long)o->probes,
                 (unsigned long long)o->probes_failed);
    }
    put_line(t, "", "%s", "");
}

static const char *style_of(const char *status)
{
    return strcmp(status, "failed") == 0                                        ? "\033[31m"
           : strcmp(status, "suspect") == 0 || strcmp(status, "leaving") == 0   ? "\033[33m"
           : strcmp(status, "left") == 0                                        ? "\033[2m"
                                                                                : "";
}

struct widths {
    int name, address;
};

/* Padded by columns, since printf counts bytes. */
static int padding(const char *text, int width)
{
    int columns = columns_of(text);
    return columns < width ? width - columns : 0;
}

static void put_member(struct top *t, const struct overview_member *m, const struct widths *w)
{
    char rtt[24] = "-", since[16], event[600] = "-", ago[16];
    span_text(since, m->since_ms);
    if (m->is_self) {
        snprintf(rtt, sizeof rtt, "self");
    } else if (m->rtt_us > 0) {
        snprintf(rtt, sizeof rtt, "%.2f ms", (double)m->rtt_us / 1000);
    }
    if (m->event != NULL) {
        const char *word = strncmp(m->event, "member-", 7) == 0 ? m->event + 7 : m->event;
        bool has_accuser = m->accuser != NULL && m->accuser[0] != '\0';
        span_text(ago, m->ago_ms);
        snprintf(event, sizeof event, "%s %s ago: %s%s%s", word, ago, m->reason == NULL ? "" : m->reason, has_accuser ? ", says " : "",
                 has_accuser ? m->accuser : "");
    }
    int name = (int)cut(m->name, w->name);
    put_line(t, style_of(m->status), "%.*s%*s  %-8s  %11s  %6s  %s%*s  %s%*s  %s", name, m->name, padding(m->name, w->name), "", m->status, rtt,
             since, m->address, padding(m->address, w->address), "", event, padding(event, 36), "", m->tags);
}

static void put_members(struct top *t)
{
    struct widths w = {.name = 4, .address = 7};
    size_t shown = 0, rows = t->is_terminal && t->height > 7 ? (size_t)t->height - 7 : t->is_terminal ? 1 : t->now.count;
    for (size_t i = 0; i < t->now.count; i++) {
        const struct overview_member *m = &t->now.members[i];
        if (overview_matches(m, t->filter)) {
            int name = columns_of(m->name), address = columns_of(m->address);
            w.name = name > w.name ? name : w.name;
            w.address = address > w.address ? address : w.address;
            shown++;
        }
    }
    w.name = t->is_terminal && w.name > 32 ? 32 : w.name;
    t->first = shown <= rows ? 0 : t->first > shown - rows ? shown - rows : t->first;
    put_line(t, "\033[7m", "%-*s  %-8s  %11s  %6s  %-*s  %-36s  %s", w.name, "NAME", "STATUS", "RTT", "SINCE", w.address, "ADDRESS",
             "LAST EVENT", "TAGS");
    size_t row = 0, printed = 0;
    for (size_t i = 0; i < t->now.count && printed < rows; i++) {
        const struct overview_member *m = &t->now.members[i];
        if (overview_matches(m, t->filter) && row++ >= t->first) {
            put_member(t, m, &w);
            printed++;
        }
    }
    if (!t->is_terminal) {
        return;
    }
    put(t, "\033[J", 3);
    char place[32];
    snprintf(place, sizeof place, "\033[%d;1H", t->height);
    put(t, place, strlen(place));
    char text[LINE_MAX_BYTES];
    if (t->is_typing) {
        snprintf(text, sizeof text, "filter: %s_", t->filter);
    } else {
        snprintf(text, sizeof text, "%zu-%zu of %zu by %s%s%s   q quit  / filter  n name  s status  r rtt  t since  e event  arrows scroll",
                 printed == 0 ? 0 : t->first + 1, t->first + printed, shown, overview_orders[t->order], t->filter[0] != '\0' ? ", with " : "",
                 t->filter);
    }
    put(t, "\033[2m", 4);
    put(t, text, cut(text, t->width > 0 ? t->width - 1 : 0));
    put(t, "\033[0m\033[K", 7);
}

static void show(struct top *t)
{
    struct winsize room = {0};
    t->size = 0;
    if (t->is_terminal) {
        bool is_known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &room) == 0 && room.ws_col > 0 && room.ws_row > 0;
        t->width = is_known ? room.ws_col : 80;
        t->height = is_known ? room.ws_row : 24;
        put(t, "\033[H", 3);
    }
    overview_sort(&t->now, t->order);
    put_head(t);
    put_members(t);
    fwrite(t->screen, 1, t->size, stdout);
    fflush(stdout);
}

/* ---- asking --------------------------------------------------------------------------------------------------------------------- */

static bool refresh(struct top *t)
{
    struct hearsay_bytes object;
    struct overview fresh;
    if (!client_ask(&t->client, "top", bytes_of(NULL, 0)) || !client_next(&t->client, &object, false)) {
        return false;
    }
    if (!overview_read(&fresh, object)) {
        command_fail("the agent's answer makes no sense");
        return false;
    }
    t->has_before = t->is_asked;
    t->is_asked = true;
    t->before = t->now; /* its texts are freed, its figures stay */
    overview_free(&t->now);
    t->now = fresh;
    return true;
}

/* ---- the terminal --------------------------------------------------------------------------------------------------------------- */

static void on_end(int number)
{
    was_ended = number;
}

static void on_resize(int number)
{
    (void)number; /* it is enough that poll returns */
}

static void restore_terminal(void)
{
    static const char normal[] = "\033[?25h\033[?1049l";
    ssize_t written = write(STDOUT_FILENO, normal, sizeof normal - 1);
    (void)written;
    tcsetattr(STDIN_FILENO, TCSADRAIN, &original);
}

static bool take_terminal(void)
{
    static const int ends[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction action = {.sa_handler = on_end};
    if (tcgetattr(STDIN_FILENO, &original) != 0) {
        return false;
    }
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        sigaction(ends[i], &action, NULL);
    }
    action.sa_handler = on_resize;
    sigaction(SIGWINCH, &action, NULL);
    struct termios raw = original;
    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    raw.c_cc[VMIN] = 0;
    raw.c_cc[VTIME] = 0;
    tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
    fputs("\033[?1049h\033[?25l\033[2J", stdout);
    return true;
}

static void on_typed(struct top *t, char key)
{
    size_t length = strlen(t->filter);
    if (key == '\r' || key == '\n') {
        t->is_typing = false;
    } else if (key == '\033') {
        t->is_typing = false;
        t->filter[0] = '\0';
    } else if (key == 127 || key == '\b') {
        while (length > 0 && ((unsigned char)t->filter[--length] & 0xc0) == 0x80) {
        }
        t->filter[length] = '\0';
    } else if ((unsigned char)key >= ' ' && length + 1 < sizeof t->filter) {
        t->filter[length] = key;
        t->filter[length + 1] = '\0';
    }
}

static void scroll(struct top *t, long rows)
{
    t->first = rows < 0 && t->first < (size_t)-rows ? 0 : t->first + (size_t)rows; /* put_members bounds it below */
}

static void on_key(struct top *t, char key)
{
    static const char orders[] = "snrte";
    const char *order = key == '\0' ? NULL : strchr(orders, key);
    if (t->is_typing) {
        on_typed(t, key);
    } else if (key == 'q' || key == 3) {
        t->is_quitting = true;
    } else if (key == '/') {
        t->is_typing = true;
    } else if (key == '\033') {
        t->filter[0] = '\0';
    } else if (key == 'j' || key == 'k') {
        scroll(t, key == 'j' ? 1 : -1);
    } else if (key == ' ' || key == 'b') {
        scroll(t, (key == ' ' ? 1 : -1) * (t->height > 8 ? t->height - 8 : 1));
    } else if (order != NULL) {
        t->order = (enum overview_order)(order - orders);
        t->first = 0;
    }
}

/* Keys that come as several bytes: the arrows and their pages. */
static void on_keys(struct top *t, const char *keys, size_t size)
{
    for (size_t i = 0; i < size && !t->is_quitting; i++) {
        if (keys[i] == '\033' && i + 2 < size && keys[i + 1] == '[') {
            char kind = keys[i + 2];
            i += kind == '5' || kind == '6' ? 3 : 2;
            if (kind == 'A' || kind == 'B') {
                on_key(t, kind == 'B' ? 'j' : 'k');
            } else if (kind == '5' || kind == '6') {
                on_key(t, kind == '6' ? ' ' : 'b');
            }
        } else {
            on_key(t, keys[i]);
        }
    }
}

static int follow(struct top *t)
{
    uint64_t due = 0;
    while (was_ended == 0 && !t->is_quitting) {
        uint64_t now = clock_now_us() / 1000;
        if (now >= due) {
            due = now + REFRESH_MS;
            if (!refresh(t)) {
                return EXIT_FAILED;
            }
        }
        show(t);
        char keys[64];
        struct pollfd p = {.fd = STDIN_FILENO, .events = POLLIN};
        int ready = poll(&p, 1, (int)(due - now));
        ssize_t size = ready > 0 ? read(STDIN_FILENO, keys, sizeof keys) : 0;
        if (ready > 0 && (size < 0 ? errno != EINTR : size == 0)) {
            return EXIT_DONE; /* the terminal is gone */
        }
        on_keys(t, keys, size > 0 ? (size_t)size : 0);
    }
    return EXIT_DONE;
}

static int run(int count, char **arguments)
{
    static struct top t;
    (void)count;
    (void)arguments;
    while (overview_orders[t.order] != NULL && strcmp(overview_orders[t.order], sort_word) != 0) {
        t.order++;
    }
    if (overview_orders[t.order] == NULL) {
        (void)command_misused("--sort %s: sort by status, name, rtt, since or event", sort_word);
        return EXIT_USAGE;
    }
    snprintf(t.filter, sizeof t.filter, "%s", filter_word);
    t.is_terminal = !is_once;
    if (t.is_terminal && (isatty(STDIN_FILENO) == 0 || isatty(STDOUT_FILENO) == 0)) {
        (void)command_misused("this is not a terminal: --once prints a single time");
        return EXIT_USAGE;
    }
    if (!client_open(&t.client)) {
        return EXIT_FAILED;
    }
    int result = EXIT_FAILED;
    if (is_once) {
        result = refresh(&t) ? EXIT_DONE : EXIT_FAILED;
        if (result == EXIT_DONE) {
            show(&t);
        }
    } else if (refresh(&t) && take_terminal()) { /* what goes wrong at once is said on a terminal that was not touched */
        result = follow(&t);
        restore_terminal();
    }
    client_close(&t.client);
    overview_free(&t.now);
    free(t.screen);
    return result;
}

static const struct flag flags[] = {
    {"once", FLAG_SWITCH, &is_once, NULL, "print a single time, without a terminal"},
    {"sort", FLAG_TEXT, &sort_word, "status|name|rtt|since|event", "order of the members (default status, trouble first)"},
    {"filter", FLAG_TEXT, &filter_word, "TEXT", "only members whose name, address, status or tags contain this"},
    COMMAND_RPC_FLAGS,
    {.name = NULL},
};

const struct command command_top = {
    .name = "top",
    .summary = "watch the members: state, round trip, last event and its cause",
    .usage = "top [flags]",
    .text = "  Shows this agent and all members, anew every second. Keys: q quits, / filters (Esc clears), n s r t e sort by name, status, rtt,\n"
            "  since, last event; arrows, Space and b scroll.\n\n"
            "    hearsay top --sort rtt\n"
            "    hearsay top --once --filter role=db\n",
    .flags = flags,
    .run = run,
};
