/* SPDX-License-Identifier: MIT */
/*
 * What all guests have in common. Before the loop sleeps, `sleeps` looks at what the guest waits for, sets `due`, and
 * calls guest_work if it waits for nothing. When its descriptor is ready, when it is due, or when there was work, `run`
 * is called, once in a turn: all three only post. (So it never runs inside of a call of somebody's, and a callback of
 * the guest finds the loop in a turn.)
 */
#ifndef ADAPTERS_GUEST_H
#define ADAPTERS_GUEST_H

#include <weft/loop.h>
#include <weft/memory.h>
#include <weft/prepare.h>
#include <weft/watch.h>

struct guest {
    weft_loop *loop;
    weft_watch readable;
    weft_timer due;
    weft_prepare before;
    weft_post work;
    void (*sleeps)(struct guest *guest);
    void (*run)(struct guest *guest);
    void (*destroy)(struct guest *guest); /* frees the memory */
    unsigned users;                       /* the owner, a post that is queued, a call of `run` */
    bool queued;
};

static inline void guest_unref(struct guest *guest)
{
    if (--guest->users == 0)
        guest->destroy(guest);
}

static inline bool guest_is_open(const struct guest *guest)
{
    return weft_watch_active(&guest->readable);
}

static inline void guest_posted(weft_post *post)
{
    struct guest *guest = weft_container_of(post, struct guest, work);

    guest->queued = false;
    if (guest_is_open(guest))
        guest->run(guest);
    guest_unref(guest);
}

/* Has `run` called in the next turn, or in this one if it has not come to the posts. */
static inline void guest_work(struct guest *guest)
{
    if (guest->queued)
        return;
    guest->queued = true;
    guest->users++;
    guest->work.run = guest_posted;
    weft_loop_post(guest->loop, &guest->work);
}

static inline void guest_is_readable(weft_watch *watch, unsigned what)
{
    (void)what;
    guest_work(weft_container_of(watch, struct guest, readable));
}

static inline void guest_is_due(weft_timer *timer)
{
    guest_work(weft_container_of(timer, struct guest, due));
}

static inline void guest_before(weft_prepare *before)
{
    struct guest *guest = weft_container_of(before, struct guest, before);

    if (!guest->queued && guest_is_open(guest))
        guest->sleeps(guest);
}

/* Nothing of the guest is called from now on but `destroy`. */
static inline void guest_close(struct guest *guest)
{
    weft_watch_stop(&guest->readable);
    weft_timer_fini(&guest->due);
    weft_prepare_stop(&guest->before);
    guest_unref(guest);
}

/* Returns 0, or an error after which nothing is open and `destroy` has been called. */
static inline int guest_open(struct guest *guest, weft_scope *scope, int fd)
{
    int status;

    guest->loop = weft_scope_loop(scope);
    guest->users = 1;
    status = weft_timer_init(&guest->due, scope, guest_is_due);
    if (status == 0) {
        weft_timer_set_background(&guest->due, true);
        status = weft_watch_start(&guest->readable, scope, fd, WEFT_READABLE, guest_is_readable);
    }
    if (status == 0)
        status = weft_prepare_start(&guest->before, scope, guest_before);
    if (status < 0)
        guest_close(guest);
    return status;
}

#endif
