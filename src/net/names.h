/* SPDX-License-Identifier: MIT */
/*
 * Host names for whoever connects: numeric addresses and localhost at once,
 * all others by the system's resolver, on threads that nobody waits for.
 */
#ifndef NET_NAMES_H
#define NET_NAMES_H

#include <weft/address.h>
#include <weft/scope.h>

#include "backend/names.h"

/*
 * What needs no looking up: a numeric address, IPv6 with or without brackets, and localhost with what ends in
 * .localhost, which is this host whatever a resolver says (RFC 6761 §6.3).
 * Returns how many addresses, without a port, were put into @p ret (of NAMES_MOST): 0 if the name must be looked up.
 */
size_t names_at_once(weft_bytes host, weft_address *ret);

/* A name that is being looked up. */
struct names_lookup;

/*
 * Looks @p host up.
 * @p done is called once, from the loop, with the addresses (*borrowed* during the call) or an error: the reason, if
 * @p scope is cancelled, which does not wait for the system's resolver. Not after names_forget.
 * Of all loops together 16 names are looked up at once, in their order; one that is given up before it began never does.
 * Returns 0; WEFT_ENONAME for what can be no name; WEFT_ENOMEM; -EAGAIN if no thread can be made; the reason if @p scope
 * is cancelled.
 */
int names_start(weft_scope *scope, weft_bytes host,
                void (*done)(void *arg, int status, const weft_address *addresses, size_t count), void *arg,
                struct names_lookup **ret);
/* @p done is not called any more. */
void names_forget(struct names_lookup *lookup);

#endif
