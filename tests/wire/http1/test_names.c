/* SPDX-License-Identifier: MIT */
#include <weft/wire/http1.h>

#include "support/support.h"
#include "wire/http1/http1_authority.h"

static void hosts_are_told_from_what_is_none(void **state)
{
    static const char *const good[] = {
        "a",
        "a.example",
        "A.EXAMPLE.",
        "a:80",
        "a:",
        "a:0",
        "a:65535",
        "127.0.0.1",
        "127.0.0.1:8080",
        "1",
        "a_b",
        "~",
        "a%2Fb",
        "a%20b",
        "a!$&'()*+;=b",
        "[::]",
        "[::1]",
        "[::1]:80",
        "[::1]:",
        "[1:2:3:4:5:6:7:8]",
        "[1::8]",
        "[1:2:3:4:5:6:7::]",
        "[::2:3:4:5:6:7:8]",
        "[1:2:3:4:5:6:1.2.3.4]",
        "[::1.2.3.4]",
        "[::ffff:255.255.255.255]",
        "[ABCD:ef01::]",
        "[1::0.0.0.0]",
    };
    static const char *const bad[] = {
        "",
        " ",
        ":",
        ":80",
        "a b",
        "a,b",
        "a@b",
        "a/b",
        "a?b",
        "a#b",
        "a\\b",
        "\"a\"",
        "<a>",
        "a[b]",
        "a:b",
        "a:80:80",
        "a: 80",
        "a:65536",
        "a:-1",
        "a:18446744073709551617",
        "a%",
        "a%2",
        "a%zz",
        "a%2Z",
        "\xc3\xa9",
        "a\tb",
        "::1",
        "[",
        "[]",
        "[:]",
        "[:::]",
        "[1]",
        "[1:2]",
        "[1:2:3:4:5:6:7]",
        "[1:2:3:4:5:6:7:8:9]",
        "[::1::]",
        "[1::2::3]",
        "[::12345]",
        "[::g]",
        "[::1",
        "::1]",
        "[::1]a",
        "[::1]80",
        "[::1.2.3]",
        "[::1.2.3.4.5]",
        "[::1.2.3.256]",
        "[::01.2.3.4]",
        "[1.2.3.4::]",
        "[::1.2.3.4:1]",
        "[1:2:3:4:5:6:7:1.2.3.4]",
        "[1:2:3:4:5:6:7:8::]",
        "[::1:2:3:4:5:6:7:8]",
        "[fe80::1%25eth0]",
        "[v1.a]",
        "[1:]",
        "[:1]",
        "[1:2:3:4:5:6:7:]",
        "[::1:]",
        "[::1.2.3.]",
        "[::1.2.3.4a]",
        "[127.0.0.1]",
        "[1::2:1.2.3.4:]",
    };

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        if (!weft_http1_is_host(weft_bytes_from(good[i])))
            fail_msg("refused: %s", good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (weft_http1_is_host(weft_bytes_from(bad[i])))
            fail_msg("accepted: %s", bad[i]);
}

static bool same(const char *a, const char *b, const char *scheme)
{
    return http1_authority_equal(weft_bytes_from(a), weft_bytes_from(b), weft_bytes_from(scheme));
}

static void authorities_are_compared_without_case_and_with_default_ports(void **state)
{
    (void)state;
    assert_true(same("a.example", "A.Example", "http"));
    assert_true(same("a", "a:80", "http"));
    assert_true(same("a:", "a:80", "HTTP"));
    assert_true(same("a:443", "a", "https"));
    assert_true(same("a:0080", "a", "http"));
    assert_true(same("a", "a:", "ftp"));
    assert_true(same("[::A]", "[::a]:80", "http"));
    assert_false(same("a:80", "a", "https"));
    assert_false(same("a:81", "a", "http"));
    assert_false(same("a:21", "a", "ftp"));
    assert_false(same("a", "b", "http"));
    assert_false(same("a", "a.b", "http"));
    assert_false(same("a", "", "http"));
}

static void lists_are_taken_apart(void **state)
{
    weft_bytes rest = weft_bytes_from(" ,a, b c\t,,\"d\" ,"), member = {NULL, 0};

    (void)state;
    assert_true(weft_http1_list_next(&rest, &member));
    assert_true(weft_bytes_equal(member, weft_bytes_from("a")));
    assert_true(weft_http1_list_next(&rest, &member));
    assert_true(weft_bytes_equal(member, weft_bytes_from("b c")));
    assert_true(weft_http1_list_next(&rest, &member));
    assert_true(weft_bytes_equal(member, weft_bytes_from("\"d\"")));
    assert_false(weft_http1_list_next(&rest, &member));
    assert_true(weft_bytes_equal(member, weft_bytes_from("\"d\"")));
    assert_false(weft_http1_list_next(&rest, &member));
}

static void trailers_that_change_the_message_are_not_allowed(void **state)
{
    static const char *const refused[] = {
        "Content-Length",
        "TRANSFER-ENCODING",
        "host",
        "Content-Type",
        "Content-Anything",
        "Authorization",
        "Proxy-Authorization",
        "Proxy-Connection",
        "Cookie",
        "Set-Cookie",
        "If-Match",
        "TE",
        "Trailer",
        "Expect",
        "Range",
        "Location",
        "Vary",
        "Age",
        "Connection",
        "Upgrade",
        "Keep-Alive",
        "Sec-WebSocket-Key",
        "X-Forwarded-For",
        "Forwarded",
        "",
        "a b",
        "a:",
        "Content-",
        "Content-Digest2",
    };
    static const char *const allowed[] = {
        "X-A",  "Digest",   "Content-Digest", "content-md5", "Repr-Digest", "Server-Timing",
        "ETag", "Contents", "Hosts",          "T",           "Grpc-Status", "Iffy",
    };

    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
        if (weft_http1_is_trailer_name(weft_bytes_from(refused[i])))
            fail_msg("accepted: %s", refused[i]);
    for (size_t i = 0; i < sizeof allowed / sizeof allowed[0]; i++)
        if (!weft_http1_is_trailer_name(weft_bytes_from(allowed[i])))
            fail_msg("refused: %s", allowed[i]);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        support_test(hosts_are_told_from_what_is_none),
        support_test(authorities_are_compared_without_case_and_with_default_ports),
        support_test(lists_are_taken_apart),
        support_test(trailers_that_change_the_message_are_not_allowed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
