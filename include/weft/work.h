/* SPDX-License-Identifier: MIT */
/**
 * @file
 * A piece of work for another thread: the part of a weft_job that the
 * backend's pool of threads sees.
 */
#ifndef WEFT_WORK_H
#define WEFT_WORK_H

#include <weft/api.h>

/** Something that may block. Embedded; its fields are private. */
typedef struct weft_work {
    struct weft_work *next;
    void (*run)(struct weft_work *work);  /* on a thread of the pool */
    void (*done)(struct weft_work *work); /* then on the loop's */
} weft_work;

#endif
