/* SPDX-License-Identifier: MIT */
/* Sessions and their tickets: how long they are good, and for whom. */
#include "net/tls/tls_test.h"

#include <time.h>

#include "loop/loop_internal.h"

static struct world world;

static bool client_has_some(struct world *w)
{
    return w->client[w->made - 1].bytes_in > 0 || w->client[w->made - 1].lost;
}

static struct end *talk(weft_tls_client *client)
{
    struct end *end = tls_connect(&world, client, "localhost");

    assert_true(tls_until(&world, client_has_some)); /* and the ticket came before it */
    weft_stream_close(end->stream);
    assert_true(tls_until(&world, all_lost));
    return end;
}

static void open_world(const char *engine, weft_tls_server *server)
{
    tls_open_on(&world, engine);
    world.template = (struct end){.says = "good morning"};
    tls_listen(&world, server);
}

static void keys_may_change_as_rarely_as_one_likes(void **state)
{
    static const weft_time rotations[] = {WEFT_HOURS(2 * 24), WEFT_HOURS(7 * 24), WEFT_HOURS(3650 * 24), WEFT_NEVER};
    weft_tls_identity identity = credentials_identity(&localhost);
    weft_tls_server_options options = {.size = sizeof options, .identities = &identity, .identity_count = 1};

    (void)state;
    for (size_t i = 0; i < sizeof rotations / sizeof *rotations; i++) {
        weft_tls_client *client = simple_client();
        weft_tls_tickets *tickets;
        weft_tls_server *server;

        assert_int_equal(weft_tls_tickets_new(NULL, 0, rotations[i], &tickets), 0);
        options.tickets = tickets;
        server = make_server(&options);
        open_world(support_engine(), server);
        assert_false(talk(client)->info.resumed);
        assert_true(talk(client)->info.resumed);
        weft_tls_server_unref(server);
        weft_tls_tickets_unref(tickets);
        weft_tls_client_unref(client);
        tls_close(&world);
    }
}

/* -- clients with certificates -- */

static weft_tls_client *client_with(const struct credentials *shown)
{
    weft_tls_identity identity = credentials_identity(shown);

    return make_client(&(weft_tls_client_options){
        .size = sizeof(weft_tls_client_options), .ca = weft_bytes_from(authority.chain), .identity = &identity});
}

/* A server that wants certificates of @p above. */
static weft_tls_server *demanding_server(const struct credentials *above, weft_tls_tickets *tickets)
{
    weft_tls_identity identity = credentials_identity(&localhost);

    return make_server(&(weft_tls_server_options){.size = sizeof(weft_tls_server_options),
                                                  .identities = &identity,
                                                  .identity_count = 1,
                                                  .clients = WEFT_TLS_CLIENTS_REQUIRED,
                                                  .ca = weft_bytes_from(above->chain),
                                                  .tickets = tickets});
}

/* An authority that has taken another's name, or its own with another key, has not let in whom the other has. */
static void tl_04_a_session_is_not_resumed_under_another_authority_of_that_name(void **state)
{
    weft_tls_client *client = client_with(&client_good);
    weft_tls_server *before, *after;
    weft_tls_tickets *tickets;
    struct credentials twin;

    (void)state;
    credentials_make(&twin, NULL, &(struct credentials_kind){.authority = true, .subject = "Good Authority"});
    assert_int_equal(weft_tls_tickets_new(NULL, 0, 0, &tickets), 0);
    before = demanding_server(&authority, tickets);
    after = demanding_server(&twin, tickets);
    open_world(support_engine(), before);
    assert_int_equal(talk(client)->reason, WEFT_ECLOSED);
    assert_true(talk(client)->info.resumed);
    assert_int_equal(weft_listener_set_tls(world.listener, after), 0);
    assert_int_equal(talk(client)->reason, WEFT_ETLSALERT);
    assert_int_equal(world.accepted, 2);
    weft_tls_server_unref(before);
    weft_tls_server_unref(after);
    weft_tls_tickets_unref(tickets);
    weft_tls_client_unref(client);
    tls_close(&world);
    credentials_free(&twin);
}

/* -- certificates that run out -- */

/* @p text is a certificate's time that is @p later than now. */
static void write_time(weft_time later, char text[32])
{
    time_t seconds = (time_t)((weft_loop_wall(world.loop) + later) / WEFT_SECONDS(1));
    struct tm parts;

    assert_non_null(gmtime_r(&seconds, &parts));
    assert_true(strftime(text, 32, "%Y%m%d%H%M%SZ", &parts) > 0);
}

static void let_pass(weft_time time)
{
    weft_timer_start(&world.timer, time);
    assert_int_equal(weft_loop_run(world.loop), 0);
}

/* Makes @p ret, which runs out in ten minutes of the world's time. */
static void make_brief(struct credentials *ret, const char *usage)
{
    char to[32];

    write_time(WEFT_MINUTES(10), to);
    credentials_make(ret, &authority, &(struct credentials_kind){.usage = usage, .to = to});
}

static void a_session_ends_with_the_servers_certificate(void **state)
{
    weft_tls_client *client = simple_client();
    struct credentials brief;
    weft_tls_server *server;

    (void)state;
    tls_open_on(&world, "sim:7");
    make_brief(&brief, NULL);
    tls_close(&world);
    server = simple_server(&brief);
    open_world("sim:7", server);
    assert_int_equal(talk(client)->reason, WEFT_ECLOSED);
    let_pass(WEFT_MINUTES(5));
    assert_true(talk(client)->info.resumed);
    let_pass(WEFT_MINUTES(5));
    assert_int_equal(talk(client)->reason, WEFT_ETLSEXPIRED);
    weft_tls_server_unref(server);
    weft_tls_client_unref(client);
    tls_close(&world);
    credentials_free(&brief);
}

static void a_session_ends_with_the_clients_certificate(void **state)
{
    weft_tls_server *server = demanding_server(&authority, NULL);
    struct credentials brief;
    weft_tls_client *client;

    (void)state;
    open_world("sim:7", server);
    make_brief(&brief, "clientAuth");
    client = client_with(&brief);
    assert_int_equal(talk(client)->reason, WEFT_ECLOSED);
    let_pass(WEFT_MINUTES(5));
    assert_true(talk(client)->info.resumed);
    let_pass(WEFT_MINUTES(5));
    assert_int_equal(talk(client)->reason, WEFT_ETLSALERT);
    assert_int_equal(world.accepted, 2);
    weft_tls_server_unref(server);
    weft_tls_client_unref(client);
    tls_close(&world);
    credentials_free(&brief);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        support_test(keys_may_change_as_rarely_as_one_likes),
        support_test(tl_04_a_session_is_not_resumed_under_another_authority_of_that_name),
        support_test(a_session_ends_with_the_servers_certificate),
        support_test(a_session_ends_with_the_clients_certificate),
    };

    return cmocka_run_group_tests(tests, tls_make_credentials, tls_free_credentials);
}
