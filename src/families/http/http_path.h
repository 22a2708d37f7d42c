/* SPDX-License-Identifier: MIT */
/*
 * From a request's target to the name of a file under a root, without looking
 * at any file. It is the first of two locks: the second is the kernel's
 * (openat2 with RESOLVE_BENEATH), which also sees symbolic links.
 *
 * The path is percent-decoded once, and then it either names something below
 * the root in the one plain way, or it is refused. Nothing is repaired: two
 * parties that repair differently are how files escape.
 *
 *   400  what is no path of a URI, or no text: a bad percent-encoding, control
 *        bytes (encoded or not), bytes that are not UTF-8 (overlong forms
 *        too), a raw backslash, space, `"`, `#`, `<`, `>` or byte >= 0x80
 *   404  what is a path, but cannot name a file here: "." and ".." (clients
 *        remove these before they send, RFC 3986 §5.2.4; encoded or not), an
 *        empty segment ("//"), an encoded slash or backslash, and, unless asked
 *        for, a segment that begins with a dot
 *   414  what does not fit the buffer
 */
#ifndef FAMILIES_HTTP_PATH_H
#define FAMILIES_HTTP_PATH_H

#include <weft/bytes.h>

enum http_path_result { HTTP_PATH_OK = 0, HTTP_PATH_BAD = 400, HTTP_PATH_NOT_FOUND = 404, HTTP_PATH_TOO_LONG = 414 };

struct http_path {
    weft_bytes path;  /* relative to the root, no slash at either end, followed by a NUL; empty for the root */
    bool directory;   /* the target's path ended with a slash, as the root's always does */
    weft_bytes query; /* as it came, without its "?"; borrowed from the target */
};

/*
 * Resolves @target, which is the path and query of a request ("/a%20b?c"; empty or only a query means "/").
 *
 * @hidden  names that begin with a dot are wanted, too
 * @buffer  @size bytes, at least one, which @ret's path lies in
 * @ret     set on HTTP_PATH_OK only
 */
enum http_path_result http_path_resolve(weft_bytes target, bool hidden, char *buffer, size_t size,
                                        struct http_path *ret);

/* Whether a file called @name can be reached by http_path_resolve: if not, a listing needs no link to it. */
bool http_path_is_reachable(weft_bytes name, bool hidden);

/*
 * Writes what Location says for a folder that was asked for without its slash: @target with a slash before the query.
 * The target must have passed http_path_resolve, so that it cannot begin with "//", which would be another host.
 *
 * Returns the number of bytes, or -ENOSPC.
 */
int http_path_with_slash(weft_bytes target, char *out, size_t room);

#endif
