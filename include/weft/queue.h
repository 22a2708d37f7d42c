/* SPDX-License-Identifier: MIT */
/**
 * @file
 * Queues: values of one type, in order, from whoever makes them to whoever
 * takes them. Between tasks a queue is a channel.
 *
 *     WEFT_QUEUE(numbers, int);                          // at file scope
 *
 *     numbers queue = weft_queue_new(numbers, scope, 16, 0);
 *     weft_push(queue, 42);                              // in a task: waits while it is full
 *     while (weft_pop(queue, &number) == 0)              // in another: until it is closed and empty
 *         ...
 *
 * A queue holds a number of values at most, and so many may wait at either
 * end. There are three forms: `weft_queue_try_...` never waits, weft_push and
 * weft_pop wait and are for tasks, and weft_queue_put and weft_queue_get
 * return a deferred. Whoever came first is served first.
 *
 * A deferred that is cancelled leaves the line, and no value is lost with it.
 * One that has fired holds its value: if nobody looks at it, that value is
 * gone, as after any call that returned it.
 */
#ifndef WEFT_QUEUE_H
#define WEFT_QUEUE_H

#include <weft/deferred.h>

WEFT_BEGIN_DECLS

/** A queue of any type. It belongs to a loop's thread. */
typedef struct weft_queue weft_queue;

/**
 * Declares the type @p name: a queue of values of type @p T (at most WEFT_DEFERRED_VALUE bytes), and `name_item`: the
 * deferred that weft_queue_get returns (with its `name_item_callback`). At file scope; may stand in a header.
 */
#define WEFT_QUEUE(name, T)                                                  \
    WEFT_DEFERRED(name##_item, T);                                           \
    typedef union name {                                                     \
        weft_queue *queue;                                                   \
        T *type_;           /* never there: it only says which type it is */ \
        name##_item *item_; /* the same */                                   \
    } name

/**
 * A new queue of the type @p name.
 *
 * @param size     how many values it holds (0: 1024); memory for them is allocated as they come
 * @param backlog  how many may wait at each end (0: 1024)
 * @return a handle, valid until @p scope is gone; those that wait then are cancelled. Its `queue` is NULL if memory is
 *         short, and then all that is done with it fails with WEFT_ENOMEM
 */
#define weft_queue_new(name, scope, size, backlog) \
    WEFT_QUEUE_HANDLE_(name, weft_queue_make(scope, &name##_item_type_, size, backlog))
/** As the macro. @return *until* @p scope is gone; NULL if memory is short */
WEFT_API weft_queue *weft_queue_make(weft_scope *scope, const weft_deferred_type *type, size_t size, size_t backlog);

/** Puts @p value (an expression of its type) into @p q, or gives it to whoever waits for one.
 *  @return 0; WEFT_EFULL; WEFT_ENOMORE if it is closed; WEFT_ENOMEM */
#define weft_queue_try_put(q, value) WEFT_QUEUE_PUT_(q, value)
/** Takes the oldest value into *@p out. @return 0; -EAGAIN if there is none; WEFT_ENOMORE if it is empty and closed */
#define weft_queue_try_get(q, out) weft_queue_try_get_from((q).queue, WEFT_SAME_((q).type_, out))

/** A weft_done in @p scope that fires when @p value is in @p q. It fails with WEFT_ENOMORE if @p q is or gets closed;
 *  with WEFT_EWAITERS if too many wait already. */
#define weft_queue_put(scope, q, value) WEFT_HANDLE_(weft_done, WEFT_QUEUE_PUT_LATER_(scope, q, value))
/** A deferred (`name_item`) in @p scope that fires with the next value. It fails with WEFT_ENOMORE if @p q is empty and
 *  closed; with WEFT_EWAITERS if too many wait already. */
#define weft_queue_get(scope, q) WEFT_QUEUE_ITEM_(q, weft_queue_get_from(scope, (q).queue, WEFT_HERE))

/** In a task: puts @p value into @p q and waits while it is full. Costs next to nothing if it is not.
 *  @return 0; WEFT_ENOMORE; WEFT_EWAITERS; WEFT_ENOMEM; the reason if the task was cancelled, and then @p value is not
 *          in it; WEFT_ENOTASK */
#define weft_push(q, value) WEFT_QUEUE_PUSH_(q, value)
/** In a task: waits for the next value and takes it into *@p out. @return as weft_push */
#define weft_pop(q, out) weft_queue_pop_from((q).queue, WEFT_SAME_((q).type_, out), WEFT_HERE)

/** Closes @p queue: who waits for a value or for room fails with WEFT_ENOMORE. What is in it can still be got. */
WEFT_API void weft_queue_close(weft_queue *queue);
/** How many values are in it. */
WEFT_API size_t weft_queue_count(const weft_queue *queue);
/** How many wait for a value. */
WEFT_API size_t weft_queue_getters(const weft_queue *queue);
/** How many wait for room. */
WEFT_API size_t weft_queue_putters(const weft_queue *queue);

/** Beneath the macro weft_queue_try_put. @return as it */
WEFT_API WEFT_NODISCARD int weft_queue_try_put_into(weft_queue *queue, const void *value);
/** Beneath the macro weft_queue_try_get. @return as it */
WEFT_API WEFT_NODISCARD int weft_queue_try_get_from(weft_queue *queue, void *out);
/** Beneath the macro weft_queue_put. @return *until* its result was had; NULL if memory is short */
WEFT_API weft_deferred *weft_queue_put_into(weft_scope *scope, weft_queue *queue, const void *value, weft_place place);
/** Beneath the macro weft_queue_get. @return *until* its result was had; NULL if memory is short */
WEFT_API weft_deferred *weft_queue_get_from(weft_scope *scope, weft_queue *queue, weft_place place);
/** Beneath the macro weft_push. @return as it */
WEFT_API WEFT_NODISCARD int weft_queue_push_into(weft_queue *queue, const void *value, weft_place place);
/** Beneath the macro weft_pop. @return as it */
WEFT_API WEFT_NODISCARD int weft_queue_pop_from(weft_queue *queue, void *out, weft_place place);

WEFT_END_DECLS

#ifdef __cplusplus
#define WEFT_QUEUE_HANDLE_(name, made) (name{made})
#define WEFT_QUEUE_ITEM_(q, made) (decltype(weft_deferred_value_((q).item_)){made})
#define WEFT_QUEUE_PUT_(q, value) weft_queue_try_put_(q, value)
#define WEFT_QUEUE_PUT_LATER_(scope, q, value) weft_queue_put_(scope, q, value, WEFT_HERE)
#define WEFT_QUEUE_PUSH_(q, value) weft_queue_push_(q, value, WEFT_HERE)
extern "C++" {
template <class Q> int weft_queue_try_put_(Q q, decltype(weft_deferred_value_(q.type_)) value)
{
    return weft_queue_try_put_into(q.queue, &value);
}
template <class Q>
weft_deferred *weft_queue_put_(weft_scope *scope, Q q, decltype(weft_deferred_value_(q.type_)) value, weft_place place)
{
    return weft_queue_put_into(scope, q.queue, &value, place);
}
template <class Q> int weft_queue_push_(Q q, decltype(weft_deferred_value_(q.type_)) value, weft_place place)
{
    return weft_queue_push_into(q.queue, &value, place);
}
}
#else
#define WEFT_QUEUE_HANDLE_(name, made) ((name){.queue = (made)})
#define WEFT_QUEUE_ITEM_(q, made) ((__typeof__(*(q).item_)){.deferred = (made)})
#define WEFT_QUEUE_VALUE_(q, value) ((__typeof__(*(q).type_)[1]){value})
#define WEFT_QUEUE_PUT_(q, value) weft_queue_try_put_into((q).queue, WEFT_QUEUE_VALUE_(q, value))
#define WEFT_QUEUE_PUT_LATER_(scope, q, value) \
    weft_queue_put_into(scope, (q).queue, WEFT_QUEUE_VALUE_(q, value), WEFT_HERE)
#define WEFT_QUEUE_PUSH_(q, value) weft_queue_push_into((q).queue, WEFT_QUEUE_VALUE_(q, value), WEFT_HERE)
#endif

#endif
