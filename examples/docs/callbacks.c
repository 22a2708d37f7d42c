/* SPDX-License-Identifier: MIT */
/* A result that comes later, with callbacks. Prints "21 doubled is 42". */
#include <stdio.h>

#include <weft/weft.h>

WEFT_DEFERRED(number, int); /* a deferred for an int: a type of its own */

static void time_is_up(weft_timer *timer);

struct slow {
    weft_timer timer;
    number result;
};

/* The producer: it promises a number and keeps its promise a little later. */
static number ask_slowly(struct slow *slow, weft_scope *scope)
{
    slow->result = weft_deferred_new(number, scope);
    if (weft_timer_init(&slow->timer, scope, time_is_up) == 0)
        weft_timer_start(&slow->timer, WEFT_MILLISECONDS(10));
    return slow->result;
}

static void time_is_up(weft_timer *timer)
{
    struct slow *slow = weft_container_of(timer, struct slow, timer);

    weft_fire(slow->result, 21);
}

/* The consumer: each callback gets what the one before it left. */
static int twice(int error, int *value, void *arg)
{
    (void)arg;
    *value *= 2;
    return error;
}

static int show(int error, int *value, void *arg)
{
    (void)arg;
    printf("21 doubled is %d\n", *value);
    return error;
}

static int complain(int error, int *value, void *arg)
{
    (void)value;
    (void)arg;
    printf("no number: %s\n", weft_error_text(error));
    return 0; /* it was dealt with */
}

int main(void)
{
    struct slow slow;
    weft_loop *loop;
    number answer;
    int status = weft_loop_new(NULL, &loop);

    if (status < 0) {
        fprintf(stderr, "failed: %s\n", weft_error_text(status));
        return 1;
    }
    answer = ask_slowly(&slow, weft_loop_scope(loop));
    if (weft_then(answer, twice, NULL) < 0 || weft_then(answer, show, NULL) < 0 ||
        weft_catch(answer, complain, NULL) < 0)
        status = WEFT_ENOMEM;
    else
        status = weft_loop_run(loop);
    weft_loop_free(loop);
    if (status < 0)
        fprintf(stderr, "failed: %s\n", weft_error_text(status));
    return status < 0;
}
