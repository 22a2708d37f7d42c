/* SPDX-License-Identifier: MIT */
/* What only io_uring can do to us: its tiers, buffers that run out, calls per turn, threads, forks, hosts, and kernels that
 * forbid it. */
#include "laws/law.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <weft/log.h>

#include "backend/uring_internal.h"
#include "loop/loop_internal.h"

static const char *const tiers[] = {"io_uring:6.1", "io_uring:6.10", "io_uring:6.15"};
#define TIERS (sizeof tiers / sizeof *tiers)

static const struct law_kind *kind_of(const char *backend)
{
    const struct law_kind *kind = law_kinds;

    while (strcmp(kind->backend, backend) != 0)
        kind++;
    return kind;
}

static weft_loop *loop_on(const char *backend)
{
    weft_loop_options options = {.size = sizeof options, .backend = backend, .watchdog = WEFT_NEVER};
    weft_loop *loop;

    assert_int_equal(weft_loop_new(&options, &loop), 0);
    return loop;
}

static int try_backend(const char *backend)
{
    weft_loop_options options = {.size = sizeof options, .backend = backend, .watchdog = WEFT_NEVER};
    weft_loop *loop;
    int status = weft_loop_new(&options, &loop);

    if (status == 0)
        weft_loop_free(loop);
    return status;
}

/* -- the calls that are counted -- */

long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...);

static unsigned enters;

long __wrap_syscall(long number, ...)
{
    va_list list;
    long a[6];

    va_start(list, number);
    for (int i = 0; i < 6; i++)
        a[i] = va_arg(list, long);
    va_end(list);
    enters += number == SYS_io_uring_enter;
    return __real_syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

/* -- an echo -- */

static size_t echo_received(weft_protocol *protocol, weft_stream *stream, weft_bytes in)
{
    (void)protocol;
    if (weft_stream_write(stream, in) < 0)
        weft_stream_abort(stream);
    return in.length;
}

static WEFT_PROTOCOL(echo_ops, "echo", "a test", .received = echo_received);
static weft_protocol echo = {&echo_ops};

static weft_protocol *build_echo(weft_factory *factory, weft_stream *stream)
{
    (void)factory;
    (void)stream;
    return &echo;
}

static const weft_factory_ops echo_factory_ops = {.build = build_echo};
static weft_factory echo_factory = {&echo_factory_ops};

static weft_listener *listen_echo(weft_loop *loop)
{
    weft_listen_options options = {.size = sizeof options, .max_connections = SIZE_MAX, .max_per_address = SIZE_MAX};
    weft_listener *listener;

    assert_int_equal(weft_listen(weft_loop_scope(loop), "tcp://127.0.0.1:0", &echo_factory, &options, &listener, NULL),
                     0);
    return listener;
}

static uint16_t port_of(const weft_listener *listener)
{
    char url[WEFT_LISTENER_URL];

    weft_listener_url(listener, NULL, url);
    return (uint16_t)atoi(strrchr(url, ':') + 1);
}

static int stranger(uint16_t port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

static bool has_answer(int fd)
{
    struct pollfd one = {.fd = fd, .events = POLLIN};

    return poll(&one, 1, 0) == 1;
}

static void step(weft_loop *loop, unsigned turns)
{
    while (turns-- > 0)
        assert_true(weft_loop_step(loop) >= 0);
}

/* -- tiers, and where there is none -- */

static void each_tier_can_be_forced(void **state)
{
    (void)state;
    for (size_t i = 0; i < TIERS; i++) {
        weft_loop *loop = loop_on(tiers[i]);
        assert_string_equal(weft_loop_backend(loop), "io_uring");
        weft_loop_free(loop);
    }
    support_log_expect("there is no backend \"io_uring:6.2\"");
    support_log_expect("there is no backend");
    assert_int_equal(try_backend("io_uring:6.2"), -EINVAL);
    assert_int_equal(try_backend("io_uring:"), -EINVAL);
    assert_int_equal(try_backend("io_uring:6.1 "), -EINVAL);
}

/* As a container's filter does it. */
static void forbid(int error)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = sizeof code / sizeof *code, .filter = code};

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
        _exit(100);
}

static unsigned said;
static char last_said[256];

static void hear(const weft_log_event *event, void *arg)
{
    (void)arg;
    said++;
    snprintf(last_said, sizeof last_said, "%s", event->text);
}

/* The process of its own that a filter needs. Returns a status that says what is wrong. */
static int where_it_is_forbidden(int error)
{
    weft_loop_options options = {.size = sizeof options, .backend = "io_uring", .watchdog = WEFT_NEVER};
    weft_loop *one, *two;

    forbid(error);
    weft_log_set_sink(hear, NULL);
    if (weft_loop_new(&options, &one) < 0 || weft_loop_new(&options, &two) < 0)
        return 1;
    if (strcmp(weft_loop_backend(one), "epoll") != 0)
        return 2;
    if (said != 1 || !strstr(last_said, "the engine is epoll") || !strstr(last_said, weft_error_text(-error)))
        return 3;
    weft_loop_free(one);
    weft_loop_free(two);
    options.backend = "io_uring:6.1";
    if (weft_loop_new(&options, &one) != -error || !strstr(last_said, "there is no io_uring:6.1 here"))
        return 4;
    return 0;
}

static void where_it_is_forbidden_epoll_takes_its_place(void **state)
{
    static const int errors[] = {EPERM, ENOSYS};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        pid_t child = fork();
        int status;

        if (child == 0)
            _exit(where_it_is_forbidden(errors[i]));
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
    }
}

/* -- calls and buffers -- */

static void a_turn_is_one_call(void **state)
{
    int fds[50];

    (void)state;
    for (size_t t = 0; t < TIERS; t++) {
        weft_loop *loop = loop_on(tiers[t]);
        uint16_t port = port_of(listen_echo(loop));

        for (size_t i = 0; i < 50; i++)
            fds[i] = stranger(port);
        step(loop, 5);
        for (size_t i = 0; i < 50; i++)
            assert_int_equal(send(fds[i], "hello", 5, 0), 5);
        enters = 0;
        step(loop, 4);
        assert_int_equal(enters, 4);
        for (size_t i = 0; i < 50; i++) {
            assert_true(has_answer(fds[i]));
            close(fds[i]);
        }
        weft_loop_free(loop);
    }
}

#define MANY 1200

static void more_connections_than_buffers_are_all_served(void **state)
{
    static int fds[MANY];

    (void)state;
    for (size_t t = 0; t < TIERS; t++) {
        weft_loop *loop = loop_on(tiers[t]);
        uint16_t port = port_of(listen_echo(loop));

        for (size_t i = 0; i < MANY; i++) {
            fds[i] = stranger(port);
            if (i % 64 == 63)
                step(loop, 2);
        }
        step(loop, 10);
        for (int round = 0; round < 3; round++) {
            char bytes[5];

            for (size_t i = 0; i < MANY; i++)
                assert_int_equal(send(fds[i], "hello", 5, 0), 5);
            step(loop, 400); /* (the kernel does not more than 20 things in a call that waits for nothing) */
            for (size_t i = 0; i < MANY; i++)
                assert_int_equal(recv(fds[i], bytes, 5, MSG_DONTWAIT | MSG_WAITALL), 5);
        }
        for (size_t i = 0; i < MANY; i++)
            close(fds[i]);
        step(loop, 20);
        weft_loop_free(loop);
    }
}

/* -- ends -- */

static const struct law_hooks quiet = {.ended = law_ignore};

static void a_loop_that_ends_leaves_its_port(void **state)
{
    (void)state;
    for (size_t t = 0; t < TIERS; t++) {
        weft_loop *loop = loop_on(tiers[t]);
        uint16_t port = port_of(listen_echo(loop));
        weft_listener *again;
        char url[40];
        int fd = stranger(port);

        step(loop, 3);
        weft_loop_free(loop);
        loop = loop_on("epoll");
        snprintf(url, sizeof url, "tcp://127.0.0.1:%u", port);
        assert_int_equal(weft_listen(weft_loop_scope(loop), url, &echo_factory, NULL, &again, NULL), 0);
        weft_loop_free(loop);
        close(fd);
    }
}

/* Who comes faster than they can be told about waits in the backlog, whose size the user has set, and not with us. */
static void a_crowd_waits_in_the_backlog(void **state)
{
    enum { CROWD = 360, LATE = 60 };
    int crowd[CROWD + LATE];

    (void)state;
    for (size_t t = 0; t < TIERS; t++) {
        weft_loop *loop = loop_on(tiers[t]);
        weft_listener *listener = listen_echo(loop);
        const struct uring_backend *self = weft_container_of(loop->backend, struct uring_backend, epoll.ready.base);
        size_t waiting;

        for (size_t i = 0; i < CROWD; i++)
            crowd[i] = stranger(port_of(listener));
        step(loop, 2);
        waiting = self->waiting;
        assert_true(waiting > 200);
        for (size_t i = CROWD; i < CROWD + LATE; i++)
            crowd[i] = stranger(port_of(listener));
        step(loop, 1);
        assert_true(self->waiting < waiting); /* none of the late ones is among them */
        while (weft_listener_connections(listener) < CROWD + LATE)
            step(loop, 1);
        for (size_t i = 0; i < CROWD + LATE; i++)
            close(crowd[i]);
        weft_loop_free(loop);
    }
}

static bool all_connected(struct law_world *world)
{
    for (size_t i = 0; i < LAW_SERVERS; i++)
        if (!world->client[i].connected)
            return false;
    return world->accepted == LAW_SERVERS;
}

/* Receives, sends, files of the queue and polls are in flight when everybody goes. */
static void all_go_while_much_is_in_flight(void **state)
{
    static struct law_world world;

    (void)state;
    for (size_t t = 0; t < TIERS; t++) {
        for (unsigned turns = 0; turns < 5; turns++) {
            law_world_open(&world, kind_of(tiers[t]), 1);
            law_listen(&world, NULL, &quiet);
            for (size_t i = 0; i < LAW_SERVERS; i++)
                law_connect(&world, i, NULL, &quiet);
            law_until(&world, all_connected);
            for (size_t i = 0; i < LAW_SERVERS; i += 2)
                LAW_DO(&world, weft_stream_pause(world.server[i].stream));
            for (size_t i = 0; i < LAW_SERVERS; i++)
                assert_true(law_write_pattern(&world.client[i], 500000) >= 0);
            law_turns(&world, turns);
            for (size_t i = 0; i < LAW_SERVERS; i++) {
                if (i % 3 == 0 && world.client[i].stream)
                    law_abort(&world.client[i]);
                if (i % 3 == 1 && world.server[i].stream)
                    law_abort(&world.server[i]);
            }
            law_world_close(&world);
        }
    }
}

/* -- threads and processes -- */

static void *turn_world(void *arg)
{
    law_turns(arg, 3);
    return NULL;
}

/* The former thread is gone, and what was in flight in its ring with it. */
static void a_loop_goes_on_on_another_thread(void **state)
{
    static struct law_world world;
    static const struct law_hooks pumping = {.connected = law_pump, .drained = law_pump, .ended = law_ignore};

    (void)state;
    for (size_t t = 0; t < TIERS; t++) {
        law_world_open(&world, kind_of(tiers[t]), 1);
        law_pair(&world, &quiet, &quiet, NULL);
        world.client[0].hooks = &pumping;
        world.client[0].to_send = 4000000;
        law_pump(&world.client[0]);
        for (int i = 0; i < 200 && world.server[0].bytes_in < 4000000; i++) {
            pthread_t thread;

            assert_int_equal(pthread_create(&thread, NULL, turn_world, &world), 0);
            assert_int_equal(pthread_join(thread, NULL), 0);
            if (i % 3 == 0)
                law_turns(&world, 1);
        }
        assert_int_equal(world.server[0].bytes_in, 4000000);
        law_world_close(&world);
    }
}

/* A child that only inherits the loop, and ends it, takes nothing from its parent. */
static void a_child_that_frees_the_loop_leaves_that_of_its_parent(void **state)
{
    (void)state;
    for (size_t t = 0; t < TIERS; t++) {
        weft_loop *loop = loop_on(tiers[t]);
        int fd = stranger(port_of(listen_echo(loop))), status;
        pid_t child;

        step(loop, 3);
        child = fork();
        if (child == 0) {
            weft_loop_free(loop);
            _exit(0);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
        weft_loop_free(loop);
        close(fd);
    }
}

/* -- hosts -- */

/* Turns only when the descriptor is readable or the loop says that there is work. */
static void host(weft_loop *loop, int fd)
{
    struct pollfd one = {.fd = weft_loop_fd(loop), .events = POLLIN};

    assert_true(one.fd >= 0);
    for (int i = 0; i < 100 && !has_answer(fd); i++) {
        int timeout = weft_loop_prepare(loop) == 0 ? 0 : 10000;

        assert_true(poll(&one, 1, timeout) >= 0);
        assert_true(weft_loop_step(loop) >= 0);
    }
    assert_true(has_answer(fd));
}

static void a_host_hears_what_comes(void **state)
{
    (void)state;
    for (size_t t = 0; t < TIERS; t++) {
        weft_loop *loop = loop_on(tiers[t]);
        int fd = stranger(port_of(listen_echo(loop)));
        char byte;

        for (int i = 0; i < 3; i++) {
            assert_int_equal(send(fd, "a", 1, 0), 1);
            host(loop, fd);
            assert_int_equal(recv(fd, &byte, 1, 0), 1);
        }
        close(fd);
        weft_loop_free(loop);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        support_test(each_tier_can_be_forced),
        support_test(where_it_is_forbidden_epoll_takes_its_place),
        support_test(a_turn_is_one_call),
        support_test(more_connections_than_buffers_are_all_served),
        support_test(a_loop_that_ends_leaves_its_port),
        support_test(a_crowd_waits_in_the_backlog),
        support_test(all_go_while_much_is_in_flight),
        support_test(a_loop_goes_on_on_another_thread),
        support_test(a_child_that_frees_the_loop_leaves_that_of_its_parent),
        support_test(a_host_hears_what_comes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
