/* SPDX-License-Identifier: MIT */
/* Which backends there are. The first is what a loop gets that asks for none. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <weft/log.h>

#include "backend/backend.h"

static int open_epoll(const char *argument, struct backend **ret)
{
    (void)argument;
    return backend_epoll_open(ret);
}

static int open_uring(const char *argument, struct backend **ret)
{
    return argument ? backend_uring_open_tier(argument, ret) : backend_uring_open(ret);
}

static int open_poll(const char *argument, struct backend **ret)
{
    (void)argument;
    return backend_poll_open(ret);
}

static int open_sim(const char *argument, struct backend **ret)
{
    uint64_t seed;
    int status = weft_bytes_to_uint64(weft_bytes_from(argument), UINT64_MAX, &seed);

    return status < 0 ? -ENOENT : backend_sim_open(seed, ret);
}

static const struct {
    const char *name;
    const char *argument; /* what has to follow the name and a colon; NULL: nothing */
    /* -ENOENT: that is not what has to follow. */
    int (*make)(const char *argument, struct backend **ret);
} backends[] = {
    {.name = "epoll", .make = open_epoll},
    {.name = "io_uring", .make = open_uring},
    {.name = "io_uring", .argument = "6.1|6.10|6.15", .make = open_uring},
    {.name = "poll", .make = open_poll},
    {.name = "sim", .argument = "SEED", .make = open_sim},
};

#define BACKENDS (sizeof backends / sizeof *backends)

static int refuse(const char *wanted, const char *variable)
{
    char known[128] = "";
    size_t length = 0;

    for (size_t i = 0; i < BACKENDS && length < sizeof known; i++)
        length += (size_t)snprintf(known + length, sizeof known - length, "%s%s%s%s", i ? ", " : "", backends[i].name,
                                   backends[i].argument ? ":" : "", backends[i].argument ? backends[i].argument : "");
    weft_log(WEFT_LOG_ERROR, "loop", "there is no backend \"%s\"%s%s: choose one of %s", wanted,
             variable ? " as in " : "", variable ? variable : "", known);
    return -EINVAL;
}

int backend_open(const char *name, const char *variable, struct backend **ret)
{
    size_t length;

    if (!name || !*name)
        return backends[0].make(NULL, ret);
    length = strcspn(name, ":");
    for (size_t i = 0; i < BACKENDS; i++) {
        bool has_argument = name[length] == ':';
        int status;

        if (strlen(backends[i].name) != length || memcmp(name, backends[i].name, length) != 0 ||
            has_argument != (backends[i].argument != NULL))
            continue;
        status = backends[i].make(has_argument ? name + length + 1 : NULL, ret);
        return status == -ENOENT ? refuse(name, variable) : status;
    }
    return refuse(name, variable);
}
