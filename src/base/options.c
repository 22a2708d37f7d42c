/* SPDX-License-Identifier: MIT */
#include "base/options.h"

#include <errno.h>
#include <string.h>

/* No struct is as large: who says so has set no size, and there is no memory to be looked at. */
#define LARGEST 4096

static bool is_zero(const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (bytes[i])
            return false;
    return true;
}

int options_copy(void *to, size_t known, const void *from)
{
    size_t size;

    if (!from) {
        memcpy(to, &known, sizeof known);
        return 0;
    }
    memcpy(&size, from, sizeof size);
    if (size < sizeof size)
        return -EINVAL;
    if (size > LARGEST || (size > known && !is_zero((const char *)from + known, size - known)))
        return -E2BIG;
    memcpy(to, from, size < known ? size : known);
    memcpy(to, &known, sizeof known);
    return 0;
}

bool options_left_out(const void *options, size_t size)
{
    return is_zero(options, size);
}
