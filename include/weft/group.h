/* SPDX-License-Identifier: MIT */
/**
 * @file
 * Groups: one deferred for several that go on at the same time.
 *
 *     weft_http_reply pages[3] = {...};
 *     weft_group all = weft_gather(scope, pages, 3);
 *     if (weft_wait(all) == 0)                       // or weft_then(all, ...)
 *         for (size_t i = 0; i < 3; i++)
 *             weft_peek(pages[i], &page);            // typed, and does not wait
 *
 * A group waits for its members and leaves them their results: they are got
 * with weft_peek or weft_await, or with callbacks. A member is there until its
 * scope is gone or its result was taken so, also if it had callbacks before.
 * While the group waits, nobody else can.
 *
 * Errors of members count as looked at. A member that is NULL has failed with
 * WEFT_ENOMEM; one that somebody else waits for, or that is in the array
 * twice, with -EBUSY. Cancelling a group cancels its members; the group itself
 * then fails with the reason, whatever they come to.
 */
#ifndef WEFT_GROUP_H
#define WEFT_GROUP_H

#include <weft/deferred.h>

WEFT_BEGIN_DECLS

/** What a group comes to. */
typedef struct weft_group_end {
    size_t index;  /**< the member that decided it; the count of members if it waited for all */
    size_t failed; /**< how many members had failed by then */
} weft_group_end;

/** A group. */
WEFT_DEFERRED(weft_group, weft_group_end);

/** When a group fires, other than when all its members have ended. */
enum weft_group_flag {
    WEFT_GROUP_FIRST_SUCCESS =
        1, /**< at the first success; if all fail, it fails, with the error of the first of the array */
    WEFT_GROUP_FIRST_FAILURE = 2, /**< at the first failure, and then it fails with that error */
    WEFT_GROUP_CANCEL = 4,        /**< when it fires early it cancels those that still go on */
    WEFT_GROUP_FORGET = 8         /**< when it fires it forgets all but the member that decided (weft_forget): they must
                                       not be used any more */
};

/** Fires when all of @p handles (an array of one type of deferred) have succeeded. Fails as soon as one has failed,
 *  with its error and in its story the index; the others go on. */
#define weft_gather(scope, handles, count) weft_group_of(scope, handles, count, WEFT_GROUP_FIRST_FAILURE)
/** Fires when all of @p handles have ended, however. */
#define weft_collect(scope, handles, count) weft_group_of(scope, handles, count, 0)
/** Fires with the first that succeeds; the others are cancelled and forgotten. If all fail, so does the race, with the
 *  error of the first of the array and a story that tells of each; with none at all it has failed with -EINVAL. */
#define weft_race(scope, handles, count) \
    weft_group_of(scope, handles, count, WEFT_GROUP_FIRST_SUCCESS | WEFT_GROUP_CANCEL | WEFT_GROUP_FORGET)
/** A group of any kind: @p flags are of weft_group_flag. Without members it has fired at once. The array is *borrowed*
 *  until this returns.
 *  @return a handle, whose `deferred` is NULL if memory is short: then the members were not touched */
#define weft_group_of(scope, handles, count, flags) \
    WEFT_HANDLE_(weft_group, weft_group_make(scope, WEFT_MEMBERS_(handles), count, flags, WEFT_HERE))
/** The same for members of different types: an array of `weft_deferred *`. */
#define weft_group_of_any(scope, deferreds, count, flags) \
    WEFT_HANDLE_(weft_group, weft_group_make_any(scope, deferreds, count, flags, WEFT_HERE))

/** Beneath the macro weft_group_of: @p members is an array of handles. @return *until* its result was had; NULL if
 *  memory is short */
WEFT_API weft_deferred *weft_group_make(weft_scope *scope, const void *members, size_t count, unsigned flags,
                                        weft_place place);
/** Beneath the macro weft_group_of_any. @return *until* its result was had; NULL if memory is short */
WEFT_API weft_deferred *weft_group_make_any(weft_scope *scope, weft_deferred *const *members, size_t count,
                                            unsigned flags, weft_place place);

/* It compiles only for an array of handles. */
#define WEFT_MEMBERS_(handles) ((void)sizeof((handles)->deferred == (weft_deferred *)0), (const void *)(handles))

WEFT_END_DECLS

#endif
