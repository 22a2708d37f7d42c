/* SPDX-License-Identifier: MIT */
/* Schemes that a program adds to a loop (weft/scheme.h), and what options in a URL do. */
#include "laws/law.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <weft/scheme.h>

struct renamed {
    weft_scheme scheme;
    const char *to;
    unsigned asked;
};

static int translate(weft_scheme *scheme, const char *url, char *buffer, size_t room, weft_url_error *ret_error)
{
    struct renamed *renamed = weft_container_of(scheme, struct renamed, scheme);

    renamed->asked++;
    if (strstr(url, "://bad")) {
        *ret_error = (weft_url_error){.offset = (size_t)(strstr(url, "bad") - url), .text = "there is no such place"};
        return WEFT_EURL;
    }
    if (strstr(url, "://later"))
        return -EAGAIN;
    snprintf(buffer, room, "%s", renamed->to);
    return 0;
}

static const weft_scheme_ops service_ops = {.name = "service", .translate = translate};
static const weft_scheme_ops other_ops = {.name = "an-other.1", .translate = translate};
static const struct law_hooks quiet = {0};

static bool both_connected(struct law_world *world)
{
    return world->client[0].connected && world->server[0].connected;
}

static int listen_at(struct law_world *world, const char *url, weft_url_error *error)
{
    world->server_hooks = &quiet;
    return weft_listen(world->scope, url, &world->factory, NULL, &world->listener, error);
}

/* They are static, since the loop outlives a law. */
static struct renamed service, other;

static void add(struct law_world *world, struct renamed *renamed, const weft_scheme_ops *ops, const char *to)
{
    *renamed = (struct renamed){.scheme.ops = ops, .to = to};
    assert_int_equal(weft_scheme_add(world->loop, &renamed->scheme), 0);
}

static void a_scheme_stands_for_another_place(struct law_world *world)
{
    add(world, &service, &service_ops, "mem://somewhere");
    assert_int_equal(listen_at(world, "Service://x?idle=5s", NULL), 0);
    snprintf(world->url, sizeof world->url, "service://x");
    law_connect(world, 0, NULL, &quiet);
    law_until(world, both_connected);
    assert_int_equal(service.asked, 2);
    weft_scheme_remove(&service.scheme);
    weft_scheme_remove(&service.scheme);
    assert_int_equal(listen_at(world, "service://x", NULL), WEFT_ESCHEME);
    law_close(&world->client[0]);
    law_until_lost(world);
}

static void errors_point_at_the_string_as_it_was(struct law_world *world)
{
    weft_url_error error = {.offset = 77};

    add(world, &service, &service_ops, "tcp://127.1:80");
    add(world, &other, &other_ops, "an-other.1://x");
    assert_int_equal(listen_at(world, "tls+service://bad", &error), WEFT_EURL);
    assert_int_equal(error.offset, 14);
    assert_string_equal(error.text, "there is no such place");
    assert_int_equal(listen_at(world, "service://later", &error), -EAGAIN);
    assert_int_equal(listen_at(world, "service://x", &error), WEFT_EURL);
    assert_int_equal(error.offset, 0);
    assert_int_equal(listen_at(world, "an-other.1://x", &error), WEFT_EURL);
    assert_int_equal(other.asked, 5);
    service.to = "an-other.1://bad";
    assert_int_equal(listen_at(world, "service://x", &error), WEFT_EURL);
    assert_int_equal(error.offset, 0);
}

static void a_name_is_had_once(struct law_world *world)
{
    static const char *const wrong[] = {"",    "A",   "1a", "a+b",
                                        "a_b", "a:b", "-a", "abcdefghijklmnopqrstuvwxyz-01234567"};
    static const char *const ours[] = {"tcp", "tls", "proxy", "stdio", "exec", "udp", "socks5", "http-connect"};
    struct renamed again = {.scheme.ops = &service_ops};

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const weft_scheme_ops ops = {.name = wrong[i], .translate = translate};
        again.scheme.ops = &ops;
        assert_int_equal(weft_scheme_add(world->loop, &again.scheme), -EINVAL);
    }
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++) {
        const weft_scheme_ops ops = {.name = ours[i], .translate = translate};
        again.scheme.ops = &ops;
        assert_int_equal(weft_scheme_add(world->loop, &again.scheme), -EEXIST);
    }
    again.scheme.ops = &service_ops;
    add(world, &service, &service_ops, "mem://x");
    assert_int_equal(weft_scheme_add(world->loop, &again.scheme), -EEXIST);
    weft_scheme_remove(&again.scheme);
    assert_int_equal(weft_scheme_add(world->loop, &service.scheme), -EEXIST);
}

static void what_is_too_long_is_refused(struct law_world *world)
{
    static char text[4000];
    weft_url_error error;

    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    add(world, &service, &service_ops, text);
    assert_int_equal(listen_at(world, "service://x", &error), WEFT_EURL);
    memcpy(text, "mem://", 6);
    assert_int_equal(listen_at(world, "service://x", &error), WEFT_EURL);
    for (size_t i = 0; i + 1 < sizeof text; i += 4)
        memcpy(text + i, "tls+", 4);
    strcpy(text + sizeof text - 20, "+service://x");
    assert_int_equal(listen_at(world, text, &error), WEFT_EURL);
}

static bool client_lost(struct law_world *world)
{
    return world->client[0].lost;
}

static void options_in_the_url_go_before_the_programs(struct law_world *world)
{
    const weft_stream_options options = {.size = sizeof options, .idle = WEFT_SECONDS(3), .lifetime = WEFT_SECONDS(90)};
    weft_time before;

    law_listen(world, NULL, &quiet);
    weft_listener_url(world->listener, NULL, world->url);
    strcat(world->url, "?idle=20s");
    before = weft_loop_now(world->loop);
    law_connect(world, 0, &options, &quiet);
    law_until(world, client_lost);
    assert_int_equal(world->client[0].reason, WEFT_EIDLE);
    assert_true(world->client[0].lost_at - before >= WEFT_SECONDS(20));
}

static const struct law laws[] = {
    {"a scheme stands for another place", a_scheme_stands_for_another_place, LAW_EVERYWHERE},
    {"errors point at the string as it was", errors_point_at_the_string_as_it_was, LAW_EVERYWHERE},
    {"a name is had once", a_name_is_had_once, LAW_EVERYWHERE},
    {"what is too long is refused", what_is_too_long_is_refused, LAW_EVERYWHERE},
    {"options in the URL go before the program's", options_in_the_url_go_before_the_programs,
     LAW_EVERYWHERE | LAW_JUMPS},
};

int main(void)
{
    return law_main(laws, sizeof laws / sizeof *laws);
}
