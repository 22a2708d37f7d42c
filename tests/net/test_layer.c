/* SPDX-License-Identifier: MIT */
/* What happens between a connection and a stream's being open, when layers lie between. (test_*.c of tests/laws run over
 * layers, too: law_veil.c.) */
#include "laws/law.h"

#include <weft/memory.h>

#include "net/listener_internal.h"
#include "net/proxy_layer.h"
#include "net/veil.h"

static void veil_listener(struct law_world *world)
{
    world->listener->layers = veil_maker_new();
    assert_non_null(world->listener->layers);
}

static void veil_client(struct law_world *world, size_t index)
{
    struct layer *veil = veil_new();

    assert_non_null(veil);
    assert_int_equal(layers_add(world->client[index].stream, veil), 0);
}

static bool client_is_connected(struct law_world *world)
{
    return world->client[0].connected > 0;
}

static bool client_is_lost(struct law_world *world)
{
    return world->client[0].lost > 0;
}

static size_t take_as_it_is(struct law_peer *peer, weft_bytes in)
{
    peer->bytes_in += in.length;
    return in.length;
}

static const struct law_hooks plain = {.received = take_as_it_is};

/* -- the handshake -- */

static void nobody_speaks_before_the_handshake_is_over(struct law_world *world)
{
    law_listen(world, NULL, &plain);
    veil_listener(world);
    law_connect(world, 0, NULL, &plain); /* it says nothing */
    law_until(world, client_is_connected);
    law_turns(world, 5);
    assert_int_equal(world->accepted, 0);
    assert_int_equal(weft_listener_connections(world->listener), 1);
}

static void a_silent_peer_is_given_up(struct law_world *world)
{
    weft_time before = weft_loop_now(world->loop);

    law_listen(world, NULL, &plain);
    veil_listener(world);
    law_connect(world, 0, NULL, &plain);
    law_until(world, client_is_lost);
    assert_true(weft_loop_now(world->loop) - before >= WEFT_SECONDS(10));
    assert_int_equal(world->accepted, 0);
    assert_int_equal(weft_listener_connections(world->listener), 0);
}

static void whoever_connects_hears_why_it_took_too_long(struct law_world *world)
{
    weft_stream_options options = {.size = sizeof options, .handshake = WEFT_SECONDS(3)};

    law_listen(world, NULL, &plain); /* it says nothing */
    law_connect(world, 0, &options, &plain);
    veil_client(world, 0);
    law_until(world, client_is_lost);
    assert_int_equal(world->client[0].connected, 0);
    assert_int_equal(world->client[0].reason, WEFT_EHANDSHAKETIME);
}

static void say_something_else(struct law_peer *peer)
{
    assert_true(weft_stream_write(peer->stream, weft_bytes_from("GET / HTTP/1.1\r\n")) >= 0);
}

static void a_wrong_greeting_ends_it(struct law_world *world)
{
    static const struct law_hooks rude = {.connected = say_something_else, .received = take_as_it_is};

    law_listen(world, NULL, &rude);
    law_connect(world, 0, NULL, &plain);
    veil_client(world, 0);
    law_until(world, client_is_lost);
    assert_int_equal(world->client[0].connected, 0);
    assert_int_equal(world->client[0].reason, WEFT_EPROTOCOL);
}

static bool server_has_five(struct law_world *world)
{
    return world->server[0].bytes_in == 5;
}

static void what_was_written_before_goes_out_after_it(struct law_world *world)
{
    static const struct law_hooks server = {.received = take_as_it_is};

    law_listen(world, NULL, &server);
    veil_listener(world);
    law_connect(world, 0, NULL, &plain);
    veil_client(world, 0);
    assert_int_equal(LAW_CALL(world, weft_stream_write(world->client[0].stream, weft_bytes_from("early"))), 0);
    law_until(world, server_has_five);
}

static void close_in_the_handshake_is_the_end(struct law_world *world)
{
    law_listen(world, NULL, &plain);
    law_connect(world, 0, NULL, &plain);
    veil_client(world, 0);
    law_turns(world, 3);
    law_close(&world->client[0]);
    law_until(world, client_is_lost);
    assert_int_equal(world->client[0].connected, 0);
    assert_int_equal(world->client[0].reason, WEFT_ECLOSED);
}

/* -- stopping -- */

static bool has_connection(struct law_world *world)
{
    return weft_listener_connections(world->listener) > 0;
}

static void finish(struct law_peer *peer)
{
    law_close(peer);
}

static void whoever_begins_late_is_told_that_it_drains(struct law_world *world)
{
    static const struct law_hooks server = {.draining = finish};

    law_listen(world, NULL, &server);
    veil_listener(world);
    law_connect(world, 0, NULL, &plain);
    veil_client(world, 0);
    law_until(world, has_connection);
    LAW_DO(world, weft_listener_stop(world->listener, WEFT_SECONDS(5)));
    law_until(world, client_is_lost);
    if (world->accepted > 0) /* the handshake was not over when it stopped */
        assert_int_equal(world->server[0].draining, 1);
}

/* -- a layer that leaves -- */

static char line[32];

static int make_line(struct layer_maker *maker, struct weft_stream *stream, struct layer **ret)
{
    struct layer *layer = line_new(line, sizeof line);

    (void)maker;
    (void)stream;
    if (!layer)
        return WEFT_ENOMEM;
    *ret = layer;
    return 0;
}

static void free_maker(struct layer_maker *maker)
{
    weft_release(maker);
}

static void read_a_line(struct law_world *world, struct layer_maker *above)
{
    struct layer_maker *maker = weft_allocate_zeroed(1, sizeof *maker);

    assert_non_null(maker);
    *maker = (struct layer_maker){.make = make_line, .free = free_maker, .above = above};
    world->listener->layers = maker;
    line[0] = '\0';
}

static void say_a_line(struct law_peer *peer)
{
    assert_true(weft_stream_write(peer->stream, weft_bytes_from("a line\nrest!")) >= 0);
}

static void the_rest_goes_to_the_protocol(struct law_world *world)
{
    static const struct law_hooks server = {.received = take_as_it_is}, client = {.connected = say_a_line};

    law_listen(world, NULL, &server);
    read_a_line(world, NULL);
    law_connect(world, 0, NULL, &client);
    law_until(world, server_has_five);
    assert_string_equal(line, "a line");
    assert_null(world->server[0].stream->layers); /* and the stream stands on its transport */
}

static void say_a_line_and_greet(struct law_peer *peer)
{
    static const char crossed[] = {'e' ^ 0x5a, 'a' ^ 0x5a, 'r' ^ 0x5a, 'l' ^ 0x5a, 'y' ^ 0x5a};

    assert_true(weft_stream_write(peer->stream, weft_bytes_from("a line\n" VEIL_HELLO)) >= 0);
    assert_true(weft_stream_write(peer->stream, weft_bytes_of(crossed, sizeof crossed)) >= 0);
}

static void the_rest_goes_to_the_layer_above(struct law_world *world)
{
    static const struct law_hooks server = {.received = take_as_it_is};
    static const struct law_hooks client = {.connected = say_a_line_and_greet, .received = take_as_it_is};

    law_listen(world, NULL, &server);
    read_a_line(world, veil_maker_new());
    law_connect(world, 0, NULL, &client);
    law_until(world, server_has_five);
    assert_string_equal(line, "a line");
    assert_non_null(world->server[0].stream->layers);
}

/* -- a talk over what takes little at a time -- */

struct narrow {
    struct layer layer;
    struct loop_task task;
    bool owes; /* a `sent` of its own */
};

static struct narrow *narrow_of(struct layer *layer)
{
    return weft_container_of(layer, struct narrow, layer);
}

static void narrow_begin(struct layer *layer)
{
    layer_ready(layer);
}

static void narrow_tell(struct loop_task *task)
{
    struct narrow *narrow = weft_container_of(task, struct narrow, task);

    narrow->owes = false;
    if (!layer_is_over(&narrow->layer))
        layer_sent_above(&narrow->layer, 0);
}

/* One byte goes out; when the next may is told later. */
static int64_t narrow_send(struct layer *layer, const weft_bytes *runs, size_t count, bool more)
{
    struct narrow *narrow = narrow_of(layer);
    weft_bytes byte = weft_bytes_first(runs[0], 1);
    int64_t sent;

    assert_false(narrow->owes); /* layer.h: nothing else is sent until then */
    sent = layer_send_below(layer, &byte, 1, more || count > 1 || runs[0].length > 1);
    if (sent == 1 && (count > 1 || runs[0].length > 1)) {
        narrow->owes = true;
        loop_later(layer->stream->loop, &narrow->task);
    }
    return sent;
}

static void narrow_free(struct layer *layer)
{
    weft_release(narrow_of(layer));
}

static const struct layer_ops narrow_ops = {
    .name = "narrow",
    .not_handed_over = "it is a test's",
    .begin = narrow_begin,
    .received = layer_received_above,
    .sent = layer_sent_above,
    .receive_start = layer_receive_start_below,
    .receive_stop = layer_receive_stop_below,
    .send = narrow_send,
    .shutdown = layer_shutdown_below,
    .free = narrow_free,
};

static void add_narrow(weft_stream *stream)
{
    struct narrow *narrow = weft_allocate_zeroed(1, sizeof *narrow);

    assert_non_null(narrow);
    narrow->layer.ops = &narrow_ops;
    narrow->task.run = narrow_tell;
    assert_int_equal(layers_add(stream, &narrow->layer), 0);
}

static bool server_has_a_header(struct law_world *world)
{
    return world->server[0].bytes_in == strlen("PROXY UNKNOWN\r\n");
}

static void a_talk_waits_until_it_may_send_again(struct law_world *world)
{
    static const weft_proxy_header unknown = {.version = 1};
    struct layer *header;

    law_listen(world, NULL, &plain);
    law_connect(world, 0, NULL, &plain);
    assert_int_equal(proxy_sender_new(1, &unknown, &header), 0);
    add_narrow(world->client[0].stream);
    assert_int_equal(layers_add(world->client[0].stream, header), 0);
    law_until(world, server_has_a_header);
    assert_int_equal(world->client[0].connected, 1);
}

static const struct law laws[] = {
    {"nobody speaks before the handshake is over", nobody_speaks_before_the_handshake_is_over, LAW_EVERYWHERE},
    {"a silent peer is given up", a_silent_peer_is_given_up, LAW_EVERYWHERE | LAW_JUMPS},
    {"whoever connects hears why it took too long", whoever_connects_hears_why_it_took_too_long,
     LAW_EVERYWHERE | LAW_JUMPS},
    {"a wrong greeting ends it", a_wrong_greeting_ends_it, LAW_EVERYWHERE},
    {"what was written before goes out after it", what_was_written_before_goes_out_after_it, LAW_EVERYWHERE},
    {"close in the handshake is the end", close_in_the_handshake_is_the_end, LAW_EVERYWHERE},
    {"whoever begins late is told that it drains", whoever_begins_late_is_told_that_it_drains, LAW_EVERYWHERE},
    {"the rest goes to the protocol", the_rest_goes_to_the_protocol, LAW_EVERYWHERE},
    {"the rest goes to the layer above", the_rest_goes_to_the_layer_above, LAW_EVERYWHERE},
    {"a talk waits until it may send again", a_talk_waits_until_it_may_send_again, LAW_EVERYWHERE},
};

int main(void)
{
    return law_main(laws, sizeof laws / sizeof *laws);
}
