/* SPDX-License-Identifier: MIT */
/*
 * Another parser as the judge: what we take for one complete request, llhttp in its strict mode must take for one
 * complete request that ends at the same byte, with the same method, target, fields, body and trailers.
 *
 * The requests are the accepted ones of the malformed suite and a great many random changes of them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <llhttp.h>

#include "base/random.h"
#include "support/support.h"
#include "wire/http1/malformed.h"

#include <weft/wire/http1.h>

#define CHANGES 1000000
#define LONGEST 512 /* of the requests that are changed */
#define PIECE 40    /* the most bytes that one change puts in */

/* What a parser made of a request. Both parsers write it down in the same form. */
struct story {
    char text[4096];
    size_t length;
    bool in_value, in_body, complete;
};

static void tell(struct story *story, const char *data, size_t length)
{
    if (length > sizeof story->text - story->length)
        fail_msg("a story of more than %zu bytes", sizeof story->text);
    memcpy(story->text + story->length, data, length);
    story->length += length;
}

static void tell_bytes(struct story *story, weft_bytes bytes)
{
    tell(story, bytes.data, bytes.length);
}

/* The story of the first request in @p input; false if we do not take it for a complete one. Sets *ret_length. */
static bool tell_ours(struct story *story, weft_bytes input, size_t *ret_length)
{
    weft_http1_parser parser;
    weft_http1_event event;
    weft_bytes rest = input;

    weft_http1_parser_init(&parser, WEFT_HTTP1_REQUEST, NULL);
    while (weft_http1_next(&parser, &rest, &event) > 0) {
        switch (event.type) {
        case WEFT_HTTP1_REQUEST_LINE:
            tell_bytes(story, event.request.method);
            tell(story, " ", 1);
            tell_bytes(story, event.request.target);
            break;
        case WEFT_HTTP1_FIELD:
        case WEFT_HTTP1_TRAILER:
            tell(story, "\n", 1);
            tell_bytes(story, event.field.name);
            tell(story, "=", 1);
            tell_bytes(story, event.field.value);
            break;
        case WEFT_HTTP1_BODY:
            if (!story->in_body)
                tell(story, "\n\n", 2);
            story->in_body = true;
            tell_bytes(story, event.body);
            break;
        case WEFT_HTTP1_MESSAGE_END:
            *ret_length = input.length - rest.length;
            return true;
        case WEFT_HTTP1_HEAD_END:
        case WEFT_HTTP1_STATUS_LINE:
        case WEFT_HTTP1_NEED_MORE:
            break;
        }
    }
    return false;
}

static int on_method(llhttp_t *parser, const char *at, size_t length)
{
    tell(parser->data, at, length);
    return 0;
}

static int on_method_end(llhttp_t *parser)
{
    tell(parser->data, " ", 1);
    return 0;
}

static int on_text(llhttp_t *parser, const char *at, size_t length)
{
    tell(parser->data, at, length);
    return 0;
}

static int on_name(llhttp_t *parser, const char *at, size_t length)
{
    struct story *story = parser->data;

    if (!story->in_value)
        tell(story, "\n", 1);
    story->in_value = true;
    tell(story, at, length);
    return 0;
}

static int on_name_end(llhttp_t *parser)
{
    tell(parser->data, "=", 1);
    return 0;
}

/* llhttp leaves the whitespace after a value to its user. */
static int on_value_end(llhttp_t *parser)
{
    struct story *story = parser->data;

    while (story->text[story->length - 1] == ' ' || story->text[story->length - 1] == '\t')
        story->length--;
    story->in_value = false;
    return 0;
}

static int on_body(llhttp_t *parser, const char *at, size_t length)
{
    struct story *story = parser->data;

    if (!story->in_body)
        tell(story, "\n\n", 2);
    story->in_body = true;
    tell(story, at, length);
    return 0;
}

static int on_end(llhttp_t *parser)
{
    struct story *story = parser->data;

    story->complete = true;
    return 0;
}

/* The story of @p input, which is one request. */
static llhttp_errno_t tell_theirs(struct story *story, weft_bytes input)
{
    llhttp_settings_t settings;
    llhttp_t parser;

    llhttp_settings_init(&settings);
    settings.on_method = on_method;
    settings.on_method_complete = on_method_end;
    settings.on_url = on_text;
    settings.on_header_field = on_name;
    settings.on_header_field_complete = on_name_end;
    settings.on_header_value = on_text;
    settings.on_header_value_complete = on_value_end;
    settings.on_body = on_body;
    settings.on_message_complete = on_end;
    llhttp_init(&parser, HTTP_REQUEST, &settings);
    parser.data = story;
    return llhttp_execute(&parser, input.data, input.length);
}

/*
 * What llhttp does not take although it should: methods that it does not know; versions other than 1.0 and 1.1; some
 * URLs (schemes with other bytes than letters, RFC 3986 §3.1); tabs after a coding or a length; quoted strings and
 * whitespace in chunk extensions. An Upgrade or a CONNECT ends HTTP for it.
 */
static bool is_their_limit(llhttp_errno_t error, weft_bytes input)
{
    switch (error) {
    case HPE_INVALID_METHOD:
    case HPE_INVALID_VERSION:
    case HPE_INVALID_URL:
    case HPE_PAUSED_UPGRADE:
        return true;
    case HPE_INVALID_TRANSFER_ENCODING:
    case HPE_INVALID_CONTENT_LENGTH:
        return memchr(input.data, '\t', input.length) != NULL;
    case HPE_INVALID_CHUNK_SIZE:
    case HPE_STRICT:
        return memchr(input.data, ';', input.length) != NULL;
    default:
        return false;
    }
}

/* Compares the two stories of the first request in @p input. Returns whether there was something to compare. */
static bool compare(weft_bytes input)
{
    struct story ours = {.length = 0}, theirs = {.length = 0};
    llhttp_errno_t error;
    size_t length;

    if (!tell_ours(&ours, input, &length))
        return false;
    error = tell_theirs(&theirs, weft_bytes_first(input, length));
    if (is_their_limit(error, input))
        return false;
    if (error != HPE_OK || !theirs.complete || ours.length != theirs.length ||
        memcmp(ours.text, theirs.text, ours.length) != 0)
        fail_msg("%s%s, of:\n%.*s\nours:\n%.*s\ntheirs:\n%.*s", llhttp_errno_name(error),
                 theirs.complete ? "" : ", not complete", (int)length, input.data, (int)ours.length, ours.text,
                 (int)theirs.length, theirs.text);
    return true;
}

static void accepted_cases_are_read_the_same(void **state)
{
    size_t compared = 0;

    (void)state;
    for (size_t i = 0; i < malformed_count; i++)
        if (malformed_cases[i].length < 2048)
            compared += compare(weft_bytes_of(malformed_cases[i].request, malformed_cases[i].length));
    assert_true(compared > 50);
}

/* Puts @p piece, which may be of the text after @p place, in at @p place. Returns the new length. */
static size_t put_in(char *text, size_t length, size_t place, const char *piece, size_t size)
{
    char copy[PIECE];

    memcpy(copy, piece, size);
    memmove(text + place + size, text + place, length - place);
    memcpy(text + place, copy, size);
    return length + size;
}

/*
 * Changes one to three places of @p text: a byte is replaced, put in or taken out, or a piece is said twice.
 * @p text has room for three pieces more. Returns the new length.
 */
static size_t change(struct random_source *random, char *text, size_t length)
{
    static const char bytes[] = "\r\n \t:;,=\"\\0159aAfF/*?#%@[].-+_x\0\x01\x0b\x7f\x80\xff";

    for (uint64_t left = random_between(random, 1, 3); left > 0 && length > 1; left--) {
        size_t place = (size_t)random_between(random, 0, length - 1);
        size_t piece = (size_t)random_between(random, 1, length - place < PIECE ? length - place : PIECE);
        char byte = bytes[random_between(random, 0, sizeof bytes - 2)];

        switch (random_between(random, 0, 3)) {
        case 0:
            text[place] = byte;
            break;
        case 1:
            memmove(text + place, text + place + 1, length - place - 1);
            length--;
            break;
        case 2:
            length = put_in(text, length, place, &byte, 1);
            break;
        default:
            length = put_in(text, length, place, text + place, piece);
            break;
        }
    }
    return length;
}

static void changed_cases_are_read_the_same(void **state)
{
    struct random_source random;
    size_t compared = 0;

    (void)state;
    random_init(&random, 11);
    for (int round = 0; round < CHANGES; round++) {
        const struct malformed_case *base = &malformed_cases[random_between(&random, 0, malformed_count - 1)];
        char text[LONGEST + 3 * PIECE];
        size_t length;

        if (base->length > LONGEST)
            continue;
        memcpy(text, base->request, base->length);
        length = change(&random, text, base->length);
        compared += compare(weft_bytes_of(text, length));
    }
    print_message("%zu requests compared\n", compared);
    assert_true(compared > CHANGES / 20);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        support_test(accepted_cases_are_read_the_same),
        support_test(changed_cases_are_read_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
