/* SPDX-License-Identifier: MIT */
/*
 * The watchdog: a thread that looks, a few times per limit, whether the loop
 * is still in the turn in which it was the last time, and if it is, names the
 * callback. The loop pays two stores a callback for it; that the two are not
 * read as one does no harm, since both are of the turn that is reported.
 *
 * A function's name is known at run time if it is exported. Of any other the
 * report holds what addr2line(1) takes: the file, and the address in it.
 */
#include "backend/backend.h"

#include <dlfcn.h>
#include <errno.h>
#include <inttypes.h>
#include <link.h>
#include <pthread.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include <weft/log.h>
#include <weft/memory.h>

#include "backend/thread.h"

/* It looks no more often than this, whatever the limit. */
#define SHORTEST_SLEEP WEFT_MILLISECONDS(1)
/* Room for a path and an address. */
#define PLACE 4000

struct watchdog {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t end;
    bool ending;
    weft_time limit;
    const struct backend_running *running;
    const uint64_t *turn;
};

static weft_time monotonic(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return WEFT_SECONDS(now.tv_sec) + now.tv_nsec;
}

/* Sleeps for @p time or until the end. The lock is held. */
static void sleep_for(struct watchdog *watchdog, weft_time time)
{
    weft_time until = monotonic() + time;
    struct timespec at = {.tv_sec = until / WEFT_SECONDS(1), .tv_nsec = until % WEFT_SECONDS(1)};

    (void)pthread_cond_timedwait(&watchdog->end, &watchdog->lock, &at);
}

/* The file of a loaded object. The linker knows the program itself only by what it was called as, if at all. */
static const char *object_path(const struct link_map *object, char path[PLACE])
{
    ssize_t length;

    if (object->l_name[0])
        return object->l_name;
    length = readlink("/proc/self/exe", path, PLACE - 1);
    if (length < 0)
        return "the program";
    path[length] = '\0';
    return path;
}

/* What is known of the function at @p address, as a field of the report. */
static weft_log_field function_field(uintptr_t address, char place[PLACE])
{
    char path[PLACE];
    Dl_info about;
    struct link_map *object;

    if (!dladdr1((const void *)address, &about, (void **)&object, RTLD_DL_LINKMAP))
        snprintf(place, PLACE, "%#" PRIxPTR, address);
    else if (about.dli_sname && (uintptr_t)about.dli_saddr == address)
        return (weft_log_field){.name = "function", .text = weft_bytes_from(about.dli_sname)};
    else /* the address that the file was linked for: loaded elsewhere (PIE, library) less where it was loaded */
        snprintf(place, PLACE, "-f -e %.*s %#" PRIxPTR, PLACE - 64, object_path(object, path),
                 address - (uintptr_t)object->l_addr);
    return (weft_log_field){.name = "addr2line", .text = weft_bytes_from(place)};
}

static void report(const char *name, uintptr_t function, weft_time held)
{
    char place[PLACE];
    weft_log_field fields[3] = {
        {.name = "callback", .text = weft_bytes_from(name)},
        {.name = "held_ms", .number = held / WEFT_MILLISECONDS(1)},
    };

    if (function)
        fields[2] = function_field(function, place);
    weft_log_fields(WEFT_LOG_WARNING, "watchdog", fields, function ? 3 : 2, "a callback holds the turn of the loop");
}

static void *watch(void *arg)
{
    struct watchdog *watchdog = arg;
    uint64_t last_turn = 0, reported_turn = UINT64_MAX;
    weft_time since = monotonic();

    pthread_mutex_lock(&watchdog->lock);
    while (!watchdog->ending) {
        const char *name = __atomic_load_n(&watchdog->running->name, __ATOMIC_RELAXED);
        uintptr_t function = __atomic_load_n(&watchdog->running->function, __ATOMIC_RELAXED);
        uint64_t turn = __atomic_load_n(watchdog->turn, __ATOMIC_RELAXED);
        weft_time now = monotonic();

        if (!name || turn != last_turn) {
            last_turn = turn;
            since = now;
        } else if (now - since >= watchdog->limit && turn != reported_turn) {
            reported_turn = turn;
            report(name, function, now - since);
        }
        sleep_for(watchdog, watchdog->limit / 4 > SHORTEST_SLEEP ? watchdog->limit / 4 : SHORTEST_SLEEP);
    }
    pthread_mutex_unlock(&watchdog->lock);
    return NULL;
}

static int start_thread(struct watchdog *watchdog)
{
    pthread_condattr_t attributes;

    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&watchdog->end, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&watchdog->lock, NULL);
    return thread_make(&watchdog->thread, NULL, watch, watchdog);
}

static void destroy(struct watchdog *watchdog)
{
    pthread_cond_destroy(&watchdog->end);
    pthread_mutex_destroy(&watchdog->lock);
    weft_release(watchdog);
}

int watchdog_start(struct watchdog **ret, weft_time limit, const struct backend_running *running, const uint64_t *turn)
{
    struct watchdog *watchdog = weft_allocate_zeroed(1, sizeof *watchdog);
    int status;

    if (!watchdog)
        return WEFT_ENOMEM;
    watchdog->limit = limit;
    watchdog->running = running;
    watchdog->turn = turn;
    status = start_thread(watchdog);
    if (status < 0) {
        destroy(watchdog);
        return status;
    }
    *ret = watchdog;
    return 0;
}

void watchdog_stop(struct watchdog *watchdog)
{
    if (!watchdog)
        return;
    pthread_mutex_lock(&watchdog->lock);
    watchdog->ending = true;
    pthread_cond_signal(&watchdog->end);
    pthread_mutex_unlock(&watchdog->lock);
    pthread_join(watchdog->thread, NULL);
    destroy(watchdog);
}
