/* SPDX-License-Identifier: MIT */
/*
 * What the real-time sanitizer takes for blocking is a list of names. Here a call is looked at before it gets to the
 * sanitizer: recv(2) on a descriptor that does not wait does not block, nor does poll(2) for no time. And some calls of
 * which the sanitizer knows nothing are told to it.
 *
 * A function here takes the place of the sanitizer's interceptor, which is weak, or of the C library's function, and
 * calls it. It is for the whole program: for users' callbacks and other libraries, too.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/openat2.h>
#include <netdb.h>
#include <poll.h>
#include <semaphore.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef RESOLVE_CACHED
#define RESOLVE_CACHED 0x20
#endif

#define EXPORT __attribute__((visibility("default")))

bool realtime_may_wait(int fd);
void realtime_site(const char *call, const char *function);
void __rtsan_disable(void);
void __rtsan_enable(void);
void __rtsan_notify_intercepted_call(const char *name);
const char *__rtsan_default_options(void);
int ___interceptor_fcntl(int fd, int command, ...);
long ___interceptor_syscall(long number, ...);

/* RTSAN_OPTIONS comes on top of it. */
EXPORT const char *__rtsan_default_options(void)
{
    return REALTIME_OPTIONS;
}

void realtime_site(const char *call, const char *function)
{
    char name[128];

    snprintf(name, sizeof name, "%s in %s", call, function);
    __rtsan_notify_intercepted_call(name);
}

/* -- what may wait, or may not -- */

/* Whether reading and writing @p fd may block. O_NONBLOCK says nothing about files. */
bool realtime_may_wait(int fd)
{
    int error = errno, flags;
    struct stat about;
    bool waits;

    __rtsan_disable();
    flags = ___interceptor_fcntl(fd, F_GETFL);
    waits = flags >= 0 &&
            (!(flags & O_NONBLOCK) || (fstat(fd, &about) == 0 && (S_ISREG(about.st_mode) || S_ISBLK(about.st_mode))));
    __rtsan_enable();
    errno = error;
    return waits;
}

#define LOOKED_AT(result, name, parameters, arguments, waits) \
    result ___interceptor_##name parameters;                  \
    EXPORT result name parameters                             \
    {                                                         \
        result ret;                                           \
        if (waits)                                            \
            return ___interceptor_##name arguments;           \
        __rtsan_disable();                                    \
        ret = ___interceptor_##name arguments;                \
        __rtsan_enable();                                     \
        return ret;                                           \
    }

LOOKED_AT(ssize_t, read, (int fd, void *data, size_t room), (fd, data, room), realtime_may_wait(fd))
LOOKED_AT(ssize_t, readv, (int fd, const struct iovec *runs, int count), (fd, runs, count), realtime_may_wait(fd))
LOOKED_AT(ssize_t, write, (int fd, const void *data, size_t length), (fd, data, length), realtime_may_wait(fd))
LOOKED_AT(ssize_t, writev, (int fd, const struct iovec *runs, int count), (fd, runs, count), realtime_may_wait(fd))
LOOKED_AT(ssize_t, recv, (int fd, void *data, size_t room, int flags), (fd, data, room, flags),
          !(flags & MSG_DONTWAIT) && realtime_may_wait(fd))
LOOKED_AT(ssize_t, recvmsg, (int fd, struct msghdr *message, int flags), (fd, message, flags),
          !(flags & MSG_DONTWAIT) && realtime_may_wait(fd))
LOOKED_AT(ssize_t, recvfrom,
          (int fd, void *restrict data, size_t room, int flags, __SOCKADDR_ARG from, socklen_t *restrict length),
          (fd, data, room, flags, from, length), !(flags & MSG_DONTWAIT) && realtime_may_wait(fd))
LOOKED_AT(ssize_t, send, (int fd, const void *data, size_t length, int flags), (fd, data, length, flags),
          !(flags & MSG_DONTWAIT) && realtime_may_wait(fd))
LOOKED_AT(ssize_t, sendmsg, (int fd, const struct msghdr *message, int flags), (fd, message, flags),
          !(flags & MSG_DONTWAIT) && realtime_may_wait(fd))
LOOKED_AT(ssize_t, sendto,
          (int fd, const void *data, size_t length, int flags, __CONST_SOCKADDR_ARG to, socklen_t to_length),
          (fd, data, length, flags, to, to_length), !(flags & MSG_DONTWAIT) && realtime_may_wait(fd))
LOOKED_AT(int, accept, (int fd, __SOCKADDR_ARG from, socklen_t *restrict length), (fd, from, length),
          realtime_may_wait(fd))
LOOKED_AT(int, accept4, (int fd, __SOCKADDR_ARG from, socklen_t *restrict length, int flags), (fd, from, length, flags),
          realtime_may_wait(fd))
LOOKED_AT(int, connect, (int fd, __CONST_SOCKADDR_ARG to, socklen_t length), (fd, to, length), realtime_may_wait(fd))

LOOKED_AT(int, poll, (struct pollfd * polled, nfds_t count, int timeout), (polled, count, timeout), timeout != 0)
LOOKED_AT(int, epoll_wait, (int fd, struct epoll_event *events, int room, int timeout), (fd, events, room, timeout),
          timeout != 0)
LOOKED_AT(int, epoll_pwait, (int fd, struct epoll_event *events, int room, int timeout, const sigset_t *mask),
          (fd, events, room, timeout, mask), timeout != 0)
LOOKED_AT(int, select,
          (int count, fd_set *restrict in, fd_set *restrict out, fd_set *restrict failed,
           struct timeval *restrict timeout),
          (count, in, out, failed, timeout), !timeout || timeout->tv_sec || timeout->tv_usec)

/* -- those with any number of arguments -- */

EXPORT int fcntl(int fd, int command, ...)
{
    bool waits = command == F_SETLKW || command == F_OFD_SETLKW;
    va_list arguments;
    void *argument;
    int ret;

    va_start(arguments, command);
    argument = va_arg(arguments, void *);
    va_end(arguments);
    if (waits)
        return ___interceptor_fcntl(fd, command, argument);
    __rtsan_disable();
    ret = ___interceptor_fcntl(fd, command, argument);
    __rtsan_enable();
    return ret;
}

/* Of what is called by its number: opening what is cached, submitting to a ring, waking another thread. */
static bool number_waits(long number, const long *arguments)
{
    const struct open_how *how = (const struct open_how *)arguments[2];

    switch (number) {
    case SYS_openat2:
        return !(how->resolve & RESOLVE_CACHED);
    case SYS_io_uring_enter:
        return (unsigned)arguments[2] > 0;
    case SYS_futex:
        return ((int)arguments[1] & FUTEX_CMD_MASK) != FUTEX_WAKE;
    case SYS_io_uring_register:
    case SYS_gettid:
        return false;
    default:
        return true;
    }
}

EXPORT long syscall(long number, ...)
{
    long all[6], ret;
    va_list arguments;
    bool waits;

    va_start(arguments, number);
    for (int i = 0; i < 6; i++)
        all[i] = va_arg(arguments, long);
    va_end(arguments);
    waits = number_waits(number, all);
    if (!waits)
        __rtsan_disable();
    ret = ___interceptor_syscall(number, all[0], all[1], all[2], all[3], all[4], all[5]);
    if (!waits)
        __rtsan_enable();
    return ret;
}

/* -- what the sanitizer does not know -- */

#define TOLD(result, name, parameters, arguments)              \
    EXPORT result name parameters                              \
    {                                                          \
        static result(*real) parameters;                       \
        result ret;                                            \
        __rtsan_notify_intercepted_call(#name);                \
        __rtsan_disable();                                     \
        if (!real)                                             \
            *(void **)(void *)&real = dlsym(RTLD_NEXT, #name); \
        ret = real arguments;                                  \
        __rtsan_enable();                                      \
        return ret;                                            \
    }

TOLD(int, fsync, (int fd), (fd))
TOLD(int, fdatasync, (int fd), (fd))
TOLD(int, syncfs, (int fd), (fd))
TOLD(int, flock, (int fd, int operation), (fd, operation))
TOLD(int, stat, (const char *restrict path, struct stat *restrict about), (path, about))
TOLD(int, lstat, (const char *restrict path, struct stat *restrict about), (path, about))
TOLD(int, fstatat, (int fd, const char *restrict path, struct stat *restrict about, int flags),
     (fd, path, about, flags))
TOLD(int, access, (const char *path, int mode), (path, mode))
TOLD(int, rename, (const char *from, const char *to), (from, to))
TOLD(int, renameat, (int from_fd, const char *from, int to_fd, const char *to), (from_fd, from, to_fd, to))
TOLD(DIR *, opendir, (const char *path), (path))
TOLD(struct dirent *, readdir, (DIR * directory), (directory))
TOLD(ssize_t, sendfile, (int out, int in, off_t *offset, size_t count), (out, in, offset, count))
TOLD(char *, fgets, (char *restrict line, int room, FILE *restrict file), (line, room, file))
TOLD(pid_t, wait, (int *status), (status))
TOLD(pid_t, waitpid, (pid_t child, int *status, int options), (child, status, options))
TOLD(int, system, (const char *command), (command))
TOLD(FILE *, popen, (const char *command, const char *type), (command, type))
TOLD(int, pclose, (FILE * file), (file))
TOLD(int, pause, (void), ())
TOLD(int, sem_wait, (sem_t * semaphore), (semaphore))
TOLD(int, sem_timedwait, (sem_t *restrict semaphore, const struct timespec *restrict until), (semaphore, until))
TOLD(int, clock_nanosleep, (clockid_t clock, int flags, const struct timespec *time, struct timespec *left),
     (clock, flags, time, left))
TOLD(int, sigwait, (const sigset_t *restrict set, int *restrict number), (set, number))
TOLD(struct hostent *, gethostbyname, (const char *name), (name))
