/* SPDX-License-Identifier: MIT */
/*
 * Connections and messages are tried from below, until it fails; then faults
 * are taken away, in pieces that get smaller (delta debugging, after A. Zeller). A fault is known by its number in the order in which they
 * fire; with one less the others may come otherwise, so each step is tried and
 * nothing is believed.
 */
#include "sim_shrink.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include <weft/memory.h>

#include "sim_clock.h"

/* So that nobody waits for ever: a fault more or less does not matter that much. */
#define TRIES_MOST 1000
#define TIME_MOST WEFT_MINUTES(1)
/* More faults than this are not taken one by one. */
#define FAULTS_MOST 100000

/* Whether two reasons are the same but for their numbers. */
static bool is_alike(const char *a, const char *b)
{
    for (;;) {
        while (isdigit((unsigned char)*a))
            a++;
        while (isdigit((unsigned char)*b))
            b++;
        if (*a != *b)
            return false;
        if (*a == '\0' || *a == '\n')
            return true;
        a++;
        b++;
    }
}

static bool is_same(const struct sim_failure *a, const struct sim_failure *b)
{
    return a->cause == b->cause && a->ended == b->ended && is_alike(a->reason, b->reason);
}

/* Whether it still fails. If so, @shrink->failure is how. */
static int try(struct sim_shrink *shrink)
{
    static struct sim_failure failure;
    int status;

    if (shrink->tries >= TRIES_MOST || sim_clock_now() - shrink->began > TIME_MOST)
        return -EAGAIN;
    shrink->tries++;
    if (shrink->tick)
        shrink->tick(shrink);
    status = sim_pool_try(&shrink->job, shrink->failure.seed, false, -1, &failure);
    if (status != 1)
        return status;
    if (!is_same(&failure, &shrink->failure)) {
        shrink->otherwise = failure;
        return 0;
    }
    shrink->failure = failure;
    return 1;
}

/* Makes *number the least of some with which it fails. What fails with few need not fail with more: so it is tried from
 * below, in steps that grow. */
static int shrink_number(struct sim_shrink *shrink, unsigned *number)
{
    unsigned fails = *number;

    for (unsigned less = 1; less < fails; less += less / 2 + 1) {
        int status;

        *number = less;
        status = try(shrink);
        if (status == 1)
            return 0;
        *number = fails;
        if (status < 0)
            return status;
    }
    return 0;
}

static int shrink_plan(struct sim_shrink *shrink)
{
    int status = shrink_number(shrink, &shrink->job.plan.connections);

    return status < 0 ? status : shrink_number(shrink, &shrink->job.plan.messages);
}

/* Keeps the numbers but those from @from to @to. */
static int keep_others(struct sim_keep *keep, const uint64_t *numbers, size_t count, size_t from, size_t to)
{
    int status = 0;

    sim_keep_clear(keep);
    for (size_t i = 0; i < count && status == 0; i++)
        if (i < from || i >= to)
            status = sim_keep_add(keep, numbers[i], numbers[i]);
    return status;
}

static int remove_pieces(struct sim_shrink *shrink, uint64_t *numbers, size_t *count, size_t piece)
{
    for (size_t at = 0; at < *count;) {
        size_t end = at + piece < *count ? at + piece : *count;
        int status = keep_others(&shrink->keep, numbers, *count, at, end);

        if (status == 0)
            status = try(shrink);
        if (status < 0)
            return status;
        if (status == 0) {
            at = end;
            continue;
        }
        memmove(numbers + at, numbers + end, (*count - end) * sizeof *numbers);
        *count -= end - at;
    }
    return 0;
}

/* The numbers of the faults that there were, up to @most. */
static size_t list_faults(struct sim_shrink *shrink, uint64_t *numbers, uint64_t most)
{
    size_t count = 0;

    for (uint64_t number = 1; number <= most; number++)
        if (!shrink->job.keep || sim_keep_has(number, shrink->job.keep))
            numbers[count++] = number;
    return count;
}

/* Whether it fails without those that are too many to be taken one by one. If not, they all stay. */
static int try_first_faults(struct sim_shrink *shrink, const uint64_t *numbers, size_t count)
{
    struct sim_keep *before = shrink->job.keep;
    int status = keep_others(&shrink->keep, numbers, count, count, count);

    shrink->job.keep = &shrink->keep;
    if (status == 0 && shrink->failure.faults > FAULTS_MOST)
        status = try(shrink);
    else if (status == 0)
        status = 1;
    if (status != 1)
        shrink->job.keep = before;
    return status;
}

static int shrink_faults(struct sim_shrink *shrink)
{
    uint64_t most = shrink->failure.faults < FAULTS_MOST ? shrink->failure.faults : FAULTS_MOST;
    uint64_t *numbers = weft_allocate(((size_t)most + 1) * sizeof *numbers);
    size_t count;
    int status;

    if (!numbers)
        return -ENOMEM;
    count = list_faults(shrink, numbers, most);
    status = try_first_faults(shrink, numbers, count);
    if (status != 1) {
        weft_release(numbers);
        return status;
    }
    status = 0;
    for (size_t piece = count; piece > 0 && status == 0; piece /= 2)
        status = remove_pieces(shrink, numbers, &count, piece);
    if (keep_others(&shrink->keep, numbers, count, count, count) < 0)
        status = -ENOMEM;
    shrink->faults = count;
    weft_release(numbers);
    return status;
}

/* A program that nobody visits does what it does. */
static bool has_plan(const struct sim_job *job)
{
    return job->scenario || job->options->visitors;
}

static int shrink(struct sim_shrink *self)
{
    int status = try(self);

    self->repeats = status != 0;
    if (status != 1)
        return status;
    status = has_plan(&self->job) ? shrink_plan(self) : 0;
    if (status == 0 && self->failure.faults > 0)
        status = shrink_faults(self);
    if (status == 0 && has_plan(&self->job))
        status = shrink_plan(self);
    return status;
}

int sim_shrink_run(struct sim_shrink *self)
{
    int status;

    self->began = sim_clock_now();
    status = shrink(self);
    self->faults = self->job.keep == &self->keep ? self->faults : self->failure.faults;
    return status == -EAGAIN ? 0 : status;
}
