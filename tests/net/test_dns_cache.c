/* SPDX-License-Identifier: MIT */
/* The cache of names: how long, how much, what is stale, what is negative. */
#include "net/dns_cache.h"

#include <stdio.h>

#include "base/random.h"
#include "support/support.h"

static const uint8_t secret[SIPHASH_KEY_SIZE] = {2, 7, 1, 8, 2, 8, 1, 8, 2, 8, 4, 5, 9, 0, 4, 5};
static const weft_time start = WEFT_HOURS(1);
static struct dns_cache cache;

static weft_dns_name name_of(const char *text)
{
    weft_dns_name name = WEFT_DNS_ROOT;

    assert_int_equal(weft_dns_name_parse(weft_bytes_from(text), NULL, &name), 0);
    return name;
}

/* Keeps one record whose data is @p data. */
static int put(weft_time now, const char *text, uint16_t type, uint32_t ttl, const char *data)
{
    weft_dns_name name = name_of(text);
    weft_bytes bytes = weft_bytes_from(data);

    return dns_cache_put(&cache, now, &name, type, WEFT_DNS_IN, ttl, &bytes, 1);
}

static int put_negative(weft_time now, enum dns_cache_kind kind, const char *text, uint16_t type, uint32_t ttl)
{
    weft_dns_name name = name_of(text);

    return dns_cache_put_negative(&cache, now, kind, &name, type, WEFT_DNS_IN, ttl);
}

static enum dns_cache_state find(weft_time now, const char *text, uint16_t type, struct dns_cache_found *ret)
{
    weft_dns_name name = name_of(text);

    return dns_cache_find(&cache, now, &name, type, WEFT_DNS_IN, ret);
}

static void assert_finds(weft_time now, const char *text, uint16_t type, enum dns_cache_state state, uint32_t ttl,
                         const char *data)
{
    struct dns_cache_found found;
    weft_bytes bytes;

    assert_int_equal(find(now, text, type, &found), state);
    assert_int_equal(found.kind, DNS_CACHE_RECORDS);
    assert_int_equal(found.ttl, ttl);
    assert_int_equal(found.count, 1);
    assert_true(dns_cache_next(&found, &bytes));
    assert_true(weft_bytes_equal(bytes, weft_bytes_from(data)));
    assert_false(dns_cache_next(&found, &bytes));
}

static void assert_missing(weft_time now, const char *text, uint16_t type)
{
    struct dns_cache_found found;

    assert_int_equal(find(now, text, type, &found), DNS_CACHE_MISSING);
}

static void set_lives_for_its_ttl(void **state)
{
    struct dns_cache_found found;

    (void)state;
    dns_cache_init(&cache, NULL, secret);
    assert_int_equal(put(start, "www.example.", WEFT_DNS_A, 300, "abcd"), 0);
    assert_finds(start, "www.example.", WEFT_DNS_A, DNS_CACHE_FRESH, 300, "abcd");
    assert_finds(start + WEFT_SECONDS(299), "WWW.Example.", WEFT_DNS_A, DNS_CACHE_FRESH, 1, "abcd");
    assert_finds(start + WEFT_SECONDS(300) - 1, "www.example.", WEFT_DNS_A, DNS_CACHE_FRESH, 0, "abcd");
    assert_missing(start, "www.example.", WEFT_DNS_AAAA);
    assert_missing(start, "example.", WEFT_DNS_A);
    assert_int_equal(find(start + WEFT_SECONDS(300), "www.example.", WEFT_DNS_A, &found), DNS_CACHE_STALE);
    assert_int_equal(cache.hits, 3);
    assert_int_equal(cache.misses, 2);
    assert_int_equal(cache.stale_hits, 1);
    dns_cache_fini(&cache);
}

static void records_of_a_set_are_given_in_their_order(void **state)
{
    const weft_bytes data[] = {WEFT_BYTES("one"), WEFT_BYTES(""), WEFT_BYTES("three")};
    weft_dns_name name = name_of("a.");
    struct dns_cache_found found;
    weft_bytes bytes;

    (void)state;
    dns_cache_init(&cache, NULL, secret);
    assert_int_equal(dns_cache_put(&cache, start, &name, WEFT_DNS_TXT, WEFT_DNS_IN, 1, data, 3), 0);
    assert_int_equal(dns_cache_find(&cache, start, &name, WEFT_DNS_TXT, WEFT_DNS_IN, &found), DNS_CACHE_FRESH);
    assert_int_equal(found.count, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_true(dns_cache_next(&found, &bytes));
        assert_true(weft_bytes_equal(bytes, data[i]));
    }
    assert_false(dns_cache_next(&found, &bytes));
    assert_int_equal(dns_cache_find(&cache, start, &name, WEFT_DNS_TXT, WEFT_DNS_CH, &found), DNS_CACHE_MISSING);
    dns_cache_fini(&cache);
}

static void later_set_takes_the_place_of_the_first(void **state)
{
    (void)state;
    dns_cache_init(&cache, NULL, secret);
    assert_int_equal(put(start, "a.", WEFT_DNS_A, 300, "old"), 0);
    assert_int_equal(put(start, "a.", WEFT_DNS_A, 100, "new"), 0);
    assert_finds(start, "a.", WEFT_DNS_A, DNS_CACHE_FRESH, 100, "new");
    assert_int_equal(map_count(&cache.map), 1);
    dns_cache_fini(&cache);
}

static void dn_16_ttl_is_capped_and_0_is_not_kept(void **state)
{
    (void)state;
    dns_cache_init(&cache, NULL, secret);
    assert_int_equal(put(start, "a.", WEFT_DNS_A, INT32_MAX, "x"), 0);
    assert_finds(start, "a.", WEFT_DNS_A, DNS_CACHE_FRESH, 86400, "x");
    assert_int_equal(put(start, "a.", WEFT_DNS_A, 0, "x"), 0); /* and what was known is gone */
    assert_missing(start, "a.", WEFT_DNS_A);
    assert_int_equal(put(start, "a.", WEFT_DNS_A, 0x80000000u, "x"), 0);
    assert_missing(start, "a.", WEFT_DNS_A);
    assert_int_equal(put_negative(start, DNS_CACHE_NO_NAME, "a.", WEFT_DNS_A, 0xffffffffu), 0);
    assert_missing(start, "a.", WEFT_DNS_A);
    assert_int_equal(cache.bytes, 0);
    dns_cache_fini(&cache);
}

static void name_that_does_not_exist_has_no_type(void **state)
{
    struct dns_cache_found found;

    (void)state;
    dns_cache_init(&cache, NULL, secret);
    assert_int_equal(put_negative(start, DNS_CACHE_NO_NAME, "a.", WEFT_DNS_A, 60), 0);
    assert_int_equal(find(start, "a.", WEFT_DNS_MX, &found), DNS_CACHE_FRESH);
    assert_int_equal(found.kind, DNS_CACHE_NO_NAME);
    assert_int_equal(found.ttl, 60);
    assert_missing(start, "b.a.", WEFT_DNS_A);
    assert_int_equal(put(start, "a.", WEFT_DNS_AAAA, 60, "x"), 0); /* it does exist */
    assert_missing(start, "a.", WEFT_DNS_MX);
    dns_cache_fini(&cache);
}

static void missing_type_is_of_that_type_only(void **state)
{
    struct dns_cache_found found;

    (void)state;
    dns_cache_init(&cache, NULL, secret);
    assert_int_equal(put_negative(start, DNS_CACHE_NO_DATA, "a.", WEFT_DNS_AAAA, 60), 0);
    assert_int_equal(find(start, "a.", WEFT_DNS_AAAA, &found), DNS_CACHE_FRESH);
    assert_int_equal(found.kind, DNS_CACHE_NO_DATA);
    assert_missing(start, "a.", WEFT_DNS_A);
    dns_cache_fini(&cache);
}

static void negative_answers_live_three_hours_at_most_and_are_never_stale(void **state)
{
    struct dns_cache_found found;

    (void)state;
    dns_cache_init(&cache, NULL, secret);
    assert_int_equal(put_negative(start, DNS_CACHE_NO_DATA, "a.", WEFT_DNS_A, 86400), 0);
    assert_int_equal(find(start, "a.", WEFT_DNS_A, &found), DNS_CACHE_FRESH);
    assert_int_equal(found.ttl, 3 * 3600);
    assert_missing(start + WEFT_HOURS(3), "a.", WEFT_DNS_A);
    assert_int_equal(map_count(&cache.map), 0);
    dns_cache_fini(&cache);
}

/* RFC 8767 §4, §5. */
static void dn_16_stale_set_is_given_for_a_day(void **state)
{
    const weft_time over = start + WEFT_SECONDS(300);

    (void)state;
    dns_cache_init(&cache, NULL, secret);
    assert_int_equal(put(start, "a.", WEFT_DNS_A, 300, "x"), 0);
    assert_finds(over, "a.", WEFT_DNS_A, DNS_CACHE_STALE, 30, "x");
    assert_finds(over + WEFT_HOURS(24) - 1, "a.", WEFT_DNS_A, DNS_CACHE_STALE, 30, "x");
    assert_missing(over + WEFT_HOURS(24), "a.", WEFT_DNS_A);
    assert_int_equal(map_count(&cache.map), 0);
    dns_cache_fini(&cache);
}

static void after_a_failure_stale_sets_are_given_without_another_try(void **state)
{
    const weft_time over = start + WEFT_SECONDS(300);
    struct dns_cache_found found;

    (void)state;
    dns_cache_init(&cache, NULL, secret);
    assert_int_equal(put(start, "a.", WEFT_DNS_A, 300, "x"), 0);
    assert_int_equal(put_negative(over, DNS_CACHE_FAILURE, "a.", WEFT_DNS_A, 0), 0);
    assert_finds(over, "a.", WEFT_DNS_A, DNS_CACHE_STALE_QUIET, 30, "x");
    assert_finds(over + WEFT_SECONDS(30), "a.", WEFT_DNS_A, DNS_CACHE_STALE, 30, "x");
    /* Where nothing was known the failure itself is, for a little while (RFC 9520 §3.2). */
    assert_int_equal(put_negative(over, DNS_CACHE_FAILURE, "b.", WEFT_DNS_A, 0), 0);
    assert_int_equal(find(over + WEFT_SECONDS(4), "b.", WEFT_DNS_A, &found), DNS_CACHE_FRESH);
    assert_int_equal(found.kind, DNS_CACHE_FAILURE);
    assert_missing(over + WEFT_SECONDS(5), "b.", WEFT_DNS_A);
    dns_cache_fini(&cache);
}

/* What was said to be gone is not brought back as stale. */
static void dn_16_denied_set_is_forgotten(void **state)
{
    struct dns_cache_found found;

    (void)state;
    dns_cache_init(&cache, NULL, secret);
    assert_int_equal(put(start, "a.", WEFT_DNS_A, 10, "x"), 0);
    assert_int_equal(put_negative(start + WEFT_SECONDS(10), DNS_CACHE_NO_NAME, "a.", WEFT_DNS_A, 10), 0);
    assert_int_equal(find(start + WEFT_SECONDS(11), "a.", WEFT_DNS_A, &found), DNS_CACHE_FRESH);
    assert_int_equal(found.kind, DNS_CACHE_NO_NAME);
    assert_missing(start + WEFT_SECONDS(20), "a.", WEFT_DNS_A);
    dns_cache_fini(&cache);
}

static void least_recently_used_goes_first(void **state)
{
    const struct dns_cache_limits limits = {.entries = 3};

    (void)state;
    dns_cache_init(&cache, &limits, secret);
    assert_int_equal(put(start, "a.", WEFT_DNS_A, 300, "a"), 0);
    assert_int_equal(put(start, "b.", WEFT_DNS_A, 300, "b"), 0);
    assert_int_equal(put(start, "c.", WEFT_DNS_A, 300, "c"), 0);
    assert_finds(start, "a.", WEFT_DNS_A, DNS_CACHE_FRESH, 300, "a");
    assert_int_equal(put(start, "d.", WEFT_DNS_A, 300, "d"), 0);
    assert_missing(start, "b.", WEFT_DNS_A);
    assert_finds(start, "a.", WEFT_DNS_A, DNS_CACHE_FRESH, 300, "a");
    assert_finds(start, "c.", WEFT_DNS_A, DNS_CACHE_FRESH, 300, "c");
    assert_finds(start, "d.", WEFT_DNS_A, DNS_CACHE_FRESH, 300, "d");
    assert_int_equal(cache.evictions, 1);
    dns_cache_fini(&cache);
}

static void bytes_are_bounded(void **state)
{
    const struct dns_cache_limits limits = {.bytes = 100000, .set_bytes = 5000};
    static const char large[4998];
    weft_bytes bytes = {large, sizeof large}, larger = {large, sizeof large};

    (void)state;
    dns_cache_init(&cache, &limits, secret);
    for (unsigned i = 0; i < 1000; i++) {
        char text[32];
        weft_dns_name name;

        snprintf(text, sizeof text, "h%u.example.", i);
        name = name_of(text);
        bytes.length = 1 + (size_t)i * 37 % sizeof large;
        assert_int_equal(dns_cache_put(&cache, start, &name, WEFT_DNS_A, WEFT_DNS_IN, 300, &bytes, 1), 0);
        assert_true(cache.bytes <= 100000);
        assert_true(support_live_bytes() <= 120000);
    }
    assert_true(cache.evictions > 900);
    weft_dns_name name = name_of("big.");
    struct dns_cache_found found;
    const weft_bytes two[] = {larger, WEFT_BYTES("")};
    assert_int_equal(dns_cache_put(&cache, start, &name, WEFT_DNS_A, WEFT_DNS_IN, 300, two, 2), 0);
    assert_int_equal(dns_cache_find(&cache, start, &name, WEFT_DNS_A, WEFT_DNS_IN, &found), DNS_CACHE_MISSING);
    assert_int_equal(dns_cache_put(&cache, start, &name, WEFT_DNS_A, WEFT_DNS_IN, 300, two, 1), 0);
    assert_int_equal(dns_cache_find(&cache, start, &name, WEFT_DNS_A, WEFT_DNS_IN, &found), DNS_CACHE_FRESH);
    dns_cache_clear(&cache);
    assert_int_equal(cache.bytes, 0);
    assert_int_equal(support_live(), 0);
    dns_cache_fini(&cache);
}

/* A model that keeps everything and forgets nothing says the same, as long as the bounds are not met. */
static void cache_agrees_with_a_plain_table(void **state)
{
    struct plain {
        bool records, negative;
        weft_time until, negative_until;
        char data[8];
    } table[8] = {{0}};
    struct random_source random;
    weft_time now = start;

    (void)state;
    random_init(&random, 7);
    dns_cache_init(&cache, NULL, secret);
    for (unsigned i = 0; i < 20000; i++) {
        unsigned index = (unsigned)random_below(&random, 8);
        char text[8];
        struct dns_cache_found found;
        weft_bytes bytes;

        now += WEFT_SECONDS(random_below(&random, 20));
        snprintf(text, sizeof text, "n%u.", index);
        switch (random_below(&random, 4)) {
        case 0:
            snprintf(table[index].data, sizeof table[index].data, "%u", i);
            table[index].records = true;
            table[index].negative = false;
            table[index].until = now + WEFT_SECONDS(60);
            assert_int_equal(put(now, text, WEFT_DNS_A, 60, table[index].data), 0);
            break;
        case 1:
            table[index].records = false;
            table[index].negative = true;
            table[index].negative_until = now + WEFT_SECONDS(30);
            assert_int_equal(put_negative(now, DNS_CACHE_NO_DATA, text, WEFT_DNS_A, 30), 0);
            break;
        default:
            if (table[index].records && now < table[index].until + WEFT_HOURS(24)) {
                assert_int_equal(find(now, text, WEFT_DNS_A, &found),
                                 now < table[index].until ? DNS_CACHE_FRESH : DNS_CACHE_STALE);
                assert_true(dns_cache_next(&found, &bytes));
                assert_true(weft_bytes_equal(bytes, weft_bytes_from(table[index].data)));
            } else if (table[index].negative && now < table[index].negative_until) {
                assert_int_equal(find(now, text, WEFT_DNS_A, &found), DNS_CACHE_FRESH);
                assert_int_equal(found.kind, DNS_CACHE_NO_DATA);
            } else {
                assert_missing(now, text, WEFT_DNS_A);
            }
        }
    }
    dns_cache_fini(&cache);
}

static void fill_and_find(void *arg)
{
    unsigned failed = 0;

    (void)arg;
    dns_cache_init(&cache, NULL, secret);
    failed += put(start, "a.", WEFT_DNS_A, 300, "a") == WEFT_ENOMEM;
    failed += put(start, "a.", WEFT_DNS_A, 300, "b") == WEFT_ENOMEM;
    failed += put_negative(start, DNS_CACHE_NO_NAME, "c.", WEFT_DNS_A, 300) == WEFT_ENOMEM;
    failed += put_negative(start, DNS_CACHE_FAILURE, "d.", WEFT_DNS_A, 300) == WEFT_ENOMEM;
    if (support_injected() == 0) {
        assert_int_equal(failed, 0);
        assert_finds(start, "a.", WEFT_DNS_A, DNS_CACHE_FRESH, 300, "b");
    } else {
        assert_true(failed > 0);
    }
    dns_cache_fini(&cache);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    support_torture(fill_and_find, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        support_test(set_lives_for_its_ttl),
        support_test(records_of_a_set_are_given_in_their_order),
        support_test(later_set_takes_the_place_of_the_first),
        support_test(dn_16_ttl_is_capped_and_0_is_not_kept),
        support_test(name_that_does_not_exist_has_no_type),
        support_test(missing_type_is_of_that_type_only),
        support_test(negative_answers_live_three_hours_at_most_and_are_never_stale),
        support_test(dn_16_stale_set_is_given_for_a_day),
        support_test(after_a_failure_stale_sets_are_given_without_another_try),
        support_test(dn_16_denied_set_is_forgotten),
        support_test(least_recently_used_goes_first),
        support_test(bytes_are_bounded),
        support_test(cache_agrees_with_a_plain_table),
        support_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
