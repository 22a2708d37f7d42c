/* SPDX-License-Identifier: MIT */
/*
 * The main program of a fuzz target that is built without libFuzzer: it feeds the target every file of the
 * directories (and the files) named on the command line, in the order of their names. A target that finds something
 * aborts. No input at all is a failure: a corpus that got lost must not pass.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fuzz/fuzz.h"

static unsigned long replayed;

static int replay_file(const char *path, size_t size)
{
    /* Exactly as long as the input, so that the address sanitizer sees a read past its end. */
    uint8_t *data = malloc(size ? size : 1);
    FILE *file = fopen(path, "rb");
    int result = -1;

    if (data && file && fread(data, 1, size, file) == size) {
        LLVMFuzzerTestOneInput(data, size);
        replayed++;
        result = 0;
    } else {
        fprintf(stderr, "%s: cannot be read\n", path);
    }
    if (file)
        fclose(file);
    free(data);
    return result;
}

static int replay(const char *path);

static int skip_dots(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static int replay_directory(const char *path)
{
    struct dirent **entries;
    int count = scandir(path, &entries, skip_dots, alphasort);
    int result = 0;

    if (count < 0) {
        perror(path);
        return -1;
    }
    for (int i = 0; i < count; i++) {
        char *inner = NULL;

        if (asprintf(&inner, "%s/%s", path, entries[i]->d_name) < 0 || replay(inner) < 0)
            result = -1;
        free(inner);
        free(entries[i]);
    }
    free(entries);
    return result;
}

static int replay(const char *path)
{
    struct stat info;

    if (stat(path, &info) < 0) {
        perror(path);
        return -1;
    }
    return S_ISDIR(info.st_mode) ? replay_directory(path) : replay_file(path, (size_t)info.st_size);
}

int main(int argc, char **argv)
{
    int result = EXIT_SUCCESS;

    for (int i = 1; i < argc; i++)
        if (replay(argv[i]) < 0)
            result = EXIT_FAILURE;
    printf("%lu inputs replayed\n", replayed);
    return replayed > 0 ? result : EXIT_FAILURE;
}
