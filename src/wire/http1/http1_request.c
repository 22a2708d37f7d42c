/* SPDX-License-Identifier: MIT */
/* Request lines and request targets (RFC 9112 §3). */
#include "wire/http1/http1_authority.h"
#include "wire/http1/http1_chars.h"
#include "wire/http1/http1_parser.h"

/* absolute-form = scheme "://" authority path-abempty [ "?" query ] (RFC 9112 §3.2.2); userinfo is not allowed. */
static enum http1_problem split_absolute(weft_http1_request_line *line)
{
    weft_bytes rest = line->target;
    http1_authority ignored;
    size_t end = http1_span(rest, 0, HTTP1_SCHEME);

    if (end == 0 || (rest.data[0] | 0x20) < 'a' || rest.length - end < 3 || memcmp(rest.data + end, "://", 3) != 0)
        return HTTP1_BAD_TARGET_FORM;
    line->scheme = weft_bytes_first(rest, end);
    rest = weft_bytes_skip(rest, end + 3);
    for (end = 0; end < rest.length && rest.data[end] != '/' && rest.data[end] != '?'; end++)
        ;
    line->authority = weft_bytes_first(rest, end);
    line->path = weft_bytes_skip(rest, end);
    line->form = WEFT_HTTP1_ABSOLUTE_FORM;
    return http1_authority_parse(line->authority, &ignored) < 0 ? HTTP1_BAD_AUTHORITY : HTTP1_BAD_NONE;
}

/* authority-form = uri-host ":" port (RFC 9112 §3.2.3); the port must be there and not 0 (RFC 9110 §9.3.6). */
static enum http1_problem split_authority(weft_http1_request_line *line)
{
    http1_authority authority;

    if (http1_authority_parse(line->target, &authority) < 0 || authority.number == 0)
        return HTTP1_BAD_AUTHORITY;
    line->authority = line->target;
    line->form = WEFT_HTTP1_AUTHORITY_FORM;
    return HTTP1_BAD_NONE;
}

static const weft_bytes method_connect = WEFT_BYTES("CONNECT"), method_options = WEFT_BYTES("OPTIONS"),
                        asterisk = WEFT_BYTES("*");

/* Which of the forms of RFC 9112 §3.2 the target has, and its parts. */
static enum http1_problem split_target(weft_http1_request_line *line)
{
    if (weft_bytes_equal(line->method, method_connect))
        return split_authority(line);
    if (line->target.data[0] == '/') {
        line->path = line->target;
        line->form = WEFT_HTTP1_ORIGIN_FORM;
        return HTTP1_BAD_NONE;
    }
    if (weft_bytes_equal(line->target, asterisk)) {
        line->path = line->target;
        line->form = WEFT_HTTP1_ASTERISK_FORM;
        return weft_bytes_equal(line->method, method_options) ? HTTP1_BAD_NONE : HTTP1_BAD_TARGET_FORM;
    }
    return split_absolute(line);
}

/* Splits @p text and sets *line, or refuses it. */
static int parse_request_line(weft_http1_parser *parser, weft_bytes text, weft_http1_request_line *line)
{
    size_t method = http1_span_line(text.data, 0, HTTP1_TOKEN), target;
    enum http1_problem problem;

    if (method == 0 || text.data[method] != ' ')
        return http1_refuse(parser, HTTP1_BAD_METHOD);
    target = http1_span_line(text.data, method + 1, HTTP1_TARGET);
    if (target == method + 1 || (target < text.length && text.data[target] != ' '))
        return http1_refuse(parser, HTTP1_BAD_TARGET);
    /* The version comes first, so that HTTP/2's preface `PRI * HTTP/2.0` is told 505. */
    if (http1_parse_version(parser, weft_bytes_skip(text, target + 1)) < 0)
        return WEFT_EPROTOCOL;
    line->method = weft_bytes_first(text, method);
    line->target = weft_bytes_of(text.data + method + 1, target - method - 1);
    line->scheme = line->authority = line->path = weft_bytes_of(NULL, 0);
    line->minor = parser->minor;
    problem = split_target(line);
    return problem == HTTP1_BAD_NONE ? 0 : http1_refuse(parser, problem);
}

/*
 * The value of the first Host field in @p head, what follows the first line; empty if there is none before the first
 * byte for which the head will be refused: what comes after that may not be in the input yet.
 */
static weft_bytes find_host(weft_bytes head)
{
    for (;;) {
        size_t end = http1_find_control(head.data, 0, head.length);
        weft_bytes line = weft_bytes_first(head, end);
        size_t colon = http1_span(line, 0, HTTP1_TOKEN);

        if (end == 0 || end + 1 >= head.length || head.data[end] != '\r' || head.data[end + 1] != '\n')
            return weft_bytes_of(NULL, 0);
        if (http1_field_id(weft_bytes_first(line, colon)) == WEFT_HTTP1_FIELD_HOST)
            return http1_trim(weft_bytes_skip(line, colon + 1));
        head = weft_bytes_skip(head, end + 2);
    }
}

/*
 * RFC 9112 §3.2.2: the authority of an absolute-form target wins over Host; two that differ are an attack, and refused.
 * A Host that is missing or not valid is left to the fields' own checks.
 */
static bool host_differs(const weft_http1_request_line *line, weft_bytes head)
{
    weft_bytes host = find_host(head);

    return weft_http1_is_host(host) && !http1_authority_equal(line->authority, host, line->scheme);
}

/* The request line at the front, after the one empty line that a client may send before it (RFC 9112 §2.2). */
static int peek_request_line(weft_http1_parser *parser, weft_bytes *input, weft_bytes *ret)
{
    size_t window = http1_add(http1_limit(parser->limits->request_line, 8192), 2);
    int result = http1_peek_line(parser, *input, window, HTTP1_BAD_LONG_LINE, ret);

    if (result > 0 && ret->length == 0 && !(parser->flags & HTTP1_EMPTY_LINE)) {
        parser->flags |= HTTP1_EMPTY_LINE;
        http1_take_line(input, *ret);
        result = http1_peek_line(parser, *input, window, HTTP1_BAD_LONG_LINE, ret);
    }
    if (result > 0 && ret->length == 0)
        return http1_refuse(parser, HTTP1_BAD_EMPTY_LINES);
    return result;
}

int http1_next_request_line(weft_http1_parser *parser, weft_bytes *input, weft_http1_event *event)
{
    bool waited = (parser->flags & HTTP1_HEAD_WAIT) != 0;
    weft_http1_request_line request;
    weft_bytes line;
    int result = waited ? http1_resume_head(parser, *input, &line) : peek_request_line(parser, input, &line);

    if (result <= 0)
        return result;
    result = parse_request_line(parser, line, &request);
    if (result < 0)
        return result;
    /* To compare an absolute-form target with Host without keeping a pointer, both must be in the input. */
    if (!waited && (parser->limits->whole_head || request.form == WEFT_HTTP1_ABSOLUTE_FORM) &&
        !http1_await_head(parser, *input, line))
        return WEFT_HTTP1_NEED_MORE;
    if (request.form == WEFT_HTTP1_ABSOLUTE_FORM &&
        host_differs(&request, weft_bytes_first(weft_bytes_skip(*input, line.length + 2), http1_head_limit(parser))))
        return http1_refuse(parser, HTTP1_BAD_HOST_DIFFERS);
    http1_take_line(input, line);
    parser->state = HTTP1_HEAD;
    event->request = request;
    return WEFT_HTTP1_REQUEST_LINE;
}
