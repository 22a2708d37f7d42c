/* SPDX-License-Identifier: MIT */
#include <weft/bytequeue.h>
#include <weft/time.h>

#include "base/chunk.h"
#include "support/support.h"

/* Takes @p count chunks of one class at once and gives them all back. */
static void use(weft_chunk_pool *pool, enum chunk_class size_class, size_t count)
{
    struct weft_segment *chunks[100];

    for (size_t i = 0; i < count; i++) {
        chunks[i] = chunk_take(pool, size_class);
        assert_non_null(chunks[i]);
    }
    for (size_t i = 0; i < count; i++)
        chunk_give(pool, chunks[i]);
}

static size_t allocations_to_use(weft_chunk_pool *pool, enum chunk_class size_class, size_t count)
{
    size_t before = support_allocations();
    use(pool, size_class, count);
    return support_allocations() - before;
}

static void class_is_the_smallest_that_fits(void **state)
{
    (void)state;
    assert_int_equal(chunk_class_for(0), CHUNK_SMALL);
    for (enum chunk_class i = CHUNK_SMALL; i < CHUNK_HUGE; i++) {
        assert_int_equal(chunk_class_for(chunk_capacity(i)), i);
        assert_int_equal(chunk_class_for((size_t)chunk_capacity(i) + 1), i + 1);
    }
    assert_int_equal(chunk_class_for(SIZE_MAX), CHUNK_HUGE);
    assert_int_equal(chunk_class_for(4096), CHUNK_MEDIUM);
    assert_int_equal(chunk_class_for(16384), CHUNK_LARGE);
    assert_true(chunk_capacity(CHUNK_HUGE) >= 65536);
}

static void pool_keeps_no_more_than_its_bound(void **state)
{
    (void)state;
    weft_chunk_pool *pool = weft_chunk_pool_new(10000);
    assert_non_null(pool);
    size_t empty = support_live_bytes();
    for (enum chunk_class i = CHUNK_HEADER; i < CHUNK_CLASSES; i++) {
        use(pool, i, 50);
        /* malloc may give a chunk a few bytes more than it was asked for: 16 for each of at most 157. */
        assert_true(support_live_bytes() - empty <= 10000 + 157 * 16);
    }
    weft_chunk_pool_free(pool);
}

static void chunk_is_recycled_within_the_bound(void **state)
{
    (void)state;
    weft_chunk_pool *pool = weft_chunk_pool_new(10 * 512);
    assert_non_null(pool);
    assert_int_equal(allocations_to_use(pool, CHUNK_SMALL, 10), 10);
    assert_int_equal(allocations_to_use(pool, CHUNK_SMALL, 10), 0);
    assert_int_equal(allocations_to_use(pool, CHUNK_SMALL, 12), 2);
    assert_int_equal(allocations_to_use(pool, CHUNK_SMALL, 10), 0);
    weft_chunk_pool_free(pool);
}

/* A burst of large chunks must not make every small write afterwards allocate, nor the other way round. */
static void what_is_used_now_displaces_what_was_used_before(void **state)
{
    (void)state;
    weft_chunk_pool *pool = weft_chunk_pool_new(2 * 66000);
    assert_non_null(pool);
    use(pool, CHUNK_HUGE, 2);
    use(pool, CHUNK_SMALL, 20);
    assert_int_equal(allocations_to_use(pool, CHUNK_SMALL, 20), 0);
    use(pool, CHUNK_HEADER, 100);
    use(pool, CHUNK_MEDIUM, 20);
    use(pool, CHUNK_HUGE, 1);
    assert_int_equal(allocations_to_use(pool, CHUNK_HUGE, 1), 0);
    weft_chunk_pool_free(pool);
}

static void chunk_larger_than_the_bound_is_never_kept(void **state)
{
    (void)state;
    weft_chunk_pool *pool = weft_chunk_pool_new(4095);
    assert_non_null(pool);
    use(pool, CHUNK_SMALL, 5);
    assert_int_equal(allocations_to_use(pool, CHUNK_MEDIUM, 2), 2);
    assert_int_equal(allocations_to_use(pool, CHUNK_MEDIUM, 2), 2);
    assert_int_equal(allocations_to_use(pool, CHUNK_SMALL, 5), 0);
    weft_chunk_pool_free(pool);
}

static void pool_that_keeps_nothing_works(void **state)
{
    (void)state;
    weft_chunk_pool *pool = weft_chunk_pool_new(0);
    assert_non_null(pool);
    use(pool, CHUNK_SMALL, 5);
    assert_int_equal(support_live(), 1);
    weft_chunk_pool_free(pool);
}

static void trim_gives_all_back(void **state)
{
    (void)state;
    weft_chunk_pool *pool = weft_chunk_pool_new(WEFT_UNLIMITED);
    assert_non_null(pool);
    use(pool, CHUNK_HEADER, 3);
    use(pool, CHUNK_HUGE, 3);
    assert_int_equal(support_live(), 7);
    weft_chunk_pool_trim(pool);
    assert_int_equal(support_live(), 1);
    use(pool, CHUNK_SMALL, 3);
    assert_int_equal(support_live(), 4);
    weft_chunk_pool_free(pool);
    weft_chunk_pool_free(NULL);
}

static void pool_without_memory_is_null(void **state)
{
    (void)state;
    support_fail_at(1, true);
    assert_null(weft_chunk_pool_new(1000));
    assert_null(chunk_take(NULL, CHUNK_SMALL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        support_test(class_is_the_smallest_that_fits),
        support_test(pool_keeps_no_more_than_its_bound),
        support_test(chunk_is_recycled_within_the_bound),
        support_test(what_is_used_now_displaces_what_was_used_before),
        support_test(chunk_larger_than_the_bound_is_never_kept),
        support_test(pool_that_keeps_nothing_works),
        support_test(trim_gives_all_back),
        support_test(pool_without_memory_is_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
