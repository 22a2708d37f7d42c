/* SPDX-License-Identifier: MIT */
/* What OpenSSL allocates fails, too. It keeps some of it, so leaks are for the address sanitizer to find. */
#include <weft/certificate.h>

#include <stdio.h>
#include <stdlib.h>

#include <openssl/crypto.h>

#include <weft/loop.h>
#include <weft/memory.h>

#include "support/support.h"

/* Between two allocations that are made to fail: there are 10,000. */
static size_t stride = 23;
static size_t allocations, fails_at, injected;

static bool fails(void)
{
    bool now = ++allocations == fails_at;

    injected += now;
    return now;
}

static void *allocate(size_t size, const char *file, int line)
{
    (void)file, (void)line;
    return fails() ? NULL : malloc(size);
}

static void *reallocate(void *memory, size_t size, const char *file, int line)
{
    (void)file, (void)line;
    return fails() ? NULL : realloc(memory, size);
}

static void release(void *memory, const char *file, int line)
{
    (void)file, (void)line;
    free(memory);
}

static weft_loop *loop;

static int check(int status)
{
    if (status < 0 && status != WEFT_ENOMEM && injected == 0)
        fail_msg("failed with %s though nothing was made to fail", weft_error_name(status));
    return status;
}

static void found(weft_certificate_name_kind kind, weft_bytes name, void *arg)
{
    (void)arg;
    assert_int_equal(kind, WEFT_CERTIFICATE_NAME_DNS);
    assert_int_equal(name.length, 6);
}

static int read_again(const weft_certificate *made)
{
    char chain[4096], key[4096];
    weft_certificate_about about;
    weft_certificate *again;
    int length = check(weft_certificate_write(made, chain, sizeof chain)), status;
    int key_length = length < 0 ? length : check(weft_certificate_write_key(made, key, sizeof key));

    if (key_length < 0)
        return key_length;
    status = check(weft_certificate_read(weft_bytes_from(chain), weft_bytes_from(key), &again, NULL));
    if (status < 0)
        return status;
    status = check(weft_certificate_look(again, 0, &about));
    if (status == 0)
        assert_int_equal(about.uses, WEFT_CERTIFICATE_SERVER);
    if (status == 0)
        status = check(weft_certificate_names(again, 0, found, NULL));
    assert_true(status < 0 || status == 1);
    weft_certificate_unref(again);
    return status < 0 ? status : 0;
}

/* All that this part can do. */
static int scenario(void)
{
    static const char *const only[] = {"test"}, *const names[] = {"a.test"};
    weft_certificate *authority, *made;
    weft_failure *why = NULL;
    int status = check(weft_certificate_authority_new(
        loop,
        &(weft_certificate_authority_options){
            .size = sizeof(weft_certificate_authority_options), .only = only, .only_count = 1},
        &authority, &why));

    weft_failure_unref(why);
    if (status < 0)
        return status;
    status = check(weft_certificate_issue(
        loop, authority,
        &(weft_certificate_options){.size = sizeof(weft_certificate_options), .names = names, .name_count = 1}, &made,
        NULL));
    weft_certificate_unref(authority);
    if (status < 0)
        return status;
    status = read_again(made);
    weft_certificate_unref(made);
    return status;
}

static void every_allocation_of_openssl_may_fail(void **state)
{
    weft_loop_options options = {.size = sizeof options, .backend = "sim:5"};
    size_t count, failed = 0;

    (void)state;
    assert_int_equal(weft_loop_new(&options, &loop), 0);
    assert_int_equal(scenario(), 0); /* what is fetched once is fetched */
    allocations = 0;
    assert_int_equal(scenario(), 0);
    count = allocations;
    for (size_t k = 1; k <= count; k += stride) {
        support_set_context("allocation %zu of %zu", k, count);
        allocations = injected = 0;
        fails_at = k;
        failed += scenario() < 0;
        fails_at = injected = 0;
    }
    assert_int_equal(scenario(), 0);
    support_clear_context();
    printf("%zu allocations, %zu failures told\n", count, failed);
    assert_true(failed > 0); /* most are OpenSSL's attempts at other kinds of keys */
    weft_loop_free(loop);
}

/* With an argument every allocation fails. */
int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {support_test(every_allocation_of_openssl_may_fail)};

    (void)argv;
    if (argc > 1)
        stride = 1;
    if (CRYPTO_set_mem_functions(allocate, reallocate, release) != 1)
        return 77;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
