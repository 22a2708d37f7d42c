/* SPDX-License-Identifier: MIT */
/*
 * What listeners do with a limit that they share (weft/connection_limit.h).
 *
 * To take and to give back a place is one atomic operation each. Only a
 * listener that finds none takes the lock, to be told of the next one: all
 * that wait are told, each on its loop, because one alone may turn out to
 * have nobody in its backlog any more, and the place would stay free.
 */
#ifndef NET_CONNECTION_LIMIT_H
#define NET_CONNECTION_LIMIT_H

#include <weft/address.h>
#include <weft/connection_limit.h>
#include <weft/list.h>
#include <weft/loop.h>

#include "base/siphash.h"

/* A listener that waits for a place; embedded in it. Its `post` is run on `loop` when it is worth trying again. */
struct limit_waiter {
    weft_link link;
    weft_loop *loop;
    weft_post post;
    bool posted; /* and not run yet */
};

/* The listener's loop gives the secret for the count of addresses; the first one's is taken. */
void limit_join(weft_connection_limit *limit, struct limit_waiter *waiter, const uint8_t secret[SIPHASH_KEY_SIZE]);
/* Takes a place, if there is one. */
bool limit_take(weft_connection_limit *limit);
/* Gives one back. */
void limit_give(weft_connection_limit *limit);
/* Has @p waiter's post run when a place is given back. False if there is one now: then nothing was begun. */
bool limit_wait(weft_connection_limit *limit, struct limit_waiter *waiter);
/* The first thing that the post does. */
void limit_was_told(weft_connection_limit *limit, struct limit_waiter *waiter);
/* Waits no more. Returns whether the post is still to run: until then the waiter's memory is needed. */
bool limit_leave(weft_connection_limit *limit, struct limit_waiter *waiter);

/* Whether one more from @p peer is allowed; if so, it is counted. */
bool limit_enter_address(weft_connection_limit *limit, const weft_address *peer);
void limit_leave_address(weft_connection_limit *limit, const weft_address *peer);

#endif
