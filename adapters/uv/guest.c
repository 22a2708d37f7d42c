/* SPDX-License-Identifier: MIT */
/* A uv_loop_t inside a loop. */
#include <weft/adapters/uv.h>

#include "guest.h"

struct weft_uv_guest {
    struct guest guest;
    uv_loop_t *uv;
    bool alive; /* and so the loop goes on */
};

static weft_uv_guest *of(struct guest *guest)
{
    return weft_container_of(guest, weft_uv_guest, guest);
}

/* uv_backend_timeout counts from the time of libuv's last look at the clock, which is the one that we have. */
static void sleeps(struct guest *guest)
{
    weft_uv_guest *self = of(guest);
    bool alive = uv_loop_alive(self->uv) != 0;
    int timeout = alive ? uv_backend_timeout(self->uv) : -1;
    weft_time due = WEFT_MILLISECONDS(uv_now(self->uv) + (uint64_t)timeout);

    if (timeout == 0 || alive != self->alive)
        guest_work(guest); /* which also has weft_loop_run look again whether anything is left */
    weft_timer_start(&guest->due, timeout > 0 ? due - weft_loop_now(guest->loop) : WEFT_NEVER);
    weft_watch_set_background(&guest->readable, !alive);
    self->alive = alive;
}

static void run(struct guest *guest)
{
    uv_run(of(guest)->uv, UV_RUN_NOWAIT);
}

static void destroy(struct guest *guest)
{
    weft_release(of(guest));
}

int weft_uv_guest_new(weft_scope *scope, uv_loop_t *uv, weft_uv_guest **ret_guest)
{
    weft_uv_guest *self = weft_allocate_zeroed(1, sizeof *self);
    int status;

    if (!self)
        return WEFT_ENOMEM;
    self->guest = (struct guest){.sleeps = sleeps, .run = run, .destroy = destroy};
    self->uv = uv;
    self->alive = true;
    status = guest_open(&self->guest, scope, uv_backend_fd(uv));
    if (status == 0)
        *ret_guest = self;
    return status;
}

void weft_uv_guest_free(weft_uv_guest *guest)
{
    if (guest)
        guest_close(&guest->guest);
}
