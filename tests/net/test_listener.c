/* SPDX-License-Identifier: MIT */
/* Listeners on every backend: limits, the graceful stop, and what they say of themselves (EL-28, EL-29). */
#include "laws/law.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loop/loop_internal.h"

static const struct law_hooks quiet = {0};

static void some_turns(struct law_world *world)
{
    if (world->kind->simulated)
        law_pass(world, WEFT_SECONDS(1));
    else
        law_turns(world, 30);
}

static uint64_t counter(struct law_world *world, const char *name)
{
    return weft_counters_read(weft_loop_counters(world->loop), name);
}

/* -- limits -- */

static void more_than_allowed_wait_in_the_backlog(struct law_world *world) /* EL-28 */
{
    weft_listen_options options = {.size = sizeof options, .max_connections = 3};

    law_listen(world, &options, &quiet);
    for (size_t i = 0; i < 8; i++)
        law_connect(world, i, NULL, &quiet);
    for (size_t gone = 0; gone < 5; gone++) {
        some_turns(world);
        assert_int_equal(world->accepted, 3 + gone);
        assert_int_equal(weft_listener_connections(world->listener), 3);
        law_abort(&world->server[gone]);
    }
    some_turns(world);
    assert_int_equal(world->accepted, 8);
    assert_int_equal(counter(world, "listener.accepted"), 8);
    assert_int_equal(counter(world, "listener.refused"), 0);
}

static weft_protocol *refuse(weft_factory *factory, weft_stream *stream)
{
    struct law_world *world = weft_container_of(factory, struct law_world, factory);

    (void)stream;
    assert_true(weft_listener_connections(world->listener) <= 2);
    world->accepted++;
    return NULL;
}

static void stopped_quietly(weft_factory *factory, size_t drained, size_t aborted)
{
    (void)drained;
    (void)aborted;
    weft_container_of(factory, struct law_world, factory)->stopped++;
}

static bool eight_lost(struct law_world *world)
{
    size_t lost = 0;

    for (size_t i = 0; i < 8; i++)
        lost += world->client[i].lost;
    return lost == 8;
}

static void refused_connections_count_until_they_are_gone(struct law_world *world)
{
    static const weft_factory_ops refusing = {.build = refuse, .stopped = stopped_quietly};
    weft_listen_options options = {.size = sizeof options, .max_connections = 2};

    world->factory.ops = &refusing;
    law_listen(world, &options, &quiet);
    for (size_t i = 0; i < 8; i++)
        law_connect(world, i, NULL, &quiet);
    law_until(world, eight_lost);
    assert_int_equal(world->accepted, 8);
    assert_int_equal(counter(world, "listener.refused"), 8);
    world->accepted = 0;
}

static bool six_are_over(struct law_world *world)
{
    size_t lost = 0;

    for (size_t i = 0; i < 6; i++)
        lost += world->client[i].lost;
    return lost == 4 && world->accepted == 2;
}

static void more_than_allowed_from_one_address_are_reset(struct law_world *world) /* EL-28 */
{
    weft_listen_options options = {.size = sizeof options, .max_per_address = 2};

    law_listen(world, &options, &quiet);
    if (world->kind->url[0] != 't')
        return; /* only addresses are counted */
    for (size_t i = 0; i < 6; i++)
        law_connect(world, i, NULL, &quiet);
    law_until(world, six_are_over);
    for (size_t i = 0; i < 6; i++)
        if (world->client[i].lost)
            assert_int_equal(world->client[i].reason, -ECONNRESET);
    assert_int_equal(counter(world, "listener.refused"), 4);
    law_abort(&world->server[0]); /* a place becomes free */
    some_turns(world);
    law_connect(world, 6, NULL, &quiet);
    some_turns(world);
    assert_int_equal(world->accepted, 3);
    assert_int_equal(world->client[6].lost, 0);
}

static void the_default_is_not_unlimited(struct law_world *world) /* EL-27 */
{
    weft_listen_options zero = {.size = sizeof zero};

    zero.max_per_address = WEFT_UNLIMITED;
    zero.max_connections = 1;
    law_listen(world, &zero, &quiet);
    law_connect(world, 0, NULL, &quiet);
    law_connect(world, 1, NULL, &quiet);
    some_turns(world);
    assert_int_equal(world->accepted, 1);
}

/* -- stopping -- */

static void close_it(struct law_peer *peer)
{
    law_close(peer);
}

static bool three_accepted(struct law_world *world)
{
    return world->accepted == 3 && world->client[0].connected && world->client[1].connected &&
           world->client[2].connected;
}

static bool is_stopped(struct law_world *world)
{
    return world->stopped;
}

static void open_three(struct law_world *world, const struct law_hooks *server)
{
    law_listen(world, NULL, server);
    for (size_t i = 0; i < 3; i++)
        law_connect(world, i, NULL, &quiet);
    law_until(world, three_accepted);
}

static void those_that_finish_are_drained(struct law_world *world)
{
    static const struct law_hooks server = {.draining = close_it};

    open_three(world, &server);
    LAW_DO(world, weft_listener_stop(world->listener, WEFT_NEVER));
    LAW_DO(world, weft_listener_stop(world->listener, WEFT_SECONDS(100)));
    law_until(world, is_stopped);
    assert_int_equal(world->drained, 3);
    assert_int_equal(world->aborted, 0);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(world->server[i].draining, 1);
        assert_int_equal(world->server[i].reason, WEFT_ECLOSED);
    }
}

static void those_that_do_not_are_aborted_after_the_grace_time(struct law_world *world)
{
    weft_time began;

    open_three(world, &quiet);
    began = weft_loop_now(world->loop);
    LAW_DO(world, weft_listener_stop(world->listener, WEFT_MILLISECONDS(50)));
    law_turns(world, 2);
    law_abort(&world->server[1]); /* one finishes by itself */
    law_until(world, is_stopped);
    assert_int_equal(world->drained, 1);
    assert_int_equal(world->aborted, 2);
    assert_int_equal(world->server[0].draining, 1);
    assert_int_equal(world->server[0].reason, WEFT_EDRAIN);
    assert_int_equal(world->server[1].reason, WEFT_EABORTED);
    assert_true(world->server[0].lost_at >= began + WEFT_MILLISECONDS(50));
}

static void a_second_stop_shortens(struct law_world *world)
{
    open_three(world, &quiet);
    LAW_DO(world, weft_listener_stop(world->listener, WEFT_HOURS(1)));
    LAW_DO(world, weft_listener_stop(world->listener, WEFT_HOURS(2)));
    law_turns(world, 3);
    assert_int_equal(world->stopped, 0);
    LAW_DO(world, weft_listener_stop(world->listener, 0));
    law_until(world, is_stopped);
    assert_int_equal(world->drained, 0);
    assert_int_equal(world->aborted, 3);
    assert_int_equal(world->server[0].draining, 1);
}

static bool first_lost(struct law_world *world)
{
    return world->client[3].lost;
}

static void a_stopping_listener_accepts_nothing(struct law_world *world)
{
    open_three(world, &quiet);
    LAW_DO(world, weft_listener_stop(world->listener, WEFT_HOURS(1)));
    law_turns(world, 2); /* it takes its backlog, and closes */
    law_connect(world, 3, NULL, &quiet);
    law_until(world, first_lost);
    assert_int_equal(world->client[3].reason, -ECONNREFUSED);
    assert_int_equal(world->accepted, 3);
}

static weft_listener *last;

static void stop_again(weft_factory *factory, size_t drained, size_t aborted)
{
    struct law_world *world = weft_container_of(factory, struct law_world, factory);

    (void)drained;
    (void)aborted;
    world->stopped++;
    LAW_DO(world, weft_listener_stop(last, 0));
}

static void stop_in_stopped_does_nothing(struct law_world *world)
{
    static const weft_factory_ops again = {.build = refuse, .stopped = stop_again};

    world->factory.ops = &again;
    law_listen(world, NULL, &quiet);
    last = world->listener;
    LAW_DO(world, weft_listener_stop(world->listener, WEFT_SECONDS(1)));
    law_until(world, is_stopped);
    law_turns(world, 3);
    assert_int_equal(world->stopped, 1);
}

static void stop_without_connections_is_quick(struct law_world *world)
{
    law_listen(world, NULL, &quiet);
    LAW_DO(world, weft_listener_stop(world->listener, WEFT_NEVER));
    law_until(world, is_stopped);
    assert_int_equal(world->drained + world->aborted, 0);
}

/* -- what it says -- */

static void url_has_the_real_port(struct law_world *world)
{
    char http[WEFT_LISTENER_URL], expected[WEFT_LISTENER_URL + 10];

    law_listen(world, NULL, &quiet);
    weft_listener_url(world->listener, "http", http);
    if (world->kind->url[0] == 't') {
        assert_memory_equal(world->url, "tcp://127.0.0.1:", 16);
        assert_string_not_equal(world->url, "tcp://127.0.0.1:0");
        snprintf(expected, sizeof expected, "http%s/", world->url + 3);
        assert_string_equal(http, expected);
    } else {
        assert_memory_equal(world->url, world->kind->url, 5);
        assert_string_equal(http, world->url);
    }
    LAW_DO(world, weft_listener_stop(world->listener, 0));
    weft_listener_url(world->listener, NULL, expected);
    assert_string_equal(expected, world->url); /* still */
}

static bool connected_to_any(struct law_world *world)
{
    return world->client[0].connected && world->client[1].connected && world->client[2].connected &&
           world->accepted == 3;
}

static void every_address_means_both_families(struct law_world *world)
{
    char port[16];

    if (world->kind->url[0] != 't')
        return;
    world->server_hooks = &quiet;
    assert_int_equal(weft_listen(world->scope, "tcp://:0", &world->factory, NULL, &world->listener, NULL), 0);
    weft_listener_url(world->listener, NULL, world->url);
    snprintf(port, sizeof port, "%s", strrchr(world->url, ':') + 1);
    snprintf(world->url, sizeof world->url, "tcp://127.0.0.1:%s", port);
    law_connect(world, 0, NULL, &quiet);
    snprintf(world->url, sizeof world->url, "tcp://[::1]:%s", port);
    law_connect(world, 1, NULL, &quiet);
    snprintf(world->url, sizeof world->url, "tcp://:%s", port);
    law_connect(world, 2, NULL, &quiet);
    law_until(world, connected_to_any);
    assert_int_equal(weft_stream_peer(world->client[2].stream)->ip[15], 1);
}

static void an_address_in_use_is_refused(struct law_world *world)
{
    weft_listener *second = NULL;

    law_listen(world, NULL, &quiet);
    assert_int_equal(weft_listen(world->scope, world->url, &world->factory, NULL, &second, NULL), -EADDRINUSE);
    assert_null(second);
}

/* Somebody else's listener, which shares its port. */
static int stranger(struct law_world *world)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof name;
    int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;

    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one), 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&name, sizeof name), 0);
    assert_int_equal(listen(fd, 5), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&name, &length), 0);
    snprintf(world->url, sizeof world->url, "tcp://127.0.0.1:%u", ntohs(name.sin_port));
    return fd;
}

static void a_claimed_port_is_not_shared_with_strangers(struct law_world *world)
{
    weft_listen_options claim = {.size = sizeof claim, .reuse_port = true, .claim_port = true};
    int fd;

    if (world->kind->url[0] != 't')
        return;
    fd = stranger(world);
    assert_int_equal(weft_listen(world->scope, world->url, &world->factory, &claim, &world->listener, NULL),
                     -EADDRINUSE);
    assert_null(world->listener);
    close(fd);
    assert_int_equal(weft_listen(world->scope, world->url, &world->factory, &claim, &world->listener, NULL), 0);
}

static void a_port_that_is_not_claimed_is_shared(struct law_world *world)
{
    weft_listen_options share = {.size = sizeof share, .reuse_port = true};
    int fd;

    if (world->kind->url[0] != 't')
        return;
    fd = stranger(world);
    assert_int_equal(weft_listen(world->scope, world->url, &world->factory, &share, &world->listener, NULL), 0);
    close(fd);
}

static void any_port_can_be_claimed_and_then_shared(struct law_world *world)
{
    static const weft_factory_ops second_ops = {.build = refuse, .stopped = stopped_quietly};
    static struct law_world second;
    weft_listen_options options = {.size = sizeof options, .reuse_port = true, .claim_port = true};
    weft_listener *listener = NULL;

    if (world->kind->url[0] != 't')
        return;
    law_listen(world, &options, &quiet); /* port 0 */
    options.claim_port = false;
    second.factory.ops = &second_ops;
    assert_int_equal(weft_listen(world->scope, world->url, &second.factory, &options, &listener, NULL), 0);
    assert_non_null(listener);
}

/* -- what cannot be asked -- */

static void options_must_say_their_size(struct law_world *world)
{
    struct {
        weft_listen_options known;
        size_t future;
    } newer = {.known = {.size = sizeof newer}, .future = 1};
    weft_listen_options none = {.max_connections = 3}, nested = {.size = sizeof nested, .stream.idle = 5};
    weft_listen_options larger = {.size = sizeof larger, .stream = {.size = sizeof larger.stream + 8}};

    /* (Nothing will listen there; a "%" is no part of a URL.) */
    const char *url = strchr(world->kind->url, '%') ? "unix://@weft-nobody" : world->kind->url;

    world->server_hooks = &quiet;
    assert_int_equal(weft_listen(world->scope, url, &world->factory, &none, &world->listener, NULL), -EINVAL);
    assert_int_equal(weft_listen(world->scope, url, &world->factory, &nested, &world->listener, NULL), -EINVAL);
    assert_int_equal(weft_listen(world->scope, url, &world->factory, &newer.known, &world->listener, NULL), -E2BIG);
    assert_null(world->listener);
    /* What a newer program's streams have more lies behind the whole, and is zero. */
    law_listen(world, &larger, &quiet);
}

static void stream_options_must_say_their_size(struct law_world *world)
{
    struct {
        weft_stream_options known;
        size_t future;
    } newer = {.known = {.size = sizeof newer}, .future = 1};
    weft_stream_options none = {.idle = 5};
    struct law_peer *client = &world->client[0];

    law_pair(world, &quiet, &quiet, NULL);
    assert_int_equal(LAW_CALL(world, weft_stream_set_options(client->stream, &none)), -EINVAL);
    assert_int_equal(LAW_CALL(world, weft_stream_set_options(client->stream, &newer.known)), -E2BIG);
    newer.future = 0;
    assert_int_equal(LAW_CALL(world, weft_stream_set_options(client->stream, &newer.known)), 0);
    client = &world->client[1];
    assert_int_equal(weft_stream_connect(world->scope, world->url, &client->protocol, &none, &client->stream, NULL),
                     -EINVAL);
    assert_null(client->stream);
}

/* A program that was compiled when there was nothing behind the limit on connections. */
static void an_older_programs_options_are_enough(struct law_world *world)
{
    size_t size = offsetof(weft_listen_options, max_connections) + sizeof(size_t);
    weft_listen_options whole = {.size = size, .max_connections = 1}, *older = malloc(size);

    assert_non_null(older);
    memcpy(older, &whole, size);
    law_listen(world, older, &quiet);
    free(older);
    law_connect(world, 0, NULL, &quiet);
    law_connect(world, 1, NULL, &quiet);
    some_turns(world);
    assert_int_equal(world->accepted, 1);
}

static const struct law laws[] = {
    {"options must say their size", options_must_say_their_size, LAW_EVERYWHERE},
    {"stream options must say their size", stream_options_must_say_their_size, LAW_EVERYWHERE},
    {"an older program's options are enough", an_older_programs_options_are_enough, LAW_EVERYWHERE},
    {"EL-28: more than allowed wait in the backlog", more_than_allowed_wait_in_the_backlog, LAW_EVERYWHERE},
    {"refused connections count until they are gone", refused_connections_count_until_they_are_gone, LAW_EVERYWHERE},
    {"EL-28: more than allowed from one address are reset", more_than_allowed_from_one_address_are_reset,
     LAW_EVERYWHERE},
    {"EL-27: limits are separate words", the_default_is_not_unlimited, LAW_EVERYWHERE},
    {"those that finish are drained", those_that_finish_are_drained, LAW_EVERYWHERE},
    {"those that do not are aborted after the grace time", those_that_do_not_are_aborted_after_the_grace_time,
     LAW_EVERYWHERE},
    {"a second stop shortens", a_second_stop_shortens, LAW_EVERYWHERE},
    {"a stopping listener accepts nothing", a_stopping_listener_accepts_nothing, LAW_EVERYWHERE},
    {"stop in stopped does nothing", stop_in_stopped_does_nothing, LAW_EVERYWHERE},
    {"stop without connections is quick", stop_without_connections_is_quick, LAW_EVERYWHERE},
    {"url has the real port", url_has_the_real_port, LAW_EVERYWHERE},
    {"every address means both families", every_address_means_both_families, LAW_EVERYWHERE},
    {"an address in use is refused", an_address_in_use_is_refused, LAW_EVERYWHERE},
    {"a claimed port is not shared with strangers", a_claimed_port_is_not_shared_with_strangers,
     LAW_REAL | LAW_WHY_PROCESS},
    {"a port that is not claimed is shared", a_port_that_is_not_claimed_is_shared, LAW_REAL | LAW_WHY_PROCESS},
    {"any port can be claimed and then shared", any_port_can_be_claimed_and_then_shared, LAW_REAL | LAW_WHY_PROCESS},
};

int main(void)
{
    return law_main(laws, sizeof laws / sizeof *laws);
}
