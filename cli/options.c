/* SPDX-License-Identifier: MIT */
#include "options.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "printable.h"
#include "suggest.h"
#include "values.h"

enum { SHOWN = 60, EXPECTED = 160 };

struct parse {
    const struct command *command;
    char *values;
    FILE *errors;
    char *const *argv;
    int argc;
    int next;        /* of argv */
    size_t operands; /* read so far */
    uint64_t seen;   /* a bit for each option of the table */
};

bool option_takes_value(const struct option *option)
{
    return option->kind != OPTION_FLAG && option->kind != OPTION_FLAG_OFF && option->kind != OPTION_HELP;
}

const char *option_printable(const char *text, char *buffer, size_t size)
{
    if (strstr(text, "://"))
        return printable_url(text, buffer, size);
    return printable(weft_bytes_from(text), buffer, size);
}

/* The one line that a mistake gets. */
static enum options_result wrong(const struct parse *parse, const char *format, ...) WEFT_PRINTF(2, 3);
static enum options_result wrong(const struct parse *parse, const char *format, ...)
{
    va_list arguments;

    fprintf(parse->errors, "weft %s: ", parse->command->name);
    va_start(arguments, format);
    vfprintf(parse->errors, format, arguments);
    va_end(arguments);
    fprintf(parse->errors, "; try 'weft %s --help'\n", parse->command->name);
    return OPTIONS_WRONG;
}

static size_t index_of_word(const struct option *option, const char *text)
{
    size_t i = 0;

    while (option->words[i] && strcmp(option->words[i], text) != 0)
        i++;
    return i;
}

/* What the option takes, to finish the sentence "--name takes …". */
static const char *expected(const struct option *option, char *buffer, size_t size)
{
    const char *more = option->may_be_unlimited ? ", or 'unlimited'" : "";
    char low[24], high[24];
    size_t used = 0;

    switch (option->kind) {
    case OPTION_INTEGER:
        snprintf(buffer, size, "a whole number from %llu to %llu%s", (unsigned long long)option->minimum,
                 (unsigned long long)option->maximum, more);
        break;
    case OPTION_SIZE:
        snprintf(buffer, size, "a size from %s to %s, such as 64k or 1m%s",
                 value_format_size(option->minimum, low, sizeof(low)),
                 value_format_size(option->maximum, high, sizeof(high)), more);
        break;
    case OPTION_DURATION:
        snprintf(buffer, size, "a duration from %s to %s, such as 500ms, 30s or 5m%s",
                 value_format_duration(option->minimum, low, sizeof(low)),
                 value_format_duration(option->maximum, high, sizeof(high)), more);
        break;
    case OPTION_CHOICE:
        snprintf(buffer, size, "one of");
        for (size_t i = 0; option->words[i] && (used = strlen(buffer)) < size; i++)
            snprintf(buffer + used, size - used, "%s %s", i ? "," : "", option->words[i]);
        break;
    case OPTION_ENDPOINTS:
        snprintf(buffer, size, "a URL such as tcp://127.0.0.1:8080, HOST:PORT or a port from 0 to 65535");
        break;
    case OPTION_FLAG:
    case OPTION_FLAG_OFF:
    case OPTION_HELP:
    case OPTION_STRING:
    case OPTION_STRINGS:
        snprintf(buffer, size, "a value that is not empty");
        break;
    }
    return buffer;
}

static enum options_result wrong_value(const struct parse *parse, const struct option *option, const char *text)
{
    char shown[SHOWN], what[EXPECTED];
    struct suggestion suggestion = suggestion_for(text, strlen(text));

    for (size_t i = 0; option->kind == OPTION_CHOICE && option->words[i]; i++)
        suggestion_offer(&suggestion, option->words[i]);
    expected(option, what, sizeof(what));
    option_printable(text, shown, sizeof(shown));
    if (suggestion.best)
        return wrong(parse, "--%s takes %s, not '%s' (did you mean '%s'?)", option->name, what, shown, suggestion.best);
    return wrong(parse, "--%s takes %s, not '%s'", option->name, what, shown);
}

static int read_limited(const struct option *option, const char *text, uint64_t unlimited, uint64_t *ret)
{
    uint64_t value = 0;
    int error;

    if (option->may_be_unlimited && strcmp(text, "unlimited") == 0) {
        *ret = unlimited;
        return 0;
    }
    if (option->kind == OPTION_DURATION)
        error = value_duration(text, &value);
    else
        error = option->kind == OPTION_SIZE ? value_size(text, &value) : value_integer(text, &value);
    if (error < 0)
        return error;
    if (value < option->minimum || value > option->maximum)
        return -ERANGE;
    *ret = value;
    return 0;
}

static int add_endpoint(struct option_endpoints *list, const char *text)
{
    int error;

    if (list->count == OPTION_REPEATS)
        return -ENOSPC;
    error = value_endpoint(text, list->expanded[list->count], OPTION_ENDPOINT_SIZE, &list->urls[list->count]);
    if (error < 0)
        return error;
    list->count++;
    return 0;
}

static int add_string(struct option_strings *list, const char *text)
{
    if (*text == '\0')
        return -EINVAL;
    if (list->count == OPTION_REPEATS)
        return -ENOSPC;
    list->items[list->count++] = text;
    return 0;
}

/* Reads @text as the option's value: 0, -EINVAL or -ERANGE for a bad one, -ENOSPC for one too many. */
static int store(const struct option *option, char *values, const char *text)
{
    void *at = values + option->offset;
    uint64_t number = 0;
    int error = 0;

    switch (option->kind) {
    case OPTION_FLAG:
    case OPTION_FLAG_OFF:
        *(bool *)at = option->kind == OPTION_FLAG;
        break;
    case OPTION_HELP:
        break;
    case OPTION_STRING:
        if (*text == '\0')
            return -EINVAL;
        *(const char **)at = text;
        break;
    case OPTION_STRINGS:
        return add_string(at, text);
    case OPTION_INTEGER:
        if ((error = read_limited(option, text, WEFT_UNLIMITED, &number)) == 0)
            *(size_t *)at = (size_t)number;
        break;
    case OPTION_SIZE:
        return read_limited(option, text, OPTION_SIZE_UNLIMITED, at);
    case OPTION_DURATION:
        if ((error = read_limited(option, text, WEFT_NEVER, &number)) == 0)
            *(weft_time *)at = (weft_time)number;
        break;
    case OPTION_CHOICE:
        number = index_of_word(option, text);
        if (!option->words[number])
            return -EINVAL;
        *(unsigned *)at = (unsigned)number;
        break;
    case OPTION_ENDPOINTS:
        return add_endpoint(at, text);
    }
    return error;
}

static enum options_result set(struct parse *parse, const struct option *option, const char *text)
{
    int error = store(option, parse->values, text);

    if (error == -ENOSPC)
        return wrong(parse, "--%s is given more than %d times", option->name, OPTION_REPEATS);
    if (error < 0)
        return wrong_value(parse, option, text);
    parse->seen |= UINT64_C(1) << (option - parse->command->options);
    return option->kind == OPTION_HELP ? OPTIONS_HELP : OPTIONS_RUN;
}

static const struct option *find_long(const struct command *command, const char *name, size_t length)
{
    for (size_t i = 0; i < command->option_count; i++)
        if (strlen(command->options[i].name) == length && memcmp(command->options[i].name, name, length) == 0)
            return &command->options[i];
    return NULL;
}

static const struct option *find_short(const struct command *command, char letter)
{
    for (size_t i = 0; i < command->option_count; i++)
        if (command->options[i].letter == letter)
            return &command->options[i];
    return NULL;
}

static enum options_result unknown_long(const struct parse *parse, const char *name, size_t length)
{
    struct suggestion suggestion = suggestion_for(name, length);
    char given[SHOWN], shown[SHOWN];

    snprintf(given, sizeof(given), "%.*s", length < SHOWN ? (int)length : SHOWN, name);
    option_printable(given, shown, sizeof(shown));
    for (size_t i = 0; i < parse->command->option_count; i++)
        suggestion_offer(&suggestion, parse->command->options[i].name);
    if (suggestion.best)
        return wrong(parse, "unknown option '--%s' (did you mean '--%s'?)", shown, suggestion.best);
    return wrong(parse, "unknown option '--%s'", shown);
}

/* Takes the next argument as @option's value. */
static enum options_result set_from_next(struct parse *parse, const struct option *option)
{
    char what[EXPECTED];

    if (parse->next == parse->argc)
        return wrong(parse, "--%s needs a value: it takes %s", option->name, expected(option, what, sizeof(what)));
    return set(parse, option, parse->argv[parse->next++]);
}

static enum options_result parse_long(struct parse *parse, const char *name)
{
    size_t length = strcspn(name, "=");
    const struct option *option = find_long(parse->command, name, length);

    if (!option)
        return unknown_long(parse, name, length);
    if (!option_takes_value(option) && name[length] == '=')
        return wrong(parse, "--%s takes no value", option->name);
    if (!option_takes_value(option))
        return set(parse, option, "");
    if (name[length] == '=')
        return set(parse, option, name + length + 1);
    return set_from_next(parse, option);
}

static enum options_result parse_short(struct parse *parse, const char *letters)
{
    for (; *letters; letters++) {
        const struct option *option = find_short(parse->command, *letters);
        enum options_result result;
        char shown[2];

        if (!option)
            return wrong(parse, "unknown option '-%s'",
                         option_printable((char[]){*letters, '\0'}, shown, sizeof(shown)));
        if (option_takes_value(option))
            return letters[1] ? set(parse, option, letters + 1) : set_from_next(parse, option);
        result = set(parse, option, "");
        if (result != OPTIONS_RUN)
            return result;
    }
    return OPTIONS_RUN;
}

static enum options_result set_operand(struct parse *parse, const struct operand *operand, const char *text)
{
    void *at = parse->values + operand->offset;

    if (!operand->repeats)
        *(const char **)at = text;
    else if (add_string(at, text) < 0)
        return wrong(parse, "%s is given more than %d times", operand->name, OPTION_REPEATS);
    return OPTIONS_RUN;
}

static enum options_result parse_operand(struct parse *parse, const char *text)
{
    const struct command *command = parse->command;
    char shown[SHOWN];

    option_printable(text, shown, sizeof(shown));
    if (command->operand_count == 0)
        return wrong(parse, "takes no argument, but got '%s'", shown);
    if (parse->operands > 0 && command->operands[parse->operands - 1].repeats)
        parse->operands--;
    if (parse->operands == command->operand_count)
        return wrong(parse, "one argument too many: '%s' (after %s)", shown,
                     command->operands[command->operand_count - 1].name);
    if (*text == '\0')
        return wrong(parse, "%s is empty", command->operands[parse->operands].name);
    return set_operand(parse, &command->operands[parse->operands++], text);
}

static enum options_result parse_arguments(struct parse *parse)
{
    enum options_result result = OPTIONS_RUN;
    bool options_ended = false;

    while (result == OPTIONS_RUN && parse->next < parse->argc) {
        const char *text = parse->argv[parse->next++];

        if (options_ended || text[0] != '-' || text[1] == '\0')
            result = parse_operand(parse, text);
        else if (strcmp(text, "--") == 0)
            options_ended = true;
        else
            result = text[1] == '-' ? parse_long(parse, text + 2) : parse_short(parse, text + 1);
    }
    return result;
}

/* The defaults of what was not given. A flag's was set before: its options may come in pairs. */
static enum options_result fill_in(struct parse *parse)
{
    const struct command *command = parse->command;

    for (size_t i = 0; i < command->option_count; i++) {
        const struct option *option = &command->options[i];

        if ((parse->seen & UINT64_C(1) << i) || !option->initial)
            continue;
        if (store(option, parse->values, option->initial) < 0)
            return wrong_value(parse, option, option->initial);
        if (option->kind == OPTION_ENDPOINTS)
            ((struct option_endpoints *)(void *)(parse->values + option->offset))->is_default = true;
    }
    for (size_t i = parse->operands; i < command->operand_count; i++) {
        if (command->operands[i].required)
            return wrong(parse, "%s is missing", command->operands[i].name);
        if (command->operands[i].initial)
            (void)set_operand(parse, &command->operands[i], command->operands[i].initial);
    }
    return OPTIONS_RUN;
}

enum options_result options_parse(const struct command *command, int argc, char *const *argv, void *values,
                                  FILE *errors)
{
    struct parse parse = {.command = command, .values = values, .errors = errors, .argv = argv, .argc = argc};
    enum options_result result;

    memset(values, 0, command->values_size);
    for (size_t i = 0; i < command->option_count; i++)
        if (command->options[i].kind == OPTION_FLAG_OFF)
            *(bool *)(parse.values + command->options[i].offset) = true;
    result = parse_arguments(&parse);
    return result == OPTIONS_RUN ? fill_in(&parse) : result;
}
