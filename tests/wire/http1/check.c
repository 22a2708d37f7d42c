/* SPDX-License-Identifier: MIT */
#include "wire/http1/check.h"

#include <string.h>

#include "support/support.h"
#include "wire/http1/reader.h"

struct expectation {
    const struct check *check;
    const char *text;
};

static void feed(void *arg, const weft_bytes *pieces, size_t count)
{
    const struct expectation *expected = arg;
    struct reader reader;

    reader_init(&reader, expected->check->kind, expected->check->limits);
    reader.answers = expected->check->answers;
    weft_http1_parser_answers(&reader.parser, reader.answers);
    for (size_t i = 0; i < count; i++)
        reader_feed(&reader, pieces[i]);
    if (!expected->check->open)
        reader_end(&reader);
    assert_string_equal(reader.text, expected->text);
    reader_fini(&reader);
}

void check_bytes(const struct check *check, weft_bytes input, const char *expected)
{
    struct expectation expectation = {check, expected};

    support_three_ways(input, feed, &expectation);
}
