/* SPDX-License-Identifier: MIT */
/**
 * @file
 * Schemes of your own for endpoints: a name for places that you find out.
 *
 * A scheme says what a URL stands for, as another URL: "service://mail" may be "tcp://192.0.2.7:25", a serial line that
 * it has opened "fd://9", and what it carries itself "mem://name", at which it listens. Layers go before it as before
 * the others: "tls+service://mail" is then "tls+tcp://192.0.2.7:25".
 *
 * It belongs to one loop, as everything does: there are no global ones.
 */
#ifndef WEFT_SCHEME_H
#define WEFT_SCHEME_H

#include <weft/list.h>
#include <weft/listener.h>

WEFT_BEGIN_DECLS

/** A scheme: embedded in a struct of yours. */
typedef struct weft_scheme weft_scheme;

/** What a scheme is. */
typedef struct weft_scheme_ops {
    const char *name; /**< small letters, digits, `-` and `.`, a letter first, at most 31 */
    /**
     * Writes the URL that @p url stands for, with a NUL, into @p buffer of @p room bytes. It is called inside
     * weft_listen and weft_stream_connect, and must do nothing but find that out, without waiting.
     * @p url is the URL from the scheme on, without the layers before it and with its options.
     * @return 0; or a negative error, which whoever asked gets: with WEFT_EURL *ret_error says what is wrong, at an
     *         offset from the begin of @p url
     */
    int (*translate)(weft_scheme *scheme, const char *url, char *buffer, size_t room, weft_url_error *ret_error);
} weft_scheme_ops;

/** The base that a scheme embeds; set `ops`, and leave the rest zero. */
struct weft_scheme {
    const weft_scheme_ops *ops;
    weft_link link; /**< Weft's */
};

/**
 * Adds @p scheme to those that endpoints on @p loop may have.
 * @param scheme  *borrowed* until weft_scheme_remove or the loop's end
 * @return 0; -EINVAL for a name that is none; -EEXIST if there is one of that name; WEFT_ENOMEM
 */
WEFT_API WEFT_NODISCARD int weft_scheme_add(weft_loop *loop, weft_scheme *scheme);
/** Takes it away. What listens or is connected already stays so. One that was not added does nothing. */
WEFT_API void weft_scheme_remove(weft_scheme *scheme);

WEFT_END_DECLS

#endif
