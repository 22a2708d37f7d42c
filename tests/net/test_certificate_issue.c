/* SPDX-License-Identifier: MIT */
#include <weft/certificate.h>

#include <stdio.h>
#include <stdlib.h>

#include <openssl/x509v3.h>

#include <weft/loop.h>
#include <weft/secret.h>

#include "net/certificate.h"
#include "support/support.h"

#define ONE(name) .names = (const char *const[]){name}, .name_count = 1

static weft_loop *loop;

static int begin(void **state)
{
    weft_loop_options options = {.size = sizeof options, .backend = "sim:11"};

    support_setup(state);
    return weft_loop_new(&options, &loop);
}

static int end(void **state)
{
    weft_loop_free(loop);
    return support_teardown(state);
}

#define on_a_loop(function) cmocka_unit_test_setup_teardown(function, begin, end)

/* -- authorities and certificates -- */

static weft_certificate *make_authority(const weft_certificate_authority_options *options)
{
    weft_certificate *authority = NULL;

    assert_int_equal(weft_certificate_authority_new(loop, options, &authority, NULL), 0);
    return authority;
}

static weft_certificate *issue(const weft_certificate *authority, weft_certificate_options options)
{
    weft_certificate *certificate = NULL;

    options.size = sizeof options;
    assert_int_equal(weft_certificate_issue(loop, authority, &options, &certificate, NULL), 0);
    return certificate;
}

static void refused(const weft_certificate *authority, weft_certificate_options options, int error, const char *said)
{
    weft_certificate *untouched = (weft_certificate *)1;
    weft_failure *why = NULL;
    char story[400];

    options.size = sizeof options;
    assert_int_equal(weft_certificate_issue(loop, authority, &options, &untouched, &why), error);
    assert_ptr_equal(untouched, (weft_certificate *)1);
    assert_non_null(why);
    weft_failure_describe(why, story, sizeof story);
    weft_failure_unref(why);
    if (!strstr(story, said))
        fail_msg("'%s' does not say '%s'", story, said);
}

static weft_certificate_about look(const weft_certificate *certificate)
{
    weft_certificate_about about;

    assert_int_equal(weft_certificate_look(certificate, 0, &about), 0);
    return about;
}

/* What OpenSSL's verification says at the time of the loop. */
static int verify(const weft_certificate *authority, const weft_certificate *certificate, const char *host, int purpose)
{
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    X509_VERIFY_PARAM *param;
    int verdict;

    assert_true(store && context);
    assert_int_equal(X509_STORE_add_cert(store, authority->chain[0]), 1);
    assert_int_equal(X509_STORE_CTX_init(context, store, certificate->chain[0], NULL), 1);
    param = X509_STORE_CTX_get0_param(context);
    X509_VERIFY_PARAM_set_time(param, weft_loop_wall(loop) / WEFT_SECONDS(1));
    X509_VERIFY_PARAM_set_purpose(param, purpose);
    X509_VERIFY_PARAM_set_auth_level(param, 2);
    X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_X509_STRICT);
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    if (host && X509_VERIFY_PARAM_set1_ip_asc(param, host) != 1)
        X509_VERIFY_PARAM_set1_host(param, host, 0);
    (void)X509_verify_cert(context);
    verdict = X509_STORE_CTX_get_error(context);
    X509_STORE_CTX_free(context);
    X509_STORE_free(store);
    return verdict;
}

static int verify_server(const weft_certificate *authority, const weft_certificate *certificate, const char *host)
{
    return verify(authority, certificate, host, X509_PURPOSE_SSL_SERVER);
}

/* -- what is issued -- */

static void an_authority_can_sign_and_nothing_else(void **state)
{
    weft_certificate *authority = make_authority(NULL);
    weft_certificate_about about = look(authority);

    (void)state;
    assert_true(about.is_authority && about.is_self_signed);
    assert_int_equal(about.path_length, 0);
    assert_true(weft_certificate_has_key(authority));
    assert_int_equal(strncmp(about.subject, "CN=Weft development authority ", 30), 0);
    assert_string_equal(about.subject, about.issuer);
    assert_string_equal(about.key, "EC P-256");
    assert_true(about.begins <= weft_loop_wall(loop) - WEFT_MINUTES(59));
    assert_true(about.ends >= weft_loop_wall(loop) + WEFT_HOURS(24 * 3650) - WEFT_SECONDS(1));
    assert_int_equal(X509_get_key_usage(authority->chain[0]), KU_KEY_CERT_SIGN | KU_CRL_SIGN);
    weft_certificate_unref(authority);
}

static void a_certificate_is_good_for_its_names_and_no_others(void **state)
{
    static const char *const names[] = {"localhost", "Example.TEST.", "*.example.test", "127.0.0.1", "[::1]"};
    weft_certificate *authority = make_authority(NULL);
    weft_certificate *made = issue(authority, (weft_certificate_options){.names = names, .name_count = 5});

    (void)state;
    assert_int_equal(weft_certificate_count(made), 1); /* the authority is not sent */
    assert_int_equal(verify_server(authority, made, "localhost"), X509_V_OK);
    assert_int_equal(verify_server(authority, made, "example.test"), X509_V_OK);
    assert_int_equal(verify_server(authority, made, "a.example.test"), X509_V_OK);
    assert_int_equal(verify_server(authority, made, "127.0.0.1"), X509_V_OK);
    assert_int_equal(verify_server(authority, made, "::1"), X509_V_OK);
    assert_int_equal(verify_server(authority, made, "a.b.example.test"), X509_V_ERR_HOSTNAME_MISMATCH);
    assert_int_equal(verify_server(authority, made, "test"), X509_V_ERR_HOSTNAME_MISMATCH);
    assert_int_equal(verify_server(authority, made, "127.0.0.2"), X509_V_ERR_IP_ADDRESS_MISMATCH);
    assert_int_equal(verify(authority, made, NULL, X509_PURPOSE_SSL_CLIENT), X509_V_ERR_INVALID_PURPOSE);
    assert_string_equal(look(made).subject, "");
    weft_certificate_unref(made);
    weft_certificate_unref(authority);
}

static void every_kind_of_key_signs_and_is_signed(void **state)
{
    static const char *const kinds[] = {"EC P-256", "EC P-384", "ED25519", "RSA 2048"};
    static const char *const signatures[] = {"ecdsa-with-SHA256", "ecdsa-with-SHA384", "ED25519",
                                             "sha256WithRSAEncryption"};

    (void)state;
    for (int kind = WEFT_CERTIFICATE_P256; kind <= WEFT_CERTIFICATE_RSA; kind++) {
        weft_certificate *authority = make_authority(&(weft_certificate_authority_options){
            .size = sizeof(weft_certificate_authority_options), .key = (weft_certificate_key)kind});
        weft_certificate *made =
            issue(authority, (weft_certificate_options){ONE("localhost"), .key = (weft_certificate_key)(3 - kind)});

        assert_string_equal(look(made).key, kinds[3 - kind]);
        assert_string_equal(look(made).signature, signatures[kind]);
        assert_int_equal(verify_server(authority, made, "localhost"), X509_V_OK);
        weft_certificate_unref(made);
        weft_certificate_unref(authority);
    }
}

static void a_client_has_a_name_and_no_use_as_a_server(void **state)
{
    weft_certificate *authority = make_authority(NULL);
    weft_certificate *made =
        issue(authority, (weft_certificate_options){ONE("Alice@example.test"), .uses = WEFT_CERTIFICATE_CLIENT});

    (void)state;
    assert_int_equal(verify(authority, made, NULL, X509_PURPOSE_SSL_CLIENT), X509_V_OK);
    assert_int_equal(verify_server(authority, made, NULL), X509_V_ERR_INVALID_PURPOSE);
    assert_string_equal(look(made).subject, "CN=alice@example.test");
    assert_int_equal(look(made).uses, WEFT_CERTIFICATE_CLIENT);
    weft_certificate_unref(made);
    weft_certificate_unref(authority);
}

static void what_is_written_signs_when_it_is_read_again(void **state)
{
    char chain[4096], key[4096];
    weft_certificate *authority = make_authority(NULL), *again, *made;

    (void)state;
    assert_in_range(weft_certificate_write(authority, chain, sizeof chain), 1, sizeof chain - 1);
    assert_in_range(weft_certificate_write_key(authority, key, sizeof key), 1, sizeof key - 1);
    assert_int_equal(weft_certificate_read(weft_bytes_from(chain), weft_bytes_from(key), &again, NULL), 0);
    made = issue(again, (weft_certificate_options){ONE("localhost")});
    assert_int_equal(verify_server(authority, made, "localhost"), X509_V_OK);
    weft_certificate_unref(made);
    weft_certificate_unref(again);
    weft_certificate_unref(authority);
    weft_secret_clear(key, sizeof key);
}

/* -- numbers and times -- */

static void numbers_are_long_random_and_positive(void **state)
{
    weft_certificate *authority = make_authority(NULL);
    char last[64] = "";

    (void)state;
    for (int i = 0; i < 20; i++) {
        weft_certificate *made = issue(authority, (weft_certificate_options){ONE("localhost")});
        weft_certificate_about about = look(made);

        assert_int_equal(strlen(about.serial), 40);
        assert_in_range(about.serial[0], '4', '7');
        assert_string_not_equal(about.serial, last);
        strcpy(last, about.serial);
        weft_certificate_unref(made);
    }
    weft_certificate_unref(authority);
}

static void the_same_seed_gives_the_same_numbers_and_times(void **state)
{
    weft_certificate_about first, second;
    weft_loop_options options = {.size = sizeof options, .backend = "sim:77"};

    (void)state;
    for (int i = 0; i < 2; i++) {
        weft_loop *own;
        weft_certificate *authority;

        assert_int_equal(weft_loop_new(&options, &own), 0);
        assert_int_equal(weft_certificate_authority_new(own, NULL, &authority, NULL), 0);
        *(i == 0 ? &first : &second) = look(authority);
        weft_certificate_unref(authority);
        weft_loop_free(own);
    }
    assert_string_equal(first.serial, second.serial);
    assert_string_equal(first.subject, second.subject);
    assert_true(first.begins == second.begins && first.ends == second.ends);
}

static void nothing_outlives_its_authority(void **state)
{
    weft_certificate *authority = make_authority(&(weft_certificate_authority_options){
        .size = sizeof(weft_certificate_authority_options), .lifetime = WEFT_HOURS(24)});
    weft_certificate *made = issue(authority, (weft_certificate_options){ONE("localhost")});

    (void)state;
    assert_true(look(made).ends == look(authority).ends);
    assert_true(look(made).begins == look(authority).begins);
    weft_certificate_unref(made);
    weft_certificate_unref(authority);
}

static void a_lifetime_without_end_is_cut(void **state)
{
    weft_certificate *authority = make_authority(&(weft_certificate_authority_options){
        .size = sizeof(weft_certificate_authority_options), .lifetime = WEFT_NEVER});

    (void)state;
    assert_true(look(authority).ends > weft_loop_wall(loop) + WEFT_HOURS(24 * 365 * 100));
    weft_certificate_unref(authority);
}

/* -- who may not sign -- */

static void what_is_no_authority_signs_nothing(void **state)
{
    char chain[4096];
    weft_certificate *authority = make_authority(NULL), *keyless;
    weft_certificate *leaf = issue(authority, (weft_certificate_options){ONE("localhost")});

    (void)state;
    refused(leaf, (weft_certificate_options){ONE("a.test")}, WEFT_EISSUER, "no authority");
    assert_true(weft_certificate_write(authority, chain, sizeof chain) > 0);
    assert_int_equal(weft_certificate_read(weft_bytes_from(chain), weft_bytes_of(NULL, 0), &keyless, NULL), 0);
    refused(keyless, (weft_certificate_options){ONE("a.test")}, WEFT_EISSUER, "private key");
    weft_certificate_unref(keyless);
    weft_certificate_unref(leaf);
    weft_certificate_unref(authority);
}

static void an_authority_that_has_expired_signs_nothing(void **state)
{
    weft_certificate *authority = make_authority(
        &(weft_certificate_authority_options){.size = sizeof(weft_certificate_authority_options), .lifetime = 1});

    (void)state;
    refused(authority, (weft_certificate_options){ONE("a.test")}, WEFT_EISSUER, "expired");
    weft_certificate_unref(authority);
}

static void an_authority_signs_only_what_it_may(void **state)
{
    static const char *const only[] = {"good.test", "192.0.2.7"};
    static const char *const mixed[] = {"a.good.test", "evil.test"};
    weft_certificate *authority = make_authority(&(weft_certificate_authority_options){
        .size = sizeof(weft_certificate_authority_options), .only = only, .only_count = 2});
    weft_certificate *made = issue(authority, (weft_certificate_options){ONE("a.good.test")});

    (void)state;
    assert_int_equal(verify_server(authority, made, "a.good.test"), X509_V_OK);
    weft_certificate_unref(made);
    weft_certificate_unref(issue(authority, (weft_certificate_options){ONE("good.test")}));
    weft_certificate_unref(issue(authority, (weft_certificate_options){ONE("127.1.2.3")}));
    weft_certificate_unref(issue(authority, (weft_certificate_options){ONE("::1")}));
    weft_certificate_unref(issue(authority, (weft_certificate_options){ONE("192.0.2.7")}));
    refused(authority, (weft_certificate_options){ONE("notgood.test")}, WEFT_ECERTNAME, "'notgood.test'");
    refused(authority, (weft_certificate_options){ONE("192.0.2.8")}, WEFT_ECERTNAME, "'192.0.2.8'");
    refused(authority, (weft_certificate_options){ONE("::2")}, WEFT_ECERTNAME, "'::2'");
    refused(authority, (weft_certificate_options){ONE("a@good.test")}, WEFT_ECERTNAME, "'a@good.test'");
    refused(authority, (weft_certificate_options){.names = mixed, .name_count = 2}, WEFT_ECERTNAME, "'evil.test'");
    weft_certificate_unref(authority);
}

static void only_addresses_leave_no_host(void **state)
{
    static const char *const only[] = {"192.0.2.7"};
    weft_certificate *authority = make_authority(&(weft_certificate_authority_options){
        .size = sizeof(weft_certificate_authority_options), .only = only, .only_count = 1});

    (void)state;
    weft_certificate_unref(issue(authority, (weft_certificate_options){ONE("192.0.2.7")}));
    refused(authority, (weft_certificate_options){ONE("localhost")}, WEFT_ECERTNAME, "'localhost'");
    weft_certificate_unref(authority);
}

/* -- names -- */

static void names_that_cannot_be_are_refused(void **state)
{
    static const struct {
        const char *name, *said;
    } cases[] = {
        {"", "host's name"},
        {"https://localhost", "without a scheme"},
        {"localhost:8443", "without a scheme"},
        {"a b", "host's name"},
        {"b\xc3\xbc"
         "cher.test",
         "xn--"},
        {"a..b", "host's name"},
        {".test", "host's name"},
        {"-a.test", "hyphen"},
        {"a-.test", "hyphen"},
        {"10.0.0.0/8", "host's name"},
        {"256.1.1.1", "host's name"},
        {"1.2.3", "host's name"},
        {"fe80::1%eth0", "host's name"},
        {"*", "first part"},
        {"*.test", "two are needed"},
        {"f*.example.test", "first part"},
        {"*.*.test", "first part"},
        {"a.*.test", "first part"},
        {"*a.example.test", "first part"},
        {"@example.test", "'@'"},
        {"a b@example.test", "no mailbox"},
        {"a@", "host's name"},
        {"a@b@c.test", "host's name"},
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.test", "63"},
    };
    weft_certificate *authority = make_authority(NULL);
    char long_name[400];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        refused(authority, (weft_certificate_options){ONE(cases[i].name)}, WEFT_ECERTNAME, cases[i].said);
    for (size_t i = 0; i < sizeof long_name; i++)
        long_name[i] = i % 2 ? '.' : 'a';
    long_name[sizeof long_name - 1] = '\0';
    refused(authority, (weft_certificate_options){ONE(long_name)}, WEFT_ECERTNAME, "too long");
    refused(authority, (weft_certificate_options){.name_count = 0}, WEFT_ECERTNAME, "needs a name");
    weft_certificate_unref(authority);
}

static void options_that_make_no_sense_are_refused(void **state)
{
    static const char *names[WEFT_CERTIFICATE_NAMES + 1];
    weft_certificate *authority = make_authority(NULL), *none = NULL;
    weft_certificate_options unsized = {ONE("localhost")};

    (void)state;
    for (size_t i = 0; i <= WEFT_CERTIFICATE_NAMES; i++)
        names[i] = "localhost";
    weft_certificate_unref(
        issue(authority, (weft_certificate_options){.names = names, .name_count = WEFT_CERTIFICATE_NAMES}));
    refused(authority, (weft_certificate_options){.names = names, .name_count = WEFT_CERTIFICATE_NAMES + 1}, -EINVAL,
            "at most 100");
    refused(authority, (weft_certificate_options){ONE("localhost"), .uses = WEFT_CERTIFICATE_OTHER}, -EINVAL,
            "options");
    refused(authority, (weft_certificate_options){ONE("localhost"), .lifetime = -1}, -EINVAL, "negative");
    assert_int_equal(weft_certificate_issue(loop, authority, &unsized, &none, NULL), -EINVAL);
    assert_int_equal(weft_certificate_issue(loop, authority, NULL, &none, NULL), WEFT_ECERTNAME);
    weft_certificate_unref(authority);
}

static void an_authority_has_the_name_that_it_is_given(void **state)
{
    static const char *const star[] = {"*.example.test"};
    weft_certificate_authority_options options = {.size = sizeof options, .name = "My own, \xc3\xbc"};
    weft_certificate *authority = make_authority(&options), *none = NULL;
    char long_name[80];

    (void)state;
    assert_string_equal(look(authority).subject, "CN=My own\\, \\C3\\BC");
    weft_certificate_unref(authority);
    memset(long_name, 'a', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = '\0';
    options.name = long_name;
    assert_int_equal(weft_certificate_authority_new(loop, &options, &none, NULL), WEFT_ECERTNAME);
    options = (weft_certificate_authority_options){.size = sizeof options, .only = star, .only_count = 1};
    assert_int_equal(weft_certificate_authority_new(loop, &options, &none, NULL), WEFT_ECERTNAME);
    assert_null(none);
}

/* -- memory -- */

static void make_one(void *arg)
{
    weft_certificate *authority, *made;
    int status = weft_certificate_authority_new(loop, NULL, &authority, NULL);

    (void)arg;
    if (status == 0) {
        status = weft_certificate_issue(
            loop, authority, &(weft_certificate_options){.size = sizeof(weft_certificate_options), ONE("localhost")},
            &made, NULL);
        weft_certificate_unref(authority);
    }
    if (status == 0)
        weft_certificate_unref(made);
    assert_int_equal(status, support_injected() > 0 ? WEFT_ENOMEM : 0);
}

static void every_allocation_of_ours_may_fail(void **state)
{
    (void)state;
    support_torture(make_one, NULL);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        on_a_loop(an_authority_can_sign_and_nothing_else),
        on_a_loop(a_certificate_is_good_for_its_names_and_no_others),
        on_a_loop(every_kind_of_key_signs_and_is_signed),
        on_a_loop(a_client_has_a_name_and_no_use_as_a_server),
        on_a_loop(what_is_written_signs_when_it_is_read_again),
        on_a_loop(numbers_are_long_random_and_positive),
        on_a_loop(the_same_seed_gives_the_same_numbers_and_times),
        on_a_loop(nothing_outlives_its_authority),
        on_a_loop(a_lifetime_without_end_is_cut),
        on_a_loop(what_is_no_authority_signs_nothing),
        on_a_loop(an_authority_that_has_expired_signs_nothing),
        on_a_loop(an_authority_signs_only_what_it_may),
        on_a_loop(only_addresses_leave_no_host),
        on_a_loop(names_that_cannot_be_are_refused),
        on_a_loop(options_that_make_no_sense_are_refused),
        on_a_loop(an_authority_has_the_name_that_it_is_given),
        on_a_loop(every_allocation_of_ours_may_fail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
