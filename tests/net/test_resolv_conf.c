/* SPDX-License-Identifier: MIT */
/* resolv.conf, as glibc reads it, and the names that are asked for because of it. */
#include "net/resolv_conf.h"

#include <stdio.h>

#include "net/name_search.h"
#include "support/support.h"

static struct resolv_conf conf;

static void read_text(const char *text)
{
    resolv_conf_read(&conf, weft_bytes_from(text), weft_bytes_from("host.corp.example"));
}

static const char *server(unsigned index)
{
    static char text[WEFT_ADDRESS_TEXT];

    assert_true(index < conf.server_count);
    weft_address_text(&conf.servers[index].address, text);
    return text;
}

static const char *domain(unsigned index)
{
    static char text[WEFT_DNS_NAME_TEXT];

    assert_true(index < conf.search_count);
    weft_dns_name_text(&conf.search[index], text);
    return text;
}

static void empty_file_means_this_host_and_its_domain(void **state)
{
    (void)state;
    read_text("");
    assert_int_equal(conf.server_count, 1);
    assert_string_equal(server(0), "127.0.0.1:53");
    assert_int_equal(conf.search_count, 1);
    assert_string_equal(domain(0), "corp.example.");
    assert_int_equal(conf.ndots, 1);
    assert_int_equal(conf.attempts, 2);
    assert_true(conf.timeout == WEFT_SECONDS(5));
    assert_false(conf.rotate || conf.use_tcp || conf.edns || conf.trust_ad || conf.single_request || conf.no_aaaa);
    resolv_conf_read(&conf, weft_bytes_from(""), weft_bytes_from("host"));
    assert_int_equal(conf.search_count, 0);
}

static void three_servers_are_taken(void **state)
{
    (void)state;
    read_text("nameserver 192.0.2.1\n"
              "nameserver\t2001:db8::1  trailing words\n"
              "nameserver 192.0.2.2\r\n"
              "nameserver 192.0.2.3\n");
    assert_int_equal(conf.server_count, 3);
    assert_string_equal(server(0), "192.0.2.1:53");
    assert_string_equal(server(1), "[2001:db8::1]:53");
    assert_string_equal(server(2), "192.0.2.2:53");
}

static void zone_of_a_server_is_a_number_or_an_interface(void **state)
{
    (void)state;
    read_text("nameserver fe80::1%3\nnameserver fe80::1%eth0\nnameserver fe80::1%\nnameserver "
              "fe80::2%a-name-that-is-too-long");
    assert_int_equal(conf.server_count, 2);
    assert_int_equal(conf.servers[0].address.scope_id, 3);
    assert_string_equal(conf.servers[0].zone, "");
    assert_int_equal(conf.servers[1].address.scope_id, 0);
    assert_string_equal(conf.servers[1].zone, "eth0");
}

static void what_is_not_understood_is_skipped(void **state)
{
    (void)state;
    read_text(
        "# nameserver 192.0.2.1\n; nameserver 192.0.2.1\n nameserver 192.0.2.1\nNAMESERVER 192.0.2.1\n"
        "nameserver192.0.2.1\nnameserver\nnameserver ns.example\nnameserver 192.0.2\nnameserver 192.0.2.01\n"
        "sortlist 130.155.160.0/255.255.240.0\noptions\n\n\n\t\nbogus\n\xff\xfe\noptions debug inet6 no-reload bogus\n"
        "search a..b \\ \ndomain\nnameserver 192.0.2.9");
    assert_int_equal(conf.server_count, 1);
    assert_string_equal(server(0), "192.0.2.9:53");
    assert_int_equal(conf.search_count, 0);
}

static void last_of_search_and_domain_wins(void **state)
{
    (void)state;
    read_text("search a.example b.example.\ndomain c.example d.example\n");
    assert_int_equal(conf.search_count, 1);
    assert_string_equal(domain(0), "c.example.");
    read_text("domain c.example\nsearch a.example\tb.example. .\n");
    assert_int_equal(conf.search_count, 3);
    assert_string_equal(domain(1), "b.example.");
    assert_string_equal(domain(2), ".");
    resolv_conf_search(&conf, weft_bytes_from("e.example"));
    assert_int_equal(conf.search_count, 1);
    assert_string_equal(domain(0), "e.example.");
}

static void search_list_is_bounded(void **state)
{
    char text[2000];
    size_t length = (size_t)snprintf(text, sizeof text, "search");

    (void)state;
    for (int i = 0; i < 100; i++)
        length += (size_t)snprintf(text + length, sizeof text - length, " d%d.example", i);
    read_text(text);
    assert_int_equal(conf.search_count, RESOLV_SEARCH);
    assert_string_equal(domain(31), "d31.example.");
}

static void options_are_read_and_cut_to_their_limits(void **state)
{
    static const struct {
        const char *options;
        unsigned ndots, seconds, attempts;
    } cases[] = {
        {"ndots:2 timeout:3 attempts:4", 2, 3, 4},
        {"ndots:0 timeout:0 attempts:0", 0, 1, 1},
        {"ndots:16 timeout:31 attempts:6", 15, 30, 5},
        {"ndots:99999999999999999999 timeout:99999999999 attempts:999999999999", 15, 30, 5},
        {"ndots: timeout:x attempts:-1", 0, 1, 1},
        {"ndots:3x timeout:4.5", 3, 4, 2},
        {"ndots timeout attempts", 1, 5, 2},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[200];

        support_set_context("%s", cases[i].options);
        snprintf(text, sizeof text, "options %s\n", cases[i].options);
        read_text(text);
        assert_int_equal(conf.ndots, cases[i].ndots);
        assert_true(conf.timeout == WEFT_SECONDS(cases[i].seconds));
        assert_int_equal(conf.attempts, cases[i].attempts);
    }
    support_clear_context();
    read_text("options rotate use-vc\noptions edns0 trust-ad single-request no-tld-query no-aaaa");
    assert_true(conf.rotate && conf.use_tcp && conf.edns && conf.trust_ad && conf.single_request && conf.no_tld_query &&
                conf.no_aaaa);
    read_text("");
    resolv_conf_options(&conf, weft_bytes_from("  ndots:5 rotate "));
    assert_int_equal(conf.ndots, 5);
    assert_true(conf.rotate);
}

/* -- the names that are asked for -- */

/* All of them, in their order, with a space behind each. */
static const char *asked_for(const char *text)
{
    static char all[4096];
    struct name_search search;
    size_t length = 0;
    weft_dns_name name;

    all[0] = '\0';
    assert_int_equal(name_search_start(&search, &conf, weft_bytes_from(text)), 0);
    while (name_search_next(&search, &name)) {
        char one[WEFT_DNS_NAME_TEXT];

        weft_dns_name_text(&name, one);
        length += (size_t)snprintf(all + length, sizeof all - length, "%s ", one);
        assert_true(length < sizeof all);
    }
    assert_false(name_search_next(&search, &name));
    return all;
}

static void short_name_is_searched_before_it_is_asked_for_as_it_is(void **state)
{
    (void)state;
    read_text("search a.example b.example\n");
    assert_string_equal(asked_for("www"), "www.a.example. www.b.example. www. ");
    assert_string_equal(asked_for("www.x"), "www.x. www.x.a.example. www.x.b.example. ");
    assert_string_equal(asked_for("www."), "www. ");
    assert_string_equal(asked_for("www.x."), "www.x. ");
    assert_string_equal(asked_for("."), ". ");
}

static void ndots_says_what_is_short(void **state)
{
    (void)state;
    read_text("search a.example\noptions ndots:3\n");
    assert_string_equal(asked_for("a.b.c"), "a.b.c.a.example. a.b.c. ");
    assert_string_equal(asked_for("a.b.c.d"), "a.b.c.d. a.b.c.d.a.example. ");
    read_text("search a.example\noptions ndots:0\n");
    assert_string_equal(asked_for("www"), "www. www.a.example. ");
    read_text("search .\n");
    assert_string_equal(asked_for("www"), "www. www. ");
}

static void no_tld_query_leaves_the_bare_name_out(void **state)
{
    (void)state;
    read_text("search a.example\noptions no-tld-query\n");
    assert_string_equal(asked_for("www"), "www.a.example. ");
    assert_string_equal(asked_for("www."), "www. ");
    resolv_conf_read(&conf, weft_bytes_from("options no-tld-query\n"), weft_bytes_from(""));
    assert_string_equal(asked_for("www"), "www. ");
}

static void what_would_be_too_long_is_left_out(void **state)
{
    static const char label[] = "123456789012345678901234567890123456789012345678901234567890123";
    char text[300];

    (void)state;
    snprintf(text, sizeof text, "search %s.%s.%s b.example\n", label, label, label);
    read_text(text);
    assert_string_equal(asked_for(label), (snprintf(text, sizeof text, "%s.b.example. %s. ", label, label), text));
}

static void what_is_no_name_is_not_searched(void **state)
{
    struct name_search search;

    (void)state;
    read_text("search a.example\n");
    assert_int_equal(name_search_start(&search, &conf, weft_bytes_from("")), -EINVAL);
    assert_int_equal(name_search_start(&search, &conf, weft_bytes_from("a..b")), -EINVAL);
    assert_int_equal(
        name_search_start(&search, &conf,
                          weft_bytes_from("1234567890123456789012345678901234567890123456789012345678901234")),
        -ENAMETOOLONG);
}

static void dn_18_no_data_failure_and_no_name_are_told_apart(void **state)
{
    static const struct {
        enum name_outcome outcomes[3], result;
    } cases[] = {
        {{NAME_OUTCOME_NONE, NAME_OUTCOME_NONE, NAME_OUTCOME_NONE}, NAME_OUTCOME_NONE},
        {{NAME_OUTCOME_NONE, NAME_OUTCOME_FAILED, NAME_OUTCOME_NONE}, NAME_OUTCOME_FAILED},
        {{NAME_OUTCOME_FAILED, NAME_OUTCOME_NO_DATA, NAME_OUTCOME_NONE}, NAME_OUTCOME_NO_DATA},
        {{NAME_OUTCOME_NO_DATA, NAME_OUTCOME_NONE, NAME_OUTCOME_FAILED}, NAME_OUTCOME_NO_DATA},
    };

    (void)state;
    read_text("search a.example b.example\n");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct name_search search;
        weft_dns_name name;

        assert_int_equal(name_search_start(&search, &conf, weft_bytes_from("www")), 0);
        for (size_t k = 0; name_search_next(&search, &name); k++)
            name_search_missed(&search, cases[i].outcomes[k]);
        assert_int_equal(name_search_result(&search), cases[i].result);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        support_test(empty_file_means_this_host_and_its_domain),
        support_test(three_servers_are_taken),
        support_test(zone_of_a_server_is_a_number_or_an_interface),
        support_test(what_is_not_understood_is_skipped),
        support_test(last_of_search_and_domain_wins),
        support_test(search_list_is_bounded),
        support_test(options_are_read_and_cut_to_their_limits),
        support_test(short_name_is_searched_before_it_is_asked_for_as_it_is),
        support_test(ndots_says_what_is_short),
        support_test(no_tld_query_leaves_the_bare_name_out),
        support_test(what_would_be_too_long_is_left_out),
        support_test(what_is_no_name_is_not_searched),
        support_test(dn_18_no_data_failure_and_no_name_are_told_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
