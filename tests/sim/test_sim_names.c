/* SPDX-License-Identifier: MIT */
/* Names in a simulated world: what they lead to, how they fail, and streams that connect to them. */
#include "support/support.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <weft/log.h>
#include <weft/serve.h>
#include <weft/sim.h>
#include <weft/task.h>
#include <weft/task_stream.h>

#include "net/names.h"

static struct looked {
    unsigned calls;
    int status;
    size_t count;
    weft_address addresses[NAMES_MOST];
    weft_time when;
    weft_sim *sim;
} looked;

static void note(void *arg, int status, const weft_address *addresses, size_t count)
{
    (void)arg;
    looked.calls++;
    looked.status = status;
    looked.count = count;
    looked.when = weft_sim_now(looked.sim);
    if (count > 0)
        memcpy(looked.addresses, addresses, count * sizeof *addresses);
}

static struct names_lookup *look_up(weft_sim *sim, weft_scope *scope, const char *name)
{
    struct names_lookup *lookup;

    memset(&looked, 0, sizeof looked);
    looked.sim = sim;
    assert_int_equal(names_start(scope, weft_bytes_from(name), note, NULL, &lookup), 0);
    return lookup;
}

static void assert_address(const weft_address *address, const char *expected)
{
    char text[WEFT_ADDRESS_TEXT];

    weft_address_text(address, text);
    assert_string_equal(text, expected);
}

static void names_of_hosts_lead_to_their_addresses(void **state)
{
    static const char *const known[] = {"b.example", "B.Example", "b.example."};
    static const char *const unknown[] = {"c.example", "example", "b.example.com", "localhost.example"};
    weft_sim *sim = weft_sim_new(1);
    weft_loop *a = weft_sim_host(sim, "a.example"), *b = weft_sim_host(sim, "b.example");

    (void)state;
    assert_non_null(b);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        look_up(sim, weft_loop_scope(a), known[i]);
        assert_int_equal(weft_sim_run(sim, WEFT_MINUTES(1)), 0);
        assert_int_equal(looked.calls, 1);
        assert_int_equal(looked.count, 2);
        assert_address(&looked.addresses[0], "10.0.0.2:0");
        assert_address(&looked.addresses[1], "[fd00::2]:0");
    }
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
        look_up(sim, weft_loop_scope(a), unknown[i]);
        assert_int_equal(weft_sim_run(sim, WEFT_MINUTES(1)), 0);
        assert_int_equal(looked.status, WEFT_ENONAME);
    }
    look_up(sim, weft_loop_scope(a), "x.localhost");
    assert_int_equal(weft_sim_run(sim, WEFT_MINUTES(1)), 0);
    assert_address(&looked.addresses[0], "[::1]:0");
    assert_address(&looked.addresses[1], "127.0.0.1:0");
    weft_sim_free(sim);
}

static void look_ups_fail_in_both_ways(void **state)
{
    weft_sim *sim = weft_sim_new(1);
    weft_loop *a = weft_sim_host(sim, "a.example");
    unsigned later = 0, never = 0;

    (void)state;
    assert_int_equal(weft_sim_faults(sim, &(weft_faults){.size = sizeof(weft_faults), .name_failures = 1000000}), 0);
    for (int i = 0; i < 40; i++) {
        look_up(sim, weft_loop_scope(a), "a.example");
        assert_int_equal(weft_sim_run(sim, WEFT_MINUTES(1)), 0);
        assert_int_equal(looked.calls, 1);
        later += looked.status == WEFT_ENAMETRY;
        never += looked.status == WEFT_ENONAME;
    }
    assert_true(later > 0 && never > 0);
    assert_int_equal(later + never, 40);
    weft_sim_free(sim);
}

static void a_look_up_may_be_late_and_given_up(void **state)
{
    weft_sim *sim = weft_sim_new(1);
    weft_loop *a = weft_sim_host(sim, "a.example");
    weft_time latest = 0;
    weft_scope *scope;

    (void)state;
    assert_int_equal(weft_sim_faults(sim, &(weft_faults){.size = sizeof(weft_faults), .slow_names = 1000000}), 0);
    for (int i = 0; i < 40; i++) {
        weft_time began = weft_sim_now(sim);

        look_up(sim, weft_loop_scope(a), "a.example");
        assert_int_equal(weft_sim_run(sim, WEFT_MINUTES(1)), 0);
        assert_int_equal(looked.count, 2);
        if (looked.when - began > latest)
            latest = looked.when - began;
    }
    assert_true(latest > WEFT_SECONDS(20) && latest <= WEFT_SECONDS(30));
    scope = weft_scope_open(weft_loop_scope(a), WEFT_NEVER);
    assert_non_null(scope);
    look_up(sim, scope, "a.example");
    latest = weft_sim_now(sim);
    weft_scope_close(scope);
    assert_int_equal(weft_sim_run(sim, WEFT_MINUTES(1)), 0);
    assert_int_equal(looked.calls, 1);
    assert_int_equal(looked.status, WEFT_ECANCELED);
    assert_int_equal(looked.when, latest);
    weft_sim_free(sim);
}

/* -- streams that connect to a name -- */

static const char *server_url, *client_url;
static int connected, answered;
static weft_time connecting_took;

static void echo(weft_stream *peer, void *arg)
{
    weft_bytes in;

    (void)arg;
    while (weft_read(peer, &in) > 0 && weft_write(peer, in) == 0)
        ;
}

static int server_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    return weft_serve(server_url, echo, NULL);
}

static void talk(weft_task *me, void *arg)
{
    weft_scope *scope = weft_task_scope(me);
    weft_time began = weft_loop_now(weft_scope_loop(scope));
    weft_stream *peer;
    weft_bytes in;

    (void)arg;
    connected = weft_connect(scope, client_url, NULL, &peer);
    connecting_took = weft_loop_now(weft_scope_loop(scope)) - began;
    if (connected == 0 && weft_write(peer, weft_bytes_from("hello")) == 0 && weft_read_exactly(peer, 5, &in) == 5)
        answered++;
}

static int client_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    return weft_run(talk, NULL);
}

static uint64_t meet(uint64_t seed, const char *at, const char *to, const weft_faults *faults)
{
    static char name[] = "program", *arguments[] = {name, NULL};
    weft_sim *sim = weft_sim_new(seed);
    uint64_t hash;

    server_url = at;
    client_url = to;
    connected = 1;
    answered = 0;
    assert_int_equal(weft_sim_program(sim, "server.example", server_main, arguments), 0);
    assert_true(weft_sim_run(sim, WEFT_SECONDS(1)) >= 0);
    if (faults)
        assert_int_equal(weft_sim_faults(sim, faults), 0);
    assert_int_equal(weft_sim_program(sim, "client.example", client_main, arguments), 0);
    assert_true(weft_sim_run(sim, WEFT_MINUTES(10)) >= 0);
    assert_int_equal(weft_sim_program_status(sim, "client.example"), 0);
    weft_sim_calm(sim);
    assert_int_equal(weft_sim_signal(sim, "server.example", SIGTERM), 0);
    assert_int_equal(weft_sim_run(sim, WEFT_HOURS(2)), 0);
    hash = weft_sim_hash(sim);
    weft_sim_free(sim);
    return hash;
}

static void a_stream_connects_to_a_name(void **state)
{
    (void)state;
    meet(1, "tcp://0.0.0.0:7", "tcp://server.example:7", NULL);
    assert_int_equal(connected, 0);
    assert_int_equal(answered, 1);
}

static void the_next_address_is_tried(void **state)
{
    (void)state;
    meet(1, "tcp://[fd00::1]:7", "tcp://Server.Example:7", NULL); /* nobody listens at its first, 10.0.0.1 */
    assert_int_equal(connected, 0);
    assert_int_equal(answered, 1);
}

static void the_first_failure_is_told(void **state)
{
    (void)state;
    meet(1, "tcp://0.0.0.0:7", "tcp://server.example:8", NULL);
    assert_int_equal(connected, -ECONNREFUSED);
    meet(1, "tcp://0.0.0.0:7", "tcp://nowhere.example:7", NULL);
    assert_int_equal(connected, WEFT_ENONAME);
    meet(1, "tcp://0.0.0.0:7", "tcp://x.localhost:7", NULL); /* of the client */
    assert_int_equal(connected, -ECONNREFUSED);
    meet(1, "tcp://0.0.0.0:7", "tcp://127.1:7", NULL);
    assert_int_equal(connected, WEFT_EURL);
}

static void the_deadline_holds_for_the_name_and_all_addresses(void **state)
{
    unsigned gave_up = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        meet(seed, "tcp://0.0.0.0:7", "tcp://server.example:7",
             &(weft_faults){.size = sizeof(weft_faults), .slow_names = 500000, .connect_timeouts = 500000});
        assert_true(connected == 0 || connected == WEFT_ECONNECTTIME);
        assert_true(connecting_took <= WEFT_SECONDS(31));
        gave_up += connected == WEFT_ECONNECTTIME;
    }
    assert_true(gave_up > 0 && gave_up < 20);
}

static void every_fault_on_the_way_is_survived(void **state)
{
    unsigned reached = 0, failed = 0;

    (void)state;
    weft_log_set_threshold(WEFT_LOG_ERROR);
    for (uint64_t seed = 1; seed <= 200; seed++) {
        weft_faults faults = {.size = sizeof faults,
                              .latency = {0, WEFT_MILLISECONDS(50)},
                              .name_failures = 100000,
                              .slow_names = 300000,
                              .refusals = 300000,
                              .connect_timeouts = 100000,
                              .descriptors = 100000,
                              .buffers = 100000,
                              .rare_paths = 300000,
                              .resets = 50000};
        uint64_t hash;

        support_set_context("seed %" PRIu64, seed);
        hash = meet(seed, "tcp://:7", "tcp://server.example:7", &faults);
        reached += connected == 0;
        failed += connected < 0;
        assert_true(meet(seed, "tcp://:7", "tcp://server.example:7", &faults) == hash);
        support_clear_context();
    }
    weft_log_set_threshold(WEFT_LOG_INFO);
    assert_int_equal(reached + failed, 200);
    assert_true(reached > 20 && failed > 20);
}

/* -- memory that fails -- */

static struct {
    weft_protocol protocol;
    unsigned lost;
    int reason;
} client;

static void client_lost(weft_protocol *protocol, weft_stream *stream, int reason)
{
    (void)protocol;
    (void)stream;
    client.lost++;
    client.reason = reason;
}

static const weft_protocol_ops client_ops = {.name = "client",
                                             .lost = client_lost,
                                             .not_handed_over = "it is a test's"};

static void connect_and_fail(void *arg)
{
    weft_loop_options options = {.size = sizeof options, .backend = "sim:1"};
    weft_loop *loop;
    int status;

    client.protocol.ops = &client_ops;
    client.lost = 0;
    if (weft_loop_new(&options, &loop) < 0)
        return;
    status = weft_stream_connect(weft_loop_scope(loop), arg, &client.protocol, NULL, NULL, NULL);
    if (status == 0) {
        assert_int_equal(weft_loop_run(loop), 0);
        assert_int_equal(client.lost, 1);
        status = client.reason;
    }
    assert_true(status == WEFT_ENOMEM || status == WEFT_ENONAME || status == -ECONNREFUSED);
    weft_loop_free(loop);
    assert_true(support_injected() > 0 || status != WEFT_ENOMEM);
}

static void connecting_to_a_name_survives_every_failed_allocation(void **state)
{
    static char unknown[] = "tcp://nowhere.example:7", refused[] = "tcp://x.localhost:7";

    (void)state;
    assert_true(support_torture(connect_and_fail, unknown) > 3);
    assert_true(support_torture(connect_and_fail, refused) > 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        support_test(names_of_hosts_lead_to_their_addresses),
        support_test(look_ups_fail_in_both_ways),
        support_test(a_look_up_may_be_late_and_given_up),
        support_test(a_stream_connects_to_a_name),
        support_test(the_next_address_is_tried),
        support_test(the_first_failure_is_told),
        support_test(the_deadline_holds_for_the_name_and_all_addresses),
        support_test(every_fault_on_the_way_is_survived),
        support_test(connecting_to_a_name_survives_every_failed_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
