/* SPDX-License-Identifier: MIT */
/*
 * A listing goes out piece by piece, as its client takes it. The linker puts the function below in front of file_list
 * (--wrap), so that a folder has as many entries as a test needs.
 */
#include "families/http/web.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <weft/http_files.h>
#include <weft/memory.h>

#include "backend/file.h"
#include "families/http/http_listing.h"

#define MANY 20000
#define NAME "a file with a name of some length, number %05zu.txt"

static size_t entries;

int __wrap_file_list(weft_file *directory, size_t limit, weft_file_entry **ret_entries, size_t *ret_count,
                     bool *ret_truncated);

int __wrap_file_list(weft_file *directory, size_t limit, weft_file_entry **ret_entries, size_t *ret_count,
                     bool *ret_truncated)
{
    size_t count = entries < limit ? entries : limit;
    weft_file_entry *all = weft_allocate_zeroed(count + 1, sizeof *all);

    (void)directory;
    if (!all)
        return WEFT_ENOMEM;
    for (size_t i = 0; i < count; i++) {
        char *name = weft_allocate(80);

        if (!name) {
            file_list_free(all, i);
            return WEFT_ENOMEM;
        }
        snprintf(name, 80, NAME, count - 1 - i); /* the last first */
        all[i] = (weft_file_entry){.name = weft_bytes_from(name), .info = {.length = i}};
    }
    *ret_entries = all;
    *ret_count = count;
    *ret_truncated = count < entries;
    return 0;
}

static weft_http_files *files;

static void site_open(struct web *web)
{
    weft_http_files_options about = {.size = sizeof about, .listing_entries = MANY};
    struct web_options options = {.seed = 1};
    weft_directory *directory;

    assert_int_equal(weft_directory_open("/", &directory), 0);
    assert_int_equal(weft_http_files_new(directory, &about, &files), 0);
    weft_directory_unref(directory);
    options.handler = weft_http_files_handler(files);
    web_open(web, &options, NULL);
}

static void site_close(struct web *web)
{
    web_close(web);
    weft_http_files_free(files);
}

/* The page, as it would be written in one piece. */
static void write_whole(struct http_text *page)
{
    struct http_listing_entry *all = calloc(entries + 1, sizeof *all);
    char *names = malloc(entries * 80 + 1);
    struct http_listing listing = {.entries = all, .count = entries};

    if (!all || !names)
        abort();
    for (size_t i = 0; i < entries; i++) {
        snprintf(names + i * 80, 80, NAME, i);
        all[i] = (struct http_listing_entry){.name = weft_bytes_from(names + i * 80), .size = entries - 1 - i};
    }
    assert_int_equal(http_listing_write(page, &listing), 0);
    free(all);
    free(names);
}

static void expect_page(struct web_client *client)
{
    struct http_text page = {.data = NULL};
    const char *body = strstr(web_text(client), "\r\n\r\n");
    char length[64];

    write_whole(&page);
    assert_non_null(body);
    snprintf(length, sizeof length, "\r\nContent-Length: %zu\r\n", page.length);
    assert_non_null(strstr(web_text(client), length));
    assert_int_equal(strlen(body + 4), page.length);
    assert_memory_equal(body + 4, page.data, page.length);
    http_text_release(&page);
    web_forget(client);
}

static void the_pieces_are_the_page(void **state)
{
    static const size_t counts[] = {0, 1, 100, 1000, MANY};

    (void)state;
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        struct web web;
        struct web_client *client;

        entries = counts[i];
        site_open(&web);
        client = web_connect(&web);
        web_send(client, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        expect_page(client);
        web_send(client, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        expect_page(client);
        web_expect_open(client);
        site_close(&web);
    }
}

static void head_says_how_long_the_page_is(void **state)
{
    struct http_text page = {.data = NULL};
    struct web web;
    struct web_client *client;
    char length[64];

    (void)state;
    entries = MANY;
    write_whole(&page);
    site_open(&web);
    client = web_connect(&web);
    web_send(client, "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
    snprintf(length, sizeof length, "\r\nContent-Length: %zu\r\n", page.length);
    assert_non_null(strstr(web_text(client), length));
    assert_string_equal(strstr(web_text(client), "\r\n\r\n"), "\r\n\r\n");
    web_expect_open(client);
    site_close(&web);
    http_text_release(&page);
}

/* What it has not read yet is not written yet: there are the entries, and not their page. */
static void a_client_that_does_not_read_costs_its_entries_only(void **state)
{
    size_t before, whole;
    struct http_text page = {.data = NULL};
    struct web web;
    struct web_client *client;

    (void)state;
    entries = MANY;
    write_whole(&page);
    whole = page.length;
    http_text_release(&page);
    site_open(&web);
    client = web_connect(&web);
    web_pass(&web, WEFT_SECONDS(1));
    before = support_live_bytes();
    weft_stream_pause(client->stream);
    web_send(client, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_true(support_live_bytes() - before < MANY * (sizeof(struct http_listing_entry) + 56) + 300 * 1024);
    assert_true(support_live_bytes() - before < whole / 2);
    weft_stream_resume(client->stream);
    web_settle(&web);
    expect_page(client);
    web_expect_open(client);
    assert_true(support_live_bytes() - before < 300 * 1024);
    site_close(&web);
}

static void a_client_may_leave_in_the_middle(void **state)
{
    struct web web;
    struct web_client *client;

    (void)state;
    entries = MANY;
    site_open(&web);
    client = web_connect(&web);
    weft_stream_pause(client->stream);
    web_send(client, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    web_abort(client);
    site_close(&web);
}

static void the_length_is_that_of_the_page(void **state)
{
    struct http_listing_entry entry[2] = {{.name = WEFT_BYTES("a&b"), .size = 5},
                                          {.name = WEFT_BYTES("sub"), .is_directory = true}};
    struct http_listing listing = {.entries = entry, .count = 2, .path = WEFT_BYTES("x/y")};
    struct http_text whole = {.data = NULL}, pieces = {.data = NULL};
    uint64_t length;
    size_t next = 0, calls = 0;

    (void)state;
    assert_int_equal(http_listing_write(&whole, &listing), 0);
    assert_int_equal(http_listing_length(&listing, &length), 0);
    assert_int_equal(length, whole.length);
    while (http_listing_write_on(&pieces, &listing, pieces.length + 1, &next) == 1)
        calls++;
    assert_int_equal(calls, 3); /* the head, two rows; and the foot was the end */
    assert_int_equal(pieces.length, whole.length);
    assert_memory_equal(pieces.data, whole.data, whole.length);
    http_text_release(&whole);
    http_text_release(&pieces);
}

static void a_listing_survives_short_memory(void **state)
{
    static const struct web_torture torture = {.open = site_open,
                                               .close = site_close,
                                               .request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
                                               .undisturbed = "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"};

    (void)state;
    entries = 120; /* more than one piece */
    web_torture(&torture);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        support_test(the_pieces_are_the_page),
        support_test(head_says_how_long_the_page_is),
        support_test(a_client_that_does_not_read_costs_its_entries_only),
        support_test(a_client_may_leave_in_the_middle),
        support_test(the_length_is_that_of_the_page),
        support_test(a_listing_survives_short_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
