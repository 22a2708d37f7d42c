/* SPDX-License-Identifier: MIT */
#include "capture.h"

#include "get.h"
#include "help.h"
#include "man.h"

static enum options_result parse_into(int argc, const char *const *argv, struct get_options *options, char **ret_said)
{
    struct capture capture;
    enum options_result result;

    capture_begin(&capture);
    result = options_parse(&get_command, argc, (char *const *)(uintptr_t)argv, options, capture.out);
    capture_end(&capture);
    *ret_said = capture.text;
    return result;
}

static void parse(int argc, const char *const *argv, struct get_options *options)
{
    char *said;

    assert_int_equal(parse_into(argc, argv, options, &said), OPTIONS_RUN);
    assert_string_equal(said, "");
    free(said);
}

static void a_url_alone_is_fetched_to_standard_output(void **state)
{
    static const char *const argv[] = {"http://a/"};
    struct get_options options;

    (void)state;
    parse(1, argv, &options);
    assert_int_equal(options.urls.count, 1);
    assert_string_equal(options.urls.items[0], "http://a/");
    assert_null(options.method);
    assert_null(options.output);
    assert_null(options.resume);
    assert_null(options.check);
    assert_null(options.upload);
    assert_null(options.user);
    assert_null(options.through);
    assert_int_equal(options.headers.count + options.data.count + options.forms.count, 0);
    assert_true(options.follow);
    assert_true(options.fail);
    assert_false(options.head || options.include || options.compressed || options.quiet || options.remote_name);
    assert_false(options.ipv4 || options.ipv6);
    assert_int_equal(options.max_redirects, 10);
    assert_true(options.max_time == WEFT_NEVER);
    assert_true(options.connect_timeout == WEFT_SECONDS(30));
    assert_true(options.max_size == OPTION_SIZE_UNLIMITED);
}

static void several_urls_stay_in_order(void **state)
{
    static const char *const argv[] = {"http://a/", "-q", "http://b/", "--", "-c"};
    struct get_options options;

    (void)state;
    parse(5, argv, &options);
    assert_int_equal(options.urls.count, 3);
    assert_string_equal(options.urls.items[1], "http://b/");
    assert_string_equal(options.urls.items[2], "-c");
}

static void a_url_is_needed_and_there_is_an_end_to_them(void **state)
{
    const char *argv[OPTION_REPEATS + 1];
    struct get_options options;
    char *said;

    (void)state;
    assert_int_equal(parse_into(0, NULL, &options, &said), OPTIONS_WRONG);
    assert_string_equal(said, "weft get: URL is missing; try 'weft get --help'\n");
    free(said);
    for (size_t i = 0; i <= OPTION_REPEATS; i++)
        argv[i] = "u";
    assert_int_equal(parse_into(OPTION_REPEATS, argv, &options, &said), OPTIONS_RUN);
    free(said);
    assert_int_equal(parse_into(OPTION_REPEATS + 1, argv, &options, &said), OPTIONS_WRONG);
    assert_string_equal(said, "weft get: URL is given more than 32 times; try 'weft get --help'\n");
    free(said);
}

static void every_option_reaches_its_field(void **state)
{
    static const char *const argv[] = {"-XPUT",
                                       "-I",
                                       "-H",
                                       "A: b",
                                       "--header=C: d",
                                       "-d",
                                       "x=1",
                                       "-F",
                                       "f=@g",
                                       "-T",
                                       "-",
                                       "-u",
                                       "me:pw",
                                       "--no-follow",
                                       "--max-redirects=3",
                                       "--compressed",
                                       "-o",
                                       "out",
                                       "-O",
                                       "-C",
                                       "-",
                                       "--check",
                                       "sha256=00",
                                       "-i",
                                       "--no-fail",
                                       "-q4",
                                       "-6",
                                       "--through=unix:///x",
                                       "-m",
                                       "5s",
                                       "--connect-timeout=2s",
                                       "--max-size=1k",
                                       "u"};
    struct get_options options;

    (void)state;
    parse(sizeof argv / sizeof *argv, argv, &options);
    assert_string_equal(options.method, "PUT");
    assert_int_equal(options.headers.count, 2);
    assert_string_equal(options.headers.items[1], "C: d");
    assert_string_equal(options.data.items[0], "x=1");
    assert_string_equal(options.forms.items[0], "f=@g");
    assert_string_equal(options.upload, "-");
    assert_string_equal(options.user, "me:pw");
    assert_false(options.follow || options.fail);
    assert_int_equal(options.max_redirects, 3);
    assert_string_equal(options.output, "out");
    assert_string_equal(options.resume, "-");
    assert_string_equal(options.check, "sha256=00");
    assert_string_equal(options.through, "unix:///x");
    assert_true(options.head && options.include && options.compressed && options.remote_name && options.quiet);
    assert_true(options.ipv4 && options.ipv6);
    assert_true(options.max_time == WEFT_SECONDS(5));
    assert_true(options.connect_timeout == WEFT_SECONDS(2));
    assert_int_equal(options.max_size, 1024);
}

static void help_and_manual_tell_the_exit_statuses(void **state)
{
    struct capture capture;

    (void)state;
    capture_begin(&capture);
    help_print(capture.out, &get_command, 100);
    assert_non_null(strstr(capture_end(&capture), "\n  22    The server answered with a status of 400 or above.\n"));
    assert_non_null(strstr(capture.text, "weft get [OPTION]... URL...\n"));
    free(capture.text);
    capture_begin(&capture);
    man_print(capture.out, &get_command);
    assert_non_null(strstr(capture_end(&capture), ".It 22\nThe server answered with a status of 400 or above.\n"));
    assert_non_null(strstr(capture.text, ".Ar URL ...\n"));
    free(capture.text);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_url_alone_is_fetched_to_standard_output),   cmocka_unit_test(several_urls_stay_in_order),
        cmocka_unit_test(a_url_is_needed_and_there_is_an_end_to_them), cmocka_unit_test(every_option_reaches_its_field),
        cmocka_unit_test(help_and_manual_tell_the_exit_statuses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
