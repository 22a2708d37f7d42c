/* SPDX-License-Identifier: MIT */
/**
 * @file
 * When to do something: later, again and again, in small steps, at a rate,
 * and after a failure.
 *
 * All of it goes by the loop's clock, so under the simulator it takes no
 * time. A deferred that waits for time is something that weft_loop_run waits
 * for.
 */
#ifndef WEFT_PACE_H
#define WEFT_PACE_H

#include <weft/deferred.h>

WEFT_BEGIN_DECLS

/** @name Later
 * @{ */

/** A weft_done in @p scope that fires after @p delay nanoseconds; what is to be done then is its callback. */
#define weft_later(scope, delay) WEFT_HANDLE_(weft_done, weft_later_at(scope, delay, WEFT_HERE))
/** Beneath the macro weft_later. @return *until* its result was had; NULL if memory is short */
WEFT_API weft_deferred *weft_later_at(weft_scope *scope, weft_time delay, weft_place place);

/** @}
 *  @name Again and again
 * @{ */

/** A function that is called at intervals. */
typedef struct weft_looping weft_looping;

/**
 * What it calls.
 * @param count  how many intervals have come since the last call: 1, or more if calls were missed because a call, or
 *               what it waited for, took long
 * @return 0; what weft_looping_wait returned; an error, which ends it
 */
typedef int weft_looping_function(weft_looping *looping, uint64_t count, void *arg);

/** A new one, not started. @return *until* @p scope is gone; NULL if memory is short */
WEFT_API weft_looping *weft_looping_new(weft_scope *scope, weft_looping_function *function, void *arg);

/**
 * Starts it. Calls come on the grid of start + k * @p interval, so they do not drift; with an @p interval of 0, once in
 * each turn of the loop. While a call waits (weft_looping_wait) there is no other: what is missed is counted.
 *
 * @param now  the first call comes in this turn or the next; otherwise after the first interval
 * @return a weft_done that fires when it was stopped, and fails when a call failed; cancelling it stops the calls and
 *         what the last one waits for. It has failed with -EALREADY if it runs, with -EINVAL if @p interval is negative
 */
#define weft_looping_start(looping, interval, now) \
    WEFT_HANDLE_(weft_done, weft_looping_start_at(looping, interval, now, WEFT_HERE))
/** Beneath the macro weft_looping_start. @return *until* its result was had; NULL if memory is short */
WEFT_API weft_deferred *weft_looping_start_at(weft_looping *looping, weft_time interval, bool now, weft_place place);
/** In its function: the next call is not before @p done has ended; if that fails, so does this.
 *  @param done  *taken*
 *  @return what the function is to return */
WEFT_API WEFT_NODISCARD int weft_looping_wait(weft_looping *looping, weft_done done);
/** Stops it; its deferred fires, but if a call still waits, only when that is over. Harmless if it does not run. */
WEFT_API void weft_looping_stop(weft_looping *looping);
/** The grid begins anew: the next call comes an interval from now. Harmless if it does not run. */
WEFT_API void weft_looping_reset(weft_looping *looping);
/** Whether it was started and not stopped. */
WEFT_API bool weft_looping_runs(const weft_looping *looping);

/** @}
 *  @name In small steps
 * @{ */

/** Divides a turn of the loop among several long pieces of work, so that none holds it up. */
typedef struct weft_cooperator weft_cooperator;

/** A step of the work. @p job is what weft_cooperate returned.
 *  @return 1 if there is more to do; 0 if this was the last; what weft_cooperate_wait returned; an error, which ends
 *          it */
typedef int weft_step_function(weft_done job, void *arg);

/** A new cooperator, whose work takes @p budget nanoseconds of a turn (0: a millisecond), one step at least and 1024
 *  at most. @return *until* @p scope is gone; work that is left then is cancelled. NULL if memory is short */
WEFT_API weft_cooperator *weft_cooperator_new(weft_scope *scope, weft_time budget);
/** Has @p step called in this turn and the next ones, in rotation with the others' steps, until it is done.
 *  @return a weft_done in @p scope that fires then, or fails with what @p step returned. Cancelling it ends the
 *          work. */
#define weft_cooperate(scope, cooperator, step, arg) \
    WEFT_HANDLE_(weft_done, weft_cooperate_at(scope, cooperator, step, arg, WEFT_HERE))
/** Beneath the macro weft_cooperate. @return *until* its result was had; NULL if memory is short */
WEFT_API weft_deferred *weft_cooperate_at(weft_scope *scope, weft_cooperator *cooperator, weft_step_function *step,
                                          void *arg, weft_place place);
/** In a step of @p job: the next one is not before @p done has ended; if that fails, so does the job.
 *  @param done  *taken*
 *  @return what the step is to return */
WEFT_API WEFT_NODISCARD int weft_cooperate_wait(weft_done job, weft_done done);
/** Holds the steps of @p job, which has not ended, until as many calls of weft_cooperate_resume. */
WEFT_API void weft_cooperate_pause(weft_done job);
/** Undoes one weft_cooperate_pause. @return 0; -EINVAL if it is not paused, which is logged */
WEFT_API int weft_cooperate_resume(weft_done job);

/** @}
 *  @name At a rate
 * @{ */

/** A token bucket. */
typedef struct weft_bucket weft_bucket;

/** A new bucket, full. Tokens for those that wait come at the rate, also if that is more than one in a millisecond,
 *  which is a timer's resolution.
 *  @param rate   tokens that come in a second; with 0 none comes
 *  @param burst  tokens that it holds at most
 *  @return *until* @p scope is gone; those that wait then are cancelled. NULL if memory is short or @p burst is 0 */
WEFT_API weft_bucket *weft_bucket_new(weft_scope *scope, uint64_t rate, uint64_t burst);
/** Sets how many may wait; further ones fail with WEFT_EWAITERS. The default is 1024. */
WEFT_API void weft_bucket_set_backlog(weft_bucket *bucket, size_t most);
/** A weft_done in @p scope that fires when @p count tokens were taken out; in the order of the calls. It has failed
 *  with -ERANGE if @p count is more than the bucket holds. */
#define weft_bucket_take(scope, bucket, count) \
    WEFT_HANDLE_(weft_done, weft_bucket_take_at(scope, bucket, count, WEFT_HERE))
/** Beneath the macro weft_bucket_take. @return *until* its result was had; NULL if memory is short */
WEFT_API weft_deferred *weft_bucket_take_at(weft_scope *scope, weft_bucket *bucket, uint64_t count, weft_place place);
/** Takes @p count tokens out, if they are there and nobody waits. @return 0, or -EAGAIN */
WEFT_API WEFT_NODISCARD int weft_bucket_try_take(weft_bucket *bucket, uint64_t count);
/** How many are in it now. */
WEFT_API uint64_t weft_bucket_level(weft_bucket *bucket);

/** @}
 *  @name After a failure
 * @{ */

/** How long to wait before the next try. Zero is the default. */
typedef struct weft_backoff_options {
    size_t size;     /**< sizeof(weft_backoff_options) */
    weft_time first; /**< the bound of the first delay (default 100 ms); it doubles with each */
    weft_time most;  /**< the bound that it does not pass (default 30 s) */
    unsigned tries;  /**< how many delays there are (default 0: no limit) */
} weft_backoff_options;

/** Delays that grow. In the user's memory; it needs no end. Its fields are private. */
typedef struct weft_backoff {
    weft_loop *loop;
    weft_time first, most, bound;
    unsigned tries, made;
} weft_backoff;

/** Begins it. @p options are *borrowed* and may be NULL. */
WEFT_API void weft_backoff_init(weft_backoff *backoff, weft_loop *loop, const weft_backoff_options *options);
/** The next delay: a random time between 0 and a bound that doubles ("full jitter"), so that many who failed together
 *  do not come back together. @return 0; WEFT_ETRIES when all were used; an error if the system has no random bytes */
WEFT_API WEFT_NODISCARD int weft_backoff_next(weft_backoff *backoff, weft_time *ret_delay);
/** A weft_done in @p scope that fires after the next delay, or fails as weft_backoff_next. */
#define weft_backoff_wait(scope, backoff) WEFT_HANDLE_(weft_done, weft_backoff_wait_at(scope, backoff, WEFT_HERE))
/** Beneath the macro weft_backoff_wait. @return *until* its result was had; NULL if memory is short */
WEFT_API weft_deferred *weft_backoff_wait_at(weft_scope *scope, weft_backoff *backoff, weft_place place);
/** Begins anew: it went well. */
WEFT_API void weft_backoff_reset(weft_backoff *backoff);

/** @} */

WEFT_END_DECLS

#endif
