/* SPDX-License-Identifier: MIT */
#include "capture.h"

#include "help.h"
#include "options.h"
#include "web.h"

static size_t longest_line(const char *text)
{
    size_t longest = 0;

    while (*text) {
        size_t length = strcspn(text, "\n");

        longest = length > longest ? length : longest;
        text += length + (text[length] == '\n');
    }
    return longest;
}

static char *help_of(const struct command *command, size_t width)
{
    struct capture capture;

    capture_begin(&capture);
    help_print(capture.out, command, width);
    capture_end(&capture);
    return capture.text;
}

static void help_names_every_option_with_its_default(void **state)
{
    (void)state;
    for (size_t c = 0; c < command_count; c++) {
        char *text = help_of(commands[c], 100);

        for (size_t i = 0; i < commands[c]->option_count; i++) {
            const struct option *option = &commands[c]->options[i];
            char wanted[100];

            snprintf(wanted, sizeof(wanted), "--%s%s%s", option->name, option->argument ? " " : "",
                     option->argument ? option->argument : "");
            assert_non_null(strstr(text, wanted));
            snprintf(wanted, sizeof(wanted), "[default: %s]", option->initial ? option->initial : "");
            if (option->initial)
                assert_non_null(strstr(text, wanted));
        }
        free(text);
    }
}

static void help_keeps_to_the_width(void **state)
{
    char *text;

    (void)state;
    for (size_t width = 70; width <= 100; width += 5) {
        text = help_of(&web_command, width);
        assert_true(longest_line(text) <= width);
        free(text);
    }
}

static void help_begins_with_how_it_is_used(void **state)
{
    char *text = help_of(&web_command, 80);

    (void)state;
    assert_true(strncmp(text, "Usage: weft web [OPTION]... [DIR]\n\nServes ", 42) == 0);
    free(text);
}

static void help_ends_with_examples(void **state)
{
    char *text = help_of(&web_command, 80);
    const char *examples = strstr(text, "\nExamples:\n  weft web\n      Serve the current folder");

    (void)state;
    assert_non_null(examples);
    assert_null(strstr(examples, "--help"));
    free(text);
}

static void the_overview_names_every_command(void **state)
{
    struct capture capture;

    (void)state;
    capture_begin(&capture);
    help_print_overview(capture.out, 80);
    capture_end(&capture);
    for (size_t i = 0; i < command_count; i++)
        assert_non_null(strstr(capture.text, commands[i]->summary));
    assert_true(longest_line(capture.text) <= 80);
    free(capture.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(help_names_every_option_with_its_default), cmocka_unit_test(help_keeps_to_the_width),
        cmocka_unit_test(help_begins_with_how_it_is_used),          cmocka_unit_test(help_ends_with_examples),
        cmocka_unit_test(the_overview_names_every_command),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
