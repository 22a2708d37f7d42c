/* SPDX-License-Identifier: MIT */
/* How long files are kept, what gives way when there is no room, and who goes first. */
#include "families/http/cache_place.h"

#include <stdlib.h>
#include <string.h>

/* -- time -- */

static void what_is_asked_for_again_in_time_stays(void **state)
{
    static struct web web;
    struct web_client *client;

    (void)state;
    place_put("root/one", "first");
    site_open(&web);
    client = web_connect(&web);
    for (int i = 0; i < 5; i++) {
        site_expect(client, GET("/one"), 200, "\r\n\r\nfirst");
        assert_int_equal(place_disk.opens, 1);
        web_pass(&web, HTTP_FILES_CACHE_TIME - WEFT_MILLISECONDS(10));
    }
    web_pass(&web, 2 * HTTP_FILES_CACHE_TIME);
    assert_int_equal(map_count(&site_files->cache.entries), 0);
    site_expect(client, GET("/one"), 200, "\r\n\r\nfirst");
    assert_int_equal(place_disk.opens, 2);
    web_pass(&web, 2 * HTTP_FILES_CACHE_TIME);
    assert_int_equal(map_count(&site_files->cache.entries), 0);
    site_close(&web);
}

static void what_is_kept_does_not_keep_the_loop(void **state)
{
    static struct web web;
    struct web_client *client;

    (void)state;
    place_put("root/one", "first");
    site_open(&web);
    client = web_connect(&web);
    site_expect(client, GET("/one"), 200, "\r\n\r\nfirst");
    web_abort(client);
    weft_listener_stop(web.listener, 0);
    assert_int_equal(weft_loop_run(web.loop), 0);
    assert_int_equal(map_count(&site_files->cache.entries), 1);
    site_close(&web);
}

/* -- no room -- */

static void want_of_descriptors_lets_everything_go(void **state)
{
    (void)state;
    place_put("root/one", "first");
    place_put("root/two", "second");
    for (int slow = 0; slow < 2; slow++) {
        static struct web web;
        struct web_client *client;

        place_disk.slow = slow;
        site_open(&web);
        client = web_connect(&web);
        place_disk.no_room = 1;
        site_expect(client, GET("/one"), 503, NULL); /* nothing is kept: nothing can be let go */
        site_expect(client, GET("/one"), 200, "\r\n\r\nfirst");
        site_expect(client, GET("/folder/inner"), 200, "\r\n\r\ninner");
        place_disk.no_room = 1;
        site_expect(client, GET("/two"), 200, "\r\n\r\nsecond");
        assert_int_equal(map_count(&site_files->cache.entries), 1);
        place_disk.no_room = 2;
        site_expect(client, GET("/one"), 503, NULL);
        site_expect(client, GET("/one"), 200, "\r\n\r\nfirst");
        web_expect_open(client);
        site_close(&web);
    }
}

static void the_server_answers_from_it_when_memory_is_short(void **state)
{
    static const struct web_torture plain = {
        .open = site_open, .close = site_close, .request = GET("/one") GET("/one"), .undisturbed = GET("/one")};
    struct web_torture folder = plain;

    (void)state;
    place_put("root/one", "first");
    web_torture(&plain);
    folder.request = GET("/folder/") GET("/folder/");
    web_torture(&folder);
}

/* -- its life -- */

static void the_handler_may_go_before_its_loop(void **state)
{
    static struct web web;
    struct web_client *client;

    (void)state;
    place_put("root/one", "first");
    site_open(&web);
    client = web_connect(&web);
    site_expect(client, GET("/one"), 200, "\r\n\r\nfirst");
    web_abort(client);
    weft_listener_stop(web.listener, 0);
    web_settle(&web);
    assert_int_equal(web.stopped, 1);
    weft_http_server_free(web.server);
    web.server = NULL;
    weft_http_files_free(site_files);
    site_files = NULL;
    web_pass(&web, 3 * HTTP_FILES_CACHE_TIME); /* its timer is gone with it */
    web_close(&web);
}

static void the_handler_may_serve_on_one_loop_after_the_other(void **state)
{
    static struct web web;
    struct web_client *client;
    struct web_options options = {.seed = 2};

    (void)state;
    place_put("root/one", "first");
    site_open(&web);
    client = web_connect(&web);
    site_expect(client, GET("/one"), 200, "\r\n\r\nfirst");
    web_close(&web);
    options.handler = weft_http_files_handler(site_files);
    web_open(&web, &options, NULL);
    client = web_connect(&web);
    site_expect(client, GET("/one"), 200, "\r\n\r\nfirst");
    place_change_content();
    site_expect(client, GET("/one"), 200, "\r\n\r\nFIRST");
    site_expect(client, GET("/one"), 200, "\r\n\r\nFIRST");
    assert_int_equal(map_count(&site_files->cache.entries), 1);
    web_pass(&web, 3 * HTTP_FILES_CACHE_TIME);
    assert_int_equal(map_count(&site_files->cache.entries), 0);
    site_close(&web);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        place_test(what_is_asked_for_again_in_time_stays),
        place_test(what_is_kept_does_not_keep_the_loop),
        place_test(want_of_descriptors_lets_everything_go),
        place_test(the_server_answers_from_it_when_memory_is_short),
        place_test(the_handler_may_go_before_its_loop),
        place_test(the_handler_may_serve_on_one_loop_after_the_other),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
