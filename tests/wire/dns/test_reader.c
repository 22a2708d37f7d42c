/* SPDX-License-Identifier: MIT */
/* Messages, read: what is well-formed, what is not, and what none may cost. */
#include <stdio.h>
#include <stdlib.h>

#include "wire/dns/dns_test.h"

/* A response as resolvers send it, put together by hand: a CNAME, two As (one with an odd TTL), compressed names, an OPT. */
#define RESPONSE                                                                  \
    "1234 8180 0001 0003 0000 0001 03777777 0469616e61 036f7267 00 0001 0001"     \
    "c00c 0005 0001 00000e10 0011 0377777704 7663646e 056963616e6e c015"          \
    "c02a 0001 0001 0000001e 0004 c0002108 c02a 0001 0001 8000001e 0004 c0002109" \
    "00 0029 04d0 0000 8000 0000"

static weft_dns_header header;

static weft_dns_reader reader_of(weft_bytes message)
{
    weft_dns_reader reader;

    assert_int_equal(weft_dns_reader_init(&reader, message, &header), 0);
    return reader;
}

static void response_is_read_section_by_section(void **state)
{
    weft_dns_reader reader = reader_of(dns_hex(RESPONSE));
    weft_dns_record record;
    uint8_t data[256];

    (void)state;
    assert_int_equal(header.id, 0x1234);
    assert_true(header.qr && header.rd && header.ra);
    assert_false(header.aa || header.tc || header.ad || header.cd);
    assert_int_equal(header.opcode, WEFT_DNS_QUERY);
    assert_int_equal(header.rcode, WEFT_DNS_NOERROR);
    assert_int_equal(header.ancount, 3);

    assert_int_equal(weft_dns_next(&reader, &record), WEFT_DNS_QUESTION);
    assert_string_equal(dns_text_of(&record.name), "www.iana.org.");
    assert_int_equal(record.type, WEFT_DNS_A);
    assert_int_equal(record.rrclass, WEFT_DNS_IN);

    assert_int_equal(weft_dns_next(&reader, &record), WEFT_DNS_ANSWER);
    assert_string_equal(dns_text_of(&record.name), "www.iana.org.");
    assert_int_equal(record.type, WEFT_DNS_CNAME);
    assert_int_equal(record.ttl, 3600);
    assert_int_equal(weft_dns_read_data(&reader, &record, data, sizeof data), 20);
    dns_assert_octets(weft_bytes_of(data, 20), "03777777 047663646e 056963616e6e 036f7267 00");
    assert_int_equal(weft_dns_read_data(&reader, &record, data, 19), -ENOSPC);

    assert_int_equal(weft_dns_next(&reader, &record), WEFT_DNS_ANSWER);
    assert_string_equal(dns_text_of(&record.name), "www.vcdn.icann.org.");
    assert_int_equal(record.ttl, 30);
    assert_int_equal(weft_dns_next(&reader, &record), WEFT_DNS_ANSWER);
    assert_int_equal(weft_dns_next(&reader, &record), WEFT_DNS_ADDITIONAL);
    assert_int_equal(record.type, WEFT_DNS_OPT);
    assert_int_equal(weft_dns_next(&reader, &record), WEFT_DNS_END);
    assert_int_equal(weft_dns_next(&reader, &record), WEFT_DNS_END);
    assert_int_equal(weft_dns_reader_rest(&reader).length, 0);
    assert_string_equal(weft_dns_reader_problem(&reader), "");
}

static void every_flag_is_read(void **state)
{
    (void)state;
    reader_of(dns_hex("ffff 7f3a 0000 0000 0000 0000"));
    assert_false(header.qr);
    assert_int_equal(header.opcode, 15);
    assert_true(header.aa && header.tc && header.rd && header.ad && header.cd);
    assert_false(header.ra);
    assert_int_equal(header.rcode, 10);
    reader_of(dns_hex("0000 8080 0001 0002 0003 0004"));
    assert_true(header.qr && header.ra);
    assert_int_equal(header.qdcount * 1000 + header.ancount * 100 + header.nscount * 10 + header.arcount, 1234);
}

static void what_is_cut_off_anywhere_is_refused(void **state)
{
    weft_bytes whole = dns_hex(RESPONSE);

    (void)state;
    for (size_t length = 0; length < whole.length; length++) {
        char *copy = malloc(length ? length : 1); /* so that a read beyond it is seen */
        weft_dns_reader reader;
        weft_dns_record record;
        uint8_t data[256];
        int section;

        support_set_context("%zu octets", length);
        memcpy(copy, whole.data, length);
        if (weft_dns_reader_init(&reader, weft_bytes_of(copy, length), &header) == 0) {
            while ((section = weft_dns_next(&reader, &record)) > 0)
                if (section != WEFT_DNS_QUESTION)
                    assert_true(weft_dns_read_data(&reader, &record, data, sizeof data) >= 0);
            assert_int_equal(section, WEFT_EPROTOCOL);
            assert_int_equal(weft_dns_next(&reader, &record), WEFT_EPROTOCOL);
            assert_true(*weft_dns_reader_problem(&reader));
        } else {
            assert_true(length < WEFT_DNS_HEADER_SIZE);
        }
        free(copy);
    }
    support_clear_context();
}

static void message_of_more_than_65535_octets_is_refused(void **state)
{
    static char octets[WEFT_DNS_MESSAGE_MAX + 1];
    weft_dns_reader reader;

    (void)state;
    assert_int_equal(weft_dns_reader_init(&reader, weft_bytes_of(octets, sizeof octets), &header), WEFT_EPROTOCOL);
    assert_int_equal(weft_dns_reader_init(&reader, weft_bytes_of(octets, sizeof octets - 1), &header), 0);
}

static void octets_behind_the_last_record_are_given(void **state)
{
    weft_dns_reader reader = reader_of(dns_hex("0000 0000 0001 0000 0000 0000 00 0001 0001 aabb"));
    weft_dns_record record;

    (void)state;
    assert_int_equal(weft_dns_next(&reader, &record), WEFT_DNS_QUESTION);
    assert_int_equal(weft_dns_next(&reader, &record), WEFT_DNS_END);
    dns_assert_octets(weft_dns_reader_rest(&reader), "aabb");
}

/* The example of RFC 1035 §4.1.4, its offsets moved by -8: F.ISI.ARPA, FOO.F.ISI.ARPA, ARPA and the root. */
static void compressed_names_are_those_of_the_standard(void **state)
{
    weft_dns_reader reader = reader_of(dns_hex("0000 0000 0004 0000 0000 0000 0146 03495349 0441525041 00 0001 0001"
                                               "03464f4f c00c 0001 0001 c012 0001 0001 00 0001 0001"));
    static const char *const names[] = {"F.ISI.ARPA.", "FOO.F.ISI.ARPA.", "ARPA.", "."};
    weft_dns_record record;

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(weft_dns_next(&reader, &record), WEFT_DNS_QUESTION);
        assert_string_equal(dns_text_of(&record.name), names[i]);
    }
    assert_int_equal(weft_dns_next(&reader, &record), WEFT_DNS_END);
}

static void dn_01_name_that_leads_astray_is_refused(void **state)
{
    static const struct {
        const char *what, *message;
    } cases[] = {
        {"to itself", "0000 0000 0001 0000 0000 0000 c00c 0001 0001"},
        {"forward", "0000 0000 0001 0000 0000 0000 c012 0001 0001 0161 00"},
        {"beyond the end", "0000 0000 0001 0000 0000 0000 ffff 0001 0001"},
        {"into the header", "0161 0000 0001 0000 0000 0000 c000 0001 0001"},
        {"to the run it stands in", "0000 0000 0001 0000 0000 0000 0161 c00c 0001 0001"},
        {"into the middle of its run", "0000 0000 0001 0000 0000 0000 0161 0162 c00e 0001 0001"},
        {"two that point to each other", "0000 0000 0002 0000 0000 0000 c00e c00c 0001 0001 00 0001 0001"},
        {"half a pointer", "0000 0000 0001 0000 0000 0000 c0"},
        {"the kind of label 01", "0000 0000 0001 0000 0000 0000 4101 00 0001 0001"},
        {"the kind of label 10", "0000 0000 0001 0000 0000 0000 8101 00 0001 0001"},
        {"a label over the end", "0000 0000 0001 0000 0000 0000 3f61"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        weft_dns_reader reader = reader_of(dns_hex(cases[i].message));
        weft_dns_record record = {.type = 4242};

        support_set_context("%s", cases[i].what);
        assert_int_equal(weft_dns_next(&reader, &record), WEFT_EPROTOCOL);
        assert_int_equal(record.type, 4242);
        assert_true(*weft_dns_reader_problem(&reader));
    }
    support_clear_context();
}

static void dn_01_name_in_data_ends_with_the_data(void **state)
{
    /* A CNAME whose data is "\3ab" and one octet of what follows; one whose pointer is half outside; one with too much. */
    static const char *const messages[] = {
        "0000 8000 0000 0001 0000 0000 00 0005 0001 00000000 0003 036162 6300",
        "0000 8000 0000 0001 0000 0000 00 0005 0001 00000000 0001 c00c",
        "0000 8000 0000 0001 0000 0000 00 0005 0001 00000000 0004 016100 00",
        "0000 8000 0000 0001 0000 0000 00 0005 0001 00000000 0000",
    };

    (void)state;
    for (size_t i = 0; i < sizeof messages / sizeof *messages; i++) {
        weft_dns_reader reader = reader_of(dns_hex(messages[i]));
        weft_dns_record record;
        uint8_t data[64];

        support_set_context("%s", messages[i]);
        assert_int_equal(weft_dns_next(&reader, &record), WEFT_DNS_ANSWER);
        assert_int_equal(weft_dns_read_data(&reader, &record, data, sizeof data), WEFT_EPROTOCOL);
        assert_int_equal(weft_dns_next(&reader, &record), WEFT_DNS_END); /* the frame was sound */
    }
    support_clear_context();
}

/* RFC 3597 §4: where nobody may compress, a pointer is refused; where old senders did, it is taken. */
static void names_are_decompressed_where_the_standard_says_so(void **state)
{
    static const struct {
        uint16_t type;
        const char *before, *after;
        bool taken;
    } cases[] = {
        {WEFT_DNS_NS, "", "", true},
        {WEFT_DNS_MX, "000a", "", true},
        {WEFT_DNS_SRV, "000100020003", "", true},
        {WEFT_DNS_RP, "00", "", true},
        {WEFT_DNS_DNAME, "", "", true},
        {WEFT_DNS_NSEC, "", "", false},
        {WEFT_DNS_SVCB, "0001", "", false},
        {WEFT_DNS_RRSIG, "0001 08 01 00000000 00000000 00000000 0000", "00", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char hex[256];
        weft_dns_reader reader;
        weft_dns_record record;
        uint8_t data[64];
        size_t length = dns_hex(cases[i].before).length + 2 + dns_hex(cases[i].after).length;

        support_set_context("type %u", cases[i].type);
        snprintf(hex, sizeof hex,
                 "0000 8000 0001 0001 0000 0000 0161 00 0001 0001 00 %04x 0001 00000000 %04zx %s c00c %s",
                 cases[i].type, length, cases[i].before, cases[i].after);
        reader = reader_of(dns_hex(hex));
        assert_int_equal(weft_dns_next(&reader, &record), WEFT_DNS_QUESTION);
        assert_int_equal(weft_dns_next(&reader, &record), WEFT_DNS_ANSWER);
        if (cases[i].taken)
            assert_int_equal(weft_dns_read_data(&reader, &record, data, sizeof data), length + 1);
        else
            assert_int_equal(weft_dns_read_data(&reader, &record, data, sizeof data), WEFT_EPROTOCOL);
    }
    support_clear_context();
}

static void name_of_256_octets_is_refused(void **state)
{
    /* Four labels of 62 octets are 252, and the root 253; a pointer to them from "a" makes 255, from "ab" 256. */
    static uint8_t message[400];
    size_t length = 12;

    (void)state;
    for (int i = 0; i < 4; i++) {
        message[length++] = 62;
        memset(message + length, 'x', 62);
        length += 62;
    }
    memcpy(message + length, "\0\0\1\0\1", 5);
    length += 5;
    for (unsigned extra = 1; extra <= 2; extra++) {
        weft_dns_reader reader;
        weft_dns_record record;
        size_t end = length;

        message[5] = 2; /* QDCOUNT */
        message[end++] = (uint8_t)extra;
        memset(message + end, 'y', extra);
        end += extra;
        memcpy(message + end, "\xc0\x0c\0\1\0\1", 6);
        reader = reader_of(weft_bytes_of(message, end + 6));
        assert_int_equal(weft_dns_next(&reader, &record), WEFT_DNS_QUESTION);
        assert_int_equal(weft_dns_next(&reader, &record), extra == 1 ? (int)WEFT_DNS_QUESTION : WEFT_EPROTOCOL);
    }
}

/*
 * 64 KiB over TCP: in its first 16 KiB a chain of pointers, each to the one before, and then records whose names all
 * begin at its end (CVE-2026-42304).
 */
static void dn_01_work_for_a_message_of_chained_pointers_is_bounded(void **state)
{
    static uint8_t message[WEFT_DNS_MESSAGE_MAX];
    size_t at = 12, records = 0;
    unsigned read = 0;
    weft_dns_reader reader;
    weft_dns_record record;
    int section;

    (void)state;
    /* The data of a first record of an unknown type: a root, and pointers behind it. */
    memcpy(message + at, "\0\xff\0\0\1\0\0\0\0\x3f\xe0", 11);
    at += 11;
    message[at] = 0;
    for (size_t here = at + 1; here + 2 <= at + 0x3fe0; here += 2) {
        size_t target = here == at + 1 ? at : here - 2;

        message[here] = (uint8_t)(0xc0 | target >> 8);
        message[here + 1] = (uint8_t)target;
    }
    size_t last = at + 1 + (0x3fe0 - 1) / 2 * 2 - 2;
    at += 0x3fe0;
    while (at + 12 <= sizeof message) {
        memcpy(message + at, "\xff\xff\0\1\0\1\0\0\0\0\0\0", 12);
        message[at] = (uint8_t)(0xc0 | last >> 8);
        message[at + 1] = (uint8_t)last;
        at += 12;
        records++;
    }
    assert_true(last < 0x4000 && records > 4000);
    message[6] = (uint8_t)((records + 1) >> 8);
    message[7] = (uint8_t)(records + 1);
    reader = reader_of(weft_bytes_of(message, at));
    while ((section = weft_dns_next(&reader, &record)) > 0)
        read++;
    assert_int_equal(section, WEFT_EPROTOCOL);
    assert_string_equal(weft_dns_reader_problem(&reader), "a name takes too many pointers");
    assert_int_equal(read, 1);
}

/* A pointer before each of 127 labels is what compression can come to; one more leads to no label. */
static void dn_01_pointer_before_each_label_is_taken_and_no_more(void **state)
{
    static uint8_t message[WEFT_DNS_MESSAGE_MAX];
    size_t at = 12, last = 0;
    weft_dns_reader reader;
    weft_dns_record record;

    (void)state;
    for (int i = 0; i < 127; i++) {
        size_t here = at;

        message[at++] = 1;
        message[at++] = 'a';
        if (i == 0) {
            message[at++] = 0;
        } else {
            message[at++] = (uint8_t)(0xc0 | last >> 8);
            message[at++] = (uint8_t)last;
        }
        memcpy(message + at, "\0\1\0\1", 4);
        at += 4;
        last = here;
    }
    for (int i = 0; i < 3; i++) {
        size_t here = at;

        message[at++] = (uint8_t)(0xc0 | last >> 8);
        message[at++] = (uint8_t)last;
        memcpy(message + at, "\0\1\0\1", 4);
        at += 4;
        last = here;
    }
    message[5] = 130;
    reader = reader_of(weft_bytes_of(message, at));
    for (int i = 0; i < 129; i++)
        assert_int_equal(weft_dns_next(&reader, &record), WEFT_DNS_QUESTION);
    assert_int_equal(weft_dns_name_labels(&record.name), 127);
    assert_int_equal(weft_dns_next(&reader, &record), WEFT_EPROTOCOL);
}

/*
 * Names of 120 and more labels, each a label and a pointer to the one before, and then 60 KiB of records that point to
 * eight of them in turn: nothing that is remembered helps, and the steps run out.
 */
static void dn_01_work_for_long_names_without_order_is_bounded(void **state)
{
    static uint8_t message[WEFT_DNS_MESSAGE_MAX];
    size_t at = 12, starts[127], records = 0;
    unsigned read = 0;
    weft_dns_reader reader;
    weft_dns_record record;
    int section;

    (void)state;
    for (size_t i = 0; i < 127; i++) {
        starts[i] = at;
        memcpy(message + at, "\1a", 2);
        at += 2;
        if (i > 0) {
            message[at++] = (uint8_t)(0xc0 | starts[i - 1] >> 8);
            message[at] = (uint8_t)starts[i - 1];
        }
        memcpy(message + at + 1, "\0\1\0\1", 4);
        at += 5;
    }
    for (; at + 12 <= sizeof message; at += 12) {
        size_t target = starts[126 - records++ % 8];

        memcpy(message + at, "\0\0\0\1\0\1\0\0\0\0\0\0", 12);
        message[at] = (uint8_t)(0xc0 | target >> 8);
        message[at + 1] = (uint8_t)target;
    }
    message[5] = 127;
    message[6] = (uint8_t)(records >> 8);
    message[7] = (uint8_t)records;
    reader = reader_of(weft_bytes_of(message, at));
    while ((section = weft_dns_next(&reader, &record)) > 0)
        read++;
    assert_int_equal(section, WEFT_EPROTOCOL);
    assert_string_equal(weft_dns_reader_problem(&reader), "the compressed names are too much work");
    assert_true(read > 2000 && read < 127 + 2500); /* 540,000 steps, 240 to 254 for a name */
}

/* What honest servers send goes through, whatever its shape: 127 labels for every record of a full message. */
static void longest_names_in_every_record_are_read(void **state)
{
    static uint8_t message[WEFT_DNS_MESSAGE_MAX];
    size_t at = 12, records = 0;
    unsigned read = 0;
    weft_dns_reader reader;
    weft_dns_record record;
    uint8_t data[600];
    int section;

    (void)state;
    for (int i = 0; i < 127; i++) {
        message[at++] = 1;
        message[at++] = 'a';
    }
    memcpy(message + at, "\0\0\1\0\1", 5);
    at += 5;
    while (at + 14 <= sizeof message) {
        memcpy(message + at, "\xc0\x0c\0\2\0\1\0\0\0\0\0\2\xc0\x0c", 14); /* NS */
        at += 14;
        records++;
    }
    message[5] = 1;
    message[6] = (uint8_t)(records >> 8);
    message[7] = (uint8_t)records;
    reader = reader_of(weft_bytes_of(message, at));
    assert_int_equal(weft_dns_next(&reader, &record), WEFT_DNS_QUESTION);
    while ((section = weft_dns_next(&reader, &record)) > 0) {
        assert_int_equal(weft_dns_read_data(&reader, &record, data, sizeof data), 255);
        read++;
    }
    assert_int_equal(section, WEFT_DNS_END);
    assert_int_equal(read, records);
}

static void dn_16_ttl_with_its_top_bit_set_is_0(void **state)
{
    weft_dns_reader reader =
        reader_of(dns_hex("0000 8000 0000 0003 0000 0000 00 0001 0001 80000000 0004 7f000001"
                          "00 0001 0001 7fffffff 0004 7f000001 00 0001 0001 ffffffff 0004 7f000001"));
    weft_dns_record record;

    (void)state;
    assert_int_equal(weft_dns_next(&reader, &record), WEFT_DNS_ANSWER);
    assert_int_equal(record.ttl, 0);
    assert_int_equal(weft_dns_next(&reader, &record), WEFT_DNS_ANSWER);
    assert_int_equal(record.ttl, INT32_MAX);
    assert_int_equal(weft_dns_next(&reader, &record), WEFT_DNS_ANSWER);
    assert_int_equal(record.ttl, 0);
}

static void dn_15_response_is_never_answered(void **state)
{
    weft_dns_header request = {.opcode = WEFT_DNS_QUERY, .qdcount = 1};

    (void)state;
    assert_int_equal(weft_dns_judge_request(&request, 1), WEFT_DNS_NOERROR);
    request.qr = true;
    assert_int_equal(weft_dns_judge_request(&request, 1), WEFT_DNS_DROP);
    request.qdcount = 7;
    request.opcode = 9;
    assert_int_equal(weft_dns_judge_request(&request, 1), WEFT_DNS_DROP);
}

static void dn_15_query_has_one_question(void **state)
{
    weft_dns_header request = {.opcode = WEFT_DNS_QUERY};

    (void)state;
    assert_int_equal(weft_dns_judge_request(&request, 1), WEFT_DNS_FORMERR);
    request.qdcount = 2;
    assert_int_equal(weft_dns_judge_request(&request, 1), WEFT_DNS_FORMERR);
    request.qdcount = 65535;
    assert_int_equal(weft_dns_judge_request(&request, 1), WEFT_DNS_FORMERR);
}

static void dn_15_unknown_opcode_is_not_implemented(void **state)
{
    const unsigned known = 1u << WEFT_DNS_QUERY | 1u << WEFT_DNS_NOTIFY;

    (void)state;
    for (unsigned opcode = 1; opcode < 16; opcode++) {
        weft_dns_header request = {.opcode = (uint8_t)opcode, .qdcount = 1};

        assert_int_equal(weft_dns_judge_request(&request, known),
                         opcode == WEFT_DNS_NOTIFY ? WEFT_DNS_NOERROR : WEFT_DNS_NOTIMP);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        support_test(response_is_read_section_by_section),
        support_test(every_flag_is_read),
        support_test(what_is_cut_off_anywhere_is_refused),
        support_test(message_of_more_than_65535_octets_is_refused),
        support_test(octets_behind_the_last_record_are_given),
        support_test(compressed_names_are_those_of_the_standard),
        support_test(dn_01_name_that_leads_astray_is_refused),
        support_test(dn_01_name_in_data_ends_with_the_data),
        support_test(names_are_decompressed_where_the_standard_says_so),
        support_test(name_of_256_octets_is_refused),
        support_test(dn_01_work_for_a_message_of_chained_pointers_is_bounded),
        support_test(dn_01_pointer_before_each_label_is_taken_and_no_more),
        support_test(dn_01_work_for_long_names_without_order_is_bounded),
        support_test(longest_names_in_every_record_are_read),
        support_test(dn_16_ttl_with_its_top_bit_set_is_0),
        support_test(dn_15_response_is_never_answered),
        support_test(dn_15_query_has_one_question),
        support_test(dn_15_unknown_opcode_is_not_implemented),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
