/* SPDX-License-Identifier: MIT */
/*
 * What the floors above use to put their objects into scopes.
 */
#ifndef LOOP_SCOPE_INTERNAL_H
#define LOOP_SCOPE_INTERNAL_H

#include <weft/scope.h>
#include <weft/timer.h>

/* Only scope.c changes it; the others know its loop without a call. */
struct weft_scope {
    weft_scope_member member; /* in the parent */
    weft_loop *loop;
    weft_link members;
    size_t count;
    const char *name;
    weft_timer_entry deadline;
    int cancelled;
    bool closing;
    void *owner;         /* what the floor above made it for, or NULL */
    bool held;           /* its owner will close it, whatever its parent does */
    unsigned pins;       /* who is at work in it further up the stack: it is not freed */
    weft_link *visiting; /* the members that scope_visit has not come to */
};

/* What a kind of member does when its scope ends. */
struct scope_member_class {
    const char *kind; /* "stream", for dumps */
    /* The scope was cancelled: begin to end. Calls no user's code; leaves the scope (scope_leave) now or later. */
    void (*cancel)(weft_scope_member *member, int reason);
};

/* Puts @p member into @p scope. Returns 0, WEFT_ENOMEM for no scope, or the reason for which the scope is cancelled. */
int scope_join(weft_scope *scope, weft_scope_member *member, const struct scope_member_class *class_);
/* Takes @p member out; harmless if it is in none. */
void scope_leave(weft_scope_member *member);

/* The scope's owner keeps a pointer to it and will call weft_scope_close itself, even if the parent closes first. */
void scope_hold(weft_scope *scope);
/* Keeps @p scope's memory, even if it is closed meanwhile, until the same number of unpins: around a callback of a
 * member that has left. */
void scope_pin(weft_scope *scope);
void scope_unpin(weft_scope *scope);
/* Calls @p visit for each member of @p kind, oldest first. A visit may end members and cancel or close the
 * scope, which ends the walk, but not visit it again. */
void scope_visit(weft_scope *scope, const char *kind, void (*visit)(weft_scope_member *member, void *arg), void *arg);

/* The root scope of a loop. */
weft_scope *scope_new_root(weft_loop *loop);
/* Whether the root has no members left. */
bool scope_is_empty(const weft_scope *scope);
void scope_free_root(weft_scope *scope);

#endif
