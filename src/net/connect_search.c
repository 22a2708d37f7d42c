/* SPDX-License-Identifier: MIT */
/*
 * Connecting to a name: it is looked up, and its addresses are tried in turn
 * until one answers. The stream is connecting all the while, under its one
 * deadline; only its handle changes.
 *
 *   looking up --> trying --connected--> (no search any more)
 *                  |    ^
 *            failed|    |the task, once the handle has come home
 *                  v    |
 *                 resting
 *
 * While it looks up and rests, the handle is nobody's: `nowhere`.
 */
#include "net/stream_internal.h"

#include <errno.h>

#include <weft/memory.h>

#include "net/names.h"

struct connect_search {
    weft_stream *stream;
    struct names_lookup *lookup; /* or NULL */
    weft_address addresses[NAMES_MOST];
    size_t count, next;
    int reason; /* the first address's failure, which is told if all fail */
    uint16_t port;
    bool away; /* the handle of an address that failed has not come home */
};

/* -- a handle that is nobody's -- */

static void nowhere_receive(struct backend *backend, struct backend_stream *io)
{
    (void)backend;
    (void)io;
}

static int64_t nowhere_send(struct backend *backend, struct backend_stream *io, const weft_bytes *runs, size_t count,
                            bool more)
{
    (void)backend;
    (void)io;
    (void)runs;
    (void)count;
    (void)more;
    return -ENOTCONN;
}

static int64_t nowhere_send_file(struct backend *backend, struct backend_stream *io, weft_file *file, uint64_t offset,
                                 uint64_t length, bool more)
{
    (void)backend;
    (void)io;
    (void)file;
    (void)offset;
    (void)length;
    (void)more;
    return -ENOTCONN;
}

static int nowhere_shutdown(struct backend *backend, struct backend_stream *io)
{
    (void)backend;
    (void)io;
    return -ENOTCONN;
}

static bool nowhere_close(struct backend *backend, struct backend_stream *io, bool abort)
{
    const weft_stream *stream = weft_container_of(io, const weft_stream, io);

    (void)backend;
    (void)abort;
    return !stream->search->away;
}

static int nowhere_local(struct backend *backend, const struct backend_stream *io, weft_address *ret)
{
    (void)backend;
    (void)io;
    (void)ret;
    return -ENOTCONN;
}

static const struct backend_transport nowhere = {
    .receive_start = nowhere_receive,
    .receive_stop = nowhere_receive,
    .send = nowhere_send,
    .send_file = nowhere_send_file,
    .shutdown = nowhere_shutdown,
    .close = nowhere_close,
    .local = nowhere_local,
};

/* -- the addresses -- */

/* Begins with the next address. Returns whether there was one that could be begun with. */
static bool try_next(weft_stream *stream)
{
    struct connect_search *search = stream->search;
    struct backend *backend = stream->loop->backend;

    while (search->next < search->count) {
        struct backend_endpoint to = {.address = search->addresses[search->next++]};
        int status;

        to.address.port = search->port;
        status = backend->ops->connect(backend, &stream->io, &to, &stream->config->socket);
        if (status == 0) {
            stream->peer = to.address;
            return true;
        }
        stream->io.transport = &nowhere;
        if (search->reason == 0)
            search->reason = status;
    }
    return false;
}

void connect_search_next(weft_stream *stream)
{
    if (stream->search->away)
        return; /* its coming home schedules this again */
    stream->flags &= ~(uint32_t)STREAM_RETRY_DUE;
    if (!try_next(stream))
        stream_doom(stream, stream->search->reason, true);
}

bool connect_search_goes_on(weft_stream *stream, int status)
{
    struct connect_search *search = stream->search;

    if (!search)
        return false;
    if (search->reason == 0)
        search->reason = status;
    search->away = !stream->io.transport->close(stream->loop->backend, &stream->io, true);
    stream->io.transport = &nowhere;
    stream->flags |= STREAM_RETRY_DUE;
    stream_schedule(stream);
    return true;
}

bool connect_search_home(weft_stream *stream)
{
    if (!stream->search || !stream->search->away)
        return false;
    stream->search->away = false;
    stream_schedule(stream);
    return true;
}

/* -- the name -- */

static void looked_up(void *arg, int status, const weft_address *addresses, size_t count)
{
    struct connect_search *search = arg;
    weft_stream *stream = search->stream;

    search->lookup = NULL;
    if (status < 0) {
        stream_doom(stream, status, true);
        return;
    }
    memcpy(search->addresses, addresses, count * sizeof *addresses);
    search->count = count;
    if (!try_next(stream))
        stream_doom(stream, search->reason, true);
}

int connect_search_start(weft_stream *stream, weft_bytes name, uint16_t port)
{
    struct connect_search *search = weft_allocate_zeroed(1, sizeof *search);
    int status = 0;

    if (!search)
        return WEFT_ENOMEM;
    search->stream = stream;
    search->port = port;
    search->count = names_at_once(name, search->addresses);
    if (search->count == 0) /* it ends with the stream, which may move to another scope */
        status = names_start(weft_loop_scope(stream->loop), name, looked_up, search, &search->lookup);
    if (status < 0) {
        weft_release(search);
        return status;
    }
    stream->search = search;
    stream->io.transport = &nowhere;
    stream->flags |= STREAM_CONNECTING;
    stream_arm(stream);
    if (search->count > 0) {
        stream->flags |= STREAM_RETRY_DUE;
        stream_schedule(stream);
    }
    return 0;
}

void connect_search_end(weft_stream *stream)
{
    if (!stream->search)
        return;
    if (stream->search->lookup)
        names_forget(stream->search->lookup);
    weft_release(stream->search);
    stream->search = NULL;
}
