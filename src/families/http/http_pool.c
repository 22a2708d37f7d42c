/* SPDX-License-Identifier: MIT */
#include "families/http/http_pool.h"

#include <weft/memory.h>

#define KEY_MOST 512

void http_pool_init(struct http_pool *pool, const uint8_t secret[SIPHASH_KEY_SIZE], size_t most, size_t most_per_host)
{
    map_init(&pool->hosts, secret);
    weft_link_init(&pool->idle);
    pool->connections = 0;
    pool->most = most;
    pool->most_per_host = most_per_host;
}

void http_pool_fini(struct http_pool *pool)
{
    map_fini(&pool->hosts);
}

/* -- keys: each text with its length before it, so that no two keys are written alike -- */

size_t http_pool_key_length(const struct http_pool_key *key)
{
    size_t length = 0;

#define NUMBER_LENGTH(name) length += sizeof key->name;
#define TEXT_LENGTH(name) length += sizeof key->name.length + key->name.length;
    HTTP_POOL_KEY(NUMBER_LENGTH, TEXT_LENGTH)
    return length;
}

static char *put(char *out, const void *bytes, size_t length)
{
    if (length > 0)
        memcpy(out, bytes, length);
    return out + length;
}

void http_pool_key_write(const struct http_pool_key *key, char *out)
{
#define WRITE_NUMBER(name) out = put(out, &key->name, sizeof key->name);
#define WRITE_TEXT(name)                                        \
    out = put(out, &key->name.length, sizeof key->name.length); \
    out = put(out, key->name.data, key->name.length);
    HTTP_POOL_KEY(WRITE_NUMBER, WRITE_TEXT)
}

/* -- hosts -- */

static struct http_pool_host *host_new(struct http_pool *pool, weft_bytes key)
{
    struct http_pool_host *host = weft_allocate(sizeof *host + key.length);

    if (!host)
        return NULL;
    *host = (struct http_pool_host){.pool = pool, .length = key.length};
    weft_link_init(&host->idle);
    memcpy(host->key, key.data, key.length);
    if (map_put(&pool->hosts, key, host) < 0) {
        weft_release(host);
        return NULL;
    }
    return host;
}

struct http_pool_host *http_pool_host_ref(struct http_pool *pool, const struct http_pool_key *key)
{
    char small[KEY_MOST], *written = small;
    size_t length = http_pool_key_length(key);
    struct http_pool_host *host;

    if (length > sizeof small && !(written = weft_allocate(length)))
        return NULL;
    http_pool_key_write(key, written);
    host = map_find(&pool->hosts, weft_bytes_of(written, length));
    if (!host)
        host = host_new(pool, weft_bytes_of(written, length));
    if (host)
        host->users++;
    if (written != small)
        weft_release(written);
    return host;
}

void http_pool_host_unref(struct http_pool_host *host)
{
    if (--host->users > 0)
        return;
    (void)map_remove(&host->pool->hosts, weft_bytes_of(host->key, host->length));
    weft_release(host);
}

bool http_pool_claim(struct http_pool_host *host)
{
    struct http_pool *pool = host->pool;

    if (pool->connections >= pool->most || host->connections >= pool->most_per_host)
        return false;
    pool->connections++;
    host->connections++;
    host->users++;
    return true;
}

void http_pool_unclaim(struct http_pool_host *host)
{
    host->pool->connections--;
    host->connections--;
    http_pool_host_unref(host);
}

/* -- idle connections -- */

void http_pool_place_init(struct http_pool_place *place)
{
    weft_link_init(&place->link);
    weft_link_init(&place->age);
}

void http_pool_put(struct http_pool_host *host, struct http_pool_place *place)
{
    weft_link_insert_before(host->idle.next, &place->link);
    weft_link_insert_before(&host->pool->idle, &place->age);
}

void http_pool_take(struct http_pool_place *place)
{
    weft_link_remove(&place->link);
    weft_link_remove(&place->age);
}

struct http_pool_place *http_pool_idle(const struct http_pool_host *host)
{
    if (weft_link_is_alone(&host->idle))
        return NULL;
    return weft_container_of(host->idle.next, struct http_pool_place, link);
}

struct http_pool_place *http_pool_victim(const struct http_pool_host *host)
{
    const struct http_pool *pool = host->pool;

    if (pool->connections < pool->most || host->connections >= pool->most_per_host || weft_link_is_alone(&pool->idle))
        return NULL;
    return weft_container_of(pool->idle.next, struct http_pool_place, age);
}
