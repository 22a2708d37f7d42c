/* SPDX-License-Identifier: MIT */
/*
 * What tests of TLS share: a loop, a listener with TLS and a client of ours on it, an authority and certificates, and
 * puppets: ends of a plain stream on which the test moves an SSL of its own, to do what ours never would.
 */
#ifndef NET_TLS_TEST_H
#define NET_TLS_TEST_H

#include "support/support.h"

#include <openssl/ssl.h>
#include <string.h>

#include <weft/timer.h>
#include <weft/tls.h>

#include "net/tls/credentials.h"

/* One end of a connection. */
struct end {
    weft_protocol protocol;
    weft_stream *stream; /* referred to until tls_close */
    unsigned connected, ended, lost;
    int reason;
    size_t bytes_in;
    bool checks; /* the pattern */
    bool echoes, closes, stays, pauses;
    const char *says;   /* as soon as it is connected */
    char in[512];       /* what came first */
    char story[512];    /* of the failure of its TLS, when it was lost */
    weft_tls_info info; /* when it was connected; 0 if it has no TLS */
    char alpn[32], name[64];
    SSL *puppet; /* or NULL */
    BIO *from_peer, *to_peer;
    int puppet_error; /* what SSL_get_error said last */
    unsigned long puppet_reason;
    void (*when_connected)(struct end *end);
    size_t (*when_received)(struct end *end, weft_bytes in);
};

struct world {
    weft_loop *loop;
    weft_factory factory;
    weft_listener *listener;
    char url[WEFT_LISTENER_URL];
    struct end server[8], client[8];
    size_t accepted, made;
    struct end template; /* of a server's end */
    weft_timer timer;
};

/* -- credentials, made once -- */

extern struct credentials authority, other_authority, intermediate, localhost, www, other, client_good, client_bad;
int tls_make_credentials(void **state);
int tls_free_credentials(void **state);

/* -- the world -- */

void tls_open(struct world *world);
/* The same on @p engine, whatever the tests run on: "sim:7" for one whose time can pass. */
void tls_open_on(struct world *world, const char *engine);
void tls_close(struct world *world);
/* Listens with @p server, or without TLS. */
void tls_listen(struct world *world, weft_tls_server *server);
/* Connects with @p client to @p name, or without TLS. @return its end */
struct end *tls_connect(struct world *world, weft_tls_client *client, const char *name);
/* The same with the end as @p template. */
struct end *tls_connect_as(struct world *world, weft_tls_client *client, const char *name, const struct end *template);
/* Runs until the loop's turns have nothing to do any more, or @p condition. */
bool tls_until(struct world *world, bool (*condition)(struct world *world));
bool all_lost(struct world *world);
bool all_connected(struct world *world);
/* A turn. */
void tls_turn(struct world *world);

/* A server of ours with one certificate. */
weft_tls_server *simple_server(const struct credentials *credentials);
weft_tls_server *make_server(const weft_tls_server_options *options);
/* A client of ours that trusts `authority`. */
weft_tls_client *simple_client(void);
weft_tls_client *make_client(const weft_tls_client_options *options);

/* -- puppets -- */

/* Makes @p end a puppet, once it is connected. @p version: the highest, 0 for all. */
void puppet_client(struct end *end, SSL_CTX *context, const char *name);
void puppet_server(struct end *end, SSL_CTX *context);
SSL_CTX *puppet_context(bool server, const struct credentials *credentials);
/* Goes on with its handshake, reads what there is, and sends what it has. */
void puppet_move(struct end *end);

#endif
