/* SPDX-License-Identifier: MIT */
/* EDNS: what an OPT says, and which is malformed. */
#include "wire/dns/dns_test.h"

/* Reads @p message to its end. Returns how that was; the OPT is left in @p ret. */
static int read_all(weft_bytes message, weft_dns_record *ret)
{
    weft_dns_header header;
    weft_dns_reader reader;
    weft_dns_record record;
    int section;

    assert_int_equal(weft_dns_reader_init(&reader, message, &header), 0);
    while ((section = weft_dns_next(&reader, &record)) > 0)
        if (record.type == WEFT_DNS_OPT)
            *ret = record;
    return section;
}

static void opt_is_taken_apart(void **state)
{
    weft_dns_header header = {.rcode = 0};
    weft_dns_record record = {.type = 0};
    weft_dns_option option;
    weft_dns_edns edns;
    weft_bytes rest;

    (void)state;
    assert_int_equal(read_all(dns_hex("0000 8000 0000 0000 0000 0001 00 0029 04d0 01 00 8000 0010"
                                      "000a 0008 0102030405060708 000c 0000"),
                              &record),
                     WEFT_DNS_END);
    assert_int_equal(weft_dns_edns_read(&record, &edns), 0);
    assert_int_equal(edns.udp_size, 1232);
    assert_int_equal(edns.extended_rcode, 1);
    assert_int_equal(edns.version, 0);
    assert_true(edns.dnssec_ok);
    assert_int_equal(weft_dns_rcode_of(&header, &edns), WEFT_DNS_BADVERS);
    assert_int_equal(weft_dns_rcode_of(&header, NULL), WEFT_DNS_NOERROR);
    rest = edns.options;
    assert_int_equal(weft_dns_option_next(&rest, &option), 1);
    assert_int_equal(option.code, 10);
    dns_assert_octets(option.data, "0102030405060708");
    assert_int_equal(weft_dns_option_next(&rest, &option), 1);
    assert_int_equal(option.code, 12);
    assert_int_equal(option.data.length, 0);
    assert_int_equal(weft_dns_option_next(&rest, &option), 0);
}

static void sizes_below_512_mean_512(void **state)
{
    weft_dns_record record = {.type = WEFT_DNS_OPT, .rrclass = 100};
    weft_dns_edns edns;

    (void)state;
    assert_int_equal(weft_dns_edns_read(&record, &edns), 0);
    assert_int_equal(edns.udp_size, 512);
}

static void dn_11_second_opt_is_malformed(void **state)
{
    weft_dns_record record;

    (void)state;
    assert_int_equal(read_all(dns_hex("0000 0000 0000 0000 0000 0001 00 0029 04d0 00000000 0000"), &record),
                     WEFT_DNS_END);
    assert_int_equal(read_all(dns_hex("0000 0000 0000 0000 0000 0002 00 0029 04d0 00000000 0000"
                                      "00 0029 04d0 00000000 0000"),
                              &record),
                     WEFT_EPROTOCOL);
}

static void dn_11_opt_with_a_name_or_elsewhere_is_malformed(void **state)
{
    weft_dns_record record;

    (void)state;
    assert_int_equal(read_all(dns_hex("0000 0000 0000 0000 0000 0001 016100 0029 04d0 00000000 0000"), &record),
                     WEFT_EPROTOCOL);
    assert_int_equal(read_all(dns_hex("0000 0000 0000 0001 0000 0000 00 0029 04d0 00000000 0000"), &record),
                     WEFT_EPROTOCOL);
}

static void dn_11_options_that_do_not_fill_the_opt_are_malformed(void **state)
{
    static const char *const options[] = {
        "00", "000a", "000a00", "000a 0001", "000a 0002 01", "000a 0001 01 ff", "000a ffff 0102"};

    (void)state;
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        weft_dns_record record = {.type = WEFT_DNS_OPT, .rrclass = 1232, .data = dns_hex(options[i])};
        weft_dns_edns edns;

        support_set_context("%s", options[i]);
        assert_int_equal(weft_dns_edns_read(&record, &edns), WEFT_EPROTOCOL);
    }
    support_clear_context();
}

static void dn_11_number_of_options_is_bounded(void **state)
{
    static char octets[4 * (WEFT_DNS_OPTIONS_MAX + 1)];
    weft_dns_record record = {.type = WEFT_DNS_OPT, .data = {octets, 4 * WEFT_DNS_OPTIONS_MAX}};
    weft_dns_edns edns;

    (void)state;
    assert_int_equal(weft_dns_edns_read(&record, &edns), 0);
    record.data.length += 4;
    assert_int_equal(weft_dns_edns_read(&record, &edns), WEFT_EPROTOCOL);
}

static void opt_is_written_and_read_again(void **state)
{
    const weft_dns_header header = {.id = 7, .rd = true};
    uint8_t room[512], options[64];
    weft_dns_edns edns = {.udp_size = 4096, .extended_rcode = 1, .version = 0, .dnssec_ok = true}, again;
    weft_dns_record record = {.type = 0};
    weft_dns_writer writer;
    int length = weft_dns_option_write(options, sizeof options, 3, dns_hex("6e73"));

    (void)state;
    assert_int_equal(length, 6);
    assert_int_equal(weft_dns_option_write(options + length, 6, 10, dns_hex("010203")), -ENOSPC);
    edns.options = weft_bytes_of(options, (size_t)length);
    assert_int_equal(weft_dns_writer_init(&writer, room, sizeof room, &header), 0);
    assert_int_equal(weft_dns_write_edns(&writer, &edns), 0);
    assert_int_equal(weft_dns_writer_finish(&writer).length, 12 + WEFT_DNS_EDNS_ROOM(6));
    assert_int_equal(read_all(weft_dns_writer_finish(&writer), &record), WEFT_DNS_END);
    assert_int_equal(weft_dns_edns_read(&record, &again), 0);
    assert_int_equal(again.udp_size, 4096);
    assert_int_equal(again.extended_rcode, 1);
    assert_true(again.dnssec_ok);
    dns_assert_octets(again.options, "0003 0002 6e73");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        support_test(opt_is_taken_apart),
        support_test(sizes_below_512_mean_512),
        support_test(dn_11_second_opt_is_malformed),
        support_test(dn_11_opt_with_a_name_or_elsewhere_is_malformed),
        support_test(dn_11_options_that_do_not_fill_the_opt_are_malformed),
        support_test(dn_11_number_of_options_is_bounded),
        support_test(opt_is_written_and_read_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
