/* SPDX-License-Identifier: MIT */
/* TCP echo on libevent's bare events, with recv and send as in echo_epoll.c.      echo_event_bare PORT */
#include "../common/bench.h"

#include <event2/event.h>

#define BUFFER 65536

struct connection {
    struct event *readable, *writable;
    size_t begin, end;
    char *kept;
};

static char buffer[BUFFER];
static struct event_base *base;

static void drop(struct connection *connection, int fd)
{
    event_free(connection->readable);
    event_free(connection->writable);
    free(connection->kept);
    free(connection);
    close(fd);
}

static void write_kept(evutil_socket_t fd, short what, void *arg)
{
    struct connection *connection = arg;
    ssize_t sent = send(fd, connection->kept + connection->begin, connection->end - connection->begin, MSG_NOSIGNAL);

    (void)what;
    if (sent < 0 && errno != EAGAIN) {
        drop(connection, fd);
        return;
    }
    connection->begin += sent > 0 ? (size_t)sent : 0;
    event_add(connection->begin < connection->end ? connection->writable : connection->readable, NULL);
}

static void keep(struct connection *connection, const char *bytes, size_t length)
{
    if (!connection->kept)
        connection->kept = need(malloc(BUFFER));
    memcpy(connection->kept, bytes, length);
    connection->begin = 0;
    connection->end = length;
    event_del(connection->readable);
    event_add(connection->writable, NULL);
}

static void echo(evutil_socket_t fd, short what, void *arg)
{
    struct connection *connection = arg;
    ssize_t count = recv(fd, buffer, sizeof buffer, 0), sent;

    (void)what;
    if (count < 0 && errno == EAGAIN)
        return;
    if (count <= 0) {
        drop(connection, fd);
        return;
    }
    sent = send(fd, buffer, (size_t)count, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) {
        drop(connection, fd);
        return;
    }
    if (sent < 0)
        sent = 0;
    if (sent < count)
        keep(connection, buffer + sent, (size_t)(count - sent));
}

static void accept_all(evutil_socket_t listener, short what, void *arg)
{
    int fd;

    (void)what;
    (void)arg;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        struct connection *connection = need(calloc(1, sizeof *connection));
        set_nodelay(fd);
        connection->readable = need(event_new(base, fd, EV_READ | EV_PERSIST, echo, connection));
        connection->writable = need(event_new(base, fd, EV_WRITE, write_kept, connection));
        event_add(connection->readable, NULL);
    }
}

int main(int argc, char **argv)
{
    struct event *listener;

    base = event_base_new();
    if (argc < 2 || !base)
        return 2;
    process_init();
    listener = need(event_new(base, listen_on(atoi(argv[1])), EV_READ | EV_PERSIST, accept_all, NULL));
    event_add(listener, NULL);
    return event_base_dispatch(base);
}
