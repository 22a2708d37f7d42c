/* SPDX-License-Identifier: MIT */
/* Writing: what is sent is what the parser reads, and what must not be sent is refused (H1-25). */
#include "base/random.h"
#include "support/support.h"
#include "wire/http1/check.h"
#include "wire/http1/reader.h"

static const weft_bytes good_token = WEFT_BYTES("Name"), good_value = WEFT_BYTES("a value");

/* A setter: writes a line in which @p bytes is the part that is tested. */
typedef int setter(char *out, size_t room, weft_bytes bytes);

static int set_method(char *out, size_t room, weft_bytes bytes)
{
    return weft_http1_write_request_line(out, room, bytes, weft_bytes_from("/"));
}

static int set_target(char *out, size_t room, weft_bytes bytes)
{
    return weft_http1_write_request_line(out, room, good_token, bytes);
}

static int set_reason(char *out, size_t room, weft_bytes bytes)
{
    return weft_http1_write_status_line(out, room, 200, bytes);
}

static int set_name(char *out, size_t room, weft_bytes bytes)
{
    return weft_http1_write_field(out, room, bytes, good_value);
}

static int set_value(char *out, size_t room, weft_bytes bytes)
{
    return weft_http1_write_field(out, room, good_token, bytes);
}

static int set_trailer_name(char *out, size_t room, weft_bytes bytes)
{
    return weft_http1_write_trailer(out, room, bytes, good_value);
}

static int set_trailer_value(char *out, size_t room, weft_bytes bytes)
{
    return weft_http1_write_trailer(out, room, good_token, bytes);
}

static bool is_token_byte(int c)
{
    return c > 0x20 && c < 0x7f && !strchr("\"(),/:;<=>?@[\\]{}", c);
}

static bool is_target_byte(int c)
{
    return c > 0x20 && c < 0x7f && !strchr("\"#<>", c);
}

static bool is_text_byte(int c)
{
    return c == '\t' || (c >= 0x20 && c != 0x7f);
}

static const struct {
    setter *set;
    bool (*allowed)(int c);
    bool empty_allowed;
    bool blank_ends_allowed;
} setters[] = {
    {set_method, is_token_byte, false, false},      {set_target, is_target_byte, false, false},
    {set_reason, is_text_byte, true, true},         {set_name, is_token_byte, false, false},
    {set_value, is_text_byte, true, false},         {set_trailer_name, is_token_byte, false, false},
    {set_trailer_value, is_text_byte, true, false},
};

#define SETTERS (sizeof setters / sizeof setters[0])

static void each_byte_at_each_place_is_sent_or_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < SETTERS; i++)
        for (int c = 0; c < 256; c++)
            for (size_t place = 0; place < 20; place++) {
                char text[] = "xxxxxxxxxxxxxxxxxxxx", out[64] = "untouched";
                bool blank_end = (c == ' ' || c == '\t') && (place == 0 || place == 19);
                bool allowed = setters[i].allowed(c) && (!blank_end || setters[i].blank_ends_allowed);
                int length;

                text[place] = (char)c;
                length = setters[i].set(out, sizeof out, weft_bytes_of(text, 20));
                if (!allowed) {
                    assert_int_equal(length, -EINVAL);
                    assert_string_equal(out, "untouched");
                    continue;
                }
                assert_true(length > 20 && (size_t)length <= sizeof out);
                assert_memory_equal(out + length - 2, "\r\n", 2);
                assert_null(memchr(out, '\r', (size_t)length - 2));
                assert_null(memchr(out, '\n', (size_t)length - 2));
            }
}

static void an_empty_part_is_sent_or_refused(void **state)
{
    char out[64];

    (void)state;
    for (size_t i = 0; i < SETTERS; i++)
        assert_int_equal(setters[i].set(out, sizeof out, (weft_bytes){NULL, 0}) > 0, setters[i].empty_allowed);
}

static void injected_lines_are_refused(void **state)
{
    static const weft_bytes bad[] = {
        WEFT_BYTES("a\r\nSet-Cookie: b"),
        WEFT_BYTES("a\nb"),
        WEFT_BYTES("a\rb"),
        WEFT_BYTES("a\r\n b"),
        WEFT_BYTES("a\0b"),
    };
    char out[64];

    (void)state;
    for (size_t i = 0; i < SETTERS; i++)
        for (size_t j = 0; j < sizeof bad / sizeof bad[0]; j++)
            assert_int_equal(setters[i].set(out, sizeof out, bad[j]), -EINVAL);
}

static void a_piece_is_written_whole_or_not_at_all(void **state)
{
    (void)state;
    for (size_t i = 0; i < SETTERS; i++) {
        char out[64];
        int needed = setters[i].set(out, sizeof out, weft_bytes_from("abc"));

        assert_true(needed > 0);
        for (size_t room = 0; room < sizeof out; room++) {
            memset(out, '#', sizeof out);
            if (room < (size_t)needed) {
                assert_int_equal(setters[i].set(out, room, weft_bytes_from("abc")), -ENOSPC);
                assert_int_equal(out[0], '#');
            } else {
                assert_int_equal(setters[i].set(out, room, weft_bytes_from("abc")), needed);
            }
            assert_int_equal(out[needed], '#');
        }
    }
    assert_int_equal(weft_http1_write_crlf(NULL, 0), -ENOSPC);
    assert_int_equal(weft_http1_write_last_chunk(NULL, 2), -ENOSPC);
}

static void numbers_are_exact(void **state)
{
    char out[64];

    (void)state;
    assert_int_equal(weft_http1_write_length(out, sizeof out, 0), 19);
    assert_memory_equal(out, "Content-Length: 0\r\n", 19);
    assert_int_equal(weft_http1_write_length(out, WEFT_HTTP1_LENGTH_ROOM, INT64_MAX), 37);
    assert_memory_equal(out, "Content-Length: 9223372036854775807\r\n", 37);
    assert_int_equal(weft_http1_write_length(out, sizeof out, (uint64_t)INT64_MAX + 1), -EINVAL);
    assert_int_equal(weft_http1_write_chunk(out, sizeof out, 0), -EINVAL);
    assert_int_equal(weft_http1_write_chunk(out, sizeof out, (uint64_t)INT64_MAX + 1), -EINVAL);
    assert_int_equal(weft_http1_write_chunk(out, WEFT_HTTP1_CHUNK_ROOM, INT64_MAX), 18);
    assert_memory_equal(out, "7fffffffffffffff\r\n", 18);
    assert_int_equal(weft_http1_write_chunk(out, sizeof out, 10), 3);
    assert_memory_equal(out, "a\r\n", 3);
}

static void status_codes_have_three_digits(void **state)
{
    char out[64];

    (void)state;
    assert_int_equal(weft_http1_write_status_line(out, sizeof out, 99, good_value), -EINVAL);
    assert_int_equal(weft_http1_write_status_line(out, sizeof out, 1000, good_value), -EINVAL);
    assert_int_equal(weft_http1_write_status_line(out, sizeof out, 999, (weft_bytes){NULL, 0}), 15);
    assert_memory_equal(out, "HTTP/1.1 999 \r\n", 15);
}

static void a_trailer_that_frames_is_refused(void **state)
{
    char out[64];

    (void)state;
    assert_int_equal(weft_http1_write_trailer(out, sizeof out, weft_bytes_from("content-length"), good_value), -EINVAL);
    assert_int_equal(weft_http1_write_trailer(out, sizeof out, weft_bytes_from("Host"), good_value), -EINVAL);
    assert_true(weft_http1_write_trailer(out, sizeof out, weft_bytes_from("Digest"), good_value) > 0);
}

/* Appends to a buffer what @p call writes; it must fit. */
#define APPEND(buffer, length, call)             \
    do {                                         \
        char *out = (buffer) + (length);         \
        size_t room = sizeof(buffer) - (length); \
        int written = (call);                    \
        assert_true(written > 0);                \
        (length) += (size_t)written;             \
    } while (0)

static void what_is_written_is_read(void **state)
{
    char wire[512];
    size_t length = 0;

    (void)state;
    APPEND(wire, length, weft_http1_write_status_line(out, room, 200, weft_bytes_from("OK")));
    APPEND(wire, length, weft_http1_write_length(out, room, 2));
    APPEND(wire, length, weft_http1_write_field(out, room, weft_bytes_from("X-A"), weft_bytes_from("b\tc")));
    APPEND(wire, length, weft_http1_write_crlf(out, room));
    APPEND(wire, length, weft_http1_write_crlf(out, room));
    APPEND(wire, length, weft_http1_write_status_line(out, room, 404, (weft_bytes){NULL, 0}));
    APPEND(wire, length,
           weft_http1_write_field(out, room, weft_bytes_from("Transfer-Encoding"), weft_bytes_from("chunked")));
    APPEND(wire, length, weft_http1_write_crlf(out, room));
    APPEND(wire, length, weft_http1_write_chunk(out, room, 2));
    APPEND(wire, length, weft_http1_write_crlf(out, room));
    APPEND(wire, length, weft_http1_write_crlf(out, room));
    APPEND(wire, length, weft_http1_write_last_chunk(out, room));
    APPEND(wire, length, weft_http1_write_trailer(out, room, weft_bytes_from("X-T"), weft_bytes_from("")));
    APPEND(wire, length, weft_http1_write_crlf(out, room));
    check_bytes(&((struct check){.kind = WEFT_HTTP1_RESPONSE}), weft_bytes_of(wire, length),
                "status 1.1 200 OK\nfield#2 Content-Length=2\nfield X-A=b\\x09c\nhead length 2 keep-alive\n"
                "body \\x0d\\x0a\nend\n"
                "status 1.1 404 \nfield#3 Transfer-Encoding=chunked\nhead chunked 0 keep-alive\nbody \\x0d\\x0a\n"
                "trailer X-T=\nend\nclosed\n");
}

static weft_bytes random_bytes(struct random_source *random, char *buffer, size_t capacity)
{
    size_t length = (size_t)random_between(random, 0, capacity);

    /* Mostly bytes that are allowed, so that many of the lines are written. */
    for (size_t i = 0; i < length; i++)
        buffer[i] =
            (char)(random_between(random, 0, 20) ? random_between(random, 'a', 'z') : random_between(random, 0, 255));
    return weft_bytes_of(buffer, length);
}

/* Whatever the writer accepts, the parser reads back as exactly that, one field. */
static void every_field_that_is_written_is_one_field(void **state)
{
    struct random_source random;
    size_t written = 0;

    (void)state;
    random_init(&random, 5);
    for (int round = 0; round < 100000; round++) {
        char a[12], b[24], wire[128] = "GET / HTTP/1.0\r\n";
        weft_bytes name = random_bytes(&random, a, sizeof a), value = random_bytes(&random, b, sizeof b);
        weft_http1_parser parser;
        weft_http1_event event;
        weft_bytes input;
        int length = weft_http1_write_field(wire + 16, sizeof wire - 16, name, value);

        assert_true(length > 0 || length == -EINVAL);
        if (length < 0)
            continue;
        written++;
        memcpy(wire + 16 + length, "\r\n", 2);
        input = weft_bytes_of(wire, 18 + (size_t)length);
        weft_http1_parser_init(&parser, WEFT_HTTP1_REQUEST, NULL);
        assert_int_equal(weft_http1_next(&parser, &input, &event), WEFT_HTTP1_REQUEST_LINE);
        assert_int_equal(weft_http1_next(&parser, &input, &event), WEFT_HTTP1_FIELD);
        assert_true(weft_bytes_equal(event.field.name, name));
        assert_true(weft_bytes_equal(event.field.value, value));
        assert_int_equal(weft_http1_next(&parser, &input, &event), WEFT_HTTP1_HEAD_END);
    }
    assert_true(written > 10000);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        support_test(each_byte_at_each_place_is_sent_or_refused),
        support_test(an_empty_part_is_sent_or_refused),
        support_test(injected_lines_are_refused),
        support_test(a_piece_is_written_whole_or_not_at_all),
        support_test(numbers_are_exact),
        support_test(status_codes_have_three_digits),
        support_test(a_trailer_that_frames_is_refused),
        support_test(what_is_written_is_read),
        support_test(every_field_that_is_written_is_one_field),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
