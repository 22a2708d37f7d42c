/* SPDX-License-Identifier: MIT */
#include "backend/inherited.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include <weft/error.h>
#include <weft/log.h>

#define FIRST 3 /* SD_LISTEN_FDS_START */
#define MOST 64
#define NAMES_ROOM 4096

static struct {
    pthread_mutex_t lock;
    bool read;
    unsigned count;
    char text[NAMES_ROOM];
    weft_bytes names[MOST];
    bool taken[MOST];
} inherited = {.lock = PTHREAD_MUTEX_INITIALIZER};

static bool number_from(const char *variable, uint64_t most, uint64_t *ret)
{
    return weft_bytes_to_uint64(weft_bytes_from(getenv(variable)), most, ret) == 0;
}

/* One name for each, with colons between; if they are not given, all are "unknown". */
static bool read_names(unsigned count)
{
    const char *given = getenv("LISTEN_FDNAMES");
    weft_bytes rest = weft_bytes_from(given);

    if (rest.length >= sizeof inherited.text)
        return false;
    memcpy(inherited.text, given ? given : "", rest.length + 1);
    rest.data = inherited.text;
    for (unsigned i = 0; i < count; i++) {
        size_t colon = weft_bytes_find(rest, ':');

        inherited.names[i] = given ? weft_bytes_first(rest, colon) : weft_bytes_from("unknown");
        if (given && (colon == SIZE_MAX) != (i + 1 == count))
            return false;
        rest = weft_bytes_skip(rest, colon == SIZE_MAX ? rest.length : colon + 1);
    }
    return true;
}

static bool keep_from_children(unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (fcntl(FIRST + (int)i, F_SETFD, FD_CLOEXEC) < 0)
            return false;
    return true;
}

static void read_environment(void)
{
    uint64_t process, count;

    if (!number_from("LISTEN_PID", INT32_MAX, &process) || process != (uint64_t)getpid())
        return; /* it was meant for another program */
    if (!number_from("LISTEN_FDS", MOST, &count) || !read_names((unsigned)count) ||
        !keep_from_children((unsigned)count)) {
        weft_log(WEFT_LOG_ERROR, "systemd",
                 "LISTEN_FDS, LISTEN_FDNAMES and the open descriptors do not agree: no socket is taken over");
        return;
    }
    inherited.count = (unsigned)count;
}

static void read_once(void)
{
    if (inherited.read)
        return;
    inherited.read = true;
    read_environment();
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_FDNAMES");
}

int inherited_take(weft_bytes name)
{
    int fd = WEFT_ENOSOCKET;

    pthread_mutex_lock(&inherited.lock);
    read_once();
    for (unsigned i = 0; i < inherited.count && fd < 0; i++) {
        if (inherited.taken[i] || (name.length > 0 && !weft_bytes_equal(name, inherited.names[i])))
            continue;
        inherited.taken[i] = true;
        fd = FIRST + (int)i;
    }
    pthread_mutex_unlock(&inherited.lock);
    return fd;
}

void inherited_give_back(int fd)
{
    pthread_mutex_lock(&inherited.lock);
    inherited.taken[fd - FIRST] = false;
    pthread_mutex_unlock(&inherited.lock);
}
