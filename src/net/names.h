/* SPDX-License-Identifier: MIT */
/*
 * Host names for whoever connects: numeric addresses and localhost at once,
 * all others by the system's resolver on the job pool.
 */
#ifndef NET_NAMES_H
#define NET_NAMES_H

#include <weft/address.h>
#include <weft/scope.h>

/* Of one name that are tried at most. */
#define NAMES_MOST 16
/* The longest name (RFC 1035 §2.3.4, as text). */
#define NAMES_LENGTH 253

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
 * @p done is called once, from the loop, with the addresses (*borrowed* during the call) or an error; not after
 * names_forget. The scope waits for the system's resolver, which cannot be interrupted.
 * Returns 0; WEFT_ENONAME for what can be no name; WEFT_ENOMEM; an error as weft_job_start.
 */
int names_start(weft_scope *scope, weft_bytes host,
                void (*done)(void *arg, int status, const weft_address *addresses, size_t count), void *arg,
                struct names_lookup **ret);
/* @p done is not called any more. */
void names_forget(struct names_lookup *lookup);

#endif
