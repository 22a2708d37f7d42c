/* SPDX-License-Identifier: MIT */
/*
 * A deferred for a request of libuv's, which lies in the deferred's room: until libuv has called back a reference keeps
 * both, whatever becomes of the scope.
 */
#include <weft/adapters/uv.h>

#include <errno.h>
#include <stddef.h>

#include <weft/error.h>

struct request {
    weft_deferred *deferred;
    _Alignas(max_align_t) char bytes[]; /* libuv's */
};

static struct request *of(void *request)
{
    return (struct request *)(void *)((char *)request - offsetof(struct request, bytes));
}

static int error_of(ssize_t status)
{
    if (status == UV_ECANCELED || status == UV_EAI_CANCELED)
        return WEFT_ECANCELED;
    if (status <= UV_EAI_ADDRFAMILY && status > UV_EAI_ADDRFAMILY - 20)
        return status == UV_EAI_MEMORY ? WEFT_ENOMEM : status == UV_EAI_AGAIN ? WEFT_ENAMETRY : WEFT_ENONAME;
    return status > -4000 ? (int)status : -EIO;
}

static void cancel_request(weft_deferred *deferred, int reason, void *arg)
{
    struct request *self = weft_deferred_room(deferred);

    (void)reason;
    (void)arg;
    if (((uv_req_t *)(void *)self->bytes)->type != UV_UNKNOWN_REQ) /* libuv has it */
        (void)uv_cancel((uv_req_t *)(void *)self->bytes);
}

weft_uv_result weft_uv_request(weft_scope *scope, size_t size, void **ret_request)
{
    weft_uv_result result =
        weft_deferred_new_with(weft_uv_result, scope, sizeof(struct request) + size, cancel_request, NULL);
    struct request *self;

    if (!result.deferred)
        return result;
    self = weft_deferred_room(result.deferred);
    self->deferred = weft_deferred_ref(result.deferred);
    *ret_request = self->bytes;
    return result;
}

/* @return whether somebody wants it */
static bool finish(struct request *self, ssize_t status)
{
    weft_deferred *deferred = self->deferred;
    bool wanted = !weft_deferred_fired(deferred);

    if (wanted && status < 0)
        (void)weft_deferred_fail(deferred, error_of(status));
    else if (wanted)
        (void)weft_deferred_fire(deferred, &status);
    return wanted;
}

static void release(struct request *self)
{
    weft_deferred_unref(self->deferred);
}

void weft_uv_begun(weft_uv_result result, int status)
{
    struct request *self = result.deferred ? weft_deferred_room(result.deferred) : NULL;

    if (!self || status >= 0)
        return;
    (void)finish(self, status);
    release(self);
}

void weft_uv_fs_done(uv_fs_t *request)
{
    if (!finish(of(request), request->result))
        uv_fs_req_cleanup(request);
    release(of(request));
}

void weft_uv_getaddrinfo_done(uv_getaddrinfo_t *request, int status, struct addrinfo *addresses)
{
    if (!finish(of(request), status))
        uv_freeaddrinfo(addresses);
    release(of(request));
}

static void done(void *request, int status)
{
    (void)finish(of(request), status);
    release(of(request));
}

void weft_uv_work_done(uv_work_t *request, int status)
{
    done(request, status);
}

void weft_uv_connect_done(uv_connect_t *request, int status)
{
    done(request, status);
}

void weft_uv_write_done(uv_write_t *request, int status)
{
    done(request, status);
}

void weft_uv_shutdown_done(uv_shutdown_t *request, int status)
{
    done(request, status);
}
