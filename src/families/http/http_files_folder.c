/* SPDX-License-Identifier: MIT */
/* Folders: the slash that is missing, the index file, the listing (http_files.h). */
#include "families/http/http_files.h"

#include <weft/memory.h>

#include "families/http/http_listing.h"

/* What of a listing is handed over at a time. */
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

/* Makes of what the folder holds what the page shows. Returns how many there are. */
static size_t select_entries(const struct visit *visit, struct http_listing_entry *entries)
{
    size_t count = 0;

    for (size_t i = 0; i < visit->list.count; i++) {
        const weft_file_entry *found = &visit->list.entries[i];

        if (found->info.kind == WEFT_FILE_OTHER || (!visit->files->options.hidden && found->name.data[0] == '.'))
            continue;
        entries[count++] = (struct http_listing_entry){
            .name = found->name,
            .is_directory = found->info.kind == WEFT_FILE_DIRECTORY,
            .size = found->info.length,
            .modified = found->info.modified / WEFT_SECONDS(1),
        };
    }
    return count;
}

static int write_listing(const struct visit *visit, struct http_text *page)
{
    struct http_listing_entry *entries =
        weft_allocate_zeroed(visit->list.count ? visit->list.count : 1, sizeof *entries);
    struct http_listing listing = {
        .path = visit->path.path,
        .entries = entries,
        .left_out = visit->list.truncated,
        .hidden = visit->files->options.hidden,
        .order = http_listing_order_of(visit->path.query),
    };
    int status;

    if (!entries)
        return WEFT_ENOMEM;
    listing.count = select_entries(visit, entries);
    http_listing_sort(&listing);
    status = http_listing_write(page, &listing);
    weft_release(entries);
    return status;
}

/* A listing may be longer than a stream may queue: it goes out as the client takes it. */
void visit_send_page(struct visit *visit)
{
    weft_bytes left = weft_bytes_of(visit->page.data + visit->page_sent, visit->page.length - visit->page_sent);
    int status = 0;

    while (left.length > 0 && status == 0) {
        weft_bytes piece = weft_bytes_first(left, PAGE_PIECE);

        status = weft_http_respond_write(visit->exchange, piece);
        left = weft_bytes_skip(left, piece.length);
    }
    visit->page_sent = visit->page.length - left.length;
    if (status >= 0 && left.length > 0)
        return;
    visit_answered(visit, status < 0 ? status : weft_http_respond_end(visit->exchange, NULL, 0));
}

/* Returns 0, or the status to fail with. */
static unsigned respond_listing(struct visit *visit)
{
    weft_http_field fields[] = {
        {WEFT_BYTES("Content-Type"), WEFT_BYTES("text/html; charset=utf-8")},
        {WEFT_BYTES("Content-Security-Policy"), weft_bytes_from(http_listing_policy)},
        {WEFT_BYTES("X-Content-Type-Options"), WEFT_BYTES("nosniff")},
        {WEFT_BYTES("Cache-Control"), WEFT_BYTES("no-cache")},
    };
    int status = write_listing(visit, &visit->page);

    if (status == 0)
        status = weft_http_respond_start(visit->exchange, 200, fields, 4, visit->page.length);
    return status < 0 ? 503 : 0;
}

static void listed(weft_file_list *list, int status)
{
    struct visit *visit = weft_container_of(list, struct visit, list);
    unsigned failed = 0;

    visit->waiting = false;
    if (visit->exchange)
        failed = status < 0 ? status_of_error(status) : respond_listing(visit);
    weft_file_list_fini(list);
    if (failed)
        visit_fail(visit, failed);
    else if (visit->exchange)
        visit_send_page(visit);
    else
        visit_end(visit);
}

static void start_listing(struct visit *visit)
{
    int status = weft_file_list_start(&visit->list, weft_http_exchange_scope(visit->exchange), visit->folder,
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
