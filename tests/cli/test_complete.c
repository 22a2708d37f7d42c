/* SPDX-License-Identifier: MIT */
/* The completion script, asked by bash itself. */
#include "capture.h"

#include "complete.h"

/* What bash offers for @words (as bash quotes them in an array); the last word is being typed. */
static void check(const char *words, const char *expected)
{
    char directory[] = "/tmp/weft-complete-XXXXXX", script[64], line[400], answer[2000];
    size_t length;
    FILE *out, *bash;

    assert_non_null(mkdtemp(directory));
    snprintf(script, sizeof(script), "%s/script", directory);
    out = fopen(script, "w");
    assert_non_null(out);
    complete_print_bash(out);
    assert_int_equal(fclose(out), 0);
    snprintf(line, sizeof(line),
             "cd %s && mkdir public && touch page && bash --norc -c 'set -u; source ./script; "
             "COMP_WORDS=(%s); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _weft; echo \"${COMPREPLY[*]}\"' 2>&1; "
             "rm -r %s",
             directory, words, directory);
    bash = popen(line, "r");
    assert_non_null(bash);
    length = fread(answer, 1, sizeof(answer) - 1, bash);
    answer[length] = '\0';
    assert_int_equal(pclose(bash), 0);
    assert_string_equal(answer, expected);
}

static int need_bash(void)
{
    return system("command -v bash >/dev/null");
}

static void the_first_word_is_a_command(void **state)
{
    (void)state;
    check("weft \"\"", "web get cert sim help --help --version\n");
    check("weft w", "web\n");
    check("weft --v", "--version\n");
}

static void options_belong_to_the_command(void **state)
{
    (void)state;
    check("weft web --max-", "--max-connections --max-per-address --max-body\n");
    check("weft web --listen 0 --no-l", "--no-listing\n");
    check("weft help --m", "--man\n");
}

static void words_of_an_option_are_offered_in_every_form(void **state)
{
    (void)state;
    check("weft web --log \"\"", "common json none\n");
    check("weft web --log j", "json\n");
    check("weft web --log = \"\"", "common json none\n");
    check("weft web --log =", "common json none\n");
    check("weft web --log = n", "none\n");
    check("weft web --grace u", "unlimited\n");
}

static void only_folders_are_offered_where_one_is_wanted(void **state)
{
    (void)state;
    check("weft web p", "public\n");
    check("weft web --hidden pu", "public\n");
}

static void nothing_is_offered_for_a_free_value(void **state)
{
    (void)state;
    check("weft web --workers \"\"", "\n");
    check("weft web -i \"\"", "\n");
    check("weft nonsense \"\"", "\n");
}

static void a_scenario_is_a_file_where_there_is_a_slash(void **state)
{
    (void)state;
    check("weft sim ./pa", "./page\n");
    check("weft sim --twice ./pu", "./public\n");
}

static void help_completes_commands(void **state)
{
    (void)state;
    check("weft help \"\"", "web get cert sim help\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_word_is_a_command),
        cmocka_unit_test(options_belong_to_the_command),
        cmocka_unit_test(words_of_an_option_are_offered_in_every_form),
        cmocka_unit_test(only_folders_are_offered_where_one_is_wanted),
        cmocka_unit_test(nothing_is_offered_for_a_free_value),
        cmocka_unit_test(a_scenario_is_a_file_where_there_is_a_slash),
        cmocka_unit_test(help_completes_commands),
    };

    return need_bash() ? 77 : cmocka_run_group_tests(tests, NULL, NULL);
}
