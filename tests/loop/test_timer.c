/* SPDX-License-Identifier: MIT */
#include <weft/timer.h>

#include <stdlib.h>

#include "base/random.h"
#include "loop/loop_test.h"

#define MS WEFT_MILLISECONDS(1)

struct fixture {
    weft_timer timer;
    weft_loop *loop;
    weft_time started, delay, fired_at;
    unsigned fired;
    struct fixture *other;
};

static struct fixture *fixture_of(weft_timer *timer)
{
    return weft_container_of(timer, struct fixture, timer);
}

static void note(weft_timer *timer)
{
    struct fixture *one = fixture_of(timer);

    assert_false(weft_timer_active(timer));
    one->fired++;
    one->fired_at = weft_loop_now(one->loop);
}

static void fixture_init(struct fixture *one, weft_loop *loop, void (*fired)(weft_timer *timer))
{
    *one = (struct fixture){.loop = loop};
    assert_int_equal(weft_timer_init(&one->timer, weft_loop_scope(loop), fired), 0);
}

static void fixture_start(struct fixture *one, weft_time delay)
{
    one->started = weft_loop_now(one->loop);
    one->delay = delay;
    weft_timer_start(&one->timer, delay);
}

static void timer_fires_once_at_its_time_rounded_up(void **state)
{
    static const weft_time delays[] = {1,
                                       MS - 1,
                                       MS,
                                       MS + 1,
                                       255 * MS,
                                       256 * MS,
                                       12345678,
                                       65536 * MS,
                                       WEFT_HOURS(1),
                                       WEFT_HOURS(24 * 365) + 1,
                                       WEFT_HOURS(24 * 365 * 100)};
    weft_loop *loop = loop_on_sim();
    struct fixture one;

    (void)state;
    fixture_init(&one, loop, note);
    for (size_t i = 0; i < sizeof delays / sizeof *delays; i++) {
        one.fired = 0;
        fixture_start(&one, delays[i]);
        assert_true(weft_timer_active(&one.timer));
        run(loop);
        assert_int_equal(one.fired, 1);
        assert_true(one.fired_at == (one.started + delays[i] + MS - 1) / MS * MS);
    }
    weft_loop_free(loop);
}

static void no_timer_fires_early_and_all_fire(void **state)
{
    enum { COUNT = 2000 };
    struct fixture *all = calloc(COUNT, sizeof *all);
    weft_loop *loop = loop_on_sim();
    struct random_source random;

    (void)state;
    assert_non_null(all);
    random_init(&random, 7);
    for (size_t i = 0; i < COUNT; i++) {
        fixture_init(&all[i], loop, note);
        fixture_start(&all[i], (weft_time)random_below(&random, UINT64_C(1) << random_below(&random, 58)));
    }
    run(loop);
    for (size_t i = 0; i < COUNT; i++) {
        weft_time due = all[i].started + all[i].delay;
        assert_int_equal(all[i].fired, 1);
        assert_true(all[i].fired_at >= due);
        assert_true(all[i].fired_at <= due + MS);
    }
    weft_loop_free(loop);
    free(all);
}

static char order[64];

static void note_order(weft_timer *timer)
{
    size_t length = strlen(order);

    order[length] = (char)('a' + fixture_of(timer)->delay);
    order[length + 1] = '\0';
}

/* The delay serves as the timer's letter; the times of the starts differ by less than a tick. */
static void timers_of_one_millisecond_fire_in_the_order_of_their_starts(void **state)
{
    weft_loop *loop = loop_on_sim();
    struct fixture all[5];

    (void)state;
    order[0] = '\0';
    for (int i = 0; i < 5; i++) {
        fixture_init(&all[i], loop, note_order);
        all[i].delay = i;
        weft_timer_start(&all[i].timer, 300 * MS - i); /* later in the same millisecond first */
    }
    weft_timer_start(&all[1].timer, 300 * MS - 9); /* started anew: the last */
    weft_timer_start(&all[3].timer, 1 * MS);
    weft_timer_start(&all[3].timer, 300 * MS); /* and this after it */
    run(loop);
    assert_string_equal(order, "acebd");
    weft_loop_free(loop);
}

static void start_other_for_its_time(weft_timer *timer)
{
    struct fixture *other = fixture_of(timer)->other;

    weft_timer_start(&other->timer, other->started - weft_loop_now(other->loop));
}

/* Far away in one level of the wheel when the first is started, and near, in another, when the second is. */
static void start_far_ahead_comes_before_a_later_start_for_the_same_time(void **state)
{
    weft_loop *loop = loop_on_sim();
    struct fixture first, second, between;

    (void)state;
    for (weft_time ahead = 1; ahead < 600; ahead++) {
        order[0] = '\0';
        fixture_init(&first, loop, note_order);
        fixture_init(&second, loop, note_order);
        fixture_init(&between, loop, start_other_for_its_time);
        second.delay = 1;
        second.started = weft_loop_now(loop) + WEFT_SECONDS(70);
        between.other = &second;
        weft_timer_start(&first.timer, WEFT_SECONDS(70));
        weft_timer_start(&between.timer, WEFT_SECONDS(70) - ahead * MS);
        run(loop);
        assert_string_equal(order, "ab");
        weft_timer_fini(&first.timer);
        weft_timer_fini(&second.timer);
        weft_timer_fini(&between.timer);
    }
    weft_loop_free(loop);
}

static void stopped_timer_does_not_fire(void **state)
{
    weft_loop *loop = loop_on_sim();
    struct fixture one;

    (void)state;
    fixture_init(&one, loop, note);
    fixture_start(&one, 5 * MS);
    weft_timer_stop(&one.timer);
    weft_timer_stop(&one.timer);
    assert_false(weft_timer_active(&one.timer));
    run(loop);
    assert_int_equal(one.fired, 0);
    weft_loop_free(loop);
}

static void stop_other(weft_timer *timer)
{
    fixture_of(timer)->fired++;
    weft_timer_stop(&fixture_of(timer)->other->timer);
}

static void timer_stopped_by_one_of_the_same_time_does_not_fire(void **state)
{
    weft_loop *loop = loop_on_sim();
    struct fixture first, second;

    (void)state;
    fixture_init(&first, loop, stop_other);
    fixture_init(&second, loop, stop_other);
    first.other = &second;
    second.other = &first;
    fixture_start(&first, 5 * MS);
    fixture_start(&second, 5 * MS);
    run(loop);
    assert_int_equal(first.fired, 1);
    assert_int_equal(second.fired, 0);
    weft_loop_free(loop);
}

static void free_itself(weft_timer *timer)
{
    weft_timer_fini(timer);
    weft_timer_fini(timer);
    free(fixture_of(timer));
}

static void timer_may_free_itself_in_its_callback(void **state)
{
    weft_loop *loop = loop_on_sim();

    (void)state;
    for (int i = 0; i < 10; i++) {
        struct fixture *one = malloc(sizeof *one);
        assert_non_null(one);
        fixture_init(one, loop, free_itself);
        fixture_start(one, MS * (i % 2));
    }
    run(loop);
    assert_int_equal(weft_scope_count(weft_loop_scope(loop)), 0);
    weft_loop_free(loop);
}

static void start_and_stop(weft_timer *timer)
{
    struct fixture *one = fixture_of(timer);

    one->fired++;
    weft_timer_start(timer, 0);
    if (one->fired == 3)
        weft_timer_stop(timer);
}

static void timer_may_start_and_stop_itself_in_its_callback(void **state)
{
    weft_loop *loop = loop_on_sim();
    struct fixture one;

    (void)state;
    fixture_init(&one, loop, start_and_stop);
    fixture_start(&one, 0);
    run(loop);
    assert_int_equal(one.fired, 3);
    weft_loop_free(loop);
}

static void never_starts_nothing_and_stops_what_is_started(void **state)
{
    weft_loop *loop = loop_on_sim();
    struct fixture one;

    (void)state;
    fixture_init(&one, loop, note);
    weft_timer_start(&one.timer, WEFT_NEVER);
    assert_false(weft_timer_active(&one.timer));
    run(loop);
    weft_timer_start(&one.timer, MS);
    weft_timer_start(&one.timer, WEFT_NEVER);
    assert_false(weft_timer_active(&one.timer));
    run(loop);                                    /* returns: nothing is waited for */
    weft_timer_start(&one.timer, WEFT_NEVER - 1); /* so far that the sum would overflow: also never */
    assert_false(weft_timer_active(&one.timer));
    run(loop);
    assert_int_equal(one.fired, 0);
    weft_loop_free(loop);
}

/* However far in the past it is due: within a millisecond, in another turn. */
static void time_in_the_past_is_the_next_millisecond(void **state)
{
    static const weft_time delays[] = {0, -1, -WEFT_HOURS(1), INT64_MIN};
    weft_loop *loop = loop_on_sim();
    struct fixture one;

    (void)state;
    fixture_init(&one, loop, note);
    for (size_t i = 0; i < sizeof delays / sizeof *delays; i++) {
        one.fired = 0;
        fixture_start(&one, delays[i]);
        run(loop);
        assert_int_equal(one.fired, 1);
        assert_true(one.fired_at > one.started && one.fired_at <= one.started + MS);
    }
    weft_loop_free(loop);
}

static void timer_needs_a_scope_that_is_not_cancelled(void **state)
{
    weft_loop *loop = loop_on_sim();
    weft_scope *scope = weft_scope_open(weft_loop_scope(loop), WEFT_NEVER);
    weft_timer timer;

    (void)state;
    assert_int_equal(weft_timer_init(&timer, NULL, note), WEFT_ENOMEM);
    weft_timer_start(&timer, 0);
    assert_false(weft_timer_active(&timer));
    weft_timer_fini(&timer);
    weft_scope_cancel(scope, WEFT_ETIMEDOUT);
    assert_int_equal(weft_timer_init(&timer, scope, note), WEFT_ETIMEDOUT);
    weft_timer_start(&timer, 0);
    assert_false(weft_timer_active(&timer));
    weft_timer_stop(&timer);
    weft_timer_fini(&timer);
    weft_scope_close(scope);
    run(loop);
    weft_loop_free(loop);
}

static void closing_the_scope_stops_the_timer_for_good(void **state)
{
    weft_loop *loop = loop_on_sim();
    weft_scope *scope = weft_scope_open(weft_loop_scope(loop), WEFT_NEVER);
    struct fixture one = {.loop = loop};

    (void)state;
    assert_int_equal(weft_timer_init(&one.timer, scope, note), 0);
    weft_timer_start(&one.timer, MS);
    weft_scope_close(scope);
    assert_false(weft_timer_active(&one.timer));
    weft_timer_start(&one.timer, MS); /* it is in no scope: nothing happens */
    assert_false(weft_timer_active(&one.timer));
    run(loop);
    assert_int_equal(one.fired, 0);
    weft_timer_fini(&one.timer);
    weft_loop_free(loop);
}

/* -- the background -- */

static void background_timers_are_not_waited_for(void **state)
{
    weft_loop *loop = loop_on_sim();
    struct fixture one;

    (void)state;
    fixture_init(&one, loop, note);
    weft_timer_set_background(&one.timer, true);
    fixture_start(&one, MS);
    assert_true(weft_timer_active(&one.timer));
    run(loop);
    assert_int_equal(one.fired, 0);
    assert_true(weft_timer_active(&one.timer));
    assert_true(weft_loop_prepare(loop) == MS); /* a host is told of it all the same */
    assert_int_equal(weft_loop_step(loop), 0);
    weft_loop_free(loop);
    assert_int_equal(one.fired, 0);
}

static void note_and_restart(weft_timer *timer)
{
    struct fixture *one = fixture_of(timer);

    note(timer);
    fixture_start(one, one->delay);
}

static void background_timers_fire_while_another_is_waited_for(void **state)
{
    weft_loop *loop = loop_on_sim();
    struct fixture behind, once, ahead;

    (void)state;
    fixture_init(&behind, loop, note_and_restart);
    fixture_init(&once, loop, note);
    fixture_init(&ahead, loop, note);
    weft_timer_set_background(&behind.timer, true);
    weft_timer_set_background(&once.timer, true);
    fixture_start(&behind, 10 * MS);
    fixture_start(&once, 35 * MS + 1);
    fixture_start(&ahead, 95 * MS);
    run(loop);
    assert_int_equal(ahead.fired, 1);
    assert_int_equal(behind.fired, 9);
    assert_int_equal(once.fired, 1);
    assert_true(once.fired_at == once.started + 36 * MS);
    assert_true(weft_loop_now(loop) == ahead.started + 95 * MS);
    weft_loop_free(loop);
}

static void a_stopped_timer_may_change_sides(void **state)
{
    weft_loop *loop = loop_on_sim();
    struct fixture one;

    (void)state;
    fixture_init(&one, loop, note);
    weft_timer_set_background(&one.timer, true);
    fixture_start(&one, MS);
    fixture_start(&one, 2 * MS); /* starting anew and stopping leave it where it is */
    run(loop);
    weft_timer_stop(&one.timer);
    fixture_start(&one, MS);
    run(loop);
    assert_int_equal(one.fired, 0);
    weft_timer_stop(&one.timer);
    weft_timer_set_background(&one.timer, false);
    fixture_start(&one, MS);
    run(loop);
    assert_int_equal(one.fired, 1);
    weft_timer_set_background(&one.timer, true);
    weft_timer_set_background(&one.timer, true);
    fixture_start(&one, MS);
    run(loop);
    assert_int_equal(one.fired, 1);
    weft_timer_fini(&one.timer);
    weft_loop_free(loop);
}

/* However timers of both kinds are started, stopped and fire: a turn says whether one of the foreground is started. */
static void what_is_waited_for_is_counted_right(void **state)
{
    enum { COUNT = 20 };
    weft_loop *loop = loop_on_sim();
    struct fixture all[COUNT];
    bool background[COUNT] = {false};
    struct random_source random;

    (void)state;
    random_init(&random, 3);
    for (size_t i = 0; i < COUNT; i++)
        fixture_init(&all[i], loop, note);
    for (int step = 0; step < 20000; step++) {
        size_t i = (size_t)random_below(&random, COUNT);
        int waits = 0;

        switch (random_below(&random, 4)) {
        case 0:
            fixture_start(&all[i],
                          random_chance(&random, 100000) ? WEFT_NEVER : (weft_time)random_below(&random, 2) * MS);
            break;
        case 1:
            weft_timer_stop(&all[i].timer);
            break;
        case 2:
            background[i] = random_below(&random, 2);
            weft_timer_stop(&all[i].timer);
            weft_timer_set_background(&all[i].timer, background[i]);
            break;
        default:
            break;
        }
        for (size_t j = 0; j < COUNT; j++)
            waits |= weft_timer_active(&all[j].timer) && !background[j];
        assert_int_equal(weft_loop_step(loop), waits);
        if (random_below(&random, 50) == 0) {
            run(loop);
            for (size_t j = 0; j < COUNT; j++)
                assert_false(weft_timer_active(&all[j].timer) && !background[j]);
        }
    }
    weft_loop_free(loop);
}

/* -- EL-10 -- */

#define MILLION 1000000
#define AT_MOST_PER_TURN 4096

struct crowd {
    weft_loop *loop;
    weft_timer *timers;
    weft_post post; /* stands for I/O: it is run once in every turn */
    size_t fired, fired_this_turn, most_in_a_turn, turns, target;
};

static struct crowd crowd;

static void every_turn(weft_post *post)
{
    if (crowd.fired_this_turn > crowd.most_in_a_turn)
        crowd.most_in_a_turn = crowd.fired_this_turn;
    crowd.fired_this_turn = 0;
    crowd.turns += crowd.fired > 0;
    if (crowd.fired < crowd.target)
        weft_loop_post(crowd.loop, post);
}

static void count_fired(weft_timer *timer)
{
    (void)timer;
    crowd.fired++;
    crowd.fired_this_turn++;
}

/* Fires, and is due in the past again, until the target is reached. */
static void again_in_the_past(weft_timer *timer)
{
    count_fired(timer);
    if (crowd.fired + MILLION <= crowd.target)
        weft_timer_start(timer, -WEFT_HOURS(1));
    else
        weft_timer_stop(timer);
}

/* Stops itself, which does nothing, and one that has not fired yet. */
static void stop_a_neighbour(weft_timer *timer)
{
    size_t self = (size_t)(timer - crowd.timers);

    count_fired(timer);
    weft_timer_stop(timer);
    if (self + 1 < MILLION)
        weft_timer_stop(&crowd.timers[self + 1]);
}

/* On the real clock, since virtual time stands still while there is something to run in every turn. */
static void run_crowd(void (*fired)(weft_timer *timer), size_t target)
{
    crowd = (struct crowd){.loop = loop_on(support_engine()), .target = target, .post = {.run = every_turn}};
    crowd.timers = calloc(MILLION, sizeof *crowd.timers);
    assert_non_null(crowd.timers);
    for (size_t i = 0; i < MILLION; i++) {
        assert_int_equal(weft_timer_init(&crowd.timers[i], weft_loop_scope(crowd.loop), fired), 0);
        weft_timer_start(&crowd.timers[i], 0);
    }
    weft_loop_post(crowd.loop, &crowd.post);
    run(crowd.loop);
    assert_int_equal(crowd.fired, target);
    assert_true(crowd.most_in_a_turn <= AT_MOST_PER_TURN);
    assert_true(crowd.turns >= target / AT_MOST_PER_TURN);
    weft_loop_free(crowd.loop);
    free(crowd.timers);
}

static void el_10_million_timers_due_at_once_do_not_starve_io(void **state)
{
    (void)state;
    run_crowd(count_fired, MILLION);
}

static void el_10_rescheduling_to_the_past_does_not_starve_io(void **state)
{
    (void)state;
    run_crowd(again_in_the_past, 3 * MILLION);
}

static void el_10_a_million_that_stop_each_other(void **state)
{
    (void)state;
    run_crowd(stop_a_neighbour, MILLION / 2);
}

/* -- beside a model -- */

enum { SWARM = 120, SWARM_FIRES = 30000 };

struct swarm;

/* In memory of its own, which is given back with the timer. */
struct one_of_many {
    weft_timer timer;
    struct swarm *swarm;
    uint64_t tick, order; /* the millisecond in which it is to fire, and which start of all this was */
    bool active;
};

struct swarm {
    weft_loop *loop;
    struct random_source random;
    struct one_of_many *all[SWARM];
    uint64_t order;
    size_t fires;
};

static void swarm_fired(weft_timer *timer);

static void swarm_replace(struct swarm *swarm, size_t i)
{
    struct one_of_many *one = calloc(1, sizeof *one);

    assert_non_null(one);
    assert_int_equal(weft_timer_init(&one->timer, weft_loop_scope(swarm->loop), swarm_fired), 0);
    one->swarm = swarm;
    if (swarm->all[i])
        weft_timer_fini(&swarm->all[i]->timer);
    free(swarm->all[i]);
    swarm->all[i] = one;
}

/* Many fall into the same millisecond. */
static weft_time swarm_delay(struct swarm *swarm)
{
    weft_time now = weft_loop_now(swarm->loop);

    switch (random_below(&swarm->random, 4)) {
    case 0:
        return (weft_time)random_below(&swarm->random, 3 * MS) - MS;
    case 1:
        return (now / (64 * MS) + 1) * 64 * MS - now;
    case 2:
        return (now / (256 * MS) + 2) * 256 * MS - now - (weft_time)random_below(&swarm->random, 1000);
    default:
        return (weft_time)random_below(&swarm->random, UINT64_C(1) << random_below(&swarm->random, 38));
    }
}

static void swarm_start(struct swarm *swarm, struct one_of_many *one)
{
    weft_time now = weft_loop_now(swarm->loop), delay = swarm_delay(swarm), due = now + (delay > 0 ? delay : 0);
    uint64_t present = (uint64_t)(now / MS), tick = (uint64_t)((due + MS - 1) / MS);

    weft_timer_start(&one->timer, delay);
    one->active = true;
    one->tick = tick > present ? tick : present + 1;
    one->order = swarm->order++;
}

static void swarm_act(struct swarm *swarm)
{
    size_t i = (size_t)random_below(&swarm->random, SWARM);
    struct one_of_many *one = swarm->all[i];

    assert_int_equal(weft_timer_active(&one->timer), one->active);
    switch (random_below(&swarm->random, 8)) {
    case 0:
        weft_timer_stop(&one->timer);
        one->active = false;
        break;
    case 1:
        swarm_replace(swarm, i);
        break;
    default:
        swarm_start(swarm, one);
    }
}

static struct one_of_many *swarm_first(const struct swarm *swarm)
{
    struct one_of_many *first = NULL;

    for (size_t i = 0; i < SWARM; i++) {
        struct one_of_many *one = swarm->all[i];

        if (one->active &&
            (!first || one->tick < first->tick || (one->tick == first->tick && one->order < first->order)))
            first = one;
    }
    return first;
}

static void swarm_fired(weft_timer *timer)
{
    struct one_of_many *one = weft_container_of(timer, struct one_of_many, timer);
    struct swarm *swarm = one->swarm;

    assert_ptr_equal(one, swarm_first(swarm));
    assert_true((uint64_t)(weft_loop_now(swarm->loop) / MS) == one->tick);
    assert_false(weft_timer_active(timer));
    one->active = false;
    if (++swarm->fires == SWARM_FIRES)
        weft_loop_stop(swarm->loop);
    for (uint64_t count = random_below(&swarm->random, 4); count > 0; count--)
        swarm_act(swarm); /* may end this one */
    for (size_t i = 0; !swarm_first(swarm); i++)
        swarm_start(swarm, swarm->all[i]);
}

static void timers_that_start_stop_and_end_each_other_agree_with_a_model(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 4; seed++) {
        struct swarm swarm = {.loop = loop_on_sim()};

        support_set_context("seed %llu", (unsigned long long)seed);
        random_init(&swarm.random, seed);
        for (size_t i = 0; i < SWARM; i++) {
            swarm_replace(&swarm, i);
            swarm_start(&swarm, swarm.all[i]);
        }
        run(swarm.loop);
        assert_int_equal(swarm.fires >= SWARM_FIRES, true);
        weft_loop_free(swarm.loop);
        for (size_t i = 0; i < SWARM; i++)
            free(swarm.all[i]);
    }
    support_clear_context();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        support_test(timer_fires_once_at_its_time_rounded_up),
        support_test(no_timer_fires_early_and_all_fire),
        support_test(timers_of_one_millisecond_fire_in_the_order_of_their_starts),
        support_test(start_far_ahead_comes_before_a_later_start_for_the_same_time),
        support_test(stopped_timer_does_not_fire),
        support_test(timer_stopped_by_one_of_the_same_time_does_not_fire),
        support_test(timer_may_free_itself_in_its_callback),
        support_test(timer_may_start_and_stop_itself_in_its_callback),
        support_test(never_starts_nothing_and_stops_what_is_started),
        support_test(time_in_the_past_is_the_next_millisecond),
        support_test(timer_needs_a_scope_that_is_not_cancelled),
        support_test(closing_the_scope_stops_the_timer_for_good),
        support_test(background_timers_are_not_waited_for),
        support_test(background_timers_fire_while_another_is_waited_for),
        support_test(a_stopped_timer_may_change_sides),
        support_test(what_is_waited_for_is_counted_right),
        support_test(el_10_million_timers_due_at_once_do_not_starve_io),
        support_test(el_10_rescheduling_to_the_past_does_not_starve_io),
        support_test(el_10_a_million_that_stop_each_other),
        support_test(timers_that_start_stop_and_end_each_other_agree_with_a_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
