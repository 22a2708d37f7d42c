/* SPDX-License-Identifier: MIT */
/* What is said to a proxy, and what becomes of its answers: SOCKS 4a and 5, HTTP CONNECT. The proxy is a script. */
#include "laws/law.h"

#include <stdio.h>

#include <weft/wire/proxy.h>

#define BYTES(literal) weft_bytes_of(literal, sizeof(literal) - 1)
#define NAME \
    "\x0e"   \
    "server.example"

/* One thing that the proxy is to be told, and what it answers then. */
struct line {
    weft_bytes told, answer;
};

static const struct line *script;
static bool by_bytes; /* its answers come byte by byte */
static bool hears_on; /* behind the script it takes whatever comes */
static weft_bytes answer;

static void answer_on(struct law_peer *peer)
{
    size_t length = by_bytes ? 1 : answer.length;

    if (answer.length == 0)
        return;
    assert_true(LAW_CALL(peer->world, weft_stream_write(peer->stream, weft_bytes_first(answer, length))) >= 0);
    answer = weft_bytes_skip(answer, length);
    if (answer.length > 0)
        LAW_DO(peer->world, weft_stream_set_deadline(peer->stream, WEFT_MILLISECONDS(1)));
}

static size_t play(struct law_peer *peer, weft_bytes in)
{
    weft_bytes told = script->told;

    if (told.length == 0 && hears_on)
        return in.length;
    assert_true(told.length > 0);
    assert_true(weft_bytes_equal(weft_bytes_first(told, in.length), weft_bytes_first(in, told.length)));
    if (in.length < told.length)
        return 0;
    assert_int_equal(in.length, told.length); /* nothing is said before the answer */
    answer = script->answer;
    script++;
    answer_on(peer);
    return told.length;
}

static const struct law_hooks playing = {.received = play, .deadline = answer_on};

static char heard[64];

static size_t hear(struct law_peer *peer, weft_bytes in)
{
    size_t used = strlen(heard);

    assert_true(used + in.length < sizeof heard);
    memcpy(heard + used, in.data, in.length);
    heard[used + in.length] = '\0';
    peer->bytes_in += in.length;
    return in.length;
}

static const struct law_hooks hearing = {.received = hear};

static bool settled(struct law_world *world)
{
    return world->client[0].lost || strcmp(heard, "welcome") == 0;
}

/* "tcp://127.0.0.1:7" becomes "socks5://127.0.0.1:7/server.example:80". */
static void through(struct law_world *world, const char *scheme, const char *target)
{
    char url[sizeof world->url];
    const char *place = strstr(world->url, "://") + 3;

    snprintf(url, sizeof url, "%s%.60s/%s", scheme, place, target);
    strcpy(world->url, url);
}

/* A proxy is found by TCP, whatever the kind's own places are. */
static void listen_by_tcp(struct law_world *world, const struct law_hooks *hooks)
{
    static struct law_kind kind;

    kind = *world->kind;
    kind.url = "tcp://127.0.0.1:0";
    world->kind = &kind;
    law_listen(world, NULL, hooks);
}

static void begin(struct law_world *world, const struct line *lines, const char *scheme, const char *target,
                  const weft_stream_options *options)
{
    script = lines;
    heard[0] = '\0';
    listen_by_tcp(world, &playing);
    through(world, scheme, target);
    law_connect(world, 0, options, &hearing);
}

static void run(struct law_world *world, const struct line *lines, const char *scheme, const char *target)
{
    begin(world, lines, scheme, target, NULL);
    law_until(world, settled);
}

/* Each twice: as one answer, and byte by byte. */
static void expect_welcome(struct law_world *world, const struct line *lines, const char *scheme, const char *target)
{
    run(world, lines, scheme, target);
    assert_string_equal(heard, "welcome");
    assert_int_equal(world->client[0].connected, 1);
    assert_int_equal(script->told.length, 0);
}

static void expect_lost(struct law_world *world, const struct line *lines, const char *scheme, int reason)
{
    run(world, lines, scheme, "server.example:80");
    assert_int_equal(world->client[0].lost, 1);
    assert_int_equal(world->client[0].connected, 0);
    assert_int_equal(world->client[0].reason, reason);
}

#define GREETING                                 \
    {                                            \
        WEFT_BYTES("\5\1\0"), WEFT_BYTES("\5\0") \
    }
#define REQUEST(answer)                                          \
    {                                                            \
        WEFT_BYTES("\5\1\0\3" NAME "\0\120"), WEFT_BYTES(answer) \
    }
#define GRANTED "\5\0\0\1\0\0\0\0\0\0welcome"

static const struct line names[] = {GREETING, REQUEST(GRANTED), {{NULL, 0}, {NULL, 0}}};

static void a_name_goes_to_the_proxy_as_it_is(struct law_world *world)
{
    by_bytes = false;
    expect_welcome(world, names, "socks5://", "server.example:80");
}

static void answers_may_come_byte_by_byte(struct law_world *world)
{
    by_bytes = true;
    expect_welcome(world, names, "socks5h://", "server.example:80");
    by_bytes = false;
}

static void addresses_are_told_as_addresses(struct law_world *world)
{
    static const struct line lines[] = {
        GREETING,
        {WEFT_BYTES("\5\1\0\4\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1\1\xbb"), WEFT_BYTES("\5\0\0\3\1a\0\0welcome")},
        {{NULL, 0}, {NULL, 0}}};

    expect_welcome(world, lines, "socks5://", "[2001:db8::1]:443");
}

static void user_and_password_are_told_if_they_are_wanted(struct law_world *world)
{
    static const struct line lines[] = {{WEFT_BYTES("\5\2\0\2"), WEFT_BYTES("\5\2")},
                                        {WEFT_BYTES("\1\2me\3p@s"), WEFT_BYTES("\1\0")},
                                        REQUEST(GRANTED),
                                        {{NULL, 0}, {NULL, 0}}};

    expect_welcome(world, lines, "socks5://me:p%40s@", "server.example:80");
}

static void user_and_password_are_kept_if_they_are_not_wanted(struct law_world *world)
{
    static const struct line lines[] = {
        {WEFT_BYTES("\5\2\0\2"), WEFT_BYTES("\5\0")}, REQUEST(GRANTED), {{NULL, 0}, {NULL, 0}}};

    expect_welcome(world, lines, "socks5://me:p%40s@", "server.example:80");
}

static void version_4a(struct law_world *world)
{
    static const struct line lines[] = {
        {WEFT_BYTES("\4\1\0\120\0\0\0\1me\0server.example\0"), WEFT_BYTES("\0\132\0\0\0\0\0\0welcome")},
        {{NULL, 0}, {NULL, 0}}};

    expect_welcome(world, lines, "socks4a://me@", "server.example:80");
}

static void http_connect(struct law_world *world)
{
    static const struct line lines[] = {
        {WEFT_BYTES("CONNECT server.example:80 HTTP/1.1\r\nHost: server.example:80\r\n\r\n"),
         WEFT_BYTES("HTTP/1.1 103 Early\r\n\r\nHTTP/1.1 200 Go on\r\nContent-Length: 7\r\nX: y\r\n\r\nwelcome")},
        {{NULL, 0}, {NULL, 0}}};

    expect_welcome(world, lines, "http-connect://", "server.example:80");
}

static void http_connect_with_basic_to_an_ipv6_address(struct law_world *world)
{
    static const struct line lines[] = {
        {WEFT_BYTES("CONNECT [::1]:80 HTTP/1.1\r\nHost: [::1]:80\r\nProxy-Authorization: Basic "
                    "QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n\r\n"),
         WEFT_BYTES("HTTP/1.0 200 OK\r\n\r\nwelcome")},
        {{NULL, 0}, {NULL, 0}}};

    by_bytes = true;
    expect_welcome(world, lines, "http-connect://Aladdin:open%20sesame@", "[::1]:80");
    by_bytes = false;
}

static void what_the_proxy_says_is_the_reason(struct law_world *world)
{
    static const struct line answers[][3] = {
        {GREETING, REQUEST("\5\2\0\1\0\0\0\0\0\0")}, {GREETING, REQUEST("\5\3\0\1\0\0\0\0\0\0")},
        {GREETING, REQUEST("\5\4\0\1\0\0\0\0\0\0")}, {GREETING, REQUEST("\5\5\0\1\0\0\0\0\0\0")},
        {GREETING, REQUEST("\5\1\0\1\0\0\0\0\0\0")}, {{WEFT_BYTES("\5\1\0"), WEFT_BYTES("\5\377")}},
    };
    static const int reasons[] = {-EACCES, -ENETUNREACH, -EHOSTUNREACH, -ECONNREFUSED, WEFT_EPROXY, WEFT_EPROXYAUTH};
    size_t which = (size_t)(world->seed % 6);

    expect_lost(world, answers[which], "socks5://", reasons[which]);
}

static void a_wrong_password_is_the_reason(struct law_world *world)
{
    static const struct line lines[] = {{WEFT_BYTES("\5\2\0\2"), WEFT_BYTES("\5\2")},
                                        {WEFT_BYTES("\1\1u\1p"), WEFT_BYTES("\1\1")}};

    expect_lost(world, lines, "socks5://u:p@", WEFT_EPROXYAUTH);
}

static void http_wants_to_know_who_asks(struct law_world *world)
{
    static const struct line lines[] = {
        {WEFT_BYTES("CONNECT server.example:80 HTTP/1.1\r\nHost: server.example:80\r\n\r\n"),
         WEFT_BYTES("HTTP/1.1 407 No\r\nContent-Length: 5\r\n\r\nhello")}};

    expect_lost(world, lines, "http-connect://", WEFT_EPROXYAUTH);
}

static void http_would_not(struct law_world *world)
{
    static const struct line lines[] = {
        {WEFT_BYTES("CONNECT server.example:80 HTTP/1.1\r\nHost: server.example:80\r\n\r\n"),
         WEFT_BYTES("HTTP/1.1 502 No\r\n\r\n")}};

    expect_lost(world, lines, "http-connect://", WEFT_EPROXY);
}

/* SK-01: an exact state machine. */
static void sk_01_a_server_that_speaks_otherwise_is_left(struct law_world *world)
{
    static const struct line answers[][3] = {
        {{WEFT_BYTES("\5\1\0"), WEFT_BYTES("\5\2")}}, /* a method that was not offered */
        {{WEFT_BYTES("\5\1\0"), WEFT_BYTES("\4\0")}},
        {{WEFT_BYTES("\5\1\0"), WEFT_BYTES("HTTP/1.1 400 Bad Request\r\n\r\n")}},
        {GREETING, REQUEST("\5\0\1\1\0\0\0\0\0\0")},
        {GREETING, REQUEST("\5\0\0\7\0\0\0\0\0\0")},
    };

    expect_lost(world, answers[world->seed % 5], "socks5://", WEFT_EPROTOCOL);
}

/* SK-01: slow replies; the deadline is that of the handshake. */
static void sk_01_a_server_that_says_nothing_more_is_given_up(struct law_world *world)
{
    static const struct line lines[] = {{WEFT_BYTES("\5\1\0"), WEFT_BYTES("\5")}};

    expect_lost(world, lines, "socks5://", WEFT_EHANDSHAKETIME);
}

static void hang_up(struct law_peer *peer)
{
    law_close(peer);
}

static const struct law_hooks hanging_up = {.connected = hang_up};

static void a_server_that_ends_early_is_told(struct law_world *world)
{
    heard[0] = '\0';
    listen_by_tcp(world, &hanging_up);
    through(world, "socks5://", "server.example:80");
    law_connect(world, 0, NULL, &hearing);
    law_until(world, settled);
    assert_int_equal(world->client[0].connected, 0);
    assert_true(world->client[0].reason == WEFT_ETRUNCATED || world->client[0].reason == -ECONNRESET ||
                world->client[0].reason == -EPIPE);
}

/* -- with a PROXY header, for whoever is behind the proxy -- */

static const weft_proxy_header somebody = {
    .source = {.family = WEFT_ADDRESS_IPV4, .ip = {203, 0, 113, 7}, .port = 40000},
    .destination = {.family = WEFT_ADDRESS_IPV4, .ip = {198, 51, 100, 1}, .port = 443},
};

#define SOMEBODY "PROXY TCP4 203.0.113.7 198.51.100.1 40000 443\r\n"

static bool all_said(struct law_world *world)
{
    return world->client[0].lost || (strcmp(heard, "welcome") == 0 && script->told.length == 0);
}

static void expect_header(struct law_world *world, const struct line *lines, const char *scheme)
{
    const weft_stream_options options = {.size = sizeof options, .announce = &somebody};

    begin(world, lines, scheme, "server.example:80?version=1", &options);
    law_until(world, all_said);
    assert_int_equal(world->client[0].lost, 0);
    assert_int_equal(world->client[0].connected, 1);
    assert_string_equal(heard, "welcome");
}

static void data_right_behind_the_answer_passes_a_proxy_header(struct law_world *world)
{
    static const struct line lines[] = {
        GREETING, REQUEST(GRANTED), {WEFT_BYTES(SOMEBODY), {NULL, 0}}, {{NULL, 0}, {NULL, 0}}};

    expect_header(world, lines, "proxy+socks5://");
}

static void data_right_behind_the_head_passes_a_proxy_header(struct law_world *world)
{
    static const struct line lines[] = {
        {WEFT_BYTES("CONNECT server.example:80 HTTP/1.1\r\nHost: server.example:80\r\n\r\n"),
         WEFT_BYTES("HTTP/1.1 200 OK\r\n\r\nwelcome")},
        {WEFT_BYTES(SOMEBODY), {NULL, 0}},
        {{NULL, 0}, {NULL, 0}}};

    expect_header(world, lines, "proxy+http-connect://");
}

/* An alert, handshake_failure, comes before anything was said to it. */
static void data_right_behind_the_answer_reaches_tls_past_a_proxy_header(struct law_world *world)
{
    static const struct line lines[] = {
        GREETING, REQUEST("\5\0\0\1\0\0\0\0\0\0\25\3\3\0\2\2\50"), {{NULL, 0}, {NULL, 0}}};

    hears_on = true;
    expect_lost(world, lines, "proxy+tls+socks5://", WEFT_ETLSALERT);
    hears_on = false;
}

/* The proxy's address and ours would be said to a stranger as those of the connection. */
static void a_header_of_ones_own_names_no_address_behind_a_proxy(struct law_world *world)
{
    static const struct line lines[] = {
        GREETING, REQUEST(GRANTED), {WEFT_BYTES("\r\n\r\n\0\r\nQUIT\n\x20\0\0\0"), {NULL, 0}}, {{NULL, 0}, {NULL, 0}}};

    begin(world, lines, "proxy+socks5://", "server.example:80", NULL);
    law_until(world, all_said);
    assert_string_equal(heard, "welcome");
}

static const struct law laws[] = {
    {"a name goes to the proxy as it is", a_name_goes_to_the_proxy_as_it_is, LAW_EVERYWHERE},
    {"answers may come byte by byte", answers_may_come_byte_by_byte, LAW_EVERYWHERE},
    {"addresses are told as addresses", addresses_are_told_as_addresses, LAW_EVERYWHERE},
    {"user and password are told if they are wanted", user_and_password_are_told_if_they_are_wanted, LAW_EVERYWHERE},
    {"user and password are kept if they are not wanted", user_and_password_are_kept_if_they_are_not_wanted,
     LAW_EVERYWHERE},
    {"version 4a", version_4a, LAW_EVERYWHERE},
    {"HTTP CONNECT", http_connect, LAW_EVERYWHERE},
    {"HTTP CONNECT with Basic to an IPv6 address", http_connect_with_basic_to_an_ipv6_address, LAW_EVERYWHERE},
    {"what the proxy says is the reason", what_the_proxy_says_is_the_reason, LAW_EVERYWHERE},
    {"a wrong password is the reason", a_wrong_password_is_the_reason, LAW_EVERYWHERE},
    {"HTTP wants to know who asks", http_wants_to_know_who_asks, LAW_EVERYWHERE},
    {"HTTP would not", http_would_not, LAW_EVERYWHERE},
    {"SK-01: a server that speaks otherwise is left", sk_01_a_server_that_speaks_otherwise_is_left, LAW_EVERYWHERE},
    {"SK-01: a server that says nothing more is given up", sk_01_a_server_that_says_nothing_more_is_given_up,
     LAW_EVERYWHERE | LAW_JUMPS},
    {"a server that ends early is told", a_server_that_ends_early_is_told, LAW_EVERYWHERE},
    {"data right behind the answer passes a PROXY header", data_right_behind_the_answer_passes_a_proxy_header,
     LAW_EVERYWHERE},
    {"data right behind the head passes a PROXY header", data_right_behind_the_head_passes_a_proxy_header,
     LAW_EVERYWHERE},
    {"data right behind the answer reaches TLS past a PROXY header",
     data_right_behind_the_answer_reaches_tls_past_a_proxy_header, LAW_EVERYWHERE},
    {"a header of one's own names no address behind a proxy", a_header_of_ones_own_names_no_address_behind_a_proxy,
     LAW_EVERYWHERE},
};

int main(void)
{
    return law_main(laws, sizeof laws / sizeof *laws);
}
