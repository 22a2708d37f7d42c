/* SPDX-License-Identifier: MIT */
#include "man.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "options.h"

/*
 * One line of text. What roff would take for a request, an escape or a
 * hyphen is escaped: a dash that begins a word belongs to an option, which
 * must be copied from the page as it is.
 */
static void print_text(FILE *out, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        bool begins_word = i == 0 || text[i - 1] == ' ' || text[i - 1] == '-' || text[i - 1] == '\'';

        if (i == 0 && (text[i] == '.' || text[i] == '\''))
            fputs("\\&", out);
        if (text[i] == '\\')
            fputs("\\e", out);
        else if (text[i] == '-' && begins_word)
            fputs("\\-", out);
        else
            fputc(text[i], out);
    }
    fputc('\n', out);
}

/* Text in lines of a sentence each, as mdoc wants it; an empty line begins a paragraph. */
static void print_sentences(FILE *out, const char *text)
{
    while (*text) {
        const char *end = text;

        while (*end && *end != '\n' && !(end[0] == '.' && end[1] == ' ' && isupper((unsigned char)end[2])))
            end++;
        end += *end == '.';
        print_text(out, text, (size_t)(end - text));
        if (end[0] == '\n' && end[1] == '\n')
            fputs(".Pp\n", out);
        text = end + strspn(end, " \n");
    }
}

static void print_upper(FILE *out, const char *text)
{
    for (; *text; text++)
        fputc(toupper((unsigned char)*text), out);
}

static void print_option(FILE *out, const struct option *option)
{
    const char *standard = option->initial ? option->initial : option->otherwise;

    fputs(".It", out);
    if (option->letter)
        fprintf(out, " Fl %c", option->letter);
    if (option->letter && option->argument)
        fprintf(out, " Ar %s", option->argument);
    if (option->letter)
        fputs(" ,", out);
    fprintf(out, " Fl \\-%s", option->name);
    if (option->argument)
        fprintf(out, " Ns = Ns Ar %s", option->argument);
    fputc('\n', out);
    print_sentences(out, option->help);
    if (standard && option->initial)
        fprintf(out, "The default is\n.Cm %s .\n", standard);
    else if (standard)
        fprintf(out, "The default is %s.\n", standard);
}

static void print_options(FILE *out, const struct command *command)
{
    const char *group = NULL;

    fputs(".Sh OPTIONS\n", out);
    for (size_t i = 0; i < command->option_count; i++) {
        const struct option *option = &command->options[i];

        if (!group || strcmp(group, option->group) != 0)
            fprintf(out, "%s.Ss %s\n.Bl -tag -width Ds\n", group ? ".El\n" : "", option->group);
        group = option->group;
        print_option(out, option);
    }
    if (group)
        fputs(".El\n", out);
}

static void print_operands(FILE *out, const struct command *command)
{
    if (command->operand_count == 0)
        return;
    fputs(".Pp\nThe arguments are:\n.Bl -tag -width Ds\n", out);
    for (size_t i = 0; i < command->operand_count; i++) {
        fprintf(out, ".It Ar %s\n", command->operands[i].name);
        print_sentences(out, command->operands[i].help);
        if (command->operands[i].initial)
            fprintf(out, "The default is\n.Pa \\&%s .\n", command->operands[i].initial);
    }
    fputs(".El\n", out);
}

static void print_examples(FILE *out, const struct command *command)
{
    if (command->example_count == 0)
        return;
    fputs(".Sh EXAMPLES\n", out);
    for (size_t i = 0; i < command->example_count; i++) {
        print_sentences(out, command->examples[i].meaning);
        fputs(".Bd -literal -offset indent\n", out);
        print_text(out, command->examples[i].line, strlen(command->examples[i].line));
        fprintf(out, ".Ed\n%s", i + 1 < command->example_count ? ".Pp\n" : "");
    }
}

static void print_exit_status(FILE *out, const struct command *command)
{
    fputs(".Sh EXIT STATUS\n.Bl -tag -width Ds\n"
          ".It 0\nIt did what it was asked to.\n"
          ".It 1\nIt failed, and said why on standard error.\n"
          ".It 2\nIt was used wrongly, and said how on standard error.\n",
          out);
    for (size_t i = 0; command && i < command->status_count; i++) {
        fprintf(out, ".It %d\n", command->statuses[i].number);
        print_sentences(out, command->statuses[i].meaning);
    }
    fputs(".El\n", out);
}

void man_print(FILE *out, const struct command *command)
{
    fprintf(out, ".Dd %s\n.Dt WEFT-", command->revised);
    print_upper(out, command->name);
    fprintf(out, " 1\n.Os Weft\n.Sh NAME\n.Nm weft-%s\n.Nd %s\n", command->name, command->summary);
    fprintf(out, ".Sh SYNOPSIS\n.Nm weft Cm %s\n.Op Ar option ...\n", command->name);
    for (size_t i = 0; i < command->operand_count; i++)
        fprintf(out, command->operands[i].required ? ".Ar %s%s\n" : ".Op Ar %s%s\n", command->operands[i].name,
                command->operands[i].repeats ? " ..." : "");
    fputs(".Sh DESCRIPTION\n", out);
    print_sentences(out, command->description);
    print_operands(out, command);
    print_options(out, command);
    print_exit_status(out, command);
    print_examples(out, command);
    fputs(".Sh SEE ALSO\n.Xr weft 1\n", out);
}

void man_print_overview(FILE *out)
{
    fprintf(out, ".Dd %s\n.Dt WEFT 1\n.Os Weft\n.Sh NAME\n.Nm weft\n.Nd serve network protocols\n",
            help_command.revised);
    fputs(".Sh SYNOPSIS\n.Nm\n.Ar command\n.Op Ar option ...\n.Nm\n.Fl \\-version\n", out);
    fputs(".Sh DESCRIPTION\n.Nm\nserves network protocols, with safe defaults and without configuration.\n"
          ".Pp\nThe commands are:\n.Bl -tag -width Ds\n",
          out);
    for (size_t i = 0; i < command_count; i++)
        fprintf(out, ".It Cm %s\n%s; see\n.Xr weft-%s 1 .\n", commands[i]->name, commands[i]->summary,
                commands[i]->name);
    fputs(".El\n", out);
    print_exit_status(out, NULL);
}
