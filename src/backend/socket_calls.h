/* SPDX-License-Identifier: MIT */
/*
 * send(2) and recv(2) without the C library's wrappers. In a process with threads these are cancellation points, which
 * cost as much as all else that is done for a small message; nobody cancels a loop's thread in one that does not wait.
 * Both return the count, or -errno. The sanitizers know the wrappers only.
 */
#ifndef BACKEND_SOCKET_CALLS_H
#define BACKEND_SOCKET_CALLS_H

#include <errno.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define CALLS_ARE_WATCHED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer) || \
    __has_feature(realtime_sanitizer)
#define CALLS_ARE_WATCHED 1
#endif
#endif

#if defined(__x86_64__) && !defined(__ILP32__)
/* sendto or recvfrom, without an address. */
static inline ssize_t call_transfer(long number, int fd, const void *data, size_t length, int flags)
{
    register long flags_register __asm__("r10") = flags;
    register const void *address __asm__("r8") = NULL;
    register size_t address_length __asm__("r9") = 0;
    long result;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"((long)fd), "S"(data), "d"(length), "r"(flags_register), "r"(address),
                       "r"(address_length)
                     : "rcx", "r11", "memory");
    return result;
}
#else
static inline ssize_t call_transfer(long number, int fd, const void *data, size_t length, int flags)
{
    long result = syscall(number, fd, data, length, flags, NULL, 0);

    return result < 0 ? -errno : result;
}
#endif

static inline ssize_t call_send(int fd, const void *data, size_t length, int flags)
{
#ifdef CALLS_ARE_WATCHED
    ssize_t result = send(fd, data, length, flags);

    return result < 0 ? -errno : result;
#else
    return call_transfer(SYS_sendto, fd, data, length, flags);
#endif
}

static inline ssize_t call_receive(int fd, void *data, size_t room)
{
#ifdef CALLS_ARE_WATCHED
    ssize_t result = recv(fd, data, room, 0);

    return result < 0 ? -errno : result;
#else
    return call_transfer(SYS_recvfrom, fd, data, room, 0);
#endif
}

#endif
