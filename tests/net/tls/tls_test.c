/* SPDX-License-Identifier: MIT */
#include "net/tls/tls_test.h"

#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>

#include "loop/loop_internal.h"

#define TURNS 2000000

struct credentials authority, other_authority, intermediate, localhost, www, other, client_good, client_bad;

int tls_make_credentials(void **state)
{
    (void)state;
    credentials_make(&authority, NULL, &(struct credentials_kind){.authority = true, .subject = "Good Authority"});
    credentials_make(&other_authority, NULL,
                     &(struct credentials_kind){.authority = true, .subject = "Other Authority"});
    credentials_make(&intermediate, &authority, &(struct credentials_kind){.authority = true, .subject = "Between"});
    credentials_make(&localhost, &authority, &(struct credentials_kind){.names = "DNS:localhost,IP:127.0.0.1"});
    credentials_make(&www, &authority, &(struct credentials_kind){.names = "DNS:www.example,DNS:*.wild.example"});
    credentials_make(&other, &authority, &(struct credentials_kind){.names = "DNS:other.example"});
    credentials_make(&client_good, &authority,
                     &(struct credentials_kind){.names = "", .usage = "clientAuth", .subject = "A Client"});
    credentials_make(&client_bad, &other_authority,
                     &(struct credentials_kind){.names = "", .usage = "clientAuth", .subject = "A Stranger"});
    return 0;
}

int tls_free_credentials(void **state)
{
    struct credentials *all[] = {&authority, &other_authority, &intermediate, &localhost,
                                 &www,       &other,           &client_good,  &client_bad};

    (void)state;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        credentials_free(all[i]);
    return 0;
}

/* -- ends -- */

static struct end *end_of(weft_protocol *protocol)
{
    return weft_container_of(protocol, struct end, protocol);
}

static void note_info(struct end *end)
{
    end->info = (weft_tls_info){.size = sizeof end->info};
    if (weft_stream_tls(end->stream, &end->info) < 0) {
        end->info = (weft_tls_info){0};
        return;
    }
    snprintf(end->alpn, sizeof end->alpn, "%.*s", (int)end->info.alpn.length, end->info.alpn.data);
    snprintf(end->name, sizeof end->name, "%s", end->info.name);
}

static void connected(weft_protocol *protocol, weft_stream *stream)
{
    struct end *end = end_of(protocol);

    if (!end->stream)
        end->stream = weft_stream_ref(stream);
    end->connected++;
    note_info(end);
    if (end->when_connected)
        end->when_connected(end);
    if (end->says)
        (void)weft_stream_write(stream, weft_bytes_from(end->says));
    if (end->closes)
        weft_stream_close(stream);
    if (end->pauses)
        weft_stream_pause(stream);
}

static void feed_puppet(struct end *end, weft_bytes in)
{
    assert_int_equal(BIO_write(end->from_peer, in.data, (int)in.length), in.length);
    puppet_move(end);
}

static size_t received(weft_protocol *protocol, weft_stream *stream, weft_bytes in)
{
    struct end *end = end_of(protocol);

    if (end->when_received)
        return end->when_received(end, in);
    if (end->puppet) {
        feed_puppet(end, in);
        return in.length;
    }
    for (size_t i = 0; i < in.length; i++) {
        if (end->bytes_in + i < sizeof end->in - 1)
            end->in[end->bytes_in + i] = in.data[i];
        if (end->checks)
            assert_int_equal((uint8_t)in.data[i], (uint8_t)((end->bytes_in + i) * 7 + ((end->bytes_in + i) >> 10)));
    }
    end->bytes_in += in.length;
    if (end->echoes)
        (void)weft_stream_write(stream, in);
    return in.length;
}

static void ended(weft_protocol *protocol, weft_stream *stream)
{
    struct end *end = end_of(protocol);

    end->ended++;
    if (!end->stays && !end->puppet)
        weft_stream_close(stream);
}

static void lost(weft_protocol *protocol, weft_stream *stream, int reason)
{
    struct end *end = end_of(protocol);
    const weft_failure *failure = weft_stream_tls_failure(stream);

    end->lost++;
    end->reason = reason;
    if (failure)
        weft_failure_describe(failure, end->story, sizeof end->story);
}

static WEFT_PROTOCOL(end_ops, "end", "a test", .connected = connected, .received = received, .ended = ended,
                     .lost = lost);

static weft_protocol *build(weft_factory *factory, weft_stream *stream)
{
    struct world *world = weft_container_of(factory, struct world, factory);
    struct end *end = &world->server[world->accepted++];

    *end = world->template;
    end->protocol.ops = &end_ops;
    end->stream = weft_stream_ref(stream);
    return &end->protocol;
}

static const weft_factory_ops factory_ops = {.build = build};

/* -- the world -- */

static void stop(weft_timer *timer)
{
    weft_loop_stop(weft_container_of(timer, struct world, timer)->loop);
}

void tls_open(struct world *world)
{
    tls_open_on(world, support_engine());
}

void tls_open_on(struct world *world, const char *engine)
{
    weft_loop_options options = {.size = sizeof options, .backend = engine, .watchdog = WEFT_NEVER};

    *world = (struct world){.factory.ops = &factory_ops};
    assert_int_equal(weft_loop_new(&options, &world->loop), 0);
    assert_int_equal(weft_timer_init(&world->timer, weft_loop_scope(world->loop), stop), 0);
}

static void close_end(struct end *end)
{
    weft_stream_unref(end->stream);
    if (end->puppet)
        SSL_free(end->puppet);
}

void tls_close(struct world *world)
{
    for (size_t i = 0; i < world->made; i++)
        close_end(&world->client[i]);
    for (size_t i = 0; i < world->accepted; i++)
        close_end(&world->server[i]);
    weft_loop_free(world->loop);
}

void tls_listen(struct world *world, weft_tls_server *server)
{
    weft_listen_options options = {.size = sizeof options, .tls = server};

    assert_int_equal(weft_listen(weft_loop_scope(world->loop), "tcp://127.0.0.1:0", &world->factory, &options,
                                 &world->listener, NULL),
                     0);
    weft_listener_url(world->listener, NULL, world->url);
}

struct end *tls_connect_as(struct world *world, weft_tls_client *client, const char *name, const struct end *template)
{
    weft_stream_options options = {.size = sizeof options, .tls = client, .tls_name = name};
    struct end *end = &world->client[world->made++];
    weft_stream *stream;

    *end = *template;
    end->protocol.ops = &end_ops;
    assert_int_equal(
        weft_stream_connect(weft_loop_scope(world->loop), world->url, &end->protocol, &options, &stream, NULL), 0);
    end->stream = weft_stream_ref(stream);
    return end;
}

struct end *tls_connect(struct world *world, weft_tls_client *client, const char *name)
{
    return tls_connect_as(world, client, name, &(struct end){0});
}

void tls_turn(struct world *world)
{
    if (strcmp(weft_loop_backend(world->loop), "sim") != 0) {
        assert_true(weft_loop_step(world->loop) >= 0);
        return;
    }
    weft_timer_start(&world->timer, WEFT_MILLISECONDS(1));
    assert_int_equal(weft_loop_run(world->loop), 0); /* there, time passes only while somebody waits */
}

bool tls_until(struct world *world, bool (*condition)(struct world *world))
{
    for (unsigned turns = 0; turns < TURNS; turns++) {
        if (condition(world))
            return true;
        tls_turn(world);
    }
    return condition(world);
}

bool all_lost(struct world *world)
{
    for (size_t i = 0; i < world->made; i++)
        if (!world->client[i].lost)
            return false;
    for (size_t i = 0; i < world->accepted; i++)
        if (!world->server[i].lost)
            return false;
    return true;
}

bool all_connected(struct world *world)
{
    for (size_t i = 0; i < world->made; i++)
        if (!world->client[i].connected)
            return false;
    return world->accepted == world->made && world->server[world->accepted - 1].connected > 0;
}

weft_tls_server *make_server(const weft_tls_server_options *options)
{
    weft_tls_server *server = NULL;
    weft_failure *failure = NULL;
    char story[300] = "";

    if (weft_tls_server_new(options, &server, &failure) < 0) {
        weft_failure_describe(failure, story, sizeof story);
        weft_failure_unref(failure);
        fail_msg("%s", story);
    }
    return server;
}

weft_tls_server *simple_server(const struct credentials *credentials)
{
    weft_tls_identity identity = credentials_identity(credentials);

    return make_server(&(weft_tls_server_options){
        .size = sizeof(weft_tls_server_options), .identities = &identity, .identity_count = 1});
}

weft_tls_client *make_client(const weft_tls_client_options *options)
{
    weft_tls_client *client = NULL;
    weft_failure *failure = NULL;
    char story[300] = "";

    if (weft_tls_client_new(options, &client, &failure) < 0) {
        weft_failure_describe(failure, story, sizeof story);
        weft_failure_unref(failure);
        fail_msg("%s", story);
    }
    return client;
}

weft_tls_client *simple_client(void)
{
    return make_client(
        &(weft_tls_client_options){.size = sizeof(weft_tls_client_options), .ca = weft_bytes_from(authority.chain)});
}

/* -- puppets -- */

SSL_CTX *puppet_context(bool server, const struct credentials *credentials)
{
    SSL_CTX *context = SSL_CTX_new(server ? TLS_server_method() : TLS_client_method());

    assert_non_null(context);
    SSL_CTX_set_security_level(context, 0);
    SSL_CTX_set_min_proto_version(context, TLS1_VERSION);
    SSL_CTX_set_cipher_list(context, "ALL:@SECLEVEL=0");
    if (credentials) {
        assert_true(SSL_CTX_use_certificate(context, credentials->certificate));
        assert_true(SSL_CTX_use_PrivateKey(context, credentials->key));
    }
    return context;
}

static void make_puppet(struct end *end, SSL_CTX *context)
{
    end->puppet = SSL_new(context);
    end->from_peer = BIO_new(BIO_s_mem());
    end->to_peer = BIO_new(BIO_s_mem());
    SSL_set_bio(end->puppet, end->from_peer, end->to_peer);
}

void puppet_client(struct end *end, SSL_CTX *context, const char *name)
{
    make_puppet(end, context);
    SSL_set_connect_state(end->puppet);
    if (name)
        SSL_set_tlsext_host_name(end->puppet, name);
    puppet_move(end);
}

void puppet_server(struct end *end, SSL_CTX *context)
{
    make_puppet(end, context);
    SSL_set_accept_state(end->puppet);
    puppet_move(end);
}

static void note_error(struct end *end, int result)
{
    end->puppet_error = SSL_get_error(end->puppet, result);
    if (end->puppet_error == SSL_ERROR_SSL)
        end->puppet_reason = (unsigned long)ERR_GET_REASON(ERR_peek_last_error());
    ERR_clear_error();
}

void puppet_move(struct end *end)
{
    char data[4096];
    int count;

    do {
        count = SSL_read(end->puppet, data, sizeof data);
        for (int i = 0; i < count; i++)
            if (end->bytes_in + (size_t)i < sizeof end->in - 1)
                end->in[end->bytes_in + (size_t)i] = data[i];
        if (count > 0)
            end->bytes_in += (size_t)count;
    } while (count > 0);
    note_error(end, count);
    while ((count = BIO_read(end->to_peer, data, sizeof data)) > 0)
        (void)weft_stream_write(end->stream, weft_bytes_of(data, (size_t)count));
}
