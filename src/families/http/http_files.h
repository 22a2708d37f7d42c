/* SPDX-License-Identifier: MIT */
/*
 * Serving files. Three files share this:
 *
 *   http_files.c         from the request to an open file
 *   http_files_send.c    from an open file to the response
 *   http_files_folder.c  folders: redirect, index file, listing
 *
 * A request is a `visit`, which opens one name after the other (a compressed
 * sibling, the file; for a folder its index files) until it knows what to
 * answer. Opening is usually done at once, and then the visit ends inside the
 * handler; only when it has to wait for the disk does it attach itself to the
 * exchange.
 */
#ifndef FAMILIES_HTTP_FILES_H
#define FAMILIES_HTTP_FILES_H

#include <weft/file_open.h>
#include <weft/http_files.h>

#include "families/http/http_accept_encoding.h"
#include "families/http/http_conditional.h"
#include "families/http/http_files_cache.h"
#include "families/http/http_folder_list.h"
#include "families/http/http_path.h"
#include "families/http/http_text.h"

#define FILES_PATH 4096

struct weft_http_files {
    weft_http_handler handler;
    size_t references; /* the user's, and one for each visit: one may outlive the server */
    weft_directory *directory;
    weft_http_files_options options;
    struct http_files_cache cache;
    weft_timer expiry; /* of the cache; belongs to the loop's root, once there is something to expire */
    weft_loop *loop;   /* whose files are kept, which may be gone; NULL before anything was */
    struct visit *free_visits;
};

struct visit {
    weft_http_responder responder;
    weft_http_files *files;
    weft_http_exchange *exchange; /* NULL when the client is gone */
    weft_file_open open;
    struct http_folder_list list;
    weft_file *folder;
    struct http_path path;
    struct http_accept_encoding accept;
    weft_bytes content;      /* of the file that is being sent, if the cache has it */
    unsigned codings;        /* still to be tried: bits 1 << enum http_coding */
    enum http_coding coding; /* that is being opened */
    size_t index;            /* the index file that is being opened, of a folder */
    size_t base_length;      /* of the name without a coding's suffix */
    struct http_text page;   /* the next piece of a folder's listing */
    size_t page_next;        /* and where to go on after it */
    bool attached, waiting, sending_page;
    struct visit *next_free;
    char name[FILES_PATH]; /* that is being opened, below the root */
    char decoded[FILES_PATH];
};

/* http_files.c */
/* Opens visit->name, of which base_length bytes are set, in the codings that the client takes. */
void visit_open(struct visit *visit);
/* Answers with a page of our own. */
void visit_fail(struct visit *visit, unsigned status);
/* The visit is over: the client has its response, or is gone. */
void visit_end(struct visit *visit);
/* The same, with what responding came to: after an error the connection is aborted. */
void visit_answered(struct visit *visit, int status);
/* The visit has to wait: it stays with the exchange. Returns false, and the visit is over, if it cannot. */
bool visit_attach(struct visit *visit);
unsigned status_of_error(int error);

/* http_files_send.c */
/* Answers with @file (taken). */
void visit_send(struct visit *visit, weft_file *file);

/* http_files_folder.c */
/* Answers for the folder @file (taken). */
void visit_folder(struct visit *visit, weft_file *file);
/* There is room for more of the listing. */
void visit_send_page(struct visit *visit);
/* The index file that was being opened is not there: the next one, or the listing. */
void visit_next_index(struct visit *visit);

#endif
