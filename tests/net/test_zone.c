/* SPDX-License-Identifier: MIT */
/* Zones of IPv6 addresses: the name of an interface is looked up when the socket is opened. */
#include "support/support.h"

#include <errno.h>

#include <weft/listener.h>

static void lost(weft_protocol *protocol, weft_stream *stream, int reason)
{
    (void)protocol;
    (void)stream;
    (void)reason;
}

static const weft_protocol_ops protocol_ops = {.name = "nobody", .not_handed_over = "it has no state", .lost = lost};
static weft_protocol protocol = {&protocol_ops};

static weft_protocol *build(weft_factory *factory, weft_stream *stream)
{
    (void)factory;
    (void)stream;
    return NULL;
}

static const weft_factory_ops factory_ops = {.build = build};
static weft_factory factory = {&factory_ops};

static int listen_at(weft_loop *loop, const char *url)
{
    return weft_listen(weft_loop_scope(loop), url, &factory, NULL, NULL, NULL);
}

static void an_interface_that_is_not_there_is_told_at_once(void **state)
{
    const weft_loop_options options = {.size = sizeof options, .backend = support_engine()};
    weft_loop *loop;

    (void)state;
    assert_int_equal(weft_loop_new(&options, &loop), 0);
    assert_int_equal(listen_at(loop, "tcp://[fe80::1%25weft-nowhere]:0"), -ENODEV);
    assert_int_equal(
        weft_stream_connect(weft_loop_scope(loop), "tcp://[fe80::1%25weft-nowhere]:1", &protocol, NULL, NULL, NULL),
        -ENODEV);
    assert_int_not_equal(listen_at(loop, "tcp://[fe80::1%25lo]:0"), -ENODEV);
    weft_loop_free(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        support_test(an_interface_that_is_not_there_is_told_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
