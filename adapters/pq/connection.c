/* SPDX-License-Identifier: MIT */
/*
 * libpq on a loop. It closes its socket without a word, when a connection fails and when it tries the next address: so
 * what is watched is a copy of it. To fire the one deferred that waits is always the last thing done, since whoever is
 * told may close.
 */
#include <weft/adapters/pq.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <weft/job.h>
#include <weft/memory.h>
#include <weft/watch.h>

struct weft_pq {
    weft_watch watch;
    PGconn *connection; /* NULL: it was closed */
    int fd;             /* a copy of its socket, or -1 */
    weft_scope *scope;
    weft_deferred *waits; /* for the connection, then for results; NULL: none does */
    bool connected;
    weft_job job;     /* has the server asked to stop */
    PGcancel *cancel; /* while it runs */
};

static void ready(weft_watch *watch, unsigned what);

static void unwatch(weft_pq *pq)
{
    weft_watch_stop(&pq->watch);
    if (pq->fd >= 0)
        close(pq->fd);
    pq->fd = -1;
}

static int watch_socket(weft_pq *pq, unsigned interest)
{
    unwatch(pq);
    pq->fd = fcntl(PQsocket(pq->connection), F_DUPFD_CLOEXEC, 0);
    return pq->fd < 0 ? -errno : weft_watch_start(&pq->watch, pq->scope, pq->fd, interest, ready);
}

static weft_deferred *take(weft_pq *pq)
{
    weft_deferred *deferred = pq->waits;

    pq->waits = NULL;
    weft_watch_change(&pq->watch, 0);
    return deferred;
}

static void fail(weft_pq *pq, int error)
{
    const char *words = PQerrorMessage(pq->connection);
    weft_failure *failure = weft_failure_new(error, NULL, "PostgreSQL: %.*s", (int)strcspn(words, "\n"), words);
    weft_deferred *deferred = take(pq);

    if (!pq->connected)
        weft_pq_close(pq);
    (void)weft_deferred_fail_with(deferred, failure);
    weft_deferred_unref(deferred);
}

static void fire(weft_pq *pq, const void *value)
{
    weft_deferred *deferred = take(pq);

    (void)weft_deferred_fire(deferred, value);
    weft_deferred_unref(deferred);
}

/* What has come is taken, what is to be sent goes out, and the result is told if it is whole. */
static void go_on(weft_pq *pq, bool readable)
{
    bool lost = readable && !PQconsumeInput(pq->connection), unsent = !lost && PQflush(pq->connection) == 1;
    PGresult *result;

    if (lost || PQstatus(pq->connection) == CONNECTION_BAD) {
        fail(pq, WEFT_ETRUNCATED);
    } else if (pq->cancel) {
        weft_watch_change(&pq->watch, 0); /* until stop_done */
    } else if (PQisBusy(pq->connection)) {
        weft_watch_change(&pq->watch, WEFT_READABLE | (unsent ? WEFT_WRITABLE : 0U));
    } else {
        result = PQgetResult(pq->connection);
        fire(pq, &result);
    }
}

static void connect_on(weft_pq *pq)
{
    PostgresPollingStatusType wanted = PQconnectPoll(pq->connection);
    int status = -ECONNREFUSED;

    if (wanted != PGRES_POLLING_FAILED)
        status = watch_socket(pq, wanted == PGRES_POLLING_READING   ? WEFT_READABLE
                                  : wanted == PGRES_POLLING_WRITING ? WEFT_WRITABLE
                                                                    : 0U);
    if (status < 0) {
        fail(pq, status);
    } else if (wanted == PGRES_POLLING_OK) {
        pq->connected = PQsetnonblocking(pq->connection, 1) == 0;
        fire(pq, &pq);
    }
}

static void ready(weft_watch *watch, unsigned what)
{
    weft_pq *pq = weft_container_of(watch, weft_pq, watch);

    if (pq->connected)
        go_on(pq, what & WEFT_READABLE);
    else
        connect_on(pq);
}

/* -- cancelling -- */

static void stop_work(weft_job *job)
{
    char why[256];

    (void)PQcancel(weft_container_of(job, weft_pq, job)->cancel, why, sizeof why);
}

static void stop_done(weft_job *job, int status)
{
    weft_pq *pq = weft_container_of(job, weft_pq, job);

    (void)status;
    PQfreeCancel(pq->cancel);
    pq->cancel = NULL;
    if (!pq->connection)
        weft_release(pq);
    else if (pq->waits)
        go_on(pq, false);
}

/* The scope may be ending, so the job is not in it. If there can be none the command runs to its end. */
static void stop_server(weft_pq *pq)
{
    weft_scope *root = weft_loop_scope(weft_scope_loop(pq->scope));

    pq->cancel = PQgetCancel(pq->connection);
    if (!pq->cancel || weft_job_start(&pq->job, root, stop_work, stop_done) == 0)
        return;
    PQfreeCancel(pq->cancel);
    pq->cancel = NULL;
}

static void cancelled(weft_deferred *deferred, int reason, void *arg)
{
    weft_pq *pq = arg;

    (void)reason;
    if (deferred != pq->waits)
        return;
    weft_deferred_unref(take(pq));
    if (!pq->connected)
        weft_pq_close(pq);
    else if (!pq->cancel && PQtransactionStatus(pq->connection) == PQTRANS_ACTIVE)
        stop_server(pq);
}

/* -- what users call -- */

weft_pq_connected weft_pq_connect(weft_scope *scope, const char *conninfo)
{
    weft_pq *pq = weft_allocate_zeroed(1, sizeof *pq);
    weft_pq_connected connected = {NULL};
    int status;

    if (pq)
        connected = weft_deferred_new_with(weft_pq_connected, scope, 0, cancelled, pq);
    if (!connected.deferred || weft_deferred_fired(connected.deferred)) {
        weft_release(pq);
        return connected;
    }
    *pq = (weft_pq){.connection = PQconnectStart(conninfo), .fd = -1, .scope = scope};
    pq->waits = weft_deferred_ref(connected.deferred);
    status = PQstatus(pq->connection) == CONNECTION_BAD ? -ECONNREFUSED : watch_socket(pq, WEFT_WRITABLE);
    if (status < 0)
        fail(pq, pq->connection ? status : WEFT_ENOMEM);
    return connected;
}

void weft_pq_close(weft_pq *pq)
{
    if (!pq)
        return;
    if (pq->waits)
        weft_cancel(pq->waits);
    unwatch(pq);
    PQfinish(pq->connection);
    pq->connection = NULL;
    if (!pq->cancel)
        weft_release(pq);
}

PGconn *weft_pq_connection(weft_pq *pq)
{
    return pq->connection;
}

weft_pq_result weft_pq_next(weft_pq *pq)
{
    weft_pq_result result = weft_deferred_new_with(weft_pq_result, pq->scope, 0, cancelled, pq);

    if (!result.deferred || weft_deferred_fired(result.deferred))
        return result;
    if (pq->waits || PQstatus(pq->connection) == CONNECTION_BAD) {
        (void)weft_deferred_fail(result.deferred, pq->waits ? -EBUSY : -ENOTCONN);
        return result;
    }
    pq->waits = weft_deferred_ref(result.deferred);
    go_on(pq, false);
    return result;
}
