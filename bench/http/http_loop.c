/* SPDX-License-Identifier: MIT */
#include "http_loop.h"

#include <sys/epoll.h>

#define BUFFER 65536
#define ANSWERS 1024 /* in one write at most; more requests in one read are refused */
#define DATE "Date: "

static const char model[] = "HTTP/1.1 200 OK\r\n" DATE "Sun, 22 Nov 2026 14:00:00 GMT\r\nContent-Type: text/plain\r\n"
                            "Content-Length: 13\r\n\r\nHello, world!";
#define ANSWER (sizeof model - 1)
#define DATE_AT (sizeof "HTTP/1.1 200 OK\r\n" DATE - 1)
#define DATE_LENGTH 29

static char buffer[BUFFER], answers[ANSWERS * ANSWER];
static time_t dated;
static int queue;

/* Writes the date into as many answers as are about to be sent. */
static void date_answers(size_t count)
{
    static size_t dated_count;
    time_t now = time(NULL);
    struct tm parts;
    char text[DATE_LENGTH + 1];

    if (now == dated && count <= dated_count)
        return;
    gmtime_r(&now, &parts);
    strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts);
    for (size_t i = 0; i < count; i++)
        memcpy(answers + i * ANSWER + DATE_AT, text, DATE_LENGTH);
    dated = now;
    dated_count = count;
}

static void drop(struct connection *connection)
{
    close(connection_fd(connection));
    connection_free(connection);
}

static void serve(struct connection *connection)
{
    ssize_t count = recv(connection_fd(connection), buffer, sizeof buffer, 0);
    int requests;
    size_t length;

    if (count < 0 && errno == EAGAIN)
        return;
    requests = count > 0 ? requests_in(connection, buffer, (size_t)count) : -1;
    if (requests < 0 || requests > ANSWERS) {
        drop(connection);
        return;
    }
    if (requests == 0)
        return;
    date_answers((size_t)requests);
    length = (size_t)requests * ANSWER;
    /* It never queues: a client that does not take its answers loses the connection. */
    if (send(connection_fd(connection), answers, length, MSG_NOSIGNAL) != (ssize_t)length)
        drop(connection);
}

static void accept_all(int listener)
{
    int fd;

    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection_new(fd)};
        set_nodelay(fd);
        if (epoll_ctl(queue, EPOLL_CTL_ADD, fd, &event) < 0)
            die("epoll_ctl");
    }
}

int http_loop(int argc, char **argv)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL}, events[512];
    int listener;

    if (argc < 2)
        return 2;
    process_init();
    for (size_t i = 0; i < ANSWERS; i++)
        memcpy(answers + i * ANSWER, model, ANSWER);
    listener = listen_on(atoi(argv[1]));
    queue = epoll_create1(EPOLL_CLOEXEC);
    if (queue < 0 || epoll_ctl(queue, EPOLL_CTL_ADD, listener, &event) < 0)
        die("epoll");
    for (;;) {
        int count = epoll_wait(queue, events, 512, -1);
        for (int i = 0; i < count; i++) {
            if (events[i].data.ptr)
                serve(events[i].data.ptr);
            else
                accept_all(listener);
        }
    }
}
