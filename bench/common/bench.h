/* SPDX-License-Identifier: MIT */
/* What the contestants and the load generators share: sockets, clocks, a histogram. Not part of the library. */
#ifndef BENCH_H
#define BENCH_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define LOOPBACK UINT32_C(0x7f000001)

static inline void die(const char *what)
{
    perror(what);
    exit(1);
}

static inline void *need(void *memory)
{
    if (!memory)
        die("memory");
    return memory;
}

static inline uint64_t clock_ns(clockid_t clock)
{
    struct timespec now;

    if (clock_gettime(clock, &now) < 0)
        return 0;
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

/* As many descriptors as this user may have; a peer that has gone is no reason to end. */
static inline void process_init(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    signal(SIGPIPE, SIG_IGN);
}

static inline void set_nodelay(int fd)
{
    int one = 1;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

static inline struct sockaddr_in address_of(uint32_t host, int port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};

    at.sin_addr.s_addr = htonl(host);
    return at;
}

static inline int listen_on(int port)
{
    struct sockaddr_in at = address_of(LOOPBACK, port);
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        die("socket");
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&at, sizeof at) < 0)
        die("bind");
    if (listen(fd, 4096) < 0)
        die("listen");
    return fd;
}

/* Log-linear, of nanoseconds: 64 exponents of 32 steps, each about 3 % wide. */
struct histogram {
    uint64_t count;
    uint64_t steps[64 * 32];
};

static inline void histogram_add(struct histogram *histogram, uint64_t value)
{
    int exponent;

    histogram->count++;
    if (value < 32) {
        histogram->steps[value]++;
        return;
    }
    exponent = 63 - __builtin_clzll(value);
    histogram->steps[(exponent - 4) * 32 + (int)((value >> (exponent - 5)) & 31)]++;
}

static inline uint64_t histogram_quantile(const struct histogram *histogram, double quantile)
{
    uint64_t wanted = (uint64_t)((double)histogram->count * quantile), seen = 0;

    for (int i = 0; i < 64 * 32; i++) {
        seen += histogram->steps[i];
        if (seen > wanted)
            return i < 32 ? (uint64_t)i : (UINT64_C(1) << (i / 32 + 4)) + ((uint64_t)(i % 32) << (i / 32 - 1));
    }
    return 0;
}

#endif
