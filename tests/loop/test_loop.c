/* SPDX-License-Identifier: MIT */
#include <weft/loop.h>

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "backend/sim.h"
#include "loop/loop_internal.h"
#include "loop/loop_test.h"

#define MS WEFT_MILLISECONDS(1)

static char order[64];

static void write_letter(char letter)
{
    size_t length = strlen(order);

    assert_true(length + 1 < sizeof order);
    order[length] = letter;
    order[length + 1] = '\0';
}

static size_t open_descriptors(void)
{
    DIR *directory = opendir("/proc/self/fd");
    size_t count = 0;

    assert_non_null(directory);
    while (readdir(directory))
        count++;
    closedir(directory);
    return count;
}

static void nothing(weft_timer *timer)
{
    (void)timer;
}

/* -- what is kept with it -- */

struct kept {
    struct loop_slot slot;
    char letter;
};

static void kept_destroy(struct loop_slot *slot)
{
    write_letter(weft_container_of(slot, struct kept, slot)->letter);
}

static void what_is_kept_with_a_loop_is_found_and_goes_with_it(void **state)
{
    static const char kinds[4];
    struct kept kept[] = {{.letter = 'a'}, {.letter = 'b'}, {.letter = 'c'}, {.letter = 'd'}};
    weft_loop *loop = loop_on_sim(), *other = loop_on_sim();

    (void)state;
    order[0] = '\0';
    loop_slot_leave(&kept[0].slot);
    for (size_t i = 0; i < 4; i++) {
        assert_null(loop_slot_find(loop, &kinds[i]));
        loop_slot_enter(loop, &kept[i].slot, &kinds[i], i == 1 ? NULL : kept_destroy);
    }
    for (size_t i = 0; i < 4; i++) {
        assert_ptr_equal(loop_slot_find(loop, &kinds[i]), &kept[i].slot);
        assert_null(loop_slot_find(other, &kinds[i]));
    }
    loop_slot_leave(&kept[2].slot);
    loop_slot_leave(&kept[2].slot);
    assert_null(loop_slot_find(loop, &kinds[2]));
    weft_loop_free(other);
    assert_string_equal(order, "");
    weft_loop_free(loop);
    assert_string_equal(order, "da");
}

/* -- making one -- */

static int try_backend(const char *option, const char *environment, const char *expected)
{
    weft_loop_options options = {.size = sizeof options, .backend = option};
    weft_loop *loop = NULL;
    int status;

    if (environment)
        setenv("WEFT_BACKEND", environment, 1);
    status = weft_loop_new(&options, &loop);
    unsetenv("WEFT_BACKEND");
    if (status == 0)
        assert_string_equal(weft_loop_backend(loop), expected);
    else
        assert_null(loop);
    weft_loop_free(loop);
    return status;
}

static void backend_is_chosen_by_option_then_environment(void **state)
{
    (void)state;
    assert_int_equal(try_backend(NULL, NULL, "epoll"), 0);
    assert_int_equal(try_backend(NULL, "", "epoll"), 0);
    assert_int_equal(try_backend(NULL, "sim:18446744073709551615", "sim"), 0);
    assert_int_equal(try_backend("epoll", "sim:1", "epoll"), 0);
    assert_int_equal(try_backend("poll", NULL, "poll"), 0);
    assert_int_equal(try_backend(NULL, "poll", "poll"), 0);
    assert_int_equal(try_backend("sim:7", "epoll", "sim"), 0);
}

static void unknown_backend_is_refused(void **state)
{
    static const char *const bad[] = {
        "kqueue", "sim",    "sim:",   "sim:x",   "sim:-1", "sim:1 ", "sim:18446744073709551616",
        "EPOLL",  "epoll ", "epoll:", "epoll:1", "epol",   ":"};

    (void)state;
    support_log_expect("there is no backend \"kqueue\": choose one of epoll, ");
    support_log_expect(", sim:SEED");
    support_log_expect("there is no backend");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(try_backend(bad[i], NULL, NULL), -EINVAL);
        assert_int_equal(try_backend(NULL, bad[i], NULL), -EINVAL);
        assert_int_equal(support_log_count("as in WEFT_BACKEND: choose"), i + 1);
    }
}

static void loop_without_options_is_made_and_freed(void **state)
{
    size_t before = open_descriptors();
    weft_loop *loop;

    (void)state;
    assert_int_equal(weft_loop_new(NULL, &loop), 0);
    assert_string_equal(weft_scope_name(weft_loop_scope(loop)), "root");
    assert_ptr_equal(weft_scope_loop(weft_loop_scope(loop)), loop);
    assert_non_null(weft_loop_counters(loop));
    weft_loop_free(loop);
    weft_loop_free(NULL);
    assert_int_equal(open_descriptors(), before);
}

static void make_and_free(void *arg)
{
    weft_loop_options options = {.size = sizeof options, .backend = arg};
    weft_loop *loop = NULL;
    int status = weft_loop_new(&options, &loop);

    assert_int_equal(status, support_injected() ? WEFT_ENOMEM : 0);
    assert_true((status == 0) == (loop != NULL));
    weft_loop_free(loop);
}

static void failed_allocation_makes_no_loop(void **state)
{
    static char epoll[] = "epoll", sim[] = "sim:1";
    size_t before = open_descriptors();

    (void)state;
    support_torture(make_and_free, epoll);
    support_torture(make_and_free, sim);
    assert_int_equal(open_descriptors(), before);
}

/* EL-25: without random bytes nothing starts, and it says why. A simulated loop has its seed. */
static int entropy_error;

ssize_t __real_getrandom(void *memory, size_t length, unsigned flags);
ssize_t __wrap_getrandom(void *memory, size_t length, unsigned flags);

ssize_t __wrap_getrandom(void *memory, size_t length, unsigned flags)
{
    if (!entropy_error)
        return __real_getrandom(memory, length, flags);
    errno = entropy_error;
    return -1;
}

static void el_25_want_of_entropy_makes_no_loop(void **state)
{
    static const int errors[] = {ENOSYS, EPERM};
    size_t before = open_descriptors();
    weft_loop *loop = NULL;

    (void)state;
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        entropy_error = errors[i];
        assert_int_equal(weft_loop_new(NULL, &loop), -errors[i]);
        assert_null(loop);
        assert_int_equal(try_backend("sim:1", NULL, "sim"), 0);
        entropy_error = 0;
    }
    support_log_expect("error: loop: the system gives no random bytes, without which nothing is safe: Function not");
    support_log_expect("error: loop: the system gives no random bytes, without which nothing is safe: Operation not");
    assert_int_equal(support_log_count("no random bytes"), 2);
    assert_int_equal(open_descriptors(), before);
}

/* EL-19: however many descriptors there are, it works or says why not and leaves none behind. */
static void want_of_descriptors_makes_no_loop(void **state)
{
    struct rlimit normal, tight;
    size_t before = open_descriptors();
    int status = -EMFILE;

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &normal), 0);
    tight = normal;
    for (tight.rlim_cur = 0; status < 0; tight.rlim_cur++) {
        weft_loop *loop = NULL;

        assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
        status = weft_loop_new(NULL, &loop);
        setrlimit(RLIMIT_NOFILE, &normal);
        assert_true(status == 0 || status == -EMFILE);
        weft_loop_free(loop);
        assert_int_equal(open_descriptors(), before);
    }
}

/* -- the turn -- */

#define PER_TURN 4096

struct turn_fixture {
    weft_loop *loop;
    weft_timer timers[PER_TURN + 1];
    unsigned fired;
    weft_post post;
    weft_signal signal;
    struct loop_task later, again, reaped;
};

static struct turn_fixture *fixture;

static void posted(weft_post *post)
{
    (void)post;
    write_letter('p');
}

static void run_again(struct loop_task *task)
{
    (void)task;
    write_letter('a');
}

static void run_later(struct loop_task *task)
{
    (void)task;
    write_letter('l');
    loop_later(fixture->loop, &fixture->again);
}

static void run_reaped(struct loop_task *task)
{
    (void)task;
    write_letter('r');
}

static void signalled(weft_signal *signal)
{
    (void)signal;
    write_letter('s');
    loop_reap(fixture->loop, &fixture->reaped);
    loop_later(fixture->loop, &fixture->later);
    loop_later(fixture->loop, &fixture->later);
}

/* The last timer of one turn prepares an event of every kind; one timer is left over for the next turn. */
static void timer_fired(weft_timer *timer)
{
    (void)timer;
    fixture->fired++;
    if (fixture->fired == PER_TURN) {
        loop_later(fixture->loop, &fixture->again);
        weft_loop_post(fixture->loop, &fixture->post);
        sim_raise(fixture->loop->backend, SIGUSR1);
    }
    if (fixture->fired > PER_TURN)
        write_letter('t');
}

static void turn_does_its_steps_in_the_documented_order(void **state)
{
    (void)state;
    order[0] = '\0';
    fixture = calloc(1, sizeof *fixture);
    assert_non_null(fixture);
    fixture->loop = loop_on_sim();
    fixture->post.run = posted;
    fixture->later.run = run_later;
    fixture->again.run = run_again;
    fixture->reaped.run = run_reaped;
    assert_int_equal(weft_signal_start(&fixture->signal, weft_loop_scope(fixture->loop), SIGUSR1, signalled), 0);
    for (size_t i = 0; i <= PER_TURN; i++) {
        assert_int_equal(weft_timer_init(&fixture->timers[i], weft_loop_scope(fixture->loop), timer_fired), 0);
        weft_timer_start(&fixture->timers[i], MS);
    }
    assert_int_equal(weft_loop_run(fixture->loop), -EDEADLK); /* the signal is still watched, and never comes */
    assert_string_equal(order, "asptlra");
    weft_loop_free(fixture->loop);
    free(fixture);
}

struct time_fixture {
    weft_timer timer;
    weft_loop *loop;
    unsigned fired;
};

static void stop_the_loop(weft_timer *timer)
{
    struct time_fixture *one = weft_container_of(timer, struct time_fixture, timer);

    one->fired++;
    weft_loop_stop(one->loop);
}

static void stopped_loop_finishes_the_turn_and_can_run_again(void **state)
{
    weft_loop *loop = loop_on_sim();
    struct time_fixture all[3];

    (void)state;
    for (int i = 0; i < 3; i++) {
        all[i] = (struct time_fixture){.loop = loop};
        assert_int_equal(weft_timer_init(&all[i].timer, weft_loop_scope(loop), stop_the_loop), 0);
        weft_timer_start(&all[i].timer, i < 2 ? MS : 2 * MS);
    }
    run(loop);
    assert_int_equal(all[0].fired + all[1].fired, 2);
    assert_int_equal(all[2].fired, 0);
    run(loop);
    assert_int_equal(all[2].fired, 1);
    run(loop);
    weft_loop_free(loop);
}

static void stop_before_run_makes_it_return_at_once(void **state)
{
    weft_loop *loop = loop_on_sim();
    weft_time before = weft_loop_now(loop);
    weft_timer timer;

    (void)state;
    assert_int_equal(weft_timer_init(&timer, weft_loop_scope(loop), nothing), 0);
    weft_timer_start(&timer, MS);
    weft_loop_stop(loop);
    run(loop);
    assert_true(weft_loop_now(loop) == before);
    assert_true(weft_timer_active(&timer));
    run(loop); /* it counted once */
    assert_false(weft_timer_active(&timer));
    weft_loop_free(loop);
}

static void run_returns_when_nothing_is_left(void **state)
{
    static const char *const backends[] = {"epoll", "sim:1"};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        weft_loop *loop = loop_on(backends[i]);
        weft_post post = {.run = posted};
        struct loop_task reaped = {.run = run_reaped};
        weft_timer timer;

        order[0] = '\0';
        run(loop);
        loop_reap(loop, &reaped);
        run(loop);
        weft_loop_post(loop, &post);
        run(loop);
        assert_string_equal(order, "rp");
        assert_int_equal(weft_timer_init(&timer, weft_loop_scope(loop), nothing), 0);
        run(loop); /* a timer that is not started is nothing to wait for */
        weft_timer_start(&timer, 1);
        run(loop);
        assert_false(weft_timer_active(&timer));
        weft_loop_free(loop);
    }
}

static void turn_again(weft_timer *timer)
{
    weft_loop *loop = weft_scope_loop(timer->member.scope);

    assert_int_equal(weft_loop_step(loop), -EBUSY);
    assert_int_equal(weft_loop_run(loop), -EBUSY);
    write_letter('t');
}

static void a_callback_cannot_run_a_turn_of_its_own_loop(void **state)
{
    weft_loop *loop = loop_on_sim();
    weft_timer timer;

    (void)state;
    order[0] = '\0';
    support_log_expect("a callback cannot run a turn of its own loop");
    assert_int_equal(weft_timer_init(&timer, weft_loop_scope(loop), turn_again), 0);
    weft_timer_start(&timer, MS);
    run(loop);
    run(loop);
    assert_string_equal(order, "t");
    weft_timer_fini(&timer);
    weft_loop_free(loop);
}

static void backend_that_fails_ends_the_run(void **state)
{
    weft_loop *loop = loop_on_sim();
    weft_signal signal;

    (void)state;
    assert_int_equal(weft_signal_start(&signal, weft_loop_scope(loop), SIGUSR1, signalled), 0);
    assert_int_equal(weft_loop_run(loop), -EDEADLK); /* nothing will ever happen in this world */
    weft_signal_stop(&signal);
    run(loop);
    weft_loop_free(loop);
}

/* -- clocks and chance -- */

static atomic_long wall_leap;

int __real_clock_gettime(clockid_t clock, struct timespec *ret);
int __wrap_clock_gettime(clockid_t clock, struct timespec *ret);

/* Every look at the wall clock finds it years away from the last. */
int __wrap_clock_gettime(clockid_t clock, struct timespec *ret)
{
    int status = __real_clock_gettime(clock, ret);

    if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)
        ret->tv_sec += atomic_fetch_xor(&wall_leap, 1) ? -300000000 : 300000000;
    return status;
}

static weft_time monotonic(void)
{
    struct timespec now;

    __real_clock_gettime(CLOCK_MONOTONIC, &now);
    return WEFT_SECONDS(now.tv_sec) + now.tv_nsec;
}

static void el_09_leaps_of_the_wall_clock_move_no_timer(void **state)
{
    weft_loop *loop = loop_on(support_engine());
    struct time_fixture one = {.loop = loop};
    weft_time started = weft_loop_now(loop), first, second;

    (void)state;
    assert_true(started <= monotonic());
    assert_int_equal(weft_timer_init(&one.timer, weft_loop_scope(loop), stop_the_loop), 0);
    for (int i = 0; i < 5; i++) {
        weft_timer_start(&one.timer, MS);
        first = weft_loop_wall(loop);
        run(loop);
        second = weft_loop_wall(loop);
        assert_true(second - first > WEFT_HOURS(24 * 365) || first - second > WEFT_HOURS(24 * 365));
        assert_true(weft_loop_now(loop) >= started + MS && weft_loop_now(loop) <= monotonic());
        started = weft_loop_now(loop);
    }
    assert_int_equal(one.fired, 5);
    weft_loop_free(loop);
}

static void simulated_loops_with_one_seed_are_alike(void **state)
{
    weft_loop *one = loop_on("sim:5"), *same = loop_on("sim:5"), *other = loop_on("sim:6");
    char bytes[3][32];

    (void)state;
    assert_int_equal(weft_loop_entropy(one, bytes[0], 32), 0);
    assert_int_equal(weft_loop_entropy(same, bytes[1], 32), 0);
    assert_int_equal(weft_loop_entropy(other, bytes[2], 32), 0);
    assert_memory_equal(bytes[0], bytes[1], 32);
    assert_memory_not_equal(bytes[0], bytes[2], 32);
    assert_true(weft_loop_now(one) == weft_loop_now(same));
    assert_true(weft_loop_wall(one) == weft_loop_wall(same));
    assert_int_equal(weft_loop_fd(one), -1);
    weft_loop_free(one);
    weft_loop_free(same);
    weft_loop_free(other);
}

/* -- several loops -- */

#define LOOPS 4
#define ROUNDS 2000

/* A message that goes from loop to loop. */
struct runner {
    weft_post post;
    weft_timer alive;
    struct ring *ring;
    unsigned visits;
};

struct ring {
    weft_loop *loops[LOOPS];
    struct runner runners[LOOPS];
    weft_post ends[LOOPS];
    struct runner message;
    unsigned at, steps;
};

static void end_loop(weft_post *post)
{
    struct runner *runner = weft_container_of(post, struct runner, post);

    weft_timer_fini(&runner->alive);
}

static void pass_on(weft_post *post)
{
    struct runner *message = weft_container_of(post, struct runner, post);
    struct ring *ring = message->ring;

    ring->runners[ring->at].visits++;
    if (++ring->steps == LOOPS * ROUNDS) {
        for (unsigned i = 0; i < LOOPS; i++)
            weft_loop_post(ring->loops[i], &ring->runners[i].post);
        return;
    }
    ring->at = (ring->at + 1) % LOOPS;
    weft_loop_post(ring->loops[ring->at], post);
}

static void *run_loop(void *arg)
{
    return (void *)(intptr_t)weft_loop_run(arg);
}

static void loops_on_several_threads_talk_by_posts_only(void **state)
{
    struct ring ring = {.message = {.post = {.run = pass_on}}};
    pthread_t threads[LOOPS];
    void *result;

    (void)state;
    ring.message.ring = &ring;
    for (unsigned i = 0; i < LOOPS; i++) {
        struct runner *runner = &ring.runners[i];

        assert_int_equal(weft_loop_new(NULL, &ring.loops[i]), 0); /* with watchdogs */
        runner->post.run = end_loop;
        assert_int_equal(weft_timer_init(&runner->alive, weft_loop_scope(ring.loops[i]), nothing), 0);
        weft_timer_start(&runner->alive, WEFT_HOURS(1));
    }
    for (unsigned i = 0; i < LOOPS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, run_loop, ring.loops[i]), 0);
    weft_loop_post(ring.loops[0], &ring.message.post);
    for (unsigned i = 0; i < LOOPS; i++) {
        assert_int_equal(pthread_join(threads[i], &result), 0);
        assert_null(result);
        assert_int_equal(ring.runners[i].visits, ROUNDS);
    }
    for (unsigned i = 0; i < LOOPS; i++)
        weft_loop_free(ring.loops[i]);
}

/* -- hosting -- */

/* How a foreign loop drives ours: it sleeps on the descriptor for as long as it is told. */
static int host_turn(weft_loop *loop)
{
    struct pollfd ready = {.fd = weft_loop_fd(loop), .events = POLLIN};
    weft_time sleep = weft_loop_prepare(loop);
    struct timespec most = {.tv_sec = sleep / WEFT_SECONDS(1), .tv_nsec = sleep % WEFT_SECONDS(1)};

    assert_true(ppoll(&ready, 1, sleep == WEFT_NEVER ? NULL : &most, NULL) >= 0);
    return weft_loop_step(loop);
}

static void count_and_restart(weft_timer *timer)
{
    struct time_fixture *one = weft_container_of(timer, struct time_fixture, timer);

    if (++one->fired < 20)
        weft_timer_start(timer, MS / 2);
}

static void *post_from_afar(void *arg)
{
    static weft_post post = {.run = posted};

    weft_loop_post(arg, &post);
    return NULL;
}

static void foreign_loop_drives_timers_and_posts(void **state)
{
    weft_loop *loop = loop_on("epoll");
    struct time_fixture one = {.loop = loop};
    pthread_t thread;

    (void)state;
    order[0] = '\0';
    assert_true(weft_loop_fd(loop) >= 0);
    assert_true(weft_loop_prepare(loop) == WEFT_NEVER);
    assert_int_equal(weft_loop_step(loop), 0);
    assert_int_equal(weft_timer_init(&one.timer, weft_loop_scope(loop), count_and_restart), 0);
    weft_timer_start(&one.timer, 0);
    while (host_turn(loop) == 1)
        ;
    assert_int_equal(one.fired, 20);
    assert_int_equal(pthread_create(&thread, NULL, post_from_afar, loop), 0);
    while (!order[0])
        assert_true(host_turn(loop) >= 0); /* sleeps without an end: the descriptor wakes it */
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true(weft_loop_prepare(loop) == WEFT_NEVER);
    weft_loop_free(loop);
}

static void host_need_not_sleep_when_there_is_work(void **state)
{
    weft_loop *loop = loop_on(support_engine());
    weft_post post = {.run = posted};

    (void)state;
    order[0] = '\0';
    weft_loop_post(loop, &post);
    assert_true(weft_loop_prepare(loop) == 0);
    assert_int_equal(weft_loop_step(loop), 0);
    assert_string_equal(order, "p");
    weft_loop_free(loop);
}

static void host_is_told_of_a_stop_once(void **state)
{
    weft_loop *loop = loop_on("epoll");

    (void)state;
    assert_false(weft_loop_stopped(loop));
    weft_loop_stop(loop);
    assert_true(weft_loop_prepare(loop) == 0);
    assert_int_equal(weft_loop_step(loop), 0);
    assert_true(weft_loop_stopped(loop));
    assert_false(weft_loop_stopped(loop));
    assert_true(weft_loop_prepare(loop) == WEFT_NEVER);
    weft_loop_stop(loop);
    run(loop); /* it returns for the stop, so nobody else is told */
    assert_false(weft_loop_stopped(loop));
    weft_loop_free(loop);
}

static void host_can_ask_whether_something_is_left(void **state)
{
    weft_loop *loop = loop_on("epoll");
    weft_post post = {.run = posted};
    weft_timer timer;

    (void)state;
    order[0] = '\0';
    assert_false(weft_loop_alive(loop));
    weft_loop_post(loop, &post);
    assert_true(weft_loop_alive(loop));
    assert_int_equal(weft_loop_step(loop), 0);
    assert_false(weft_loop_alive(loop));
    assert_int_equal(weft_timer_init(&timer, weft_loop_scope(loop), nothing), 0);
    weft_timer_start(&timer, MS);
    assert_true(weft_loop_alive(loop));
    weft_timer_stop(&timer);
    assert_false(weft_loop_alive(loop));
    weft_loop_free(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        support_test(what_is_kept_with_a_loop_is_found_and_goes_with_it),
        support_test(backend_is_chosen_by_option_then_environment),
        support_test(unknown_backend_is_refused),
        support_test(loop_without_options_is_made_and_freed),
        support_test(failed_allocation_makes_no_loop),
        support_test(el_25_want_of_entropy_makes_no_loop),
        support_test(want_of_descriptors_makes_no_loop),
        support_test(turn_does_its_steps_in_the_documented_order),
        support_test(stopped_loop_finishes_the_turn_and_can_run_again),
        support_test(stop_before_run_makes_it_return_at_once),
        support_test(run_returns_when_nothing_is_left),
        support_test(a_callback_cannot_run_a_turn_of_its_own_loop),
        support_test(backend_that_fails_ends_the_run),
        support_test(el_09_leaps_of_the_wall_clock_move_no_timer),
        support_test(simulated_loops_with_one_seed_are_alike),
        support_test(loops_on_several_threads_talk_by_posts_only),
        support_test(foreign_loop_drives_timers_and_posts),
        support_test(host_need_not_sleep_when_there_is_work),
        support_test(host_is_told_of_a_stop_once),
        support_test(host_can_ask_whether_something_is_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
