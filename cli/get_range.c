/* SPDX-License-Identifier: MIT */
#include "get_range.h"

#include <errno.h>

/* What follows the unit; empty if that is not bytes. A unit's case does not matter (RFC 9110 §14.1). */
static weft_bytes behind_unit(weft_bytes value)
{
    if (!weft_bytes_equal_nocase(weft_bytes_first(value, 6), weft_bytes_from("bytes ")))
        return weft_bytes_of(value.data, 0);
    return weft_bytes_skip(value, 6);
}

int get_range_parse(weft_bytes value, struct get_range *ret)
{
    struct get_range range;
    uint64_t length;
    size_t dash, slash;

    value = behind_unit(value);
    dash = weft_bytes_find(value, '-');
    slash = weft_bytes_find(value, '/');
    if (dash == SIZE_MAX || slash == SIZE_MAX || dash > slash ||
        weft_bytes_to_uint64(weft_bytes_first(value, dash), INT64_MAX, &range.first) < 0 ||
        weft_bytes_to_uint64(weft_bytes_of(value.data + dash + 1, slash - dash - 1), INT64_MAX, &range.last) < 0 ||
        range.last < range.first)
        return -EINVAL;
    value = weft_bytes_skip(value, slash + 1);
    if (!weft_bytes_equal(value, weft_bytes_from("*")) &&
        (weft_bytes_to_uint64(value, INT64_MAX, &length) < 0 || range.last + 1 != length))
        return -EINVAL;
    *ret = range;
    return 0;
}

int get_range_parse_length(weft_bytes value, uint64_t *ret)
{
    value = behind_unit(value);
    if (!weft_bytes_starts_with(value, weft_bytes_from("*/")))
        return -EINVAL;
    return weft_bytes_to_uint64(weft_bytes_skip(value, 2), INT64_MAX, ret) < 0 ? -EINVAL : 0;
}
