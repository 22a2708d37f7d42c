/* SPDX-License-Identifier: MIT */
/* Status lines (RFC 9112 §4), and what a status code means for what follows (§6.3). */
#include "wire/http1/http1_chars.h"
#include "wire/http1/http1_parser.h"

/* The flags that follow from a status code, and from the request that it answers. */
static uint16_t flags_of_code(weft_http1_answers answers, unsigned code)
{
    bool switches = code == 101 || (answers == WEFT_HTTP1_ANSWERS_CONNECT && code / 100 == 2);
    bool interim = code / 100 == 1 && !switches;
    bool bodiless = switches || interim || code == 204 || code == 304 || answers == WEFT_HTTP1_ANSWERS_HEAD;

    return (uint16_t)((switches ? HTTP1_SWITCHES : 0) | (interim ? HTTP1_INTERIM : 0) |
                      (bodiless ? HTTP1_BODILESS : 0));
}

/*
 * status-line = HTTP-version SP status-code SP [ reason-phrase ]. The space before a reason that is not there is often
 * forgotten, and nothing depends on it: it may be missing.
 */
static int parse_status_line(weft_http1_parser *parser, weft_bytes line, weft_http1_status_line *ret)
{
    weft_bytes rest = weft_bytes_skip(line, 8);
    uint64_t code;

    if (http1_parse_version(parser, weft_bytes_first(line, 8)) < 0)
        return WEFT_EPROTOCOL;
    if (rest.length < 4 || rest.data[0] != ' ' || (rest.length > 4 && rest.data[4] != ' ') ||
        weft_bytes_to_uint64(weft_bytes_of(rest.data + 1, 3), 999, &code) < 0 || code < 100)
        return http1_refuse(parser, HTTP1_BAD_STATUS_CODE);
    ret->code = (unsigned)code;
    ret->minor = parser->minor;
    ret->reason = weft_bytes_skip(rest, 5);
    return 0;
}

static const weft_bytes protocol = WEFT_BYTES("HTTP/");

/* Whether it cannot become a status line any more: nobody should wait for the rest of what is none. */
static bool is_no_status_line(weft_bytes input)
{
    size_t length = input.length < protocol.length ? input.length : protocol.length;

    return memcmp(input.data, protocol.data, length) != 0;
}

int http1_next_status_line(weft_http1_parser *parser, weft_bytes *input, weft_http1_event *event)
{
    size_t window = http1_add(http1_limit(parser->limits->request_line, 8192), 2);
    bool waited = (parser->flags & HTTP1_HEAD_WAIT) != 0;
    weft_http1_status_line status;
    weft_bytes line;
    int result;

    if (!waited && input->length > 0 && is_no_status_line(*input))
        return http1_refuse(parser, HTTP1_BAD_VERSION);
    result = waited ? http1_resume_head(parser, *input, &line)
                    : http1_peek_line(parser, *input, window, HTTP1_BAD_LONG_LINE, &line);

    if (result <= 0)
        return result;
    result = parse_status_line(parser, line, &status);
    if (result < 0)
        return result;
    if (!waited && parser->limits->whole_head && !http1_await_head(parser, *input, line))
        return WEFT_HTTP1_NEED_MORE;
    http1_take_line(input, line);
    parser->flags |= flags_of_code((weft_http1_answers)parser->answers, status.code);
    parser->state = HTTP1_HEAD;
    event->status = status;
    return WEFT_HTTP1_STATUS_LINE;
}
