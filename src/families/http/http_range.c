/* SPDX-License-Identifier: MIT */
#include "families/http/http_range.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/checked.h"

/* A member of the list: what was read of it. */
enum spec_result { SPEC_RANGE, SPEC_UNSATISFIABLE, SPEC_INVALID };

static weft_bytes trim(weft_bytes bytes)
{
    while (bytes.length && (bytes.data[0] == ' ' || bytes.data[0] == '\t'))
        bytes = weft_bytes_skip(bytes, 1);
    while (bytes.length && (bytes.data[bytes.length - 1] == ' ' || bytes.data[bytes.length - 1] == '\t'))
        bytes.length--;
    return bytes;
}

/* 1*DIGIT. A number that no integer holds is a valid position, far behind the end of everything. */
static bool read_position(weft_bytes digits, uint64_t *ret)
{
    uint64_t value = 0;
    bool overflow = false;

    if (digits.length == 0)
        return false;
    for (size_t i = 0; i < digits.length; i++) {
        if (digits.data[i] < '0' || digits.data[i] > '9')
            return false;
        overflow |= __builtin_mul_overflow(value, 10, &value);
        overflow |= __builtin_add_overflow(value, (uint64_t)(digits.data[i] - '0'), &value);
    }
    *ret = overflow ? UINT64_MAX : value;
    return true;
}

/* RFC 9110 §14.1.2: int-range or suffix-range. */
static enum spec_result read_spec(weft_bytes spec, uint64_t size, struct http_range *ret)
{
    size_t dash = weft_bytes_find(spec, '-');
    uint64_t first, last = UINT64_MAX;

    if (dash == SIZE_MAX)
        return SPEC_INVALID;
    if (dash == 0) {
        if (!read_position(weft_bytes_skip(spec, 1), &last))
            return SPEC_INVALID;
        if (last == 0)
            return SPEC_UNSATISFIABLE;
        ret->length = last < size ? last : size;
        ret->first = size - ret->length;
        return SPEC_RANGE;
    }
    if (!read_position(weft_bytes_first(spec, dash), &first))
        return SPEC_INVALID;
    if (dash + 1 < spec.length && (!read_position(weft_bytes_skip(spec, dash + 1), &last) || last < first))
        return SPEC_INVALID;
    if (first >= size)
        return SPEC_UNSATISFIABLE;
    ret->first = first;
    ret->length = (last < size - 1 ? last : size - 1) - first + 1;
    return SPEC_RANGE;
}

static bool overlap(const struct http_range *a, const struct http_range *b)
{
    return a->first <= b->first ? b->first - a->first < a->length : a->first - b->first < b->length;
}

static bool overlaps_any(const struct http_ranges *ranges, const struct http_range *range)
{
    for (size_t i = 0; i < ranges->count; i++)
        if (overlap(&ranges->items[i], range))
            return true;
    return false;
}

/* The next member of a list (RFC 9110 §5.6.1), which may be empty. */
static weft_bytes next_member(weft_bytes *list)
{
    size_t comma = weft_bytes_find(*list, ',');
    weft_bytes member = weft_bytes_first(*list, comma);

    *list = weft_bytes_skip(*list, comma == SIZE_MAX ? comma : comma + 1);
    return trim(member);
}

/* Whether the unit is "bytes" (case-insensitive, §14.1); *list gets what follows the "=". */
static bool unit_is_bytes(weft_bytes value, weft_bytes *list)
{
    static const weft_bytes unit = WEFT_BYTES("bytes");
    size_t equals = weft_bytes_find(value, '=');

    if (equals == SIZE_MAX || !weft_bytes_equal_nocase(weft_bytes_first(value, equals), unit))
        return false;
    *list = weft_bytes_skip(value, equals + 1);
    return true;
}

enum http_range_result http_range_parse(weft_bytes value, uint64_t size, struct http_ranges *ret)
{
    struct http_ranges ranges = {.count = 0};
    size_t members = 0;
    weft_bytes list;

    if (!unit_is_bytes(value, &list))
        return HTTP_RANGE_NONE;
    while (list.length) {
        weft_bytes spec = next_member(&list);
        struct http_range range;
        enum spec_result result;

        if (spec.length == 0)
            continue;
        result = read_spec(spec, size, &range);
        if (result == SPEC_INVALID || ++members > HTTP_RANGES_MAX)
            return HTTP_RANGE_NONE;
        if (result == SPEC_UNSATISFIABLE)
            continue;
        /* A suffix of an empty representation is satisfiable (§14.1.2), but Content-Range has no words for it. */
        if (range.length == 0 || overlaps_any(&ranges, &range))
            return HTTP_RANGE_NONE;
        ranges.items[ranges.count++] = range;
    }
    if (members == 0)
        return HTTP_RANGE_NONE;
    if (ranges.count == 0)
        return HTTP_RANGE_UNSATISFIABLE;
    *ret = ranges;
    return HTTP_RANGE_PARTIAL;
}

size_t http_range_content(const struct http_range *range, uint64_t size, char out[HTTP_CONTENT_RANGE_ROOM])
{
    if (!range)
        return (size_t)snprintf(out, HTTP_CONTENT_RANGE_ROOM, "bytes */%" PRIu64, size);
    return (size_t)snprintf(out, HTTP_CONTENT_RANGE_ROOM, "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, range->first,
                            range->first + range->length - 1, size);
}

void http_multipart_boundary(struct http_multipart *multipart, uint64_t high, uint64_t low)
{
    snprintf(multipart->boundary, sizeof(multipart->boundary), "%016" PRIx64 "%016" PRIx64, high, low);
}

size_t http_multipart_type(const struct http_multipart *multipart, char out[HTTP_MULTIPART_ROOM])
{
    return (size_t)snprintf(out, HTTP_MULTIPART_ROOM, "multipart/byteranges; boundary=%s", multipart->boundary);
}

size_t http_multipart_head(const struct http_multipart *multipart, size_t index, char out[HTTP_MULTIPART_ROOM])
{
    size_t type = multipart->content_type.length;
    char content[HTTP_CONTENT_RANGE_ROOM];

    http_range_content(&multipart->ranges->items[index], multipart->size, content);
    return (size_t)snprintf(out, HTTP_MULTIPART_ROOM, "%s--%s\r\nContent-Type: %.*s\r\nContent-Range: %s\r\n\r\n",
                            index ? "\r\n" : "", multipart->boundary,
                            type < HTTP_MULTIPART_TYPE_MAX ? (int)type : HTTP_MULTIPART_TYPE_MAX,
                            multipart->content_type.data, content);
}

size_t http_multipart_tail(const struct http_multipart *multipart, char out[HTTP_MULTIPART_ROOM])
{
    return (size_t)snprintf(out, HTTP_MULTIPART_ROOM, "\r\n--%s--\r\n", multipart->boundary);
}

int http_multipart_length(const struct http_multipart *multipart, uint64_t *ret)
{
    char part[HTTP_MULTIPART_ROOM];
    uint64_t total = http_multipart_tail(multipart, part);

    for (size_t i = 0; i < multipart->ranges->count; i++)
        if (!uint64_add(total, http_multipart_head(multipart, i, part), &total) ||
            !uint64_add(total, multipart->ranges->items[i].length, &total))
            return -ERANGE;
    if (total > INT64_MAX)
        return -ERANGE;
    *ret = total;
    return 0;
}
