/* SPDX-License-Identifier: MIT */
#include "get_file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>

#define DIGEST "sha256="
#define DIGITS 64
#define PIECE 65536
#define PATIENCE_MS 50 /* between two attempts to open a FIFO, of which nothing tells when somebody reads it */

/* -- the digest -- */

static int parse_check(struct get_file *file, const char *check)
{
    size_t length = strlen(DIGEST);

    if (strncmp(check, DIGEST, length) != 0 || strlen(check + length) != DIGITS ||
        strspn(check + length, "0123456789abcdefABCDEF") != DIGITS)
        return -EINVAL;
    for (size_t i = 0; i < DIGITS; i++) {
        char c = check[length + i];
        file->expected[i] = c >= 'A' && c <= 'F' ? (char)(c - 'A' + 'a') : c;
    }
    return 0;
}

int get_file_init(struct get_file *file, const char *path, const char *check)
{
    int status;

    *file = (struct get_file){.path = path, .modified = -1, .place.fd = -1, .wake.fd = -1};
    status = get_wake_init(&file->wake);
    if (status < 0 || !check)
        return status;
    if (parse_check(file, check) < 0)
        return -EINVAL;
    file->digest = EVP_MD_CTX_new();
    return file->digest && EVP_DigestInit_ex(file->digest, EVP_sha256(), NULL) ? 0 : -ENOMEM;
}

void get_file_fini(struct get_file *file)
{
    (void)get_file_close(file);
    get_wake_fini(&file->wake);
    EVP_MD_CTX_free(file->digest);
    file->digest = NULL;
}

static void digest(struct get_file *file, const void *data, size_t length)
{
    if (file->digest)
        (void)EVP_DigestUpdate(file->digest, data, length);
}

bool get_file_matches(struct get_file *file, char found[65])
{
    unsigned char sum[EVP_MAX_MD_SIZE];
    unsigned length = 0;

    if (!file->digest)
        return true;
    (void)EVP_DigestFinal_ex(file->digest, sum, &length);
    for (unsigned i = 0; i < length && i < DIGITS / 2; i++)
        snprintf(found + 2 * i, 3, "%02x", sum[i]);
    return strcmp(found, file->expected) == 0;
}

/* At most @length bytes from the beginning of @fd. Returns how many there were, or a negative error. */
static int64_t digest_beginning(struct get_file *file, int fd, uint64_t length)
{
    char piece[PIECE];
    uint64_t done = 0;
    int status = 0;

    while (status == 0 && done < length) {
        ssize_t count = pread(fd, piece, length - done < PIECE ? (size_t)(length - done) : PIECE, (off_t)done);

        if (count < 0 && errno != EINTR)
            return -errno;
        if (count == 0)
            break;
        digest(file, piece, count > 0 ? (size_t)count : 0);
        done += count > 0 ? (uint64_t)count : 0;
        status = get_wake_wait(&file->wake, -1, 0, 0);
    }
    return status < 0 ? status : (int64_t)done;
}

int get_file_read(struct get_file *file)
{
    int fd;
    int64_t count;

    if (!file->digest)
        return 0;
    fd = open(file->path, O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    count = digest_beginning(file, fd, UINT64_MAX);
    (void)close(fd);
    return count < 0 ? (int)count : 0;
}

/* -- the file -- */

int get_file_look(const struct get_file *file, uint64_t *ret_length, int64_t *ret_modified)
{
    struct stat about = {.st_mtime = -1};

    if (stat(file->path, &about) < 0) {
        if (errno != ENOENT)
            return -errno;
    } else if (!S_ISREG(about.st_mode)) {
        return -EINVAL;
    }
    *ret_length = (uint64_t)about.st_size;
    *ret_modified = about.st_mtime;
    return 0;
}

/* A FIFO that nobody reads cannot be opened without waiting: ENXIO. */
static int open_path(struct get_file *file, int flags)
{
    int fd, status = 0;

    do {
        fd = open(file->path, flags | O_NOCTTY | O_NONBLOCK | O_CLOEXEC, 0666);
        if (fd < 0 && errno != ENXIO && errno != EINTR)
            return -errno;
        if (fd < 0)
            status = get_wake_wait(&file->wake, -1, 0, PATIENCE_MS);
    } while (fd < 0 && status == 0);
    if (status < 0)
        return status;
    file->place = (struct output){.fd = fd, .is_own = true};
    return 0;
}

static int go_to(struct get_file *file, uint64_t offset)
{
    int64_t count = file->digest ? digest_beginning(file, file->place.fd, offset) : (int64_t)offset;

    if (count < 0)
        return (int)count;
    if ((uint64_t)count != offset)
        return -EIO; /* somebody made it shorter */
    return get_file_cut(file, offset);
}

int get_file_open(struct get_file *file, uint64_t offset)
{
    struct stat about;
    int status = 0;

    if (file->path)
        status = open_path(file, offset > 0 ? O_RDWR : O_WRONLY | O_CREAT | O_TRUNC);
    else
        output_open(&file->place);
    if (status < 0)
        return status;
    file->is_open = true;
    file->is_regular = fstat(file->place.fd, &about) == 0 && S_ISREG(about.st_mode);
    return offset > 0 ? go_to(file, offset) : 0;
}

/* One attempt; it waits only for a disk, unless another writer fills the pipe at that very moment. */
static ssize_t attempt(const struct get_file *file, weft_bytes bytes)
{
    const struct output *place = &file->place;

    if (place->is_socket)
        return send(place->fd, bytes.data, bytes.length, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (!file->is_regular && !place->is_own) /* a pipe that has room has room for so much (pipe(7)) */
        bytes = weft_bytes_first(bytes, OUTPUT_PIECE);
    return write(place->fd, bytes.data, bytes.length);
}

int get_file_write(struct get_file *file, weft_bytes bytes)
{
    int status = 0;

    digest(file, bytes.data, bytes.length);
    while (bytes.length > 0) {
        ssize_t count;

        if (!file->is_regular) /* what was fetched is kept, whoever interrupts: it can be gone on with */
            status = get_wake_wait(&file->wake, file->place.fd, POLLOUT, -1);
        if (status < 0)
            return status;
        count = attempt(file, bytes);
        if (count < 0 && errno != EAGAIN && errno != EINTR)
            return -errno;
        bytes = weft_bytes_skip(bytes, count > 0 ? (size_t)count : 0);
    }
    return 0;
}

int get_file_cut(struct get_file *file, uint64_t length)
{
    if (!file->path || !file->is_regular)
        return 0;
    if (lseek(file->place.fd, (off_t)length, SEEK_SET) < 0 || ftruncate(file->place.fd, (off_t)length) < 0)
        return -errno;
    return 0;
}

int get_file_close(struct get_file *file)
{
    int status = 0;

    if (!file->is_open)
        return 0;
    file->is_open = false;
    if (!file->path) {
        output_close(&file->place);
        return 0;
    }
    if (file->modified >= 0 && file->is_regular) {
        struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = (time_t)file->modified}};
        (void)futimens(file->place.fd, times); /* a service, not a promise */
    }
    if (close(file->place.fd) < 0 && errno != EINTR)
        status = -errno;
    file->place.fd = -1;
    return status;
}
