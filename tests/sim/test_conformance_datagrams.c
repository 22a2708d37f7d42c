/* SPDX-License-Identifier: MIT */
/*
 * A simulator that is kinder than the kernel is worthless (conform.h): dialogues with the seam's datagram sockets that have
 * to pass word for word alike on sockets of the kernel and in simulated worlds.
 */
#include "support/support.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <weft/error.h>

#include "backend/backend.h"
#include "backend/sim.h"

#define SOCKETS 12
#define QUIET_TURNS 20

static struct backend *backend;
static bool simulated;

struct end {
    struct backend_datagram handle;
    unsigned got, rooms, failures;
    int failure;
    char text[32]; /* the last that came */
    weft_address peer, local;
    bool is_open, closing;
};

static struct end ends[SOCKETS];
static const struct backend_datagram_options plain = {.v6_only = true};

/* -- what owners are told -- */

static struct end *end_of(struct backend_datagram *handle)
{
    struct end *end = weft_container_of(handle, struct end, handle);

    assert_true(end->is_open && !end->closing);
    return end;
}

static void on_received(struct backend_datagram *handle, const weft_datagram *datagrams, size_t count)
{
    struct end *end = end_of(handle);
    const weft_datagram *last = &datagrams[count - 1];

    end->got += (unsigned)count;
    memset(end->text, 0, sizeof end->text);
    memcpy(end->text, last->bytes.data, last->bytes.length < sizeof end->text ? last->bytes.length : 31);
    end->peer = last->peer;
    end->local = last->local;
}

static void on_failed(struct backend_datagram *handle, int status)
{
    struct end *end = end_of(handle);

    end->failures++;
    end->failure = status;
}

static void on_writable(struct backend_datagram *handle)
{
    end_of(handle)->rooms++;
}

static void on_closed(struct backend_datagram *handle)
{
    struct end *end = weft_container_of(handle, struct end, handle);

    assert_true(end->closing);
    end->is_open = end->closing = false;
}

static const struct backend_datagram_events events = {.received = on_received,
                                                      .failed = on_failed,
                                                      .writable = on_writable,
                                                      .closed = on_closed};

/* -- what a case does -- */

static void settle(void)
{
    for (int i = 0; i < QUIET_TURNS; i++) {
        int status = backend->ops->wait(backend, simulated ? WEFT_MILLISECONDS(20) : 0);

        assert_true(status == 0 || status == -EDEADLK);
        backend->ops->dispatch(backend);
    }
}

static struct backend_endpoint ip(const char *text, uint16_t port)
{
    struct backend_endpoint at = {.address.port = port};
    bool v6 = strchr(text, ':') != NULL;

    at.address.family = v6 ? WEFT_ADDRESS_IPV6 : WEFT_ADDRESS_IPV4;
    assert_int_equal(inet_pton(v6 ? AF_INET6 : AF_INET, text, at.address.ip), 1);
    return at;
}

static struct backend_endpoint at_path(const char *path)
{
    return (struct backend_endpoint){.address.family = WEFT_ADDRESS_UNIX, .path = weft_bytes_from(path)};
}

static int try_open(struct end *end, const struct backend_endpoint *at, const struct backend_endpoint *to,
                    const struct backend_datagram_options *options)
{
    int status;

    *end = (struct end){.handle.events = &events};
    status = backend->ops->datagram_open(backend, &end->handle, at, to, options);
    end->is_open = status == 0;
    return status;
}

static struct end *open_at(int number, struct backend_endpoint at)
{
    assert_int_equal(try_open(&ends[number], &at, NULL, &plain), 0);
    ends[number].handle.transport->receive_start(backend, &ends[number].handle);
    return &ends[number];
}

static struct end *open_to(int number, struct backend_endpoint to)
{
    assert_int_equal(try_open(&ends[number], NULL, &to, &plain), 0);
    ends[number].handle.transport->receive_start(backend, &ends[number].handle);
    return &ends[number];
}

static void receive(struct end *end, bool on)
{
    (on ? end->handle.transport->receive_start : end->handle.transport->receive_stop)(backend, &end->handle);
}

static weft_address address_of(const struct end *end)
{
    weft_address address;

    assert_int_equal(end->handle.transport->local(backend, &end->handle, &address), 0);
    return address;
}

static struct backend_endpoint place_of(const struct end *end, const char *host)
{
    return ip(host, address_of(end).port);
}

static void close_end(struct end *end)
{
    end->closing = true;
    if (end->handle.transport->close(backend, &end->handle))
        end->is_open = end->closing = false;
    settle();
    assert_false(end->is_open);
}

static int send_text(struct end *end, const struct backend_endpoint *to, const char *text, size_t length)
{
    static char bytes[300000];
    weft_datagram one = {.bytes = weft_bytes_of(bytes, length)};

    memcpy(bytes, text, strlen(text) < length ? strlen(text) : length);
    if (to) {
        one.peer = to->address;
        one.path = to->path;
    }
    return end->handle.transport->send(backend, &end->handle, &one, 1);
}

static int say(struct end *end, const struct backend_endpoint *to, const char *text)
{
    return send_text(end, to, text, strlen(text));
}

static void told(const struct end *end, unsigned got, const char *text)
{
    settle();
    assert_int_equal(end->got, got);
    if (text)
        assert_string_equal(end->text, text);
}

/* -- whom it gets to -- */

static void from_one_to_the_other(void)
{
    struct end *a = open_at(0, ip("127.0.0.1", 0)), *b = open_at(1, ip("127.0.0.1", 0));
    struct backend_endpoint to = place_of(b, "127.0.0.1");

    assert_int_equal(say(a, &to, "hello"), 1);
    told(b, 1, "hello");
    assert_int_equal(b->peer.port, address_of(a).port);
    assert_int_equal(send_text(a, &to, "", 0), 1);
    told(b, 2, "");
}

static void what_came_before_somebody_receives_waits(void)
{
    struct end *a = open_at(0, ip("127.0.0.1", 0)), *b = open_at(1, ip("127.0.0.1", 0));
    struct backend_endpoint to = place_of(b, "127.0.0.1");

    receive(b, false);
    assert_int_equal(say(a, &to, "one"), 1);
    assert_int_equal(say(a, &to, "two"), 1);
    told(b, 0, NULL);
    receive(b, true);
    told(b, 2, "two");
}

static void connected_hears_its_peer_alone(void)
{
    struct end *a = open_at(0, ip("127.0.0.1", 0)), *b = open_to(1, place_of(a, "127.0.0.1"));
    struct end *c = open_at(2, ip("127.0.0.1", 0));
    struct backend_endpoint to = place_of(b, "127.0.0.1");

    assert_int_equal(say(c, &to, "stranger"), 1);
    told(b, 0, NULL);
    assert_int_equal(say(a, &to, "friend"), 1);
    told(b, 1, "friend");
    assert_int_equal(say(b, NULL, "back"), 1);
    told(a, 1, "back");
    to = place_of(c, "127.0.0.1");
    assert_int_equal(say(b, &to, "elsewhere"), 1); /* a peer of its own for one datagram */
    told(c, 1, "elsewhere");
    assert_int_equal(b->handle.transport->connect(backend, &b->handle, &to), 0);
    assert_int_equal(say(b, NULL, "moved"), 1);
    told(c, 2, "moved");
    assert_int_equal(b->handle.transport->connect(backend, &b->handle, NULL), 0);
    assert_int_equal(say(b, NULL, "nobody"), -EDESTADDRREQ);
}

static void a_port_that_nobody_asked_for_goes_with_the_peer(void)
{
    struct end *a = open_at(0, ip("127.0.0.1", 0)), *b = open_to(1, place_of(a, "127.0.0.1"));
    struct backend_endpoint to = place_of(a, "127.0.0.1");

    assert_int_not_equal(address_of(b).port, 0);
    assert_int_equal(b->handle.transport->connect(backend, &b->handle, NULL), 0);
    assert_int_equal(address_of(b).port, 0);
    assert_int_equal(address_of(b).ip[0], 0);
    assert_int_equal(say(b, &to, "again"), 1);
    told(a, 1, "again");
    assert_int_equal(a->peer.port, address_of(b).port);
    assert_int_not_equal(address_of(b).port, 0);
}

static void the_nearest_gets_it(void)
{
    struct backend_datagram_options shares = {.reuse_address = true, .v6_only = true};
    struct backend_endpoint any = ip("0.0.0.0", 0), one, to;
    struct end *client = open_at(0, ip("127.0.0.1", 0));

    assert_int_equal(try_open(&ends[1], &any, NULL, &shares), 0);
    one = place_of(&ends[1], "127.0.0.1");
    assert_int_equal(try_open(&ends[2], &one, NULL, &shares), 0);
    to = place_of(client, "127.0.0.1");
    assert_int_equal(try_open(&ends[3], &one, &to, &shares), 0);
    for (int i = 1; i <= 3; i++)
        receive(&ends[i], true);
    assert_int_equal(say(client, &one, "to the one that is connected"), 1);
    told(&ends[3], 1, "to the one that is connected");
    close_end(&ends[3]);
    assert_int_equal(say(client, &one, "to that of the address"), 1);
    told(&ends[2], 1, "to that of the address");
    close_end(&ends[2]);
    assert_int_equal(say(client, &one, "to whoever has all"), 1);
    told(&ends[1], 1, "to whoever has all");
    assert_memory_equal(ends[1].local.ip, one.address.ip, 4);
}

static int beside(struct backend_endpoint first, struct backend_datagram_options options_first,
                  struct backend_endpoint second, struct backend_datagram_options options_second)
{
    int status;

    assert_int_equal(try_open(&ends[0], &first, NULL, &options_first), 0);
    second.address.port = address_of(&ends[0]).port;
    status = try_open(&ends[1], &second, NULL, &options_second);
    if (status == 0)
        close_end(&ends[1]);
    close_end(&ends[0]);
    return status;
}

static void who_may_be_beside_whom(void)
{
    struct backend_endpoint one = ip("127.0.0.1", 0), other = ip("127.0.0.2", 0), any = ip("0.0.0.0", 0);
    struct backend_endpoint any6 = ip("::", 0), one6 = ip("::1", 0);
    struct backend_datagram_options port = {.reuse_port = true, .v6_only = true};
    struct backend_datagram_options address = {.reuse_address = true, .v6_only = true}, both_families = {0};

    assert_int_equal(beside(one, plain, one, plain), -EADDRINUSE);
    assert_int_equal(beside(one, plain, other, plain), 0);
    assert_int_equal(beside(any, plain, one, plain), -EADDRINUSE);
    assert_int_equal(beside(one, plain, any, plain), -EADDRINUSE);
    assert_int_equal(beside(one, port, one, port), 0);
    assert_int_equal(beside(one, port, one, plain), -EADDRINUSE);
    assert_int_equal(beside(one, address, one, address), 0);
    assert_int_equal(beside(one, address, one, port), -EADDRINUSE);
    assert_int_equal(beside(any6, plain, any, plain), 0);
    assert_int_equal(beside(any6, both_families, any, plain), -EADDRINUSE);
    assert_int_equal(beside(any6, both_families, one, plain), -EADDRINUSE);
    assert_int_equal(beside(one, plain, any6, both_families), -EADDRINUSE);
    assert_int_equal(beside(one6, plain, one, plain), 0);
    assert_int_equal(beside(one6, plain, any6, plain), -EADDRINUSE);
}

static void an_address_of_somebody_else(void)
{
    struct backend_endpoint at = ip("198.51.100.1", 0);

    assert_int_equal(try_open(&ends[0], &at, NULL, &plain), -EADDRNOTAVAIL);
}

static void from_an_address_of_its_own(void)
{
    struct end *a = open_at(0, ip("0.0.0.0", 0)), *b = open_at(1, ip("127.0.0.1", 0));
    struct backend_endpoint to = place_of(b, "127.0.0.1");
    weft_datagram one = {.bytes = WEFT_BYTES("from 7"), .peer = to.address, .local = ip("127.0.0.7", 0).address};
    int status;

    assert_int_equal(a->handle.transport->send(backend, &a->handle, &one, 1), 1);
    told(b, 1, "from 7");
    assert_int_equal(b->peer.ip[3], 7);
    one.local = ip("198.51.100.1", 0).address;
    status = a->handle.transport->send(backend, &a->handle, &one, 1);
    assert_true(status == -ENETUNREACH || status == -EINVAL); /* as kernels have it */
}

/* -- what goes wrong -- */

static void a_refusal_is_told_to_whoever_is_connected(void)
{
    struct end *a = open_at(0, ip("127.0.0.1", 0)), *b = open_to(1, place_of(a, "127.0.0.1"));
    struct end *c = open_at(2, ip("127.0.0.1", 0));
    struct backend_endpoint gone = place_of(a, "127.0.0.1");

    close_end(a);
    assert_int_equal(say(c, &gone, "anybody?"), 1);
    assert_int_equal(say(b, NULL, "anybody?"), 1);
    settle();
    assert_int_equal(b->failures, 1);
    assert_int_equal(b->failure, -ECONNREFUSED);
    assert_int_equal(c->failures, 0);
    assert_int_equal(say(b, NULL, "anybody?"), 1); /* it was told: this one is sent */
}

static void a_refusal_is_told_to_whoever_asks_first(void)
{
    struct end *a = open_at(0, ip("127.0.0.1", 0)), *b = open_to(1, place_of(a, "127.0.0.1"));
    struct backend_endpoint gone = place_of(a, "127.0.0.1");

    close_end(a);
    assert_int_equal(say(b, NULL, "anybody?"), 1);
    (void)backend->ops->wait(backend, WEFT_MILLISECONDS(20));
    assert_int_equal(say(b, NULL, "anybody?"), -ECONNREFUSED);
    a = open_at(0, gone);
    assert_int_equal(say(b, NULL, "you"), 1);
    told(a, 1, "you");
    assert_int_equal(b->failures, 0);
}

static void lengths(void)
{
    struct end *a = open_at(0, ip("127.0.0.1", 0)), *b = open_at(1, ip("127.0.0.1", 0));
    struct backend_endpoint to = place_of(b, "127.0.0.1");

    assert_int_equal(send_text(a, &to, "", 65507), 1);
    assert_int_equal(send_text(a, &to, "", 65508), -EMSGSIZE);
    told(b, 1, NULL);
}

static void peers_that_cannot_be(void)
{
    struct end *a = open_at(0, ip("127.0.0.1", 0)), *b = open_at(1, ip("::", 0));
    struct backend_endpoint to6 = ip("::1", 9), to4 = ip("127.0.0.1", 9), nowhere = ip("127.0.0.1", 0);
    struct backend_endpoint all = ip("255.255.255.255", 9);

    assert_int_equal(say(a, NULL, "nobody"), -EDESTADDRREQ);
    assert_int_equal(say(a, &to6, "another family"), -EAFNOSUPPORT);
    assert_int_equal(say(b, &to4, "IPv6 only"), -ENETUNREACH);
    assert_int_equal(say(a, &nowhere, "no port"), -EINVAL);
    assert_int_equal(say(a, &all, "not allowed"), -EACCES);
}

/* What a socket does not take out is bounded, and the rest is lost. */
static void a_full_socket_drops(void)
{
    struct backend_datagram_options small = {.receive_buffer = 10000, .v6_only = true};
    struct backend_endpoint at = ip("127.0.0.1", 0), to;
    struct end *a = open_at(0, at), *b = &ends[1];

    assert_int_equal(try_open(b, &at, NULL, &small), 0);
    to = place_of(b, "127.0.0.1");
    for (int i = 0; i < 100; i++)
        assert_int_equal(send_text(a, &to, "x", 100), 1);
    settle();
    receive(b, true);
    settle();
    assert_in_range(b->got, 10, 60);
}

/* -- UNIX sockets -- */

static char path_a[64], path_b[64];

static void unix_one_to_the_other(void)
{
    struct end *a = open_at(0, at_path(path_a)), *b = open_at(1, at_path(path_b));
    struct backend_endpoint to = at_path(path_b), nobody = at_path("/nonexistent/x"), gone;

    assert_int_equal(say(a, &to, "hello"), 1);
    told(b, 1, "hello");
    assert_int_equal(say(a, NULL, "nobody"), -ENOTCONN);
    assert_int_equal(say(a, &nobody, "no path"), -ENOENT);
    gone = at_path("@weft-conform-nobody");
    assert_int_equal(say(a, &gone, "no name"), -ECONNREFUSED);
    assert_int_equal(try_open(&ends[2], &to, NULL, &plain), -EADDRINUSE);
    close_end(b);
    assert_int_equal(say(a, &to, "gone"), -ECONNREFUSED);
}

static void unix_whose_peer_goes(void)
{
    struct end *a = open_at(0, at_path(path_a)), *b = open_to(1, at_path(path_a));

    assert_int_equal(say(b, NULL, "hello"), 1);
    told(a, 1, "hello");
    close_end(a);
    assert_int_equal(say(b, NULL, "gone"), -ECONNREFUSED);
}

static void unix_a_full_receiver(void)
{
    struct end *a = open_at(0, at_path(path_a)), *b = open_to(1, at_path(path_a)), *c = open_at(2, at_path(path_b));
    struct backend_endpoint to = at_path(path_a);
    int sent = 0;

    receive(a, false);
    while (sent < 100 && say(b, NULL, "more") == 1)
        sent++;
    assert_int_equal(sent, 11); /* net.unix.max_dgram_qlen, and one */
    assert_int_equal(say(b, NULL, "more"), BACKEND_LATER);
    assert_int_equal(say(c, &to, "more"), BACKEND_LATER);
    settle();
    assert_int_equal(b->rooms, 0);
    receive(a, true);
    told(a, 11, NULL);
    assert_int_equal(b->rooms, 1); /* who is connected is told */
    assert_int_equal(say(b, NULL, "now"), 1);
    told(a, 12, "now");
}

static void unix_of_a_pair_others_are_refused(void)
{
    struct end *a = open_at(0, at_path(path_a)), *b = open_at(1, at_path(path_b)), *c;
    struct backend_endpoint to = at_path(path_a), other = at_path(path_b);

    assert_int_equal(a->handle.transport->connect(backend, &a->handle, &other), 0);
    assert_int_equal(say(b, &to, "friend"), 1);
    told(a, 1, "friend");
    assert_int_equal(try_open(&ends[2], NULL, &to, &plain), -EPERM);
    c = open_at(3, at_path("@weft-conform-third"));
    assert_int_equal(say(c, &to, "stranger"), -EPERM);
}

/* -- running them -- */

static const struct {
    const char *name;
    void (*run)(void);
    bool near_only; /* nothing of it travels */
} cases[] = {
    {"from_one_to_the_other", from_one_to_the_other, false},
    {"what_came_before_somebody_receives_waits", what_came_before_somebody_receives_waits, false},
    {"connected_hears_its_peer_alone", connected_hears_its_peer_alone, false},
    {"a_port_that_nobody_asked_for_goes_with_the_peer", a_port_that_nobody_asked_for_goes_with_the_peer, false},
    {"the_nearest_gets_it", the_nearest_gets_it, false},
    {"who_may_be_beside_whom", who_may_be_beside_whom, false},
    {"an_address_of_somebody_else", an_address_of_somebody_else, false},
    {"from_an_address_of_its_own", from_an_address_of_its_own, false},
    {"a_refusal_is_told_to_whoever_is_connected", a_refusal_is_told_to_whoever_is_connected, false},
    {"a_refusal_is_told_to_whoever_asks_first", a_refusal_is_told_to_whoever_asks_first, false},
    {"lengths", lengths, false},
    {"peers_that_cannot_be", peers_that_cannot_be, false},
    {"a_full_socket_drops", a_full_socket_drops, false},
    {"unix_one_to_the_other", unix_one_to_the_other, true},
    {"unix_whose_peer_goes", unix_whose_peer_goes, true},
    {"unix_a_full_receiver", unix_a_full_receiver, true},
    {"unix_of_a_pair_others_are_refused", unix_of_a_pair_others_are_refused, true},
};
#define CASES (sizeof cases / sizeof *cases)

enum kind { EPOLL, POLL, URING, SIM, SIM_FAR, SIM_LATER, KINDS };
static const char *const kind_names[] = {"epoll", "poll", "io_uring", "sim", "sim, far", "sim, closing later"};

static void open_backend(enum kind kind, uint64_t seed)
{
    weft_faults faults = {0};
    int status;

    simulated = kind >= SIM;
    status = kind == EPOLL   ? backend_epoll_open(&backend)
             : kind == POLL  ? backend_poll_open(&backend)
             : kind == URING ? backend_uring_open(&backend)
                             : backend_sim_open(seed, &backend);
    assert_int_equal(status, 0);
    faults.latency[1] = kind == SIM_FAR ? WEFT_MILLISECONDS(3) : 0;
    faults.rare_paths = kind == SIM_LATER ? 1 : 0;
    if (simulated)
        sim_set_faults(backend, &faults);
}

static void run_case(void **state)
{
    static struct backend_host host;
    size_t number = (size_t)(uintptr_t)*state;
    enum kind kind = (enum kind)(number % KINDS);

    if (kind == SIM_FAR && cases[number / KINDS].near_only)
        return;
    for (uint64_t seed = 1; seed <= (kind > SIM ? 20 : 1); seed++) {
        support_set_context("%s on %s, seed %" PRIu64, cases[number / KINDS].name, kind_names[kind], seed);
        open_backend(kind, seed);
        backend->host = &host;
        snprintf(path_a, sizeof path_a, "@weft-conform-%ld-a", (long)getpid());
        snprintf(path_b, sizeof path_b, "@weft-conform-%ld-b", (long)getpid());
        cases[number / KINDS].run();
        for (size_t i = 0; i < SOCKETS; i++)
            if (ends[i].is_open)
                close_end(&ends[i]);
        backend->ops->close(backend);
        support_clear_context();
    }
}

int main(void)
{
    static struct CMUnitTest tests[CASES * KINDS];
    static char names[CASES * KINDS][120];

    for (size_t i = 0; i < CASES * KINDS; i++) {
        snprintf(names[i], sizeof names[i], "%s (%s)", cases[i / KINDS].name, kind_names[i % KINDS]);
        tests[i] = (struct CMUnitTest){.name = names[i],
                                       .test_func = run_case,
                                       .setup_func = support_setup,
                                       .teardown_func = support_teardown,
                                       .initial_state = (void *)(uintptr_t)i};
    }
    printf("%zu cases on each of %d\n", CASES, KINDS);
    return _cmocka_run_group_tests("conformance of datagrams", tests, CASES * KINDS, NULL, NULL);
}
