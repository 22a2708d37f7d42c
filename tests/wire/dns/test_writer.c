/* SPDX-License-Identifier: MIT */
/* Messages, written: compression and its bounds, truncation, what is refused. */
#include <stdio.h>

#include "wire/dns/dns_test.h"

static weft_dns_writer writer;
static uint8_t room[WEFT_DNS_MESSAGE_MAX];

static void start(size_t size)
{
    const weft_dns_header header = {.id = 0xbeef, .qr = true, .aa = true, .rd = true, .rcode = WEFT_DNS_NOERROR};

    assert_int_equal(weft_dns_writer_init(&writer, room, size, &header), 0);
}

static int put(weft_dns_section section, const char *name, uint16_t type, weft_bytes data)
{
    weft_dns_name owner = dns_name(name);

    return weft_dns_write_record(&writer, section, &owner, type, WEFT_DNS_IN, 300, data);
}

static int ask(const char *name, uint16_t type)
{
    weft_dns_name owner = dns_name(name);

    return weft_dns_write_question(&writer, &owner, type, WEFT_DNS_IN);
}

static weft_bytes data_of(uint16_t type, const char *text)
{
    static uint8_t data[4][1024];
    static unsigned turn;
    uint8_t *out = data[turn++ % 4];
    int length = weft_dns_data_parse(type, weft_bytes_from(text), NULL, out, sizeof data[0], NULL);

    assert_true(length >= 0);
    return weft_bytes_of(out, (size_t)length);
}

static void names_are_compressed_where_the_standard_allows(void **state)
{
    (void)state;
    start(512);
    assert_int_equal(ask("www.Example.com.", WEFT_DNS_MX), 0);
    assert_int_equal(
        put(WEFT_DNS_ANSWER, "www.example.COM.", WEFT_DNS_MX, data_of(WEFT_DNS_MX, "10 mail.example.com.")), 0);
    assert_int_equal(put(WEFT_DNS_AUTHORITY, "example.com.", WEFT_DNS_NS, data_of(WEFT_DNS_NS, "ns.mail.example.com.")),
                     0);
    assert_int_equal(put(WEFT_DNS_ADDITIONAL, ".", WEFT_DNS_SRV, data_of(WEFT_DNS_SRV, "1 2 3 www.example.com.")), 0);
    dns_assert_octets(weft_dns_writer_finish(&writer),
                      "beef 8500 0001 0001 0001 0001"
                      "03777777 074578616d706c65 03636f6d 00 000f 0001"
                      "c00c 000f 0001 0000012c 0009 000a 046d61696c c010"
                      "c010 0002 0001 0000012c 0005 026e73 c02f"
                      "00 0021 0001 0000012c 0017 0001 0002 0003 03777777 076578616d706c65 03636f6d 00");
}

/* What was written is read again as it was meant, whatever was compressed. */
static void what_is_written_is_read_again(void **state)
{
    static const struct {
        weft_dns_section section;
        const char *name;
        uint16_t type;
        const char *data;
    } records[] = {
        {WEFT_DNS_ANSWER, "a.b.c.d.example.", WEFT_DNS_CNAME, "B.C.D.example."},
        {WEFT_DNS_ANSWER, "b.c.d.example.", WEFT_DNS_A, "192.0.2.1"},
        {WEFT_DNS_ANSWER, "b.c.d.example.", WEFT_DNS_TXT, "\"a\" \"\""},
        {WEFT_DNS_AUTHORITY, "d.example.", WEFT_DNS_SOA, "ns.d.example. root.d.example. 1 2 3 4 5"},
        {WEFT_DNS_AUTHORITY, "x.d.example.", WEFT_DNS_NSEC, "y.d.example. A NSEC"},
        {WEFT_DNS_ADDITIONAL, "example.", WEFT_DNS_NS, "."},
    };
    const size_t count = sizeof records / sizeof *records;
    weft_dns_header header;
    weft_dns_reader reader;
    weft_dns_record record;
    uint8_t data[512];
    char text[512];

    (void)state;
    start(sizeof room);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(
            put(records[i].section, records[i].name, records[i].type, data_of(records[i].type, records[i].data)), 0);
    assert_int_equal(weft_dns_reader_init(&reader, weft_dns_writer_finish(&writer), &header), 0);
    assert_int_equal(header.ancount * 100 + header.nscount * 10 + header.arcount, 321);
    for (size_t i = 0; i < count; i++) {
        int length;

        assert_int_equal(weft_dns_next(&reader, &record), records[i].section);
        assert_true(strcasecmp(dns_text_of(&record.name), records[i].name) == 0);
        length = weft_dns_read_data(&reader, &record, data, sizeof data);
        assert_true(length >= 0);
        assert_true(weft_dns_data_text(record.type, weft_bytes_of(data, (size_t)length), text, sizeof text) >= 0);
        assert_true(strcasecmp(text, records[i].data) == 0);
    }
    assert_int_equal(weft_dns_next(&reader, &record), WEFT_DNS_END);
}

static void what_does_not_fit_leaves_the_message_as_it_was(void **state)
{
    weft_bytes address = dns_hex("c0000201");
    size_t whole;

    (void)state;
    start(sizeof room);
    assert_int_equal(ask("example.", WEFT_DNS_A), 0);
    assert_int_equal(put(WEFT_DNS_ANSWER, "a.example.", WEFT_DNS_A, address), 0);
    assert_int_equal(put(WEFT_DNS_ANSWER, "b.c.example.", WEFT_DNS_A, address), 0);
    whole = weft_dns_writer_finish(&writer).length;
    for (size_t size = 12; size < whole; size++) {
        weft_bytes message;
        weft_dns_header header;
        weft_dns_reader reader;
        weft_dns_record record;
        int status;

        start(size);
        status = ask("example.", WEFT_DNS_A);
        if (status == 0)
            status = put(WEFT_DNS_ANSWER, "a.example.", WEFT_DNS_A, address);
        if (status == 0)
            status = put(WEFT_DNS_ANSWER, "b.c.example.", WEFT_DNS_A, address);
        assert_int_equal(status, -ENOSPC);
        message = weft_dns_writer_finish(&writer);
        assert_true(message.length <= size);
        assert_int_equal(weft_dns_reader_init(&reader, message, &header), 0);
        while ((status = weft_dns_next(&reader, &record)) > 0)
            ;
        assert_int_equal(status, WEFT_DNS_END);
        assert_int_equal(weft_dns_reader_rest(&reader).length, 0);
    }
}

/* What was taken back is pointed to by nobody, though its names stood where others stand now. */
static void rewound_names_are_forgotten(void **state)
{
    weft_bytes address = dns_hex("c0000201");
    weft_dns_mark mark;

    (void)state;
    start(512);
    mark = weft_dns_writer_mark(&writer);
    assert_int_equal(put(WEFT_DNS_AUTHORITY, "gone.example.", WEFT_DNS_A, address), 0);
    weft_dns_writer_rewind(&writer, &mark);
    assert_int_equal(put(WEFT_DNS_ANSWER, "xxxx.example.", WEFT_DNS_A, address), 0);
    assert_int_equal(put(WEFT_DNS_ANSWER, "gone.example.", WEFT_DNS_A, address), 0);
    dns_assert_octets(weft_dns_writer_finish(&writer), "beef 8500 0000 0002 0000 0000"
                                                       "0478787878 076578616d706c65 00 0001 0001 0000012c 0004 c0000201"
                                                       "04676f6e65 c011 0001 0001 0000012c 0004 c0000201");
}

static void truncation_is_said_and_room_is_kept_back(void **state)
{
    const weft_dns_edns edns = {.udp_size = 1232};
    weft_bytes address = dns_hex("c0000201");
    weft_dns_header header;
    weft_dns_reader reader;
    weft_bytes message;
    int status = 0;

    (void)state;
    start(100);
    assert_int_equal(ask("example.", WEFT_DNS_A), 0);
    assert_int_equal(weft_dns_writer_reserve(&writer, WEFT_DNS_EDNS_ROOM(0)), 0);
    while (status == 0)
        status = put(WEFT_DNS_ANSWER, "example.", WEFT_DNS_A, address);
    assert_int_equal(status, -ENOSPC);
    weft_dns_writer_truncate(&writer);
    weft_dns_writer_set_rcode(&writer, WEFT_DNS_SERVFAIL);
    assert_int_equal(weft_dns_writer_reserve(&writer, 0), 0);
    assert_int_equal(weft_dns_write_edns(&writer, &edns), 0);
    message = weft_dns_writer_finish(&writer);
    assert_true(message.length <= 100);
    assert_int_equal(weft_dns_reader_init(&reader, message, &header), 0);
    assert_true(header.tc && header.aa);
    assert_int_equal(header.rcode, WEFT_DNS_SERVFAIL);
    assert_int_equal(header.ancount, 4);
    assert_int_equal(header.arcount, 1);
    assert_int_equal(weft_dns_writer_reserve(&writer, 100), -ENOSPC);
}

static void order_of_sections_is_kept(void **state)
{
    (void)state;
    start(512);
    assert_int_equal(put(WEFT_DNS_AUTHORITY, "a.", WEFT_DNS_NULL, dns_hex("")), 0);
    assert_int_equal(put(WEFT_DNS_ANSWER, "a.", WEFT_DNS_NULL, dns_hex("")), -EINVAL);
    assert_int_equal(ask("a.", WEFT_DNS_A), -EINVAL);
    assert_int_equal(put(WEFT_DNS_QUESTION, "a.", WEFT_DNS_NULL, dns_hex("")), -EINVAL);
    assert_int_equal(put((weft_dns_section)5, "a.", WEFT_DNS_NULL, dns_hex("")), -EINVAL);
    assert_int_equal(put(WEFT_DNS_ADDITIONAL, "a.", WEFT_DNS_NULL, dns_hex("")), 0);
}

static void data_that_its_type_does_not_allow_is_refused(void **state)
{
    const weft_dns_header bad = {.opcode = 16}, good = {.opcode = 5};
    weft_dns_name name = dns_name("a.");
    size_t before;

    (void)state;
    start(512);
    before = weft_dns_writer_finish(&writer).length;
    assert_int_equal(put(WEFT_DNS_ANSWER, "a.", WEFT_DNS_A, dns_hex("0102")), -EINVAL);
    assert_int_equal(put(WEFT_DNS_ANSWER, "a.", WEFT_DNS_MX, dns_hex("000a c00c")), -EINVAL);
    assert_int_equal(put(WEFT_DNS_ANSWER, "a.", WEFT_DNS_A, dns_hex("")), -EINVAL);
    assert_int_equal(weft_dns_writer_finish(&writer).length, before);
    /* RFC 2136 §2.5.2: in an update a type without data means the whole set. */
    assert_int_equal(
        weft_dns_write_record(&writer, WEFT_DNS_AUTHORITY, &name, WEFT_DNS_A, WEFT_DNS_CLASS_ANY, 0, dns_hex("")), 0);
    assert_int_equal(weft_dns_writer_init(&writer, room, 512, &bad), -EINVAL);
    assert_int_equal(weft_dns_writer_init(&writer, room, 11, &good), -ENOSPC);
}

/* DN-02: names that share nothing but make every look in the table long. */
static void dn_02_work_of_compression_is_bounded(void **state)
{
    weft_bytes address = dns_hex("c0000201");
    unsigned written = 0;
    weft_dns_header header;
    weft_dns_reader reader;
    weft_dns_record record;

    (void)state;
    start(sizeof room);
    for (unsigned i = 0; i < 1000; i++) {
        char name[300];
        size_t length = (size_t)snprintf(name, sizeof name, "h%u.", i);

        for (int k = 0; k < 60; k++)
            length += (size_t)snprintf(name + length, sizeof name - length, "%c.", 'a' + (int)(i + (unsigned)k) % 26);
        if (put(WEFT_DNS_ANSWER, name, WEFT_DNS_A, address) < 0)
            break;
        written++;
    }
    assert_true(written > 400);
    assert_int_equal(writer.name_count, WEFT_DNS_WRITER_NAMES);
    assert_true(writer.work < 32768);
    assert_int_equal(weft_dns_reader_init(&reader, weft_dns_writer_finish(&writer), &header), 0);
    for (unsigned i = 0; i < written; i++) {
        char start_of_name[16];

        assert_int_equal(weft_dns_next(&reader, &record), WEFT_DNS_ANSWER);
        snprintf(start_of_name, sizeof start_of_name, "h%u.", i);
        assert_memory_equal(dns_text_of(&record.name), start_of_name, strlen(start_of_name));
        assert_int_equal(weft_dns_name_labels(&record.name), 61);
    }
    assert_int_equal(weft_dns_next(&reader, &record), WEFT_DNS_END);
}

/* When the steps are used up names are written in full, and the message is right all the same. */
static void dn_02_without_steps_names_are_written_in_full(void **state)
{
    weft_bytes address = dns_hex("c0000201");
    size_t compressed, full;

    (void)state;
    start(512);
    assert_int_equal(ask("www.example.", WEFT_DNS_A), 0);
    assert_int_equal(put(WEFT_DNS_ANSWER, "www.example.", WEFT_DNS_A, address), 0);
    compressed = weft_dns_writer_finish(&writer).length;
    start(512);
    writer.work = 0;
    assert_int_equal(ask("www.example.", WEFT_DNS_A), 0);
    assert_int_equal(put(WEFT_DNS_ANSWER, "www.example.", WEFT_DNS_A, address), 0);
    full = weft_dns_writer_finish(&writer).length;
    assert_int_equal(full - compressed, 13 - 2);
}

/* A pointer has 14 bits: what lies behind them is not pointed to. */
static void names_beyond_16_kib_are_written_in_full(void **state)
{
    static char filler[0x4000];
    size_t before;

    (void)state;
    start(sizeof room);
    assert_int_equal(put(WEFT_DNS_ANSWER, ".", WEFT_DNS_NULL, weft_bytes_of(filler, sizeof filler)), 0);
    for (int i = 0; i < 2; i++) {
        before = weft_dns_writer_finish(&writer).length;
        assert_int_equal(put(WEFT_DNS_ANSWER, "www.example.", WEFT_DNS_NULL, dns_hex("")), 0);
        assert_int_equal(weft_dns_writer_finish(&writer).length - before, 13 + 10);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        support_test(names_are_compressed_where_the_standard_allows),
        support_test(what_is_written_is_read_again),
        support_test(what_does_not_fit_leaves_the_message_as_it_was),
        support_test(rewound_names_are_forgotten),
        support_test(truncation_is_said_and_room_is_kept_back),
        support_test(order_of_sections_is_kept),
        support_test(data_that_its_type_does_not_allow_is_refused),
        support_test(dn_02_work_of_compression_is_bounded),
        support_test(dn_02_without_steps_names_are_written_in_full),
        support_test(names_beyond_16_kib_are_written_in_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
