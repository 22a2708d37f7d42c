/* SPDX-License-Identifier: MIT */
/*
 * What tasks take of the system's memory: nothing when they have ended, two pages at most while they are parked.
 *
 * usage: test-async_task_memory TASKS (in all, of the first test)
 */
#include <weft/task.h>

#include <malloc.h>
#include <stdlib.h>

#include "async/context.h"
#include "async/deferred_test.h"

#define spawn(scope, function, arg) assert_int_equal(weft_spawn(scope, function, arg), 0)

#define WAVE 1000 /* alive at once: more than the stacks that stay in memory */
#define MOST_OF_ONE 8192

/* A sanitizer keeps what was freed, and notes of its own about each stack: then only our own counts are exact. */
#if defined(CONTEXT_ASAN) || defined(CONTEXT_TSAN)
#define RESIDENT_IS_OURS 0
#define ALIVE 5000
#else
#define RESIDENT_IS_OURS 1
#define ALIVE 100000
#endif

static int tasks = 100000;
static int begun, ended;

/* The number of KiB behind @p name in a file of /proc. */
static size_t kib_of(const char *path, const char *name)
{
    FILE *file = fopen(path, "r");
    char line[256];
    size_t kib = 0;

    assert_non_null(file);
    while (fgets(line, sizeof line, file))
        if (strncmp(line, name, strlen(name)) == 0)
            kib = strtoul(line + strlen(name), NULL, 10);
    fclose(file);
    assert_int_not_equal(kib, 0);
    return kib;
}

/* Bytes of memory, without what malloc keeps of what was freed. */
static size_t resident(void)
{
    malloc_trim(0);
    return 1024 * kib_of("/proc/self/smaps_rollup", "Rss:");
}

/* The same with the kernel's tables of that memory. */
static size_t resident_all_told(void)
{
    return resident() + 1024 * kib_of("/proc/self/status", "VmPTE:");
}

/* -- one after the other -- */

static int answer(weft_task *me, void *arg)
{
    (void)me;
    (void)arg;
    ended++;
    return weft_yield();
}

static int ask(weft_task *me, void *arg)
{
    int status = weft_wait(weft_spawn_done(weft_task_scope(me), answer, NULL));

    (void)arg;
    ended++;
    return status < 0 ? status : weft_sleep(MS);
}

static void wave(void)
{
    for (int i = 0; i < WAVE / 2; i++)
        spawn(scope, ask, NULL);
    run();
    assert_int_equal(weft_scope_count(scope), 0);
}

static void tasks_that_have_ended_leave_nothing(void **state)
{
    size_t before, after, live;

    (void)state;
    for (int i = 0; i < 10; i++)
        wave();
    (void)resident(); /* warms what it uses itself */
    ended = 0;
    live = support_live();
    before = resident();
    while (ended < tasks)
        wave();
    after = resident();
    print_message("%d tasks spawned and ended: %zu KiB resident before, %zu KiB after\n", ended, before / 1024,
                  after / 1024);
    assert_in_range(support_live(), 0, live + 5); /* the free stacks that stay lie in as many slabs as it happens */
    if (RESIDENT_IS_OURS)
        assert_in_range(after, 0, before + before / 100);
}

/* -- at once -- */

static void sleep_long(weft_task *me, void *arg)
{
    (void)me;
    (void)arg;
    begun++;
    (void)weft_sleep(WEFT_HOURS(1));
    ended++;
}

static void await_for_ever(weft_task *me, void *arg)
{
    number d = weft_deferred_new(number, weft_task_scope(me));

    (void)arg;
    begun++;
    (void)!weft_wait(d);
    ended++;
}

static void alive_at_once(const char *how, void (*function)(weft_task *me, void *arg))
{
    size_t before = resident_all_told(), peak, after, bytes;

    begun = ended = 0;
    for (int i = 0; i < ALIVE; i++)
        spawn(scope, function, NULL);
    while (begun < ALIVE)
        turn();
    peak = resident_all_told();
    assert_int_equal(ended, 0);
    weft_scope_cancel(scope, WEFT_ECANCELED);
    run();
    assert_int_equal(ended, ALIVE);
    after = resident_all_told();
    bytes = (peak - before) / ALIVE;
    print_message("%d tasks parked in %s: %zu bytes each; of %zu KiB in all %zu are left when they have ended\n", ALIVE,
                  how, bytes, (peak - before) / 1024, after > before ? (after - before) / 1024 : 0);
    if (RESIDENT_IS_OURS) {
        assert_in_range(bytes, 1, MOST_OF_ONE);
        assert_in_range(after, 0, before + (peak - before) / 100);
    }
}

static void parked_task_takes_two_pages_at_most(void **state)
{
    (void)state;
    alive_at_once("weft_sleep", sleep_long);
}

static void task_parked_with_a_scope_and_a_deferred_takes_two_pages_at_most(void **state)
{
    (void)state;
    alive_at_once("weft_await", await_for_ever);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        deferred_test(tasks_that_have_ended_leave_nothing),
        deferred_test(parked_task_takes_two_pages_at_most),
        deferred_test(task_parked_with_a_scope_and_a_deferred_takes_two_pages_at_most),
    };

    if (argc > 1)
        tasks = atoi(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
