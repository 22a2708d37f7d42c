/* SPDX-License-Identifier: MIT */
#include "sim_layout.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <unistd.h>

#include <weft/memory.h>

#define ARGUMENTS_SIZE ((size_t)1 << 20)
#define ARGUMENTS_MOST 256

/* glibc's malloc and that of the address sanitizer; of what somebody has asked of the latter, the rest stays. */
static void fill_memory(void)
{
    const char *asked = getenv("ASAN_OPTIONS");
    char options[1024];

    setenv("MALLOC_PERTURB_", "165", 1);
    if (snprintf(options, sizeof options, "%s%smalloc_fill_byte=90", asked ? asked : "", asked ? ":" : "") <
        (int)sizeof options)
        setenv("ASAN_OPTIONS", options, 1);
}

int sim_layout_change(void)
{
    int now = personality(0xffffffff);

    fill_memory();
    if (now < 0 || personality((unsigned long)(now ^ ADDR_NO_RANDOMIZE)) < 0)
        return -errno;
    return 0;
}

/* Reads the arguments of this process, one behind the other. Returns how many bytes there are, or a negative error. */
static ssize_t read_arguments(char *text)
{
    int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
    ssize_t length = 0, more = 1;

    if (fd < 0)
        return -errno;
    while (more > 0 && (size_t)length < ARGUMENTS_SIZE) {
        more = read(fd, text + length, ARGUMENTS_SIZE - (size_t)length);
        length += more > 0 ? more : 0;
    }
    close(fd);
    return more < 0 ? -errno : (size_t)length < ARGUMENTS_SIZE ? length : -E2BIG;
}

int sim_layout_restart(void)
{
    char *text = weft_allocate(ARGUMENTS_SIZE), *argv[ARGUMENTS_MOST + 1];
    ssize_t length = text ? read_arguments(text) : -ENOMEM;
    int count = 0;

    for (ssize_t at = 0; at < length && count < ARGUMENTS_MOST; at += (ssize_t)strlen(text + at) + 1)
        argv[count++] = text + at;
    argv[count] = NULL;
    if (length > 0) {
        (void)sim_layout_change();
        execv("/proc/self/exe", argv);
        length = -errno;
    }
    weft_release(text);
    return (int)length;
}
