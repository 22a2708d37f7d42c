/* SPDX-License-Identifier: MIT */
#include "support/support.h"

#include <string.h>

#include <weft/error.h>

#include "families/http/http_listing.h"

/* The page as a string; the caller releases @page. */
static const char *write_page(struct http_text *page, struct http_listing *listing)
{
    *page = (struct http_text){0};
    assert_int_equal(http_listing_write(page, listing), 0);
    http_text_append(page, weft_bytes_of("", 1));
    assert_int_equal(strlen(page->data) + 1, page->length);
    return page->data;
}

static void expect(const char *page, const char *part)
{
    if (!strstr(page, part))
        fail_msg("missing: %s\nin: %s", part, page);
}

static size_t count_of(const char *page, const char *part)
{
    size_t count = 0;

    for (; (page = strstr(page, part)); page += strlen(part))
        count++;
    return count;
}

/* The page of one entry, in a folder two levels deep. */
static const char *write_one(struct http_text *page, struct http_listing_entry entry, const char *query)
{
    struct http_listing listing = {.path = WEFT_BYTES("docs/x"),
                                   .entries = &entry,
                                   .count = 1,
                                   .order = http_listing_order_of(weft_bytes_from(query))};

    return write_page(page, &listing);
}

static void h1_26_names_are_escaped_in_text_and_links(void **state)
{
    struct http_listing_entry entry = {.name = WEFT_BYTES("<h1>\"'&.html"), .size = 5};
    struct http_text page;
    const char *text = write_one(&page, entry, "");

    (void)state;
    expect(text, "<a class=\"n\" href=\"%3Ch1%3E%22%27%26.html\">");
    expect(text, "<bdi>&lt;h1&gt;&quot;&#39;&amp;.html</bdi>");
    assert_int_equal(count_of(text, "<h1>"), 1);
    http_text_release(&page);
}

static void h1_26_the_path_is_escaped(void **state)
{
    struct http_listing listing = {.path = WEFT_BYTES("a<h1>/b\"&")};
    struct http_text page;
    const char *text = write_page(&page, &listing);

    (void)state;
    expect(text, "<title>Index of /a&lt;h1&gt;/b&quot;&amp;/</title>");
    expect(text, "<a href=\"../\"><bdi>a&lt;h1&gt;</bdi></a>");
    assert_int_equal(count_of(text, "<h1>"), 1);
    http_text_release(&page);
}

static void links_are_relative_and_folders_end_with_a_slash(void **state)
{
    struct http_listing_entry folder = {.name = WEFT_BYTES("a b"), .is_directory = true};
    struct http_listing_entry file = {.name = WEFT_BYTES("http:x"), .size = 1};
    struct http_text page;

    (void)state;
    expect(write_one(&page, folder, ""), "<a class=\"n\" href=\"a%20b/\">");
    http_text_release(&page);
    expect(write_one(&page, file, ""), "<a class=\"n\" href=\"http%3Ax\">");
    http_text_release(&page);
}

static void every_folder_above_is_linked(void **state)
{
    struct http_listing listing = {.path = WEFT_BYTES("docs/api/v 1")};
    struct http_text page;
    const char *text = write_page(&page, &listing);

    (void)state;
    expect(text, "<a href=\"../../../\">Home</a><span>/</span><a href=\"../../\"><bdi>docs</bdi></a><span>/</span>"
                 "<a href=\"../\"><bdi>api</bdi></a><span>/</span><bdi>v 1</bdi></h1>");
    expect(text, "href=\"../\"><svg aria-hidden=\"true\"><use href=\"#u\"/></svg>Parent folder</a>");
    http_text_release(&page);
}

static void the_root_has_no_parent(void **state)
{
    struct http_listing listing = {.count = 0};
    struct http_text page;
    const char *text = write_page(&page, &listing);

    (void)state;
    expect(text, "<title>Index of /</title>");
    expect(text, "<h1>Home</h1>");
    expect(text, "This folder is empty.");
    expect(text, "0 folders, 0 files</p>");
    assert_null(strstr(text, "Parent folder"));
    assert_null(strstr(text, "../"));
    http_text_release(&page);
}

static void names_that_cannot_be_requested_have_no_link(void **state)
{
    static const weft_bytes names[] = {WEFT_BYTES("latin-\xe4"), WEFT_BYTES("new\nline"), WEFT_BYTES("back\\slash"),
                                       WEFT_BYTES("nul\0")};
    struct http_text page;

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        const char *text = write_one(&page, (struct http_listing_entry){.name = names[i]}, "");

        expect(text, "<span class=\"n\">");
        assert_int_equal(count_of(text, "class=\"n\" href="), 1);
        http_text_release(&page);
    }
    expect(write_one(&page, (struct http_listing_entry){.name = names[0]}, ""), "<bdi>latin-\xef\xbf\xbd</bdi>");
    http_text_release(&page);
}

static void hidden_names_are_linked_only_when_they_can_be_requested(void **state)
{
    struct http_listing_entry entry = {.name = WEFT_BYTES(".profile")};
    struct http_listing listing = {.entries = &entry, .count = 1, .hidden = true};
    struct http_text page;

    (void)state;
    expect(write_page(&page, &listing), "href=\".profile\"");
    http_text_release(&page);
    listing.hidden = false;
    assert_null(strstr(write_page(&page, &listing), "href=\".profile\""));
    http_text_release(&page);
}

static void sizes_are_for_people(void **state)
{
    static const struct {
        uint64_t size;
        const char *text;
    } rows[] = {
        {0, ">0 B<"},
        {1, ">1 B<"},
        {1023, ">1023 B<"},
        {1024, ">1.0 KiB<"},
        {1536, ">1.5 KiB<"},
        {10239, ">9.9 KiB<"},
        {10240, ">10 KiB<"},
        {1048575, ">1023 KiB<"},
        {1048576, ">1.0 MiB<"},
        {5ULL << 30, ">5.0 GiB<"},
        {UINT64_MAX, ">15 EiB<"},
    };
    struct http_text page;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        expect(write_one(&page, (struct http_listing_entry){.name = WEFT_BYTES("a"), .size = rows[i].size}, ""),
               rows[i].text);
        http_text_release(&page);
    }
}

static void times_are_iso_and_utc(void **state)
{
    static const struct {
        int64_t seconds;
        const char *text;
    } rows[] = {
        {0, "<time datetime=\"1970-01-01T00:00:00Z\">1970-01-01 00:00</time>"},
        {784111777, "<time datetime=\"1994-11-06T08:49:37Z\">1994-11-06 08:49</time>"},
        {951782399, "<time datetime=\"2000-02-28T23:59:59Z\">2000-02-28 23:59</time>"},
        {951782400, "<time datetime=\"2000-02-29T00:00:00Z\">2000-02-29 00:00</time>"},
        {951868800, "<time datetime=\"2000-03-01T00:00:00Z\">2000-03-01 00:00</time>"},
        {4107542400, "<time datetime=\"2100-03-01T00:00:00Z\">2100-03-01 00:00</time>"},
        {-1, "<time datetime=\"1969-12-31T23:59:59Z\">1969-12-31 23:59</time>"},
        {253402300799, "<time datetime=\"9999-12-31T23:59:59Z\">9999-12-31 23:59</time>"},
        {253402300800, "<td class=\"t\"></td>"},
        {-62135596800, "<time datetime=\"0001-01-01T00:00:00Z\">0001-01-01 00:00</time>"},
        {-62135596801, "<td class=\"t\"></td>"},
        {INT64_MAX, "<td class=\"t\"></td>"},
        {INT64_MIN, "<td class=\"t\"></td>"},
    };
    struct http_text page;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        expect(write_one(&page, (struct http_listing_entry){.name = WEFT_BYTES("a"), .modified = rows[i].seconds}, ""),
               rows[i].text);
        http_text_release(&page);
    }
}

static void the_column_that_orders_is_marked_and_turns_round(void **state)
{
    struct http_listing_entry entry = {.name = WEFT_BYTES("sub"), .is_directory = true};
    struct http_text page;
    const char *text = write_one(&page, entry, "");

    (void)state;
    expect(text, "aria-sort=\"ascending\"><a href=\"?sort=name&amp;order=desc\">Name</a>");
    expect(text, "<th scope=\"col\"><a href=\"?sort=size&amp;order=desc\">Size</a>");
    http_text_release(&page);
    text = write_one(&page, entry, "sort=size&order=desc");
    expect(text, "<th scope=\"col\"><a href=\"?sort=name&amp;order=asc\">Name</a>");
    expect(text, "aria-sort=\"descending\"><a href=\"?sort=size&amp;order=asc\">Size</a>");
    assert_int_equal(count_of(text, "aria-sort=\""), 1);
    http_text_release(&page);
}

static void a_chosen_order_is_kept_on_the_way(void **state)
{
    struct http_listing_entry folder = {.name = WEFT_BYTES("sub"), .is_directory = true};
    struct http_text page;
    const char *text = write_one(&page, folder, "sort=time&order=desc");

    (void)state;
    expect(text, "href=\"sub/?sort=time&amp;order=desc\"");
    expect(text, "href=\"../?sort=time&amp;order=desc\"");
    expect(text, "href=\"../../?sort=time&amp;order=desc\"");
    http_text_release(&page);
    assert_null(strstr(write_one(&page, folder, ""), "sub/?"));
    http_text_release(&page);
}

static void what_is_left_out_is_said(void **state)
{
    struct http_listing listing = {.left_out = true};
    struct http_text page;

    (void)state;
    expect(write_page(&page, &listing), "There is more in this folder than is shown here.");
    http_text_release(&page);
}

static void the_sum_does_not_overflow(void **state)
{
    struct http_listing_entry entries[2] = {{.name = WEFT_BYTES("a"), .size = UINT64_MAX},
                                            {.name = WEFT_BYTES("b"), .size = UINT64_MAX}};
    struct http_listing listing = {.entries = entries, .count = 2};
    struct http_text page;

    (void)state;
    expect(write_page(&page, &listing), "0 folders, 2 files, 15 EiB</p>");
    http_text_release(&page);
}

static void list_many(void *unused)
{
    static struct http_listing_entry entries[300];
    struct http_listing listing = {.entries = entries, .count = 300};
    struct http_text page = {0};
    int error;

    (void)unused;
    for (size_t i = 0; i < 300; i++)
        entries[i].name = weft_bytes_from("name");
    error = http_listing_write(&page, &listing);
    assert_int_equal(error, support_injected() ? WEFT_ENOMEM : 0);
    http_text_release(&page);
}

static void every_failed_allocation_is_an_error(void **state)
{
    (void)state;
    assert_true(support_torture(list_many, NULL) > 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        support_test(h1_26_names_are_escaped_in_text_and_links),
        support_test(h1_26_the_path_is_escaped),
        support_test(links_are_relative_and_folders_end_with_a_slash),
        support_test(every_folder_above_is_linked),
        support_test(the_root_has_no_parent),
        support_test(names_that_cannot_be_requested_have_no_link),
        support_test(hidden_names_are_linked_only_when_they_can_be_requested),
        support_test(sizes_are_for_people),
        support_test(times_are_iso_and_utc),
        support_test(the_column_that_orders_is_marked_and_turns_round),
        support_test(a_chosen_order_is_kept_on_the_way),
        support_test(what_is_left_out_is_said),
        support_test(the_sum_does_not_overflow),
        support_test(every_failed_allocation_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
