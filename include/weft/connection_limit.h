/* SPDX-License-Identifier: MIT */
/**
 * @file
 * One limit on connections for several listeners, on one loop or on many: what a process may have in all.
 *
 * At the limit the listeners that share it stop accepting, and who connects waits in their backlogs; when a connection
 * ends on any of the loops, those that had to wait go on. All functions may be called from any thread.
 */
#ifndef WEFT_CONNECTION_LIMIT_H
#define WEFT_CONNECTION_LIMIT_H

#include <weft/api.h>

WEFT_BEGIN_DECLS

/** A count of connections and its limit; shared, freed with the last reference. */
typedef struct weft_connection_limit weft_connection_limit;

/** How many connections there may be. Zero means the default. */
typedef struct weft_connection_limit_options {
    size_t size;        /**< sizeof(weft_connection_limit_options) */
    size_t connections; /**< at once, of all listeners that share the limit (default 10,000) */
    size_t per_address; /**< from one IPv4 address or IPv6 /64 (default WEFT_UNLIMITED); more are reset */
} weft_connection_limit_options;

/**
 * Makes a limit, to be named in weft_listen_options.
 * @param options  *borrowed*, may be NULL
 * @param[out] ret_limit  *returned*, with one reference, which the caller gives back with weft_connection_limit_unref
 * @return 0; WEFT_ENOMEM; -EINVAL if @p options has no size, -E2BIG if it asks for what this version does not know
 */
WEFT_API WEFT_NODISCARD int weft_connection_limit_new(const weft_connection_limit_options *options,
                                                      weft_connection_limit **ret_limit);

/** One reference more. @return @p limit */
WEFT_API weft_connection_limit *weft_connection_limit_ref(weft_connection_limit *limit);
/** One reference less; each listener holds one of its own. NULL does nothing. */
WEFT_API void weft_connection_limit_unref(weft_connection_limit *limit);

/** How many connections count against it now. */
WEFT_API size_t weft_connection_limit_connections(const weft_connection_limit *limit);

WEFT_END_DECLS

#endif
