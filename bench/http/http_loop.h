/* SPDX-License-Identifier: MIT */
/*
 * The loop of the bare HTTP servers: level-triggered epoll, one recv and one send for each event.
 *
 * What differs is `requests_in`, which http_bare.c and http_strict.c define: how it finds requests. What one read
 * brings is answered with one write. An answer has the same fields as Weft's: Date (made anew once a second),
 * Content-Type, Content-Length.
 */
#ifndef BENCH_HTTP_LOOP_H
#define BENCH_HTTP_LOOP_H

#include "../common/bench.h"

struct connection;

/* Makes and frees a connection with whatever the parser needs. */
struct connection *connection_new(int fd);
void connection_free(struct connection *connection);
int connection_fd(const struct connection *connection);
/* How many requests end in these bytes; negative if they are refused. */
int requests_in(struct connection *connection, const char *bytes, size_t length);

int http_loop(int argc, char **argv);

#endif
