/* SPDX-License-Identifier: MIT */
#include "torture/example.h"

#include <dirent.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <weft/log.h>

#include "async/task_internal.h"
#include "base/poison.h"

#define PATIENCE 60 /* seconds for one run */
#define POINTS_MOST 100000

static atomic_size_t alarms, injected_before;
static char output[1 << 16];
static int real_output = -1, real_errors = -1;
static size_t left_in_root; /* when a loop was freed */

static struct {
    size_t count, cancel_at;
    weft_loop *loop;
    struct loop_task cancel;
} waits;

/* -- what is wrapped -- */

void __real_task_park(weft_task *task, const char *what, const char *name, weft_place place);
void __wrap_task_park(weft_task *task, const char *what, const char *name, weft_place place);
void __real_weft_loop_free(weft_loop *loop);
void __wrap_weft_loop_free(weft_loop *loop);

static void cancel_root(struct loop_task *task)
{
    (void)task;
    weft_scope_cancel(weft_loop_scope(waits.loop), WEFT_ECANCELED);
}

/* Not from within the task: it has to wait first. */
void __wrap_task_park(weft_task *task, const char *what, const char *name, weft_place place)
{
    if (++waits.count == waits.cancel_at) {
        waits.loop = task->loop;
        waits.cancel = (struct loop_task){.run = cancel_root};
        loop_ready(task->loop, &waits.cancel);
    }
    __real_task_park(task, what, name, place);
}

void __wrap_weft_loop_free(weft_loop *loop)
{
    if (loop)
        left_in_root += weft_scope_count(weft_loop_scope(loop));
    __real_weft_loop_free(loop);
}

/* -- one run -- */

static size_t descriptors(void)
{
    DIR *directory = opendir("/proc/self/fd");
    size_t count = 0;

    assert_non_null(directory);
    while (readdir(directory))
        count++;
    closedir(directory);
    return count;
}

static void too_long(int number)
{
    static const char text[] = "an example did not end\n";

    (void)number;
    (void)!write(real_errors, text, sizeof text - 1);
    (void)!write(real_errors, output, strlen(output));
    abort();
}

static int capture(void)
{
    int file = memfd_create("output", 0);

    if (file < 0)
        abort();
    fflush(stdout);
    dup2(file, STDOUT_FILENO);
    dup2(file, STDERR_FILENO);
    return file;
}

static void release(int file)
{
    ssize_t length;

    fflush(stdout);
    dup2(real_output, STDOUT_FILENO);
    dup2(real_errors, STDERR_FILENO);
    length = pread(file, output, sizeof output - 1, 0);
    output[length < 0 ? 0 : length] = '\0';
    close(file);
}

static struct torture_end run(const struct torture_example *example, size_t allocation, bool forever, size_t wait)
{
    size_t descriptors_before = descriptors(), live = support_live();
    struct torture_end end = {.output = output};
    int file;

    if (allocation > 0)
        snprintf(output, sizeof output, "%s: allocation %zu fails%s\n", example->name, allocation,
                 forever ? " and all that follow" : "");
    else
        snprintf(output, sizeof output, "%s: cancelled at wait %zu\n", example->name, wait);
    support_set_context("%s", output);
    atomic_store(&alarms, 0);
    atomic_store(&injected_before, 0);
    left_in_root = waits.count = 0;
    waits.cancel_at = wait;
    file = capture();
    alarm(PATIENCE);
    support_fail_at(allocation, forever);
    end.status = example->play(example->arg);
    torture_relent();
    alarm(0);
    release(file);
    end.cancelled = wait > 0 && waits.count >= wait;
    end.disturbed = end.cancelled || atomic_load(&injected_before) > 0;
    end.alarms = atomic_load(&alarms);
    assert_int_equal(descriptors(), descriptors_before);
    assert_int_equal(support_live(), live);
    if (end.cancelled && left_in_root > 0)
        fail_msg("%zu members were left in the root scope: %s", left_in_root, output);
    example->judge(example->arg, &end);
    support_clear_context();
    return end;
}

void torture_relent(void)
{
    atomic_fetch_add(&injected_before, support_injected());
    support_fail_at(0, false);
}

/* -- all runs -- */

static void all_allocations(const struct torture_example *example, bool forever)
{
    size_t points = 0, went_on = 0;

    for (;;) {
        struct torture_end end = run(example, points + 1, forever, 0);
        if (!end.disturbed)
            break;
        went_on += end.status == 0;
        if (++points > POINTS_MOST)
            fail_msg("%s: there is no end of its allocations", example->name);
    }
    print_message("%s: %zu allocations failed %s: it went on %zu times, and ended with an error %zu times\n",
                  example->name, points, forever ? "for ever" : "once", went_on, points - went_on);
    assert_int_not_equal(points, 0);
}

void torture_allocations(const struct torture_example *example)
{
    (void)run(example, 0, false, 0); /* what the process makes once */
    all_allocations(example, false);
    all_allocations(example, true);
}

void torture_waits(const struct torture_example *example)
{
    size_t points = 0;

    while (run(example, 0, false, points + 1).cancelled)
        if (++points > POINTS_MOST)
            fail_msg("%s: there is no end of its waits", example->name);
    print_message("%s: cancelled at each of %zu waits, and nothing was left\n", example->name, points);
    assert_int_not_equal(points, 0);
}

/* -- around a test -- */

static void count_alarm(const weft_log_event *event, void *arg)
{
    (void)arg;
    if (event->level >= WEFT_LOG_WARNING)
        atomic_fetch_add(&alarms, 1);
    fprintf(stderr, "%s: %s\n", event->subject, event->text);
}

static void nothing(int number)
{
    (void)number;
}

int torture_setup(void **state)
{
    (void)state;
    real_output = dup(STDOUT_FILENO);
    real_errors = dup(STDERR_FILENO);
#if defined(BASE_POISON_ENABLED)
    __sanitizer_set_report_fd((void *)(intptr_t)real_errors);
#endif
    signal(SIGALRM, too_long);
    signal(SIGTERM, nothing); /* it may come when the example has just ended */
    support_allocator_install();
    weft_log_set_sink(count_alarm, NULL);
    return 0;
}

int torture_teardown(void **state)
{
    (void)state;
    support_allocator_remove();
    weft_log_set_sink(NULL, NULL);
    close(real_output);
    close(real_errors);
    return 0;
}
