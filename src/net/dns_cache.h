/* SPDX-License-Identifier: MIT */
/*
 * What was learned of the DNS: sets of records by name, type and class, that there are none (RFC 2308), that nobody could
 * say (RFC 9520). Bounded in entries and bytes, least recently used first; time is a parameter.
 *
 * A set that is past its time is kept for a while and given as stale: whoever cannot renew it may use it (RFC 8767). What
 * was negative is never stale.
 */
#ifndef NET_DNS_CACHE_H
#define NET_DNS_CACHE_H

#include <weft/list.h>
#include <weft/time.h>
#include <weft/wire/dns_data.h>

#include "base/map.h"

/* In all of them 0 means the default. Times are rounded down to seconds. */
struct dns_cache_limits {
    size_t entries;         /* 4096 */
    size_t bytes;           /* 4 MiB, of all that the entries take */
    size_t set_bytes;       /* 64 KiB: a set beyond it is not kept */
    weft_time ttl;          /* a day: what was said to live longer does not */
    weft_time negative_ttl; /* 3 hours (RFC 2308 §5) */
    weft_time failure_ttl;  /* 5 seconds (RFC 9520 §3.2: from 1 to 300) */
    weft_time stale;        /* a day: so long a set is kept after its time; WEFT_NEVER is no word here */
    weft_time stale_ttl; /* 30 seconds: what is said of a stale set's life (RFC 8767 §4), and so long nobody tries to
                               renew it again */
};

enum dns_cache_kind {
    DNS_CACHE_RECORDS,
    DNS_CACHE_NO_DATA, /* the name exists, the type does not */
    DNS_CACHE_NO_NAME, /* the name does not exist: of every type */
    DNS_CACHE_FAILURE  /* nobody could say */
};

enum dns_cache_state {
    DNS_CACHE_MISSING, /* 0 */
    DNS_CACHE_FRESH,
    DNS_CACHE_STALE,      /* try to renew it, and use it if that takes too long or fails */
    DNS_CACHE_STALE_QUIET /* that was tried a moment ago: use it */
};

/* What was found. All pointers are valid until the next call that may change the cache. */
struct dns_cache_found {
    enum dns_cache_kind kind;
    uint32_t ttl; /* seconds that are left */
    size_t count; /* records */
    weft_bytes data;
};

struct dns_cache {
    struct map map;
    weft_link used; /* entries, the one that was used last first */
    struct dns_cache_limits limits;
    size_t bytes;
    uint64_t hits, stale_hits, misses, evictions;
};

/* @param limits  copied; NULL for the defaults. @param secret  copied */
void dns_cache_init(struct dns_cache *cache, const struct dns_cache_limits *limits,
                    const uint8_t secret[SIPHASH_KEY_SIZE]);
void dns_cache_fini(struct dns_cache *cache);

/*
 * Keeps a set of records, in the place of what was known of it.
 * @param ttl   seconds, the least of its records'; what has none is not kept
 * @param data  of @p count records, without compression; copied
 * @return 0, also if it is not kept; WEFT_ENOMEM with what was known gone
 */
int dns_cache_put(struct dns_cache *cache, weft_time now, const weft_dns_name *name, uint16_t type, uint16_t rrclass,
                  uint32_t ttl, const weft_bytes *data, size_t count);
/*
 * Keeps that there is nothing.
 * @param kind  not DNS_CACHE_RECORDS. A failure leaves a set that is known in its place, to be given as stale and quiet
 * @param ttl   seconds: the lesser of the SOA's TTL and its MINIMUM (RFC 2308 §5); of a failure not used
 * @return 0, also if it is not kept; WEFT_ENOMEM with what was known gone, but for a failure
 */
int dns_cache_put_negative(struct dns_cache *cache, weft_time now, enum dns_cache_kind kind, const weft_dns_name *name,
                           uint16_t type, uint16_t rrclass, uint32_t ttl);
/* Looks for what is known. @p ret is set unless it is DNS_CACHE_MISSING. */
enum dns_cache_state dns_cache_find(struct dns_cache *cache, weft_time now, const weft_dns_name *name, uint16_t type,
                                    uint16_t rrclass, struct dns_cache_found *ret);
/* Takes the data of the next record off the front of found.data. Returns whether there was one. */
bool dns_cache_next(struct dns_cache_found *found, weft_bytes *ret);
/* Forgets everything. */
void dns_cache_clear(struct dns_cache *cache);

#endif
