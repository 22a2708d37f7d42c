/* SPDX-License-Identifier: MIT */
/**
 * @file
 * Jobs: what would block the loop, done by a thread of its pool.
 */
#ifndef WEFT_JOB_H
#define WEFT_JOB_H

#include <weft/timer.h>
#include <weft/work.h>

WEFT_BEGIN_DECLS

/** A job. Embedded in the struct that holds its input and its result; its fields are private. */
typedef struct weft_job {
    weft_work base;
    weft_post post;
    weft_scope_member member;
    void (*work)(struct weft_job *job);
    void (*done)(struct weft_job *job, int status);
    uintptr_t callback;
} weft_job;

/**
 * Queues @p job: @p work runs on a pool thread, then @p done on the loop's thread.
 *
 * @param work  may block; may touch only the job's own struct
 * @param done  called exactly once, never before this function returns: with 0, or with the reason of its scope's
 *              cancellation. A job that was running when it was cancelled is waited for, since its thread uses its
 *              memory; one that had not begun never runs.
 * @return 0; WEFT_ENOMEM; -EAGAIN if no thread can be made; the reason if @p scope is cancelled. Then @p done is
 *         not called.
 */
WEFT_API WEFT_NODISCARD int weft_job_start(weft_job *job, weft_scope *scope, void (*work)(weft_job *job),
                                           void (*done)(weft_job *job, int status));

WEFT_END_DECLS

#endif
