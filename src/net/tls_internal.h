/* SPDX-License-Identifier: MIT */
/*
 * What the files of TLS share, one for each concern:
 *
 *   tls_library.c    OpenSSL's context of our own, its randomness, its BIO
 *   tls_profile.c    what is spoken: versions, ciphers, groups
 *   tls_identity.c   certificates and keys from PEM
 *   tls_server.c     weft_tls_server: names, ALPN, clients' certificates
 *   tls_client.c     weft_tls_client: whom it trusts, what it offers
 *   tls_tickets.c    the keys of session tickets
 *   tls_sessions.c   a client's sessions
 *   tls_verify.c     chains and names
 *   tls_staple.c     OCSP responses
 *   tls_error.c      what went wrong, as a number and as a story
 *   tls_layer.c      the layer: its life, and bytes both ways
 *   tls_handshake.c  until it is ready
 *   tls_info.c       what can be asked of it
 *   tls_start.c      STARTTLS
 *   tls_query.c      the options of an endpoint's query
 *   tls_key_log.c    for whoever looks into connections
 *
 * A TLS layer's life:
 *
 *   made --> handshaking --> ready --> over
 *                 \___________________/^
 *
 * Invariants:
 *  1. OpenSSL never waits: what it reads lies in `feed`, what it writes goes to `output`, which takes all of it.
 *  2. While SENDING is set what is below owes a `sent`; while OWING is, what is above is owed one.
 *  3. A send is told above as sent when what was made of it has gone below: so closing, stalls and backpressure are the
 *     stream's, as without TLS.
 *  4. `feed` is empty outside of a delivery: what is not read yet is in `stash`, and then nothing is received below.
 */
#ifndef NET_TLS_INTERNAL_H
#define NET_TLS_INTERNAL_H

#include <openssl/ssl.h>
#include <stdatomic.h>

#include "backend/lock.h"
#include "base/map.h"
#include "loop/loop_internal.h"
#include "net/stream_internal.h"
#include "net/tls.h"

enum {
    TLS_SERVER = 1 << 0,
    TLS_BEGUN = 1 << 1,
    TLS_READY = 1 << 2,
    TLS_RECEIVING = 1 << 3,       /* what is above wants bytes */
    TLS_RECEIVING_BELOW = 1 << 4, /* and so do we */
    TLS_PUMPING = 1 << 5,
    TLS_SENDING = 1 << 6,
    TLS_OWING = 1 << 7,
    TLS_SHUT = 1 << 8,        /* our close_notify is written */
    TLS_ENDED = 1 << 10,      /* the peer's close_notify came */
    TLS_BELOW_OVER = 1 << 11, /* what is below ended, or failed with `below_status` */
    TLS_END_TOLD = 1 << 12,
    TLS_DEAD = 1 << 13,    /* closed, or OpenSSL has failed: it is not to be called any more */
    TLS_FREED = 1 << 14,   /* its task, which is still queued, releases it */
    TLS_COUNTED = 1 << 15, /* among the handshakes of its maker */
    TLS_HELLO = 1 << 16,   /* the ClientHello is whole */
};

/* Bytes from below that wait until somebody wants to read. */
struct tls_stash {
    size_t begin, end, room;
    char data[];
};

struct tls_layer {
    struct layer layer;
    uint32_t flags;
    int below_status;
    SSL *ssl;
    struct loop_task task;
    weft_bytes feed;
    struct tls_stash *stash;
    weft_bytequeue output;
    int64_t owed;     /* OWING: what of a send has been taken */
    uint64_t taken;   /* bytes under the current key */
    uint32_t early;   /* bytes before the ClientHello was whole */
    uint32_t vain;    /* bytes that brought no data */
    uint32_t partial; /* bytes of a record that may not be whole */
    int send_error;   /* why what is below takes nothing any more; 0 */
    int error;        /* what verifying or the BIO found; 0 */
    weft_failure *failure;
    struct tls_server_maker *maker;
    weft_tls_server *server;
    weft_tls_client *client;
    char *name; /* a client's: whom it wants; a server's: whom its client wants; or NULL */
};

/* A TLS layer, or NULL for another's. */
struct tls_layer *tls_layer_of(struct layer *layer);
extern const struct layer_ops tls_ops;

/* -- tls_library.c -- */

/* NULL if OpenSSL could not be made ready. */
OSSL_LIB_CTX *tls_library(void);
/* Whose entropy OpenSSL draws from on this thread; set around all calls of it. */
extern _Thread_local weft_loop *tls_loop;
/* A BIO whose ends are tls_read and tls_write of @p layer. NULL if memory is short. */
BIO *tls_bio_new(struct tls_layer *layer);
/* The ciphers and digests that are needed again and again, fetched once. */
const EVP_CIPHER *tls_ticket_cipher(void);
/* HMAC-SHA-256 of @p text under @p key; @p ret may be the key. Returns whether it could be computed. */
bool tls_derive(const uint8_t key[32], weft_bytes text, uint8_t ret[32]);
/* @p loop's wall clock in seconds. */
static inline time_t tls_seconds(weft_loop *loop)
{
    return (time_t)(weft_loop_wall(loop) / WEFT_SECONDS(1));
}
/* What OpenSSL, which reads the system's clock, takes for now. */
time_t tls_openssl_now(void);

/* -- tls_profile.c -- */

int tls_profile_new(bool server, weft_tls_version minimum, bool old_versions, SSL_CTX **ret);
/* A list of protocols as it is sent. @p ret_wire is weft_release'd. Returns 0, -EINVAL, WEFT_ENOMEM. */
int tls_alpn_wire(const char *const *protocols, size_t count, weft_bytes *ret_wire);

/* -- tls_identity.c -- */

/* Gives @p context the certificate of @p identity. @p ret_leaf is *borrowed* from @p context. */
int tls_identity_use(SSL_CTX *context, const weft_tls_identity *identity, X509 **ret_leaf, weft_failure **ret_failure);
/* The OCSP response of @p identity, weft_release'd; empty if it has none. */
int tls_identity_staple(const weft_tls_identity *identity, weft_bytes *ret, weft_failure **ret_failure);
/* Adds the certificates of the PEM text, or of the file, to @p store, and their names to @p names, if that is not NULL. */
int tls_authorities(X509_STORE *store, STACK_OF(X509_NAME) * names, weft_bytes text, const char *file,
                    weft_failure **ret_failure);
/* The same with those whom the system trusts. */
int tls_authorities_of_system(X509_STORE *store, weft_failure **ret_failure);
/* Writes the names that @p certificate bears, with spaces between. Returns the length that they all have. */
size_t tls_names_text(X509 *certificate, char *buffer, size_t size);
/* Calls @p visit for each DNS name that it bears until that returns less than 0, and returns what the last call did. */
int tls_names_visit(X509 *certificate, int (*visit)(weft_bytes name, void *arg), void *arg);

/* -- tls_server.c -- */

struct tls_named {
    SSL_CTX *context;
    weft_bytes staple;
};

struct weft_tls_server {
    atomic_uint references;
    struct map names; /* to a tls_named; a wildcard without its star */
    bool known_names_only;
    weft_bytes alpn; /* as it is sent */
    weft_tls_clients clients;
    weft_tls_tickets *tickets; /* NULL: none are given */
    size_t max_handshakes;
    struct tls_key_log *log;
    size_t count;
    struct tls_named identities[];
};

struct tls_server_maker {
    struct layer_maker maker;
    weft_tls_server *server;
    size_t references; /* its listener's, and one for each handshake */
    size_t handshakes;
};

/* A handshake is over, or given up. */
void tls_handshake_counted_off(struct tls_layer *layer);
/* The layer of a connection that was accepted. */
int tls_server_layer(weft_tls_server *server, struct layer **ret);

/* -- tls_client.c -- */

struct weft_tls_client {
    atomic_uint references;
    SSL_CTX *context;
    bool trusts_anybody;
    weft_tls_staple staple;
    weft_bytes alpn;
    struct tls_sessions *sessions; /* NULL: none are kept */
    struct tls_key_log *log;
};

/* -- tls_tickets.c -- */

int tls_ticket_key(SSL *ssl, unsigned char name[16], unsigned char *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac,
                   int encrypt);
/* A session's age is counted by the loop's clock, not by the one that OpenSSL reads. */
int tls_ticket_made(SSL *ssl, void *arg);
SSL_TICKET_RETURN tls_ticket_opened(SSL *ssl, SSL_SESSION *session, const unsigned char *name, size_t length,
                                    SSL_TICKET_STATUS status, void *arg);

/* -- tls_sessions.c -- */

struct tls_sessions;
int tls_sessions_new(size_t most, struct tls_sessions **ret);
void tls_sessions_free(struct tls_sessions *sessions);
/* Offers a session with @p layer's name, if there is one. */
void tls_sessions_offer(struct tls_layer *layer);
/* Whether its peer's certificate has run out: each resumption begins a session anew, and none looks at it again. */
bool tls_session_is_over(const SSL_SESSION *session, time_t now);
/* OpenSSL's callback. */
int tls_session_new(SSL *ssl, SSL_SESSION *session);

/* -- tls_verify.c -- */

/* OpenSSL's callback: the chain, the name, and what is stapled later. */
int tls_verify_chain(X509_STORE_CTX *store, void *arg);
/* Which name @p ssl has to find in its peer's certificate, and when it is. Returns 0, -EINVAL, WEFT_ENOMEM. */
int tls_verify_expect(SSL *ssl, const char *name);
/* Whether @p text is a numeric address. */
bool tls_is_address(const char *text);

/* -- tls_staple.c -- */

int tls_staple_send(SSL *ssl, void *arg);
int tls_staple_check(SSL *ssl, void *arg);

/* -- tls_key_log.c -- */

struct tls_key_log;
/* *ret is NULL if nothing is to be logged. */
int tls_key_log_new(bool environment, weft_tls_key_log *log, void *arg, struct tls_key_log **ret,
                    weft_failure **ret_failure);
void tls_key_log_free(struct tls_key_log *log);
void tls_key_log_line(const SSL *ssl, const char *line);

/* -- tls_error.c -- */

/* What OpenSSL's calls on this thread have failed with, as the failure of @p layer and as a number; forgets it. */
int tls_error_take(struct tls_layer *layer, const char *doing);
/* The same where there is no layer: @p error if OpenSSL has nothing better. */
int tls_error_setup(int error, weft_failure **ret_failure, const char *format, ...) WEFT_PRINTF(3, 4);
/* Gives @p layer its failure, unless it has one already; returns @p error. */
int tls_error_set(struct tls_layer *layer, int error, const char *format, ...) WEFT_PRINTF(3, 4);

/* -- tls_handshake.c -- */

/* Makes the SSL. Returns 0 or an error. */
int tls_handshake_prepare(struct tls_layer *layer);
/* Goes on with what is in `feed`: 1 when it has ended well, 0 if it needs more, or an error. */
int tls_handshake_step(struct tls_layer *layer);

/* -- tls_layer.c -- */

void tls_begin(struct layer *layer);
/* Goes on reading what is in `feed` or in the stash. */
void tls_pump(struct tls_layer *layer);
int tls_read(struct tls_layer *layer, char *data, size_t room, size_t *ret_count);
int tls_write(struct tls_layer *layer, const char *data, size_t length);

/* Allocates one without an SSL. */
struct tls_layer *tls_layer_new(uint32_t flags);

#endif
