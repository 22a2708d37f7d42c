/* SPDX-License-Identifier: MIT */
#include "sim_pool.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <weft/memory.h>

#include "sim_clock.h"

#define TICK WEFT_MILLISECONDS(50)

/* A worker as its parent knows it. */
struct member {
    pid_t pid; /* 0: none */
    struct sim_worker worker;
    uint64_t beat; /* when it was last seen to have changed */
    weft_time since;
    bool hangs;
};

struct crew {
    struct sim_pool *pool;
    struct member *members;
    sigset_t signals, before;
    bool ending; /* no more workers */
};

static struct sim_place *place_of(const struct crew *crew, const struct member *member)
{
    return &crew->pool->area.shared->places[member->worker.place];
}

/* -- a worker begins -- */

/* Whether there is a seed left for it. */
static bool is_needed(const struct crew *crew, const struct member *member)
{
    const struct sim_shared *shared = crew->pool->area.shared;

    return !crew->ending && shared->next[member->worker.second] < shared->count;
}

static int begin(struct crew *crew, struct member *member)
{
    struct sim_place *place = place_of(crew, member);
    int output = memfd_create("output", MFD_CLOEXEC);
    pid_t pid;

    if (output < 0 || fcntl(output, F_SETFL, O_APPEND) < 0)
        return -errno;
    member->worker.output = output;
    member->hangs = false;
    member->since = sim_clock_now();
    member->beat = place->beat;
    place->running = false;
    place->word = SIM_NOTHING;
    pid = sim_worker_start(crew->pool->job, &crew->pool->area, &member->worker);
    if (pid < 0) {
        close(output);
        return (int)pid;
    }
    member->pid = pid;
    return 0;
}

/* -- a worker ends -- */

static void read_end(int fd, char *text, size_t size)
{
    off_t length = lseek(fd, 0, SEEK_END), from = length > (off_t)size - 1 ? length - (off_t)size + 1 : 0;
    ssize_t got = pread(fd, text, size - 1, from);

    text[got > 0 ? got : 0] = '\0';
}

static bool holds_report(const char *output)
{
    return strstr(output, "Sanitizer") || strstr(output, "runtime error:");
}

/* Says why a worker ended that was in a seed and said nothing. */
static void explain(const struct member *member, int status, struct sim_failure *failure)
{
    failure->cause = member->hangs ? SIM_HANGS : SIM_CRASHED;
    failure->ended = status;
    if (member->hangs)
        snprintf(failure->reason, sizeof failure->reason, "it makes no progress");
    else if (WIFSIGNALED(status))
        snprintf(failure->reason, sizeof failure->reason, "it crashed with SIG%s", sigabbrev_np(WTERMSIG(status)));
    else if (holds_report(failure->output))
        snprintf(failure->reason, sizeof failure->reason, "a sanitizer reports an error");
    else
        snprintf(failure->reason, sizeof failure->reason, "it ended the process with status %d", WEXITSTATUS(status));
}

static void tell(struct crew *crew, const struct member *member, int status)
{
    struct sim_shared *shared = crew->pool->area.shared;
    const struct sim_place *place = place_of(crew, member);
    struct sim_record *record = &shared->records[place->seed - shared->first];
    static struct sim_failure failure;
    bool known = record->failed;
    int word = place->word;

    failure = (struct sim_failure){.seed = place->seed, .faults = place->fault};
    read_end(member->worker.output, failure.output, sizeof failure.output);
    switch (word) {
    case SIM_FAILED:
        failure.cause = SIM_BROKEN;
        failure.ended = place->ended;
        memcpy(failure.reason, place->reason, sizeof failure.reason);
        break;
    case SIM_DIFFERS:
        failure.cause = SIM_MISMATCH;
        snprintf(failure.reason, sizeof failure.reason, "its two runs differ");
        break;
    default:
        explain(member, status, &failure);
    }
    record->failed |= failure.cause != SIM_MISMATCH;
    crew->ending |= !crew->pool->goes_on;
    if (!known)
        crew->pool->failed(&failure, crew->pool->arg);
}

static int reap(struct crew *crew, struct member *member)
{
    int status, result = 0;

    if (waitpid(member->pid, &status, WNOHANG) != member->pid)
        return 0;
    (void)kill(-member->pid, SIGKILL); /* what it may have started */
    member->pid = 0;
    if (place_of(crew, member)->running)
        tell(crew, member, status);
    else if (!WIFEXITED(status) || WEXITSTATUS(status) != EXIT_DONE)
        result = -ECHILD; /* it never came to its first seed, and would not the next time */
    close(member->worker.output);
    return result < 0 || !is_needed(crew, member) ? result : begin(crew, member);
}

/* -- while they work -- */

static void watch(struct crew *crew, struct member *member)
{
    uint64_t beat = place_of(crew, member)->beat;
    weft_time time = sim_clock_now();

    if (beat != member->beat) {
        member->beat = beat;
        member->since = time;
    } else if (time - member->since > crew->pool->job->options->patience && !member->hangs) {
        member->hangs = true;
        (void)kill(-member->pid, SIGKILL);
    }
}

/* Ends all, whatever they are in. */
static void end(struct crew *crew)
{
    for (unsigned i = 0; i < crew->pool->workers; i++) {
        struct member *member = &crew->members[i];

        if (!member->pid)
            continue;
        (void)kill(-member->pid, SIGKILL);
        while (waitpid(member->pid, NULL, 0) < 0 && errno == EINTR)
            ;
        close(member->worker.output);
        member->pid = 0;
    }
}

/* Looks after each. Returns how many there are, or a negative error. */
static int look_after(struct crew *crew)
{
    int status = 0, count = 0;

    for (unsigned i = 0; i < crew->pool->workers && status == 0 && !crew->ending; i++) {
        struct member *member = &crew->members[i];

        if (!member->pid)
            continue;
        watch(crew, member);
        status = reap(crew, member);
        count += member->pid != 0;
    }
    return status < 0 ? status : count;
}

static void rest(struct crew *crew)
{
    const struct timespec tick = {.tv_nsec = TICK};
    int number = sigtimedwait(&crew->signals, NULL, &tick);

    if (number == SIGINT || number == SIGTERM)
        crew->pool->interrupted = crew->ending = true;
    if (crew->pool->tick)
        crew->pool->tick(crew->pool->arg);
}

/* Those of first runs and of second runs alternate, if there are both. */
static int begin_all(struct crew *crew)
{
    const struct sim_pool *pool = crew->pool;
    int status = 0;

    for (unsigned i = 0; i < pool->workers && status == 0; i++) {
        struct member *member = &crew->members[i];

        member->worker.place = i;
        member->worker.trace = pool->trace;
        member->worker.second = pool->runs[0] && pool->runs[1] ? i % 2 : pool->runs[1];
        if (is_needed(crew, member))
            status = begin(crew, member);
    }
    return status;
}

int sim_pool_run(struct sim_pool *pool)
{
    struct crew crew = {.pool = pool, .members = weft_allocate_zeroed(pool->workers, sizeof *crew.members)};
    int status;

    if (!crew.members)
        return -ENOMEM;
    sigemptyset(&crew.signals);
    sigaddset(&crew.signals, SIGCHLD);
    sigaddset(&crew.signals, SIGINT);
    sigaddset(&crew.signals, SIGTERM);
    sigprocmask(SIG_BLOCK, &crew.signals, &crew.before);
    status = begin_all(&crew);
    while (status == 0 && !crew.ending && (status = look_after(&crew)) > 0) {
        rest(&crew);
        status = 0;
    }
    end(&crew);
    sigprocmask(SIG_SETMASK, &crew.before, NULL);
    weft_release(crew.members);
    return status;
}

/* -- one seed -- */

struct kept {
    struct sim_failure *failure;
    bool failed;
};

static void keep_failure(const struct sim_failure *failure, void *arg)
{
    struct kept *kept = arg;

    *kept->failure = *failure;
    kept->failed = true;
}

int sim_pool_try(const struct sim_job *job, uint64_t seed, bool second, int trace, struct sim_failure *ret)
{
    struct kept kept = {.failure = ret};
    struct sim_pool pool = {.job = job, .workers = 1, .trace = trace, .failed = keep_failure, .arg = &kept};
    int status = sim_area_new(&pool.area, seed, 1);

    if (status < 0)
        return status;
    pool.runs[second] = true;
    status = sim_pool_run(&pool);
    sim_area_close(&pool.area);
    if (status == 0 && pool.interrupted)
        status = -EINTR;
    return status < 0 ? status : kept.failed;
}
