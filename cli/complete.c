/* SPDX-License-Identifier: MIT */
#include "complete.h"

#include "command.h"
#include "options.h"

/* bash splits a line at "=" too: "--log=js" arrives as the three words "--log", "=" and "js". */
static const char beginning[] =
    "# bash completion for weft; made by `weft help --bash-completion`\n"
    "_weft()\n"
    "{\n"
    "    local current=\"${COMP_WORDS[COMP_CWORD]}\" before=$((COMP_CWORD - 1)) command=\"\" words=\"\" files=\"\"\n"
    "    if [[ $current == = ]]; then\n"
    "        current=\"\"\n"
    "    elif [[ ${COMP_WORDS[before]} == = ]]; then\n"
    "        before=$((before - 1))\n"
    "    fi\n"
    "    if ((COMP_CWORD > 1)); then\n"
    "        command=\"${COMP_WORDS[1]}\"\n"
    "    fi\n"
    "    case \"$command\" in\n";

static const char end[] = "    esac\n"
                          "    if [[ -n $files ]]; then\n"
                          "        compopt -o filenames 2>/dev/null\n"
                          "        mapfile -t COMPREPLY < <(compgen \"$files\" -- \"$current\")\n"
                          "    else\n"
                          "        mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\")\n"
                          "    fi\n"
                          "}\n"
                          "complete -F _weft weft\n";

static void print_command_names(FILE *out)
{
    for (size_t i = 0; i < command_count; i++)
        fprintf(out, "%s%s", i ? " " : "", commands[i]->name);
}

static void print_letter_pattern(FILE *out, const struct option *option)
{
    if (option->letter)
        fprintf(out, " | -%c", option->letter);
}

/* What may follow an option that takes a value: its words, or nothing that could be known. */
static void print_values(FILE *out, const struct command *command)
{
    fprintf(out, "        case \"${COMP_WORDS[before]}\" in\n");
    for (size_t i = 0; i < command->option_count; i++) {
        const struct option *option = &command->options[i];

        if (!option_takes_value(option))
            continue;
        fprintf(out, "        --%s", option->name);
        print_letter_pattern(out, option);
        fprintf(out, ")\n            words=\"");
        for (size_t w = 0; option->kind == OPTION_CHOICE && option->words[w]; w++)
            fprintf(out, "%s%s", w ? " " : "", option->words[w]);
        fprintf(out, "%s\"\n            ;;\n", option->may_be_unlimited ? "unlimited" : "");
    }
}

/* A scenario is named, or it is a file, whose path has a slash. */
static void print_scenario_words(FILE *out)
{
    fputs("                if [[ $current == */* ]]; then\n"
          "                    files=-f\n"
          "                else\n"
          "                    words=\"$(\"${COMP_WORDS[0]}\" sim --list 2>/dev/null | sed 's/ .*//')\"\n"
          "                fi\n",
          out);
}

static void print_operand_words(FILE *out, const struct command *command)
{
    enum operand_kind kind = command->operand_count ? command->operands[0].kind : OPERAND_TEXT;

    if (kind == OPERAND_DIRECTORY || kind == OPERAND_FILE) {
        fprintf(out, "                files=%s\n", kind == OPERAND_DIRECTORY ? "-d" : "-f");
        return;
    }
    if (kind == OPERAND_SCENARIO) {
        print_scenario_words(out);
        return;
    }
    fprintf(out, "                words=\"");
    if (kind == OPERAND_COMMAND)
        print_command_names(out);
    fprintf(out, "\"\n");
}

static void print_command(FILE *out, const struct command *command)
{
    fprintf(out, "    %s)\n", command->name);
    print_values(out, command);
    fprintf(out, "        *)\n            if [[ $current == -* ]]; then\n                words=\"");
    for (size_t i = 0; i < command->option_count; i++)
        fprintf(out, "%s--%s", i ? " " : "", command->options[i].name);
    fprintf(out, "\"\n            else\n");
    print_operand_words(out, command);
    fprintf(out, "            fi\n            ;;\n        esac\n        ;;\n");
}

void complete_print_bash(FILE *out)
{
    fputs(beginning, out);
    fprintf(out, "    \"\")\n        words=\"");
    print_command_names(out);
    fprintf(out, " --help --version\"\n        ;;\n");
    for (size_t i = 0; i < command_count; i++)
        print_command(out, commands[i]);
    fputs(end, out);
}
