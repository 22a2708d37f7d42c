/* SPDX-License-Identifier: MIT */
#include "capture.h"

#include "man.h"
#include "options.h"

/* What the formatter `mandoc` says about a page; it must say nothing. */
static void lint(void (*print)(FILE *out, const struct command *command), const struct command *command)
{
    FILE *mandoc = popen("exec mandoc -Tlint -W warning 1>&2", "w");

    assert_non_null(mandoc);
    print(mandoc, command);
    assert_int_equal(pclose(mandoc), 0);
}

static void print_overview(FILE *out, const struct command *unused)
{
    (void)unused;
    man_print_overview(out);
}

static void every_page_is_clean_mdoc(void **state)
{
    (void)state;
    if (system("command -v mandoc >/dev/null") != 0)
        skip();
    lint(print_overview, NULL);
    for (size_t i = 0; i < command_count; i++)
        lint(man_print, commands[i]);
}

static void a_page_names_every_option(void **state)
{
    (void)state;
    for (size_t c = 0; c < command_count; c++) {
        struct capture capture;

        capture_begin(&capture);
        man_print(capture.out, commands[c]);
        capture_end(&capture);
        for (size_t i = 0; i < commands[c]->option_count; i++) {
            char wanted[100];

            snprintf(wanted, sizeof(wanted), "Fl \\-%s", commands[c]->options[i].name);
            assert_non_null(strstr(capture.text, wanted));
        }
        free(capture.text);
    }
}

static void roff_syntax_in_descriptions_is_text(void **state)
{
    static const struct command odd = {
        .name = "odd",
        .summary = "odd",
        .description = ".Sh is no heading. 'so is a quote. A \\ is a \\. Use --this or -t.\n\nA new paragraph.",
        .revised = "November 22, 2026",
    };
    struct capture capture;

    (void)state;
    capture_begin(&capture);
    man_print(capture.out, &odd);
    capture_end(&capture);
    assert_non_null(strstr(capture.text, "\n\\&.Sh is no heading. 'so is a quote.\n"));
    assert_non_null(strstr(capture.text, "\nA \\e is a \\e.\nUse \\-\\-this or \\-t.\n.Pp\nA new paragraph.\n"));
    free(capture.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_page_is_clean_mdoc),
        cmocka_unit_test(a_page_names_every_option),
        cmocka_unit_test(roff_syntax_in_descriptions_is_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
