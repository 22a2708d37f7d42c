/* SPDX-License-Identifier: MIT */
#include <weft/list.h>

#include "support/support.h"

struct item {
    char name;
    weft_link link;
};

/* The names in the list, and the same backwards: both directions must agree. */
static void check(weft_link *head, const char *expected)
{
    char forwards[10] = "", backwards[10] = "";
    size_t count = 0;

    for (weft_link *link = head->next; link != head; link = link->next)
        forwards[count++] = weft_container_of(link, struct item, link)->name;
    for (weft_link *link = head->prev; link != head; link = link->prev)
        backwards[--count] = weft_container_of(link, struct item, link)->name;
    assert_int_equal(count, 0);
    assert_string_equal(forwards, expected);
    assert_string_equal(backwards, expected);
}

static void items_keep_the_order_of_insertion(void **state)
{
    weft_link head;
    struct item a = {.name = 'a'}, b = {.name = 'b'}, c = {.name = 'c'};

    (void)state;
    weft_link_init(&head);
    assert_true(weft_link_is_alone(&head));
    check(&head, "");
    weft_link_insert_before(&head, &a.link);
    weft_link_insert_before(&head, &c.link);
    weft_link_insert_before(&c.link, &b.link);
    assert_false(weft_link_is_alone(&head));
    check(&head, "abc");
    weft_link_remove(&b.link);
    check(&head, "ac");
    assert_true(weft_link_is_alone(&b.link));
}

static void removing_twice_is_harmless(void **state)
{
    weft_link head;
    struct item a = {.name = 'a'}, b = {.name = 'b'};

    (void)state;
    weft_link_init(&head);
    weft_link_insert_before(&head, &a.link);
    weft_link_insert_before(&head, &b.link);
    weft_link_remove(&a.link);
    weft_link_remove(&a.link);
    check(&head, "b");
}

static void splice_moves_everything_in_order(void **state)
{
    weft_link from, to;
    struct item a = {.name = 'a'}, b = {.name = 'b'}, c = {.name = 'c'};

    (void)state;
    weft_link_init(&from);
    weft_link_init(&to);
    weft_link_splice(&to, &from);
    check(&to, "");
    weft_link_insert_before(&from, &b.link);
    weft_link_insert_before(&from, &c.link);
    weft_link_insert_before(&to, &a.link);
    weft_link_splice(&to, &from);
    check(&to, "abc");
    check(&from, "");
    weft_link_splice(&from, &to);
    check(&from, "abc");
    check(&to, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        support_test(items_keep_the_order_of_insertion),
        support_test(removing_twice_is_harmless),
        support_test(splice_moves_everything_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
