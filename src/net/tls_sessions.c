/* SPDX-License-Identifier: MIT */
/*
 * A client's sessions, for whoever connects to the same name again. One of
 * TLS 1.3 is used once (RFC 8446 C.4); the oldest make room. All loops that
 * use the client share them.
 */
#include "net/tls_internal.h"

#include <weft/list.h>
#include <weft/memory.h>

struct entry {
    weft_link link;
    SSL_SESSION *session;
    time_t since; /* by the clock of the loop that got it */
    char name[];
};

struct tls_sessions {
    struct lock *lock;
    weft_link entries; /* the newest first */
    size_t count, most;
};

int tls_sessions_new(size_t most, struct tls_sessions **ret)
{
    struct tls_sessions *sessions = weft_allocate_zeroed(1, sizeof *sessions);

    if (!sessions)
        return WEFT_ENOMEM;
    sessions->lock = lock_new();
    if (!sessions->lock) {
        weft_release(sessions);
        return WEFT_ENOMEM;
    }
    weft_link_init(&sessions->entries);
    sessions->most = most;
    *ret = sessions;
    return 0;
}

static void drop(struct tls_sessions *sessions, struct entry *entry)
{
    weft_link_remove(&entry->link);
    sessions->count--;
    SSL_SESSION_free(entry->session);
    weft_release(entry);
}

void tls_sessions_free(struct tls_sessions *sessions)
{
    if (!sessions)
        return;
    while (!weft_link_is_alone(&sessions->entries))
        drop(sessions, weft_container_of(sessions->entries.next, struct entry, link));
    lock_free(sessions->lock);
    weft_release(sessions);
}

/* Returns whether it took the reference. */
static bool keep(struct tls_sessions *sessions, const char *name, SSL_SESSION *session, time_t now)
{
    size_t size = strlen(name) + 1;
    struct entry *entry = weft_allocate(sizeof *entry + size);

    if (!entry)
        return false;
    memcpy(entry->name, name, size);
    entry->session = session;
    entry->since = now;
    lock_enter(sessions->lock);
    weft_link_init(&entry->link);
    weft_link_insert_before(sessions->entries.next, &entry->link);
    if (++sessions->count > sessions->most)
        drop(sessions, weft_container_of(sessions->entries.prev, struct entry, link));
    lock_leave(sessions->lock);
    return true;
}

int tls_session_new(SSL *ssl, SSL_SESSION *session)
{
    struct tls_layer *layer = SSL_get_app_data(ssl);

    return layer->client->sessions && SSL_SESSION_is_resumable(session) &&
           keep(layer->client->sessions, layer->name, session, tls_seconds(layer->layer.stream->loop));
}

static struct entry *find(const struct tls_sessions *sessions, const char *name)
{
    for (weft_link *link = sessions->entries.next; link != &sessions->entries; link = link->next) {
        struct entry *entry = weft_container_of(link, struct entry, link);

        if (strcmp(entry->name, name) == 0)
            return entry;
    }
    return NULL;
}

bool tls_session_is_over(const SSL_SESSION *session, time_t now)
{
    X509 *peer = SSL_SESSION_get0_peer((SSL_SESSION *)(uintptr_t)session);

    return peer && X509_cmp_time(X509_get0_notAfter(peer), &now) <= 0;
}

static bool is_stale(const struct entry *entry, time_t now)
{
    return now - entry->since >= (time_t)SSL_SESSION_get_timeout(entry->session) ||
           tls_session_is_over(entry->session, now);
}

/* OpenSSL tells the server how old it is by the system's clock: it is made to be so old by ours. */
static void set_age(SSL_SESSION *session, time_t age)
{
    (void)SSL_SESSION_set_time(session, (long)(tls_openssl_now() - age));
}

void tls_sessions_offer(struct tls_layer *layer)
{
    struct tls_sessions *sessions = layer->client->sessions;
    time_t now = tls_seconds(layer->layer.stream->loop);
    struct entry *entry;

    if (!sessions)
        return;
    lock_enter(sessions->lock);
    entry = find(sessions, layer->name);
    if (entry && is_stale(entry, now)) {
        drop(sessions, entry);
    } else if (entry) {
        set_age(entry->session, now - entry->since);
        (void)SSL_set_session(layer->ssl, entry->session);
        if (SSL_SESSION_get_protocol_version(entry->session) >= TLS1_3_VERSION)
            drop(sessions, entry);
    }
    lock_leave(sessions->lock);
}
