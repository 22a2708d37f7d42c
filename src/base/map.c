/* SPDX-License-Identifier: MIT */
/*
 * uthash does the work. Its macros are used with our own hash (the BYHASHVALUE forms), so that the secret is each map's
 * own, and with our allocator; an allocation that fails undoes the addition.
 */
#include "base/map.h"

#include <weft/error.h>
#include <weft/memory.h>

#include "base/checked.h"

#define HASH_NONFATAL_OOM 1
#define uthash_malloc(size) weft_allocate(size)
#define uthash_free(memory, size) weft_release(memory)
#define uthash_nonfatal_oom(entry) ((void)(entry))
#include <uthash.h>

struct map_entry {
    UT_hash_handle hh; /* tbl is NULL if the addition failed */
    void *value;
    size_t key_length;
    char key[];
};

static unsigned hash_of(const struct map *map, weft_bytes key)
{
    return (unsigned)siphash_1_3(map->secret, key);
}

void map_init(struct map *map, const uint8_t secret[SIPHASH_KEY_SIZE])
{
    map->entries = NULL;
    memcpy(map->secret, secret, SIPHASH_KEY_SIZE);
}

static void drop(struct map *map, struct map_entry *entry)
{
    HASH_DEL(map->entries, entry);
    weft_release(entry);
}

void map_fini(struct map *map)
{
    while (map->entries)
        drop(map, map->entries);
}

static struct map_entry *find(const struct map *map, weft_bytes key, unsigned hash)
{
    struct map_entry *entry = NULL;
    const char *data = key.data ? key.data : ""; /* memcmp may not be given NULL */

    HASH_FIND_BYHASHVALUE(hh, map->entries, data, key.length, hash, entry);
    return entry;
}

static struct map_entry *entry_new(weft_bytes key, void *value)
{
    size_t size;

    if (!size_add(sizeof(struct map_entry), key.length, &size))
        return NULL;
    struct map_entry *entry = weft_allocate(size);
    if (!entry)
        return NULL;
    entry->value = value;
    entry->key_length = key.length;
    if (key.length > 0)
        memcpy(entry->key, key.data, key.length);
    return entry;
}

int map_put(struct map *map, weft_bytes key, void *value)
{
    if (key.length > UINT32_MAX) /* uthash counts a key's bytes in an unsigned int */
        return -EOVERFLOW;
    unsigned hash = hash_of(map, key);
    if (find(map, key, hash))
        return -EEXIST;
    struct map_entry *entry = entry_new(key, value);
    if (!entry)
        return WEFT_ENOMEM;
    HASH_ADD_KEYPTR_BYHASHVALUE(hh, map->entries, entry->key, entry->key_length, hash, entry);
    if (!entry->hh.tbl) {
        weft_release(entry);
        return WEFT_ENOMEM;
    }
    return 0;
}

void *map_find(const struct map *map, weft_bytes key)
{
    struct map_entry *entry = find(map, key, hash_of(map, key));
    return entry ? entry->value : NULL;
}

void *map_remove(struct map *map, weft_bytes key)
{
    struct map_entry *entry = find(map, key, hash_of(map, key));
    if (!entry)
        return NULL;
    void *value = entry->value;
    drop(map, entry);
    return value;
}

size_t map_count(const struct map *map)
{
    return HASH_COUNT(map->entries);
}

int map_visit(const struct map *map, int (*visit)(weft_bytes key, void *value, void *arg), void *arg)
{
    struct map_entry *entry = map->entries;

    while (entry) {
        struct map_entry *next = entry->hh.next;
        int result = visit(weft_bytes_of(entry->key, entry->key_length), entry->value, arg);
        if (result != 0)
            return result;
        entry = next;
    }
    return 0;
}

size_t map_longest_chain(const struct map *map)
{
    size_t longest = 0;

    if (!map->entries)
        return 0;
    const UT_hash_table *table = map->entries->hh.tbl;
    for (unsigned i = 0; i < table->num_buckets; i++) {
        if (table->buckets[i].count > longest)
            longest = table->buckets[i].count;
    }
    return longest;
}
