/* SPDX-License-Identifier: MIT */
/*
 * The inside of a listener. Two files share it: listener.c its life,
 * listener_accept.c from an accepted connection to a protocol that speaks on
 * it, within the limits.
 *
 * A listener's streams live in a scope of its own inside the user's, so that
 * stopping can leave them, and closing the user's scope ends both. One that a
 * task has accepted is a guest: it lives in the scope that was given for it,
 * but counts, is asked to finish, and ends with the grace time, as the others.
 * When the listener's scope ends, that is no business of its guests any more.
 *
 *   listening --> stopping (streams are asked to finish) --> stopped
 *       ^ |
 *       | v
 *     resting (no descriptor to be had, or as many connections as allowed)
 *
 * A listener that stops keeps its socket until it has taken those that the
 * system has accepted for it already: closing would reset them. It takes them
 * one by one, from its task, within its limits and its backlog's size.
 *
 * Invariants:
 *  1. A connection holds a place of the shared limit, if there is one, from
 *     before it is accepted until its stream is gone.
 *  2. While `waits` is set the shared limit knows the waiter, or its post is
 *     under way; the memory is not freed before that has run.
 *  3. `stopped` is called once, when the socket is closed and the last stream
 *     is gone.
 */
#ifndef NET_LISTENER_INTERNAL_H
#define NET_LISTENER_INTERNAL_H

#include <weft/listener.h>

#include "net/address_count.h"
#include "net/connection_limit.h"
#include "net/layer.h"
#include "net/stream_internal.h"

#define UNIX_PATH_MOST 108

struct weft_listener {
    struct backend_listener io;
    weft_loop *loop;
    weft_factory *factory;
    weft_scope_member member;
    weft_scope *streams;
    weft_link guests; /* streams that are in other scopes */
    struct stream_config *config;
    struct loop_task task;
    weft_timer_entry timer; /* rests until, or grace ends */
    weft_time grace_ends;
    weft_stream *adopted; /* a connection that existed before, not yet opened */
    size_t connections, most;
    size_t backlog; /* how many it takes at most after it was stopped */
    size_t drained, aborted;
    struct layer_maker *layers; /* of each connection, from the bottom; or NULL */
    struct address_count addresses;
    weft_connection_limit *shared; /* or NULL */
    struct limit_waiter waiter;
    weft_counter accepted_count, refused_count, exhausted_count;
    bool open;   /* the socket is */
    bool single; /* one adopted connection, no socket that listens */
    bool stopping, asked, resting, ended;
    bool waits; /* for a place of the shared limit */
    weft_address local;
    int adopted_fd; /* fd://: the number that it had; else -1 */
    char path[UNIX_PATH_MOST];
};

static inline struct backend *listener_backend(const weft_listener *listener)
{
    return listener->loop->backend;
}

/* -- listener_accept.c -- */

extern const struct backend_listener_events listener_events;
/* Accepts if the limits allow it and nothing speaks against it, else stops accepting. */
void listener_accept_if_allowed(weft_listener *listener);
/* A connection begins: with its layers, if it is to have any. */
void listener_begins(weft_listener *listener, weft_stream *stream);
/* A connection to which its factory gives a protocol. */
void listener_opened(weft_listener *listener, weft_stream *stream);
/* A connection is gone, or came to nothing. */
void listener_forget(weft_listener *listener, const weft_stream *stream);
/* Takes what waits in the backlog of a listener that is stopping. Returns whether there is nothing left to be taken:
 * if not, the task is to call it again, or will be queued when there is room. */
bool listener_take_backlog(weft_listener *listener);
/* The post of its waiter. */
void listener_was_told(weft_post *post);
/* The timer's, while it rests. */
void listener_rested(weft_listener *listener);

/* -- listener.c -- */

/* Nothing can refer to it any more: it is freed at the end of the turn. */
void listener_reap(weft_listener *listener);

#endif
