/* SPDX-License-Identifier: MIT */
#include "get_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "backend/file.h"

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

/* At most @length bytes from the beginning. Returns how many there were, or a negative error. */
static int64_t digest_beginning(struct get_file *file, weft_file *from, uint64_t length)
{
    char piece[PIECE];
    uint64_t done = 0;
    int status = 0;

    while (status == 0 && done < length) {
        int count = file_read(from, done, piece, length - done < PIECE ? (size_t)(length - done) : PIECE);

        if (count < 0)
            return count;
        if (count == 0)
            break;
        digest(file, piece, (size_t)count);
        done += (uint64_t)count;
        status = get_wake_wait(&file->wake, -1, 0, 0);
    }
    return status < 0 ? status : (int64_t)done;
}

/* -- opening -- */

/* Where a file is, or can be: a name in a directory. So it is one of Weft's files, which in a simulated world are on the
 * disk of its host. */
struct place {
    weft_directory *directory;
    char path[PATH_MAX];
    const char *name; /* in `path`, behind the directory's */
};

/* Whether there is nothing at @path, not even a link, or an ordinary file, of which *ret is the path without links. */
static bool is_ordinary(const char *path, char ret[PATH_MAX])
{
    struct stat about;

    if (stat(path, &about) == 0)
        return S_ISREG(about.st_mode) && realpath(path, ret);
    return lstat(path, &about) < 0 && snprintf(ret, PATH_MAX, "%s", path) < PATH_MAX;
}

/* Returns 0 or a negative error; -ENOTSUP: it is not so simple, and only its path leads there. */
static int find_place(const char *path, struct place *place)
{
    const char *parent = ".";
    char *slash;

    if (!is_ordinary(path, place->path))
        return -ENOTSUP;
    slash = strrchr(place->path, '/');
    place->name = slash ? slash + 1 : place->path;
    if (!*place->name || strcmp(place->name, ".") == 0 || strcmp(place->name, "..") == 0)
        return -ENOTSUP;
    if (slash) {
        parent = slash == place->path ? "/" : place->path;
        *slash = '\0';
    }
    return weft_directory_open(parent, &place->directory);
}

/* Opens it for reading, or with @flags of weft/file.h for writing. Returns as find_place. */
static int open_place(const char *path, bool writes, unsigned flags, weft_file **ret)
{
    struct place place;
    int status = find_place(path, &place);

    if (status == 0) {
        status = writes ? file_create(place.directory, place.name, flags, ret)
                        : file_open(place.directory, place.name, true, ret);
        weft_directory_unref(place.directory);
    }
    return status == -EACCES ? -ENOTSUP
                             : status; /* who may not list a directory, or only write, may still by its path */
}

/* A FIFO that nobody reads cannot be opened without waiting: ENXIO. */
static int open_path(const struct get_file *file, int flags)
{
    int fd, status = 0;

    do {
        fd = open(file->path, flags | O_NOCTTY | O_NONBLOCK | O_CLOEXEC, 0666);
        if (fd < 0 && errno != ENXIO && errno != EINTR)
            return -errno;
        if (fd < 0)
            status = get_wake_wait(&file->wake, -1, 0, PATIENCE_MS);
    } while (fd < 0 && status == 0);
    return status < 0 ? status : fd;
}

static bool is_regular(int fd)
{
    struct stat about;

    return fstat(fd, &about) == 0 && S_ISREG(about.st_mode);
}

static int open_to_read(const struct get_file *file, weft_file **ret)
{
    int status = open_place(file->path, false, 0, ret), fd;

    if (status != -ENOTSUP)
        return status;
    fd = open_path(file, O_RDONLY);
    return fd < 0 ? fd : file_adopt(fd, ret);
}

/* One that is not ordinary is left in `place`. */
static int open_to_write(struct get_file *file, bool anew)
{
    int status = open_place(file->path, true, anew ? WEFT_FILE_TRUNCATE : 0, &file->file), fd;

    if (status != -ENOTSUP)
        return status;
    fd = open_path(file, anew ? O_WRONLY | O_CREAT | O_TRUNC : O_RDWR);
    if (fd >= 0 && is_regular(fd))
        return file_adopt(fd, &file->file);
    file->place = (struct output){.fd = fd, .is_own = true};
    return fd < 0 ? fd : 0;
}

/* -- the file -- */

/* (What is no ordinary file may wait to be opened.) */
static int check_kind(const char *path)
{
    struct stat about;

    return stat(path, &about) == 0 && !S_ISREG(about.st_mode) ? -EINVAL : 0;
}

int get_file_look(const struct get_file *file, uint64_t *ret_length, int64_t *ret_modified)
{
    weft_file *there = NULL;
    int status = check_kind(file->path);

    if (status == 0)
        status = open_to_read(file, &there);
    if (status < 0 && status != -ENOENT)
        return status;
    *ret_length = there ? weft_file_about(there)->length : 0;
    *ret_modified = there ? weft_file_about(there)->modified / WEFT_SECONDS(1) : -1;
    weft_file_unref(there);
    return 0;
}

int get_file_read(struct get_file *file)
{
    weft_file *there;
    int64_t count;
    int status;

    if (!file->digest)
        return 0;
    status = open_to_read(file, &there);
    if (status < 0)
        return status;
    count = digest_beginning(file, there, UINT64_MAX);
    weft_file_unref(there);
    return count < 0 ? (int)count : 0;
}

static int go_to(struct get_file *file, uint64_t offset)
{
    uint64_t there = weft_file_about(file->file)->length;
    int64_t count = 0;

    if (there < offset)
        return -EIO; /* somebody made it shorter */
    if (file->digest)
        count = digest_beginning(file, file->file, offset);
    if (count < 0)
        return (int)count;
    return get_file_cut(file, offset);
}

int get_file_open(struct get_file *file, uint64_t offset)
{
    int status = 0;

    if (file->path)
        status = open_to_write(file, offset == 0);
    else
        output_open(&file->place);
    if (status < 0)
        return status;
    file->is_open = true;
    file->is_regular = file->file || is_regular(file->place.fd);
    return offset > 0 && file->file ? go_to(file, offset) : 0;
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

static int write_place(struct get_file *file, weft_bytes bytes)
{
    int status = 0;

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

int get_file_write(struct get_file *file, weft_bytes bytes)
{
    size_t count = 0;
    int status;

    digest(file, bytes.data, bytes.length);
    if (!file->file)
        return write_place(file, bytes);
    status = file_write(file->file, file->at, bytes.data, bytes.length, &count);
    file->at += count;
    return status;
}

int get_file_cut(struct get_file *file, uint64_t length)
{
    if (!file->file)
        return 0;
    file->at = length;
    return file_truncate(file->file, length);
}

int get_file_close(struct get_file *file)
{
    int status = 0;

    if (!file->is_open)
        return 0;
    file->is_open = false;
    if (file->file) {
        if (file->modified >= 0 && file->modified < WEFT_NEVER / WEFT_SECONDS(1))
            (void)file_set_time(file->file, WEFT_SECONDS(file->modified)); /* a service, not a promise */
        status = file_flush(file->file);
        weft_file_unref(file->file);
        file->file = NULL;
    } else if (!file->path) {
        output_close(&file->place);
    } else if (close(file->place.fd) < 0 && errno != EINTR) {
        status = -errno;
    }
    file->place.fd = -1;
    return status;
}
