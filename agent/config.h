/* SPDX-License-Identifier: MIT
 *
 * What an agent is told: one table of settings, from which the flags, the keys of configuration files, merging and the help
 * text are made. Files are JSON with Serf's key names; later files and then flags win. Nothing here opens a socket.
 */
#ifndef HEARSAY_AGENT_CONFIG_H
#define HEARSAY_AGENT_CONFIG_H

#include "agent/lists.h"

struct config_number {
    const char *name; /* one of HEARSAY_NUMBERS; static */
    uint64_t value;
};

/* How discovery by multicast DNS is done. */
struct config_mdns {
    char *interface; /* NULL = all, and the system's choice for questions */
    bool has_no_ipv4, has_no_ipv6;
};

/* Strings are NULL and integers -1 while unset. Switches are 0 or 1. */
struct config {
    char *node_name, *bind, *advertise, *interface, *encrypt_key, *keyring_file, *rpc_addr, *rpc_auth, *label, *tags_file;
    char *snapshot_path, *data_dir, *store_secret, *store_profile, *event_log, *record, *log_level, *profile, *personality;
    char *statsd_addr, *statsite_addr, *syslog_facility;
    char *discover;
    struct config_mdns mdns;
    char *http_addr, *http_token, *http_tls_cert, *http_tls_key, *http_metrics, *dns_addr, *dns_domain;
    int64_t retry_interval_ms, retry_max, protocol, dns_ttl_ms;
    int64_t handler_timeout_ms, handler_limit, coalesce_period_ms, coalesce_quiet_ms, has_syslog;
    int64_t has_new_times; /* how Go writes moments; no message of Serf holds one */
    int64_t is_storing, is_replaying, is_compressing, leaves_on_term, stays_on_int, rejoins;
    struct words event_handlers, start_join, retry_join;
    struct words services; /* each a JSON object, as definition.h has it */
    struct words files; /* and folders, in the order given */
    struct taglist tags;
    struct config_number *numbers;
    size_t number_count;
};

enum config_kind {
    CONFIG_TEXT,
    CONFIG_SECRET, /* text that is wiped from argv */
    CONFIG_SWITCH,
    CONFIG_SWITCH_OFF, /* a flag that turns the switch off */
    CONFIG_COUNT,
    CONFIG_SPAN, /* "30s"; kept in ms */
    CONFIG_WORDS,
    CONFIG_TAGS,
    CONFIG_ROLE,         /* the tag "role" */
    CONFIG_NUMBERS,      /* NAME=NUMBER, or an object */
    CONFIG_NUMBER,       /* Serf's name for one of the numbers */
    CONFIG_NUMBER_SPAN,  /* the same as a span, kept in ms */
    CONFIG_NUMBER_ON,    /* a switch that turns the number, itself a switch, on */
    CONFIG_NUMBER_OFF,   /* or off */
    CONFIG_MDNS,         /* an object: struct config_mdns */
    CONFIG_SERVICES,     /* an array of objects; files only */
    CONFIG_HELP
};

struct config_field {
    const char *key;  /* in files; NULL = flag only */
    const char *flag; /* NULL = files only */
    enum config_kind kind;
    size_t offset;
    const char *number;   /* of HEARSAY_NUMBERS */
    const char *argument; /* for the help text */
    const char *help;     /* NULL = not shown */
};

extern const struct config_field config_fields[];
extern const size_t config_field_count;

void config_init(struct config *config);
/* Also wipes secrets. */
void config_deinit(struct config *config);
/* What is unset gets Serf's default. */
void config_default(struct config *config);
/* Sets one field from a flag's value (NULL = a switch given without value). */
bool config_set(struct config *config, const struct config_field *field, const char *value, char *error, size_t size);
/* What from has replaces or extends what into has. */
void config_merge(struct config *into, const struct config *from);
/* One file; name is for error lines. */
bool config_parse(struct config *config, const char *json, const char *name, char *error, size_t size);
/* A file, or every *.json of a folder in lexical order. */
bool config_read(struct config *config, const char *path, char *error, size_t size);
/* Go's spelling of spans: "30s", "1m30s", "250ms", "1.5h". False if it is none. */
bool config_parse_span(const char *text, int64_t *ms);

#endif
