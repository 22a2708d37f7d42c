/* SPDX-License-Identifier: MIT */
/* The practical limit: a list that grows by one exchange, and an eventfd that is written when it was empty. */
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include "../common/bench.h"
#include "post.h"

struct work {
    struct work *next;
};

static struct work works[WINDOW];
static _Atomic(struct work *) newest;
static atomic_bool stops;
static int wake, queue;

static void tell_loop(void)
{
    if (eventfd_write(wake, 1) < 0)
        die("eventfd");
}

static void send_work(size_t i)
{
    struct work *work = &works[i % WINDOW], *before = atomic_load_explicit(&newest, memory_order_relaxed);

    do {
        work->next = before;
    } while (
        !atomic_compare_exchange_weak_explicit(&newest, &before, work, memory_order_acq_rel, memory_order_relaxed));
    if (!before)
        tell_loop();
}

/* The oldest first. */
static struct work *turned_round(struct work *work)
{
    struct work *turned = NULL;

    while (work) {
        struct work *next = work->next;

        work->next = turned;
        turned = work;
        work = next;
    }
    return turned;
}

static void take_work(void)
{
    struct work *work = turned_round(atomic_exchange_explicit(&newest, NULL, memory_order_acq_rel)), *next;

    for (; work; work = next) {
        next = work->next; /* once it is done it may be used again */
        work_done();
    }
}

static void stop_loop(void)
{
    atomic_store(&stops, true);
    tell_loop();
}

int main(int argc, char **argv)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLET};
    size_t count = count_from(argc, argv);
    pthread_t thread;

    wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    queue = epoll_create1(EPOLL_CLOEXEC);
    if (wake < 0 || queue < 0 || epoll_ctl(queue, EPOLL_CTL_ADD, wake, &event) < 0)
        die("eventfd");
    thread = start_thread(&count);
    measure_pending(count);
    while (!atomic_load(&stops)) {
        (void)epoll_wait(queue, &event, 1, -1);
        take_work();
    }
    pthread_join(thread, NULL);
    return 0;
}
