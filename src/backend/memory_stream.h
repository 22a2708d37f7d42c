/* SPDX-License-Identifier: MIT */
/*
 * Streams inside one process: what mem:// means on every backend, and what
 * all streams are under the simulator.
 *
 * A network belongs to one backend. Without a `memory_chaos` it is a plain
 * pair of pipes; with one, bytes are split, delayed and lost with their
 * connection as the seed says.
 */
#ifndef BACKEND_MEMORY_STREAM_H
#define BACKEND_MEMORY_STREAM_H

#include "backend/backend.h"

/* How many bytes wait at most between two ends: what a kernel would hold in its buffers. */
#define MEMORY_CAPACITY (64 * 1024)

/* The hostile part of a network; the simulator supplies it. */
struct memory_chaos {
    /* How many of @p count bytes move at once (1 ... count). */
    size_t (*split)(struct memory_chaos *chaos, size_t count);
    /* The time at which something that happens now arrives. */
    weft_time (*arrival)(struct memory_chaos *chaos);
    /* Whether the connection breaks now. */
    bool (*breaks)(struct memory_chaos *chaos);
    weft_time (*now)(struct memory_chaos *chaos);
};

struct memory_network;

struct memory_network *memory_network_new(struct memory_chaos *chaos);
void memory_network_free(struct memory_network *network);

/* @p name is copied. Under the simulator names are addresses as text. At most @p backlog connections wait. */
int memory_listen(struct memory_network *network, struct backend_listener *listener, weft_bytes name, int backlog);
bool memory_is_listened_at(const struct memory_network *network, weft_bytes name);
int memory_connect(struct memory_network *network, struct backend_stream *stream, weft_bytes name);

/* Whether memory_dispatch has something to do now. */
bool memory_has_work(const struct memory_network *network);
/* When it next will: WEFT_NEVER if nothing is under way. */
weft_time memory_next(const struct memory_network *network);
void memory_dispatch(struct memory_network *network);

/* The address that a name stands for; the simulator sets it for what it listens at. */
void memory_listener_set_address(struct backend_listener *listener, const weft_address *address);

#endif
