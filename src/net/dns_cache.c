/* SPDX-License-Identifier: MIT */
/*
 * An entry is one block: itself and the data, each record after two octets of length. Its key in the map is the name in
 * small letters, the type and the class; that a name does not exist is kept under type 0.
 */
#include "net/dns_cache.h"

#include <weft/memory.h>

#define OVERHEAD 128 /* what the map and the allocator take for an entry, roughly */
#define TYPE_ANY_NAME 0
#define KEY_MOST (WEFT_DNS_NAME_MAX + 4)

struct cache_entry {
    weft_link used;
    weft_time until; /* fresh before */
    weft_time quiet; /* nobody tries to renew it before */
    size_t length;   /* of data */
    size_t count;
    uint16_t key_length;
    uint8_t kind;
    uint8_t key[KEY_MOST];
    char data[];
};

static size_t or_default(size_t value, size_t usual)
{
    return value ? value : usual;
}

static weft_time or_usual(weft_time value, weft_time usual)
{
    return value ? value : usual;
}

void dns_cache_init(struct dns_cache *cache, const struct dns_cache_limits *limits,
                    const uint8_t secret[SIPHASH_KEY_SIZE])
{
    static const struct dns_cache_limits none = {0};
    const struct dns_cache_limits *given = limits ? limits : &none;

    memset(cache, 0, sizeof *cache);
    map_init(&cache->map, secret);
    weft_link_init(&cache->used);
    cache->limits = (struct dns_cache_limits){
        .entries = or_default(given->entries, 4096),
        .bytes = or_default(given->bytes, (size_t)4 << 20),
        .set_bytes = or_default(given->set_bytes, (size_t)64 << 10),
        .ttl = or_usual(given->ttl, WEFT_HOURS(24)),
        .negative_ttl = or_usual(given->negative_ttl, WEFT_HOURS(3)),
        .failure_ttl = or_usual(given->failure_ttl, WEFT_SECONDS(5)),
        .stale = or_usual(given->stale, WEFT_HOURS(24)),
        .stale_ttl = or_usual(given->stale_ttl, WEFT_SECONDS(30)),
    };
}

/* -- entries -- */

static weft_bytes key_of(const struct cache_entry *entry)
{
    return weft_bytes_of(entry->key, entry->key_length);
}

static size_t size_of(const struct cache_entry *entry)
{
    return sizeof *entry + entry->length + entry->key_length + OVERHEAD;
}

static void drop(struct dns_cache *cache, struct cache_entry *entry)
{
    (void)map_remove(&cache->map, key_of(entry));
    weft_link_remove(&entry->used);
    cache->bytes -= size_of(entry);
    weft_release(entry);
}

void dns_cache_clear(struct dns_cache *cache)
{
    while (!weft_link_is_alone(&cache->used))
        drop(cache, weft_container_of(cache->used.next, struct cache_entry, used));
}

void dns_cache_fini(struct dns_cache *cache)
{
    dns_cache_clear(cache);
    map_fini(&cache->map);
}

static weft_bytes make_key(uint8_t key[KEY_MOST], const weft_dns_name *name, uint16_t type, uint16_t rrclass)
{
    weft_dns_name lower = *name;

    weft_dns_name_lower(&lower);
    memcpy(key, lower.octets, lower.length);
    key[lower.length] = (uint8_t)(type >> 8);
    key[lower.length + 1] = (uint8_t)type;
    key[lower.length + 2] = (uint8_t)(rrclass >> 8);
    key[lower.length + 3] = (uint8_t)rrclass;
    return weft_bytes_of(key, lower.length + 4u);
}

static struct cache_entry *entry_at(const struct dns_cache *cache, const weft_dns_name *name, uint16_t type,
                                    uint16_t rrclass)
{
    uint8_t key[KEY_MOST];

    return map_find(&cache->map, make_key(key, name, type, rrclass));
}

static void forget(struct dns_cache *cache, const weft_dns_name *name, uint16_t type, uint16_t rrclass)
{
    struct cache_entry *entry = entry_at(cache, name, type, rrclass);

    if (entry)
        drop(cache, entry);
}

/* -- keeping -- */

static struct cache_entry *entry_new(enum dns_cache_kind kind, const weft_bytes *data, size_t count, size_t length)
{
    struct cache_entry *entry = weft_allocate(sizeof *entry + length);
    char *out;

    if (!entry)
        return NULL;
    memset(entry, 0, sizeof *entry);
    weft_link_init(&entry->used);
    entry->kind = (uint8_t)kind;
    entry->count = count;
    entry->length = length;
    out = entry->data;
    for (size_t i = 0; i < count; i++) {
        *out++ = (char)(uint8_t)(data[i].length >> 8);
        *out++ = (char)(uint8_t)data[i].length;
        if (data[i].length > 0)
            memcpy(out, data[i].data, data[i].length);
        out += data[i].length;
    }
    return entry;
}

/* Puts an entry in, of which there is none yet, and throws out what was used least recently. */
static int keep(struct dns_cache *cache, struct cache_entry *entry)
{
    int status = map_put(&cache->map, key_of(entry), entry);

    if (status < 0) {
        weft_release(entry);
        return status;
    }
    weft_link_insert_before(cache->used.next, &entry->used);
    cache->bytes += size_of(entry);
    while (map_count(&cache->map) > cache->limits.entries || cache->bytes > cache->limits.bytes) {
        cache->evictions++;
        drop(cache, weft_container_of(cache->used.prev, struct cache_entry, used));
    }
    return 0;
}

static int keep_as(struct dns_cache *cache, struct cache_entry *entry, const weft_dns_name *name, uint16_t type,
                   uint16_t rrclass, weft_time now, weft_time life)
{
    if (!entry)
        return WEFT_ENOMEM;
    entry->key_length = (uint16_t)make_key(entry->key, name, type, rrclass).length;
    entry->until = now + life;
    return keep(cache, entry);
}

static weft_time shorter(uint32_t ttl, weft_time limit)
{
    return WEFT_SECONDS(ttl) < limit ? WEFT_SECONDS(ttl) : limit;
}

int dns_cache_put(struct dns_cache *cache, weft_time now, const weft_dns_name *name, uint16_t type, uint16_t rrclass,
                  uint32_t ttl, const weft_bytes *data, size_t count)
{
    size_t length = 0;

    forget(cache, name, type, rrclass);
    forget(cache, name, TYPE_ANY_NAME, rrclass);
    for (size_t i = 0; i < count; i++) {
        if (data[i].length > WEFT_DNS_MESSAGE_MAX || length + 2 + data[i].length > cache->limits.set_bytes)
            return 0;
        length += 2 + data[i].length;
    }
    if (ttl == 0 || ttl > INT32_MAX || type == TYPE_ANY_NAME)
        return 0;
    return keep_as(cache, entry_new(DNS_CACHE_RECORDS, data, count, length), name, type, rrclass, now,
                   shorter(ttl, cache->limits.ttl));
}

/* RFC 8767 §5: after a failure nobody tries again for a while, and what is known is used. Returns whether it was so. */
static bool keep_quiet(struct dns_cache *cache, weft_time now, struct cache_entry *entry)
{
    if (!entry || entry->kind != DNS_CACHE_RECORDS || now >= entry->until + cache->limits.stale)
        return false;
    entry->quiet = now + cache->limits.stale_ttl;
    return true;
}

int dns_cache_put_negative(struct dns_cache *cache, weft_time now, enum dns_cache_kind kind, const weft_dns_name *name,
                           uint16_t type, uint16_t rrclass, uint32_t ttl)
{
    weft_time life = kind == DNS_CACHE_FAILURE ? cache->limits.failure_ttl : shorter(ttl, cache->limits.negative_ttl);

    if (kind == DNS_CACHE_FAILURE && keep_quiet(cache, now, entry_at(cache, name, type, rrclass)))
        return 0;
    forget(cache, name, type, rrclass);
    if (kind != DNS_CACHE_FAILURE)
        forget(cache, name, TYPE_ANY_NAME, rrclass);
    if (kind == DNS_CACHE_NO_NAME)
        type = TYPE_ANY_NAME;
    if (life == 0 || ttl > INT32_MAX)
        return 0;
    return keep_as(cache, entry_new(kind, NULL, 0, 0), name, type, rrclass, now, life);
}

/* -- finding -- */

static enum dns_cache_state state_of(const struct dns_cache *cache, const struct cache_entry *entry, weft_time now)
{
    if (now < entry->until)
        return DNS_CACHE_FRESH;
    if (entry->kind != DNS_CACHE_RECORDS || now >= entry->until + cache->limits.stale)
        return DNS_CACHE_MISSING;
    return now < entry->quiet ? DNS_CACHE_STALE_QUIET : DNS_CACHE_STALE;
}

/* What is known under one key; what is over and done with is thrown out. */
static struct cache_entry *known(struct dns_cache *cache, weft_time now, const weft_dns_name *name, uint16_t type,
                                 uint16_t rrclass, enum dns_cache_state *ret_state)
{
    struct cache_entry *entry = entry_at(cache, name, type, rrclass);

    *ret_state = entry ? state_of(cache, entry, now) : DNS_CACHE_MISSING;
    if (entry && *ret_state == DNS_CACHE_MISSING)
        drop(cache, entry);
    return *ret_state == DNS_CACHE_MISSING ? NULL : entry;
}

enum dns_cache_state dns_cache_find(struct dns_cache *cache, weft_time now, const weft_dns_name *name, uint16_t type,
                                    uint16_t rrclass, struct dns_cache_found *ret)
{
    enum dns_cache_state state, no_name_state;
    struct cache_entry *no_name = known(cache, now, name, TYPE_ANY_NAME, rrclass, &no_name_state);
    struct cache_entry *entry = known(cache, now, name, type, rrclass, &state);

    if (no_name && state != DNS_CACHE_FRESH) {
        entry = no_name;
        state = no_name_state;
    }
    if (!entry) {
        cache->misses++;
        return DNS_CACHE_MISSING;
    }
    weft_link_remove(&entry->used);
    weft_link_insert_before(cache->used.next, &entry->used);
    ++*(state == DNS_CACHE_FRESH ? &cache->hits : &cache->stale_hits);
    *ret = (struct dns_cache_found){
        .kind = (enum dns_cache_kind)entry->kind,
        .ttl = (uint32_t)((state == DNS_CACHE_FRESH ? entry->until - now : cache->limits.stale_ttl) / WEFT_SECONDS(1)),
        .count = entry->count,
        .data = weft_bytes_of(entry->data, entry->length),
    };
    return state;
}

bool dns_cache_next(struct dns_cache_found *found, weft_bytes *ret)
{
    const uint8_t *octets = (const uint8_t *)found->data.data;
    size_t length;

    if (found->data.length < 2)
        return false;
    length = (size_t)octets[0] << 8 | octets[1];
    *ret = weft_bytes_of(found->data.data + 2, length);
    found->data = weft_bytes_skip(found->data, 2 + length);
    return true;
}
