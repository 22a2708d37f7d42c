/* SPDX-License-Identifier: MIT */
/* What the files of the HTTP/1.1 parser share: its states, its flags, what can be wrong with a message. */
#ifndef WEFT_WIRE_HTTP1_PARSER_H
#define WEFT_WIRE_HTTP1_PARSER_H

#include <weft/wire/http1.h>

#include "wire/http1/http1_chars.h"

/* README.md has the diagram. */
enum http1_state {
    HTTP1_START,       /* before or in the first line */
    HTTP1_HEAD,        /* before or in a field line, or the empty line after them */
    HTTP1_LENGTH,      /* in a body of known length, at least one byte of it to come */
    HTTP1_UNTIL_CLOSE, /* in a body that the end of the stream ends */
    HTTP1_CHUNK_SIZE,  /* before or in the line of a chunk's size */
    HTTP1_CHUNK_DATA,  /* in a chunk, at least one byte of it to come */
    HTTP1_CHUNK_CRLF,  /* before the CRLF after a chunk's data */
    HTTP1_TRAILERS,    /* before or in a trailer, or the empty line after them */
    HTTP1_DONE,        /* the message was complete */
    HTTP1_FAILED       /* refused; for ever */
};

enum http1_flag {
    HTTP1_EMPTY_LINE = 1 << 0, /* an empty line came before the first line */
    HTTP1_HEAD_WAIT = 1 << 1,  /* the first line is right, but is kept back until the whole head is there */
    HTTP1_HAS_HOST = 1 << 2,
    HTTP1_HAS_LENGTH = 1 << 3, /* Content-Length, in body_total */
    HTTP1_HAS_CODING = 1 << 4, /* Transfer-Encoding */
    HTTP1_CHUNKED = 1 << 5,    /* ... which is `chunked`; without this flag, a coding that is not known */
    HTTP1_CLOSE = 1 << 6,      /* Connection: close */
    HTTP1_KEEP_ALIVE = 1 << 7, /* Connection: keep-alive */
    HTTP1_CONNECTION_UPGRADE = 1 << 8,
    HTTP1_HAS_UPGRADE = 1 << 9,
    HTTP1_EXPECT = 1 << 10,   /* Expect: 100-continue */
    HTTP1_BODILESS = 1 << 11, /* a response that has no body, whatever its fields say */
    HTTP1_INTERIM = 1 << 12,  /* a 1xx response other than 101 */
    HTTP1_SWITCHES = 1 << 13  /* a 101, or a 2xx to CONNECT */
};

/* X(name, status, text) */
#define HTTP1_PROBLEMS(X)                                                                      \
    X(NONE, 0, "")                                                                             \
    X(BARE_LF, 400, "a line ends with a bare LF")                                              \
    X(BARE_CR, 400, "a CR without an LF in a line")                                            \
    X(CONTROL, 400, "a control character in a line")                                           \
    X(EMPTY_LINES, 400, "more than one empty line before the request line")                    \
    X(METHOD, 400, "the method is not a token followed by one space")                          \
    X(TARGET, 400, "the request target has a character that it must not have, or is empty")    \
    X(TARGET_FORM, 400, "the request target is of none of the forms that its method can have") \
    X(AUTHORITY, 400, "the request target's host or port is not valid")                        \
    X(VERSION, 400, "the first line does not end with one space and HTTP/1.x")                 \
    X(MAJOR, 505, "the major version of HTTP is not 1")                                        \
    X(LONG_LINE, 414, "the request line is longer than its limit")                             \
    X(FOLD, 400, "a field line begins with whitespace")                                        \
    X(NAME, 400, "a field name is not a token followed by a colon")                            \
    X(LARGE_HEAD, 431, "the fields are longer than their limit")                               \
    X(MANY_FIELDS, 431, "there are more fields than their limit")                              \
    X(HOST_MISSING, 400, "no Host in an HTTP/1.1 request")                                     \
    X(HOST_TWICE, 400, "Host comes twice")                                                     \
    X(HOST, 400, "the value of Host is not valid")                                             \
    X(HOST_DIFFERS, 400, "Host is not that of the request target")                             \
    X(LENGTH_TWICE, 400, "Content-Length comes twice")                                         \
    X(LENGTH, 400, "the value of Content-Length is not valid")                                 \
    X(LENGTH_AND_CODING, 400, "both Content-Length and Transfer-Encoding")                     \
    X(CODING_OLD, 400, "Transfer-Encoding in an HTTP/1.0 message")                             \
    X(CODING_TWICE, 400, "Transfer-Encoding comes twice")                                      \
    X(CODING, 400, "the value of Transfer-Encoding is not valid")                              \
    X(CODING_UNKNOWN, 501, "a transfer coding other than chunked")                             \
    X(EXPECT, 417, "an expectation other than 100-continue")                                   \
    X(LARGE_BODY, 413, "the body is longer than its limit")                                    \
    X(CHUNK_LINE, 400, "the line of a chunk's size is longer than its limit")                  \
    X(CHUNK_SIZE, 400, "a chunk's size is not valid")                                          \
    X(CHUNK_EXTENSION, 400, "a chunk extension is not valid")                                  \
    X(LARGE_EXTENSIONS, 400, "the chunk extensions are longer than their limit")               \
    X(CHUNK_END, 400, "no CRLF after a chunk's data")                                          \
    X(TRAILER, 400, "a field that must not come in trailers")                                  \
    X(STATUS_CODE, 502, "the status line has no code of three digits")                         \
    X(TRUNCATED, 400, "the stream ended in the middle of a message")

#define HTTP1_PROBLEM_ENUM(name, status, text) HTTP1_BAD_##name,
enum http1_problem { HTTP1_PROBLEMS(HTTP1_PROBLEM_ENUM) };
#undef HTTP1_PROBLEM_ENUM

/* Refuses the message. Returns WEFT_EPROTOCOL. */
int http1_refuse(weft_http1_parser *parser, enum http1_problem problem) WEFT_NONBLOCKING;

/* A limit as it was given, or its default. */
static inline size_t http1_limit(size_t given, size_t otherwise)
{
    return given ? given : otherwise;
}

static inline size_t http1_head_limit(const weft_http1_parser *parser)
{
    return http1_limit(parser->limits->head_bytes, 16384);
}

/* @p a + @p b, or SIZE_MAX: a limit may be WEFT_UNLIMITED. */
static inline size_t http1_add(size_t a, size_t b)
{
    return a > SIZE_MAX - b ? SIZE_MAX : a + b;
}

/* Whether a CRLF is at @p at of @p bytes. */
static inline bool http1_is_crlf(weft_bytes bytes, size_t at)
{
    return at + 1 < bytes.length && bytes.data[at] == '\r' && bytes.data[at + 1] == '\n';
}

/*
 * What http1_peek_line does if there is no CRLF at @p end, the first control character in @p input: refuses it, or what
 * is @p too_long (unless that is HTTP1_BAD_NONE), or returns 0.
 */
int http1_no_line(weft_http1_parser *parser, weft_bytes input, size_t end,
                  enum http1_problem too_long) WEFT_NONBLOCKING;

/*
 * Finds the line at the front of @p input: text without control characters other than HTAB, then CRLF.
 *
 * @p window is the most bytes that it may have, the CRLF included; what is wrong beyond it is not seen, so that a
 * message is refused for the same reason however it was split.
 * Returns 1 if *ret is it (without the CRLF), 0 if more is needed, or refuses with @p too_long.
 */
static inline int http1_peek_line(weft_http1_parser *parser, weft_bytes input, size_t window,
                                  enum http1_problem too_long, weft_bytes *ret)
{
    size_t length = input.length < window ? input.length : window;
    size_t end = http1_find_control(input.data, parser->scanned, length);

    input.length = length;
    *ret = weft_bytes_of(input.data, end);
    /* RFC 9112 §2.2: only CRLF ends a line; a bare CR or LF is neither an end nor a space. */
    if (!http1_is_crlf(input, end))
        return http1_no_line(parser, input, end, length == window ? too_long : HTTP1_BAD_NONE);
    parser->scanned = 0;
    return 1;
}

/* Takes @p line, which http1_peek_line found, and its CRLF off @p input. */
static inline void http1_take_line(weft_bytes *input, weft_bytes line)
{
    input->data += line.length + 2;
    input->length -= line.length + 2;
}

/* The events of each state. They return what weft_http1_next returns, but leave event->type to it. */
int http1_next_request_line(weft_http1_parser *parser, weft_bytes *input, weft_http1_event *event) WEFT_NONBLOCKING;
int http1_next_status_line(weft_http1_parser *parser, weft_bytes *input, weft_http1_event *event) WEFT_NONBLOCKING;
int http1_next_field(weft_http1_parser *parser, weft_bytes *input, weft_http1_event *event) WEFT_NONBLOCKING;
int http1_next_counted(weft_http1_parser *parser, weft_bytes *input, weft_http1_event *event) WEFT_NONBLOCKING;
int http1_next_until_close(weft_http1_parser *parser, weft_bytes *input, weft_http1_event *event) WEFT_NONBLOCKING;
int http1_next_chunk(weft_http1_parser *parser, weft_bytes *input, weft_http1_event *event) WEFT_NONBLOCKING;

/*
 * Keeps @p line, the first of a head and found right, back until the whole head is in the input (or enough of it to be
 * refused). Returns whether it is there already.
 */
bool http1_await_head(weft_http1_parser *parser, weft_bytes input, weft_bytes line) WEFT_NONBLOCKING;

/* Looks whether the head that was waited for is there. Returns 1 and sets *ret to its first line, or 0. */
int http1_resume_head(weft_http1_parser *parser, weft_bytes input, weft_bytes *ret) WEFT_NONBLOCKING;

/* Takes note of the minor version of @p text, which must be exactly "HTTP/1.N", or refuses. */
int http1_parse_version(weft_http1_parser *parser, weft_bytes text) WEFT_NONBLOCKING;

/* Decides, at the end of the head, how the message is framed (RFC 9112 §6.3), and sets event->head; or refuses. */
int http1_end_head(weft_http1_parser *parser, weft_http1_event *event) WEFT_NONBLOCKING;

/* Which of the fields that the parser understands is called @p name. */
weft_http1_field_id http1_field_id(weft_bytes name) WEFT_NONBLOCKING;

#endif
