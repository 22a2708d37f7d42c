/* SPDX-License-Identifier: MIT */
/*
 * Comes before every file of src/backend when that is compiled for the torture: each call that can fail is counted, and
 * fails when calls.c says so. Each place where one is made has an entry in a section of its own, so that the linker
 * makes the list of all places, and those that no scenario comes to are known (site.h).
 */
#ifndef TORTURE_CALLS_H
#define TORTURE_CALLS_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "torture/site.h"

#define TORTURE_SITE(name, can)                                                          \
    static struct torture_site site_ __attribute__((section("torture_sites"), used)) = { \
        .file = __FILE__, .function = __func__, .call = name, .line = __LINE__, .can_fail = can}

/* A call that says by @p failed that errno holds why. */
#define TORTURE_CALL(name, can, fd, failed, ...)                       \
    __extension__({                                                    \
        TORTURE_SITE(name, can);                                       \
        int error_ = torture_call_error(&site_, fd);                   \
        if (error_ != 0)                                               \
            errno = error_;                                            \
        error_ != 0 ? (__typeof__(__VA_ARGS__))(failed) : __VA_ARGS__; \
    })

/* A call that returns its error. */
#define TORTURE_RETURNS(name, ...)                   \
    __extension__({                                  \
        TORTURE_SITE(name, true);                    \
        int error_ = torture_call_error(&site_, -1); \
        error_ != 0 ? error_ : (__VA_ARGS__);        \
    })

/* The descriptor is gone whatever it returns. */
#define TORTURE_CLOSE(name, fd, ...)                 \
    __extension__({                                  \
        TORTURE_SITE(name, true);                    \
        int error_ = torture_call_error(&site_, fd); \
        int result_ = (__VA_ARGS__);                 \
        if (error_ != 0)                             \
            errno = error_;                          \
        error_ != 0 ? -1 : result_;                  \
    })

#define socket(...) TORTURE_CALL("socket", true, -1, -1, (socket)(__VA_ARGS__))
#define bind(fd, ...) TORTURE_CALL("bind", true, fd, -1, (bind)(fd, __VA_ARGS__))
#define listen(fd, ...) TORTURE_CALL("listen", true, fd, -1, (listen)(fd, __VA_ARGS__))
#define connect(fd, ...) TORTURE_CALL("connect", true, fd, -1, (connect)(fd, __VA_ARGS__))
#define accept4(fd, ...) TORTURE_CALL("accept4", true, fd, -1, (accept4)(fd, __VA_ARGS__))
#define shutdown(fd, ...) TORTURE_CALL("shutdown", true, fd, -1, (shutdown)(fd, __VA_ARGS__))
#define setsockopt(fd, ...) TORTURE_CALL("setsockopt", true, fd, -1, (setsockopt)(fd, __VA_ARGS__))
#define getsockopt(fd, ...) TORTURE_CALL("getsockopt", true, fd, -1, (getsockopt)(fd, __VA_ARGS__))
#define getsockname(fd, ...) TORTURE_CALL("getsockname", true, fd, -1, (getsockname)(fd, __VA_ARGS__))
#define getpeername(fd, ...) TORTURE_CALL("getpeername", true, fd, -1, (getpeername)(fd, __VA_ARGS__))
#define ioctl(fd, ...) TORTURE_CALL("ioctl", true, fd, -1, (ioctl)(fd, __VA_ARGS__))

#define CALLS_ARE_WATCHED 1 /* socket_calls.h: no instructions of its own */
#define recv(fd, ...) TORTURE_CALL("recv", true, fd, -1, (recv)(fd, __VA_ARGS__))
#define send(fd, ...) TORTURE_CALL("send", true, fd, -1, (send)(fd, __VA_ARGS__))
#define sendmsg(fd, ...) TORTURE_CALL("sendmsg", true, fd, -1, (sendmsg)(fd, __VA_ARGS__))
#define recvmmsg(fd, ...) TORTURE_CALL("recvmmsg", true, fd, -1, (recvmmsg)(fd, __VA_ARGS__))
#define sendmmsg(fd, ...) TORTURE_CALL("sendmmsg", true, fd, -1, (sendmmsg)(fd, __VA_ARGS__))
#define read(fd, ...) TORTURE_CALL("read", true, fd, -1, (read)(fd, __VA_ARGS__))
#define writev(fd, ...) TORTURE_CALL("writev", true, fd, -1, (writev)(fd, __VA_ARGS__))
#define sendfile(out, ...) TORTURE_CALL("sendfile", true, out, -1, (sendfile)(out, __VA_ARGS__))

#define epoll_create1(flags) TORTURE_CALL("epoll_create1", true, -1, -1, (epoll_create1)(flags))
/* What is changed or taken out was put in: only ADD needs anything. */
#define epoll_ctl(epoll, operation, fd, event) \
    TORTURE_CALL("epoll_ctl", (operation) == EPOLL_CTL_ADD, fd, -1, torture_epoll_ctl(epoll, operation, fd, event))
#define epoll_wait(...) TORTURE_CALL("epoll_wait", true, -1, -1, torture_epoll_wait(__VA_ARGS__))
#define clock_gettime(clock, time) torture_clock_gettime(clock, time)
#define poll(...) TORTURE_CALL("poll", true, -1, -1, (poll)(__VA_ARGS__))
#define eventfd(...) TORTURE_CALL("eventfd", true, -1, -1, (eventfd)(__VA_ARGS__))
/* One that exists can always be given other signals; -1 makes one. */
#define signalfd(fd, ...) TORTURE_CALL("signalfd", __builtin_constant_p(fd), -1, -1, (signalfd)(fd, __VA_ARGS__))

#define open(...) TORTURE_CALL("open", true, -1, -1, (open)(__VA_ARGS__))
#define openat(...) TORTURE_CALL("openat", true, -1, -1, (openat)(__VA_ARGS__))
#define TORTURE_BY_NUMBER(number)                              \
    ((number) == SYS_io_uring_setup      ? "io_uring_setup"    \
     : (number) == SYS_io_uring_enter    ? "io_uring_enter"    \
     : (number) == SYS_io_uring_register ? "io_uring_register" \
                                         : "openat2")
#define syscall(number, ...) TORTURE_CALL(TORTURE_BY_NUMBER(number), true, -1, -1L, (syscall)(number, __VA_ARGS__))
#define close(fd) TORTURE_CLOSE("close", fd, (close)(fd))
#define dup2(...) TORTURE_CALL("dup2", true, -1, -1, (dup2)(__VA_ARGS__))
#define TORTURE_FCNTL_CAN_FAIL(command) \
    ((command) == F_SETFL || (command) == F_OFD_SETLK || (command) == F_DUPFD_CLOEXEC)
#define fcntl(fd, command, ...) \
    TORTURE_CALL(#command, TORTURE_FCNTL_CAN_FAIL(command), fd, -1, (fcntl)(fd, command, ##__VA_ARGS__))
#define fstat(...) TORTURE_CALL("fstat", true, -1, -1, (fstat)(__VA_ARGS__))
#define lstat(...) TORTURE_CALL("lstat", true, -1, -1, (lstat)(__VA_ARGS__))
#define stat(...) TORTURE_CALL("stat", true, -1, -1, (stat)(__VA_ARGS__))
#define fstatat(...) TORTURE_CALL("fstatat", true, -1, -1, (fstatat)(__VA_ARGS__))
#define fstatfs(...) TORTURE_CALL("fstatfs", true, -1, -1, (fstatfs)(__VA_ARGS__))
#define unlink(path) TORTURE_CALL("unlink", true, -1, -1, (unlink)(path))
#define unlinkat(...) TORTURE_CALL("unlinkat", true, -1, -1, (unlinkat)(__VA_ARGS__))
#define renameat(...) TORTURE_CALL("renameat", true, -1, -1, (renameat)(__VA_ARGS__))
#define mkdirat(...) TORTURE_CALL("mkdirat", true, -1, -1, (mkdirat)(__VA_ARGS__))
#define chmod(...) TORTURE_CALL("chmod", true, -1, -1, (chmod)(__VA_ARGS__))
#define fdopendir(fd) TORTURE_CALL("fdopendir", true, -1, NULL, (fdopendir)(fd))
#define readdir(directory) TORTURE_CALL("readdir", true, -1, NULL, (readdir)(directory))
#define closedir(directory) TORTURE_CLOSE("closedir", -1, (closedir)(directory))
#define readlink(...) TORTURE_CALL("readlink", true, -1, -1, (readlink)(__VA_ARGS__))
#define pread(...) TORTURE_CALL("pread", true, -1, -1, (pread)(__VA_ARGS__))
#define pwrite(...) TORTURE_CALL("pwrite", true, -1, -1, (pwrite)(__VA_ARGS__))
#define ftruncate(...) TORTURE_CALL("ftruncate", true, -1, -1, (ftruncate)(__VA_ARGS__))
#define futimens(...) TORTURE_CALL("futimens", true, -1, -1, (futimens)(__VA_ARGS__))
#define fsync(fd) TORTURE_CALL("fsync", true, -1, -1, (fsync)(fd))
#define preadv2(...) TORTURE_CALL("preadv2", true, -1, -1, (preadv2)(__VA_ARGS__))

#define mmap(...) TORTURE_CALL("mmap", true, -1, MAP_FAILED, (mmap)(__VA_ARGS__))
#define munmap(...) TORTURE_CALL("munmap", true, -1, -1, (munmap)(__VA_ARGS__))
#define mprotect(...) TORTURE_CALL("mprotect", true, -1, -1, (mprotect)(__VA_ARGS__))
#define madvise(...) TORTURE_CALL("madvise", true, -1, -1, (madvise)(__VA_ARGS__))
#define getrandom(...) TORTURE_CALL("getrandom", true, -1, -1, (getrandom)(__VA_ARGS__))
#define getrlimit(...) TORTURE_CALL("getrlimit", true, -1, -1, (getrlimit)(__VA_ARGS__))
#define setrlimit(...) TORTURE_CALL("setrlimit", true, -1, -1, (setrlimit)(__VA_ARGS__))
#define sched_getaffinity(...) TORTURE_CALL("sched_getaffinity", true, -1, -1, (sched_getaffinity)(__VA_ARGS__))
#define pthread_create(...) TORTURE_RETURNS("pthread_create", (pthread_create)(__VA_ARGS__))
#define pthread_key_create(...) TORTURE_RETURNS("pthread_key_create", (pthread_key_create)(__VA_ARGS__))
#define pthread_setspecific(...) TORTURE_RETURNS("pthread_setspecific", (pthread_setspecific)(__VA_ARGS__))
#define pthread_atfork(...) TORTURE_RETURNS("pthread_atfork", (pthread_atfork)(__VA_ARGS__))
#define getaddrinfo(...) TORTURE_RETURNS("getaddrinfo", torture_getaddrinfo(__VA_ARGS__))

#endif
