/* SPDX-License-Identifier: MIT */
/*
 * Streams inside one process: what mem:// means on every real backend. A
 * network belongs to one backend; a stream is a pair of pipes.
 */
#ifndef BACKEND_MEMORY_STREAM_H
#define BACKEND_MEMORY_STREAM_H

#include "backend/backend.h"

/* How many bytes wait at most between two ends: what a kernel would hold in its buffers. */
#define MEMORY_CAPACITY (64 * 1024)

struct memory_network;

struct memory_network *memory_network_new(void);
void memory_network_free(struct memory_network *network);

/* @p name is copied. At most @p backlog connections wait. */
int memory_listen(struct memory_network *network, struct backend_listener *listener, weft_bytes name, int backlog);
int memory_connect(struct memory_network *network, struct backend_stream *stream, weft_bytes name);

/* Whether memory_dispatch has something to do now. */
bool memory_has_work(const struct memory_network *network);
void memory_dispatch(struct memory_network *network);

#endif
