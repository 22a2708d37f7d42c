/* SPDX-License-Identifier: MIT */
/* What the whole head means: how the body ends (RFC 9112 §6.3) and whether the connection goes on (§9.3). */
#include "wire/http1/http1_parser.h"

/* Whether another message may follow, as far as the fields say. */
static bool is_persistent(const weft_http1_parser *parser)
{
    if (parser->flags & HTTP1_CLOSE)
        return false;
    return parser->minor >= 1 || (parser->flags & HTTP1_KEEP_ALIVE);
}

static bool has_all(const weft_http1_parser *parser, unsigned flags)
{
    return (parser->flags & flags) == flags;
}

/* RFC 9112 §6.3, in its order; what is ambiguous was refused before. */
static weft_http1_framing find_framing(const weft_http1_parser *parser)
{
    if (parser->flags & HTTP1_BODILESS)
        return WEFT_HTTP1_BODY_NONE;
    if (parser->flags & HTTP1_CHUNKED)
        return WEFT_HTTP1_BODY_CHUNKED;
    if (parser->flags & HTTP1_HAS_LENGTH)
        return parser->body_total > 0 ? WEFT_HTTP1_BODY_LENGTH : WEFT_HTTP1_BODY_NONE;
    return parser->kind == WEFT_HTTP1_REQUEST ? WEFT_HTTP1_BODY_NONE : WEFT_HTTP1_BODY_UNTIL_CLOSE;
}

static enum http1_problem find_problem(const weft_http1_parser *parser, weft_http1_framing framing)
{
    if (parser->kind == WEFT_HTTP1_REQUEST && parser->minor >= 1 && !(parser->flags & HTTP1_HAS_HOST))
        return HTTP1_BAD_HOST_MISSING;
    if (has_all(parser, HTTP1_HAS_CODING) && !has_all(parser, HTTP1_CHUNKED) && !has_all(parser, HTTP1_BODILESS))
        return HTTP1_BAD_CODING_UNKNOWN;
    if (framing == WEFT_HTTP1_BODY_LENGTH && parser->body_total > parser->body_limit)
        return HTTP1_BAD_LARGE_BODY;
    return HTTP1_BAD_NONE;
}

static const uint8_t body_states[] = {
    [WEFT_HTTP1_BODY_NONE] = HTTP1_DONE,
    [WEFT_HTTP1_BODY_LENGTH] = HTTP1_LENGTH,
    [WEFT_HTTP1_BODY_CHUNKED] = HTTP1_CHUNK_SIZE,
    [WEFT_HTTP1_BODY_UNTIL_CLOSE] = HTTP1_UNTIL_CLOSE,
};

/* Goes to the state that reads the body. */
static void begin_body(weft_http1_parser *parser, weft_http1_framing framing)
{
    parser->state = body_states[framing];
    parser->left = framing == WEFT_HTTP1_BODY_LENGTH ? parser->body_total : 0;
    if (framing != WEFT_HTTP1_BODY_LENGTH)
        parser->body_total = 0;
}

int http1_end_head(weft_http1_parser *parser, weft_http1_event *event)
{
    weft_http1_framing framing = find_framing(parser);
    enum http1_problem problem = find_problem(parser, framing);
    bool upgrade = has_all(parser, HTTP1_HAS_UPGRADE | HTTP1_CONNECTION_UPGRADE) && parser->minor >= 1;

    if (problem != HTTP1_BAD_NONE)
        return http1_refuse(parser, problem);
    begin_body(parser, framing);
    if (parser->kind == WEFT_HTTP1_RESPONSE)
        upgrade = has_all(parser, HTTP1_SWITCHES);
    event->head = (weft_http1_head){
        .framing = framing,
        .length = parser->left,
        .keep_alive = is_persistent(parser) && framing != WEFT_HTTP1_BODY_UNTIL_CLOSE,
        .expect_continue = has_all(parser, HTTP1_EXPECT) && framing != WEFT_HTTP1_BODY_NONE,
        .upgrade = upgrade,
        .interim = has_all(parser, HTTP1_INTERIM),
    };
    return WEFT_HTTP1_HEAD_END;
}
