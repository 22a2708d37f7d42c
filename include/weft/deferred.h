/* SPDX-License-Identifier: MIT */
/**
 * @file
 * Deferreds: a result that is not there yet, and what is to be done with it.
 *
 * A deferred is *fired* once, with a value or with an error. Callbacks that
 * were added to it run then, in their order; each gets what the one before it
 * left, and a callback that is added later runs there and then. A deferred
 * belongs to a scope: when the scope is cancelled, so is the deferred.
 *
 * Each kind of result has a type of its own, a small struct by value:
 *
 *     WEFT_DEFERRED(weft_number, int);         // a deferred for an int
 *
 *     weft_number sum = weft_deferred_new(weft_number, scope);
 *     weft_then(sum, show, NULL);              // int show(int error, int *value, void *arg)
 *     weft_fire(sum, 42);
 *
 * A handle whose `deferred` is NULL means "memory was short": awaiting it,
 * adding to it, or firing it gives WEFT_ENOMEM; the rest does nothing.
 *
 * Unlike everything else in Weft a deferred calls back at once: firing it,
 * adding to one that has fired, cancelling and unpausing run its callbacks
 * before they return.
 *
 * **Lifetime.** A deferred is there until its scope is gone or until somebody
 * has had its result: it was awaited, or it has fired and has run at least
 * one callback. In the second case it is freed at the end of that turn of the
 * loop. Whoever wants it longer takes a reference (`weft_deferred_ref`): then
 * it stays in its scope, and after that is gone, as what it has come to. So
 * does a producer that may fire it late and has given it no canceller. What a
 * value points to is not the deferred's: it belongs to the scope, unless the
 * function that promised it says otherwise.
 *
 * **Failures.** An error that is still there when a deferred is freed, and
 * that nobody has looked at, is logged, with the place where the deferred was
 * made; only a cancellation is not, for somebody here wanted it.
 */
#ifndef WEFT_DEFERRED_H
#define WEFT_DEFERRED_H

#include <stdbool.h>

#include <weft/failure.h>
#include <weft/scope.h>

WEFT_BEGIN_DECLS

/** A deferred of any kind. It belongs to a loop's thread. */
typedef struct weft_deferred weft_deferred;

/** A result has this many bytes at most, so that a deferred needs one allocation: a pointer, a number, a slice. */
#define WEFT_DEFERRED_VALUE 16

#define WEFT_UNUSED_ __attribute__((unused))
#ifdef __cplusplus
#define WEFT_STATIC_ASSERT_(condition, text) static_assert(condition, text)
#define WEFT_ALIGNOF_(T) alignof(T)
#else
#define WEFT_STATIC_ASSERT_(condition, text) _Static_assert(condition, text)
#define WEFT_ALIGNOF_(T) _Alignof(T)
#endif

/** Any function; it is cast back before it is called. */
typedef void (*weft_code)(void);

/** What WEFT_DEFERRED makes for each kind of result. Its fields are private. */
typedef struct weft_deferred_type {
    const char *name;
    size_t size; /* of the value */
    int (*call)(weft_code code, int error, void *value, void *arg);
} weft_deferred_type;

/** Where in the user's source something was made. */
typedef struct weft_place {
    const char *file;
    int line;
} weft_place;

/** The place where this is written. */
#ifdef __cplusplus
#define WEFT_HERE (weft_place{__FILE__, __LINE__})
#else
#define WEFT_HERE ((weft_place){__FILE__, __LINE__})
#endif

/**
 * Declares the type @p name: a deferred whose value is a @p T (at most WEFT_DEFERRED_VALUE bytes).
 *
 * Besides `name` it declares `name_callback`, the type of its callbacks:
 *
 *     int callback(int error, T *value, void *arg);
 *
 * @p error is 0, and @p value what the deferred has come to so far, which the callback may change in place; or an error
 * (negative), and @p value is all zero. What it returns is the state for the next callback: 0, and then @p value
 * counts; or an error. After an error, 0 means that it was dealt with. To go on with what another deferred will bring
 * a callback returns `weft_become(value, inner)`.
 *
 * At file scope; may stand in a header.
 */
#define WEFT_DEFERRED(name, T)                                                                     \
    typedef int name##_callback(int error, T *value, void *arg);                                   \
    typedef union name {                                                                           \
        weft_deferred *deferred;                                                                   \
        T *type_;                   /* never there: it only says which type belongs here */        \
        name##_callback *callback_; /* the same */                                                 \
    } name;                                                                                        \
    WEFT_UNUSED_ static inline int name##_call_(weft_code code, int error, void *value, void *arg) \
    {                                                                                              \
        return ((name##_callback *)code)(error, (T *)value, arg);                                  \
    }                                                                                              \
    WEFT_UNUSED_ static const weft_deferred_type name##_type_ = {#name, sizeof(T), name##_call_};  \
    WEFT_STATIC_ASSERT_(sizeof(T) <= WEFT_DEFERRED_VALUE && WEFT_ALIGNOF_(T) <= 8, "a value has at most 16 bytes")

/** A deferred that says only "done" or "failed": its value is 0. */
WEFT_DEFERRED(weft_done, int);

/* -- making and firing: the producer's side -- */

/** Called when a deferred that has not fired is cancelled. It stops what would have fired it, and may fire it itself;
 *  if it does not, the deferred fails with @p reason. After it the producer must not touch the deferred unless it holds
 *  a reference. */
typedef void weft_canceller(weft_deferred *deferred, int reason, void *arg);

/** A new deferred of the type @p name in @p scope. In a scope that was cancelled it has failed already, for the same
 *  reason. @return a handle, whose `deferred` is NULL if memory is short or @p scope is NULL */
#define weft_deferred_new(name, scope) weft_deferred_new_with(name, scope, 0, NULL, NULL)
/** The same, with @p room bytes of zeroed memory behind it for the operation that will fire it (weft_deferred_room),
 *  and with a canceller (or NULL). Without a canceller the first attempt to fire it after a cancellation is silently
 *  ignored. */
#define weft_deferred_new_with(name, scope, room, canceller, arg) \
    WEFT_HANDLE_(name, weft_deferred_make(scope, &name##_type_, room, canceller, arg, WEFT_HERE))
/** One that has fired with @p value (an expression of its type). */
#define weft_succeed(name, scope, value) WEFT_SUCCEED_(name, scope, value)
/** One that has failed with @p error. */
#define weft_fail(name, scope, error) \
    WEFT_HANDLE_(name, weft_deferred_make_failed(scope, &name##_type_, error, NULL, WEFT_HERE))
/** One that has failed with @p failure, which is *taken*. */
#define weft_fail_with(name, scope, failure) \
    WEFT_HANDLE_(name, weft_deferred_make_failed(scope, &name##_type_, 0, failure, WEFT_HERE))
/** Runs @p callback at once, as the first callback of a deferred that has fired with a zeroed value: whatever it
 *  answers (a value, an error, or weft_become), the caller has a deferred, whose result nobody has had yet. In a scope
 *  that was cancelled it is not called. */
#define weft_maybe(name, scope, callback, arg) \
    WEFT_HANDLE_(                              \
        name, weft_deferred_make_maybe(scope, &name##_type_, WEFT_CODE_(name##_callback, callback), arg, WEFT_HERE))

/** Beneath weft_deferred_new. @return *borrowed* as the handle; NULL if memory is short */
WEFT_API weft_deferred *weft_deferred_make(weft_scope *scope, const weft_deferred_type *type, size_t room,
                                           weft_canceller *canceller, void *arg, weft_place place);
/** Beneath weft_fail. @return *borrowed* as weft_deferred_make */
WEFT_API weft_deferred *weft_deferred_make_failed(weft_scope *scope, const weft_deferred_type *type, int error,
                                                  weft_failure *failure, weft_place place);
/** Beneath weft_succeed; @p value is copied. @return *borrowed* as weft_deferred_make */
WEFT_API weft_deferred *weft_deferred_make_succeeded(weft_scope *scope, const weft_deferred_type *type,
                                                     const void *value, weft_place place);
/** Beneath weft_maybe. @return *borrowed* as weft_deferred_make */
WEFT_API weft_deferred *weft_deferred_make_maybe(weft_scope *scope, const weft_deferred_type *type, weft_code code,
                                                 void *arg, weft_place place);

/** The memory that weft_deferred_new_with asked for; aligned for any type; *until* the deferred is freed. */
WEFT_API void *weft_deferred_room(weft_deferred *deferred);

/** Fires @p d with @p value and runs its callbacks.
 *  @return 0; -EALREADY if it had been fired before, which is logged with its place */
#define weft_fire(d, value) WEFT_FIRE_(d, value)
/** Fires @p deferred with @p error (negative; anything else becomes WEFT_ECANCELED). @return as weft_fire */
WEFT_API int weft_deferred_fail(weft_deferred *deferred, int error);
/** Fires @p deferred with @p failure, which is *taken*. @return as weft_fire */
WEFT_API int weft_deferred_fail_with(weft_deferred *deferred, weft_failure *failure);
/** Fires @p deferred with the bytes at @p value, as many as its type has. Use weft_fire. @return as it */
WEFT_API int weft_deferred_fire(weft_deferred *deferred, const void *value);

/* -- callbacks: the consumer's side -- */

/** Adds @p callback for success: it is passed by when there is an error.
 *  @return 0; WEFT_ENOMEM if it could not be added, and then it will never run. The first four never fail. */
#define weft_then(d, callback, arg) weft_deferred_add((d).deferred, WEFT_CALLBACK_(d, callback), NULL, arg)
/** Adds @p callback for errors: it is passed by when there is a value. @return as weft_then */
#define weft_catch(d, callback, arg) weft_deferred_add((d).deferred, NULL, WEFT_CALLBACK_(d, callback), arg)
/** Adds @p callback for both. @return as weft_then */
#define weft_finally(d, callback, arg) weft_deferred_add_both((d).deferred, WEFT_CALLBACK_(d, callback), arg)
/** Adds a pair of which exactly one runs: @p callback on success, or @p otherwise on an error. It takes the room of
 *  two. @return as weft_then */
#define weft_then_or(d, callback, otherwise, arg) \
    weft_deferred_add((d).deferred, WEFT_CALLBACK_(d, callback), WEFT_CALLBACK_(d, otherwise), arg)
/** Lets @p d fire @p other, of the same type, with what it has come to; its own next callback gets a zeroed value, or
 *  -EALREADY if @p other had been fired before. Until then it refers to @p other. Cancelling @p other does not cancel
 *  @p d. @return as weft_then */
#define weft_chain(d, other) weft_deferred_chain((d).deferred, (0 ? (d) : (other)).deferred)

/** Beneath weft_then, weft_catch and weft_then_or; one of the two may be NULL. @return as weft_then */
WEFT_API WEFT_NODISCARD int weft_deferred_add(weft_deferred *deferred, weft_code success, weft_code failure, void *arg);
/** Beneath weft_finally. @return as weft_then */
WEFT_API WEFT_NODISCARD int weft_deferred_add_both(weft_deferred *deferred, weft_code code, void *arg);
/** Beneath weft_chain. @return as weft_then */
WEFT_API WEFT_NODISCARD int weft_deferred_chain(weft_deferred *deferred, weft_deferred *other);

/**
 * In a callback: goes on with what @p inner, a deferred of the same type, will bring. The callbacks after this one
 * wait for it; cancelling the outer one cancels @p inner. A chain of any length takes no stack.
 *
 * @param value  the callback's own parameter
 * @param inner  *taken*: nobody else may wait for it
 * @return what the callback is to return: 0; WEFT_ENOMEM if @p inner is NULL; -EBUSY if somebody waits for it; -EDEADLK
 *         if it waits for this one itself; -EINVAL if it is this one
 */
#define weft_become(value, inner) weft_deferred_become(WEFT_SAME_((inner).type_, value), (inner).deferred)
/** Beneath weft_become. @return as it */
WEFT_API WEFT_NODISCARD int weft_deferred_become(void *value, weft_deferred *inner);

/** In a callback that has an error: its story. @p value is the callback's parameter.
 *  @return *borrowed* until the callback returns; NULL if the error came as a bare number */
WEFT_API const weft_failure *weft_failure_here(const void *value);
/** In a callback: fails with @p failure, which is *taken*. @return its error, which the callback is to return */
WEFT_API WEFT_NODISCARD int weft_deferred_throw(void *value, weft_failure *failure);

/** Cancels @p deferred. If it has not fired, its canceller is called, and if that does not fire it, it fails with
 *  WEFT_ECANCELED. If a callback made it wait for another, that one is cancelled. Otherwise nothing happens. */
WEFT_API void weft_cancel(weft_deferred *deferred);
/** The same with another @p reason. */
WEFT_API void weft_cancel_for(weft_deferred *deferred, int reason);
/** Cancels @p deferred if after @p delay nanoseconds what was added to it until now has not finished; then the error
 *  is WEFT_ETIMEDOUT. Where nothing can be late, because it is ready or its scope ends, nothing is done.
 *  @return 0 or WEFT_ENOMEM */
WEFT_API WEFT_NODISCARD int weft_timeout(weft_deferred *deferred, weft_time delay);

/** Holds its callbacks back, also those added later, until as many calls of weft_unpause; but not in a scope that
 *  closes, which waits for nobody. */
WEFT_API void weft_pause(weft_deferred *deferred);
/** Undoes one weft_pause; the last one runs what has waited. */
WEFT_API void weft_unpause(weft_deferred *deferred);

/* -- looking at it -- */

/** Whether it has been fired (it may still wait for another, or be paused). */
WEFT_API bool weft_deferred_fired(const weft_deferred *deferred);
/** Whether it has fired and nothing is left to run: its result can be had without waiting. */
WEFT_API bool weft_deferred_ready(const weft_deferred *deferred);
/** Takes the result of @p d, if it is ready, into *@p out; an error then counts as looked at. The deferred stays.
 *  @return 0; the deferred's error; -EAGAIN if it is not ready; WEFT_ENOMEM if it is NULL */
#define weft_peek(d, out) weft_deferred_peek((d).deferred, WEFT_SAME_((d).type_, out))
/** Beneath weft_peek; @p out may be NULL. @return as it */
WEFT_API WEFT_NODISCARD int weft_deferred_peek(weft_deferred *deferred, void *out);
/** The story of its error, if it is ready and has one. @return *borrowed* from the deferred; or NULL */
WEFT_API const weft_failure *weft_deferred_failure(const weft_deferred *deferred);

/** One reference more: it is not freed before as many calls of weft_deferred_unref. @return @p deferred */
WEFT_API weft_deferred *weft_deferred_ref(weft_deferred *deferred);
/** One less. NULL does nothing. */
WEFT_API void weft_deferred_unref(weft_deferred *deferred);
/** Says that nobody will look at @p deferred any more: its result, if an error, is nothing to be reported, and it is
 *  freed when it has fired. It is not cancelled. */
WEFT_API void weft_forget(weft_deferred *deferred);

/* -- the machinery of the macros -- */

WEFT_END_DECLS

#ifdef __cplusplus
#define WEFT_SAME_(sample, pointer) static_cast<decltype(sample)>(pointer)
#define WEFT_CODE_(type, function) reinterpret_cast<weft_code>(static_cast<type *>(function))
#define WEFT_CALLBACK_(d, function) reinterpret_cast<weft_code>(static_cast<decltype((d).callback_)>(function))
#define WEFT_HANDLE_(name, made) (name{made})
#define WEFT_FIRE_(d, value) weft_deferred_fire_(d, value)
#define WEFT_SUCCEED_(name, scope, value) weft_deferred_succeed_<name>(scope, &name##_type_, value, WEFT_HERE)
extern "C++" {
template <class T> T weft_deferred_value_(T *);
template <class D> int weft_deferred_fire_(D d, decltype(weft_deferred_value_(d.type_)) value)
{
    return weft_deferred_fire(d.deferred, &value);
}
template <class D>
D weft_deferred_succeed_(weft_scope *scope, const weft_deferred_type *type,
                         decltype(weft_deferred_value_(D().type_)) value, weft_place place)
{
    return D{weft_deferred_make_succeeded(scope, type, &value, place)};
}
}
#else
/* @p pointer, if it has the type of @p sample; else it does not compile. */
#define WEFT_SAME_(sample, pointer) _Generic((pointer), __typeof__(((void)0, (sample))) : (pointer))
#define WEFT_CODE_(type, function) ((weft_code) _Generic((function), type * : (function)))
#define WEFT_CALLBACK_(d, function) ((weft_code)WEFT_SAME_((d).callback_, function))
#define WEFT_HANDLE_(name, made) ((name){.deferred = (made)})
#define WEFT_FIRE_(d, value) weft_deferred_fire((d).deferred, (__typeof__(*(d).type_)[1]){value})
#define WEFT_SUCCEED_(name, scope, value)                                                                              \
    WEFT_HANDLE_(name, weft_deferred_make_succeeded(scope, &name##_type_, (__typeof__(*((name *)0)->type_)[1]){value}, \
                                                    WEFT_HERE))
#endif

#endif
