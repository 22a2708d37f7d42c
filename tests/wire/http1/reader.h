/* SPDX-License-Identifier: MIT */
/*
 * Runs a parser over a connection's bytes, in whatever pieces they come, and writes down what it gives, one event a
 * line. Two divisions of the same bytes must give the same transcript.
 *
 * Before each call the bytes that were not consumed are moved to a block of exactly their length, so that a sanitizer
 * sees a parser that reads beyond its input or keeps a pointer into it.
 */
#ifndef WEFT_TESTS_WIRE_HTTP1_READER_H
#define WEFT_TESTS_WIRE_HTTP1_READER_H

#include <weft/wire/http1.h>

struct reader {
    weft_http1_parser parser;
    weft_http1_answers answers; /* what every response answers */
    char *held;                 /* not yet consumed */
    size_t held_length;
    char *text; /* the transcript, NUL-terminated */
    size_t text_length, text_capacity;
    bool in_body; /* the last line of the transcript is of a body and goes on */
    bool stopped; /* nothing more is parsed: refused, or the connection is no longer kept */
    bool interim; /* the response under way is */
    bool keep_alive;
    bool connect, trace; /* the method of the last request */
    size_t messages;     /* complete ones */
};

void reader_init(struct reader *reader, weft_http1_kind kind, const weft_http1_limits *limits);
void reader_fini(struct reader *reader);
/* Presents @p piece after what was left of those before. */
void reader_feed(struct reader *reader, weft_bytes piece);
/* Says that the stream has ended. */
void reader_end(struct reader *reader);

#endif
