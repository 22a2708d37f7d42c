/* SPDX-License-Identifier: MIT */
/* The layers of the tests (veil.h). */
#include "net/veil.h"

#include <errno.h>
#include <string.h>

#include <weft/memory.h>

#define HELLO_LENGTH (sizeof VEIL_HELLO - 1)
#define CROSS 0x5a
/* So many bytes are crossed at a time. */
#define PIECE 5000

struct veil {
    struct layer layer;
    size_t heard; /* of the other's hello */
    bool greeted; /* ours went out */
    bool ready;
    char *early; /* what came behind the other's hello, before ours went out */
    size_t early_length;
    size_t taken;      /* what of the caller's bytes is in `out`, and he does not know yet */
    size_t begin, end; /* of what is to go out */
    char out[PIECE];
};

static struct veil *veil_of(struct layer *layer)
{
    return weft_container_of(layer, struct veil, layer);
}

static void cross(char *to, const char *from, size_t length)
{
    for (size_t i = 0; i < length; i++)
        to[i] = (char)(from[i] ^ CROSS);
}

/* Returns 1 when all has gone out, 0 when a `sent` will follow, or an error. */
static int push(struct veil *veil)
{
    weft_bytes run = weft_bytes_of(veil->out + veil->begin, veil->end - veil->begin);
    int64_t sent = run.length > 0 ? layer_send_below(&veil->layer, &run, 1, false) : 0;

    if (sent == BACKEND_LATER)
        return 0;
    if (sent < 0)
        return (int)sent;
    veil->begin += (size_t)sent;
    return veil->begin == veil->end;
}

/* Both hellos are over, or one more is to come. */
static void be_ready(struct veil *veil)
{
    if (veil->heard < HELLO_LENGTH)
        return;
    layer_receive_stop_below(&veil->layer);
    if (!veil->greeted)
        return;
    veil->ready = true;
    layer_ready(&veil->layer);
}

static void begin(struct layer *layer)
{
    struct veil *veil = veil_of(layer);
    int status;

    memcpy(veil->out, VEIL_HELLO, HELLO_LENGTH);
    veil->begin = 0;
    veil->end = HELLO_LENGTH;
    status = push(veil);
    if (status < 0) {
        layer_fail(layer, status, false);
        return;
    }
    veil->greeted = status > 0;
    layer_receive_start_below(layer);
}

/* Hands up what is behind the hello, or is all. (In one piece: if receiving is stopped in the middle, one delivery may follow
 * and not several.) */
static void hand_up(struct veil *veil, weft_bytes bytes)
{
    char *plain;

    if (bytes.length == 0 || layer_is_over(&veil->layer))
        return;
    plain = weft_allocate(bytes.length);
    if (!plain) {
        layer_fail(&veil->layer, WEFT_ENOMEM, false);
        return;
    }
    cross(plain, bytes.data, bytes.length);
    layer_received_above(&veil->layer, weft_bytes_of(plain, bytes.length), 0);
    weft_release(plain);
}

static void keep_early(struct veil *veil, weft_bytes bytes)
{
    char *grown = bytes.length > 0 ? weft_reallocate(veil->early, veil->early_length + bytes.length) : NULL;

    if (bytes.length == 0)
        return;
    if (!grown) {
        layer_fail(&veil->layer, WEFT_ENOMEM, false);
        return;
    }
    memcpy(grown + veil->early_length, bytes.data, bytes.length);
    veil->early = grown;
    veil->early_length += bytes.length;
}

static void received(struct layer *layer, weft_bytes bytes, int status)
{
    struct veil *veil = veil_of(layer);
    size_t rest = HELLO_LENGTH - veil->heard, hello = bytes.length < rest ? bytes.length : rest;

    if (bytes.length == 0) {
        if (veil->ready)
            layer_received_above(layer, bytes, status);
        else
            layer_fail(layer, status < 0 ? status : WEFT_ETRUNCATED, false);
        return;
    }
    if (memcmp(bytes.data, &VEIL_HELLO[veil->heard], hello) != 0) {
        layer_fail(layer, WEFT_EPROTOCOL, false);
        return;
    }
    if (veil->ready) {
        hand_up(veil, bytes);
        return;
    }
    veil->heard += hello;
    be_ready(veil);
    if (veil->ready)
        hand_up(veil, weft_bytes_skip(bytes, hello));
    else
        keep_early(veil, weft_bytes_skip(bytes, hello));
}

static void sent(struct layer *layer, int64_t result)
{
    struct veil *veil = veil_of(layer);
    size_t taken = veil->taken;
    int status;

    if (result < 0) {
        if (veil->ready)
            layer_sent_above(layer, result);
        else
            layer_fail(layer, (int)result, false);
        return;
    }
    veil->begin += (size_t)result;
    status = push(veil);
    if (status == 0)
        return;
    if (!veil->ready) {
        veil->greeted = true;
        be_ready(veil);
        if (veil->ready)
            hand_up(veil, weft_bytes_of(veil->early, veil->early_length));
        return;
    }
    layer_sent_above(layer, status < 0 ? status : (int64_t)taken);
}

static void receive_start(struct layer *layer)
{
    layer_receive_start_below(layer);
}

static void receive_stop(struct layer *layer)
{
    layer_receive_stop_below(layer);
}

/* Crosses as much as there is room for, from @p offset in the first of @p runs. Returns how many runs are used up. */
static size_t fill(struct veil *veil, const weft_bytes *runs, size_t count, size_t *offset)
{
    size_t used = 0;

    veil->begin = veil->end = 0;
    while (used < count && veil->end < PIECE) {
        weft_bytes rest = weft_bytes_first(weft_bytes_skip(runs[used], *offset), PIECE - veil->end);

        cross(veil->out + veil->end, rest.data, rest.length);
        veil->end += rest.length;
        *offset += rest.length;
        if (*offset == runs[used].length) {
            used++;
            *offset = 0;
        }
    }
    veil->taken += veil->end;
    return used;
}

/* (All, or what goes out until a `sent` is owed.) */
static int64_t send_runs(struct layer *layer, const weft_bytes *runs, size_t count, bool more)
{
    struct veil *veil = veil_of(layer);
    size_t offset = 0;
    int status = 1;

    (void)more;
    veil->taken = 0;
    while (count > 0 && status > 0) {
        size_t used = fill(veil, runs, count, &offset);

        runs += used;
        count -= used;
        status = push(veil);
    }
    if (status < 0)
        return status;
    return status == 0 ? BACKEND_LATER : (int64_t)veil->taken;
}

static int shutdown_below(struct layer *layer)
{
    return layer_shutdown_below(layer);
}

static void veil_free(struct layer *layer)
{
    weft_release(veil_of(layer)->early);
    weft_release(veil_of(layer));
}

static const struct layer_ops veil_ops = {
    .name = "veil",
    .not_handed_over = "it is a test's",
    .begin = begin,
    .received = received,
    .sent = sent,
    .receive_start = receive_start,
    .receive_stop = receive_stop,
    .send = send_runs,
    .shutdown = shutdown_below,
    .free = veil_free,
};

struct layer *veil_new(void)
{
    struct veil *veil = weft_allocate_zeroed(1, sizeof *veil);

    if (!veil)
        return NULL;
    veil->layer.ops = &veil_ops;
    return &veil->layer;
}

/* -- for listeners -- */

static int make(struct layer_maker *maker, struct weft_stream *stream, struct layer **ret)
{
    struct layer *layer = veil_new();

    (void)maker;
    (void)stream;
    if (!layer)
        return WEFT_ENOMEM;
    *ret = layer;
    return 0;
}

static void maker_free(struct layer_maker *maker)
{
    weft_release(maker);
}

struct layer_maker *veil_maker_new(void)
{
    struct layer_maker *maker = weft_allocate_zeroed(1, sizeof *maker);

    if (maker)
        *maker = (struct layer_maker){.make = make, .free = maker_free};
    return maker;
}

/* -- a line -- */

struct line {
    struct layer layer;
    char *text;
    size_t length, size;
};

static void line_begin(struct layer *layer)
{
    layer_receive_start_below(layer);
}

static void line_received(struct layer *layer, weft_bytes bytes, int status)
{
    struct line *line = weft_container_of(layer, struct line, layer);

    if (bytes.length == 0) {
        layer_fail(layer, status < 0 ? status : WEFT_ETRUNCATED, false);
        return;
    }
    for (size_t i = 0; i < bytes.length; i++) {
        if (bytes.data[i] == '\n') {
            line->text[line->length] = '\0';
            layer_done(layer, weft_bytes_skip(bytes, i + 1));
            return;
        }
        if (line->length + 1 == line->size) {
            layer_fail(layer, WEFT_EPROTOCOL, true);
            return;
        }
        line->text[line->length++] = bytes.data[i];
    }
}

static void line_free(struct layer *layer)
{
    weft_release(weft_container_of(layer, struct line, layer));
}

/* (Nothing is asked of it from above before it is done.) */
static const struct layer_ops line_ops = {
    .name = "line",
    .not_handed_over = "it is a test's",
    .begin = line_begin,
    .received = line_received,
    .free = line_free,
};

struct layer *line_new(char *text, size_t size)
{
    struct line *line = weft_allocate_zeroed(1, sizeof *line);

    if (!line)
        return NULL;
    line->layer.ops = &line_ops;
    line->text = text;
    line->size = size;
    return &line->layer;
}
