/* SPDX-License-Identifier: MIT */
/*
 * `weft web`: N workers, each a thread with a loop, a server and its own
 * listening sockets (SO_REUSEPORT). Everything is opened in the main thread,
 * so that an error is told before anything runs; the first worker runs in it
 * and hears the signals.
 */
#include "web.h"

#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <weft/connection_limit.h>
#include <weft/http_files.h>
#include <weft/memory.h>
#include <weft/signal.h>
#include <weft/worker.h>

#include "access_log.h"

struct web;

/* For an endpoint with its options. */
#define URL_ROOM 1024

struct web_worker {
    struct web *web;
    weft_loop *loop;
    weft_worker *thread;
    weft_http_files *files;
    weft_http_server *server;
    struct access_log log;
    weft_post stop;
    weft_listener *listeners[OPTION_REPEATS];
    size_t listening; /* listeners that have not stopped */
    size_t drained, aborted;
};

struct web {
    const struct web_options *options;
    weft_directory *directory;
    weft_connection_limit *limit; /* of all workers and addresses together */
    struct web_worker *workers;
    size_t count;
    weft_signal terminate, interrupt;
    unsigned stops;
    char urls[OPTION_REPEATS][URL_ROOM]; /* with the real ports */
};

/* -- stopping -- */

static void stopped(void *arg, size_t drained, size_t aborted)
{
    struct web_worker *worker = arg;

    worker->drained += drained;
    worker->aborted += aborted;
    if (--worker->listening > 0 || worker != &worker->web->workers[0])
        return;
    weft_signal_stop(&worker->web->terminate);
    weft_signal_stop(&worker->web->interrupt);
}

static void stop_worker(weft_post *post)
{
    struct web_worker *worker = weft_container_of(post, struct web_worker, stop);
    const struct web *web = worker->web;

    for (size_t i = 0; i < OPTION_REPEATS; i++)
        if (worker->listeners[i])
            weft_listener_stop(worker->listeners[i], web->options->grace);
    access_log_stop(&worker->log, web->options->grace);
}

/* The first signal lets what runs finish; the second ends the program as signals commonly do. */
static void stop_serving(struct web *web, int number)
{
    if (web->stops++ > 0) {
        fprintf(stderr, "stopped at once, connections were cut off\n");
        _exit(128 + number);
    }
    if (!web->options->quiet)
        fprintf(stderr, "stopping: waiting for open requests (once more to stop at once)\n");
    for (size_t i = 0; i < web->count; i++)
        weft_loop_post(web->workers[i].loop, &web->workers[i].stop);
}

static void terminated(weft_signal *signal)
{
    stop_serving(weft_container_of(signal, struct web, terminate), SIGTERM);
}

static void interrupted(weft_signal *signal)
{
    stop_serving(weft_container_of(signal, struct web, interrupt), SIGINT);
}

/* -- starting -- */

static void record(void *arg, const weft_http_record *about)
{
    access_log_add(&((struct web_worker *)arg)->log, about);
}

static int make_handler(struct web_worker *worker)
{
    const struct web_options *options = worker->web->options;
    weft_http_files_options files = {
        .size = sizeof files,
        .index = options->index.items,
        .index_count = options->index.count,
        .no_listing = !options->listing,
        .hidden = options->hidden,
        .no_precompressed = !options->precompressed,
        .record = options->log == WEB_LOG_NONE ? NULL : record,
        .record_arg = worker,
    };
    weft_http_server_options server = {
        .size = sizeof server,
        .body = options->max_body,
        .head_time = options->header_timeout,
        .body_time = options->body_timeout,
        .idle_time = options->idle_timeout,
        .request_rate = options->min_rate,
        .response_rate = options->min_rate,
    };
    int status = weft_http_files_new(worker->web->directory, &files, &worker->files);

    if (status == 0)
        status = weft_http_server_new(worker->loop, weft_http_files_handler(worker->files), &server, &worker->server);
    return status;
}

/* Only TCP sockets can be opened once for each worker; anything else is the first worker's. */
static bool is_shared(const char *url)
{
    return strncasecmp(url, "tcp://", 6) == 0;
}

static int listen_at(struct web_worker *worker, size_t index)
{
    const struct web *web = worker->web;
    weft_listen_options options = {
        .size = sizeof options,
        .backlog = (int)web->options->backlog,
        .reuse_port = web->count > 1 && is_shared(web->urls[index]),
        .claim_port = worker == &web->workers[0] && is_shared(web->urls[index]),
        .max_connections = WEFT_UNLIMITED, /* the limit that all share counts them */
        .limit = web->limit,
        .stream = {.size = sizeof options.stream,
                   .idle = WEFT_NEVER, /* the server has its own deadlines */
                   .write_stall = web->options->write_timeout},
    };
    weft_url_error where;
    int status = weft_listen(weft_loop_scope(worker->loop), web->urls[index],
                             weft_http_server_factory(worker->server, stopped, worker), &options,
                             &worker->listeners[index], &where);

    if (status == WEFT_EURL || status == WEFT_ESCHEME)
        fprintf(stderr, "weft web: cannot listen: %s\n  %s\n  %*s^\n", where.text, web->urls[index], (int)where.offset,
                "");
    else if (status < 0)
        fprintf(stderr, "weft web: cannot listen on %s: %s\n", web->urls[index], weft_error_text(status));
    else
        worker->listening++;
    return status;
}

/* Writes the port that the system chose into the URL, so that the other workers listen at the same. */
static void fix_port(struct web *web, size_t index)
{
    char real[WEFT_LISTENER_URL], options[URL_ROOM], *url = web->urls[index];
    char *port = memrchr(url, ':', strcspn(url, "?"));
    const char *real_port;

    weft_listener_url(web->workers[0].listeners[index], NULL, real);
    real_port = strrchr(real, ':');
    if (!is_shared(url) || !port || !real_port)
        return;
    snprintf(options, sizeof options, "%s", url + strcspn(url, "?"));
    snprintf(port, (size_t)(url + URL_ROOM - port), "%s%s", real_port, options);
}

static int start_worker(struct web_worker *worker)
{
    struct web *web = worker->web;
    bool first = worker == &web->workers[0];
    int status = weft_loop_new(NULL, &worker->loop);

    if (status == 0)
        status = access_log_init(&worker->log, weft_loop_scope(worker->loop), web->options->log);
    if (status == 0)
        status = make_handler(worker);
    if (status < 0) {
        fprintf(stderr, "weft web: cannot start: %s\n", weft_error_text(status));
        return status;
    }
    worker->stop.run = stop_worker;
    for (size_t i = 0; i < web->options->listen.count; i++) {
        if (!first && !is_shared(web->urls[i]))
            continue;
        status = listen_at(worker, i);
        if (status < 0)
            return status == WEFT_EURL || status == WEFT_ESCHEME ? -EINVAL : status;
        if (first)
            fix_port(web, i);
    }
    return 0;
}

static int watch_signals(struct web *web)
{
    weft_scope *scope = weft_loop_scope(web->workers[0].loop);
    int status = weft_signal_start(&web->terminate, scope, SIGTERM, terminated);

    return status < 0 ? status : weft_signal_start(&web->interrupt, scope, SIGINT, interrupted);
}

static int start_threads(struct web *web)
{
    int status = 0;

    for (size_t i = 1; i < web->count && status == 0; i++)
        status = weft_worker_start(web->workers[i].loop, &web->workers[i].thread);
    if (status < 0) /* those that run are asked to stop before their loops are freed */
        for (size_t i = 1; i < web->count && web->workers[i].thread; i++) {
            weft_loop_post(web->workers[i].loop, &web->workers[i].stop);
            (void)weft_worker_join(web->workers[i].thread);
        }
    return status;
}

static void announce(const struct web *web)
{
    for (size_t i = 0; i < web->options->listen.count; i++) {
        char url[WEFT_LISTENER_URL];
        weft_listener_url(web->workers[0].listeners[i], "http", url);
        fprintf(stderr, "listening on %s\n", url);
    }
}

/* -- the whole -- */

/* What is printed would go to the peer. */
static bool log_would_be_an_answer(const struct web_options *options)
{
    for (size_t i = 0; i < options->listen.count; i++)
        if (options->log != WEB_LOG_NONE && (strncasecmp(options->listen.urls[i], "stdio:", 6) == 0 ||
                                             strcasecmp(options->listen.urls[i], "fd://1") == 0))
            return true;
    return false;
}

static int make_limit(struct web *web)
{
    weft_connection_limit_options options = {.size = sizeof options,
                                             .connections = web->options->max_connections,
                                             .per_address = web->options->max_per_address};

    return weft_connection_limit_new(&options, &web->limit);
}

static int open_all(struct web *web)
{
    const char *path = web->options->directory;
    int status = weft_directory_open(path, &web->directory);

    if (status < 0) {
        fprintf(stderr, "weft web: cannot serve %s: %s\n", path, weft_error_text(status));
        return status;
    }
    status = make_limit(web);
    if (status < 0)
        return status;
    web->workers = weft_allocate_zeroed(web->count, sizeof *web->workers);
    if (!web->workers)
        return WEFT_ENOMEM;
    for (size_t i = 0; i < web->options->listen.count; i++) {
        if (snprintf(web->urls[i], URL_ROOM, "%s", web->options->listen.urls[i]) >= URL_ROOM) {
            fprintf(stderr, "weft web: an endpoint has at most %d bytes\n", URL_ROOM - 1);
            return -EINVAL;
        }
    }
    for (size_t i = 0; i < web->count && status == 0; i++) {
        web->workers[i].web = web;
        status = start_worker(&web->workers[i]);
    }
    return status;
}

static int serve(struct web *web)
{
    int status = watch_signals(web), ended;

    if (status == 0)
        status = start_threads(web);
    if (status < 0) {
        fprintf(stderr, "weft web: cannot start: %s\n", weft_error_text(status));
        return status;
    }
    announce(web);
    status = weft_loop_run(web->workers[0].loop);
    for (size_t i = 1; i < web->count; i++) {
        ended = weft_worker_join(web->workers[i].thread);
        web->workers[i].thread = NULL;
        if (status == 0)
            status = ended;
    }
    if (status < 0)
        fprintf(stderr, "weft web: a loop failed: %s\n", weft_error_text(status));
    return status;
}

static void close_all(struct web *web, size_t *drained, size_t *aborted)
{
    for (size_t i = 0; web->workers && i < web->count; i++) {
        struct web_worker *worker = &web->workers[i];
        access_log_stop(&worker->log, 0); /* a loop that failed may have left it waiting for its reader */
        weft_loop_free(worker->loop);
        weft_http_server_free(worker->server);
        weft_http_files_free(worker->files);
        access_log_fini(&worker->log);
        *drained += worker->drained;
        *aborted += worker->aborted;
    }
    weft_release(web->workers);
    weft_connection_limit_unref(web->limit);
    weft_directory_unref(web->directory);
}

int web_run(const void *values)
{
    struct web web = {.options = values};
    size_t drained = 0, aborted = 0;
    int status;

    if (log_would_be_an_answer(web.options)) {
        fprintf(stderr, "weft web: the access log on standard output would go into the answers: add --log none\n");
        return EXIT_USAGE;
    }
    (void)weft_worker_raise_descriptors();
    /* One arena for each worker: else every thread of a job pool gets its own, and memory grows for hours. */
    web.count = web.options->workers ? web.options->workers : weft_worker_processors();
    (void)mallopt(M_ARENA_MAX, (int)web.count);
    status = open_all(&web);
    if (status == 0)
        status = serve(&web);
    close_all(&web, &drained, &aborted);
    if (status == 0 && !web.options->quiet)
        fprintf(stderr, "stopped: %zu connections drained, %zu cut off\n", drained, aborted);
    if (status == -EINVAL)
        return EXIT_USAGE;
    return status < 0 ? EXIT_FAILED : EXIT_DONE;
}
