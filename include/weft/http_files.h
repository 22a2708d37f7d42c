/* SPDX-License-Identifier: MIT */
/**
 * @file
 * A handler that serves the files of a folder: GET and HEAD, ranges,
 * conditional requests, index files, listings, precompressed siblings.
 *
 * Nothing outside the folder can be reached, by name or by symbolic link. A
 * file that changes while it is sent ends in an aborted connection, never in
 * a wrong length.
 */
#ifndef WEFT_HTTP_FILES_H
#define WEFT_HTTP_FILES_H

#include <weft/http.h>

WEFT_BEGIN_DECLS

/** The handler of one folder; whoever made it frees it. */
typedef struct weft_http_files weft_http_files;

/** What a folder's handler does. Zero means the default. */
typedef struct weft_http_files_options {
    size_t size;              /**< sizeof(weft_http_files_options) */
    const char *const *index; /**< names tried for a folder, in order, *until* the handler is freed
                                    (default "index.html") */
    size_t index_count;       /**< of them; with names NULL and this 0: the default */
    bool no_listing;          /**< a folder without an index file is 404 (default: it is listed) */
    bool hidden;              /**< serve and list names that begin with a dot (default: 404) */
    bool no_precompressed;    /**< do not look for FILE.br, FILE.zst and FILE.gz (default: look, if the client takes
                                    them) */
    size_t listing_entries;   /**< that a listing shows at most (default 10,000) */
    void (*record)(void *arg, const weft_http_record *record); /**< an access log, may be NULL */
    void *record_arg;                                          /**< passed to record */
} weft_http_files_options;

/**
 * Makes a handler for the files beneath @p directory.
 * @param directory  a reference is taken
 * @param options    *borrowed*, may be NULL
 * @param[out] ret_files  *returned*, the caller frees it after the server that uses it
 * @return 0 or WEFT_ENOMEM; -EINVAL or -E2BIG for options of no size, or with something that this version does not know
 */
WEFT_API WEFT_NODISCARD int weft_http_files_new(weft_directory *directory, const weft_http_files_options *options,
                                                weft_http_files **ret_files);
/** Frees it. NULL does nothing. */
WEFT_API void weft_http_files_free(weft_http_files *files);
/** The handler, for weft_http_server_new. @return *borrowed*, *until* it is freed */
WEFT_API weft_http_handler *weft_http_files_handler(weft_http_files *files);

WEFT_END_DECLS

#endif
