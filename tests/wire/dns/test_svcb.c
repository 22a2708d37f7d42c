/* SPDX-License-Identifier: MIT */
/* SVCB and HTTPS: the test vectors of RFC 9460, appendix D. */
#include "wire/dns/dns_test.h"

#define FOO "03666f6f 076578616d706c65 03636f6d 00 "
#define FOO_ORG "03666f6f 076578616d706c65 036f7267 00 "

static const struct vector {
    const char *text, *hex, *again; /* NULL: the same */
} vectors[] = {
    {"0 foo.example.com.", "0000 " FOO, NULL},
    {"1 .", "0001 00", NULL},
    {"16 foo.example.com. port=53", "0010 " FOO "0003 0002 0035", NULL},
    {"1 foo.example.com. key667=hello", "0001 " FOO "029b 0005 68656c6c6f", "1 foo.example.com. key667=\"hello\""},
    {"1 foo.example.com. key667=\"hello\\210qoo\"", "0001 " FOO "029b 0009 68656c6c6fd2716f6f", NULL},
    {"1 foo.example.com. ( ipv6hint=\"2001:db8::1,2001:db8::53:1\" )",
     "0001 " FOO "0006 0020 20010db8000000000000000000000001 20010db8000000000000000000530001",
     "1 foo.example.com. ipv6hint=2001:db8::1,2001:db8::53:1"},
    {"1 example.com. ( ipv6hint=\"2001:db8:122:344::192.0.2.33\" )",
     "0001 076578616d706c65 03636f6d 00 0006 0010 20010db80122034400000000c0000221",
     "1 example.com. ipv6hint=2001:db8:122:344::c000:221"},
    {"16 foo.example.org. ( alpn=h2,h3-19 mandatory=ipv4hint,alpn\n ipv4hint=192.0.2.1 )",
     "0010 " FOO_ORG "0000 0004 0001 0004 0001 0009 02 6832 05 68332d3139 0004 0004 c0000201",
     "16 foo.example.org. mandatory=alpn,ipv4hint alpn=\"h2,h3-19\" ipv4hint=192.0.2.1"},
    {"16 foo.example.org. alpn=\"f\\\\\\\\oo\\\\,bar,h2\"", "0010 " FOO_ORG "0001 000c 08 665c6f6f2c626172 02 6832",
     NULL},
    {"16 foo.example.org. alpn=f\\\\\\092oo\\092,bar,h2", "0010 " FOO_ORG "0001 000c 08 665c6f6f2c626172 02 6832",
     "16 foo.example.org. alpn=\"f\\\\\\\\oo\\\\,bar,h2\""},
    /* Beyond the appendix: every other key that is known. */
    {"1 . key7=\"/q{?dns}\" ohttp ech=AAEC no-default-alpn key1=h2",
     "0001 00 0001 0003 026832 0002 0000 0005 0003 000102 0007 0008 2f717b3f646e737d 0008 0000",
     "1 . alpn=\"h2\" no-default-alpn ech=AAEC dohpath=\"/q{?dns}\" ohttp"},
    {"1 . ech=\"AAEC\"", "0001 00 0005 0003 000102", "1 . ech=AAEC"},
    {"1 . key65534 port=0", "0001 00 0003 0002 0000 fffe 0000", "1 . port=0 key65534"},
};

static void vectors_of_the_standard_go_both_ways(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        weft_dns_text_error error = {0};
        uint8_t data[512];
        char text[512];
        int length =
            weft_dns_data_parse(WEFT_DNS_HTTPS, weft_bytes_from(vectors[i].text), NULL, data, sizeof data, &error);

        support_set_context("%s", vectors[i].text);
        if (length < 0)
            fail_msg("%s at %zu", error.text, error.offset);
        dns_assert_octets(weft_bytes_of(data, (size_t)length), vectors[i].hex);
        assert_true(weft_dns_data_text(WEFT_DNS_SVCB, weft_bytes_of(data, (size_t)length), text, sizeof text) > 0);
        assert_string_equal(text, vectors[i].again ? vectors[i].again : vectors[i].text);
    }
    support_clear_context();
}

/* RFC 9460 §D.3, and more of the kind. */
static void text_that_is_no_service_is_refused(void **state)
{
    static const char *const texts[] = {
        "1 foo.example.com. ( key123=abc key123=def )",
        "1 foo.example.com. mandatory",
        "1 foo.example.com. alpn",
        "1 foo.example.com. port",
        "1 foo.example.com. ipv4hint",
        "1 foo.example.com. ipv6hint",
        "1 foo.example.com. no-default-alpn=abc",
        "1 foo.example.com. mandatory=key123",
        "1 foo.example.com. mandatory=mandatory",
        "1 foo.example.com. ( mandatory=key123,key123 key123=abc )",
        "1 . alpn=h2,,h3",
        "1 . alpn=,",
        "1 . port=65536",
        "1 . port=+1",
        "1 . ipv4hint=1.2.3",
        "1 . ipv4hint=1.2.3.4,",
        "1 . ipv6hint=1.2.3.4",
        "1 . ech=A",
        "1 . ech",
        "1 . key65536=a",
        "1 . key=a",
        "1 . KEY7=a",
        "1 . foo=a",
        "1 . \"port\"=1",
        "1 . =a",
        "1",
    };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        weft_dns_text_error error = {0};
        uint8_t data[512];

        support_set_context("%s", texts[i]);
        assert_int_equal(weft_dns_data_parse(WEFT_DNS_SVCB, weft_bytes_from(texts[i]), NULL, data, sizeof data, &error),
                         -EINVAL);
        assert_non_null(error.text);
    }
    support_clear_context();
}

static void malformed_parameters_are_refused(void **state)
{
    static const char *const hex[] = {
        "0001 00 0003 0002 0035 0001 0003 026832",                      /* keys fall */
        "0001 00 0003 0002 0035 0003 0002 0035",                        /* a key twice */
        "0001 00 0003 0001 35",                                         /* a port of one octet */
        "0001 00 0003 0003 0035",                                       /* cut off */
        "0001 00 0003 00",                                              /* a key without its length */
        "0001 00 0001 0000",                                            /* no protocol */
        "0001 00 0001 0001 00",                                         /* an empty one */
        "0001 00 0001 0002 0268",                                       /* one that is cut off */
        "0001 00 0000 0002 0003",                                       /* mandatory, and not there */
        "0001 00 0000 0004 00040003 0003 0002 0035 0004 0004 c0000201", /* the list falls */
        "0001 00 0000 0001 00",
        "0001 00 0002 0001 00",
        "0001 00 0004 0003 c00002",
        "0001 00 0006 0004 c0000201",
        "0001",
    };

    (void)state;
    for (size_t i = 0; i < sizeof hex / sizeof *hex; i++) {
        weft_dns_svcb svcb;

        support_set_context("%s", hex[i]);
        assert_int_equal(weft_dns_data_check(WEFT_DNS_SVCB, dns_hex(hex[i])), WEFT_EPROTOCOL);
        assert_int_equal(weft_dns_svcb_read(dns_hex(hex[i]), &svcb), WEFT_EPROTOCOL);
    }
    support_clear_context();
}

static void parameters_can_be_had(void **state)
{
    weft_dns_svcparam param;
    weft_dns_svcb svcb;

    (void)state;
    assert_int_equal(weft_dns_svcb_read(dns_hex("0010 0161 00 0001 0003 026832 0003 0002 0035"), &svcb), 0);
    assert_int_equal(svcb.priority, 16);
    assert_string_equal(dns_text_of(&svcb.target), "a.");
    assert_int_equal(weft_dns_svcparam_next(&svcb.params, &param), 1);
    assert_int_equal(param.key, 1);
    dns_assert_octets(param.value, "026832");
    assert_int_equal(weft_dns_svcparam_next(&svcb.params, &param), 1);
    assert_int_equal(param.key, 3);
    assert_int_equal(weft_dns_svcparam_next(&svcb.params, &param), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        support_test(vectors_of_the_standard_go_both_ways),
        support_test(text_that_is_no_service_is_refused),
        support_test(malformed_parameters_are_refused),
        support_test(parameters_can_be_had),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
