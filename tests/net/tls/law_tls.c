/* SPDX-License-Identifier: MIT */
/* The laws of tests/laws with TLS between every stream and its transport; and with TLS in TLS. */
#include "laws/law.h"

#include "net/listener_internal.h"
#include "net/tls.h"
#include "net/tls/credentials.h"

static struct credentials authority, localhost;

/* (A ticket behind the handshake would be a sign of life, from which idle time is counted.) */
static weft_tls_server *make_server(void)
{
    weft_tls_identity identity = credentials_identity(&localhost);
    weft_tls_server *server = NULL;

    assert_int_equal(weft_tls_server_new(&(weft_tls_server_options){.size = sizeof(weft_tls_server_options),
                                                                    .identities = &identity,
                                                                    .identity_count = 1,
                                                                    .tickets_sent = WEFT_TLS_NO_TICKETS},
                                         &server, NULL),
                     0);
    return server;
}

static weft_tls_client *make_client(void)
{
    weft_tls_client *client = NULL;

    assert_int_equal(weft_tls_client_new(&(weft_tls_client_options){.size = sizeof(weft_tls_client_options),
                                                                    .ca = weft_bytes_from(authority.chain)},
                                         &client, NULL),
                     0);
    return client;
}

static void layer_listener(weft_listener *listener)
{
    weft_tls_server *server = make_server();
    struct layer_maker **top = &listener->layers;

    while (*top)
        top = &(*top)->above;
    assert_int_equal(tls_server_maker(server, top), 0);
    weft_tls_server_unref(server);
}

static void layer_client(weft_stream *stream)
{
    weft_tls_client *client = make_client();
    struct layer *layer;

    assert_int_equal(tls_client_layer(client, "localhost", &layer), 0);
    assert_int_equal(layers_add(stream, layer), 0);
    weft_tls_client_unref(client);
}

static void layer_listener_twice(weft_listener *listener)
{
    layer_listener(listener);
    layer_listener(listener);
}

static void layer_client_twice(weft_stream *stream)
{
    layer_client(stream);
    layer_client(stream);
}

static __attribute__((constructor)) void make_credentials(void)
{
    credentials_make(&authority, NULL, &(struct credentials_kind){.authority = true});
    credentials_make(&localhost, &authority, &(struct credentials_kind){0});
}

static __attribute__((destructor)) void free_credentials(void)
{
    credentials_free(&authority);
    credentials_free(&localhost);
}

#define TLS .layer_listener = layer_listener, .layer_client = layer_client
#define TLS_TWICE .layer_listener = layer_listener_twice, .layer_client = layer_client_twice

const struct law_kind law_kinds[] = {
    {.name = "TLS, epoll, tcp", .backend = "epoll", .url = "tcp://127.0.0.1:0", .tells_reset = true, TLS},
    {.name = "TLS, epoll, mem", .backend = "epoll", .url = "mem://law", .tells_reset = true, .is_mem = true, TLS},
    {.name = "TLS in TLS, epoll, tcp", .backend = "epoll", .url = "tcp://127.0.0.1:0", .tells_reset = true, TLS_TWICE},
    {.name = "TLS, io_uring, tcp",
     .backend = "io_uring",
     .url = "tcp://127.0.0.1:0",
     .tells_reset = true,
     .completes = true,
     TLS},
    {.name = "TLS, poll, tcp", .backend = "poll", .url = "tcp://127.0.0.1:0", .tells_reset = true, TLS},
    {.name = "TLS, sim with faults",
     .backend = "sim:%",
     .url = "tcp://127.0.0.1:0",
     .simulated = true,
     .faulty = true,
     .apart = true,
     .tells_reset = true,
     .is_mem = true,
     TLS},
    {.name = "TLS, sim with rare paths",
     .backend = "sim:%",
     .url = "tcp://127.0.0.1:0",
     .simulated = true,
     .faulty = true,
     .apart = true,
     .rare = true,
     .tells_reset = true,
     .is_mem = true,
     TLS},
    {.name = NULL},
};
