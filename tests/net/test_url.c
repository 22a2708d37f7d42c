/* SPDX-License-Identifier: MIT */
/* Endpoint URLs: what is taken, and which byte of what is refused is pointed at. */
#include "net/url.h"

#include <stdio.h>

#include "support/support.h"

#define TEN "0123456789"
#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN

static const struct good {
    const char *url, *address; /* as weft_address_text writes it */
} good[] = {
    {"tcp://127.0.0.1:7007", "127.0.0.1:7007"},
    {"tcp://0.0.0.0:0", "0.0.0.0:0"},
    {"tcp://255.255.255.255:65535", "255.255.255.255:65535"},
    {"tcp://127.0.0.1:80/", "127.0.0.1:80"},
    {"TCP://127.0.0.1:80", "127.0.0.1:80"},
    {"tcp://1.2.3.4:00080", "1.2.3.4:80"},
    {"tcp://localhost:1", "127.0.0.1:1"},
    {"tcp://LocalHost:1", "127.0.0.1:1"},
    {"tcp://:8080", "[::]:8080"},
    {"tcp://:0/", "[::]:0"},
    {"tcp://[::]:80", "[::]:80"},
    {"tcp://[::1]:80", "[::1]:80"},
    {"tcp://[1::]:80", "[1::]:80"},
    {"tcp://[::1:2]:80", "[::1:2]:80"},
    {"tcp://[1:2:3:4:5:6:7:8]:80", "[1:2:3:4:5:6:7:8]:80"},
    {"tcp://[1:2:3:4:5:6:7::]:80", "[1:2:3:4:5:6:7:0]:80"},
    {"tcp://[::2:3:4:5:6:7:8]:80", "[0:2:3:4:5:6:7:8]:80"},
    {"tcp://[2001:db8::1]:443", "[2001:db8::1]:443"},
    {"tcp://[2001:DB8::A]:443", "[2001:db8::a]:443"},
    {"tcp://[fe80:0:0::1]:1", "[fe80::1]:1"},
    {"tcp://[0001:0002::0003]:1", "[1:2::3]:1"},
    {"tcp://[::ffff:1.2.3.4]:1", "[::ffff:102:304]:1"},
    {"tcp://[::1.2.3.4]:1", "[::102:304]:1"},
    {"tcp://[1:2:3:4:5:6:1.2.3.4]:1", "[1:2:3:4:5:6:102:304]:1"},
    {"tcp://[64:ff9b::192.0.2.33]:1", "[64:ff9b::c000:221]:1"},
    {"unix:///run/x.sock", "unix:"},
    {"unix://x", "unix:"},
    {"unix:///with spaces and :7 [signs]?#", "unix:"},
    {"unix://@name", "unix:"},
    {"unix:///" HUNDRED "123456", "unix:"},
    {"unix://@" HUNDRED "123456", "unix:"},
    {"mem://a", "mem:"},
    {"mem://a/b:7", "mem:"},
    {"mem://" HUNDRED "1234567", "mem:"},
};

static void good_urls_are_taken(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        weft_url_error error = {.offset = 12345};
        char text[WEFT_ADDRESS_TEXT];
        struct url url;

        support_set_context("%s", good[i].url);
        assert_int_equal(url_parse(good[i].url, &url, &error), 0);
        assert_int_equal(url.kind, URL_SOCKET);
        weft_address_text(&url.endpoint.address, text);
        assert_string_equal(text, good[i].address);
        assert_int_equal(error.offset, 12345);
    }
    support_clear_context();
}

static const struct bad {
    const char *url;
    size_t offset;
    int error;
} bad[] = {
    {"", 0, WEFT_ESCHEME},
    {"tcp", 0, WEFT_ESCHEME},
    {"tcp:", 0, WEFT_ESCHEME},
    {"tcp:/127.0.0.1:80", 0, WEFT_ESCHEME},
    {"127.0.0.1:80", 0, WEFT_ESCHEME},
    {" tcp://127.0.0.1:80", 0, WEFT_ESCHEME},
    {"http://127.0.0.1:80/", 0, WEFT_ESCHEME},
    {"tcps://127.0.0.1:80", 0, WEFT_ESCHEME},
    {"udp://127.0.0.1:80", 0, WEFT_ESCHEME},
    {"stdio", 0, WEFT_ESCHEME},
    {"file:///x", 0, WEFT_ESCHEME},
    /* ports */
    {"tcp://", 6, WEFT_EURL},
    {"tcp:///", 6, WEFT_EURL},
    {"tcp://127.0.0.1", 15, WEFT_EURL},
    {"tcp://127.0.0.1/", 15, WEFT_EURL},
    {"tcp://127.0.0.1:", 16, WEFT_EURL},
    {"tcp://:", 7, WEFT_EURL},
    {"tcp://127.0.0.1:65536", 16, WEFT_EURL},
    {"tcp://127.0.0.1:4294967376", 16, WEFT_EURL},
    {"tcp://127.0.0.1:18446744073709551696", 16, WEFT_EURL},
    {"tcp://127.0.0.1:-1", 16, WEFT_EURL},
    {"tcp://127.0.0.1:+80", 16, WEFT_EURL},
    {"tcp://127.0.0.1: 80", 16, WEFT_EURL},
    {"tcp://127.0.0.1:80 ", 18, WEFT_EURL},
    {"tcp://127.0.0.1:80x", 18, WEFT_EURL},
    {"tcp://127.0.0.1:8o80", 17, WEFT_EURL},
    {"tcp://127.0.0.1:0x50", 17, WEFT_EURL},
    {"tcp://127.0.0.1:http", 16, WEFT_EURL},
    {"tcp://127.0.0.1:80?x", 18, WEFT_EURL},
    {"tcp://127.0.0.1:80#x", 18, WEFT_EURL},
    {"tcp://127.0.0.1:80/x", 19, WEFT_EURL},
    {"tcp://127.0.0.1:80//", 19, WEFT_EURL},
    {"tcp://[::1]", 11, WEFT_EURL},
    {"tcp://[::1]:", 12, WEFT_EURL},
    {"tcp://[::1]:99999", 12, WEFT_EURL},
    /* IPv4: four decimal numbers, not what inet_aton made of them */
    {"tcp://127.1:80", 6, WEFT_EURL},
    {"tcp://1.2.3:80", 6, WEFT_EURL},
    {"tcp://1.2.3.4.5:80", 6, WEFT_EURL},
    {"tcp://2130706433:80", 6, WEFT_EURL},
    {"tcp://0x7f000001:80", 6, WEFT_EURL},
    {"tcp://0x7f.0.0.1:80", 6, WEFT_EURL},
    {"tcp://0177.0.0.1:80", 6, WEFT_EURL},
    {"tcp://127.0.0.01:80", 6, WEFT_EURL},
    {"tcp://00.0.0.0:80", 6, WEFT_EURL},
    {"tcp://256.0.0.1:80", 6, WEFT_EURL},
    {"tcp://1.2.3.999:80", 6, WEFT_EURL},
    {"tcp://1..2.3:80", 6, WEFT_EURL},
    {"tcp://.1.2.3:80", 6, WEFT_EURL},
    {"tcp://1.2.3.:80", 6, WEFT_EURL},
    {"tcp://1.2.3.4.:80", 6, WEFT_EURL},
    {"tcp://1.2.3.-4:80", 6, WEFT_EURL},
    {"tcp://1.2.3. 4:80", 6, WEFT_EURL},
    {"tcp://user@1.2.3.4:80", 6, WEFT_EURL},
    {"tcp://example.org:80", 6, WEFT_EURL},
    {"tcp://localhost.:80", 6, WEFT_EURL},
    {"tcp://*:80", 6, WEFT_EURL},
    /* IPv6 */
    {"tcp://::1:80", 6, WEFT_EURL},
    {"tcp://[]:80", 6, WEFT_EURL},
    {"tcp://[:80", 6, WEFT_EURL},
    {"tcp://]:80", 6, WEFT_EURL},
    {"tcp://[::1:80", 6, WEFT_EURL},
    {"tcp://::1]:80", 6, WEFT_EURL},
    {"tcp://[[::1]]:80", 6, WEFT_EURL},
    {"tcp://[::1]x:80", 6, WEFT_EURL},
    {"tcp://x[::1]:80", 6, WEFT_EURL},
    {"tcp://[:]:80", 6, WEFT_EURL},
    {"tcp://[:::]:80", 6, WEFT_EURL},
    {"tcp://[1:]:80", 6, WEFT_EURL},
    {"tcp://[:1]:80", 6, WEFT_EURL},
    {"tcp://[1:::2]:80", 6, WEFT_EURL},
    {"tcp://[1::2::3]:80", 6, WEFT_EURL},
    {"tcp://[1:2:3:4:5:6:7]:80", 6, WEFT_EURL},
    {"tcp://[1:2:3:4:5:6:7:8:9]:80", 6, WEFT_EURL},
    {"tcp://[1:2:3:4:5:6:7:8::]:80", 6, WEFT_EURL},
    {"tcp://[::1:2:3:4:5:6:7:8]:80", 6, WEFT_EURL},
    {"tcp://[1:2:3:4:5:6:7:8:]:80", 6, WEFT_EURL},
    {"tcp://[12345::]:80", 6, WEFT_EURL},
    {"tcp://[g::]:80", 6, WEFT_EURL},
    {"tcp://[::-1]:80", 6, WEFT_EURL},
    {"tcp://[1.2.3.4]:80", 6, WEFT_EURL},
    {"tcp://[::1.2.3]:80", 6, WEFT_EURL},
    {"tcp://[::1.2.3.4:5]:80", 6, WEFT_EURL},
    {"tcp://[::01.2.3.4]:80", 6, WEFT_EURL},
    {"tcp://[1:2:3:4:5:6:7:1.2.3.4]:80", 6, WEFT_EURL},
    {"tcp://[fe80::1%eth0]:80", 6, WEFT_EURL},
    {"tcp://[fe80::1%251]:80", 6, WEFT_EURL},
    {"tcp://[v1.x]:80", 6, WEFT_EURL},
    /* the others */
    {"unix://", 7, WEFT_EURL},
    {"unix://@", 8, WEFT_EURL},
    {"unix:///" HUNDRED "1234567", 114, WEFT_EURL},
    {"unix://@" HUNDRED HUNDRED, 114, WEFT_EURL},
    {"mem://", 6, WEFT_EURL},
    {"mem://" HUNDRED "12345678", 113, WEFT_EURL},
    {"fd://", 5, WEFT_EURL},
    {"fd://-1", 5, WEFT_EURL},
    {"fd://x", 5, WEFT_EURL},
    {"fd://3x", 5, WEFT_EURL},
    {"fd://3/", 5, WEFT_EURL},
    {"fd://2147483648", 5, WEFT_EURL},
    {"fd://99999999999999999999", 5, WEFT_EURL},
    {"stdio:x", 6, WEFT_EURL},
    {"stdio://", 6, WEFT_EURL},
};

static void bad_urls_are_refused_at_their_byte(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        weft_url_error error = {.offset = 12345};
        struct url url = {.fd = -7};

        support_set_context("%s", bad[i].url);
        assert_int_equal(url_parse(bad[i].url, &url, &error), bad[i].error);
        assert_int_equal(error.offset, bad[i].offset);
        assert_true(error.offset <= strlen(bad[i].url));
        assert_non_null(error.text);
        assert_int_equal(url.fd, -7); /* untouched */
        assert_int_equal(url_parse(bad[i].url, &url, NULL), bad[i].error);
    }
    support_clear_context();
}

static void descriptors_and_stdio(void **state)
{
    struct url url;

    (void)state;
    assert_int_equal(url_parse("fd://0", &url, NULL), 0);
    assert_int_equal(url.kind, URL_DESCRIPTOR);
    assert_int_equal(url.fd, 0);
    assert_int_equal(url_parse("fd://2147483647", &url, NULL), 0);
    assert_int_equal(url.fd, 2147483647);
    assert_int_equal(url_parse("stdio:", &url, NULL), 0);
    assert_int_equal(url.kind, URL_STDIO);
    assert_int_equal(url_parse("tcp://:7", &url, NULL), 0);
    assert_true(url.any);
    assert_int_equal(url_parse("tcp://[::]:7", &url, NULL), 0);
    assert_false(url.any);
}

/* Every prefix and every change of one byte is taken or refused, and the offset stays inside. */
static void no_mutation_confuses_the_parser(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        size_t length = strlen(good[i].url);
        for (size_t at = 0; at < length; at++) {
            for (unsigned byte = 0; byte < 256; byte++) {
                weft_url_error error = {0};
                char text[256];
                struct url url;

                snprintf(text, sizeof text, "%s", good[i].url);
                text[at] = (char)byte;
                if (url_parse(text, &url, &error) < 0)
                    assert_true(error.offset <= strlen(text));
            }
        }
    }
}

/* What a resolver could take for an address that nobody else sees in it is refused (H1-36). */
static void names_are_for_whoever_connects(void **state)
{
    static const char *const names[] = {"example", "a.example", "a.example.", "_x-1.example", "1.example", "0x1.a"};
    static const char *const wrong[] = {"127.1", "2130706433", "0x7f.1", "1.2.3.0x4", "a.0x10",
                                        "a..b",  ".a",         "a.1.",   "a b",       "a%2eb",
                                        "a@b",   "\xc3\xa4",   "a\tb",   "1.2.3.4.",  "."};
    char text[64];
    struct url url;

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        support_set_context("%s", names[i]);
        snprintf(text, sizeof text, "tcp://%s:7", names[i]);
        assert_int_equal(url_parse(text, &url, NULL), WEFT_EURL);
        assert_int_equal(url_parse_peer(text, &url, NULL), 0);
        assert_true(weft_bytes_equal(url.name, weft_bytes_from(names[i])));
        assert_int_equal(url.endpoint.address.port, 7);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        weft_url_error error;

        support_set_context("%s", wrong[i]);
        snprintf(text, sizeof text, "tcp://%s:7", wrong[i]);
        assert_int_equal(url_parse_peer(text, &url, &error), WEFT_EURL);
        assert_int_equal(error.offset, 6);
    }
    support_clear_context();
    assert_int_equal(url_parse_peer("tcp://127.0.0.1:7", &url, NULL), 0);
    assert_int_equal(url.name.length, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        support_test(good_urls_are_taken),
        support_test(bad_urls_are_refused_at_their_byte),
        support_test(descriptors_and_stdio),
        support_test(no_mutation_confuses_the_parser),
        support_test(names_are_for_whoever_connects),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
