/* SPDX-License-Identifier: MIT */
/* Writing to standard output without waiting for ever (output.h). */
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* How long it waits before it looks whether it should hurry. */
#define PATIENCE_MS 50

static atomic_int failure;

/*
 * O_NONBLOCK belongs to the open file description, which the shell and its other programs share; so a pipe or a
 * terminal is opened once more. A file that has an offset is left alone: the new description would begin at 0.
 */
void output_open(struct output *output)
{
    struct stat about;
    int fd, flags;

    *output = (struct output){.fd = fileno(stdout)};
    atomic_store(&failure, 0);
    if (fstat(output->fd, &about) < 0)
        return;
    output->is_socket = S_ISSOCK(about.st_mode);
    if (!S_ISFIFO(about.st_mode) && !S_ISCHR(about.st_mode))
        return;
    flags = fcntl(output->fd, F_GETFL);
    if (flags < 0 || (flags & O_PATH) || (flags & O_ACCMODE) == O_RDONLY)
        return; /* not for writing: the write will say so */
    char path[32];
    snprintf(path, sizeof path, "/proc/self/fd/%d", output->fd);
    fd = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return; /* no /proc, or not ours to open: is_writable helps */
    output->fd = fd;
    output->is_own = true;
}

void output_close(struct output *output)
{
    if (output->is_own)
        close(output->fd);
    output->is_own = false;
}

/* An error counts as writable: the write will name it. */
static bool is_writable(const struct output *output, int timeout_ms)
{
    struct pollfd about = {.fd = output->fd, .events = POLLOUT};

    return poll(&about, 1, timeout_ms) > 0;
}

/* As many whole lines as one write takes; of a longer line, its beginning. */
static size_t piece_of(const char *lines, size_t length)
{
    const char *end;

    if (length <= OUTPUT_PIECE)
        return length;
    end = memrchr(lines, '\n', OUTPUT_PIECE);
    return end ? (size_t)(end + 1 - lines) : OUTPUT_PIECE;
}

/* One attempt. Returns the count or a negative error; -EAGAIN if it would have to wait. */
static ssize_t attempt(const struct output *output, const char *lines, size_t length)
{
    ssize_t count;

    if (output->is_socket)
        count = send(output->fd, lines, length, MSG_DONTWAIT | MSG_NOSIGNAL);
    else if (!output->is_own && !is_writable(output, 0))
        return -EAGAIN; /* otherwise a pipe has room for a piece, unless another writer comes in between */
    else
        count = write(output->fd, lines, length);
    if (count == 0)
        return -EIO;
    return count < 0 ? -errno : count;
}

static int write_all(struct output *output, const char *lines, size_t length, const atomic_bool *hurry,
                     size_t *ret_written)
{
    while (*ret_written < length) {
        const char *rest = lines + *ret_written;
        ssize_t count = attempt(output, rest, piece_of(rest, length - *ret_written));

        if (count > 0)
            *ret_written += (size_t)count;
        else if (count == -EAGAIN && atomic_load(hurry))
            return -EAGAIN;
        else if (count == -EAGAIN)
            (void)is_writable(output, PATIENCE_MS);
        else if (count != -EINTR)
            return (int)count;
    }
    return 0;
}

int output_write(struct output *output, const char *lines, size_t length, const atomic_bool *hurry, size_t *ret_written)
{
    size_t ended = 0;
    int status = 0;

    *ret_written = 0;
    if (output->is_torn)
        status = write_all(output, "\n", 1, hurry, &ended);
    if (status < 0)
        return status;
    status = write_all(output, lines, length, hurry, ret_written);
    output->is_torn = *ret_written > 0 && lines[*ret_written - 1] != '\n';
    return status;
}

bool output_fails_anew(int status)
{
    return atomic_exchange(&failure, status) != status;
}

int output_failure(void)
{
    return atomic_load(&failure);
}
