/* SPDX-License-Identifier: MIT */
/* `weft help`: the help of a command, and what the build makes of the descriptions of the options. */
#include <stdlib.h>

#include "command.h"
#include "complete.h"
#include "help.h"
#include "layout.h"
#include "man.h"
#include "options.h"

struct help_options {
    const char *command;
    bool man;
    bool bash_completion;
};

static const struct option options[] = {
    {.name = "man",
     OPTION_SETS_FLAG(struct help_options, man),
     .group = "Other forms",
     .help = "Print the manual page instead, in mdoc(7)."},
    {.name = "bash-completion",
     OPTION_SETS_FLAG(struct help_options, bash_completion),
     .group = "Other forms",
     .help = "Print a script that completes the command lines of weft in bash."},
    OPTION_HELP_ENTRY("Other forms"),
};

static const struct operand operands[] = {
    {.name = "COMMAND",
     .kind = OPERAND_COMMAND,
     .offset = offsetof(struct help_options, command),
     .help = "What to explain; without it, which commands there are."},
};

static const struct example examples[] = {
    {"weft help web", "How to serve a folder."},
    {"source <(weft help --bash-completion)", "Complete command lines in this shell from now on."},
};

static int unknown(const char *name)
{
    const char *nearest = command_nearest(name);
    char shown[60];

    option_printable(name, shown, sizeof(shown));
    if (nearest)
        fprintf(stderr, "weft help: there is no command '%s'; did you mean '%s'?\n", shown, nearest);
    else
        fprintf(stderr, "weft help: there is no command '%s'; 'weft help' shows which there are\n", shown);
    return EXIT_USAGE;
}

static int run(const void *values)
{
    const struct help_options *chosen = values;
    const struct command *command = chosen->command ? command_find(chosen->command) : NULL;
    size_t width = layout_width(getenv("COLUMNS"));

    if (chosen->command && !command)
        return unknown(chosen->command);
    if (chosen->bash_completion)
        complete_print_bash(stdout);
    else if (chosen->man && command)
        man_print(stdout, command);
    else if (chosen->man)
        man_print_overview(stdout);
    else if (command)
        help_print(stdout, command, width);
    else
        help_print_overview(stdout, width);
    return EXIT_DONE;
}

const struct command help_command = {
    .name = "help",
    .summary = "explain a command",
    .description = "Explains a command and its options, or shows which commands there are.",
    .revised = "November 22, 2026",
    .options = options,
    .option_count = sizeof(options) / sizeof(options[0]),
    .operands = operands,
    .operand_count = sizeof(operands) / sizeof(operands[0]),
    .examples = examples,
    .example_count = sizeof(examples) / sizeof(examples[0]),
    .values_size = sizeof(struct help_options),
    .run = run,
};
