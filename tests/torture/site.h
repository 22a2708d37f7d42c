/* SPDX-License-Identifier: MIT */
/* A place where src/backend makes a call that can fail: between calls.h, which makes them, and inject.c. */
#ifndef TORTURE_SITE_H
#define TORTURE_SITE_H

#include <netdb.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <time.h>

struct torture_site {
    const char *file, *function, *call;
    unsigned line;
    bool can_fail;                 /* as it is called here */
    atomic_size_t reached, failed; /* in all runs */
    atomic_size_t now;             /* reached in this one */
} __attribute__((aligned(64)));

/* Counts the call. Returns the error that it is to fail with, or 0. @p fd is what it is about, or -1. */
int torture_call_error(struct torture_site *site, int fd);
/* epoll_ctl(2), remembering what was said about @p fd. */
int torture_epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event);
/* epoll_wait(2) and clock_gettime(2) with the clock of torture_time_jumps. */
int torture_epoll_wait(int epoll, struct epoll_event *events, int most, int timeout);
int torture_clock_gettime(clockid_t clock, struct timespec *ret);
/* getaddrinfo(3), but every name that ends in .example is this host's own. */
int torture_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **ret);

#endif
