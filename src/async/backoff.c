/* SPDX-License-Identifier: MIT */
/*
 * Exponential back-off with full jitter (weft/pace.h): "Exponential Backoff
 * And Jitter", AWS Architecture Blog, 2015. Of its variants full jitter needs
 * the fewest calls in all, and unlike decorrelated jitter its bound is known
 * after any number of tries.
 */
#include <weft/pace.h>

#include <weft/loop.h>

#include "base/random.h"

#define FIRST WEFT_MILLISECONDS(100)
#define MOST WEFT_SECONDS(30)

void weft_backoff_init(weft_backoff *backoff, weft_loop *loop, const weft_backoff_options *options)
{
    static const weft_backoff_options defaults = {.size = sizeof(weft_backoff_options)};

    if (!options)
        options = &defaults;
    *backoff = (weft_backoff){
        .loop = loop,
        .first = options->first > 0 ? options->first : FIRST,
        .most = options->most > 0 ? options->most : MOST,
        .tries = options->tries,
    };
    if (backoff->first > backoff->most)
        backoff->first = backoff->most;
    weft_backoff_reset(backoff);
}

void weft_backoff_reset(weft_backoff *backoff)
{
    backoff->bound = backoff->first;
    backoff->made = 0;
}

int weft_backoff_next(weft_backoff *backoff, weft_time *ret_delay)
{
    struct random_source random;
    uint64_t seed;
    int status;

    if (backoff->tries > 0 && backoff->made >= backoff->tries)
        return WEFT_ETRIES;
    status = weft_loop_entropy(backoff->loop, &seed, sizeof seed);
    if (status < 0)
        return status;
    random_init(&random, seed);
    *ret_delay = (weft_time)random_between(&random, 0, (uint64_t)backoff->bound);
    backoff->bound = backoff->bound > backoff->most / 2 ? backoff->most : backoff->bound * 2;
    if (backoff->tries > 0)
        backoff->made++;
    return 0;
}

weft_deferred *weft_backoff_wait_at(weft_scope *scope, weft_backoff *backoff, weft_place place)
{
    weft_time delay;
    int status = weft_backoff_next(backoff, &delay);

    if (status < 0)
        return weft_deferred_make_failed(scope, &weft_done_type_, status, NULL, place);
    return weft_later_at(scope, delay, place);
}
