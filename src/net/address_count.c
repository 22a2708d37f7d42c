/* SPDX-License-Identifier: MIT */
#include "net/address_count.h"

#include <weft/memory.h>
#include <weft/time.h>

static weft_bytes host_key(const weft_address *peer)
{
    return weft_bytes_of(peer->ip, peer->family == WEFT_ADDRESS_IPV6 ? 8 : 4);
}

void address_count_init(struct address_count *count, size_t most, const uint8_t secret[SIPHASH_KEY_SIZE])
{
    map_init(&count->hosts, secret);
    count->most = most ? most : WEFT_UNLIMITED;
}

void address_count_fini(struct address_count *count)
{
    map_fini(&count->hosts);
}

bool address_count_applies(const struct address_count *count, const weft_address *peer)
{
    return count->most != WEFT_UNLIMITED && (peer->family == WEFT_ADDRESS_IPV4 || peer->family == WEFT_ADDRESS_IPV6);
}

static size_t *host_new(struct address_count *count, const weft_address *peer)
{
    size_t *host = weft_allocate_zeroed(1, sizeof *host);

    if (host && map_put(&count->hosts, host_key(peer), host) < 0) {
        weft_release(host);
        return NULL;
    }
    return host;
}

bool address_count_enter(struct address_count *count, const weft_address *peer)
{
    size_t *host;

    if (!address_count_applies(count, peer))
        return true;
    host = map_find(&count->hosts, host_key(peer));
    if (!host)
        host = host_new(count, peer);
    if (!host || *host >= count->most)
        return false;
    ++*host;
    return true;
}

void address_count_leave(struct address_count *count, const weft_address *peer)
{
    size_t *host;

    if (!address_count_applies(count, peer))
        return;
    host = map_find(&count->hosts, host_key(peer));
    if (host && --*host == 0)
        weft_release(map_remove(&count->hosts, host_key(peer)));
}
