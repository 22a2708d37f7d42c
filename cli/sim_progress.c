/* SPDX-License-Identifier: MIT */
#include "sim_progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define COLUMNS 80
#define BAR 20
#define PART 48
#define YEAR (365 * WEFT_HOURS(24))

const char *sim_progress_time(weft_time time, char *buffer, size_t size)
{
    static const struct {
        weft_time unit, smaller;
        const char *name, *smaller_name;
    } units[] = {
        {YEAR, WEFT_HOURS(24), "y", "d"},
        {WEFT_HOURS(24), WEFT_HOURS(1), "d", "h"},
        {WEFT_HOURS(1), WEFT_MINUTES(1), "h", "min"},
        {WEFT_MINUTES(1), WEFT_SECONDS(1), "min", "s"},
    };

    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (time >= units[i].unit) {
            snprintf(buffer, size, "%" PRId64 " %s %" PRId64 " %s", time / units[i].unit, units[i].name,
                     time % units[i].unit / units[i].smaller, units[i].smaller_name);
            return buffer;
        }
    snprintf(buffer, size, "%.1f s", (double)time / 1e9);
    return buffer;
}

/* "1 234", "5.6 M". */
static const char *format_count(uint64_t count, char *buffer, size_t size)
{
    if (count < 10000)
        snprintf(buffer, size, "%" PRIu64, count);
    else if (count < 10000000)
        snprintf(buffer, size, "%" PRIu64 " k", count / 1000);
    else
        snprintf(buffer, size, "%" PRIu64 " M", count / 1000000);
    return buffer;
}

static void add(char *line, size_t columns, const char *part)
{
    size_t used = strlen(line), gap = used > 0 ? 2 : 0, length = strlen(part);

    if (used + gap + length >= columns)
        return;
    memset(line + used, ' ', gap);
    memcpy(line + used + gap, part, length + 1);
}

static void add_bar(char *line, size_t columns, const struct sim_progress *progress)
{
    uint64_t share = progress->total ? progress->done * BAR / progress->total : BAR;
    char bar[BAR + 3] = "[";

    for (uint64_t i = 0; i < BAR; i++)
        bar[i + 1] = i < share ? '#' : '.';
    bar[BAR + 1] = ']';
    bar[BAR + 2] = '\0';
    add(line, columns, bar);
}

/* What matters most comes first: the rest may have no room. */
const char *sim_progress_format(const struct sim_progress *progress, size_t columns, char *buffer, size_t size)
{
    double seconds = (double)progress->real / 1e9;
    char part[PART], number[PART / 2];

    if (columns > size)
        columns = size;
    buffer[0] = '\0';
    if (columns >= COLUMNS)
        add_bar(buffer, columns, progress);
    snprintf(part, sizeof part, "%" PRIu64 "/%" PRIu64, progress->done, progress->total);
    add(buffer, columns, part);
    snprintf(part, sizeof part, "%s/s",
             format_count(seconds > 0 ? (uint64_t)((double)progress->done / seconds) : 0, number, sizeof number));
    add(buffer, columns, part);
    if (progress->failed > 0) {
        snprintf(part, sizeof part, "%" PRIu64 " failed", progress->failed);
        add(buffer, columns, part);
    }
    if (progress->declared > 0) {
        snprintf(part, sizeof part, "probes %u/%u", progress->reached, progress->declared);
        add(buffer, columns, part);
    }
    snprintf(part, sizeof part, "%s faults", format_count(progress->faults, number, sizeof number));
    add(buffer, columns, part);
    snprintf(part, sizeof part, "%s simulated", sim_progress_time(progress->virtual, number, sizeof number));
    add(buffer, columns, part);
    return buffer;
}

bool sim_progress_is_shown(void)
{
    return isatty(STDERR_FILENO);
}

/* A terminal of 0 columns does not know how wide it is. */
size_t sim_progress_columns(void)
{
    struct winsize size;

    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : COLUMNS;
}

void sim_progress_draw(const char *line)
{
    fprintf(stderr, "\r%s\033[K", line);
    fflush(stderr);
}

void sim_progress_clear(void)
{
    sim_progress_draw("");
}
