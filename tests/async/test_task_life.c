/* SPDX-License-Identifier: MIT */
/* Many tasks; memory that is short; cancellation at every place where a program waits. */
#include <weft/task.h>

#include "loop/loop_internal.h"

#include "async/deferred_test.h"

#define spawn(scope, function, arg) assert_int_equal(weft_spawn(scope, function, arg), 0)

/* -- many -- */

#define MANY 10000

static int began, ended;

static void live(weft_task *me, void *arg)
{
    const int *delay = arg;

    (void)me;
    began++;
    (void)weft_sleep(*delay * MS);
    ended++;
}

static void ten_thousand_tasks_live_at_once(void **state)
{
    static int delays[7] = {5, 6, 7, 8, 9, 10, 11};

    (void)state;
    began = ended = 0;
    for (int i = 0; i < MANY; i++)
        spawn(scope, live, &delays[i % 7]);
    assert_int_equal(weft_scope_count(scope), MANY);
    while (began < MANY)
        turn();
    assert_int_equal(ended, 0);
    run();
    assert_int_equal(ended, MANY);
    assert_int_equal(weft_scope_count(scope), 0);
}

static void ten_thousand_tasks_are_cancelled_at_once(void **state)
{
    static int hour = 3600000;

    (void)state;
    began = ended = 0;
    for (int i = 0; i < MANY; i++)
        spawn(scope, live, &hour);
    while (began < MANY)
        turn();
    weft_scope_close(scope);
    run();
    assert_int_equal(ended, MANY);
    assert_int_equal(weft_scope_count(weft_loop_scope(loop)), 0);
}

/* -- a small program with one wait of each kind -- */

struct program {
    weft_scope *scope;
    number given; /* fired by a helper */
    int steps;    /* how many of its waits ended well */
    int words;    /* how many of its last words were said */
};

static int sleep_a_little(weft_task *me, void *arg)
{
    (void)me;
    (void)arg;
    return weft_sleep(2 * MS);
}

static int give(weft_task *me, void *arg)
{
    struct program *program = arg;
    int status = weft_sleep(MS);

    (void)me;
    return status ? status : weft_fire(program->given, 4);
}

static int say_last_words(struct program *program)
{
    weft_scope *shield = weft_shield(WEFT_SECONDS(1));
    int status = shield ? weft_sleep(MS) : WEFT_ENOMEM;

    weft_scope_close(shield);
    if (status == 0)
        program->words++;
    return status;
}

static int step(struct program *program, int status)
{
    if (status == 0)
        program->steps++;
    return status;
}

static int wait_for_helpers(struct program *program, weft_scope *own)
{
    weft_scope *inner = weft_scope_open(own, WEFT_SECONDS(9));
    int status = weft_spawn(inner, sleep_a_little, NULL);

    if (status == 0)
        status = weft_spawn(inner, sleep_a_little, NULL);
    if (status == 0)
        status = weft_scope_wait(inner);
    weft_scope_close(inner);
    return step(program, status);
}

static int wait_for_value(struct program *program, weft_scope *own)
{
    int value = 0, status;

    program->given = weft_deferred_new(number, own);
    status = weft_timeout(program->given.deferred, WEFT_SECONDS(1));
    if (status == 0)
        status = weft_spawn(own, give, program);
    if (status == 0)
        status = weft_await(program->given, &value);
    if (status == 0)
        assert_int_equal(value, 4);
    return step(program, status);
}

static int do_it(weft_task *me, void *arg)
{
    struct program *program = arg;
    weft_scope *own = weft_task_scope(me);
    int status = step(program, weft_sleep(MS));

    if (status == 0)
        status = wait_for_helpers(program, own);
    if (status == 0)
        status = wait_for_value(program, own);
    if (status == 0)
        status = step(program, weft_wait(weft_spawn_done(own, sleep_a_little, NULL)));
    if (status == 0)
        status = step(program, weft_yield());
    (void)say_last_words(program);
    return status;
}

#define STEPS 5

/* -- turn by turn -- */

static struct backend_ops one_turn;
static int (*wait_in_backend)(struct backend *backend, weft_time timeout);

static int wait_once(struct backend *backend, weft_time timeout)
{
    weft_loop_stop(loop);
    return wait_in_backend(backend, timeout);
}

/* From now on weft_loop_run is one turn, and time passes in it. */
static void single_step(void)
{
    one_turn = *loop->backend->ops;
    wait_in_backend = one_turn.wait;
    one_turn.wait = wait_once;
    loop->backend->ops = &one_turn;
}

enum manner { CLOSE, CANCEL, CANCEL_DEFERRED };

static void cancel(struct program *program, weft_done done, enum manner manner)
{
    switch (manner) {
    case CLOSE:
        weft_scope_close(program->scope);
        return;
    case CANCEL:
        weft_scope_cancel(program->scope, -ECONNRESET);
        return;
    case CANCEL_DEFERRED:
        weft_cancel(done.deferred);
        return;
    }
}

static void run_to_the_end(void)
{
    int guard = 0;

    while (weft_scope_count(scope) > 0 && guard++ < 1000)
        run();
}

/* Runs it, and cancels it after @p turns turns. @return whether it had ended before that */
static bool run_and_cancel(int turns, enum manner manner)
{
    static const int reasons[] = {WEFT_ECANCELED, -ECONNRESET, WEFT_ECANCELED};
    struct program program = {.scope = weft_scope_open(scope, WEFT_NEVER)};
    weft_done done = weft_spawn_done(program.scope, do_it, &program);
    bool over;

    weft_deferred_ref(done.deferred);
    for (int i = 0; i < turns; i++)
        run();
    over = weft_deferred_ready(done.deferred);
    cancel(&program, done, manner);
    if (manner != CLOSE) {
        for (int i = 0; i < 20; i++)
            run();
        weft_scope_close(program.scope);
    }
    run_to_the_end();
    assert_int_equal(weft_peek(done, &(int){0}), over ? 0 : reasons[manner]);
    assert_true(over ? program.steps == STEPS : program.steps <= STEPS);
    assert_int_equal(program.words, turns > 0);
    weft_deferred_unref(done.deferred);
    assert_int_equal(weft_scope_count(scope), 0);
    return over;
}

static void cancelled_after(int turns, enum manner manner, bool *over)
{
    size_t live;

    *over = run_and_cancel(turns, manner); /* stacks stay with the loop */
    live = support_live();
    (void)run_and_cancel(turns, manner);
    assert_int_equal(support_live(), live);
}

static void cancelling_at_every_turn_leaves_nothing_behind(void **state) /* EL-14, EL-15 */
{
    (void)state;
    single_step();
    for (enum manner manner = CLOSE; manner <= CANCEL_DEFERRED; manner++) {
        bool over = false;
        int turns = 0;
        while (!over)
            cancelled_after(turns++, manner, &over);
        assert_in_range(turns, 7, 100);
    }
}

/* -- the end of a scope, whatever wakes who waits for it -- */

static weft_time now_ms(void)
{
    return weft_loop_now(loop) / MS;
}

/* Says a last word that takes 50 ms and touches what its parent lent it. */
static void speak_on(weft_task *me, void *arg)
{
    int *of_parent = arg;
    weft_scope *shield;

    (void)me;
    (void)weft_sleep(WEFT_HOURS(1));
    shield = weft_shield(WEFT_SECONDS(1));
    (void)weft_sleep(50 * MS);
    ++*of_parent;
    weft_scope_close(shield);
}

static int lend_and_finish(weft_task *me, void *arg)
{
    weft_scope *children = weft_scope_open(weft_task_scope(me), WEFT_NEVER);
    int lent = 0, status;

    (void)arg;
    spawn(children, speak_on, &lent);
    status = weft_scope_wait(children);
    note("wait:%s ", weft_error_name(status));
    status = weft_scope_finish(children);
    note("finish:%d lent:%d ", status, lent);
    return 0;
}

struct canceller {
    weft_timer timer;
    int times;
    const int *reasons;
};

static void cancel_again(weft_timer *timer)
{
    struct canceller *canceller = weft_container_of(timer, struct canceller, timer);

    weft_scope_cancel(scope, *canceller->reasons++);
    if (--canceller->times > 0)
        weft_timer_start(timer, 10 * MS);
}

/* The second reason outranks the first, so it wakes the task while it waits for the end of the scope. */
static void finishing_a_scope_outlasts_a_second_cancellation(void **state)
{
    static const int reasons[] = {WEFT_ETIMEDOUT, WEFT_ECANCELED, WEFT_ECANCELED};
    struct canceller canceller = {.times = 3, .reasons = reasons};
    weft_time before = now_ms();

    (void)state;
    spawn(scope, lend_and_finish, NULL);
    assert_int_equal(weft_timer_init(&canceller.timer, weft_loop_scope(loop), cancel_again), 0);
    weft_timer_start(&canceller.timer, 10 * MS);
    run();
    weft_timer_fini(&canceller.timer);
    assert_trace("wait:ETIMEDOUT finish:0 lent:1 ");
    assert_int_equal(now_ms() - before, 60);
}

/* -- memory -- */

static void run_with_little_memory(void *arg)
{
    struct program program = {.scope = weft_scope_open(scope, WEFT_NEVER)};
    weft_done done = weft_spawn_done(program.scope, do_it, &program);
    int status;

    (void)arg;
    weft_deferred_ref(done.deferred);
    run();
    status = weft_peek(done, &(int){0});
    if (support_injected() == 0)
        assert_int_equal(status, 0);
    if (status == 0)
        assert_int_equal(program.steps, STEPS);
    else
        assert_int_equal(status, WEFT_ENOMEM);
    weft_deferred_unref(done.deferred);
    weft_scope_close(program.scope);
    run();
    assert_int_equal(weft_scope_count(scope), 0);
}

static void failed_allocation_is_an_error_everywhere(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++)
        run_with_little_memory(NULL);
    assert_true(support_torture(run_with_little_memory, NULL) >= 5);
}

/* The same with a new loop each time, so that what a loop makes once is short, too. */
static void run_with_new_loop(void *arg)
{
    weft_loop_options options = {.size = sizeof options, .backend = "sim:1", .watchdog = WEFT_NEVER};
    weft_loop *outer = loop;
    weft_scope *outer_scope = scope;

    if (weft_loop_new(&options, &loop) == 0) {
        scope = weft_scope_open(weft_loop_scope(loop), WEFT_NEVER);
        if (scope)
            run_with_little_memory(arg);
        weft_loop_free(loop);
    } else {
        assert_true(support_injected() > 0);
    }
    loop = outer;
    scope = outer_scope;
}

static void failed_allocation_of_a_new_loop_is_an_error(void **state)
{
    (void)state;
    assert_true(support_torture(run_with_new_loop, NULL) >= 10);
}

static int closes_its_own_scope(weft_task *me, void *arg)
{
    weft_scope *own = weft_task_scope(me);

    (void)arg;
    weft_scope_close(own);
    assert_int_equal(weft_sleep(MS), 0);
    assert_ptr_equal(weft_task_scope(me), own);
    assert_int_equal(weft_spawn(own, sleep_a_little, NULL), WEFT_ECANCELED);
    assert_null(weft_scope_open(own, WEFT_NEVER));
    weft_scope_close(own);
    assert_int_equal(weft_scope_finish(own), 0);
    ended++;
    return 0;
}

static void a_task_may_close_its_own_scope(void **state)
{
    (void)state;
    ended = 0;
    assert_int_equal(weft_spawn(scope, closes_its_own_scope, NULL), 0);
    run();
    assert_int_equal(ended, 1);
    assert_int_equal(weft_scope_count(scope), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        deferred_test(ten_thousand_tasks_live_at_once),
        deferred_test(ten_thousand_tasks_are_cancelled_at_once),
        deferred_test(cancelling_at_every_turn_leaves_nothing_behind),
        deferred_test(a_task_may_close_its_own_scope),
        deferred_test(finishing_a_scope_outlasts_a_second_cancellation),
        deferred_test(failed_allocation_is_an_error_everywhere),
        deferred_test(failed_allocation_of_a_new_loop_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
