/* SPDX-License-Identifier: MIT */
#include <weft/worker.h>

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>

#include <weft/timer.h>

#include "loop/loop_internal.h"
#include "loop/loop_test.h"

#define POSTS 20000
#define THREADS 3

static bool no_threads;

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*begin)(void *), void *arg);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*begin)(void *), void *arg);

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*begin)(void *), void *arg)
{
    return no_threads ? EAGAIN : __real_pthread_create(thread, attributes, begin, arg);
}

/* A loop that goes on until it is stopped, with what a post finds there. */
struct world {
    weft_post post;
    weft_loop *loop;
    weft_timer timer;
    pthread_t thread; /* that ran the post */
    sigset_t blocked; /* in that thread */
    unsigned posted;
};

static void nothing(weft_timer *timer)
{
    (void)timer;
}

static void world_init(struct world *world)
{
    *world = (struct world){.loop = loop_on(support_engine())};
    assert_int_equal(weft_timer_init(&world->timer, weft_loop_scope(world->loop), nothing), 0);
    weft_timer_start(&world->timer, WEFT_HOURS(1));
}

static void look_and_stop(weft_post *post)
{
    struct world *world = weft_container_of(post, struct world, post);

    world->thread = pthread_self();
    pthread_sigmask(SIG_BLOCK, NULL, &world->blocked);
    world->posted++;
    weft_loop_stop(world->loop);
}

static void stop(struct world *world)
{
    world->post.run = look_and_stop;
    weft_loop_post(world->loop, &world->post);
}

static void the_loop_runs_elsewhere_until_a_post_stops_it(void **state)
{
    struct world world;
    weft_worker *worker;

    (void)state;
    world_init(&world);
    assert_int_equal(weft_worker_start(world.loop, &worker), 0);
    stop(&world);
    assert_int_equal(weft_worker_join(worker), 0);
    assert_int_equal(world.posted, 1);
    assert_false(pthread_equal(world.thread, pthread_self()));
    weft_loop_free(world.loop);
}

static void a_post_before_the_start_is_run(void **state)
{
    struct world world;
    weft_worker *worker;

    (void)state;
    world_init(&world);
    stop(&world);
    assert_int_equal(weft_worker_start(world.loop, &worker), 0);
    assert_int_equal(weft_worker_join(worker), 0);
    assert_false(pthread_equal(world.thread, pthread_self()));
    weft_loop_free(world.loop);
}

static void a_loop_without_work_ends_by_itself(void **state)
{
    static const char *const backends[] = {"epoll", "sim:1"};

    (void)state;
    for (int i = 0; i < 2; i++) {
        weft_loop *loop = loop_on(backends[i]);
        weft_worker *worker;

        assert_int_equal(weft_worker_start(loop, &worker), 0);
        assert_int_equal(weft_worker_join(worker), 0);
        weft_loop_free(loop);
    }
}

static void after_the_join_the_loop_is_the_callers(void **state)
{
    struct world world;
    weft_worker *worker;

    (void)state;
    world_init(&world);
    for (int round = 1; round <= 20; round++) {
        assert_int_equal(weft_worker_start(world.loop, &worker), 0);
        stop(&world);
        assert_int_equal(weft_worker_join(worker), 0);
        assert_true(weft_timer_active(&world.timer));
        weft_timer_start(&world.timer, WEFT_HOURS(1));
        stop(&world);
        run(world.loop);
        assert_true(pthread_equal(world.thread, pthread_self()));
        assert_int_equal(world.posted, 2 * round);
    }
    weft_loop_free(world.loop);
}

static void no_signal_is_delivered_to_the_thread(void **state)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGCHLD, SIGALRM};
    struct world world;
    weft_worker *worker;
    sigset_t before, after;

    (void)state;
    world_init(&world);
    pthread_sigmask(SIG_BLOCK, NULL, &before);
    assert_int_equal(weft_worker_start(world.loop, &worker), 0);
    pthread_sigmask(SIG_BLOCK, NULL, &after);
    stop(&world);
    assert_int_equal(weft_worker_join(worker), 0);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        assert_true(sigismember(&world.blocked, signals[i]));
        assert_int_equal(sigismember(&after, signals[i]), sigismember(&before, signals[i])); /* ours are as they were */
    }
    weft_loop_free(world.loop);
}

static struct backend_ops failing;

static int fail_to_wait(struct backend *backend, weft_time timeout)
{
    (void)backend;
    (void)timeout;
    return -EIO;
}

static void join_tells_how_the_run_ended(void **state)
{
    struct world world;
    weft_worker *worker;
    const struct backend_ops *real;

    (void)state;
    world_init(&world);
    real = world.loop->backend->ops;
    failing = *real;
    failing.wait = fail_to_wait;
    world.loop->backend->ops = &failing;
    assert_int_equal(weft_worker_start(world.loop, &worker), 0);
    assert_int_equal(weft_worker_join(worker), -EIO);
    world.loop->backend->ops = real;
    weft_loop_free(world.loop);
}

/* -- many -- */

struct poster {
    struct crowd *crowd;
    weft_post posts[POSTS];
};

struct crowd {
    struct world world;
    struct poster *posters;
    size_t ran;
};

static struct crowd crowd;

static void count(weft_post *post)
{
    (void)post;
    if (++crowd.ran == (size_t)THREADS * POSTS)
        weft_loop_stop(crowd.world.loop);
}

static void *post_many(void *arg)
{
    struct poster *poster = arg;

    for (size_t i = 0; i < POSTS; i++) {
        poster->posts[i].run = count;
        weft_loop_post(crowd.world.loop, &poster->posts[i]);
    }
    return NULL;
}

static void posts_of_all_threads_reach_it(void **state)
{
    pthread_t threads[THREADS];
    weft_worker *worker;

    (void)state;
    world_init(&crowd.world);
    crowd.ran = 0;
    crowd.posters = calloc(THREADS, sizeof *crowd.posters);
    assert_non_null(crowd.posters);
    assert_int_equal(weft_worker_start(crowd.world.loop, &worker), 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, post_many, &crowd.posters[i]), 0);
    assert_int_equal(weft_worker_join(worker), 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(crowd.ran, THREADS * POSTS);
    weft_loop_free(crowd.world.loop);
    free(crowd.posters);
}

/* Each passes a post on to the next; the last stops them all. */
enum { RING = 4, ROUNDS = 500 };

static struct ring_member {
    weft_post post, stop;
    struct world world;
    weft_worker *worker;
    unsigned passed;
} ring[RING];

static void stop_member(weft_post *post)
{
    weft_loop_stop(weft_container_of(post, struct ring_member, stop)->world.loop);
}

static void pass_on(weft_post *post)
{
    struct ring_member *member = weft_container_of(post, struct ring_member, post);
    struct ring_member *next = &ring[(member - ring + 1) % RING];

    if (++member->passed < ROUNDS || member != &ring[RING - 1]) {
        weft_loop_post(next->world.loop, &next->post);
        return;
    }
    for (int i = 0; i < RING; i++)
        weft_loop_post(ring[i].world.loop, &ring[i].stop);
}

static void loops_on_several_threads_talk_to_each_other(void **state)
{
    (void)state;
    for (int i = 0; i < RING; i++) {
        ring[i] = (struct ring_member){.post.run = pass_on, .stop.run = stop_member};
        world_init(&ring[i].world);
    }
    for (int i = 0; i < RING; i++)
        assert_int_equal(weft_worker_start(ring[i].world.loop, &ring[i].worker), 0);
    weft_loop_post(ring[0].world.loop, &ring[0].post);
    for (int i = 0; i < RING; i++)
        assert_int_equal(weft_worker_join(ring[i].worker), 0);
    for (int i = 0; i < RING; i++) {
        assert_int_equal(ring[i].passed, ROUNDS);
        weft_loop_free(ring[i].world.loop);
    }
}

/* -- what can be missing -- */

static void without_a_thread_nothing_is_started(void **state)
{
    struct world world;
    weft_worker *worker = NULL;

    (void)state;
    world_init(&world);
    no_threads = true;
    assert_int_equal(weft_worker_start(world.loop, &worker), -EAGAIN);
    no_threads = false;
    assert_null(worker);
    stop(&world);
    run(world.loop); /* it is still the caller's */
    weft_loop_free(world.loop);
}

static void start_one(void *arg)
{
    struct world *world = arg;
    weft_worker *worker = NULL;
    int status = weft_worker_start(world->loop, &worker);

    assert_int_equal(status, support_injected() ? WEFT_ENOMEM : 0);
    assert_true((status == 0) == (worker != NULL));
    if (status < 0)
        return;
    stop(world);
    assert_int_equal(weft_worker_join(worker), 0);
}

static void failed_allocation_starts_nothing(void **state)
{
    struct world world;

    (void)state;
    world_init(&world);
    support_torture(start_one, &world);
    weft_loop_free(world.loop);
}

static void processors_are_those_that_this_process_may_use(void **state)
{
    unsigned all = weft_worker_processors();
    cpu_set_t before, one;
    size_t first = 0;

    (void)state;
    assert_true(all >= 1);
    assert_int_equal(sched_getaffinity(0, sizeof before, &before), 0);
    assert_int_equal(all, CPU_COUNT(&before));
    while (!CPU_ISSET(first, &before))
        first++;
    CPU_ZERO(&one);
    CPU_SET(first, &one);
    assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0);
    assert_int_equal(weft_worker_processors(), 1);
    assert_int_equal(sched_setaffinity(0, sizeof before, &before), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        support_test(the_loop_runs_elsewhere_until_a_post_stops_it),
        support_test(a_post_before_the_start_is_run),
        support_test(a_loop_without_work_ends_by_itself),
        support_test(after_the_join_the_loop_is_the_callers),
        support_test(no_signal_is_delivered_to_the_thread),
        support_test(join_tells_how_the_run_ended),
        support_test(posts_of_all_threads_reach_it),
        support_test(loops_on_several_threads_talk_to_each_other),
        support_test(without_a_thread_nothing_is_started),
        support_test(failed_allocation_starts_nothing),
        support_test(processors_are_those_that_this_process_may_use),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
