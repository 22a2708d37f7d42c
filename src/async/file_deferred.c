/* SPDX-License-Identifier: MIT */
/*
 * Files that are written, as deferreds (weft/file_deferred.h). The call lies
 * in the room of its deferred, with a copy of what it was given behind it, and
 * refers to it until it is done: so a deferred that is cancelled stays in
 * memory as long as a thread uses it.
 */
#include <weft/file_deferred.h>

#include <string.h>

struct promise {
    weft_file_call call;
    weft_deferred *deferred;
    char text[];
};

static const int nothing;

/* NULL: *ret is what the caller answers. */
static struct promise *promise_new(weft_scope *scope, const weft_deferred_type *type, size_t room, weft_place place,
                                   weft_deferred **ret)
{
    struct promise *promise;

    *ret = weft_deferred_make(scope, type, sizeof *promise + room, NULL, NULL, place);
    if (!*ret || weft_deferred_fired(*ret))
        return NULL;
    promise = weft_deferred_room(*ret);
    promise->deferred = weft_deferred_ref(*ret);
    return promise;
}

/* The call was begun, or could not be. */
static weft_deferred *promised(struct promise *promise, int status)
{
    weft_deferred *deferred = promise->deferred;

    if (status < 0) {
        (void)weft_deferred_fail(deferred, status);
        weft_deferred_unref(deferred);
    }
    return deferred;
}

static void settle(struct promise *promise, int status, const void *value)
{
    weft_deferred *deferred = promise->deferred;

    if (!weft_deferred_fired(deferred)) /* else it was cancelled */
        (void)(status < 0 ? weft_deferred_fail(deferred, status) : weft_deferred_fire(deferred, value));
    weft_deferred_unref(deferred);
}

static void done(weft_file_call *call, int status)
{
    settle(weft_container_of(call, struct promise, call), status, &nothing);
}

static void made(weft_file_call *call, int status)
{
    struct promise *promise = weft_container_of(call, struct promise, call);
    weft_file *file = call->file;

    if (status == 0 && weft_deferred_fired(promise->deferred)) {
        weft_file_unref(file);
        file = NULL;
    }
    settle(promise, status, &file);
}

static const char *keep(struct promise *promise, size_t at, const char *text)
{
    return memcpy(promise->text + at, text, strlen(text) + 1);
}

weft_deferred *weft_file_create_at(weft_scope *scope, weft_directory *directory, const char *path, unsigned flags,
                                   weft_place place)
{
    weft_deferred *ret;
    struct promise *self = promise_new(scope, &weft_file_made_type_, strlen(path) + 1, place, &ret);

    if (!self)
        return ret;
    return promised(self, weft_file_create_start(&self->call, scope, directory, keep(self, 0, path), flags, made));
}

weft_deferred *weft_file_write_at(weft_scope *scope, weft_file *file, uint64_t offset, weft_bytes bytes,
                                  weft_place place)
{
    weft_deferred *ret;
    struct promise *self = promise_new(scope, &weft_done_type_, bytes.length, place, &ret);

    if (!self)
        return ret;
    if (bytes.length > 0)
        memcpy(self->text, bytes.data, bytes.length);
    return promised(
        self, weft_file_write_start(&self->call, scope, file, offset, weft_bytes_of(self->text, bytes.length), done));
}

weft_deferred *weft_file_truncate_at(weft_scope *scope, weft_file *file, uint64_t length, weft_place place)
{
    weft_deferred *ret;
    struct promise *self = promise_new(scope, &weft_done_type_, 0, place, &ret);

    return self ? promised(self, weft_file_truncate_start(&self->call, scope, file, length, done)) : ret;
}

weft_deferred *weft_file_set_time_at(weft_scope *scope, weft_file *file, weft_time modified, weft_place place)
{
    weft_deferred *ret;
    struct promise *self = promise_new(scope, &weft_done_type_, 0, place, &ret);

    return self ? promised(self, weft_file_set_time_start(&self->call, scope, file, modified, done)) : ret;
}

weft_deferred *weft_file_sync_at(weft_scope *scope, weft_file *file, weft_place place)
{
    weft_deferred *ret;
    struct promise *self = promise_new(scope, &weft_done_type_, 0, place, &ret);

    return self ? promised(self, weft_file_sync_start(&self->call, scope, file, done)) : ret;
}

weft_deferred *weft_file_rename_at(weft_scope *scope, weft_directory *directory, const char *from, const char *to,
                                   weft_place place)
{
    size_t length = strlen(from) + 1;
    weft_deferred *ret;
    struct promise *self = promise_new(scope, &weft_done_type_, length + strlen(to) + 1, place, &ret);

    if (!self)
        return ret;
    return promised(
        self, weft_file_rename_start(&self->call, scope, directory, keep(self, 0, from), keep(self, length, to), done));
}

typedef int start_function(weft_file_call *call, weft_scope *scope, weft_directory *directory, const char *path,
                           weft_file_done *told);

static weft_deferred *act_on_path(start_function *start, weft_scope *scope, weft_directory *directory, const char *path,
                                  weft_place place)
{
    weft_deferred *ret;
    struct promise *self = promise_new(scope, &weft_done_type_, strlen(path) + 1, place, &ret);

    return self ? promised(self, start(&self->call, scope, directory, keep(self, 0, path), done)) : ret;
}

weft_deferred *weft_file_remove_at(weft_scope *scope, weft_directory *directory, const char *path, weft_place place)
{
    return act_on_path(weft_file_remove_start, scope, directory, path, place);
}

weft_deferred *weft_directory_make_at(weft_scope *scope, weft_directory *directory, const char *path, weft_place place)
{
    return act_on_path(weft_directory_make_start, scope, directory, path, place);
}

weft_deferred *weft_directory_sync_at(weft_scope *scope, weft_directory *directory, const char *path, weft_place place)
{
    return act_on_path(weft_directory_sync_start, scope, directory, path, place);
}
