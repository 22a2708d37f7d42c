/* SPDX-License-Identifier: MIT */
/* How many connections each peer's host has: an IPv4 address, or an IPv6 /64. */
#ifndef NET_ADDRESS_COUNT_H
#define NET_ADDRESS_COUNT_H

#include <weft/address.h>

#include "base/map.h"

struct address_count {
    struct map hosts; /* a host's bytes to its count (size_t); only with a limit */
    size_t most;
};

/* Zero means no limit, as WEFT_UNLIMITED does. */
void address_count_init(struct address_count *count, size_t most, const uint8_t secret[SIPHASH_KEY_SIZE]);
/* When all have left. */
void address_count_fini(struct address_count *count);
/* Whether @p peer is one that is counted. */
bool address_count_applies(const struct address_count *count, const weft_address *peer);
/* Whether one more from @p peer is allowed; if so, it is counted. */
bool address_count_enter(struct address_count *count, const weft_address *peer);
/* One that was counted is gone. */
void address_count_leave(struct address_count *count, const weft_address *peer);

#endif
