/* SPDX-License-Identifier: MIT */
/*
 * The turn of the loop (weft/loop.h says what is done in which order).
 */
#include <weft/loop.h>

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include <weft/error.h>
#include <weft/log.h>
#include <weft/memory.h>

#include "base/options.h"
#include "base/probe.h"
#include "base/realtime.h"
#include "loop/loop_internal.h"
#include "loop/scope_internal.h"

/* Unused chunks that a loop keeps for the next writes. */
#define CHUNKS_KEPT (1024 * 1024)
/* Timers that fire in one turn at most, so that a million of them do not keep I/O waiting. */
#define TIMERS_PER_TURN 4096
/* Switches to tasks in one turn at most, so that two that wake each other do not keep I/O waiting. */
#define TASKS_PER_TURN 4096
#define WATCHDOG_DEFAULT WEFT_MILLISECONDS(100)

static int open_backend(const weft_loop_options *options, struct backend **ret)
{
    int here = options->backend ? 0 : backend_sim_open_here(ret);

    if (here != 0)
        return here < 0 ? here : 0;
    if (options->backend)
        return backend_open(options->backend, NULL, ret);
    return backend_open(getenv("WEFT_BACKEND"), "WEFT_BACKEND", ret);
}

static bool is_simulated(const weft_loop *loop)
{
    return strcmp(loop->backend->ops->name, "sim") == 0;
}

static int start_watchdog(weft_loop *loop, weft_time limit)
{
    if (limit == WEFT_NEVER || is_simulated(loop))
        return 0;
    return watchdog_start(&loop->watchdog, limit ? limit : WATCHDOG_DEFAULT, &loop->running, &loop->turn);
}

/* EL-25: what runs will draw secrets, and it must not come to that where there are none to be had. The simulator's come
 * from the seed, of which nothing is taken for this. */
static int check_entropy(weft_loop *loop)
{
    unsigned char byte;
    int status = is_simulated(loop) ? 0 : weft_loop_entropy(loop, &byte, sizeof byte);

    if (status < 0)
        weft_log(WEFT_LOG_ERROR, "loop", "the system gives no random bytes, without which nothing is safe: %s",
                 weft_error_text(status));
    return status;
}

/* (Whatever they are, a program does the same.) */
static void set_bounds(struct loop_bounds *bounds)
{
    bounds->timers = RARE_MODE("loop: fire one timer a turn") ? 1 : TIMERS_PER_TURN;
    bounds->tasks = RARE_MODE("loop: run one task a turn") ? 1 : TASKS_PER_TURN;
    bounds->sends = RARE_MODE("stream: send once a turn") ? 1 : LOOP_SENDS_MOST;
    bounds->runs = RARE_MODE("stream: send one run") ? 1 : BACKEND_RUNS;
    bounds->spares = RARE_MODE("loop: keep no deferred") ? 0 : LOOP_SPARES_MOST;
    bounds->stage = RARE_MODE("stream: stage little") ? 16 : STREAM_STAGE;
}

static int loop_init(weft_loop *loop, const weft_loop_options *options)
{
    int status;

    weft_link_init(&loop->slots);
    status = open_backend(options, &loop->backend);
    if (status < 0)
        return status;
    set_bounds(&loop->bounds);
    loop->host = (struct backend_host){.signalled = loop_signalled};
    loop->backend->host = &loop->host;
    loop->backend->job_threads = options->job_threads ? options->job_threads : 4;
    loop->now = loop->backend->ops->now(loop->backend);
    wheel_init(&loop->wheel, loop->now);
    weft_link_init(&loop->due);
    weft_link_init(&loop->prepares);
    weft_link_init(&loop->signals);
    loop->borrow.owner.references = 1;
    weft_link_init(&loop->signals_waiting);
    weft_counters_init(&loop->counters);
    loop->root = scope_new_root(loop);
    loop->chunks = weft_chunk_pool_new(RARE_MODE("loop: keep no chunk") ? 0 : CHUNKS_KEPT);
    if (!loop->root || !loop->chunks)
        return WEFT_ENOMEM;
    status = check_entropy(loop);
    return status < 0 ? status : start_watchdog(loop, options->watchdog);
}

/* Under a checker of memory nothing is kept, so that it sees whoever uses memory that was given back. */
#if defined(__SANITIZE_ADDRESS__)
#define KEEPS_SPARES false
#elif defined(__has_feature)
#define KEEPS_SPARES !__has_feature(address_sanitizer)
#else
#define KEEPS_SPARES true
#endif

void loop_spare_put(weft_loop *loop, void *memory)
{
    struct loop_spare *spare = memory;

    if (!KEEPS_SPARES || loop->spare_count >= loop->bounds.spares) {
        weft_release(memory);
        return;
    }
    spare->next = loop->spares;
    loop->spares = spare;
    loop->spare_count++;
}

static void free_spares(weft_loop *loop)
{
    void *spare;

    while ((spare = loop_spare_take(loop)))
        weft_release(spare);
}

static void loop_fini(weft_loop *loop)
{
    watchdog_stop(loop->watchdog);
    if (loop->backend)
        loop->backend->ops->close(loop->backend);
    weft_chunk_pool_free(loop->chunks);
    free_spares(loop);
    loop_slots_destroy(loop);
    scope_free_root(loop->root);
    weft_release(loop);
}

int weft_loop_new(const weft_loop_options *options, weft_loop **ret_loop)
{
    weft_loop_options known = {0};
    int status = options_copy(&known, sizeof known, options);
    weft_loop *loop = status < 0 ? NULL : weft_allocate_zeroed(1, sizeof *loop);

    if (!loop)
        return status < 0 ? status : WEFT_ENOMEM;
    status = loop_init(loop, &known);
    if (status < 0) {
        loop_fini(loop);
        return status;
    }
    *ret_loop = loop;
    return 0;
}

static void run_posts(weft_loop *loop)
{
    weft_post *taken, *ordered = NULL;

    /* A post that came between the two steps below was run in an earlier turn and left wake_sent true. */
    if (!atomic_load_explicit(&loop->posts, memory_order_relaxed) &&
        !atomic_load_explicit(&loop->wake_sent, memory_order_relaxed))
        return;
    /* First let the next post wake us again, then take what is there: in the other order one could be left. */
    atomic_store(&loop->wake_sent, false);
    taken = atomic_exchange(&loop->posts, NULL);
    while (taken) {
        weft_post *next = taken->next;
        taken->next = ordered;
        ordered = taken;
        taken = next;
    }
    while (ordered) {
        weft_post *post = ordered;
        ordered = post->next;
        loop_calls(loop, "post", (uintptr_t)post->run);
        post->run(post);
    }
}

void weft_loop_post(weft_loop *loop, weft_post *post)
{
    weft_post *before = atomic_load_explicit(&loop->posts, memory_order_relaxed);

    do {
        post->next = before;
    } while (!atomic_compare_exchange_weak(&loop->posts, &before, post));
    /* From here on it may have run already. Behind another that is pending there is nothing to do: who came first has the
     * loop woken. */
    if (!before && !atomic_exchange(&loop->wake_sent, true))
        loop->backend->ops->wake(loop->backend);
}

static void fire_timers(weft_loop *loop)
{
    wheel_arrive(&loop->wheel, loop->now);
    for (unsigned fired = 0; fired < loop->bounds.timers; fired++) {
        weft_timer_entry *entry;

        if (weft_link_is_alone(&loop->due) && !wheel_take(&loop->wheel, &loop->due))
            return;
        entry = weft_container_of(loop->due.next, weft_timer_entry, link);
        weft_link_remove(&entry->link);
        __builtin_prefetch(loop->due.next->next);
        if (entry->due & WHEEL_TIMER)
            timer_fire(loop, entry);
        else
            entry->fired(entry);
    }
    if (!weft_link_is_alone(&loop->due))
        PROBE("loop: timers were left to the next turn");
}

/* Runs the tasks that are ready, also those that they make ready, in order. */
static void run_ready(weft_loop *loop)
{
    for (unsigned ran = 0; ran < loop->bounds.tasks && loop->ready_first; ran++) {
        struct loop_task *task = loop->ready_first;
        if (task->next == task)
            loop->ready_first = loop->ready_last = NULL;
        else
            loop->ready_first = task->next;
        task->next = NULL;
        task->run(task);
    }
    if (loop->ready_first)
        PROBE("loop: tasks were left to the next turn");
}

/* Runs what is queued now; what that queues in turn is for the next turn. */
static void run_pending(weft_loop *loop)
{
    struct loop_task *task = loop->pending_first;

    loop->pending_first = loop->pending_last = NULL;
    while (task) {
        struct loop_task *next = task->next == task ? NULL : task->next;
        task->next = NULL;
        task->run(task);
        task = next;
    }
}

static void run_reap(weft_loop *loop)
{
    while (loop->reap_first) {
        struct loop_task *task = loop->reap_first;
        loop->reap_first = task->next;
        task->next = NULL;
        task->run(task);
    }
}

_Thread_local unsigned loop_depth;

/* A turn inside of a turn would free and deliver what the callback below it still uses. A task has a stack of its own:
 * of what stands below that, no part does anything with what a turn ends. */
static int may_turn(weft_loop *loop)
{
    if (!loop->turning || (loop->task_turns && loop->task_turns(loop)))
        return 0;
    weft_log(WEFT_LOG_ERROR, "loop",
             "a callback cannot run a turn of its own loop, only a task can: weft_spawn makes one");
    return -EBUSY;
}

/* The one place where a loop's thread may block: what is around a task's turn waits with it. */
static int wait_for(weft_loop *loop, weft_time timeout)
{
    int status;

    loop_enters(loop, NULL);
    if (loop->turning)
        realtime_leave();
    status = loop->backend->ops->wait(loop->backend, timeout);
    if (loop->turning || status >= 0)
        realtime_enter();
    return status;
}

static int turn(weft_loop *loop, weft_time timeout)
{
    struct backend *backend = loop->backend;
    bool inside = loop->turning;
    int status;

    loop_task_waits(loop);
    status = wait_for(loop, timeout);
    if (status < 0)
        return status;
    loop->turning = true;
    loop_depth++;
    loop->now = backend->ops->now(backend);
    __atomic_store_n(&loop->turn, loop->turn + 1, __ATOMIC_RELAXED);
    loop_enters(loop, "loop");
    backend->ops->dispatch(backend);
    run_posts(loop);
    fire_timers(loop);
    run_ready(loop);
    loop_enters(loop, "loop");
    run_pending(loop);
    run_reap(loop);
    loop_depth--;
    loop->turning = inside;
    if (!inside)
        realtime_leave();
    return 0;
}

weft_time weft_loop_prepare(weft_loop *loop)
{
    weft_time next, now;

    loop_task_waits(loop); /* if it cannot be sent there is something to do */
    if (!weft_link_is_alone(&loop->prepares))
        loop_sleeps(loop);
    if (loop->stopping || loop->ready_first || loop->pending_first || loop->reap_first ||
        !weft_link_is_alone(&loop->due) || atomic_load(&loop->posts))
        return 0;
    if (loop->backend->ops->has_work(loop->backend))
        return 0;
    next = wheel_next(&loop->wheel);
    if (next == WEFT_NEVER)
        return WEFT_NEVER;
    now = loop->backend->ops->now(loop->backend);
    return next > now ? next - now : 0;
}

bool weft_loop_alive(const weft_loop *loop)
{
    return loop->waiting > 0 || loop->ready_first || loop->pending_first || loop->reap_first ||
           atomic_load(&loop->posts);
}

int weft_loop_run(weft_loop *loop)
{
    int status = may_turn(loop);

    if (status < 0)
        return status;
    while (status == 0 && !loop->stopping && weft_loop_alive(loop))
        status = turn(loop, weft_loop_prepare(loop));
    loop->stopping = false;
    loop_enters(loop, NULL);
    return status;
}

int weft_loop_step(weft_loop *loop)
{
    int status = may_turn(loop);

    if (status < 0)
        return status;
    status = turn(loop, 0);
    loop_enters(loop, NULL);
    return status < 0 ? status : weft_loop_alive(loop);
}

void weft_loop_stop(weft_loop *loop)
{
    loop->stopping = true;
}

bool weft_loop_stopped(weft_loop *loop)
{
    bool stopped = loop->stopping;

    loop->stopping = false;
    return stopped;
}

void weft_loop_free(weft_loop *loop)
{
    if (!loop)
        return;
    weft_scope_close(loop->root);
    while (!scope_is_empty(loop->root) || loop->ready_first || loop->pending_first || loop->reap_first ||
           atomic_load(&loop->posts)) {
        loop->stopping = false; /* nobody is left to return for it, and it must not keep a turn from waiting */
        if (turn(loop, weft_loop_prepare(loop)) < 0)
            break;
    }
    loop_fini(loop);
}

weft_time weft_loop_now(const weft_loop *loop)
{
    return loop->now;
}

weft_time weft_loop_wall(weft_loop *loop)
{
    if (loop->wall_turn != loop->turn || loop->wall == 0) {
        loop->wall = loop->backend->ops->wall(loop->backend);
        loop->wall_turn = loop->turn;
    }
    return loop->wall;
}

weft_scope *weft_loop_scope(weft_loop *loop)
{
    return loop->root;
}

weft_counters *weft_loop_counters(weft_loop *loop)
{
    return &loop->counters;
}

const char *weft_loop_backend(const weft_loop *loop)
{
    return loop->backend->ops->name;
}

int weft_loop_entropy(weft_loop *loop, void *memory, size_t length)
{
    return loop->backend->ops->entropy(loop->backend, memory, length);
}

int weft_loop_fd(const weft_loop *loop)
{
    return loop->backend->ops->descriptor(loop->backend);
}
