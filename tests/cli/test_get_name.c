/* SPDX-License-Identifier: MIT */
#include "capture.h"

#include "get_name.h"

static void a_name_is_the_last_part_of_the_path(void **state)
{
    static const char *const rows[][2] = {{"http://h/a", "a"},
                                          {"http://h/a/b?c/d#e", "b"},
                                          {"http://h/-", "-"},
                                          {"http://h/.a", ".a"},
                                          {"http://h/...", "..."},
                                          {"http://h/%2F", "%2F"},
                                          {"http://h//x", "x"},
                                          {"http://h/%00", "%00"},
                                          {"http://h", ""},
                                          {"http://h/", ""},
                                          {"http://h/.", ""},
                                          {"http://h/a/..", ""},
                                          {"http://h?/x", ""},
                                          {"http://h#/x", ""},
                                          {"http://u/@h/", ""},
                                          {"h", ""},
                                          {"h/x", ""},
                                          {"", ""},
                                          {"http://h/a#/b", "a"},
                                          {"http://", ""}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        weft_bytes name = get_name_of(rows[i][0]);

        assert_int_equal(name.length, strlen(rows[i][1]));
        assert_memory_equal(name.data, rows[i][1], name.length);
    }
}

static void a_name_that_no_file_can_have_is_none(void **state)
{
    char url[300] = "http://h/";
    size_t begin = strlen(url);

    (void)state;
    memset(url + begin, 'x', GET_NAME_LONGEST + 1);
    assert_int_equal(get_name_of(url).length, 0);
    url[begin + GET_NAME_LONGEST] = '\0';
    assert_int_equal(get_name_of(url).length, GET_NAME_LONGEST);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_is_the_last_part_of_the_path),
        cmocka_unit_test(a_name_that_no_file_can_have_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
