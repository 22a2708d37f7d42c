/* SPDX-License-Identifier: MIT */
/* Host names to addresses, by the system's own resolver. */
#ifndef BACKEND_NAMES_H
#define BACKEND_NAMES_H

#include <weft/address.h>
#include <weft/work.h>

/* Of one name that are tried at most. */
#define NAMES_MOST 16
/* The longest name (RFC 1035 §2.3.4, as text). */
#define NAMES_LENGTH 253

/*
 * Looks @p host up; blocks. At most @p room addresses, without a port, in the order in which they are to be tried.
 * Returns how many, at least 1; WEFT_ENONAME if there are none, WEFT_ENAMETRY if nobody knows at the moment, or another
 * negative error.
 */
int names_resolve(const char *host, weft_address *ret, size_t room);

/* A name that is being looked up, for a loop, which owns it. */
struct name_query {
    weft_work work; /* `next`; the rest is the simulator's */
    bool pending;   /* `finished` is still to be called; name_threads.c's */
    char host[NAMES_LENGTH + 1];
    int result; /* as of names_resolve */
    weft_address addresses[NAMES_MOST];
    /* Called once `result` is known, perhaps on another thread: it may only post. */
    void (*finished)(struct name_query *query);
};

/*
 * name_threads.c: looking up by threads that belong to the process, since nothing can interrupt the resolver and nobody
 * shall wait for it.
 */
/* Returns 0 and `finished` follows; or -EAGAIN if there is no thread to be had, WEFT_ENOMEM. */
int name_threads_submit(struct name_query *query);
/* Gives @p query up, however far it is. From then on no thread uses it, nor what `finished` did.
 * Returns whether `finished` was not called, and will not be. */
bool name_threads_cancel(struct name_query *query);

#endif
