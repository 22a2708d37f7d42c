/* SPDX-License-Identifier: MIT */
/*
 * Certificates and keys as somebody hands them over. The first byte of the input says how the rest is taken:
 *
 *     c  PEM, as a chain with perhaps a key in it
 *     d  DER, put into a block "CERTIFICATE"; 2: into two of them
 *     p  DER, put into a block "PRIVATE KEY"
 *
 * What must hold: a failure tells a story and changes nothing; what was read can be looked at, written, and read again.
 */
#include "fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include <weft/certificate.h>
#include <weft/memory.h>

#define CHECK(condition)                                 \
    do {                                                 \
        if (!(condition)) {                              \
            fprintf(stderr, "not so: %s\n", #condition); \
            abort();                                     \
        }                                                \
    } while (0)

static void found(weft_certificate_name_kind kind, weft_bytes name, void *arg)
{
    size_t *sum = arg;

    CHECK(kind <= WEFT_CERTIFICATE_NAME_OTHER);
    for (size_t i = 0; i < name.length; i++)
        *sum += (unsigned char)name.data[i];
}

static void look_at_all(const weft_certificate *certificate)
{
    size_t count = weft_certificate_count(certificate), sum = 0;

    CHECK(count >= 1 && count <= WEFT_CERTIFICATE_CHAIN);
    for (size_t i = 0; i <= count; i++) {
        weft_certificate_about about;
        int status = weft_certificate_look(certificate, i, &about);

        CHECK((status == -ERANGE) == (i == count));
        CHECK(status < 0 || strlen(about.fingerprint) == 64);
        status = weft_certificate_names(certificate, i, found, &sum);
        CHECK((status == -ERANGE) == (i == count));
    }
}

static void read_again(const weft_certificate *certificate)
{
    int length = weft_certificate_write(certificate, NULL, 0);
    char *text = malloc((size_t)length + 1);
    weft_certificate *again;

    CHECK(length > 0 && text);
    CHECK(weft_certificate_write(certificate, text, (size_t)length + 1) == length);
    CHECK(weft_certificate_read(weft_bytes_from(text), weft_bytes_of(NULL, 0), &again, NULL) == 0);
    CHECK(weft_certificate_count(again) == weft_certificate_count(certificate));
    weft_certificate_unref(again);
    free(text);
}

static void try(weft_bytes chain, weft_bytes key)
{
    weft_certificate *certificate = NULL;
    weft_failure *why = NULL;
    int status = weft_certificate_read(chain, key, &certificate, &why);

    CHECK((status == 0) == (certificate != NULL) && (status < 0) == (why != NULL));
    if (certificate) {
        look_at_all(certificate);
        read_again(certificate);
    }
    weft_certificate_unref(certificate);
    weft_failure_unref(why);
}

/* The same in a block of PEM, @times over. */
static void try_block(const char *label, const uint8_t *data, size_t size, int times)
{
    size_t room = (size_t)times * (size * 2 + 200), at = 0;
    char *text = malloc(room), *base64 = malloc(size * 2 + 10);

    CHECK(text && base64);
    EVP_EncodeBlock((unsigned char *)base64, data, (int)size);
    while (times-- > 0) {
        at += (size_t)snprintf(text + at, room - at, "-----BEGIN %s-----\n", label);
        for (size_t i = 0; i < strlen(base64); i += 64)
            at += (size_t)snprintf(text + at, room - at, "%.64s\n", base64 + i);
        at += (size_t)snprintf(text + at, room - at, "-----END %s-----\n", label);
    }
    try(weft_bytes_of(text, at), weft_bytes_of(NULL, 0));
    try(weft_bytes_of(text, at), weft_bytes_of(text, at));
    free(base64);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > 65536)
        return 0;
    switch (data[0]) {
    case 'c':
        try(weft_bytes_of(data + 1, size - 1), weft_bytes_of(NULL, 0));
        break;
    case 'd':
        try_block("CERTIFICATE", data + 1, size - 1, 1);
        break;
    case '2':
        try_block("CERTIFICATE", data + 1, size - 1, 2);
        break;
    default:
        try_block("PRIVATE KEY", data + 1, size - 1, 1);
        break;
    }
    return 0;
}
