/* SPDX-License-Identifier: MIT */
/**
 * @file
 * Tasks: code that waits in the middle of a line.
 *
 * A task is a function with a stack of its own. Where it waits (`weft_await`,
 * `weft_sleep`, `weft_read`) the loop goes on with something else, and comes
 * back when there is a result. Tasks of a loop share its thread: between two
 * waits nothing else runs.
 *
 * A task belongs to the scope in which it was spawned. When that scope is
 * cancelled, every wait of the task returns the reason at once, and so does
 * every later one: it gives back what it holds and returns. What it makes on
 * the way (streams, deferreds, other tasks) belongs to weft_task_scope, which
 * is closed when its function returns; the task has ended when all that has.
 *
 * What a switch between tasks keeps is what a call keeps. Floating-point
 * modes (rounding, exceptions) are the thread's, unless the task was spawned
 * with `keep_fp`.
 */
#ifndef WEFT_TASK_H
#define WEFT_TASK_H

#include <weft/deferred.h>

WEFT_BEGIN_DECLS

/** A task; valid in its own function, and until it has ended. */
typedef struct weft_task weft_task;

/** What a task runs. @return 0, or the error with which it failed (see weft_spawn) */
typedef int weft_task_function(weft_task *me, void *arg);

/** How a task is made. Zero is the default. */
typedef struct weft_task_options {
    size_t size;  /**< sizeof(weft_task_options) */
    size_t stack; /**< bytes that its function may use; 0: 56 KiB or a little more. Only what is touched is resident */
    const char *name; /**< for dumps; *until* the task has ended. NULL: the name of the function as it was written */
    bool keep_fp;     /**< floating-point modes of its own */
} weft_task_options;

/**
 * Spawns a task in @p scope, which begins in this turn of the loop or the next, never at once.
 *
 * If it fails, that is the scope's failure: the other tasks in it are cancelled, unless weft_scope_set_independent said
 * otherwise, and weft_scope_wait gives the error. A task that is cancelled before it began never runs.
 *
 * @param function  a weft_task_function, or the same that returns nothing
 * @return 0; WEFT_ENOMEM (also if @p scope is NULL); -EAGAIN if the system's limit on mappings is reached; the reason
 *         if @p scope is cancelled
 */
#define weft_spawn(scope, function, arg) weft_spawn_with(scope, function, arg, NULL)
/** The same with options (*borrowed*; NULL: the defaults). */
#define weft_spawn_with(scope, function, arg, options) \
    WEFT_SPAWN_(function)(scope, function, arg, options, #function, WEFT_HERE)

/**
 * Spawns a task whose end somebody waits for: the deferred fires when it has ended, and fails with its error, which is
 * then not the scope's. Cancelling the deferred cancels the task; the deferred fails at once, the task has the time to
 * end that it needs, and if it then fails by itself, that is logged.
 */
#define weft_spawn_done(scope, function, arg) \
    WEFT_HANDLE_(weft_done, WEFT_SPAWN_DONE_(function)(scope, function, arg, NULL, #function, WEFT_HERE))

/** Beneath weft_spawn. @return as it */
WEFT_API WEFT_NODISCARD int weft_task_spawn(weft_scope *scope, weft_task_function *function, void *arg,
                                            const weft_task_options *options, const char *name, weft_place place);
/** The same for a function that returns nothing. @return as weft_spawn */
WEFT_API WEFT_NODISCARD int weft_task_spawn_plain(weft_scope *scope, void (*function)(weft_task *me, void *arg),
                                                  void *arg, const weft_task_options *options, const char *name,
                                                  weft_place place);
/** Beneath weft_spawn_done. @return *borrowed* as its handle; NULL if memory is short */
WEFT_API weft_deferred *weft_task_spawn_done(weft_scope *scope, weft_task_function *function, void *arg,
                                             const weft_task_options *options, const char *name, weft_place place);
/** The same for a function that returns nothing. @return *borrowed* as weft_task_spawn_done */
WEFT_API weft_deferred *weft_task_spawn_done_plain(weft_scope *scope, void (*function)(weft_task *me, void *arg),
                                                   void *arg, const weft_task_options *options, const char *name,
                                                   weft_place place);

/* -- waiting; each returns WEFT_ENOTASK, and logs where, outside of a task and in a callback of a deferred -- */

/**
 * Waits for @p d and puts its value into *@p out. The deferred is taken: it is not to be used afterwards, unless by
 * whoever holds a reference.
 * @return 0; the deferred's error, whose story weft_log_error tells; the reason if the task was cancelled, and then
 *         the deferred goes on until its own scope ends; -EBUSY if somebody else waits for it
 */
#define weft_await(d, out) weft_await_deferred((d).deferred, WEFT_SAME_((d).type_, out), WEFT_HERE)
/** The same, if the value does not matter. */
#define weft_wait(d) weft_await_deferred((d).deferred, NULL, WEFT_HERE)
/** Beneath weft_await; @p out may be NULL. @return as it */
WEFT_API WEFT_NODISCARD int weft_await_deferred(weft_deferred *deferred, void *out, weft_place place);

/** Waits for @p delay nanoseconds. @return 0; the reason if the task was cancelled */
#define weft_sleep(delay) weft_task_sleep(delay, WEFT_HERE)
/** Beneath weft_sleep. @return as it */
WEFT_API int weft_task_sleep(weft_time delay, weft_place place);
/** Lets everything else that is ready go first, I/O included. @return as weft_sleep */
#define weft_yield() weft_task_yield(WEFT_HERE)
/** Beneath weft_yield. @return as it */
WEFT_API int weft_task_yield(weft_place place);
/** Waits until nothing runs in @p scope: its tasks have ended, its deferreds are ready, its streams are lost, its
 *  listeners have stopped, its jobs and signals are over, its timers are stopped (one in the background counts as
 *  stopped), what it held of locks is given back, and the scopes in it are closed. What only lasts is not waited for: a
 *  result that nobody has looked at, a stream of a task's that was lost. Nothing is cancelled; @p scope may be closed
 *  meanwhile.
 *  @return 0; the error of the first task in it that failed; else the reason if @p scope was cancelled; the reason if
 *          this task was cancelled; -EBUSY if somebody else waits; -EDEADLK if this task is in it */
#define weft_scope_wait(scope) weft_task_wait_scope(scope, WEFT_HERE)
/** Beneath weft_scope_wait. @return as it */
WEFT_API WEFT_NODISCARD int weft_task_wait_scope(weft_scope *scope, weft_place place);
/** Closes @p scope, as weft_scope_close does, and waits until all that was in it has ended, which nothing interrupts:
 *  it has been cancelled. For what uses variables of this function. NULL does nothing. @return 0; the error of the
 *  first task in it that failed; it does not wait, and returns -EBUSY, if somebody else does, or -EDEADLK, if this task
 *  is in it */
#define weft_scope_finish(scope) weft_task_finish_scope(scope, WEFT_HERE)
/** Beneath weft_scope_finish. @return as it */
WEFT_API int weft_task_finish_scope(weft_scope *scope, weft_place place);

/**
 * Begins a part that cancellation does not interrupt, for last words: until the scope that it returns is closed, this
 * task's waits go on, for at most @p timeout; after it they return WEFT_ETIMEDOUT.
 * @return *borrowed* until weft_scope_close, which ends the part (the end of the task does it, too); NULL if memory is
 *         short, @p timeout is WEFT_NEVER, this is not a task, or it is in such a part already
 */
WEFT_API weft_scope *weft_shield(weft_time timeout);

/* -- about tasks -- */

/** The task that runs; NULL outside of one, and in what a loop calls that a task runs. */
WEFT_API weft_task *weft_task_current(void);
/** The scope for what @p task makes. If the one that @p task is in has closed, it is cancelled already: what is made in
 *  it fails with that reason. @return *borrowed* until its function returns; NULL if memory is short */
WEFT_API weft_scope *weft_task_scope(weft_task *task);
/** The loop that it runs on. @return *borrowed* */
WEFT_API weft_loop *weft_task_loop(const weft_task *task);
/** Its name. @return *borrowed*, *until* the task has ended */
WEFT_API const char *weft_task_name(const weft_task *task);
/** Whether it was cancelled. @return 0, or the reason */
WEFT_API int weft_task_cancelled(const weft_task *task);

/**
 * A whole program: makes a loop, runs @p function as its first task, until that has ended or the process is asked to
 * end (SIGTERM, SIGINT: the task is cancelled, a second one ends at once), and frees everything. If nothing is left
 * that the task could wait for (weft_loop_run returns), that is a failure, which is told.
 * @param function  a weft_task_function, or the same that returns nothing
 * @return EXIT_SUCCESS; EXIT_FAILURE if the task failed, after its error was told on standard error; 128 + the signal's
 *         number
 */
#define weft_run(function, arg) WEFT_RUN_(function)(function, arg, #function)
/** As the macro. @return as it */
WEFT_API int weft_task_run(weft_task_function *function, void *arg, const char *name);
/** As the macro. @return as it */
WEFT_API int weft_task_run_plain(void (*function)(weft_task *me, void *arg), void *arg, const char *name);

WEFT_END_DECLS

#ifdef __cplusplus
#define WEFT_SPAWN_(function) weft_task_spawn_
#define WEFT_SPAWN_DONE_(function) weft_task_spawn_done_
#define WEFT_RUN_(function) weft_task_run_
/** What a task runs, if it returns nothing. Private. */
typedef void weft_task_plain_(weft_task *me, void *arg);
extern "C++" {
WEFT_NODISCARD inline int weft_task_spawn_(weft_scope *scope, weft_task_function *function, void *arg,
                                           const weft_task_options *options, const char *name, weft_place place)
{
    return weft_task_spawn(scope, function, arg, options, name, place);
}
WEFT_NODISCARD inline int weft_task_spawn_(weft_scope *scope, weft_task_plain_ *function, void *arg,
                                           const weft_task_options *options, const char *name, weft_place place)
{
    return weft_task_spawn_plain(scope, function, arg, options, name, place);
}
inline weft_deferred *weft_task_spawn_done_(weft_scope *scope, weft_task_function *function, void *arg,
                                            const weft_task_options *options, const char *name, weft_place place)
{
    return weft_task_spawn_done(scope, function, arg, options, name, place);
}
inline weft_deferred *weft_task_spawn_done_(weft_scope *scope, weft_task_plain_ *function, void *arg,
                                            const weft_task_options *options, const char *name, weft_place place)
{
    return weft_task_spawn_done_plain(scope, function, arg, options, name, place);
}
inline int weft_task_run_(weft_task_function *function, void *arg, const char *name)
{
    return weft_task_run(function, arg, name);
}
inline int weft_task_run_(weft_task_plain_ *function, void *arg, const char *name)
{
    return weft_task_run_plain(function, arg, name);
}
}
#else
#define WEFT_BY_FORM_(function, name) \
    _Generic((function), int (*)(weft_task *, void *) : name, void (*)(weft_task *, void *) : name##_plain)
#define WEFT_SPAWN_(function) WEFT_BY_FORM_(function, weft_task_spawn)
#define WEFT_SPAWN_DONE_(function) WEFT_BY_FORM_(function, weft_task_spawn_done)
#define WEFT_RUN_(function) WEFT_BY_FORM_(function, weft_task_run)
#endif

#endif
