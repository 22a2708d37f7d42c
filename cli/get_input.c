/* SPDX-License-Identifier: MIT */
#include "get_input.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <weft/http.h>

/* A FIFO is opened without waiting for a writer; the job waits for what comes. */
static int open_path(struct get_input *input, const char *path)
{
    struct stat about;

    input->fd = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (input->fd < 0 || fstat(input->fd, &about) < 0)
        return -errno;
    if (S_ISDIR(about.st_mode))
        return -EISDIR;
    /* standard input may have been read in part, and may be read by others after this */
    input->is_file = S_ISREG(about.st_mode) && input->fd != STDIN_FILENO;
    input->length = input->is_file ? (uint64_t)about.st_size : WEFT_HTTP_LENGTH_UNKNOWN;
    return 0;
}

int get_input_open(struct get_input *input, const char *path)
{
    int status;

    memset(input, 0, sizeof *input);
    input->fd = input->wake.fd = -1;
    status = open_path(input, path);
    return status < 0 ? status : get_wake_init(&input->wake);
}

void get_input_close(struct get_input *input)
{
    if (!input)
        return;
    if (input->fd > STDERR_FILENO)
        (void)close(input->fd);
    input->fd = -1;
    get_wake_fini(&input->wake);
}

void get_input_rewind(struct get_input *input)
{
    get_wake_clear(&input->wake);
    (void)lseek(input->fd, 0, SEEK_SET); /* a pipe has no beginning: then there is nothing left to send */
}

/* On a thread of jobs. */
static void read_piece(weft_job *job)
{
    struct get_input *input = weft_container_of(job, struct get_input, job);
    ssize_t count;

    do {
        input->count = get_wake_wait(&input->wake, input->fd, POLLIN, -1);
        if (input->count < 0)
            return;
        count = read(input->fd, input->piece, sizeof input->piece);
    } while (count < 0 && (errno == EAGAIN || errno == EINTR));
    input->count = count < 0 ? -errno : (int)count;
}

static void was_read(weft_job *job, int status)
{
    struct get_input *input = weft_container_of(job, struct get_input, job);

    if (status < 0)
        input->count = status;
    input->busy = false;
    input->ready(input);
}

int get_input_read(struct get_input *input, weft_scope *scope)
{
    int status = weft_job_start(&input->job, scope, read_piece, was_read);

    input->busy = status == 0;
    return status;
}

weft_bytes get_input_piece(const struct get_input *input)
{
    return weft_bytes_of(input->piece, input->count > 0 ? (size_t)input->count : 0);
}

void get_input_cancel(struct get_input *input)
{
    get_wake_raise(&input->wake);
}
