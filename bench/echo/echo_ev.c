/* SPDX-License-Identifier: MIT */
/* TCP echo on libev: its watchers, with recv and send as in echo_epoll.c.      echo_ev PORT */
#include "../common/bench.h"

#include <ev.h>

#define BUFFER 65536

struct connection {
    ev_io readable, writable;
    size_t begin, end;
    char *kept;
};

static char buffer[BUFFER];

static void drop(struct ev_loop *loop, struct connection *connection)
{
    ev_io_stop(loop, &connection->readable);
    ev_io_stop(loop, &connection->writable);
    close(connection->readable.fd);
    free(connection->kept);
    free(connection);
}

static void write_kept(struct ev_loop *loop, ev_io *watcher, int events)
{
    struct connection *connection = watcher->data;
    ssize_t sent =
        send(watcher->fd, connection->kept + connection->begin, connection->end - connection->begin, MSG_NOSIGNAL);

    (void)events;
    if (sent < 0) {
        if (errno != EAGAIN)
            drop(loop, connection);
        return;
    }
    connection->begin += (size_t)sent;
    if (connection->begin < connection->end)
        return;
    ev_io_stop(loop, &connection->writable);
    ev_io_start(loop, &connection->readable);
}

static void keep(struct ev_loop *loop, struct connection *connection, const char *bytes, size_t length)
{
    if (!connection->kept)
        connection->kept = need(malloc(BUFFER));
    memcpy(connection->kept, bytes, length);
    connection->begin = 0;
    connection->end = length;
    ev_io_stop(loop, &connection->readable);
    ev_io_start(loop, &connection->writable);
}

static void echo(struct ev_loop *loop, ev_io *watcher, int events)
{
    struct connection *connection = watcher->data;
    ssize_t count = recv(watcher->fd, buffer, sizeof buffer, 0), sent;

    (void)events;
    if (count < 0 && errno == EAGAIN)
        return;
    if (count <= 0) {
        drop(loop, connection);
        return;
    }
    sent = send(watcher->fd, buffer, (size_t)count, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) {
        drop(loop, connection);
        return;
    }
    if (sent < 0)
        sent = 0;
    if (sent < count)
        keep(loop, connection, buffer + sent, (size_t)(count - sent));
}

static void accept_all(struct ev_loop *loop, ev_io *watcher, int events)
{
    int fd;

    (void)events;
    while ((fd = accept4(watcher->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        struct connection *connection = need(calloc(1, sizeof *connection));
        set_nodelay(fd);
        ev_io_init(&connection->readable, echo, fd, EV_READ);
        ev_io_init(&connection->writable, write_kept, fd, EV_WRITE);
        connection->readable.data = connection->writable.data = connection;
        ev_io_start(loop, &connection->readable);
    }
}

int main(int argc, char **argv)
{
    struct ev_loop *loop = ev_default_loop(EVBACKEND_EPOLL);
    ev_io listener;

    if (argc < 2 || !loop)
        return 2;
    process_init();
    ev_io_init(&listener, accept_all, listen_on(atoi(argv[1])), EV_READ);
    ev_io_start(loop, &listener);
    ev_run(loop, 0);
    return 0;
}
