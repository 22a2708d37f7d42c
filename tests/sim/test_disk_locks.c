/* SPDX-License-Identifier: MIT */
/* Locks between the processes of a simulated host. */
#include "sim/disk_kit.h"

#include <errno.h>
#include <stdio.h>

#include <weft/file_lock.h>

static weft_file_lock *lock_of(weft_loop *loop, const char *name)
{
    char path[128];
    weft_file_lock *lock;

    snprintf(path, sizeof path, "%s/%s", place, name);
    lock = weft_file_lock_new(weft_loop_scope(loop), path);
    assert_non_null(lock);
    return lock;
}

struct attempt {
    weft_post post;
    weft_file_lock *lock;
    int status;
};

static void try_it(weft_post *post)
{
    struct attempt *ask = weft_container_of(post, struct attempt, post);

    ask->status = weft_file_lock_try(ask->lock);
}

/* Tries it on the loop that it belongs to. */
static int attempt(weft_loop *loop, weft_file_lock *lock)
{
    struct attempt ask = {.post = {.run = try_it}, .lock = lock, .status = 1};

    weft_loop_post(loop, &ask.post);
    assert_true(weft_sim_run(sim, WEFT_SECONDS(1)) >= 0);
    return ask.status;
}

static void a_lock_is_held_by_one_on_each_host(void **state)
{
    weft_file_lock *one, *two, *elsewhere, *existing;
    weft_loop *other;

    (void)state;
    begin(1, NULL);
    other = weft_sim_host(sim, "other.example");
    one = lock_of(host, "lock");
    two = lock_of(host, "lock");
    elsewhere = lock_of(other, "lock");
    existing = lock_of(host, "a.txt");
    assert_int_equal(attempt(host, one), 0);
    assert_int_equal(attempt(host, two), -EAGAIN);
    assert_int_equal(attempt(other, elsewhere), 0);
    assert_int_equal(attempt(host, existing), 0);
    assert_int_equal(weft_file_lock_release(one), 0);
    assert_int_equal(attempt(host, two), 0);
    assert_int_equal(attempt(host, one), -EAGAIN);
    assert_int_equal(attempt(host, lock_of(host, "no/lock")), -ENOENT);
    assert_int_equal(attempt(host, lock_of(host, "lock/lock")), -ENOTDIR);
    assert_string_equal(content("lock"), "");
    end();
    assert_real("lock", NULL);
}

static void a_lock_ends_with_the_power_of_its_host(void **state)
{
    (void)state;
    begin(1, NULL);
    assert_int_equal(attempt(host, lock_of(host, "lock")), 0);
    assert_int_equal(weft_sim_crash(sim, "host.example"), 0);
    host = weft_sim_host(sim, "host.example");
    assert_int_equal(attempt(host, lock_of(host, "lock")), 0);
    assert_int_equal(weft_sim_faults(sim, &(weft_faults){.size = sizeof(weft_faults), .file_errors = 1000000}), 0);
    assert_int_equal(attempt(host, lock_of(host, "other")), -EIO);
    end();
    assert_real("lock", NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        disk_test(a_lock_is_held_by_one_on_each_host),
        disk_test(a_lock_ends_with_the_power_of_its_host),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
