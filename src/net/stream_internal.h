/* SPDX-License-Identifier: MIT */
/*
 * The inside of a stream. Four files share it, one for each concern:
 *
 *   stream.c         what a user calls; the life from connected to lost
 *   stream_input.c   from the backend to `received`
 *   stream_output.c  from `write` to the backend
 *   stream_time.c    its deadlines, on one timer
 *
 * A stream's life:
 *
 *   connecting --> open --> closing --> lingering --> doomed --> lost
 *        \           \________________________________/^
 *         \___________________________________________/
 *
 * closing: what was written still goes out. lingering: our side has ended and
 * what the peer still sends is thrown away, so that the kernel does not answer
 * it with a reset that would destroy our last bytes on their way (RFC 9112
 * §9.6 describes it). doomed: the reason is known and the handle is closed;
 * `lost` is called later in the turn.
 *
 * An open stream whose connection the peer broke is BROKEN as long as something
 * that the peer had sent before is to be delivered, and then it is doomed.
 *
 * Invariants:
 *  1. `lost` is called once, from the stream's task, after everything else.
 *  2. While SENDING is set the backend owes us a `sent`; nothing else is sent.
 *  3. The memory lives until `lost` returned, the backend has let go, the last
 *     reference is gone, and the turn is over.
 */
#ifndef NET_STREAM_INTERNAL_H
#define NET_STREAM_INTERNAL_H

#include <weft/listener.h>

#include "loop/loop_internal.h"
#include "loop/scope_internal.h"

/* Time in a stream is counted in units of 2^20 ns (about a millisecond) in 32 bits: differences are right for 26 days,
 * and a stream keeps many of them. */
typedef uint32_t stream_ticks;
#define TICK_SHIFT 20
#define TICKS_NEVER UINT32_MAX
#define TICKS_MOST (UINT32_MAX / 2)

/* Limits and deadlines, shared by all streams of a listener. */
struct stream_config {
    uint32_t references;
    size_t high_water, low_water, output_limit, input_limit;
    stream_ticks connect, handshake, idle, write_stall, lifetime;
    struct backend_socket_options socket;
};

/* Input that the protocol did not consume, or that came while it was paused. */
struct stream_input {
    size_t begin, end, room;
    char data[];
};

enum {
    STREAM_CONNECTED = 1 << 0, /* `connected` was called */
    STREAM_PAUSED = 1 << 1,
    STREAM_INPUT_ENDED = 1 << 2, /* the peer will send no more */
    STREAM_END_TOLD = 1 << 3,    /* and the protocol was told */
    STREAM_DELIVER = 1 << 4,     /* the task is to deliver what waited */
    STREAM_DIRTY = 1 << 5,       /* the task is to send */
    STREAM_SENDING = 1 << 6,     /* the backend owes a `sent` */
    STREAM_OVER_HIGH = 1 << 7,   /* a write answered 1 */
    STREAM_DRAINED = 1 << 8,     /* the task is to call `drained` */
    STREAM_ENDING = 1 << 9,      /* half-close asked for */
    STREAM_SHUT = 1 << 10,       /* and done */
    STREAM_CLOSING = 1 << 11,    /* close asked for */
    STREAM_LINGERING = 1 << 12,
    STREAM_DOOMED = 1 << 13,
    STREAM_LOST = 1 << 14,
    STREAM_IN_TASK = 1 << 15,
    STREAM_HOME = 1 << 16, /* the backend has let go of the handle */
    STREAM_HAS_DEADLINE = 1 << 17,
    STREAM_CONNECTING = 1 << 18,
    STREAM_GRACEFUL = 1 << 21,    /* a scope that closes lets go out what was written */
    STREAM_DRAIN_ASKED = 1 << 19, /* `draining` was called */
    STREAM_OPEN_DUE = 1 << 20,    /* adopted: the task is to open it */
    STREAM_PAUSE_ASKED = 1 << 22, /* and PAUSED: by weft_stream_pause, so only weft_stream_resume ends it */
    STREAM_RETRY_DUE = 1 << 23,   /* an address has failed: the task is to try the next */
    STREAM_BROKEN = 1 << 24,      /* by the peer, and `reason` says how: nothing is sent, what had come is still read */
    STREAM_STARTING = 1 << 26,    /* a layer begins in the middle, or is to when what was written has gone out */
    STREAM_LAYERING = 1 << 25,    /* and CONNECTING: the transport is ready, its layers are not */
};

struct weft_stream {
    struct backend_stream io;
    weft_protocol *protocol;
    weft_loop *loop;
    uint32_t flags;
    stream_ticks active;   /* last byte in either direction */
    stream_ticks progress; /* SENDING: since when the peer has taken nothing; LINGERING: since when */
    uint32_t attempted;    /* the turn whose one attempt to send was made after `received` */
    struct loop_task task;
    weft_bytequeue output;
    struct stream_input *input;
    struct stream_config *config;
    struct connect_search *search; /* while it is connecting to a name; else NULL */
    struct stream_claim *claim;    /* what a PROXY header said (net/proxy_layer.h); NULL without one */
    struct layers *layers;         /* between it and the transport (net/layer.h); NULL without any */
    weft_scope_member member;
    weft_listener *listener; /* counts it; NULL if it was not accepted, or its listener has ended before it */
    weft_link guest;         /* among those of its listener that are in another scope */
    weft_timer_entry timer;
    stream_ticks deadline;
    uint32_t references;
    int reason;
    uint32_t lingered;    /* bytes thrown away */
    uint32_t unconfirmed; /* SENDING: what the peer had not confirmed when this was last looked at */
    weft_address peer;
    stream_ticks opened;
};

/* stream.c */
weft_stream *stream_new(weft_scope *scope, struct stream_config *config, weft_protocol *protocol, int *ret_error);
/* Frees a stream that was never opened. */
void stream_discard(weft_stream *stream);
/* An accepted or adopted stream begins. */
void stream_opened(weft_stream *stream);
/* Its layers are ready: whoever was accepted is given a protocol, and it begins. */
void stream_layered(weft_stream *stream);
/* The end is decided: the handle is closed, and `lost` will be called. Idempotent. */
void stream_doom(weft_stream *stream, int reason, bool abort);
/* The peer has broken the connection, for @p reason. Whoever still reads is to get what came before, and is told then.
 * Returns whether there is somebody who does; if not, nothing has changed. */
bool stream_break(weft_stream *stream, int reason);
/* Moves it to @p scope. What was written when that closes still goes out; what is cancelled is reset. Returns 0, or the
 * reason for which @p scope is cancelled. */
int stream_move(weft_stream *stream, weft_scope *scope);
/* Pauses it as weft_stream_pause, for as long as its protocol's buffer is full; and goes on, unless a user paused it, too. */
void stream_hold(weft_stream *stream);
void stream_go_on(weft_stream *stream);
/* Asks the protocol to finish (weft_listener_stop). */
void stream_ask_to_drain(weft_stream *stream);
void stream_schedule(weft_stream *stream);
/* connect_search.c: the addresses of a name */
/* Looks @p name up, to connect to the first of its addresses that answers. Returns 0 or an error of names_start. */
int connect_search_start(weft_stream *stream, weft_bytes name, uint16_t port);
/* An address has failed. Returns whether there is another, which the task is to try. */
bool connect_search_goes_on(weft_stream *stream, int status);
void connect_search_next(weft_stream *stream);
/* The backend has let go of the handle. Returns whether that was one of an address that failed. */
bool connect_search_home(weft_stream *stream);
/* It is connected, or not wanted any more. */
void connect_search_end(weft_stream *stream);
/* stream_config.c */
int stream_config_new(const weft_stream_options *options, const struct stream_config *base, struct stream_config **ret);
void stream_config_unref(struct stream_config *config);

/* stream_input.c */
void stream_received(struct backend_stream *io, weft_bytes bytes, int status);
void stream_deliver(weft_stream *stream);
void stream_drop_input(weft_stream *stream);
/* Puts @p bytes, which the protocol had consumed, in front of what waits. Returns 0 or WEFT_ENOMEM. */
int stream_put_back(weft_stream *stream, weft_bytes bytes);

/* stream_output.c */
void stream_sent(struct backend_stream *io, int64_t result);
void stream_flush(weft_stream *stream);
/* `received` has returned: sends what it staged, or queued of the bytes that it borrowed. What does not go out is
 * copied. */
void stream_settle(weft_stream *stream);
/* A task writes on @p stream: until it waits, what is little is gathered as in a delivery. */
void stream_stage_for_task(weft_stream *stream);
/* How much may be staged: if anything, then nothing is before it, and no mark and no limit is passed. */
size_t stream_staging_room(const weft_stream *stream);
/* What is written in the rest of this delivery is queued, behind what is staged. */
static inline void stream_stage_no_more(weft_stream *stream)
{
    if (stream->loop->borrow.stream == stream)
        stream->loop->borrow.room = 0;
}
/* Whether this turn's one attempt to send has been made. */
static inline bool stream_has_attempted(const weft_stream *stream)
{
    return stream->attempted == (uint32_t)stream->loop->turn;
}

/* stream_time.c */
static inline stream_ticks stream_now(const weft_stream *stream)
{
    return (stream_ticks)((uint64_t)stream->loop->now >> TICK_SHIFT);
}
stream_ticks stream_ticks_from(weft_time duration);
/* Sets the timer to the earliest deadline. Called when one has come nearer; one that moved away is found out when the
 * timer fires. */
void stream_arm(weft_stream *stream);
void stream_timer_fired(weft_timer_entry *entry);
/* Where sends complete later most do so at once: only if one does not is it looked at what the peer has not confirmed. */
#define STREAM_UNMEASURED (UINT32_MAX - 1)
/* What the peer has not confirmed of what was sent; UINT32_MAX if that cannot be known. */
uint32_t stream_unconfirmed(const weft_stream *stream);

/* listener.c: the stream is gone; the listener counts. */
void listener_stream_gone(weft_listener *listener, const weft_stream *stream);
/* It goes to another scope than the listener's, which goes on counting it, until its own scope ends. */
void listener_lets_go(weft_listener *listener, weft_stream *stream);

/* task_stream.c: if @p former is a task's, what that had not read goes back to its stream, which has another protocol now.
 * Returns 0 or WEFT_ENOMEM. */
int task_stream_hand_over(weft_protocol *former);

#endif
