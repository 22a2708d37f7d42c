/* SPDX-License-Identifier: MIT */
/* What the load generators ask for, and how they connect. */
#ifndef BENCH_PROBE_H
#define BENCH_PROBE_H

#include "../common/bench.h"

/* A connection to PORT of 127.0.0.1; ends the program if there is none. */
int dial(int port, bool non_blocking);
/* A socket for UDP that does not block. */
int dial_datagrams(int port);
/* Writes the request for PATH, as a browser would but shorter; returns its length. */
int request_text(const char *path, char *text, size_t room);
/* Sends one request and reads the whole answer, which must be a 200 with a Content-Length; returns its length with
 * its head. Ends the program if that fails. */
size_t probe(int port, const char *request, size_t length);
/* The same on an open, blocking connection. */
size_t probe_on(int fd, const char *request, size_t length);

#endif
