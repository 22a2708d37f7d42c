/* SPDX-License-Identifier: MIT */
/* Folders: the slash that is missing, the index file, the listing (http_files.h). */
#include "families/http/http_files.h"

/* How much of a listing is written ahead. */
#define PAGE_PIECE (32 * 1024)

/* A relative reference would do, but some clients still want all of it; a path is enough for every one. */
static void redirect(struct visit *visit)
{
    char location[FILES_PATH + 1];
    int length = http_path_with_slash(weft_http_exchange_path(visit->exchange), location, sizeof location);
    weft_http_field fields[] = {
        {WEFT_BYTES("Location"), weft_bytes_of(location, length > 0 ? (size_t)length : 0)},
        {WEFT_BYTES("Content-Type"), WEFT_BYTES("text/plain; charset=utf-8")},
    };

    if (length < 0) {
        visit_fail(visit, 414);
        return;
    }
    visit_answered(visit, weft_http_respond(visit->exchange, 301, fields, 2,
                                            weft_bytes_from("This folder's address ends with a slash.\n")));
}

/* -- the listing -- */

/* Writes pieces until the client takes no more. What was written and what will be are of the length that was said: the
 * same entries give the same rows. */
void visit_send_page(struct visit *visit)
{
    int more, status = 0;

    do {
        visit->page.length = 0;
        more = http_listing_write_on(&visit->page, &visit->list.listing, PAGE_PIECE, &visit->page_next);
        status = more < 0
                     ? more
                     : weft_http_respond_write(visit->exchange, weft_bytes_of(visit->page.data, visit->page.length));
    } while (more > 0 && status == 0);
    http_text_release(&visit->page); /* a client may take its time */
    visit->sending_page = more > 0 && status > 0;
    if (!visit->sending_page)
        visit_answered(visit, status < 0 ? status : weft_http_respond_end(visit->exchange, NULL, 0));
}

/* Returns 0, or the status to fail with. */
static unsigned start_page(struct visit *visit)
{
    weft_http_field fields[] = {
        {WEFT_BYTES("Content-Type"), WEFT_BYTES("text/html; charset=utf-8")},
        {WEFT_BYTES("Content-Security-Policy"), weft_bytes_from(http_listing_policy)},
        {WEFT_BYTES("X-Content-Type-Options"), WEFT_BYTES("nosniff")},
        {WEFT_BYTES("Cache-Control"), WEFT_BYTES("no-cache")},
    };
    int status = weft_http_respond_start(visit->exchange, 200, fields, 4, visit->list.length);

    return status < 0 ? 503 : 0;
}

static void listed(struct http_folder_list *list, int status)
{
    struct visit *visit = weft_container_of(list, struct visit, list);
    unsigned failed;

    visit->waiting = false;
    if (!visit->exchange) {
        visit_end(visit);
        return;
    }
    failed = status < 0 ? status_of_error(status) : start_page(visit);
    if (failed)
        visit_fail(visit, failed);
    else if (weft_bytes_equal(weft_http_exchange_method(visit->exchange), weft_bytes_of("HEAD", 4)))
        visit_answered(visit, weft_http_respond_end(visit->exchange, NULL, 0));
    else
        visit_send_page(visit);
}

static void start_listing(struct visit *visit)
{
    int status;

    visit->list.listing = (struct http_listing){
        .path = visit->path.path,
        .hidden = visit->files->options.hidden,
        .order = http_listing_order_of(visit->path.query),
    };
    status = http_folder_list_start(&visit->list, weft_http_exchange_scope(visit->exchange), visit->folder,
                                    visit->files->options.listing_entries, listed);
    if (status < 0)
        visit_fail(visit, status_of_error(status));
    else if (!visit_attach(visit))
        visit->exchange = NULL; /* it ends in `listed`; the handler's exchange gets 500 */
}

/* -- index files -- */

/* The name of index file number visit->index. Returns whether there is one. */
static bool name_index(struct visit *visit)
{
    const weft_http_files_options *options = &visit->files->options;
    const char *index;
    size_t length, index_length;

    if (visit->index >= options->index_count)
        return false;
    index = options->index[visit->index];
    length = visit->path.path.length;
    index_length = strlen(index);
    if (length + 1 + index_length >= sizeof visit->name)
        return false;
    memcpy(visit->name, visit->path.path.data, length);
    if (length > 0)
        visit->name[length++] = '/';
    memcpy(visit->name + length, index, index_length);
    visit->base_length = length + index_length;
    return true;
}

static void index_or_listing(struct visit *visit)
{
    if (name_index(visit))
        visit_open(visit);
    else if (visit->files->options.no_listing)
        visit_fail(visit, 404);
    else
        start_listing(visit);
}

void visit_next_index(struct visit *visit)
{
    visit->index++;
    index_or_listing(visit);
}

void visit_folder(struct visit *visit, weft_file *file)
{
    if (!visit->path.directory) {
        weft_file_unref(file);
        redirect(visit);
        return;
    }
    visit->folder = file;
    index_or_listing(visit);
}
