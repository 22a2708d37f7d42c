/* SPDX-License-Identifier: MIT */
/* Names as values: compared, ordered, cut and joined. */
#include "wire/dns/dns_name.h"

bool dns_octets_equal(const uint8_t *a, const uint8_t *b, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (dns_lower(a[i]) != dns_lower(b[i]))
            return false;
    return true;
}

unsigned dns_name_starts(const weft_dns_name *name, uint8_t starts[WEFT_DNS_LABELS_MAX])
{
    unsigned count = 0;

    for (size_t at = 0; name->octets[at] != 0; at += 1u + name->octets[at])
        starts[count++] = (uint8_t)at;
    return count;
}

size_t dns_name_span(weft_bytes input)
{
    const uint8_t *octets = (const uint8_t *)input.data;
    size_t at = 0;

    while (at < input.length && at < WEFT_DNS_NAME_MAX) {
        if (octets[at] == 0)
            return at + 1;
        if (octets[at] > WEFT_DNS_LABEL_MAX)
            return 0;
        at += 1u + octets[at];
    }
    return 0;
}

int weft_dns_name_take(weft_bytes *input, weft_dns_name *ret)
{
    size_t length = dns_name_span(*input);

    if (length == 0)
        return WEFT_EPROTOCOL;
    ret->length = (uint8_t)length;
    memcpy(ret->octets, input->data, length);
    *input = weft_bytes_skip(*input, length);
    return 0;
}

/* A label's length is below 'A', so the octets can be compared without knowing where labels begin. */
bool weft_dns_name_equal(const weft_dns_name *a, const weft_dns_name *b)
{
    return a->length == b->length && dns_octets_equal(a->octets, b->octets, a->length);
}

bool weft_dns_name_same(const weft_dns_name *a, const weft_dns_name *b)
{
    return weft_bytes_equal(weft_dns_name_bytes(a), weft_dns_name_bytes(b));
}

/* RFC 4034 §6.1: as strings of octets, small letters, and what is missing comes before a zero. */
static int compare_labels(const uint8_t *a, const uint8_t *b)
{
    size_t shorter = a[0] < b[0] ? a[0] : b[0];

    for (size_t i = 1; i <= shorter; i++) {
        int difference = dns_lower(a[i]) - dns_lower(b[i]);
        if (difference != 0)
            return difference;
    }
    return a[0] - b[0];
}

int weft_dns_name_compare(const weft_dns_name *a, const weft_dns_name *b)
{
    uint8_t starts_a[WEFT_DNS_LABELS_MAX], starts_b[WEFT_DNS_LABELS_MAX];
    unsigned left_a = dns_name_starts(a, starts_a), left_b = dns_name_starts(b, starts_b);

    while (left_a > 0 && left_b > 0) {
        int order = compare_labels(a->octets + starts_a[--left_a], b->octets + starts_b[--left_b]);
        if (order != 0)
            return order;
    }
    return (int)left_a - (int)left_b;
}

/* Where the last @p tail octets of @p name begin, if a label does there; SIZE_MAX if none does. */
static size_t label_at_tail(const weft_dns_name *name, size_t tail)
{
    size_t at = 0;

    if (tail > name->length)
        return SIZE_MAX;
    while (at < (size_t)name->length - tail)
        at += 1u + name->octets[at];
    return at == (size_t)name->length - tail ? at : SIZE_MAX;
}

bool weft_dns_name_is_under(const weft_dns_name *name, const weft_dns_name *ancestor)
{
    size_t at = label_at_tail(name, ancestor->length);

    return at != SIZE_MAX && dns_octets_equal(name->octets + at, ancestor->octets, ancestor->length);
}

unsigned weft_dns_name_labels(const weft_dns_name *name)
{
    uint8_t starts[WEFT_DNS_LABELS_MAX];

    return dns_name_starts(name, starts);
}

void weft_dns_name_lower(weft_dns_name *name)
{
    for (size_t i = 0; i < name->length; i++)
        name->octets[i] = dns_lower(name->octets[i]);
}

int weft_dns_name_parent(const weft_dns_name *name, unsigned count, weft_dns_name *ret)
{
    size_t at = 0;

    for (; count > 0 && name->octets[at] != 0; count--)
        at += 1u + name->octets[at];
    if (count > 0)
        return -EINVAL;
    ret->length = (uint8_t)(name->length - at);
    memmove(ret->octets, name->octets + at, ret->length);
    return 0;
}

/* The first @p head octets of @p name, which end with a label, then @p tail. */
static int put_together(const weft_dns_name *name, size_t head, const weft_dns_name *tail, weft_dns_name *ret)
{
    weft_dns_name made;

    if (head + tail->length > WEFT_DNS_NAME_MAX)
        return -ENAMETOOLONG;
    made.length = (uint8_t)(head + tail->length);
    memcpy(made.octets, name->octets, head);
    memcpy(made.octets + head, tail->octets, tail->length);
    ret->length = made.length;
    memcpy(ret->octets, made.octets, made.length);
    return 0;
}

int weft_dns_name_join(const weft_dns_name *first, const weft_dns_name *second, weft_dns_name *ret)
{
    return put_together(first, first->length - 1u, second, ret);
}

int weft_dns_name_replace(const weft_dns_name *name, const weft_dns_name *from, const weft_dns_name *to,
                          weft_dns_name *ret)
{
    if (name->length == from->length || !weft_dns_name_is_under(name, from))
        return -EINVAL;
    return put_together(name, (size_t)(name->length - from->length), to, ret);
}
