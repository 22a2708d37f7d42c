/* SPDX-License-Identifier: MIT */
/* A server answers from what it keeps as it would have from the disk, and sees every change. */
#include "families/http/cache_place.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Multipart boundaries are random. */
static void strip_boundaries(char *text)
{
    char *mark = strstr(text, "boundary="), *at = text;
    size_t length = mark ? strcspn(mark + 9, "\r\n") : 0;
    char *boundary = mark ? strndup(mark + 9, length) : NULL;

    while (boundary && (at = strstr(at, boundary)) != NULL)
        memset(at, '=', length);
    free(boundary);
}

/* The answer to @p request, freed by the caller. */
static char *answer_of(struct web_client *client, const char *request)
{
    char *text = strdup(site_ask(client, request));

    assert_non_null(text);
    strip_boundaries(text);
    return text;
}

/* Every request is answered four times: opened for it, and kept with its content; then the same without. */
static void what_is_kept_answers_as_the_disk_does(void **state)
{
    static const char *const requests[] = {
        GET("/small"),
        HEAD("/small"),
        GET_WITH("/small", "Range: bytes=1-3"),
        GET_WITH("/small", "Range: bytes=-2"),
        GET_WITH("/small", "Range: bytes=0-0,4-4"),
        GET_WITH("/small", "Range: bytes=5-"),
        GET_WITH("/small", "If-Modified-Since: Sun, 09 Sep 2001 01:46:40 GMT"),
        GET_WITH("/small", "If-Modified-Since: Sun, 09 Sep 2001 01:46:39 GMT"),
        GET_WITH("/small", "If-None-Match: *"),
        GET_WITH("/small", "If-Match: \"other\""),
        GET_WITH("/small", "If-Range: Sun, 09 Sep 2001 01:46:40 GMT\r\nRange: bytes=1-3"),
        GET_WITH("/small", "Accept-Encoding: br, gzip"),
        GET("/empty"),
        HEAD("/empty"),
        GET_WITH("/empty", "Range: bytes=0-"),
        GET("/large"),
        HEAD("/large"),
        GET_WITH("/large", "Range: bytes=99990-"),
        GET("/folder/inner"),
        GET("/folder"),
        GET("/folder/"),
        GET("/indexed/"),
        GET("/"),
    };

    (void)state;
    place_put("root/small", "small");
    place_put("root/small.gz", "zipped");
    place_put("root/empty", "");
    place_put_letters("root/large", 100000, 'l');
    assert_int_equal(mkdir(place_path("root/indexed"), 0755), 0);
    place_put("root/indexed/index.html", "index");
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        static struct web web;
        struct web_client *client;
        char *first;

        support_set_context("request %zu", i);
        site_open(&web);
        client = web_connect(&web);
        first = answer_of(client, requests[i]);
        for (int round = 1; round < 4; round++) {
            char *text;

            if (round == 2) {
                (void)http_files_cache_clear(&site_files->cache);
                place_disk.cold = true;
            }
            text = answer_of(client, requests[i]);
            assert_string_equal(text, first);
            free(text);
            web_expect_open(client);
        }
        place_disk.cold = false;
        site_close(&web);
        free(first);
    }
    support_clear_context();
}

static void a_kept_file_is_not_opened_again(void **state)
{
    static struct web web;
    struct web_client *client;

    (void)state;
    place_put("root/small", "small");
    place_put("root/empty", "");
    place_put_letters("root/large", 100000, 'l');
    site_open(&web);
    client = web_connect(&web);
    site_expect(client, GET("/small"), 200, "\r\n\r\nsmall");
    site_expect(client, GET("/empty"), 200, "\r\n\r\n");
    site_expect(client, GET("/large"), 200, "llll");
    assert_int_equal(place_disk.opens, 3);
    site_expect(client, GET("/small"), 200, "\r\n\r\nsmall");
    site_expect(client, HEAD("/small"), 200, "\r\n\r\n");
    site_expect(client, GET_WITH("/small", "Range: bytes=1-2"), 206, "\r\n\r\nma");
    site_expect(client, GET_WITH("/small", "If-None-Match: *"), 304, "\r\n\r\n");
    site_expect(client, GET("/empty"), 200, "\r\n\r\n");
    site_expect(client, GET("/large"), 200, "llll");
    assert_int_equal(place_disk.opens, 3);
    site_close(&web);
}

static void a_change_is_seen_by_the_next_request(void **state)
{
    static struct web web;
    struct web_client *client;

    (void)state;
    place_put("root/one", "first");
    site_open(&web);
    client = web_connect(&web);
    site_expect(client, GET("/one"), 200, "\r\n\r\nfirst");
    place_change_content();
    site_expect(client, GET("/one"), 200, "\r\n\r\nFIRST");
    place_put("root/one", "longer than it was");
    site_expect(client, GET("/one"), 200, "\r\n\r\nlonger than it was");
    place_rename_over();
    site_expect(client, GET("/one"), 200, "\r\n\r\nFIRST");
    place_delete();
    site_expect(client, GET("/one"), 404, NULL);
    place_put("root/one", "first");
    site_expect(client, GET("/one"), 200, "\r\n\r\nfirst");
    place_become_folder();
    site_expect(client, GET("/one"), 301, NULL);
    assert_int_equal(rmdir(place_path("root/one")), 0);
    site_expect(client, GET("/one"), 404, NULL);
    site_close(&web);
}

static void a_link_out_of_the_root_is_never_followed(void **state)
{
    static struct web web;
    struct web_client *client;

    (void)state;
    place_put("root/one", "first");
    site_open(&web);
    client = web_connect(&web);
    for (int i = 0; i < 2; i++) {
        site_expect(client, GET("/one"), 200, "\r\n\r\nfirst");
        place_link_out();
        site_expect(client, GET("/one"), 404, NULL);
        assert_null(strstr(web_text(client), "canary"));
        assert_int_equal(unlink(place_path("root/one")), 0);
        place_put("root/one", "first");
    }
    site_expect(client, GET("/one"), 200, "\r\n\r\nfirst");
    place_move_out_and_link();
    site_expect(client, GET("/one"), 404, NULL);
    assert_null(strstr(web_text(client), "first"));
    site_close(&web);
}

/* Moving a folder changes nothing in what is beneath it. */
static void a_folder_that_is_moved_out_of_the_root_takes_its_files_along(void **state)
{
    static struct web web;
    struct web_client *client;

    (void)state;
    site_open(&web);
    client = web_connect(&web);
    site_expect(client, GET("/folder/inner"), 200, "\r\n\r\ninner");
    assert_int_equal(rename(place_path("root/folder"), place_path("outside/folder")), 0);
    assert_int_equal(symlink("../outside/folder", place_path("root/folder")), 0);
    site_expect(client, GET("/folder/inner"), 404, NULL);
    site_close(&web);
}

static void a_compressed_sibling_that_appears_is_sent(void **state)
{
    static struct web web;
    struct web_client *client;

    (void)state;
    place_put("root/one", "first");
    site_open(&web);
    client = web_connect(&web);
    site_expect(client, GET_WITH("/one", "Accept-Encoding: gzip"), 200, "\r\n\r\nfirst");
    place_put("root/one.gz", "zipped");
    site_expect(client, GET_WITH("/one", "Accept-Encoding: gzip"), 200, "\r\n\r\nzipped");
    site_expect(client, GET("/one"), 200, "\r\n\r\nfirst");
    assert_int_equal(unlink(place_path("root/one.gz")), 0);
    site_expect(client, GET_WITH("/one", "Accept-Encoding: gzip"), 200, "\r\n\r\nfirst");
    site_close(&web);
}

static void an_index_that_appears_is_sent(void **state)
{
    static struct web web;
    struct web_client *client;

    (void)state;
    site_open(&web);
    client = web_connect(&web);
    site_expect(client, GET("/folder/"), 200, NULL);
    assert_non_null(strstr(web_text(client), "inner"));
    place_put("root/folder/index.html", "index");
    site_expect(client, GET("/folder/"), 200, "\r\n\r\nindex");
    assert_int_equal(unlink(place_path("root/folder/index.html")), 0);
    place_put("root/folder/further", "further");
    site_expect(client, GET("/folder/"), 200, NULL);
    assert_non_null(strstr(web_text(client), "further"));
    site_close(&web);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        place_test(what_is_kept_answers_as_the_disk_does),
        place_test(a_kept_file_is_not_opened_again),
        place_test(a_change_is_seen_by_the_next_request),
        place_test(a_link_out_of_the_root_is_never_followed),
        place_test(a_folder_that_is_moved_out_of_the_root_takes_its_files_along),
        place_test(a_compressed_sibling_that_appears_is_sent),
        place_test(an_index_that_appears_is_sent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
