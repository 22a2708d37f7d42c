/* SPDX-License-Identifier: MIT */
/* Domain names: text, comparing, ordering, cutting and joining. */
#include <stdio.h>

#include "wire/dns/dns_test.h"

#define LABEL63 "123456789012345678901234567890123456789012345678901234567890123"
/* Three labels of 63 and one of 61: 3 * 64 + 62 + 1 = 255 octets. */
#define LONGEST LABEL63 "." LABEL63 "." LABEL63 ".1234567890123456789012345678901234567890123456789012345678901."

static void text_becomes_labels_and_back(void **state)
{
    static const struct {
        const char *text, *octets, *again;
    } cases[] = {
        {".", "00", "."},
        {"com", "03636f6d 00", "com."},
        {"www.Example.COM.", "03777777 074578616d706c65 03434f4d 00", "www.Example.COM."},
        {"a\\.b.c", "03612e62 0163 00", "a\\.b.c."},
        {"\\097\\000\\255.x", "036100ff 0178 00", "a\\000\\255.x."},
        {"a\\\\b", "03615c62 00", "a\\\\b."},
        {"a b", "03612062 00", "a\\032b."},
        {"\\@\\;\\(\\)\\\"\\$", "06403b28292224 00", "\\@\\;\\(\\)\\\"\\$."},
        {"_sip._tcp.x.", "045f736970 045f746370 0178 00", "_sip._tcp.x."},
        {"*.x", "012a 0178 00", "*.x."},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        weft_dns_name name = dns_name(cases[i].text);

        support_set_context("%s", cases[i].text);
        dns_assert_octets(weft_dns_name_bytes(&name), cases[i].octets);
        assert_string_equal(dns_text_of(&name), cases[i].again);
    }
    support_clear_context();
}

static void what_is_no_name_is_refused(void **state)
{
    static const struct {
        const char *text;
        int status;
    } cases[] = {
        {"", -EINVAL},
        {"..", -EINVAL},
        {".com", -EINVAL},
        {"a..b", -EINVAL},
        {"a\\", -EINVAL},
        {"a\\25", -EINVAL},
        {"a\\2x5", -EINVAL},
        {"a\\256", -EINVAL},
        {"a\\999", -EINVAL},
        {LABEL63 "4", -ENAMETOOLONG},
        {LABEL63 "." LABEL63 "." LABEL63 "." LABEL63, -ENAMETOOLONG},
        {LABEL63 "." LABEL63 "." LABEL63 ".12345678901234567890123456789012345678901234567890123456789012",
         -ENAMETOOLONG},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        weft_dns_name name = {.length = 77};

        support_set_context("%s", cases[i].text);
        assert_int_equal(weft_dns_name_parse(weft_bytes_from(cases[i].text), NULL, &name), cases[i].status);
        assert_int_equal(name.length, 77);
    }
    support_clear_context();
}

static void longest_name_fits_its_text(void **state)
{
    weft_dns_name name = dns_name(LONGEST), wild = name;
    char text[WEFT_DNS_NAME_TEXT];

    (void)state;
    assert_int_equal(name.length, 255);
    assert_string_equal(dns_text_of(&name), LONGEST);
    assert_int_equal(weft_dns_name_labels(&name), 4);
    for (size_t i = 0; wild.octets[i]; i += 1u + wild.octets[i])
        memset(wild.octets + i + 1, 0, wild.octets[i]);
    assert_int_equal(weft_dns_name_text(&wild, text), WEFT_DNS_NAME_TEXT - 1);
    assert_int_equal(weft_dns_name_parse(weft_bytes_from(text), NULL, &name), 0);
    assert_true(weft_dns_name_same(&name, &wild));
}

static void name_of_127_labels_is_whole(void **state)
{
    char text[2 * WEFT_DNS_LABELS_MAX + 3];
    weft_dns_name name;

    (void)state;
    for (size_t i = 0; i < sizeof text - 1; i++)
        text[i] = i % 2 ? '.' : 'a';
    text[sizeof text - 1] = '\0';
    assert_int_equal(weft_dns_name_parse(weft_bytes_of(text, 2 * WEFT_DNS_LABELS_MAX), NULL, &name), 0);
    assert_int_equal(weft_dns_name_labels(&name), WEFT_DNS_LABELS_MAX);
    assert_int_equal(weft_dns_name_parse(weft_bytes_of(text, 2 * WEFT_DNS_LABELS_MAX + 1), NULL, &name), -ENAMETOOLONG);
}

static void relative_name_gets_its_origin(void **state)
{
    weft_dns_name origin = dns_name("example.org."), name, longest = dns_name(LONGEST);

    (void)state;
    assert_int_equal(weft_dns_name_parse(weft_bytes_from("www"), &origin, &name), 0);
    assert_string_equal(dns_text_of(&name), "www.example.org.");
    assert_int_equal(weft_dns_name_parse(weft_bytes_from("www."), &origin, &name), 0);
    assert_string_equal(dns_text_of(&name), "www.");
    assert_int_equal(weft_dns_name_parse(weft_bytes_from("@"), &origin, &name), 0);
    assert_string_equal(dns_text_of(&name), "example.org.");
    assert_int_equal(weft_dns_name_parse(weft_bytes_from("@"), NULL, &name), 0);
    assert_string_equal(dns_text_of(&name), "\\@.");
    assert_int_equal(weft_dns_name_parse(weft_bytes_from("a\\."), &origin, &name), 0);
    assert_string_equal(dns_text_of(&name), "a\\..example.org.");
    assert_int_equal(weft_dns_name_parse(weft_bytes_from("a"), &longest, &name), -ENAMETOOLONG);
}

static void case_does_not_count_but_is_kept(void **state)
{
    weft_dns_name a = dns_name("WwW.eXample."), b = dns_name("www.example."), c = dns_name("www\\.example.");
    weft_dns_name at = dns_name("@["), backtick = dns_name("`{");

    (void)state;
    assert_true(weft_dns_name_equal(&a, &b));
    assert_false(weft_dns_name_same(&a, &b));
    assert_false(weft_dns_name_equal(&b, &c));
    assert_false(weft_dns_name_equal(&at, &backtick)); /* next to the letters, and none */
    assert_int_equal(weft_dns_name_compare(&a, &b), 0);
    weft_dns_name_lower(&a);
    assert_true(weft_dns_name_same(&a, &b));
}

/* The example of RFC 4034 §6.1. */
static void canonical_order_is_that_of_the_standard(void **state)
{
    static const char *const sorted[] = {"example",         "a.example",      "yljkjljk.a.example",
                                         "Z.a.example",     "zABC.a.EXAMPLE", "z.example",
                                         "\\001.z.example", "*.z.example",    "\\200.z.example"};
    const size_t count = sizeof sorted / sizeof *sorted;

    (void)state;
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < count; k++) {
            weft_dns_name a = dns_name(sorted[i]), b = dns_name(sorted[k]);
            int order = weft_dns_name_compare(&a, &b);

            support_set_context("%s and %s", sorted[i], sorted[k]);
            assert_int_equal((order > 0) - (order < 0), (i > k) - (i < k));
        }
    }
    support_clear_context();
}

static void beneath_means_whole_labels(void **state)
{
    weft_dns_name name = dns_name("www.Example.com."), zone = dns_name("exAmple.com."), root = WEFT_DNS_ROOT;
    weft_dns_name part = dns_name("ample.com."), longer = dns_name("a.www.example.com.");
    /* "\007example" within a label: the octets are there, the label is not. */
    weft_dns_name trick = dns_name("x\\007example.com.");

    (void)state;
    assert_true(weft_dns_name_is_under(&name, &zone));
    assert_true(weft_dns_name_is_under(&name, &name));
    assert_true(weft_dns_name_is_under(&name, &root));
    assert_true(weft_dns_name_is_under(&root, &root));
    assert_false(weft_dns_name_is_under(&name, &part));
    assert_false(weft_dns_name_is_under(&name, &longer));
    assert_false(weft_dns_name_is_under(&trick, &zone));
    assert_false(weft_dns_name_is_under(&root, &name));
}

static void labels_are_cut_and_joined(void **state)
{
    weft_dns_name name = dns_name("a.b.c."), other = dns_name("x.y."), longest = dns_name(LONGEST), got;

    (void)state;
    assert_int_equal(weft_dns_name_parent(&name, 0, &got), 0);
    assert_string_equal(dns_text_of(&got), "a.b.c.");
    assert_int_equal(weft_dns_name_parent(&name, 3, &got), 0);
    assert_string_equal(dns_text_of(&got), ".");
    assert_int_equal(weft_dns_name_parent(&name, 4, &got), -EINVAL);
    assert_int_equal(weft_dns_name_join(&name, &other, &got), 0);
    assert_string_equal(dns_text_of(&got), "a.b.c.x.y.");
    assert_int_equal(weft_dns_name_join(&name, &name, &name), 0);
    assert_string_equal(dns_text_of(&name), "a.b.c.a.b.c.");
    assert_int_equal(weft_dns_name_parent(&name, 1, &name), 0);
    assert_string_equal(dns_text_of(&name), "b.c.a.b.c.");
    assert_int_equal(weft_dns_name_join(&other, &longest, &got), -ENAMETOOLONG);
}

/* RFC 6672 §2.2, its examples; DN-07: what is too long is told, for a server answers it with YXDOMAIN. */
static void dn_07_dname_puts_a_name_in_the_place_of_another(void **state)
{
    static const struct {
        const char *name, *from, *to, *result;
        int status;
    } cases[] = {
        {"com.", "example.com.", "example.net.", NULL, -EINVAL},
        {"example.com.", "example.com.", "example.net.", NULL, -EINVAL},
        {"a.example.com.", "example.com.", "example.net.", "a.example.net.", 0},
        {"a.b.example.com.", "example.com.", "example.net.", "a.b.example.net.", 0},
        {"ab.example.com.", "b.example.com.", "example.net.", NULL, -EINVAL},
        {"foo.example.com.", "example.com.", "example.net.", "foo.example.net.", 0},
        {"a.x.example.com.", "x.example.com.", "example.net.", "a.example.net.", 0},
        {"cyc.example.com.", "example.com.", "example.com.", "cyc.example.com.", 0},
        {"shortloop.x.x.", "x.", ".", "shortloop.x.", 0},
        {"a.x.", "x.", LONGEST, NULL, -ENAMETOOLONG},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        weft_dns_name name = dns_name(cases[i].name), from = dns_name(cases[i].from), to = dns_name(cases[i].to);

        support_set_context("%s", cases[i].name);
        assert_int_equal(weft_dns_name_replace(&name, &from, &to, &name), cases[i].status);
        assert_string_equal(dns_text_of(&name), cases[i].result ? cases[i].result : cases[i].name);
    }
    support_clear_context();
}

static void names_of_addresses_are_asked_for_backwards(void **state)
{
    weft_address v4 = {.family = WEFT_ADDRESS_IPV4, .ip = {192, 0, 2, 1}};
    weft_address v6 = {.family = WEFT_ADDRESS_IPV6, .ip = {0x20, 0x01, 0x0d, 0xb8, [15] = 0x1a}};
    weft_address none = {.family = WEFT_ADDRESS_UNIX};
    weft_dns_name name;

    (void)state;
    assert_int_equal(weft_dns_name_of_address(&v4, &name), 0);
    assert_string_equal(dns_text_of(&name), "1.2.0.192.in-addr.arpa.");
    assert_int_equal(weft_dns_name_of_address(&v6, &name), 0);
    assert_string_equal(dns_text_of(&name),
                        "a.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa.");
    assert_int_equal(weft_dns_name_of_address(&none, &name), -EINVAL);
}

static void plain_octets_are_taken_off_the_front(void **state)
{
    weft_bytes input = dns_hex("0161 0162 00 ff"), bad[] = {dns_hex("0161"), dns_hex("c00c"), dns_hex("40")};
    weft_dns_name name;

    (void)state;
    assert_int_equal(weft_dns_name_take(&input, &name), 0);
    assert_string_equal(dns_text_of(&name), "a.b.");
    assert_int_equal(input.length, 1);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(weft_dns_name_take(&bad[i], &name), WEFT_EPROTOCOL);
    input = weft_bytes_of(NULL, 0);
    assert_int_equal(weft_dns_name_take(&input, &name), WEFT_EPROTOCOL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        support_test(text_becomes_labels_and_back),
        support_test(what_is_no_name_is_refused),
        support_test(longest_name_fits_its_text),
        support_test(name_of_127_labels_is_whole),
        support_test(relative_name_gets_its_origin),
        support_test(case_does_not_count_but_is_kept),
        support_test(canonical_order_is_that_of_the_standard),
        support_test(beneath_means_whole_labels),
        support_test(labels_are_cut_and_joined),
        support_test(dn_07_dname_puts_a_name_in_the_place_of_another),
        support_test(names_of_addresses_are_asked_for_backwards),
        support_test(plain_octets_are_taken_off_the_front),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
