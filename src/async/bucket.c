/* SPDX-License-Identifier: MIT */
/*
 * Token buckets (weft/pace.h).
 *
 * What has come is computed when somebody asks, in whole tokens and a rest in
 * billionths of one, so nothing is lost to rounding. Nor to a late timer: what
 * came while somebody waited is theirs, even if it is more than the bucket
 * holds. The timer is the bucket's own, not its scope's: it runs while
 * somebody waits.
 */
#include <weft/pace.h>

#include "async/waiters.h"

#define BILLION UINT64_C(1000000000)

/* The product of a rate and a time. */
__extension__ typedef unsigned __int128 wide;

struct weft_bucket {
    struct waiters waiters;
    weft_loop *loop;
    weft_timer_entry timer;
    uint64_t rate, burst;
    uint64_t level, rest; /* as of `counted` */
    weft_time counted;
};

struct taker {
    struct waiter waiter;
    uint64_t count;
};

static const int none;

/* -- what is in it -- */

static void overflow(weft_bucket *bucket)
{
    if (bucket->level < bucket->burst)
        return;
    bucket->level = bucket->burst;
    bucket->rest = 0;
}

static void refill(weft_bucket *bucket)
{
    wide come = (wide)(uint64_t)(bucket->loop->now - bucket->counted) * bucket->rate + bucket->rest;
    wide level = bucket->level + come / BILLION;

    bucket->counted = bucket->loop->now;
    bucket->rest = (uint64_t)(come % BILLION);
    bucket->level = level < UINT64_MAX ? (uint64_t)level : UINT64_MAX;
    if (bucket->waiters.count == 0)
        overflow(bucket);
}

/* How long it takes until there are @p count, more than there are now. */
static weft_time time_until(const weft_bucket *bucket, uint64_t count)
{
    wide missing = (wide)(count - bucket->level) * BILLION - bucket->rest;
    wide delay = bucket->rate ? (missing + bucket->rate - 1) / bucket->rate : (wide)WEFT_NEVER;

    return delay < (wide)WEFT_NEVER ? (weft_time)delay : WEFT_NEVER;
}

/* -- those that wait -- */

static void stop(weft_bucket *bucket)
{
    if (!wheel_entry_active(&bucket->timer))
        return;
    bucket->loop->waiting--;
    wheel_stop(&bucket->loop->wheel, &bucket->timer);
}

static void start(weft_bucket *bucket, weft_time delay)
{
    stop(bucket);
    loop_timer_start(bucket->loop, &bucket->timer, delay);
    if (wheel_entry_active(&bucket->timer))
        bucket->loop->waiting++;
}

static struct taker *first(weft_bucket *bucket)
{
    struct waiter *waiter = waiters_first(&bucket->waiters.line);

    return waiter ? weft_container_of(waiter, struct taker, waiter) : NULL;
}

/* Gives those that wait, in order, what there is, and sets the timer for the next. */
static void serve(weft_bucket *bucket)
{
    weft_scope *pinned = bucket->waiters.scope;
    struct taker *taker;

    scope_pin(pinned);
    refill(bucket);
    while ((taker = first(bucket)) && taker->count <= bucket->level) {
        bucket->level -= taker->count;
        (void)weft_deferred_fire(waiters_take(&bucket->waiters.line)->deferred, &none);
    }
    if (taker) {
        start(bucket, time_until(bucket, taker->count));
    } else {
        overflow(bucket);
        stop(bucket);
    }
    scope_unpin(pinned);
}

static void time_came(weft_timer_entry *entry)
{
    weft_bucket *bucket = weft_container_of(entry, weft_bucket, timer);

    bucket->loop->waiting--;
    loop_enters(bucket->loop, "bucket");
    serve(bucket);
}

static void one_left(struct waiters *waiters)
{
    serve(weft_container_of(waiters, weft_bucket, waiters));
}

/* -- for users -- */

static void freed(void *memory)
{
    weft_bucket *bucket = memory;

    stop(bucket);
    waiters_fini(&bucket->waiters);
}

weft_bucket *weft_bucket_new(weft_scope *scope, uint64_t rate, uint64_t burst)
{
    weft_bucket *bucket = burst > 0 ? scope_allocate(scope, sizeof *bucket, freed) : NULL;

    if (!bucket)
        return NULL;
    waiters_init(&bucket->waiters, scope, 0);
    bucket->waiters.left = one_left;
    bucket->loop = scope->loop;
    wheel_entry_init(&bucket->timer, time_came);
    bucket->rate = rate;
    bucket->burst = bucket->level = burst;
    bucket->counted = scope->loop->now;
    return bucket;
}

void weft_bucket_set_backlog(weft_bucket *bucket, size_t most)
{
    bucket->waiters.most = most;
}

uint64_t weft_bucket_level(weft_bucket *bucket)
{
    refill(bucket);
    return bucket->level < bucket->burst ? bucket->level : bucket->burst;
}

int weft_bucket_try_take(weft_bucket *bucket, uint64_t count)
{
    refill(bucket);
    if (first(bucket) || bucket->level < count)
        return -EAGAIN;
    bucket->level -= count;
    return 0;
}

static weft_deferred *take_in_line(weft_scope *scope, weft_bucket *bucket, uint64_t count, weft_place place)
{
    weft_deferred *deferred = waiters_join(&bucket->waiters, scope, &weft_done_type_, sizeof(struct taker), place);

    if (!deferred || weft_deferred_fired(deferred))
        return deferred;
    ((struct taker *)weft_deferred_room(deferred))->count = count;
    serve(bucket);
    return deferred;
}

weft_deferred *weft_bucket_take_at(weft_scope *scope, weft_bucket *bucket, uint64_t count, weft_place place)
{
    weft_deferred *deferred;

    if (!bucket)
        return NULL;
    if (count > bucket->burst)
        return weft_deferred_make_failed(scope, &weft_done_type_, -ERANGE, NULL, place);
    refill(bucket);
    if (first(bucket) || bucket->level < count)
        return take_in_line(scope, bucket, count, place);
    deferred = weft_deferred_make(scope, &weft_done_type_, 0, NULL, NULL, place);
    if (!deferred || weft_deferred_fired(deferred))
        return deferred;
    bucket->level -= count;
    (void)weft_deferred_fire(deferred, &none);
    return deferred;
}
