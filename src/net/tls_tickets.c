/* SPDX-License-Identifier: MIT */
/*
 * The keys of session tickets (RFC 5077 §4's construction, which OpenSSL
 * builds). A chain of secrets, each derived from the one before, of which only
 * the current is kept: whoever learns it can open what is sealed from then on,
 * and nothing older than the previous key. All who hold the chain move along
 * it by the wall clock.
 */
#include "net/tls_internal.h"

#include <openssl/core_names.h>
#include <openssl/rand.h>

#include <weft/memory.h>
#include <weft/secret.h>

#define ROTATION WEFT_SECONDS(12 * 60 * 60)
/* More steps than anybody can have slept through. */
#define STEPS_MOST 100000

struct key {
    uint8_t name[32], seal[32], sign[32];
};

struct weft_tls_tickets {
    atomic_uint references;
    struct lock *lock; /* over what follows */
    bool drawn;
    weft_time since; /* of the current key */
    weft_time rotation;
    uint8_t secret[WEFT_TLS_TICKET_SECRET];
    struct key current, previous;
    bool has_previous;
};

int weft_tls_tickets_new(const void *secret, weft_time since, weft_time rotation, weft_tls_tickets **ret_tickets)
{
    weft_tls_tickets *tickets;

    if (rotation == 0)
        rotation = ROTATION;
    if (rotation < WEFT_MINUTES(1))
        return -EINVAL;
    tickets = weft_allocate_zeroed(1, sizeof *tickets);
    if (!tickets)
        return WEFT_ENOMEM;
    tickets->lock = lock_new();
    if (!tickets->lock || !tls_library()) {
        lock_free(tickets->lock);
        weft_release(tickets);
        return WEFT_ENOMEM;
    }
    atomic_init(&tickets->references, 1);
    tickets->rotation = rotation;
    if (secret) {
        memcpy(tickets->secret, secret, sizeof tickets->secret);
        tickets->since = since;
    }
    tickets->drawn = secret;
    *ret_tickets = tickets;
    return 0;
}

weft_tls_tickets *weft_tls_tickets_ref(weft_tls_tickets *tickets)
{
    atomic_fetch_add(&tickets->references, 1);
    return tickets;
}

void weft_tls_tickets_unref(weft_tls_tickets *tickets)
{
    if (!tickets || atomic_fetch_sub(&tickets->references, 1) != 1)
        return;
    lock_free(tickets->lock);
    weft_secret_clear(tickets, sizeof *tickets);
    weft_release(tickets);
}

static bool derive(const weft_tls_tickets *tickets, const char *what, uint8_t ret[32])
{
    return tls_derive(tickets->secret, weft_bytes_from(what), ret);
}

static bool derive_key(weft_tls_tickets *tickets)
{
    struct key *key = &tickets->current;

    return derive(tickets, "weft ticket name", key->name) && derive(tickets, "weft ticket seal", key->seal) &&
           derive(tickets, "weft ticket sign", key->sign);
}

static bool step(weft_tls_tickets *tickets)
{
    uint8_t next[WEFT_TLS_TICKET_SECRET];
    bool good = derive(tickets, "weft ticket next", next);

    if (good)
        memcpy(tickets->secret, next, sizeof next);
    weft_secret_clear(next, sizeof next);
    if (!good)
        return false;
    tickets->previous = tickets->current;
    tickets->has_previous = true;
    tickets->since += tickets->rotation;
    return derive_key(tickets);
}

/* The first handshake draws the secret, of the entropy of its loop. */
static bool draw(weft_tls_tickets *tickets, weft_loop *loop, weft_time now)
{
    if (weft_loop_entropy(loop, tickets->secret, sizeof tickets->secret) < 0)
        return false;
    tickets->since = now;
    tickets->drawn = true;
    return true;
}

/* Brings the keys to @p now. (A clock that was set back changes nothing.) */
static bool bring_up_to_date(weft_tls_tickets *tickets, weft_loop *loop)
{
    static const struct key unset;
    weft_time now = weft_loop_wall(loop);

    if (!tickets->drawn && !draw(tickets, loop, now))
        return false;
    if (weft_secret_equal(&tickets->current, &unset, sizeof unset) && !derive_key(tickets))
        return false;
    if ((now - tickets->since) / tickets->rotation >= STEPS_MOST)
        return false;
    while (now - tickets->since >= tickets->rotation)
        if (!step(tickets))
            return false;
    return true;
}

static bool use(const struct key *key, const unsigned char *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int encrypt)
{
    char digest[] = "SHA256";
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, (void *)(uintptr_t)key->sign, sizeof key->sign),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0), OSSL_PARAM_construct_end()};

    return EVP_MAC_CTX_set_params(mac, params) &&
           EVP_CipherInit_ex(cipher, tls_ticket_cipher(), NULL, key->seal, iv, encrypt);
}

/* 1: done; 2: done, and the ticket should be replaced; 0: no ticket, or one of nobody's; -1: an error. */
static int with_key(weft_tls_tickets *tickets, unsigned char name[16], unsigned char *iv, EVP_CIPHER_CTX *cipher,
                    EVP_MAC_CTX *mac, int encrypt)
{
    if (encrypt) {
        memcpy(name, tickets->current.name, 16);
        if (RAND_bytes_ex(tls_library(), iv, 16, 0) <= 0)
            return -1;
        return use(&tickets->current, iv, cipher, mac, 1) ? 1 : -1;
    }
    if (memcmp(name, tickets->current.name, 16) == 0)
        return use(&tickets->current, iv, cipher, mac, 0) ? 1 : -1;
    if (tickets->has_previous && memcmp(name, tickets->previous.name, 16) == 0)
        return use(&tickets->previous, iv, cipher, mac, 0) ? 2 : -1;
    return 0;
}

int tls_ticket_key(SSL *ssl, unsigned char name[16], unsigned char *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac,
                   int encrypt)
{
    struct tls_layer *layer = SSL_get_app_data(ssl);
    weft_tls_tickets *tickets = layer->server->tickets;
    int result = 0;

    if (!tickets)
        return 0;
    lock_enter(tickets->lock);
    if (bring_up_to_date(tickets, layer->layer.stream->loop))
        result = with_key(tickets, name, iv, cipher, mac, encrypt);
    lock_leave(tickets->lock);
    return result;
}

int tls_ticket_made(SSL *ssl, void *arg)
{
    struct tls_layer *layer = SSL_get_app_data(ssl);

    (void)arg;
    (void)SSL_SESSION_set_time(SSL_get_session(ssl), (long)tls_seconds(layer->layer.stream->loop));
    return 1;
}

SSL_TICKET_RETURN tls_ticket_opened(SSL *ssl, SSL_SESSION *session, const unsigned char *name, size_t length,
                                    SSL_TICKET_STATUS status, void *arg)
{
    struct tls_layer *layer = SSL_get_app_data(ssl);
    time_t now = tls_seconds(layer->layer.stream->loop);

    (void)arg;
    (void)name;
    (void)length;
    if (status != SSL_TICKET_SUCCESS && status != SSL_TICKET_SUCCESS_RENEW)
        return SSL_TICKET_RETURN_IGNORE_RENEW;
    if (session && tls_session_is_over(session, now))
        return SSL_TICKET_RETURN_IGNORE_RENEW;
    if (session) {
        time_t age = now - (time_t)SSL_SESSION_get_time(session);

        (void)SSL_SESSION_set_time(session, (long)(tls_openssl_now() - age));
    }
    /* A ticket of TLS 1.3 is used once (RFC 8446 C.4): there is always another. */
    return status == SSL_TICKET_SUCCESS_RENEW || SSL_version(ssl) >= TLS1_3_VERSION ? SSL_TICKET_RETURN_USE_RENEW
                                                                                    : SSL_TICKET_RETURN_USE;
}
