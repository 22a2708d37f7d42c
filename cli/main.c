/* SPDX-License-Identifier: MIT */
/* The command `weft`: finds the subcommand, reads its options and runs it. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <weft/error.h>
#include <weft/memory.h>

#include "command.h"
#include "help.h"
#include "layout.h"
#include "options.h"
#include "output.h"

/* What could not be written (a full disk, a closed pipe) must not look like success. */
static int flushed(int status)
{
    bool failed_before = ferror(stdout), fails = fflush(stdout) != 0;

    if (status != EXIT_DONE)
        return status;
    if (fails)
        fprintf(stderr, "weft: cannot write to standard output: %s\n", strerror(errno));
    else if (failed_before) /* its reason is not known any more */
        fprintf(stderr, "weft: cannot write all to standard output\n");
    return fails || failed_before || output_failure() < 0 ? EXIT_FAILED : EXIT_DONE;
}

static int run_command(const struct command *command, int argc, char *const *argv)
{
    void *values = weft_allocate_zeroed(1, command->values_size);
    int status = EXIT_USAGE;

    if (!values) {
        fprintf(stderr, "weft %s: %s\n", command->name, weft_error_text(WEFT_ENOMEM));
        return EXIT_FAILED;
    }
    switch (options_parse(command, argc, argv, values, stderr)) {
    case OPTIONS_RUN:
        status = command->run(values);
        break;
    case OPTIONS_HELP:
        help_print(stdout, command, layout_width(getenv("COLUMNS")));
        status = EXIT_DONE;
        break;
    case OPTIONS_WRONG:
        break;
    }
    weft_release(values);
    return status;
}

static int unknown_command(const char *name)
{
    bool is_option = name[0] == '-';
    const char *nearest = is_option ? NULL : command_nearest(name);
    char shown[60];

    option_printable(name, shown, sizeof(shown));
    fprintf(stderr, "weft: there is no %s '%s'; ", is_option ? "option" : "command", shown);
    if (nearest)
        fprintf(stderr, "did you mean 'weft %s'?\n", nearest);
    else
        fprintf(stderr, "try 'weft --help'\n");
    return EXIT_USAGE;
}

/* What is opened later must not become an input or output that whoever started this closed; to use one is an error. */
static void occupy_closed(void)
{
    int fd;

    do
        fd = open("/dev/null", O_PATH);
    while (fd >= STDIN_FILENO && fd <= STDERR_FILENO);
    if (fd > STDERR_FILENO)
        close(fd);
}

int main(int argc, char **argv)
{
    size_t width = layout_width(getenv("COLUMNS"));
    const struct command *command;

    occupy_closed();
    if (argc < 2) {
        help_print_overview(stderr, width);
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        help_print_overview(stdout, width);
        return flushed(EXIT_DONE);
    }
    if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0) {
        printf("weft %s\n", WEFT_VERSION);
        return flushed(EXIT_DONE);
    }
    command = command_find(argv[1]);
    if (!command)
        return unknown_command(argv[1]);
    return flushed(run_command(command, argc - 2, argv + 2));
}
