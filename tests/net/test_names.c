/* SPDX-License-Identifier: MIT */
/* Names are looked up by threads of their own, which nobody waits for. The resolver is the test's: it answers when told. */
#include "net/names.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <weft/error.h>
#include <weft/job.h>
#include <weft/loop.h>

#include "support/support.h"

/* As many as the process looks up at once. */
#define THREADS 16
#define MANY 40
#define CALLS (4 * MANY)

/* What a name was looked up to. */
struct looked {
    struct names_lookup *lookup;
    unsigned done;
    int status;
    size_t count;
    weft_address first;
};

static struct looked looked[MANY];
static weft_loop *loop;

static struct {
    sem_t begun, go; /* a name that begins with "slow" waits for one `go` each */
    atomic_uint calls, now, most;
    atomic_int threads[CALLS]; /* 0 until it is known */
} resolver;

static atomic_bool no_threads;

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*begin)(void *), void *arg);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*begin)(void *), void *arg);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*begin)(void *), void *arg)
{
    return atomic_load(&no_threads) ? EAGAIN : __real_pthread_create(thread, attributes, begin, arg);
}

static atomic_bool no_atfork;

/* (The thread sanitizer calls it before it is ready itself.) */
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define NOT_WATCHED __attribute__((disable_sanitizer_instrumentation))
#endif
#endif
#ifndef NOT_WATCHED
#define NOT_WATCHED
#endif

int __real_pthread_atfork(void (*before)(void), void (*parent)(void), void (*child)(void));
int __wrap_pthread_atfork(void (*before)(void), void (*parent)(void), void (*child)(void));
NOT_WATCHED int __wrap_pthread_atfork(void (*before)(void), void (*parent)(void), void (*child)(void))
{
    return atomic_load(&no_atfork) ? ENOMEM : __real_pthread_atfork(before, parent, child);
}

int __wrap_names_resolve(const char *host, weft_address *ret, size_t room);
int __wrap_names_resolve(const char *host, weft_address *ret, size_t room)
{
    unsigned number = atomic_fetch_add(&resolver.calls, 1), now = atomic_fetch_add(&resolver.now, 1) + 1,
             most = atomic_load(&resolver.most);

    while (now > most && !atomic_compare_exchange_weak(&resolver.most, &most, now))
        ;
    if (number < CALLS)
        atomic_store(&resolver.threads[number], (int)gettid());
    if (strncmp(host, "slow", 4) == 0) {
        sem_post(&resolver.begun);
        while (sem_wait(&resolver.go) < 0)
            ;
    }
    atomic_fetch_sub(&resolver.now, 1);
    if (strncmp(host, "none", 4) == 0 || room == 0)
        return WEFT_ENONAME;
    ret[0] = (weft_address){.family = WEFT_ADDRESS_IPV4, .ip = {10, 0, 0, (uint8_t)strlen(host)}};
    return 1;
}

/* -- the fixture -- */

static void open_loop(void)
{
    weft_loop_options options = {
        .size = sizeof options, .backend = support_engine(), .watchdog = WEFT_NEVER, .job_threads = 1};

    assert_int_equal(weft_loop_new(&options, &loop), 0);
}

static int begin(void **state)
{
    support_setup(state);
    memset(looked, 0, sizeof looked);
    sem_init(&resolver.begun, 0, 0);
    sem_init(&resolver.go, 0, 0);
    atomic_store(&resolver.most, 0);
    open_loop();
    return 0;
}

/* Every thread that looked something up has ended: it has no entry in /proc any more. */
static void await_threads(void)
{
    unsigned calls = atomic_load(&resolver.calls);
    char path[64];

    assert_true(calls <= CALLS);
    atomic_store(&resolver.calls, 0);
    for (unsigned i = 0; i < calls; i++) {
        int thread;

        while ((thread = atomic_exchange(&resolver.threads[i], 0)) == 0)
            sched_yield();
        snprintf(path, sizeof path, "/proc/self/task/%d", thread);
        while (access(path, F_OK) == 0)
            sched_yield();
    }
}

static void go_on(unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        sem_post(&resolver.go);
}

static int end(void **state)
{
    weft_loop_free(loop);
    loop = NULL;
    go_on(CALLS);
    await_threads();
    sem_destroy(&resolver.begun);
    sem_destroy(&resolver.go);
    return support_teardown(state);
}

#define test(function) cmocka_unit_test_setup_teardown(function, begin, end)

static void told(void *arg, int status, const weft_address *addresses, size_t count)
{
    struct looked *self = arg;

    self->done++;
    self->status = status;
    self->count = count;
    if (count > 0)
        self->first = addresses[0];
}

static int try_start(struct looked *self, weft_scope *scope, const char *host)
{
    return names_start(scope, weft_bytes_from(host), told, self, &self->lookup);
}

static void start(struct looked *self, const char *host)
{
    assert_int_equal(try_start(self, weft_loop_scope(loop), host), 0);
}

static void run(void)
{
    assert_int_equal(weft_loop_run(loop), 0);
}

static void await_begun(unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        while (sem_wait(&resolver.begun) < 0)
            ;
}

static void hang(unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        start(&looked[i], "slow.example");
    await_begun(count < THREADS ? count : THREADS);
}

/* -- what becomes of them -- */

static void a_name_is_looked_up_by_a_thread_that_ends(void **state)
{
    (void)state;
    start(&looked[0], "some.example");
    start(&looked[1], "none.example");
    assert_int_equal(looked[0].done + looked[1].done, 0);
    run();
    assert_int_equal(looked[0].done, 1);
    assert_int_equal(looked[0].status, 0);
    assert_int_equal(looked[0].count, 1);
    assert_int_equal(looked[0].first.ip[3], 12);
    assert_int_equal(looked[1].done, 1);
    assert_int_equal(looked[1].status, WEFT_ENONAME);
    assert_int_equal(looked[1].count, 0);
    assert_int_equal(weft_scope_count(weft_loop_scope(loop)), 0);
    assert_true(atomic_load(&resolver.threads[0]) != getpid());
    await_threads();
}

/* (The first of all: it is done once.) */
static void what_could_not_be_prepared_for_forks_is_tried_again(void **state)
{
    (void)state;
    atomic_store(&no_atfork, true);
    assert_int_equal(try_start(&looked[0], weft_loop_scope(loop), "some.example"), WEFT_ENOMEM);
    atomic_store(&no_atfork, false);
    start(&looked[0], "some.example");
    run();
    assert_int_equal(looked[0].status, 0);
    assert_int_equal(looked[0].count, 1);
}

static void what_can_be_no_name_is_refused(void **state)
{
    char text[NAMES_LENGTH + 2];

    (void)state;
    memset(text, 'a', sizeof text);
    text[NAMES_LENGTH + 1] = '\0';
    assert_int_equal(try_start(&looked[0], weft_loop_scope(loop), ""), WEFT_ENONAME);
    assert_int_equal(try_start(&looked[0], weft_loop_scope(loop), text), WEFT_ENONAME);
    support_fail_at(1, false);
    assert_int_equal(try_start(&looked[0], weft_loop_scope(loop), text + 1), WEFT_ENOMEM);
    start(&looked[0], text + 1);
    run();
    assert_int_equal(looked[0].first.ip[3], NAMES_LENGTH);
}

static void no_more_than_the_limit_are_looked_up_at_once_and_all_in_the_end(void **state)
{
    (void)state;
    hang(MANY);
    assert_int_equal(atomic_load(&resolver.calls), THREADS);
    go_on(MANY);
    run();
    for (unsigned i = 0; i < MANY; i++) {
        assert_int_equal(looked[i].done, 1);
        assert_int_equal(looked[i].status, 0);
    }
    assert_int_equal(atomic_load(&resolver.most), THREADS);
}

/* -- those that hang -- */

static void work(weft_job *job)
{
    (void)job;
}

static void worked(weft_job *job, int status)
{
    (void)job;
    assert_int_equal(status, 0);
    weft_loop_stop(loop);
}

static void names_that_hang_leave_the_jobs_alone(void **state)
{
    weft_job job;

    (void)state;
    hang(THREADS);
    assert_int_equal(weft_job_start(&job, weft_loop_scope(loop), work, worked), 0);
    run();
    assert_int_equal(looked[0].done, 0);
}

static void one_that_is_given_up_before_it_began_never_begins(void **state)
{
    (void)state;
    hang(MANY);
    for (unsigned i = THREADS; i < MANY; i++)
        names_forget(looked[i].lookup);
    go_on(THREADS);
    run();
    for (unsigned i = 0; i < MANY; i++)
        assert_int_equal(looked[i].done, i < THREADS);
    assert_int_equal(atomic_load(&resolver.calls), THREADS);
    assert_int_equal(weft_scope_count(weft_loop_scope(loop)), 0);
}

static void one_that_is_given_up_while_it_hangs_is_not_waited_for(void **state)
{
    (void)state;
    hang(3);
    for (unsigned i = 0; i < 3; i++)
        names_forget(looked[i].lookup);
    run();
    assert_int_equal(weft_scope_count(weft_loop_scope(loop)), 0);
    go_on(3);
    await_threads();
    assert_int_equal(looked[0].done + looked[1].done + looked[2].done, 0);
}

static void a_scope_that_ends_does_not_wait_either(void **state)
{
    weft_scope *scope = weft_scope_open(weft_loop_scope(loop), WEFT_NEVER);

    (void)state;
    for (unsigned i = 0; i < MANY; i++)
        assert_int_equal(try_start(&looked[i], scope, "slow.example"), 0);
    await_begun(THREADS);
    weft_scope_cancel(scope, WEFT_ETIMEDOUT);
    assert_int_equal(looked[0].done, 0);
    names_forget(looked[1].lookup);
    run();
    for (unsigned i = 0; i < MANY; i++) {
        assert_int_equal(looked[i].done, i != 1);
        assert_int_equal(looked[i].status, i != 1 ? WEFT_ETIMEDOUT : 0);
    }
    weft_scope_close(scope);
}

static void the_end_of_a_loop_does_not_wait_for_them(void **state)
{
    (void)state;
    hang(MANY);
    weft_loop_free(loop);
    for (unsigned i = 0; i < MANY; i++) {
        assert_int_equal(looked[i].done, 1);
        assert_int_equal(looked[i].status, WEFT_ECANCELED);
    }
    go_on(THREADS);
    await_threads();
    open_loop();
    start(&looked[0], "some.example");
    run();
    assert_int_equal(looked[0].status, 0);
}

/* Answers come while the loop is being freed: its end and theirs meet in any order. */
static void an_answer_may_come_while_the_loop_ends(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 50; round++) {
        hang(2);
        go_on(2);
        weft_loop_free(loop);
        await_threads();
        open_loop();
    }
    assert_int_equal(looked[0].done + looked[1].done, 100);
}

/* -- threads and processes -- */

static void without_a_thread_it_is_refused_and_with_one_it_waits(void **state)
{
    (void)state;
    atomic_store(&no_threads, true);
    assert_int_equal(try_start(&looked[0], weft_loop_scope(loop), "slow.example"), -EAGAIN);
    atomic_store(&no_threads, false);
    run();
    hang(1);
    atomic_store(&no_threads, true);
    start(&looked[1], "some.example");
    go_on(1);
    run();
    atomic_store(&no_threads, false);
    assert_int_equal(looked[0].done, 1);
    assert_int_equal(looked[1].done, 1);
    assert_int_equal(atomic_load(&resolver.most), 1);
}

/* Under the thread sanitizer the child of a process with threads may have none. */
#if defined(__SANITIZE_THREAD__)
#define CAN_FORK false
#elif defined(__has_feature)
#define CAN_FORK !__has_feature(thread_sanitizer)
#else
#define CAN_FORK true
#endif

static int look_up_in_child(void)
{
    weft_loop_options options = {.size = sizeof options, .backend = support_engine(), .watchdog = WEFT_NEVER};

    weft_loop_free(loop); /* a copy of the parent's */
    if (weft_loop_new(&options, &loop) < 0 || try_start(&looked[MANY - 1], weft_loop_scope(loop), "some.example") < 0 ||
        weft_loop_run(loop) < 0)
        return 1;
    weft_loop_free(loop);
    return looked[MANY - 1].done == 1 && looked[MANY - 1].status == 0 ? 0 : 2;
}

/* The threads are the parent's: what these hang in does not keep the child from having its own. */
static void a_child_looks_names_up_while_those_of_its_parent_hang(void **state)
{
    int status;
    pid_t child;

    (void)state;
    if (!CAN_FORK)
        skip();
    hang(THREADS + 4);
    child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(look_up_in_child());
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    go_on(THREADS + 4);
    run();
    for (unsigned i = 0; i < THREADS + 4; i++)
        assert_int_equal(looked[i].done, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(what_could_not_be_prepared_for_forks_is_tried_again),
        test(a_name_is_looked_up_by_a_thread_that_ends),
        test(what_can_be_no_name_is_refused),
        test(no_more_than_the_limit_are_looked_up_at_once_and_all_in_the_end),
        test(names_that_hang_leave_the_jobs_alone),
        test(one_that_is_given_up_before_it_began_never_begins),
        test(one_that_is_given_up_while_it_hangs_is_not_waited_for),
        test(a_scope_that_ends_does_not_wait_either),
        test(the_end_of_a_loop_does_not_wait_for_them),
        test(an_answer_may_come_while_the_loop_ends),
        test(without_a_thread_it_is_refused_and_with_one_it_waits),
        test(a_child_looks_names_up_while_those_of_its_parent_hang),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
