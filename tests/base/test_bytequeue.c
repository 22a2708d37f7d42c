/* SPDX-License-Identifier: MIT */
#include <weft/bytequeue.h>

#include "support/support.h"

#define POOL_KEEP ((size_t)1 << 20)

struct fixture {
    weft_chunk_pool *pool;
    weft_bytequeue queue;
};

static void fixture_init(struct fixture *f)
{
    f->pool = weft_chunk_pool_new(POOL_KEEP);
    assert_non_null(f->pool);
    weft_bytequeue_init(&f->queue);
}

static void fixture_fini(struct fixture *f)
{
    weft_bytequeue_clear(&f->queue, f->pool);
    weft_chunk_pool_free(f->pool);
}

static void append(struct fixture *f, const char *text)
{
    assert_int_equal(weft_bytequeue_append(&f->queue, f->pool, weft_bytes_from(text)), 0);
}

/* What can be peeked at, joined. */
static const char *peeked(const weft_bytequeue *queue)
{
    static char joined[1000];
    weft_bytes runs[50];
    size_t count = weft_bytequeue_peek(queue, runs, 50);
    size_t length = 0;

    for (size_t i = 0; i < count; i++) {
        assert_true(length + runs[i].length < sizeof joined);
        memcpy(joined + length, runs[i].data, runs[i].length);
        length += runs[i].length;
    }
    joined[length] = '\0';
    return joined;
}

struct owner {
    weft_owner base;
    int destroyed;
};

static void note_destroyed(weft_owner *owner)
{
    weft_container_of(owner, struct owner, base)->destroyed++;
}

#define OWNER                  \
    {                          \
        {1, note_destroyed}, 0 \
    }

static void bytes_leave_in_order(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f);
    append(&f, "one ");
    append(&f, "two ");
    append(&f, "three");
    assert_string_equal(peeked(&f.queue), "one two three");
    assert_int_equal(weft_bytequeue_length(&f.queue), 13);
    weft_bytequeue_consume(&f.queue, f.pool, 5);
    assert_string_equal(peeked(&f.queue), "wo three");
    append(&f, "!");
    assert_string_equal(peeked(&f.queue), "wo three!");
    weft_bytequeue_consume(&f.queue, f.pool, 0);
    assert_int_equal(weft_bytequeue_length(&f.queue), 9);
    fixture_fini(&f);
}

static void small_appends_share_a_run(void **state)
{
    struct fixture f;
    weft_bytes runs[2];

    (void)state;
    fixture_init(&f);
    for (int i = 0; i < 7; i++)
        append(&f, "0123456789012345678901234567890123456789012345678901234567890123");
    assert_int_equal(weft_bytequeue_peek(&f.queue, runs, 2), 1);
    assert_int_equal(runs[0].length, 448);
    assert_int_equal(weft_bytequeue_peek(&f.queue, runs, 0), 0);
    fixture_fini(&f);
}

static void empty_queue_holds_no_memory(void **state)
{
    static const char large[300000];
    weft_bytequeue queue;

    (void)state;
    weft_bytequeue_init(&queue);
    assert_true(weft_bytequeue_is_empty(&queue));
    assert_int_equal(weft_bytequeue_append(&queue, NULL, weft_bytes_of(NULL, 0)), 0);
    assert_true(weft_bytequeue_is_empty(&queue));
    assert_int_equal(weft_bytequeue_append(&queue, NULL, weft_bytes_of(large, sizeof large)), 0);
    assert_int_equal(weft_bytequeue_length(&queue), sizeof large);
    weft_bytequeue_consume(&queue, NULL, sizeof large - 1);
    assert_false(weft_bytequeue_is_empty(&queue));
    weft_bytequeue_consume(&queue, NULL, 1);
    assert_true(weft_bytequeue_is_empty(&queue));
    assert_int_equal(weft_bytequeue_length(&queue), 0);
    assert_int_equal(support_live(), 0);
}

static void consuming_too_much_takes_all(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f);
    append(&f, "abc");
    weft_bytequeue_consume(&f.queue, f.pool, UINT64_MAX);
    assert_true(weft_bytequeue_is_empty(&f.queue));
    weft_bytequeue_consume(&f.queue, f.pool, 1);
    append(&f, "def");
    assert_string_equal(peeked(&f.queue), "def");
    fixture_fini(&f);
}

/* A gathering write in progress has these pointers while more is appended. */
static void append_does_not_move_what_was_peeked_at(void **state)
{
    static const char large[100000];
    struct fixture f;
    weft_bytes before[1], after[1];

    (void)state;
    fixture_init(&f);
    append(&f, "abc");
    assert_int_equal(weft_bytequeue_peek(&f.queue, before, 1), 1);
    append(&f, "def");
    assert_int_equal(weft_bytequeue_append(&f.queue, f.pool, weft_bytes_of(large, sizeof large)), 0);
    assert_int_equal(weft_bytequeue_peek(&f.queue, after, 1), 1);
    assert_ptr_equal(before[0].data, after[0].data);
    assert_memory_equal(before[0].data, "abcdef", 6);
    fixture_fini(&f);
}

static void owned_bytes_are_not_copied(void **state)
{
    static const char text[] = "owned";
    struct owner owner = OWNER;
    struct fixture f;
    weft_bytes runs[4];

    (void)state;
    fixture_init(&f);
    append(&f, "before ");
    assert_int_equal(weft_bytequeue_append_owned(&f.queue, f.pool, weft_bytes_from(text), &owner.base), 0);
    append(&f, " after");
    assert_string_equal(peeked(&f.queue), "before owned after");
    assert_int_equal(weft_bytequeue_length(&f.queue), 18);
    assert_int_equal(weft_bytequeue_peek(&f.queue, runs, 4), 3);
    assert_ptr_equal(runs[1].data, text);
    weft_bytequeue_consume(&f.queue, f.pool, 11);
    assert_int_equal(owner.destroyed, 0);
    assert_string_equal(peeked(&f.queue), "d after");
    weft_bytequeue_consume(&f.queue, f.pool, 1);
    assert_int_equal(owner.destroyed, 1);
    assert_string_equal(peeked(&f.queue), " after");
    fixture_fini(&f);
}

static void bytes_for_ever_need_no_owner(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f);
    assert_int_equal(weft_bytequeue_append_owned(&f.queue, f.pool, weft_bytes_from("constant"), NULL), 0);
    assert_string_equal(peeked(&f.queue), "constant");
    fixture_fini(&f);
}

static void owner_with_two_references_is_destroyed_after_both(void **state)
{
    struct owner owner = OWNER;
    struct fixture f;

    (void)state;
    fixture_init(&f);
    weft_owner_ref(&owner.base);
    assert_int_equal(weft_bytequeue_append_owned(&f.queue, f.pool, weft_bytes_from("ab"), &owner.base), 0);
    assert_int_equal(weft_bytequeue_append_owned(&f.queue, f.pool, weft_bytes_from("cd"), &owner.base), 0);
    weft_bytequeue_consume(&f.queue, f.pool, 3);
    assert_int_equal(owner.destroyed, 0);
    weft_bytequeue_consume(&f.queue, f.pool, 1);
    assert_int_equal(owner.destroyed, 1);
    fixture_fini(&f);
}

static void clear_releases_every_owner_once(void **state)
{
    struct owner owners[3] = {OWNER, OWNER, OWNER};
    struct fixture f;

    (void)state;
    fixture_init(&f);
    for (int i = 0; i < 3; i++) {
        append(&f, "x");
        assert_int_equal(weft_bytequeue_append_owned(&f.queue, f.pool, weft_bytes_from("y"), &owners[i].base), 0);
    }
    weft_bytequeue_clear(&f.queue, f.pool);
    weft_bytequeue_clear(&f.queue, f.pool);
    for (int i = 0; i < 3; i++)
        assert_int_equal(owners[i].destroyed, 1);
    assert_int_equal(weft_bytequeue_length(&f.queue), 0);
    append(&f, "again");
    assert_string_equal(peeked(&f.queue), "again");
    fixture_fini(&f);
}

static void empty_pieces_release_their_owner_at_once(void **state)
{
    struct owner owners[2] = {OWNER, OWNER};
    struct fixture f;

    (void)state;
    fixture_init(&f);
    assert_int_equal(weft_bytequeue_append_owned(&f.queue, f.pool, weft_bytes_from(""), &owners[0].base), 0);
    assert_int_equal(weft_bytequeue_append_opaque(&f.queue, f.pool, &owners[1].base, 5, 0), 0);
    assert_true(weft_bytequeue_is_empty(&f.queue));
    assert_int_equal(owners[0].destroyed, 1);
    assert_int_equal(owners[1].destroyed, 1);
    fixture_fini(&f);
}

static void check_opaque(const weft_bytequeue *queue, weft_owner *owner, uint64_t offset, uint64_t length)
{
    weft_owner *found_owner;
    uint64_t found_offset, found_length;

    assert_true(weft_bytequeue_peek_opaque(queue, &found_owner, &found_offset, &found_length));
    assert_ptr_equal(found_owner, owner);
    assert_true(found_offset == offset);
    assert_true(found_length == length);
}

static bool has_opaque_first(const weft_bytequeue *queue)
{
    weft_owner *owner = NULL;
    uint64_t offset = 77, length = 77;
    bool found = weft_bytequeue_peek_opaque(queue, &owner, &offset, &length);
    assert_true(found || (!owner && offset == 77 && length == 77));
    return found;
}

static void disowned_bytes_are_copied_in_their_place(void **state)
{
    char borrowed[] = "borrowed";
    struct owner leaving = OWNER, other = OWNER;
    struct fixture f;

    (void)state;
    fixture_init(&f);
    append(&f, "head ");
    weft_owner_ref(&leaving.base); /* the queue's; ours stays */
    assert_int_equal(weft_bytequeue_append_owned(&f.queue, f.pool, weft_bytes_of(borrowed, 8), &leaving.base), 0);
    assert_int_equal(weft_bytequeue_append_owned(&f.queue, f.pool, weft_bytes_from(" other"), &other.base), 0);
    append(&f, " tail");
    assert_int_equal(weft_bytequeue_disown(&f.queue, f.pool, &leaving.base), 0);
    assert_int_equal(leaving.base.references, 1);
    assert_int_equal(other.base.references, 1);
    memset(borrowed, '#', sizeof borrowed); /* its bytes may go now */
    assert_string_equal(peeked(&f.queue), "head borrowed other tail");
    assert_int_equal(weft_bytequeue_length(&f.queue), 24);
    fixture_fini(&f);
}

static void opaque_stretch_is_consumed_in_its_turn(void **state)
{
    const uint64_t huge = UINT64_C(1) << 40;
    struct owner owner = OWNER;
    struct fixture f;

    (void)state;
    fixture_init(&f);
    assert_false(has_opaque_first(&f.queue));
    append(&f, "head");
    assert_int_equal(weft_bytequeue_append_opaque(&f.queue, f.pool, &owner.base, 100, huge), 0);
    append(&f, "tail");
    assert_int_equal(weft_bytequeue_length(&f.queue), 8);
    assert_string_equal(peeked(&f.queue), "head");
    assert_false(has_opaque_first(&f.queue));
    weft_bytequeue_consume(&f.queue, f.pool, 4);
    assert_string_equal(peeked(&f.queue), "");
    assert_false(weft_bytequeue_is_empty(&f.queue));
    check_opaque(&f.queue, &owner.base, 100, huge);
    weft_bytequeue_consume(&f.queue, f.pool, 10);
    check_opaque(&f.queue, &owner.base, 110, huge - 10);
    weft_bytequeue_consume(&f.queue, f.pool, huge - 9); /* and one of the tail */
    assert_int_equal(owner.destroyed, 1);
    assert_string_equal(peeked(&f.queue), "ail");
    assert_int_equal(weft_bytequeue_length(&f.queue), 3);
    fixture_fini(&f);
}

static void opaque_stretches_are_counted(void **state)
{
    struct owner owner = {{100, note_destroyed}, 0};
    struct fixture f;

    (void)state;
    fixture_init(&f);
    assert_int_equal(weft_bytequeue_opaque_count(&f.queue), 0);
    append(&f, "head");
    assert_int_equal(weft_bytequeue_opaque_count(&f.queue), 0);
    for (size_t i = 1; i <= 5; i++) {
        assert_int_equal(weft_bytequeue_append_opaque(&f.queue, f.pool, &owner.base, 0, 10), 0);
        append(&f, "x");
        assert_int_equal(weft_bytequeue_opaque_count(&f.queue), i);
    }
    assert_int_equal(weft_bytequeue_append_opaque(&f.queue, f.pool, &owner.base, 0, 0), 0); /* nothing is no stretch */
    assert_int_equal(weft_bytequeue_opaque_count(&f.queue), 5);
    weft_bytequeue_consume(&f.queue, f.pool, 4 + 9); /* part of one is one */
    assert_int_equal(weft_bytequeue_opaque_count(&f.queue), 5);
    weft_bytequeue_consume(&f.queue, f.pool, 1);
    assert_int_equal(weft_bytequeue_opaque_count(&f.queue), 4);
    weft_bytequeue_consume(&f.queue, f.pool, 1 + 10 + 1 + 10);
    assert_int_equal(weft_bytequeue_opaque_count(&f.queue), 2);
    weft_bytequeue_clear(&f.queue, f.pool);
    assert_int_equal(weft_bytequeue_opaque_count(&f.queue), 0);
    assert_int_equal(owner.base.references, 94);
    fixture_fini(&f);
}

struct looking_owner {
    weft_owner base;
    weft_bytequeue *queue;
    size_t seen;
};

static void look(weft_owner *owner)
{
    struct looking_owner *looking = weft_container_of(owner, struct looking_owner, base);
    looking->seen = weft_bytequeue_length(looking->queue);
}

static void queue_is_in_order_when_an_owner_is_destroyed(void **state)
{
    struct fixture f;
    struct looking_owner owner = {{1, look}, &f.queue, 99};

    (void)state;
    fixture_init(&f);
    assert_int_equal(weft_bytequeue_append_owned(&f.queue, f.pool, weft_bytes_from("abc"), &owner.base), 0);
    append(&f, "de");
    weft_bytequeue_consume(&f.queue, f.pool, 3);
    assert_int_equal(owner.seen, 2);
    fixture_fini(&f);
}

static void steady_traffic_allocates_nothing(void **state)
{
    static const char message[64];
    struct owner owner = {{1000000, note_destroyed}, 0};
    struct fixture f;

    (void)state;
    fixture_init(&f);
    for (int round = 0; round < 1000; round++) {
        if (round == 1) /* the first has filled the pool */
            support_fail_at(1, true);
        for (int i = 0; i < 100; i++)
            assert_int_equal(weft_bytequeue_append(&f.queue, f.pool, weft_bytes_of(message, sizeof message)), 0);
        assert_int_equal(weft_bytequeue_append_owned(&f.queue, f.pool, weft_bytes_of(message, 64), &owner.base), 0);
        weft_bytequeue_consume(&f.queue, f.pool, UINT64_MAX);
    }
    assert_int_equal(support_injected(), 0);
    fixture_fini(&f);
}

/* A peer that is always a little behind must not make the queue's chunks grow. */
static void queue_that_never_empties_stays_small(void **state)
{
    static const char message[64];
    struct fixture f;
    size_t most = 0;

    (void)state;
    fixture_init(&f);
    assert_int_equal(weft_bytequeue_append(&f.queue, f.pool, weft_bytes_of(message, 64)), 0);
    for (int i = 0; i < 100000; i++) {
        assert_int_equal(weft_bytequeue_append(&f.queue, f.pool, weft_bytes_of(message, 64)), 0);
        weft_bytequeue_consume(&f.queue, f.pool, 64);
        weft_chunk_pool_trim(f.pool);
        if (support_live_bytes() > most)
            most = support_live_bytes();
    }
    assert_int_equal(weft_bytequeue_length(&f.queue), 64);
    assert_true(most < 2000);
    fixture_fini(&f);
}

/* EL-23 */

struct cost {
    size_t allocations;
    size_t runs;
    size_t bytes;
};

static struct cost cost_of(size_t total, size_t piece)
{
    static char data[1 << 22];
    static weft_bytes runs[20000];
    weft_bytequeue queue;
    struct cost cost;

    weft_bytequeue_init(&queue);
    size_t before = support_allocations();
    for (size_t fed = 0; fed < total; fed += piece)
        assert_int_equal(weft_bytequeue_append(&queue, NULL, weft_bytes_of(data, piece)), 0);
    cost.allocations = support_allocations() - before;
    cost.runs = weft_bytequeue_peek(&queue, runs, 20000);
    cost.bytes = support_live_bytes();
    weft_bytequeue_clear(&queue, NULL);
    return cost;
}

static void el_23_byte_by_byte_costs_little_more_than_at_once(void **state)
{
    struct cost once = cost_of(1 << 20, 1 << 20);
    struct cost bytewise = cost_of(1 << 20, 1);

    (void)state;
    assert_true(bytewise.allocations <= 3 * once.allocations);
    assert_true(bytewise.runs <= 3 * once.runs);
    assert_true(bytewise.bytes <= (1 << 20) * 5 / 4);
    assert_true(once.bytes <= (1 << 20) * 5 / 4);
}

static void el_23_twice_the_bytes_cost_twice_as_much(void **state)
{
    struct cost one = cost_of(1 << 21, 1);
    struct cost two = cost_of(1 << 22, 1);

    (void)state;
    assert_true(10 * two.allocations <= 23 * one.allocations);
    assert_true(10 * two.runs <= 23 * one.runs);
    assert_true(10 * two.bytes <= 23 * one.bytes);
}

/* Memory short */

static void append_everything(void *arg)
{
    static const char large[200000];
    struct owner owners[2] = {OWNER, OWNER};
    weft_bytequeue queue;
    size_t length = 0;
    uint64_t total = 0;

    (void)arg;
    weft_chunk_pool *pool = weft_chunk_pool_new(1000);
    weft_bytequeue_init(&queue);
    for (int i = 0; i < 3; i++) {
        if (weft_bytequeue_append(&queue, pool, weft_bytes_of(large, 300)) == 0)
            length += 300;
        if (weft_bytequeue_append(&queue, pool, weft_bytes_of(large, sizeof large)) == 0)
            length += sizeof large;
        assert_int_equal(weft_bytequeue_length(&queue), length);
    }
    if (weft_bytequeue_append_owned(&queue, pool, weft_bytes_from("owned"), &owners[0].base) == 0)
        length += 5;
    else
        weft_owner_unref(&owners[0].base); /* it was not taken */
    assert_int_equal(weft_bytequeue_length(&queue), length);
    if (weft_bytequeue_append_opaque(&queue, pool, &owners[1].base, 0, 7) == 0)
        total = 7;
    else
        weft_owner_unref(&owners[1].base);
    assert_int_equal(weft_bytequeue_length(&queue), length);
    assert_true(support_injected() > 0 || length + total == 3 * (300 + sizeof large) + 12);
    weft_bytequeue_consume(&queue, pool, length + total);
    assert_true(weft_bytequeue_is_empty(&queue));
    assert_int_equal(owners[0].destroyed, 1);
    assert_int_equal(owners[1].destroyed, 1);
    weft_chunk_pool_free(pool);
}

static void failed_allocation_leaves_the_queue_as_it_was(void **state)
{
    (void)state;
    assert_true(support_torture(append_everything, NULL) > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        support_test(bytes_leave_in_order),
        support_test(small_appends_share_a_run),
        support_test(empty_queue_holds_no_memory),
        support_test(consuming_too_much_takes_all),
        support_test(append_does_not_move_what_was_peeked_at),
        support_test(owned_bytes_are_not_copied),
        support_test(bytes_for_ever_need_no_owner),
        support_test(owner_with_two_references_is_destroyed_after_both),
        support_test(clear_releases_every_owner_once),
        support_test(empty_pieces_release_their_owner_at_once),
        support_test(opaque_stretch_is_consumed_in_its_turn),
        support_test(opaque_stretches_are_counted),
        support_test(queue_is_in_order_when_an_owner_is_destroyed),
        support_test(steady_traffic_allocates_nothing),
        support_test(queue_that_never_empties_stays_small),
        support_test(el_23_byte_by_byte_costs_little_more_than_at_once),
        support_test(el_23_twice_the_bytes_cost_twice_as_much),
        support_test(disowned_bytes_are_copied_in_their_place),
        support_test(failed_allocation_leaves_the_queue_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
