/* SPDX-License-Identifier: MIT */
/*
 * Jobs (weft/job.h): the backend has `work` done by a thread of its pool and
 * reports the job back to the loop.
 */
#include <weft/job.h>

#include "loop/loop_internal.h"
#include "loop/scope_internal.h"

static void do_work(weft_work *work)
{
    weft_job *job = weft_container_of(work, weft_job, base);

    job->work(job);
}

static void job_over(weft_loop *loop, weft_job *job)
{
    weft_scope *scope = job->member.scope;
    int status = weft_scope_cancelled(scope);

    loop->waiting--;
    scope_pin(scope);
    scope_leave(&job->member);
    loop_calls(loop, "job", job->callback);
    job->done(job, status);
    scope_unpin(scope);
}

static void work_done(weft_work *work)
{
    weft_job *job = weft_container_of(work, weft_job, base);

    job_over(weft_scope_loop(job->member.scope), job);
}

static void never_began(weft_post *post)
{
    weft_job *job = weft_container_of(post, weft_job, post);

    job_over(weft_scope_loop(job->member.scope), job);
}

/* A job that is running is waited for, since its thread uses its memory. */
static void job_cancel(weft_scope_member *member, int reason)
{
    weft_job *job = weft_container_of(member, weft_job, member);
    weft_loop *loop = weft_scope_loop(member->scope);

    (void)reason;
    if (!loop->backend->ops->job_cancel(loop->backend, &job->base))
        return;
    job->post.run = never_began;
    weft_loop_post(loop, &job->post);
}

static const struct scope_member_class job_class = {.kind = "job", .cancel = job_cancel};

int weft_job_start(weft_job *job, weft_scope *scope, void (*work)(weft_job *job),
                   void (*done)(weft_job *job, int status))
{
    weft_loop *loop;
    int status = scope_join(scope, &job->member, &job_class);

    if (status < 0)
        return status;
    loop = weft_scope_loop(scope);
    job->work = work;
    job->done = done;
    job->callback = (uintptr_t)done;
    job->base.run = do_work;
    job->base.done = work_done;
    status = loop->backend->ops->job_submit(loop->backend, &job->base);
    if (status < 0) {
        scope_leave(&job->member);
        return status;
    }
    loop->waiting++;
    return 0;
}
