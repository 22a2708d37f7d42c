/* SPDX-License-Identifier: MIT */
/*
 * What waiting costs in Weft. A task does each thing again and again, a batch in each turn of the loop; a turn's own
 * cost (an epoll_wait that does not wait) is so divided by the batch.
 */
#include <weft/weft.h>

#include "waiting.h"

#define BATCH 256
#define TASKS 64

static weft_scope *scope;
static size_t count;
static volatile int total; /* what came out; it is used, so that nothing is left out */

static void must(int status)
{
    if (status < 0) {
        fprintf(stderr, "weft_waiting: %s\n", weft_error_text(status));
        exit(1);
    }
}

/* -- a deferred: made, three callbacks added, fired, freed -- */

static int add_one(int error, int *value, void *arg)
{
    (void)arg;
    *value += 1;
    return error;
}

static int take(int error, int *value, void *arg)
{
    (void)arg;
    total += *value;
    return error;
}

static void one_deferred(void)
{
    weft_done d = weft_deferred_new(weft_done, scope);

    must(weft_then(d, add_one, NULL));
    must(weft_then(d, add_one, NULL));
    must(weft_then(d, take, NULL));
    must(weft_fire(d, 1));
}

static void deferreds(void)
{
    for (size_t i = 0; i < count; i++) {
        one_deferred();
        if (i % BATCH == BATCH - 1)
            must(weft_yield());
    }
}

/* -- an await of what is ready -- */

static void awaits_of_ready(void)
{
    for (size_t i = 0; i < count; i++) {
        weft_done d = weft_succeed(weft_done, scope, 1);
        int value;

        must(weft_await(d, &value));
        total += value;
        if (i % BATCH == BATCH - 1)
            must(weft_yield());
    }
}

/* -- an await of what another task fires: two switches, a deferred, its place in the queue -- */

static weft_done waited[TASKS];

static int wait_for_one(weft_task *me, void *arg)
{
    weft_done *slot = arg;
    int value;

    (void)me;
    for (size_t i = 0; i < count / TASKS; i++) {
        *slot = weft_deferred_new(weft_done, scope);
        must(weft_await(*slot, &value));
        total += value;
    }
    return 0;
}

static void awaits_of_unready(void)
{
    for (size_t i = 0; i < TASKS; i++)
        must(weft_spawn(scope, wait_for_one, &waited[i]));
    for (size_t round = 0; round < count / TASKS; round++) {
        must(weft_yield());
        for (size_t i = 0; i < TASKS; i++)
            must(weft_fire(waited[i], 1));
    }
    must(weft_yield());
}

/* -- a task that ends -- */

static int end_at_once(weft_task *me, void *arg)
{
    (void)me;
    (void)arg;
    total++;
    return 0;
}

static void tasks(void)
{
    for (size_t round = 0; round < count / TASKS; round++) {
        for (size_t i = 0; i < TASKS; i++)
            must(weft_spawn(scope, end_at_once, NULL));
        must(weft_yield());
    }
}

static void measure(const char *column, void (*all)(void))
{
    size_t whole = count;
    double began;

    count = whole / 10;
    all();
    count = whole;
    began = seconds_now();
    all();
    tell(column, began, count);
}

static int measure_all(weft_task *me, void *arg)
{
    (void)arg;
    scope = weft_task_scope(me);
    measure("deferred", deferreds);
    measure("await ready", awaits_of_ready);
    measure("await unready", awaits_of_unready);
    measure("spawn+end", tasks);
    return 0;
}

int main(int argc, char **argv)
{
    count = count_from(argc, argv) / (TASKS * BATCH) * (TASKS * BATCH);
    return weft_run(measure_all, NULL);
}
