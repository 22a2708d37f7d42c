/* SPDX-License-Identifier: MIT */
#include "families/http/http_folder_list.h"

#include <weft/memory.h>

#include "backend/file.h"
#include "base/checked.h"

/* A folder as it was read. */
struct found {
    weft_file_entry *entries;
    size_t count;
};

static bool is_shown(const weft_file_entry *entry, bool hidden)
{
    return entry->info.kind != WEFT_FILE_OTHER && (hidden || entry->name.data[0] != '.');
}

/* The entries that are shown and, behind them, their names, in one piece of memory; or NULL. */
static struct http_listing_entry *make_room(const struct found *found, bool hidden)
{
    size_t size = sizeof(struct http_listing_entry); /* one more, so that no entries are something, too */

    for (size_t i = 0; i < found->count; i++)
        if (is_shown(&found->entries[i], hidden) && (!size_add(size, sizeof(struct http_listing_entry), &size) ||
                                                     !size_add(size, found->entries[i].name.length, &size)))
            return NULL;
    return weft_allocate(size);
}

static int select_entries(const struct found *found, struct http_listing *listing)
{
    struct http_listing_entry *entries = make_room(found, listing->hidden);
    size_t shown = 0, count = 0;
    char *names;

    if (!entries)
        return WEFT_ENOMEM;
    for (size_t i = 0; i < found->count; i++)
        shown += is_shown(&found->entries[i], listing->hidden);
    names = (char *)(entries + shown);
    for (size_t i = 0; i < found->count; i++) {
        const weft_file_entry *entry = &found->entries[i];

        if (!is_shown(entry, listing->hidden))
            continue;
        memcpy(names, entry->name.data, entry->name.length);
        entries[count++] = (struct http_listing_entry){
            .name = weft_bytes_of(names, entry->name.length),
            .is_directory = entry->info.kind == WEFT_FILE_DIRECTORY,
            .size = entry->info.length,
            .modified = entry->info.modified / WEFT_SECONDS(1),
        };
        names += entry->name.length;
    }
    listing->entries = entries;
    listing->count = count;
    return 0;
}

static void work(weft_job *job)
{
    struct http_folder_list *list = weft_container_of(job, struct http_folder_list, job);
    struct found found = {.entries = NULL};

    list->status = file_list(list->folder, list->limit, &found.entries, &found.count, &list->listing.left_out);
    if (list->status < 0)
        return;
    list->status = select_entries(&found, &list->listing);
    file_list_free(found.entries, found.count);
    if (list->status < 0)
        return;
    http_listing_sort(&list->listing);
    list->status = http_listing_length(&list->listing, &list->length);
}

static void finished(weft_job *job, int status)
{
    struct http_folder_list *list = weft_container_of(job, struct http_folder_list, job);

    if (status == 0)
        status = list->status;
    if (status < 0)
        http_folder_list_fini(list);
    list->done(list, status);
}

int http_folder_list_start(struct http_folder_list *list, weft_scope *scope, weft_file *folder, size_t limit,
                           void (*done)(struct http_folder_list *list, int status))
{
    list->folder = folder;
    list->limit = limit;
    list->done = done;
    return weft_job_start(&list->job, scope, work, finished);
}

void http_folder_list_fini(struct http_folder_list *list)
{
    weft_release(list->listing.entries);
    list->listing.entries = NULL;
    list->listing.count = 0;
}
