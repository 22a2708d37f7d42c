/* SPDX-License-Identifier: MIT */
/*
 * HTTP/1.1 hello on bare epoll without a parser: counts blank lines, and checks nothing at all. What the system calls
 * and the bytes cost; no server can be this careless.
 *
 *     http_bare PORT
 */
#include "http_loop.h"

struct connection {
    int fd;
    unsigned matched; /* bytes of a blank line that ended the last read */
};

struct connection *connection_new(int fd)
{
    struct connection *connection = need(calloc(1, sizeof *connection));

    connection->fd = fd;
    return connection;
}

void connection_free(struct connection *connection)
{
    free(connection);
}

int connection_fd(const struct connection *connection)
{
    return connection->fd;
}

/* The read did not end with a whole request, or the last did not: byte by byte. */
static int requests_split(struct connection *connection, const char *bytes, size_t length)
{
    static const char blank[] = "\r\n\r\n";
    int requests = 0;

    for (size_t i = 0; i < length; i++) {
        if (bytes[i] == blank[connection->matched])
            connection->matched++;
        else
            connection->matched = bytes[i] == '\r';
        if (connection->matched == 4) {
            connection->matched = 0;
            requests++;
        }
    }
    return requests;
}

int requests_in(struct connection *connection, const char *bytes, size_t length)
{
    const char *at = bytes, *end = bytes + length, *found;
    int requests = 0;

    if (connection->matched > 0 || length < 4 || memcmp(end - 4, "\r\n\r\n", 4) != 0)
        return requests_split(connection, bytes, length);
    while ((found = memmem(at, (size_t)(end - at), "\r\n\r\n", 4)) != NULL) {
        requests++;
        at = found + 4;
    }
    return requests;
}

int main(int argc, char **argv)
{
    return http_loop(argc, argv);
}
