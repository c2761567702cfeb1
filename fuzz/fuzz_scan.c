/* SPDX-License-Identifier: MIT
 *
 * Where RPC's objects end: the same whether bytes come at once or one by one, and never beyond what is there.
 */
#include "fuzz.h"

#include "rpc/scan.h"

#define MOST 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct scan whole = {0}, slow = {0};
    size_t given = 0;
    for (;;) {
        enum scan_result result = scan_object(&whole, data, size, MOST), other;
        FUZZ_CHECK(whole.at <= size && whole.depth <= SCAN_DEPTH);
        while ((other = scan_object(&slow, data, given, MOST)) == SCAN_MORE && given < size) {
            given++;
        }
        FUZZ_CHECK(other == result && slow.at <= given);
        FUZZ_CHECK(result != SCAN_DONE || (slow.at == whole.at && whole.depth == 0));
        if (result != SCAN_DONE || whole.at == size) {
            return 0;
        }
    }
}
