/* SPDX-License-Identifier: MIT */
#include "support/support.h"

#include <stdio.h>
#include <string.h>

#include "families/http/http_accept_encoding.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

enum { BR = HTTP_CODING_BR, ZSTD = HTTP_CODING_ZSTD, GZIP = HTTP_CODING_GZIP, PLAIN = HTTP_CODING_IDENTITY };
enum { ALL = 1 << BR | 1 << ZSTD | 1 << GZIP };

struct row {
    const char *value;
    unsigned available;
    int chosen;
};

static void check(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct http_accept_encoding accept = {0};

        print_message("%s\n", rows[i].value);
        http_accept_encoding_add(&accept, weft_bytes_from(rows[i].value));
        assert_int_equal(http_accept_encoding_choose(&accept, rows[i].available), rows[i].chosen);
    }
}

static void the_best_available_coding_is_chosen(void **state)
{
    static const struct row rows[] = {
        {"gzip, deflate, br, zstd", ALL, BR},
        {"gzip, deflate, br, zstd", 1 << ZSTD | 1 << GZIP, ZSTD},
        {"gzip, deflate, br, zstd", 1 << GZIP, GZIP},
        {"gzip, deflate, br, zstd", 0, PLAIN},
        {"gzip", ALL, GZIP},
        {"GZip", ALL, GZIP},
        {"x-gzip", ALL, GZIP},
        {"deflate", ALL, PLAIN},
        {"", ALL, PLAIN},
        {"identity", ALL, PLAIN},
    };

    (void)state;
    check(rows, COUNT(rows));
}

static void the_client_s_weights_decide(void **state)
{
    static const struct row rows[] = {
        {"br;q=0.5, gzip;q=0.8", ALL, GZIP},       {"br;q=0.5, gzip;q=0.8", 1 << BR, BR},
        {"br;q=0.001, gzip;q=0.002", ALL, GZIP},   {"gzip;q=1.000, br;q=0.999", ALL, GZIP},
        {"gzip;q=0.5, br;q=0.500", ALL, BR},       {"gzip ; Q=0.5, br ; q=0.4", ALL, GZIP},
        {"gzip;q=0.5, identity", ALL, PLAIN},      {"gzip;q=0.001", ALL, GZIP},
        {"identity;q=0.5, gzip;q=0.6", ALL, GZIP}, {"gzip;q=0.2, gzip;q=0.9, br;q=0.5", ALL, GZIP},
    };

    (void)state;
    check(rows, COUNT(rows));
}

static void a_weight_of_zero_refuses(void **state)
{
    static const struct row rows[] = {
        {"br;q=0, gzip", ALL, GZIP}, {"br;q=0.000", ALL, PLAIN},
        {"*;q=0", ALL, PLAIN},       {"gzip, *;q=0", ALL, GZIP},
        {"gzip;q=0, *", ALL, BR},    {"gzip;q=0, *", 1 << GZIP, PLAIN},
        {"identity;q=0", 0, PLAIN},  {"identity;q=0, gzip;q=0.1", ALL, GZIP},
    };

    (void)state;
    check(rows, COUNT(rows));
}

static void a_star_stands_for_the_rest(void **state)
{
    static const struct row rows[] = {
        {"*", ALL, BR},
        {"*", 1 << GZIP, GZIP},
        {"br;q=0.3, *;q=0.5", ALL, ZSTD},
        {"br;q=0.3, *;q=0.5", 1 << BR, PLAIN},
        {"br;q=0.6, *;q=0.5", 1 << BR, BR},
    };

    (void)state;
    check(rows, COUNT(rows));
}

static void what_cannot_be_read_is_ignored(void **state)
{
    static const struct row rows[] = {
        {"gzip;q=2", ALL, PLAIN},      {"gzip;q=1.001", ALL, PLAIN}, {"gzip;q=-1", ALL, PLAIN},
        {"gzip;q=0.1234", ALL, PLAIN}, {"gzip;q=", ALL, PLAIN},      {"gzip;q", ALL, PLAIN},
        {"gzip;x=1", ALL, PLAIN},      {"gzip;q=.5", ALL, PLAIN},    {"gzip;q=00", ALL, PLAIN},
        {"gzip;q=0.x", ALL, PLAIN},    {"gz", ALL, PLAIN},           {"gzipped", ALL, PLAIN},
        {"gzip;q=9, br", ALL, BR},     {",,;,gzip", ALL, GZIP},      {"gzip;q=1.", ALL, GZIP},
        {"gzip;q=0.", ALL, PLAIN},     {"gzip br", ALL, PLAIN},
    };

    (void)state;
    check(rows, COUNT(rows));
}

static void without_the_field_nothing_is_encoded(void **state)
{
    const struct http_accept_encoding accept = {0};

    (void)state;
    assert_int_equal(http_accept_encoding_choose(&accept, ALL), PLAIN);
}

static void several_fields_are_one_list(void **state)
{
    struct http_accept_encoding accept = {0};

    (void)state;
    http_accept_encoding_add(&accept, weft_bytes_from("gzip"));
    http_accept_encoding_add(&accept, weft_bytes_from("br;q=0.5"));
    assert_int_equal(http_accept_encoding_choose(&accept, ALL), GZIP);
    assert_int_equal(http_accept_encoding_choose(&accept, 1 << BR), BR);
}

static void codings_have_names_and_suffixes(void **state)
{
    (void)state;
    assert_string_equal(http_coding_name(HTTP_CODING_BR), "br");
    assert_string_equal(http_coding_name(HTTP_CODING_ZSTD), "zstd");
    assert_string_equal(http_coding_name(HTTP_CODING_GZIP), "gzip");
    assert_null(http_coding_name(HTTP_CODING_IDENTITY));
    assert_string_equal(http_coding_suffix(HTTP_CODING_BR), ".br");
    assert_string_equal(http_coding_suffix(HTTP_CODING_ZSTD), ".zst");
    assert_string_equal(http_coding_suffix(HTTP_CODING_GZIP), ".gz");
    assert_string_equal(http_coding_suffix(HTTP_CODING_IDENTITY), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        support_test(the_best_available_coding_is_chosen),
        support_test(the_client_s_weights_decide),
        support_test(a_weight_of_zero_refuses),
        support_test(a_star_stands_for_the_rest),
        support_test(what_cannot_be_read_is_ignored),
        support_test(without_the_field_nothing_is_encoded),
        support_test(several_fields_are_one_list),
        support_test(codings_have_names_and_suffixes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
