/* SPDX-License-Identifier: MIT */
/* Stapled OCSP responses: whose are believed, for how long, and where none is asked for again. */
#include "net/tls/tls_test.h"

#include <openssl/ocsp.h>
#include <stdlib.h>

#define SINCE "20200101000000Z"
#define UNTIL "20990101000000Z"

static struct world world;
static struct credentials leaf;

/* A server that shows `leaf` with @p staple, which it frees. */
static weft_tls_server *serve_with(weft_bytes staple)
{
    weft_tls_identity identity = credentials_identity(&leaf);
    weft_tls_server *server;

    identity.staple = staple;
    server = make_server(&(weft_tls_server_options){
        .size = sizeof(weft_tls_server_options), .identities = &identity, .identity_count = 1});
    free((void *)(uintptr_t)staple.data);
    world.template = (struct end){.says = "good morning"};
    tls_listen(&world, server);
    return server;
}

static bool client_has_some(struct world *w)
{
    return w->client[w->made - 1].bytes_in > 0 || w->client[w->made - 1].lost;
}

/* What a client of @p trusted hears of a server that shows `leaf` with @p staple: WEFT_ECLOSED if all is well. */
static int reason_for(weft_bytes staple, const struct credentials *trusted, weft_tls_staple demand)
{
    weft_tls_client *client = make_client(&(weft_tls_client_options){
        .size = sizeof(weft_tls_client_options), .ca = weft_bytes_from(trusted->chain), .staple = demand});
    weft_tls_server *server;
    struct end *end;
    int reason;

    tls_open(&world);
    server = serve_with(staple);
    end = tls_connect(&world, client, "localhost");
    assert_true(tls_until(&world, client_has_some));
    weft_stream_close(end->stream);
    assert_true(tls_until(&world, all_lost));
    reason = end->reason;
    weft_tls_server_unref(server);
    weft_tls_client_unref(client);
    tls_close(&world);
    return reason;
}

static weft_bytes good_staple_by(const struct credentials *signer, const struct credentials *issuer)
{
    return credentials_staple_by(signer, &leaf, issuer, V_OCSP_CERTSTATUS_GOOD, SINCE, UNTIL);
}

static void only_the_issuer_or_its_delegate_may_sign(void **state)
{
    struct credentials delegate, sibling;

    (void)state;
    credentials_make(&leaf, &authority, &(struct credentials_kind){0});
    credentials_make(&delegate, &authority, &(struct credentials_kind){.names = "", .usage = "OCSPSigning"});
    credentials_make(&sibling, &authority, &(struct credentials_kind){.names = "DNS:other.example"});
    assert_int_equal(reason_for(good_staple_by(&authority, &authority), &authority, WEFT_TLS_STAPLE_REQUIRED),
                     WEFT_ECLOSED);
    assert_int_equal(reason_for(good_staple_by(&delegate, &authority), &authority, WEFT_TLS_STAPLE_REQUIRED),
                     WEFT_ECLOSED);
    assert_int_equal(reason_for(good_staple_by(&leaf, &authority), &authority, WEFT_TLS_STAPLE_IF_GIVEN),
                     WEFT_ETLSSTAPLE);
    assert_int_equal(reason_for(good_staple_by(&sibling, &authority), &authority, WEFT_TLS_STAPLE_IF_GIVEN),
                     WEFT_ETLSSTAPLE);
    assert_int_equal(reason_for(good_staple_by(&other_authority, &authority), &authority, WEFT_TLS_STAPLE_IF_GIVEN),
                     WEFT_ETLSSTAPLE);
    credentials_free(&leaf);
    credentials_free(&delegate);
    credentials_free(&sibling);
}

/* One above the issuer has not issued the certificate. */
static void the_issuer_of_the_issuer_may_not_sign(void **state)
{
    (void)state;
    credentials_make(&leaf, &intermediate, &(struct credentials_kind){0});
    credentials_append(&leaf, &intermediate);
    assert_int_equal(reason_for(good_staple_by(&intermediate, &intermediate), &authority, WEFT_TLS_STAPLE_REQUIRED),
                     WEFT_ECLOSED);
    assert_int_equal(reason_for(good_staple_by(&authority, &intermediate), &authority, WEFT_TLS_STAPLE_IF_GIVEN),
                     WEFT_ETLSSTAPLE);
    credentials_free(&leaf);
}

static void one_that_never_ends_is_refused(void **state)
{
    static const char *const ends[] = {NULL, "20990101000000.5Z", "whenever"};

    (void)state;
    credentials_make(&leaf, &authority, &(struct credentials_kind){0});
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        assert_int_equal(reason_for(credentials_staple(&leaf, &authority, V_OCSP_CERTSTATUS_GOOD, SINCE, ends[i]),
                                    &authority, WEFT_TLS_STAPLE_IF_GIVEN),
                         WEFT_ETLSSTAPLE);
    credentials_free(&leaf);
}

/* Nobody stands above a certificate that is trusted itself, so nobody can say that it is revoked. */
static void without_an_issuer_it_counts_only_where_it_is_demanded(void **state)
{
    struct credentials alone;

    (void)state;
    credentials_make(&leaf, &authority, &(struct credentials_kind){0});
    assert_int_equal(reason_for(good_staple_by(&authority, &authority), &leaf, WEFT_TLS_STAPLE_IF_GIVEN), WEFT_ECLOSED);
    assert_int_equal(reason_for(good_staple_by(&authority, &authority), &leaf, WEFT_TLS_STAPLE_REQUIRED),
                     WEFT_ETLSSTAPLE);
    alone = leaf;
    credentials_make(&leaf, NULL, &(struct credentials_kind){.status = "status_request"});
    assert_int_equal(reason_for(good_staple_by(&leaf, &leaf), &leaf, WEFT_TLS_STAPLE_IF_GIVEN), WEFT_ETLSSTAPLE);
    credentials_free(&leaf);
    credentials_free(&alone);
}

static struct end *talk(weft_tls_client *client)
{
    struct end *end = tls_connect(&world, client, "localhost");

    assert_true(tls_until(&world, client_has_some)); /* and the ticket came before it */
    weft_stream_close(end->stream);
    assert_true(tls_until(&world, all_lost));
    return end;
}

/* It was judged when the session began (RFC 8446 §4.4.2.1: it comes with the certificate, and there is none now). */
static void a_session_is_resumed_though_a_staple_is_demanded(void **state)
{
    weft_tls_client *client = make_client(&(weft_tls_client_options){.size = sizeof(weft_tls_client_options),
                                                                     .ca = weft_bytes_from(authority.chain),
                                                                     .staple = WEFT_TLS_STAPLE_REQUIRED});
    weft_tls_server *server;

    (void)state;
    credentials_make(&leaf, &authority, &(struct credentials_kind){.status = "status_request"});
    tls_open(&world);
    server = serve_with(good_staple_by(&authority, &authority));
    assert_int_equal(talk(client)->reason, WEFT_ECLOSED);
    assert_int_equal(talk(client)->reason, WEFT_ECLOSED);
    assert_true(world.client[1].info.resumed);
    weft_tls_server_unref(server);
    weft_tls_client_unref(client);
    tls_close(&world);
    credentials_free(&leaf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        support_test(only_the_issuer_or_its_delegate_may_sign),
        support_test(the_issuer_of_the_issuer_may_not_sign),
        support_test(one_that_never_ends_is_refused),
        support_test(without_an_issuer_it_counts_only_where_it_is_demanded),
        support_test(a_session_is_resumed_though_a_staple_is_demanded),
    };

    return cmocka_run_group_tests(tests, tls_make_credentials, tls_free_credentials);
}
