/* SPDX-License-Identifier: MIT */
/**
 * @file
 * A hash map from bytes to pointers, with a secret key against whoever
 * chooses the keys of its entries (hash flooding).
 */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include <weft/bytes.h>

#include "base/siphash.h"

struct map_entry;

/** The map. Its memory is the caller's; its fields are private. */
struct map {
    struct map_entry *entries;
    uint8_t secret[SIPHASH_KEY_SIZE];
};

/**
 * Makes an empty map, which holds no memory.
 * @param secret  copied; from the loop's entropy, so that no peer can guess it
 */
void map_init(struct map *map, const uint8_t secret[SIPHASH_KEY_SIZE]);
/** Drops all entries; what their values point to is the caller's. The map is empty and may be used again. */
void map_fini(struct map *map);
/**
 * Adds an entry.
 * @param key    copied
 * @param value  not NULL
 * @return 0; WEFT_ENOMEM, -EEXIST if @p key is there, or -EOVERFLOW if it is longer than UINT32_MAX, with the map
 *         unchanged
 */
WEFT_NODISCARD int map_put(struct map *map, weft_bytes key, void *value);
/** The value under @p key; NULL if there is none. */
void *map_find(const struct map *map, weft_bytes key);
/** Drops the entry under @p key. @return its value; NULL if there was none */
void *map_remove(struct map *map, weft_bytes key);
/** How many entries there are. */
size_t map_count(const struct map *map);
/**
 * Calls @p visit for each entry, oldest first, until it returns something other than 0. It may remove the entry that it
 * is called for, and no other.
 * @return what the last call returned; 0 if there was none
 */
int map_visit(const struct map *map, int (*visit)(weft_bytes key, void *value, void *arg), void *arg);
/** How many entries share the fullest bucket: what the slowest find compares. */
size_t map_longest_chain(const struct map *map);

#endif
