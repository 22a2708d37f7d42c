/* SPDX-License-Identifier: MIT */
/*
 * Comes before every file of src/backend that makes system calls, and before the log, in the build for the real-time
 * sanitizer. A call here may block whatever its descriptor is, so it is told to the sanitizer by its name and that of the
 * function that makes it, "open in try_to_take": exempt.txt can let that one place off, and nobody else's open. The call
 * itself is not looked at again.
 */
#ifndef REALTIME_CALLS_H
#define REALTIME_CALLS_H

#include <dirent.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <unistd.h>

bool realtime_may_wait(int fd);
void realtime_site(const char *call, const char *function);
void __rtsan_disable(void);
void __rtsan_enable(void);

#define REALTIME_CALL(call, ...)                    \
    __extension__({                                 \
        realtime_site(call, __func__);              \
        __rtsan_disable();                          \
        __typeof__(__VA_ARGS__) ret_ = __VA_ARGS__; \
        __rtsan_enable();                           \
        ret_;                                       \
    })

#define REALTIME_CALL_ON(call, fd, ...)             \
    __extension__({                                 \
        if (realtime_may_wait(fd))                  \
            realtime_site(call, __func__);          \
        __rtsan_disable();                          \
        __typeof__(__VA_ARGS__) ret_ = __VA_ARGS__; \
        __rtsan_enable();                           \
        ret_;                                       \
    })

/* Descriptors, which wait or not. */
#define read(fd, ...) REALTIME_CALL_ON("read", fd, (read)(fd, __VA_ARGS__))
#define writev(fd, ...) REALTIME_CALL_ON("writev", fd, (writev)(fd, __VA_ARGS__))

/* Files, whose disk may be slow and whose server may be silent. */
#define open(...) REALTIME_CALL("open", (open)(__VA_ARGS__))
#define openat(...) REALTIME_CALL("openat", (openat)(__VA_ARGS__))
#define stat(...) REALTIME_CALL("stat", (stat)(__VA_ARGS__))
#define lstat(...) REALTIME_CALL("lstat", (lstat)(__VA_ARGS__))
#define fstat(...) REALTIME_CALL("fstat", (fstat)(__VA_ARGS__))
#define fstatat(...) REALTIME_CALL("fstatat", (fstatat)(__VA_ARGS__))
#define fstatfs(...) REALTIME_CALL("fstatfs", (fstatfs)(__VA_ARGS__))
#define readlink(...) REALTIME_CALL("readlink", (readlink)(__VA_ARGS__))
#define chmod(...) REALTIME_CALL("chmod", (chmod)(__VA_ARGS__))
#define unlink(path) REALTIME_CALL("unlink", (unlink)(path))
#define unlinkat(...) REALTIME_CALL("unlinkat", (unlinkat)(__VA_ARGS__))
#define renameat(...) REALTIME_CALL("renameat", (renameat)(__VA_ARGS__))
#define mkdirat(...) REALTIME_CALL("mkdirat", (mkdirat)(__VA_ARGS__))
#define fdopendir(fd) REALTIME_CALL("fdopendir", (fdopendir)(fd))
#define readdir(directory) REALTIME_CALL("readdir", (readdir)(directory))
#define closedir(directory) REALTIME_CALL("closedir", (closedir)(directory))
#define pread(...) REALTIME_CALL("pread", (pread)(__VA_ARGS__))
#define pwrite(...) REALTIME_CALL("pwrite", (pwrite)(__VA_ARGS__))
#define fsync(fd) REALTIME_CALL("fsync", (fsync)(fd))
#define sendfile(...) REALTIME_CALL("sendfile", (sendfile)(__VA_ARGS__))
#define fwrite(...) REALTIME_CALL("fwrite", (fwrite)(__VA_ARGS__))
#define close(fd) REALTIME_CALL("close", (close)(fd))
#define bind(...) REALTIME_CALL("bind", (bind)(__VA_ARGS__))

/* Other threads. */
#define pthread_create(...) REALTIME_CALL("pthread_create", (pthread_create)(__VA_ARGS__))
#define pthread_join(...) REALTIME_CALL("pthread_join", (pthread_join)(__VA_ARGS__))
#define pthread_mutex_lock(mutex) REALTIME_CALL("pthread_mutex_lock", (pthread_mutex_lock)(mutex))
#define pthread_cond_wait(...) REALTIME_CALL("pthread_cond_wait", (pthread_cond_wait)(__VA_ARGS__))
#define pthread_cond_timedwait(...) REALTIME_CALL("pthread_cond_timedwait", (pthread_cond_timedwait)(__VA_ARGS__))
#define getaddrinfo(...) REALTIME_CALL("getaddrinfo", (getaddrinfo)(__VA_ARGS__))

/* The system's stores. */
#define mmap(...) REALTIME_CALL("mmap", (mmap)(__VA_ARGS__))
#define munmap(...) REALTIME_CALL("munmap", (munmap)(__VA_ARGS__))
#define mprotect(...) REALTIME_CALL("mprotect", (mprotect)(__VA_ARGS__))
#define madvise(...) REALTIME_CALL("madvise", (madvise)(__VA_ARGS__))
#define getrandom(...) REALTIME_CALL("getrandom", (getrandom)(__VA_ARGS__))

#endif
