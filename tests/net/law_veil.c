/* SPDX-License-Identifier: MIT */
/* The laws of tests/laws with two layers between every stream and its transport: nothing above may notice. */
#include "laws/law.h"

#include "net/listener_internal.h"
#include "net/veil.h"

static void layer_listener(weft_listener *listener)
{
    listener->layers = veil_maker_new();
    assert_non_null(listener->layers);
    listener->layers->above = veil_maker_new();
    assert_non_null(listener->layers->above);
}

static void layer_client(weft_stream *stream)
{
    for (int i = 0; i < 2; i++) {
        struct layer *veil = veil_new();

        assert_non_null(veil);
        assert_int_equal(layers_add(stream, veil), 0);
    }
}

#define VEILED .layer_listener = layer_listener, .layer_client = layer_client

const struct law_kind law_kinds[] = {
    {.name = "veiled, epoll, tcp", .backend = "epoll", .url = "tcp://127.0.0.1:0", .tells_reset = true, VEILED},
    {.name = "veiled, epoll, mem", .backend = "epoll", .url = "mem://law", .tells_reset = true, .is_mem = true, VEILED},
    {.name = "veiled, io_uring, tcp",
     .backend = "io_uring",
     .url = "tcp://127.0.0.1:0",
     .tells_reset = true,
     .completes = true,
     VEILED},
    {.name = "veiled, poll, tcp", .backend = "poll", .url = "tcp://127.0.0.1:0", .tells_reset = true, VEILED},
    {.name = "veiled, sim with faults",
     .backend = "sim:%",
     .url = "tcp://127.0.0.1:0",
     .simulated = true,
     .faulty = true,
     .tells_reset = true,
     .is_mem = true,
     VEILED},
    {.name = "veiled, sim with rare paths",
     .backend = "sim:%",
     .url = "tcp://127.0.0.1:0",
     .simulated = true,
     .faulty = true,
     .rare = true,
     .tells_reset = true,
     .is_mem = true,
     VEILED},
    {.name = NULL},
};
