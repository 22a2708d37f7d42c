/* SPDX-License-Identifier: MIT */
/**
 * @file
 * The whole of a small server in one call.
 */
#ifndef WEFT_SERVE_H
#define WEFT_SERVE_H

#include <weft/listener.h>

WEFT_BEGIN_DECLS

/**
 * Serves at @p url until SIGTERM or SIGINT: makes a loop, says `listening on URL` on standard error, and on the first
 * signal stops gracefully (10 s for what runs; a second signal ends at once).
 *
 * @param factory  *borrowed* until the call returns; builds a protocol for each connection
 * @return an exit status for main: 0; 1 after an error, whose story it told on standard error; 2 for a bad URL
 */
WEFT_API int weft_serve_factory(const char *url, weft_factory *factory);

/** As weft_serve_factory, with one protocol, without state of its own, for every connection. @return as above */
WEFT_API int weft_serve_protocol(const char *url, weft_protocol *protocol);

WEFT_END_DECLS

#endif
