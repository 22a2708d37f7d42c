/* SPDX-License-Identifier: MIT */
/* IPv4 addresses in IPv6 ones (RFC 4291 §2.5.5.2): what is the same host has one form here. */
#ifndef BASE_ADDRESS_MAPPED_H
#define BASE_ADDRESS_MAPPED_H

#include <string.h>

#include <weft/address.h>

static inline bool address_is_mapped(const weft_address *address)
{
    static const uint8_t prefix[12] = {[10] = 0xff, [11] = 0xff};

    return address->family == WEFT_ADDRESS_IPV6 && memcmp(address->ip, prefix, sizeof prefix) == 0;
}

/* Makes @p address the IPv4 address that it holds, if it does. */
static inline void address_unmap(weft_address *address)
{
    if (!address_is_mapped(address))
        return;
    address->family = WEFT_ADDRESS_IPV4;
    address->scope_id = 0;
    memmove(address->ip, address->ip + 12, 4);
    memset(address->ip + 4, 0, 12);
}

#endif
