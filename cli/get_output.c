/* SPDX-License-Identifier: MIT */
#include "get_output.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "values.h"

#define DIGEST "sha256="
#define DIGITS 64
#define PIECE 65536
#define BAR 30

/* -- the digest -- */

static int parse_check(struct get_output *output, const char *check)
{
    size_t length = strlen(DIGEST);

    if (strncmp(check, DIGEST, length) != 0 || strlen(check + length) != DIGITS ||
        strspn(check + length, "0123456789abcdefABCDEF") != DIGITS)
        return -EINVAL;
    for (size_t i = 0; i < DIGITS; i++) {
        char c = check[length + i];
        output->expected[i] = c >= 'A' && c <= 'F' ? (char)(c - 'A' + 'a') : c;
    }
    return 0;
}

int get_output_init(struct get_output *output, const char *path, const char *check)
{
    *output = (struct get_output){.path = path, .modified = -1, .new_modified = -1};
    if (!check)
        return 0;
    if (parse_check(output, check) < 0)
        return -EINVAL;
    output->digest = EVP_MD_CTX_new();
    return output->digest && EVP_DigestInit_ex(output->digest, EVP_sha256(), NULL) ? 0 : -ENOMEM;
}

void get_output_fini(struct get_output *output)
{
    if (output->file && output->path)
        (void)fclose(output->file);
    output->file = NULL;
    EVP_MD_CTX_free(output->digest);
    output->digest = NULL;
}

static void digest(struct get_output *output, const void *data, size_t length)
{
    if (output->digest)
        (void)EVP_DigestUpdate(output->digest, data, length);
}

bool get_output_matches(struct get_output *output, char found[65])
{
    unsigned char sum[EVP_MAX_MD_SIZE];
    unsigned length = 0;

    if (!output->digest)
        return true;
    (void)EVP_DigestFinal_ex(output->digest, sum, &length);
    for (unsigned i = 0; i < length && i < DIGITS / 2; i++)
        snprintf(found + 2 * i, 3, "%02x", sum[i]);
    return strcmp(found, output->expected) == 0;
}

/* -- the file -- */

int get_output_look(struct get_output *output)
{
    struct stat info;

    if (stat(output->path, &info) < 0)
        return errno == ENOENT ? 0 : -errno;
    if (!S_ISREG(info.st_mode))
        return -EINVAL;
    output->resumed = (uint64_t)info.st_size;
    output->modified = info.st_mtime;
    return 0;
}

/* What is there counts for the digest of the whole, too. */
static int digest_beginning(struct get_output *output, uint64_t length)
{
    static char piece[PIECE];

    while (output->digest && length > 0) {
        size_t read = fread(piece, 1, length < PIECE ? (size_t)length : PIECE, output->file);
        if (read == 0)
            return ferror(output->file) ? -errno : -EIO;
        digest(output, piece, read);
        length -= read;
    }
    return 0;
}

int get_output_open(struct get_output *output, uint64_t offset)
{
    int status;

    if (!output->path) {
        output->file = stdout;
        return 0;
    }
    output->file = fopen(output->path, offset > 0 ? "r+b" : "wb");
    if (!output->file)
        return -errno;
    status = digest_beginning(output, offset);
    if (status == 0 && (fseeko(output->file, (off_t)offset, SEEK_SET) < 0 ||
                        (offset > 0 && ftruncate(fileno(output->file), (off_t)offset) < 0)))
        status = -errno;
    return status;
}

int get_output_write(struct get_output *output, weft_bytes bytes)
{
    digest(output, bytes.data, bytes.length);
    if (fwrite(bytes.data, 1, bytes.length, output->file) == bytes.length)
        return 0;
    output->error = errno ? errno : EIO;
    return -output->error;
}

int get_output_close(struct get_output *output)
{
    FILE *file = output->file;
    int status = 0;

    output->file = NULL;
    if (!file)
        return 0;
    if (fflush(file) != 0)
        status = -errno;
    if (!output->path)
        return status;
    if (output->new_modified >= 0) {
        struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = (time_t)output->new_modified}};
        (void)futimens(fileno(file), times); /* a service, not a promise */
    }
    if (fclose(file) != 0 && status == 0)
        status = -errno;
    return status;
}

/* -- progress -- */

static void draw_bar(const struct get_progress *progress)
{
    char bar[BAR + 1];
    unsigned full = progress->total ? (unsigned)(progress->done * BAR / progress->total) : BAR;

    if (full > BAR)
        full = BAR;
    memset(bar, ' ', BAR);
    memset(bar, '#', full);
    bar[BAR] = '\0';
    fprintf(stderr, "[%s] %3u%% ", bar,
            progress->total ? (unsigned)((double)progress->done * 100 / (double)progress->total) : 100);
}

static const char *format(double bytes, char *buffer, size_t size)
{
    static const char units[] = "BKMGTP";
    size_t unit = 0;

    while (bytes >= 9999.5 && units[unit + 1]) {
        bytes /= 1024;
        unit++;
    }
    snprintf(buffer, size, "%.0f %c", bytes, units[unit]);
    return buffer;
}

void get_progress_draw(struct get_progress *progress, weft_time now, bool end)
{
    char done[24], rate[24];
    double seconds = (double)(now - progress->began) / 1e9, speed;

    if (!progress->shown || (!end && progress->drawn && now - progress->last < WEFT_MILLISECONDS(100)))
        return;
    progress->last = now;
    progress->drawn = true;
    speed = seconds > 0 ? (double)(progress->done - progress->before) / seconds : 0;
    fputc('\r', stderr);
    if (progress->total != UINT64_MAX)
        draw_bar(progress);
    fprintf(stderr, "%s  %s/s", format((double)progress->done, done, sizeof done), format(speed, rate, sizeof rate));
    if (!end && progress->total != UINT64_MAX && speed > 0 && progress->total > progress->done)
        fprintf(stderr, "  %.0f s left", (double)(progress->total - progress->done) / speed);
    fprintf(stderr, "   \033[K%s", end ? "\n" : "");
    fflush(stderr);
}
