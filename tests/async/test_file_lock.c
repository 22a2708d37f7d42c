/* SPDX-License-Identifier: MIT */
/* Locks between processes. Another such object excludes as another process does; one test has a process. */
#include <weft/file_lock.h>
#include <weft/timer.h>

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "async/pace_test.h"

static pthread_t tester;
static char folder[] = "/tmp/weft-lock-XXXXXX";
static char path[64];
static weft_file_lock *mine, *other;
static weft_time began;

static void make_locks(void)
{
    began = weft_loop_now(loop);
    mine = weft_file_lock_new(scope, path);
    other = weft_file_lock_new(scope, path);
    assert_non_null(mine);
    assert_non_null(other);
}

static void begin_with_locks(void)
{
    begin();
    make_locks();
}

/* The same on the system's own disk: what is simulated never gets there. */
static void begin_with_files(void)
{
    weft_loop_options options = {.size = sizeof options, .backend = "epoll", .watchdog = WEFT_NEVER};

    trace[0] = '\0';
    assert_int_equal(weft_loop_new(&options, &loop), 0);
    scope = weft_scope_open(weft_loop_scope(loop), WEFT_NEVER);
    assert_non_null(scope);
    make_locks();
}

static int note_time(int error, int *value, void *arg)
{
    (void)note_done(error, value, arg);
    note("@%d ", (int)((weft_loop_now(loop) - began) / WEFT_SECONDS(1)));
    return 0;
}

static weft_done acquire_within(weft_scope *in, weft_file_lock *lock, weft_time limit, const char *letter)
{
    weft_done done = weft_file_lock_acquire(in, lock);

    assert_int_equal(weft_timeout(done.deferred, limit), 0);
    assert_int_equal(weft_finally(done, note_time, (void *)(uintptr_t)letter), 0);
    return done;
}

static weft_done acquire(weft_scope *in, weft_file_lock *lock, const char *letter)
{
    return acquire_within(in, lock, WEFT_NEVER, letter);
}

struct release {
    weft_timer timer;
    weft_file_lock *lock;
};

static void release_now(weft_timer *timer)
{
    struct release *release = weft_container_of(timer, struct release, timer);

    assert_int_equal(weft_file_lock_release(release->lock), 0);
}

static void release_after(struct release *release, weft_file_lock *lock, weft_time delay)
{
    release->lock = lock;
    assert_int_equal(weft_timer_init(&release->timer, scope, release_now), 0);
    weft_timer_start(&release->timer, delay);
}

static void free_file_is_locked_at_once(void **state)
{
    struct stat about;

    (void)state;
    begin_with_files();
    acquire_within(scope, mine, WEFT_SECONDS(1), "a");
    run(loop);
    assert_trace("a@0 ");
    assert_true(weft_file_lock_held(mine));
    assert_int_equal(weft_file_lock_try(other), -EAGAIN);
    assert_int_equal(weft_file_lock_release(mine), 0);
    assert_int_equal(stat(path, &about), 0);
    assert_int_equal(weft_file_lock_try(other), 0);
    assert_int_equal(weft_file_lock_release(mine), WEFT_ENOTHELD);
    finish();
}

/* Whether the last look was on this thread. */
static bool looked_here;

static void waiting_for_the_disk_is_left_to_a_job(void **state)
{
    (void)state;
    begin_with_files();
    looked_here = true;
    acquire(scope, mine, "a");
    run(loop);
    assert_trace("a@0 ");
    assert_false(looked_here);
    assert_int_equal(weft_file_lock_release(mine), 0);
    assert_int_equal(weft_file_lock_try(mine), 0);
    assert_true(looked_here);
    finish();
}

static void lock_of_a_simulated_host_is_no_file_of_the_system(void **state)
{
    struct stat about;

    (void)state;
    begin_with_locks();
    (void)unlink(path);
    assert_int_equal(weft_file_lock_try(mine), 0);
    assert_int_equal(weft_file_lock_try(other), -EAGAIN);
    assert_int_equal(stat(path, &about), -1);
    assert_int_equal(weft_file_lock_release(mine), 0);
    assert_int_equal(weft_file_lock_try(other), 0);
    finish();
}

static void who_waits_longer_than_the_deadline_is_told(void **state)
{
    (void)state;
    begin_with_locks();
    assert_int_equal(weft_file_lock_try(other), 0);
    acquire_within(scope, mine, WEFT_MILLISECONDS(5500), "a");
    run(loop);
    assert_trace("a!ETIMEDOUT @5 ");
    assert_false(weft_file_lock_held(mine));
    finish();
}

static void file_is_locked_at_the_next_look_after_its_release(void **state)
{
    struct release release;

    (void)state;
    begin_with_locks();
    assert_int_equal(weft_file_lock_try(other), 0);
    acquire_within(scope, mine, WEFT_SECONDS(10), "a");
    release_after(&release, other, WEFT_MILLISECONDS(1500));
    run(loop);
    assert_trace("a@2 ");
    assert_int_equal(weft_file_lock_try(other), -EAGAIN);
    finish();
}

static void interval_can_be_chosen(void **state)
{
    struct release release;

    (void)state;
    begin_with_locks();
    weft_file_lock_set_interval(mine, WEFT_SECONDS(7));
    assert_int_equal(weft_file_lock_try(other), 0);
    acquire(scope, mine, "a");
    release_after(&release, other, WEFT_SECONDS(1));
    run(loop);
    assert_trace("a@7 ");
    finish();
}

static void only_one_waits_for_a_lock_and_none_who_has_it(void **state)
{
    struct release release;

    (void)state;
    begin_with_locks();
    assert_int_equal(weft_file_lock_try(other), 0);
    acquire(scope, other, "h");
    assert_trace("h!EALREADY @0 ");
    acquire(scope, mine, "a");
    acquire(scope, mine, "b");
    assert_trace("b!EALREADY @0 ");
    release_after(&release, other, WEFT_MILLISECONDS(500));
    run(loop);
    assert_trace("a@1 ");
    finish();
}

static int acquire_again(int error, int *value, void *arg)
{
    (void)arg;
    assert_int_equal(error, 0);
    assert_int_equal(weft_file_lock_release(mine), 0);
    return weft_become(value, acquire(scope, mine, "b"));
}

static void lock_can_be_had_again_and_again(void **state)
{
    struct release release;

    (void)state;
    begin_with_locks();
    assert_int_equal(weft_file_lock_try(other), 0);
    release_after(&release, other, WEFT_MILLISECONDS(500));
    assert_int_equal(weft_then(acquire(scope, mine, "a"), acquire_again, NULL), 0);
    run(loop);
    assert_trace("a@1 b@1 ");
    assert_true(weft_file_lock_held(mine));
    finish();
}

static void who_is_cancelled_stops_looking(void **state)
{
    weft_done done;

    (void)state;
    begin_with_locks();
    assert_int_equal(weft_file_lock_try(other), 0);
    done = acquire(scope, mine, "a");
    weft_cancel(done.deferred);
    assert_trace("a!ECANCELED @0 ");
    assert_int_equal(weft_file_lock_release(other), 0);
    run(loop);
    assert_int_equal((weft_loop_now(loop) - began) / MS, 0); /* nothing waits for time any more */
    assert_false(weft_file_lock_held(mine));
    assert_int_equal(weft_file_lock_try(mine), 0); /* and nobody waits */
    finish();
}

static void who_is_cancelled_has_no_deadline_any_more(void **state)
{
    weft_done done;

    (void)state;
    begin_with_locks();
    assert_int_equal(weft_file_lock_try(other), 0);
    done = acquire_within(scope, mine, WEFT_SECONDS(1), "a");
    weft_cancel(done.deferred);
    run(loop);
    assert_trace("a!ECANCELED @0 ");
    assert_int_equal((weft_loop_now(loop) - began) / MS, 0);
    finish();
}

static void who_gives_up_leaves_the_look_to_the_next(void **state)
{
    weft_done done;

    (void)state;
    begin_with_files();
    done = acquire(scope, mine, "a");
    weft_cancel(done.deferred);
    acquire(scope, mine, "b");
    assert_trace("a!ECANCELED @0 ");
    run(loop);
    assert_trace("b@0 ");
    assert_true(weft_file_lock_held(mine));
    assert_int_equal(weft_file_lock_try(other), -EAGAIN);
    finish();
}

static void what_is_locked_for_nobody_is_given_back(void **state)
{
    weft_done done;

    (void)state;
    begin_with_files();
    done = acquire(scope, mine, "a");
    weft_cancel(done.deferred);
    run(loop);
    assert_trace("a!ECANCELED @0 ");
    assert_false(weft_file_lock_held(mine));
    assert_int_equal(weft_file_lock_try(other), 0);
    finish();
}

static void scope_that_closes_amid_a_look_gives_it_back(void **state)
{
    weft_scope *inner;

    (void)state;
    begin_with_files();
    inner = weft_scope_open(scope, WEFT_NEVER);
    acquire(scope, weft_file_lock_new(inner, path), "a");
    weft_scope_close(inner);
    run(loop);
    assert_trace("a!ECANCELED @0 ");
    assert_int_equal(weft_file_lock_try(other), 0);
    finish();
}

static void scope_takes_what_it_holds_and_who_waits_with_it(void **state)
{
    weft_scope *inner;
    weft_file_lock *third;

    (void)state;
    begin_with_locks();
    inner = weft_scope_open(scope, WEFT_NEVER);
    third = weft_file_lock_new(inner, path);
    assert_int_equal(weft_file_lock_try(third), 0);
    acquire(scope, mine, "a");
    for (int i = 0; i < 3; i++)
        assert_int_equal(weft_loop_step(loop), 1); /* it has looked */
    weft_scope_close(inner);
    run(loop);
    assert_trace("a@1 ");
    inner = weft_scope_open(scope, WEFT_NEVER);
    third = weft_file_lock_new(inner, path);
    acquire(scope, third, "b"); /* in another scope than the lock */
    weft_scope_close(inner);
    run(loop);
    assert_trace("b!ECANCELED @1 ");
    inner = weft_scope_open(scope, WEFT_NEVER);
    acquire(inner, other, "c");
    weft_scope_close(inner);
    run(loop);
    assert_trace("c!ECANCELED @1 ");
    assert_int_equal(weft_file_lock_try(other), -EAGAIN); /* nobody waits there */
    finish();
}

static void process_that_ended_holds_nothing(void **state)
{
    int pipes[2], status;
    char byte;
    pid_t child;

    (void)state;
    begin_with_files();
    assert_int_equal(pipe(pipes), 0);
    child = fork();
    if (child == 0) {
        if (weft_file_lock_try(other) < 0 || write(pipes[1], "x", 1) != 1)
            _exit(1);
        pause();
    }
    assert_int_equal(read(pipes[0], &byte, 1), 1);
    assert_int_equal(weft_file_lock_try(mine), -EAGAIN);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(weft_file_lock_try(mine), 0);
    close(pipes[0]);
    close(pipes[1]);
    finish();
}

static void removed_file_is_no_lock(void **state)
{
    (void)state;
    begin_with_files();
    assert_int_equal(weft_file_lock_try(other), 0);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(weft_file_lock_try(mine), 0); /* that of a new file */
    assert_int_equal(weft_file_lock_release(other), 0);
    assert_int_equal(weft_file_lock_try(other), -EAGAIN);
    finish();
}

static void refuse_what_cannot_be_locked(void)
{
    acquire(scope, weft_file_lock_new(scope, "/tmp/weft-no-such/lock"), "a");
    run(loop);
    assert_trace("a!ENOENT @0 ");
    acquire(scope, weft_file_lock_new(scope, "/dev/null"), "b");
    run(loop);
    assert_trace("b!EINVAL @0 ");
    assert_null(weft_file_lock_acquire_at(scope, NULL, WEFT_HERE));
    finish();
}

static void file_that_cannot_be_locked_is_an_error(void **state)
{
    (void)state;
    begin_with_files();
    refuse_what_cannot_be_locked();
    begin_with_locks();
    refuse_what_cannot_be_locked();
}

static int wait_in_task(weft_task *me, void *arg)
{
    (void)me;
    (void)arg;
    note("%s ", weft_error_name(weft_wait(weft_file_lock_acquire(scope, mine))));
    return 0;
}

static void task_waits_for_the_file(void **state)
{
    struct release release;

    (void)state;
    begin_with_locks();
    assert_int_equal(weft_file_lock_try(other), 0);
    assert_int_equal(weft_spawn(scope, wait_in_task, NULL), 0);
    release_after(&release, other, WEFT_SECONDS(3));
    run(loop);
    assert_trace("OK ");
    finish();
}

static void all_of_it(void *arg)
{
    weft_file_lock *one, *two;

    (void)arg;
    if (!try_begin())
        return;
    one = weft_file_lock_new(scope, path);
    two = weft_file_lock_new(scope, path);
    if (one && two) {
        try_watch(weft_file_lock_acquire(scope, one), "a");
        try_watch(weft_file_lock_acquire(scope, two), "b");
    }
    finish();
}

/* On the system's own disk. */
static void try_the_file(void *arg)
{
    weft_loop_options options = {.size = sizeof options, .backend = "epoll", .watchdog = WEFT_NEVER};
    weft_file_lock *one;

    (void)arg;
    if (weft_loop_new(&options, &loop) < 0)
        return;
    one = weft_file_lock_new(weft_loop_scope(loop), path);
    if (one && weft_file_lock_try(one) == 0)
        assert_int_equal(weft_file_lock_release(one), 0);
    weft_loop_free(loop);
}

static void failed_allocations_are_survived(void **state)
{
    (void)state;
    support_torture(all_of_it, NULL);
    support_torture(try_the_file, NULL);
}

static int stat_error;

int __real_stat(const char *where, struct stat *about);
int __wrap_stat(const char *where, struct stat *about);
int __wrap_stat(const char *where, struct stat *about)
{
    looked_here = pthread_equal(pthread_self(), tester);
    if (stat_error == 0)
        return __real_stat(where, about);
    errno = stat_error;
    return -1;
}

static void file_that_cannot_be_looked_at_is_an_error(void **state)
{
    (void)state;
    begin_with_files();
    stat_error = EACCES;
    assert_int_equal(weft_file_lock_try(mine), -EACCES);
    stat_error = ENOENT; /* removed, again and again: as if another held it */
    assert_int_equal(weft_file_lock_try(mine), -EAGAIN);
    stat_error = 0;
    assert_false(weft_file_lock_held(mine));
    assert_int_equal(weft_file_lock_try(other), 0); /* nothing was left locked */
    finish();
}

static int prepare(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/lock", folder);
    tester = pthread_self();
    return 0;
}

static int tidy_up(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        support_test(free_file_is_locked_at_once),
        support_test(waiting_for_the_disk_is_left_to_a_job),
        support_test(who_gives_up_leaves_the_look_to_the_next),
        support_test(what_is_locked_for_nobody_is_given_back),
        support_test(scope_that_closes_amid_a_look_gives_it_back),
        support_test(lock_of_a_simulated_host_is_no_file_of_the_system),
        support_test(who_waits_longer_than_the_deadline_is_told),
        support_test(file_is_locked_at_the_next_look_after_its_release),
        support_test(interval_can_be_chosen),
        support_test(only_one_waits_for_a_lock_and_none_who_has_it),
        support_test(lock_can_be_had_again_and_again),
        support_test(who_is_cancelled_stops_looking),
        support_test(who_is_cancelled_has_no_deadline_any_more),
        support_test(scope_takes_what_it_holds_and_who_waits_with_it),
        support_test(process_that_ended_holds_nothing),
        support_test(removed_file_is_no_lock),
        support_test(file_that_cannot_be_locked_is_an_error),
        support_test(file_that_cannot_be_looked_at_is_an_error),
        support_test(task_waits_for_the_file),
        support_test(failed_allocations_are_survived),
    };
    return cmocka_run_group_tests(tests, prepare, tidy_up);
}
