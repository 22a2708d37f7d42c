/* SPDX-License-Identifier: MIT */
/* What only the kernel can do to us, through epoll and through io_uring: attack rows EL-02, EL-03, EL-06, EL-08, EL-09 and
 * EL-12. */
#include "laws/law.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loop/loop_internal.h"

static const struct law_kind *tcp, *local;
static uint64_t most_of_a_turn; /* that one connection is given */

static size_t count_bytes(struct law_peer *peer, weft_bytes in)
{
    peer->bytes_in += in.length;
    return in.length;
}

static const struct law_hooks counting = {.received = count_bytes, .ended = law_ignore};

static int descriptor_of(const struct law_peer *peer)
{
    return ((struct backend_stream *)peer->stream)->fd;
}

static bool six_came(struct law_world *world)
{
    return world->server[0].bytes_in >= 6;
}

/* Reading stops at urgent data with more behind it: no edge comes for what is left. */
static void urgent_data_does_not_stall_the_rest(void **state) /* EL-03 */
{
    static struct law_world world;
    int fd;

    (void)state;
    law_world_open(&world, tcp, 1);
    law_pair(&world, &counting, &counting, NULL);
    fd = descriptor_of(&world.client[0]);
    assert_int_equal(send(fd, "abc", 3, MSG_NOSIGNAL), 3);
    assert_int_equal(send(fd, "x", 1, MSG_OOB | MSG_NOSIGNAL), 1);
    assert_int_equal(send(fd, "def", 3, MSG_NOSIGNAL), 3);
    law_turns(&world, 20);
    assert_true(six_came(&world));
    law_world_close(&world);
}

static void send_with_descriptor(int fd, const char *text)
{
    char control[CMSG_SPACE(sizeof(int))] = {0};
    struct iovec run = {.iov_base = (void *)(uintptr_t)text, .iov_len = strlen(text)};
    struct msghdr message = {
        .msg_iov = &run, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    int passed = 2;

    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof passed);
    memcpy(CMSG_DATA(header), &passed, sizeof passed);
    assert_int_equal(sendmsg(fd, &message, 0), strlen(text));
}

static void passed_descriptors_do_not_stall_the_rest_or_leak(void **state) /* EL-03 */
{
    static struct law_world world;
    size_t before;
    int fd;

    (void)state;
    law_world_open(&world, local, 1);
    law_pair(&world, &counting, &counting, NULL);
    before = law_descriptors();
    fd = descriptor_of(&world.client[0]);
    send_with_descriptor(fd, "abc");
    send_with_descriptor(fd, "def");
    law_turns(&world, 20);
    assert_true(six_came(&world));
    assert_int_equal(law_descriptors(), before);
    law_world_close(&world);
}

/* -- EL-02: a number that is used again in the batch in which it was closed -- */

static size_t abort_the_other_and_connect(struct law_peer *peer, weft_bytes in)
{
    struct law_world *world = peer->world;
    struct law_peer *other = peer == &world->server[0] ? &world->server[1] : &world->server[0];

    if (!world->client[2].protocol.ops && other->stream) {
        int fd = descriptor_of(other);
        law_abort(other);
        law_connect(world, 2, NULL, &counting);
        if (!tcp->completes)                                        /* io_uring closes at the end of the turn */
            assert_int_equal(descriptor_of(&world->client[2]), fd); /* the case that is meant */
    }
    peer->bytes_in += in.length;
    return in.length;
}

static bool two_accepted(struct law_world *world)
{
    return world->accepted == 2 && world->client[1].connected;
}

static bool third_connected(struct law_world *world)
{
    return world->client[2].connected && world->accepted == 3;
}

static void a_number_used_again_gets_no_old_event(void **state)
{
    static const struct law_hooks server = {.received = abort_the_other_and_connect};
    static struct law_world world;

    (void)state;
    law_world_open(&world, tcp, 1);
    law_pair(&world, &server, &counting, NULL);
    law_connect(&world, 1, NULL, &counting);
    law_until(&world, two_accepted);
    assert_int_equal(send(descriptor_of(&world.client[0]), "a", 1, 0), 1);
    assert_int_equal(send(descriptor_of(&world.client[1]), "b", 1, 0), 1);
    law_until(&world, third_connected);
    law_turns(&world, 5);
    assert_int_equal(world.client[2].received, 0);
    assert_int_equal(world.server[0].bytes_in + world.server[1].bytes_in, 1);
    law_world_close(&world);
}

/* -- EL-12 -- */

static void a_flood_does_not_starve_the_others(void **state)
{
    static struct law_world world;
    int size = 4 * 1024 * 1024;

    (void)state;
    law_world_open(&world, tcp, 1);
    law_pair(&world, &counting, &counting, NULL);
    law_connect(&world, 1, NULL, &counting);
    law_until(&world, two_accepted);
    (void)setsockopt(descriptor_of(&world.server[0]), SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    (void)setsockopt(descriptor_of(&world.client[0]), SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    for (int i = 0; i < 60; i++) {
        uint64_t before = world.server[0].bytes_in;
        (void)law_write_pattern(&world.client[0], 1000000);
        assert_int_equal(send(descriptor_of(&world.client[1]), "b", 1, 0), 1);
        law_turns(&world, 1);
        assert_true(world.server[0].bytes_in - before <= most_of_a_turn);
        assert_int_equal(world.server[1].bytes_in, i + 1);
    }
    law_abort(&world.client[0]);
    law_world_close(&world);
}

/* -- a peer that goes while nobody reads -- */

static bool server_lost(struct law_world *world)
{
    return world->server[0].lost;
}

static void a_reset_is_heard_by_a_paused_stream(void **state)
{
    static struct law_world world;

    (void)state;
    law_world_open(&world, tcp, 1);
    law_pair(&world, &counting, &counting, NULL);
    LAW_DO(&world, weft_stream_pause(world.server[0].stream));
    law_turns(&world, 3);
    law_abort(&world.client[0]);
    law_turns(&world, 30);
    assert_true(server_lost(&world));
    assert_int_equal(world.server[0].reason, -ECONNRESET);
    law_world_close(&world);
}

static void a_half_close_waits_until_a_paused_stream_is_resumed(void **state)
{
    static struct law_world world;

    (void)state;
    law_world_open(&world, tcp, 1);
    law_pair(&world, &counting, &counting, NULL);
    LAW_DO(&world, weft_stream_pause(world.server[0].stream));
    assert_int_equal(LAW_CALL(&world, weft_stream_write(world.client[0].stream, weft_bytes_from("abcdef"))), 0);
    law_end(&world.client[0]);
    law_turns(&world, 30);
    assert_false(server_lost(&world));
    assert_int_equal(world.server[0].received + world.server[0].ended, 0);
    LAW_DO(&world, weft_stream_resume(world.server[0].stream));
    law_turns(&world, 30);
    assert_true(six_came(&world));
    assert_int_equal(world.server[0].ended, 1);
    assert_false(server_lost(&world));
    law_world_close(&world);
}

/* -- EL-06, EL-08, EL-09 -- */

static void sigpipe_is_ignored_unless_somebody_chose(void **state)
{
    static struct law_world world;
    struct sigaction now, chosen = {.sa_handler = _exit}, before;

    (void)state;
    assert_int_equal(sigaction(SIGPIPE, NULL, &before), 0);
    (void)signal(SIGPIPE, SIG_DFL);
    law_world_open(&world, tcp, 1);
    assert_int_equal(sigaction(SIGPIPE, NULL, &now), 0);
    assert_true(now.sa_handler == SIG_IGN);
    law_world_close(&world);
    assert_int_equal(sigaction(SIGPIPE, &chosen, NULL), 0);
    law_world_open(&world, tcp, 1);
    assert_int_equal(sigaction(SIGPIPE, NULL, &now), 0);
    assert_true(now.sa_handler == _exit);
    law_world_close(&world);
    assert_int_equal(sigaction(SIGPIPE, &before, NULL), 0);
}

static int option_of(int fd, int level, int option)
{
    int value = 0;
    socklen_t length = sizeof value;

    assert_int_equal(getsockopt(fd, level, option, &value, &length), 0);
    return value;
}

static void sockets_have_their_options(void **state) /* EL-08: keepalive finds a peer that is gone */
{
    static struct law_world world;
    weft_listen_options options = {.size = sizeof options};
    int fd;

    (void)state;
    options.stream.size = sizeof options.stream;
    options.stream.keepalive = WEFT_SECONDS(30);
    law_world_open(&world, tcp, 1);
    law_listen(&world, &options, &counting);
    law_connect(&world, 0, NULL, &counting);
    law_connect(&world, 1, NULL, &counting);
    law_until(&world, two_accepted);
    fd = descriptor_of(&world.server[0]);
    assert_int_equal(option_of(fd, IPPROTO_TCP, TCP_NODELAY), 1);
    assert_int_equal(option_of(fd, SOL_SOCKET, SO_KEEPALIVE), 1);
    assert_int_equal(option_of(fd, IPPROTO_TCP, TCP_KEEPIDLE), 30);
    fd = descriptor_of(&world.client[0]);
    assert_int_equal(option_of(fd, IPPROTO_TCP, TCP_NODELAY), 1);
    assert_int_equal(option_of(fd, SOL_SOCKET, SO_KEEPALIVE), 0);
    law_world_close(&world);
}

static void the_clock_never_goes_back(void **state) /* EL-09 */
{
    static struct law_world world;
    weft_time before;

    (void)state;
    law_world_open(&world, tcp, 1);
    before = weft_loop_now(world.loop);
    for (int i = 0; i < 1000; i++) {
        law_turns(&world, 1);
        assert_true(weft_loop_now(world.loop) >= before);
        before = weft_loop_now(world.loop);
    }
    law_world_close(&world);
}

static int run_on(const char *backend, uint64_t most)
{
    const struct CMUnitTest tests[] = {
        support_test(urgent_data_does_not_stall_the_rest),
        support_test(passed_descriptors_do_not_stall_the_rest_or_leak),
        support_test(a_number_used_again_gets_no_old_event),
        support_test(a_flood_does_not_starve_the_others),
        support_test(a_reset_is_heard_by_a_paused_stream),
        support_test(a_half_close_waits_until_a_paused_stream_is_resumed),
        support_test(sigpipe_is_ignored_unless_somebody_chose),
        support_test(sockets_have_their_options),
        support_test(the_clock_never_goes_back),
    };
    tcp = local = NULL;
    most_of_a_turn = most;
    for (const struct law_kind *kind = law_kinds; kind->name; kind++) {
        if (strcmp(kind->backend, backend) != 0)
            continue;
        tcp = strncmp(kind->url, "tcp:", 4) == 0 ? kind : tcp;
        local = strncmp(kind->url, "unix:", 5) == 0 ? kind : local;
    }
    return _cmocka_run_group_tests(backend, tests, sizeof tests / sizeof *tests, NULL, NULL);
}

int main(void)
{
    return run_on("epoll", 256 * 1024) + run_on("io_uring:6.1", 4096 * 1024) +
           run_on("io_uring:6.10", 2048 * 1024) + /* all buffers: there is no other bound */
           run_on("io_uring:6.15", 256 * 1024);
}
