/* SPDX-License-Identifier: MIT */
/*
 * The scope tree (weft/scope.h).
 *
 * A scope keeps its members in the order in which they joined and cancels
 * them newest first. Cancelling runs no user's code; a member that cannot end
 * at once (a stream that has to be lost) stays until it has, and the last one
 * out of a closing scope frees it.
 */
#include "loop/scope_internal.h"

#include "loop/loop_internal.h"

#include <stdio.h>
#include <string.h>

#include <weft/log.h>
#include <weft/memory.h>

static void scope_cancel_member(weft_scope_member *member, int reason);

static void describe(const weft_scope_member *member, char *buffer, size_t size);

static const struct scope_member_class scope_class = {.kind = "scope",
                                                      .cancel = scope_cancel_member,
                                                      .describe = describe};

static void deadline_passed(weft_timer_entry *entry)
{
    weft_scope *scope = weft_container_of(entry, weft_scope, deadline);

    loop_enters(scope->loop, "deadline");
    weft_scope_cancel(scope, WEFT_ETIMEDOUT);
}

static weft_scope *scope_new(weft_loop *loop)
{
    weft_scope *scope = weft_allocate_zeroed(1, sizeof *scope);

    if (!scope)
        return NULL;
    scope->loop = loop;
    scope->name = "scope";
    wheel_entry_init(&scope->deadline, deadline_passed);
    weft_link_init(&scope->members);
    weft_link_init(&scope->member.link);
    weft_link_init(&scope->memory);
    return scope;
}

weft_scope *scope_new_root(weft_loop *loop)
{
    weft_scope *scope = scope_new(loop);

    if (scope) {
        scope->name = "root";
        scope->independent = true;
    }
    return scope;
}

bool scope_is_empty(const weft_scope *scope)
{
    return scope->count == 0;
}

/* An error that nobody asked for is told now. */
static void tell_error(const weft_scope *scope)
{
    weft_log_field field = {.name = "error", .text = weft_bytes_from(weft_error_name(scope->error))};

    if (scope->error < 0 && !scope->told && weft_error_class_of(scope->error) != WEFT_CLASS_CANCELLED)
        weft_log_fields(WEFT_LOG_ERROR, "scope", &field, 1, "a task in the scope \"%s\" failed: %s", scope->name,
                        weft_error_text(scope->error));
}

static void scope_free(weft_scope *scope)
{
    tell_error(scope);
    scope_memory_free(scope);
    weft_failure_unref(scope->failure);
    weft_release(scope);
}

void scope_free_root(weft_scope *scope)
{
    if (scope)
        scope_free(scope);
}

static void enter(weft_scope *scope, weft_scope_member *member, const struct scope_member_class *class_)
{
    member->scope = scope;
    member->class_ = class_;
    weft_link_insert_before(&scope->members, &member->link);
    scope->count++;
    scope->idle += class_->idle;
}

static weft_scope *open_in(weft_scope *parent, weft_time timeout)
{
    weft_scope *scope = scope_new(parent->loop);

    if (!scope)
        return NULL;
    enter(parent, &scope->member, &scope_class);
    scope->cancelled = parent->cancelled;
    if (!scope->cancelled)
        loop_timer_start(scope->loop, &scope->deadline, timeout);
    return scope;
}

weft_scope *weft_scope_open(weft_scope *parent, weft_time timeout)
{
    return parent && !parent->closing ? open_in(parent, timeout) : NULL;
}

weft_scope *scope_open_held(weft_scope *parent, const char *name)
{
    weft_scope *scope = open_in(parent, WEFT_NEVER);

    if (scope) {
        scope->held = true;
        scope->name = name;
    }
    return scope;
}

int scope_join(weft_scope *scope, weft_scope_member *member, const struct scope_member_class *class_)
{
    if (!scope)
        return WEFT_ENOMEM;
    if (scope->cancelled)
        return scope->cancelled;
    enter(scope, member, class_);
    return 0;
}

int scope_join_ended(weft_scope *scope, weft_scope_member *member, const struct scope_member_class *class_)
{
    if (!scope)
        return WEFT_ENOMEM;
    enter(scope, member, class_);
    return 0;
}

static void free_if_over(weft_scope *scope)
{
    if (!(scope->closing || scope->orphaned) || scope->count > 0 || scope->pins > 0 || scope->held ||
        !scope->member.scope)
        return;
    wheel_stop(&scope->loop->wheel, &scope->deadline);
    scope_leave(&scope->member);
    scope_free(scope);
}

static void tell_watcher(struct scope_watcher **at)
{
    struct scope_watcher *watcher = *at;

    *at = NULL;
    if (watcher)
        watcher->emptied(watcher);
}

void scope_leave(weft_scope_member *member)
{
    weft_scope *scope = member->scope;

    if (!scope)
        return;
    weft_link_remove(&member->link);
    member->scope = NULL;
    scope->count--;
    scope->idle -= member->class_->idle;
    if (scope->count == scope->idle)
        tell_watcher(&scope->watcher);
    if (scope->count == 0)
        tell_watcher(&scope->closer);
    free_if_over(scope);
}

void scope_tell_idle(weft_scope *scope)
{
    tell_watcher(&scope->watcher);
}

int scope_watch(weft_scope *scope, struct scope_watcher *watcher)
{
    if (watcher && scope->watcher && scope->watcher != watcher)
        return -EBUSY;
    scope->watcher = watcher;
    return 0;
}

void scope_pin(weft_scope *scope)
{
    scope->pins++;
}

void scope_unpin(weft_scope *scope)
{
    scope->pins--;
    free_if_over(scope);
}

/* Somebody who no longer wants something counts for more than a clock. */
bool scope_outranks(int reason, int before)
{
    return weft_error_class_of(reason) == WEFT_CLASS_CANCELLED && weft_error_class_of(before) == WEFT_CLASS_TIMEOUT;
}

void weft_scope_cancel(weft_scope *scope, int reason)
{
    weft_link waiting;

    if (reason >= 0)
        reason = WEFT_ECANCELED;
    if (scope->orphaned)
        scope->closing = true; /* nobody else will */
    if (!scope->cancelled || scope_outranks(reason, scope->cancelled))
        scope->cancelled = reason;
    wheel_stop(&scope->loop->wheel, &scope->deadline);
    scope_pin(scope);
    weft_link_init(&waiting);
    weft_link_splice(&waiting, &scope->members);
    if (scope->visiting)
        weft_link_splice(&waiting, scope->visiting);
    while (!weft_link_is_alone(&waiting)) {
        weft_scope_member *member = weft_container_of(waiting.prev, weft_scope_member, link);
        weft_link_remove(&member->link);
        weft_link_insert_before(scope->members.next, &member->link);
        member->class_->cancel(member, scope->cancelled);
    }
    scope_unpin(scope);
}

void weft_scope_close(weft_scope *scope)
{
    if (!scope)
        return;
    scope->closing = true;
    scope->held = false;
    weft_scope_cancel(scope, scope->cancelled ? scope->cancelled : WEFT_ECANCELED);
}

void scope_hold(weft_scope *scope)
{
    scope->held = true;
}

/* A callback may end any member, so the list is walked by moving each from a copy back into it. */
void scope_visit(weft_scope *scope, const char *kind, void (*visit)(weft_scope_member *member, void *arg), void *arg)
{
    weft_link todo;

    weft_link_init(&todo);
    weft_link_splice(&todo, &scope->members);
    scope_pin(scope);
    scope->visiting = &todo;
    while (!weft_link_is_alone(&todo)) {
        weft_scope_member *member = weft_container_of(todo.next, weft_scope_member, link);

        weft_link_remove(&member->link);
        weft_link_insert_before(&scope->members, &member->link);
        if (strcmp(member->class_->kind, kind) == 0)
            visit(member, arg);
    }
    scope->visiting = NULL;
    scope_unpin(scope);
}

static void scope_cancel_member(weft_scope_member *member, int reason)
{
    weft_scope *scope = weft_container_of(member, weft_scope, member);

    bool ends = member->scope->closing && !scope->held; /* who holds it will close it, and what is in it */

    if (scope->shielded && (!scope->cancelled || !ends)) {
        scope->orphaned |= ends; /* its own deadline will end it, or whoever opened it */
        free_if_over(scope);
        return;
    }
    scope->closing |= ends;
    weft_scope_cancel(scope, scope->shielded ? scope->cancelled : reason); /* one that is over keeps its own reason */
}

weft_scope *weft_scope_open_shielded(weft_scope *parent, weft_time timeout)
{
    weft_scope *scope = parent && timeout < WEFT_NEVER ? scope_new(parent->loop) : NULL;

    if (!scope)
        return NULL;
    enter(parent, &scope->member, &scope_class);
    scope->shielded = true;
    loop_timer_start(scope->loop, &scope->deadline, timeout);
    return scope;
}

void weft_scope_set_independent(weft_scope *scope, bool independent)
{
    scope->independent = independent;
}

int weft_scope_error(weft_scope *scope)
{
    scope->told = true;
    return scope->error;
}

void scope_fail(weft_scope *scope, int error)
{
    if (scope->error == 0)
        scope->error = error;
    if (!scope->independent)
        weft_scope_cancel(scope, WEFT_ECANCELED);
}

void scope_note(weft_scope *scope, const weft_failure *failure)
{
    weft_failure_unref(scope->failure);
    scope->failure = failure ? weft_failure_ref((weft_failure *)(uintptr_t)failure) : NULL;
}

void weft_log_error(weft_scope *scope, int error)
{
    char story[512];
    weft_log_field field = {.name = "error", .text = weft_bytes_from(weft_error_name(error))};
    const weft_failure *failure = scope ? scope->failure : NULL;

    if (failure && weft_failure_error(failure) == error)
        weft_failure_describe(failure, story, sizeof story);
    else
        snprintf(story, sizeof story, "%s", weft_error_text(error));
    weft_log_fields(WEFT_LOG_ERROR, scope ? scope->name : "scope", &field, 1, "%s", story);
}

const weft_scope *scope_of_member(const weft_scope_member *member)
{
    return member->class_ == &scope_class ? weft_container_of(member, const weft_scope, member) : NULL;
}

static void describe(const weft_scope_member *member, char *buffer, size_t size)
{
    const weft_scope *scope = scope_of_member(member);

    snprintf(buffer, size, " \"%s\"%s%s%s", scope->name, scope->shielded ? ", shielded" : "",
             scope->cancelled ? ", cancelled: " : "", scope->cancelled ? weft_error_text(scope->cancelled) : "");
}

void weft_scope_set_name(weft_scope *scope, const char *name)
{
    scope->name = name ? name : "scope";
}

const char *weft_scope_name(const weft_scope *scope)
{
    return scope->name;
}

weft_scope *weft_scope_parent(const weft_scope *scope)
{
    return scope->member.scope;
}

weft_loop *weft_scope_loop(const weft_scope *scope)
{
    return scope->loop;
}

int weft_scope_cancelled(const weft_scope *scope)
{
    return scope->cancelled;
}

size_t weft_scope_count(const weft_scope *scope)
{
    return scope->count;
}
