/* SPDX-License-Identifier: MIT */
/* Happy Eyeballs: what is tried when. Times are in milliseconds after a start. */
#include "net/eyeballs.h"

#include <stdio.h>

#include "base/random.h"
#include "support/support.h"

#define MS WEFT_MILLISECONDS

static struct eyeballs eyeballs;
static const weft_time start = WEFT_HOURS(5);

/* Addresses are told apart by their port: IPv6 ones have 601, 602, ..., IPv4 ones 401, ... */
static void answer(long at, weft_address_family family, size_t count)
{
    weft_address addresses[100];

    memset(addresses, 0, sizeof addresses);
    assert_true(count <= 100);
    for (size_t i = 0; i < count; i++) {
        addresses[i].family = (uint8_t)family;
        addresses[i].port = (uint16_t)((family == WEFT_ADDRESS_IPV6 ? 601 : 401) + i);
    }
    eyeballs_answered(&eyeballs, start + MS(at), family, addresses, count);
}

static void six(long at, size_t count)
{
    answer(at, WEFT_ADDRESS_IPV6, count);
}

static void four(long at, size_t count)
{
    answer(at, WEFT_ADDRESS_IPV4, count);
}

static void assert_tries(long at, unsigned port)
{
    weft_address address = {.port = 0};
    weft_time until;

    assert_int_equal(eyeballs_next(&eyeballs, start + MS(at), &address, &until), EYEBALLS_TRY);
    assert_int_equal(address.port, port);
}

/* @param until  -1: for ever */
static void assert_waits(long at, long until)
{
    weft_address address;
    weft_time when = 0;

    assert_int_equal(eyeballs_next(&eyeballs, start + MS(at), &address, &when), EYEBALLS_WAIT);
    assert_true(when == (until < 0 ? WEFT_NEVER : start + MS(until)));
}

static void assert_over(long at)
{
    weft_address address;
    weft_time until;

    assert_int_equal(eyeballs_next(&eyeballs, start + MS(at), &address, &until), EYEBALLS_OVER);
}

static void preferred_family_is_tried_at_once(void **state)
{
    (void)state;
    eyeballs_init(&eyeballs, NULL);
    assert_waits(0, -1);
    six(10, 1);
    assert_tries(10, 601);
    assert_waits(10, -1);
    four(20, 1);
    assert_waits(20, 260);
    assert_tries(260, 401);
    eyeballs_connected(&eyeballs);
    assert_over(270);
}

/* §3: an A that comes first waits 50 ms for its AAAA. */
static void other_family_waits_for_the_preferred_one(void **state)
{
    (void)state;
    eyeballs_init(&eyeballs, NULL);
    four(10, 2);
    assert_waits(10, 60);
    six(30, 2);
    assert_tries(30, 601);
    assert_waits(30, 280);

    eyeballs_init(&eyeballs, NULL);
    four(10, 2);
    assert_waits(59, 60);
    assert_tries(60, 401);
    /* What comes late gets its turn (§3): it is the preferred one's. */
    six(70, 1);
    assert_waits(70, 310);
    assert_tries(310, 601);
    assert_tries(560, 402);
}

static void negative_answer_ends_the_wait(void **state)
{
    (void)state;
    eyeballs_init(&eyeballs, NULL);
    four(10, 1);
    assert_waits(10, 60);
    six(20, 0);
    assert_tries(20, 401);

    eyeballs_init(&eyeballs, NULL);
    six(10, 0);
    assert_waits(10, -1);
    four(900, 1);
    assert_tries(900, 401);
}

/* §4: one of each in turn, and then what is left of the longer list. */
static void families_take_turns(void **state)
{
    static const unsigned order[] = {601, 401, 602, 402, 603, 604};

    (void)state;
    eyeballs_init(&eyeballs, NULL);
    six(0, 4);
    four(0, 2);
    for (unsigned i = 0; i < 6; i++) {
        assert_tries(250L * i, order[i]);
        assert_waits(250L * i, i == 5 ? -1 : 250L * (i + 1));
    }
}

static void several_of_the_first_family_may_lead(void **state)
{
    static const unsigned order[] = {601, 602, 401, 603, 402, 604};
    const struct eyeballs_options options = {.first_count = 2};

    (void)state;
    eyeballs_init(&eyeballs, &options);
    six(0, 4);
    four(0, 2);
    for (unsigned i = 0; i < 6; i++)
        assert_tries(250L * i, order[i]);
}

static void ipv4_may_be_preferred(void **state)
{
    const struct eyeballs_options options = {.prefer_ipv4 = true, .resolution_delay = MS(20), .attempt_delay = MS(100)};

    (void)state;
    eyeballs_init(&eyeballs, &options);
    six(0, 2);
    assert_waits(0, 20);
    four(5, 1);
    assert_tries(5, 401);
    assert_waits(5, 105);
    assert_tries(105, 601);
    assert_tries(205, 602);
}

static void next_one_is_tried_at_once_when_all_have_failed(void **state)
{
    (void)state;
    eyeballs_init(&eyeballs, NULL);
    six(0, 2);
    four(0, 2);
    assert_tries(0, 601);
    eyeballs_failed(&eyeballs);
    assert_tries(1, 401);
    assert_waits(1, 251);
    assert_tries(251, 602);
    eyeballs_failed(&eyeballs);
    assert_waits(300, 501); /* 401 runs yet */
    eyeballs_failed(&eyeballs);
    assert_tries(300, 402);
    assert_waits(300, -1);
    eyeballs_failed(&eyeballs);
    assert_over(400);
}

static void nothing_is_over_while_an_answer_may_come(void **state)
{
    (void)state;
    eyeballs_init(&eyeballs, NULL);
    six(0, 1);
    assert_tries(0, 601);
    eyeballs_failed(&eyeballs);
    assert_waits(5, -1);
    four(500, 1);
    assert_tries(500, 401);
    eyeballs_failed(&eyeballs);
    assert_over(501);

    eyeballs_init(&eyeballs, NULL);
    six(0, 0);
    assert_waits(0, -1);
    four(1, 0);
    assert_over(1);
}

static void attempts_at_once_are_bounded(void **state)
{
    const struct eyeballs_options options = {.concurrent = 2};

    (void)state;
    eyeballs_init(&eyeballs, &options);
    six(0, 4);
    four(0, 0);
    assert_tries(0, 601);
    assert_tries(250, 602);
    assert_waits(500, -1);
    assert_waits(60000, -1);
    eyeballs_failed(&eyeballs);
    assert_tries(60000, 603);
    assert_waits(60000, -1);
}

/* §5, §8: not below 10 ms, not above 2 s. */
static void delay_between_attempts_has_bounds(void **state)
{
    const struct eyeballs_options quick = {.attempt_delay = 1}, slow = {.attempt_delay = WEFT_MINUTES(1)};

    (void)state;
    eyeballs_init(&eyeballs, &quick);
    six(0, 2);
    assert_tries(0, 601);
    assert_waits(0, 10);
    eyeballs_init(&eyeballs, &slow);
    six(0, 2);
    assert_tries(0, 601);
    assert_waits(0, 2000);
}

static void addresses_beyond_the_bound_are_left_out(void **state)
{
    (void)state;
    eyeballs_init(&eyeballs, NULL);
    six(0, 100);
    four(0, 0);
    for (unsigned i = 0; i < EYEBALLS_MOST; i++) {
        assert_tries(0, 601 + i);
        eyeballs_failed(&eyeballs);
    }
    assert_over(0);
    eyeballs_failed(&eyeballs); /* one too many does no harm */
    assert_over(0);
}

/* Whatever comes when: each address is tried once, no two within the delay but after failures, never too many at once. */
static void rules_hold_for_random_events(void **state)
{
    struct random_source random;

    (void)state;
    random_init(&random, 11);
    for (unsigned round = 0; round < 2000; round++) {
        const struct eyeballs_options options = {.concurrent = 1 + (unsigned)random_below(&random, 4),
                                                 .prefer_ipv4 = random_chance(&random, 500000)};
        size_t counts[2] = {random_below(&random, 5), random_below(&random, 5)};
        bool answered[2] = {false, false}, tried[2][5] = {{false}};
        unsigned running = 0, total = 0;
        weft_time now = start, last = 0, until = 0;
        weft_address address;
        enum eyeballs_step step;

        support_set_context("round %u", round);
        eyeballs_init(&eyeballs, &options);
        for (;;) {
            while ((step = eyeballs_next(&eyeballs, now, &address, &until)) == EYEBALLS_TRY) {
                unsigned family = address.family == WEFT_ADDRESS_IPV6, index = address.port - (family ? 601u : 401u);

                assert_true(answered[family] && index < counts[family] && !tried[family][index]);
                tried[family][index] = true;
                assert_true(running == 0 || now >= last + MS(250));
                running++;
                total++;
                last = now;
                assert_true(running <= options.concurrent);
            }
            if (step == EYEBALLS_OVER)
                break;
            assert_true(until > now);
            unsigned family = (unsigned)random_below(&random, 2);
            if (!answered[family]) {
                answered[family] = true;
                answer((long)((now - start) / MS(1)), family ? WEFT_ADDRESS_IPV6 : WEFT_ADDRESS_IPV4, counts[family]);
            } else if (running > 0 && random_chance(&random, 500000)) {
                running--;
                eyeballs_failed(&eyeballs);
            }
            now += MS(random_below(&random, 100));
        }
        assert_int_equal(running, 0);
        assert_int_equal(total, counts[0] + counts[1]);
    }
    support_clear_context();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        support_test(preferred_family_is_tried_at_once),
        support_test(other_family_waits_for_the_preferred_one),
        support_test(negative_answer_ends_the_wait),
        support_test(families_take_turns),
        support_test(several_of_the_first_family_may_lead),
        support_test(ipv4_may_be_preferred),
        support_test(next_one_is_tried_at_once_when_all_have_failed),
        support_test(nothing_is_over_while_an_answer_may_come),
        support_test(attempts_at_once_are_bounded),
        support_test(delay_between_attempts_has_bounds),
        support_test(addresses_beyond_the_bound_are_left_out),
        support_test(rules_hold_for_random_events),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
