/* SPDX-License-Identifier: MIT */
/* PROXY headers: known answers of both versions, tampered twins, limits, and what is written is read again. */
#include <weft/wire/proxy.h>

#include <stdio.h>
#include <stdlib.h>

#include "support/support.h"

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define BYTES(literal) weft_bytes_of(literal, sizeof(literal) - 1)

/* Reads @p in as it grows byte by byte. What comes of the whole has to come as soon as it can, and from a block that ends
 * there. */
static int read_growing(weft_bytes in, weft_proxy_header *ret)
{
    weft_proxy_header header;
    int whole = weft_proxy_header_read(in, 0, ret, NULL), status = 0;
    size_t length;

    for (length = 1; length <= in.length && status == 0; length++) {
        char *block = malloc(length);

        assert_non_null(block);
        memcpy(block, in.data, length);
        status = weft_proxy_header_read(weft_bytes_of(block, length), 0, &header, NULL);
        free(block);
    }
    assert_int_equal(status, whole);
    if (status > 0)
        assert_int_equal(status, length - 1);
    return whole;
}

static void expect_address(const weft_address *address, const char *text)
{
    char buffer[WEFT_ADDRESS_TEXT];

    weft_address_text(address, buffer);
    assert_string_equal(buffer, text);
}

static const struct line {
    const char *text, *source, *destination;
} lines[] = {
    {"PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n", "192.0.2.1:56324", "192.0.2.2:443"},
    {"PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n", "255.255.255.255:65535", "255.255.255.255:65535"},
    {"PROXY TCP4 0.0.0.0 0.0.0.0 0 0\r\n", "0.0.0.0:0", "0.0.0.0:0"},
    {"PROXY TCP6 2001:db8::1 ::1 1 2\r\n", "[2001:db8::1]:1", "[::1]:2"},
    {"PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff FFFF:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n",
     "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535", "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535"},
    {"PROXY UNKNOWN\r\n", "-", "-"},
    {"PROXY UNKNOWN ffff:f...f:ffff and whatever 65535\r\n", "-", "-"},
};

static void lines_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        weft_bytes line = weft_bytes_from(lines[i].text);
        weft_proxy_header header;

        support_set_context("%s", lines[i].text);
        assert_int_equal(read_growing(line, &header), line.length);
        assert_int_equal(header.version, 1);
        assert_false(header.local);
        expect_address(&header.source, lines[i].source);
        expect_address(&header.destination, lines[i].destination);
    }
    support_clear_context();
}

static void what_follows_a_header_is_left(void **state)
{
    weft_proxy_header header;

    (void)state;
    assert_int_equal(weft_proxy_header_read(weft_bytes_from("PROXY UNKNOWN\r\nPROXY UNKNOWN\r\n"), 0, &header, NULL),
                     15);
    assert_int_equal(weft_proxy_header_read(BYTES(SIGNATURE "\x20\x00\x00\x00"
                                                            "abc"),
                                            0, &header, NULL),
                     16);
}

#define TEN "0123456789"

/* PP-02 */
static void pp_02_lines_that_are_wrong_are_refused(void **state)
{
    static const char *const wrong[] = {
        "GET / HTTP/1.1\r\n",
        "proxy TCP4 192.0.2.1 192.0.2.2 1 2\r\n",
        "PROXY\r\n",
        "PROXY \r\n",
        "PROXY  TCP4 192.0.2.1 192.0.2.2 1 2\r\n",
        "PROXY TCP4\r\n",
        "PROXY TCP4 \r\n",
        "PROXY TCP4 192.0.2.1 192.0.2.2 1\r\n",
        "PROXY TCP4 192.0.2.1 192.0.2.2 1 \r\n",
        "PROXY TCP4 192.0.2.1 192.0.2.2 1 2 \r\n",
        "PROXY TCP4 192.0.2.1 192.0.2.2 1 2 3\r\n",
        "PROXY TCP4 192.0.2.1  192.0.2.2 1 2\r\n",
        "PROXY TCP4 192.0.2.01 192.0.2.2 1 2\r\n",
        "PROXY TCP4 192.0.2.1 192.0.2.2 01 2\r\n",
        "PROXY TCP4 192.0.2.1 192.0.2.2 1 65536\r\n",
        "PROXY TCP4 192.0.2.1 192.0.2.2 -1 2\r\n",
        "PROXY TCP4 192.0.2.256 192.0.2.2 1 2\r\n",
        "PROXY TCP4 2001:db8::1 ::1 1 2\r\n",
        "PROXY TCP6 192.0.2.1 192.0.2.2 1 2\r\n",
        "PROXY TCP6 [::1] [::1] 1 2\r\n",
        "PROXY TCP6 fe80::1%1 ::1 1 2\r\n",
        "PROXY TCP5 192.0.2.1 192.0.2.2 1 2\r\n",
        "PROXY tcp4 192.0.2.1 192.0.2.2 1 2\r\n",
        "PROXY UDP4 192.0.2.1 192.0.2.2 1 2\r\n",
        "PROXY UNKNOWN\n",
        "PROXY UNKNOWN\r \n",
        "PROXY UNKNOWN \n\r\n",
        "PROXY UNKNOWN " TEN TEN TEN TEN TEN TEN TEN TEN TEN "12\r\n",
    };

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        weft_proxy_header header = {.version = 77};

        support_set_context("%s", wrong[i]);
        assert_int_equal(read_growing(weft_bytes_from(wrong[i]), &header), WEFT_EPROTOCOL);
        assert_int_equal(header.version, 77); /* untouched */
    }
    support_clear_context();
}

/* PP-02: 107 bytes are the longest line, and no more are waited for. */
static void pp_02_a_line_has_at_most_107_bytes(void **state)
{
    static const char longest[] = "PROXY UNKNOWN " TEN TEN TEN TEN TEN TEN TEN TEN TEN "1\r\n";
    weft_proxy_header header;
    char endless[WEFT_PROXY_LINE];

    (void)state;
    assert_int_equal(sizeof longest - 1, WEFT_PROXY_LINE);
    assert_int_equal(read_growing(BYTES(longest), &header), WEFT_PROXY_LINE);
    memset(endless, 'x', sizeof endless);
    memcpy(endless, "PROXY UNKNOWN ", 14);
    assert_int_equal(weft_proxy_header_read(weft_bytes_of(endless, sizeof endless - 1), 0, &header, NULL), 0);
    assert_int_equal(weft_proxy_header_read(weft_bytes_of(endless, sizeof endless), 0, &header, NULL), WEFT_EPROTOCOL);
}

static void version_2_names_addresses(void **state)
{
    weft_proxy_header header;

    (void)state;
    assert_int_equal(
        read_growing(BYTES(SIGNATURE "\x21\x11\x00\x0c\xc0\x00\x02\x01\xc0\x00\x02\x02\xdc\x04\x01\xbb"), &header), 28);
    assert_int_equal(header.version, 2);
    assert_false(header.datagrams);
    expect_address(&header.source, "192.0.2.1:56324");
    expect_address(&header.destination, "192.0.2.2:443");
    assert_int_equal(
        read_growing(BYTES(SIGNATURE "\x21\x22\x00\x24"
                                     "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01"
                                     "\x00\x01\x00\x02"),
                     &header),
        52);
    assert_true(header.datagrams);
    expect_address(&header.source, "[2001:db8::1]:1");
    expect_address(&header.destination, "[::1]:2");
}

static void version_2_names_paths(void **state)
{
    char text[16 + 216 + 4] = SIGNATURE "\x21\x31\x00\xd8/run/a.sock";
    weft_proxy_header header;

    (void)state;
    memcpy(text + 16 + 108, "\0abstract", 9);
    assert_int_equal(weft_proxy_header_read(weft_bytes_of(text, 16 + 216), 0, &header, NULL), 16 + 216);
    assert_int_equal(header.source.family, WEFT_ADDRESS_UNIX);
    assert_true(weft_bytes_equal(header.source_path, weft_bytes_from("/run/a.sock")));
    assert_true(weft_bytes_equal(header.destination_path, weft_bytes_of("\0abstract", 9)));
}

static void local_says_nothing_whatever_it_says(void **state)
{
    weft_proxy_header header;

    (void)state;
    assert_int_equal(read_growing(BYTES(SIGNATURE "\x20\x00\x00\x00"), &header), 16);
    assert_true(header.local);
    assert_int_equal(
        read_growing(BYTES(SIGNATURE "\x20\x11\x00\x0e\xc0\x00\x02\x01\xc0\x00\x02\x02\xdc\x04\x01\xbb\x03\x00"),
                     &header),
        30);
    assert_true(header.local);
    assert_int_equal(header.source.family, WEFT_ADDRESS_NONE);
    assert_int_equal(read_growing(BYTES(SIGNATURE "\x21\x00\x00\x00"), &header), 16);
    assert_false(header.local);
    assert_int_equal(header.source.family, WEFT_ADDRESS_NONE);
}

/* PP-02 */
static void pp_02_version_2_that_is_wrong_is_refused(void **state)
{
    static const weft_bytes wrong[] = {
        WEFT_BYTES("\r\n\r\n\0\r\nQUIT\r"),
        WEFT_BYTES("\r\nx"),
        WEFT_BYTES(SIGNATURE "\x11\x00\x00\x00"),
        WEFT_BYTES(SIGNATURE "\x31\x00\x00\x00"),
        WEFT_BYTES(SIGNATURE "\x22\x00\x00\x00"),
        WEFT_BYTES(SIGNATURE "\x21\x03\x00\x00"),
        WEFT_BYTES(SIGNATURE "\x21\x41\x00\x00"),
        WEFT_BYTES(SIGNATURE "\x21\x11\x00\x0b\xc0\x00\x02\x01\xc0\x00\x02\x02\xdc\x04\x01"),
        WEFT_BYTES(SIGNATURE "\x21\x11\x00\x00"),
        WEFT_BYTES(SIGNATURE "\x21\x00\x10\x01"),
        WEFT_BYTES(SIGNATURE "\x21\x00\xff\xff"),
        /* TLVs */
        WEFT_BYTES(SIGNATURE "\x21\x00\x00\x01\x04"),
        WEFT_BYTES(SIGNATURE "\x21\x00\x00\x02\x04\x00"),
        WEFT_BYTES(SIGNATURE "\x21\x00\x00\x03\x04\x00\x01"),
        WEFT_BYTES(SIGNATURE "\x21\x00\x00\x04\x04\x00\x02x"),
        WEFT_BYTES(SIGNATURE "\x21\x00\x00\x06\x02\x00\x00\x02\x00\x00"),
        WEFT_BYTES(SIGNATURE "\x21\x00\x00\x06\x03\x00\x03"
                             "123"),
        WEFT_BYTES(SIGNATURE "\x21\x00\x00\x07\x03\x00\x04"
                             "1234"),
        WEFT_BYTES(SIGNATURE "\x21\x00\x00\x07\x20\x00\x04\x01\x00\x00\x00"),
        WEFT_BYTES(SIGNATURE "\x21\x00\x00\x09\x20\x00\x06\x01\x00\x00\x00\x00\x21"),
        WEFT_BYTES(SIGNATURE "\x21\x00\x00\x10\x20\x00\x05\x00\x00\x00\x00\x00\x20\x00\x05\x00\x00\x00\x00\x00"),
    };

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        weft_proxy_header header = {.version = 77};

        support_set_context("the header number %zu", i);
        assert_int_equal(read_growing(wrong[i], &header), WEFT_EPROTOCOL);
        assert_int_equal(header.version, 77);
    }
    support_clear_context();
}

static void the_limit_on_the_length_is_a_parameter(void **state)
{
    weft_proxy_header header;

    (void)state;
    assert_int_equal(weft_proxy_header_read(BYTES(SIGNATURE "\x21\x00\x00\x07"), 6, &header, NULL), WEFT_EPROTOCOL);
    assert_int_equal(weft_proxy_header_read(BYTES(SIGNATURE "\x21\x00\x00\x07"), 7, &header, NULL), 0);
    assert_int_equal(weft_proxy_header_read(BYTES(SIGNATURE "\x21\x00\x10\x00"), 0, &header, NULL), 0);
}

static const weft_proxy_header full = {
    .version = 2,
    .checksum = true,
    .source = {.family = WEFT_ADDRESS_IPV4, .ip = {203, 0, 113, 7}, .port = 40000},
    .destination = {.family = WEFT_ADDRESS_IPV4, .ip = {198, 51, 100, 1}, .port = 443},
    .alpn = WEFT_BYTES("h2"),
    .authority = WEFT_BYTES("server.example"),
    .unique_id = WEFT_BYTES("\0\1\2\3"),
    .netns = WEFT_BYTES("blue"),
    .tls = {.used = true,
            .certificate = true,
            .on_this_connection = true,
            .verified = true,
            .version = WEFT_BYTES("TLSv1.3"),
            .common_name = WEFT_BYTES("somebody"),
            .cipher = WEFT_BYTES("TLS_AES_128_GCM_SHA256"),
            .signature = WEFT_BYTES("SHA256"),
            .key = WEFT_BYTES("RSA2048")},
};

static void expect_same(weft_bytes a, weft_bytes b)
{
    assert_true(weft_bytes_equal(a, b));
}

static void what_is_written_is_read_again(void **state)
{
    char out[512];
    weft_proxy_header header;
    int length = weft_proxy_header_write(out, sizeof out, &full);

    (void)state;
    assert_true(length > 0);
    assert_int_equal(read_growing(weft_bytes_of(out, (size_t)length), &header), length);
    assert_true(header.checksum);
    assert_memory_equal(&header.source, &full.source, sizeof full.source);
    assert_memory_equal(&header.destination, &full.destination, sizeof full.destination);
    expect_same(header.alpn, full.alpn);
    expect_same(header.authority, full.authority);
    expect_same(header.unique_id, full.unique_id);
    expect_same(header.netns, full.netns);
    assert_true(header.tls.used && header.tls.certificate && header.tls.on_this_connection && header.tls.verified);
    expect_same(header.tls.version, full.tls.version);
    expect_same(header.tls.common_name, full.tls.common_name);
    expect_same(header.tls.cipher, full.tls.cipher);
    expect_same(header.tls.signature, full.tls.signature);
    expect_same(header.tls.key, full.tls.key);
    for (int room = 0; room < length; room++)
        assert_int_equal(weft_proxy_header_write(out, (size_t)room, &full), -ENOSPC);
}

/* PP-02: the checksum finds every byte that has changed. */
static void pp_02_a_changed_byte_is_refused(void **state)
{
    char out[512];
    weft_proxy_header header;
    int length = weft_proxy_header_write(out, sizeof out, &full);

    (void)state;
    for (int i = 12; i < length; i++) {
        out[i] ^= 0x10;
        assert_true(weft_proxy_header_read(weft_bytes_of(out, (size_t)length), 0, &header, NULL) <= 0 ||
                    !header.checksum);
        out[i] ^= 0x10;
    }
    assert_int_equal(weft_proxy_header_read(weft_bytes_of(out, (size_t)length), 0, &header, NULL), length);
}

static void the_others_can_be_looked_at(void **state)
{
    weft_bytes tlvs = BYTES("\xea\x00\x03"
                            "abc"
                            "\x04\x00\x00"
                            "\x05\x00"),
               value;

    (void)state;
    assert_int_equal(weft_proxy_header_next(&tlvs, &value), 0xea);
    expect_same(value, weft_bytes_from("abc"));
    assert_int_equal(weft_proxy_header_next(&tlvs, &value), 4);
    assert_int_equal(value.length, 0);
    assert_int_equal(weft_proxy_header_next(&tlvs, &value), -1);
}

static void expect_line(const weft_proxy_header *header, const char *text)
{
    char out[WEFT_PROXY_LINE];
    int length = weft_proxy_header_write(out, sizeof out, header);

    assert_true(length > 0);
    assert_true(weft_bytes_equal(weft_bytes_of(out, (size_t)length), weft_bytes_from(text)));
    assert_int_equal(weft_proxy_header_write(out, (size_t)length - 1, header), -ENOSPC);
}

static void lines_are_written(void **state)
{
    weft_proxy_header header = full;

    (void)state;
    header.version = 1;
    expect_line(&header, "PROXY TCP4 203.0.113.7 198.51.100.1 40000 443\r\n");
    header.local = true;
    expect_line(&header, "PROXY UNKNOWN\r\n");
    header = (weft_proxy_header){
        .version = 1,
        .source = {.family = WEFT_ADDRESS_IPV6, .ip = {0xfe, 0x80, [15] = 1}, .scope_id = 3, .port = 1},
        .destination = {.family = WEFT_ADDRESS_IPV6, .ip = {[15] = 1}, .port = 2}};
    expect_line(&header, "PROXY TCP6 fe80::1 ::1 1 2\r\n");
    header.source.family = header.destination.family = WEFT_ADDRESS_UNIX;
    expect_line(&header, "PROXY UNKNOWN\r\n");
}

static void what_cannot_be_said_is_not_written(void **state)
{
    static const char zeros[70000];
    static char out[80000];
    weft_proxy_header header = full;

    (void)state;
    header.version = 3;
    assert_int_equal(weft_proxy_header_write(out, sizeof out, &header), -EINVAL);
    header = full;
    header.source.family = WEFT_ADDRESS_IPV6;
    assert_int_equal(weft_proxy_header_write(out, sizeof out, &header), -EINVAL);
    header = full;
    header.unique_id = weft_bytes_of(zeros, 129);
    assert_int_equal(weft_proxy_header_write(out, sizeof out, &header), -EINVAL);
    header = full;
    header.authority = weft_bytes_of(zeros, 65536);
    assert_int_equal(weft_proxy_header_write(out, sizeof out, &header), -EINVAL);
    header.authority = weft_bytes_of(zeros, 65535);
    assert_int_equal(weft_proxy_header_write(out, sizeof out, &header), -EINVAL);
    header = (weft_proxy_header){.version = 2,
                                 .source.family = WEFT_ADDRESS_UNIX,
                                 .destination.family = WEFT_ADDRESS_UNIX,
                                 .source_path = weft_bytes_of(zeros, 109)};
    assert_int_equal(weft_proxy_header_write(out, sizeof out, &header), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        support_test(lines_are_read),
        support_test(what_follows_a_header_is_left),
        support_test(pp_02_lines_that_are_wrong_are_refused),
        support_test(pp_02_a_line_has_at_most_107_bytes),
        support_test(version_2_names_addresses),
        support_test(version_2_names_paths),
        support_test(local_says_nothing_whatever_it_says),
        support_test(pp_02_version_2_that_is_wrong_is_refused),
        support_test(the_limit_on_the_length_is_a_parameter),
        support_test(what_is_written_is_read_again),
        support_test(pp_02_a_changed_byte_is_refused),
        support_test(the_others_can_be_looked_at),
        support_test(lines_are_written),
        support_test(what_cannot_be_said_is_not_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
