/* SPDX-License-Identifier: MIT */
/* Compares what a parser gives, in every division of its input, with a transcript (see reader.h). */
#ifndef WEFT_TESTS_WIRE_HTTP1_CHECK_H
#define WEFT_TESTS_WIRE_HTTP1_CHECK_H

#include <weft/wire/http1.h>

struct check {
    weft_http1_kind kind;
    const weft_http1_limits *limits;
    weft_http1_answers answers;
    bool open; /* do not end the stream after the input */
};

/* Fails the test unless @p input gives exactly @p expected, whole, byte by byte and divided at random. */
void check_bytes(const struct check *check, weft_bytes input, const char *expected);

/* The same for a literal, which may hold NULs. */
#define check_transcript(check, literal, expected) \
    check_bytes((check), weft_bytes_of("" literal, sizeof(literal) - 1), (expected))

#endif
