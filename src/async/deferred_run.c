/* SPDX-License-Identifier: MIT */
/*
 * Firing, running and cancelling deferreds (weft/deferred.h).
 *
 * Running is a loop, not a recursion, however long the chain: what has to run
 * next because of this one (the outer one that it becomes, another that it
 * fires) is put on top of a list that is linked through the deferreds.
 */
#include "async/task_internal.h"

#include <weft/log.h>

/* Links of a chain that are told in the story of a failure. */
#define TOLD 8

static const uint64_t zero[WEFT_DEFERRED_VALUE / 8];

static void set_error(struct weft_deferred *deferred, int error, weft_failure *failure)
{
    if (deferred->failure != failure)
        weft_failure_unref(deferred->failure);
    if (error != deferred->status)
        deferred->flags &= (uint16_t)~DEFERRED_LOOKED;
    deferred->failure = failure;
    deferred->status = error;
    if (error < 0)
        memcpy(&deferred->value, zero, sizeof deferred->value);
}

/* The story of @p deferred's error, for whoever gets it next; one reference. */
static weft_failure *pass_story(struct weft_deferred *deferred, struct weft_deferred *to)
{
    weft_failure *failure = deferred->failure;

    deferred->failure = NULL;
    to->told = deferred->told;
    if (deferred->status >= 0 || to->told >= TOLD)
        return failure;
    to->told++;
    return weft_failure_make(deferred->status, deferred->place.file, deferred->place.line, failure,
                             "a %s made at %s:%d failed", deferred->type->name, deferred->place.file,
                             deferred->place.line);
}

/* @p to gets the result of @p from, which is then without one. */
static void move_result(struct weft_deferred *to, struct weft_deferred *from)
{
    set_error(to, from->status, pass_story(from, to));
    if (from->status == 0)
        to->value = from->value;
    set_error(from, 0, NULL);
    memcpy(&from->value, zero, sizeof from->value);
}

/* -- one callback -- */

static void call(struct weft_deferred *deferred, const struct deferred_callback *callback)
{
    int before = deferred->status, status;

    status = deferred->type->call(callback->code, before, &deferred->value, callback->arg);
    if (status > 0)
        status = 0;
    if ((before | status) == 0 && !deferred->inner && !deferred->failure)
        return; /* the usual case, in which nothing changes */
    if (deferred->inner && status == 0) {
        set_error(deferred, 0, NULL); /* what the inner one brings is taken when this one goes on */
        if (deferred->member.scope && deferred->member.scope->cancelled)
            weft_cancel_for(deferred->inner, deferred->member.scope->cancelled);
        return;
    }
    if (deferred->inner) {
        deferred->inner->outer = NULL;
        deferred_settled(deferred->inner);
        deferred->inner = NULL;
    }
    if (status != before || status == 0)
        set_error(deferred, status,
                  deferred->failure && weft_failure_error(deferred->failure) == status ? deferred->failure : NULL);
    else
        memcpy(&deferred->value, zero, sizeof deferred->value);
}

/* Fires @p other with what @p deferred has come to. @return @p other, if it has to be run now; or NULL */
static struct weft_deferred *fire_other(struct weft_deferred *deferred, struct weft_deferred *other)
{
    int status;

    if (!(other->flags & DEFERRED_FIRED)) {
        other->flags |= DEFERRED_FIRED;
        move_result(other, deferred);
        other->references--; /* it is run now */
        return other;
    }
    status = weft_deferred_fail(other, WEFT_ECANCELED); /* tells of it, or is ignored */
    weft_deferred_unref(other);
    set_error(deferred, status, NULL);
    memcpy(&deferred->value, zero, sizeof deferred->value);
    return NULL;
}

/* What a weft_timeout covers ends here. */
static void time_ends(struct weft_deferred *deferred, void *timeout)
{
    int status = deferred_timed(deferred, timeout);

    set_error(deferred, status, status == deferred->status ? deferred->failure : NULL);
}

/* Does what the kind that is not a plain DEFERRED_THEN on success asks for. @return whether the callback is to be called;
 * if not, @p ret_other is another deferred that has to be run first, or NULL */
static __attribute__((noinline)) bool is_called(struct weft_deferred *deferred, enum deferred_kind kind, void *arg,
                                                struct weft_deferred **ret_other)
{
    struct deferred_callback skipped;

    switch (kind) {
    case DEFERRED_CHAIN:
        *ret_other = fire_other(deferred, arg);
        return false;
    case DEFERRED_TIMED:
        time_ends(deferred, arg);
        return false;
    case DEFERRED_PAIR:
        if (deferred->status == 0)
            (void)deferred_next(deferred, &skipped);
        return deferred->status == 0;
    case DEFERRED_THEN:
        return deferred->status == 0;
    case DEFERRED_CATCH:
        return deferred->status < 0;
    case DEFERRED_BOTH:
        break;
    }
    return true;
}

/* Runs the next callback; there is one. @return another deferred that has to be run first; or NULL */
static struct weft_deferred *step(struct weft_deferred *deferred)
{
    struct weft_deferred *other = NULL;
    struct deferred_callback callback;
    enum deferred_kind kind = deferred_next(deferred, &callback);

    if ((kind == DEFERRED_THEN && deferred->status == 0) || is_called(deferred, kind, callback.arg, &other))
        call(deferred, &callback);
    return other;
}

/* -- all of them -- */

/* The inner one, if it is ready, gives its result. @return whether @p deferred can go on */
static bool take_inner(struct weft_deferred *deferred)
{
    struct weft_deferred *inner = deferred->inner;

    if (!inner)
        return true;
    if (!deferred_is_ready(inner))
        return false;
    inner->outer = NULL;
    deferred->inner = NULL;
    move_result(deferred, inner);
    inner->flags |= DEFERRED_LOOKED;
    deferred_had(inner);
    return true;
}

static bool can_step(struct weft_deferred *deferred)
{
    return (deferred->flags & DEFERRED_FIRED) && take_inner(deferred) && deferred->pauses == 0 &&
           deferred->count + deferred->more_count > 0;
}

/* @p deferred has nothing left to run for now. @return the one that waits for it, if that has to be run; or NULL */
static struct weft_deferred *stop(struct weft_deferred *deferred)
{
    struct weft_deferred *outer = deferred->outer;
    struct deferred_waiter *waiter = deferred->waiter;

    deferred->flags &= (uint16_t)~DEFERRED_RUNNING;
    if (!deferred_is_ready(deferred))
        return NULL;
    deferred_idles(deferred);
    if (outer)
        return outer->flags & DEFERRED_RUNNING ? NULL : outer; /* one that runs comes back to it by itself */
    if (waiter) {
        deferred->waiter = NULL;
        return waiter->ready(waiter);
    }
    deferred_settled(deferred);
    return NULL;
}

static struct weft_deferred *push(struct weft_deferred *top, struct weft_deferred *deferred)
{
    deferred_works(deferred);
    deferred->flags |= DEFERRED_RUNNING;
    deferred->below = top;
    return deferred;
}

void deferred_run(struct weft_deferred *deferred)
{
    struct weft_deferred *top, *next;

    if ((deferred->flags & DEFERRED_RUNNING) || !(deferred->flags & DEFERRED_FIRED))
        return;
    async_current.callbacks++;
    top = push(NULL, deferred);
    while (top) {
        if (can_step(top)) {
            next = step(top);
        } else {
            struct weft_deferred *below = top->below;
            next = stop(top);
            top = below;
        }
        if (next && !(next->flags & DEFERRED_RUNNING))
            top = push(top, next);
    }
    async_current.callbacks--;
}

/* Whether @p inner waits for @p deferred. The way is walked from both ends: in chains that grow at one end, however
 * long, one of the two is short. */
static bool waits_for(const struct weft_deferred *inner, const struct weft_deferred *deferred)
{
    const struct weft_deferred *down = inner, *up = deferred;

    while (down && up && down != deferred && up != inner) {
        down = down->inner;
        up = up->outer;
    }
    return down == deferred || up == inner;
}

int weft_deferred_become(void *value, weft_deferred *inner)
{
    struct weft_deferred *deferred = weft_container_of(value, struct weft_deferred, value);

    if (!inner)
        return WEFT_ENOMEM;
    if (inner == deferred || !(deferred->flags & DEFERRED_RUNNING))
        return -EINVAL;
    if (deferred->inner || inner->outer || (inner->flags & DEFERRED_CLAIMED))
        return -EBUSY;
    if (waits_for(inner, deferred))
        return -EDEADLK;
    deferred->inner = inner;
    inner->outer = deferred;
    return 0;
}

const weft_failure *weft_failure_here(const void *value)
{
    return weft_container_of(value, const struct weft_deferred, value)->failure;
}

int weft_deferred_throw(void *value, weft_failure *failure)
{
    struct weft_deferred *deferred = weft_container_of(value, struct weft_deferred, value);
    int error = weft_failure_error(failure);

    weft_failure_unref(deferred->failure);
    deferred->failure = failure;
    return error;
}

/* -- firing -- */

static int fired_twice(struct weft_deferred *deferred)
{
    if (deferred->flags & DEFERRED_SWALLOWS) {
        deferred->flags &= (uint16_t)~DEFERRED_SWALLOWS;
        return 0;
    }
    weft_log(WEFT_LOG_ERROR, "deferred", "a %s made at %s:%d was fired twice", deferred->type->name,
             deferred->place.file, deferred->place.line);
    return -EALREADY;
}

int weft_deferred_fire(weft_deferred *deferred, const void *value)
{
    if (!deferred)
        return WEFT_ENOMEM;
    if (deferred->flags & DEFERRED_FIRED)
        return fired_twice(deferred);
    deferred->flags |= DEFERRED_FIRED;
    deferred_copy_value(&deferred->value, value, deferred->type->size);
    deferred_run(deferred);
    return 0;
}

static int fail(struct weft_deferred *deferred, int error, weft_failure *failure)
{
    if (!deferred || (deferred->flags & DEFERRED_FIRED)) {
        weft_failure_unref(failure);
        return deferred ? fired_twice(deferred) : WEFT_ENOMEM;
    }
    deferred->flags |= DEFERRED_FIRED;
    set_error(deferred, error < 0 ? error : WEFT_ECANCELED, failure);
    deferred_run(deferred);
    return 0;
}

int weft_deferred_fail(weft_deferred *deferred, int error)
{
    return fail(deferred, error, NULL);
}

int weft_deferred_fail_with(weft_deferred *deferred, weft_failure *failure)
{
    return fail(deferred, weft_failure_error(failure), failure);
}

/* -- cancelling and pausing -- */

static void cancel_unfired(struct weft_deferred *deferred, int reason)
{
    weft_canceller *canceller = deferred->canceller;

    if (deferred->flags & DEFERRED_CANCELLING)
        return;
    deferred->flags |= DEFERRED_CANCELLING;
    deferred->references++; /* what the canceller fires may drop it */
    if (canceller)
        canceller(deferred, reason, deferred->canceller_arg);
    if (!(deferred->flags & DEFERRED_FIRED)) {
        if (!canceller)
            deferred->flags |= DEFERRED_SWALLOWS;
        (void)fail(deferred, reason, NULL);
    }
    deferred->flags &= (uint16_t)~DEFERRED_CANCELLING;
    deferred->references--;
    deferred_settled(deferred);
}

void weft_cancel_for(weft_deferred *deferred, int reason)
{
    while (deferred && (deferred->flags & DEFERRED_FIRED))
        deferred = deferred->inner;
    if (deferred)
        cancel_unfired(deferred, reason < 0 ? reason : WEFT_ECANCELED);
}

void weft_cancel(weft_deferred *deferred)
{
    weft_cancel_for(deferred, WEFT_ECANCELED);
}

static bool is_closing(const struct weft_deferred *deferred)
{
    return !deferred->member.scope || deferred->member.scope->closing;
}

/* A scope that closes waits for no unpause. */
void weft_pause(weft_deferred *deferred)
{
    if (deferred && !is_closing(deferred))
        deferred->pauses++;
}

void weft_unpause(weft_deferred *deferred)
{
    if (deferred && deferred->pauses > 0 && --deferred->pauses == 0)
        deferred_run(deferred);
}
