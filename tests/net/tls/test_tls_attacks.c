/* SPDX-License-Identifier: MIT */
/* The rows TL-01 to TL-13 of research's table of attacks: what a peer must not get away with. */
#include "net/tls/tls_test.h"

#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <stdlib.h>

#include "loop/loop_internal.h"

static struct world world;
static weft_tls_server *server;
static weft_tls_client *client;

static int setup(void **state)
{
    int status = support_setup(state);

    tls_open(&world);
    server = simple_server(&localhost);
    client = simple_client();
    return status;
}

static int teardown(void **state)
{
    tls_close(&world);
    weft_tls_server_unref(server);
    weft_tls_client_unref(client);
    return support_teardown(state);
}

#define tls_test(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

static bool client_lost(struct world *w)
{
    return w->client[0].lost;
}

static bool server_lost(struct world *w)
{
    return w->accepted > 0 && w->server[0].lost;
}

static bool client_ended(struct world *w)
{
    return w->client[0].ended || w->client[0].lost;
}

static bool client_connected(struct world *w)
{
    return w->client[0].connected || w->client[0].lost;
}

static bool handshake_over(struct world *w)
{
    return SSL_is_init_finished(w->client[0].puppet) || w->client[0].lost || w->client[0].puppet_error == SSL_ERROR_SSL;
}

/* A puppet connects to @p server of ours, and shakes hands as far as it gets. */
static struct end *attack_server(weft_tls_server *with, SSL_CTX *context, const char *name)
{
    struct end *end;

    tls_listen(&world, with);
    end = tls_connect(&world, NULL, NULL);
    assert_true(tls_until(&world, client_connected));
    puppet_client(end, context, name);
    assert_true(tls_until(&world, handshake_over));
    return end;
}

static bool puppet_made(struct world *w)
{
    return w->accepted > 0 && w->server[0].connected;
}

static SSL_CTX *attacking_context;

static void become_puppet(struct end *end)
{
    puppet_server(end, attacking_context);
}

/* A client of ours connects to @p name, where a puppet serves. */
static struct end *attack_client(weft_tls_client *with, SSL_CTX *context, const char *name)
{
    attacking_context = context;
    world.template = (struct end){.when_connected = become_puppet};
    tls_listen(&world, NULL);
    tls_connect(&world, with, name);
    assert_true(tls_until(&world, puppet_made));
    assert_true(tls_until(&world, client_connected));
    return &world.client[0];
}

static bool puppet_has_error(struct world *w)
{
    return w->client[0].puppet_error == SSL_ERROR_SSL || w->client[0].lost;
}

static void tl_01_renegotiation_is_refused(void **state)
{
    SSL_CTX *context = puppet_context(false, NULL);
    struct end *end;

    (void)state;
    SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION);
    end = attack_server(server, context, "localhost");
    assert_true(SSL_is_init_finished(end->puppet));
    assert_true(SSL_renegotiate(end->puppet));
    SSL_do_handshake(end->puppet);
    puppet_move(end);
    assert_true(tls_until(&world, puppet_has_error));
    assert_int_equal(end->puppet_reason, SSL_R_NO_RENEGOTIATION);
    assert_int_equal(world.server[0].connected, 1);
    SSL_CTX_free(context);
}

static void tl_02_old_versions_are_refused(void **state)
{
    SSL_CTX *context = puppet_context(false, NULL);
    struct end *end;

    (void)state;
    SSL_CTX_set_max_proto_version(context, TLS1_1_VERSION);
    end = attack_server(server, context, "localhost");
    assert_int_equal(end->puppet_reason, SSL_AD_REASON_OFFSET + SSL_AD_PROTOCOL_VERSION);
    assert_int_equal(world.accepted, 0); /* nobody is told of what never was a connection */
    SSL_CTX_free(context);
}

static void tl_02_weak_ciphers_are_refused(void **state)
{
    static const char *const weak[] = {"AES128-SHA", "ECDHE-ECDSA-AES128-SHA", "DHE-RSA-AES128-GCM-SHA256",
                                       "AES128-GCM-SHA256"};

    (void)state;
    for (size_t i = 0; i < sizeof weak / sizeof *weak; i++) {
        SSL_CTX *context = puppet_context(false, NULL);
        struct end *end;

        SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION);
        assert_true(SSL_CTX_set_cipher_list(context, weak[i]));
        end = attack_server(server, context, "localhost");
        assert_int_equal(end->puppet_reason, SSL_AD_REASON_OFFSET + SSL_AD_HANDSHAKE_FAILURE);
        tls_close(&world);
        tls_open(&world);
        SSL_CTX_free(context);
    }
}

static void tl_02_a_server_of_old_versions_is_refused(void **state)
{
    SSL_CTX *context = puppet_context(true, &localhost);
    struct end *end;

    (void)state;
    SSL_CTX_set_max_proto_version(context, TLS1_1_VERSION);
    end = attack_client(client, context, "localhost");
    assert_int_equal(end->connected, 0);
    assert_true(end->reason == WEFT_ETLSALERT || end->reason == WEFT_ETLSPROFILE);
    SSL_CTX_free(context);
}

static void tl_03_no_common_protocol_ends_the_handshake(void **state)
{
    static const char *const ours[] = {"h2"};
    weft_tls_identity identity = credentials_identity(&localhost);
    SSL_CTX *context = puppet_context(false, NULL);
    weft_tls_server *strict = make_server(&(weft_tls_server_options){.size = sizeof(weft_tls_server_options),
                                                                     .identities = &identity,
                                                                     .identity_count = 1,
                                                                     .alpn = ours,
                                                                     .alpn_count = 1});
    struct end *end;

    (void)state;
    SSL_CTX_set_alpn_protos(context, (const unsigned char *)"\x04imap", 5);
    end = attack_server(strict, context, "localhost");
    assert_int_equal(end->puppet_reason, SSL_AD_REASON_OFFSET + SSL_AD_NO_APPLICATION_PROTOCOL);
    weft_tls_server_unref(strict);
    SSL_CTX_free(context);
}

static void tl_04_an_unknown_name_is_refused_if_only_known_ones_are_served(void **state)
{
    weft_tls_identity identity = credentials_identity(&www);
    SSL_CTX *context = puppet_context(false, NULL);
    weft_tls_server *strict = make_server(&(weft_tls_server_options){.size = sizeof(weft_tls_server_options),
                                                                     .identities = &identity,
                                                                     .identity_count = 1,
                                                                     .known_names_only = true});
    struct end *end;

    (void)state;
    end = attack_server(strict, context, "elsewhere.example");
    assert_int_equal(end->puppet_reason, SSL_AD_REASON_OFFSET + SSL_AD_UNRECOGNIZED_NAME);
    weft_tls_server_unref(strict);
    SSL_CTX_free(context);
}

/* A session that was begun without a certificate is no way around the demand for one, though the tickets are the same. */
static void tl_04_a_session_is_not_resumed_where_other_rules_hold(void **state)
{
    weft_tls_identity identity = credentials_identity(&localhost);
    weft_tls_tickets *tickets;
    weft_tls_server_options options = {.size = sizeof options, .identities = &identity, .identity_count = 1};
    weft_tls_server *open_to_all, *closed;

    (void)state;
    assert_int_equal(weft_tls_tickets_new(NULL, 0, 0, &tickets), 0);
    options.tickets = tickets;
    open_to_all = make_server(&options);
    options.clients = WEFT_TLS_CLIENTS_REQUIRED;
    options.ca = weft_bytes_from(authority.chain);
    closed = make_server(&options);
    world.template = (struct end){.says = "welcome"};
    tls_listen(&world, open_to_all);
    tls_connect(&world, client, "localhost");
    assert_true(tls_until(&world, all_connected));
    while (world.client[0].bytes_in == 0)
        tls_turn(&world); /* with the ticket before it */
    weft_stream_close(world.client[0].stream);
    assert_true(tls_until(&world, all_lost));
    assert_int_equal(weft_listener_set_tls(world.listener, closed), 0);
    tls_connect(&world, client, "localhost");
    assert_true(tls_until(&world, all_lost));
    assert_int_equal(world.accepted, 1);
    assert_int_equal(world.client[1].reason, WEFT_ETLSALERT);
    assert_non_null(strstr(world.client[1].story, "certificate required"));
    weft_tls_server_unref(open_to_all);
    weft_tls_server_unref(closed);
    weft_tls_tickets_unref(tickets);
}

/* -- STARTTLS -- */

static size_t start_on_command(struct end *end, weft_bytes in)
{
    static const weft_bytes command = WEFT_BYTES("STARTTLS\r\n");

    if (!weft_bytes_starts_with(in, command)) {
        memcpy(end->in + end->bytes_in, in.data, in.length);
        end->bytes_in += in.length;
        return in.length;
    }
    assert_int_equal(weft_stream_write(end->stream, weft_bytes_from("220 go on\r\n")), 0);
    assert_int_equal(weft_stream_start_tls_server(end->stream, server), 0);
    assert_int_equal(weft_stream_start_tls_server(end->stream, server), -EALREADY);
    assert_int_equal(weft_stream_write(end->stream, weft_bytes_from("not in plain text")), -EBUSY);
    weft_stream_pause(end->stream);
    weft_stream_resume(end->stream);
    return command.length;
}

static size_t start_on_answer(struct end *end, weft_bytes in)
{
    static const weft_bytes answer = WEFT_BYTES("220 go on\r\n");

    if (end->connected == 2) {
        memcpy(end->in + end->bytes_in, in.data, in.length);
        end->bytes_in += in.length;
        return in.length;
    }
    assert_true(weft_bytes_starts_with(in, answer));
    assert_int_equal(weft_stream_start_tls_client(end->stream, client, "localhost"), 0);
    return answer.length;
}

static void say_next(struct end *end)
{
    static const char *const words[] = {"STARTTLS\r\n", "a secret"};

    assert_true(end->connected <= 2);
    (void)weft_stream_write(end->stream, weft_bytes_from(words[end->connected - 1]));
}

static bool server_has_secret(struct world *w)
{
    return w->server[0].bytes_in >= 8 || w->server[0].lost || w->client[0].lost;
}

static void tls_starts_on_an_open_stream(void **state)
{
    (void)state;
    world.template = (struct end){.when_received = start_on_command};
    tls_listen(&world, NULL);
    tls_connect_as(&world, NULL, NULL, &(struct end){.when_received = start_on_answer, .when_connected = say_next});
    assert_true(tls_until(&world, server_has_secret));
    assert_string_equal(world.server[0].in, "a secret");
    assert_int_equal(world.server[0].connected, 2);
    assert_string_equal(world.client[0].info.version, "TLSv1.3");
    assert_string_equal(world.client[0].name, "localhost");
    assert_true(world.client[0].info.verified);
    weft_stream_close(world.client[0].stream);
    assert_true(tls_until(&world, all_lost));
    assert_int_equal(world.server[0].reason, WEFT_ECLOSED);
}

static void tl_05_a_command_behind_starttls_is_refused(void **state)
{
    (void)state;
    world.template = (struct end){.when_received = start_on_command};
    tls_listen(&world, NULL);
    tls_connect_as(&world, NULL, NULL, &(struct end){.says = "STARTTLS\r\nNOOP\r\n"});
    assert_true(tls_until(&world, server_lost));
    assert_int_equal(world.server[0].reason, WEFT_ETLSSMUGGLED);
    assert_int_equal(world.server[0].bytes_in, 0);
    assert_int_equal(world.server[0].connected, 1);
}

static size_t answer_with_more(struct end *end, weft_bytes in)
{
    (void)weft_stream_write(end->stream, weft_bytes_from("220 go on\r\n250 you have mail\r\n"));
    return in.length;
}

static void tl_06_an_answer_before_tls_is_refused(void **state)
{
    (void)state;
    world.template = (struct end){.when_received = answer_with_more};
    tls_listen(&world, NULL);
    tls_connect_as(&world, NULL, NULL, &(struct end){.when_received = start_on_answer, .when_connected = say_next});
    assert_true(tls_until(&world, client_lost));
    assert_int_equal(world.client[0].reason, WEFT_ETLSSMUGGLED);
    assert_int_equal(world.client[0].connected, 1);
}

static void end_behind_command(struct end *end)
{
    (void)weft_stream_write(end->stream, weft_bytes_from("STARTTLS\r\n"));
    weft_stream_end(end->stream);
}

static void tl_08_what_is_sent_and_closed_before_tls_is_no_data(void **state)
{
    (void)state;
    world.template = (struct end){.when_received = start_on_command};
    tls_listen(&world, NULL);
    tls_connect_as(&world, NULL, NULL, &(struct end){.when_connected = end_behind_command, .stays = true});
    assert_true(tls_until(&world, server_lost));
    assert_int_equal(world.server[0].connected, 1);
    assert_int_equal(world.server[0].bytes_in, 0);
}

#define LONG_ANSWER ((size_t)8 * 1024 * 1024)

/* It takes longer to send than its peer stays. */
static size_t start_behind_a_long_answer(struct end *end, weft_bytes in)
{
    static const weft_stream_options roomy = {
        .size = sizeof roomy, .output_limit = 2 * LONG_ANSWER, .idle = WEFT_SECONDS(10)};
    static char answer[LONG_ANSWER];

    assert_int_equal(weft_stream_set_options(end->stream, &roomy), 0);
    assert_true(weft_stream_write(end->stream, weft_bytes_of(answer, sizeof answer)) >= 0);
    assert_int_equal(weft_stream_start_tls_server(end->stream, server), 0);
    end->bytes_in += in.length;
    return in.length;
}

static bool server_has_command(struct world *w)
{
    return w->accepted > 0 && w->server[0].bytes_in > 0;
}

/* Nothing is read until TLS begins, and now it never does: there is nothing to wait for. */
static void a_reset_before_tls_begins_is_told_at_once(void **state)
{
    (void)state;
    world.template = (struct end){.when_received = start_behind_a_long_answer};
    tls_listen(&world, NULL);
    tls_connect_as(&world, NULL, NULL, &(struct end){.says = "STARTTLS\r\n", .pauses = true});
    assert_true(tls_until(&world, server_has_command));
    for (int i = 0; i < 10; i++)
        tls_turn(&world);
    assert_true(weft_stream_queued(world.server[0].stream) > 0);
    weft_stream_abort(world.client[0].stream);
    assert_true(tls_until(&world, server_lost));
    assert_true(world.server[0].reason == -ECONNRESET || world.server[0].reason == -EPIPE);
}

/* -- resources -- */

static bool nothing_waits(struct world *w)
{
    return weft_listener_connections(w->listener) == 0;
}

static bool one_waits(struct world *w)
{
    return weft_listener_connections(w->listener) == 1;
}

static void tl_09_a_slow_handshake_has_a_deadline(void **state)
{
    weft_stream_options quick = {.size = sizeof quick, .handshake = WEFT_MILLISECONDS(30)};
    weft_listen_options options = {.size = sizeof options, .tls = server, .stream = quick};

    (void)state;
    assert_int_equal(
        weft_listen(weft_loop_scope(world.loop), "tcp://127.0.0.1:0", &world.factory, &options, &world.listener, NULL),
        0);
    weft_listener_url(world.listener, NULL, world.url);
    tls_connect_as(&world, NULL, NULL, &(struct end){.says = "\x16\x03\x01\x02", .stays = true});
    assert_true(tls_until(&world, one_waits));
    assert_true(tls_until(&world, nothing_waits));
    assert_int_equal(world.accepted, 0);
}

/* A ClientHello of many fragments that never ends. */
static void say_fragments(struct end *end)
{
    static const char begin[] = "\x16\x03\x01\x00\x05\x01\x01\xff\xff\x03", record[] = "\x16\x03\x01\x00\x01X";

    (void)weft_stream_write(end->stream, weft_bytes_of(begin, 10));
    for (int i = 0; i < 20000; i++)
        if (weft_stream_write(end->stream, weft_bytes_of(record, 6)) < 0)
            break;
}

static void tl_09_a_large_hello_is_cut_off(void **state)
{
    (void)state;
    tls_listen(&world, server);
    tls_connect_as(&world, NULL, NULL, &(struct end){.when_connected = say_fragments});
    assert_true(tls_until(&world, client_lost));
    assert_int_equal(world.accepted, 0);
}

static void tl_09_handshakes_at_once_are_bounded(void **state)
{
    weft_tls_identity identity = credentials_identity(&localhost);
    weft_tls_server *small = make_server(&(weft_tls_server_options){
        .size = sizeof(weft_tls_server_options), .identities = &identity, .identity_count = 1, .max_handshakes = 2});

    (void)state;
    tls_listen(&world, small);
    for (int i = 0; i < 4; i++)
        tls_connect(&world, NULL, NULL);
    while (world.client[0].lost + world.client[1].lost + world.client[2].lost + world.client[3].lost < 2)
        tls_turn(&world);
    for (int i = 0; i < 50; i++)
        tls_turn(&world);
    assert_int_equal(world.client[0].lost + world.client[1].lost + world.client[2].lost + world.client[3].lost, 2);
    weft_tls_server_unref(small);
}

static void tl_10_key_updates_are_bounded(void **state)
{
    SSL_CTX *context = puppet_context(false, NULL);
    struct end *end = attack_server(server, context, "localhost");

    (void)state;
    assert_int_equal(SSL_version(end->puppet), TLS1_3_VERSION);
    for (int i = 0; i < 20000 && !world.server[0].lost; i++) {
        assert_true(SSL_key_update(end->puppet, SSL_KEY_UPDATE_NOT_REQUESTED));
        SSL_do_handshake(end->puppet);
        puppet_move(end);
        if (i % 64 == 0)
            tls_turn(&world);
    }
    assert_true(tls_until(&world, server_lost));
    assert_int_equal(world.server[0].reason, WEFT_ETLSFLOOD);
    SSL_CTX_free(context);
}

static bool server_has_all(struct world *w)
{
    return w->server[0].bytes_in == 2000 || w->server[0].lost;
}

/* Whoever sends data may change keys as often as it likes. */
static void key_updates_between_data_are_fine(void **state)
{
    SSL_CTX *context = puppet_context(false, NULL);
    struct end *end = attack_server(server, context, "localhost");

    (void)state;
    for (int i = 0; i < 2000; i++) {
        assert_true(
            SSL_key_update(end->puppet, i % 100 == 0 ? SSL_KEY_UPDATE_REQUESTED : SSL_KEY_UPDATE_NOT_REQUESTED));
        assert_int_equal(SSL_write(end->puppet, "x", 1), 1);
        puppet_move(end);
        if (i % 64 == 0)
            tls_turn(&world);
    }
    assert_true(tls_until(&world, server_has_all));
    assert_int_equal(world.server[0].bytes_in, 2000);
    SSL_CTX_free(context);
}

static void tl_10_what_is_no_tls_is_told_so(void **state)
{
    (void)state;
    tls_listen(&world, server);
    tls_connect_as(&world, NULL, NULL, &(struct end){.says = "GET / HTTP/1.1\r\nHost: x\r\n\r\n", .stays = true});
    assert_true(tls_until(&world, client_ended));
    assert_int_equal(world.accepted, 0);
}

static void tl_10_a_damaged_record_ends_the_connection(void **state)
{
    SSL_CTX *context = puppet_context(false, NULL);
    struct end *end = attack_server(server, context, "localhost");
    static const char record[] = "\x17\x03\x03\x00\x20"
                                 "0123456789abcdef0123456789abcdef";

    (void)state;
    assert_int_equal(weft_stream_write(end->stream, weft_bytes_of(record, 37)), 0);
    assert_true(tls_until(&world, server_lost));
    assert_int_equal(world.server[0].reason, WEFT_ETLSRECORD);
    assert_true(tls_until(&world, puppet_has_error));
    assert_int_equal(end->puppet_reason, SSL_AD_REASON_OFFSET + SSL_AD_BAD_RECORD_MAC); /* the alert has arrived */
    SSL_CTX_free(context);
}

static void tl_10_a_record_that_is_too_large_is_refused(void **state)
{
    SSL_CTX *context = puppet_context(false, NULL);
    struct end *end = attack_server(server, context, "localhost");
    static const char record[] = "\x17\x03\x03\xff\xff"
                                 "x";

    (void)state;
    assert_int_equal(weft_stream_write(end->stream, weft_bytes_of(record, 6)), 0);
    assert_true(tls_until(&world, server_lost));
    assert_int_equal(world.server[0].reason, WEFT_ETLSRECORD);
    SSL_CTX_free(context);
}

/* -- TL-11: certificates, each with what it is refused for -- */

struct bad_certificate {
    const char *what;
    struct credentials_kind kind;
    const struct credentials *issuer;
    bool alone;       /* without what is between it and the authority */
    const char *name; /* that is asked for */
    int reason;       /* 0: it is good */
    int staple;       /* 1 + V_OCSP_CERTSTATUS_... ; 0 none */
    bool staple_is_old;
};

static const struct bad_certificate bad_certificates[] = {
    {"good", {.names = "DNS:a.example"}, &authority, false, "a.example", 0, 0, false},
    {"good, a wildcard", {.names = "DNS:*.a.example"}, &authority, false, "b.a.example", 0, 0, false},
    {"good, an address", {.names = "IP:192.0.2.7"}, &authority, false, "192.0.2.7", 0, 0, false},
    {"good, IPv6", {.names = "IP:2001:db8::7"}, &authority, false, "2001:db8::7", 0, 0, false},
    {"good, in capitals", {.names = "DNS:A.Example"}, &authority, false, "a.eXAMPLE.", 0, 0, false},
    {"expired", {.to = "20010101000000Z"}, &authority, false, "localhost", WEFT_ETLSEXPIRED, 0, false},
    {"not valid yet", {.from = "20990101000000Z"}, &authority, false, "localhost", WEFT_ETLSEXPIRED, 0, false},
    {"wrong name", {.names = "DNS:b.example"}, &authority, false, "a.example", WEFT_ETLSNAME, 0, false},
    {"only a CN", {.names = "", .subject = "a.example"}, &authority, false, "a.example", WEFT_ETLSNAME, 0, false},
    {"a wildcard for two labels",
     {.names = "DNS:*.example"},
     &authority,
     false,
     "b.a.example",
     WEFT_ETLSNAME,
     0,
     false},
    {"a wildcard for its base", {.names = "DNS:*.a.example"}, &authority, false, "a.example", WEFT_ETLSNAME, 0, false},
    {"part of a label", {.names = "DNS:f*.a.example"}, &authority, false, "foo.a.example", WEFT_ETLSNAME, 0, false},
    {"a name for an address", {.names = "DNS:192.0.2.7"}, &authority, false, "192.0.2.7", WEFT_ETLSNAME, 0, false},
    {"another address", {.names = "IP:192.0.2.8"}, &authority, false, "192.0.2.7", WEFT_ETLSNAME, 0, false},
    {"signed by itself", {.names = "DNS:a.example"}, NULL, false, "a.example", WEFT_ETLSUNTRUSTED, 0, false},
    {"an unknown authority",
     {.names = "DNS:a.example"},
     &other_authority,
     false,
     "a.example",
     WEFT_ETLSUNTRUSTED,
     0,
     false},
    {"a broken chain", {.names = "DNS:a.example"}, &intermediate, true, "a.example", WEFT_ETLSUNTRUSTED, 0, false},
    {"signed by what is no authority",
     {.names = "DNS:a.example"},
     &localhost,
     false,
     "a.example",
     WEFT_ETLSUNTRUSTED,
     0,
     false},
    {"for clients",
     {.names = "DNS:a.example", .usage = "clientAuth"},
     &authority,
     false,
     "a.example",
     WEFT_ETLSUSAGE,
     0,
     false},
    {"a weak key",
     {.names = "DNS:a.example", .rsa_bits = 1024},
     &authority,
     false,
     "a.example",
     WEFT_ETLSWEAK,
     0,
     false},
    {"good, with a staple",
     {.names = "DNS:a.example"},
     &authority,
     false,
     "a.example",
     0,
     1 + V_OCSP_CERTSTATUS_GOOD,
     false},
    {"revoked",
     {.names = "DNS:a.example"},
     &authority,
     false,
     "a.example",
     WEFT_ETLSREVOKED,
     1 + V_OCSP_CERTSTATUS_REVOKED,
     false},
    {"a staple that knows nothing",
     {.names = "DNS:a.example"},
     &authority,
     false,
     "a.example",
     WEFT_ETLSSTAPLE,
     1 + V_OCSP_CERTSTATUS_UNKNOWN,
     false},
    {"an old staple",
     {.names = "DNS:a.example"},
     &authority,
     false,
     "a.example",
     WEFT_ETLSSTAPLE,
     1 + V_OCSP_CERTSTATUS_GOOD,
     true},
    {"no staple though it must",
     {.names = "DNS:a.example", .status = "status_request"},
     &authority,
     false,
     "a.example",
     WEFT_ETLSSTAPLE,
     0,
     false},
};

static weft_bytes puppet_staple;

static int staple(SSL *ssl, void *arg)
{
    unsigned char *copy = OPENSSL_memdup(puppet_staple.data, puppet_staple.length);

    (void)arg;
    SSL_set_tlsext_status_ocsp_resp(ssl, copy, (long)puppet_staple.length);
    return SSL_TLSEXT_ERR_OK;
}

static void try_certificate(const struct bad_certificate *bad, bool old_version)
{
    struct credentials credentials;
    SSL_CTX *context;
    struct end *end;

    support_set_context("%s, %s", bad->what, old_version ? "1.2" : "1.3");
    credentials_make(&credentials, bad->issuer, &bad->kind);
    context = puppet_context(true, &credentials);
    if (old_version)
        SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION);
    if (bad->issuer && !bad->alone)
        SSL_CTX_add1_chain_cert(context, bad->issuer->certificate);
    if (bad->staple) {
        puppet_staple = credentials_staple(&credentials, bad->issuer, bad->staple - 1, "20200101000000Z",
                                           bad->staple_is_old ? "20200201000000Z" : "20990101000000Z");
        SSL_CTX_set_tlsext_status_cb(context, staple);
    }
    end = attack_client(client, context, bad->name);
    assert_int_equal(end->connected, bad->reason == 0);
    assert_int_equal(end->reason, bad->reason);
    if (bad->reason)
        assert_true(strlen(end->story) > 20);
    if (bad->staple)
        free((void *)(uintptr_t)puppet_staple.data);
    tls_close(&world);
    tls_open(&world);
    SSL_CTX_free(context);
    credentials_free(&credentials);
    support_clear_context();
}

static void tl_11_bad_certificates_are_refused_for_the_right_reason(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad_certificates / sizeof *bad_certificates; i++) {
        try_certificate(&bad_certificates[i], false);
        try_certificate(&bad_certificates[i], true);
    }
}

static void whoever_trusts_anybody_has_said_so(void **state)
{
    weft_tls_client *careless = make_client(
        &(weft_tls_client_options){.size = sizeof(weft_tls_client_options), .dangerously_trust_anybody = true});
    SSL_CTX *context = puppet_context(true, &client_bad);
    struct end *end;

    (void)state;
    end = attack_client(careless, context, "a.example");
    assert_int_equal(end->connected, 1);
    assert_false(end->info.verified);
    weft_tls_client_unref(careless);
    SSL_CTX_free(context);
}

/* -- TL-12 -- */

static void try_client(const struct credentials *shown, weft_tls_clients demand, bool good)
{
    weft_tls_identity identity = credentials_identity(&localhost), own;
    weft_tls_server *strict = make_server(&(weft_tls_server_options){.size = sizeof(weft_tls_server_options),
                                                                     .identities = &identity,
                                                                     .identity_count = 1,
                                                                     .clients = demand,
                                                                     .ca = weft_bytes_from(authority.chain)});
    weft_tls_client_options options = {.size = sizeof options, .ca = weft_bytes_from(authority.chain)};
    weft_tls_client *with;

    if (shown) {
        own = credentials_identity(shown);
        options.identity = &own;
    }
    with = make_client(&options);
    world.template = (struct end){.says = "welcome", .closes = true};
    tls_listen(&world, strict);
    tls_connect(&world, with, "localhost");
    assert_true(tls_until(&world, all_lost));
    assert_int_equal(world.accepted, good);
    if (good) {
        assert_string_equal(world.client[0].in, "welcome");
        assert_int_equal(world.server[0].info.verified, shown != NULL);
    } else {
        assert_int_equal(world.client[0].bytes_in, 0);
        assert_int_equal(world.client[0].reason, WEFT_ETLSALERT);
    }
    tls_close(&world);
    tls_open(&world);
    weft_tls_server_unref(strict);
    weft_tls_client_unref(with);
}

static void tl_12_a_bad_client_never_gets_in(void **state)
{
    (void)state;
    try_client(&client_good, WEFT_TLS_CLIENTS_REQUIRED, true);
    try_client(&client_good, WEFT_TLS_CLIENTS_OPTIONAL, true);
    try_client(NULL, WEFT_TLS_CLIENTS_OPTIONAL, true);
    try_client(NULL, WEFT_TLS_CLIENTS_REQUIRED, false);
    try_client(&client_bad, WEFT_TLS_CLIENTS_OPTIONAL, false);
    try_client(&client_bad, WEFT_TLS_CLIENTS_REQUIRED, false);
    try_client(&localhost, WEFT_TLS_CLIENTS_REQUIRED, false); /* a server's certificate */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        tls_test(tl_01_renegotiation_is_refused),
        tls_test(tl_02_old_versions_are_refused),
        tls_test(tl_02_weak_ciphers_are_refused),
        tls_test(tl_02_a_server_of_old_versions_is_refused),
        tls_test(tl_03_no_common_protocol_ends_the_handshake),
        tls_test(tl_04_an_unknown_name_is_refused_if_only_known_ones_are_served),
        tls_test(tl_04_a_session_is_not_resumed_where_other_rules_hold),
        tls_test(tls_starts_on_an_open_stream),
        tls_test(tl_05_a_command_behind_starttls_is_refused),
        tls_test(tl_06_an_answer_before_tls_is_refused),
        tls_test(tl_08_what_is_sent_and_closed_before_tls_is_no_data),
        tls_test(a_reset_before_tls_begins_is_told_at_once),
        tls_test(tl_09_a_slow_handshake_has_a_deadline),
        tls_test(tl_09_a_large_hello_is_cut_off),
        tls_test(tl_09_handshakes_at_once_are_bounded),
        tls_test(tl_10_key_updates_are_bounded),
        tls_test(key_updates_between_data_are_fine),
        tls_test(tl_10_what_is_no_tls_is_told_so),
        tls_test(tl_10_a_damaged_record_ends_the_connection),
        tls_test(tl_10_a_record_that_is_too_large_is_refused),
        tls_test(tl_11_bad_certificates_are_refused_for_the_right_reason),
        tls_test(whoever_trusts_anybody_has_said_so),
        tls_test(tl_12_a_bad_client_never_gets_in),
    };

    return cmocka_run_group_tests(tests, tls_make_credentials, tls_free_credentials);
}
