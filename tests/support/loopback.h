/* SPDX-License-Identifier: MIT */
/**
 * @file
 * Knowing that the system has delivered what was sent within it.
 *
 * A test whose clock jumps must not jump while the kernel still carries bytes,
 * an end or a reset from one socket of this process to another. It carries
 * them in a queue of each processor, in order: so a datagram of our own, sent
 * last on the same processor, arrives behind all of them. What these call
 * forth (an acknowledgement that lets more be sent, the rest of a handshake)
 * is queued behind the datagram, so there are several of them. TCP has timers
 * besides: it is waited until all that was sent is acknowledged, and nothing is
 * left for which the peer has room.
 *
 * What a socket of the UNIX domain is sent is there when the call returns, and
 * needs none of this.
 */
#ifndef SUPPORT_LOOPBACK_H
#define SUPPORT_LOOPBACK_H

#include <sched.h>

struct support_loopback {
    int fd;
    cpu_set_t processors; /* before */
};

/** Keeps this thread on the processor that it is on, so that all it sends passes through one queue. */
void support_loopback_open(struct support_loopback *loopback);
/** Returns when what this thread has sent since the opening has been delivered. */
void support_loopback_settle(const struct support_loopback *loopback);
/** Lets the thread go where it could before. */
void support_loopback_close(struct support_loopback *loopback);

#endif
