/* SPDX-License-Identifier: MIT */
/* How connections carry bytes and end: the same on the kernel and in a simulated world (conform.h). */
#include "sim/conform.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backend/file.h"

static struct conform_end *a, *b; /* the client's end, the server's */

static bool is_tcp(const struct conform *conform)
{
    return conform->kind->net == CONFORM_TCP;
}

static bool is_unix(const struct conform *conform)
{
    return conform->kind->net == CONFORM_UNIX;
}

/* A UNIX socket has no reset of its own: whoever aborts only ends. */
static void told_of_abort(struct conform_end *end)
{
    if (is_unix(end->conform))
        conform_told(end, CONFORM_END, 0);
    else
        conform_told(end, CONFORM_FAILURE, -ECONNRESET);
}

static void both_receive(struct conform *conform)
{
    conform_pair(conform, &a, &b);
    conform_receive(a, true);
    conform_receive(b, true);
}

/* -- bytes and ends -- */

static void bytes_go_both_ways(struct conform *conform)
{
    both_receive(conform);
    assert_int_equal(conform_send(a, 100), 100);
    conform_bytes(b, 100);
    assert_int_equal(conform_send(b, 3000), 3000);
    conform_bytes(a, 3000);
    assert_int_equal(conform_send(a, 1), 1);
    conform_bytes(b, 1);
}

static void what_came_before_somebody_receives_waits(struct conform *conform)
{
    conform_pair(conform, &a, &b);
    assert_int_equal(conform_send(a, 100), 100);
    assert_int_equal(conform_shutdown(a), 0);
    conform_quiet(conform);
    conform_receive(b, true);
    conform_bytes(b, 100);
    conform_told(b, CONFORM_END, 0);
}

static void a_stopped_receiver_is_told_nothing(struct conform *conform)
{
    both_receive(conform);
    conform_receive(b, false);
    assert_int_equal(conform_send(a, 100), 100);
    conform_close(a, false);
    conform_quiet(conform);
    conform_receive(b, true);
    conform_bytes(b, 100);
    conform_told(b, CONFORM_END, 0);
}

static void half_close_one_way_then_the_other(struct conform *conform)
{
    both_receive(conform);
    assert_int_equal(conform_send(a, 10), 10);
    assert_int_equal(conform_shutdown(a), 0);
    assert_int_equal(conform_send(a, 10), -EPIPE);
    conform_bytes(b, 10);
    conform_told(b, CONFORM_END, 0);
    assert_int_equal(conform_send(b, 2000), 2000);
    conform_bytes(a, 2000);
    assert_int_equal(conform_shutdown(b), 0);
    conform_told(a, CONFORM_END, 0);
    assert_int_equal(conform_send(a, 10), -EPIPE);
    assert_int_equal(conform_send(b, 10), -EPIPE);
}

static void half_close_is_idempotent(struct conform *conform)
{
    both_receive(conform);
    assert_int_equal(conform_shutdown(a), 0);
    assert_int_equal(conform_shutdown(a), 0);
    conform_told(b, CONFORM_END, 0);
    assert_int_equal(conform_shutdown(a), 0);
}

static void half_close_after_both_have_ended(struct conform *conform)
{
    both_receive(conform);
    assert_int_equal(conform_shutdown(a), 0);
    conform_told(b, CONFORM_END, 0);
    assert_int_equal(conform_shutdown(b), 0);
    conform_told(a, CONFORM_END, 0);
    conform_settle(conform);
    assert_int_equal(conform_shutdown(a), is_tcp(conform) ? -ENOTCONN : 0);
    assert_int_equal(conform_shutdown(b), is_tcp(conform) ? -ENOTCONN : 0);
}

static void a_close_is_an_end(struct conform *conform)
{
    both_receive(conform);
    assert_int_equal(conform_send(a, 500), 500);
    conform_close(a, false);
    conform_bytes(b, 500);
    conform_told(b, CONFORM_END, 0);
}

static void both_close(struct conform *conform)
{
    both_receive(conform);
    conform_close(a, false);
    conform_close(b, false);
}

static void closed_from_its_own_callback(struct conform *conform)
{
    conform_pair(conform, &a, &b);
    conform_receive(a, true);
    b->closes_on_bytes = true;
    assert_int_equal(conform_send(a, 10), 10);
    conform_receive(b, true);
    conform_bytes(b, 10);
    conform_told(a, CONFORM_END, 0);
}

/* -- resets -- */

static void an_abort_is_a_reset(struct conform *conform)
{
    both_receive(conform);
    conform_close(a, true);
    told_of_abort(b);
    assert_int_equal(conform_send(b, 10), -EPIPE); /* the reset was told already */
}

/* What was sent has arrived. */
static void bytes_before_an_abort_can_be_read(struct conform *conform)
{
    conform_pair(conform, &a, &b);
    assert_int_equal(conform_send(a, 100), 100);
    conform_settle(conform);
    conform_receive(b, true);
    conform_close(a, true);
    conform_bytes(b, 100);
    told_of_abort(b);
}

static void a_close_with_unread_bytes_is_a_reset(struct conform *conform)
{
    conform_pair(conform, &a, &b);
    assert_int_equal(conform_send(a, 10), 10);
    assert_int_equal(conform_send(b, 20), 20);
    conform_settle(conform);
    conform_receive(b, true);
    conform_bytes(b, 10);
    conform_close(a, false); /* 20 bytes wait there */
    conform_told(b, CONFORM_FAILURE, -ECONNRESET);
    assert_int_equal(conform_send(b, 10), -EPIPE);
}

/* The connection is whole for its sender until he tries. */
static void written_to_one_that_has_closed(struct conform *conform)
{
    both_receive(conform);
    conform_close(a, false);
    conform_told(b, CONFORM_END, 0);
    conform_settle(conform);
    if (is_tcp(conform)) {
        assert_int_equal(conform_send(b, 10), 10);
        conform_told(b, CONFORM_FAILURE, -EPIPE);
    }
    assert_int_equal(conform_send(b, 10), -EPIPE);
    assert_int_equal(conform_send(b, 10), -EPIPE);
}

/* A failure is told once: to whoever asks first. */
static void a_failure_that_a_send_tells_first(struct conform *conform)
{
    conform_pair(conform, &a, &b);
    conform_receive(b, true);
    conform_close(a, true);
    conform_wait_untold(conform);
    assert_int_equal(conform_send(b, 10), is_unix(conform) ? -EPIPE : -ECONNRESET);
    assert_int_equal(conform_send(b, 10), -EPIPE);
    conform_told(b, CONFORM_END, 0);
}

static void a_paused_end_is_told_of_a_reset(struct conform *conform)
{
    both_receive(conform);
    conform_receive(b, false);
    conform_close(a, true);
    if (is_unix(conform)) {
        conform_quiet(conform);
        return;
    }
    conform_told(b, CONFORM_FAILURE, -ECONNRESET);
    assert_int_equal(conform_send(b, 10), -EPIPE);
    conform_receive(b, true);
    conform_told(b, CONFORM_END, 0);
}

static void a_paused_end_is_told_that_its_bytes_were_thrown_away(struct conform *conform)
{
    conform_pair(conform, &a, &b);
    assert_int_equal(conform_send(b, 10), 10);
    conform_settle(conform);
    conform_close(a, false);
    conform_told(b, CONFORM_FAILURE, -ECONNRESET);
}

static void an_end_and_then_a_reset(struct conform *conform)
{
    both_receive(conform);
    assert_int_equal(conform_shutdown(a), 0);
    conform_told(b, CONFORM_END, 0);
    conform_close(a, true);
    if (is_tcp(conform))
        conform_told(b, CONFORM_FAILURE, -EPIPE); /* (RFC 9293: it was in CLOSE-WAIT) */
    else if (!is_unix(conform))
        conform_told(b, CONFORM_FAILURE, -ECONNRESET);
    conform_settle(conform);
    assert_int_equal(conform_send(b, 10), -EPIPE);
}

static void an_end_and_a_reset_before_anybody_looks(struct conform *conform)
{
    conform_pair(conform, &a, &b);
    assert_int_equal(conform_send(a, 10), 10);
    assert_int_equal(conform_shutdown(a), 0);
    conform_settle(conform);
    conform_close(a, true);
    if (is_tcp(conform))
        conform_told(b, CONFORM_FAILURE, -EPIPE);
    else if (!is_unix(conform))
        conform_told(b, CONFORM_FAILURE, -ECONNRESET);
    conform_settle(conform);
    conform_receive(b, true);
    conform_bytes(b, 10);
    conform_told(b, CONFORM_END, 0);
}

/* It has ended itself, and is reset before the peer has ended. */
static void a_reset_after_its_own_end(struct conform *conform)
{
    both_receive(conform);
    assert_int_equal(conform_shutdown(b), 0);
    conform_told(a, CONFORM_END, 0);
    conform_close(a, true);
    told_of_abort(b);
}

static void an_abort_after_both_have_ended_is_told_to_nobody(struct conform *conform)
{
    both_receive(conform);
    assert_int_equal(conform_shutdown(a), 0);
    conform_told(b, CONFORM_END, 0);
    assert_int_equal(conform_shutdown(b), 0);
    conform_told(a, CONFORM_END, 0);
    conform_settle(conform);
    conform_close(a, true);
    conform_quiet(conform);
}

static void half_close_after_a_reset(struct conform *conform)
{
    both_receive(conform);
    conform_close(a, true);
    told_of_abort(b);
    assert_int_equal(conform_shutdown(b), is_tcp(conform) ? -ENOTCONN : 0);
}

/* -- a full connection -- */

static void a_full_connection_has_room_when_its_peer_reads(struct conform *conform)
{
    uint64_t filled;

    conform_pair(conform, &a, &b);
    filled = conform_fill(a);
    assert_true(filled > 0);
    conform_quiet(conform);
    assert_int_equal(conform_send(a, 1), BACKEND_LATER);
    conform_receive(b, true);
    conform_told(a, CONFORM_SENT, 0);
    conform_bytes(b, filled);
    assert_int_equal(conform_send(a, 100), 100);
    conform_bytes(b, 100);
}

static void an_end_comes_after_what_was_queued(struct conform *conform)
{
    uint64_t filled;

    conform_pair(conform, &a, &b);
    filled = conform_fill(a);
    assert_int_equal(conform_shutdown(a), 0);
    conform_settle(conform);
    conform_receive(b, true);
    conform_bytes(b, filled);
    conform_told(b, CONFORM_END, 0);
    conform_settle(conform);
    a->told_count = 0; /* that there is room is told, or not: it has ended */
}

static void a_close_comes_after_what_was_queued(struct conform *conform)
{
    uint64_t filled;

    conform_pair(conform, &a, &b);
    filled = conform_fill(a);
    conform_close(a, false);
    conform_receive(b, true);
    conform_bytes(b, filled);
    conform_told(b, CONFORM_END, 0);
}

/* Whoever waits for room is told when there will never be any. */
static void a_full_connection_is_reset(struct conform *conform)
{
    conform_pair(conform, &a, &b);
    (void)conform_fill(a);
    conform_settle(conform);
    conform_close(b, false);
    conform_told(a, CONFORM_FAILURE, -ECONNRESET);
    conform_told(a, CONFORM_SENT, 0);
    assert_int_equal(conform_send(a, 1), -EPIPE);
}

static void an_abort_drops_what_was_queued(struct conform *conform)
{
    uint64_t filled;

    conform_pair(conform, &a, &b);
    filled = conform_fill(a);
    conform_settle(conform);
    conform_close(a, true);
    conform_receive(b, true);
    conform_settle(conform);
    if (is_unix(conform)) { /* there it lies with the receiver already, and may in memory */
        conform_bytes(b, filled);
        conform_told(b, CONFORM_END, 0);
        return;
    }
    assert_true(b->got > 0 && (b->got < filled || !is_tcp(conform)));
    b->expected = b->got;
    conform_told(b, CONFORM_FAILURE, -ECONNRESET);
}

/* -- what can be asked -- */

static int64_t unconfirmed(const struct conform_end *end)
{
    return end->handle.transport->unconfirmed ? end->handle.transport->unconfirmed(&end->handle) : -1;
}

static void wait_until_confirmed(struct conform_end *end)
{
    for (int i = 0; i < 100000 && unconfirmed(end) > 0; i++)
        conform_settle(end->conform);
}

static void unconfirmed_is_what_the_peers_system_has_not(struct conform *conform)
{
    conform_pair(conform, &a, &b);
    assert_int_equal(unconfirmed(a), 0);
    assert_int_equal(conform_send(a, 100), 100);
    if (is_unix(conform)) { /* one system: what was not read is not confirmed */
        conform_settle(conform);
        assert_true(unconfirmed(a) > 0);
    }
    conform_receive(b, true);
    conform_bytes(b, 100);
    wait_until_confirmed(a);
    assert_int_equal(unconfirmed(a), 0);
}

static void a_full_connection_has_unconfirmed_bytes(struct conform *conform)
{
    conform_pair(conform, &a, &b);
    (void)conform_fill(a);
    conform_settle(conform);
    assert_true(unconfirmed(a) > 0);
}

static void both_know_the_same_addresses(struct conform *conform)
{
    weft_address client, server;

    conform_pair(conform, &a, &b);
    assert_int_equal(a->handle.transport->local(conform->backend, &a->handle, &client), 0);
    assert_int_equal(b->handle.transport->local(conform->backend, &b->handle, &server), 0);
    assert_memory_equal(&client, &b->peer, sizeof client);
    assert_int_equal(server.family, client.family);
    assert_int_equal(server.port, conform->places[0].at.address.port);
    assert_memory_equal(server.ip, conform->places[0].at.address.ip, sizeof server.ip);
    assert_true(is_tcp(conform) ? client.port != 0 && client.port != server.port : client.port == 0);
}

/* -- files -- */

static weft_file *open_file(size_t length)
{
    char place[] = "/tmp/weft-conform-XXXXXX", path[80];
    weft_directory *directory;
    weft_file *file;
    FILE *out;

    assert_non_null(mkdtemp(place));
    snprintf(path, sizeof path, "%s/f", place);
    out = fopen(path, "w");
    assert_non_null(out);
    for (size_t i = 0; i < length; i++)
        assert_true(fputc((char)(i * 31 + (i >> 8) * 7 + (i >> 16)) & 0xff, out) >= 0);
    fclose(out);
    assert_int_equal(weft_directory_open(place, &directory), 0);
    assert_int_equal(file_open(directory, "f", true, &file), 0);
    weft_directory_unref(directory);
    unlink(path);
    rmdir(place);
    return file;
}

/* Sends until it is done or fails; the result of the last call. */
static int64_t send_file(struct conform_end *end, weft_file *file, uint64_t length, uint64_t *ret_sent)
{
    struct conform *conform = end->conform;
    uint64_t sent = 0;
    int64_t result;

    do {
        result = end->handle.transport->send_file(conform->backend, &end->handle, file, sent, length - sent, false);
        if (result > 0)
            sent += (uint64_t)result;
        if (result == BACKEND_LATER || (result > 0 && sent < length))
            conform_told(end, CONFORM_SENT, 0);
    } while ((result > 0 && sent < length) || result == BACKEND_LATER);
    *ret_sent = sent;
    return result;
}

static void a_file_is_sent(struct conform *conform)
{
    weft_file *file = open_file(50000);
    uint64_t sent;

    both_receive(conform);
    assert_true(send_file(a, file, 50000, &sent) > 0);
    assert_int_equal(sent, 50000);
    conform_bytes(b, 50000);
    weft_file_unref(file);
}

static void a_file_that_is_shorter(struct conform *conform)
{
    weft_file *file = open_file(5000);
    uint64_t sent;

    both_receive(conform);
    assert_int_equal(send_file(a, file, 6000, &sent), WEFT_ECHANGED); /* (what went with it is not counted) */
    conform_bytes(b, 5000);
    weft_file_unref(file);
}

static void a_file_for_one_that_was_reset(struct conform *conform)
{
    weft_file *file = open_file(5000);
    uint64_t sent;

    both_receive(conform);
    conform_close(b, true);
    told_of_abort(a);
    assert_int_equal(send_file(a, file, 5000, &sent), -EPIPE);
    weft_file_unref(file);
}

static const struct conform_case cases[] = {
    {"bytes go both ways", bytes_go_both_ways, CONFORM_EVERYWHERE},
    {"what came before somebody receives waits", what_came_before_somebody_receives_waits, CONFORM_EVERYWHERE},
    {"a stopped receiver is told nothing", a_stopped_receiver_is_told_nothing, CONFORM_EVERYWHERE},
    {"half-close one way, then the other", half_close_one_way_then_the_other, CONFORM_EVERYWHERE},
    {"half-close is idempotent", half_close_is_idempotent, CONFORM_EVERYWHERE},
    {"half-close after both have ended", half_close_after_both_have_ended, CONFORM_EVERYWHERE},
    {"a close is an end", a_close_is_an_end, CONFORM_EVERYWHERE},
    {"both close", both_close, CONFORM_EVERYWHERE},
    {"closed from its own callback", closed_from_its_own_callback, CONFORM_EVERYWHERE},
    {"an abort is a reset", an_abort_is_a_reset, CONFORM_EVERYWHERE},
    {"bytes before an abort can be read", bytes_before_an_abort_can_be_read, CONFORM_EVERYWHERE},
    {"a close with unread bytes is a reset", a_close_with_unread_bytes_is_a_reset, CONFORM_EVERYWHERE},
    {"written to one that has closed", written_to_one_that_has_closed, CONFORM_EVERYWHERE},
    {"a failure that a send tells first", a_failure_that_a_send_tells_first, CONFORM_EVERYWHERE | CONFORM_AT_ONCE},
    {"a paused end is told of a reset", a_paused_end_is_told_of_a_reset, CONFORM_EVERYWHERE},
    {"a paused end is told that its bytes were thrown away", a_paused_end_is_told_that_its_bytes_were_thrown_away,
     CONFORM_EVERYWHERE},
    {"an end and then a reset", an_end_and_then_a_reset, CONFORM_EVERYWHERE},
    {"an end and a reset before anybody looks", an_end_and_a_reset_before_anybody_looks, CONFORM_EVERYWHERE},
    {"a reset after its own end", a_reset_after_its_own_end, CONFORM_EVERYWHERE},
    {"an abort after both have ended is told to nobody", an_abort_after_both_have_ended_is_told_to_nobody,
     CONFORM_EVERYWHERE},
    {"half-close after a reset", half_close_after_a_reset, CONFORM_EVERYWHERE},
    {"a full connection has room when its peer reads", a_full_connection_has_room_when_its_peer_reads,
     CONFORM_EVERYWHERE | CONFORM_AT_ONCE},
    {"an end comes after what was queued", an_end_comes_after_what_was_queued, CONFORM_EVERYWHERE | CONFORM_AT_ONCE},
    {"a close comes after what was queued", a_close_comes_after_what_was_queued, CONFORM_EVERYWHERE | CONFORM_AT_ONCE},
    {"a full connection is reset", a_full_connection_is_reset, CONFORM_EVERYWHERE | CONFORM_AT_ONCE},
    {"an abort drops what was queued", an_abort_drops_what_was_queued, CONFORM_EVERYWHERE | CONFORM_AT_ONCE},
    {"unconfirmed is what the peer's system has not", unconfirmed_is_what_the_peers_system_has_not, CONFORM_SOCKETS},
    {"a full connection has unconfirmed bytes", a_full_connection_has_unconfirmed_bytes,
     CONFORM_SOCKETS | CONFORM_AT_ONCE},
    {"both know the same addresses", both_know_the_same_addresses, CONFORM_EVERYWHERE},
    {"a file is sent", a_file_is_sent, CONFORM_EVERYWHERE},
    {"a file that is shorter", a_file_that_is_shorter, CONFORM_EVERYWHERE},
    {"a file for one that was reset", a_file_for_one_that_was_reset, CONFORM_EVERYWHERE},
};

int main(void)
{
    return conform_main(cases, sizeof cases / sizeof *cases);
}
