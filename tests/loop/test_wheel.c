/* SPDX-License-Identifier: MIT */
/*
 * The timing wheel beside a model that is too simple to be wrong: an array of when each entry is due and in which
 * order they were started.
 */
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "loop/wheel.h"
#include "support/support.h"

#define ENTRIES 300
#define STEPS 1500000
#define TICK WHEEL_TICK
#define YEAR (WEFT_HOURS(24) * 365)

struct modelled {
    weft_timer_entry entry;
    bool active;
    uint64_t tick;  /* the one at which it is to come out */
    uint64_t order; /* of its start among all starts */
};

struct model {
    struct wheel wheel;
    struct modelled all[ENTRIES];
    struct random_source random;
    weft_time now;
    uint64_t order;
};

static void not_called(weft_timer_entry *entry)
{
    (void)entry;
    fail_msg("the wheel calls nobody");
}

static void model_init(struct model *model, uint64_t seed, weft_time now)
{
    memset(model, 0, sizeof *model);
    random_init(&model->random, seed);
    model->now = now;
    wheel_init(&model->wheel, now);
    for (size_t i = 0; i < ENTRIES; i++)
        wheel_entry_init(&model->all[i].entry, not_called);
}

static uint64_t tick_now(const struct model *model)
{
    return (uint64_t)(model->now / TICK);
}

/* A time due at @p due comes out at the first tick that is not before it and has not been taken out yet. */
static uint64_t expected_tick(const struct model *model, weft_time due)
{
    uint64_t tick = due <= 0 ? 0 : (uint64_t)(due / TICK) + (due % TICK != 0);

    return tick > tick_now(model) ? tick : tick_now(model) + 1;
}

static void model_start(struct model *model, struct modelled *one, weft_time due)
{
    wheel_start(&model->wheel, &one->entry, due);
    one->active = due != WEFT_NEVER;
    assert_int_equal(wheel_entry_active(&one->entry), one->active);
    if (!one->active)
        return;
    one->tick = expected_tick(model, due);
    one->order = model->order++;
}

static void model_stop(struct model *model, struct modelled *one)
{
    wheel_stop(&model->wheel, &one->entry);
    one->active = false;
    assert_false(wheel_entry_active(&one->entry));
}

static uint64_t first_tick(const struct model *model)
{
    uint64_t first = UINT64_MAX;

    for (size_t i = 0; i < ENTRIES; i++)
        if (model->all[i].active && model->all[i].tick < first)
            first = model->all[i].tick;
    return first;
}

/* wheel_next may name an earlier time than the first that is due, never a later one and never one that has passed. */
static void check_next(struct model *model)
{
    uint64_t first = first_tick(model);
    weft_time next = wheel_next(&model->wheel);

    if (first == UINT64_MAX) {
        assert_true(next == WEFT_NEVER);
        return;
    }
    assert_true(next <= (weft_time)first * TICK);
    assert_true(next > model->now);
}

/* Takes the first of @p due out and compares it with what has to come out, after the entry of @p tick and @p order. */
static void model_fire(struct model *model, weft_link *due, uint64_t *tick, uint64_t *order)
{
    struct modelled *one = weft_container_of(due->next, struct modelled, entry.link);

    weft_link_remove(&one->entry.link);
    assert_true(one->active);
    assert_true(one->tick <= tick_now(model));
    assert_true(one->tick > *tick || (one->tick == *tick && one->order >= *order));
    *tick = one->tick;
    *order = one->order + 1;
    one->active = false;
}

/* Moves on to @p now and compares what comes out, in which order, with what has to. */
static void model_advance(struct model *model, weft_time now)
{
    uint64_t tick = 0, order = 0;
    weft_link due;

    model->now = now;
    weft_link_init(&due);
    wheel_advance(&model->wheel, now, &due);
    while (!weft_link_is_alone(&due))
        model_fire(model, &due, &tick, &order);
    assert_true(first_tick(model) > tick_now(model));
}

/* Times of every size: the next tick, around the borders of the levels, years, beyond 2^32 ticks, the past, never. */
static weft_time random_due(struct model *model)
{
    unsigned bits = (unsigned)random_below(&model->random, 42);
    weft_time ahead = (weft_time)random_below(&model->random, UINT64_C(1) << bits) * TICK;
    weft_time block = TICK << (8 * (1 + random_below(&model->random, 4)));

    switch (random_below(&model->random, 16)) {
    case 0:
        return model->now - (weft_time)random_below(&model->random, WEFT_SECONDS(2));
    case 1:
        return random_chance(&model->random, 100000) ? WEFT_NEVER : 0;
    case 2: /* just before, at and just after a border of a level */
        return (model->now / block + 1) * block + TICK * ((weft_time)random_below(&model->random, 5) - 2);
    case 3:
        return model->now + block + TICK * ((weft_time)random_below(&model->random, 5) - 2);
    case 4: /* many that are due at the same tick */
        return (model->now / WEFT_SECONDS(1) + 1) * WEFT_SECONDS(1);
    case 5:
        return WEFT_NEVER - 1 - (weft_time)random_below(&model->random, UINT64_C(1) << 62);
    default:
        return model->now + ahead + (weft_time)random_below(&model->random, TICK);
    }
}

static weft_time random_now(struct model *model)
{
    weft_time next = wheel_next(&model->wheel);

    switch (random_below(&model->random, 8)) {
    case 0:
        return model->now; /* no time passes */
    case 1:
    case 2: /* what the loop does: sleeps until then, give or take */
        if (next < model->now + 100 * YEAR)
            return next + (weft_time)random_below(&model->random, 3) * TICK / 2;
        return model->now + TICK;
    case 3:
        return model->now + (weft_time)random_below(&model->random, UINT64_C(1) << random_below(&model->random, 50));
    default:
        return model->now + (weft_time)random_below(&model->random, 300) * TICK;
    }
}

/* What callbacks do to entries that are due, in this tick or in one that has not been taken out yet, and to others. */
static void model_disturb(struct model *model)
{
    struct modelled *one = &model->all[random_below(&model->random, ENTRIES)];

    if (random_chance(&model->random, 300000))
        model_stop(model, one);
    else if (random_chance(&model->random, 300000))
        model_start(model, one, random_due(model));
}

/* The same as model_advance, tick by tick, with entries that are stopped and started in between. */
static void model_take(struct model *model, weft_time now)
{
    uint64_t tick = 0, order = 0;
    weft_link due;

    model->now = now;
    weft_link_init(&due);
    wheel_arrive(&model->wheel, now);
    for (;;) {
        uint64_t first = first_tick(model);

        assert_int_equal(wheel_take(&model->wheel, &due), first <= tick_now(model));
        if (weft_link_is_alone(&due))
            break;
        while (!weft_link_is_alone(&due)) {
            model_fire(model, &due, &tick, &order);
            assert_true(tick == first);
            model_disturb(model);
        }
    }
    assert_true(first_tick(model) > tick_now(model));
}

static void model_step(struct model *model)
{
    struct modelled *one = &model->all[random_below(&model->random, ENTRIES)];

    switch (random_below(&model->random, 16)) {
    case 0:
    case 1:
        model_stop(model, one);
        break;
    case 2:
        check_next(model);
        model_advance(model, random_now(model));
        check_next(model);
        break;
    case 3:
        check_next(model);
        model_take(model, random_now(model));
        check_next(model);
        break;
    default:
        model_start(model, one, random_due(model));
    }
}

static void drain(struct model *model)
{
    for (size_t i = 0; i < ENTRIES; i++)
        model_stop(model, &model->all[i]);
    assert_true(wheel_next(&model->wheel) == WEFT_NEVER);
}

static void compare(uint64_t seed, weft_time from, size_t steps)
{
    struct model *model = malloc(sizeof *model);

    assert_non_null(model);
    model_init(model, seed, from);
    for (size_t i = 0; i < steps && model->now < WEFT_NEVER / 2; i++) {
        support_set_context("seed %llu, step %zu", (unsigned long long)seed, i);
        model_step(model);
    }
    support_clear_context();
    drain(model);
    free(model);
}

static void any_order_of_operations_agrees_with_the_model(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 2; seed++)
        compare(seed, WEFT_SECONDS(1), STEPS);
}

/* Starting just before the borders at which several levels, and the far list, are emptied at once. */
static void borders_of_the_levels_agree_with_the_model(void **state)
{
    (void)state;
    for (unsigned bits = 8; bits <= 40; bits += 8)
        for (uint64_t seed = 0; seed < 100; seed++)
            compare(1000 * bits + seed, (TICK << bits) - TICK * (weft_time)(seed % 20), 2000);
}

/* One entry at each distance, alone in its wheel, for every position in the lowest level. */
static void single_entry_comes_out_at_its_tick(void **state)
{
    static const uint64_t distances[] = {1,     2,     254,   255,   256,     257,     511,        512,
                                         65279, 65280, 65535, 65536, 1 << 24, 1 << 30, 4294967295, 4294967296};

    (void)state;
    for (uint64_t from = 65000; from < 66100; from++) {
        for (size_t i = 0; i < sizeof distances / sizeof *distances; i++) {
            weft_time now = (weft_time)from * TICK, due = now + (weft_time)distances[i] * TICK;
            struct wheel wheel;
            weft_timer_entry entry;
            weft_link out;

            wheel_init(&wheel, now);
            weft_link_init(&out);
            wheel_entry_init(&entry, not_called);
            wheel_start(&wheel, &entry, due);
            support_set_context("from tick %llu, %llu ahead", (unsigned long long)from,
                                (unsigned long long)distances[i]);
            wheel_advance(&wheel, due - 1, &out);
            assert_true(weft_link_is_alone(&out));
            wheel_advance(&wheel, due, &out);
            assert_ptr_equal(out.next, &entry.link);
        }
    }
    support_clear_context();
}

static void following_wheel_next_takes_few_steps(void **state)
{
    static const weft_time due[] = {WEFT_SECONDS(60), WEFT_HOURS(1), YEAR, 250 * YEAR};
    struct wheel wheel;
    weft_timer_entry entry;

    (void)state;
    for (size_t i = 0; i < sizeof due / sizeof *due; i++) {
        weft_link out;
        unsigned steps = 0;

        wheel_init(&wheel, WEFT_SECONDS(1));
        weft_link_init(&out);
        wheel_entry_init(&entry, not_called);
        wheel_start(&wheel, &entry, due[i]);
        while (weft_link_is_alone(&out)) {
            wheel_advance(&wheel, wheel_next(&wheel), &out);
            assert_true(++steps < 2000); /* beyond 2^32 ticks there is one step every 50 days */
        }
        assert_true(i > 1 || steps <= 4);
        assert_true(wheel.tick == (uint64_t)(due[i] / TICK));
        assert_true(wheel_next(&wheel) == WEFT_NEVER);
    }
}

static void stopped_entries_wake_nobody(void **state)
{
    struct wheel wheel;
    weft_timer_entry entry;

    (void)state;
    wheel_init(&wheel, 0);
    wheel_entry_init(&entry, not_called);
    for (weft_time ahead = TICK; ahead < YEAR; ahead += ahead / 3 + TICK)
        wheel_start(&wheel, &entry, ahead);
    wheel_stop(&wheel, &entry);
    assert_true(wheel_next(&wheel) == WEFT_NEVER);
}

static void clock_that_stands_still_or_goes_back_takes_nothing_out(void **state)
{
    struct wheel wheel;
    weft_timer_entry entry;
    weft_link out;

    (void)state;
    wheel_init(&wheel, WEFT_SECONDS(10));
    weft_link_init(&out);
    wheel_entry_init(&entry, not_called);
    wheel_start(&wheel, &entry, 0);
    wheel_advance(&wheel, WEFT_SECONDS(10), &out);
    wheel_advance(&wheel, WEFT_SECONDS(9), &out);
    assert_true(weft_link_is_alone(&out));
    wheel_advance(&wheel, WEFT_SECONDS(10) + TICK, &out);
    assert_false(weft_link_is_alone(&out));
}

/* What was taken out and has not been fired yet can be stopped and started again, to before or after. */
static void entry_that_was_taken_out_can_be_started_again(void **state)
{
    struct wheel wheel;
    weft_timer_entry entries[3];
    weft_link out;

    (void)state;
    wheel_init(&wheel, 0);
    weft_link_init(&out);
    for (int i = 0; i < 3; i++) {
        wheel_entry_init(&entries[i], not_called);
        wheel_start(&wheel, &entries[i], TICK);
    }
    wheel_advance(&wheel, TICK, &out);
    wheel_start(&wheel, &entries[0], 3 * TICK);
    wheel_start(&wheel, &entries[1], 0);
    wheel_stop(&wheel, &entries[2]);
    assert_true(weft_link_is_alone(&out));
    wheel_advance(&wheel, 2 * TICK, &out);
    assert_ptr_equal(out.next, &entries[1].link);
    assert_ptr_equal(out.prev, &entries[1].link);
    wheel_advance(&wheel, 3 * TICK, &out);
    assert_ptr_equal(out.prev, &entries[0].link);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        support_test(single_entry_comes_out_at_its_tick),
        support_test(any_order_of_operations_agrees_with_the_model),
        support_test(borders_of_the_levels_agree_with_the_model),
        support_test(following_wheel_next_takes_few_steps),
        support_test(stopped_entries_wake_nobody),
        support_test(clock_that_stands_still_or_goes_back_takes_nothing_out),
        support_test(entry_that_was_taken_out_can_be_started_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
