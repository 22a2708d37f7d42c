/* SPDX-License-Identifier: MIT */
/*
 * TCP echo on bare epoll: the practical limit, and what the others are measured against.
 *
 *     echo_epoll PORT
 *
 * Level-triggered; one recv of at most 64 KiB and one send for each event; what the peer does not take is kept, and
 * nothing more is read until it has taken it. No limits, no deadlines, no owner of anything.
 */
#include "../common/bench.h"

#include <sys/epoll.h>

#define BUFFER 65536

struct connection {
    int fd;
    bool writing;
    size_t begin, end;
    char *kept;
};

static char buffer[BUFFER];
static int queue;

static void drop(struct connection *connection)
{
    close(connection->fd);
    free(connection->kept);
    free(connection);
}

static void watch(struct connection *connection, int operation)
{
    struct epoll_event event = {.events = connection->writing ? EPOLLOUT : EPOLLIN, .data.ptr = connection};

    if (epoll_ctl(queue, operation, connection->fd, &event) < 0)
        die("epoll_ctl");
}

static void keep(struct connection *connection, const char *bytes, size_t length)
{
    if (!connection->kept)
        connection->kept = need(malloc(BUFFER));
    memcpy(connection->kept, bytes, length);
    connection->begin = 0;
    connection->end = length;
    connection->writing = true;
    watch(connection, EPOLL_CTL_MOD);
}

static void write_kept(struct connection *connection)
{
    ssize_t sent =
        send(connection->fd, connection->kept + connection->begin, connection->end - connection->begin, MSG_NOSIGNAL);

    if (sent < 0) {
        if (errno != EAGAIN)
            drop(connection);
        return;
    }
    connection->begin += (size_t)sent;
    if (connection->begin < connection->end)
        return;
    connection->writing = false;
    watch(connection, EPOLL_CTL_MOD);
}

static void echo(struct connection *connection)
{
    ssize_t count = recv(connection->fd, buffer, sizeof buffer, 0), sent;

    if (count < 0 && errno == EAGAIN)
        return;
    if (count <= 0) {
        drop(connection);
        return;
    }
    sent = send(connection->fd, buffer, (size_t)count, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) {
        drop(connection);
        return;
    }
    if (sent < 0)
        sent = 0;
    if (sent < count)
        keep(connection, buffer + sent, (size_t)(count - sent));
}

static void accept_all(int listener)
{
    int fd;

    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        struct connection *connection = need(calloc(1, sizeof *connection));
        set_nodelay(fd);
        connection->fd = fd;
        watch(connection, EPOLL_CTL_ADD);
    }
}

int main(int argc, char **argv)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL}, events[512];
    int listener;

    if (argc < 2)
        return 2;
    process_init();
    listener = listen_on(atoi(argv[1]));
    queue = epoll_create1(EPOLL_CLOEXEC);
    if (queue < 0 || epoll_ctl(queue, EPOLL_CTL_ADD, listener, &event) < 0)
        die("epoll");
    for (;;) {
        int count = epoll_wait(queue, events, 512, -1);
        for (int i = 0; i < count; i++) {
            struct connection *connection = events[i].data.ptr;
            if (!connection)
                accept_all(listener);
            else if (connection->writing)
                write_kept(connection);
            else
                echo(connection);
        }
    }
}
