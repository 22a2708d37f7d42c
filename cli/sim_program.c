/* SPDX-License-Identifier: MIT */
/* A program with its own main, in a process for each seed (backend/sim/environment.h is what it is told). */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <weft/memory.h>

#include "sim_clock.h"
#include "sim_layout.h"
#include "sim_once.h"

#define NUMBER 24

static void set_number(const char *name, const char *before, uint64_t number)
{
    char text[NUMBER];

    snprintf(text, sizeof text, "%s%" PRIu64, before, number);
    setenv(name, text, 1);
}

static void set_keep(struct sim_keep *keep)
{
    size_t length = sim_keep_format(keep, NULL, 0);
    char *text = weft_allocate(length + 1);

    if (!text)
        _exit(EXIT_FAILED);
    sim_keep_format(keep, text, length + 1);
    setenv("WEFT_SIM_KEEP", text, 1);
    weft_release(text);
}

/* A variable that was there for this process is not for the program. */
static void set_or_clear(const char *name, const char *value)
{
    if (value)
        setenv(name, value, 1);
    else
        unsetenv(name);
}

static void set_visitors(const struct sim_job *job)
{
    char text[2 * NUMBER];

    snprintf(text, sizeof text, "%u,%u", job->plan.connections, job->plan.messages);
    set_or_clear("WEFT_SIM_VISITORS", job->options->visitors ? text : NULL);
    set_or_clear("WEFT_SIM_SAY", job->options->say);
}

static void become(const struct sim_job *job, uint64_t seed, const struct sim_watch *watch, int report)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    set_number("WEFT_BACKEND", "sim:", seed);
    set_number("WEFT_SIM_REPORT", "", (uint64_t)report);
    setenv("WEFT_SIM_FAULTS", job->options->faults, 1);
    set_visitors(job);
    unsetenv("WEFT_SIM_TRACE");
    unsetenv("WEFT_SIM_KEEP");
    if (job->keep)
        set_keep(job->keep);
    if (watch->trace >= 0) {
        fcntl(watch->trace, F_SETFD, 0);
        set_number("WEFT_SIM_TRACE", "", (uint64_t)watch->trace);
    }
    if (watch->elsewhere)
        (void)sim_layout_change();
    fcntl(report, F_SETFD, 0);
    execv(job->argv[0], (char *const *)(uintptr_t)job->argv);
    dprintf(STDERR_FILENO, "cannot run %s: %s\n", job->argv[0], strerror(errno));
    _exit(127);
}

/* The worlds that it made, and those that it closed. */
struct worlds {
    unsigned made, closed;
};

/* Adds up what its worlds said when they closed. It may have had several, on several threads: in any order. */
static void read_report(FILE *report, struct worlds *worlds, struct sim_outcome *outcome)
{
    uint64_t hash, events, faults;
    char line[120];
    int64_t time;

    while (fgets(line, sizeof line, report)) {
        worlds->made += strcmp(line, "world\n") == 0;
        if (sscanf(line, "hash %" SCNx64 " events %" SCNu64 " faults %" SCNu64 " time %" SCNd64, &hash, &events,
                   &faults, &time) != 4)
            continue;
        worlds->closed++;
        outcome->hash += hash;
        outcome->counts.events += events;
        outcome->counts.faults += faults;
        outcome->time = time > outcome->time ? time : outcome->time;
    }
}

static void fail(struct sim_outcome *outcome, const char *reason)
{
    if (outcome->failed)
        return;
    outcome->failed = true;
    snprintf(outcome->reason, sizeof outcome->reason, "%s", reason);
}

/* (A report that cannot be read says nothing.) */
static void take_report(const struct sim_job *job, int report, struct sim_outcome *outcome)
{
    struct worlds worlds = {0};
    FILE *file = lseek(report, 0, SEEK_SET) == 0 ? fdopen(dup(report), "r") : NULL;

    if (!file)
        return;
    read_report(file, &worlds, outcome);
    fclose(file);
    if (worlds.made == 0)
        fail(outcome, "it made no loop in the simulated world: it is to use Weft, and no backend by name");
    else if (worlds.closed < worlds.made && job->options->twice)
        fail(outcome, "it ended without weft_loop_free, so its run has no hash, and --twice cannot compare it");
}

static void judge(int status, bool hangs, struct sim_outcome *outcome)
{
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return;
    outcome->failed = true;
    outcome->ended = status;
    if (hangs)
        snprintf(outcome->reason, sizeof outcome->reason, "it makes no progress");
    else if (WIFEXITED(status))
        snprintf(outcome->reason, sizeof outcome->reason, "it ended with status %d", WEXITSTATUS(status));
    else
        snprintf(outcome->reason, sizeof outcome->reason, "it was killed by SIG%s", sigabbrev_np(WTERMSIG(status)));
}

/* Waits until @child ends, but not for ever. Returns whether it had to be ended. */
static bool watch_child(pid_t child, weft_time patience)
{
    weft_time end = sim_clock_now() + patience, now;
    struct pollfd ends = {.fd = pidfd_open(child, 0), .events = POLLIN};
    bool hangs = false;

    while (ends.fd >= 0 && (now = sim_clock_now()) < end)
        if (poll(&ends, 1, (int)((end - now) / WEFT_MILLISECONDS(1)) + 1) > 0)
            break;
    if (ends.fd >= 0) {
        hangs = sim_clock_now() >= end && poll(&ends, 1, 0) == 0;
        close(ends.fd);
    }
    if (hangs)
        (void)kill(child, SIGKILL);
    return hangs;
}

static void run_and_wait(const struct sim_job *job, uint64_t seed, const struct sim_watch *watch, int report,
                         struct sim_outcome *outcome)
{
    pid_t child = fork();
    bool hangs = false;
    int status;

    if (child == 0)
        become(job, seed, watch, report);
    if (child > 0 && watch->patience > 0)
        hangs = watch_child(child, watch->patience);
    while (child > 0 && waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            child = -1;
    if (child < 0) {
        outcome->failed = true;
        snprintf(outcome->reason, sizeof outcome->reason, "no process could be made: %s", strerror(errno));
        return;
    }
    judge(status, hangs, outcome);
}

void sim_program_once(const struct sim_job *job, uint64_t seed, const struct sim_watch *watch, struct sim_outcome *ret)
{
    int report = memfd_create("report", MFD_CLOEXEC);

    if (report < 0) {
        ret->failed = true;
        snprintf(ret->reason, sizeof ret->reason, "no report could be taken: %s", strerror(errno));
        return;
    }
    fflush(stdout);
    run_and_wait(job, seed, watch, report, ret);
    take_report(job, report, ret);
    atomic_store(watch->fault, ret->counts.faults);
    close(report);
}
