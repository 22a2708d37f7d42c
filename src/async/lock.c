/* SPDX-License-Identifier: MIT */
/*
 * Locks and semaphores (weft/lock.h).
 *
 * A token that is held is a member of the holder's scope. If that scope closes
 * it comes back, and since closing calls no user's code, the next one gets it
 * later in that turn; until then the lock's scope is pinned.
 *
 * Invariant: while a token is free, either nobody waits or `pass_on` is queued.
 */
#include <weft/lock.h>

#include <weft/log.h>

#include "async/waiters.h"
#include "base/checked.h"

struct token {
    weft_scope_member member; /* in the holder's scope; in none if it is free */
    weft_link link;           /* in `held`, newest first, or in `free` */
    struct weft_lock *lock;
};

struct weft_lock {
    struct waiters waiters;
    weft_link free, held;
    size_t available;
    struct loop_task pass_on;
    struct token tokens[];
};

struct acquisition {
    struct waiter waiter;
    weft_lock *lock;
    weft_scope *scope;
    bool had;
    bool runs; /* something that will release it: the lock stays until then */
};

static const int none;

/* -- tokens -- */

static void take_back(struct token *token)
{
    weft_lock *lock = token->lock;

    scope_leave(&token->member);
    weft_link_remove(&token->link);
    weft_link_insert_before(lock->free.next, &token->link);
    lock->available++;
}

static void holder_ended(weft_scope_member *member, int reason)
{
    struct token *token = weft_container_of(member, struct token, member);
    weft_lock *lock = token->lock;

    (void)reason;
    if (!member->scope->closing)
        return; /* what holds it goes on to its end */
    take_back(token);
    if (lock->waiters.count > 0 && !lock->pass_on.next) {
        scope_pin(lock->waiters.scope);
        loop_later(lock->waiters.scope->loop, &lock->pass_on);
    }
}

static const struct scope_member_class token_class = {.kind = "lock", .cancel = holder_ended};

/* There is a free one. Returns 0, or why @p scope can hold nothing. */
static int hand_out(weft_lock *lock, weft_scope *scope)
{
    struct token *token = weft_container_of(lock->free.next, struct token, link);
    int status = scope_join(scope, &token->member, &token_class);

    if (status < 0)
        return status;
    weft_link_remove(&token->link);
    weft_link_insert_before(lock->held.next, &token->link);
    lock->available--;
    return 0;
}

/* Lets those that wait have what is free. The lock's scope is pinned. */
static void serve(weft_lock *lock)
{
    while (lock->available > 0) {
        struct waiter *waiter = waiters_take(&lock->waiters.line);
        struct acquisition *acquisition;

        if (!waiter)
            return;
        acquisition = weft_container_of(waiter, struct acquisition, waiter);
        if (hand_out(lock, acquisition->scope) < 0)
            continue; /* it is in a cancelled scope, which will cancel it */
        acquisition->had = true;
        if (acquisition->runs)
            scope_pin(lock->waiters.scope);
        (void)weft_deferred_fire(waiter->deferred, &none);
    }
}

static void pass_on(struct loop_task *task)
{
    weft_lock *lock = weft_container_of(task, weft_lock, pass_on);
    weft_scope *scope = lock->waiters.scope;

    loop_enters(scope->loop, "lock");
    serve(lock);
    scope_unpin(scope);
}

/* -- the lock -- */

static void freed(void *memory)
{
    weft_lock *lock = memory;

    waiters_fini(&lock->waiters);
    while (!weft_link_is_alone(&lock->held))
        take_back(weft_container_of(lock->held.next, struct token, link));
}

weft_lock *weft_semaphore_new(weft_scope *scope, size_t tokens)
{
    weft_lock *lock = NULL;
    size_t size;

    if (tokens > 0 && size_multiply(tokens, sizeof *lock->tokens, &size) && size_add(size, sizeof *lock, &size))
        lock = scope_allocate(scope, size, freed);
    if (!lock)
        return NULL;
    waiters_init(&lock->waiters, scope, 0);
    weft_link_init(&lock->free);
    weft_link_init(&lock->held);
    lock->pass_on.run = pass_on;
    lock->available = tokens;
    for (size_t i = 0; i < tokens; i++) {
        lock->tokens[i].lock = lock;
        weft_link_init(&lock->tokens[i].member.link);
        weft_link_insert_before(&lock->free, &lock->tokens[i].link);
    }
    return lock;
}

weft_lock *weft_lock_new(weft_scope *scope)
{
    return weft_semaphore_new(scope, 1);
}

void weft_lock_set_backlog(weft_lock *lock, size_t most)
{
    lock->waiters.most = most;
}

size_t weft_lock_available(const weft_lock *lock)
{
    return lock->available;
}

size_t weft_lock_waiting(const weft_lock *lock)
{
    return lock->waiters.count;
}

/* -- acquiring and releasing -- */

static weft_deferred *acquire_free(weft_scope *scope, weft_lock *lock, weft_place place)
{
    weft_deferred *deferred = weft_deferred_make(scope, &weft_done_type_, 0, NULL, NULL, place);

    if (!deferred || weft_deferred_fired(deferred))
        return deferred;
    (void)hand_out(lock, scope); /* it is not cancelled: the deferred would have failed */
    (void)weft_deferred_fire(deferred, &none);
    return deferred;
}

/* One that can be told by its room whether it has had the lock. */
static weft_deferred *acquire_in_line(weft_scope *scope, weft_lock *lock, bool runs, weft_place place)
{
    weft_scope *pinned = lock->waiters.scope;
    bool free = lock->available > 0 && lock->waiters.count == 0;
    struct acquisition *acquisition;
    weft_deferred *deferred =
        (free ? waiters_pass : waiters_join)(&lock->waiters, scope, &weft_done_type_, sizeof *acquisition, place);

    if (!deferred || weft_deferred_fired(deferred))
        return deferred;
    acquisition = weft_deferred_room(deferred);
    acquisition->lock = lock;
    acquisition->scope = scope;
    acquisition->runs = runs;
    scope_pin(pinned);
    serve(lock);
    scope_unpin(pinned);
    return deferred;
}

weft_deferred *weft_lock_acquire_at(weft_scope *scope, weft_lock *lock, weft_place place)
{
    if (!lock)
        return NULL;
    if (lock->available > 0 && lock->waiters.count == 0)
        return acquire_free(scope, lock, place);
    return acquire_in_line(scope, lock, false, place);
}

static struct token *held_by(weft_lock *lock, const weft_scope *scope)
{
    for (weft_link *at = lock->held.next; at != &lock->held; at = at->next) {
        struct token *token = weft_container_of(at, struct token, link);
        if (token->member.scope == scope)
            return token;
    }
    return NULL;
}

int weft_lock_release(weft_scope *scope, weft_lock *lock)
{
    weft_scope *pinned = lock->waiters.scope;
    struct token *token = held_by(lock, scope);

    if (!token) {
        weft_log(WEFT_LOG_ERROR, "lock", "the scope \"%s\" released a lock that it does not hold",
                 weft_scope_name(scope));
        return WEFT_ENOTHELD;
    }
    take_back(token);
    scope_pin(pinned);
    serve(lock);
    scope_unpin(pinned);
    return 0;
}

/* -- running with it -- */

static int release_after(int error, int *value, void *arg)
{
    struct acquisition *acquisition = arg;
    weft_lock *lock = acquisition->lock;

    (void)value;
    if (!acquisition->had)
        return error;
    if (held_by(lock, acquisition->scope)) /* or its scope has closed */
        (void)weft_lock_release(acquisition->scope, lock);
    scope_unpin(lock->waiters.scope);
    return error;
}

weft_deferred *weft_lock_run_at(weft_scope *scope, weft_lock *lock, weft_code callback, void *arg, weft_place place)
{
    weft_deferred *deferred = lock ? acquire_in_line(scope, lock, true, place) : NULL;

    if (!deferred || deferred->status < 0)
        return deferred;
    /* The first four need no memory. */
    (void)deferred_put(deferred, DEFERRED_THEN, callback, arg);
    (void)deferred_put(deferred, DEFERRED_BOTH, (weft_code)release_after, weft_deferred_room(deferred));
    deferred->flags &= (uint16_t)~DEFERRED_HAD; /* nobody has had it yet */
    return deferred;
}
