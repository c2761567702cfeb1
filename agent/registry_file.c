/* SPDX-License-Identifier: MIT
 *
 * What of the registry survives the process, in services.json in the data folder: services that clients registered, and who is in
 * maintenance. What the configuration defines is not in it.
 */
#include "agent/own.h"

#include "agent/disk.h"
#include "agent/log.h"

#include <unistd.h>

#define FILE_BYTES_MAX ((size_t)16 << 20)

bool registry_save(const struct registry *r, char *error, size_t size)
{
    struct text json = {0};
    const char *comma = "";
    if (r->path == NULL) {
        return true;
    }
    text_puts(&json, "{\"services\":[");
    for (const struct own *own = r->first; own != NULL; own = own->next) {
        if (!own->is_configured) {
            text_printf(&json, "%s\n  ", comma);
            text_puts(&json, own->json);
            comma = ",";
        }
    }
    text_puts(&json, "],\n \"maintenance\":{");
    comma = "";
    for (const struct own *own = r->first; own != NULL; own = own->next) {
        if (own->maintenance != NULL) {
            text_puts(&json, comma);
            text_json_c(&json, own->d.id);
            text_puts(&json, ":");
            text_json_c(&json, own->maintenance);
            comma = ",";
        }
    }
    text_puts(&json, "}}\n");
    bool is_saved = disk_replace(r->path, json.data, json.size, 0600, true, error, size);
    text_deinit(&json);
    return is_saved;
}

static bool restore_all(struct registry *r, const json_t *file, char *error, size_t size)
{
    const char *id;
    json_t *value;
    size_t i;
    json_array_foreach(json_object_get(file, "services"), i, value)
    {
        struct complaint complaint;
        char *text = must(json_dumps(value, 0));
        struct own *own = registry_parse(r, text, &complaint);
        free(text);
        if (own == NULL) {
            snprintf(error, size, "%s: %s; mend or delete the file", r->path, complaint.text);
            return false;
        }
        if (registry_find(r, own->d.id) != NULL) {
            log_put(LOG_WARN, "agent: service '%s' was registered, and is now defined in the configuration, which wins", own->d.id);
            registry_free(own);
        } else {
            registry_begin(r, own);
        }
    }
    json_object_foreach(json_object_get(file, "maintenance"), id, value)
    {
        struct own *own = registry_find(r, id);
        if (own != NULL && json_is_string(value)) {
            own->maintenance = must(strdup(json_string_value(value)));
            registry_publish(r, own);
        }
    }
    return true;
}

bool registry_restore(struct registry *r, char *error, size_t size)
{
    size_t length;
    if (r->path == NULL || access(r->path, F_OK) != 0) {
        return true;
    }
    char *content = disk_read(r->path, FILE_BYTES_MAX, &length, error, size);
    if (content == NULL) {
        return false;
    }
    json_error_t problem;
    json_t *file = json_loadb(content, length, 0, &problem);
    bool is_fine = json_is_object(file);
    if (!is_fine) {
        snprintf(error, size, "%s:%d: %s; mend or delete the file", r->path, problem.line,
                 file == NULL ? problem.text : "it is no JSON object");
    }
    is_fine = is_fine && restore_all(r, file, error, size);
    json_decref(file);
    free(content);
    return is_fine;
}
