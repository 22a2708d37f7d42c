/* SPDX-License-Identifier: MIT */
#include "sim_worker.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "sim_layout.h"
#include "sim_left.h"

/* What a process that executed this program again is to be: the area, the place and the trace. */
#define ENVIRONMENT "WEFT_SIM_WORKER"

static void forget_output(void)
{
    fflush(stdout);
    if (ftruncate(STDOUT_FILENO, 0) < 0)
        _exit(EXIT_FAILED);
}

/* Returns whether it may go on with the next. */
static bool run_seed(const struct sim_job *job, const struct sim_area *area, const struct sim_worker *worker,
                     uint64_t number)
{
    struct sim_shared *shared = area->shared;
    struct sim_place *place = &shared->places[worker->place];
    struct sim_watch watch = {
        .beat = &place->beat, .fault = &place->fault, .trace = worker->trace, .elsewhere = worker->second};
    static struct sim_outcome outcome;
    bool same;

    forget_output();
    place->fault = 0;
    place->seed = shared->first + number;
    place->running = true;
    place->beat++;
    sim_once(job, shared->first + number, &watch, &outcome);
    same = sim_area_add(area, worker->place, number, worker->second, &outcome);
    if (outcome.failed) {
        memcpy(place->reason, outcome.reason, sizeof place->reason);
        place->ended = outcome.ended;
        place->word = SIM_FAILED;
    } else if (!same) {
        place->word = SIM_DIFFERS;
    } else {
        place->running = false;
    }
    return !place->running;
}

static void work(const struct sim_job *job, const struct sim_area *area, const struct sim_worker *worker)
{
    struct sim_shared *shared = area->shared;
    uint64_t number;

    sim_left_count();
    do
        number = atomic_fetch_add(&shared->next[worker->second], 1);
    while (number < shared->count && run_seed(job, area, worker, number));
    fflush(stdout);
    _exit(EXIT_DONE);
}

/* -- a process for it -- */

/* It has a group of its own: an interrupt from the terminal is for whoever shows the progress, who then ends it with
 * all that it started. */
static void settle(const struct sim_worker *worker)
{
    const struct rlimit none = {0, 0};
    sigset_t all;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setpgid(0, 0);
    setrlimit(RLIMIT_CORE, &none);
    sigemptyset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    if (dup2(worker->output, STDOUT_FILENO) < 0 || dup2(worker->output, STDERR_FILENO) < 0)
        _exit(EXIT_FAILED);
}

static void restart(const struct sim_area *area, const struct sim_worker *worker)
{
    char text[64];

    snprintf(text, sizeof text, "%d %u %d", area->fd, worker->place, worker->trace);
    setenv(ENVIRONMENT, text, 1);
    fcntl(area->fd, F_SETFD, 0);
    if (worker->trace >= 0)
        fcntl(worker->trace, F_SETFD, 0);
    fprintf(stderr, "weft sim: cannot start itself again: %s\n", strerror(-sim_layout_restart()));
    _exit(EXIT_FAILED);
}

pid_t sim_worker_start(const struct sim_job *job, const struct sim_area *area, const struct sim_worker *worker)
{
    pid_t pid;

    fflush(stdout);
    fflush(stderr);
    pid = fork();
    if (pid < 0)
        return -errno;
    if (pid > 0) {
        setpgid(pid, pid); /* whoever is first */
        return pid;
    }
    settle(worker);
    if (worker->second && job->scenario)
        restart(area, worker); /* a program does it for itself, each time */
    work(job, area, worker);
    return 0;
}

void sim_worker_become(const struct sim_job *job)
{
    const char *text = getenv(ENVIRONMENT);
    struct sim_worker worker = {.second = true};
    struct sim_area area;
    int fd;

    if (!text)
        return;
    if (sscanf(text, "%d %u %d", &fd, &worker.place, &worker.trace) != 3 || worker.place >= SIM_JOBS_MOST ||
        sim_area_open(&area, fd) < 0) {
        fprintf(stderr, "weft sim: " ENVIRONMENT " is set, but not by weft sim\n");
        _exit(EXIT_FAILED);
    }
    unsetenv(ENVIRONMENT);
    if (worker.trace >= 0)
        fcntl(worker.trace, F_SETFD, FD_CLOEXEC);
    work(job, &area, &worker);
}
