/* SPDX-License-Identifier: MIT */
#include "sim_mismatch.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "printable.h"
#include "sim_pool.h"

enum { LINE = 400 };

/* The trace of a run, to be read from its beginning; NULL if there is none. */
static FILE *trace(const struct sim_job *job, uint64_t seed, bool second)
{
    int fd = memfd_create("trace", MFD_CLOEXEC);
    static struct sim_failure failure;
    FILE *file;

    if (fd < 0)
        return NULL;
    if (sim_pool_try(job, seed, second, fd, &failure) < 0 || lseek(fd, 0, SEEK_SET) < 0 || !(file = fdopen(fd, "r"))) {
        close(fd);
        return NULL;
    }
    return file;
}

/* The next line without its end; "" where there is none. */
static bool next_line(FILE *file, char line[LINE])
{
    line[0] = '\0';
    if (!fgets(line, LINE, file))
        return false;
    line[strcspn(line, "\n")] = '\0';
    return true;
}

static void show(FILE *out, const char *label, const char *line)
{
    char shown[LINE];

    fprintf(out, "  %s %s\n", label, *line ? printable(weft_bytes_from(line), shown, sizeof shown) : "(it has ended)");
}

static void compare(FILE *out, FILE *one, FILE *other)
{
    char a[LINE], b[LINE], before[LINE] = "";
    uint64_t number = 1;
    bool more = true;

    for (; more; number++) {
        bool more_a = next_line(one, a), more_b = next_line(other, b);

        if (more_a != more_b || strcmp(a, b) != 0)
            break;
        more = more_a;
        memcpy(before, a, more ? sizeof before : 0);
    }
    if (!more) {
        fprintf(out,
                "  Two new processes ran it alike: the difference comes from the seeds that were run before in the "
                "same process, so something is kept from one run to the next.\n");
        return;
    }
    fprintf(out, "  They part at event %llu:\n", (unsigned long long)number);
    if (*before)
        show(out, "both ", before);
    show(out, "one  ", a);
    show(out, "other", b);
}

void sim_mismatch_show(FILE *out, const struct sim_job *job, uint64_t seed)
{
    FILE *one = trace(job, seed, false), *other = trace(job, seed, true);

    if (one && other)
        compare(out, one, other);
    else
        fprintf(out, "  They could not be run again.\n");
    if (one)
        fclose(one);
    if (other)
        fclose(other);
}
