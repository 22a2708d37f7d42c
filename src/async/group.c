/* SPDX-License-Identifier: MIT */
/*
 * Groups (weft/group.h).
 *
 * A group is the waiter of each member that has not ended. It refers to each
 * until it is over, so that none is freed, even if somebody takes its result.
 * What a group fires with is decided once; from then on `over` is set.
 */
#include <weft/group.h>

#include <stdio.h>
#include <string.h>

#include "async/deferred_internal.h"
#include "base/checked.h"

/* The story of a race that nobody won, at most. */
#define STORY_MAX 1024

struct group;

struct member {
    struct deferred_waiter waiter;
    struct group *group;
    struct weft_deferred *deferred; /* NULL: memory was short for it */
    int status;                     /* why the group cannot wait for it, or 0 */
    bool waiting;                   /* the group is its waiter */
};

struct group {
    struct weft_deferred *deferred;
    unsigned flags;
    bool over;
    size_t count, pending, failed;
    struct member members[];
};

static int status_of(struct member *member)
{
    return member->status < 0 ? member->status : weft_deferred_peek(member->deferred, NULL);
}

/* -- what it comes to -- */

static weft_failure *story_of(const struct member *member)
{
    const weft_failure *failure = member->deferred ? weft_deferred_failure(member->deferred) : NULL;

    return weft_failure_ref((weft_failure *)(uintptr_t)failure);
}

static weft_failure *story_of_one(const struct group *group, size_t index, int error)
{
    const struct member *member = &group->members[index];
    weft_place place = group->deferred->place;

    if (!member->deferred)
        return weft_failure_make(error, place.file, place.line, NULL, "member %zu of %zu was never made", index,
                                 group->count);
    return weft_failure_make(error, place.file, place.line, story_of(member), "member %zu of %zu (a %s made at %s:%d)",
                             index, group->count, member->deferred->type->name, member->deferred->place.file,
                             member->deferred->place.line);
}

static weft_failure *story_of_all(struct group *group, int error)
{
    weft_place place = group->deferred->place;
    char text[STORY_MAX] = "";
    size_t length = 0;

    for (size_t i = 0; i < group->count && length < sizeof text - 1; i++) {
        weft_failure *failure = story_of(&group->members[i]);
        length += (size_t)snprintf(text + length, sizeof text - length, "; %zu: ", i);
        if (failure && length < sizeof text)
            length += weft_failure_describe(failure, text + length, sizeof text - length);
        else if (length < sizeof text)
            length += (size_t)snprintf(text + length, sizeof text - length, "%s",
                                       weft_error_text(status_of(&group->members[i])));
        weft_failure_unref(failure);
    }
    return weft_failure_make(error, place.file, place.line, NULL, "all %zu members failed%s", group->count, text);
}

/* Makes the group's deferred one that has fired and has yet to run. */
static void set_result(struct group *group, size_t index, int error)
{
    struct weft_deferred *deferred = group->deferred;
    weft_group_end end = {index, group->failed};

    deferred->flags |= DEFERRED_FIRED;
    deferred->status = error;
    if (error == 0)
        memcpy(&deferred->value, &end, sizeof end);
    else if (index < group->count)
        deferred->failure = story_of_one(group, index, error);
    else if (group->count > 0)
        deferred->failure = story_of_all(group, error);
}

/* -- its end -- */

static void unwait(struct member *member)
{
    if (member->waiting)
        deferred_unwait(member->deferred);
    member->waiting = false;
}

/* From here on the members do without it. */
static void stop_waiting(struct group *group)
{
    group->over = true;
    for (size_t i = 0; i < group->count; i++)
        unwait(&group->members[i]);
}

static void cancel_members(struct group *group, int reason)
{
    for (size_t i = 0; i < group->count; i++)
        if (group->members[i].status == 0)
            weft_cancel_for(group->members[i].deferred, reason);
}

static void let_go(struct group *group, size_t decider)
{
    for (size_t i = 0; i < group->count; i++) {
        struct member *member = &group->members[i];
        if ((group->flags & WEFT_GROUP_FORGET) && i != decider && member->status == 0)
            weft_forget(member->deferred);
        weft_deferred_unref(member->deferred);
    }
}

/* @p index is the member that decided, or the count. @return the group's deferred, to be run; NULL if it was
 * cancelled */
static struct weft_deferred *end(struct group *group, size_t index, int error)
{
    struct weft_deferred *deferred = group->deferred;
    bool unfired;

    stop_waiting(group);
    weft_deferred_ref(deferred); /* what the members' cancellers do may end it */
    if (index < group->count && (group->flags & WEFT_GROUP_CANCEL))
        cancel_members(group, WEFT_ECANCELED);
    unfired = !weft_deferred_fired(deferred);
    if (unfired)
        set_result(group, index, error);
    let_go(group, index);
    weft_deferred_unref(deferred);
    return unfired ? deferred : NULL;
}

/* A member has ended. @return whether that decided the group's end, and then how */
static bool decide(struct group *group, struct member *member, size_t *ret_index, int *ret_error)
{
    int status = status_of(member);
    size_t index = (size_t)(member - group->members);

    group->pending--;
    group->failed += status < 0;
    *ret_error = 0;
    if (group->flags & (status < 0 ? WEFT_GROUP_FIRST_FAILURE : WEFT_GROUP_FIRST_SUCCESS)) {
        *ret_error = status;
        *ret_index = index;
        return true;
    }
    if (group->pending > 0)
        return false;
    *ret_index = group->count;
    if (group->flags & WEFT_GROUP_FIRST_SUCCESS)
        *ret_error = status_of(&group->members[0]);
    return true;
}

static struct weft_deferred *member_ready(struct deferred_waiter *waiter)
{
    struct member *member = weft_container_of(waiter, struct member, waiter);
    size_t index;
    int error;

    unwait(member);
    if (!decide(member->group, member, &index, &error))
        return NULL;
    return end(member->group, index, error);
}

static void cancelled(weft_deferred *deferred, int reason, void *arg)
{
    struct group *group = weft_deferred_room(deferred);

    (void)arg;
    if (group->over)
        return;
    stop_waiting(group);
    cancel_members(group, reason);
    let_go(group, group->count);
}

/* -- its beginning -- */

static void add(struct group *group, struct weft_deferred *deferred)
{
    struct member *member = &group->members[group->count++];
    int status = deferred_wait(deferred, &member->waiter);

    member->group = group;
    member->deferred = weft_deferred_ref(deferred);
    member->waiter.ready = member_ready;
    member->status = status < 0 ? status : 0;
    member->waiting = status == 0;
    if (status >= 0) /* its error is the group's to tell, and its result is still to be had */
        deferred->flags = (uint16_t)((deferred->flags | DEFERRED_FORGOTTEN) & ~DEFERRED_HAD);
}

/* Looks at those that had ended before. @return whether one of them decided it */
static bool look(struct group *group, size_t *ret_index, int *ret_error)
{
    group->pending = group->count;
    for (size_t i = 0; i < group->count; i++)
        if (!group->members[i].waiting && decide(group, &group->members[i], ret_index, ret_error))
            return true;
    *ret_index = 0;
    *ret_error = group->flags & WEFT_GROUP_FIRST_SUCCESS ? -EINVAL : 0;
    return group->count == 0;
}

static struct weft_deferred *member_of(const void *members, size_t index)
{
    struct weft_deferred *deferred;

    memcpy(&deferred, (const char *)members + index * sizeof deferred, sizeof deferred);
    return deferred;
}

static void begin(struct weft_deferred *deferred, const void *members, size_t count, unsigned flags)
{
    struct group *group = weft_deferred_room(deferred);
    size_t index;
    int error;

    group->deferred = deferred;
    group->flags = flags;
    for (size_t i = 0; i < count; i++)
        add(group, member_of(members, i));
    if (look(group, &index, &error) && end(group, index, error))
        deferred_run(deferred);
}

weft_deferred *weft_group_make(weft_scope *scope, const void *members, size_t count, unsigned flags, weft_place place)
{
    weft_deferred *deferred;
    size_t room;

    if (!size_multiply(count, sizeof(struct member), &room) || !size_add(room, sizeof(struct group), &room))
        return NULL;
    deferred = weft_deferred_make(scope, &weft_group_type_, room, cancelled, NULL, place);
    if (deferred && !weft_deferred_fired(deferred))
        begin(deferred, members, count, flags);
    else if (deferred)
        for (size_t i = 0; i < count; i++)
            weft_cancel_for(member_of(members, i), deferred->status);
    return deferred;
}

weft_deferred *weft_group_make_any(weft_scope *scope, weft_deferred *const *members, size_t count, unsigned flags,
                                   weft_place place)
{
    return weft_group_make(scope, members, count, flags, place);
}
