/* SPDX-License-Identifier: MIT */
/* Laws 3 and 4 for stretches of files: in order with writes, never padded. */
#include "laws/law.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "backend/file.h"

#define LENGTH 2500000

static const struct law_hooks quiet = {0};

static char place[64];

static void remove_file(void)
{
    char path[80];

    snprintf(path, sizeof path, "%s/f", place);
    unlink(path);
    rmdir(place);
}

/* A file with the pattern from @p first on. */
static weft_file *open_file(uint64_t first, size_t length)
{
    char *bytes = malloc(length), path[80];
    weft_directory *directory;
    weft_file *file;
    FILE *out;

    strcpy(place, "/tmp/weft-law-XXXXXX");
    assert_non_null(mkdtemp(place));
    snprintf(path, sizeof path, "%s/f", place);
    out = fopen(path, "w");
    if (!bytes || !out)
        abort();
    for (size_t i = 0; i < length; i++)
        bytes[i] = law_pattern(first + i);
    assert_int_equal(fwrite(bytes, 1, length, out), length);
    fclose(out);
    free(bytes);
    assert_int_equal(weft_directory_open(place, &directory), 0);
    assert_int_equal(file_open(directory, "f", true, &file), 0);
    weft_directory_unref(directory);
    return file;
}

static int write_file(struct law_peer *peer, weft_file *file, uint64_t offset, uint64_t length)
{
    int status = LAW_CALL(peer->world, weft_stream_write_file(peer->stream, file, offset, length));

    if (status >= 0)
        peer->bytes_out += length;
    return status;
}

static void files_and_writes_arrive_in_order(struct law_world *world)
{
    weft_file *file = open_file(1000, LENGTH);
    struct law_peer *client = &world->client[0];

    law_pair(world, &quiet, &quiet, NULL);
    assert_int_equal(law_write_pattern(client, 1000), 0);
    assert_int_equal(write_file(client, file, 0, 500), 1);
    assert_int_equal(write_file(client, file, 500, LENGTH - 500), 1);
    assert_int_equal(weft_stream_queued(client->stream), 1000);
    assert_int_equal(law_write_pattern(client, 7), 1);
    weft_file_unref(file); /* the stream holds it */
    remove_file();
    law_close(client);
    law_until_lost(world);
    assert_int_equal(world->server[0].bytes_in, 1000 + LENGTH + 7);
    assert_int_equal(client->reason, WEFT_ECLOSED);
}

static bool client_drained(struct law_world *world)
{
    return world->client[0].drained > 0;
}

static void drained_comes_when_the_file_is_sent(struct law_world *world)
{
    weft_file *file = open_file(0, LENGTH);
    struct law_peer *client = &world->client[0];

    law_pair(world, &quiet, &quiet, NULL);
    assert_int_equal(write_file(client, file, 0, LENGTH), 1);
    weft_file_unref(file);
    remove_file();
    law_until(world, client_drained);
    assert_int_equal(law_write_pattern(client, 10), 0);
    law_close(client);
    law_until_lost(world);
    assert_int_equal(world->server[0].bytes_in, LENGTH + 10);
}

static void no_bytes_of_a_file_are_no_file(struct law_world *world)
{
    weft_file *file = open_file(0, 10);

    law_pair(world, &quiet, &quiet, NULL);
    assert_int_equal(write_file(&world->client[0], file, 0, 0), 0);
    assert_int_equal(LAW_CALL(world, weft_stream_write_file(world->client[0].stream, file, UINT64_MAX, 2)),
                     -EOVERFLOW); /* EL-22 */
    assert_int_equal(write_file(&world->client[0], file, 0, 10), 1);
    weft_file_unref(file);
    remove_file();
    law_close(&world->client[0]);
    law_until_lost(world);
    assert_int_equal(world->server[0].bytes_in, 10);
}

static void a_file_that_shrinks_aborts(struct law_world *world)
{
    weft_file *file = open_file(0, 5000);

    law_pair(world, &quiet, &quiet, NULL);
    assert_int_equal(write_file(&world->client[0], file, 0, 5001), 1);
    assert_int_equal(law_write_pattern(&world->client[0], 10), 1);
    weft_file_unref(file);
    remove_file();
    law_until_lost(world);
    assert_int_equal(world->client[0].reason, WEFT_ECHANGED);
    assert_int_equal(world->server[0].reason, world->kind->tells_reset ? -ECONNRESET : WEFT_ECLOSED);
    assert_true(world->server[0].bytes_in <= 5000);
}

static void a_file_is_let_go_when_the_stream_is_lost(struct law_world *world)
{
    weft_file *file = open_file(0, LENGTH);

    law_pair(world, &quiet, &quiet, NULL);
    assert_int_equal(write_file(&world->client[0], file, 0, LENGTH), 1);
    weft_file_unref(file);
    remove_file();
    law_turns(world, 1);
    law_abort(&world->client[0]);
    law_until_lost(world);
}

static size_t abort_received(struct law_peer *peer, weft_bytes in)
{
    law_abort(peer);
    return in.length;
}

static bool client_lost(struct law_world *world)
{
    return world->client[0].lost;
}

/* EL-06: sendfile has no MSG_NOSIGNAL; a peer's reset must not end the process. */
static void a_reset_while_a_file_is_sent_is_no_signal(struct law_world *world)
{
    static const struct law_hooks server = {.received = abort_received};
    weft_file *file = open_file(0, LENGTH);

    law_pair(world, &server, &quiet, NULL);
    for (int i = 0; i < 20; i++)
        assert_int_equal(write_file(&world->client[0], file, 0, LENGTH), 1);
    weft_file_unref(file);
    remove_file();
    law_until(world, client_lost);
    assert_true(world->client[0].reason == -ECONNRESET || world->client[0].reason == -EPIPE);
}

#define STRETCHES_MOST 64

static void stretches_that_wait_have_a_limit(struct law_world *world)
{
    weft_file *file = open_file(0, LENGTH);
    struct law_peer *client = &world->client[0];

    law_pair(world, &quiet, &quiet, NULL);
    for (int round = 0; round < 3; round++) {
        uint64_t offset = client->bytes_out;

        for (int i = 0; i < STRETCHES_MOST; i++)
            assert_int_equal(write_file(client, file, offset + 10 * (uint64_t)i, 10), 1);
        for (int i = 0; i < 3; i++)
            assert_int_equal(write_file(client, file, client->bytes_out, 10), WEFT_EOUTPUTLIMIT);
        assert_int_equal(write_file(client, file, 0, 0), 1); /* no bytes, no stretch */
        assert_int_equal(law_write_pattern(client, 5), 1);   /* bytes have a limit of their own */
        assert_int_equal(client->drained, 0);
        law_until(world, client_drained);
        client->drained = 0;
        assert_int_equal(client->lost, 0);
    }
    weft_file_unref(file);
    remove_file();
    law_close(client);
    law_until_lost(world);
    assert_int_equal(world->server[0].bytes_in, 3 * (STRETCHES_MOST * 10 + 5));
    assert_int_equal(client->reason, WEFT_ECLOSED);
}

/* One that is partly sent counts, and gives its place free when it is sent. */
static void a_stretch_that_was_sent_makes_room_for_one(struct law_world *world)
{
    weft_file *file = open_file(0, LENGTH);
    struct law_peer *client = &world->client[0];
    unsigned turns = 0;

    law_pair(world, &quiet, &quiet, NULL);
    for (int i = 0; i < STRETCHES_MOST; i++)
        assert_int_equal(write_file(client, file, 10 * (uint64_t)i, 10), 1);
    while (write_file(client, file, client->bytes_out, 10) == WEFT_EOUTPUTLIMIT) {
        assert_true(++turns < 1000);
        law_turns(world, 1);
    }
    assert_true(turns > 0);
    weft_file_unref(file);
    remove_file();
    law_close(client);
    law_until_lost(world);
    assert_int_equal(world->server[0].bytes_in, (STRETCHES_MOST + 1) * 10);
}

static const struct law laws[] = {
    {"files and writes arrive in order", files_and_writes_arrive_in_order, LAW_EVERYWHERE},
    {"drained comes when the file is sent", drained_comes_when_the_file_is_sent, LAW_EVERYWHERE},
    {"no bytes of a file are no file", no_bytes_of_a_file_are_no_file, LAW_EVERYWHERE},
    {"a file that shrinks aborts", a_file_that_shrinks_aborts, LAW_EVERYWHERE},
    {"a file is let go when the stream is lost", a_file_is_let_go_when_the_stream_is_lost, LAW_EVERYWHERE},
    {"stretches that wait have a limit", stretches_that_wait_have_a_limit, LAW_EVERYWHERE},
    {"a stretch that was sent makes room for one", a_stretch_that_was_sent_makes_room_for_one,
     LAW_REAL | LAW_MEMORY | LAW_SIM}, /* in turns that do not wait, which is no time for faults */
    {"EL-06: a reset while a file is sent is no signal", a_reset_while_a_file_is_sent_is_no_signal, LAW_EVERYWHERE},
};

int main(void)
{
    return law_main(laws, sizeof laws / sizeof *laws);
}
