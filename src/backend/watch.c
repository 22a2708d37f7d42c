/* SPDX-License-Identifier: MIT */
#include "backend/watch.h"

#include <errno.h>
#include <poll.h>
#include <sys/stat.h>

#include <weft/log.h>
#include <weft/memory.h>

int watch_new(int fd, unsigned interest, void (*ready)(void *owner, unsigned what), void *owner,
              struct backend_watch **ret)
{
    struct backend_watch *watch;
    struct stat file;

    if (fstat(fd, &file) < 0)
        return -errno;
    if (S_ISREG(file.st_mode) || S_ISDIR(file.st_mode))
        return -EPERM;
    watch = weft_allocate(sizeof *watch);
    if (!watch)
        return WEFT_ENOMEM;
    *watch = (struct backend_watch){
        .ready = ready, .owner = owner, .fd = fd, .interest = interest, .device = file.st_dev, .inode = file.st_ino};
    *ret = watch;
    return 0;
}

bool watch_is_same_file(const struct backend_watch *watch)
{
    struct stat file;

    if (fstat(watch->fd, &file) == 0 && file.st_dev == watch->device && file.st_ino == watch->inode)
        return true;
    weft_log(WEFT_LOG_WARNING, "watch", "descriptor %d was closed while it was watched: stop its watch first",
             watch->fd);
    return false;
}

unsigned watch_what(uint32_t events)
{
    return (events & POLLIN ? BACKEND_READABLE : 0U) | (events & POLLOUT ? BACKEND_WRITABLE : 0U) |
           (events & POLLERR ? BACKEND_FAILED : 0U) | (events & POLLHUP ? BACKEND_HANGUP : 0U);
}

void watch_tell(struct backend_watch *watch, unsigned what)
{
    unsigned always = what & (BACKEND_FAILED | BACKEND_HANGUP);

    if (watch->interest == 0)
        return;
    what = always | (always ? watch->interest : what & watch->interest);
    if (what)
        watch->ready(watch->owner, what);
}
