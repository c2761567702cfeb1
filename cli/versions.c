/* SPDX-License-Identifier: MIT
 *
 * See versions.h.
 */
#include "cli/versions.h"

#include <stdio.h>

void versions_take(struct versions *v, const char *name, const uint8_t versions[6])
{
    for (int i = 0; i < 2; i++) {
        struct versions_range *range = &v->ranges[i];
        uint8_t least = versions[3 * i], most = versions[3 * i + 1];
        if (v->count == 0 || least > range->least) {
            range->least = least;
            range->demanding = name;
        }
        if (v->count == 0 || most < range->most) {
            range->most = most;
            range->lagging = name;
        }
    }
    v->count++;
}

bool versions_clash(const struct versions *v, char *out, size_t size)
{
    static const char *const words[2] = {"memberlist's protocol", "the delegate's protocol"};
    for (int i = 0; i < 2; i++) {
        const struct versions_range *range = &v->ranges[i];
        if (v->count > 0 && range->least > range->most) {
            snprintf(out, size, "%.100s demands version %u of %s, %.100s speaks at most %u", range->demanding, range->least, words[i],
                     range->lagging, range->most);
            return true;
        }
    }
    return false;
}
