/* SPDX-License-Identifier: MIT */
/* URLs, the pool's keys, content codings: what needs no loop. */
#include "support/support.h"

#include <string.h>

#include <weft/error.h>
#include <weft/memory.h>

#include "families/http/http_client.h"
#include "families/http/http_request_basic.h"

/* -- URLs -- */

static int parse(const char *text, struct http_url *ret)
{
    return http_url_parse(weft_bytes_from(text), ret);
}

static void expect_normal(const char *text, const char *normal)
{
    struct http_text written = {0};
    struct http_url url;

    assert_int_equal(parse(text, &url), 0);
    http_url_append(&written, &url);
    assert_int_equal(written.length, strlen(normal));
    assert_memory_equal(written.data, normal, written.length);
    assert_int_equal(http_url_parse(weft_bytes_of(written.data, written.length), &url), 0);
    http_text_release(&written);
}

static void a_url_is_taken_apart(void **state)
{
    struct http_url url;

    (void)state;
    assert_int_equal(parse("HTTP://u:p@Host.Example:8080/a/b?c#d", &url), 0);
    assert_false(url.secure);
    assert_int_equal(url.port, 8080);
    assert_true(weft_bytes_equal(url.userinfo, weft_bytes_from("u:p")));
    assert_true(weft_bytes_equal(url.host, weft_bytes_from("Host.Example")));
    assert_true(weft_bytes_equal(url.target, weft_bytes_from("/a/b?c")));
    assert_int_equal(parse("https://[2001:db8::1]", &url), 0);
    assert_true(url.secure);
    assert_int_equal(url.port, 443);
    assert_null(url.userinfo.data);
    assert_true(weft_bytes_equal(url.host, weft_bytes_from("[2001:db8::1]")));
    assert_int_equal(url.target.length, 0);
}

static void a_url_has_a_normal_form(void **state)
{
    (void)state;
    expect_normal("http://EXAMPLE.com", "http://example.com/");
    expect_normal("HTTP://u@EXAMPLE.com:80?q#f", "http://example.com/?q");
    expect_normal("http://example.com:081/x", "http://example.com:81/x");
    expect_normal("https://[::1]:443/", "https://[::1]/");
    expect_normal("http://localhost.:8/", "http://localhost.:8/");
    expect_normal("http://a_b-c.example:/", "http://a_b-c.example/");
}

/* H1-36: where two readers could disagree about the host there is no host. */
static void h1_36_doubtful_hosts_are_refused(void **state)
{
    static const char *const bad[] = {
        "http://127.1/",
        "http://0/",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://0x7f.0.0.1/",
        "http://0177.0.0.1/",
        "http://127.0.0.1.:80.80/",
        "http://127.0.0.256/",
        "http://1.2.3.4.5/",
        "http://00.0.0.0/",
        "http://example.0x1/",
        "http://example.7/",
        "http://127.0.1./",
        "http://[::1/",
        "http://::1/",
        "http://[::1]x/",
        "http://[::ffff:127.1]/",
        "http://[::1%25lo]/",
        "http://[v1.x]/",
        "http://[]/",
        "http:///x",
        "http://:80/",
        "http://a b/",
        "http://a%2eb/",
        "http://a%00/",
        "http://a\\@b/",
        "http://a\\b/",
        "http://b@a@c/",
        "http://a,b/",
        "http://a;b/",
        "http://a'b/",
        "http://..a/",
        "http://a..b/",
        "http://.a/",
        "http://a:0/",
        "http://a:65536/",
        "http://a:8x/",
        "http://a:-1/",
        "http://a:+1/",
        "http://a: 1/",
        "http://\xe2\x91\xa0.example/",
        "http://ex\xc3\xa4mple/",
        "http://a\t/",
        "http://a/ x",
        "http://a/\r\nX: y",
        "http://a/\x01",
        "http://a/\xff",
        "http:/a",
        "http:a",
        "http:\\\\a/",
        "//a/",
        "/a",
        "a",
        "",
        ":",
        "http",
        "http://",
        "http://u p@a/",
        "http://u\\@a/",
        "http:// a/",
        " http://a/",
    };
    struct http_url url;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (parse(bad[i], &url) != WEFT_EURL)
            fail_msg("taken: %s", bad[i]);
    assert_int_equal(http_url_parse(weft_bytes_of("http://a\0b/", 11), &url), WEFT_EURL);
}

static void h1_36_other_schemes_are_refused(void **state)
{
    static const char *const bad[] = {"file:///etc/passwd", "ftp://a/", "gopher://a/", "javascript:x", "data:,x",
                                      "unix:///x",          "ws://a/",  "httpx://a/",  "mailto:a@b",   "dict://a/"};
    struct http_url url;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(parse(bad[i], &url), WEFT_ESCHEME);
}

/* H1-36: IPv4 in IPv6 is IPv6 and goes to the address filter as such. */
static void h1_36_addresses_that_are_clear_are_taken(void **state)
{
    static const char *const good[] = {"http://127.0.0.1/", "http://[::ffff:127.0.0.1]/", "http://1.2.3.4:5/",
                                       "http://1.example/", "http://0x7f.example/",       "http://a-1/"};
    struct http_url url;

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_int_equal(parse(good[i], &url), 0);
}

static void expect_resolved(const char *reference, const char *expected)
{
    struct http_text text = {0};
    struct http_url base;

    assert_int_equal(parse("http://a/b/c/d;p?q", &base), 0);
    http_url_append_resolved(&text, &base, weft_bytes_from(reference));
    http_text_append(&text, weft_bytes_of("", 1));
    assert_string_equal(text.data, expected);
    http_text_release(&text);
}

/* RFC 3986 §5.4, but for what is no http. */
static void references_are_resolved_as_the_standard_shows(void **state)
{
    static const char *const cases[][2] = {
        {"g", "http://a/b/c/g"},
        {"./g", "http://a/b/c/g"},
        {"g/", "http://a/b/c/g/"},
        {"/g", "http://a/g"},
        {"//g", "http://g"},
        {"?y", "http://a/b/c/d;p?y"},
        {"?", "http://a/b/c/d;p?"},
        {"g?y", "http://a/b/c/g?y"},
        {"#s", "http://a/b/c/d;p?q"},
        {"g#s", "http://a/b/c/g"},
        {"g?y#s", "http://a/b/c/g?y"},
        {";x", "http://a/b/c/;x"},
        {"g;x", "http://a/b/c/g;x"},
        {"", "http://a/b/c/d;p?q"},
        {".", "http://a/b/c/"},
        {"./", "http://a/b/c/"},
        {"..", "http://a/b/"},
        {"../", "http://a/b/"},
        {"../g", "http://a/b/g"},
        {"../..", "http://a/"},
        {"../../", "http://a/"},
        {"../../g", "http://a/g"},
        {"../../../g", "http://a/g"},
        {"../../../../g", "http://a/g"},
        {"/./g", "http://a/g"},
        {"/../g", "http://a/g"},
        {"g.", "http://a/b/c/g."},
        {".g", "http://a/b/c/.g"},
        {"g..", "http://a/b/c/g.."},
        {"..g", "http://a/b/c/..g"},
        {"./../g", "http://a/b/g"},
        {"./g/.", "http://a/b/c/g/"},
        {"g/./h", "http://a/b/c/g/h"},
        {"g/../h", "http://a/b/c/h"},
        {"g;x=1/./y", "http://a/b/c/g;x=1/y"},
        {"g;x=1/../y", "http://a/b/c/y"},
        {"g?y/./x", "http://a/b/c/g?y/./x"},
        {"g?y/../x", "http://a/b/c/g?y/../x"},
        {"http://h/x", "http://h/x"},
        {"a b\xc3\xa4<", "http://a/b/c/a%20b%C3%A4%3C"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect_resolved(cases[i][0], cases[i][1]);
}

static void an_origin_is_scheme_host_and_port(void **state)
{
    static const char *const other[] = {"https://a/", "http://b/", "http://a:81/", "http://a./", "https://a:80/"};
    struct http_url a, b;

    (void)state;
    assert_int_equal(parse("http://a/x", &a), 0);
    assert_int_equal(parse("http://A:80/y", &b), 0);
    assert_true(http_url_same_origin(&a, &b));
    for (size_t i = 0; i < sizeof other / sizeof *other; i++) {
        assert_int_equal(parse(other[i], &b), 0);
        assert_false(http_url_same_origin(&a, &b));
    }
}

/* -- the pool's keys -- */

static bool same_key(const struct http_pool_key *a, const struct http_pool_key *b)
{
    struct http_pool pool;
    uint8_t secret[SIPHASH_KEY_SIZE] = {1, 2, 3};
    struct http_pool_host *x, *y;
    bool same;

    http_pool_init(&pool, secret, 8, 8);
    x = http_pool_host_ref(&pool, a);
    y = http_pool_host_ref(&pool, b);
    assert_true(x && y);
    same = x == y;
    http_pool_host_unref(x);
    http_pool_host_unref(y);
    http_pool_fini(&pool);
    return same;
}

/* H1-33: whatever is changed in a key makes it another one; the list is the struct's own. */
static void h1_33_each_field_of_a_key_keeps_connections_apart(void **state)
{
    struct http_pool_key key = {.host = WEFT_BYTES("h"), .port = 80, .through = WEFT_BYTES("t")}, other;
    unsigned fields = 0;

    (void)state;
    other = key;
    assert_true(same_key(&key, &other));
#define CHANGE_NUMBER(name)               \
    other = key;                          \
    other.name++;                         \
    assert_false(same_key(&key, &other)); \
    fields++;
#define CHANGE_TEXT(name)                 \
    other = key;                          \
    other.name = weft_bytes_of("x", 1);   \
    assert_false(same_key(&key, &other)); \
    other.name = weft_bytes_of(NULL, 0);  \
    assert_false(same_key(&key, &other)); \
    fields++;
    HTTP_POOL_KEY(CHANGE_NUMBER, CHANGE_TEXT)
    assert_int_equal(fields, 5);
    other = key; /* what moves from one text to the next is not the same */
    other.host = weft_bytes_from("ht");
    other.through = weft_bytes_of(NULL, 0);
    assert_false(same_key(&key, &other));
}

static void a_long_key_is_compared_whole(void **state)
{
    char long_a[900], long_b[900];
    struct http_pool_key a = {.through = weft_bytes_of(long_a, sizeof long_a)}, b = a;

    (void)state;
    memset(long_a, 'x', sizeof long_a);
    memset(long_b, 'x', sizeof long_b);
    b.through.data = long_b;
    assert_true(same_key(&a, &b));
    long_b[899] = 'y';
    assert_false(same_key(&a, &b));
}

/* -- codings -- */

static void content_codings_are_named(void **state)
{
    static const struct {
        const char *value;
        enum http_coding coding;
    } cases[] = {{"", HTTP_CODING_NONE},
                 {"identity", HTTP_CODING_NONE},
                 {"gzip", HTTP_CODING_GZIP},
                 {"X-GZip", HTTP_CODING_GZIP},
                 {"deflate", HTTP_CODING_DEFLATE},
                 {"identity, gzip", HTTP_CODING_GZIP},
                 {"gzip, gzip", HTTP_CODING_UNKNOWN},
                 {"br", HTTP_CODING_UNKNOWN},
                 {"gzip;q=1", HTTP_CODING_UNKNOWN}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(http_coding_of(weft_bytes_from(cases[i].value)), cases[i].coding);
}

static void redirects_change_methods_as_the_standard_says(void **state)
{
    static const struct {
        unsigned status;
        const char *method;
        bool changes;
    } cases[] = {{301, "GET", false},    {301, "POST", true},  {301, "PUT", false}, {302, "POST", true},
                 {302, "DELETE", false}, {303, "POST", true},  {303, "PUT", true},  {303, "HEAD", false},
                 {303, "GET", false},    {307, "POST", false}, {308, "POST", false}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(http_redirect_changes_method(cases[i].status, weft_bytes_from(cases[i].method)),
                         cases[i].changes);
}

/* RFC 4648 §10 */
static void base64_is_as_its_vectors(void **state)
{
    static const char *const cases[][2] = {{"", ""},
                                           {"f", "Zg=="},
                                           {"fo", "Zm8="},
                                           {"foo", "Zm9v"},
                                           {"foob", "Zm9vYg=="},
                                           {"fooba", "Zm9vYmE="},
                                           {"foobar", "Zm9vYmFy"},
                                           {"\xff\xef", "/+8="}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct http_text text = {0};

        http_append_base64(&text, weft_bytes_from(cases[i][0]));
        http_text_append(&text, weft_bytes_of("", 1));
        assert_string_equal(text.data, cases[i][1]);
        http_text_release(&text);
    }
}

static void credentials_that_cannot_be_sent_are_refused(void **state)
{
    struct http_text text = {0};

    (void)state;
    assert_int_equal(http_append_basic(&text, weft_bytes_from("a:b"), weft_bytes_from("")), -EINVAL);
    assert_int_equal(http_append_basic(&text, weft_bytes_from("a"), weft_bytes_from("\n")), -EINVAL);
    assert_int_equal(http_append_basic(&text, weft_bytes_from("a\x7f"), weft_bytes_from("")), -EINVAL);
    assert_int_equal(text.length, 0);
    assert_int_equal(http_append_basic(&text, weft_bytes_from("a"), weft_bytes_from("b:c")), 0);
    http_text_release(&text);
    assert_int_equal(http_url_append_credentials(&text, weft_bytes_from("%0d")), WEFT_EURL);
    assert_int_equal(http_url_append_credentials(&text, weft_bytes_from("%4")), WEFT_EURL);
    assert_int_equal(http_url_append_credentials(&text, weft_bytes_from("%zz")), WEFT_EURL);
    http_text_release(&text);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        support_test(a_url_is_taken_apart),
        support_test(a_url_has_a_normal_form),
        support_test(h1_36_doubtful_hosts_are_refused),
        support_test(h1_36_other_schemes_are_refused),
        support_test(h1_36_addresses_that_are_clear_are_taken),
        support_test(references_are_resolved_as_the_standard_shows),
        support_test(an_origin_is_scheme_host_and_port),
        support_test(h1_33_each_field_of_a_key_keeps_connections_apart),
        support_test(a_long_key_is_compared_whole),
        support_test(content_codings_are_named),
        support_test(redirects_change_methods_as_the_standard_says),
        support_test(base64_is_as_its_vectors),
        support_test(credentials_that_cannot_be_sent_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
