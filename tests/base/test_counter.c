/* SPDX-License-Identifier: MIT */
#include <weft/counter.h>

#include <string.h>

#include "support/support.h"

static void counters_of_one_name_are_summed(void **state)
{
    weft_counters counters;
    weft_counter a, b, c;

    (void)state;
    weft_counters_init(&counters);
    weft_counters_add(&counters, &a, "listener.accepted");
    weft_counters_add(&counters, &b, "listener.refused");
    weft_counters_add(&counters, &c, "listener.accepted");
    weft_counter_increment(&a);
    weft_counter_increment(&b);
    weft_counter_add(&c, 40);
    assert_int_equal(weft_counters_read(&counters, "listener.accepted"), 41);
    assert_int_equal(weft_counters_read(&counters, "listener.refused"), 1);
    assert_int_equal(weft_counters_read(&counters, "listener"), 0);
    assert_int_equal(weft_counter_value(&c), 40);
}

static void removed_counter_is_not_found(void **state)
{
    weft_counters counters;
    weft_counter a, b;

    (void)state;
    weft_counters_init(&counters);
    weft_counters_add(&counters, &a, "a");
    weft_counters_add(&counters, &b, "a");
    weft_counter_add(&a, 3);
    weft_counter_add(&b, 4);
    weft_counter_remove(&a);
    weft_counter_remove(&a);
    assert_int_equal(weft_counters_read(&counters, "a"), 4);
    weft_counter_remove(&b);
    assert_int_equal(weft_counters_read(&counters, "a"), 0);
}

static void counter_starts_at_zero_when_added_again(void **state)
{
    weft_counters counters;
    weft_counter a;

    (void)state;
    weft_counters_init(&counters);
    weft_counters_add(&counters, &a, "a");
    weft_counter_increment(&a);
    weft_counter_remove(&a);
    weft_counters_add(&counters, &a, "a");
    assert_int_equal(weft_counters_read(&counters, "a"), 0);
}

static void append_name(const weft_counter *counter, void *arg)
{
    strcat(arg, counter->name);
}

static void visit_keeps_the_order(void **state)
{
    weft_counters counters;
    weft_counter a, b, c;
    char names[10] = "";

    (void)state;
    weft_counters_init(&counters);
    weft_counters_visit(&counters, append_name, names);
    assert_string_equal(names, "");
    weft_counters_add(&counters, &b, "b");
    weft_counters_add(&counters, &a, "a");
    weft_counters_add(&counters, &c, "c");
    weft_counters_visit(&counters, append_name, names);
    assert_string_equal(names, "bac");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        support_test(counters_of_one_name_are_summed),
        support_test(removed_counter_is_not_found),
        support_test(counter_starts_at_zero_when_added_again),
        support_test(visit_keeps_the_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
