/* SPDX-License-Identifier: MIT */
/* The TLS layer: its life, and bytes in both directions (tls_internal.h). */
#include "net/tls_internal.h"

#include <openssl/err.h>

#include <weft/memory.h>

#include "base/probe.h"

/* One delivery at most, four full records. */
#define DELIVERY ((size_t)64 * 1024)
#define RECORD ((size_t)16 * 1024)
/* A record's bytes at most, as it is sent (RFC 5246 §6.2.3). */
#define RECORD_MOST (16 * 1024 + 2048 + 5)
/* So much is encrypted before it is tried to send it; and so much is taken of one send. */
#define BATCH (4 * RECORD)
#define TAKEN_MOST (256 * 1024)
/* More than any answer of a handshake or alert, with what a batch becomes. */
#define OUTPUT_MOST ((size_t)512 * 1024)
/* Bytes without data that a peer may send on credit; each byte of data, and each delivery, gives some back. */
#define VAIN_MOST (16 * 1024)
#define VAIN_CREDIT 320
/* A key is changed long before AES-GCM wears out (RFC 8446 §5.5: 2^24.5 records). */
#define KEY_MOST ((uint64_t)64 << 30)

static struct tls_layer *tls_of(struct layer *layer)
{
    return weft_container_of(layer, struct tls_layer, layer);
}

struct tls_layer *tls_layer_of(struct layer *layer)
{
    return layer->ops == &tls_ops ? tls_of(layer) : NULL;
}

static weft_loop *loop_of(const struct tls_layer *tls)
{
    return tls->layer.stream->loop;
}

/* -- memory for what is decrypted: one piece for each delivery that is under way, on any connection of the loop -- */

struct scratch {
    struct loop_slot slot;
    struct piece {
        struct piece *next;
        char data[DELIVERY];
    } * free;
};

static const char scratch_key;

static void scratch_destroy(struct loop_slot *slot)
{
    struct scratch *scratch = weft_container_of(slot, struct scratch, slot);

    weft_release(scratch->free);
    weft_release(scratch);
}

static struct scratch *scratch_of(weft_loop *loop)
{
    struct loop_slot *slot = loop_slot_find(loop, &scratch_key);
    struct scratch *scratch;

    if (slot)
        return weft_container_of(slot, struct scratch, slot);
    scratch = weft_allocate_zeroed(1, sizeof *scratch);
    if (scratch)
        loop_slot_enter(loop, &scratch->slot, &scratch_key, scratch_destroy);
    return scratch;
}

static struct piece *piece_take(weft_loop *loop)
{
    struct scratch *scratch = scratch_of(loop);
    struct piece *piece;

    if (!scratch)
        return NULL;
    piece = scratch->free ? scratch->free : weft_allocate(sizeof *piece);
    scratch->free = NULL;
    return piece;
}

static void piece_give(weft_loop *loop, struct piece *piece)
{
    struct scratch *scratch = scratch_of(loop);

    if (scratch->free)
        weft_release(piece);
    else
        scratch->free = piece;
}

/* -- the ends of OpenSSL's BIO -- */

int tls_read(struct tls_layer *tls, char *data, size_t room, size_t *ret_count)
{
    weft_bytes bytes = weft_bytes_first(tls->feed, room);

    if (bytes.length == 0)
        return 0;
    memcpy(data, bytes.data, bytes.length);
    tls->feed = weft_bytes_skip(tls->feed, bytes.length);
    *ret_count = bytes.length;
    return 1;
}

/* Takes all or, for want of memory, nothing: then the connection is lost. */
int tls_write(struct tls_layer *tls, const char *data, size_t length)
{
    int status = WEFT_EOUTPUTLIMIT;

    if (weft_bytequeue_length(&tls->output) + length <= OUTPUT_MOST)
        status = weft_bytequeue_append(&tls->output, loop_of(tls)->chunks, weft_bytes_of(data, length));
    if (status < 0)
        tls->error = status;
    return status == 0;
}

/* -- down: what OpenSSL wrote goes out -- */

/* 0: all has gone; 1: the rest follows when what is below has said so; or an error. */
static int flush(struct tls_layer *tls)
{
    weft_bytes runs[BACKEND_RUNS];

    if (tls->send_error < 0)
        return tls->below_status < 0 ? tls->below_status : tls->send_error; /* what was known first */
    while (!(tls->flags & TLS_SENDING) && !weft_bytequeue_is_empty(&tls->output)) {
        size_t count = weft_bytequeue_peek(&tls->output, runs, BACKEND_RUNS), wanted = 0;
        int64_t sent = layer_send_below(&tls->layer, runs, count, false);

        if (sent < 0 && sent != BACKEND_LATER)
            return tls->send_error = (int)sent;
        for (size_t i = 0; i < count; i++)
            wanted += runs[i].length;
        if (sent > 0)
            weft_bytequeue_consume(&tls->output, loop_of(tls)->chunks, (uint64_t)sent);
        if (sent < 0 || (uint64_t)sent < wanted)
            tls->flags |= TLS_SENDING;
    }
    return (tls->flags & TLS_SENDING) != 0;
}

/* What is left over of a batch is told as sent when it is: until then the stream keeps its plain text queued. */
static void sent(struct layer *layer, int64_t result)
{
    struct tls_layer *tls = tls_of(layer);
    int64_t owed = tls->owed;
    int status = result < 0 ? (int)result : 0;

    tls->flags &= ~(uint32_t)TLS_SENDING;
    if (tls->flags & TLS_DEAD)
        return;
    if (result > 0)
        weft_bytequeue_consume(&tls->output, loop_of(tls)->chunks, (uint64_t)result);
    if (status < 0)
        tls->send_error = status;
    status = flush(tls);
    if (status > 0)
        return;
    if (!(tls->flags & TLS_OWING))
        return; /* if it was an error, of a handshake or an alert: whoever receives hears why */
    tls->flags &= ~(uint32_t)TLS_OWING;
    tls->owed = 0;
    layer_sent_above(layer, status < 0 ? status : owed);
}

/* Encrypts one contiguous piece. */
static int encrypt(struct tls_layer *tls, const char *data, size_t length)
{
    while (length > 0) {
        size_t written = 0;

        if (!SSL_write_ex(tls->ssl, data, length, &written)) {
            tls->flags |= TLS_DEAD;
            return tls_error_take(tls, "sending failed");
        }
        data += written;
        length -= written;
        tls->taken += written;
    }
    if (tls->taken > KEY_MOST && SSL_version(tls->ssl) >= TLS1_3_VERSION) {
        tls->taken = 0;
        (void)SSL_key_update(tls->ssl, SSL_KEY_UPDATE_NOT_REQUESTED);
    }
    return 0;
}

/* Where a send has got to in its runs. */
struct position {
    const weft_bytes *runs;
    size_t count, offset;
};

static bool is_at_end(struct position *at)
{
    while (at->count > 0 && at->runs->length == at->offset) {
        at->runs++;
        at->count--;
        at->offset = 0;
    }
    return at->count == 0;
}

/* The next piece to be encrypted: of one run, if that fills a record, or gathered into @p record. */
static weft_bytes next_piece(struct position *at, char *record, size_t most)
{
    size_t gathered = 0;
    weft_bytes run;

    if (is_at_end(at))
        return weft_bytes_of(NULL, 0);
    run = weft_bytes_first(weft_bytes_skip(*at->runs, at->offset), most);
    if (run.length >= RECORD || at->count == 1) {
        run.length -= run.length > RECORD ? run.length % RECORD : 0;
        at->offset += run.length;
        return run;
    }
    for (; at->count > 0 && gathered < RECORD; at->runs++, at->count--, at->offset = 0) {
        run = weft_bytes_first(weft_bytes_skip(*at->runs, at->offset), RECORD - gathered);
        if (run.length > 0)
            memcpy(record + gathered, run.data, run.length);
        gathered += run.length;
        at->offset += run.length;
        if (at->offset < at->runs->length)
            break;
    }
    return weft_bytes_of(record, gathered);
}

/* Encrypts up to a batch. Returns how many bytes, or an error. */
static int64_t encrypt_batch(struct tls_layer *tls, struct position *at)
{
    struct piece *record = piece_take(loop_of(tls)); /* (a stack may be a task's) */
    size_t taken = 0;
    int status = record ? 0 : WEFT_ENOMEM;

    tls_loop = loop_of(tls);
    ERR_clear_error();
    while (status == 0 && taken < BATCH && !is_at_end(at)) {
        weft_bytes piece = next_piece(at, record->data, BATCH - taken);

        status = encrypt(tls, piece.data, piece.length);
        taken += piece.length;
    }
    tls_loop = NULL;
    if (record)
        piece_give(loop_of(tls), record);
    return status < 0 ? status : (int64_t)taken;
}

static int64_t owe(struct tls_layer *tls, int64_t owed, int64_t result)
{
    tls->flags |= TLS_OWING;
    tls->owed = owed;
    return result;
}

static int64_t send_runs(struct layer *layer, const weft_bytes *runs, size_t count, bool more)
{
    struct tls_layer *tls = tls_of(layer);
    struct position at = {runs, count, 0};
    int64_t taken = 0;

    (void)more;
    if (tls->flags & (TLS_DEAD | TLS_SHUT))
        return tls->failure ? weft_failure_error(tls->failure) : -EPIPE;
    if (tls->flags & TLS_SENDING)
        return owe(tls, 0, BACKEND_LATER);
    while (!is_at_end(&at) && taken < TAKEN_MOST) {
        int64_t batch = encrypt_batch(tls, &at);
        int status = batch < 0 ? (int)batch : flush(tls);

        if (status < 0)
            return status;
        if (status > 0) {
            PROBE("tls: a send has to wait");
            return owe(tls, batch, taken > 0 ? taken : BACKEND_LATER);
        }
        taken += batch;
    }
    if (is_at_end(&at))
        return taken;
    loop_later(loop_of(tls), &tls->task); /* it is another's turn */
    return owe(tls, 0, taken);
}

/* -- up: what was received is decrypted -- */

/* Starts and stops receiving below, as it is wanted. */
static void settle(struct tls_layer *tls)
{
    uint32_t waits = TLS_ENDED | TLS_BELOW_OVER | TLS_DEAD;
    bool wanted = !(tls->flags & waits) && !tls->stash && (!(tls->flags & TLS_READY) || (tls->flags & TLS_RECEIVING));

    if (!(tls->flags & TLS_BEGUN) || (tls->flags & TLS_PUMPING) || wanted == ((tls->flags & TLS_RECEIVING_BELOW) != 0))
        return;
    tls->flags ^= TLS_RECEIVING_BELOW;
    if (wanted)
        layer_receive_start_below(&tls->layer);
    else
        layer_receive_stop_below(&tls->layer);
}

/* Keeps @p bytes behind what is in the stash. */
static int stash(struct tls_layer *tls, weft_bytes bytes)
{
    struct tls_stash *stash = tls->stash;
    size_t used = stash ? stash->end - stash->begin : 0, room = used + bytes.length;

    if (bytes.length == 0)
        return 0;
    PROBE("tls: what came waits until it is wanted");
    if (!stash || stash->room - stash->begin < room) {
        stash = weft_allocate(sizeof *stash + room);
        if (!stash)
            return WEFT_ENOMEM;
        if (used > 0)
            memcpy(stash->data, tls->stash->data + tls->stash->begin, used);
        weft_release(tls->stash);
        *stash = (struct tls_stash){.end = used, .room = room};
        tls->stash = stash;
    }
    memcpy(stash->data + stash->end, bytes.data, bytes.length);
    stash->end += bytes.length;
    return 0;
}

static void fail(struct tls_layer *tls, int error, bool gently)
{
    tls->flags |= TLS_DEAD;
    layer_fail(&tls->layer, error, gently);
}

/* OpenSSL has written an alert, which is to arrive. */
static void fail_with_alert(struct tls_layer *tls, int error)
{
    bool goes = flush(tls) >= 0;

    fail(tls, error, goes);
}

/* What reads bring in vain: KeyUpdates, tickets, records without data (TL-10). What has come of a record that is not whole
 * is not counted, as long as it can be one. */
static bool is_flood(struct tls_layer *tls, size_t consumed, size_t count)
{
    tls->partial += (uint32_t)consumed;
    if (count > 0) {
        size_t credit = count + VAIN_CREDIT;

        tls->vain = tls->vain > credit ? tls->vain - (uint32_t)credit : 0;
        tls->partial = 0;
    } else if (tls->feed.length > 0 || tls->partial > RECORD_MOST) {
        tls->vain += tls->partial;
        tls->partial = 0;
    }
    return tls->vain > VAIN_MOST;
}

/* What decrypting came to. */
enum outcome { MORE, STARVED, CLOSED, FAILED };

static enum outcome read_record(struct tls_layer *tls, char *data, size_t room, size_t *ret_count)
{
    size_t before = tls->feed.length;
    int result, error;

    result = SSL_read_ex(tls->ssl, data, room, ret_count);
    if (!result)
        *ret_count = 0;
    error = result ? SSL_ERROR_NONE : SSL_get_error(tls->ssl, result);
    if (error == SSL_ERROR_ZERO_RETURN)
        return CLOSED;
    if (error != SSL_ERROR_NONE && error != SSL_ERROR_WANT_READ) {
        tls->flags |= TLS_DEAD;
        (void)tls_error_take(tls, "receiving failed");
        return FAILED;
    }
    if (is_flood(tls, before - tls->feed.length, *ret_count)) {
        (void)tls_error_set(tls, WEFT_ETLSFLOOD, "more than %d bytes came that carry no data", VAIN_MOST);
        return FAILED;
    }
    return tls->feed.length > 0 ? MORE : STARVED;
}

/* Decrypts up to one delivery. */
static enum outcome decrypt(struct tls_layer *tls, char *data, size_t *ret_length)
{
    enum outcome outcome = MORE;
    size_t length = 0;

    tls_loop = loop_of(tls);
    ERR_clear_error();
    while (outcome == MORE && DELIVERY - length >= RECORD) {
        size_t count;

        outcome = read_record(tls, data + length, DELIVERY - length, &count);
        length += count;
    }
    tls_loop = NULL;
    *ret_length = length;
    return outcome;
}

/* Reads and delivers once. Returns whether there may be more to do. */
static bool deliver(struct tls_layer *tls)
{
    struct piece *piece = piece_take(loop_of(tls));
    enum outcome outcome;
    size_t length;

    if (!piece) {
        fail(tls, WEFT_ENOMEM, false);
        return false;
    }
    outcome = decrypt(tls, piece->data, &length);
    if (outcome == CLOSED)
        tls->flags |= TLS_ENDED;
    if (length > 0)
        layer_received_above(&tls->layer, weft_bytes_of(piece->data, length), 0);
    piece_give(loop_of(tls), piece);
    if (layer_is_over(&tls->layer))
        return false;
    (void)flush(tls); /* an answer to what came; if it cannot go out, what receives next says why */
    if (outcome == FAILED) {
        fail_with_alert(tls, weft_failure_error(tls->failure));
        return false;
    }
    return outcome == MORE;
}

/* An end, or a failure, of what is below: the handshake's, or without a close_notify of the peer's. */
static void tell_below_over(struct tls_layer *tls)
{
    int status = tls->below_status < 0 ? tls->below_status : tls->send_error; /* it may be told once, to who sends */

    if (!(tls->flags & TLS_READY)) {
        if (status == 0)
            status = tls_error_set(tls, WEFT_ETLSHANDSHAKE, "the peer ended the connection in the TLS handshake");
        fail(tls, status, false);
        return;
    }
    tls->flags |= TLS_END_TOLD;
    if (status == 0)
        status = tls_error_set(tls, WEFT_ETLSTRUNCATED, "the peer ended the connection without a close_notify");
    layer_received_above(&tls->layer, weft_bytes_of(NULL, 0), status);
}

static void tell_end(struct tls_layer *tls)
{
    if ((tls->flags & TLS_END_TOLD) || !(tls->flags & TLS_RECEIVING))
        return; /* (an end waits until it is wanted) */
    if (tls->flags & TLS_ENDED) {
        tls->flags |= TLS_END_TOLD;
        layer_received_above(&tls->layer, weft_bytes_of(NULL, 0), 0);
    } else if ((tls->flags & TLS_BELOW_OVER) && tls->feed.length == 0) {
        tell_below_over(tls);
    }
}

static void shake_hands(struct tls_layer *tls)
{
    int status, flushed;

    do
        status = tls_handshake_step(tls);
    while (status == 0 && tls->feed.length > 0);
    if (status < 0) {
        fail_with_alert(tls, status);
        return;
    }
    flushed = flush(tls);
    if (flushed < 0 && status == 0)
        PROBE(
            "tls: a handshake's answer did not go out"); /* an alert may say why; if not, an end or the deadline does */
    if (status == 1)
        layer_ready(&tls->layer);
}

static void pump_feed(struct tls_layer *tls)
{
    if (!(tls->flags & TLS_READY)) {
        shake_hands(tls);
        if (!(tls->flags & TLS_READY) || layer_is_over(&tls->layer))
            return;
    }
    while ((tls->flags & (TLS_RECEIVING | TLS_ENDED | TLS_DEAD)) == TLS_RECEIVING && tls->feed.length > 0)
        if (!deliver(tls))
            break;
    if (!layer_is_over(&tls->layer) && !(tls->flags & TLS_DEAD)) {
        if (tls->flags & TLS_ENDED)
            tls->feed = weft_bytes_of(NULL, 0); /* RFC 8446 §6.1: what follows is ignored */
        tell_end(tls);
    }
}

/* What of the stash was not read stays in it. */
static void put_back(struct tls_layer *tls)
{
    if (tls->feed.length > 0 && !(tls->flags & TLS_DEAD)) {
        tls->stash->begin = tls->stash->end - tls->feed.length;
    } else {
        weft_release(tls->stash);
        tls->stash = NULL;
    }
    tls->feed = weft_bytes_of(NULL, 0);
}

void tls_pump(struct tls_layer *tls)
{
    struct tls_stash *waiting = tls->stash;

    if (waiting)
        tls->feed = weft_bytes_of(waiting->data + waiting->begin, waiting->end - waiting->begin);
    tls->flags |= TLS_PUMPING;
    pump_feed(tls);
    tls->flags &= ~(uint32_t)TLS_PUMPING;
    if (waiting)
        put_back(tls);
    if (!layer_is_over(&tls->layer))
        settle(tls);
}

static void take(struct tls_layer *tls, weft_bytes bytes)
{
    bool wait = tls->stash || ((tls->flags & (TLS_READY | TLS_RECEIVING)) == TLS_READY);
    int status = 0;

    if (!wait) {
        tls->feed = bytes;
        tls_pump(tls);
        bytes = tls->feed;
        tls->feed = weft_bytes_of(NULL, 0);
    }
    if (layer_is_over(&tls->layer) || (tls->flags & (TLS_DEAD | TLS_ENDED)))
        return;
    status = stash(tls, bytes);
    if (status < 0)
        fail(tls, status, false);
    else
        settle(tls);
}

static void received(struct layer *layer, weft_bytes bytes, int status)
{
    struct tls_layer *tls = tls_of(layer);

    if (tls->flags & (TLS_DEAD | TLS_ENDED))
        return;
    if (bytes.length > 0) {
        take(tls, bytes);
        return;
    }
    tls->flags |= TLS_BELOW_OVER;
    tls->flags &= ~(uint32_t)TLS_RECEIVING_BELOW;
    tls->below_status = status;
    if (!(tls->flags & TLS_READY))
        tell_below_over(tls);
    else if (!tls->stash && status < 0)
        tell_below_over(tls); /* whoever does not read is told of a failure, too */
    else if (!tls->stash)
        tell_end(tls);
}

/* -- what is asked from above -- */

static void run_task(struct loop_task *task)
{
    struct tls_layer *tls = weft_container_of(task, struct tls_layer, task);

    if (tls->flags & TLS_FREED) {
        weft_release(tls);
        return;
    }
    if ((tls->flags & TLS_DEAD) || layer_is_over(&tls->layer))
        return;
    if ((tls->flags & (TLS_OWING | TLS_SENDING)) == TLS_OWING) {
        int64_t owed = tls->owed;

        tls->flags &= ~(uint32_t)TLS_OWING;
        tls->owed = 0;
        layer_sent_above(&tls->layer, owed);
    }
    if (!(tls->flags & TLS_DEAD) && !layer_is_over(&tls->layer))
        tls_pump(tls);
}

static void receive_start(struct layer *layer)
{
    struct tls_layer *tls = tls_of(layer);

    tls->flags |= TLS_RECEIVING;
    if (tls->flags & (TLS_PUMPING | TLS_DEAD))
        return;
    if (tls->stash || (tls->flags & (TLS_ENDED | TLS_BELOW_OVER)))
        loop_later(loop_of(tls), &tls->task); /* nobody is called back from here */
    else
        settle(tls);
}

static void receive_stop(struct layer *layer)
{
    struct tls_layer *tls = tls_of(layer);

    tls->flags &= ~(uint32_t)TLS_RECEIVING;
    settle(tls);
}

static void say_goodbye(struct tls_layer *tls)
{
    tls->flags |= TLS_SHUT;
    tls_loop = loop_of(tls);
    ERR_clear_error();
    (void)SSL_shutdown(tls->ssl);
    ERR_clear_error();
    tls_loop = NULL;
}

static int shut(struct layer *layer)
{
    struct tls_layer *tls = tls_of(layer);
    int status;

    if ((tls->flags & (TLS_READY | TLS_SHUT | TLS_DEAD)) == TLS_READY)
        say_goodbye(tls);
    status = flush(tls);
    if (status == 0)
        status = layer_shutdown_below(layer);
    else if (status > 0)
        status = BACKEND_LATER;
    return status == BACKEND_LATER ? (int)owe(tls, 0, BACKEND_LATER) : status;
}

static void end(struct layer *layer, bool abort)
{
    struct tls_layer *tls = tls_of(layer);

    if (!abort && (tls->flags & (TLS_READY | TLS_SHUT | TLS_DEAD)) == TLS_READY) {
        say_goodbye(tls);
        (void)flush(tls);
    }
    tls->flags |= TLS_DEAD;
    tls_handshake_counted_off(tls);
}

static void free_layer(struct layer *layer)
{
    struct tls_layer *tls = tls_of(layer);

    tls_handshake_counted_off(tls);
    if (tls->ssl)
        SSL_set_shutdown(tls->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN); /* its session is good all the same */
    SSL_free(tls->ssl);
    if (layer->stream)
        weft_bytequeue_clear(&tls->output, loop_of(tls)->chunks);
    weft_release(tls->stash);
    weft_failure_unref(tls->failure);
    weft_tls_server_unref(tls->server);
    weft_tls_client_unref(tls->client);
    weft_release(tls->name);
    if (tls->task.next)
        tls->flags |= TLS_FREED;
    else
        weft_release(tls);
}

void tls_begin(struct layer *layer)
{
    struct tls_layer *tls = tls_of(layer);
    int status = tls_handshake_prepare(tls);

    tls->flags |= TLS_BEGUN;
    if (status < 0)
        fail(tls, status, false);
    else
        tls_pump(tls); /* a client speaks first */
}

const struct layer_ops tls_ops = {
    .name = "tls",
    .not_handed_over = "its records' keys and numbers are not carried to another process yet (decision 0023)",
    .begin = tls_begin,
    .received = received,
    .sent = sent,
    .receive_start = receive_start,
    .receive_stop = receive_stop,
    .send = send_runs,
    .shutdown = shut,
    .close = end,
    .free = free_layer,
};

struct tls_layer *tls_layer_new(uint32_t flags)
{
    struct tls_layer *tls = weft_allocate_zeroed(1, sizeof *tls);

    if (!tls)
        return NULL;
    tls->layer.ops = &tls_ops;
    tls->flags = flags;
    tls->task.run = run_task;
    weft_bytequeue_init(&tls->output);
    return tls;
}
