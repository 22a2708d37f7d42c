/* SPDX-License-Identifier: MIT */
/* What weft/sim.h promises of every world: what its hash covers, that faults leave a way on, that nothing is dropped. */
#include "support/support.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <weft/listener.h>
#include <weft/probe.h>
#include <weft/serve.h>
#include <weft/sim.h>
#include <weft/task.h>
#include <weft/task_stream.h>
#include <weft/timer.h>

#include "backend/sim.h"
#include "backend/sim/world.h"
#include "loop/loop_internal.h"

/* -- a dialogue -- */

static const char *words;
static bool answered;

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
    return weft_serve("tcp://0.0.0.0:7", echo, NULL);
}

static void talk(weft_task *me, void *arg)
{
    weft_stream *peer;
    weft_bytes in;

    (void)arg;
    if (weft_connect(weft_task_scope(me), "tcp://10.0.0.1:7", NULL, &peer) < 0 ||
        weft_write(peer, weft_bytes_from(words)) < 0)
        return;
    answered = weft_read_exactly(peer, strlen(words), &in) > 0;
    (void)weft_close(peer);
}

/* The hash of a run in which @p text is said. */
static uint64_t say(const char *text, const weft_faults *faults)
{
    static char name[] = "program", *arguments[] = {name, NULL};
    weft_sim *sim = weft_sim_new(1);
    weft_loop *client;
    uint64_t hash;

    words = text;
    answered = false;
    assert_int_equal(weft_sim_program(sim, "server", server_main, arguments), 0);
    assert_int_equal(weft_sim_run(sim, WEFT_SECONDS(1)), 0);
    client = weft_sim_host(sim, "client");
    assert_int_equal(weft_sim_faults(sim, faults), 0);
    assert_int_equal(weft_spawn(weft_loop_scope(client), talk, NULL), 0);
    assert_int_equal(weft_sim_run(sim, WEFT_MINUTES(1)), 0);
    hash = weft_sim_hash(sim);
    weft_sim_free(sim);
    return hash;
}

static const weft_faults kind_world = {.size = sizeof kind_world};

static void the_hash_covers_the_bytes_that_are_sent(void **state)
{
    (void)state;
    assert_int_equal(say("a word", &kind_world), say("a word", &kind_world));
    assert_int_not_equal(say("a word", &kind_world), say("a work", &kind_world));
    assert_int_not_equal(say("a word of more than eight", &kind_world), say("a word of more then eight", &kind_world));
}

/* -- faults that happen on every occasion -- */

static void sends_that_are_refused_go_out_in_the_end(void **state)
{
    static const weft_faults always = {.size = sizeof always, .refused_writes = 1000000};

    (void)state;
    say("a word", &always);
    assert_true(answered);
}

static void loops_that_wake_up_for_nothing_come_to_what_they_wait_for(void **state)
{
    static const weft_faults always = {.size = sizeof always, .spurious_wakeups = 1000000};

    (void)state;
    say("a word", &always);
    assert_true(answered);
}

static bool fired;

static void fire(weft_timer *timer)
{
    (void)timer;
    fired = true;
}

static void so_does_one_that_is_alone(void **state)
{
    static const weft_faults always = {.size = sizeof always, .spurious_wakeups = 1000000};
    weft_loop_options options = {.size = sizeof options, .backend = "sim:1", .watchdog = WEFT_NEVER};
    weft_timer timer;
    weft_loop *loop;

    (void)state;
    fired = false;
    assert_int_equal(weft_loop_new(&options, &loop), 0);
    sim_set_faults(loop->backend, &always);
    assert_int_equal(weft_timer_init(&timer, weft_loop_scope(loop), fire), 0);
    weft_timer_start(&timer, WEFT_SECONDS(1));
    assert_int_equal(weft_loop_run(loop), 0);
    assert_true(fired);
    weft_loop_free(loop);
}

/* -- time -- */

/* A loop that wakes up late is not there yet when the time is over. */
static void a_run_ends_when_its_time_has_passed(void **state)
{
    static const weft_faults late = {.size = sizeof late, .late_timers = 1000000};
    weft_sim *sim = weft_sim_new(1);
    weft_loop *loop = weft_sim_host(sim, "host");

    (void)state;
    assert_int_equal(weft_sim_faults(sim, &late), 0);
    for (int i = 1; i <= 100; i++) {
        weft_timer timer;
        assert_int_equal(weft_timer_init(&timer, weft_loop_scope(loop), fire), 0);
        weft_timer_start(&timer, WEFT_MILLISECONDS(100));
        assert_true(weft_sim_run(sim, WEFT_MILLISECONDS(100)) >= 0);
        assert_true(weft_sim_now(sim) <= i * WEFT_MILLISECONDS(100));
        weft_timer_fini(&timer);
    }
    weft_sim_free(sim);
}

static bool keep_none(uint64_t number, void *arg)
{
    (void)number;
    (void)arg;
    return false;
}

static void faults_that_are_left_out_have_not_fired(void **state)
{
    static const weft_faults late = {.size = sizeof late, .late_timers = 1000000};
    weft_sim *sim = weft_sim_new(1);
    weft_loop *loop = weft_sim_host(sim, "host");
    weft_sim_counts counts;
    uint64_t fired_before = 0;
    weft_timer timer;

    (void)state;
    assert_int_equal(weft_sim_faults(sim, &late), 0);
    assert_int_equal(weft_timer_init(&timer, weft_loop_scope(loop), fire), 0);
    for (int i = 0; i < 2; i++) {
        weft_timer_start(&timer, WEFT_SECONDS(1));
        assert_int_equal(weft_sim_run(sim, WEFT_SECONDS(2)), 0);
        weft_sim_count(sim, &counts);
        assert_true(counts.faults > 0 && (fired_before == 0 || counts.faults == fired_before));
        fired_before = counts.faults;
        weft_sim_keep(sim, keep_none, NULL);
    }
    weft_sim_free(sim);
}

/* -- programs, probes, ports -- */

static int returns_3(int argc, char **argv)
{
    (void)argv;
    return argc + 2;
}

/* It is the one that was started last that is asked for. */
static void a_program_can_be_started_again_when_it_has_ended(void **state)
{
    static char name[] = "program", *arguments[] = {name, NULL};
    weft_sim *sim = weft_sim_new(1);

    (void)state;
    assert_int_equal(weft_sim_program(sim, "host", returns_3, arguments), 0);
    assert_int_equal(weft_sim_run(sim, WEFT_SECONDS(1)), 0);
    assert_int_equal(weft_sim_program_status(sim, "host"), 3);
    assert_int_equal(weft_sim_program(sim, "host", server_main, arguments), 0);
    assert_int_equal(weft_sim_program_status(sim, "host"), -EINPROGRESS);
    assert_int_equal(weft_sim_run(sim, WEFT_SECONDS(1)), 0);
    assert_int_equal(weft_sim_program_status(sim, "host"), -EINPROGRESS);
    weft_sim_free(sim);
}

static unsigned asked, posted;

static const char *ask(weft_sim_check *check)
{
    (void)check;
    asked++;
    return NULL;
}

static void post_again(weft_post *post)
{
    weft_loop *loop = *(weft_loop **)(post + 1);

    if (++posted < 1000)
        weft_loop_post(loop, post);
}

/* Has something to do in each of 1000 turns. */
static int is_busy(int argc, char **argv)
{
    struct {
        weft_post post;
        weft_loop *loop;
    } busy = {.post = {.run = post_again}};
    int status;

    (void)argc;
    (void)argv;
    if (weft_loop_new(NULL, &busy.loop) < 0)
        return 1;
    weft_loop_post(busy.loop, &busy.post);
    status = weft_loop_run(busy.loop);
    weft_loop_free(busy.loop);
    return status < 0;
}

static void checks_are_asked_and_others_run_while_one_is_busy(void **state)
{
    static char name[] = "program", *arguments[] = {name, NULL};
    weft_sim *sim = weft_sim_new(1);
    weft_sim_check check = {.broken = ask};

    (void)state;
    asked = posted = 0;
    weft_sim_add_check(sim, &check);
    assert_int_equal(weft_sim_program(sim, "host", is_busy, arguments), 0);
    assert_int_equal(weft_sim_run(sim, WEFT_SECONDS(1)), 0);
    assert_int_equal(weft_sim_program_status(sim, "host"), 0);
    assert_int_equal(posted, 1000);
    assert_true(asked >= 1000);
    weft_sim_free(sim);
}

static void one_that_has_ended_does_not_wake_up(void **state)
{
    static const weft_faults always = {.size = sizeof always, .spurious_wakeups = 1000000};
    static char name[] = "program", *arguments[] = {name, NULL};
    weft_sim *sim = weft_sim_new(1);
    weft_loop *loop;
    weft_timer timer;

    (void)state;
    fired = false;
    assert_int_equal(weft_sim_faults(sim, &always), 0);
    assert_int_equal(weft_sim_program(sim, "host", returns_3, arguments), 0);
    loop = weft_sim_host(sim, "another");
    assert_int_equal(weft_timer_init(&timer, weft_loop_scope(loop), fire), 0);
    weft_timer_start(&timer, WEFT_SECONDS(1));
    assert_int_equal(weft_sim_run(sim, WEFT_SECONDS(2)), 0);
    assert_true(fired);
    weft_sim_free(sim);
}

#define PROBES 1000

static char names[PROBES][16];

static void reach_all(weft_timer *timer)
{
    (void)timer;
    for (int i = 0; i < PROBES; i++)
        WEFT_PROBE(names[i]);
}

static void no_probe_is_forgotten(void **state)
{
    weft_sim *sim = weft_sim_new(1);
    weft_loop *loop = weft_sim_host(sim, "host");
    weft_timer timer;

    (void)state;
    for (int i = 0; i < PROBES; i++)
        (void)snprintf(names[i], sizeof names[i], "probe %d", i);
    assert_int_equal(weft_timer_init(&timer, weft_loop_scope(loop), reach_all), 0);
    for (int i = 0; i < 2; i++) {
        weft_timer_start(&timer, WEFT_SECONDS(1));
        assert_int_equal(weft_sim_run(sim, WEFT_SECONDS(2)), 0);
    }
    for (int i = 0; i < PROBES; i++)
        assert_int_equal(weft_sim_reached(sim, names[i]), 2);
    assert_int_equal(weft_sim_reached(sim, "another"), 0);
    weft_sim_free(sim);
}

static void a_port_that_is_chosen_is_never_0(void **state)
{
    static const weft_factory_ops ops;
    weft_factory factory = {&ops};
    weft_sim *sim = weft_sim_new(1);
    weft_loop *loop = weft_sim_host(sim, "host");

    (void)state;
    sim_backend_of(loop->backend)->host->next_port = UINT16_MAX - 1;
    for (int i = 0; i < 4; i++) {
        weft_listener *listener;
        char url[WEFT_LISTENER_URL];

        assert_int_equal(weft_listen(weft_loop_scope(loop), "tcp://127.0.0.1:0", &factory, NULL, &listener, NULL), 0);
        weft_listener_url(listener, NULL, url);
        if (strtol(strrchr(url, ':') + 1, NULL, 10) < 49152)
            fail_msg("it listens at %s", url);
    }
    weft_sim_free(sim);
}

/* -- what is asked of it in an odd way -- */

static void a_draw_below_nothing_is_0(void **state)
{
    weft_sim *sim = weft_sim_new(1), *other = weft_sim_new(1);

    (void)state;
    assert_true(weft_sim_draw(sim, 0) == 0);
    assert_true(weft_sim_draw(sim, 1000000) == weft_sim_draw(other, 1000000));
    weft_sim_free(other);
    weft_sim_free(sim);
}

struct counted {
    weft_sim_check check;
    unsigned asked;
};

static void do_nothing(weft_post *post)
{
    (void)post;
}

static const char *count_asking(weft_sim_check *check)
{
    weft_container_of(check, struct counted, check)->asked++;
    return NULL;
}

static void a_check_that_is_added_twice_is_asked_once(void **state)
{
    struct counted one = {.check.broken = count_asking}, other = {.check.broken = count_asking};
    weft_sim *sim = weft_sim_new(1);
    weft_post post = {.run = do_nothing};

    (void)state;
    weft_loop_post(weft_sim_host(sim, "host"), &post);
    weft_sim_add_check(sim, &one.check);
    weft_sim_add_check(sim, &other.check);
    weft_sim_add_check(sim, &one.check);
    assert_int_equal(weft_sim_run(sim, WEFT_SECONDS(1)), 0);
    assert_true(one.asked > 0);
    assert_int_equal(one.asked, other.asked);
    weft_sim_free(sim);
}

/* -- who is stuck -- */

static weft_task_function *awaited;

static int wait_for_its_end(weft_task *me, void *arg)
{
    (void)arg;
    return weft_wait(weft_spawn_done(weft_task_scope(me), awaited, NULL));
}

static int wait_for_time(weft_task *me, void *arg)
{
    (void)me;
    (void)arg;
    return weft_sleep(WEFT_NEVER);
}

static int wait_for_answers(weft_task *me, void *arg)
{
    weft_acceptor *acceptor;
    weft_stream *peer;
    int status = weft_acceptor_open(weft_task_scope(me), "tcp://0.0.0.0:7", NULL, &acceptor, NULL);

    (void)arg;
    return status < 0 ? status : weft_accept(acceptor, weft_task_scope(me), &peer);
}

static int wait_for_a_deferred(weft_task *me, void *arg)
{
    weft_done never = weft_deferred_new(weft_done, weft_task_scope(me));

    (void)arg;
    return weft_wait(never);
}

static void note_line(const char *text, void *arg)
{
    snprintf(arg, 200, "%s", text);
}

/* How many are stuck when @p task, and who waits for its end, have come as far as they get. */
static size_t stuck(weft_task_function *task, char line[200])
{
    weft_sim *sim = weft_sim_new(1);
    weft_loop *loop = weft_sim_host(sim, "host");
    size_t count;

    awaited = task;
    assert_non_null(weft_spawn_done(weft_loop_scope(loop), wait_for_its_end, NULL).deferred);
    assert_int_equal(weft_sim_stuck(sim, NULL, NULL), 0); /* it has not begun */
    assert_int_equal(weft_sim_run(sim, WEFT_MINUTES(10)), 0);
    count = weft_sim_stuck(sim, note_line, line);
    weft_sim_free(sim);
    return count;
}

static void tasks_that_nothing_can_wake_are_stuck(void **state)
{
    char line[200] = "";

    (void)state;
    assert_int_equal(stuck(wait_for_a_deferred, line), 1);
    assert_memory_equal(line, "host: task \"", 12);
    assert_non_null(strstr(line, "waits for a deferred (weft_done) at "));
    assert_int_equal(stuck(wait_for_time, line), 0);
    assert_int_equal(stuck(wait_for_answers, line), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        support_test(the_hash_covers_the_bytes_that_are_sent),
        support_test(sends_that_are_refused_go_out_in_the_end),
        support_test(loops_that_wake_up_for_nothing_come_to_what_they_wait_for),
        support_test(so_does_one_that_is_alone),
        support_test(a_run_ends_when_its_time_has_passed),
        support_test(faults_that_are_left_out_have_not_fired),
        support_test(a_program_can_be_started_again_when_it_has_ended),
        support_test(checks_are_asked_and_others_run_while_one_is_busy),
        support_test(one_that_has_ended_does_not_wake_up),
        support_test(no_probe_is_forgotten),
        support_test(a_draw_below_nothing_is_0),
        support_test(a_check_that_is_added_twice_is_asked_once),
        support_test(tasks_that_nothing_can_wake_are_stuck),
        support_test(a_port_that_is_chosen_is_never_0),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
