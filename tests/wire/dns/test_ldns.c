/* SPDX-License-Identifier: MIT */
/*
 * Another codec as the judge: what ldns reads from a message we read, too, and each side's text of a record is read by
 * the other as the same octets. The messages are written by hand and by us, and changed at random a great many times.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ldns/ldns.h>

#include "base/random.h"
#include "wire/dns/dns_test.h"

#define CHANGES 20000

static const struct sample {
    uint16_t type;
    const char *text;
} samples[] = {
    {WEFT_DNS_A, "192.0.2.1"},
    {WEFT_DNS_NS, "ns.example.com."},
    {WEFT_DNS_CNAME, "www.example.com."},
    {WEFT_DNS_SOA, "ns.example.com. root.example.com. 2026112301 7200 3600 1209600 300"},
    {WEFT_DNS_PTR, "a\\.b.example.com."},
    {WEFT_DNS_HINFO, "\"a b\" \"\\\"\\\\\""},
    {WEFT_DNS_MX, "10 mail.example.com."},
    {WEFT_DNS_TXT, "\"v=spf1 -all\" \"\" \"\\001\\255;\""},
    {WEFT_DNS_RP, "a.example.com. b.example.com."},
    {WEFT_DNS_AFSDB, "1 a.example.com."},
    {WEFT_DNS_AAAA, "2001:db8::1"},
    {WEFT_DNS_LOC, "42 21 54.123 N 71 6 18 W -24m 30m"},
    {WEFT_DNS_SRV, "1 2 443 example.com."},
    {WEFT_DNS_NAPTR, "100 50 \"s\" \"z3950+I2L\" \"\" _z3950._tcp.example.com."},
    {WEFT_DNS_KX, "1 kx.example.com."},
    {WEFT_DNS_DNAME, "example.net."},
    {WEFT_DNS_DS, "60485 8 2 d4b7d520e7bb5f0f67674a0cceb1e3e0614b93c4f9e99b8383f6a1e4469da50a"},
    {WEFT_DNS_SSHFP, "2 1 123456789abcdef67890123456789abcdef67890"},
    {WEFT_DNS_RRSIG, "A 8 3 86400 20300101000000 20200101000000 2642 example.com. AQPSKmynfzW4"},
    {WEFT_DNS_NSEC, "b.example.com. A MX RRSIG NSEC TYPE1234"},
    {WEFT_DNS_DNSKEY, "257 3 8 AQPSKmynfzW4kyBv015MUG2DeIQ3"},
    {WEFT_DNS_NSEC3, "1 1 12 aabbccdd 2t7b4g4vsa5smi47k61mv5bv1a22bojr NS SOA MX"},
    {WEFT_DNS_NSEC3PARAM, "1 0 12 -"},
    {WEFT_DNS_TLSA, "3 1 1 d2abde240d7cd3ee6b4b28c54df034b97983a1d16e8a410e4561cb106618e971"},
    {WEFT_DNS_SMIMEA, "3 1 1 d2abde24"},
    {WEFT_DNS_CDS, "0 0 0 00"},
    {WEFT_DNS_CDNSKEY, "0 3 0 AA=="},
    {WEFT_DNS_OPENPGPKEY, "AQPSKmynfzW4"},
    {WEFT_DNS_CSYNC, "66 3 A NS AAAA"},
    {WEFT_DNS_ZONEMD, "2018031500 1 1 c68090d90a7aed716bbc459f9340e3d7c1370d4d24b7e2fc"},
    {WEFT_DNS_SPF, "\"v=spf1\""},
    {WEFT_DNS_SVCB, "1 svc.example.com. alpn=\"h2,h3\" port=443 ipv4hint=192.0.2.1"},
    {WEFT_DNS_HTTPS, "0 svc.example.com."},
    {WEFT_DNS_URI, "10 1 \"ftp://ftp1.example.com/public\""},
    {WEFT_DNS_CAA, "0 issue \"ca1.example.net; policy=ev\""},
    {65280, "\\# 3 010203"},
};

#define SAMPLES (sizeof samples / sizeof *samples)

/* The octets of a record as ldns has it, names in full, from its type on to the end of its data. */
static size_t ldns_octets(const ldns_rr *rr, uint8_t *out, size_t room)
{
    ldns_buffer *buffer = ldns_buffer_new(LDNS_MAX_PACKETLEN);
    size_t length;

    for (size_t i = 0; i < ldns_rr_rd_count(rr); i++)
        assert_int_equal(ldns_rdf2buffer_wire(buffer, ldns_rr_rdf(rr, i)), LDNS_STATUS_OK);
    length = ldns_buffer_position(buffer);
    assert_true(length <= room);
    memcpy(out, ldns_buffer_begin(buffer), length);
    ldns_buffer_free(buffer);
    return length;
}

/* ldns's text of the data: what stands behind name, TTL, class and type. */
static char *ldns_data_text(const ldns_rr *rr)
{
    char *text = ldns_rr2str(rr), *at = text, *data;

    assert_non_null(text);
    for (int i = 0; i < 4; i++) {
        at += strcspn(at, "\t");
        at += strspn(at, "\t");
    }
    data = strdup(at);
    free(text);
    data[strcspn(data, "\n")] = '\0';
    return data;
}

/* Both agree on one record: the octets, and each reads the other's text as these octets. */
static void agree_on_record(const weft_dns_record *record, weft_bytes data, const ldns_rr *rr)
{
    static uint8_t theirs[WEFT_DNS_MESSAGE_MAX], ours[WEFT_DNS_MESSAGE_MAX];
    static char text[8 * WEFT_DNS_MESSAGE_MAX];
    size_t length = ldns_octets(rr, theirs, sizeof theirs);
    char *their_text = ldns_data_text(rr), *owner = ldns_rdf2str(ldns_rr_owner(rr));
    weft_dns_name name;
    ldns_rr *again = NULL;
    int size;

    assert_int_equal(weft_dns_name_parse(weft_bytes_from(owner), NULL, &name), 0);
    assert_true(weft_dns_name_same(&name, &record->name));
    assert_string_equal(dns_as_hex(weft_bytes_first(weft_bytes_of(theirs, length), 4096)),
                        dns_as_hex(weft_bytes_first(data, 4096)));

    size = weft_dns_data_parse(record->type, weft_bytes_from(their_text), NULL, ours, sizeof ours, NULL);
    support_set_context("type %u, their text: %s", record->type, their_text);
    assert_true(size >= 0);
    assert_true(weft_bytes_equal(weft_bytes_of(ours, (size_t)size), data));

    assert_true(
        weft_dns_record_text(&record->name, record->type, record->rrclass, record->ttl, data, text, sizeof text) > 0);
    support_set_context("our text: %s", text);
    assert_int_equal(ldns_rr_new_frm_str(&again, text, 0, NULL, NULL), LDNS_STATUS_OK);
    assert_int_equal(ldns_octets(again, theirs, sizeof theirs), data.length);
    assert_memory_equal(theirs, data.data, data.length);
    support_clear_context();
    ldns_rr_free(again);
    free(their_text);
    free(owner);
}

static weft_bytes message_of(const struct sample *sample, uint8_t *room, size_t size)
{
    const weft_dns_header header = {.id = 1, .qr = true, .rd = true, .ra = true};
    static const char *const owners[] = {"example.com.", "a.B.example.com.", "x.a.b.example.com."};
    weft_dns_text_error error = {0};
    uint8_t data[1024];
    weft_dns_writer writer;
    int length = weft_dns_data_parse(sample->type, weft_bytes_from(sample->text), NULL, data, sizeof data, &error);

    if (length < 0)
        fail_msg("%s: %s at %zu", sample->text, error.text, error.offset);
    assert_int_equal(weft_dns_writer_init(&writer, room, size, &header), 0);
    for (int i = 0; i < 4; i++) {
        weft_dns_name owner = dns_name(owners[i % 3]);
        int status = i == 0 ? weft_dns_write_question(&writer, &owner, sample->type, WEFT_DNS_IN)
                            : weft_dns_write_record(&writer, (weft_dns_section)(i + 1), &owner, sample->type,
                                                    WEFT_DNS_IN, 300, weft_bytes_of(data, (size_t)length));
        assert_int_equal(status, 0);
    }
    return weft_dns_writer_finish(&writer);
}

static ldns_rr_list *their_section(const ldns_pkt *packet, int section)
{
    switch (section) {
    case WEFT_DNS_QUESTION:
        return ldns_pkt_question(packet);
    case WEFT_DNS_ANSWER:
        return ldns_pkt_answer(packet);
    case WEFT_DNS_AUTHORITY:
        return ldns_pkt_authority(packet);
    default:
        return ldns_pkt_additional(packet);
    }
}

static void header_agrees(const weft_dns_header *header, const ldns_pkt *packet)
{
    assert_int_equal(header->id, ldns_pkt_id(packet));
    assert_int_equal(header->qr, ldns_pkt_qr(packet));
    assert_int_equal(header->aa, ldns_pkt_aa(packet));
    assert_int_equal(header->tc, ldns_pkt_tc(packet));
    assert_int_equal(header->rd, ldns_pkt_rd(packet));
    assert_int_equal(header->ra, ldns_pkt_ra(packet));
    assert_int_equal(header->ad, ldns_pkt_ad(packet));
    assert_int_equal(header->cd, ldns_pkt_cd(packet));
    assert_int_equal(header->opcode, ldns_pkt_get_opcode(packet));
    assert_int_equal(header->rcode, ldns_pkt_get_rcode(packet) & 15);
}

static void what_we_write_ldns_reads_as_it_was_meant(void **state)
{
    (void)state;
    for (size_t i = 0; i < SAMPLES; i++) {
        uint8_t room[4096], data[1024];
        size_t index[5] = {0};
        weft_bytes message = message_of(&samples[i], room, sizeof room);
        weft_dns_header header;
        weft_dns_reader reader;
        weft_dns_record record;
        ldns_pkt *packet = NULL;
        int section;

        support_set_context("%u %s", samples[i].type, samples[i].text);
        assert_int_equal(ldns_wire2pkt(&packet, room, message.length), LDNS_STATUS_OK);
        assert_int_equal(weft_dns_reader_init(&reader, message, &header), 0);
        header_agrees(&header, packet);
        while ((section = weft_dns_next(&reader, &record)) > 0) {
            ldns_rr *rr = ldns_rr_list_rr(their_section(packet, section), index[section]++);
            int length;

            assert_non_null(rr);
            assert_int_equal(ldns_rr_get_type(rr), record.type);
            assert_int_equal(ldns_rr_get_class(rr), record.rrclass);
            if (section == WEFT_DNS_QUESTION)
                continue;
            assert_int_equal(ldns_rr_ttl(rr), record.ttl);
            length = weft_dns_read_data(&reader, &record, data, sizeof data);
            assert_true(length >= 0);
            agree_on_record(&record, weft_bytes_of(data, (size_t)length), rr);
        }
        assert_int_equal(section, WEFT_DNS_END);
        ldns_pkt_free(packet);
    }
    support_clear_context();
}

/*
 * What we carry as octets ldns may know, and then it may leave octets out (X25) or take them for the next record (ISDN):
 * such messages are no measure.
 */
static bool is_known(unsigned type)
{
    for (size_t i = 0; i < SAMPLES; i++)
        if (samples[i].type == type)
            return true;
    return false;
}

/* The names, types, classes, TTLs and data of a message as a story; false if it is refused, or no measure. */
static bool tell_ours(weft_bytes message, char *story, size_t room)
{
    weft_dns_header header;
    weft_dns_reader reader;
    weft_dns_record record;
    uint8_t data[4096];
    size_t at = 0;
    int section;

    if (weft_dns_reader_init(&reader, message, &header) < 0)
        return false;
    while ((section = weft_dns_next(&reader, &record)) > 0) {
        int length = 0;

        if (section != WEFT_DNS_QUESTION && record.type != WEFT_DNS_OPT) {
            if (!is_known(record.type))
                return false;
            length = weft_dns_read_data(&reader, &record, data, sizeof data);
            if (length < 0)
                return false;
        }
        if (record.type == WEFT_DNS_OPT)
            continue;
        at +=
            (size_t)snprintf(story + at, room - at, "%s %u %u %u %s\n", dns_as_hex(weft_dns_name_bytes(&record.name)),
                             record.type, record.rrclass, record.ttl, dns_as_hex(weft_bytes_of(data, (size_t)length)));
        assert_true(at < room);
    }
    return section == 0;
}

static size_t tell_record(const ldns_rr *rr, bool question, char *story, size_t room)
{
    char owner[2 * 256 + 1];
    uint8_t data[4096];
    size_t length = question ? 0 : ldns_octets(rr, data, sizeof data);
    uint32_t ttl = question || ldns_rr_ttl(rr) > INT32_MAX ? 0 : ldns_rr_ttl(rr);

    snprintf(owner, sizeof owner, "%s",
             dns_as_hex(weft_bytes_of(ldns_rdf_data(ldns_rr_owner(rr)), ldns_rdf_size(ldns_rr_owner(rr)))));
    return (size_t)snprintf(story, room, "%s %u %u %u %s\n", owner, ldns_rr_get_type(rr), ldns_rr_get_class(rr), ttl,
                            dns_as_hex(weft_bytes_of(data, length)));
}

static bool tell_theirs(weft_bytes message, char *story, size_t room)
{
    ldns_pkt *packet = NULL;
    size_t at = 0;

    if (ldns_wire2pkt(&packet, (const uint8_t *)message.data, message.length) != LDNS_STATUS_OK)
        return false;
    for (int section = WEFT_DNS_QUESTION; section <= WEFT_DNS_ADDITIONAL; section++) {
        ldns_rr_list *list = their_section(packet, section);

        for (size_t i = 0; i < ldns_rr_list_rr_count(list); i++) {
            const ldns_rr *rr = ldns_rr_list_rr(list, i);

            if (ldns_rr_get_type(rr) != LDNS_RR_TYPE_OPT)
                at += tell_record(rr, section == WEFT_DNS_QUESTION, story + at, room - at);
            assert_true(at < room);
        }
    }
    ldns_pkt_free(packet);
    return true;
}

/* What both take for a message they take for the same one. Either may be stricter. */
static void changed_messages_mean_the_same_to_both(void **state)
{
    static char ours[65536], theirs[65536];
    struct random_source random;
    unsigned both = 0, only_ours = 0, only_theirs = 0;

    (void)state;
    random_init(&random, 1);
    for (unsigned i = 0; i < CHANGES; i++) {
        uint8_t room[4096];
        weft_bytes message = message_of(&samples[random_below(&random, SAMPLES)], room, sizeof room);
        bool we, they;

        for (uint64_t changes = random_below(&random, 4); changes > 0; changes--)
            room[random_below(&random, message.length)] ^= (uint8_t)(1 << random_below(&random, 8));
        ours[0] = theirs[0] = '\0';
        support_set_context("change %u: %s", i, dns_as_hex(message));
        we = tell_ours(message, ours, sizeof ours);
        they = tell_theirs(message, theirs, sizeof theirs);
        both += we && they;
        only_ours += we && !they;
        only_theirs += they && !we;
        if (we && they)
            assert_string_equal(ours, theirs);
    }
    support_clear_context();
    print_message("%u messages to both, %u only to us, %u only to ldns\n", both, only_ours, only_theirs);
    assert_true(both > CHANGES / 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        support_test(what_we_write_ldns_reads_as_it_was_meant),
        support_test(changed_messages_mean_the_same_to_both),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
