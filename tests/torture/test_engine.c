/* SPDX-License-Identifier: MIT */
/*
 * EL-18 and EL-19 on what is no stream and no file: the life of a loop, signals, jobs, workers and tasks. Each scenario
 * does what it is for, or returns the error; and afterwards, when nothing fails any more, the same can be done at once.
 */
#include "torture/driver.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <weft/job.h>
#include <weft/signal.h>
#include <weft/timer.h>
#include <weft/watch.h>
#include <weft/weft.h>
#include <weft/worker.h>

#include "backend/stack.h"
#include "torture/inject.h"

/* -- what all share: a loop, and something that is done on it -- */

struct engine {
    int (*work)(weft_loop *loop);
    weft_time watchdog;
    const char *lacks; /* a call that the kernel does not know */
};

static int play(void *arg)
{
    const struct engine *engine = arg;
    weft_loop_options options = {.size = sizeof options, .backend = support_engine(), .watchdog = engine->watchdog};
    weft_loop *loop;
    int status;

    torture_lack(engine->lacks, EINVAL, SIZE_MAX);
    status = weft_loop_new(&options, &loop);
    if (status == 0) {
        status = engine->work(loop);
        weft_loop_free(loop);
    }
    torture_lack(NULL, 0, 0);
    return status;
}

static void play_again(void *arg)
{
    assert_int_equal(play(arg), 0);
}

static void judge(void *arg, const struct torture_end *end)
{
    (void)arg;
    if (!end->disturbed)
        assert_int_equal(end->status, 0);
}

static void torture(const char *name, struct engine *engine)
{
    struct torture_scenario scenario = {name, play, judge, engine, NULL, play_again};

    torture_allocations(&scenario);
    torture_calls(&scenario);
}

/* -- the life of a loop -- */

struct life {
    weft_timer timer;
    weft_post post;
    weft_loop *loop;
    unsigned posted;
};

static void life_fired(weft_timer *timer)
{
    struct life *life = weft_container_of(timer, struct life, timer);

    weft_loop_post(life->loop, &life->post);
}

static void life_posted(weft_post *post)
{
    weft_container_of(post, struct life, post)->posted++;
}

static int live(weft_loop *loop)
{
    struct life life = {.loop = loop, .post.run = life_posted};
    unsigned char secret[16];
    int status = weft_loop_entropy(loop, secret, sizeof secret);

    assert_int_equal(weft_timer_init(&life.timer, weft_loop_scope(loop), life_fired), 0);
    weft_timer_start(&life.timer, WEFT_MILLISECONDS(1));
    assert_int_equal(weft_loop_run(loop), 0); /* an interruption is no error of it */
    weft_timer_fini(&life.timer);
    assert_int_equal(life.posted, 1);
    return status;
}

static void a_loop_lives_or_is_not_made(void **state)
{
    struct engine engine = {.work = live, .watchdog = WEFT_SECONDS(10)};

    (void)state;
    torture("a loop", &engine);
}

/* Until the watchdog, which may not know the program's name, has said so. */
static void hold_the_turn(weft_timer *timer)
{
    (void)timer;
    while (torture_alarms() == 0)
        ;
}

static int be_slow(weft_loop *loop)
{
    weft_timer timer;

    assert_int_equal(weft_timer_init(&timer, weft_loop_scope(loop), hold_the_turn), 0);
    weft_timer_start(&timer, 0);
    assert_int_equal(weft_loop_run(loop), 0);
    weft_timer_fini(&timer);
    return 0;
}

static void the_watchdog_barks_whatever_fails(void **state)
{
    struct engine engine = {.work = be_slow, .watchdog = WEFT_MILLISECONDS(1)};
    struct torture_scenario scenario = {"the watchdog", play, judge, &engine, NULL, NULL};

    (void)state;
    torture_calls(&scenario);
}

/* -- watches -- */

static unsigned watched;

static void note_room(weft_watch *watch, unsigned what)
{
    assert_int_equal(what & ~weft_watch_interest(watch), 0);
    if (watched++ == 0)
        weft_watch_change(watch, WEFT_READABLE | WEFT_WRITABLE);
    else
        weft_watch_stop(watch);
}

/* What the system says of a descriptor when a watch changes or stops may be wrong, and then nothing more is told. */
static int watch_for_room(weft_loop *loop)
{
    weft_watch watch;
    int ends[2], status;

    watched = 0;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    assert_int_equal(send(ends[1], "x", 1, 0), 1);
    status = weft_watch_start(&watch, weft_loop_scope(loop), ends[0], WEFT_WRITABLE, note_room);
    for (int i = 0; i < 3 && status == 0; i++)
        assert_true(weft_loop_step(loop) >= 0);
    weft_watch_stop(&watch);
    if (!torture_is_disturbed())
        assert_int_equal(watched, 2);
    close(ends[0]);
    close(ends[1]);
    return status;
}

static void a_descriptor_is_watched_or_refused(void **state)
{
    struct engine engine = {.work = watch_for_room, .watchdog = WEFT_NEVER};

    (void)state;
    torture("watches", &engine);
}

/* -- signals -- */

static unsigned raised;

static void note_signal(weft_signal *signal)
{
    raised++;
    weft_signal_stop(signal);
}

static bool is_blocked(int number)
{
    sigset_t now;

    assert_int_equal(pthread_sigmask(SIG_SETMASK, NULL, &now), 0);
    return sigismember(&now, number);
}

static int watch(weft_loop *loop, int number)
{
    weft_signal signal;
    int status = weft_signal_start(&signal, weft_loop_scope(loop), number, note_signal);

    if (status < 0)
        return status;
    raised = 0;
    raise(number);
    assert_int_equal(weft_loop_run(loop), 0);
    assert_int_equal(raised, 1);
    return 0;
}

/* What could not be watched comes as ever, and may be watched later. */
static int watch_two(weft_loop *loop)
{
    int status = watch(loop, SIGUSR1);

    assert_false(is_blocked(SIGUSR1));
    if (status < 0) {
        torture_relent();
        assert_int_equal(watch(loop, SIGUSR1), 0);
    }
    assert_int_equal(watch(loop, SIGUSR2), 0);
    assert_false(is_blocked(SIGUSR2));
    return status;
}

static void a_signal_comes_or_is_as_it_was(void **state)
{
    struct engine engine = {.work = watch_two, .watchdog = WEFT_NEVER};

    (void)state;
    torture("signals", &engine);
}

/* -- jobs -- */

#define JOBS 6

struct work {
    weft_job job;
    unsigned worked, done;
};

static void work(weft_job *job)
{
    weft_container_of(job, struct work, job)->worked++;
}

static void work_done(weft_job *job, int status)
{
    struct work *work = weft_container_of(job, struct work, job);

    assert_int_equal(status, 0);
    work->done++;
}

static int do_jobs(weft_loop *loop)
{
    struct work works[JOBS] = {{.worked = 0}};
    int status = 0, started[JOBS];

    for (int i = 0; i < JOBS; i++) {
        started[i] = weft_job_start(&works[i].job, weft_loop_scope(loop), work, work_done);
        if (started[i] < 0)
            status = started[i];
    }
    assert_int_equal(weft_loop_run(loop), 0);
    for (int i = 0; i < JOBS; i++) {
        assert_int_equal(works[i].worked, started[i] == 0);
        assert_int_equal(works[i].done, started[i] == 0);
    }
    return status;
}

static void a_job_is_done_or_refused(void **state)
{
    struct engine engine = {.work = do_jobs, .watchdog = WEFT_NEVER};

    (void)state;
    torture("jobs", &engine);
}

/* -- workers -- */

struct visit {
    weft_post post;
    weft_loop *loop;
};

static void stop_there(weft_post *post)
{
    weft_loop_stop(weft_container_of(post, struct visit, post)->loop);
}

static void never(weft_timer *timer)
{
    (void)timer;
}

static int visit_worker(weft_loop *other)
{
    struct visit visit = {.post.run = stop_there, .loop = other};
    weft_worker *worker;
    weft_timer timer;
    int status;

    assert_int_equal(weft_timer_init(&timer, weft_loop_scope(other), never), 0);
    weft_timer_start(&timer, WEFT_HOURS(1));
    status = weft_worker_start(other, &worker);
    if (status == 0) {
        weft_loop_post(other, &visit.post);
        status = weft_worker_join(worker);
    }
    weft_timer_fini(&timer);
    return status;
}

static int work_elsewhere(weft_loop *loop)
{
    weft_loop_options options = {.size = sizeof options, .backend = support_engine(), .watchdog = WEFT_NEVER};
    weft_loop *other;
    int status = weft_loop_new(&options, &other);

    (void)loop;
    assert_true(weft_worker_processors() >= 1);
    if (status < 0)
        return status;
    status = visit_worker(other);
    weft_loop_free(other);
    return status;
}

static void a_worker_works_or_is_not_started(void **state)
{
    struct engine engine = {.work = work_elsewhere, .watchdog = WEFT_NEVER};

    (void)state;
    torture("workers", &engine);
}

/* If it cannot be raised, what there was is said. */
static int raise_limit(weft_loop *loop)
{
    struct rlimit before, low;
    unsigned long now;

    (void)loop;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    low = (struct rlimit){.rlim_cur = before.rlim_max / 2, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    now = weft_worker_raise_descriptors();
    assert_true(now == before.rlim_max || torture_is_disturbed());
    assert_true(now == before.rlim_max || now == low.rlim_cur || now == 0);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    return 0;
}

static void the_limit_of_descriptors_is_raised_or_left(void **state)
{
    struct engine engine = {.work = raise_limit, .watchdog = WEFT_NEVER};

    (void)state;
    torture("the limit of descriptors", &engine);
}

/* -- tasks -- */

#define TASKS 80 /* more than a slab has stacks, and than are kept */

static unsigned ended;

static void sleep_and_end(weft_task *me, void *arg)
{
    char deep[12 * 1024];

    (void)me;
    (void)arg;
    memset(deep, 1, sizeof deep);
    weft_yield();
    ended += (unsigned)deep[sizeof deep / 2];
}

static int spawn_all(weft_loop *loop)
{
    unsigned spawned = 0;
    int status = 0;

    ended = 0;
    for (int i = 0; i < TASKS && status == 0; i++) {
        weft_task_options large = {.size = sizeof large, .stack = 2 * 1024 * 1024};
        status = weft_spawn_with(weft_loop_scope(loop), sleep_and_end, NULL, i % 8 == 0 ? &large : NULL);
        spawned += status == 0;
    }
    assert_int_equal(weft_loop_run(loop), 0);
    assert_int_equal(ended, spawned);
    return status;
}

static void a_task_runs_or_is_not_spawned(void **state)
{
    struct engine engine = {.work = spawn_all, .watchdog = WEFT_NEVER};

    (void)state;
    torture("tasks", &engine);
}

/* Before Linux 6.13. */
static void tasks_run_without_guards_in_the_page_table(void **state)
{
    struct engine engine = {.work = spawn_all, .watchdog = WEFT_NEVER, .lacks = "madvise"};

    (void)state;
    torture("tasks on an older kernel", &engine);
    stack_guard_by_mapping(false);
}

/* Every thread that runs tasks gets a stack for the report of an overflow; without one it does without the report. */
static void *spawn_on_thread(void *arg)
{
    weft_loop *loop = arg;

    return (void *)(intptr_t)spawn_all(loop);
}

static int spawn_elsewhere(weft_loop *loop)
{
    pthread_t thread;
    void *result;

    assert_int_equal(pthread_create(&thread, NULL, spawn_on_thread, loop), 0);
    assert_int_equal(pthread_join(thread, &result), 0);
    return (int)(intptr_t)result;
}

static void tasks_run_on_a_new_thread(void **state)
{
    struct engine engine = {.work = spawn_elsewhere, .watchdog = WEFT_NEVER};

    (void)state;
    torture("tasks on a new thread", &engine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        torture_test(a_loop_lives_or_is_not_made),
        torture_test(the_watchdog_barks_whatever_fails),
        torture_test(a_descriptor_is_watched_or_refused),
        torture_test(a_signal_comes_or_is_as_it_was),
        torture_test(a_job_is_done_or_refused),
        torture_test(a_worker_works_or_is_not_started),
        torture_test(the_limit_of_descriptors_is_raised_or_left),
        torture_test(a_task_runs_or_is_not_spawned),
        torture_test(tasks_run_without_guards_in_the_page_table),
        torture_test(tasks_run_on_a_new_thread),
    };
    return torture_over(cmocka_run_group_tests(tests, NULL, NULL));
}
