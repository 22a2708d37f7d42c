/* SPDX-License-Identifier: MIT */
/* Addresses as text (weft/address.h); RFC 5952 for IPv6. */
#include <weft/address.h>

#include <stdio.h>

static void ipv4_text(const uint8_t *ip, char *buffer)
{
    snprintf(buffer, WEFT_ADDRESS_TEXT, "%u.%u.%u.%u", ip[0], ip[1], ip[2], ip[3]);
}

static unsigned group_of(const uint8_t *ip, int index)
{
    return (unsigned)ip[2 * index] << 8 | ip[2 * index + 1];
}

/* The longest run of at least two zero groups, the first of equals. */
static void longest_zeros(const uint8_t *ip, int *ret_start, int *ret_length)
{
    int start = -1, length = 0;

    for (int i = 0; i < 8; i++) {
        int run = 0;
        while (i + run < 8 && group_of(ip, i + run) == 0)
            run++;
        if (run > length) {
            start = i;
            length = run;
        }
        i += run;
    }
    *ret_start = length >= 2 ? start : -1;
    *ret_length = length;
}

static void ipv6_text(const weft_address *address, char *buffer)
{
    char *at = buffer, *end = buffer + WEFT_ADDRESS_TEXT;
    int start, length;

    longest_zeros(address->ip, &start, &length);
    for (int i = 0; i < 8; i++) {
        if (i == start) {
            at += snprintf(at, (size_t)(end - at), "::");
            i += length - 1;
            continue;
        }
        at += snprintf(at, (size_t)(end - at), "%s%x", i == 0 || at[-1] == ':' ? "" : ":", group_of(address->ip, i));
    }
    if (address->scope_id)
        snprintf(at, (size_t)(end - at), "%%%u", (unsigned)address->scope_id);
}

void weft_address_host(const weft_address *address, char *buffer)
{
    switch (address->family) {
    case WEFT_ADDRESS_IPV4:
        ipv4_text(address->ip, buffer);
        break;
    case WEFT_ADDRESS_IPV6:
        ipv6_text(address, buffer);
        break;
    default:
        memcpy(buffer, "-", 2);
    }
}

void weft_address_text(const weft_address *address, char *buffer)
{
    char host[WEFT_ADDRESS_TEXT];

    weft_address_host(address, host);
    switch (address->family) {
    case WEFT_ADDRESS_IPV4:
        snprintf(buffer, WEFT_ADDRESS_TEXT, "%.15s:%u", host, address->port);
        break;
    case WEFT_ADDRESS_IPV6:
        snprintf(buffer, WEFT_ADDRESS_TEXT, "[%.53s]:%u", host, address->port);
        break;
    case WEFT_ADDRESS_UNIX:
        memcpy(buffer, "unix:", 6);
        break;
    case WEFT_ADDRESS_MEMORY:
        memcpy(buffer, "mem:", 5);
        break;
    default:
        memcpy(buffer, "-", 2);
    }
}

bool weft_address_same_host(const weft_address *a, const weft_address *b)
{
    size_t length = a->family == WEFT_ADDRESS_IPV6 ? 8 : 4;

    return a->family == b->family && memcmp(a->ip, b->ip, length) == 0;
}
