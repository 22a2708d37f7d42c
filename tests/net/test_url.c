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
    {"tcp://[fe80::1%251]:80", "[fe80::1%1]:80"},
    {"tcp://[fe80::1%25eth0]:80", "[fe80::1]:80"},
    {"tcp://[febf::1%254294967295]:80", "[febf::1%4294967295]:80"},
    {"tcp://[ff02::fb%257]:5353", "[ff02::fb%7]:5353"},
    {"tls://:443", "[::]:443"},
    {"TLS+tcp://127.0.0.1:443/", "127.0.0.1:443"},
    {"tls+unix:///x", "unix:"},
    {"proxy+tls://127.0.0.1:443?from=127.0.0.0/8", "127.0.0.1:443"},
    {"proxy+tls+tcp://127.0.0.1:443?from=::1", "127.0.0.1:443"},
    {"proxy+mem://x?from=unix", "mem:"},
    {"unix:///run/x.sock", "unix:"},
    {"unix://x", "unix:"},
    {"unix:///with spaces and :7 [signs]#", "unix:"},
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
    {"tcp://127.0.0.1:80?x", 19, WEFT_EURL},
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
    {"tcp://[fe80::1%eth0]:80", 14, WEFT_EURL},
    {"tcp://[fe80::1%2]:80", 14, WEFT_EURL},
    {"tcp://[fe80::1%25]:80", 17, WEFT_EURL},
    {"tcp://[fe80::1%25a/b]:80", 19, WEFT_EURL},
    {"tcp://[fe80::1%25a%2eb]:80", 18, WEFT_EURL},
    {"tcp://[fe80::1%250123456789abcdef]:80", 32, WEFT_EURL},
    {"tcp://[2001:db8::1%251]:80", 18, WEFT_EURL},
    {"tcp://[fec0::1%251]:80", 14, WEFT_EURL},
    {"tcp://[ff05::1%251]:80", 14, WEFT_EURL},
    {"tcp://[%251]:80", 6, WEFT_EURL},
    {"tcp://[v1.x]:80", 6, WEFT_EURL},
    /* the others */
    {"unix://", 7, WEFT_EURL},
    {"unix://@", 8, WEFT_EURL},
    {"unix://%40", 10, WEFT_EURL},
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
    {"unix:///a%", 9, WEFT_EURL},
    {"unix:///a%2", 9, WEFT_EURL},
    {"unix:///a%2g", 9, WEFT_EURL},
    {"unix:///a%00", 9, WEFT_EURL},
    {"systemd://a:b", 11, WEFT_EURL},
    {"systemd://a%2eb", 11, WEFT_EURL},
    {"systemd://a b", 11, WEFT_EURL},
    {"exec:x", 0, WEFT_ESCHEME},
    {"tls+exec:x", 4, WEFT_ESCHEME},
    {"unixgram:///x", 0, WEFT_ESCHEME},
    {"socks5://proxy:1080/a:1", 0, WEFT_ESCHEME},
    /* layers */
    {"tls+tls://:1", 4, WEFT_EURL},
    {"tls+tls+tcp://:1", 4, WEFT_EURL},
    {"proxy+proxy+tcp://:1?from=::1", 6, WEFT_EURL},
    {"tls+proxy+tcp://:1?from=::1", 4, WEFT_EURL},
    {"tls+udp://:1", 4, WEFT_ESCHEME},
    {"+tcp://:1", 0, WEFT_ESCHEME},
    {"tls+://:1", 4, WEFT_ESCHEME},
    {"tcp+tcp://:1", 0, WEFT_ESCHEME},
    {"proxy://:1", 0, WEFT_ESCHEME},
    {"gzip+tcp://:1", 0, WEFT_ESCHEME},
    {"proxy+tcp://:1", 14, WEFT_EURL},
    {"proxy+tcp://:1?idle=1s", 22, WEFT_EURL},
    /* options */
    {"tcp://:1?", 9, WEFT_EURL},
    {"tcp://:1?=1", 9, WEFT_EURL},
    {"tcp://:1?&idle=1s", 9, WEFT_EURL},
    {"tcp://:1?idle=1s&", 17, WEFT_EURL},
    {"tcp://:1?idle", 13, WEFT_EURL},
    {"tcp://:1?idle=", 14, WEFT_EURL},
    {"tcp://:1?idle=1s&idle=2s", 17, WEFT_EURL},
    {"tcp://:1?Idle=1s", 9, WEFT_EURL},
    {"tcp://:1?idl%65=1s", 9, WEFT_EURL},
    {"tcp://:1?idle=1", 15, WEFT_EURL},
    {"tcp://:1?idle=s", 14, WEFT_EURL},
    {"tcp://:1?idle=0s", 14, WEFT_EURL},
    {"tcp://:1?idle=1.5s", 15, WEFT_EURL},
    {"tcp://:1?idle=-1s", 14, WEFT_EURL},
    {"tcp://:1?idle=1S", 15, WEFT_EURL},
    {"tcp://:1?idle=9223372036854775807s", 14, WEFT_EURL},
    {"tcp://:1?idle=Never", 14, WEFT_EURL},
    {"tcp://:1?nodelay=true", 17, WEFT_EURL},
    {"tcp://:1?backlog=0", 17, WEFT_EURL},
    {"tcp://:1?backlog=65536", 17, WEFT_EURL},
    {"tcp://:1?backlog=+1", 17, WEFT_EURL},
    {"tcp://:1?mode=660", 9, WEFT_EURL},
    {"unix:///x?mode=66", 15, WEFT_EURL},
    {"unix:///x?mode=000", 15, WEFT_EURL},
    {"unix:///x?mode=1777", 15, WEFT_EURL},
    {"unix:///x?mode=668", 17, WEFT_EURL},
    {"unix:///x?nodelay=yes", 10, WEFT_EURL},
    {"tcp://:1?connect=1s", 9, WEFT_EURL},
    {"tcp://:1?cert=x", 9, WEFT_EURL},
    {"tcp://:1?handshake=1s", 9, WEFT_EURL},
    {"tls://:1?cert=a%0", 15, WEFT_EURL},
    {"tls://:1?name=x", 9, WEFT_EURL},
    {"proxy+tcp://:1?from=", 20, WEFT_EURL},
    {"proxy+tcp://:1?from=::1,", 24, WEFT_EURL},
    {"proxy+tcp://:1?from=::1,x", 24, WEFT_EURL},
    {"proxy+tcp://:1?from=127.0.0.1/33", 29, WEFT_EURL},
    {"proxy+tcp://:1?from=127.0.0.1/", 29, WEFT_EURL},
    {"proxy+tcp://:1?from=127.0.0.1/8", 20, WEFT_EURL},
    {"proxy+tcp://:1?from=2001:db8::/129", 30, WEFT_EURL},
    {"proxy+tcp://:1?from=[::1]", 20, WEFT_EURL},
    {"proxy+tcp://:1?from=::1&version=1", 24, WEFT_EURL},
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

static void options_have_values(void **state)
{
    char text[16];
    struct url url;

    (void)state;
    assert_int_equal(url_parse("tls://:1?idle=90s&lifetime=never&backlog=7&nodelay=no&reuseport=yes&cert=a%26b%25&"
                               "handshake=250ms&keepalive=2m&writestall=1h&connections=3&peraddress=2",
                               &url, NULL),
                     0);
    assert_int_equal(url.options[URL_IDLE].number, WEFT_SECONDS(90));
    assert_int_equal(url.options[URL_LIFETIME].number, WEFT_NEVER);
    assert_int_equal(url.options[URL_BACKLOG].number, 7);
    assert_int_equal(url.options[URL_HANDSHAKE].number, WEFT_MILLISECONDS(250));
    assert_int_equal(url.options[URL_KEEPALIVE].number, WEFT_MINUTES(2));
    assert_int_equal(url.options[URL_WRITESTALL].number, WEFT_HOURS(1));
    assert_true(url_has(&url, URL_NODELAY));
    assert_int_equal(url.options[URL_NODELAY].number, 0);
    assert_int_equal(url.options[URL_REUSEPORT].number, 1);
    assert_false(url_has(&url, URL_KEY));
    assert_int_equal(url_text(url.options[URL_CERT].text, text, sizeof text), 4);
    assert_string_equal(text, "a&b%");
    assert_int_equal(url_text(url.options[URL_CERT].text, text, 4), -ENAMETOOLONG);
    assert_int_equal(url_parse("unix:///x?mode=0660", &url, NULL), 0);
    assert_int_equal(url.options[URL_MODE].number, 0660);
}

static void paths_are_decoded_and_written_again(void **state)
{
    struct url url, again;
    char text[400];

    (void)state;
    assert_int_equal(url_parse("unix:///a%3fb%25%41 c?idle=1s", &url, NULL), 0);
    assert_true(weft_bytes_equal(url.endpoint.path, weft_bytes_from("/a?b%A c")));
    assert_int_equal(url_escape(url.endpoint.path, text, sizeof text), 14);
    assert_string_equal(text, "/a%3Fb%25A%20c");
    assert_int_equal(url_escape(url.endpoint.path, text, 5), 2);
    assert_string_equal(text, "/a"); /* never a part of an escape */
    assert_int_equal(url_parse("unix:///" HUNDRED "12345%25", &url, NULL), 0);
    assert_int_equal(url.endpoint.path.length, 107);
    assert_int_equal(url_parse("unix:///" HUNDRED "123456%25", &again, NULL), WEFT_EURL);
}

static void layers_are_words_before_the_carrier(void **state)
{
    struct url url;

    (void)state;
    assert_int_equal(url_parse("proxy+tls+unix:///x?from=unix", &url, NULL), 0);
    assert_int_equal(url.words, URL_PROXY | URL_TLS | URL_UNIX);
    assert_int_equal(url_parse("tls://:1", &url, NULL), 0);
    assert_int_equal(url.words, URL_TLS | URL_TCP);
    assert_int_equal(url_parse("tls+systemd://web", &url, NULL), 0);
    assert_int_equal(url.words, URL_TLS | URL_SYSTEM);
    assert_int_equal(url.kind, URL_SYSTEMD);
    assert_true(weft_bytes_equal(url.service, weft_bytes_from("web")));
    assert_int_equal(url_parse("systemd://", &url, NULL), 0);
    assert_int_equal(url.service.length, 0);
    assert_int_equal(url_parse("tls+stdio:", &url, NULL), 0);
    assert_int_equal(url.words, URL_TLS | URL_STANDARD);
    assert_int_equal(url_parse("tls+fd://3", &url, NULL), 0);
    assert_int_equal(url.fd, 3);
}

static void zones_are_names_or_numbers(void **state)
{
    struct url url;

    (void)state;
    assert_int_equal(url_parse("tcp://[fe80::1%25eth0.7]:80", &url, NULL), 0);
    assert_true(weft_bytes_equal(url.endpoint.zone, weft_bytes_from("eth0.7")));
    assert_int_equal(url.endpoint.address.scope_id, 0);
    assert_int_equal(url_parse("tcp://[fe80::1%2512]:80", &url, NULL), 0);
    assert_int_equal(url.endpoint.zone.length, 0);
    assert_int_equal(url.endpoint.address.scope_id, 12);
}

static void proxies_lead_to_a_target(void **state)
{
    struct url url;
    char text[16];

    (void)state;
    assert_int_equal(url_parse_peer("socks5://us%65r:p%40ss@127.0.0.1:9050/server.example:443", &url, NULL), 0);
    assert_int_equal(url.words, URL_SOCKS5);
    assert_int_equal(url.endpoint.address.port, 9050);
    assert_int_equal(url.name.length, 0);
    assert_int_equal(url_text(url.user, text, sizeof text), 4);
    assert_string_equal(text, "user");
    assert_int_equal(url_text(url.password, text, sizeof text), 4);
    assert_string_equal(text, "p@ss");
    assert_true(weft_bytes_equal(url.target.host, weft_bytes_from("server.example")));
    assert_int_equal(url.target.family, WEFT_ADDRESS_NONE);
    assert_int_equal(url.target.port, 443);
    assert_int_equal(url_parse_peer("tls+socks5h://proxy/[2001:db8::1]:1?idle=1s", &url, NULL), 0);
    assert_int_equal(url.words, URL_SOCKS5 | URL_TLS);
    assert_true(weft_bytes_equal(url.name, weft_bytes_from("proxy")));
    assert_int_equal(url.endpoint.address.port, 1080);
    assert_int_equal(url.target.family, WEFT_ADDRESS_IPV6);
    assert_true(weft_bytes_equal(url.target.host, weft_bytes_from("2001:db8::1")));
    assert_null(url.user.data);
    assert_int_equal(url_parse_peer("socks4a://me@proxy/localhost:1", &url, NULL), 0);
    assert_int_equal(url.target.family, WEFT_ADDRESS_NONE); /* it is the proxy's localhost */
    assert_int_equal(url_parse_peer("proxy+http-connect://proxy:8080/192.0.2.1:1", &url, NULL), 0);
    assert_int_equal(url.words, URL_PROXY | URL_HTTP_CONNECT);
    assert_int_equal(url.target.family, WEFT_ADDRESS_IPV4);
}

static const struct bad bad_peers[] = {
    {"systemd://x", 0, WEFT_ESCHEME},
    {"udp://127.0.0.1:1", 0, WEFT_ESCHEME},
    {"tcp://a:1?backlog=1", 10, WEFT_EURL},
    {"proxy+tcp://a:1?from=::1", 16, WEFT_EURL},
    {"proxy+tcp://a:1?version=3", 24, WEFT_EURL},
    {"socks5://proxy:1080", 19, WEFT_EURL},
    {"socks5://proxy:1080/", 20, WEFT_EURL},
    {"socks5://proxy:1080/a", 21, WEFT_EURL},
    {"socks5://proxy:1080/:1", 20, WEFT_EURL},
    {"socks5://proxy:1080/a:1/", 23, WEFT_EURL},
    {"socks5:///a:1", 9, WEFT_EURL},
    {"socks5://:1080/a:1", 9, WEFT_EURL},
    {"socks5://@proxy/a:1", 9, WEFT_EURL},
    {"socks5://user@proxy/a:1", 13, WEFT_EURL},
    {"socks5://user:@proxy/a:1", 14, WEFT_EURL},
    {"socks5://:pass@proxy/a:1", 9, WEFT_EURL},
    {"socks5://u%@proxy/a:1", 10, WEFT_EURL},
    {"socks5://" HUNDRED HUNDRED TEN TEN TEN TEN TEN "123456:p@proxy/a:1", 264, WEFT_EURL},
    {"socks5://proxy/[fe80::1%251]:1", 15, WEFT_EURL},
    {"socks5://proxy/127.1:1", 15, WEFT_EURL},
    {"socks5://proxy/" HUNDRED HUNDRED TEN TEN TEN TEN TEN ".abc:1", 15, WEFT_EURL},
    {"socks4a://user:pass@proxy/a:1", 14, WEFT_EURL},
    {"socks4a://proxy/[::1]:1", 16, WEFT_EURL},
    {"http-connect://proxy/a:1", 20, WEFT_EURL},
    {"http-connect://a%3ab:c@proxy:1/a:1", 16, WEFT_EURL},
    {"socks://proxy/a:1", 0, WEFT_ESCHEME},
};

/* SK-01: a name that no SOCKS server could be told is refused before anything is sent. */
static void sk_01_what_no_proxy_could_be_told_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad_peers / sizeof *bad_peers; i++) {
        weft_url_error error = {.offset = 12345};
        struct url url;

        support_set_context("%s", bad_peers[i].url);
        assert_int_equal(url_parse_peer(bad_peers[i].url, &url, &error), bad_peers[i].error);
        assert_int_equal(error.offset, bad_peers[i].offset);
    }
    support_clear_context();
}

static void datagrams_have_schemes_of_their_own(void **state)
{
    struct url url;

    (void)state;
    assert_int_equal(url_parse_datagrams("udp://:53?reuseport=yes", &url, NULL), 0);
    assert_true(url.any);
    assert_int_equal(url.words, URL_UDP);
    assert_int_equal(url_parse_datagrams("udp://[ff02::fb%25eth0]:5353", &url, NULL), 0);
    assert_int_equal(url_parse_datagrams("unixgram://@x?mode=600", &url, NULL), 0);
    assert_int_equal(url.endpoint.address.family, WEFT_ADDRESS_UNIX);
    assert_int_equal(url_parse_datagrams("tcp://:1", &url, NULL), WEFT_ESCHEME);
    assert_int_equal(url_parse_datagrams("tls+udp://:1", &url, NULL), WEFT_ESCHEME);
    assert_int_equal(url_parse_datagrams("udp://a.example:1", &url, NULL), WEFT_EURL);
    assert_int_equal(url_parse_datagrams("udp://:1?idle=1s", &url, NULL), WEFT_EURL);
}

static void lists_of_networks(void **state)
{
    struct url_network networks[URL_NETWORKS_MOST];
    char many[URL_NETWORKS_MOST * 4 + 4] = "::1";
    weft_url_error error;

    (void)state;
    assert_int_equal(
        url_parse_networks(weft_bytes_from("10.0.0.0/8,unix,2001:db8::/32,0.0.0.0/0,::1"), networks, &error), 5);
    assert_int_equal(networks[0].family, WEFT_ADDRESS_IPV4);
    assert_int_equal(networks[0].bits, 8);
    assert_int_equal(networks[0].ip[0], 10);
    assert_int_equal(networks[1].family, WEFT_ADDRESS_UNIX);
    assert_int_equal(networks[2].bits, 32);
    assert_int_equal(networks[3].bits, 0);
    assert_int_equal(networks[4].bits, 128);
    assert_int_equal(networks[4].family, WEFT_ADDRESS_IPV6);
    for (unsigned i = 1; i < URL_NETWORKS_MOST; i++)
        strcat(many, ",::1");
    assert_int_equal(url_parse_networks(weft_bytes_from(many), networks, &error), URL_NETWORKS_MOST);
    strcat(many, ",");
    assert_int_equal(url_parse_networks(weft_bytes_from(many), networks, &error), WEFT_EURL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        support_test(good_urls_are_taken),
        support_test(bad_urls_are_refused_at_their_byte),
        support_test(descriptors_and_stdio),
        support_test(no_mutation_confuses_the_parser),
        support_test(names_are_for_whoever_connects),
        support_test(options_have_values),
        support_test(paths_are_decoded_and_written_again),
        support_test(layers_are_words_before_the_carrier),
        support_test(zones_are_names_or_numbers),
        support_test(proxies_lead_to_a_target),
        support_test(sk_01_what_no_proxy_could_be_told_is_refused),
        support_test(datagrams_have_schemes_of_their_own),
        support_test(lists_of_networks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
