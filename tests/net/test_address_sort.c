/* SPDX-License-Identifier: MIT */
/* The order of addresses: the examples of RFC 6724 §10.2, rule by rule. */
#include "net/address_sort.h"

#include <stdio.h>

#include "base/address_parse.h"
#include "support/support.h"

static weft_address address_of(const char *text)
{
    weft_address address = {.family = WEFT_ADDRESS_IPV4};

    if (!text)
        return (weft_address){.family = WEFT_ADDRESS_NONE};
    if (!address_parse_ipv4(weft_bytes_from(text), address.ip)) {
        address.family = WEFT_ADDRESS_IPV6;
        assert_true(address_parse_ipv6(weft_bytes_from(text), address.ip));
    }
    return address;
}

/* Two destinations; the first is the one that should come first. */
struct pair {
    const char *what;
    const char *first, *first_source, *second, *second_source;
};

static void assert_order(const struct pair *pair, const struct address_policy *policy, size_t policy_count)
{
    for (int turned = 0; turned < 2; turned++) {
        struct address_candidate candidates[2];

        memset(candidates, 0, sizeof candidates);
        candidates[turned].destination = address_of(pair->first);
        candidates[turned].source = address_of(pair->first_source);
        candidates[!turned].destination = address_of(pair->second);
        candidates[!turned].source = address_of(pair->second_source);
        candidates[turned].destination.port = 1;
        support_set_context("%s, turned: %d", pair->what, turned);
        address_sort(candidates, 2, policy, policy_count);
        assert_int_equal(candidates[0].destination.port, 1);
    }
    support_clear_context();
}

static void examples_of_the_standard_are_sorted_as_there(void **state)
{
    static const struct pair pairs[] = {
        {"matching scope", "2001:db8:1::1", "2001:db8:1::2", "198.51.100.121", "169.254.13.78"},
        {"matching scope", "198.51.100.121", "198.51.100.117", "2001:db8:1::1", "fe80::1"},
        {"higher precedence", "2001:db8:1::1", "2001:db8:1::2", "10.1.2.3", "10.1.2.4"},
        {"smaller scope", "fe80::1", "fe80::2", "2001:db8:1::1", "2001:db8:1::2"},
        {"matching label", "2002:c633:6401::1", "2002:c633:6401::2", "2001:db8:1::1", "2002:c633:6401::2"},
        {"higher precedence", "2001:db8:1::1", "2001:db8:1::2", "2002:c633:6401::1", "2002:c633:6401::2"},
        {"not usable", "10.1.2.3", "10.1.2.4", "2001:db8:1::1", NULL},
        {"longest matching prefix", "2001:db8:1::1", "2001:db8:1::2", "2001:db8:3ffe::1", "2001:db8:3f44::2"},
        {"unique local last", "2001:db8::1", "2001:db8::2", "fd00::1", "fd00::2"},
        {"IPv4 before Teredo", "192.0.2.1", "192.0.2.2", "2001::1", "2001::2"},
        {"loopback first", "::1", "::1", "2001:db8::1", "2001:db8::2"},
        {"scope of a multicast", "ff02::1", "fe80::1", "ff05::1", "fe80::1"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        assert_order(&pairs[i], NULL, 0);
}

/* RFC 6724 §10.3: a table that prefers IPv4. */
static void policy_is_a_parameter(void **state)
{
    static const struct address_policy policy[] = {
        {{[15] = 1}, 128, 50, 0},
        {{0}, 0, 40, 1},
        {{[10] = 0xff, [11] = 0xff}, 96, 100, 4},
    };
    static const struct pair pairs[] = {
        {"unusable", "2001:db8:1::1", "2001:db8:1::2", "198.51.100.121", "169.254.13.78"},
        {"IPv4 preferred", "198.51.100.121", "198.51.100.117", "2001:db8:1::1", "2001:db8:1::2"},
        {"IPv4 preferred", "10.1.2.3", "10.1.2.4", "2001:db8:1::1", "2001:db8:1::2"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        assert_order(&pairs[i], policy, sizeof policy / sizeof *policy);
    assert_order(&(struct pair){"no table", "::1", "::1", "2001:db8::1", "2001:db8::2"}, policy, 0);
}

static void traits_of_sources_count(void **state)
{
    struct address_candidate candidates[3];

    (void)state;
    for (int rule = 0; rule < 3; rule++) {
        memset(candidates, 0, sizeof candidates);
        for (unsigned i = 0; i < 3; i++) {
            candidates[i].destination = address_of("2001:db8::1");
            candidates[i].source = address_of("2001:db8::2");
            candidates[i].destination.port = (uint16_t)i;
        }
        if (rule == 0)
            candidates[0].deprecated = true;
        else if (rule == 1)
            candidates[0].care_of = true;
        else
            candidates[0].encapsulated = true;
        candidates[2].home = rule == 1;
        address_sort(candidates, 3, NULL, 0);
        assert_int_equal(candidates[2].destination.port, 0);
        assert_int_equal(candidates[0].destination.port, rule == 1 ? 2 : 1);
    }
}

/* Rule 10, and none of rule 9 for IPv4: a server's round robin is left as it is. */
static void equal_addresses_keep_their_order(void **state)
{
    static const char *const texts[] = {"192.0.2.200", "192.0.2.1", "10.0.0.1", "192.0.2.3"};
    struct address_candidate candidates[4];

    (void)state;
    memset(candidates, 0, sizeof candidates);
    for (unsigned i = 0; i < 4; i++) {
        candidates[i].destination = address_of(texts[i]);
        candidates[i].source = address_of("192.0.2.2");
        candidates[i].destination.port = (uint16_t)i;
    }
    address_sort(candidates, 4, NULL, 0);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(candidates[i].destination.port, i);
    address_sort(candidates, 0, NULL, 0);
}

/* §2.2: beyond the prefix of the source's network nothing is compared. */
static void prefix_of_the_source_ends_the_comparison(void **state)
{
    struct address_candidate candidates[2];

    (void)state;
    for (unsigned prefix = 0; prefix <= 128; prefix += 128) {
        memset(candidates, 0, sizeof candidates);
        candidates[0].destination = address_of("2001:db8::ff00");
        candidates[1].destination = address_of("2001:db8::1");
        for (int i = 0; i < 2; i++) {
            candidates[i].source = address_of("2001:db8::2");
            candidates[i].source_prefix = (uint8_t)prefix;
        }
        address_sort(candidates, 2, NULL, 0);
        assert_int_equal(candidates[0].destination.ip[15], prefix == 0 ? 0 : 1);
    }
}

static void scopes_are_those_of_the_standard(void **state)
{
    static const struct {
        const char *text;
        unsigned scope;
    } cases[] = {
        {"127.0.0.1", 2}, {"169.254.1.1", 2}, {"10.0.0.1", 14},        {"8.8.8.8", 14}, {"::1", 2},
        {"fe80::1", 2},   {"fec0::1", 5},     {"fd00::1", 14},         {"::", 14},      {"2001:db8::1", 14},
        {"ff02::1", 2},   {"ff0e::1", 14},    {"::ffff:127.0.0.1", 2},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        weft_address address = address_of(cases[i].text);

        support_set_context("%s", cases[i].text);
        assert_int_equal(address_scope(&address), cases[i].scope);
    }
    support_clear_context();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        support_test(examples_of_the_standard_are_sorted_as_there),
        support_test(policy_is_a_parameter),
        support_test(traits_of_sources_count),
        support_test(equal_addresses_keep_their_order),
        support_test(prefix_of_the_source_ends_the_comparison),
        support_test(scopes_are_those_of_the_standard),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
