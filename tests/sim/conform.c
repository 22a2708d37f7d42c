/* SPDX-License-Identifier: MIT */
#include "sim/conform.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backend/sim.h"

#define TURNS 2000
#define QUIET_TURNS 30

static const struct conform_kind kinds[] = {
    {.name = "kernel, tcp", .net = CONFORM_TCP},
    {.name = "kernel, unix", .net = CONFORM_UNIX},
    {.name = "in memory", .net = CONFORM_MEMORY},
    {.name = "io_uring 6.1, tcp", .net = CONFORM_TCP, .uring = "6.1", .completes = true},
    {.name = "io_uring 6.1, unix", .net = CONFORM_UNIX, .uring = "6.1", .completes = true},
    {.name = "io_uring 6.10, tcp", .net = CONFORM_TCP, .uring = "6.10", .completes = true},
    {.name = "io_uring 6.10, unix", .net = CONFORM_UNIX, .uring = "6.10", .completes = true},
    {.name = "io_uring 6.15, tcp", .net = CONFORM_TCP, .uring = "6.15", .completes = true},
    {.name = "io_uring 6.15, unix", .net = CONFORM_UNIX, .uring = "6.15", .completes = true},
    {.name = "kernel, tcp, by poll", .net = CONFORM_TCP, .by_poll = true},
    {.name = "kernel, unix, by poll", .net = CONFORM_UNIX, .by_poll = true},
    {.name = "sim, tcp", .net = CONFORM_TCP, .simulated = true},
    {.name = "sim, unix", .net = CONFORM_UNIX, .simulated = true},
    {.name = "sim, in memory", .net = CONFORM_MEMORY, .simulated = true},
    {.name = "sim, tcp, far", .net = CONFORM_TCP, .simulated = true, .far = true},
    {.name = "sim, tcp, completing", .net = CONFORM_TCP, .simulated = true, .far = true, .completes = true},
    {.name = "sim, unix, completing", .net = CONFORM_UNIX, .simulated = true, .completes = true},
};
#define KINDS (sizeof kinds / sizeof *kinds)

static char pattern(uint64_t position)
{
    return (char)(position * 31 + (position >> 8) * 7 + (position >> 16));
}

/* -- what owners are told -- */

static const char *name_of(enum conform_what what)
{
    static const char *const names[] = {"nothing", "connected", "end", "failure", "sent", "missed"};
    return names[what];
}

static struct conform_end *end_of(struct backend_stream *stream)
{
    return weft_container_of(stream, struct conform_end, handle);
}

static void tell(struct conform_end *end, enum conform_what what, int64_t value)
{
    assert_true(end->is_open);
    assert_false(end->closing);
    assert_true(end->told_count < CONFORM_TOLD);
    end->told[end->told_count].what = what;
    end->told[end->told_count++].value = value;
}

static void on_connected(struct backend_stream *stream, int status)
{
    tell(end_of(stream), CONFORM_CONNECTED, status);
}

static void on_received(struct backend_stream *stream, weft_bytes bytes, int status)
{
    struct conform_end *end = end_of(stream);

    if (bytes.length == 0) {
        tell(end, status < 0 ? CONFORM_FAILURE : CONFORM_END, status);
        return;
    }
    assert_true(end->is_open);
    assert_false(end->closing);
    for (size_t i = 0; i < bytes.length; i++)
        assert_int_equal(bytes.data[i], pattern(end->got + i));
    end->got += bytes.length;
    if (end->closes_on_bytes)
        conform_close(end, false);
}

static void on_sent(struct backend_stream *stream, int64_t result)
{
    tell(end_of(stream), CONFORM_SENT, result);
}

static void on_closed(struct backend_stream *stream)
{
    struct conform_end *end = end_of(stream);

    assert_true(end->closing);
    end->closing = end->is_open = false;
}

static const struct backend_stream_events stream_events = {.connected = on_connected,
                                                           .received = on_received,
                                                           .sent = on_sent,
                                                           .closed = on_closed};

static struct conform_end *new_end(struct conform *conform)
{
    struct conform_end *end = &conform->ends[conform->end_count++];

    assert_true(conform->end_count <= CONFORM_ENDS);
    *end = (struct conform_end){.conform = conform, .is_open = true, .handle.events = &stream_events};
    return end;
}

static struct conform_place *place_of(struct backend_listener *listener)
{
    return weft_container_of(listener, struct conform_place, handle);
}

static bool on_wanted(struct backend_listener *listener)
{
    return place_of(listener)->is_open;
}

static void on_missed(struct backend_listener *listener)
{
    assert_true(place_of(listener)->is_open);
}

static struct backend_stream *on_accepted(struct backend_listener *listener, const weft_address *peer)
{
    struct conform_place *place = place_of(listener);
    struct conform_end *end;

    assert_true(place->is_open);
    if (place->refuse > 0) {
        place->refuse--;
        return NULL;
    }
    end = new_end(place->conform);
    end->peer = *peer;
    return &end->handle;
}

static void on_opened(struct backend_listener *listener, struct backend_stream *stream, int status)
{
    (void)listener;
    (void)stream;
    assert_int_equal(status, 0);
}

static void on_exhausted(struct backend_listener *listener, int status, unsigned shed)
{
    (void)listener;
    fail_msg("accepting failed: %d, %u shed", status, shed);
}

static const struct backend_listener_events listener_events = {.wanted = on_wanted,
                                                               .missed = on_missed,
                                                               .accepted = on_accepted,
                                                               .opened = on_opened,
                                                               .exhausted = on_exhausted};

/* -- time -- */

static void turn(struct conform *conform, weft_time timeout)
{
    int status = conform->waited ? 0 : conform->backend->ops->wait(conform->backend, timeout);

    assert_true(status == 0 || status == -EDEADLK); /* the simulator says so when nothing will happen */
    conform->waited = false;
    conform->backend->ops->dispatch(conform->backend);
}

void conform_settle(struct conform *conform)
{
    for (int i = 0; i < QUIET_TURNS; i++)
        turn(conform, conform->kind->simulated ? WEFT_MILLISECONDS(20) : 0);
}

void conform_wait_untold(struct conform *conform)
{
    for (int i = 0; i < (conform->kind->simulated ? QUIET_TURNS : 1); i++)
        (void)conform->backend->ops->wait(conform->backend, WEFT_MILLISECONDS(10));
    conform->waited = true;
}

static bool is_told(const struct conform_end *end)
{
    return end->told_count > 0;
}

static bool has_bytes(const struct conform_end *end)
{
    return end->got >= end->expected;
}

static void wait_until(const struct conform_end *end, bool (*condition)(const struct conform_end *end))
{
    for (int i = 0; i < TURNS && !condition(end) && (i == 0 || end->is_open); i++)
        turn(end->conform, WEFT_MILLISECONDS(10));
}

/* -- connections -- */

struct backend_endpoint conform_ip(const char *ip, uint16_t port)
{
    struct backend_endpoint at = {.address.port = port};
    bool v6 = strchr(ip, ':') != NULL;

    at.address.family = v6 ? WEFT_ADDRESS_IPV6 : WEFT_ADDRESS_IPV4;
    assert_int_equal(inet_pton(v6 ? AF_INET6 : AF_INET, ip, at.address.ip), 1);
    return at;
}

static struct backend_endpoint own_endpoint(const struct conform *conform)
{
    static char names[CONFORM_PLACES][64];
    static unsigned number;
    char *name = names[++number % CONFORM_PLACES];
    struct backend_endpoint at = conform_ip("127.0.0.1", 0);

    if (conform->kind->net == CONFORM_TCP)
        return at;
    snprintf(name, sizeof *names, "@weft-conform-%ld-%u", (long)getpid(), number);
    memset(&at, 0, sizeof at);
    at.address.family = conform->kind->net == CONFORM_UNIX ? WEFT_ADDRESS_UNIX : WEFT_ADDRESS_MEMORY;
    at.path = weft_bytes_from(name);
    return at;
}

struct conform_place *conform_listen_at(struct conform *conform, const struct backend_endpoint *at,
                                        const struct backend_socket_options *options, int *ret_status)
{
    struct conform_place *place = &conform->places[conform->place_count];
    struct backend *backend = conform->backend;

    *place = (struct conform_place){.conform = conform, .at = *at, .handle.events = &listener_events};
    *ret_status = backend->ops->listen(backend, &place->handle, at, options);
    if (*ret_status < 0)
        return NULL;
    conform->place_count++;
    assert_true(conform->place_count <= CONFORM_PLACES);
    place->is_open = true;
    if (conform->kind->net == CONFORM_TCP) {
        weft_address local;
        assert_int_equal(place->handle.listening->local(backend, &place->handle, &local), 0);
        assert_int_equal(local.family, at->address.family);
        assert_memory_equal(local.ip, at->address.ip, sizeof local.ip);
        assert_true(local.port != 0 && (local.port == at->address.port || at->address.port == 0));
        place->at.address.port = local.port;
    }
    return place;
}

struct conform_place *conform_listen(struct conform *conform, int backlog)
{
    struct backend_socket_options options = {.backlog = backlog};
    struct backend_endpoint at = own_endpoint(conform);
    int status;
    struct conform_place *place = conform_listen_at(conform, &at, &options, &status);

    assert_int_equal(status, 0);
    return place;
}

void conform_unlisten(struct conform_place *place)
{
    place->handle.listening->close(place->conform->backend, &place->handle);
    place->is_open = false;
    if (place == &place->conform->places[place->conform->place_count - 1])
        place->conform->place_count--;
}

struct conform_end *conform_connect(struct conform *conform, const struct backend_endpoint *to)
{
    static const struct backend_socket_options options = {0};
    struct conform_end *end = new_end(conform);

    assert_int_equal(conform->backend->ops->connect(conform->backend, &end->handle, to, &options), 0);
    return end;
}

struct conform_end *conform_accept(struct conform_place *place)
{
    struct conform *conform = place->conform;
    struct backend *backend = conform->backend;
    struct conform_end *end = new_end(conform);
    int status = 0;

    for (int i = 0; i < TURNS && status == 0; i++) {
        status = place->handle.listening->accept_one(backend, &place->handle, &end->handle, &end->peer);
        if (status == 0)
            turn(conform, WEFT_MILLISECONDS(10));
    }
    assert_int_equal(status, 1);
    return end;
}

void conform_pair(struct conform *conform, struct conform_end **ret_client, struct conform_end **ret_server)
{
    struct conform_place *place = conform_listen(conform, 10);

    *ret_client = conform_connect(conform, &place->at);
    *ret_server = conform_accept(place);
    conform_told(*ret_client, CONFORM_CONNECTED, 0);
}

/* -- what a case asks -- */

static int64_t completed(struct conform_end *end)
{
    conform_settle(end->conform);
    for (size_t i = 0; i < end->told_count; i++) {
        int64_t value = end->told[i].value;
        if (end->told[i].what != CONFORM_SENT)
            continue;
        memmove(&end->told[i], &end->told[i + 1], (--end->told_count - i) * sizeof *end->told);
        return value;
    }
    return BACKEND_LATER;
}

static int64_t send_once(struct conform_end *end, size_t length)
{
    char *bytes = malloc(length);
    struct backend *backend = end->conform->backend;
    weft_bytes run = weft_bytes_of(bytes, length);
    int64_t result;

    if (!bytes)
        abort();
    for (size_t i = 0; i < length; i++)
        bytes[i] = pattern(end->sent + i);
    result = end->handle.transport->send(backend, &end->handle, &run, 1, false);
    if (result == BACKEND_LATER && end->conform->kind->completes)
        result = completed(end);
    if (result > 0)
        end->sent += (uint64_t)result;
    free(bytes);
    return result;
}

/* Where sends complete later, some take a part only. */
int64_t conform_send(struct conform_end *end, size_t length)
{
    int64_t total = 0, sent;

    do {
        sent = send_once(end, length - (size_t)total);
        if (sent < 0)
            return total > 0 ? total : sent;
        total += sent;
    } while (end->conform->kind->completes && (size_t)total < length);
    return total;
}

uint64_t conform_fill(struct conform_end *end)
{
    uint64_t total = 0;
    int64_t sent;

    do {
        end->told_count = 0;
        while ((sent = send_once(end, 100000)) > 0)
            total += (uint64_t)sent;
        assert_int_equal(sent, BACKEND_LATER);
        conform_settle(end->conform);
    } while (end->told_count == 1 && end->told[0].what == CONFORM_SENT);
    return total;
}

void conform_receive(struct conform_end *end, bool on)
{
    const struct backend_transport *transport = end->handle.transport;

    (on ? transport->receive_start : transport->receive_stop)(end->conform->backend, &end->handle);
}

int conform_shutdown(struct conform_end *end)
{
    return end->handle.transport->shutdown(end->conform->backend, &end->handle);
}

void conform_close(struct conform_end *end, bool abort)
{
    end->closing = true;
    if (end->handle.transport->close(end->conform->backend, &end->handle, abort))
        end->closing = end->is_open = false;
}

/* -- what a case expects -- */

static void take_told(struct conform_end *end, enum conform_what what)
{
    wait_until(end, is_told);
    if (end->told_count == 0)
        fail_msg("end %td was not told: %s", end - end->conform->ends, name_of(what));
    if (end->told[0].what != what)
        fail_msg("end %td was told: %s %" PRId64 ", not: %s", end - end->conform->ends, name_of(end->told[0].what),
                 end->told[0].value, name_of(what));
}

static void forget_first(struct conform_end *end)
{
    memmove(end->told, end->told + 1, --end->told_count * sizeof *end->told);
}

void conform_told(struct conform_end *end, enum conform_what what, int64_t value)
{
    take_told(end, what);
    assert_int_equal(end->told[0].value, value);
    forget_first(end);
}

int64_t conform_told_one_of(struct conform_end *end, enum conform_what what, int64_t one, int64_t other)
{
    int64_t value;

    take_told(end, what);
    value = end->told[0].value;
    assert_true(value == one || value == other);
    forget_first(end);
    return value;
}

void conform_bytes(struct conform_end *end, uint64_t length)
{
    end->expected += length;
    wait_until(end, has_bytes);
    assert_int_equal(end->got, end->expected);
}

void conform_quiet(struct conform *conform)
{
    conform_settle(conform);
    for (size_t i = 0; i < conform->end_count; i++) {
        const struct conform_end *end = &conform->ends[i];
        if (end->told_count > 0)
            fail_msg("end %zu was told besides: %s %" PRId64, i, name_of(end->told[0].what), end->told[0].value);
        assert_int_equal(end->got, end->expected);
    }
}

/* -- running them -- */

struct conform_run {
    const struct conform_case *this;
    const struct conform_kind *kind;
    char name[160];
};

static void open_backend(struct conform *conform, uint64_t seed)
{
    weft_faults faults = {0};

    if (conform->kind->uring) {
        assert_int_equal(backend_uring_open_tier(conform->kind->uring, &conform->backend), 0);
    } else if (!conform->kind->simulated) {
        assert_int_equal((conform->kind->by_poll ? backend_poll_open : backend_epoll_open)(&conform->backend), 0);
    } else {
        assert_int_equal(backend_sim_open(seed, &conform->backend), 0);
        if (conform->kind->far)
            faults.latency[1] = WEFT_MILLISECONDS(3);
        faults.rare_paths = conform->kind->completes ? 1 : 0;
        sim_set_faults(conform->backend, &faults);
    }
    conform->backend->host = &conform->host;
}

static void end_case(struct conform *conform)
{
    conform_quiet(conform);
    for (size_t i = 0; i < conform->end_count; i++)
        if (conform->ends[i].is_open && !conform->ends[i].closing)
            conform_close(&conform->ends[i], true);
    for (size_t i = conform->place_count; i-- > 0;)
        if (conform->places[i].is_open)
            conform_unlisten(&conform->places[i]);
    conform_settle(conform);
    for (size_t i = 0; i < conform->end_count; i++)
        assert_false(conform->ends[i].is_open);
}

static void run_case(void **state)
{
    const struct conform_run *run = *state;

    for (uint64_t seed = 1; seed <= (run->kind->simulated && (run->kind->far || run->kind->completes) ? 20 : 1);
         seed++) {
        struct conform *conform = calloc(1, sizeof *conform);
        if (!conform)
            abort();
        support_set_context("%s, seed %" PRIu64, run->name, seed);
        conform->kind = run->kind;
        open_backend(conform, seed);
        run->this->run(conform);
        end_case(conform);
        conform->backend->ops->close(conform->backend);
        support_clear_context();
        free(conform);
    }
}

int conform_main(const struct conform_case *cases, size_t count)
{
    struct conform_run *runs = calloc(count * KINDS, sizeof *runs);
    struct CMUnitTest *tests = calloc(count * KINDS, sizeof *tests);
    size_t made = 0, on[KINDS] = {0};
    int failed;

    if (!runs || !tests)
        abort();
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < KINDS; k++) {
            if (!(cases[i].where & kinds[k].net) || ((cases[i].where & CONFORM_AT_ONCE) && kinds[k].completes))
                continue;
            runs[made] = (struct conform_run){.this = &cases[i], .kind = &kinds[k]};
            snprintf(runs[made].name, sizeof runs[made].name, "%s (%s)", cases[i].name, kinds[k].name);
            tests[made] = (struct CMUnitTest){.name = runs[made].name,
                                              .test_func = run_case,
                                              .setup_func = support_setup,
                                              .teardown_func = support_teardown,
                                              .initial_state = &runs[made]};
            made++;
            on[k]++;
        }
    }
    for (size_t k = 0; k < KINDS; k++)
        printf("%zu cases: %s\n", on[k], kinds[k].name);
    failed = _cmocka_run_group_tests("conformance", tests, made, NULL, NULL);
    free(tests);
    free(runs);
    return failed;
}
