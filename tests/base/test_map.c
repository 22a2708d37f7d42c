/* SPDX-License-Identifier: MIT */
#include "base/map.h"

#include <stdio.h>

#include <weft/error.h>

#include "base/random.h"
#include "support/support.h"

static const uint8_t secret[SIPHASH_KEY_SIZE] = {3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3};

static void value_is_found_under_its_key_only(void **state)
{
    struct map map;
    int one, two;

    (void)state;
    map_init(&map, secret);
    assert_null(map_find(&map, weft_bytes_from("one")));
    assert_int_equal(map_put(&map, weft_bytes_from("one"), &one), 0);
    assert_int_equal(map_put(&map, weft_bytes_from("two"), &two), 0);
    assert_ptr_equal(map_find(&map, weft_bytes_from("one")), &one);
    assert_ptr_equal(map_find(&map, weft_bytes_from("two")), &two);
    assert_null(map_find(&map, weft_bytes_from("One")));
    assert_null(map_find(&map, weft_bytes_from("on")));
    assert_int_equal(map_count(&map), 2);
    map_fini(&map);
}

static void key_is_copied_and_may_be_any_bytes(void **state)
{
    struct map map;
    char key[] = {'a', 0, 'b'};
    int one, two;

    (void)state;
    map_init(&map, secret);
    assert_int_equal(map_put(&map, weft_bytes_of(key, 3), &one), 0);
    assert_int_equal(map_put(&map, weft_bytes_of(NULL, 0), &two), 0);
    key[2] = 'c';
    assert_null(map_find(&map, weft_bytes_of(key, 3)));
    assert_ptr_equal(map_find(&map, weft_bytes_of("a\0b", 3)), &one);
    assert_ptr_equal(map_find(&map, weft_bytes_from("")), &two);
    map_fini(&map);
}

static void key_that_is_there_is_not_put_again(void **state)
{
    struct map map;
    int one, two;

    (void)state;
    map_init(&map, secret);
    assert_int_equal(map_put(&map, weft_bytes_from("key"), &one), 0);
    assert_int_equal(map_put(&map, weft_bytes_from("key"), &two), -EEXIST);
    assert_ptr_equal(map_find(&map, weft_bytes_from("key")), &one);
    assert_int_equal(map_count(&map), 1);
    map_fini(&map);
}

static void removed_key_is_gone(void **state)
{
    struct map map;
    int one;

    (void)state;
    map_init(&map, secret);
    assert_null(map_remove(&map, weft_bytes_from("key")));
    assert_int_equal(map_put(&map, weft_bytes_from("key"), &one), 0);
    assert_ptr_equal(map_remove(&map, weft_bytes_from("key")), &one);
    assert_null(map_remove(&map, weft_bytes_from("key")));
    assert_int_equal(map_count(&map), 0);
    assert_int_equal(support_live(), 0);
    assert_int_equal(map_put(&map, weft_bytes_from("key"), &one), 0);
    map_fini(&map);
    assert_int_equal(map_count(&map), 0);
    assert_int_equal(map_longest_chain(&map), 0);
}

struct visited {
    struct map *map;
    char keys[100];
    const char *stop;
    bool remove;
};

static int visit_key(weft_bytes key, void *value, void *arg)
{
    struct visited *visited = arg;

    assert_non_null(value);
    strncat(visited->keys, key.data, key.length);
    if (visited->stop && weft_bytes_equal(key, weft_bytes_from(visited->stop)))
        return 17;
    if (visited->remove)
        assert_ptr_equal(map_remove(visited->map, key), value);
    return 0;
}

static void visit_goes_from_the_oldest_until_told_to_stop(void **state)
{
    static const char *const keys[] = {"d", "a", "c", "b"};
    struct map map;
    struct visited visited = {&map, "", NULL, false};

    map_init(&map, secret);
    assert_int_equal(map_visit(&map, visit_key, &visited), 0);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(map_put(&map, weft_bytes_from(keys[i]), state), 0);
    assert_int_equal(map_visit(&map, visit_key, &visited), 0);
    assert_string_equal(visited.keys, "dacb");
    visited = (struct visited){&map, "", "c", false};
    assert_int_equal(map_visit(&map, visit_key, &visited), 17);
    assert_string_equal(visited.keys, "dac");
    visited = (struct visited){&map, "", NULL, true};
    assert_int_equal(map_visit(&map, visit_key, &visited), 0);
    assert_string_equal(visited.keys, "dacb");
    assert_int_equal(map_count(&map), 0);
    map_fini(&map);
}

#define KEYS 1000

static weft_bytes numbered(char *buffer, size_t number)
{
    return weft_bytes_of(buffer, (size_t)snprintf(buffer, 20, "key %zu", number));
}

static void any_order_of_operations_agrees_with_an_array(void **state)
{
    static char present[KEYS];
    struct random_source random;
    struct map map;
    char key[20];
    size_t count = 0;

    (void)state;
    memset(present, 0, sizeof present);
    random_init(&random, 1);
    map_init(&map, secret);
    for (int i = 0; i < 50000; i++) {
        size_t number = (size_t)random_below(&random, KEYS);
        weft_bytes bytes = numbered(key, number);
        assert_ptr_equal(map_find(&map, bytes), present[number] ? &present[number] : NULL);
        if (random_chance(&random, 500000)) {
            assert_int_equal(map_put(&map, bytes, &present[number]), present[number] ? -EEXIST : 0);
            count += !present[number];
            present[number] = 1;
        } else {
            assert_ptr_equal(map_remove(&map, bytes), present[number] ? &present[number] : NULL);
            count -= present[number] != 0;
            present[number] = 0;
        }
        assert_int_equal(map_count(&map), count);
    }
    map_fini(&map);
}

/* Enough entries for several growths, each of which is one of the allocations that fail. */
static void put_many(void *arg)
{
    bool present[300];
    struct map map;
    char key[20];
    size_t count = 0;

    map_init(&map, secret);
    for (size_t i = 0; i < 300; i++) {
        int result = map_put(&map, numbered(key, i), arg);
        assert_true(result == 0 || (result == WEFT_ENOMEM && support_injected() > 0));
        present[i] = result == 0;
        count += present[i];
        assert_int_equal(map_count(&map), count);
    }
    for (size_t i = 0; i < 300; i++)
        assert_ptr_equal(map_find(&map, numbered(key, i)), present[i] ? arg : NULL);
    for (size_t i = 0; i < 300; i++)
        assert_ptr_equal(map_remove(&map, numbered(key, i)), present[i] ? arg : NULL);
    assert_int_equal(map_count(&map), 0);
    map_fini(&map);
}

static void failed_allocation_leaves_the_map_as_it_was(void **state)
{
    assert_true(support_torture(put_many, state) > 300);
}

/*
 * H1-28, hash flooding. "Ez" and "FY" have one hash under h = h * 33 + c (Bernstein's, as used in CVE-2011-4885), so
 * every string of 16 such pairs has: 65,536 keys in one chain.
 */
#define PAIRS 16
#define FLOOD ((size_t)1 << PAIRS)

static weft_bytes colliding(char *buffer, size_t number)
{
    for (size_t i = 0; i < PAIRS; i++)
        memcpy(buffer + 2 * i, number >> i & 1 ? "Ez" : "FY", 2);
    return weft_bytes_of(buffer, (size_t)2 * PAIRS);
}

static weft_bytes arbitrary(char *buffer, size_t number)
{
    struct random_source random;
    random_init(&random, number);
    random_fill(&random, buffer, (size_t)2 * PAIRS);
    return weft_bytes_of(buffer, (size_t)2 * PAIRS);
}

static uint32_t bernstein_hash(weft_bytes bytes)
{
    uint32_t hash = 5381;
    for (size_t i = 0; i < bytes.length; i++)
        hash = (uint32_t)(hash * UINT64_C(33)) + (uint8_t)bytes.data[i];
    return hash;
}

static size_t chain_of(weft_bytes (*make)(char *, size_t), const uint8_t *key)
{
    struct map map;
    char buffer[2 * PAIRS];

    map_init(&map, key);
    for (size_t i = 0; i < FLOOD; i++)
        assert_int_equal(map_put(&map, make(buffer, i), buffer), 0);
    size_t longest = map_longest_chain(&map);
    map_fini(&map);
    return longest;
}

static void h1_28_keys_built_to_collide_are_spread(void **state)
{
    uint8_t other_secret[SIPHASH_KEY_SIZE] = {1};
    char buffer[2 * PAIRS];

    (void)state;
    uint32_t hash = bernstein_hash(colliding(buffer, 0));
    for (size_t i = 0; i < FLOOD; i++)
        assert_true(bernstein_hash(colliding(buffer, i)) == hash);
    size_t usual = chain_of(arbitrary, secret);
    assert_true(usual < 30);
    assert_true(chain_of(colliding, secret) <= 2 * usual);
    assert_true(chain_of(colliding, other_secret) <= 2 * usual);
}

/* Keys that collide under one secret, found by trying, do not under another: what is learnt of one map is no use. */
static void h1_28_collisions_depend_on_the_secret(void **state)
{
    enum { WANTED = 200 };
    uint8_t other_secret[SIPHASH_KEY_SIZE] = {1};
    struct map known, other;
    char key[20];
    size_t found = 0;

    map_init(&known, secret);
    map_init(&other, other_secret);
    for (size_t i = 0; found < WANTED; i++) {
        weft_bytes bytes = numbered(key, i);
        if ((siphash_1_3(secret, bytes) & 1023) != 0)
            continue;
        assert_int_equal(map_put(&known, bytes, state), 0);
        assert_int_equal(map_put(&other, bytes, state), 0);
        found++;
    }
    assert_int_equal(map_longest_chain(&known), WANTED);
    assert_true(map_longest_chain(&other) < 20);
    map_fini(&known);
    map_fini(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        support_test(value_is_found_under_its_key_only),
        support_test(key_is_copied_and_may_be_any_bytes),
        support_test(key_that_is_there_is_not_put_again),
        support_test(removed_key_is_gone),
        support_test(visit_goes_from_the_oldest_until_told_to_stop),
        support_test(any_order_of_operations_agrees_with_an_array),
        support_test(failed_allocation_leaves_the_map_as_it_was),
        support_test(h1_28_keys_built_to_collide_are_spread),
        support_test(h1_28_collisions_depend_on_the_secret),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
