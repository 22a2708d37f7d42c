/* SPDX-License-Identifier: MIT */
/*
 * TCP echo on bare poll(2): what an engine without memory of its own can do.
 *
 *     echo_poll PORT
 *
 * As echo_epoll: one recv of at most 64 KiB and one send for each event; what the peer does not take is kept, and nothing
 * more is read until it has taken it.
 */
#include "../common/bench.h"

#include <poll.h>

#define BUFFER 65536
#define MOST 16384

struct kept {
    size_t begin, end;
    char bytes[BUFFER];
};

static struct pollfd places[MOST]; /* the first is the listener's */
static struct kept *kept[MOST];
static nfds_t used = 1;
static char buffer[BUFFER];

/* The last takes its place, so places are looked at from the end. */
static void drop(nfds_t i)
{
    close(places[i].fd);
    free(kept[i]);
    used--;
    places[i] = places[used];
    kept[i] = kept[used];
    kept[used] = NULL;
}

static void keep(nfds_t i, const char *bytes, size_t length)
{
    kept[i] = need(malloc(sizeof *kept[i]));
    memcpy(kept[i]->bytes, bytes, length);
    kept[i]->begin = 0;
    kept[i]->end = length;
    places[i].events = POLLOUT;
}

static void write_kept(nfds_t i)
{
    ssize_t sent = send(places[i].fd, kept[i]->bytes + kept[i]->begin, kept[i]->end - kept[i]->begin, MSG_NOSIGNAL);

    if (sent < 0 && errno != EAGAIN) {
        drop(i);
        return;
    }
    if (sent > 0)
        kept[i]->begin += (size_t)sent;
    if (kept[i]->begin < kept[i]->end)
        return;
    free(kept[i]);
    kept[i] = NULL;
    places[i].events = POLLIN;
}

static void echo(nfds_t i)
{
    ssize_t count = recv(places[i].fd, buffer, sizeof buffer, 0), sent;

    if (count < 0 && errno == EAGAIN)
        return;
    sent = count > 0 ? send(places[i].fd, buffer, (size_t)count, MSG_NOSIGNAL) : -1;
    if (count <= 0 || (sent < 0 && errno != EAGAIN)) {
        drop(i);
        return;
    }
    if (sent < count)
        keep(i, buffer + (sent < 0 ? 0 : sent), (size_t)(count - (sent < 0 ? 0 : sent)));
}

static void accept_all(void)
{
    int fd;

    while (used < MOST && (fd = accept4(places[0].fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        set_nodelay(fd);
        places[used++] = (struct pollfd){.fd = fd, .events = POLLIN};
    }
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return 2;
    process_init();
    places[0] = (struct pollfd){.fd = listen_on(atoi(argv[1])), .events = POLLIN};
    for (;;) {
        if (poll(places, used, -1) < 0)
            die("poll");
        for (nfds_t i = used - 1; i > 0; i--) {
            if (!places[i].revents)
                continue;
            if (kept[i])
                write_kept(i);
            else
                echo(i);
        }
        if (places[0].revents)
            accept_all();
    }
}
