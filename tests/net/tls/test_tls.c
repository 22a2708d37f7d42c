/* SPDX-License-Identifier: MIT */
/* TLS between our own ends: what is agreed on, how it ends, what is resumed, and much data. */
#include "net/tls/tls_test.h"

#include <stdlib.h>

static struct world world;

static bool client_has_some(struct world *w)
{
    return w->client[w->made - 1].bytes_in > 0 || w->client[w->made - 1].lost;
}

static void is_told_what_was_agreed_on(void **state)
{
    weft_tls_server *server = simple_server(&localhost);
    weft_tls_client *client = simple_client();
    struct end *end;

    (void)state;
    tls_open(&world);
    world.template = (struct end){.echoes = true};
    tls_listen(&world, server);
    end = tls_connect_as(&world, client, "localhost", &(struct end){.says = "good morning"});
    assert_true(tls_until(&world, client_has_some));
    assert_string_equal(end->in, "good morning");
    assert_string_equal(end->info.version, "TLSv1.3");
    assert_string_equal(end->info.cipher, "TLS_AES_128_GCM_SHA256");
    assert_string_equal(end->info.group, "x25519");
    assert_string_equal(end->name, "localhost");
    assert_true(end->info.verified);
    assert_false(end->info.server);
    assert_false(end->info.resumed);
    assert_string_equal(world.server[0].name, "localhost");
    assert_true(world.server[0].info.server);
    assert_false(world.server[0].info.verified);
    weft_stream_close(end->stream);
    assert_true(tls_until(&world, all_lost));
    assert_int_equal(end->reason, WEFT_ECLOSED);
    assert_int_equal(world.server[0].reason, WEFT_ECLOSED);
    weft_tls_server_unref(server);
    weft_tls_client_unref(client);
    tls_close(&world);
}

static void shows_the_certificates_of_the_peer(void **state)
{
    weft_tls_server *server;
    weft_tls_client *client = simple_client();
    struct credentials leaf;
    weft_tls_identity identity;
    weft_tls_certificate found;
    char der[4096];
    struct end *end;

    (void)state;
    credentials_make(&leaf, &intermediate, &(struct credentials_kind){.names = "DNS:a.example,IP:192.0.2.1"});
    credentials_append(&leaf, &intermediate);
    identity = credentials_identity(&leaf);
    server = make_server(&(weft_tls_server_options){
        .size = sizeof(weft_tls_server_options), .identities = &identity, .identity_count = 1});
    tls_open(&world);
    tls_listen(&world, server);
    end = tls_connect(&world, client, "192.0.2.1");
    assert_true(tls_until(&world, all_connected));
    assert_string_equal(world.server[0].name, ""); /* an address is no server name */
    assert_int_equal(weft_stream_tls_certificate(end->stream, 0, &found), 0);
    assert_string_equal(found.subject, "CN=A Certificate");
    assert_string_equal(found.issuer, "CN=Between");
    assert_string_equal(found.names, "a.example 192.0.2.1");
    assert_int_equal(found.not_before, WEFT_SECONDS(INT64_C(946684800)));
    assert_true(weft_stream_tls_der(end->stream, 0, der, sizeof der) > 0);
    assert_int_equal(weft_stream_tls_certificate(end->stream, 1, &found), 0);
    assert_string_equal(found.subject, "CN=Between");
    assert_int_equal(weft_stream_tls_certificate(end->stream, 2, &found), -ENOENT);
    assert_int_equal(weft_stream_tls_certificate(world.server[0].stream, 0, &found), -ENOENT);
    weft_tls_server_unref(server);
    weft_tls_client_unref(client);
    tls_close(&world);
    credentials_free(&leaf);
}

/* A weft_time ends in 2262, a certificate's time in 9999. */
static void a_certificate_that_never_ends_is_told_so(void **state)
{
    weft_tls_client *client = simple_client();
    weft_tls_certificate found;
    struct credentials eternal;
    weft_tls_server *server;
    struct end *end;

    (void)state;
    credentials_make(&eternal, &authority,
                     &(struct credentials_kind){.from = "16000101000000Z", .to = "99991231235959Z"});
    server = simple_server(&eternal);
    tls_open(&world);
    tls_listen(&world, server);
    end = tls_connect(&world, client, "localhost");
    assert_true(tls_until(&world, all_connected));
    assert_int_equal(weft_stream_tls_certificate(end->stream, 0, &found), 0);
    assert_int_equal(found.not_before, INT64_MIN);
    assert_int_equal(found.not_after, WEFT_NEVER);
    weft_tls_server_unref(server);
    weft_tls_client_unref(client);
    tls_close(&world);
    credentials_free(&eternal);
}

/* Those that `weft cert` makes have no subject. */
static void a_story_tells_of_a_certificate_without_a_subject_by_its_names(void **state)
{
    weft_tls_client *client = simple_client();
    struct credentials nameless;
    weft_tls_server *server;
    struct end *end;

    (void)state;
    credentials_make(&nameless, &other_authority,
                     &(struct credentials_kind){.subject = "", .names = "DNS:localhost,IP:127.0.0.1"});
    server = simple_server(&nameless);
    tls_open(&world);
    tls_listen(&world, server);
    end = tls_connect(&world, client, "localhost");
    assert_true(tls_until(&world, all_lost));
    assert_int_equal(end->reason, WEFT_ETLSUNTRUSTED);
    assert_non_null(strstr(end->story, "the certificate of \"localhost 127.0.0.1\" (number 0 of its chain)"));
    weft_tls_server_unref(server);
    weft_tls_client_unref(client);
    tls_close(&world);
    credentials_free(&nameless);
}

/* Whoever says whom it wants to speak with wants TLS. */
static void a_name_without_tls_is_refused(void **state)
{
    weft_stream_options options = {.size = sizeof options, .tls_name = "localhost"};
    weft_stream *stream;

    (void)state;
    tls_open(&world);
    tls_listen(&world, NULL);
    assert_int_equal(
        weft_stream_connect(weft_loop_scope(world.loop), world.url, &world.client[0].protocol, &options, &stream, NULL),
        -EINVAL);
    tls_close(&world);
}

/* -- endings -- */

static bool server_ended(struct world *w)
{
    return w->accepted > 0 && w->server[0].ended > 0;
}

static void one_side_ends_and_the_other_goes_on(void **state)
{
    weft_tls_server *server = simple_server(&localhost);
    weft_tls_client *client = simple_client();
    struct end *end;

    (void)state;
    tls_open(&world);
    world.template = (struct end){.stays = true};
    tls_listen(&world, server);
    end = tls_connect_as(&world, client, "localhost", &(struct end){.says = "the question"});
    assert_true(tls_until(&world, all_connected));
    weft_stream_end(end->stream);
    assert_true(tls_until(&world, server_ended));
    assert_string_equal(world.server[0].in, "the question");
    assert_int_equal(weft_stream_write(world.server[0].stream, weft_bytes_from("the answer")), 0);
    weft_stream_close(world.server[0].stream);
    assert_true(tls_until(&world, all_lost));
    assert_string_equal(end->in, "the answer");
    assert_int_equal(end->reason, WEFT_ECLOSED);
    assert_int_equal(world.server[0].reason, WEFT_ECLOSED);
    weft_tls_server_unref(server);
    weft_tls_client_unref(client);
    tls_close(&world);
}

static SSL_CTX *serving_context;

static void become_puppet(struct end *end)
{
    puppet_server(end, serving_context);
}

static bool puppet_is_ready(struct world *w)
{
    return w->accepted > 0 && w->server[0].puppet && SSL_is_init_finished(w->server[0].puppet);
}

/* TL-07: the connection ends, and TLS has not said that it does. */
static void tl_07_end_without_close_notify_is_no_end(void **state)
{
    SSL_CTX *context = puppet_context(true, &localhost);
    weft_tls_client *client = simple_client();
    struct end *end;

    (void)state;
    tls_open(&world);
    serving_context = context;
    world.template = (struct end){.when_connected = become_puppet};
    tls_listen(&world, NULL);
    end = tls_connect(&world, client, "localhost");
    assert_true(tls_until(&world, puppet_is_ready));
    assert_int_equal(end->connected, 1);
    assert_int_equal(SSL_write(world.server[0].puppet, "half of it", 10), 10);
    puppet_move(&world.server[0]);
    weft_stream_close(world.server[0].stream);
    assert_true(tls_until(&world, all_lost));
    assert_string_equal(end->in, "half of it");
    assert_int_equal(end->ended, 0);
    assert_int_equal(end->reason, WEFT_ETLSTRUNCATED);
    assert_non_null(strstr(end->story, "without a close_notify"));
    weft_tls_client_unref(client);
    tls_close(&world);
    SSL_CTX_free(context);
}

static void end_with_close_notify_is_one(void **state)
{
    SSL_CTX *context = puppet_context(true, &localhost);
    weft_tls_client *client = simple_client();
    struct end *end;

    (void)state;
    tls_open(&world);
    serving_context = context;
    world.template = (struct end){.when_connected = become_puppet};
    tls_listen(&world, NULL);
    end = tls_connect_as(&world, client, "localhost", &(struct end){0});
    assert_true(tls_until(&world, puppet_is_ready));
    assert_int_equal(SSL_write(world.server[0].puppet, "all of it", 9), 9);
    SSL_shutdown(world.server[0].puppet);
    puppet_move(&world.server[0]);
    weft_stream_close(world.server[0].stream);
    assert_true(tls_until(&world, all_lost));
    assert_string_equal(end->in, "all of it");
    assert_int_equal(end->ended, 1);
    assert_int_equal(end->reason, WEFT_ECLOSED);
    weft_tls_client_unref(client);
    tls_close(&world);
    SSL_CTX_free(context);
}

/* -- much data -- */

#define MUCH ((size_t)8 * 1024 * 1024)

static char much[MUCH];
static const weft_stream_options roomy = {.size = sizeof roomy, .output_limit = 2 * MUCH};

static void write_much(struct end *end)
{
    for (size_t i = 0; i < MUCH; i++)
        much[i] = (char)(i * 7 + (i >> 10));
    assert_int_equal(weft_stream_set_options(end->stream, &roomy), 0);
    assert_true(weft_stream_write(end->stream, weft_bytes_of(much, MUCH)) >= 0);
}

static bool client_has_much(struct world *w)
{
    return w->client[0].bytes_in == MUCH || w->client[0].lost;
}

static void much_arrives_unchanged_and_waits_for_who_pauses(void **state)
{
    weft_tls_server *server = simple_server(&localhost);
    weft_tls_client *client = simple_client();
    struct end *end;

    (void)state;
    tls_open(&world);
    world.template = (struct end){.when_connected = write_much};
    tls_listen(&world, server);
    end = tls_connect_as(&world, client, "localhost", &(struct end){.checks = true, .pauses = true});
    assert_true(tls_until(&world, all_connected));
    for (int i = 0; i < 200; i++)
        tls_turn(&world);
    assert_int_equal(end->bytes_in, 0);
    assert_true(weft_stream_queued(world.server[0].stream) > 0); /* what is not taken is not sent */
    weft_stream_resume(end->stream);
    assert_int_equal(end->bytes_in, 0); /* nobody is called back from there */
    assert_true(tls_until(&world, client_has_much));
    assert_int_equal(end->bytes_in, MUCH);
    weft_stream_close(world.server[0].stream);
    assert_true(tls_until(&world, all_lost));
    assert_int_equal(end->reason, WEFT_ECLOSED);
    assert_int_equal(world.server[0].reason, WEFT_ECLOSED);
    weft_tls_server_unref(server);
    weft_tls_client_unref(client);
    tls_close(&world);
}

/* -- sessions -- */

static struct end *connect_and_close(weft_tls_client *client, const char *name)
{
    struct end *end = tls_connect_as(&world, client, name, &(struct end){.says = "hello"});

    assert_true(tls_until(&world, client_has_some));
    weft_stream_close(end->stream);
    assert_true(tls_until(&world, all_lost));
    return end;
}

static void resume_with(weft_tls_version minimum, weft_tls_client *client)
{
    weft_tls_server *server = simple_server(&localhost);

    (void)minimum;
    tls_open(&world);
    world.template = (struct end){.echoes = true};
    tls_listen(&world, server);
    assert_false(connect_and_close(client, "localhost")->info.resumed);
    assert_true(connect_and_close(client, "localhost")->info.resumed);
    assert_true(connect_and_close(client, "localhost")->info.resumed);
    assert_true(world.client[2].info.verified);
    assert_true(world.server[2].info.resumed);
    weft_tls_server_unref(server);
    tls_close(&world);
}

static void a_session_is_resumed(void **state)
{
    weft_tls_client *client = simple_client();

    (void)state;
    resume_with(WEFT_TLS_1_3, client);
    weft_tls_client_unref(client);
}

static void a_session_is_for_one_name(void **state)
{
    weft_tls_server *server;
    weft_tls_client *client = simple_client();
    weft_tls_identity identities[] = {credentials_identity(&www), credentials_identity(&other)};

    (void)state;
    server = make_server(&(weft_tls_server_options){
        .size = sizeof(weft_tls_server_options), .identities = identities, .identity_count = 2});
    tls_open(&world);
    world.template = (struct end){.echoes = true};
    tls_listen(&world, server);
    assert_false(connect_and_close(client, "www.example")->info.resumed);
    assert_false(connect_and_close(client, "other.example")->info.resumed);
    assert_true(connect_and_close(client, "www.example")->info.resumed);
    weft_tls_server_unref(server);
    weft_tls_client_unref(client);
    tls_close(&world);
}

static void no_session_is_resumed_without_tickets(void **state)
{
    weft_tls_identity identity = credentials_identity(&localhost);
    weft_tls_server *server = make_server(&(weft_tls_server_options){.size = sizeof(weft_tls_server_options),
                                                                     .identities = &identity,
                                                                     .identity_count = 1,
                                                                     .tickets_sent = WEFT_TLS_NO_TICKETS});
    weft_tls_client *client = simple_client();

    (void)state;
    tls_open(&world);
    world.template = (struct end){.echoes = true};
    tls_listen(&world, server);
    assert_false(connect_and_close(client, "localhost")->info.resumed);
    assert_false(connect_and_close(client, "localhost")->info.resumed);
    weft_tls_server_unref(server);
    weft_tls_client_unref(client);
    tls_close(&world);
}

/* Two workers, or two processes, with one secret. */
static void tickets_of_one_secret_are_good_for_another_server(void **state)
{
    static const uint8_t secret[WEFT_TLS_TICKET_SECRET] = {1, 2, 3};
    weft_tls_identity identity = credentials_identity(&localhost);
    weft_tls_server_options options = {.size = sizeof options, .identities = &identity, .identity_count = 1};
    weft_tls_server *one, *two;
    weft_tls_tickets *tickets[2];
    weft_tls_client *client = simple_client();
    weft_time since;

    (void)state;
    tls_open(&world);
    since = weft_loop_wall(world.loop);
    for (int i = 0; i < 2; i++)
        assert_int_equal(weft_tls_tickets_new(secret, since - WEFT_MINUTES(3), WEFT_MINUTES(2), &tickets[i]), 0);
    options.tickets = tickets[0];
    one = make_server(&options);
    options.tickets = tickets[1];
    two = make_server(&options);
    world.template = (struct end){.echoes = true};
    tls_listen(&world, one);
    assert_false(connect_and_close(client, "localhost")->info.resumed);
    assert_int_equal(weft_listener_set_tls(world.listener, two), 0);
    assert_true(connect_and_close(client, "localhost")->info.resumed);
    weft_tls_server_unref(one);
    weft_tls_server_unref(two);
    weft_tls_tickets_unref(tickets[0]);
    weft_tls_tickets_unref(tickets[1]);
    weft_tls_client_unref(client);
    tls_close(&world);
}

/* -- names and protocols -- */

static void certificates_are_replaced_while_it_listens(void **state)
{
    weft_tls_server *before = simple_server(&www), *after = simple_server(&other);
    weft_tls_client *client = simple_client();

    (void)state;
    tls_open(&world);
    world.template = (struct end){.echoes = true};
    tls_listen(&world, before);
    assert_int_equal(connect_and_close(client, "www.example")->reason, WEFT_ECLOSED);
    assert_int_equal(weft_listener_set_tls(world.listener, after), 0);
    weft_tls_server_unref(before);
    weft_tls_server_unref(after);
    assert_int_equal(connect_and_close(client, "other.example")->reason, WEFT_ECLOSED);
    weft_tls_client_unref(client);
    tls_close(&world);
}

static void the_name_chooses_the_certificate(void **state)
{
    static const char *const names[] = {"www.example", "WWW.Example", "other.example", "any.wild.example"};
    static const char *const refused[] = {"a.b.wild.example", "wild.example"};
    weft_tls_identity identities[] = {credentials_identity(&localhost), credentials_identity(&www),
                                      credentials_identity(&other)};
    weft_tls_server *server = make_server(&(weft_tls_server_options){
        .size = sizeof(weft_tls_server_options), .identities = identities, .identity_count = 3});
    weft_tls_client *client = simple_client();

    (void)state;
    tls_open(&world);
    world.template = (struct end){.echoes = true};
    tls_listen(&world, server);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_int_equal(connect_and_close(client, names[i])->reason, WEFT_ECLOSED);
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        assert_int_equal(connect_and_close(client, refused[i])->reason, WEFT_ETLSNAME);
    weft_tls_server_unref(server);
    weft_tls_client_unref(client);
    tls_close(&world);
}

static void the_servers_order_of_protocols_counts(void **state)
{
    static const char *const ours[] = {"h2", "http/1.1"}, *const theirs[] = {"http/1.1", "h2", "imap"};
    weft_tls_identity identity = credentials_identity(&localhost);
    weft_tls_server *server = make_server(&(weft_tls_server_options){.size = sizeof(weft_tls_server_options),
                                                                     .identities = &identity,
                                                                     .identity_count = 1,
                                                                     .alpn = ours,
                                                                     .alpn_count = 2});
    weft_tls_client *client = make_client(&(weft_tls_client_options){.size = sizeof(weft_tls_client_options),
                                                                     .ca = weft_bytes_from(authority.chain),
                                                                     .alpn = theirs,
                                                                     .alpn_count = 3});

    (void)state;
    tls_open(&world);
    tls_listen(&world, server);
    tls_connect(&world, client, "localhost");
    assert_true(tls_until(&world, all_connected));
    assert_string_equal(world.client[0].alpn, "h2");
    assert_string_equal(world.server[0].alpn, "h2");
    weft_tls_server_unref(server);
    weft_tls_client_unref(client);
    tls_close(&world);
}

/* -- the key log -- */

static unsigned lines;

static void count_line(const char *line, void *arg)
{
    assert_ptr_equal(arg, &lines);
    assert_true(strlen(line) > 64);
    lines++;
}

static void keys_are_logged_only_when_asked(void **state)
{
    weft_tls_server *server = simple_server(&localhost);
    weft_tls_client *client = make_client(&(weft_tls_client_options){.size = sizeof(weft_tls_client_options),
                                                                     .ca = weft_bytes_from(authority.chain),
                                                                     .key_log = count_line,
                                                                     .key_log_arg = &lines});

    (void)state;
    setenv("SSLKEYLOGFILE", "/nonexistent/keys", 1); /* it would be an error to open it */
    lines = 0;
    tls_open(&world);
    tls_listen(&world, server);
    tls_connect(&world, client, "localhost");
    assert_true(tls_until(&world, all_connected));
    assert_true(lines >= 4);
    unsetenv("SSLKEYLOGFILE");
    weft_tls_server_unref(server);
    weft_tls_client_unref(client);
    tls_close(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        support_test(is_told_what_was_agreed_on),
        support_test(shows_the_certificates_of_the_peer),
        support_test(a_certificate_that_never_ends_is_told_so),
        support_test(a_story_tells_of_a_certificate_without_a_subject_by_its_names),
        support_test(a_name_without_tls_is_refused),
        support_test(one_side_ends_and_the_other_goes_on),
        support_test(tl_07_end_without_close_notify_is_no_end),
        support_test(end_with_close_notify_is_one),
        support_test(much_arrives_unchanged_and_waits_for_who_pauses),
        support_test(a_session_is_resumed),
        support_test(a_session_is_for_one_name),
        support_test(no_session_is_resumed_without_tickets),
        support_test(tickets_of_one_secret_are_good_for_another_server),
        support_test(certificates_are_replaced_while_it_listens),
        support_test(the_name_chooses_the_certificate),
        support_test(the_servers_order_of_protocols_counts),
        support_test(keys_are_logged_only_when_asked),
    };

    return cmocka_run_group_tests(tests, tls_make_credentials, tls_free_credentials);
}
