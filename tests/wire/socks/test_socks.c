/* SPDX-License-Identifier: MIT */
/* SOCKS messages: known answers, each as it grows byte by byte, tampered twins, and what is written is read again. */
#include <weft/wire/socks.h>

#include <stdlib.h>

#include "support/support.h"

#define BYTES(literal) weft_bytes_of(literal, sizeof(literal) - 1)
#define TEN "0123456789"
#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN
#define LONG_TEXT HUNDRED HUNDRED TEN TEN TEN TEN TEN "12345" /* 255 */

typedef union message {
    weft_socks_greeting greeting;
    weft_socks_credentials credentials;
    weft_socks_request request;
    weft_socks_reply reply;
    uint8_t method;
    bool accepted;
} message;

static int greeting(weft_bytes in, message *ret)
{
    return weft_socks_read_greeting(in, &ret->greeting);
}

static int credentials(weft_bytes in, message *ret)
{
    return weft_socks_read_credentials(in, &ret->credentials);
}

static int request(weft_bytes in, message *ret)
{
    return weft_socks_read_request(in, &ret->request);
}

static int choice(weft_bytes in, message *ret)
{
    return weft_socks_read_choice(in, &ret->method);
}

static int verdict(weft_bytes in, message *ret)
{
    return weft_socks_read_verdict(in, &ret->accepted);
}

static int reply4(weft_bytes in, message *ret)
{
    return weft_socks_read_reply(in, 4, &ret->reply);
}

static int reply5(weft_bytes in, message *ret)
{
    return weft_socks_read_reply(in, 5, &ret->reply);
}

typedef int reader(weft_bytes in, message *ret);

/* Each front of @p in, from a block that ends there, gives 0 until the message is there; what follows changes nothing. */
static int read_growing(reader *read, weft_bytes in, message *ret)
{
    int whole = read(in, ret), status = 0;
    size_t length;
    message part;

    for (length = 1; length <= in.length && status == 0; length++) {
        char *block = malloc(length);

        assert_non_null(block);
        memcpy(block, in.data, length);
        status = read(weft_bytes_of(block, length), &part);
        free(block);
    }
    assert_int_equal(status, whole);
    if (status > 0)
        assert_int_equal(status, length - 1);
    return whole;
}

static void a_client_of_version_5(void **state)
{
    message found;

    (void)state;
    assert_int_equal(read_growing(greeting, BYTES("\5\2\0\2x"), &found), 4);
    assert_true(weft_bytes_equal(found.greeting.methods, BYTES("\0\2")));
    assert_int_equal(read_growing(credentials, BYTES("\1\4user\6secretx"), &found), 13);
    assert_true(weft_bytes_equal(found.credentials.user, BYTES("user")));
    assert_true(weft_bytes_equal(found.credentials.password, BYTES("secret")));
    assert_int_equal(read_growing(request, BYTES("\5\1\0\1\300\0\2\1\1\273"), &found), 10);
    assert_int_equal(found.request.version, 5);
    assert_int_equal(found.request.command, WEFT_SOCKS_CONNECT);
    assert_int_equal(found.request.place.address.family, WEFT_ADDRESS_IPV4);
    assert_memory_equal(found.request.place.address.ip, "\300\0\2\1", 4);
    assert_int_equal(found.request.place.address.port, 443);
    assert_int_equal(read_growing(request, BYTES("\5\1\0\3\16server.example\0\120"), &found), 21);
    assert_int_equal(found.request.place.address.family, WEFT_ADDRESS_NONE);
    assert_true(weft_bytes_equal(found.request.place.name, BYTES("server.example")));
    assert_int_equal(found.request.place.address.port, 80);
    assert_int_equal(read_growing(request,
                                  BYTES("\5\3\0\4"
                                        "0123456789abcdef\0\1"),
                                  &found),
                     22);
    assert_int_equal(found.request.place.address.family, WEFT_ADDRESS_IPV6);
    assert_int_equal(read_growing(request, BYTES("\5\1\0\3\377" LONG_TEXT "\0\1"), &found), 262);
    assert_int_equal(found.request.place.name.length, 255);
}

static void a_server_of_version_5(void **state)
{
    message found;

    (void)state;
    assert_int_equal(read_growing(choice, BYTES("\5\377"), &found), 2);
    assert_int_equal(found.method, WEFT_SOCKS_NO_METHOD);
    assert_int_equal(read_growing(verdict, BYTES("\1\0"), &found), 2);
    assert_true(found.accepted);
    assert_int_equal(read_growing(verdict, BYTES("\1\7"), &found), 2);
    assert_false(found.accepted);
    assert_int_equal(read_growing(reply5, BYTES("\5\5\0\1\0\0\0\0\0\0"), &found), 10);
    assert_int_equal(found.reply.answer, WEFT_SOCKS_REFUSED);
}

static void both_sides_of_version_4(void **state)
{
    message found;

    (void)state;
    assert_int_equal(read_growing(request, BYTES("\4\1\0\120\300\0\2\1me\0"), &found), 11);
    assert_int_equal(found.request.version, 4);
    assert_true(weft_bytes_equal(found.request.user, BYTES("me")));
    assert_int_equal(found.request.place.address.port, 80);
    assert_int_equal(read_growing(request, BYTES("\4\1\0\120\0\0\0\7\0server.example\0x"), &found), 24);
    assert_int_equal(found.request.place.address.family, WEFT_ADDRESS_NONE);
    assert_true(weft_bytes_equal(found.request.place.name, BYTES("server.example")));
    assert_int_equal(read_growing(request, BYTES("\4\1\0\120\0\0\0\0\0x"), &found), 9);
    assert_int_equal(found.request.place.address.family, WEFT_ADDRESS_IPV4);
    assert_int_equal(read_growing(reply4, BYTES("\0\132\0\120\300\0\2\1"), &found), 8);
    assert_int_equal(found.reply.answer, WEFT_SOCKS_GRANTED);
    assert_int_equal(read_growing(reply4, BYTES("\0\133\0\0\0\0\0\0"), &found), 8);
    assert_int_equal(found.reply.answer, WEFT_SOCKS_FAILED);
    assert_int_equal(found.reply.code4, 91);
}

/* SK-01, SK-03: exact state machines, exact lengths. */
static void sk_03_what_is_wrong_is_refused(void **state)
{
    static const struct {
        reader *read;
        weft_bytes in;
    } wrong[] = {
        {greeting, WEFT_BYTES("\4\1\0")},
        {greeting, WEFT_BYTES("\5\0")},
        {choice, WEFT_BYTES("\4\0")},
        {choice, WEFT_BYTES("H")},
        {credentials, WEFT_BYTES("\5\1u\1p")},
        {credentials, WEFT_BYTES("\1\0\1p")},
        {credentials, WEFT_BYTES("\1\1u\0")},
        {verdict, WEFT_BYTES("\5\0")},
        {request, WEFT_BYTES("\6\1\0\1\0\0\0\0\0\0")},
        {request, WEFT_BYTES("G")},
        {request, WEFT_BYTES("\5\1\1\1\0\0\0\0\0\0")},
        {request, WEFT_BYTES("\5\1\0\2\0\0\0\0\0\0")},
        {request, WEFT_BYTES("\5\1\0\0\0\0\0\0\0\0")},
        {request, WEFT_BYTES("\5\1\0\3\0\0\0")},
        {request, WEFT_BYTES("\5\1\0\3\3a\0b\0\1")},
        {request, WEFT_BYTES("\4\1\0\120\0\0\0\7\0\0")},
        {request, WEFT_BYTES("\4\1\0\120\300\0\2\1" LONG_TEXT "x\0")},
        {request, WEFT_BYTES("\4\1\0\120\0\0\0\7\0" LONG_TEXT "x\0")},
        {reply5, WEFT_BYTES("\4\0\0\1\0\0\0\0\0\0")},
        {reply5, WEFT_BYTES("\5\0\1\1\0\0\0\0\0\0")},
        {reply5, WEFT_BYTES("\5\0\0\5\0\0\0\0\0\0")},
        {reply4, WEFT_BYTES("\4\132\0\120\300\0\2\1")},
        {reply4, WEFT_BYTES("\0\131\0\120\300\0\2\1")},
        {reply4, WEFT_BYTES("\0\136\0\120\300\0\2\1")},
        {reply4, WEFT_BYTES("\0\0\0\120\300\0\2\1")},
    };

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        message found;

        support_set_context("the message number %zu", i);
        memset(&found, 0x55, sizeof found);
        assert_int_equal(read_growing(wrong[i].read, wrong[i].in, &found), WEFT_EPROTOCOL);
        for (size_t at = 0; at < sizeof found; at++)
            assert_int_equal(((const uint8_t *)&found)[at], 0x55); /* untouched */
    }
    support_clear_context();
}

static const weft_address v4 = {.family = WEFT_ADDRESS_IPV4, .ip = {192, 0, 2, 1}, .port = 258};
static const weft_address v6 = {.family = WEFT_ADDRESS_IPV6, .ip = {0x20, 1, [15] = 1}, .port = 65535};

static void expect_request(const weft_socks_request *wanted)
{
    char out[WEFT_SOCKS_LONGEST];
    int length = weft_socks_write_request(out, sizeof out, wanted);
    message found;

    assert_true(length > 0);
    assert_int_equal(read_growing(request, weft_bytes_of(out, (size_t)length), &found), length);
    assert_int_equal(found.request.version, wanted->version);
    assert_int_equal(found.request.command, wanted->command);
    assert_memory_equal(&found.request.place.address, &wanted->place.address, sizeof v4);
    assert_true(weft_bytes_equal(found.request.place.name, wanted->place.name));
    assert_true(weft_bytes_equal(found.request.user, wanted->user));
    assert_int_equal(weft_socks_write_request(out, (size_t)length - 1, wanted), -ENOSPC);
}

static void requests_are_written_and_read_again(void **state)
{
    const weft_bytes name = BYTES(LONG_TEXT);

    (void)state;
    for (uint8_t version = 4; version <= 5; version++) {
        const weft_bytes user = version == 4 ? name : weft_bytes_of(NULL, 0);

        expect_request(&(weft_socks_request){.version = version, .command = 1, .place.address = v4, .user = user});
        expect_request(
            &(weft_socks_request){.version = version, .command = 2, .place = {{.port = 7}, name}, .user = user});
    }
    expect_request(&(weft_socks_request){.version = 5, .command = 3, .place.address = v6});
}

static void replies_are_written_and_read_again(void **state)
{
    char out[WEFT_SOCKS_LONGEST];
    message found;

    (void)state;
    for (uint8_t version = 4; version <= 5; version++) {
        const weft_socks_reply wanted = {.version = version, .answer = WEFT_SOCKS_FAILED, .place.address = v4};
        int length = weft_socks_write_reply(out, sizeof out, &wanted);

        assert_int_equal(length, version == 4 ? 8 : 10);
        assert_int_equal(read_growing(version == 4 ? reply4 : reply5, weft_bytes_of(out, (size_t)length), &found),
                         length);
        assert_int_equal(found.reply.answer, WEFT_SOCKS_FAILED);
        assert_memory_equal(&found.reply.place.address, &v4, sizeof v4);
    }
    assert_int_equal(weft_socks_write_greeting(out, sizeof out, &(weft_socks_greeting){BYTES("\0\2")}), 4);
    assert_memory_equal(out, "\5\2\0\2", 4);
    assert_int_equal(weft_socks_write_credentials(out, sizeof out, &(weft_socks_credentials){BYTES("u"), BYTES("pw")}),
                     6);
    assert_memory_equal(out, "\1\1u\2pw", 6);
    assert_int_equal(weft_socks_write_choice(out, sizeof out, WEFT_SOCKS_NO_METHOD), 2);
    assert_memory_equal(out, "\5\377", 2);
    assert_int_equal(weft_socks_write_verdict(out, sizeof out, false), 2);
    assert_memory_equal(out, "\1\1", 2);
    assert_int_equal(weft_socks_write_verdict(out, 1, false), -ENOSPC);
}

/* SK-01: what has no length there is not written, not shortened. */
static void sk_01_what_cannot_be_said_is_not_written(void **state)
{
    static const char text[257];
    char out[1024], long_name[256];

    (void)state;
    memset(long_name, 'a', sizeof long_name);
    for (uint8_t version = 4; version <= 5; version++) {
        weft_socks_request wanted = {.version = version, .command = 1};

        wanted.place.name = weft_bytes_of(long_name, 256);
        assert_int_equal(weft_socks_write_request(out, sizeof out, &wanted), -EINVAL);
        wanted.place.name = weft_bytes_of(long_name, 0);
        assert_int_equal(weft_socks_write_request(out, sizeof out, &wanted), -EINVAL);
        wanted.place.name = weft_bytes_of(text, 3);
        assert_int_equal(weft_socks_write_request(out, sizeof out, &wanted), -EINVAL);
        wanted.place.name = weft_bytes_of(NULL, 0);
        wanted.place.address.family = WEFT_ADDRESS_UNIX;
        assert_int_equal(weft_socks_write_request(out, sizeof out, &wanted), -EINVAL);
    }
    assert_int_equal(weft_socks_write_request(out, sizeof out,
                                              &(weft_socks_request){.version = 4, .command = 1, .place.address = v6}),
                     -EINVAL);
    assert_int_equal(weft_socks_write_request(out, sizeof out,
                                              &(weft_socks_request){.version = 4, .command = 3, .place.address = v4}),
                     -EINVAL);
    assert_int_equal(weft_socks_write_request(out, sizeof out,
                                              &(weft_socks_request){.version = 3, .command = 1, .place.address = v4}),
                     -EINVAL);
    assert_int_equal(weft_socks_write_reply(out, sizeof out, &(weft_socks_reply){.version = 4, .place.address = v6}),
                     -EINVAL);
    assert_int_equal(weft_socks_write_greeting(out, sizeof out, &(weft_socks_greeting){{NULL, 0}}), -EINVAL);
    assert_int_equal(weft_socks_write_greeting(out, sizeof out, &(weft_socks_greeting){{text, 256}}), -EINVAL);
    assert_int_equal(weft_socks_write_credentials(out, sizeof out, &(weft_socks_credentials){{text, 256}, BYTES("p")}),
                     -EINVAL);
    assert_int_equal(weft_socks_write_credentials(out, sizeof out, &(weft_socks_credentials){BYTES("u"), {text, 0}}),
                     -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        support_test(a_client_of_version_5),
        support_test(a_server_of_version_5),
        support_test(both_sides_of_version_4),
        support_test(sk_03_what_is_wrong_is_refused),
        support_test(requests_are_written_and_read_again),
        support_test(replies_are_written_and_read_again),
        support_test(sk_01_what_cannot_be_said_is_not_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
