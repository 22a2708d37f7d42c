/* SPDX-License-Identifier: MIT */
/*
 * EL-18 and EL-19 on descriptors that somebody else opened: a listening socket, a connected one, pipes and a regular
 * file as standard input. What could not be adopted is as it was before.
 */
#include "laws/law.h"
#include "torture/driver.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

struct stage {
    const char *name;
    void (*make)(struct stage *stage);
    int ours, out, theirs; /* what is adopted (its second descriptor, or -1), and the other end */
    struct law_world *world;
};

static size_t echo(struct law_peer *peer, weft_bytes in)
{
    peer->bytes_in += in.length;
    if (LAW_CALL(peer->world, weft_stream_write(peer->stream, in)) < 0) {
        assert_true(torture_is_disturbed());
        law_abort(peer);
    }
    return in.length;
}

static const struct law_hooks echoing = {.received = echo};

/* -- what is adopted -- */

static void make_listener(struct stage *stage)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof name;

    stage->ours = socket(AF_INET, SOCK_STREAM, 0);
    stage->theirs = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(stage->ours, (struct sockaddr *)&name, sizeof name) < 0 || listen(stage->ours, 5) < 0 ||
        getsockname(stage->ours, (struct sockaddr *)&name, &length) < 0 ||
        connect(stage->theirs, (struct sockaddr *)&name, sizeof name) < 0)
        abort();
}

static void make_connected(struct stage *stage)
{
    struct stage listening = {.ours = -1};

    make_listener(&listening);
    stage->theirs = listening.theirs;
    stage->ours = accept(listening.ours, NULL, NULL);
    close(listening.ours);
}

static void make_pipes(struct stage *stage)
{
    int in[2], out[2];

    if (pipe(in) < 0 || pipe(out) < 0)
        abort();
    close(out[0]); /* nobody reads the answer: writing it may fail, and nothing else */
    stage->ours = in[0];
    stage->out = out[1];
    stage->theirs = in[1];
}

/* A socket in and out, as inetd passes it. */
static void make_socket_twice(struct stage *stage)
{
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
        abort();
    stage->ours = pair[0];
    stage->out = dup(pair[0]);
    stage->theirs = pair[1];
}

static void make_tcp_twice(struct stage *stage)
{
    make_connected(stage);
    stage->out = dup(stage->ours);
}

static void make_files(struct stage *stage)
{
    stage->ours = memfd_create("in", 0);
    stage->out = memfd_create("out", 0);
    stage->theirs = memfd_create("nobody", 0);
    if (write(stage->ours, "abc", 3) != 3 || lseek(stage->ours, 0, SEEK_SET) != 0)
        abort();
}

/* -- one run -- */

static bool is_stopped(struct law_world *world)
{
    return world->stopped;
}

static struct stage *playing;

/* It was served, or refused: then the other end sees an end. */
static bool is_lost(struct law_world *world)
{
    char byte;
    ssize_t count = recv(playing->theirs, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    bool is_refused = count == 0 || (count < 0 && errno != EAGAIN && errno != ENOTSOCK);

    return world->server[0].lost || world->stopped || (is_refused && !world->accepted);
}

static void prepare(void *arg)
{
    struct stage *stage = arg;

    stage->world = calloc(1, sizeof *stage->world);
    if (!stage->world)
        abort();
    stage->out = -1;
    stage->make(stage);
    law_world_open(stage->world, &law_kinds[0], 1);
    stage->world->server_hooks = &echoing;
}

static void end_pipe(struct stage *stage)
{
    close(stage->theirs);
    stage->theirs = memfd_create("nobody", 0);
}

/* The other end says three bytes and ends. */
static int serve(struct stage *stage, const char *url)
{
    struct law_world *world = stage->world;
    int status = LAW_CALL(world, weft_listen(world->scope, url, &world->factory, NULL, &world->listener, NULL));

    if (status < 0)
        return status;
    (void)!write(stage->theirs, "abc", 3);
    if (shutdown(stage->theirs, SHUT_WR) < 0 && errno == ENOTSOCK)
        end_pipe(stage);
    playing = stage;
    law_until(world, is_lost);
    if (!world->stopped) {
        LAW_DO(world, weft_listener_stop(world->listener, 0));
        law_until(world, is_stopped);
    }
    if (!torture_is_disturbed())
        assert_int_equal(world->server[0].bytes_in, 3);
    return world->server[0].bytes_in == 3 ? 0 : 1;
}

static bool is_blocking(int fd)
{
    return !(fcntl(fd, F_GETFL) & O_NONBLOCK);
}

static int serve_on_stdio(struct stage *stage)
{
    int saved[] = {dup(0), dup(1)}, twins[] = {dup(stage->ours), dup(stage->out)}, status;

    fflush(stdout);
    dup2(stage->ours, 0);
    dup2(stage->out, 1);
    close(stage->ours);
    close(stage->out);
    status = serve(stage, "stdio:");
    dup2(saved[0], 0);
    dup2(saved[1], 1);
    for (int i = 0; i < 2; i++) {
        if (!torture_is_disturbed())
            assert_true(is_blocking(twins[i])); /* whoever shares it finds it as it was */
        close(twins[i]);
        close(saved[i]);
    }
    return status;
}

static int play(void *arg)
{
    struct stage *stage = arg;
    char url[32];
    int status;

    if (stage->out >= 0)
        return serve_on_stdio(stage);
    snprintf(url, sizeof url, "fd://%d", stage->ours);
    status = serve(stage, url);
    if (status < 0) {
        assert_true(is_blocking(stage->ours)); /* as it was */
        close(stage->ours);
    }
    return status;
}

static void settle(void *arg)
{
    struct stage *stage = arg;

    law_world_close(stage->world);
    free(stage->world);
    close(stage->theirs);
}

static void judge(void *arg, const struct torture_end *end)
{
    (void)arg;
    if (!end->disturbed)
        assert_int_equal(end->status, 0);
}

static void what_is_adopted_serves_or_is_as_it_was(void **state)
{
    static struct stage stages[] = {
        {.name = "an adopted listener", .make = make_listener},
        {.name = "an adopted connection", .make = make_connected},
        {.name = "adopted pipes", .make = make_pipes},
        {.name = "an adopted socket, twice", .make = make_socket_twice},
        {.name = "an adopted connection, twice", .make = make_tcp_twice},
        {.name = "adopted files", .make = make_files},
    };

    (void)state;
    for (size_t i = 0; i < sizeof stages / sizeof *stages; i++) {
        struct torture_scenario scenario = {stages[i].name, play, judge, &stages[i], prepare, settle};

        torture_allocations(&scenario);
        torture_calls(&scenario);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        torture_test(what_is_adopted_serves_or_is_as_it_was),
    };
    return torture_over(cmocka_run_group_tests(tests, NULL, NULL));
}
