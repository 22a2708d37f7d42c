/* SPDX-License-Identifier: MIT */
/*
 * Layers: what stands between a stream and its connection, such as TLS, a
 * PROXY header, or what is said to a SOCKS server (docs/decisions/0022).
 *
 *     weft_stream   limits, deadlines, closing; it knows nothing of layers
 *     layer         the top
 *     layer         the bottom
 *     transport     a socket, a pipe, in memory, simulated
 *
 * Each is asked from above as a backend_transport is, and told from below as
 * its owner is (backend/backend.h, whose rules hold for a layer, too): so the
 * stream works the same with any number of them, over any transport, and one
 * layer over another of its own kind. While no layer is there, nothing of this
 * costs anything.
 *
 * A layer begins when the one below it is ready, and says when it is itself;
 * when the top is, the stream is open, and a factory builds its protocol. Until
 * then the handshake's deadline holds. One that has nothing more to do leaves
 * (layer_done).
 */
#ifndef NET_LAYER_H
#define NET_LAYER_H

#include "backend/backend.h"

struct layer;
struct weft_stream;

struct layer_ops {
    const char *name;
    /* How it is handed to a new binary: the sentence that says why it is not (DESIGN.md, law 10). */
    const char *not_handed_over;

    /* What is below is ready: the handshake, if there is one, starts. Sometime after, or in this call, layer_ready, layer_done
     * or layer_fail follows. Nothing has been received before this, and receiving is stopped. */
    void (*begin)(struct layer *layer);
    /* From below, as in backend_stream_events. */
    void (*received)(struct layer *layer, weft_bytes bytes, int status);
    void (*sent)(struct layer *layer, int64_t result);
    /* From above, as in backend_transport, once it is ready. The bytes that are handed to `send` are the caller's again when it
     * returns. A send that took less than all, or answered BACKEND_LATER, is followed by layer_sent_above (as those below
     * are by `sent`), with what went since; nothing else is sent until then. */
    void (*receive_start)(struct layer *layer);
    void (*receive_stop)(struct layer *layer);
    int64_t (*send)(struct layer *layer, const weft_bytes *runs, size_t count, bool more);
    /* BACKEND_LATER: something has to go out before; it is asked again after layer_sent_above. */
    int (*shutdown)(struct layer *layer);
    /* The connection is closed after this; from now on only `free` is called. What is sent here goes out if it goes out at
     * once, unless @p abort. May be NULL. */
    void (*close)(struct layer *layer, bool abort);
    /* At the end of the stream, or after layer_done. What it had given to a send below has come home. */
    void (*free)(struct layer *layer);
};

/* The base that a layer embeds; zeroed but for `ops`. */
struct layer {
    const struct layer_ops *ops;
    struct weft_stream *stream; /* set by layers_add */
    struct layer *above, *below;
};

/* Makes the layers of each connection of a listener. */
struct layer_maker {
    int (*make)(struct layer_maker *maker, struct weft_stream *stream, struct layer **ret);
    void (*free)(struct layer_maker *maker);
    struct layer_maker *above; /* the next, or NULL */
};

/* Adds @p layer on top of what @p stream, which is not open yet, has; the stream frees it, also if this fails with
 * WEFT_ENOMEM. */
int layers_add(struct weft_stream *stream, struct layer *layer);
/* Adds one of each of a chain, from the bottom. Returns 0 or a negative error. */
int layers_make(struct weft_stream *stream, struct layer_maker *bottom);
/* The transport is ready: the bottom begins, and the stream opens once the top is ready. */
void layers_begin(struct weft_stream *stream);
void layers_free(struct weft_stream *stream);
/* The topmost; NULL without any. */
struct layer *layers_top(const struct weft_stream *stream);
/* Has @p layer, which the stream frees from now on, begin on top of what an open stream has, as soon as what was written has
 * gone out. Until then nothing is delivered; what has come by then, and is not consumed, ends the stream with @p smuggled: it
 * was not said to whoever will speak through the layer. `connected` is called once more when the layer is ready.
 * Returns 0; -EALREADY; WEFT_EENDED; WEFT_ENOMEM. */
int layers_start(struct weft_stream *stream, struct layer *layer, int smuggled);
/* All that was written has gone out. */
void layers_switch(struct weft_stream *stream);
/* NULL does nothing. */
void layer_makers_free(struct layer_maker *bottom);

/* -- what a layer asks of what is below it: as backend_transport -- */

int64_t layer_send_below(struct layer *layer, const weft_bytes *runs, size_t count, bool more);
void layer_receive_start_below(struct layer *layer);
void layer_receive_stop_below(struct layer *layer);
int layer_shutdown_below(struct layer *layer);

/* -- and what it tells what is above it: as backend_stream_events. What is above may close the connection in these -- */

void layer_received_above(struct layer *layer, weft_bytes bytes, int status);
void layer_sent_above(struct layer *layer, int64_t result);
/* Its handshake has ended well. */
void layer_ready(struct layer *layer);
/* Its handshake has ended well, and it is not needed any more: it is taken out and freed. @p rest is what it received and is not
 * its own. No send of it may be on its way. */
void layer_done(struct layer *layer, weft_bytes rest);
/* The connection is of no use any more: it is lost for @p reason. With @p gently it is not reset, so that what was sent last, an
 * alert, can arrive. */
void layer_fail(struct layer *layer, int reason, bool gently);
/* Whether the stream is lost already, or is about to be. */
bool layer_is_over(const struct layer *layer);

#endif
