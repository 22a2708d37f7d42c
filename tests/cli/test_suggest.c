/* SPDX-License-Identifier: MIT */
#include "capture.h"

#include "command.h"
#include "suggest.h"

static size_t distance(const char *a, const char *b)
{
    return edit_distance(a, strlen(a), b, strlen(b));
}

static void distance_counts_single_mistakes(void **state)
{
    (void)state;
    assert_int_equal(distance("", ""), 0);
    assert_int_equal(distance("listen", "listen"), 0);
    assert_int_equal(distance("lisen", "listen"), 1);
    assert_int_equal(distance("lissten", "listen"), 1);
    assert_int_equal(distance("lixten", "listen"), 1);
    assert_int_equal(distance("lsiten", "listen"), 1);
    assert_int_equal(distance("", "abc"), 3);
    assert_int_equal(distance("abc", ""), 3);
    assert_int_equal(distance("kitten", "sitting"), 3);
    assert_int_equal(distance("kitten", "sitting"), distance("sitting", "kitten"));
}

static void absurdly_long_words_are_far_from_everything(void **state)
{
    char word[100];

    (void)state;
    memset(word, 'a', sizeof(word));
    assert_true(edit_distance(word, sizeof(word), "a", 1) == SIZE_MAX);
}

static const char *nearest(const char *word)
{
    struct suggestion suggestion = suggestion_for(word, strlen(word));

    suggestion_offer(&suggestion, "listen");
    suggestion_offer(&suggestion, "log");
    suggestion_offer(&suggestion, "max-connections");
    return suggestion.best;
}

static void the_nearest_word_is_suggested(void **state)
{
    (void)state;
    assert_string_equal(nearest("lisen"), "listen");
    assert_string_equal(nearest("logs"), "log");
    assert_string_equal(nearest("max-conections"), "max-connections");
    assert_string_equal(nearest("max"), "max-connections");
}

static void what_resembles_nothing_gets_no_suggestion(void **state)
{
    (void)state;
    assert_null(nearest("verbose"));
    assert_null(nearest("x"));
    assert_null(nearest(""));
}

static void commands_are_found_by_name_only(void **state)
{
    (void)state;
    assert_string_equal(command_find("web")->name, "web");
    assert_null(command_find("we"));
    assert_null(command_find(""));
    assert_string_equal(command_nearest("wbe"), "web");
    assert_null(command_nearest("teleport"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(distance_counts_single_mistakes),
        cmocka_unit_test(absurdly_long_words_are_far_from_everything),
        cmocka_unit_test(the_nearest_word_is_suggested),
        cmocka_unit_test(what_resembles_nothing_gets_no_suggestion),
        cmocka_unit_test(commands_are_found_by_name_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
