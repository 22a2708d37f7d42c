/* SPDX-License-Identifier: MIT */
#include "base/heap.h"

#include "base/random.h"
#include "support/support.h"

struct item {
    struct heap_node node;
    uint64_t key;
};

static size_t comparisons;

static struct item *item_of(const struct heap_node *node)
{
    return node ? weft_container_of(node, struct item, node) : NULL;
}

static bool before(const struct heap_node *a, const struct heap_node *b)
{
    comparisons++;
    return item_of(a)->key < item_of(b)->key;
}

static void empty_heap_has_no_first(void **state)
{
    struct heap heap;
    struct heap_node node;

    (void)state;
    heap_init(&heap, before);
    heap_node_init(&node);
    assert_null(heap_first(&heap));
    assert_false(heap_contains(&node));
    heap_remove(&heap, &node);
    assert_int_equal(heap.count, 0);
}

static void least_leaves_first(void **state)
{
    static const uint64_t keys[] = {5, 3, 8, 1, 9, 2, 7, 4, 6, 0};
    struct item items[10];
    struct heap heap;

    (void)state;
    heap_init(&heap, before);
    for (size_t i = 0; i < 10; i++) {
        items[i].key = keys[i];
        heap_add(&heap, &items[i].node);
    }
    for (uint64_t expected = 0; expected < 10; expected++) {
        struct item *first = item_of(heap_first(&heap));
        assert_true(first->key == expected);
        assert_true(heap_contains(&first->node));
        heap_remove(&heap, &first->node);
        assert_false(heap_contains(&first->node));
        heap_remove(&heap, &first->node);
        assert_int_equal(heap.count, 9 - expected);
    }
    assert_null(heap_first(&heap));
}

#define ITEMS 400

static struct item *least_of(struct item *items)
{
    struct item *least = NULL;
    for (size_t i = 0; i < ITEMS; i++) {
        if (heap_contains(&items[i].node) && (!least || items[i].key < least->key))
            least = &items[i];
    }
    return least;
}

static void do_something(struct heap *heap, struct item *item, struct random_source *random)
{
    if (!heap_contains(&item->node)) {
        item->key = random_below(random, 1000) << 32 | (uint32_t)(uintptr_t)item; /* unique */
        heap_add(heap, &item->node);
    } else if (random_below(random, 3) == 0) {
        heap_remove(heap, &item->node);
    } else {
        item->key = random_below(random, 1000) << 32 | (uint32_t)(uintptr_t)item;
        heap_update(heap, &item->node);
    }
}

static void any_order_of_operations_keeps_the_least_first(void **state)
{
    static struct item items[ITEMS];
    struct random_source random;
    struct heap heap;

    (void)state;
    random_init(&random, 1);
    heap_init(&heap, before);
    for (size_t i = 0; i < ITEMS; i++)
        heap_node_init(&items[i].node);
    for (int i = 0; i < 20000; i++) {
        do_something(&heap, &items[random_below(&random, ITEMS)], &random);
        if (i % 7 == 0 && heap_first(&heap))
            heap_remove(&heap, heap_first(&heap));
        assert_ptr_equal(item_of(heap_first(&heap)), least_of(items));
    }
}

/* The shape that is worst for recursion: every node below one root. */
static void many_in_descending_order_need_no_stack(void **state)
{
    enum { MANY = 200000 };
    struct heap heap;

    (void)state;
    struct item *items = test_calloc(MANY, sizeof *items);
    heap_init(&heap, before);
    comparisons = 0;
    for (size_t i = 0; i < MANY; i++) {
        items[i].key = i;
        heap_add(&heap, &items[i].node);
    }
    for (uint64_t expected = 0; expected < MANY; expected++) {
        assert_true(item_of(heap_first(&heap))->key == expected);
        heap_remove(&heap, heap_first(&heap));
    }
    /* O(log n) amortised: 2 * n * log2(n) is 7 million; a list would need 20,000 million. */
    assert_true(comparisons < 7000000);
    test_free(items);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        support_test(empty_heap_has_no_first),
        support_test(least_leaves_first),
        support_test(any_order_of_operations_keeps_the_least_first),
        support_test(many_in_descending_order_need_no_stack),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
