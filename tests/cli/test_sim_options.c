/* SPDX-License-Identifier: MIT */
#include "capture.h"

#include "sim.h"

static void parse(int argc, const char *const *argv, struct sim_options *options)
{
    struct capture capture;

    capture_begin(&capture);
    assert_int_equal(options_parse(&sim_command, argc, (char *const *)(uintptr_t)argv, options, capture.out),
                     OPTIONS_RUN);
    assert_string_equal(capture_end(&capture), "");
    free(capture.text);
}

static void without_options_all_faults_are_on_and_a_failure_is_shrunk(void **state)
{
    static const char *const argv[] = {"echo"};
    struct sim_options options;

    (void)state;
    parse(1, argv, &options);
    assert_int_equal(options.operands.count, 1);
    assert_string_equal(options.operands.items[0], "echo");
    assert_string_equal(options.faults, "all");
    assert_null(options.keep);
    assert_null(options.hashes);
    assert_true(options.shrinks);
    assert_true(options.visitors);
    assert_null(options.say);
    assert_true(options.patience == WEFT_SECONDS(20));
    assert_int_equal(options.seeds, 0);
    assert_int_equal(options.seed, 0);
    assert_int_equal(options.connections, 0);
    assert_int_equal(options.messages, 0);
    assert_int_equal(options.jobs, 0);
    assert_false(options.goes_on || options.twice || options.probes_required || options.trace || options.list ||
                 options.verbose);
}

static void every_option_reaches_its_field(void **state)
{
    static const char *const argv[] = {
        "--seeds=5",
        "-s",
        "18446744073709",
        "--connections=3",
        "--messages",
        "4",
        "--jobs=2",
        "--faults",
        "none",
        "--keep=1,2",
        "--twice",
        "--require-probes",
        "--patience=1s",
        "--no-shrink",
        "--hashes=file",
        "--trace",
        "--list",
        "--verbose",
        "--say=hello",
        "--no-visitors",
        "./program",
        "--",
        "-x",
        "y",
        "--continue",
    };
    struct sim_options options;

    (void)state;
    parse(sizeof argv / sizeof *argv, argv, &options);
    assert_int_equal(options.seeds, 5);
    assert_int_equal(options.seed, 18446744073709);
    assert_int_equal(options.connections, 3);
    assert_int_equal(options.messages, 4);
    assert_int_equal(options.jobs, 2);
    assert_string_equal(options.faults, "none");
    assert_string_equal(options.keep, "1,2");
    assert_true(options.twice && options.probes_required && options.trace && options.list && options.verbose);
    assert_true(options.patience == WEFT_SECONDS(1));
    assert_false(options.shrinks || options.visitors);
    assert_string_equal(options.say, "hello");
    assert_string_equal(options.hashes, "file");
    assert_int_equal(options.operands.count, 4);
    assert_string_equal(options.operands.items[1], "-x");
    assert_string_equal(options.operands.items[3], "--continue");
}

static void going_on_behind_a_failure_is_asked_for(void **state)
{
    static const char *const argv[] = {"--continue-on-failure", "echo", "--shrink"};
    struct sim_options options;

    (void)state;
    parse(3, argv, &options);
    assert_true(options.goes_on && options.shrinks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_options_all_faults_are_on_and_a_failure_is_shrunk),
        cmocka_unit_test(every_option_reaches_its_field),
        cmocka_unit_test(going_on_behind_a_failure_is_asked_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
