/* SPDX-License-Identifier: MIT */
/* Host names to addresses, by the system's own resolver. */
#ifndef BACKEND_NAMES_H
#define BACKEND_NAMES_H

#include <weft/address.h>

/*
 * Looks @p host up; blocks. At most @p room addresses, without a port, in the order in which they are to be tried.
 * Returns how many, at least 1; WEFT_ENONAME if there are none, WEFT_ENAMETRY if nobody knows at the moment, or another
 * negative error.
 */
int names_resolve(const char *host, weft_address *ret, size_t room);

#endif
