/* SPDX-License-Identifier: MIT */
#include "sim_replay.h"

#include <inttypes.h>
#include <string.h>

#include <weft/memory.h>

#include "printable.h"

#define PLAIN "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=./:,@%"

/* As bash and others read it, for what no line can hold. */
static void print_escaped(FILE *out, const char *text)
{
    fputs("$'", out);
    for (; *text; text++)
        if (*text == '\r' || *text == '\n')
            fputs(*text == '\r' ? "\\r" : "\\n", out);
        else if ((unsigned char)*text < ' ' || *text == 0x7f)
            fprintf(out, "\\x%02x", (unsigned char)*text);
        else
            fprintf(out, *text == '\'' || *text == '\\' ? "\\%c" : "%c", *text);
    fputc('\'', out);
}

static bool holds_control(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            return true;
    return false;
}

static void print_quoted(FILE *out, const char *text)
{
    if (holds_control(text)) {
        print_escaped(out, text);
        return;
    }
    if (*text && text[strspn(text, PLAIN)] == '\0') {
        fputs(text, out);
        return;
    }
    fputc('\'', out);
    for (; *text; text++)
        if (*text == '\'')
            fputs("'\\''", out);
        else
            fputc(*text, out);
    fputc('\'', out);
}

static void print_option(FILE *out, const char *name, const char *value)
{
    fputs(name, out);
    print_quoted(out, value);
}

/* What begins with a dash would be an option, and what has an equals sign before its slash a variable's value. */
static void print_path(FILE *out, const char *before, const char *path)
{
    bool is_other = path[0] == '-' || strcspn(path, "=") < strcspn(path, "/");
    size_t size = strlen(path) + sizeof "./";
    char *text = is_other ? weft_allocate(size) : NULL;

    if (text)
        snprintf(text, size, "./%s", path);
    print_option(out, before, text ? text : path);
    weft_release(text);
}

static void print_keep(FILE *out, const char *name, const struct sim_keep *keep)
{
    size_t length = sim_keep_format(keep, NULL, 0);
    char *text = weft_allocate(length + 1);

    if (text) {
        sim_keep_format(keep, text, length + 1);
        print_option(out, name, text);
    } else {
        print_option(out, name, "...");
    }
    weft_release(text);
}

static void print_command(FILE *out, const struct sim_job *job, uint64_t seed, bool twice)
{
    if (job->scenario)
        print_path(out, "weft sim ", job->options->operands.items[0]);
    else
        fputs("weft sim", out);
    fprintf(out, " --seed %" PRIu64 "%s", seed, twice ? " --twice" : "");
    if (strcmp(job->options->faults, "all") != 0)
        print_option(out, " --faults ", job->options->faults);
    if (job->scenario && job->plan.connections != job->scenario->plan.connections)
        fprintf(out, " --connections %u", job->plan.connections);
    if (job->scenario && job->plan.messages != job->scenario->plan.messages)
        fprintf(out, " --messages %u", job->plan.messages);
    if (job->keep)
        print_keep(out, " --keep ", job->keep);
    if (!job->scenario)
        fprintf(out, " --connections %u --messages %u%s", job->plan.connections, job->plan.messages,
                job->options->visitors ? "" : " --no-visitors");
    if (job->options->say)
        print_option(out, " --say ", job->options->say);
    for (size_t i = 0; job->argv[i]; i++)
        print_option(out, i == 0 ? " -- " : " ", job->argv[i]);
}

/* What the program itself is run with: so it can be, in a debugger, too. */
static void print_program(FILE *out, const struct sim_job *job, uint64_t seed)
{
    fprintf(out, "WEFT_BACKEND=sim:%" PRIu64, seed);
    print_option(out, " WEFT_SIM_FAULTS=", job->options->faults);
    if (job->keep)
        print_keep(out, " WEFT_SIM_KEEP=", job->keep);
    if (job->options->visitors)
        fprintf(out, " WEFT_SIM_VISITORS=%u,%u", job->plan.connections, job->plan.messages);
    if (job->options->visitors && job->options->say)
        print_option(out, " WEFT_SIM_SAY=", job->options->say);
    for (size_t i = 0; job->argv[i]; i++)
        if (i == 0)
            print_path(out, " ", job->argv[i]);
        else
            print_option(out, " ", job->argv[i]);
}

void sim_replay_print(FILE *out, const struct sim_job *job, uint64_t seed, bool twice)
{
    if (job->scenario || twice)
        print_command(out, job, seed, twice);
    else
        print_program(out, job, seed);
    fputc('\n', out);
}
