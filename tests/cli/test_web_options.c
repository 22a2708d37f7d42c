/* SPDX-License-Identifier: MIT */
#include "capture.h"

#include "web.h"

static void parse(int argc, const char *const *argv, struct web_options *options)
{
    struct capture capture;

    capture_begin(&capture);
    assert_int_equal(options_parse(&web_command, argc, (char *const *)(uintptr_t)argv, options, capture.out),
                     OPTIONS_RUN);
    assert_string_equal(capture_end(&capture), "");
    free(capture.text);
}

static void without_arguments_the_folder_is_served_locally_and_within_limits(void **state)
{
    struct web_options options;

    (void)state;
    parse(0, NULL, &options);
    assert_string_equal(options.directory, ".");
    assert_int_equal(options.listen.count, 1);
    assert_string_equal(options.listen.urls[0], "tcp://127.0.0.1:8080");
    assert_true(options.listen.is_default);
    assert_int_equal(options.workers, 0);
    assert_int_equal(options.backlog, 4096);
    assert_int_equal(options.index.count, 1);
    assert_string_equal(options.index.items[0], "index.html");
    assert_true(options.listing);
    assert_false(options.hidden);
    assert_true(options.precompressed);
    assert_int_equal(options.log, WEB_LOG_COMMON);
    assert_false(options.quiet);
    assert_int_equal(options.max_connections, 10000);
    assert_true(options.max_per_address == WEFT_UNLIMITED);
    assert_int_equal(options.max_body, 1 << 20);
    assert_int_equal(options.min_rate, 240);
    assert_true(options.header_timeout == WEFT_SECONDS(30));
    assert_true(options.body_timeout == WEFT_MINUTES(1));
    assert_true(options.idle_timeout == WEFT_MINUTES(1));
    assert_true(options.write_timeout == WEFT_SECONDS(30));
    assert_true(options.grace == WEFT_SECONDS(10));
}

static void every_option_reaches_its_field(void **state)
{
    static const char *const argv[] = {
        "--listen",
        "0",
        "-l",
        "unix:///x",
        "-w4",
        "--index=a",
        "-i",
        "b",
        "--no-listing",
        "--hidden",
        "/srv",
        "--log=json",
        "--max-connections",
        "7",
        "--grace=1s",
        "--quiet",
        "--max-per-address=8",
        "--max-body=2k",
        "--min-rate=3k",
        "--header-timeout=2s",
        "--body-timeout=3s",
        "--idle-timeout=4s",
        "--write-timeout=5s",
        "--backlog=6",
        "--no-precompressed",
    };
    struct web_options options;

    (void)state;
    parse(sizeof(argv) / sizeof(argv[0]), argv, &options);
    assert_string_equal(options.directory, "/srv");
    assert_int_equal(options.listen.count, 2);
    assert_int_equal(options.workers, 4);
    assert_int_equal(options.index.count, 2);
    assert_string_equal(options.index.items[1], "b");
    assert_false(options.listing);
    assert_true(options.hidden);
    assert_false(options.precompressed);
    assert_int_equal(options.log, WEB_LOG_JSON);
    assert_true(options.quiet);
    assert_int_equal(options.max_connections, 7);
    assert_int_equal(options.max_per_address, 8);
    assert_int_equal(options.max_body, 2048);
    assert_int_equal(options.min_rate, 3072);
    assert_true(options.header_timeout == WEFT_SECONDS(2));
    assert_true(options.body_timeout == WEFT_SECONDS(3));
    assert_true(options.idle_timeout == WEFT_SECONDS(4));
    assert_true(options.write_timeout == WEFT_SECONDS(5));
    assert_true(options.grace == WEFT_SECONDS(1));
    assert_int_equal(options.backlog, 6);
}

static void no_limit_of_any_command_is_lifted_by_zero(void **state)
{
    (void)state;
    for (size_t c = 0; c < command_count; c++)
        for (size_t i = 0; i < commands[c]->option_count; i++) {
            const struct option *option = &commands[c]->options[i];

            if (option->kind == OPTION_INTEGER || option->kind == OPTION_SIZE || option->kind == OPTION_DURATION)
                assert_true(option->minimum > 0 && option->minimum <= option->maximum);
        }
}

static void every_table_is_complete_and_without_doubles(void **state)
{
    (void)state;
    for (size_t c = 0; c < command_count; c++) {
        const struct command *command = commands[c];

        assert_true(command->option_count <= OPTIONS_MAXIMUM);
        assert_non_null(command->run);
        for (size_t i = 0; i < command->option_count; i++) {
            const struct option *option = &command->options[i];

            assert_non_null(option->group);
            assert_true(option->help[strlen(option->help) - 1] == '.');
            assert_true(option_takes_value(option) == (option->argument != NULL));
            for (size_t j = 0; j < i; j++) {
                assert_string_not_equal(command->options[j].name, option->name);
                assert_true(!option->letter || command->options[j].letter != option->letter);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_arguments_the_folder_is_served_locally_and_within_limits),
        cmocka_unit_test(every_option_reaches_its_field),
        cmocka_unit_test(no_limit_of_any_command_is_lifted_by_zero),
        cmocka_unit_test(every_table_is_complete_and_without_doubles),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
