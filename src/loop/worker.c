/* SPDX-License-Identifier: MIT */
/* A thread that runs a loop (weft/worker.h). */
#include <weft/worker.h>

#include <weft/memory.h>

#include "backend/thread.h"
#include "loop/loop_internal.h"

struct weft_worker {
    struct thread *thread;
    weft_loop *loop;
    int status;
};

static void run(void *arg)
{
    weft_worker *worker = arg;

    worker->status = weft_loop_run(worker->loop);
}

int weft_worker_start(weft_loop *loop, weft_worker **ret_worker)
{
    weft_worker *worker = weft_allocate_zeroed(1, sizeof *worker);
    int status;

    if (!worker)
        return WEFT_ENOMEM;
    worker->loop = loop;
    status = loop->backend->ops->thread_start(loop->backend, &worker->thread, run, worker);
    if (status < 0) {
        weft_release(worker);
        return status;
    }
    *ret_worker = worker;
    return 0;
}

int weft_worker_join(weft_worker *worker)
{
    int status;

    worker->loop->backend->ops->thread_join(worker->loop->backend, worker->thread);
    status = worker->status;
    weft_release(worker);
    return status;
}

unsigned long weft_worker_raise_descriptors(void)
{
    return thread_raise_descriptors();
}

unsigned weft_worker_processors(void)
{
    unsigned simulated = backend_sim_processors();

    return simulated ? simulated : thread_processors();
}
