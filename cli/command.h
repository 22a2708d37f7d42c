/* SPDX-License-Identifier: MIT */
/*
 * A subcommand of `weft`: one description from which its arguments are parsed
 * and its help, its man page and its completion are printed.
 */
#ifndef WEFT_CLI_COMMAND_H
#define WEFT_CLI_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

/* The exit statuses of every command. */
enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

struct option;

/* What completion offers for an operand. */
enum operand_kind { OPERAND_TEXT, OPERAND_DIRECTORY, OPERAND_FILE, OPERAND_COMMAND, OPERAND_SCENARIO };

/* A positional argument; the value is a `const char *` at the offset, or a struct option_strings. */
struct operand {
    const char *name;    /* as help shows it: "DIR" */
    const char *help;    /* one sentence */
    const char *initial; /* the default, or NULL */
    enum operand_kind kind;
    bool required;
    bool repeats; /* the last one only: takes all that is left, into a struct option_strings */
    size_t offset;
};

/* An exit status other than those of every command. */
struct exit_status {
    int number;
    const char *meaning; /* a sentence */
};

/* A line to try. */
struct example {
    const char *line;
    const char *meaning;
};

struct command {
    const char *name;
    const char *summary;     /* what it does, a lower-case phrase without a full stop */
    const char *description; /* paragraphs, separated by an empty line */
    const char *revised;     /* when this description last changed, as mdoc(7) writes dates */
    const struct option *options;
    size_t option_count;
    const struct operand *operands; /* the required ones first */
    size_t operand_count;
    const struct exit_status *statuses; /* or NULL */
    size_t status_count;
    const struct example *examples;
    size_t example_count;
    size_t values_size;             /* of the struct that the options fill */
    int (*run)(const void *values); /* returns the exit status */
};

/* All commands, in the order in which they are shown. */
extern const struct command *const commands[];
extern const size_t command_count;

extern const struct command help_command;

/* The command of that name, or NULL. */
const struct command *command_find(const char *name);

/* The name most like @name, or NULL if none is near. */
const char *command_nearest(const char *name);

#endif
