/* SPDX-License-Identifier: MIT */
/*
 * A layer that is as little as one can be and has all that TLS has: a
 * handshake, bytes that look otherwise below than above, and a send below that
 * may take less than it was given. Each side says hello and waits for the
 * other's; then every byte is crossed with a constant.
 */
#ifndef NET_VEIL_H
#define NET_VEIL_H

#include "net/layer.h"

#define VEIL_HELLO "veil!"

struct layer *veil_new(void);
/* For the connections of a listener. */
struct layer_maker *veil_maker_new(void);

/* A layer that reads a line, keeps it, and leaves. */
struct layer *line_new(char *line, size_t size);

#endif
