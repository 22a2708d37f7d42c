/* SPDX-License-Identifier: MIT */
/* uv_async_send wakes the loop, and many of them may be one wake-up: so what is to be done lies in a queue under a lock,
 * as its documentation advises and its users do. */
#include <uv.h>

#include "post.h"

struct work {
    struct work *next;
};

static uv_loop_t loop;
static uv_async_t async;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct work works[WINDOW], *first, **end = &first;
static atomic_bool stops;

static void send_work(size_t i)
{
    struct work *work = &works[i % WINDOW];

    work->next = NULL;
    pthread_mutex_lock(&lock);
    *end = work;
    end = &work->next;
    pthread_mutex_unlock(&lock);
    uv_async_send(&async);
}

static void take_work(void)
{
    uv_run(&loop, UV_RUN_NOWAIT);
}

static void stop_loop(void)
{
    atomic_store(&stops, true);
    uv_async_send(&async);
}

static void woken(uv_async_t *handle)
{
    struct work *work, *next;

    pthread_mutex_lock(&lock);
    work = first;
    first = NULL;
    end = &first;
    pthread_mutex_unlock(&lock);
    for (; work; work = next) {
        next = work->next; /* once it is done it may be used again */
        work_done();
    }
    if (atomic_load(&stops))
        uv_close((uv_handle_t *)handle, NULL);
}

int main(int argc, char **argv)
{
    size_t count = count_from(argc, argv);
    pthread_t thread;

    if (uv_loop_init(&loop) < 0 || uv_async_init(&loop, &async, woken) < 0)
        die("loop");
    thread = start_thread(&count);
    measure_pending(count);
    uv_run(&loop, UV_RUN_DEFAULT);
    pthread_join(thread, NULL);
    return uv_loop_close(&loop) < 0;
}
