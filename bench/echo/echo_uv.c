/* SPDX-License-Identifier: MIT */
/*
 * TCP echo on libuv: uv_try_write first, and uv_write for what the peer does not take at once.
 *
 *     echo_uv PORT
 *
 * Buffers come from a free list, so that an idle connection holds none.
 */
#include "../common/bench.h"

#include <uv.h>

struct piece {
    uv_write_t request;
    struct piece *next;
    char data[65536];
};

static struct piece *unused;

static void closed(uv_handle_t *handle)
{
    free(handle);
}

static void give_back(struct piece *piece)
{
    piece->next = unused;
    unused = piece;
}

static void take_buffer(uv_handle_t *handle, size_t suggested, uv_buf_t *ret)
{
    struct piece *piece = unused;

    (void)handle;
    (void)suggested;
    if (piece)
        unused = piece->next;
    else
        piece = need(malloc(sizeof *piece));
    *ret = uv_buf_init(piece->data, sizeof piece->data);
}

static void close_once(uv_stream_t *stream)
{
    if (!uv_is_closing((uv_handle_t *)stream))
        uv_close((uv_handle_t *)stream, closed);
}

static void written(uv_write_t *request, int status)
{
    if (status < 0)
        close_once(request->handle);
    give_back((struct piece *)request);
}

static void echo(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
    struct piece *piece = buffer->base ? (struct piece *)(buffer->base - offsetof(struct piece, data)) : NULL;
    uv_buf_t rest;
    int sent;

    if (count <= 0) {
        if (piece)
            give_back(piece);
        if (count < 0)
            close_once(stream);
        return;
    }
    rest = uv_buf_init(buffer->base, (unsigned)count);
    sent = uv_try_write(stream, &rest, 1);
    if (sent == count) {
        give_back(piece);
        return;
    }
    if (sent > 0) {
        rest.base += sent;
        rest.len -= (size_t)sent;
    }
    if (uv_write(&piece->request, stream, &rest, 1, written) < 0) {
        give_back(piece);
        close_once(stream);
    }
}

static void accepted(uv_stream_t *listener, int status)
{
    uv_tcp_t *connection;

    if (status < 0)
        return;
    connection = need(malloc(sizeof *connection));
    uv_tcp_init(listener->loop, connection);
    if (uv_accept(listener, (uv_stream_t *)connection) < 0) {
        close_once((uv_stream_t *)connection);
        return;
    }
    uv_tcp_nodelay(connection, 1);
    uv_read_start((uv_stream_t *)connection, take_buffer, echo);
}

int main(int argc, char **argv)
{
    uv_loop_t *loop = uv_default_loop();
    struct sockaddr_in at;
    uv_tcp_t listener;

    if (argc < 2 || !loop)
        return 2;
    process_init();
    at = address_of(LOOPBACK, atoi(argv[1]));
    uv_tcp_init(loop, &listener);
    if (uv_tcp_bind(&listener, (const struct sockaddr *)&at, 0) < 0 ||
        uv_listen((uv_stream_t *)&listener, 4096, accepted) < 0)
        die("listen");
    return uv_run(loop, UV_RUN_DEFAULT);
}
