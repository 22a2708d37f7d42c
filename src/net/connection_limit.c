/* SPDX-License-Identifier: MIT */
/*
 * A limit on connections that listeners on several loops share
 * (net/connection_limit.h).
 *
 * Nobody waits in vain: who waits says so in `waiting` before it looks at
 * `count` a last time, and who gives a place back changes `count` before it
 * looks at `waiting`. Each of these is sequentially consistent, so at least
 * one of the two sees the other.
 *
 * The posts are sent with the lock held. So whoever has held it after its
 * post had run knows that the sender has done with its loop.
 */
#include "net/connection_limit.h"

#include <stdatomic.h>

#include <weft/memory.h>
#include <weft/time.h>

#include "backend/lock.h"
#include "base/options.h"
#include "net/address_count.h"

#define CONNECTIONS_DEFAULT 10000

struct weft_connection_limit {
    atomic_size_t references;
    atomic_size_t count;
    atomic_size_t waiting; /* how many are in `waiters` */
    size_t most;
    struct lock *lock; /* of all that follows */
    weft_link waiters;
    bool joined;
    struct address_count addresses;
};

int weft_connection_limit_new(const weft_connection_limit_options *user_options, weft_connection_limit **ret_limit)
{
    static const uint8_t no_secret[SIPHASH_KEY_SIZE];
    weft_connection_limit_options options = {0};
    weft_connection_limit *limit;
    int status = options_copy(&options, sizeof options, user_options);

    if (status < 0)
        return status;
    limit = weft_allocate_zeroed(1, sizeof *limit);
    if (!limit)
        return WEFT_ENOMEM;
    limit->lock = lock_new();
    if (!limit->lock) {
        weft_release(limit);
        return WEFT_ENOMEM;
    }
    atomic_init(&limit->references, 1);
    atomic_init(&limit->count, 0);
    atomic_init(&limit->waiting, 0);
    limit->most = options.connections ? options.connections : CONNECTIONS_DEFAULT;
    weft_link_init(&limit->waiters);
    address_count_init(&limit->addresses, options.per_address, no_secret);
    *ret_limit = limit;
    return 0;
}

weft_connection_limit *weft_connection_limit_ref(weft_connection_limit *limit)
{
    atomic_fetch_add_explicit(&limit->references, 1, memory_order_relaxed);
    return limit;
}

void weft_connection_limit_unref(weft_connection_limit *limit)
{
    if (!limit || atomic_fetch_sub_explicit(&limit->references, 1, memory_order_acq_rel) > 1)
        return;
    address_count_fini(&limit->addresses);
    lock_free(limit->lock);
    weft_release(limit);
}

size_t weft_connection_limit_connections(const weft_connection_limit *limit)
{
    return atomic_load_explicit(&limit->count, memory_order_relaxed);
}

/* -- places -- */

bool limit_take(weft_connection_limit *limit)
{
    size_t count = atomic_load_explicit(&limit->count, memory_order_relaxed);

    /* (An addition that is taken back would for a moment keep a place from somebody who could have had it.) */
    while (count < limit->most)
        if (atomic_compare_exchange_weak_explicit(&limit->count, &count, count + 1, memory_order_relaxed,
                                                  memory_order_relaxed))
            return true;
    return false;
}

/* -- waiting: with the lock held -- */

static void stop_waiting(weft_connection_limit *limit, struct limit_waiter *waiter)
{
    weft_link_remove(&waiter->link);
    atomic_fetch_sub(&limit->waiting, 1);
}

static void tell_all(weft_connection_limit *limit)
{
    while (!weft_link_is_alone(&limit->waiters)) {
        struct limit_waiter *waiter = weft_container_of(limit->waiters.next, struct limit_waiter, link);

        stop_waiting(limit, waiter);
        waiter->posted = true;
        weft_loop_post(waiter->loop, &waiter->post);
    }
}

/* -- and without -- */

void limit_give(weft_connection_limit *limit)
{
    atomic_fetch_sub(&limit->count, 1);
    if (atomic_load(&limit->waiting) == 0)
        return;
    lock_enter(limit->lock);
    tell_all(limit);
    lock_leave(limit->lock);
}

bool limit_wait(weft_connection_limit *limit, struct limit_waiter *waiter)
{
    bool waits;

    lock_enter(limit->lock);
    weft_link_insert_before(&limit->waiters, &waiter->link);
    atomic_fetch_add(&limit->waiting, 1);
    waits = atomic_load(&limit->count) >= limit->most;
    if (!waits)
        stop_waiting(limit, waiter);
    lock_leave(limit->lock);
    return waits;
}

void limit_was_told(weft_connection_limit *limit, struct limit_waiter *waiter)
{
    lock_enter(limit->lock);
    waiter->posted = false;
    lock_leave(limit->lock);
}

bool limit_leave(weft_connection_limit *limit, struct limit_waiter *waiter)
{
    bool posted;

    lock_enter(limit->lock);
    if (!weft_link_is_alone(&waiter->link))
        stop_waiting(limit, waiter);
    posted = waiter->posted;
    lock_leave(limit->lock);
    return posted;
}

void limit_join(weft_connection_limit *limit, struct limit_waiter *waiter, const uint8_t secret[SIPHASH_KEY_SIZE])
{
    weft_link_init(&waiter->link);
    lock_enter(limit->lock);
    if (!limit->joined)
        map_init(&limit->addresses.hosts, secret);
    limit->joined = true;
    lock_leave(limit->lock);
}

/* -- addresses -- */

bool limit_enter_address(weft_connection_limit *limit, const weft_address *peer)
{
    bool allowed;

    if (!address_count_applies(&limit->addresses, peer))
        return true;
    lock_enter(limit->lock);
    allowed = address_count_enter(&limit->addresses, peer);
    lock_leave(limit->lock);
    return allowed;
}

void limit_leave_address(weft_connection_limit *limit, const weft_address *peer)
{
    if (!address_count_applies(&limit->addresses, peer))
        return;
    lock_enter(limit->lock);
    address_count_leave(&limit->addresses, peer);
    lock_leave(limit->lock);
}
