/* SPDX-License-Identifier: MIT */
/* libpq on a loop, against a server that the first argument is the conninfo of. */
#include <weft/adapters/pq.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "adapters/host_test.h"

static const char *server;

/* -- waiting, by turns of the loop -- */

static weft_pq *connected(weft_loop *loop, weft_scope *scope)
{
    weft_pq_connected result = weft_pq_connect(scope, server);
    weft_pq *pq = NULL;

    run(loop); /* returns when nothing is awaited any more */
    assert_int_equal(weft_peek(result, &pq), 0);
    return pq;
}

static int keep(int error, PGresult **result, void *loop)
{
    (void)result;
    weft_loop_stop(loop);
    return error;
}

/* Others may wait meanwhile. */
static PGresult *next(weft_loop *loop, weft_pq *pq)
{
    weft_pq_result result = weft_pq_next(pq);
    PGresult *value = NULL;

    weft_deferred_ref(result.deferred);
    assert_int_equal(weft_finally(result, keep, loop), 0);
    run(loop);
    assert_int_equal(weft_peek(result, &value), 0);
    weft_deferred_unref(result.deferred);
    return value;
}

static void send_text(weft_pq *pq, const char *command, const char *value)
{
    assert_int_equal(PQsendQueryParams(weft_pq_connection(pq), command, value ? 1 : 0, NULL, &value, NULL, NULL, 0), 1);
}

/* The one value of the one row that @p command brings. */
static void expect(weft_loop *loop, weft_pq *pq, const char *command, const char *value, const char *expected)
{
    PGresult *result;

    send_text(pq, command, value);
    result = next(loop, pq);
    assert_int_equal(PQresultStatus(result), PGRES_TUPLES_OK);
    assert_int_equal(PQntuples(result), 1);
    assert_string_equal(PQgetvalue(result, 0, 0), expected);
    PQclear(result);
    assert_null(next(loop, pq));
}

/* -- answers -- */

static void a_command_is_answered(void **state)
{
    weft_loop *loop = loop_on(support_engine());
    weft_pq *pq = connected(loop, weft_loop_scope(loop));

    (void)state;
    expect(loop, pq, "select $1::int + 1", "41", "42");
    expect(loop, pq, "select 'and again'", NULL, "and again");
    weft_pq_close(pq);
    weft_loop_free(loop);
}

static void what_is_large_comes_and_goes_whole(void **state)
{
    weft_loop *loop = loop_on(support_engine());
    weft_pq *pq = connected(loop, weft_loop_scope(loop));
    size_t size = 20000000;
    char *large = malloc(size + 1);
    PGresult *result;

    (void)state;
    if (!large)
        abort();
    memset(large, 'x', size);
    large[size] = 0;
    expect(loop, pq, "select length($1)", large, "20000000");
    free(large);
    send_text(pq, "select n from generate_series(1, 300000) n", NULL);
    result = next(loop, pq);
    assert_int_equal(PQntuples(result), 300000);
    assert_string_equal(PQgetvalue(result, 299999, 0), "300000");
    PQclear(result);
    assert_null(next(loop, pq));
    weft_pq_close(pq);
    weft_loop_free(loop);
}

static void several_commands_and_single_rows_come_one_by_one(void **state)
{
    weft_loop *loop = loop_on(support_engine());
    weft_pq *pq = connected(loop, weft_loop_scope(loop));
    PGresult *result;
    unsigned rows = 0;

    (void)state;
    assert_int_equal(PQsendQuery(weft_pq_connection(pq), "select 1; select 2, 3"), 1);
    for (int columns = 1; columns <= 2; columns++) {
        result = next(loop, pq);
        assert_int_equal(PQnfields(result), columns);
        PQclear(result);
    }
    assert_null(next(loop, pq));
    assert_int_equal(PQsendQuery(weft_pq_connection(pq), "select n from generate_series(1, 100) n"), 1);
    assert_int_equal(PQsetSingleRowMode(weft_pq_connection(pq)), 1);
    while ((result = next(loop, pq))) {
        rows += PQresultStatus(result) == PGRES_SINGLE_TUPLE;
        PQclear(result);
    }
    assert_int_equal(rows, 100);
    weft_pq_close(pq);
    weft_loop_free(loop);
}

static void an_error_of_sql_is_a_result(void **state)
{
    weft_loop *loop = loop_on(support_engine());
    weft_pq *pq = connected(loop, weft_loop_scope(loop));
    PGresult *result;

    (void)state;
    send_text(pq, "select 1 / 0", NULL);
    result = next(loop, pq);
    assert_int_equal(PQresultStatus(result), PGRES_FATAL_ERROR);
    assert_string_equal(PQresultErrorField(result, PG_DIAG_SQLSTATE), "22012");
    PQclear(result);
    assert_null(next(loop, pq));
    expect(loop, pq, "select 'it goes on'", NULL, "it goes on");
    weft_pq_close(pq);
    weft_loop_free(loop);
}

/* All but the first wait for what only the first can give them. */
static void connections_wait_at_the_same_time(void **state)
{
    weft_loop *loop = loop_on(support_engine());
    weft_pq *pqs[8];
    weft_pq_result results[8];

    (void)state;
    for (size_t i = 0; i < 8; i++)
        pqs[i] = connected(loop, weft_loop_scope(loop));
    expect(loop, pqs[0], "select pg_advisory_lock(7)", NULL, "");
    for (size_t i = 1; i < 8; i++)
        send_text(pqs[i], "select pg_advisory_lock(7), pg_advisory_unlock(7)", NULL);
    for (size_t i = 1; i < 8; i++)
        results[i] = weft_pq_next(pqs[i]);
    send_text(pqs[0], "select pg_advisory_unlock(7)", NULL);
    results[0] = weft_pq_next(pqs[0]);
    run(loop);
    for (size_t i = 0; i < 8; i++) {
        PGresult *result;

        assert_int_equal(weft_peek(results[i], &result), 0);
        assert_int_equal(PQntuples(result), 1);
        PQclear(result);
        weft_pq_close(pqs[i]);
    }
    weft_loop_free(loop);
}

static void only_one_waits_for_a_result(void **state)
{
    weft_loop *loop = loop_on(support_engine());
    weft_pq *pq = connected(loop, weft_loop_scope(loop));
    weft_pq_result first, second;
    PGresult *result;

    (void)state;
    send_text(pq, "select 1", NULL);
    first = weft_pq_next(pq);
    second = weft_pq_next(pq);
    assert_int_equal(weft_peek(second, &result), -EBUSY);
    run(loop);
    assert_int_equal(weft_peek(first, &result), 0);
    PQclear(result);
    weft_pq_close(pq);
    weft_loop_free(loop);
}

/* -- cancelling -- */

/* The server would sleep for an hour. */
static void a_cancelled_command_is_stopped_and_the_connection_goes_on(void **state)
{
    weft_loop *loop = loop_on(support_engine());
    weft_pq *pq = connected(loop, weft_loop_scope(loop));
    weft_pq_result sleeps;
    PGresult *result;

    (void)state;
    send_text(pq, "select pg_sleep(3600)", NULL);
    sleeps = weft_pq_next(pq);
    assert_int_equal(weft_timeout(sleeps.deferred, 50 * MS), 0);
    run(loop);
    assert_int_equal(weft_peek(sleeps, &result), WEFT_ETIMEDOUT);
    result = next(loop, pq);
    assert_int_equal(PQresultStatus(result), PGRES_FATAL_ERROR);
    assert_string_equal(PQresultErrorField(result, PG_DIAG_SQLSTATE), "57014"); /* query_canceled */
    PQclear(result);
    assert_null(next(loop, pq));
    expect(loop, pq, "select 'it goes on'", NULL, "it goes on");
    weft_pq_close(pq);
    weft_loop_free(loop);
}

/* The first command has ended when its result is given up: whoever asked the server to stop by then stops nothing else. */
static void what_comes_after_a_cancelled_one_is_not_stopped(void **state)
{
    weft_loop *loop = loop_on(support_engine());
    weft_pq *pq = connected(loop, weft_loop_scope(loop));

    (void)state;
    for (int i = 0; i < 20; i++) {
        weft_pq_result given_up;
        PGresult *result;

        send_text(pq, "select 1", NULL);
        given_up = weft_pq_next(pq);
        weft_cancel(given_up.deferred);
        assert_int_equal(weft_peek(given_up, &result), WEFT_ECANCELED);
        while ((result = next(loop, pq)))
            PQclear(result);
        expect(loop, pq, "select 'not stopped' from pg_sleep(0.002)", NULL, "not stopped");
    }
    weft_pq_close(pq);
    weft_loop_free(loop);
}

/* How many sleep in the server, other than those who ask. */
static int sleepers(weft_loop *loop, weft_pq *pq)
{
    PGresult *result;
    int count;

    send_text(pq,
              "select count(*) from pg_stat_activity where state = 'active' and query like 'select pg_sleep(3601)%'",
              NULL);
    result = next(loop, pq);
    count = atoi(PQgetvalue(result, 0, 0));
    PQclear(result);
    assert_null(next(loop, pq));
    return count;
}

static void the_end_of_the_scope_stops_the_server(void **state)
{
    weft_loop *loop = loop_on(support_engine());
    weft_scope *scope = weft_scope_open(weft_loop_scope(loop), WEFT_NEVER);
    weft_pq *pq = connected(loop, scope), *other = connected(loop, weft_loop_scope(loop));
    weft_pq_result sleeps;
    PGresult *result;

    (void)state;
    send_text(pq, "select pg_sleep(3601)", NULL);
    sleeps = weft_pq_next(pq);
    while (sleepers(loop, other) == 0)
        ;
    weft_scope_cancel(scope, WEFT_ECANCELED);
    run(loop);
    assert_int_equal(weft_peek(sleeps, &result), WEFT_ECANCELED);
    assert_int_equal(weft_peek(weft_pq_next(pq), &result), WEFT_ECANCELED);
    weft_pq_close(pq);
    while (sleepers(loop, other) > 0)
        ;
    weft_pq_close(other);
    weft_scope_close(scope);
    weft_loop_free(loop);
}

static int close_it(int error, PGresult **result, void *arg)
{
    PQclear(error == 0 ? *result : NULL);
    weft_pq_close(arg);
    fired++;
    return 0;
}

static void it_may_be_closed_by_whoever_is_told(void **state)
{
    weft_loop *loop = loop_on(support_engine());
    weft_pq *pq;

    (void)state;
    fired = 0;
    pq = connected(loop, weft_loop_scope(loop));
    send_text(pq, "select 1", NULL);
    assert_int_equal(weft_finally(weft_pq_next(pq), close_it, pq), 0);
    run(loop);
    assert_int_equal(fired, 1);
    weft_loop_free(loop);
}

static void closing_gives_up_what_is_awaited(void **state)
{
    weft_loop *loop = loop_on(support_engine());
    weft_pq_connected connecting = weft_pq_connect(weft_loop_scope(loop), server);
    weft_pq *pq;
    weft_pq_result sleeps;
    PGresult *result;

    (void)state;
    weft_cancel(connecting.deferred);
    assert_int_equal(weft_peek(connecting, &pq), WEFT_ECANCELED);
    pq = connected(loop, weft_loop_scope(loop));
    send_text(pq, "select pg_sleep(3600)", NULL);
    sleeps = weft_pq_next(pq);
    weft_pq_close(pq);
    assert_int_equal(weft_peek(sleeps, &result), WEFT_ECANCELED);
    run(loop);
    weft_loop_free(loop);
}

/* -- failures -- */

static void expect_story(weft_deferred *deferred, const char *words)
{
    const weft_failure *failure = weft_deferred_failure(deferred);

    assert_non_null(failure);
    if (!strstr(weft_failure_text(failure), words))
        fail_msg("the story is: %s", weft_failure_text(failure));
}

static void a_server_that_is_not_there_is_named(void **state)
{
    weft_loop *loop = loop_on(support_engine());
    weft_pq_connected connecting = weft_pq_connect(weft_loop_scope(loop), "host=/nonexistent dbname=postgres");
    weft_pq *pq;

    (void)state;
    run(loop);
    assert_int_equal(weft_peek(connecting, &pq), -ECONNREFUSED);
    expect_story(connecting.deferred, "/nonexistent");
    connecting = weft_pq_connect(weft_loop_scope(loop), "this is no conninfo");
    assert_int_equal(weft_peek(connecting, &pq), -ECONNREFUSED);
    expect_story(connecting.deferred, "missing \"=\"");
    weft_loop_free(loop);
}

/* What is awaited of @p pq, in the middle of a command, finds that the server is gone; so does whatever comes after. */
static void expect_gone(weft_loop *loop, weft_pq *pq, weft_pq_result awaited, const char *words)
{
    PGresult *result;

    run(loop);
    assert_int_equal(weft_peek(awaited, &result), WEFT_ETRUNCATED);
    expect_story(awaited.deferred, words);
    assert_int_equal(weft_peek(weft_pq_next(pq), &result), -ENOTCONN);
    weft_pq_close(pq);
}

static void a_server_that_ends_the_connection_says_why(void **state)
{
    weft_loop *loop = loop_on(support_engine());
    weft_pq *pq = connected(loop, weft_loop_scope(loop)), *other = connected(loop, weft_loop_scope(loop));
    weft_pq_result sleeps;
    PGresult *result;
    char pid[20];

    (void)state;
    snprintf(pid, sizeof pid, "%d", PQbackendPID(weft_pq_connection(pq)));
    send_text(pq, "select pg_sleep(3600)", NULL);
    sleeps = weft_pq_next(pq);
    expect(loop, other, "select pg_terminate_backend($1::int)", pid, "t");
    run(loop);
    assert_int_equal(weft_peek(sleeps, &result), 0); /* its last words are an error of SQL */
    assert_string_equal(PQresultErrorField(result, PG_DIAG_SQLSTATE), "57P01");
    PQclear(result);
    expect_gone(loop, pq, weft_pq_next(pq), "terminating connection due to administrator command");
    weft_pq_close(other);
    weft_loop_free(loop);
}

static void want_of_memory_is_an_error(void **state)
{
    weft_loop *loop = loop_on(support_engine());
    weft_pq_connected connecting;
    weft_pq_result result;
    weft_pq *pq = NULL;

    (void)state;
    for (size_t k = 1; k <= 3; k++) {
        support_fail_at(k, false);
        connecting = weft_pq_connect(weft_loop_scope(loop), server);
        support_fail_at(0, false);
        if (connecting.deferred)
            weft_cancel(connecting.deferred);
        assert_int_equal(weft_peek(connecting, &pq), k <= 2 || !pq ? WEFT_ENOMEM : WEFT_ECANCELED);
    }
    pq = connected(loop, weft_loop_scope(loop));
    support_fail_at(1, false);
    result = weft_pq_next(pq);
    support_fail_at(0, false);
    assert_null(result.deferred);
    expect(loop, pq, "select 'it goes on'", NULL, "it goes on");
    weft_pq_close(pq);
    weft_loop_free(loop);
}

/* The server starts anew after this, so it is the last one. */
static void a_server_that_dies_is_an_error(void **state)
{
    weft_loop *loop = loop_on(support_engine());
    weft_pq *pq = connected(loop, weft_loop_scope(loop));
    weft_pq_result sleeps;

    (void)state;
    send_text(pq, "select pg_sleep(3600)", NULL);
    sleeps = weft_pq_next(pq);
    assert_int_equal(kill(PQbackendPID(weft_pq_connection(pq)), SIGKILL), 0);
    expect_gone(loop, pq, sleeps, "server closed the connection unexpectedly");
    weft_loop_free(loop);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        support_test(a_command_is_answered),
        support_test(what_is_large_comes_and_goes_whole),
        support_test(several_commands_and_single_rows_come_one_by_one),
        support_test(an_error_of_sql_is_a_result),
        support_test(connections_wait_at_the_same_time),
        support_test(only_one_waits_for_a_result),
        support_test(a_cancelled_command_is_stopped_and_the_connection_goes_on),
        support_test(what_comes_after_a_cancelled_one_is_not_stopped),
        support_test(the_end_of_the_scope_stops_the_server),
        support_test(it_may_be_closed_by_whoever_is_told),
        support_test(closing_gives_up_what_is_awaited),
        support_test(a_server_that_is_not_there_is_named),
        support_test(a_server_that_ends_the_connection_says_why),
        support_test(want_of_memory_is_an_error),
        support_test(a_server_that_dies_is_an_error),
    };

    if (argc != 2)
        return 2;
    server = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
