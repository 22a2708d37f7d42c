/* SPDX-License-Identifier: MIT */
/*
 * Opening and listing (weft/file_open.h): what cannot wait is done at once,
 * the rest by the job pool. The watchdog is told of the user's callback, not of
 * ours around it.
 */
#include <weft/file_open.h>

#include "backend/file.h"
#include "base/probe.h"

static void open_work(weft_job *job)
{
    weft_file_open *open = weft_container_of(job, weft_file_open, job);

    open->status = file_open(open->directory, open->path, true, &open->file);
}

static void open_done(weft_job *job, int status)
{
    weft_file_open *open = weft_container_of(job, weft_file_open, job);

    weft_directory_unref(open->directory);
    if (status < 0) {
        weft_file_unref(open->file);
        open->file = NULL;
    }
    open->done(open, status < 0 ? status : open->status);
}

int weft_file_open_start(weft_file_open *open, weft_scope *scope, weft_directory *directory, const char *path,
                         void (*done)(weft_file_open *open, int status))
{
    int status = scope ? weft_scope_cancelled(scope) : WEFT_ENOMEM;

    open->file = NULL;
    if (status < 0)
        return status;
    status = RARE("file: opening has to wait") ? -EAGAIN : file_open(directory, path, false, &open->file);
    if (status != -EAGAIN)
        return status;
    open->directory = directory;
    open->path = path;
    open->done = done;
    open->status = 0;
    status = weft_job_start(&open->job, scope, open_work, open_done);
    if (status < 0)
        return status;
    open->job.callback = (uintptr_t)done;
    weft_directory_ref(directory);
    return 1;
}

static void list_work(weft_job *job)
{
    weft_file_list *list = weft_container_of(job, weft_file_list, job);

    list->status = file_list(list->file, list->limit, &list->entries, &list->count, &list->truncated);
}

static void list_done(weft_job *job, int status)
{
    weft_file_list *list = weft_container_of(job, weft_file_list, job);

    weft_file_unref(list->file);
    if (status < 0)
        weft_file_list_fini(list);
    list->done(list, status < 0 ? status : list->status);
}

int weft_file_list_start(weft_file_list *list, weft_scope *scope, weft_file *file, size_t limit,
                         void (*done)(weft_file_list *list, int status))
{
    int status;

    list->file = file;
    list->limit = limit;
    list->entries = NULL;
    list->count = 0;
    list->truncated = false;
    list->status = 0;
    list->done = done;
    status = weft_job_start(&list->job, scope, list_work, list_done);
    if (status < 0)
        return status;
    list->job.callback = (uintptr_t)done;
    weft_file_ref(file);
    return 0;
}

void weft_file_list_fini(weft_file_list *list)
{
    file_list_free(list->entries, list->count);
    list->entries = NULL;
    list->count = 0;
}
