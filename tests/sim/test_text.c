/* SPDX-License-Identifier: MIT */
/* The texts by which a world is told its faults, and which of them to keep (backend/sim/). */
#include "support/support.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "backend/sim/fault_text.h"
#include "backend/sim/keep.h"

static void check_keep(const char *text, const char *again)
{
    struct sim_keep keep = {0};
    char shown[100];
    size_t place;

    assert_int_equal(sim_keep_parse(&keep, text, &place), 0);
    assert_int_equal(sim_keep_format(&keep, shown, sizeof shown), strlen(again));
    assert_string_equal(shown, again);
    sim_keep_clear(&keep);
}

static void check_wrong_keep(const char *text, int status, size_t at)
{
    struct sim_keep keep = {0};
    size_t place = 1000;

    assert_int_equal(sim_keep_parse(&keep, text, &place), status);
    assert_int_equal(place, at);
    sim_keep_clear(&keep);
}

static void a_set_of_numbers_has_a_shortest_text(void **state)
{
    (void)state;
    check_keep("none", "none");
    check_keep("7", "7");
    check_keep("9,1-3,4,3", "1-4,9");
    check_keep("40,12", "12,40");
    check_keep("5-5", "5");
    check_keep("16777216", "16777216");
}

static void what_is_no_set_is_wrong_at_its_place(void **state)
{
    (void)state;
    check_wrong_keep("", -EINVAL, 0);
    check_wrong_keep("1,", -EINVAL, 2);
    check_wrong_keep("1,x", -EINVAL, 2);
    check_wrong_keep("1 2", -EINVAL, 1);
    check_wrong_keep("12,9-3", -EINVAL, 5);
    check_wrong_keep("3-", -EINVAL, 2);
    check_wrong_keep("16777217", -ERANGE, 0);
    check_wrong_keep("99999999999999999999999", -ERANGE, 0);
}

static void a_text_longer_than_its_buffer_is_cut(void **state)
{
    struct sim_keep keep = {0};
    char shown[6];
    size_t place;

    (void)state;
    assert_int_equal(sim_keep_parse(&keep, "100,200,300", &place), 0);
    assert_int_equal(sim_keep_format(&keep, shown, sizeof shown), 11);
    assert_string_equal(shown, "100,2");
    assert_int_equal(sim_keep_format(&keep, NULL, 0), 11);
    sim_keep_clear(&keep);
}

static void a_set_holds_what_was_added(void **state)
{
    struct sim_keep keep = {0};

    (void)state;
    assert_false(sim_keep_has(1, &keep));
    assert_int_equal(sim_keep_add(&keep, 3, 17), 0);
    for (uint64_t number = 0; number < 100; number++)
        assert_true(sim_keep_has(number, &keep) == (number >= 3 && number <= 17));
    sim_keep_clear(&keep);
    assert_false(sim_keep_has(5, &keep));
}

static void words_choose_a_swarm(void **state)
{
    struct sim_faults_text read;
    struct sim_faults_error error;

    (void)state;
    assert_int_equal(sim_faults_parse("all", &read, &error), 0);
    assert_int_equal(read.choice, SIM_FAULTS_ALL);
    assert_int_equal(sim_faults_parse("all-but-allocations", &read, &error), 0);
    assert_int_equal(read.choice, SIM_FAULTS_ALL_BUT_ALLOCATIONS);
    assert_int_equal(sim_faults_parse("none", &read, &error), 0);
    assert_int_equal(read.choice, SIM_FAULTS_LISTED);
    assert_int_equal(read.faults.size, sizeof read.faults);
    assert_int_equal(read.faults.resets, 0);
}

static void a_list_sets_chances_and_the_link(void **state)
{
    struct sim_faults_text read;
    struct sim_faults_error error;

    (void)state;
    assert_int_equal(
        sim_faults_parse("short-reads=500000,latency=1ms-80ms,bandwidth=64k,resets=1000000", &read, &error), 0);
    assert_int_equal(read.choice, SIM_FAULTS_LISTED);
    assert_int_equal(read.faults.short_reads, 500000);
    assert_int_equal(read.faults.resets, 1000000);
    assert_true(read.faults.latency[0] == WEFT_MILLISECONDS(1) && read.faults.latency[1] == WEFT_MILLISECONDS(80));
    assert_int_equal(read.faults.bandwidth, 65536);
    assert_int_equal(sim_faults_parse("latency=5us", &read, &error), 0);
    assert_true(read.faults.latency[0] == WEFT_MICROSECONDS(5) && read.faults.latency[1] == WEFT_MICROSECONDS(5));
    assert_int_equal(sim_faults_parse("latency=0-2s,bandwidth=3", &read, &error), 0);
    assert_true(read.faults.latency[0] == 0 && read.faults.latency[1] == WEFT_SECONDS(2));
    assert_int_equal(read.faults.bandwidth, 3);
}

static void every_kind_can_be_named(void **state)
{
    struct sim_faults_text read;
    struct sim_faults_error error;
    char text[64];

    (void)state;
    for (int kind = 0; kind < SIM_FAULTS; kind++) {
        snprintf(text, sizeof text, "%s=%d", sim_fault_name((enum sim_fault_kind)kind), kind + 1);
        assert_int_equal(sim_faults_parse(text, &read, &error), 0);
        assert_int_equal(*sim_fault_rate(&read.faults, (enum sim_fault_kind)kind), kind + 1);
    }
}

static void check_wrong_faults(const char *text, size_t place, size_t length, bool is_name)
{
    struct sim_faults_text read = {.choice = SIM_FAULTS_ALL};
    struct sim_faults_error error;

    assert_int_equal(sim_faults_parse(text, &read, &error), -EINVAL);
    assert_int_equal(error.place, place);
    assert_int_equal(error.length, length);
    assert_int_equal(error.is_name, is_name);
    assert_non_null(error.reason);
    assert_int_equal(read.choice, SIM_FAULTS_ALL);
}

static void what_is_wrong_in_a_list_has_a_place(void **state)
{
    (void)state;
    check_wrong_faults("", 0, 0, true);
    check_wrong_faults("short-read=5", 0, 10, true);
    check_wrong_faults("resets=1,,", 9, 0, true);
    check_wrong_faults("resets=1,shorts=2", 9, 6, true);
    check_wrong_faults("resets", 6, 0, false);
    check_wrong_faults("resets=", 7, 0, false);
    check_wrong_faults("resets=1000001", 7, 7, false);
    check_wrong_faults("resets=5%", 7, 2, false);
    check_wrong_faults("resets=1,all", 9, 3, false);
    check_wrong_faults("latency=80ms-1ms", 8, 8, false);
    check_wrong_faults("latency=5", 8, 1, false);
    check_wrong_faults("latency=-5ms", 8, 4, false);
    check_wrong_faults("latency=25000h", 8, 6, false);
    check_wrong_faults("latency=99999999s", 8, 9, false);
    check_wrong_faults("latency=", 8, 0, false);
    check_wrong_faults("bandwidth=0", 10, 1, false);
    check_wrong_faults("bandwidth=k", 10, 1, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        support_test(a_set_of_numbers_has_a_shortest_text),
        support_test(what_is_no_set_is_wrong_at_its_place),
        support_test(a_text_longer_than_its_buffer_is_cut),
        support_test(a_set_holds_what_was_added),
        support_test(words_choose_a_swarm),
        support_test(a_list_sets_chances_and_the_link),
        support_test(every_kind_can_be_named),
        support_test(what_is_wrong_in_a_list_has_a_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
