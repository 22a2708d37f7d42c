/* SPDX-License-Identifier: MIT */
/* Every request of tests/peers/http/malformed.json, in every division, with and without whole_head. */
#include <stdlib.h>
#include <string.h>

#include "support/support.h"
#include "wire/http1/malformed.h"
#include "wire/http1/reader.h"

/* A longer request is given in one piece only: all of its length is in its body. */
#define LARGE (128 * 1024)

struct run {
    const struct malformed_case *expected;
    const weft_http1_limits *limits;
    char *transcript; /* of the first division */
    bool failed;
};

/* The status of the answer to the last message, as the server would give it. */
static unsigned last_status(const struct reader *reader)
{
    unsigned refusal = weft_http1_parser_status(&reader->parser);

    if (refusal)
        return refusal;
    if (reader->messages == 0)
        return 0;
    if (reader->trace)
        return 405;
    return reader->connect ? 501 : 200;
}

/* One case that fails is not to hide the others. */
static void check_run(struct run *run, const struct reader *reader)
{
    const struct malformed_case *expected = run->expected;
    size_t responses = reader->messages + (weft_http1_parser_status(&reader->parser) != 0);

    if (last_status(reader) != expected->status || responses != expected->responses ||
        (expected->closes >= 0 && reader->stopped != expected->closes)) {
        print_error("%s: %zu responses, the last %u, then %s; transcript:\n%.2000s\n", expected->id, responses,
                    last_status(reader), reader->stopped ? "closes" : "goes on", reader->text);
        run->failed = true;
    }
    if (!run->transcript)
        run->transcript = strdup(reader->text);
    else if (strcmp(run->transcript, reader->text) != 0) {
        print_error("%s: one division gives\n%.2000s\nanother\n%.2000s\n", expected->id, run->transcript, reader->text);
        run->failed = true;
    }
}

static void feed_case(void *arg, const weft_bytes *pieces, size_t count)
{
    struct run *run = arg;
    struct reader reader;

    if (run->failed)
        return;
    reader_init(&reader, WEFT_HTTP1_REQUEST, run->limits);
    for (size_t i = 0; i < count; i++)
        reader_feed(&reader, pieces[i]);
    check_run(run, &reader);
    reader_fini(&reader);
}

static void run_all(const weft_http1_limits *limits)
{
    size_t failed = 0;

    for (size_t i = 0; i < malformed_count; i++) {
        struct run run = {.expected = &malformed_cases[i], .limits = limits};
        weft_bytes request = weft_bytes_of(malformed_cases[i].request, malformed_cases[i].length);

        if (request.length <= LARGE)
            support_three_ways(request, feed_case, &run);
        else
            feed_case(&run, &request, 1);
        failed += run.failed;
        free(run.transcript);
    }
    assert_int_equal(failed, 0);
}

static void each_case_is_answered_as_it_must_be(void **state)
{
    (void)state;
    run_all(NULL);
}

/* Fields are refused later, and nothing else changes. */
static void waiting_for_the_whole_head_answers_the_same(void **state)
{
    static const weft_http1_limits limits = {.whole_head = true};

    (void)state;
    run_all(&limits);
}

static void the_suite_is_large_and_has_accepted_cases(void **state)
{
    size_t accepted = 0;

    (void)state;
    for (size_t i = 0; i < malformed_count; i++)
        accepted += malformed_cases[i].status == 200;
    assert_true(malformed_count >= 500);
    assert_true(accepted >= 80);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        support_test(each_case_is_answered_as_it_must_be),
        support_test(waiting_for_the_whole_head_answers_the_same),
        support_test(the_suite_is_large_and_has_accepted_cases),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
