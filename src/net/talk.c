/* SPDX-License-Identifier: MIT */
#include "net/talk.h"

#include <weft/memory.h>
#include <weft/secret.h>

static struct talk *talk_of(struct layer *layer)
{
    return weft_container_of(layer, struct talk, layer);
}

void talk_init(struct talk *talk, const struct talk_ops *ops)
{
    *talk = (struct talk){.layer.ops = &ops->layer, .ops = ops};
}

/* -- saying -- */

/* It may hold a password. */
static void forget_out(struct talk *talk)
{
    if (!talk->out)
        return;
    weft_secret_clear(talk->out, talk->out_length);
    weft_release(talk->out);
    talk->out = NULL;
    talk->out_length = talk->out_sent = 0;
}

int talk_say(struct talk *talk, weft_bytes bytes)
{
    char *out = weft_allocate(talk->out_length + bytes.length);

    if (!out)
        return WEFT_ENOMEM;
    if (talk->out_length > 0)
        memcpy(out, talk->out, talk->out_length);
    memcpy(out + talk->out_length, bytes.data, bytes.length);
    if (talk->out)
        weft_secret_clear(talk->out, talk->out_length);
    weft_release(talk->out);
    talk->out = out;
    talk->out_length += bytes.length;
    return 0;
}

/* A part that went is followed by `sent`, as none is (backend.h, 4). */
static bool send_rest(struct talk *talk)
{
    weft_bytes rest = weft_bytes_of(talk->out + talk->out_sent, talk->out_length - talk->out_sent);
    int64_t sent = layer_send_below(&talk->layer, &rest, 1, false);

    if (sent < 0 && sent != BACKEND_LATER) {
        layer_fail(&talk->layer, (int)sent, false);
        return false;
    }
    if (sent > 0)
        talk->out_sent += (size_t)sent;
    talk->sending = talk->out_sent < talk->out_length;
    return !talk->sending;
}

/* Returns whether all has been said; if not, `sent` follows, or the connection is lost. */
static bool say(struct talk *talk)
{
    if (talk->out_sent < talk->out_length && !send_rest(talk))
        return false;
    forget_out(talk);
    return true;
}

/* -- hearing -- */

static void drop_heard(struct talk *talk, size_t count)
{
    talk->in_length -= count;
    memmove(talk->in, talk->in + count, talk->in_length);
}

static int keep(struct talk *talk, weft_bytes bytes)
{
    size_t needed = talk->in_length + bytes.length;
    char *in;

    if (bytes.length == 0)
        return 0;
    if (needed > talk->in_room) {
        in = weft_reallocate(talk->in, needed);
        if (!in)
            return WEFT_ENOMEM;
        talk->in = in;
        talk->in_room = needed;
    }
    memcpy(talk->in + talk->in_length, bytes.data, bytes.length);
    talk->in_length = needed;
    return 0;
}

/* Goes on as far as it can with what is kept and, if nothing is, with @p fresh. */
static void go_on(struct talk *talk, weft_bytes fresh)
{
    bool kept = talk->in_length > 0;
    int status;

    while (say(talk)) {
        weft_bytes in = kept ? weft_bytes_of(talk->in, talk->in_length) : fresh;
        int heard = talk->over || in.length == 0 ? 0 : talk->ops->heard(talk, in);

        if (heard < 0) {
            layer_fail(&talk->layer, heard, false);
            return;
        }
        if (kept)
            drop_heard(talk, (size_t)heard);
        else
            fresh = weft_bytes_skip(fresh, (size_t)heard);
        if (heard > 0)
            continue;
        if (talk->over) {
            layer_done(&talk->layer, in);
            return;
        }
        break;
    }
    if (layer_is_over(&talk->layer))
        return;
    status = kept ? 0 : keep(talk, fresh);
    if (status == 0 && talk->in_length > talk->ops->most)
        status = WEFT_EPROTOCOL;
    if (status < 0)
        layer_fail(&talk->layer, status, false);
}

/* -- as a layer -- */

void talk_begin(struct layer *layer)
{
    struct talk *talk = talk_of(layer);
    int status = talk->ops->begin(talk);

    if (status < 0) {
        layer_fail(layer, status, false);
        return;
    }
    if (!talk->ops->only_says)
        layer_receive_start_below(layer);
    go_on(talk, weft_bytes_of(NULL, 0));
}

void talk_received(struct layer *layer, weft_bytes bytes, int status)
{
    struct talk *talk = talk_of(layer);

    if (bytes.length == 0) {
        layer_fail(layer, status < 0 ? status : WEFT_ETRUNCATED, false);
        return;
    }
    if (talk->in_length > 0 || talk->sending) {
        status = keep(talk, bytes);
        bytes.length = 0;
    }
    if (status < 0)
        layer_fail(layer, status, false);
    else if (!talk->sending)
        go_on(talk, bytes);
    else if (talk->in_length > talk->ops->most)
        layer_fail(layer, WEFT_EPROTOCOL, false);
}

void talk_sent(struct layer *layer, int64_t result)
{
    struct talk *talk = talk_of(layer);

    talk->sending = false;
    if (result < 0) {
        layer_fail(layer, (int)result, false);
        return;
    }
    talk->out_sent += (size_t)result;
    go_on(talk, weft_bytes_of(NULL, 0));
}

/* What is above begins when this has left: nothing is asked before. */

void talk_receive_start(struct layer *layer)
{
    layer_receive_start_below(layer);
}

void talk_receive_stop(struct layer *layer)
{
    layer_receive_stop_below(layer);
}

int64_t talk_send(struct layer *layer, const weft_bytes *runs, size_t count, bool more)
{
    return layer_send_below(layer, runs, count, more);
}

int talk_shutdown(struct layer *layer)
{
    return layer_shutdown_below(layer);
}

void talk_free(struct layer *layer)
{
    struct talk *talk = talk_of(layer);

    forget_out(talk);
    weft_release(talk->in);
    talk->ops->free(talk);
}
