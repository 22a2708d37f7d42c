/* SPDX-License-Identifier: MIT */
/*
 * What a folder's listing shows: read, chosen, sorted and measured by the job
 * pool, so that the loop has only to write the page, piece by piece.
 */
#ifndef FAMILIES_HTTP_FOLDER_LIST_H
#define FAMILIES_HTTP_FOLDER_LIST_H

#include <weft/file.h>
#include <weft/job.h>

#include "families/http/http_listing.h"

struct http_folder_list {
    weft_job job;
    weft_file *folder;
    size_t limit;
    struct http_listing listing; /* path, hidden and order are the caller's; the rest is found out */
    uint64_t length;             /* of the page */
    int status;
    void (*done)(struct http_folder_list *list, int status);
};

/*
 * Lists at most @limit entries of @folder (borrowed until `done`); list->listing has its path, hidden and order, and
 * nothing else is set. Returns 0, and @done will be called once, from the loop; or an error, and it will not.
 */
int http_folder_list_start(struct http_folder_list *list, weft_scope *scope, weft_file *folder, size_t limit,
                           void (*done)(struct http_folder_list *list, int status));

/* Frees the entries. Harmless if there are none. */
void http_folder_list_fini(struct http_folder_list *list);

#endif
