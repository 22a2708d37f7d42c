/* SPDX-License-Identifier: MIT */
#include "capture.h"

#include "options.h"

enum colour { RED, GREEN, BLUE };

struct values {
    bool loud;
    bool fast;
    bool polished;
    const char *name;
    struct option_strings tags;
    size_t count;
    uint64_t size;
    weft_time wait;
    enum colour colour;
    struct option_endpoints listen;
    const char *from;
    const char *to;
};

static const char *const colours[] = {"red", "green", "blue", NULL};

static const struct option options[] = {
    {.name = "loud", .letter = 'l', OPTION_SETS_FLAG(struct values, loud), .help = "Be loud.", .group = "All"},
    {.name = "fast", .letter = 'f', OPTION_SETS_FLAG(struct values, fast), .help = "Be fast.", .group = "All"},
    {.name = "polish", OPTION_SETS_FLAG(struct values, polished), .help = "Polish.", .group = "All"},
    {.name = "no-polish", OPTION_CLEARS_FLAG(struct values, polished), .help = "Don't.", .group = "All"},
    {.name = "name",
     .letter = 'n',
     OPTION_SETS_STRING(struct values, name),
     .argument = "NAME",
     .group = "All",
     .help = "A name."},
    {.name = "tag",
     .letter = 't',
     OPTION_SETS_STRINGS(struct values, tags),
     .argument = "TAG",
     .initial = "plain",
     .group = "All",
     .help = "Tags."},
    {.name = "count",
     .letter = 'c',
     OPTION_SETS_INTEGER(struct values, count),
     .argument = "N",
     .initial = "3",
     .minimum = 1,
     .maximum = 10,
     .may_be_unlimited = true,
     .group = "All",
     .help = "A count."},
    {.name = "size",
     OPTION_SETS_SIZE(struct values, size),
     .argument = "SIZE",
     .initial = "64k",
     .minimum = 1024,
     .maximum = 1 << 20,
     .may_be_unlimited = true,
     .group = "All",
     .help = "A size."},
    {.name = "wait",
     .letter = 'w',
     OPTION_SETS_DURATION(struct values, wait),
     .argument = "TIME",
     .initial = "30s",
     .minimum = WEFT_MILLISECONDS(10),
     .maximum = WEFT_HOURS(1),
     .may_be_unlimited = true,
     .group = "All",
     .help = "A time."},
    {.name = "colour",
     OPTION_SETS_CHOICE(struct values, colour),
     .argument = "COLOUR",
     .words = colours,
     .initial = "green",
     .group = "All",
     .help = "A colour."},
    {.name = "listen",
     OPTION_SETS_ENDPOINTS(struct values, listen),
     .argument = "URL",
     .initial = "7007",
     .group = "All",
     .help = "Places."},
    OPTION_HELP_ENTRY("All"),
};

static const struct operand operands[] = {
    {.name = "FROM", .required = true, .offset = offsetof(struct values, from), .help = "Where from."},
    {.name = "TO", .initial = "here", .offset = offsetof(struct values, to), .help = "Where to."},
};

static const struct command command = {
    .name = "try",
    .options = options,
    .option_count = sizeof(options) / sizeof(options[0]),
    .operands = operands,
    .operand_count = 2,
    .values_size = sizeof(struct values),
};

static const struct command bare = {.name = "bare",
                                    .options = options,
                                    .option_count = 2,
                                    .values_size = sizeof(struct values)};

enum { ARGUMENTS = 80 };

/* Splits @line at spaces ("_" is an empty argument) and parses it; *values points into @line's copy. */
static enum options_result parse(const struct command *parsed, const char *line, struct values *values, char **message)
{
    static char copy[1000];
    char *argv[ARGUMENTS];
    struct capture capture;
    enum options_result result;
    int argc = 0;

    assert_true(strlen(line) < sizeof(copy));
    strcpy(copy, line);
    for (char *word = strtok(copy, " "); word; word = strtok(NULL, " ")) {
        assert_true(argc < ARGUMENTS);
        argv[argc++] = strcmp(word, "_") == 0 ? word + 1 : word;
    }
    capture_begin(&capture);
    result = options_parse(parsed, argc, argv, values, capture.out);
    capture_end(&capture);
    *message = capture.text;
    return result;
}

static void accept(const char *line, struct values *values)
{
    char *message;

    assert_int_equal(parse(&command, line, values, &message), OPTIONS_RUN);
    assert_string_equal(message, "");
    free(message);
}

static void refuse_by(const struct command *parsed, const char *line, const char *expected)
{
    struct values values;
    char whole[500], *message;

    snprintf(whole, sizeof(whole), "weft %s: %s; try 'weft %s --help'\n", parsed->name, expected, parsed->name);
    assert_int_equal(parse(parsed, line, &values, &message), OPTIONS_WRONG);
    assert_string_equal(message, whole);
    free(message);
}

static void refuse(const char *line, const char *expected)
{
    refuse_by(&command, line, expected);
}

static void defaults_stand_for_what_is_not_given(void **state)
{
    struct values values;

    (void)state;
    memset(&values, 0x5a, sizeof(values));
    accept("a", &values);
    assert_false(values.loud);
    assert_true(values.polished);
    assert_null(values.name);
    assert_int_equal(values.tags.count, 1);
    assert_string_equal(values.tags.items[0], "plain");
    assert_int_equal(values.count, 3);
    assert_int_equal(values.size, 65536);
    assert_true(values.wait == WEFT_SECONDS(30));
    assert_int_equal(values.colour, GREEN);
    assert_int_equal(values.listen.count, 1);
    assert_string_equal(values.listen.urls[0], "tcp://127.0.0.1:7007");
    assert_true(values.listen.is_default);
    assert_string_equal(values.from, "a");
    assert_string_equal(values.to, "here");
}

static void values_come_in_every_usual_form(void **state)
{
    static const char *const lines[] = {"--count=7 a", "--count 7 a", "-c7 a",         "-c 7 a",      "a -c 7",
                                        "-lfc7 a",     "-lc 7 a",     "a b --count=7", "-c 2 -c 7 a", "--count=7 -- a"};
    struct values values;

    (void)state;
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        accept(lines[i], &values);
        assert_int_equal(values.count, 7);
        assert_string_equal(values.from, "a");
    }
}

static void short_flags_combine(void **state)
{
    struct values values;

    (void)state;
    accept("-lf a", &values);
    assert_true(values.loud && values.fast);
    accept("-fnbob a", &values);
    assert_true(values.fast);
    assert_string_equal(values.name, "bob");
}

static void of_a_flag_and_its_opposite_the_last_wins(void **state)
{
    struct values values;

    (void)state;
    accept("--no-polish a", &values);
    assert_false(values.polished);
    accept("--no-polish --polish a", &values);
    assert_true(values.polished);
    accept("--polish --no-polish a", &values);
    assert_false(values.polished);
}

static void repeated_values_replace_the_default(void **state)
{
    struct values values;

    (void)state;
    accept("-t one --tag=two a --tag three --listen [::1]:1 --listen unix:///x --listen 0", &values);
    assert_int_equal(values.tags.count, 3);
    assert_string_equal(values.tags.items[0], "one");
    assert_string_equal(values.tags.items[2], "three");
    assert_int_equal(values.listen.count, 3);
    assert_string_equal(values.listen.urls[0], "tcp://[::1]:1");
    assert_string_equal(values.listen.urls[1], "unix:///x");
    assert_string_equal(values.listen.urls[2], "tcp://127.0.0.1:0");
    assert_false(values.listen.is_default);
}

static void a_limit_is_lifted_by_a_word_and_never_by_zero(void **state)
{
    struct values values;

    (void)state;
    accept("--count unlimited --size unlimited --wait unlimited a", &values);
    assert_true(values.count == WEFT_UNLIMITED);
    assert_true(values.size == OPTION_SIZE_UNLIMITED);
    assert_true(values.wait == WEFT_NEVER);
    refuse("--count 0 a", "--count takes a whole number from 1 to 10, or 'unlimited', not '0'");
    refuse("--size 0 a", "--size takes a size from 1k to 1m, such as 64k or 1m, or 'unlimited', not '0'");
    refuse("--wait 0s a",
           "--wait takes a duration from 10ms to 1h, such as 500ms, 30s or 5m, or 'unlimited', not '0s'");
}

static void two_dashes_end_the_options(void **state)
{
    struct values values;

    (void)state;
    accept("-- --loud -f", &values);
    assert_string_equal(values.from, "--loud");
    assert_string_equal(values.to, "-f");
    assert_false(values.loud || values.fast);
    accept("a -- --", &values);
    assert_string_equal(values.to, "--");
}

static void a_single_dash_is_an_operand_and_a_value(void **state)
{
    struct values values;

    (void)state;
    accept("- --name -", &values);
    assert_string_equal(values.from, "-");
    assert_string_equal(values.name, "-");
}

static void a_value_may_look_like_an_option(void **state)
{
    struct values values;

    (void)state;
    accept("--name --loud a", &values);
    assert_string_equal(values.name, "--loud");
    assert_false(values.loud);
}

static void bounds_are_inclusive(void **state)
{
    struct values values;

    (void)state;
    accept("--count 1 --size 1k --wait 10ms a", &values);
    accept("--count 10 --size 1m --wait 1h a", &values);
    assert_int_equal(values.count, 10);
    refuse("--count 11 a", "--count takes a whole number from 1 to 10, or 'unlimited', not '11'");
    refuse("--size 1048577 a", "--size takes a size from 1k to 1m, such as 64k or 1m, or 'unlimited', not '1048577'");
}

static void help_wins_over_what_follows_and_what_is_missing(void **state)
{
    static const char *const lines[] = {"--help", "-h", "-lh", "a --help --nonsense", "--help=no"};
    struct values values;
    char *message;

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(parse(&command, lines[i], &values, &message), OPTIONS_HELP);
        assert_string_equal(message, "");
        free(message);
    }
    refuse(lines[4], "--help takes no value");
}

static void unknown_options_get_the_nearest_as_suggestion(void **state)
{
    (void)state;
    refuse("--cuont 5 a", "unknown option '--cuont' (did you mean '--count'?)");
    refuse("--color=red a", "unknown option '--color' (did you mean '--colour'?)");
    refuse("--no-polsih a", "unknown option '--no-polsih' (did you mean '--no-polish'?)");
    refuse("--xylophone a", "unknown option '--xylophone'");
    refuse("-x a", "unknown option '-x'");
    refuse("-lx a", "unknown option '-x'");
    refuse("---loud a", "unknown option '---loud' (did you mean '--loud'?)");
}

static void abbreviations_are_not_guessed(void **state)
{
    (void)state;
    refuse("--cou 5 a", "unknown option '--cou' (did you mean '--count'?)");
}

static void bad_values_say_what_is_wanted(void **state)
{
    (void)state;
    refuse("--colour gren a", "--colour takes one of red, green, blue, not 'gren' (did you mean 'green'?)");
    refuse("--colour 1 a", "--colour takes one of red, green, blue, not '1'");
    refuse("--count x a", "--count takes a whole number from 1 to 10, or 'unlimited', not 'x'");
    refuse("--wait 30 a",
           "--wait takes a duration from 10ms to 1h, such as 500ms, 30s or 5m, or 'unlimited', not '30'");
    refuse("--listen nowhere a", "--listen takes a URL such as tcp://127.0.0.1:8080, HOST:PORT or a port from 0 to "
                                 "65535, not 'nowhere'");
    refuse("--name= a", "--name takes a value that is not empty, not ''");
    refuse("--tag _ a", "--tag takes a value that is not empty, not ''");
    refuse("--loud=yes a", "--loud takes no value");
}

static void a_missing_value_or_operand_is_named(void **state)
{
    (void)state;
    refuse("a --count", "--count needs a value: it takes a whole number from 1 to 10, or 'unlimited'");
    refuse("a -lc", "--count needs a value: it takes a whole number from 1 to 10, or 'unlimited'");
    refuse("", "FROM is missing");
    refuse("--loud", "FROM is missing");
    refuse("_", "FROM is empty");
}

static void operands_have_a_maximum(void **state)
{
    (void)state;
    refuse("a b c", "one argument too many: 'c' (after TO)");
    refuse_by(&bare, "a", "takes no argument, but got 'a'");
}

static void a_list_has_a_maximum(void **state)
{
    char line[500] = "a";

    (void)state;
    for (int i = 0; i < OPTION_REPEATS + 1; i++)
        strcat(line, " -tx");
    refuse(line, "--tag is given more than 32 times");
}

static void messages_cannot_drive_the_terminal(void **state)
{
    (void)state;
    refuse("--count \x1b[2J\x07 a", "--count takes a whole number from 1 to 10, or 'unlimited', not '?[2J?'");
    refuse("--\x1b[31m a", "unknown option '--?[31m'");
    refuse("-\x01 a", "unknown option '-?'");
}

static void messages_cut_what_is_long(void **state)
{
    char line[300] = "--colour ", *message;
    struct values values;

    (void)state;
    memset(line + 9, 'r', 200);
    strcpy(line + 209, " a");
    assert_int_equal(parse(&command, line, &values, &message), OPTIONS_WRONG);
    assert_non_null(strstr(message, "rrr...'"));
    assert_true(strlen(message) < 160);
    free(message);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_stand_for_what_is_not_given),
        cmocka_unit_test(values_come_in_every_usual_form),
        cmocka_unit_test(short_flags_combine),
        cmocka_unit_test(of_a_flag_and_its_opposite_the_last_wins),
        cmocka_unit_test(repeated_values_replace_the_default),
        cmocka_unit_test(a_limit_is_lifted_by_a_word_and_never_by_zero),
        cmocka_unit_test(two_dashes_end_the_options),
        cmocka_unit_test(a_single_dash_is_an_operand_and_a_value),
        cmocka_unit_test(a_value_may_look_like_an_option),
        cmocka_unit_test(bounds_are_inclusive),
        cmocka_unit_test(help_wins_over_what_follows_and_what_is_missing),
        cmocka_unit_test(unknown_options_get_the_nearest_as_suggestion),
        cmocka_unit_test(abbreviations_are_not_guessed),
        cmocka_unit_test(bad_values_say_what_is_wanted),
        cmocka_unit_test(a_missing_value_or_operand_is_named),
        cmocka_unit_test(operands_have_a_maximum),
        cmocka_unit_test(a_list_has_a_maximum),
        cmocka_unit_test(messages_cannot_drive_the_terminal),
        cmocka_unit_test(messages_cut_what_is_long),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
