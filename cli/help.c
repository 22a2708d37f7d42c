/* SPDX-License-Identifier: MIT */
#include "help.h"

#include <string.h>

#include "layout.h"
#include "options.h"

enum { TERM = 64, DEFAULT_SHOWN = 200, HELP_SHOWN = 1000, WIDEST_TERM = 28, GAP = 2 };

/* "  -w, --workers N": its width is what is returned. */
static size_t format_term(const struct option *option, char *buffer, size_t size)
{
    char letter[5] = "    ";

    if (option->letter)
        snprintf(letter, sizeof(letter), "-%c, ", option->letter);
    snprintf(buffer, size, "  %s--%s%s%s", letter, option->name, option->argument ? " " : "",
             option->argument ? option->argument : "");
    return strlen(buffer);
}

static size_t format_operand(const struct operand *operand, char *buffer, size_t size)
{
    snprintf(buffer, size, "  %s", operand->name);
    return strlen(buffer);
}

/* The column at which the explanations begin: after the longest term that is not too long. */
static size_t help_column(const struct command *command)
{
    char term[TERM];
    size_t widest = 0;

    for (size_t i = 0; i < command->option_count; i++) {
        size_t width = format_term(&command->options[i], term, sizeof(term));

        if (width > widest && width <= WIDEST_TERM)
            widest = width;
    }
    for (size_t i = 0; i < command->operand_count; i++) {
        size_t width = format_operand(&command->operands[i], term, sizeof(term));

        if (width > widest && width <= WIDEST_TERM)
            widest = width;
    }
    return widest + GAP;
}

static void print_explained(FILE *out, const char *term, const char *help, const char *standard, size_t column,
                            size_t width)
{
    char text[HELP_SHOWN];
    size_t used = strlen(term);

    snprintf(text, sizeof(text), "%s%s%s%s", help, standard ? " [default: " : "", standard ? standard : "",
             standard ? "]" : "");
    fputs(term, out);
    layout_print(out, text, used + GAP > column ? column + 1 : used, column, width);
}

static void print_options(FILE *out, const struct command *command, size_t column, size_t width)
{
    const char *group = NULL;
    char term[TERM];

    for (size_t i = 0; i < command->option_count; i++) {
        const struct option *option = &command->options[i];

        if (!group || strcmp(group, option->group) != 0)
            fprintf(out, "\n%s:\n", option->group);
        group = option->group;
        format_term(option, term, sizeof(term));
        print_explained(out, term, option->help, option->initial ? option->initial : option->otherwise, column, width);
    }
}

static void print_statuses(FILE *out, const struct command *command, size_t width)
{
    char term[TERM];

    if (command->status_count)
        fprintf(out, "\nExit status, besides 0 (done), 1 (failed) and 2 (used wrongly):\n");
    for (size_t i = 0; i < command->status_count; i++) {
        snprintf(term, sizeof(term), "  %d", command->statuses[i].number);
        print_explained(out, term, command->statuses[i].meaning, NULL, 8, width);
    }
}

void help_print_usage(FILE *out, const struct command *command)
{
    fprintf(out, "weft %s [OPTION]...", command->name);
    for (size_t i = 0; i < command->operand_count; i++) {
        fprintf(out, command->operands[i].required ? " %s" : " [%s]", command->operands[i].name);
        if (command->operands[i].repeats)
            fputs("...", out);
    }
}

void help_print(FILE *out, const struct command *command, size_t width)
{
    size_t column = help_column(command);
    char term[TERM];

    fprintf(out, "Usage: ");
    help_print_usage(out, command);
    fprintf(out, "\n\n");
    layout_print(out, command->description, 0, 0, width);
    if (command->operand_count)
        fprintf(out, "\n");
    for (size_t i = 0; i < command->operand_count; i++) {
        const struct operand *operand = &command->operands[i];

        format_operand(operand, term, sizeof(term));
        print_explained(out, term, operand->help, operand->initial, column, width);
    }
    print_options(out, command, column, width);
    print_statuses(out, command, width);
    if (command->example_count)
        fprintf(out, "\nExamples:\n");
    for (size_t i = 0; i < command->example_count; i++) {
        fprintf(out, "  %s\n", command->examples[i].line);
        layout_print(out, command->examples[i].meaning, 0, 6, width);
    }
}

void help_print_overview(FILE *out, size_t width)
{
    size_t column = 0;
    char term[TERM];

    fprintf(out, "Usage: weft COMMAND [OPTION]...\n\n");
    layout_print(out, "Weft serves network protocols, with safe defaults and without configuration.", 0, 0, width);
    fprintf(out, "\nCommands:\n");
    for (size_t i = 0; i < command_count; i++)
        column = strlen(commands[i]->name) > column ? strlen(commands[i]->name) : column;
    for (size_t i = 0; i < command_count; i++) {
        snprintf(term, sizeof(term), "  %s", commands[i]->name);
        print_explained(out, term, commands[i]->summary, NULL, column + 2 + GAP, width);
    }
    fprintf(out, "\nTry this:\n  weft web .           serve this folder on http://127.0.0.1:8080/\n"
                 "  weft COMMAND --help  show a command's options\n");
}
