/* SPDX-License-Identifier: MIT
 *
 * The services of all nodes as JSON: the names, or the instances of one. It asks the library's catalog and knows neither RPC nor HTTP.
 */
#include "agent/catalog.h"

#include "base/bytes.h"

struct writing {
    struct text *out;
    const char *comma;
};

static void put_tags(const struct hearsay_service *service, struct text *out)
{
    struct hearsay_bytes key, value;
    text_puts(out, ",\"tags\":[");
    for (size_t position = 0; hearsay_service_next_tag(service, &position, &value);) {
        text_puts(out, position > 1 ? "," : "");
        text_json(out, value);
    }
    text_puts(out, "],\"meta\":{");
    for (size_t position = 0; hearsay_service_next_meta(service, &position, &key, &value);) {
        text_puts(out, position > 1 ? "," : "");
        text_json(out, key);
        text_puts(out, ":");
        text_json(out, value);
    }
    text_puts(out, "}");
}

static bool put_instance(void *context, const struct hearsay_service *service)
{
    struct writing *w = context;
    char ip[46];
    text_ip(&service->address, ip);
    text_puts(w->out, w->comma);
    text_puts(w->out, "\n {\"name\":");
    text_json(w->out, service->name);
    text_puts(w->out, ",\"node\":");
    text_json_c(w->out, service->node);
    text_puts(w->out, ",\"id\":");
    text_json(w->out, service->id);
    text_printf(w->out, ",\"address\":\"%s\",\"port\":%u,\"healthy\":%s,\"state\":\"%s\",\"node_status\":\"%s\"", ip, service->address.port,
                service->is_healthy ? "true" : "false", hearsay_service_state_text(service->state),
                hearsay_status_text(service->node_status));
    if (service->rtt >= 0) {
        text_printf(w->out, ",\"rtt_ms\":%.3f", service->rtt * 1000);
    }
    put_tags(service, w->out);
    text_puts(w->out, ",\"output\":");
    text_json(w->out, service->output);
    text_puts(w->out, "}");
    w->comma = ",";
    return true;
}

static int by_name(const void *a, const void *b)
{
    const struct hearsay_services_name *x = a, *y = b;
    size_t shorter = x->name.size < y->name.size ? x->name.size : y->name.size;
    int order = memcmp(x->name.data, y->name.data, shorter);
    return order != 0 ? order : (x->name.size > y->name.size) - (x->name.size < y->name.size);
}

static void put_names(const struct service *service, struct text *out)
{
    struct hearsay_services_stats stats;
    struct hearsay_services_name *names;
    size_t count = 0;
    hearsay_services_get_stats(service->catalog, &stats);
    names = must(calloc((size_t)stats.names + 1, sizeof *names));
    for (size_t position = 0; count < stats.names && hearsay_services_next_name(service->catalog, &position, &names[count]);) {
        count++;
    }
    qsort(names, count, sizeof *names, by_name);
    for (size_t i = 0; i < count; i++) {
        text_puts(out, i == 0 ? "\n {\"name\":" : ",\n {\"name\":");
        text_json(out, names[i].name);
        text_printf(out, ",\"instances\":%u,\"healthy\":%u}", names[i].instances, names[i].healthy);
    }
    free(names);
}

uint64_t catalog_index(const struct service *service, struct hearsay_bytes name)
{
    return name.size == 0 ? hearsay_services_update(service->catalog) : hearsay_services_change(service->catalog, name);
}

void catalog_json(const struct service *service, const struct catalog_query *query, struct text *out)
{
    struct writing writing = {out, ""};
    struct hearsay_services_query q = {.name = query->name, .tag = query->tag, .is_healthy_only = query->is_healthy_only};
    text_printf(out, "{\"index\":%llu,\"services\":[", (unsigned long long)catalog_index(service, query->name));
    if (query->name.size == 0) {
        put_names(service, out);
    } else {
        (void)hearsay_services_find(service->catalog, service->now_us(service->context), &q, put_instance, &writing);
    }
    text_puts(out, "]}\n");
}
