/* SPDX-License-Identifier: MIT */
#include "capture.h"

#include <errno.h>

#include "values.h"

struct number_row {
    const char *text;
    int result;
    uint64_t value;
};

typedef int reader(const char *text, uint64_t *ret);

static void check(reader *read, const struct number_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t value = 77;

        print_message("%s\n", rows[i].text);
        assert_int_equal(read(rows[i].text, &value), rows[i].result);
        assert_true(value == (rows[i].result ? 77 : rows[i].value));
    }
}

#define CHECK(read, rows) check(read, rows, sizeof(rows) / sizeof((rows)[0]))

static void integers_are_digits_only(void **state)
{
    static const struct number_row rows[] = {
        {"0", 0, 0},
        {"4096", 0, 4096},
        {"007", 0, 7},
        {"18446744073709551615", 0, UINT64_MAX},
        {"18446744073709551616", -ERANGE, 0},
        {"99999999999999999999999", -ERANGE, 0},
        {"", -EINVAL, 0},
        {"-1", -EINVAL, 0},
        {"+1", -EINVAL, 0},
        {" 1", -EINVAL, 0},
        {"1 ", -EINVAL, 0},
        {"0x10", -EINVAL, 0},
        {"1e3", -EINVAL, 0},
        {"99999999999999999999999x", -EINVAL, 0},
    };

    (void)state;
    CHECK(value_integer, rows);
}

static void sizes_take_binary_suffixes(void **state)
{
    static const struct number_row rows[] = {
        {"0", 0, 0},
        {"512", 0, 512},
        {"64k", 0, 65536},
        {"64K", 0, 65536},
        {"1m", 0, 1048576},
        {"3G", 0, 3ULL << 30},
        {"2t", 0, 2ULL << 40},
        {"16777215t", 0, 16777215ULL << 40},
        {"16777216t", -ERANGE, 0},
        {"18446744073709551615", -ERANGE, 0},
        {"", -EINVAL, 0},
        {"k", -EINVAL, 0},
        {"1kb", -EINVAL, 0},
        {"1 k", -EINVAL, 0},
        {"1.5m", -EINVAL, 0},
        {"-1k", -EINVAL, 0},
    };

    (void)state;
    CHECK(value_size, rows);
}

static void durations_need_a_unit(void **state)
{
    static const struct number_row rows[] = {
        {"500ms", 0, 500000000},
        {"30s", 0, 30000000000},
        {"5m", 0, 300000000000},
        {"2h", 0, 7200000000000},
        {"0s", 0, 0},
        {"2562047h", 0, 2562047ULL * 3600000000000ULL},
        {"2562048h", -ERANGE, 0},
        {"30", -EINVAL, 0},
        {"", -EINVAL, 0},
        {"s", -EINVAL, 0},
        {"1.5s", -EINVAL, 0},
        {"30sec", -EINVAL, 0},
        {"1m30s", -EINVAL, 0},
        {"5us", -EINVAL, 0},
    };

    (void)state;
    CHECK(value_duration, rows);
}

static void short_forms_of_endpoints_become_urls(void **state)
{
    static const struct {
        const char *text;
        int result;
        const char *url;
    } rows[] = {
        {"8080", 0, "tcp://127.0.0.1:8080"},
        {"0", 0, "tcp://127.0.0.1:0"},
        {":80", 0, "tcp://:80"},
        {"localhost:80", 0, "tcp://localhost:80"},
        {"192.0.2.1:8080", 0, "tcp://192.0.2.1:8080"},
        {"[::1]:8080", 0, "tcp://[::1]:8080"},
        {"tcp://[::1]:7007", 0, "tcp://[::1]:7007"},
        {"unix:///run/x.sock", 0, "unix:///run/x.sock"},
        {"fd://3", 0, "fd://3"},
        {"stdio:", 0, "stdio:"},
        {"proxy+tls://:8443", 0, "proxy+tls://:8443"},
        {"65535", 0, "tcp://127.0.0.1:65535"},
        {"65536", -ERANGE, NULL},
        {"localhost:65536", -ERANGE, NULL},
        {"::1:8080", -EINVAL, NULL},
        {"localhost", -EINVAL, NULL},
        {"127.0.0.1", -EINVAL, NULL},
        {"", -EINVAL, NULL},
        {"/run/x.sock", -EINVAL, NULL},
        {"80:", -EINVAL, NULL},
        {"-1", -EINVAL, NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char buffer[64];
        const char *url = NULL;

        print_message("%s\n", rows[i].text);
        assert_int_equal(value_endpoint(rows[i].text, buffer, sizeof(buffer), &url), rows[i].result);
        if (rows[i].url)
            assert_string_equal(url, rows[i].url);
        else
            assert_null(url);
    }
}

static void an_endpoint_too_long_for_the_buffer_is_refused(void **state)
{
    char buffer[12];
    const char *url = NULL;

    (void)state;
    assert_int_equal(value_endpoint("abcdef:80", buffer, sizeof(buffer), &url), -ERANGE);
    assert_null(url);
}

static void what_is_formatted_is_read_back(void **state)
{
    static const uint64_t values[] = {0, 1, 1023, 1024, 65536, 1536, 1048576, 3ULL << 30, 5ULL << 40};
    char buffer[32];
    uint64_t again;

    (void)state;
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        assert_int_equal(value_size(value_format_size(values[i], buffer, sizeof(buffer)), &again), 0);
        assert_true(again == values[i]);
        assert_int_equal(value_duration(value_format_duration(values[i] * 1000000, buffer, sizeof(buffer)), &again), 0);
        assert_true(again == values[i] * 1000000);
    }
    assert_string_equal(value_format_size(65536, buffer, sizeof(buffer)), "64k");
    assert_string_equal(value_format_duration(90000000000, buffer, sizeof(buffer)), "90s");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_are_digits_only),
        cmocka_unit_test(sizes_take_binary_suffixes),
        cmocka_unit_test(durations_need_a_unit),
        cmocka_unit_test(short_forms_of_endpoints_become_urls),
        cmocka_unit_test(an_endpoint_too_long_for_the_buffer_is_refused),
        cmocka_unit_test(what_is_formatted_is_read_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
