/* SPDX-License-Identifier: MIT */
/* Record data: the examples of the standards, both ways; what is refused, and where in the text. */
#include <stdio.h>
#include <stdlib.h>

#include "wire/dns/dns_test.h"

#define RRSIG_SIGNATURE                                                                                                \
    "oJB1W6WNGv+ldvQ3WDG0MQkg5IEhjRip8WTrPYGv07h108dUKGMeDPKijVCHX3DDKdfb+v6oB9wfuh3DTJXUAfI/M0zmO/zz8bW0Rznl8O3tGNaz" \
    "PwQKkRN20XPXV6nwwfoXmJQbsLNrLfkGJ5D6fwFm8nN+6pBzeDQfsS3Ap3o="

static const struct known {
    const char *standard;
    uint16_t type;
    const char *text;  /* as it is written */
    const char *hex;   /* NULL: only that it comes back */
    const char *again; /* as we write it; NULL: the same */
} known[] = {
    {"RFC 1035", WEFT_DNS_A, "10.0.0.52", "0a000034", NULL},
    {"RFC 1035", WEFT_DNS_NS, "VENERA.ISI.EDU.", "0656454e455241 03495349 03454455 00", NULL},
    {"RFC 1035", WEFT_DNS_CNAME, ".", "00", NULL},
    {"RFC 1035 §5.3", WEFT_DNS_SOA,
     "VENERA Action\\.domains ( 20 ; SERIAL\n 7200 ; REFRESH\n 600 ; RETRY\n 3600000; EXPIRE\n 60)",
     "0656454e455241 00 0e416374696f6e2e646f6d61696e73 00 00000014 00001c20 00000258 0036ee80 0000003c",
     "VENERA. Action\\.domains. 20 7200 600 3600000 60"},
    {"units", WEFT_DNS_SOA, "a. b. 4294967295 2h 10m 1w2d 1h30m5s",
     "016100 016200 ffffffff 00001c20 00000258 000bdd80 0000151d", "a. b. 4294967295 7200 600 777600 5405"},
    {"RFC 1035", WEFT_DNS_MX, "10 mail.x.", "000a 046d61696c 0178 00", NULL},
    {"RFC 1035", WEFT_DNS_HINFO, "VAX-11/780 UNIX", "0a5641582d31312f373830 04554e4958", "\"VAX-11/780\" \"UNIX\""},
    {"RFC 1035", WEFT_DNS_TXT, "\"a b\" c \"\" \"q\\\"\\\\\\009\"", "03612062 0163 00 04 71225c09",
     "\"a b\" \"c\" \"\" \"q\\\"\\\\\\009\""},
    {"RFC 1035", WEFT_DNS_MINFO, "a. b.", "016100 016200", NULL},
    {"RFC 1183", WEFT_DNS_RP, "louie.trantor.umd.edu. LAM1.people.umd.edu.", NULL, NULL},
    {"RFC 1183", WEFT_DNS_AFSDB, "1 bigbird.toaster.com.", NULL, NULL},
    {"RFC 3596", WEFT_DNS_AAAA, "2001:0DB8:0:0::1", "20010db8000000000000000000000001", "2001:db8::1"},
    {"RFC 3596", WEFT_DNS_AAAA, "::ffff:192.0.2.1", "00000000000000000000ffffc0000201", "::ffff:c000:201"},
    {"RFC 1876", WEFT_DNS_LOC, "42 21 54 N 71 06 18 W -24m 30m", "00331613 89172dd0 70be15f0 00988d20",
     "42 21 54.000 N 71 6 18.000 W -24.00m 30.00m 10000.00m 10.00m"},
    {"RFC 1876", WEFT_DNS_LOC, "52 14 05 N 00 08 50 E 10m", NULL,
     "52 14 5.000 N 0 8 50.000 E 10.00m 1.00m 10000.00m 10.00m"},
    {"RFC 1876", WEFT_DNS_LOC, "90 S 180 W 42849672.95m 90000000m 0.00m 0.5", "00990051 6cb02700 59604e00 ffffffff",
     "90 0 0.000 S 180 0 0.000 W 42849672.95m 90000000.00m 0.00m 0.50m"},
    {"RFC 2782", WEFT_DNS_SRV, "0 1 9 old-slow-box.example.com.", NULL, NULL},
    {"RFC 3403", WEFT_DNS_NAPTR, "100 50 \"s\" \"z3950+I2L+I2C\" \"\" _z3950._tcp.gatech.edu.",
     "0064 0032 0173 0d7a333935302b49324c2b493243 00 065f7a33393530 045f746370 06676174656368 03656475 00", NULL},
    {"RFC 6672", WEFT_DNS_DNAME, "frobozz-division.acme.example.", NULL, NULL},
    {"RFC 4034 §5.4", WEFT_DNS_DS, "60485 5 1 ( 2BB183AF5F22588179A53B0A 98631FAD1A292118 )",
     "ec45 05 01 2bb183af5f22588179a53b0a98631fad1a292118", "60485 5 1 2bb183af5f22588179a53b0a98631fad1a292118"},
    {"RFC 4034 §5.4", WEFT_DNS_DS, "60485 RSASHA1 1 2b", "ec45 05 01 2b", "60485 5 1 2b"},
    {"RFC 4255", WEFT_DNS_SSHFP, "2 1 123456789abcdef67890123456789abcdef67890",
     "02 01 123456789abcdef67890123456789abcdef67890", NULL},
    {"RFC 4034 §3.3", WEFT_DNS_RRSIG, "A 5 3 86400 20030322173103 20030220173103 2642 example.com. " RRSIG_SIGNATURE,
     NULL, NULL},
    {"RFC 4034 §3.2", WEFT_DNS_RRSIG, "A 5 3 86400 1048354263 20030220173103 2642 a. AAAA",
     "0001 05 03 00015180 3e7c9dd7 3e5510d7 0a52 016100 000000",
     "A 5 3 86400 20030322173103 20030220173103 2642 a. AAAA"},
    {"RFC 4034 §4.3", WEFT_DNS_NSEC, "host.example.com. (A MX RRSIG NSEC TYPE1234 )",
     "04686f7374 076578616d706c65 03636f6d 00 0006 400100000003 041b"
     "000000000000000000000000000000000000000000000000000020",
     "host.example.com. A MX RRSIG NSEC TYPE1234"},
    {"RFC 4034 §2.3", WEFT_DNS_DNSKEY, "256 3 5 ( AQPSKmynfzW4kyBv015MUG2D\n eIQ3 )",
     "0100 03 05 0103d22a6ca77f35b893206fd35e4c506d83788437", "256 3 5 AQPSKmynfzW4kyBv015MUG2DeIQ3"},
    {"RFC 5155 §A", WEFT_DNS_NSEC3,
     "1 1 12 aabbccdd 2t7b4g4vsa5smi47k61mv5bv1a22bojr MX DNSKEY NS SOA NSEC3PARAM RRSIG",
     "01 01 000c 04aabbccdd 14 174eb2409fe28bcb4887a1836f957f0a8425e27b 0007 220100000002 90",
     "1 1 12 aabbccdd 2t7b4g4vsa5smi47k61mv5bv1a22bojr NS SOA MX RRSIG DNSKEY NSEC3PARAM"},
    {"RFC 5155 §3.3", WEFT_DNS_NSEC3, "1 0 0 - 2T7B4G4VSA5SMI47K61MV5BV1A22BOJR", NULL,
     "1 0 0 - 2t7b4g4vsa5smi47k61mv5bv1a22bojr"},
    {"RFC 5155 §4.3", WEFT_DNS_NSEC3PARAM, "1 0 12 aabbccdd", "01 00 000c 04aabbccdd", NULL},
    {"RFC 6698", WEFT_DNS_TLSA, "0 0 1 ( d2abde240d7cd3ee6b4b28c54df034b9\n 7983A1D16E8A410E4561CB106618E971 )",
     "00 00 01 d2abde240d7cd3ee6b4b28c54df034b97983a1d16e8a410e4561cb106618e971",
     "0 0 1 d2abde240d7cd3ee6b4b28c54df034b97983a1d16e8a410e4561cb106618e971"},
    {"RFC 7929", WEFT_DNS_OPENPGPKEY, "AAECAw==", "00010203", NULL},
    {"RFC 8078", WEFT_DNS_CDS, "0 0 0 00", "0000 00 00 00", NULL},
    {"RFC 8078", WEFT_DNS_CDNSKEY, "0 3 0 AA==", "0000 03 00 00", NULL},
    {"RFC 7477", WEFT_DNS_CSYNC, "66 3 A NS AAAA", "00000042 0003 0004 60000008", NULL},
    {"RFC 8976", WEFT_DNS_ZONEMD, "2018031500 1 1 00ff", NULL, NULL},
    {"RFC 4701", WEFT_DNS_DHCID, "AAIBY2/AuCccgoJbsaxcQc9TUapptP69lOjxfNuVAA2kjEA=", NULL, NULL},
    {"RFC 7553", WEFT_DNS_URI, "10 1 \"ftp://ftp1.example.com/public\"",
     "000a 0001 6674703a2f2f667470312e6578616d706c652e636f6d2f7075626c6963", NULL},
    {"RFC 8659", WEFT_DNS_CAA, "0 issue \"ca1.example.net; policy=ev\"",
     "00 056973737565 6361312e6578616d706c652e6e65743b20706f6c6963793d6576", NULL},
    {"RFC 8659", WEFT_DNS_CAA, "128 tbs Unknown", "80 03746273 556e6b6e6f776e", "128 tbs \"Unknown\""},
    {"RFC 8659", WEFT_DNS_CAA, "0 issue \"\"", "00 056973737565", NULL},
    {"RFC 3597 §5", WEFT_DNS_A, "\\# 4 0A000001", "0a000001", "10.0.0.1"},
    {"RFC 3597 §5", 731, "\\# 6 abcdef ( 01 2345 )", "abcdef012345", "\\# 6 abcdef012345"},
    {"RFC 3597 §5", 62347, "\\# 0", "", NULL},
    {"RFC 1035", WEFT_DNS_NULL, "\\# 1 ff", "ff", NULL},
};

static void examples_of_the_standards_go_both_ways(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        const struct known *one = &known[i];
        weft_dns_text_error error = {0};
        uint8_t data[1024], again[1024];
        char text[2048];
        int length, written;

        support_set_context("%s: %s", one->standard, one->text);
        length = weft_dns_data_parse(one->type, weft_bytes_from(one->text), NULL, data, sizeof data, &error);
        if (length < 0)
            fail_msg("%s at %zu", error.text, error.offset);
        if (one->hex)
            dns_assert_octets(weft_bytes_of(data, (size_t)length), one->hex);
        assert_int_equal(weft_dns_data_check(one->type, weft_bytes_of(data, (size_t)length)), 0);
        written = weft_dns_data_text(one->type, weft_bytes_of(data, (size_t)length), text, sizeof text);
        assert_int_equal(written, strlen(text));
        assert_string_equal(text, one->again ? one->again : one->text);
        assert_int_equal(weft_dns_data_parse(one->type, weft_bytes_from(text), NULL, again, sizeof again, NULL),
                         length);
        assert_memory_equal(data, again, (size_t)length);
    }
    support_clear_context();
}

/* Whatever the room, nothing is written beyond it, and with enough of it everything is. */
static void every_room_is_kept_to(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        uint8_t data[1024];
        char text[2048];
        int length = weft_dns_data_parse(known[i].type, weft_bytes_from(known[i].text), NULL, data, sizeof data, NULL),
            whole;

        if (length < 0)
            continue;
        support_set_context("%s", known[i].text);
        whole = weft_dns_data_text(known[i].type, weft_bytes_of(data, (size_t)length), text, sizeof text);
        for (size_t room = 0; room <= (size_t)whole; room++) {
            char *small = malloc(room + 1); /* one octet more than is said, which stays as it was */

            small[room] = '\x5a';
            assert_int_equal(weft_dns_data_text(known[i].type, weft_bytes_of(data, (size_t)length), small, room),
                             -ENOSPC);
            assert_int_equal(small[room], '\x5a');
            free(small);
        }
        for (size_t room = 0; room < (size_t)length; room++) {
            char *small = malloc(room + 1);

            small[room] = '\x5a';
            assert_int_equal(weft_dns_data_parse(known[i].type, weft_bytes_from(text), NULL, small, room, NULL),
                             -ENOSPC);
            assert_int_equal(small[room], '\x5a');
            free(small);
        }
    }
    support_clear_context();
}

static void wrong_text_is_refused_where_it_is_wrong(void **state)
{
    static const struct {
        uint16_t type;
        const char *text;
        size_t offset;
    } cases[] = {
        {WEFT_DNS_A, "", 0},
        {WEFT_DNS_A, "1.2.3", 0},
        {WEFT_DNS_A, "1.2.3.256", 0},
        {WEFT_DNS_A, "  01.2.3.4", 2},
        {WEFT_DNS_A, "1.2.3.4 5", 8},
        {WEFT_DNS_A, "::1", 0},
        {WEFT_DNS_AAAA, "1.2.3.4", 0},
        {WEFT_DNS_AAAA, "1:2:3:4:5:6:7:8:9", 0},
        {WEFT_DNS_MX, "65536 a.", 0},
        {WEFT_DNS_MX, "10 a..b.", 3},
        {WEFT_DNS_MX, "10", 2},
        {WEFT_DNS_MX, "(10 a.", 6},
        {WEFT_DNS_MX, "10 a.)", 5},
        {WEFT_DNS_TXT, "\"abc", 0},
        {WEFT_DNS_TXT, "a\\300", 1},
        {WEFT_DNS_TXT, "", 0},
        {WEFT_DNS_SOA, "a. b. 1 2 3 4 5x", 14},
        {WEFT_DNS_SOA, "a. b. 1 2 3 4 8000w", 14},
        {WEFT_DNS_DS, "1 8 2 abc", 9},
        {WEFT_DNS_DS, "1 8 2 zz", 6},
        {WEFT_DNS_DS, "1 8 2", 5},
        {WEFT_DNS_DS, "1 FOO 2 aa", 2},
        {WEFT_DNS_DNSKEY, "256 3 8 AAA", 11},
        {WEFT_DNS_DNSKEY, "256 3 8 AA=A", 11},
        {WEFT_DNS_DNSKEY, "256 3 8 AB==", 12},
        {WEFT_DNS_DNSKEY, "256 3 8 AAAA=", 13},
        {WEFT_DNS_RRSIG, "FOO 8 1 0 0 0 0 a. AAAA", 0},
        {WEFT_DNS_RRSIG, "A 8 1 0 20031322173103 0 0 a. AAAA", 8},
        {WEFT_DNS_RRSIG, "A 8 1 0 20030229000000 0 0 a. AAAA", 8},
        {WEFT_DNS_NSEC, "a. A TYPE65536", 5},
        {WEFT_DNS_NSEC3, "1 0 0 - -", 8},
        {WEFT_DNS_NSEC3, "1 0 0 - vvvvvvvw", 15},
        {WEFT_DNS_NSEC3PARAM, "1 0 0 abc", 6},
        {WEFT_DNS_CAA, "0 is-sue \"x\"", 0},
        {WEFT_DNS_URI, "1 1 \"\"", 0},
        {WEFT_DNS_LOC, "91 N 0 E 0", 0},
        {WEFT_DNS_LOC, "90 0 0.001 N 0 E 0", 0},
        {WEFT_DNS_LOC, "1 60 N 0 E 0", 2},
        {WEFT_DNS_LOC, "1 N 0 N 0", 6},
        {WEFT_DNS_A, "\\# 3 0a0000", 0},
        {WEFT_DNS_A, "\\# 4 0a0000", 4},
        {WEFT_DNS_A, "\\# x", 3},
        {731, "abcd", 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        weft_dns_text_error error = {.offset = 12345};
        uint8_t data[512];

        support_set_context("%s", cases[i].text);
        assert_int_equal(
            weft_dns_data_parse(cases[i].type, weft_bytes_from(cases[i].text), NULL, data, sizeof data, &error),
            -EINVAL);
        assert_non_null(error.text);
        if (cases[i].type != WEFT_DNS_LOC || cases[i].offset > 0)
            assert_int_equal(error.offset, cases[i].offset);
    }
    support_clear_context();
}

static void names_in_data_are_relative_to_the_origin(void **state)
{
    weft_dns_name origin = dns_name("example.");
    uint8_t data[512];

    (void)state;
    assert_int_equal(weft_dns_data_parse(WEFT_DNS_MINFO, weft_bytes_from("a @"), &origin, data, sizeof data, NULL), 20);
    dns_assert_octets(weft_bytes_of(data, 20), "0161 076578616d706c65 00 076578616d706c65 00");
}

/* RFC 3597 §5: data that its type does not allow has a text, too. */
static void malformed_data_has_the_text_of_an_unknown_type(void **state)
{
    static const struct {
        uint16_t type;
        const char *hex, *text;
    } cases[] = {
        {WEFT_DNS_A, "0a0000", "\\# 3 0a0000"},
        {WEFT_DNS_CNAME, "0161", "\\# 2 0161"},
        {WEFT_DNS_NSEC, "00 0001 00", "\\# 4 00000100"},               /* a window that ends with 0 */
        {WEFT_DNS_NSEC, "00 0001 40 0001 40", "\\# 7 00000140000140"}, /* one window twice */
        {WEFT_DNS_NSEC, "00 0000", "\\# 3 000000"},                    /* an empty one */
        {WEFT_DNS_CAA, "00 00 41", "\\# 3 000041"},                    /* no tag */
        {WEFT_DNS_DS, "0001 08 02", "\\# 4 00010802"},                 /* no digest */
        {WEFT_DNS_LOC, "01121613 80000000 80000000 00989680", "\\# 16 01121613800000008000000000989680"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[256];

        assert_int_equal(weft_dns_data_check(cases[i].type, dns_hex(cases[i].hex)), WEFT_EPROTOCOL);
        assert_true(weft_dns_data_text(cases[i].type, dns_hex(cases[i].hex), text, sizeof text) > 0);
        assert_string_equal(text, cases[i].text);
    }
}

static void types_and_classes_have_names_or_numbers(void **state)
{
    char text[WEFT_DNS_TYPE_TEXT];
    uint16_t number;

    (void)state;
    for (unsigned type = 0; type <= 65535; type++) {
        weft_bytes bytes = {text, weft_dns_type_text((uint16_t)type, text)};

        assert_int_equal(weft_dns_type_parse(bytes, &number), 0);
        assert_int_equal(number, type);
        bytes.length = weft_dns_class_text((uint16_t)type, text);
        assert_int_equal(weft_dns_class_parse(bytes, &number), 0);
        assert_int_equal(number, type);
    }
    assert_int_equal(weft_dns_type_parse(weft_bytes_from("aaaa"), &number), 0);
    assert_int_equal(number, WEFT_DNS_AAAA);
    assert_int_equal(weft_dns_type_parse(weft_bytes_from("type00028"), &number), 0);
    assert_int_equal(number, 28);
    assert_int_equal(weft_dns_type_parse(weft_bytes_from("TYPE65536"), &number), -EINVAL);
    assert_int_equal(weft_dns_type_parse(weft_bytes_from("TYPE"), &number), -EINVAL);
    assert_int_equal(weft_dns_type_parse(weft_bytes_from("A "), &number), -EINVAL);
    assert_int_equal(weft_dns_class_parse(weft_bytes_from("ina"), &number), -EINVAL);
    assert_string_equal(weft_dns_rcode_text(3), "NXDOMAIN");
    assert_string_equal(weft_dns_rcode_text(16), "BADVERS");
    assert_string_equal(weft_dns_rcode_text(15), "RCODE");
}

static void record_is_a_line_of_a_zone_file(void **state)
{
    weft_dns_name name = dns_name("www.example.");
    char text[128];

    (void)state;
    assert_int_equal(weft_dns_record_text(&name, WEFT_DNS_A, WEFT_DNS_IN, 300, dns_hex("c0000201"), text, sizeof text),
                     31);
    assert_string_equal(text, "www.example.\t300\tIN\tA\t192.0.2.1");
    assert_int_equal(weft_dns_record_text(&name, WEFT_DNS_A, WEFT_DNS_IN, 300, dns_hex("c0000201"), text, 31), -ENOSPC);
}

/* RFC 4034 §6.2, RFC 6840 §5.1. */
static void canonical_form_lowers_the_names_it_should(void **state)
{
    static const struct {
        uint16_t type;
        const char *before, *after;
    } cases[] = {
        {WEFT_DNS_MX, "4142 0141 00", "4142 0161 00"},
        {WEFT_DNS_SRV, "414141414141 0141 00", "414141414141 0161 00"},
        {WEFT_DNS_RRSIG, "0041 41 41 41414141 41414141 41414141 4141 014100 41",
         "0041 41 41 41414141 41414141 41414141 4141 016100 41"},
        {WEFT_DNS_NSEC, "0141 00", "0141 00"},
        {WEFT_DNS_TXT, "0141", "0141"},
        {731, "0141 00", "0141 00"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        weft_bytes data = dns_hex(cases[i].before);

        assert_int_equal(weft_dns_data_canonical(cases[i].type, (char *)data.data, data.length), 0);
        dns_assert_octets(data, cases[i].after);
    }
    assert_int_equal(weft_dns_data_canonical(WEFT_DNS_MX, (char *)dns_hex("41").data, 1), WEFT_EPROTOCOL);
}

static void fields_of_some_types_can_be_had(void **state)
{
    weft_address address;
    weft_dns_name name;
    weft_dns_soa soa;
    weft_dns_mx mx;
    weft_dns_srv srv;
    weft_bytes rest, string;

    (void)state;
    assert_int_equal(weft_dns_address_read(WEFT_DNS_A, dns_hex("c0000201"), &address), 0);
    assert_int_equal(address.family, WEFT_ADDRESS_IPV4);
    assert_int_equal(weft_dns_address_read(WEFT_DNS_AAAA, dns_hex("c0000201"), &address), WEFT_EPROTOCOL);
    assert_int_equal(weft_dns_address_read(WEFT_DNS_TXT, dns_hex("c0000201"), &address), -EINVAL);
    assert_int_equal(weft_dns_target_read(dns_hex("0161 00"), &name), 0);
    assert_string_equal(dns_text_of(&name), "a.");
    assert_int_equal(weft_dns_target_read(dns_hex("0161 00 00"), &name), WEFT_EPROTOCOL);
    assert_int_equal(weft_dns_soa_read(dns_hex("00 0162 00 00000001 00000002 00000003 00000004 00000005"), &soa), 0);
    assert_string_equal(dns_text_of(&soa.rname), "b.");
    assert_int_equal(soa.serial * 10000 + soa.refresh * 1000 + soa.retry * 100 + soa.expire * 10 + soa.minimum, 12345);
    assert_int_equal(weft_dns_soa_read(dns_hex("00 00 00000001"), &soa), WEFT_EPROTOCOL);
    assert_int_equal(weft_dns_mx_read(dns_hex("000a 0161 00"), &mx), 0);
    assert_int_equal(mx.preference, 10);
    assert_string_equal(dns_text_of(&mx.exchange), "a.");
    assert_int_equal(weft_dns_srv_read(dns_hex("0001 0002 0003 0161 00"), &srv), 0);
    assert_int_equal(srv.priority * 100 + srv.weight * 10 + srv.port, 123);
    assert_int_equal(weft_dns_srv_read(dns_hex("0001 0002 0003"), &srv), WEFT_EPROTOCOL);
    rest = dns_hex("0161 00 026263");
    for (int i = 0; i < 3; i++)
        assert_int_equal(weft_dns_string_next(&rest, &string), 1);
    dns_assert_octets(string, "6263");
    assert_int_equal(weft_dns_string_next(&rest, &string), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        support_test(examples_of_the_standards_go_both_ways),
        support_test(every_room_is_kept_to),
        support_test(wrong_text_is_refused_where_it_is_wrong),
        support_test(names_in_data_are_relative_to_the_origin),
        support_test(malformed_data_has_the_text_of_an_unknown_type),
        support_test(types_and_classes_have_names_or_numbers),
        support_test(record_is_a_line_of_a_zone_file),
        support_test(canonical_form_lowers_the_names_it_should),
        support_test(fields_of_some_types_can_be_had),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
