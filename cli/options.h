/* SPDX-License-Identifier: MIT */
/*
 * The options of a command as a constant table, and how arguments are read
 * by it into the command's struct of values.
 *
 * Long options are written out in full: an abbreviation that works today would
 * be ambiguous after the next release. A value is given as `--name=value`,
 * `--name value`, `-nvalue` or `-n value`; flags of one letter can be written
 * together; `--` ends the options.
 */
#ifndef WEFT_CLI_OPTIONS_H
#define WEFT_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <weft/time.h>

#include "command.h"

enum option_kind {
    OPTION_FLAG,     /* bool, set to true */
    OPTION_FLAG_OFF, /* bool that starts true, set to false */
    OPTION_HELP,     /* no value: options_parse answers OPTIONS_HELP */
    OPTION_STRING,   /* const char * */
    OPTION_STRINGS,  /* struct option_strings: may be repeated */
    OPTION_INTEGER,  /* size_t */
    OPTION_SIZE,     /* uint64_t, in bytes */
    OPTION_DURATION, /* weft_time */
    OPTION_CHOICE,   /* an enum (unsigned): the index of the word */
    OPTION_ENDPOINTS /* struct option_endpoints: may be repeated */
};

/* "Unlimited" is WEFT_UNLIMITED in an OPTION_INTEGER, WEFT_NEVER in an OPTION_DURATION, and this in an OPTION_SIZE. */
#define OPTION_SIZE_UNLIMITED UINT64_MAX

enum { OPTION_REPEATS = 32, OPTION_ENDPOINT_SIZE = 280, OPTIONS_MAXIMUM = 64 };

struct option_strings {
    size_t count;
    const char *items[OPTION_REPEATS]; /* borrowed from argv or the table */
};

/* Not to be copied: a short form was expanded in here. */
struct option_endpoints {
    size_t count;
    bool is_default; /* nobody chose them */
    const char *urls[OPTION_REPEATS];
    char expanded[OPTION_REPEATS][OPTION_ENDPOINT_SIZE];
};

struct option {
    const char *name;      /* the long one, without its dashes */
    char letter;           /* the short one, or 0 */
    bool may_be_unlimited; /* also takes the word "unlimited" */
    enum option_kind kind; /* kind and offset: by one of the OPTION_SETS_… macros */
    size_t offset;
    uint64_t minimum, maximum; /* of INTEGER, SIZE and DURATION; both inclusive */
    const char *const *words;  /* of CHOICE; ends with NULL */
    const char *argument;      /* as help shows it: "URL"; NULL for what takes none */
    const char *initial;       /* the default: read like an argument, and shown; NULL leaves zero */
    const char *otherwise;     /* a default that is no value, in words */
    const char *help;          /* sentences */
    const char *group;         /* the heading that it stands under; groups are in the table's order */
};

/* An offset that does not compile unless the member has the type that the kind writes. */
#define OPTION_OFFSET(struct_type, member, type) \
    (offsetof(struct_type, member) +             \
     0 * sizeof(char[__builtin_types_compatible_p(__typeof__(((struct_type *)0)->member), type) ? 1 : -1]))

#define OPTION_SETS_FLAG(s, m) .kind = OPTION_FLAG, .offset = OPTION_OFFSET(s, m, bool)
#define OPTION_CLEARS_FLAG(s, m) .kind = OPTION_FLAG_OFF, .offset = OPTION_OFFSET(s, m, bool)
#define OPTION_SETS_STRING(s, m) .kind = OPTION_STRING, .offset = OPTION_OFFSET(s, m, const char *)
#define OPTION_SETS_STRINGS(s, m) .kind = OPTION_STRINGS, .offset = OPTION_OFFSET(s, m, struct option_strings)
#define OPTION_SETS_INTEGER(s, m) .kind = OPTION_INTEGER, .offset = OPTION_OFFSET(s, m, size_t)
#define OPTION_SETS_SIZE(s, m) .kind = OPTION_SIZE, .offset = OPTION_OFFSET(s, m, uint64_t)
#define OPTION_SETS_DURATION(s, m) .kind = OPTION_DURATION, .offset = OPTION_OFFSET(s, m, weft_time)
#define OPTION_SETS_CHOICE(s, m) .kind = OPTION_CHOICE, .offset = OPTION_OFFSET(s, m, unsigned)
#define OPTION_SETS_ENDPOINTS(s, m) .kind = OPTION_ENDPOINTS, .offset = OPTION_OFFSET(s, m, struct option_endpoints)

/* The entry that every table ends with. */
#define OPTION_HELP_ENTRY(heading)                                                                                 \
    {                                                                                                              \
        .name = "help", .letter = 'h', .kind = OPTION_HELP, .help = "Show this help and exit.", .group = (heading) \
    }

enum options_result {
    OPTIONS_RUN,  /* the values are set */
    OPTIONS_HELP, /* help was asked for; the values are not to be used */
    OPTIONS_WRONG /* one line was written to @errors; the exit status is EXIT_USAGE */
};

/*
 * Reads @argv (without the command's name) by @command's tables.
 *
 * @values  the command's struct, of values_size bytes; cleared first. Its strings point into @argv and the table.
 */
enum options_result options_parse(const struct command *command, int argc, char *const *argv, void *values,
                                  FILE *errors);

/* Whether the option is followed by a value. */
bool option_takes_value(const struct option *option);

/*
 * @text for a message (printable.h): controls show as "?", the password of a URL as "***", and what is too long is cut.
 * In @buffer, which it returns.
 */
const char *option_printable(const char *text, char *buffer, size_t size);

#endif
