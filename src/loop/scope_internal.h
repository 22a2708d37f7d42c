/* SPDX-License-Identifier: MIT */
/*
 * What the floors above use to put their objects into scopes.
 */
#ifndef LOOP_SCOPE_INTERNAL_H
#define LOOP_SCOPE_INTERNAL_H

#include <weft/failure.h>
#include <weft/scope.h>
#include <weft/timer.h>

/* Somebody who wants to know when nothing runs in a scope, or when it has become empty. */
struct scope_watcher {
    /* Called once, from inside scope_leave or scope_idles: it may make a task ready, but not run anything. */
    void (*emptied)(struct scope_watcher *watcher) WEFT_NONBLOCKING;
};

/* Only scope.c changes it; the others know its loop without a call. */
struct weft_scope {
    weft_scope_member member; /* in the parent */
    weft_loop *loop;
    weft_link members;
    size_t count, idle; /* members; those of them that run nothing */
    const char *name;
    weft_timer_entry deadline;
    int cancelled;
    bool closing;
    bool shielded;    /* its parent's cancelling does not reach it */
    bool orphaned;    /* shielded, and its parent closes: it is freed when it is empty, and closed by its deadline */
    bool independent; /* the failure of one task in it leaves the others alone */
    bool told;        /* somebody has asked for `error` */
    int error;        /* of the first task in it that failed; 0 if none has */
    weft_failure *failure;         /* the story of the last error that was awaited in it, or NULL */
    struct scope_watcher *watcher; /* at most one */
    struct scope_watcher *closer;  /* who has closed it and waits for its end, or NULL */
    void *owner;                   /* what the floor above made it for, or NULL */
    bool held;                     /* its owner will close it, whatever its parent does */
    unsigned pins;                 /* who is at work in it further up the stack: it is not freed */
    weft_link *visiting;           /* the members that scope_visit has not come to */
    weft_link memory;              /* scope_memory.c */
};

/* What a kind of member does when its scope ends. */
struct scope_member_class {
    const char *kind; /* "stream", for dumps */
    bool idle;        /* it only lasts: nobody waits for it (weft_scope_wait) */
    /* The scope was cancelled: begin to end. Calls no user's code; leaves the scope (scope_leave) now or later. */
    void (*cancel)(weft_scope_member *member, int reason);
    /* What a dump says after the kind: ' "name": waits for input'. May be NULL. */
    void (*describe)(const weft_scope_member *member, char *buffer, size_t size);
};

/* Puts @p member into @p scope. Returns 0, WEFT_ENOMEM for no scope, or the reason for which the scope is cancelled. */
int scope_join(weft_scope *scope, weft_scope_member *member, const struct scope_member_class *class_);
/* The same for what has ended already and only waits to be looked at: a scope that was cancelled takes it, too. */
int scope_join_ended(weft_scope *scope, weft_scope_member *member, const struct scope_member_class *class_);
/* Takes @p member out; harmless if it is in none. */
void scope_leave(weft_scope_member *member);

/* A member in @p scope runs nothing any more: whoever waits for the scope need not wait for it. It says so before it
 * leaves, too, unless its class does. */
void scope_tell_idle(weft_scope *scope) WEFT_NONBLOCKING;
static inline void scope_idles(weft_scope *scope)
{
    scope->idle++;
    if (scope->watcher && scope->idle == scope->count)
        scope_tell_idle(scope);
}
/* And now it does, or leaves. */
static inline void scope_works(weft_scope *scope)
{
    scope->idle--;
}
/* A scope for @p owner, who will close it, in @p parent: if that closes, too, but then it is cancelled. NULL if memory is
 * short. */
weft_scope *scope_open_held(weft_scope *parent, const char *name);
/* The scope's owner keeps a pointer to it and will call weft_scope_close itself, even if the parent closes first. */
void scope_hold(weft_scope *scope);
/* Keeps @p scope's memory, even if it is closed meanwhile, until the same number of unpins: around a callback of a
 * member that has left. */
void scope_pin(weft_scope *scope);
void scope_unpin(weft_scope *scope);
/* Calls @p visit for each member of @p kind, oldest first. A visit may end members and cancel or close the
 * scope, which ends the walk, but not visit it again. */
void scope_visit(weft_scope *scope, const char *kind, void (*visit)(weft_scope_member *member, void *arg), void *arg);

/* A task in @p scope has failed: the first error is kept, and unless the scope says otherwise the others in it are
 * cancelled. */
void scope_fail(weft_scope *scope, int error);
/* Keeps the story of the last error that somebody met in @p scope; @p failure may be NULL and is not taken. */
void scope_note(weft_scope *scope, const weft_failure *failure);
/* Whether the later @p reason of a cancellation takes the place of the one @p before. */
bool scope_outranks(int reason, int before);
/* Has @p watcher called when nothing runs in @p scope; NULL takes it away. Returns 0, or -EBUSY. */
int scope_watch(weft_scope *scope, struct scope_watcher *watcher);

/* As weft_scope_allocate; @p freed is called before the memory goes with its scope. It calls no user's code. */
void *scope_allocate(weft_scope *scope, size_t size, void (*freed)(void *memory));
/* Frees all that was allocated in @p scope, newest first. */
void scope_memory_free(weft_scope *scope);

/* Visits all that is in @p top, at whatever depth (1: directly), outer scopes before what is in them. A visit changes
 * nothing. */
typedef void scope_walk_visit(const weft_scope_member *member, unsigned depth, void *arg);
void scope_walk(const weft_scope *top, scope_walk_visit *visit, void *arg);

/* The scope that @p member is; NULL if it is something else. */
const weft_scope *scope_of_member(const weft_scope_member *member);

/* The root scope of a loop. */
weft_scope *scope_new_root(weft_loop *loop);
/* Whether the root has no members left. */
bool scope_is_empty(const weft_scope *scope);
void scope_free_root(weft_scope *scope);

#endif
