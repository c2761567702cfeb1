/* SPDX-License-Identifier: MIT
 *
 * Captured conversations of Serf's RPC: every object is read, compared, and written again byte for byte.
 */
#include "generic.h"

#include "wire/msgpack.h"

#include <string.h>

/* A captured chunk may end inside an object; answers the part that the capture's reading covers. */
static struct hearsay_bytes whole_part(struct hearsay_bytes bytes, size_t values)
{
    struct reader r = reader_of(bytes);
    struct msgpack_scan scan;
    msgpack_scan_init(&scan, values);
    vector_expect(msgpack_scan_run(&scan, &r) == MSGPACK_SCAN_DONE, "all objects are there");
    size_t size = (size_t)(r.at - bytes.data);
    if (size < bytes.size) {
        msgpack_scan_init(&scan, UINT64_MAX);
        vector_expect(msgpack_scan_run(&scan, &r) == MSGPACK_SCAN_MORE, "what follows is cut off");
    }
    return bytes_of(bytes.data, size);
}

static void every_object_is_read_and_written_again(void **state)
{
    (void)state;
    size_t i, k;
    json_t *vector, *step;
    json_array_foreach(vector_load("rpc-sessions.json"), i, vector) {
        vector_begin(vector);
        json_array_foreach(json_object_get(vector, "steps"), k, step) {
            const char *note = json_string_value(json_object_get(step, "note"));
            if (note != NULL && json_object_get(step, "dir") == NULL) { /* not bytes, but how the script saw them end */
                vector_expect(strcmp(note, "eof") == 0 || strcmp(note, "timeout") == 0, "known note \"%s\"", note);
                continue;
            }
            const char *direction = vector_text(step, "dir");
            vector_expect(strcmp(direction, ">") == 0 || strcmp(direction, "<") == 0, "direction of step %zu", k);
            const json_t *decoded = json_object_get(step, "decoded");
            generic_check(whole_part(vector_hex_of(step, "hex"), json_array_size(decoded)), decoded, true);
        }
    }
    vector_report("rpc-sessions");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_object_is_read_and_written_again)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
