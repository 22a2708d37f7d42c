/* SPDX-License-Identifier: MIT */
#include <weft/loop.h>

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "loop/loop_internal.h"
#include "loop/loop_test.h"

#define THREADS 4
#define POSTS 50000

/* The loop's backend with its wake-ups counted. */
static struct backend_ops counted;
static const struct backend_ops *real;
static atomic_size_t wakes;

static void counted_wake(struct backend *backend)
{
    atomic_fetch_add(&wakes, 1);
    real->wake(backend);
}

static weft_loop *loop_that_counts_wakes(void)
{
    weft_loop *loop = loop_on(support_engine());

    real = loop->backend->ops;
    counted = *real;
    counted.wake = counted_wake;
    loop->backend->ops = &counted;
    atomic_store(&wakes, 0);
    return loop;
}

static void nothing(weft_timer *timer)
{
    (void)timer;
}

/* -- one thread -- */

static char order[64];

struct letter {
    weft_post post;
    char letter;
    weft_loop *loop;
    struct letter *next;
};

static void write_down(weft_post *post)
{
    struct letter *letter = weft_container_of(post, struct letter, post);
    size_t length = strlen(order);

    order[length] = letter->letter;
    order[length + 1] = '\0';
    if (letter->next)
        weft_loop_post(letter->loop, &letter->next->post);
}

static void posts_run_in_order_and_later(void **state)
{
    weft_loop *loop = loop_on_sim();
    struct letter letters[4];

    (void)state;
    order[0] = '\0';
    for (int i = 0; i < 4; i++) {
        letters[i] = (struct letter){.post.run = write_down, .letter = (char)('a' + i), .loop = loop};
        weft_loop_post(loop, &letters[i].post);
    }
    assert_string_equal(order, "");
    run(loop);
    assert_string_equal(order, "abcd");
    weft_loop_free(loop);
}

static void post_from_a_post_runs_in_the_next_turn(void **state)
{
    weft_loop *loop = loop_on(support_engine());
    struct letter second = {.post.run = write_down, .letter = 'b', .loop = loop};
    struct letter first = {.post.run = write_down, .letter = 'a', .loop = loop, .next = &second};

    (void)state;
    order[0] = '\0';
    weft_loop_post(loop, &first.post);
    assert_int_equal(weft_loop_step(loop), 1);
    assert_string_equal(order, "a");
    assert_int_equal(weft_loop_step(loop), 0);
    assert_string_equal(order, "ab");
    weft_loop_free(loop);
}

static void free_post(weft_post *post)
{
    free(weft_container_of(post, struct letter, post));
}

static void post_may_free_itself_and_is_not_lost_when_the_loop_is_freed(void **state)
{
    weft_loop *loop = loop_on(support_engine());

    (void)state;
    for (int i = 0; i < 3; i++) {
        struct letter *letter = malloc(sizeof *letter);

        assert_non_null(letter);
        letter->post.run = free_post;
        weft_loop_post(loop, &letter->post);
    }
    weft_loop_free(loop);
}

static void many_posts_before_a_turn_wake_the_loop_once(void **state)
{
    weft_loop *loop = loop_that_counts_wakes();
    struct letter letters[30];

    (void)state;
    for (size_t turn = 1; turn <= 3; turn++) {
        order[0] = '\0';
        for (int i = 0; i < 30; i++) {
            letters[i] = (struct letter){.post.run = write_down, .letter = 'x', .loop = loop};
            weft_loop_post(loop, &letters[i].post);
        }
        assert_int_equal(atomic_load(&wakes), turn);
        assert_int_equal(weft_loop_step(loop), 0);
        assert_int_equal(strlen(order), 30);
    }
    weft_loop_free(loop);
}

/*
 * A post that comes while the loop is taking the others is run with them, but its wake-up is seen by the next turn,
 * which finds nothing. If that turn did not note it, no later post would wake the loop.
 */
static void wake_up_that_finds_nothing_is_noted(void **state)
{
    weft_loop *loop = loop_that_counts_wakes();
    struct letter letter = {.post.run = write_down, .letter = 'x', .loop = loop};

    (void)state;
    order[0] = '\0';
    atomic_store(&loop->wake_sent, true);
    real->wake(loop->backend);
    assert_int_equal(weft_loop_step(loop), 0);
    weft_loop_post(loop, &letter.post);
    assert_int_equal(atomic_load(&wakes), 1);
    run(loop);
    weft_loop_free(loop);
}

/* -- several threads -- */

struct numbered {
    weft_post post;
    struct sender *sender;
    unsigned number;
};

struct sender {
    pthread_t thread;
    weft_loop *loop;
    struct numbered *posts;
    weft_timer alive;
    unsigned expected;
};

static void check_number(weft_post *post)
{
    struct numbered *numbered = weft_container_of(post, struct numbered, post);
    struct sender *sender = numbered->sender;

    assert_int_equal(numbered->number, sender->expected);
    if (++sender->expected == POSTS)
        weft_timer_fini(&sender->alive);
}

static void *send_all(void *arg)
{
    struct sender *sender = arg;

    for (unsigned i = 0; i < POSTS; i++) {
        sender->posts[i] = (struct numbered){.post.run = check_number, .sender = sender, .number = i};
        weft_loop_post(sender->loop, &sender->posts[i].post);
    }
    return NULL;
}

static void posts_of_each_thread_arrive_all_and_in_order(void **state)
{
    weft_loop *loop = loop_that_counts_wakes();
    struct sender senders[THREADS];

    (void)state;
    for (int i = 0; i < THREADS; i++) {
        senders[i] = (struct sender){.loop = loop, .posts = calloc(POSTS, sizeof(struct numbered))};
        assert_non_null(senders[i].posts);
        assert_int_equal(weft_timer_init(&senders[i].alive, weft_loop_scope(loop), nothing), 0);
        weft_timer_start(&senders[i].alive, WEFT_HOURS(1));
        assert_int_equal(pthread_create(&senders[i].thread, NULL, send_all, &senders[i]), 0);
    }
    run(loop);
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(senders[i].thread, NULL), 0);
        assert_int_equal(senders[i].expected, POSTS);
        free(senders[i].posts);
    }
    assert_true(atomic_load(&wakes) <= THREADS * POSTS);
    weft_loop_free(loop);
}

/* Each thread posts, and posts again when that has been run: if one wake-up is lost, all stands still. */
#define PINGS 20000

struct pinger {
    weft_post post;
    weft_loop *loop;
    pthread_t thread;
    weft_timer alive;
    atomic_uint run;
};

static void answer(weft_post *post)
{
    struct pinger *pinger = weft_container_of(post, struct pinger, post);

    if (atomic_load(&pinger->run) + 1 == PINGS)
        weft_timer_fini(&pinger->alive);
    atomic_fetch_add(&pinger->run, 1);
}

static void *ping(void *arg)
{
    struct pinger *pinger = arg;

    for (unsigned i = 0; i < PINGS; i++) {
        weft_loop_post(pinger->loop, &pinger->post);
        while (atomic_load(&pinger->run) == i)
            sched_yield();
    }
    return NULL;
}

static void no_wake_up_is_lost(void **state)
{
    weft_loop *loop = loop_on(support_engine());
    struct pinger pingers[THREADS];

    (void)state;
    for (int i = 0; i < THREADS; i++) {
        pingers[i] = (struct pinger){.loop = loop, .post.run = answer};
        assert_int_equal(weft_timer_init(&pingers[i].alive, weft_loop_scope(loop), nothing), 0);
        weft_timer_start(&pingers[i].alive, WEFT_HOURS(1));
        assert_int_equal(pthread_create(&pingers[i].thread, NULL, ping, &pingers[i]), 0);
    }
    run(loop);
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(pingers[i].thread, NULL), 0);
        assert_int_equal(atomic_load(&pingers[i].run), PINGS);
    }
    weft_loop_free(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        support_test(posts_run_in_order_and_later),
        support_test(post_from_a_post_runs_in_the_next_turn),
        support_test(post_may_free_itself_and_is_not_lost_when_the_loop_is_freed),
        support_test(many_posts_before_a_turn_wake_the_loop_once),
        support_test(wake_up_that_finds_nothing_is_noted),
        support_test(posts_of_each_thread_arrive_all_and_in_order),
        support_test(no_wake_up_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
