/* SPDX-License-Identifier: MIT */
/* EL-22: size arithmetic says when it would overflow, and every interface that adds sizes listens. */
#include <weft/bytequeue.h>
#include <weft/error.h>
#include <weft/memory.h>

#include "base/checked.h"
#include "base/map.h"
#include "support/support.h"

static void el_22_size_add_stops_at_the_limit(void **state)
{
    size_t result = 7;

    (void)state;
    assert_true(size_add(SIZE_MAX - 1, 1, &result));
    assert_true(result == SIZE_MAX);
    result = 7;
    assert_false(size_add(SIZE_MAX, 1, &result));
    assert_false(size_add(SIZE_MAX / 2 + 1, SIZE_MAX / 2 + 1, &result));
    assert_int_equal(result, 7);
    assert_true(size_add(0, 0, &result));
    assert_int_equal(result, 0);
}

static void el_22_size_subtract_stops_at_zero(void **state)
{
    size_t result = 7;

    (void)state;
    assert_false(size_subtract(1, 2, &result));
    assert_int_equal(result, 7);
    assert_true(size_subtract(2, 2, &result));
    assert_int_equal(result, 0);
}

static void el_22_size_multiply_stops_at_the_limit(void **state)
{
    size_t result = 7;

    (void)state;
    assert_false(size_multiply(SIZE_MAX / 2 + 1, 2, &result));
    assert_false(size_multiply((size_t)1 << 32, (size_t)1 << 32, &result));
    assert_int_equal(result, 7);
    assert_true(size_multiply(SIZE_MAX / 2, 2, &result));
    assert_true(result == SIZE_MAX - 1);
    assert_true(size_multiply(SIZE_MAX, 0, &result));
    assert_int_equal(result, 0);
}

static void el_22_uint64_arithmetic_stops_at_its_limits(void **state)
{
    uint64_t result = 7;

    (void)state;
    assert_false(uint64_add(UINT64_MAX, 1, &result));
    assert_false(uint64_subtract(0, 1, &result));
    assert_false(uint64_multiply(UINT64_MAX, 2, &result));
    assert_int_equal(result, 7);
    assert_true(uint64_add(UINT64_MAX - 1, 1, &result));
    assert_true(result == UINT64_MAX);
    assert_true(uint64_multiply(UINT32_MAX, UINT32_MAX, &result));
    assert_true(result == UINT64_C(0xfffffffe00000001));
    assert_true(uint64_subtract(5, 3, &result));
    assert_int_equal(result, 2);
}

static void el_22_size_from_uint64_does_not_truncate(void **state)
{
    size_t result = 7;

    (void)state;
    assert_true(size_from_uint64(SIZE_MAX, &result));
    assert_true(result == SIZE_MAX);
#if SIZE_MAX < UINT64_MAX
    assert_false(size_from_uint64((uint64_t)SIZE_MAX + 1, &result));
    assert_true(result == SIZE_MAX);
#endif
}

static void el_22_zeroed_allocation_does_not_wrap(void **state)
{
    (void)state;
    assert_null(weft_allocate_zeroed(SIZE_MAX / 8 + 2, 8));
    assert_int_equal(support_allocations(), 0);
}

/* The bytes that are not there are never read: only their count matters. */
static void el_22_queue_length_does_not_wrap(void **state)
{
    static const char byte;
    weft_bytequeue queue;

    (void)state;
    weft_bytequeue_init(&queue);
    assert_int_equal(weft_bytequeue_append_owned(&queue, NULL, weft_bytes_of(&byte, SIZE_MAX - 4), NULL), 0);
    assert_int_equal(weft_bytequeue_append(&queue, NULL, weft_bytes_from("12345")), -EOVERFLOW);
    assert_int_equal(weft_bytequeue_append_owned(&queue, NULL, weft_bytes_from("12345"), NULL), -EOVERFLOW);
    assert_true(weft_bytequeue_length(&queue) == SIZE_MAX - 4);
    assert_int_equal(weft_bytequeue_append(&queue, NULL, weft_bytes_from("1234")), 0);
    assert_true(weft_bytequeue_length(&queue) == SIZE_MAX);
    weft_bytequeue_clear(&queue, NULL);
    assert_int_equal(weft_bytequeue_length(&queue), 0);
}

static void el_22_opaque_stretch_does_not_wrap(void **state)
{
    weft_bytequeue queue;

    (void)state;
    weft_bytequeue_init(&queue);
    assert_int_equal(weft_bytequeue_append_opaque(&queue, NULL, NULL, UINT64_MAX - 9, 10), -EOVERFLOW);
    assert_true(weft_bytequeue_is_empty(&queue));
    assert_int_equal(weft_bytequeue_append_opaque(&queue, NULL, NULL, UINT64_MAX - 10, 10), 0);
    weft_bytequeue_consume(&queue, NULL, UINT64_MAX);
    assert_true(weft_bytequeue_is_empty(&queue));
}

static void el_22_map_key_length_is_not_truncated(void **state)
{
#if SIZE_MAX > UINT32_MAX
    static const uint8_t secret[SIPHASH_KEY_SIZE];
    struct map map;

    map_init(&map, secret);
    assert_int_equal(map_put(&map, weft_bytes_of("x", (size_t)UINT32_MAX + 1), state), -EOVERFLOW);
    assert_int_equal(map_count(&map), 0);
    map_fini(&map);
#endif
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        support_test(el_22_size_add_stops_at_the_limit),
        support_test(el_22_size_subtract_stops_at_zero),
        support_test(el_22_size_multiply_stops_at_the_limit),
        support_test(el_22_uint64_arithmetic_stops_at_its_limits),
        support_test(el_22_size_from_uint64_does_not_truncate),
        support_test(el_22_zeroed_allocation_does_not_wrap),
        support_test(el_22_queue_length_does_not_wrap),
        support_test(el_22_opaque_stretch_does_not_wrap),
        support_test(el_22_map_key_length_is_not_truncated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
