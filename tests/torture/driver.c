/* SPDX-License-Identifier: MIT */
#include "torture/driver.h"

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
#include "torture/inject.h"

#define PATIENCE 20 /* seconds for one run */
#define POINTS_MOST 100000

static atomic_size_t alarms, injected_before;
static char output[1 << 16];
static int real_output = -1, real_errors = -1;
static size_t left_in_root; /* when a loop was freed */
static char tried[240];     /* what went wrong in the run that is under way, or that failed; else empty */

static struct {
    atomic_size_t count; /* read by a client's thread, too */
    size_t cancel_at;
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
    if (atomic_fetch_add(&waits.count, 1) + 1 == waits.cancel_at) {
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
    static const char text[] = "a scenario did not end\n";

    (void)number;
    (void)!write(real_errors, text, sizeof text - 1);
    (void)!write(real_errors, tried, strlen(tried));
    (void)!write(real_errors, "\n", 1);
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

/* What goes wrong in a run. */
struct point {
    size_t allocation; /* that fails; 0: none */
    bool forever;      /* and all that follow */
    size_t wait;       /* at which all is cancelled; 0: none */
    struct torture_fault fault;
};

static void describe(const char *name, const struct point *point)
{
    const char *forever = point->forever || point->fault.lasting ? ", for ever" : "";

    if (point->allocation > 0)
        snprintf(tried, sizeof tried, "%s: allocation %zu fails%s", name, point->allocation, forever);
    else if (point->wait > 0)
        snprintf(tried, sizeof tried, "%s: cancelled at wait %zu", name, point->wait);
    else if (point->fault.place > 0)
        snprintf(tried, sizeof tried, "%s: %s fails, in call %zu, with its error %u%s", name,
                 torture_place(point->fault.place), point->fault.call, point->fault.error, forever);
    else
        snprintf(tried, sizeof tried, "%s: nothing fails", name);
}

static void arm(const struct point *point)
{
    atomic_store(&alarms, 0);
    atomic_store(&injected_before, 0);
    left_in_root = 0;
    waits.count = 0;
    waits.cancel_at = point->wait;
    alarm(PATIENCE);
    support_fail_at(point->allocation, point->forever);
    torture_inject(point->fault);
}

static struct torture_end run(const struct torture_scenario *scenario, const struct point *point,
                              struct torture_injected *ret_injected)
{
    size_t descriptors_before = descriptors(), live = support_live();
    struct torture_end end = {.output = output};
    int file;

    describe(scenario->name, point);
    if (scenario->prepare)
        scenario->prepare(scenario->arg);
    file = capture();
    arm(point);
    end.status = scenario->play(scenario->arg);
    torture_relent();
    *ret_injected = torture_inject_over();
    alarm(0);
    release(file);
    if (ret_injected->count > 0)
        snprintf(tried, sizeof tried, "%s: %s%s", scenario->name, ret_injected->place,
                 point->fault.lasting ? ", for ever" : "");
    end.by_call = ret_injected->count > 0;
    end.cancelled = point->wait > 0 && waits.count >= point->wait;
    end.disturbed = end.cancelled || end.by_call || atomic_load(&injected_before) > 0;
    end.alarms = atomic_load(&alarms);
    if (scenario->settle)
        scenario->settle(scenario->arg);
    assert_int_equal(descriptors(), descriptors_before);
    assert_int_equal(support_live(), live);
    if (end.cancelled && left_in_root > 0)
        fail_msg("%zu members were left in the root scope: %s", left_in_root, output);
    scenario->judge(scenario->arg, &end);
    tried[0] = '\0';
    return end;
}

void torture_relent(void)
{
    atomic_fetch_add(&injected_before, support_injected());
    support_fail_at(0, false);
    torture_inject_end();
}

bool torture_is_disturbed(void)
{
    return support_injected() > 0 || atomic_load(&injected_before) > 0 || torture_injected() > 0 ||
           (waits.cancel_at > 0 && waits.count >= waits.cancel_at);
}

size_t torture_alarms(void)
{
    return atomic_load(&alarms);
}

/* -- all runs -- */

/* Of all scenarios of the program. */
static size_t points_in_all;

struct tally {
    size_t points, went_on;
};

static void count(struct tally *tally, const struct torture_scenario *scenario, const struct torture_end *end)
{
    tally->went_on += end->status == 0;
    points_in_all++;
    if (++tally->points > POINTS_MOST)
        fail_msg("%s: there is no end of it", scenario->name);
}

static void tell(const struct torture_scenario *scenario, const char *what, const struct tally *tally)
{
    print_message("%s: %zu %s, all survived: it went on %zu times, and ended with an error %zu times\n", scenario->name,
                  tally->points, what, tally->went_on, tally->points - tally->went_on);
    assert_int_not_equal(tally->points, 0);
}

static void all_allocations(const struct torture_scenario *scenario, bool forever)
{
    struct tally tally = {0, 0};
    struct torture_injected none;

    for (;;) {
        struct torture_end end =
            run(scenario, &(struct point){.allocation = tally.points + 1, .forever = forever}, &none);
        if (!end.disturbed)
            break;
        count(&tally, scenario, &end);
    }
    tell(scenario, forever ? "allocations failed for ever" : "allocations failed once", &tally);
}

static void run_undisturbed(const struct torture_scenario *scenario)
{
    struct torture_injected none;

    (void)run(scenario, &(struct point){.allocation = 0}, &none); /* what the process makes once */
}

void torture_allocations(const struct torture_scenario *scenario)
{
    run_undisturbed(scenario);
    all_allocations(scenario, false);
    all_allocations(scenario, true);
}

/* The call that @p fault says with each of its errors. @return whether so many were made */
static bool all_errors(const struct torture_scenario *scenario, struct torture_fault fault, struct tally *once,
                       struct tally *lasting)
{
    struct torture_injected injected = {.errors = 1};

    for (fault.error = 0; fault.error < injected.errors; fault.error++) {
        struct torture_end end;

        fault.lasting = false;
        end = run(scenario, &(struct point){.fault = fault}, &injected);
        if (injected.count == 0)
            return false;
        count(once, scenario, &end);
        fault.lasting = injected.can_last;
        if (!fault.lasting)
            continue;
        end = run(scenario, &(struct point){.fault = fault}, &injected);
        if (injected.count == 0)
            return false;
        count(lasting, scenario, &end);
    }
    return true;
}

void torture_calls(const struct torture_scenario *scenario)
{
    size_t places = torture_places(), *made = calloc(places + 1, sizeof *made);
    struct tally once = {0, 0}, lasting = {0, 0};

    assert_non_null(made);
    run_undisturbed(scenario);
    run_undisturbed(scenario);
    for (size_t place = 1; place <= places; place++)
        made[place] = torture_calls_at(place);
    for (size_t place = 1; place <= places; place++)
        for (size_t call = 1; made[place] > 0; call++)
            if (!all_errors(scenario, (struct torture_fault){.place = place, .call = call}, &once, &lasting))
                break;
    free(made);
    tell(scenario, "errors of system calls, once", &once);
    tell(scenario, "errors of system calls, for ever", &lasting);
}

void torture_waits(const struct torture_scenario *scenario)
{
    struct tally tally = {0, 0};
    struct torture_injected none;

    for (;;) {
        struct torture_end end = run(scenario, &(struct point){.wait = tally.points + 1}, &none);
        if (!end.cancelled)
            break;
        count(&tally, scenario, &end);
    }
    tell(scenario, "waits cancelled", &tally);
}

int torture_over(int status)
{
    print_message("%zu points in all%s\n", points_in_all, status == 0 ? ", all survived" : "");
    torture_report(points_in_all);
    return status;
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
    dup2(real_output, STDOUT_FILENO); /* an assertion in a scenario ends it before its output is released */
    dup2(real_errors, STDERR_FILENO);
    if (tried[0])
        print_message("%s; it said: %s\n", tried, output);
    tried[0] = '\0';
    support_allocator_remove();
    weft_log_set_sink(NULL, NULL);
    close(real_output);
    close(real_errors);
    return 0;
}
