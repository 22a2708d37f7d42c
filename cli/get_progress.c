/* SPDX-License-Identifier: MIT */
#include "get_progress.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define BAR 30
#define SHORTEST_BAR 10
#define NUMBERS 48 /* columns of "100%  9999 KiB  9999 KiB/s  59 m 59 s left", and of the brackets */
#define PART 32
#define COLUMNS 80
#define WIDEST 200
#define OFTEN WEFT_MILLISECONDS(100)

static const char *format_size(double bytes, char buffer[PART])
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
    size_t unit = 0;

    while (bytes >= 9999.5 && unit + 1 < sizeof units / sizeof *units) {
        bytes /= 1024;
        unit++;
    }
    snprintf(buffer, PART, "%.0f %s", bytes, units[unit]);
    return buffer;
}

/* "5 s", "3 m 05 s", "2 h 07 m"; nobody waits for more than four days. */
static const char *format_time(double seconds, char buffer[PART])
{
    unsigned whole = seconds < 359999 ? (unsigned)seconds + 1 : 359999;

    if (whole < 60)
        snprintf(buffer, PART, "%u s left", whole);
    else if (whole < 3600)
        snprintf(buffer, PART, "%u m %02u s left", whole / 60, whole % 60);
    else
        snprintf(buffer, PART, "%u h %02u m left", whole / 3600, whole / 60 % 60);
    return buffer;
}

static double speed_of(const struct get_progress *progress, weft_time now)
{
    double seconds = (double)(now - progress->began) / 1e9;

    return seconds > 0 ? (double)(progress->done - progress->before) / seconds : 0;
}

/* Puts @part, behind a gap, at the end of the line if it has room for it. */
static void add(char *line, size_t columns, const char *part)
{
    size_t used = strlen(line), gap = used > 0 ? 2 : 0, length = strlen(part);

    if (length == 0 || used + gap + length >= columns)
        return;
    memset(line + used, ' ', gap);
    memcpy(line + used + gap, part, length + 1);
}

/* The bar takes what the longest numbers leave. */
static void add_bar(char *line, size_t columns, unsigned percent)
{
    char bar[BAR + 3];
    size_t width = columns > NUMBERS + BAR ? BAR : columns > NUMBERS ? columns - NUMBERS : 0;

    if (width < SHORTEST_BAR)
        return;
    memset(bar, ' ', sizeof bar);
    bar[0] = '[';
    memset(bar + 1, '#', percent * width / 100);
    bar[width + 1] = ']';
    bar[width + 2] = '\0';
    add(line, columns, bar);
}

const char *get_progress_format(const struct get_progress *progress, weft_time now, bool end, size_t columns,
                                char *buffer, size_t size)
{
    bool is_known = progress->total != UINT64_MAX;
    double speed = speed_of(progress, now), share;
    char part[PART], rate[PART + 2];

    if (columns > size)
        columns = size;
    buffer[0] = '\0';
    if (is_known) {
        share =
            progress->total && progress->done < progress->total ? (double)progress->done / (double)progress->total : 1;
        snprintf(part, sizeof part, "%3u%%", (unsigned)(share * 100));
        add(buffer, columns, part);
        add_bar(buffer, columns, (unsigned)(share * 100));
    }
    add(buffer, columns, format_size((double)progress->done, part));
    snprintf(rate, sizeof rate, "%s/s", format_size(speed, part));
    add(buffer, columns, rate);
    if (is_known && !end && progress->done < progress->total)
        add(buffer, columns, speed > 0 ? format_time((double)(progress->total - progress->done) / speed, part) : "");
    return buffer;
}

/* A terminal of 0 columns does not know how wide it is. */
static size_t columns_of_terminal(void)
{
    struct winsize size;

    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : COLUMNS;
}

void get_progress_draw(struct get_progress *progress, weft_time now, bool end)
{
    char line[WIDEST];

    if (!progress->shown || (!end && progress->drawn && now - progress->last < OFTEN))
        return;
    progress->last = now;
    progress->drawn = true;
    get_progress_format(progress, now, end, columns_of_terminal(), line, sizeof line);
    fprintf(stderr, "\r%s\033[K%s", line, end ? "\n" : "");
    fflush(stderr);
}
