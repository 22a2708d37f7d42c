/* SPDX-License-Identifier: MIT */
/*
 * An sd_event inside a loop. Its timers are in its descriptor, but only sd_event_prepare puts them there; so before each
 * sleep what was prepared for the last one is taken back (a wait that does not wait) and prepared again.
 */
#include <weft/adapters/sd_event.h>

#include <errno.h>

#include "guest.h"

struct weft_sd_guest {
    struct guest guest;
    sd_event *event;
    void (*exited)(int code, void *arg);
    void *arg;
};

static weft_sd_guest *of(struct guest *guest)
{
    return weft_container_of(guest, weft_sd_guest, guest);
}

static void sleeps(struct guest *guest)
{
    sd_event *event = of(guest)->event;
    int status = 0;

    if (sd_event_get_state(event) == SD_EVENT_ARMED)
        status = sd_event_wait(event, 0);
    if (status == 0 && sd_event_get_state(event) == SD_EVENT_INITIAL)
        status = sd_event_prepare(event);
    if (status != 0)
        guest_work(guest);
}

/* It is over, or it failed. */
static void stop(weft_sd_guest *self, int code)
{
    weft_prepare_stop(&self->guest.before);
    weft_watch_stop(&self->guest.readable);
    if (self->exited)
        self->exited(code, self->arg);
}

/* One dispatch, as in sd_event_run. */
static void run(struct guest *guest)
{
    weft_sd_guest *self = of(guest);
    sd_event *event = sd_event_ref(self->event);
    int status = 0, code = 0;

    if (sd_event_get_state(event) == SD_EVENT_INITIAL)
        status = sd_event_prepare(event);
    if (status >= 0 && sd_event_get_state(event) == SD_EVENT_ARMED)
        status = sd_event_wait(event, 0);
    if (status >= 0 && sd_event_get_state(event) == SD_EVENT_PENDING)
        status = sd_event_dispatch(event);
    if (sd_event_get_state(event) == SD_EVENT_FINISHED)
        status = sd_event_get_exit_code(event, &code) < 0 ? -EIO : -ESTALE;
    if (status < 0 && guest_is_open(guest))
        stop(self, status == -ESTALE ? code : status);
    sd_event_unref(event);
}

static void destroy(struct guest *guest)
{
    sd_event_unref(of(guest)->event);
    weft_release(of(guest));
}

int weft_sd_guest_new(weft_scope *scope, sd_event *event, void (*exited)(int code, void *arg), void *arg,
                      weft_sd_guest **ret_guest)
{
    weft_sd_guest *self = weft_allocate_zeroed(1, sizeof *self);
    int status;

    if (!self)
        return WEFT_ENOMEM;
    self->guest = (struct guest){.sleeps = sleeps, .run = run, .destroy = destroy};
    self->event = sd_event_ref(event);
    self->exited = exited;
    self->arg = arg;
    status = guest_open(&self->guest, scope, sd_event_get_fd(event));
    if (status == 0)
        *ret_guest = self;
    return status;
}

void weft_sd_guest_free(weft_sd_guest *guest)
{
    if (guest)
        guest_close(&guest->guest);
}
