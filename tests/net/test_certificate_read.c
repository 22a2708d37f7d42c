/* SPDX-License-Identifier: MIT */
#include <weft/certificate.h>

#include <stdio.h>
#include <stdlib.h>

#include <weft/secret.h>

#include "certificates/table.h"
#include "net/certificate.h"
#include "support/support.h"

static const weft_bytes none;

static void skip_without_certificates(void)
{
    size_t count;

    if (!table_rows(&count))
        skip();
}

/* What is read of two texts, and the story of its failure. */
static int read_texts(weft_bytes chain, weft_bytes key, weft_certificate **ret, char story[300])
{
    weft_failure *why = NULL;
    int status = weft_certificate_read(chain, key, ret, &why);

    story[0] = '\0';
    assert_int_equal(status < 0, why != NULL);
    if (why) {
        assert_int_equal(weft_failure_error(why), status);
        weft_failure_describe(why, story, 300);
        weft_failure_unref(why);
    }
    return status;
}

static weft_certificate *read_row(const char *name)
{
    weft_bytes chain = table_file(name, ".pem"), key = table_file(name, "-key.pem");
    weft_certificate *certificate = NULL;
    char story[300];

    assert_int_equal(read_texts(chain, key, &certificate, story), 0);
    table_file_free(chain);
    table_file_free(key);
    return certificate;
}

static void refused(weft_bytes chain, weft_bytes key, int error, const char *said)
{
    weft_certificate *untouched = (weft_certificate *)1;
    char story[300];

    assert_int_equal(read_texts(chain, key, &untouched, story), error);
    assert_ptr_equal(untouched, (weft_certificate *)1);
    if (!strstr(story, said))
        fail_msg("'%s' does not say '%s'", story, said);
}

/* -- reading -- */

static void every_row_of_the_table_is_read(void **state)
{
    size_t count;
    const struct table_row *rows;

    (void)state;
    skip_without_certificates();
    rows = table_rows(&count);
    for (size_t i = 0; i < count; i++) {
        weft_certificate *certificate = read_row(rows[i].name);

        assert_true(weft_certificate_has_key(certificate));
        assert_true(weft_certificate_count(certificate) >= 1);
        weft_certificate_unref(certificate);
    }
}

static void a_chain_needs_no_key(void **state)
{
    weft_bytes chain;
    weft_certificate *certificate;

    (void)state;
    skip_without_certificates();
    chain = table_file("good", ".pem");
    assert_int_equal(weft_certificate_read(chain, none, &certificate, NULL), 0);
    assert_int_equal(weft_certificate_count(certificate), 2);
    assert_false(weft_certificate_has_key(certificate));
    assert_int_equal(weft_certificate_write_key(certificate, NULL, 0), WEFT_EKEYFORM);
    weft_certificate_unref(certificate);
    table_file_free(chain);
}

/* Two texts, and what is put before each, as one. The caller frees its data. */
static weft_bytes joined(const char *before, weft_bytes a, const char *between, weft_bytes b)
{
    char *text = malloc(strlen(before) + a.length + strlen(between) + b.length + 1);
    int length;

    assert_non_null(text);
    length = sprintf(text, "%s%.*s%s%.*s", before, (int)a.length, a.data, between, (int)b.length, b.data);
    return weft_bytes_of(text, (size_t)length);
}

static void one_text_may_hold_all_and_words_around_it(void **state)
{
    weft_bytes chain, key, all;
    weft_certificate *certificate;

    (void)state;
    skip_without_certificates();
    chain = table_file("good", ".pem");
    key = table_file("good", "-key.pem");
    all = joined("Bag attributes\n  a: b\n\n", key, "\r\nof which the server knows\n", chain);
    assert_int_equal(weft_certificate_read(all, none, &certificate, NULL), 0);
    assert_int_equal(weft_certificate_count(certificate), 2);
    assert_true(weft_certificate_has_key(certificate));
    weft_certificate_unref(certificate);

    /* The same file, named twice. */
    assert_int_equal(weft_certificate_read(all, all, &certificate, NULL), 0);
    assert_int_equal(weft_certificate_count(certificate), 2);
    weft_certificate_unref(certificate);
    free((void *)(uintptr_t)all.data);
    table_file_free(chain);
    table_file_free(key);
}

static void a_reference_keeps_it(void **state)
{
    weft_certificate *certificate;

    (void)state;
    skip_without_certificates();
    certificate = read_row("good");
    assert_ptr_equal(weft_certificate_ref(certificate), certificate);
    weft_certificate_unref(certificate);
    assert_int_equal(weft_certificate_count(certificate), 2);
    weft_certificate_unref(certificate);
    weft_certificate_unref(NULL);
}

/* -- what is refused -- */

static void what_holds_no_certificate_says_so(void **state)
{
    (void)state;
    refused(none, none, WEFT_ECERTFORM, "no certificate");
    refused(weft_bytes_from("certificate"), none, WEFT_ECERTFORM, "no certificate");
    refused(weft_bytes_from("-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n"), none, WEFT_ECERTFORM,
            "no certificate");
}

static void a_damaged_block_is_named_by_its_line(void **state)
{
    (void)state;
    refused(weft_bytes_from("a\nb\n-----BEGIN CERTIFICATE-----\nAAAA\n"), none, WEFT_ECERTFORM, "line 3");
    refused(weft_bytes_from("-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n"), none, WEFT_ECERTFORM,
            "line 1");
    refused(weft_bytes_from("-----BEGIN CERTIFICATE-----\nAAAA\n-----END X509 CRL-----\n"), none, WEFT_ECERTFORM,
            "line 1");
    refused(weft_bytes_from("\n\n-----BEGIN CERTIFICATE-----\nMAMCAQA=\n-----END CERTIFICATE-----\n"), none,
            WEFT_ECERTFORM, "certificate 1, in line 3");
}

static void the_second_certificate_is_named_when_it_is_damaged(void **state)
{
    weft_bytes chain, all;

    (void)state;
    skip_without_certificates();
    chain = table_file("good-direct", ".pem");
    all = joined("", chain, "", weft_bytes_from("-----BEGIN CERTIFICATE-----\nMAMCAQA=\n-----END CERTIFICATE-----\n"));
    refused(all, none, WEFT_ECERTFORM, "certificate 2, in line");
    free((void *)(uintptr_t)all.data);
    table_file_free(chain);
}

static void bytes_behind_a_certificate_are_refused(void **state)
{
    unsigned char der[4096], *end = der;
    char base64[8192], text[9000] = "-----BEGIN CERTIFICATE-----\n";
    weft_certificate *certificate;

    (void)state;
    skip_without_certificates();
    certificate = read_row("good-direct");
    assert_in_range(i2d_X509(certificate->chain[0], NULL), 1, sizeof der - 3);
    (void)i2d_X509(certificate->chain[0], &end);
    weft_certificate_unref(certificate);
    memset(end, 0, 3);
    EVP_EncodeBlock((unsigned char *)base64, der, (int)(end - der) + 3);
    for (size_t i = 0; i < strlen(base64); i += 64)
        sprintf(text + strlen(text), "%.64s\n", base64 + i);
    strcat(text, "-----END CERTIFICATE-----\n");
    refused(weft_bytes_from(text), none, WEFT_ECERTFORM, "certificate 1, in line 1: something follows it");
}

static void keys_that_cannot_be_used_say_why(void **state)
{
    static const char encrypted[] =
        "\n-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
    static const char formerly[] = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n"
                                   "DEK-Info: AES-128-CBC,00000000000000000000000000000000\n\nAAAA\n"
                                   "-----END RSA PRIVATE KEY-----\n";
    static const char damaged[] = "-----BEGIN PRIVATE KEY-----\nMAMCAQA=\n-----END PRIVATE KEY-----\n";
    weft_bytes chain, key, other, two;

    (void)state;
    skip_without_certificates();
    chain = table_file("good", ".pem");
    key = table_file("good", "-key.pem");
    other = table_file("good-rsa", "-key.pem");
    two = joined("", key, "", key);
    refused(chain, weft_bytes_from(encrypted), WEFT_EKEYFORM, "line 2 is encrypted");
    refused(chain, weft_bytes_from(formerly), WEFT_EKEYFORM, "line 1 is encrypted");
    refused(chain, weft_bytes_from(damaged), WEFT_EKEYFORM, "the private key in line 1");
    refused(chain, weft_bytes_from("nothing"), WEFT_EKEYFORM, "no private key");
    refused(chain, chain, WEFT_EKEYFORM, "no private key");
    refused(chain, two, WEFT_EKEYFORM, "second private key");
    refused(chain, other, WEFT_EKEYOTHER, "does not belong");
    free((void *)(uintptr_t)two.data);
    table_file_free(chain);
    table_file_free(key);
    table_file_free(other);
}

static void what_is_beyond_the_limits_is_refused(void **state)
{
    size_t size = WEFT_CERTIFICATE_TEXT + 1;
    char *text = malloc(size);
    weft_bytes chain;
    weft_certificate *certificate;

    (void)state;
    assert_non_null(text);
    memset(text, '\n', size);
    refused(weft_bytes_of(text, size), none, -EFBIG, "longer than");
    refused(weft_bytes_of(text, size - 1), none, WEFT_ECERTFORM, "no certificate");
    skip_without_certificates();
    chain = table_file("good-direct", ".pem");
    for (size_t i = 0; i <= WEFT_CERTIFICATE_CHAIN; i++)
        memcpy(text + i * chain.length, chain.data, chain.length);
    refused(weft_bytes_of(text, (WEFT_CERTIFICATE_CHAIN + 1) * chain.length), none, -EFBIG, "more than 32");
    assert_int_equal(
        weft_certificate_read(weft_bytes_of(text, WEFT_CERTIFICATE_CHAIN * chain.length), none, &certificate, NULL), 0);
    weft_certificate_unref(certificate);
    table_file_free(chain);
    free(text);
}

static void garbage_is_refused_in_whatever_length(void **state)
{
    weft_bytes chain;
    char *text;
    uint32_t random = 1;

    (void)state;
    skip_without_certificates();
    chain = table_file("good", ".pem");
    text = malloc(chain.length);
    for (size_t length = 0; length < chain.length; length += 7) {
        weft_certificate *certificate = NULL;

        memcpy(text, chain.data, chain.length);
        for (int i = 0; i < 3; i++) {
            random = random * 1103515245 + 12345;
            text[(random >> 8) % chain.length] = (char)(random >> 24);
        }
        if (weft_certificate_read(weft_bytes_of(text, length), none, &certificate, NULL) == 0) {
            weft_certificate_about about;

            (void)!weft_certificate_look(certificate, 0, &about);
            weft_certificate_unref(certificate);
        }
    }
    free(text);
    table_file_free(chain);
}

/* -- writing -- */

static void what_is_written_is_read_again(void **state)
{
    static const char *const names[] = {"good", "good-rsa", "good-p384", "good-ed25519"};
    char text[8192], key[8192];

    (void)state;
    skip_without_certificates();
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        weft_certificate *certificate = read_row(names[i]), *again;
        weft_bytes before = table_file(names[i], ".pem");
        int length = weft_certificate_write(certificate, text, sizeof text);

        assert_int_equal(length, before.length);
        assert_memory_equal(text, before.data, before.length);
        assert_int_equal(weft_certificate_write(certificate, NULL, 0), length);
        assert_in_range(weft_certificate_write_key(certificate, key, sizeof key), 1, sizeof key - 1);
        assert_int_equal(weft_certificate_read(weft_bytes_from(text), weft_bytes_from(key), &again, NULL), 0);
        weft_certificate_unref(again);
        weft_certificate_unref(certificate);
        table_file_free(before);
    }
    weft_secret_clear(key, sizeof key);
}

static void a_buffer_that_is_too_small_is_ended(void **state)
{
    weft_certificate *certificate;
    char text[20];
    int whole;

    (void)state;
    skip_without_certificates();
    certificate = read_row("good");
    whole = weft_certificate_write(certificate, NULL, 0);
    memset(text, 'x', sizeof text);
    assert_int_equal(weft_certificate_write(certificate, text, 11), whole);
    assert_string_equal(text, "-----BEGIN");
    assert_int_equal(text[11], 'x');
    weft_certificate_unref(certificate);
}

/* -- looking -- */

static weft_certificate_about look(const weft_certificate *certificate, size_t index)
{
    weft_certificate_about about;

    assert_int_equal(weft_certificate_look(certificate, index, &about), 0);
    return about;
}

static void a_chain_says_who_signed_whom(void **state)
{
    weft_certificate *certificate;
    weft_certificate_about about;

    (void)state;
    skip_without_certificates();
    certificate = read_row("good");
    about = look(certificate, 0);
    assert_string_equal(about.subject, "");
    assert_string_equal(about.issuer, "CN=Intermediate");
    assert_string_equal(about.key, "EC P-256");
    assert_string_equal(about.signature, "ecdsa-with-SHA256");
    assert_int_equal(strlen(about.fingerprint), 64);
    assert_int_equal(strncmp(about.serial, "40", 2), 0);
    assert_true(about.begins == WEFT_SECONDS(946684800));
    assert_true(about.ends == WEFT_SECONDS(2524607999));
    assert_int_equal(about.uses, WEFT_CERTIFICATE_SERVER);
    assert_false(about.is_authority || about.is_self_signed);
    assert_true(about.is_signed_by_next);
    about = look(certificate, 1);
    assert_string_equal(about.subject, "CN=Intermediate");
    assert_true(about.is_authority);
    assert_int_equal(about.path_length, -1);
    assert_int_equal(about.uses, WEFT_CERTIFICATE_ANY);
    assert_false(about.is_signed_by_next);
    assert_int_equal(weft_certificate_look(certificate, 2, &about), -ERANGE);
    weft_certificate_unref(certificate);
}

static void a_chain_that_does_not_hold_is_seen(void **state)
{
    static const char *const names[] = {"wrong-intermediate", "forged", "spoiled"};
    weft_certificate *certificate;

    (void)state;
    skip_without_certificates();
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        certificate = read_row(names[i]);
        assert_false(look(certificate, 0).is_signed_by_next);
        weft_certificate_unref(certificate);
    }
    certificate = read_row("self-signed");
    assert_true(look(certificate, 0).is_self_signed);
    weft_certificate_unref(certificate);
}

static void a_time_that_is_none_is_long_ago(void **state)
{
    weft_certificate *certificate;

    (void)state;
    skip_without_certificates();
    certificate = read_row("bad-time");
    assert_true(look(certificate, 0).ends == INT64_MIN);
    weft_certificate_unref(certificate);
}

struct found {
    char text[500];
    size_t length;
};

static void note(weft_certificate_name_kind kind, weft_bytes name, void *arg)
{
    static const char kinds[] = "dieo";
    struct found *found = arg;

    found->length += (size_t)snprintf(found->text + found->length, sizeof found->text - found->length, "%c:%.*s(%zu) ",
                                      kinds[kind], (int)name.length, name.data, name.length);
}

static void check_names(const char *row, int count, const char *names)
{
    weft_certificate *certificate = read_row(row);
    struct found found = {.length = 0};

    assert_int_equal(weft_certificate_names(certificate, 0, note, &found), count);
    assert_string_equal(found.text, names);
    assert_int_equal(weft_certificate_names(certificate, 9, note, &found), -ERANGE);
    weft_certificate_unref(certificate);
}

static void names_are_told_as_they_are(void **state)
{
    (void)state;
    skip_without_certificates();
    check_names("good", 1, "d:server.test(11) ");
    check_names("good-ipv4", 1, "i:127.0.0.1(9) ");
    check_names("good-ipv6", 1, "i:::1(3) ");
    check_names("name-none", 0, "");
    check_names("name-of-uri", 1, "o:URI(3) ");
    check_names("name-empty", 1, "d:(0) ");
    check_names("name-nul", 1, "d:server.test(22) "); /* a NUL within, which ends what is printed here */
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        support_test(every_row_of_the_table_is_read),
        support_test(a_chain_needs_no_key),
        support_test(one_text_may_hold_all_and_words_around_it),
        support_test(a_reference_keeps_it),
        support_test(what_holds_no_certificate_says_so),
        support_test(a_damaged_block_is_named_by_its_line),
        support_test(the_second_certificate_is_named_when_it_is_damaged),
        support_test(bytes_behind_a_certificate_are_refused),
        support_test(keys_that_cannot_be_used_say_why),
        support_test(what_is_beyond_the_limits_is_refused),
        support_test(garbage_is_refused_in_whatever_length),
        support_test(what_is_written_is_read_again),
        support_test(a_buffer_that_is_too_small_is_ended),
        support_test(a_chain_says_who_signed_whom),
        support_test(a_chain_that_does_not_hold_is_seen),
        support_test(a_time_that_is_none_is_long_ago),
        support_test(names_are_told_as_they_are),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
