/* SPDX-License-Identifier: MIT */
/*
 * Parses one input, for complexity.py, which counts the instructions that this takes:
 *
 *     complexity KIND SIZE STEP events|heads
 *
 * KIND is what grows to about SIZE bytes (0: nothing does, for what the program itself takes). STEP bytes are added at
 * a time. `heads` gives the events of a head only when it is whole, as the server has it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <weft/time.h>
#include <weft/wire/http1.h>

#define HEAD " / HTTP/1.1\r\nHost: a\r\n"
#define CHUNKED "POST" HEAD "Transfer-Encoding: chunked\r\n\r\n"

static const struct kind {
    const char *name, *before, *grows, *after;
} kinds[] = {
    {"target", "GET /", "a", " HTTP/1.1\r\nHost: a\r\n\r\n"},
    {"method", "GET", "T", HEAD "\r\n"},
    {"value", "GET" HEAD "X: ", "v", "\r\n\r\n"},
    {"spaces", "GET" HEAD "X: a", " ", "b\r\n\r\n"},
    {"name", "GET" HEAD, "n", ": x\r\n\r\n"},
    {"fields", "GET" HEAD, "Ab: cd\r\n", "\r\n"},
    {"host", "GET / HTTP/1.1\r\nHost: a", "b", "\r\n\r\n"},
    {"connection", "GET" HEAD "Connection: x", ", x", "\r\n\r\n"},
    {"body", "POST" HEAD "Content-Length: 99999999\r\n\r\n", "b", ""},
    {"chunks", CHUNKED, "1\r\nx\r\n", "0\r\n\r\n"},
    {"extension", CHUNKED "1;e=", "e", "\r\nx\r\n0\r\n\r\n"},
    {"trailers", CHUNKED "0\r\n", "Ab: cd\r\n", "\r\n"},
    {"pipeline", "", "GET" HEAD "\r\n", ""},
};

static const struct kind *find(const char *name)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i].name, name) == 0)
            return &kinds[i];
    return NULL;
}

/* Freed by the caller. */
static weft_bytes make(const struct kind *kind, size_t size)
{
    size_t unit = strlen(kind->grows), count = size / unit, before = strlen(kind->before), after = strlen(kind->after);
    char *data = malloc(before + count * unit + after + 1);

    if (!data)
        abort();
    memcpy(data, kind->before, before);
    for (size_t i = 0; i < count; i++)
        memcpy(data + before + i * unit, kind->grows, unit);
    memcpy(data + before + count * unit, kind->after, after);
    return weft_bytes_of(data, before + count * unit + after);
}

/* Returns whether all was taken and nothing refused. */
static bool parse(weft_bytes input, size_t step, bool whole_head)
{
    weft_http1_limits limits = {
        .request_line = WEFT_UNLIMITED,
        .head_bytes = WEFT_UNLIMITED,
        .field_count = WEFT_UNLIMITED,
        .chunk_line = WEFT_UNLIMITED,
        .chunk_extensions = WEFT_UNLIMITED,
        .body = WEFT_UNLIMITED,
        .whole_head = whole_head,
    };
    weft_http1_parser parser;
    weft_http1_event event;
    size_t begin = 0;
    int type = 0;

    weft_http1_parser_init(&parser, WEFT_HTTP1_REQUEST, &limits);
    for (size_t end = 0; end < input.length && type >= 0;) {
        weft_bytes rest;

        end = input.length - end > step ? end + step : input.length;
        rest = weft_bytes_of(input.data + begin, end - begin);
        while ((type = weft_http1_next(&parser, &rest, &event)) > 0)
            if (type == WEFT_HTTP1_MESSAGE_END)
                weft_http1_parser_reset(&parser);
        begin = end - rest.length;
    }
    return type >= 0 && begin == input.length;
}

int main(int argc, char **argv)
{
    const struct kind *kind = argc == 5 ? find(argv[1]) : NULL;
    weft_bytes input;
    bool taken;

    if (!kind) {
        for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
            puts(kinds[i].name);
        return argc == 1 ? EXIT_SUCCESS : 2;
    }
    input = make(kind, (size_t)strtoull(argv[2], NULL, 10));
    taken = parse(input, (size_t)strtoull(argv[3], NULL, 10), strcmp(argv[4], "heads") == 0);
    free((void *)(uintptr_t)input.data);
    return taken ? EXIT_SUCCESS : EXIT_FAILURE;
}
