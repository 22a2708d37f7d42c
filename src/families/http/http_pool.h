/* SPDX-License-Identifier: MIT */
/*
 * Which connection may be used for which request, and how many there may be.
 *
 * Connections are alike if all that was chosen for them is: everything by which two of them could differ stands in one
 * table, from which the struct, its comparison and its test are made. Whoever adds an option that changes where or how a
 * connection is made (a proxy and its credentials, a local address, anything of TLS) adds a line here.
 */
#ifndef FAMILIES_HTTP_POOL_H
#define FAMILIES_HTTP_POOL_H

#include <weft/list.h>

#include "base/map.h"

#define HTTP_POOL_KEY(NUMBER, TEXT)                            \
    NUMBER(secure) /* https */                                 \
    TEXT(host)     /* as it is sent, in lower case */          \
    NUMBER(port)                                               \
    NUMBER(family) /* to which the addresses are restricted */ \
    TEXT(through)  /* the endpoint instead of host and port */

struct http_pool_key {
#define KEY_NUMBER(name) uint32_t name;
#define KEY_TEXT(name) weft_bytes name;
    HTTP_POOL_KEY(KEY_NUMBER, KEY_TEXT)
#undef KEY_NUMBER
#undef KEY_TEXT
};

struct http_pool {
    struct map hosts;
    weft_link idle;     /* of all hosts, the one that waits longest first */
    size_t connections; /* idle ones included */
    size_t most, most_per_host;
};

/* All connections that are alike, as one key has them. */
struct http_pool_host {
    struct http_pool *pool;
    weft_link idle; /* the one that was used last comes first */
    size_t connections, users;
    size_t length;
    char key[]; /* written out, `length` bytes */
};

/* Embedded in a connection. */
struct http_pool_place {
    weft_link link; /* in the host's `idle` */
    weft_link age;  /* in the pool's */
};

void http_pool_init(struct http_pool *pool, const uint8_t secret[SIPHASH_KEY_SIZE], size_t most, size_t most_per_host);
/* Everything must have been given back. */
void http_pool_fini(struct http_pool *pool);

/* The length of @p key written out, and the writing: two keys are the same if and only if these bytes are. */
size_t http_pool_key_length(const struct http_pool_key *key);
void http_pool_key_write(const struct http_pool_key *key, char *out);

/* The host of @p key, with a user more: NULL if memory is short. Requests and connections are users. */
struct http_pool_host *http_pool_host_ref(struct http_pool *pool, const struct http_pool_key *key);
/* A user less; the last frees it. */
void http_pool_host_unref(struct http_pool_host *host);

/* Whether one more connection to @p host is allowed; counts it, with a user more. */
bool http_pool_claim(struct http_pool_host *host);
/* It is gone. */
void http_pool_unclaim(struct http_pool_host *host);

void http_pool_place_init(struct http_pool_place *place);
/* The connection at @p place has become idle. */
void http_pool_put(struct http_pool_host *host, struct http_pool_place *place);
/* It is not idle any more; harmless if it was not. */
void http_pool_take(struct http_pool_place *place);
/* The idle connection to @p host that was used last; NULL if there is none. It stays where it is. */
struct http_pool_place *http_pool_idle(const struct http_pool_host *host);
/* If the pool is full, but not the share of @p host: the idle connection that has waited longest, to be closed for it. NULL
 * if nothing is to be closed. */
struct http_pool_place *http_pool_victim(const struct http_pool_host *host);

#endif
