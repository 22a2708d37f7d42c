/* SPDX-License-Identifier: MIT */
#include "fuzz/http1_split.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wire/http1/reader.h"

static void demand(bool condition, const char *what)
{
    if (!condition) {
        fprintf(stderr, "not so: %s\n", what);
        abort();
    }
}

/* How an input is divided: pieces of 1 to `largest` bytes, drawn from `state`. */
struct division {
    uint64_t state;
    size_t largest;
};

static size_t next_piece(struct division *division)
{
    division->state = division->state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return 1 + (size_t)(division->state >> 33) % division->largest;
}

/* Reads @p data in the pieces of @p division; all at once if that is NULL. */
static void run(struct reader *reader, weft_bytes data, weft_http1_answers answers, struct division *division)
{
    reader->answers = answers;
    weft_http1_parser_answers(&reader->parser, answers);
    while (data.length > 0) {
        weft_bytes piece = division ? weft_bytes_first(data, next_piece(division)) : data;

        reader_feed(reader, piece);
        data = weft_bytes_skip(data, piece.length);
    }
    reader_end(reader);
}

/* Everything that the parser gives could be sent again as it is. */
static void check_events(weft_bytes data, weft_http1_kind kind, const weft_http1_limits *limits)
{
    weft_http1_parser parser;
    weft_http1_event event;
    int type;

    weft_http1_parser_init(&parser, kind, limits);
    while ((type = weft_http1_next(&parser, &data, &event)) > 0 && type != WEFT_HTTP1_MESSAGE_END) {
        if (type == WEFT_HTTP1_REQUEST_LINE) {
            demand(weft_http1_is_token(event.request.method), "the method is a token");
            demand(weft_http1_is_target(event.request.target), "the target can be sent");
        } else if (type == WEFT_HTTP1_STATUS_LINE) {
            demand(weft_http1_is_reason(event.status.reason), "the reason can be sent");
            demand(event.status.code >= 100 && event.status.code <= 999, "the code has three digits");
        } else if (type == WEFT_HTTP1_FIELD || type == WEFT_HTTP1_TRAILER) {
            demand(weft_http1_is_token(event.field.name), "the name is a token");
            demand(weft_http1_is_value(event.field.value), "the value can be sent");
        } else if (type == WEFT_HTTP1_BODY) {
            demand(event.body.length > 0, "a run of the body is not empty");
        }
    }
    demand((type < 0) == (weft_http1_parser_status(&parser) != 0), "a refusal has a status");
}

void http1_fuzz_divisions(weft_bytes data, weft_http1_kind kind, weft_http1_answers answers)
{
    static const weft_http1_limits limits[] = {
        {.whole_head = false},
        {.whole_head = true},
        {.request_line = 40, .head_bytes = 60, .field_count = 3, .chunk_line = 12, .chunk_extensions = 20, .body = 24},
    };
    uint64_t seed = data.length;

    for (size_t i = 0; i < data.length; i++)
        seed = seed * 31 + (unsigned char)data.data[i];
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        struct division division = {.state = seed, .largest = 1 + (size_t)(seed >> 7) % 40};
        struct reader first, second;

        if (data.length <= 256 && (seed & 1))
            division.largest = 1;
        reader_init(&first, kind, &limits[i]);
        reader_init(&second, kind, &limits[i]);
        run(&first, data, answers, NULL);
        run(&second, data, answers, &division);
        if (strcmp(first.text, second.text) != 0)
            fprintf(stderr, "whole:\n%s\ndivided:\n%s\n", first.text, second.text);
        demand(strcmp(first.text, second.text) == 0, "the divisions agree");
        reader_fini(&first);
        reader_fini(&second);
        check_events(data, kind, &limits[i]);
    }
}
