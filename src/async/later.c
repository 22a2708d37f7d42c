/* SPDX-License-Identifier: MIT */
/* A delay that is a deferred (weft_later). */
#include <weft/pace.h>
#include <weft/timer.h>

struct later {
    weft_timer timer;
    weft_deferred *deferred;
};

static void fired(weft_timer *timer)
{
    struct later *later = weft_container_of(timer, struct later, timer);
    static const int none;

    weft_timer_fini(timer);
    (void)weft_deferred_fire(later->deferred, &none);
}

static void cancelled(weft_deferred *deferred, int reason, void *arg)
{
    struct later *later = weft_deferred_room(deferred);

    (void)reason;
    (void)arg;
    weft_timer_fini(&later->timer);
}

weft_deferred *weft_later_at(weft_scope *scope, weft_time delay, weft_place place)
{
    weft_deferred *deferred = weft_deferred_make(scope, &weft_done_type_, sizeof(struct later), cancelled, NULL, place);
    struct later *later;

    if (!deferred || weft_deferred_fired(deferred))
        return deferred;
    later = weft_deferred_room(deferred);
    later->deferred = deferred;
    if (weft_timer_init(&later->timer, scope, fired) == 0) /* never fails: the scope is not cancelled */
        weft_timer_start(&later->timer, delay);
    return deferred;
}
