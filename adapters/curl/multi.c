/* SPDX-License-Identifier: MIT */
/*
 * libcurl's multi_socket interface on a loop: a watch for each of its sockets, one timer, and a deferred for each
 * transfer. While libcurl calls back it may not be told to drop a transfer: what is cancelled then is dropped after.
 */
#include <weft/adapters/curl.h>

#include <errno.h>

#include <weft/list.h>
#include <weft/memory.h>
#include <weft/timer.h>
#include <weft/watch.h>

_Static_assert(CURL_POLL_IN == (int)WEFT_READABLE && CURL_POLL_OUT == (int)WEFT_WRITABLE &&
                   CURL_CSELECT_IN == (int)WEFT_READABLE && CURL_CSELECT_OUT == (int)WEFT_WRITABLE,
               "both speak of the same bits");

struct weft_curl {
    CURLM *multi; /* NULL: it was freed */
    weft_scope *scope;
    weft_timer timer;
    weft_link transfers;
    unsigned inside; /* calls into libcurl that may call back */
};

/* In the room of its deferred, of which it holds a reference. */
struct transfer {
    weft_link link;
    weft_curl *curl;
    CURL *easy;
    weft_deferred *deferred;
    bool is_cancelled; /* to be dropped */
};

struct socket_watch {
    weft_watch watch;
    weft_curl *curl;
};

static void forget(struct transfer *transfer)
{
    weft_link_remove(&transfer->link);
    curl_multi_remove_handle(transfer->curl->multi, transfer->easy);
    weft_deferred_unref(transfer->deferred);
}

static void finish(CURLMsg *message)
{
    struct transfer *transfer = NULL;
    CURLcode result = message->data.result;
    weft_deferred *deferred;

    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&transfer);
    deferred = weft_deferred_ref(transfer->deferred);
    forget(transfer);
    (void)weft_deferred_fire(deferred, &result);
    weft_deferred_unref(deferred);
}

static void drop_cancelled(weft_curl *curl)
{
    for (weft_link *link = curl->transfers.next, *next; link != &curl->transfers; link = next) {
        struct transfer *transfer = weft_container_of(link, struct transfer, link);
        next = link->next;
        if (transfer->is_cancelled)
            forget(transfer);
    }
}

/* What libcurl has to do for @p fd, or for its timer; then each transfer that has ended fires. */
static void act(weft_curl *curl, curl_socket_t fd, int what)
{
    CURLMsg *message;
    int count;

    curl->inside++;
    curl_multi_socket_action(curl->multi, fd, what, &count);
    curl->inside--;
    drop_cancelled(curl);
    while (curl->multi && (message = curl_multi_info_read(curl->multi, &count)))
        if (message->msg == CURLMSG_DONE)
            finish(message);
}

static void ready(weft_watch *watch, unsigned what)
{
    struct socket_watch *self = weft_container_of(watch, struct socket_watch, watch);

    act(self->curl, weft_watch_descriptor(watch), (int)what & (WEFT_READABLE | WEFT_WRITABLE));
}

static void due(weft_timer *timer)
{
    act(weft_container_of(timer, weft_curl, timer), CURL_SOCKET_TIMEOUT, 0);
}

static int on_timer(CURLM *multi, long milliseconds, void *arg)
{
    weft_curl *curl = arg;

    (void)multi;
    weft_timer_start(&curl->timer, milliseconds < 0 ? WEFT_NEVER : WEFT_MILLISECONDS(milliseconds));
    return 0;
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *socket)
{
    struct socket_watch *self = socket;
    weft_curl *curl = arg;

    (void)easy;
    if (self && what == CURL_POLL_REMOVE) {
        weft_watch_stop(&self->watch);
        weft_release(self);
    } else if (self) {
        weft_watch_change(&self->watch, (unsigned)what);
    } else if (what != CURL_POLL_REMOVE) {
        self = weft_allocate_zeroed(1, sizeof *self);
        if (!self || weft_watch_start(&self->watch, curl->scope, fd, (unsigned)what, ready) < 0) {
            weft_release(self);
            return -1;
        }
        self->curl = curl;
        curl_multi_assign(curl->multi, fd, self);
    }
    return 0;
}

int weft_curl_new(weft_scope *scope, weft_curl **ret_curl)
{
    weft_curl *curl = weft_scope_allocate(scope, sizeof *curl);
    int status = curl ? weft_timer_init(&curl->timer, scope, due) : WEFT_ENOMEM;

    if (status < 0)
        return status;
    curl->scope = scope;
    weft_link_init(&curl->transfers);
    curl->multi = curl_multi_init();
    if (!curl->multi)
        return WEFT_ENOMEM;
    curl_multi_setopt(curl->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(curl->multi, CURLMOPT_SOCKETDATA, curl);
    curl_multi_setopt(curl->multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(curl->multi, CURLMOPT_TIMERDATA, curl);
    *ret_curl = curl;
    return 0;
}

void weft_curl_free(weft_curl *curl)
{
    if (!curl || !curl->multi)
        return;
    while (!weft_link_is_alone(&curl->transfers))
        weft_cancel(weft_container_of(curl->transfers.next, struct transfer, link)->deferred);
    curl_multi_cleanup(curl->multi);
    curl->multi = NULL;
    weft_timer_stop(&curl->timer);
}

CURLM *weft_curl_multi(weft_curl *curl)
{
    return curl->multi;
}

static void cancelled(weft_deferred *deferred, int reason, void *arg)
{
    struct transfer *transfer = weft_deferred_room(deferred);

    (void)reason;
    (void)arg;
    if (transfer->curl->inside)
        transfer->is_cancelled = true;
    else
        forget(transfer);
}

weft_curl_result weft_curl_perform(weft_curl *curl, CURL *easy)
{
    weft_curl_result result =
        weft_deferred_new_with(weft_curl_result, curl->scope, sizeof(struct transfer), cancelled, NULL);
    struct transfer *transfer;

    if (!result.deferred || weft_deferred_fired(result.deferred))
        return result;
    transfer = weft_deferred_room(result.deferred);
    *transfer = (struct transfer){.curl = curl, .easy = easy, .deferred = weft_deferred_ref(result.deferred)};
    weft_link_insert_before(&curl->transfers, &transfer->link);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
    if (curl_multi_add_handle(curl->multi, easy) != CURLM_OK) {
        (void)weft_deferred_fail(result.deferred, -EINVAL);
        forget(transfer);
    }
    return result;
}
