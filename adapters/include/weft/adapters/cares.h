/* SPDX-License-Identifier: MIT */
/**
 * @file
 * c-ares on a loop: names looked up by DNS, without a thread. Link weft-cares.
 */
#ifndef WEFT_ADAPTERS_CARES_H
#define WEFT_ADAPTERS_CARES_H

#include <ares.h>

#include <weft/deferred.h>

WEFT_BEGIN_DECLS

/** An ares_channel on a loop. */
typedef struct weft_cares weft_cares;

/** Addresses: what ares_freeaddrinfo takes. */
WEFT_DEFERRED(weft_cares_result, struct ares_addrinfo *);

/**
 * Makes a channel that the loop of @p scope drives. c-ares reads /etc/resolv.conf there and then, and /etc/hosts for
 * each name, unless @p options say otherwise (`resolvconf_path`, `lookups` "b"); a program that wants ares_library_init
 * calls it before.
 *
 * When @p scope is cancelled or closed, what was asked with weft_cares_addresses is cancelled, and what was asked of
 * the channel itself stands still; nothing more can be asked, and when it is gone only weft_cares_free may be called.
 * @param options  *borrowed*, may be NULL; what c-ares takes, but for the function that is told of its sockets
 * @param mask  which of them are given, as ares_init_options has it
 * @param[out] ret_cares  *returned*, the caller frees it with weft_cares_free, before the loop is freed
 * @return 0; WEFT_ENOMEM; -EINVAL if c-ares refuses @p options, or cannot read its files; the reason if @p scope is
 *         cancelled
 */
WEFT_API WEFT_NODISCARD int weft_cares_new(weft_scope *scope, const struct ares_options *options, int mask,
                                           weft_cares **ret_cares);
/** Gives up what is still asked (ARES_EDESTRUCTION, which is WEFT_ECANCELED) and frees it. At any time, also in a
 *  callback of a deferred; but not in a callback that c-ares itself was given. NULL does nothing. */
WEFT_API void weft_cares_free(weft_cares *cares);
/** The channel, for everything else that c-ares can do: ares_set_servers, ares_query, ares_cancel; but
 *  ares_set_socket_callback is taken. @return *until* weft_cares_free */
WEFT_API ares_channel weft_cares_channel(weft_cares *cares);

/**
 * The addresses of @p name. Cancelling the deferred drops the answer; c-ares can only be made to stop asking for all
 * names at once, with ares_cancel, and then all have failed with WEFT_ECANCELED.
 * @param name,service  *borrowed*; @p service may be NULL
 * @param hints  *borrowed*, may be NULL: addresses of both kinds, sorted
 * @return a deferred, which may have fired already; its value is *returned*: ares_freeaddrinfo. It fails with an error
 *         of weft_cares_error, whose story has the words of c-ares
 */
WEFT_API weft_cares_result weft_cares_addresses(weft_cares *cares, const char *name, const char *service,
                                                const struct ares_addrinfo_hints *hints);

/** An ARES_ status as an error: WEFT_ENONAME if there is no such name, or nothing of the wanted kind; WEFT_ENAMETRY if
 *  no server gave an answer that can be used; WEFT_ENAMETIME; WEFT_ECANCELED; WEFT_ENOMEM; -EINVAL for what was asked
 *  wrongly. @return 0 for ARES_SUCCESS */
WEFT_API int weft_cares_error(int status);

WEFT_END_DECLS

#endif
