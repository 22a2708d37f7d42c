/* SPDX-License-Identifier: MIT */
/* What the pages that this server writes by itself have in common. */
#include "support/support.h"

#include <stdio.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/sha.h>

#include "families/http/http_error_page.h"
#include "families/http/http_listing.h"

/* The policy allows exactly the style that the page has: its hash is computed from the page. */
static void check_policy(weft_bytes page, const char *policy)
{
    const char *style = memmem(page.data, page.length, "<style>", 7);
    const char *end = memmem(page.data, page.length, "</style>", 8);
    unsigned char digest[SHA256_DIGEST_LENGTH];
    char base64[64], source[100];

    assert_non_null(style);
    assert_non_null(end);
    SHA256((const unsigned char *)style + 7, (size_t)(end - style - 7), digest);
    EVP_EncodeBlock((unsigned char *)base64, digest, sizeof(digest));
    snprintf(source, sizeof(source), "style-src 'sha256-%s';", base64);
    if (!strstr(policy, source))
        fail_msg("the policy needs %s", source);
    assert_non_null(strstr(policy, "default-src 'none';"));
    assert_null(strstr(policy, "unsafe"));
}

/* No script, nothing loaded, no style attribute, which the policy would refuse. */
static void check_contained(const char *page)
{
    static const char *const never[] = {
        "<script", "http://", "https://", "src=", "url(", "@import", " style=", "onclick"};

    for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
        assert_null(strstr(page, never[i]));
    assert_true(strncmp(page, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n", 63) == 0);
    assert_non_null(strstr(page, "name=\"viewport\""));
    assert_string_equal(page + strlen(page) - 16, "</body>\n</html>\n");
}

static void a_listing_is_contained_and_allowed_by_its_policy(void **state)
{
    struct http_listing_entry entry = {.name = WEFT_BYTES("a")};
    struct http_listing listing = {.path = WEFT_BYTES("b"), .entries = &entry, .count = 1};
    struct http_text page = {0};

    (void)state;
    assert_int_equal(http_listing_write(&page, &listing), 0);
    check_policy(weft_bytes_of(page.data, page.length), http_listing_policy);
    http_text_append(&page, weft_bytes_of("", 1));
    check_contained(page.data);
    http_text_release(&page);
}

static void an_error_page_is_contained_and_allowed_by_its_policy(void **state)
{
    char page[HTTP_ERROR_PAGE_ROOM];
    size_t length = http_error_page(404, page);

    (void)state;
    check_policy(weft_bytes_of(page, length), http_error_page_policy);
    check_contained(page);
}

static void every_error_page_fits_and_names_its_status(void **state)
{
    (void)state;
    for (unsigned status = 100; status < 1000; status++) {
        char page[HTTP_ERROR_PAGE_ROOM], title[80];
        size_t length = http_error_page(status, page);

        assert_true(length < HTTP_ERROR_PAGE_ROOM);
        assert_int_equal(length, strlen(page));
        snprintf(title, sizeof(title), "<title>%u %s</title>", status, http_status_reason(status).data);
        assert_non_null(strstr(page, title));
    }
}

static void errors_are_explained(void **state)
{
    char page[HTTP_ERROR_PAGE_ROOM];

    (void)state;
    http_error_page(404, page);
    assert_non_null(strstr(page, "<p>There is nothing at this address.</p>"));
    for (unsigned status = 400; status < 600; status++) {
        http_error_page(status, page);
        assert_null(strstr(page, "<p></p>"));
    }
}

static void reasons_are_those_of_the_standard(void **state)
{
    (void)state;
    assert_string_equal(http_status_reason(200).data, "OK");
    assert_string_equal(http_status_reason(206).data, "Partial Content");
    assert_string_equal(http_status_reason(304).data, "Not Modified");
    assert_string_equal(http_status_reason(413).data, "Content Too Large");
    assert_string_equal(http_status_reason(431).data, "Request Header Fields Too Large");
    assert_int_equal(http_status_reason(404).length, strlen("Not Found"));
    assert_string_equal(http_status_reason(499).data, "Bad Request");
    assert_string_equal(http_status_reason(599).data, "Internal Server Error");
    assert_string_equal(http_status_reason(999).data, "Internal Server Error");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        support_test(a_listing_is_contained_and_allowed_by_its_policy),
        support_test(an_error_page_is_contained_and_allowed_by_its_policy),
        support_test(every_error_page_fits_and_names_its_status),
        support_test(errors_are_explained),
        support_test(reasons_are_those_of_the_standard),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
