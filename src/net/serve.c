/* SPDX-License-Identifier: MIT */
/* A small server in one call (weft/serve.h). */
#include <weft/serve.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>

#include <weft/signal.h>
#include <weft/worker.h>

#include "net/serve.h"

#define GRACE WEFT_SECONDS(10)

struct server {
    weft_factory factory; /* passes on to the plan's */
    weft_factory *users;
    struct serve_plan *plan;
    weft_listener *listener;
    weft_signal terminate, interrupt;
    bool stopping;
};

static weft_protocol *build(weft_factory *factory, weft_stream *stream)
{
    struct server *server = weft_container_of(factory, struct server, factory);

    return server->users->ops->build(server->users, stream);
}

static void stopped(weft_factory *factory, size_t drained, size_t aborted)
{
    struct server *server = weft_container_of(factory, struct server, factory);

    weft_signal_stop(&server->terminate);
    weft_signal_stop(&server->interrupt);
    if (server->users->ops->stopped)
        server->users->ops->stopped(server->users, drained, aborted);
}

static const weft_factory_ops server_ops = {.build = build, .stopped = stopped};

static void stop(struct server *server)
{
    weft_listener_stop(server->listener, server->stopping ? 0 : GRACE);
    server->stopping = true;
}

static void terminated(weft_signal *signal)
{
    stop(weft_container_of(signal, struct server, terminate));
}

static void interrupted(weft_signal *signal)
{
    stop(weft_container_of(signal, struct server, interrupt));
}

static int tell(const char *url, int error, const weft_url_error *where)
{
    if (error == WEFT_EURL || error == WEFT_ESCHEME) {
        fprintf(stderr, "cannot listen: %s\n  %s\n  %*s^\n", where->text, url, (int)where->offset, "");
        return 2;
    }
    fprintf(stderr, "cannot listen on %s: %s\n", url, weft_error_text(error));
    return 1;
}

static int tell_failure(int error)
{
    if (error == -EDEADLK)
        fprintf(stderr, "nothing will ever happen in this simulated world: nobody comes (WEFT_SIM_VISITORS=20,1000 has "
                        "some come; weft/sim.h)\n");
    else if (error != WEFT_ECANCELED) /* its world is gone, with whoever would read it */
        fprintf(stderr, "the loop failed: %s\n", weft_error_text(error));
    return 1;
}

static int start(struct server *server, weft_loop *loop, const char *url, weft_url_error *where)
{
    weft_scope *root = weft_loop_scope(loop);
    int status = server->plan->make(server->plan, loop, &server->users);

    if (status == 0)
        status = weft_signal_start(&server->terminate, root, SIGTERM, terminated);
    if (status == 0)
        status = weft_signal_start(&server->interrupt, root, SIGINT, interrupted);
    if (status == 0)
        status = weft_listen(root, url, &server->factory, server->plan->options, &server->listener, where);
    return status;
}

static int run(struct server *server, const char *url)
{
    char address[WEFT_LISTENER_URL];
    weft_url_error where = {0};
    weft_loop *loop;
    int status = weft_loop_new(NULL, &loop), exit_status;

    (void)weft_worker_raise_descriptors();

    if (status < 0)
        return tell(url, status, &where);
    status = start(server, loop, url, &where);
    exit_status = status < 0 ? tell(url, status, &where) : 0;
    if (status == 0) {
        weft_listener_url(server->listener, server->plan->scheme, address);
        fprintf(stderr, "listening on %s\n", address);
        status = weft_loop_run(loop);
        if (status < 0)
            exit_status = tell_failure(status);
    }
    weft_loop_free(loop);
    return exit_status;
}

int serve_run(const char *url, struct serve_plan *plan)
{
    struct server server = {.factory.ops = &server_ops, .plan = plan};

    return run(&server, url);
}

/* -- with a factory of the user's, or one protocol for every connection -- */

struct simple_plan {
    struct serve_plan plan;
    weft_factory *users;
    weft_factory shared;
    weft_protocol *protocol;
};

static int make_simple(struct serve_plan *plan, weft_loop *loop, weft_factory **ret_factory)
{
    struct simple_plan *simple = weft_container_of(plan, struct simple_plan, plan);

    (void)loop;
    *ret_factory = simple->users ? simple->users : &simple->shared;
    return 0;
}

static weft_protocol *build_shared(weft_factory *factory, weft_stream *stream)
{
    (void)stream;
    return weft_container_of(factory, struct simple_plan, shared)->protocol;
}

static const weft_factory_ops shared_ops = {.build = build_shared};

int weft_serve_factory(const char *url, weft_factory *factory)
{
    struct simple_plan simple = {.plan.make = make_simple, .users = factory};

    return serve_run(url, &simple.plan);
}

int weft_serve_protocol(const char *url, weft_protocol *protocol)
{
    struct simple_plan simple = {.plan.make = make_simple, .shared.ops = &shared_ops, .protocol = protocol};

    return serve_run(url, &simple.plan);
}
