/* SPDX-License-Identifier: MIT */
/*
 * A GMainContext inside a loop. Which descriptors it waits for, and for what, is only known before each sleep, and its
 * users close them without a word; so they are in an epoll of the guest's own, which is what the loop watches. What is
 * in it is only there to wake: which of them are ready is asked by poll, as GLib does.
 */
#include <weft/adapters/glib.h>

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "guest.h"

struct weft_glib_guest {
    struct guest guest;
    GMainContext *context;
    GArray *wanted, *watched; /* of GPollFD: what GLib waits for now, and what the epoll has */
    gint priority;            /* of g_main_context_prepare */
    int epoll;
    bool stale;        /* descriptors may have been closed */
    bool always_ready; /* one of them cannot be waited for */
};

static weft_glib_guest *of(struct guest *guest)
{
    return weft_container_of(guest, weft_glib_guest, guest);
}

static GPollFD *at(GArray *descriptors, guint index)
{
    return &g_array_index(descriptors, GPollFD, index);
}

/* What GLib waits for now. @return for how many milliseconds */
static gint query(weft_glib_guest *self)
{
    gint timeout, count;

    for (;;) {
        guint room = self->wanted->len;
        count = g_main_context_query(self->context, self->priority, &timeout, (GPollFD *)(void *)self->wanted->data,
                                     (gint)room);
        g_array_set_size(self->wanted, (guint)count);
        if ((guint)count <= room)
            return timeout;
    }
}

static bool is_watched(const weft_glib_guest *self)
{
    if (self->stale || self->wanted->len != self->watched->len)
        return false;
    for (guint i = 0; i < self->wanted->len; i++)
        if (at(self->wanted, i)->fd != at(self->watched, i)->fd ||
            at(self->wanted, i)->events != at(self->watched, i)->events)
            return false;
    return true;
}

/* The same descriptor may be wanted by several sources. */
static uint32_t events_of(GArray *descriptors, gint fd)
{
    uint32_t events = 0;

    for (guint i = 0; i < descriptors->len; i++)
        if (at(descriptors, i)->fd == fd)
            events |= at(descriptors, i)->events; /* poll's bits are epoll's */
    return events;
}

/* What was closed has left the epoll by itself, and its number may be another's. */
static void watch(weft_glib_guest *self)
{
    struct epoll_event event;

    for (guint i = 0; i < self->watched->len; i++)
        if (events_of(self->wanted, at(self->watched, i)->fd) == 0)
            (void)epoll_ctl(self->epoll, EPOLL_CTL_DEL, at(self->watched, i)->fd, NULL);
    self->always_ready = false;
    for (guint i = 0; i < self->wanted->len; i++) {
        gint fd = at(self->wanted, i)->fd;
        event = (struct epoll_event){.events = events_of(self->wanted, fd)};
        if (epoll_ctl(self->epoll, EPOLL_CTL_MOD, fd, &event) < 0 &&
            epoll_ctl(self->epoll, EPOLL_CTL_ADD, fd, &event) < 0)
            self->always_ready = true;
    }
    g_array_set_size(self->watched, 0);
    if (self->wanted->len > 0)
        g_array_append_vals(self->watched, self->wanted->data, self->wanted->len);
    self->stale = false;
}

static void sleeps(struct guest *guest)
{
    weft_glib_guest *self = of(guest);
    gboolean ready = g_main_context_prepare(self->context, &self->priority);
    gint timeout = query(self);

    if (!is_watched(self))
        watch(self);
    if (ready || timeout == 0 || self->always_ready)
        guest_work(guest);
    /* (From this turn's time on, so it may come early by what the turn took, and then the rest is waited for.) */
    weft_timer_start(&guest->due, timeout > 0 ? WEFT_MILLISECONDS(timeout) : WEFT_NEVER);
}

static void run(struct guest *guest)
{
    weft_glib_guest *self = of(guest);
    GPollFD *descriptors;

    (void)g_main_context_prepare(self->context, &self->priority);
    (void)query(self);
    descriptors = (GPollFD *)(void *)self->wanted->data;
    g_poll(descriptors, self->wanted->len, 0);
    if (g_main_context_check(self->context, self->priority, descriptors, (gint)self->wanted->len)) {
        self->stale = true;
        g_main_context_dispatch(self->context);
    }
}

static void destroy(struct guest *guest)
{
    weft_glib_guest *self = of(guest);

    if (self->epoll >= 0)
        close(self->epoll);
    g_array_unref(self->wanted);
    g_array_unref(self->watched);
    g_main_context_unref(self->context);
    weft_release(self);
}

void weft_glib_guest_touch(weft_glib_guest *guest)
{
    guest->stale = true;
}

int weft_glib_guest_new(weft_scope *scope, GMainContext *context, weft_glib_guest **ret_guest)
{
    weft_glib_guest *self;
    int status;

    if (!context)
        context = g_main_context_default();
    if (!g_main_context_acquire(context))
        return -EBUSY;
    self = weft_allocate_zeroed(1, sizeof *self);
    if (!self) {
        g_main_context_release(context);
        return WEFT_ENOMEM;
    }
    self->guest = (struct guest){.sleeps = sleeps, .run = run, .destroy = destroy};
    self->context = g_main_context_ref(context);
    self->wanted = g_array_new(FALSE, FALSE, sizeof(GPollFD));
    self->watched = g_array_new(FALSE, FALSE, sizeof(GPollFD));
    self->epoll = epoll_create1(EPOLL_CLOEXEC);
    status = self->epoll < 0 ? -errno : 0;
    if (status < 0)
        destroy(&self->guest);
    else
        status = guest_open(&self->guest, scope, self->epoll);
    if (status < 0)
        g_main_context_release(context);
    else
        *ret_guest = self;
    return status;
}

void weft_glib_guest_free(weft_glib_guest *guest)
{
    if (!guest)
        return;
    g_main_context_release(guest->context);
    guest_close(&guest->guest);
}
