/* SPDX-License-Identifier: MIT */
/* docs/reference/endpoints.md: each endpoint on it is taken or refused as it says, and each option is there. */
#include "net/url.h"

#include <stdio.h>
#include <stdlib.h>

#include "support/support.h"

#define LINE 512

typedef int parser(const char *text, struct url *ret, weft_url_error *ret_error);

static FILE *page(void)
{
    FILE *file = fopen(WEFT_ENDPOINTS_PAGE, "r");

    assert_non_null(file);
    return file;
}

/* The next line, without its end; NULL at the end of the page. */
static const char *next_line(FILE *file, char line[LINE])
{
    if (!fgets(line, LINE, file))
        return NULL;
    line[strcspn(line, "\n")] = '\0';
    return line;
}

static bool find_block(FILE *file, const char *kind, char line[LINE])
{
    while (next_line(file, line))
        if (strncmp(line, "```", 3) == 0 && strcmp(line + 3, kind) == 0)
            return true;
    return false;
}

static unsigned take_block(const char *kind, parser *parse)
{
    FILE *file = page();
    char line[LINE];
    unsigned count = 0;

    assert_true(find_block(file, kind, line));
    while (next_line(file, line) && strcmp(line, "```") != 0) {
        weft_url_error error = {.text = "nothing"};
        struct url url;
        int status;

        support_set_context("%s", line);
        status = parse(line, &url, &error);
        if (status < 0)
            print_error("%s\n", error.text);
        assert_int_equal(status, 0);
        count++;
    }
    support_clear_context();
    fclose(file);
    return count;
}

static void every_endpoint_on_the_page_is_taken(void **state)
{
    (void)state;
    assert_true(take_block("listen", url_parse) > 5);
    assert_true(take_block("connect", url_parse_peer) > 5);
    assert_true(take_block("datagrams", url_parse_datagrams) > 2);
}

static void what_is_refused_is_refused_as_it_says(void **state)
{
    FILE *file = page();
    char line[LINE], mark[LINE];
    unsigned count = 0;

    (void)state;
    assert_true(find_block(file, "refused", line));
    while (next_line(file, line) && strcmp(line, "```") != 0) {
        weft_url_error error;
        struct url url;

        support_set_context("%s", line);
        assert_non_null(next_line(file, mark));
        assert_true(url_parse(line, &url, &error) < 0);
        assert_int_equal(error.offset, strcspn(mark, "^"));
        assert_string_equal(error.text, mark + strcspn(mark, "^") + 2);
        count++;
    }
    support_clear_context();
    fclose(file);
    assert_true(count > 8);
}

static bool stands_on_the_page(const char *word)
{
    FILE *file = page();
    char line[LINE];
    bool found = false;

    while (!found && next_line(file, line))
        found = line[0] == '|' && strstr(line, word);
    fclose(file);
    return found;
}

static void every_option_is_on_the_page(void **state)
{
    (void)state;
    for (unsigned i = 0; i < URL_OPTIONS; i++) {
        char word[32];

        support_set_context("%s", url_option_name((enum url_option)i));
        snprintf(word, sizeof word, "`%s=`", url_option_name((enum url_option)i));
        assert_true(stands_on_the_page(word));
    }
    support_clear_context();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        support_test(every_endpoint_on_the_page_is_taken),
        support_test(what_is_refused_is_refused_as_it_says),
        support_test(every_option_is_on_the_page),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
