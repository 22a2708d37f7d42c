/* SPDX-License-Identifier: MIT */
/* PROXY headers in front of streams: who is believed, what becomes of the addresses, and what is sent. */
#include "laws/law.h"

#include <stdio.h>

#include <weft/wire/proxy.h>

#define EVERYBODY "127.0.0.0/8,::1,10.0.0.0/8,fd00::/8,unix"
#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define BYTES(literal) weft_bytes_of(literal, sizeof(literal) - 1)

static weft_bytes to_say; /* by the client, when it is connected */
static bool bit_by_bit;   /* byte by byte */
static size_t said;
static const struct law_hooks quiet = {0};

/* Listens where the kind does, behind PROXY headers from @p from. */
static void listen_behind(struct law_world *world, const char *from, const weft_listen_options *options,
                          const struct law_hooks *hooks)
{
    static struct law_kind kind;
    static char url[200];

    kind = *world->kind;
    snprintf(url, sizeof url, "proxy+%s?from=%s", world->kind->url, from);
    kind.url = url;
    world->kind = &kind;
    law_listen(world, options, hooks);
}

static void say_on(struct law_peer *peer)
{
    size_t length = bit_by_bit ? 1 : to_say.length - said;

    if (said < to_say.length)
        assert_true(LAW_CALL(peer->world, weft_stream_write(peer->stream, weft_bytes_of(to_say.data + said, length))) >=
                    0);
    said += length;
    if (said < to_say.length)
        LAW_DO(peer->world, weft_stream_set_deadline(peer->stream, WEFT_MILLISECONDS(1)));
}

static const struct law_hooks saying = {.connected = say_on, .deadline = say_on};

static void connect_and_say(struct law_world *world, weft_bytes bytes)
{
    to_say = bytes;
    said = 0;
    bit_by_bit = false;
    law_connect(world, 0, NULL, &saying);
}

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

static void expect_peer(const struct law_peer *peer, const char *text)
{
    char buffer[WEFT_ADDRESS_TEXT];

    weft_address_text(weft_stream_peer(peer->stream), buffer);
    assert_string_equal(buffer, text);
}

static bool heard_hello(struct law_world *world)
{
    (void)world;
    return strcmp(heard, "hello") == 0;
}

static void the_peer_is_the_claimed_one(struct law_world *world)
{
    heard[0] = '\0';
    listen_behind(world, EVERYBODY, NULL, &hearing);
    connect_and_say(world, BYTES("PROXY TCP4 203.0.113.7 198.51.100.1 40000 443\r\nhello"));
    law_until(world, heard_hello);
    expect_peer(&world->server[0], "203.0.113.7:40000");
    assert_int_not_equal(weft_stream_direct_peer(world->server[0].stream)->port, 40000);
    assert_int_equal(weft_stream_proxy_header(world->server[0].stream)->version, 1);
    assert_int_equal(weft_stream_proxy_header(world->server[0].stream)->destination.port, 443);
    assert_null(weft_stream_proxy_header(world->client[0].stream));
    assert_ptr_equal(weft_stream_direct_peer(world->client[0].stream), weft_stream_peer(world->client[0].stream));
}

static void a_header_may_come_byte_by_byte(struct law_world *world)
{
    static const weft_bytes whole =
        WEFT_BYTES(SIGNATURE "\x21\x11\x00\x17\xcb\x00\x71\x07\xc6\x33\x64\x01\x9c\x40\x01\xbb"
                             "\x02\x00\x01"
                             "a"
                             "\x05\x00\x04"
                             "hell"
                             "hello");

    heard[0] = '\0';
    listen_behind(world, EVERYBODY, NULL, &hearing);
    to_say = whole;
    said = 0;
    bit_by_bit = true;
    law_connect(world, 0, NULL, &saying);
    law_until(world, heard_hello);
    expect_peer(&world->server[0], "203.0.113.7:40000");
    assert_true(weft_bytes_equal(weft_stream_proxy_header(world->server[0].stream)->authority, BYTES("a")));
    assert_true(weft_bytes_equal(weft_stream_proxy_header(world->server[0].stream)->unique_id, BYTES("hell")));
}

/* As a connection of IPv4 at a socket of IPv6 is one of IPv4 (address.h). */
static void a_claimed_address_of_ipv4_in_ipv6_is_one_of_ipv4(struct law_world *world)
{
    const weft_proxy_header *header;

    heard[0] = '\0';
    listen_behind(world, EVERYBODY, NULL, &hearing);
    connect_and_say(world, BYTES(SIGNATURE "\x21\x21\x00\x24"
                                           "\0\0\0\0\0\0\0\0\0\0\xff\xff\xcb\x00\x71\x07"
                                           "\0\0\0\0\0\0\0\0\0\0\xff\xff\xc6\x33\x64\x01"
                                           "\x9c\x40\x01\xbb"
                                           "hello"));
    law_until(world, heard_hello);
    expect_peer(&world->server[0], "203.0.113.7:40000");
    header = weft_stream_proxy_header(world->server[0].stream);
    assert_int_equal(header->source.family, WEFT_ADDRESS_IPV4);
    assert_int_equal(header->destination.family, WEFT_ADDRESS_IPV4);
    assert_memory_equal(header->destination.ip, "\xc6\x33\x64\x01\0\0\0\0\0\0\0\0\0\0\0\0", 16);
    assert_int_equal(header->destination.port, 443);
}

static bool client_lost(struct law_world *world)
{
    return world->client[0].lost;
}

static void expect_no_server(struct law_world *world)
{
    law_until(world, client_lost);
    law_turns(world, 3);
    assert_int_equal(world->accepted, 0);
    assert_int_equal(weft_listener_connections(world->listener), 0);
}

static void pp_01_a_stranger_is_reset_whatever_it_says(struct law_world *world)
{
    listen_behind(world, "192.0.2.0/24,2001:db8::/32,127.0.0.2", NULL, &quiet);
    connect_and_say(world, BYTES("PROXY TCP4 192.0.2.7 198.51.100.1 40000 443\r\nhello"));
    expect_no_server(world);
    assert_int_equal(weft_counters_read(weft_loop_counters(world->loop), "listener.refused"), 1);
}

static size_t awaited; /* a client */

static bool awaited_lost(struct law_world *world)
{
    return world->client[awaited].lost;
}

/* A line for each would let whoever can connect fill the log. */
static void expect_few_lines(struct law_world *world, const char *from, weft_bytes bytes)
{
    size_t before = support_log_count("a connection was reset");

    listen_behind(world, from, NULL, &quiet);
    to_say = bytes;
    bit_by_bit = false;
    for (awaited = 0; awaited < 5; awaited++) {
        said = 0;
        law_connect(world, awaited, NULL, &saying);
        law_until(world, awaited_lost);
        assert_in_range(support_log_count("a connection was reset"), before + 1, before + 3);
    }
    law_turns(world, 3);
    assert_int_equal(support_log_count("a connection was reset"), before + 3); /* the first, second and fourth */
    assert_int_equal(weft_counters_read(weft_loop_counters(world->loop), "listener.refused"), 5);
}

static void pp_01_many_strangers_are_few_lines_in_the_log(struct law_world *world)
{
    expect_few_lines(world, "192.0.2.0/24", BYTES("PROXY UNKNOWN\r\n"));
}

static void pp_02_many_that_send_no_header_are_few_lines_in_the_log(struct law_world *world)
{
    expect_few_lines(world, EVERYBODY, BYTES("GET / HTTP/1.1\r\n\r\n"));
}

static bool heard_a_header(struct law_world *world)
{
    (void)world;
    return strstr(heard, "\r\n");
}

static void pp_01_nobody_is_believed_where_no_header_is_asked_for(struct law_world *world)
{
    static const char said_so[] = "PROXY UNKNOWN\r\n";

    heard[0] = '\0';
    law_listen(world, NULL, &hearing);
    connect_and_say(world, BYTES("PROXY UNKNOWN\r\n"));
    law_until(world, heard_a_header);
    assert_string_equal(heard, said_so);
    assert_null(weft_stream_proxy_header(world->server[0].stream));
}

static void pp_02_what_is_no_header_ends_the_connection(struct law_world *world)
{
    listen_behind(world, EVERYBODY, NULL, &quiet);
    connect_and_say(world, BYTES("GET / HTTP/1.1\r\n\r\n"));
    expect_no_server(world);
}

static void pp_02_a_header_that_is_not_complete_is_waited_for_until_the_deadline(struct law_world *world)
{
    const weft_listen_options options = {.size = sizeof options,
                                         .stream = {.size = sizeof options.stream, .handshake = WEFT_SECONDS(4)}};
    weft_time before;

    listen_behind(world, EVERYBODY, &options, &quiet);
    before = weft_loop_now(world->loop);
    connect_and_say(world, BYTES(SIGNATURE "\x21\x11\x00"));
    expect_no_server(world);
    assert_true(world->client[0].lost_at - before >= WEFT_SECONDS(4));
}

static void half_say(struct law_peer *peer)
{
    say_on(peer);
    law_close(peer);
}

static const struct law_hooks half_saying = {.connected = half_say};

static void pp_02_a_header_that_ends_early_is_no_connection(struct law_world *world)
{
    listen_behind(world, EVERYBODY, NULL, &quiet);
    to_say = BYTES("PROXY TCP4 192.0.2.7 19");
    said = 0;
    bit_by_bit = false;
    law_connect(world, 0, NULL, &half_saying);
    expect_no_server(world);
}

static void pp_03_local_and_unknown_are_of_the_one_that_is_connected(struct law_world *world)
{
    heard[0] = '\0';
    listen_behind(world, EVERYBODY, NULL, &hearing);
    connect_and_say(world, BYTES(SIGNATURE "\x20\x11\x00\x0c\xcb\x00\x71\x07\xc6\x33\x64\x01\x9c\x40\x01\xbbhello"));
    law_until(world, heard_hello);
    assert_ptr_equal(weft_stream_peer(world->server[0].stream), weft_stream_direct_peer(world->server[0].stream));
    assert_true(weft_stream_proxy_header(world->server[0].stream)->local);
}

static bool two_heard(struct law_world *world)
{
    return world->client[1].lost || world->accepted == 2;
}

static void pp_03_limits_count_the_one_that_is_connected(struct law_world *world)
{
    const weft_listen_options options = {.size = sizeof options, .max_per_address = 1};

    heard[0] = '\0';
    listen_behind(world, EVERYBODY, &options, &hearing);
    connect_and_say(world, BYTES("PROXY TCP4 203.0.113.7 198.51.100.1 1 1\r\nhello"));
    law_until(world, heard_hello);
    to_say = BYTES("PROXY TCP4 203.0.113.8 198.51.100.1 1 1\r\nhello");
    said = 0;
    law_connect(world, 1, NULL, &saying);
    law_until(world, two_heard);
    assert_true(world->client[1].lost || world->kind->is_mem || !strstr(world->kind->url, "tcp"));
}

static void pp_04_a_second_header_is_what_the_protocol_gets(struct law_world *world)
{
    heard[0] = '\0';
    listen_behind(world, EVERYBODY, NULL, &hearing);
    connect_and_say(world, BYTES("PROXY UNKNOWN\r\nPROXY TCP4 203.0.113.8 198.51.100.1 1 1\r\n"));
    law_until(world, heard_a_header);
    assert_string_equal(heard, "PROXY TCP4 203.0.113.8 198.51.100.1 1 1\r\n");
    assert_ptr_equal(weft_stream_peer(world->server[0].stream), weft_stream_direct_peer(world->server[0].stream));
}

/* -- sending -- */

static void connect_saying(struct law_world *world, const char *options, const weft_proxy_header *announce)
{
    const weft_stream_options stream = {.size = sizeof stream, .announce = announce};
    char url[sizeof world->url];

    snprintf(url, sizeof url, "proxy+%.150s%s", world->url, options);
    strcpy(world->url, url);
    law_connect(world, 0, &stream, &quiet);
}

static bool both_connected(struct law_world *world)
{
    return world->client[0].connected && world->server[0].connected;
}

/* What it says of itself is what the other side sees without it. */
static void expect_own(struct law_world *world, uint8_t version)
{
    const weft_address *peer = weft_stream_peer(world->server[0].stream);
    const weft_address *direct = weft_stream_direct_peer(world->server[0].stream);

    assert_int_equal(weft_stream_proxy_header(world->server[0].stream)->version, version);
    assert_int_equal(peer->port, direct->port);
    assert_memory_equal(peer->ip, direct->ip, sizeof peer->ip);
    assert_int_equal(peer->family, direct->family);
}

static void a_client_says_who_it_is_itself(struct law_world *world)
{
    listen_behind(world, EVERYBODY, NULL, &quiet);
    connect_saying(world, "", NULL);
    law_until(world, both_connected);
    expect_own(world, 2);
}

static void a_client_may_say_it_in_version_1(struct law_world *world)
{
    listen_behind(world, EVERYBODY, NULL, &quiet);
    connect_saying(world, "?version=1", NULL);
    law_until(world, both_connected);
    expect_own(world, 1);
}

static const weft_proxy_header somebody = {
    .version = 1,
    .checksum = true,
    .source = {.family = WEFT_ADDRESS_IPV6, .ip = {0x20, 1, 0xd, 0xb8, [15] = 7}, .port = 7},
    .destination = {.family = WEFT_ADDRESS_IPV6, .ip = {0x20, 1, 0xd, 0xb8, [15] = 8}, .port = 8},
    .authority = WEFT_BYTES("server.example"),
};

static size_t check_pattern(struct law_peer *peer, weft_bytes in)
{
    law_check_pattern(peer, in);
    return in.length;
}

static bool much_came(struct law_world *world)
{
    return world->server[0].bytes_in >= 300000;
}

static const struct law_hooks checking = {.received = check_pattern};
static void pump(struct law_peer *peer)
{
    peer->to_send = 300000;
    law_pump(peer);
}

static const struct law_hooks pumping = {.connected = pump, .drained = law_pump};

static void a_client_may_say_it_for_somebody_else(struct law_world *world)
{
    const weft_stream_options stream = {.size = sizeof stream, .announce = &somebody};
    char url[sizeof world->url];

    listen_behind(world, EVERYBODY, NULL, &checking);
    snprintf(url, sizeof url, "proxy+%.150s", world->url);
    strcpy(world->url, url);
    law_connect(world, 0, &stream, &pumping);
    law_until(world, much_came);
    expect_peer(&world->server[0], "[2001:db8::7]:7");
    assert_true(weft_bytes_equal(weft_stream_proxy_header(world->server[0].stream)->authority, somebody.authority));
    assert_true(weft_stream_proxy_header(world->server[0].stream)->checksum);
}

static void what_cannot_be_announced_is_refused_at_once(struct law_world *world)
{
    weft_proxy_header wrong = somebody;
    weft_stream_options stream = {.size = sizeof stream, .announce = &wrong};
    struct law_peer *client = &world->client[0];

    wrong.destination.family = WEFT_ADDRESS_IPV4;
    law_peer_init(client, world, &quiet);
    assert_int_equal(LAW_CALL(world, weft_stream_connect(world->scope, "proxy+tcp://127.0.0.1:1", &client->protocol,
                                                         &stream, NULL, NULL)),
                     -EINVAL);
    client->protocol.ops = NULL;
}

static const struct law laws[] = {
    {"the peer is the claimed one", the_peer_is_the_claimed_one, LAW_EVERYWHERE},
    {"a header may come byte by byte", a_header_may_come_byte_by_byte, LAW_EVERYWHERE},
    {"a claimed address of IPv4 in IPv6 is one of IPv4", a_claimed_address_of_ipv4_in_ipv6_is_one_of_ipv4,
     LAW_EVERYWHERE},
    {"PP-01: a stranger is reset whatever it says", pp_01_a_stranger_is_reset_whatever_it_says, LAW_EVERYWHERE},
    {"PP-01: many strangers are few lines in the log", pp_01_many_strangers_are_few_lines_in_the_log, LAW_EVERYWHERE},
    {"PP-02: many that send no header are few lines in the log",
     pp_02_many_that_send_no_header_are_few_lines_in_the_log, LAW_EVERYWHERE},
    {"PP-01: nobody is believed where no header is asked for", pp_01_nobody_is_believed_where_no_header_is_asked_for,
     LAW_EVERYWHERE},
    {"PP-02: what is no header ends the connection", pp_02_what_is_no_header_ends_the_connection, LAW_EVERYWHERE},
    {"PP-02: a header that is not complete is waited for until the deadline",
     pp_02_a_header_that_is_not_complete_is_waited_for_until_the_deadline, LAW_EVERYWHERE | LAW_JUMPS},
    {"PP-02: a header that ends early is no connection", pp_02_a_header_that_ends_early_is_no_connection,
     LAW_EVERYWHERE},
    {"PP-03: LOCAL and UNKNOWN are of the one that is connected",
     pp_03_local_and_unknown_are_of_the_one_that_is_connected, LAW_EVERYWHERE},
    {"PP-03: limits count the one that is connected", pp_03_limits_count_the_one_that_is_connected, LAW_EVERYWHERE},
    {"PP-04: a second header is what the protocol gets", pp_04_a_second_header_is_what_the_protocol_gets,
     LAW_EVERYWHERE},
    {"a client says who it is itself", a_client_says_who_it_is_itself, LAW_EVERYWHERE},
    {"a client may say it in version 1", a_client_may_say_it_in_version_1, LAW_EVERYWHERE},
    {"a client may say it for somebody else", a_client_may_say_it_for_somebody_else, LAW_EVERYWHERE},
    {"what cannot be announced is refused at once", what_cannot_be_announced_is_refused_at_once, LAW_EVERYWHERE},
};

int main(void)
{
    return law_main(laws, sizeof laws / sizeof *laws);
}
