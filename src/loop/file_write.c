/* SPDX-License-Identifier: MIT */
/* Files that are written (weft/file_write.h): each call is a job. */
#include <weft/file_write.h>

#include <errno.h>

#include "backend/file.h"

static void call_work(weft_job *job)
{
    weft_file_call *call = weft_container_of(job, weft_file_call, job);

    call->status = call->work(call);
}

static void call_done(weft_job *job, int status)
{
    weft_file_call *call = weft_container_of(job, weft_file_call, job);
    weft_file_done *done = call->done;

    if (call->directory) {
        weft_directory_unref(call->directory);
        if (status < 0 || call->status < 0) {
            weft_file_unref(call->file);
            call->file = NULL;
        }
    } else {
        weft_file_unref(call->file);
    }
    done(call, status < 0 ? status : call->status);
}

static int begin(weft_file_call *call, const weft_file_call *what, weft_scope *scope)
{
    int status;

    *call = *what;
    status = weft_job_start(&call->job, scope, call_work, call_done);
    if (status < 0)
        return status;
    call->job.callback = (uintptr_t)call->done;
    if (call->directory)
        weft_directory_ref(call->directory);
    else
        weft_file_ref(call->file);
    return 0;
}

/* -- on a thread of the pool -- */

static int create_work(weft_file_call *call)
{
    return file_create(call->directory, call->path, call->flags, &call->file);
}

static int read_work(weft_file_call *call)
{
    int count = file_read(call->file, call->offset, call->memory, call->length);

    if (count < 0)
        return count;
    call->count = (size_t)count;
    return 0;
}

static int write_work(weft_file_call *call)
{
    return file_write(call->file, call->offset, call->memory, call->length, &call->count);
}

static int truncate_work(weft_file_call *call)
{
    return file_truncate(call->file, call->offset);
}

static int set_time_work(weft_file_call *call)
{
    return file_set_time(call->file, call->modified);
}

static int sync_work(weft_file_call *call)
{
    return file_sync(call->file);
}

static int directory_sync_work(weft_file_call *call)
{
    return directory_sync(call->directory, call->path);
}

static int rename_work(weft_file_call *call)
{
    return file_rename(call->directory, call->path, call->other);
}

static int remove_work(weft_file_call *call)
{
    return file_remove(call->directory, call->path);
}

static int make_work(weft_file_call *call)
{
    return directory_make(call->directory, call->path);
}

/* -- what users call -- */

int weft_file_create_start(weft_file_call *call, weft_scope *scope, weft_directory *directory, const char *path,
                           unsigned flags, weft_file_done *done)
{
    if (flags & ~(unsigned)(WEFT_FILE_EXCLUSIVE | WEFT_FILE_TRUNCATE | WEFT_FILE_APPEND | WEFT_FILE_PRIVATE))
        return -EINVAL;
    return begin(
        call,
        &(weft_file_call){.work = create_work, .directory = directory, .path = path, .flags = flags, .done = done},
        scope);
}

int weft_file_read_start(weft_file_call *call, weft_scope *scope, weft_file *file, uint64_t offset, void *memory,
                         size_t length, weft_file_done *done)
{
    return begin(
        call,
        &(weft_file_call){
            .work = read_work, .file = file, .offset = offset, .memory = memory, .length = length, .done = done},
        scope);
}

int weft_file_write_start(weft_file_call *call, weft_scope *scope, weft_file *file, uint64_t offset, weft_bytes bytes,
                          weft_file_done *done)
{
    return begin(call,
                 &(weft_file_call){.work = write_work,
                                   .file = file,
                                   .offset = offset,
                                   .memory = (void *)(uintptr_t)bytes.data,
                                   .length = bytes.length,
                                   .done = done},
                 scope);
}

int weft_file_truncate_start(weft_file_call *call, weft_scope *scope, weft_file *file, uint64_t length,
                             weft_file_done *done)
{
    return begin(call, &(weft_file_call){.work = truncate_work, .file = file, .offset = length, .done = done}, scope);
}

int weft_file_set_time_start(weft_file_call *call, weft_scope *scope, weft_file *file, weft_time modified,
                             weft_file_done *done)
{
    return begin(call, &(weft_file_call){.work = set_time_work, .file = file, .modified = modified, .done = done},
                 scope);
}

int weft_file_sync_start(weft_file_call *call, weft_scope *scope, weft_file *file, weft_file_done *done)
{
    return begin(call, &(weft_file_call){.work = sync_work, .file = file, .done = done}, scope);
}

int weft_directory_sync_start(weft_file_call *call, weft_scope *scope, weft_directory *directory, const char *path,
                              weft_file_done *done)
{
    return begin(call,
                 &(weft_file_call){.work = directory_sync_work, .directory = directory, .path = path, .done = done},
                 scope);
}

int weft_file_rename_start(weft_file_call *call, weft_scope *scope, weft_directory *directory, const char *from,
                           const char *to, weft_file_done *done)
{
    return begin(
        call, &(weft_file_call){.work = rename_work, .directory = directory, .path = from, .other = to, .done = done},
        scope);
}

int weft_file_remove_start(weft_file_call *call, weft_scope *scope, weft_directory *directory, const char *path,
                           weft_file_done *done)
{
    return begin(call, &(weft_file_call){.work = remove_work, .directory = directory, .path = path, .done = done},
                 scope);
}

int weft_directory_make_start(weft_file_call *call, weft_scope *scope, weft_directory *directory, const char *path,
                              weft_file_done *done)
{
    return begin(call, &(weft_file_call){.work = make_work, .directory = directory, .path = path, .done = done}, scope);
}
