/* SPDX-License-Identifier: MIT */
/* The hosts file: what is found in it, what is skipped, what it may cost. */
#include "net/hosts.h"

#include <stdio.h>
#include <stdlib.h>

#include <weft/error.h>

#include "base/address_parse.h"
#include "support/support.h"

static const uint8_t secret[SIPHASH_KEY_SIZE] = {3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3};

static struct hosts *hosts_of(const char *text)
{
    struct hosts *hosts = NULL;

    assert_int_equal(hosts_new(weft_bytes_from(text), secret, &hosts), 0);
    return hosts;
}

/* The addresses of a name, with a space behind each. */
static const char *found(const struct hosts *hosts, const char *name)
{
    static char all[2048];
    weft_address addresses[16];
    size_t count = hosts_find(hosts, weft_bytes_from(name), addresses, 16), length = 0;

    all[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        char text[WEFT_ADDRESS_TEXT];

        weft_address_host(&addresses[i], text);
        length += (size_t)snprintf(all + length, sizeof all - length, "%s ", text);
    }
    return all;
}

static void assert_name_of(const struct hosts *hosts, const char *ip, const char *name)
{
    weft_address address = {.family = WEFT_ADDRESS_IPV4};
    weft_bytes got;

    if (!address_parse_ipv4(weft_bytes_from(ip), address.ip)) {
        address.family = WEFT_ADDRESS_IPV6;
        assert_true(address_parse_ipv6(weft_bytes_from(ip), address.ip));
    }
    got = hosts_name_of(hosts, &address);
    assert_true(weft_bytes_equal(got, weft_bytes_from(name)));
}

static void names_and_addresses_are_found(void **state)
{
    struct hosts *hosts = hosts_of("127.0.0.1\tlocalhost\n"
                                   "::1 localhost ip6-localhost   ip6-loopback # a comment\n"
                                   "192.0.2.1 WWW.Example.org www\r\n"
                                   "192.0.2.2 www.example.org. mirror\n"
                                   "192.0.2.1 www.example.org\n"
                                   "2001:db8::1 www.example.org");

    (void)state;
    assert_string_equal(found(hosts, "localhost"), "127.0.0.1 ::1 ");
    assert_string_equal(found(hosts, "www.example.org"), "192.0.2.1 192.0.2.2 2001:db8::1 ");
    assert_string_equal(found(hosts, "www.EXAMPLE.org."), "192.0.2.1 192.0.2.2 2001:db8::1 ");
    assert_string_equal(found(hosts, "www"), "192.0.2.1 ");
    assert_string_equal(found(hosts, "example.org"), "");
    assert_string_equal(found(hosts, ""), "");
    assert_string_equal(found(hosts, "."), "");
    assert_name_of(hosts, "192.0.2.1", "www.example.org");
    assert_name_of(hosts, "192.0.2.2", "www.example.org");
    assert_name_of(hosts, "::1", "localhost");
    assert_name_of(hosts, "192.0.2.3", "");
    assert_int_equal(hosts_count(hosts), 10);
    assert_true(hosts_complete(hosts));
    hosts_free(hosts);
}

static void what_is_not_understood_is_skipped(void **state)
{
    struct hosts *hosts =
        hosts_of("# 192.0.2.1 a\n192.0.2 b\n192.0.2.01 c\nnonsense d\n192.0.2.4\n#\n\n \t\n"
                 "\t192.0.2.5 e#f\nfe80::1%eth0 g\nfe80::1%2 h\n192.0.2.6%1 i\n\xff\xff j\n192.0.2.4 k");
    weft_address address;

    (void)state;
    for (const char *name = "abcdfgi"; *name; name++)
        assert_string_equal(found(hosts, (char[]){*name, '\0'}), "");
    assert_string_equal(found(hosts, "e"), "192.0.2.5 ");
    assert_int_equal(hosts_find(hosts, weft_bytes_from("h"), &address, 1), 1);
    assert_int_equal(address.scope_id, 2);
    assert_name_of(hosts, "192.0.2.4", "k"); /* the first line with a name */
    hosts_free(hosts);
}

static void dots_at_the_end_do_not_count(void **state)
{
    struct hosts *hosts = hosts_of("10.0.0.1 a..\n10.0.0.2 .\n");

    (void)state;
    assert_string_equal(found(hosts, "a"), "10.0.0.1 ");
    assert_string_equal(found(hosts, "a.."), "10.0.0.1 ");
    assert_string_equal(found(hosts, "."), "");
    assert_name_of(hosts, "10.0.0.1", "a");
    assert_name_of(hosts, "10.0.0.2", "");
    hosts_free(hosts);
}

static void room_is_kept_to(void **state)
{
    struct hosts *hosts = hosts_of("10.0.0.1 a\n10.0.0.2 a\n10.0.0.3 a\n");
    weft_address addresses[3] = {{.port = 0}, {.port = 7}, {.port = 7}};

    (void)state;
    assert_int_equal(hosts_find(hosts, weft_bytes_from("a"), addresses, 1), 1);
    assert_int_equal(addresses[1].port, 7);
    assert_int_equal(hosts_find(hosts, weft_bytes_from("a"), addresses, 0), 0);
    hosts_free(hosts);
    hosts_free(NULL);
}

static void empty_file_knows_nothing(void **state)
{
    struct hosts *hosts = NULL;

    (void)state;
    assert_int_equal(hosts_new(weft_bytes_of(NULL, 0), secret, &hosts), 0);
    assert_string_equal(found(hosts, "localhost"), "");
    assert_name_of(hosts, "127.0.0.1", "");
    hosts_free(hosts);
}

static void name_that_none_can_have_is_skipped(void **state)
{
    char text[600];
    struct hosts *hosts;

    (void)state;
    memset(text, 'x', sizeof text);
    memcpy(text, "10.0.0.1 ", 9);
    memcpy(text + 264, " ok", 4); /* a name of 255 bytes before it */
    hosts = hosts_of(text);
    assert_string_equal(found(hosts, "ok"), "10.0.0.1 ");
    assert_int_equal(hosts_count(hosts), 1);
    text[264] = '\0';
    assert_string_equal(found(hosts, text + 9), "");
    hosts_free(hosts);
}

/* A list of what is to be blocked: many names, one address. */
static void large_file_is_read_whole(void **state)
{
    size_t room = (size_t)4 << 20, length = 0;
    char *text = malloc(room), name[64];
    struct hosts *hosts;

    (void)state;
    for (unsigned i = 0; i < 100000; i++)
        length += (size_t)snprintf(text + length, room - length, "0.0.0.0 tracker-%u.ads.example\n", i);
    hosts = hosts_of(text);
    free(text);
    assert_int_equal(hosts_count(hosts), 100000);
    for (unsigned i = 0; i < 100000; i += 997) {
        snprintf(name, sizeof name, "tracker-%u.ads.example", i);
        assert_string_equal(found(hosts, name), "0.0.0.0 ");
    }
    assert_string_equal(found(hosts, "tracker-100000.ads.example"), "");
    assert_name_of(hosts, "0.0.0.0", "tracker-0.ads.example");
    assert_true(support_live_bytes() < (size_t)8 << 20);
    hosts_free(hosts);
}

static void more_names_than_the_limit_are_left_out(void **state)
{
    size_t room = 3 * (HOSTS_NAMES + 10) + 64, length;
    char *text = malloc(room);
    struct hosts *hosts;

    (void)state;
    length = (size_t)snprintf(text, room, "10.0.0.1 first");
    while (length + 3 < room - 16) {
        memcpy(text + length, " aa", 3);
        length += 3;
    }
    memcpy(text + length, " last\n", 7);
    hosts = hosts_of(text);
    free(text);
    assert_false(hosts_complete(hosts));
    assert_int_equal(hosts_count(hosts), HOSTS_NAMES);
    assert_string_equal(found(hosts, "first"), "10.0.0.1 ");
    assert_string_equal(found(hosts, "last"), "");
    hosts_free(hosts);
}

static void try_to_read(void *arg)
{
    struct hosts *hosts = NULL;
    int status = hosts_new(weft_bytes_from("10.0.0.1 a b\n::1 c\n"), secret, &hosts);

    (void)arg;
    if (support_injected() > 0) {
        assert_int_equal(status, WEFT_ENOMEM);
        assert_null(hosts);
        return;
    }
    assert_int_equal(status, 0);
    assert_string_equal(found(hosts, "b"), "10.0.0.1 ");
    hosts_free(hosts);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    assert_int_equal(support_torture(try_to_read, NULL), 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        support_test(names_and_addresses_are_found), support_test(what_is_not_understood_is_skipped),
        support_test(dots_at_the_end_do_not_count),  support_test(room_is_kept_to),
        support_test(empty_file_knows_nothing),      support_test(name_that_none_can_have_is_skipped),
        support_test(large_file_is_read_whole),      support_test(more_names_than_the_limit_are_left_out),
        support_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
