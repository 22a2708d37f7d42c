/* SPDX-License-Identifier: MIT */
/*
 * The protocol of a stream that a task reads and writes.
 *
 * It keeps what arrives in a buffer of its own, which exists only while there
 * is something in it. Bytes that were lent to the reader stay where they are
 * until it reads again; what arrives meanwhile waits in the stream, paused.
 *
 * It belongs to the scope of whoever uses it and keeps a reference to the
 * stream: so the task may ask about a stream that was lost long ago.
 */
#ifndef NET_TASK_STREAM_H
#define NET_TASK_STREAM_H

#include <weft/task_stream.h>

#include "async/task_internal.h"
#include "net/stream_internal.h"

struct task_stream {
    weft_protocol protocol;
    weft_scope_member member;
    weft_stream *stream;
    char *data;
    size_t room, begin, end;
    size_t lent;                /* bytes from `begin` that the reader has, and gives back with its next read */
    size_t limit;               /* of what is kept unread */
    size_t left;                /* handed over inside `received`: bytes at the end of `in` that it did not read */
    weft_task *reader, *writer; /* who waits */
    weft_task *life;            /* who waits for the beginning or the end */
    int reason;                 /* why it was lost; 0 before */
    bool connected, ended, paused;
    bool starved;   /* since the reader waits something came for which there was no memory: it is still the stream's */
    bool direct;    /* `data` is the loop's, inside `received` */
    bool whole;     /* `data` was the loop's, and is as large */
    bool draining;  /* the listener stops */
    bool full;      /* above the high-water mark */
    bool orphan;    /* no scope wants it any more */
    unsigned waits; /* how many of the three wait, or have still to go on */
    struct loop_task reap;
    weft_link link;                               /* among those that wait for weft_accept */
    void (*on_connected)(struct task_stream *io); /* or NULL */
    void (*on_lost)(struct task_stream *io);      /* or NULL */
    void *owner;
};

/* Makes one that belongs to no scope yet. NULL if memory is short. */
struct task_stream *task_stream_new(void);
/* Frees one on which no stream ever spoke. */
void task_stream_discard(struct task_stream *io);
/* Binds it to @p stream, which it refers to from now on. */
void task_stream_bind(struct task_stream *io, weft_stream *stream);
/* Lets it belong to @p scope: when that ends, so does the stream, gracefully if the scope just closes. */
int task_stream_join(struct task_stream *io, weft_scope *scope);
/* Nothing of its data is needed any more. */
void task_stream_drop_data(struct task_stream *io);
/* Moves what is unread of a buffer that was the loop's to one of its own size, if it is little. Nothing is lent. Returns
 * whether it has. */
bool task_stream_shrink(struct task_stream *io);
/* Nobody wants it any more: the stream is closed, and it frees itself when that is lost. */
void task_stream_orphan(struct task_stream *io);
/* That of @p stream; NULL if it has another protocol. */
struct task_stream *task_stream_of(weft_stream *stream);
/* Moves it from the scope that it is in to @p scope; if that fails, it stays. */
int task_stream_move(struct task_stream *io, weft_scope *scope);
/* Waits in @p slot for @p what. Returns 0 after a wake-up, which may have come for any reason; -EBUSY; or why the task
 * must not wait. */
int task_stream_wait(struct task_stream *io, weft_task *task, weft_task **slot, const char *what, weft_place place);

#endif
