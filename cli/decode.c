/* SPDX-License-Identifier: MIT
 *
 * hearsay decode: prints the gossip in a capture or in lines of hex, decrypting it with a key. capture.c finds the datagrams, the library takes
 * them apart; here they become lines for people or for programs.
 */
#include "cli/capture.h"
#include "cli/command.h"
#include "cli/look.h"
#include "cli/plain.h"

#include <errno.h>
#include <hearsay/hearsay_uv.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define FILE_MOST (256u << 20)
#define BYTES_SHOWN 32

static const char *format = "text", *port_text;

struct decoding {
    struct hearsay_inspection *look;
    unsigned long port; /* 0 = any */
    bool is_json;
    unsigned shown, faults;
    json_t *messages; /* of the datagram at hand */
    char *text;
    size_t size;
    FILE *out; /* writes text */
};

static void field_text(const struct hearsay_field *f, FILE *out)
{
    char place[64], plain[HEARSAY_NAME_MAX * 3 + 1];
    switch (f->kind) {
    case HEARSAY_FIELD_NUMBER:
        fprintf(out, " %s=%llu", f->name, (unsigned long long)f->number);
        break;
    case HEARSAY_FIELD_TEXT:
        plain_into(plain, sizeof plain, f->bytes);
        plain_tame(plain);
        fprintf(out, " %s=\"%s\"", f->name, plain);
        break;
    case HEARSAY_FIELD_ADDRESS:
        hearsay_address_text(&f->address, place, sizeof place);
        fprintf(out, " %s=%s", f->name, place);
        break;
    case HEARSAY_FIELD_BYTES:
        fprintf(out, " %s=", f->name);
        for (size_t i = 0; i < f->bytes.size && i < BYTES_SHOWN; i++) {
            fprintf(out, "%02x", f->bytes.data[i]);
        }
        if (f->bytes.size > BYTES_SHOWN) {
            fprintf(out, "… (%zu bytes)", f->bytes.size);
        }
    }
}

static json_t *field_json(const struct hearsay_field *f)
{
    char place[64];
    char *text = NULL;
    json_t *value = NULL;
    switch (f->kind) {
    case HEARSAY_FIELD_NUMBER:
        return json_integer((json_int_t)f->number);
    case HEARSAY_FIELD_ADDRESS:
        hearsay_address_text(&f->address, place, sizeof place);
        return json_string(place);
    case HEARSAY_FIELD_TEXT:
        text = plain_copy(f->bytes);
        break;
    case HEARSAY_FIELD_BYTES:
        text = malloc(f->bytes.size * 2 + 1);
        for (size_t i = 0; text != NULL && i < f->bytes.size; i++) {
            snprintf(text + 2 * i, 3, "%02x", f->bytes.data[i]);
        }
    }
    value = json_string(text == NULL ? "" : text);
    free(text);
    return value;
}

static void on_message(void *context, const struct hearsay_dissection *message)
{
    struct decoding *d = context;
    json_t *one = d->is_json ? json_pack("{s:s}", "type", message->type) : NULL;
    if (!d->is_json) {
        fprintf(d->out, "    %-14s", message->type);
    }
    for (size_t i = 0; i < message->count; i++) {
        if (d->is_json) {
            json_object_set_new(one, message->fields[i].name, field_json(&message->fields[i]));
        } else {
            field_text(&message->fields[i], d->out);
        }
    }
    if (d->is_json) {
        json_array_append_new(d->messages, one);
    } else {
        fputc('\n', d->out);
    }
}

static void when_text(uint64_t at_us, char out[32])
{
    time_t seconds = (time_t)(at_us / 1000000);
    struct tm when;
    char clock[16];
    localtime_r(&seconds, &when);
    strftime(clock, sizeof clock, "%H:%M:%S", &when);
    snprintf(out, 32, "%s.%06u  ", clock, (unsigned)(at_us % 1000000));
}

static void print_text(struct decoding *d, const struct capture_datagram *datagram, const struct hearsay_datagram_facts *facts)
{
    char when[32] = "", from[64] = "", to[64] = "", label[HEARSAY_LABEL_MAX * 3 + 1];
    if (datagram->at_us > 0) {
        when_text(datagram->at_us, when);
    }
    if (datagram->from.size > 0) {
        hearsay_address_text(&datagram->from, from, sizeof from);
        hearsay_address_text(&datagram->to, to, sizeof to);
    }
    plain_into(label, sizeof label, facts->label);
    plain_tame(label);
    printf("%s%s%s%s%s%zu bytes", when, from, from[0] != 0 ? " > " : "", to, from[0] != 0 ? ": " : "", datagram->payload.size);
    if (label[0] != 0) {
        printf(", label \"%s\"", label);
    }
    printf("%s%s%s%s%s\n", facts->is_encrypted ? ", encrypted" : "", facts->has_checksum ? ", checksum" : "",
           facts->is_compressed ? ", compressed" : "", facts->is_cut ? ", cut short" : "", facts->messages > 1 ? ", compound" : "");
    if (facts->fault != NULL) {
        printf("    cannot be read: %s\n", facts->fault);
    }
    fflush(d->out);
    fwrite(d->text, 1, d->size, stdout);
}

static void print_json(struct decoding *d, const struct capture_datagram *datagram, const struct hearsay_datagram_facts *facts)
{
    char from[64] = "", to[64] = "", *label = plain_copy(facts->label);
    if (datagram->from.size > 0) {
        hearsay_address_text(&datagram->from, from, sizeof from);
        hearsay_address_text(&datagram->to, to, sizeof to);
    }
    json_t *root = json_pack("{s:I, s:s, s:s, s:I, s:s, s:b, s:b, s:O}", "time_us", (json_int_t)datagram->at_us, "from", from, "to", to, "bytes",
                             (json_int_t)datagram->payload.size, "label", label == NULL ? "" : label, "encrypted", facts->is_encrypted,
                             "compressed", facts->is_compressed, "messages", d->messages);
    if (facts->fault != NULL) {
        json_object_set_new(root, "fault", json_string(facts->fault));
    }
    json_dumpf(root, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(root);
    free(label);
}

static void on_datagram(void *context, const struct capture_datagram *datagram)
{
    struct decoding *d = context;
    struct hearsay_datagram_facts facts;
    if (d->port != 0 && datagram->from.size > 0 && datagram->from.port != d->port && datagram->to.port != d->port) {
        return;
    }
    d->text = NULL;
    d->size = 0;
    d->messages = json_array();
    d->out = open_memstream(&d->text, &d->size);
    if (d->out != NULL && d->messages != NULL) {
        hearsay_inspect_datagram(d->look, datagram->payload.data, datagram->payload.size, &facts, on_message, d);
        d->shown++;
        d->faults += facts.fault != NULL;
        (d->is_json ? print_json : print_text)(d, datagram, &facts);
    }
    if (d->out != NULL) {
        fclose(d->out);
    }
    json_decref(d->messages);
    free(d->text);
}

/* The whole file; NULL after saying why. */
static uint8_t *read_file(const char *path, size_t *size)
{
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
    uint8_t *data = NULL;
    size_t capacity = 0, got = 1;
    *size = 0;
    if (file == NULL) {
        command_fail("cannot read %s: %s", path, strerror(errno));
        return NULL;
    }
    while (got > 0 && *size < FILE_MOST) {
        if (*size == capacity) {
            capacity = capacity == 0 ? 65536 : capacity * 2;
            uint8_t *more = realloc(data, capacity);
            if (more == NULL) {
                break;
            }
            data = more;
        }
        got = fread(data + *size, 1, capacity - *size, file);
        *size += got;
    }
    if (file != stdin) {
        fclose(file);
    }
    if (got > 0) {
        command_fail("%s is larger than %u MiB; cut it with tcpdump or editcap first", path, FILE_MOST >> 20);
        free(data);
        return NULL;
    }
    return data;
}

static int decode(struct decoding *d, const char *path)
{
    size_t size;
    char error[256];
    struct capture_skipped skipped = {0};
    uint8_t *data = read_file(path, &size);
    if (data == NULL) {
        return EXIT_FAILED;
    }
    struct hearsay_bytes file = {data, size};
    bool is_fine = capture_is_pcap(file) ? capture_read_pcap(file, on_datagram, d, &skipped, error, sizeof error)
                                         : capture_read_hex(file, on_datagram, d, error, sizeof error);
    free(data);
    if (!is_fine) {
        return command_fail("%s: %s", path, error);
    }
    if (!d->is_json) {
        printf("%s%u datagram%s, %u unreadable", d->shown > 0 ? "\n" : "", d->shown, d->shown == 1 ? "" : "s", d->faults);
        if (skipped.tcp + skipped.fragments + skipped.others + skipped.cut > 0) {
            printf("; skipped: %u of TCP, %u fragments, %u cut short, %u of other kinds", skipped.tcp, skipped.fragments, skipped.cut,
                   skipped.others);
        }
        putchar('\n');
    }
    return d->faults > 0 ? EXIT_FAILED : EXIT_DONE;
}

static int run(int count, char **arguments)
{
    struct hearsay_inspect_options options;
    struct decoding d = {.port = 0};
    int timeout_ms;
    char *end;
    if (!command_format(format, &d.is_json) || !look_read_flags(&options, &timeout_ms)) {
        return EXIT_FAILED;
    }
    if (port_text != NULL && ((d.port = strtoul(port_text, &end, 10)) == 0 || *end != 0 || d.port > 65535)) {
        command_misused("--port %s: it must be from 1 to 65535", port_text);
        return EXIT_FAILED;
    }
    d.look = hearsay_inspect_create(&options);
    if (d.look == NULL) {
        return command_fail("out of memory");
    }
    int result = decode(&d, count > 0 ? arguments[0] : "-");
    hearsay_inspect_destroy(d.look);
    look_forget(&options);
    return result;
}

static const struct flag flags[] = {
    {"encrypt", FLAG_SECRET, &look_encrypt, "KEY|@FILE", "key of the cluster, in base64"},
    {"port", FLAG_TEXT, &port_text, "PORT", "only datagrams from or to this port (default: all)"},
    {"format", FLAG_TEXT, &format, "text|json", "how to print (default text); JSON is one object a line"},
    {.name = NULL},
};

const struct command command_decode = {
    .name = "decode",
    .summary = "print the gossip in a capture or in hex",
    .usage = "decode [flags] [FILE]",
    .text = "  Takes datagrams of memberlist, Serf and hearsay apart: envelopes, messages, fields. FILE is a pcap capture or has one datagram in\n"
            "  hex a line; - or nothing is standard input. Exit code 1 when some could not be read.\n\n"
            "    hearsay decode --encrypt @cluster.key capture.pcap\n",
    .flags = flags,
    .least = 0,
    .most = 1,
    .flags_anywhere = true,
    .run = run,
};
