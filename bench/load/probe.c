/* SPDX-License-Identifier: MIT */
#include "probe.h"

#include <fcntl.h>

int dial(int port, bool non_blocking)
{
    struct sockaddr_in to = address_of(LOOPBACK, port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        die("socket");
    if (connect(fd, (struct sockaddr *)&to, sizeof to) < 0)
        die("connect");
    set_nodelay(fd);
    if (non_blocking && fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
        die("fcntl");
    return fd;
}

int dial_datagrams(int port)
{
    struct sockaddr_in to = address_of(LOOPBACK, port);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        die("socket");
    if (connect(fd, (struct sockaddr *)&to, sizeof to) < 0)
        die("connect");
    return fd;
}

int request_text(const char *path, char *text, size_t room)
{
    int length = snprintf(text, room,
                          "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: load/1\r\nAccept: */*\r\n"
                          "Connection: keep-alive\r\n\r\n",
                          path);

    if (length < 0 || (size_t)length >= room) {
        fprintf(stderr, "load: the path is too long\n");
        exit(2);
    }
    return length;
}

static void refuse(const char *why, const char *answer)
{
    fprintf(stderr, "load: %s: %.60s\n", why, answer);
    exit(1);
}

/* Reads up to the end of the head; returns its length, and in *ret_have how much was read in all. */
static size_t read_head(int fd, char *text, size_t room, size_t *ret_have)
{
    size_t have = 0;
    char *end = NULL;

    while (!end) {
        ssize_t count = have + 1 < room ? recv(fd, text + have, room - 1 - have, 0) : 0;
        if (count <= 0)
            refuse("no complete answer", have > 0 ? text : "(nothing came)");
        have += (size_t)count;
        text[have] = '\0';
        end = strstr(text, "\r\n\r\n");
    }
    *ret_have = have;
    return (size_t)(end + 4 - text);
}

static size_t content_length(const char *head)
{
    const char *field = strcasestr(head, "\r\ncontent-length:");

    if (strncmp(head, "HTTP/1.1 200", 12) != 0)
        refuse("not a 200", head);
    if (!field)
        refuse("no Content-Length", head);
    return strtoull(field + strlen("\r\ncontent-length:"), NULL, 10);
}

size_t probe_on(int fd, const char *request, size_t length)
{
    char text[16384];
    size_t have, head, total;

    if (send(fd, request, length, MSG_NOSIGNAL) != (ssize_t)length)
        die("send");
    head = read_head(fd, text, sizeof text, &have);
    total = head + content_length(text);
    while (have < total) {
        size_t left = total - have;
        ssize_t count = recv(fd, text, left < sizeof text ? left : sizeof text, 0);
        if (count <= 0)
            refuse("the body is cut short", "");
        have += (size_t)count;
    }
    return total;
}

size_t probe(int port, const char *request, size_t length)
{
    int fd = dial(port, false);
    size_t total = probe_on(fd, request, length);

    close(fd);
    return total;
}
