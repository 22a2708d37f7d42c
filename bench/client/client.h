/* SPDX-License-Identifier: MIT */
/* What the clients of the table "client" share: their arguments, and what they print. */
#ifndef BENCH_CLIENT_H
#define BENCH_CLIENT_H

#include "../common/bench.h"

#define MOST_CONNECTIONS 1000

/* What a client is asked to do, and what it has done. */
struct job {
    const char *url;
    size_t connections; /* each with one request at a time */
    double seconds, warm_up;
    size_t body;     /* the length that every answer must have */
    size_t requests; /* answers that came in the measured time */
    double began, cpu_began;
};

static inline double wall_seconds(void)
{
    return (double)clock_ns(CLOCK_MONOTONIC) * 1e-9;
}

static inline double cpu_seconds(void)
{
    return (double)clock_ns(CLOCK_PROCESS_CPUTIME_ID) * 1e-9;
}

static inline struct job job_from(int argc, char **argv)
{
    struct job job = {0};

    if (argc != 6) {
        fprintf(stderr, "usage: %s URL CONNECTIONS SECONDS WARM-UP BODY-LENGTH\n", argv[0]);
        exit(2);
    }
    job.url = argv[1];
    job.connections = strtoul(argv[2], NULL, 10);
    job.seconds = strtod(argv[3], NULL);
    job.warm_up = strtod(argv[4], NULL);
    job.body = strtoul(argv[5], NULL, 10);
    if (job.connections < 1 || job.connections > MOST_CONNECTIONS) {
        fprintf(stderr, "%s: 1 to %d connections\n", argv[0], MOST_CONNECTIONS);
        exit(2);
    }
    return job;
}

/* Begins to count, or says what was counted and ends the program. Called when warm_up is over, and when seconds are. */
static inline void job_starts(struct job *job)
{
    job->requests = 0;
    job->began = wall_seconds();
    job->cpu_began = cpu_seconds();
}

static inline _Noreturn void job_ends(const struct job *job)
{
    double elapsed = wall_seconds() - job->began, cpu = cpu_seconds() - job->cpu_began;

    printf("{\"messages\":%zu,\"elapsed_s\":%.6f,\"rate\":%.1f,\"cpu_s\":%.6f}\n", job->requests, elapsed,
           (double)job->requests / elapsed, cpu);
    fflush(stdout);
    _exit(0);
}

static inline void check_answer(const struct job *job, long status, size_t length)
{
    if (status == 200 && length == job->body)
        return;
    fprintf(stderr, "an answer with status %ld and %zu bytes\n", status, length);
    exit(1);
}

#endif
