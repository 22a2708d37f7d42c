/* SPDX-License-Identifier: MIT */
/* Which call fails, with which error, and what was reached (inject.h, calls.h). */
#include "torture/inject.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "torture/site.h"

#define ERRORS 10
#define DESCRIPTORS 4096
/* A lasting fault ends after so many calls at the latest: what is waited for is what the program does about it. */
#define LASTING 1000
/* A listener that cannot accept rests each time. */
#define LASTING_ACCEPTS 2

extern struct torture_site __start_torture_sites[], __stop_torture_sites[];

/* -- which errors a call can give: what its manual page says, less what only a wrong argument would give -- */

struct errors {
    const char *call;
    int errors[ERRORS]; /* up to 0 */
};

#define DESCRIPTORS_OR_MEMORY EMFILE, ENFILE, ENOMEM

static const struct errors table[] = {
    {"socket", {DESCRIPTORS_OR_MEMORY, ENOBUFS, EAFNOSUPPORT, EACCES}},
    {"bind", {EADDRINUSE, EACCES, EADDRNOTAVAIL, ENOMEM, EROFS}},
    {"listen", {EADDRINUSE, ENOBUFS}},
    {"connect", {ECONNREFUSED, ENETUNREACH, EADDRNOTAVAIL, EAGAIN, EACCES, ENOBUFS}},
    {"accept4", {EMFILE, ENFILE, ENOBUFS, ENOMEM, ECONNABORTED, EPROTO, EPERM, EINTR, EAGAIN}},
    {"shutdown", {ENOTCONN}},
    {"setsockopt", {EPERM, ENOBUFS, ENOPROTOOPT}},
    {"getsockopt", {ENOBUFS}},
    {"getsockname", {ENOBUFS}},
    {"getpeername", {ENOTCONN, ENOBUFS}},
    {"ioctl", {ENOTTY}},
    {"recv", {EINTR, EAGAIN, ECONNRESET, ETIMEDOUT, EHOSTUNREACH, ENOMEM}},
    {"send", {EINTR, EAGAIN, EPIPE, ECONNRESET, ENOBUFS, ENOMEM}},
    {"sendmsg", {EINTR, EAGAIN, EPIPE, ECONNRESET, ENOBUFS, ENOMEM}},
    {"recvmmsg", {EINTR, EAGAIN, ECONNREFUSED, EHOSTUNREACH, ENOMEM, ENOBUFS}},
    {"sendmmsg", {EINTR, EAGAIN, ECONNREFUSED, ENETUNREACH, EMSGSIZE, EPERM, ENOBUFS, ENOMEM, EIO, EINVAL}},
    {"read", {EINTR, EAGAIN, EIO}},
    {"writev", {EINTR, EAGAIN, EPIPE, EIO, ENOSPC}},
    {"sendfile", {EINTR, EAGAIN, EPIPE, ECONNRESET, EIO, ENOMEM}},
    {"epoll_create1", {DESCRIPTORS_OR_MEMORY}},
    {"epoll_ctl", {ENOSPC, ENOMEM}},
    {"epoll_wait", {EINTR}},
    {"io_uring_setup", {DESCRIPTORS_OR_MEMORY, EPERM, ENOSYS}},
    {"io_uring_register", {ENOMEM}},
    {"io_uring_enter", {EINTR, EAGAIN, EBUSY}},
    {"poll", {EINTR}},
    {"eventfd", {DESCRIPTORS_OR_MEMORY, ENODEV}},
    {"signalfd", {DESCRIPTORS_OR_MEMORY, ENODEV}},
    {"open", {DESCRIPTORS_OR_MEMORY, EACCES, ENOENT, EIO}},
    {"openat", {DESCRIPTORS_OR_MEMORY, EACCES, ENOENT, EIO}},
    {"openat2", {DESCRIPTORS_OR_MEMORY, EACCES, ENOENT, EIO, EINTR, EAGAIN, ENOSYS}},
    {"close", {EINTR, EIO}},
    {"closedir", {EINTR}},
    {"dup2", {EINTR, EMFILE, EBUSY}},
    {"F_SETFL", {EPERM}},
    {"F_DUPFD_CLOEXEC", {EMFILE}},
    {"F_OFD_SETLK", {EAGAIN, EACCES, ENOLCK}},
    {"fstat", {ENOMEM, EIO, EOVERFLOW}},
    {"lstat", {ENOENT, EACCES, EIO}},
    {"stat", {ENOENT, EACCES, EIO}},
    {"fstatat", {ENOENT, EACCES, EIO}},
    {"fstatfs", {EIO, ENOSYS}},
    {"readlink", {ENOENT, EIO}},
    {"unlink", {ENOENT, EACCES, EROFS}},
    {"chmod", {EPERM, EROFS, EIO}},
    {"fdopendir", {ENOMEM}},
    {"readdir", {EIO, ENOENT}},
    {"unlinkat", {ENOENT, EACCES, EROFS, EIO}},
    {"renameat", {ENOENT, EACCES, EROFS, ENOSPC, EIO}},
    {"mkdirat", {EEXIST, EACCES, EROFS, ENOSPC, EIO}},
    {"pwrite", {EINTR, ENOSPC, EDQUOT, EIO}},
    {"ftruncate", {EINTR, EFBIG, EIO}},
    {"futimens", {EPERM, EROFS, EIO}},
    {"fsync", {EIO, ENOSPC, EDQUOT}},
    {"pread", {EINTR, EIO}},
    {"preadv2", {EAGAIN, EOPNOTSUPP, EINTR, EIO}},
    {"mmap", {ENOMEM, EAGAIN}},
    {"munmap", {ENOMEM}},
    {"mprotect", {ENOMEM}},
    {"madvise", {EINVAL, ENOMEM, EAGAIN}},
    {"getrandom", {EINTR, ENOSYS}},
    {"getrlimit", {EPERM}},
    {"setrlimit", {EPERM}},
    {"sched_getaffinity", {EPERM}},
    {"pthread_create", {EAGAIN}},
    {"pthread_key_create", {EAGAIN}},
    {"pthread_setspecific", {ENOMEM}},
    {"pthread_atfork", {ENOMEM}},
    {"getaddrinfo", {EAI_AGAIN, EAI_MEMORY, EAI_NONAME, EAI_FAIL, EAI_SYSTEM}},
};

static const struct errors *errors_of(const char *call)
{
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (strcmp(table[i].call, call) == 0)
            return &table[i];
    fprintf(stderr, "inject.c has no errors of %s\n", call);
    abort();
}

static unsigned count_of(const struct errors *errors)
{
    unsigned count = 0;

    while (count < ERRORS && errors->errors[count] != 0)
        count++;
    return count;
}

/* What passes, or concerns one thing that is gone then: nobody gets it again and again. */
static bool can_last(const char *call, int error)
{
    return error != EINTR && error != EAGAIN && error != ECONNABORTED && error != EPROTO && strcmp(call, "close") != 0;
}

/* -- what is made instead. Epoll: an attempt that would have to wait is followed by an edge -- */

static struct registration {
    atomic_int epoll; /* its number + 1; 0: not in one */
    struct epoll_event event;
} registrations[DESCRIPTORS];

int torture_epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event)
{
    int result = epoll_ctl(epoll, operation, fd, event);

    if (fd < 0 || fd >= DESCRIPTORS || result < 0)
        return result;
    if (event)
        registrations[fd].event = *event;
    atomic_store(&registrations[fd].epoll, operation == EPOLL_CTL_DEL ? 0 : epoll + 1);
    return result;
}

/* -- time: a clock that stands still while code runs, and jumps where it would wait -- */

static _Thread_local int64_t jumping; /* the time, in nanoseconds; 0: it is the system's */

void torture_time_jumps(bool on)
{
    struct timespec time;

    jumping = 0;
    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    if (on)
        jumping = (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

int torture_clock_gettime(clockid_t clock, struct timespec *ret)
{
    if (jumping == 0 || clock != CLOCK_MONOTONIC)
        return clock_gettime(clock, ret);
    *ret = (struct timespec){.tv_sec = (time_t)(jumping / 1000000000), .tv_nsec = (long)(jumping % 1000000000)};
    return 0;
}

int torture_epoll_wait(int epoll, struct epoll_event *events, int most, int timeout)
{
    bool jumps = jumping != 0 && timeout > 0;
    int count = epoll_wait(epoll, events, most, jumps ? 0 : timeout);

    if (jumps && count == 0)
        jumping += (int64_t)timeout * 1000000;
    return count;
}

int torture_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **ret)
{
    const char *domain = strrchr(host, '.');

    return getaddrinfo(domain && strcmp(domain, ".example") == 0 ? "127.0.0.1" : host, service, hints, ret);
}

/* @return whether @p fd is in an epoll, which says now that it is ready if it is */
static bool say_again(int fd)
{
    int epoll = fd >= 0 && fd < DESCRIPTORS ? atomic_load(&registrations[fd].epoll) - 1 : -1;

    return epoll >= 0 && epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &registrations[fd].event) == 0;
}

/* -- which call fails -- */

static struct {
    atomic_size_t count;
    atomic_bool armed;
    struct torture_fault fault;
    _Atomic(const struct torture_site *) site; /* the first that failed */
    int error;
} now;

static struct {
    _Atomic(const char *) call;
    int error;
    atomic_size_t times;
} lacking;

void torture_lack(const char *call, int error, size_t times)
{
    atomic_store(&lacking.call, NULL);
    lacking.error = error;
    atomic_store(&lacking.times, times);
    atomic_store(&lacking.call, call);
}

static bool is_lacking(const char *called)
{
    const char *call = atomic_load(&lacking.call);

    if (!call || strcmp(call, called) != 0 || atomic_load(&lacking.times) == 0)
        return false;
    atomic_fetch_sub(&lacking.times, 1);
    return true;
}

/* The system says that a connection is gone only if it is, and then to epoll, too. @return whether that can be had */
static bool disconnect(int fd)
{
    struct sockaddr nowhere = {.sa_family = AF_UNSPEC};

    return connect(fd, &nowhere, sizeof nowhere) == 0;
}

static int fail(struct torture_site *site, int fd, int error)
{
    bool waits = strncmp(site->call, "recv", 4) == 0 || strncmp(site->call, "send", 4) == 0 ||
                 strcmp(site->call, "writev") == 0 || strcmp(site->call, "read") == 0;

    if (strcmp(site->call, "shutdown") == 0 && !disconnect(fd))
        return 0; /* a UNIX socket, of which it is never said */
    if (error == EAGAIN && waits && !say_again(fd))
        error = EINTR; /* a regular file: that has nothing to wait for */
    atomic_fetch_add(&site->failed, 1);
    atomic_fetch_add(&now.count, 1);
    errno = error; /* of EAI_SYSTEM */
    return error;
}

static bool goes_on(const struct torture_site *site)
{
    const struct torture_site *first = atomic_load(&now.site);
    size_t most = strcmp(site->call, "accept4") == 0 ? LASTING_ACCEPTS : LASTING;

    return now.fault.lasting && first && strcmp(first->call, site->call) == 0 && can_last(first->call, now.error) &&
           atomic_load(&now.count) < most;
}

static size_t number_of(const struct torture_site *site)
{
    return (size_t)(site - __start_torture_sites) + 1;
}

int torture_call_error(struct torture_site *site, int fd)
{
    size_t call;
    const struct errors *errors;

    if (!site->can_fail)
        return 0;
    atomic_fetch_add(&site->reached, 1);
    if (is_lacking(site->call))
        return lacking.error;
    if (!atomic_load(&now.armed))
        return 0;
    call = atomic_fetch_add(&site->now, 1) + 1;
    if (goes_on(site))
        return fail(site, fd, now.error);
    if (number_of(site) != now.fault.place || call != now.fault.call)
        return 0;
    errors = errors_of(site->call);
    now.error = errors->errors[now.fault.error % count_of(errors)];
    atomic_store(&now.site, site);
    return fail(site, fd, now.error);
}

void torture_inject(struct torture_fault fault)
{
    atomic_store(&now.armed, false);
    for (struct torture_site *site = __start_torture_sites; site < __stop_torture_sites; site++)
        atomic_store(&site->now, 0);
    atomic_store(&now.count, 0);
    atomic_store(&now.site, NULL);
    now.fault = fault;
    atomic_store(&now.armed, true);
}

void torture_inject_end(void)
{
    atomic_store(&now.armed, false);
}

size_t torture_places(void)
{
    return (size_t)(__stop_torture_sites - __start_torture_sites);
}

size_t torture_calls_at(size_t place)
{
    return atomic_load(&__start_torture_sites[place - 1].now);
}

size_t torture_injected(void)
{
    return atomic_load(&now.count);
}

static const char *base_of(const char *path)
{
    const char *found = strstr(path, "src/backend/");

    return found ? found : path;
}

const char *torture_place(size_t place)
{
    const struct torture_site *site = &__start_torture_sites[place - 1];
    static char text[120];

    snprintf(text, sizeof text, "%s:%u: %s in %s", base_of(site->file), site->line, site->call, site->function);
    return text;
}

struct torture_injected torture_inject_over(void)
{
    const struct torture_site *site = atomic_load(&now.site);
    struct torture_injected about = {.count = atomic_load(&now.count)};
    bool is_errno = site && strcmp(site->call, "getaddrinfo") != 0;

    if (!site)
        return about;
    about.errors = count_of(errors_of(site->call));
    about.can_last = can_last(site->call, now.error);
    snprintf(about.place, sizeof about.place, "%s fails with %s", torture_place(number_of(site)),
             is_errno ? strerrorname_np(now.error) : gai_strerror(now.error));
    return about;
}

/* -- the report -- */

void torture_report(size_t points)
{
    const char *path = getenv("WEFT_TORTURE_REPORT");
    FILE *out = path ? fopen(path, "w") : NULL;

    if (!out)
        return;
    fprintf(out, "points %zu\n", points);
    for (const struct torture_site *site = __start_torture_sites; site < __stop_torture_sites; site++)
        if (site->can_fail)
            fprintf(out, "%s %u %s %s %zu %zu\n", base_of(site->file), site->line, site->function, site->call,
                    atomic_load(&site->reached), atomic_load(&site->failed));
    fclose(out);
}
