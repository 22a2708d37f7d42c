/* SPDX-License-Identifier: MIT */
/* In which order a folder is listed. */
#include "families/http/http_listing.h"

static weft_bytes next_parameter(weft_bytes *query)
{
    size_t end = weft_bytes_find(*query, '&');
    weft_bytes parameter = weft_bytes_first(*query, end);

    *query = weft_bytes_skip(*query, end == SIZE_MAX ? end : end + 1);
    return parameter;
}

struct http_listing_order http_listing_order_of(weft_bytes query)
{
    static const weft_bytes size = WEFT_BYTES("sort=size"), time = WEFT_BYTES("sort=time"),
                            name = WEFT_BYTES("sort=name"), up = WEFT_BYTES("order=asc"),
                            down = WEFT_BYTES("order=desc");
    struct http_listing_order order = {.key = HTTP_LISTING_BY_NAME};

    while (query.length) {
        weft_bytes parameter = next_parameter(&query);

        if (weft_bytes_equal(parameter, size))
            order.key = HTTP_LISTING_BY_SIZE;
        else if (weft_bytes_equal(parameter, time))
            order.key = HTTP_LISTING_BY_TIME;
        else if (weft_bytes_equal(parameter, name))
            order.key = HTTP_LISTING_BY_NAME;
        else if (weft_bytes_equal(parameter, up) || weft_bytes_equal(parameter, down))
            order.descending = weft_bytes_equal(parameter, down);
    }
    return order;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static int lower(char c)
{
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

/* The digits at the front, without leading zeros, which are taken off *rest with them. */
static weft_bytes take_number(weft_bytes *rest)
{
    size_t length = 0;
    weft_bytes digits;

    while (rest->length > 1 && rest->data[0] == '0' && is_digit(rest->data[1]))
        *rest = weft_bytes_skip(*rest, 1);
    while (length < rest->length && is_digit(rest->data[length]))
        length++;
    digits = weft_bytes_first(*rest, length);
    *rest = weft_bytes_skip(*rest, length);
    return digits;
}

static int compare_numbers(weft_bytes *a, weft_bytes *b)
{
    weft_bytes x = take_number(a), y = take_number(b);

    if (x.length != y.length)
        return x.length < y.length ? -1 : 1;
    return memcmp(x.data, y.data, x.length);
}

static int compare_exactly(weft_bytes a, weft_bytes b)
{
    size_t common = a.length < b.length ? a.length : b.length;
    int order = common ? memcmp(a.data, b.data, common) : 0;

    return order ? order : (a.length > b.length) - (a.length < b.length);
}

/* As people count. Total: two names are equal only if all their bytes are. */
static int compare_names(weft_bytes whole_a, weft_bytes whole_b)
{
    weft_bytes a = whole_a, b = whole_b;

    while (a.length && b.length) {
        int order;

        if (is_digit(a.data[0]) && is_digit(b.data[0])) {
            order = compare_numbers(&a, &b);
        } else {
            order = lower(a.data[0]) - lower(b.data[0]);
            a = weft_bytes_skip(a, 1);
            b = weft_bytes_skip(b, 1);
        }
        if (order)
            return order;
    }
    if (a.length != b.length)
        return a.length < b.length ? -1 : 1;
    return compare_exactly(whole_a, whole_b);
}

/* Folders have no size: among themselves they stay in the order of their names. */
static int compare(const struct http_listing_entry *a, const struct http_listing_entry *b,
                   struct http_listing_order order)
{
    int difference = 0;

    if (a->is_directory != b->is_directory)
        return a->is_directory ? -1 : 1;
    if (order.key == HTTP_LISTING_BY_SIZE && !a->is_directory)
        difference = (a->size > b->size) - (a->size < b->size);
    else if (order.key == HTTP_LISTING_BY_TIME)
        difference = (a->modified > b->modified) - (a->modified < b->modified);
    else if (order.key == HTTP_LISTING_BY_NAME)
        difference = compare_names(a->name, b->name);
    if (difference)
        return order.descending ? -difference : difference;
    return compare_names(a->name, b->name);
}

static void swap(struct http_listing_entry *a, struct http_listing_entry *b)
{
    struct http_listing_entry kept = *a;

    *a = *b;
    *b = kept;
}

/* Restores the heap below @parent, of which only the top may be out of place. */
static void sift_down(struct http_listing *listing, size_t parent, size_t count)
{
    struct http_listing_entry *entries = listing->entries;

    for (size_t child; (child = 2 * parent + 1) < count; parent = child) {
        if (child + 1 < count && compare(&entries[child], &entries[child + 1], listing->order) < 0)
            child++;
        if (compare(&entries[parent], &entries[child], listing->order) >= 0)
            return;
        swap(&entries[parent], &entries[child]);
    }
}

/* A heap sort: qsort may allocate behind our back, and others have inputs that make them quadratic. */
void http_listing_sort(struct http_listing *listing)
{
    for (size_t i = listing->count / 2; i-- > 0;)
        sift_down(listing, i, listing->count);
    for (size_t end = listing->count; end > 1; end--) {
        swap(&listing->entries[0], &listing->entries[end - 1]);
        sift_down(listing, 0, end - 1);
    }
}
