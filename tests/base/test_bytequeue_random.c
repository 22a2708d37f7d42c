/* SPDX-License-Identifier: MIT */
/*
 * Random operations on a byte queue, some of them short of memory, beside a flat array that says what it must hold.
 */
#include <inttypes.h>
#include <stdlib.h>

#include <weft/bytequeue.h>

#include "base/random.h"
#include "support/support.h"

#define CAPACITY ((size_t)1 << 19)
#define OPERATIONS 1500
#define OWNERS OPERATIONS
#define OPAQUE_BYTE (UINT64_C(1) << 63)

struct owner {
    weft_owner base;
    char *bytes; /* those that it keeps alive; NULL for an opaque stretch */
    int destroyed;
};

struct world {
    struct random_source random;
    weft_chunk_pool *pool;
    weft_bytequeue queue;
    uint64_t *cells; /* one for each byte: its value, or OPAQUE_BYTE | owner << 32 | offset */
    size_t first;
    size_t end;
    size_t in_memory;
    struct owner *owners;
    size_t owner_count;
    char *data;
};

static void owner_destroy(weft_owner *base)
{
    struct owner *owner = weft_container_of(base, struct owner, base);
    owner->destroyed++;
    free(owner->bytes); /* a sanitizer sees whoever still reads them */
    owner->bytes = NULL;
}

static struct owner *owner_new(struct world *w)
{
    struct owner *owner = &w->owners[w->owner_count++];
    *owner = (struct owner){{1, owner_destroy}, NULL, 0};
    return owner;
}

/* Small sizes most of the time, and now and then one of many chunks. */
static size_t random_length(struct world *w)
{
    static const size_t bounds[] = {3, 70, 70, 70, 600, 600, 5000, 20000, 150000};
    return (size_t)random_below(&w->random, bounds[random_below(&w->random, sizeof bounds / sizeof bounds[0])]);
}

/* Whether the operation is one that no memory is given to. */
static void maybe_fail(struct world *w)
{
    support_fail_at(random_chance(&w->random, 100000) ? random_between(&w->random, 1, 3) : 0, false);
}

/* Checks an operation's result. @return whether it succeeded */
static bool succeeded(int result)
{
    assert_int_equal(result, support_injected() > 0 ? WEFT_ENOMEM : 0);
    support_fail_at(0, false);
    return result == 0;
}

static void model_append(struct world *w, const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        w->cells[w->end++] = (uint8_t)bytes[i];
    w->in_memory += length;
}

static void do_append(struct world *w)
{
    size_t length = random_length(w);

    random_fill(&w->random, w->data, length);
    maybe_fail(w);
    if (succeeded(weft_bytequeue_append(&w->queue, w->pool, weft_bytes_of(w->data, length))))
        model_append(w, w->data, length);
}

static void do_append_owned(struct world *w)
{
    struct owner *owner = owner_new(w);
    size_t length = random_length(w);

    owner->bytes = malloc(length + 1);
    assert_non_null(owner->bytes);
    random_fill(&w->random, owner->bytes, length);
    memcpy(w->data, owner->bytes, length);
    maybe_fail(w);
    if (succeeded(weft_bytequeue_append_owned(&w->queue, w->pool, weft_bytes_of(owner->bytes, length), &owner->base)))
        model_append(w, w->data, length);
    else
        weft_owner_unref(&owner->base);
}

static void do_append_opaque(struct world *w)
{
    uint64_t number = w->owner_count;
    struct owner *owner = owner_new(w);
    uint64_t length = random_length(w);
    uint64_t offset = random_below(&w->random, 1000000);

    maybe_fail(w);
    if (!succeeded(weft_bytequeue_append_opaque(&w->queue, w->pool, &owner->base, offset, length))) {
        weft_owner_unref(&owner->base);
        return;
    }
    for (uint64_t i = 0; i < length; i++)
        w->cells[w->end++] = OPAQUE_BYTE | number << 32 | (offset + i);
}

static void do_consume(struct world *w)
{
    size_t count = random_length(w) * 2;
    size_t present = w->end - w->first;

    if (random_chance(&w->random, 20000))
        count = present + (size_t)random_below(&w->random, 2);
    weft_bytequeue_consume(&w->queue, w->pool, count);
    for (size_t i = 0; i < count && i < present; i++)
        w->in_memory -= !(w->cells[w->first++] & OPAQUE_BYTE);
}

static void do_something(struct world *w)
{
    switch (random_below(&w->random, 8)) {
    case 0:
    case 1:
    case 2:
        do_append(w);
        break;
    case 3:
        do_append_owned(w);
        break;
    case 4:
        do_append_opaque(w);
        break;
    default:
        do_consume(w);
        break;
    }
}

static void check_runs(const struct world *w)
{
    weft_bytes runs[16];
    size_t count = weft_bytequeue_peek(&w->queue, runs, 16);
    size_t cell = w->first;

    for (size_t i = 0; i < count; i++) {
        assert_true(runs[i].length > 0);
        for (size_t j = 0; j < runs[i].length; j++) {
            if (cell >= w->end || w->cells[cell++] != (uint8_t)runs[i].data[j])
                fail_msg("byte %zu of run %zu is wrong", j, i);
        }
    }
    if (count < 16 && cell < w->end)
        assert_true(w->cells[cell] & OPAQUE_BYTE);
}

static void check_opaque(const struct world *w)
{
    weft_owner *owner;
    uint64_t offset, length;
    bool expected = w->first < w->end && w->cells[w->first] & OPAQUE_BYTE;

    assert_int_equal(weft_bytequeue_peek_opaque(&w->queue, &owner, &offset, &length), expected);
    if (!expected)
        return;
    uint64_t number = (w->cells[w->first] & ~OPAQUE_BYTE) >> 32;
    assert_ptr_equal(owner, &w->owners[number].base);
    assert_true(w->end - w->first >= length);
    for (uint64_t i = 0; i < length; i++) {
        if (w->cells[w->first + i] != (OPAQUE_BYTE | number << 32 | (offset + i)))
            fail_msg("byte %" PRIu64 " of the opaque stretch is wrong", i);
    }
}

static void check(const struct world *w)
{
    assert_int_equal(weft_bytequeue_is_empty(&w->queue), w->first == w->end);
    assert_int_equal(weft_bytequeue_length(&w->queue), w->in_memory);
    check_runs(w);
    check_opaque(w);
}

static void model_compact(struct world *w)
{
    memmove(w->cells, w->cells + w->first, (w->end - w->first) * sizeof *w->cells);
    w->end -= w->first;
    w->first = 0;
    if (w->end > CAPACITY / 4) {
        weft_bytequeue_clear(&w->queue, w->pool);
        w->end = w->in_memory = 0;
    }
}

static void world_run(struct world *w, uint64_t seed)
{
    random_init(&w->random, seed);
    w->pool = weft_chunk_pool_new((size_t)random_below(&w->random, 300000));
    assert_non_null(w->pool);
    weft_bytequeue_init(&w->queue);
    w->first = w->end = w->in_memory = w->owner_count = 0;
    for (int i = 0; i < OPERATIONS; i++) {
        support_set_context("seed %" PRIu64 ", operation %d", seed, i);
        model_compact(w);
        do_something(w);
        check(w);
    }
    weft_bytequeue_clear(&w->queue, w->pool);
    for (size_t i = 0; i < w->owner_count; i++)
        assert_int_equal(w->owners[i].destroyed, 1);
    weft_chunk_pool_free(w->pool);
    assert_int_equal(support_live(), 0);
    support_clear_context();
}

static void random_operations_agree_with_a_flat_array(void **state)
{
    struct world w;

    (void)state;
    w.cells = test_malloc(CAPACITY * sizeof *w.cells);
    w.owners = test_malloc(OWNERS * sizeof *w.owners);
    w.data = test_malloc(200000);
    for (uint64_t seed = 1; seed <= 10; seed++)
        world_run(&w, seed);
    test_free(w.cells);
    test_free(w.owners);
    test_free(w.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        support_test(random_operations_agree_with_a_flat_array),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
