/* SPDX-License-Identifier: MIT */
/*
 * A layer that talks and leaves: it says something to the other side, reads an
 * answer, and so on until both are done; then the stream goes on without it.
 * PROXY headers, SOCKS and HTTP CONNECT are such talks (layer.h).
 *
 *            begin                     heard                 over
 *   (below) ───────▶ say ... ──▶ hear ───────▶ say ... ──▶ ... ───▶ (it leaves)
 *
 * What has been said goes out before anything is heard. What was received and
 * not heard when it is over belongs to what is above.
 */
#ifndef NET_TALK_H
#define NET_TALK_H

#include "net/layer.h"

struct talk;

struct talk_ops {
    struct layer_ops layer; /* TALK_LAYER_OPS and a name */
    /* What is below is ready. Returns 0, or a negative error: the connection is lost for it. */
    int (*begin)(struct talk *talk);
    /* What was received and not heard yet. Returns how many bytes were heard; 0 if more are needed; or a negative error. */
    int (*heard)(struct talk *talk, weft_bytes in);
    void (*free)(struct talk *talk);
    size_t most;    /* bytes that may have to be kept until they can be heard */
    bool only_says; /* it hears nothing: nothing is received */
};

/* Embedded; zeroed but for `ops` and the layer's ops, by talk_init. */
struct talk {
    struct layer layer;
    const struct talk_ops *ops;
    char *out; /* what is to be said, or NULL */
    size_t out_length, out_sent;
    char *in; /* what waits to be heard, or NULL */
    size_t in_length, in_room;
    bool sending; /* a send is on its way */
    bool over;    /* set by begin or heard: this was all */
};

void talk_begin(struct layer *layer);
void talk_received(struct layer *layer, weft_bytes bytes, int status);
void talk_sent(struct layer *layer, int64_t result);
void talk_receive_start(struct layer *layer);
void talk_receive_stop(struct layer *layer);
int64_t talk_send(struct layer *layer, const weft_bytes *runs, size_t count, bool more);
int talk_shutdown(struct layer *layer);
void talk_free(struct layer *layer);

#define TALK_LAYER_OPS(what)                                                                                    \
    {                                                                                                           \
        .name = (what), .not_handed_over = "its talk is over in a moment, or the connection is lost",           \
        .begin = talk_begin, .received = talk_received, .sent = talk_sent, .receive_start = talk_receive_start, \
        .receive_stop = talk_receive_stop, .send = talk_send, .shutdown = talk_shutdown, .free = talk_free      \
    }

void talk_init(struct talk *talk, const struct talk_ops *ops);
/* To be said once begin or heard has returned: @p bytes are copied. Returns 0 or WEFT_ENOMEM. */
int talk_say(struct talk *talk, weft_bytes bytes);

#endif
