/* SPDX-License-Identifier: MIT */
/*
 * Happy Eyeballs, version 2 (RFC 8305): which address of a name to try, and when to try the next one as well.
 *
 * It makes no connection and has no clock. Whoever has both tells it what came of the questions and of the attempts, and
 * asks it what to do:
 *
 *                addresses of the preferred family, or both answers, or the resolution delay
 *   ┌─ RESOLVING ─────────────────────────────────────────────────────────────────────────▶ TRYING ─┐
 *   │                                                                                        │  ▲   │ connected
 *   │ both answers, no address                          the delay, or the last attempt failed └──┘   ▼
 *   └─────────────────────────────────────────────────▶ OVER ◀────────────────────────────────────────
 *                                                          all failed, and none is left
 *
 * 1. An address is tried once. Families take turns, the preferred one first (§4), also for addresses that come late (§3).
 * 2. Between two attempts there is the attempt delay, unless all that were begun have failed (§5).
 * 3. At most `concurrent` attempts run at once.
 */
#ifndef NET_EYEBALLS_H
#define NET_EYEBALLS_H

#include <weft/address.h>
#include <weft/time.h>

#define EYEBALLS_MOST 32 /* addresses of each family; what is more is left out */

/* In all of them 0 means the default. */
struct eyeballs_options {
    weft_time resolution_delay; /* 50 ms: so long the preferred family's answer is waited for (§3) */
    weft_time attempt_delay;    /* 250 ms; held between 10 ms and 2 s (§5, §8) */
    unsigned concurrent;        /* 8 */
    unsigned first_count;       /* 1: addresses of the preferred family before families take turns (§4) */
    bool prefer_ipv4;
};

enum eyeballs_step {
    EYEBALLS_WAIT, /* until a time, or until there is something to tell it */
    EYEBALLS_TRY,  /* begin with an address */
    EYEBALLS_OVER  /* nothing more will come: connected, or nothing is left */
};

/* Addresses of a family that were not tried yet. */
struct eyeballs_queue {
    weft_address addresses[EYEBALLS_MOST];
    unsigned count, next;
    bool answered;
};

/* Its memory is the caller's, its fields are private. */
struct eyeballs {
    struct eyeballs_options options;
    struct eyeballs_queue queues[2]; /* the preferred family's, the other's */
    weft_time resolved;              /* when the other family's answer came; WEFT_NEVER */
    weft_time next_attempt;          /* not before, unless nothing runs */
    unsigned running;
    unsigned preferred_begun;
    unsigned turn; /* whose family's turn it is */
    bool trying, connected;
};

/* @param options  copied; NULL for the defaults */
void eyeballs_init(struct eyeballs *eyeballs, const struct eyeballs_options *options);
/*
 * Says what came of a question.
 * @param family     WEFT_ADDRESS_IPV6 for AAAA, WEFT_ADDRESS_IPV4 for A
 * @param addresses  of that family, sorted (RFC 6724); copied. None: it was answered that there are none, or it failed
 */
void eyeballs_answered(struct eyeballs *eyeballs, weft_time now, weft_address_family family,
                       const weft_address *addresses, size_t count);
/* Says that an attempt failed. */
void eyeballs_failed(struct eyeballs *eyeballs);
/* Says that an attempt succeeded: all others are to be given up. */
void eyeballs_connected(struct eyeballs *eyeballs);
/*
 * What to do now.
 * @param ret_address  set if it is EYEBALLS_TRY: the attempt counts as begun; ask again
 * @param ret_until    set if it is EYEBALLS_WAIT: ask again then, or after telling something; perhaps WEFT_NEVER
 */
enum eyeballs_step eyeballs_next(struct eyeballs *eyeballs, weft_time now, weft_address *ret_address,
                                 weft_time *ret_until);

#endif
