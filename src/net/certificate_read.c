/* SPDX-License-Identifier: MIT */
/*
 * Certificates and keys from PEM (weft/certificate.h): one block after the
 * other, each by its label, so that what cannot be read can be named by its
 * number and its line, and nothing ever asks for a passphrase.
 */
#include "net/certificate.h"

#include <stdio.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pemerr.h>

#define BEGINNING "-----BEGIN "

/* One block of PEM. */
struct block {
    char *label, *header;
    unsigned char *data;
    long length;
    size_t after; /* where it was looked for */
};

struct reading {
    X509 *chain[WEFT_CERTIFICATE_CHAIN];
    size_t count;
    EVP_PKEY *key;
    weft_bytes text; /* that is being read, and what is wanted of it */
    bool wants_certificates, wants_key;
    weft_failure **why;
};

/* -- blocks -- */

static void block_fini(struct block *block)
{
    OPENSSL_secure_free(block->label);
    OPENSSL_secure_free(block->header);
    OPENSSL_secure_clear_free(block->data, block->length > 0 ? (size_t)block->length : 0);
}

/* In which line, from 1, the block begins that was looked for after @p offset. */
static size_t line_after(weft_bytes text, size_t offset)
{
    weft_bytes rest = weft_bytes_skip(text, offset);
    const char *begin = memmem(rest.data, rest.length, BEGINNING, strlen(BEGINNING));
    size_t line = 1;

    for (const char *at = text.data; at < (begin ? begin : rest.data); at++)
        line += *at == '\n';
    return line;
}

/* Returns 1 and the next block; 0 if there is none; or an error, which was told. */
static int next_block(struct reading *reading, BIO *bio, struct block *ret)
{
    const char *reason;
    int error;

    *ret = (struct block){.after = reading->text.length - BIO_ctrl_pending(bio)};
    ERR_clear_error();
    if (PEM_read_bio_ex(bio, &ret->label, &ret->header, &ret->data, &ret->length,
                        PEM_FLAG_SECURE | PEM_FLAG_EAY_COMPATIBLE) == 1)
        return 1;
    if (ERR_GET_LIB(ERR_peek_last_error()) == ERR_LIB_PEM &&
        ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE) {
        ERR_clear_error();
        return 0;
    }
    error = certificate_error(reading->wants_certificates ? WEFT_ECERTFORM : WEFT_EKEYFORM, &reason);
    return certificate_fail(reading->why, error, "the block in line %zu: %s", line_after(reading->text, ret->after),
                            reason);
}

static bool is_one_of(const char *label, const char *const *labels)
{
    for (; *labels; labels++)
        if (strcmp(label, *labels) == 0)
            return true;
    return false;
}

/* -- what is in them -- */

static int take_certificate(struct reading *reading, const struct block *block)
{
    const unsigned char *at = block->data;
    const char *reason = "something follows it in its block";
    X509 *certificate;
    bool is_read;
    int error = WEFT_ECERTFORM;

    if (reading->count == WEFT_CERTIFICATE_CHAIN)
        return certificate_fail(reading->why, -EFBIG, "there are more than %d certificates", WEFT_CERTIFICATE_CHAIN);
    certificate = X509_new_ex(CERTIFICATE_LIBRARY, NULL);
    is_read = certificate && d2i_X509(&certificate, &at, block->length);
    if (is_read && at == block->data + block->length) {
        reading->chain[reading->count++] = certificate;
        return 0;
    }
    if (!is_read)
        error = certificate_error(error, &reason);
    X509_free(certificate);
    return certificate_fail(reading->why, error, "certificate %zu, in line %zu: %s", reading->count + 1,
                            line_after(reading->text, block->after), reason);
}

static int parse_key(struct reading *reading, const struct block *block)
{
    const unsigned char *at = block->data;
    const char *reason = "something follows it in its block";
    EVP_PKEY *key = d2i_AutoPrivateKey_ex(NULL, &at, block->length, CERTIFICATE_LIBRARY, NULL);
    int error = WEFT_EKEYFORM;

    if (key && at == block->data + block->length) {
        reading->key = key;
        return 0;
    }
    if (!key)
        error = certificate_error(error, &reason);
    EVP_PKEY_free(key);
    return certificate_fail(reading->why, error, "the private key in line %zu: %s",
                            line_after(reading->text, block->after), reason);
}

static int take_key(struct reading *reading, const struct block *block)
{
    if (strcmp(block->label, "ENCRYPTED PRIVATE KEY") == 0 || strstr(block->header, "ENCRYPTED"))
        return certificate_fail(
            reading->why, WEFT_EKEYFORM,
            "the private key in line %zu is encrypted; decrypt it (openssl pkey -in FILE -out OTHER) "
            "and protect the file",
            line_after(reading->text, block->after));
    if (reading->key)
        return certificate_fail(reading->why, WEFT_EKEYFORM, "there is a second private key, in line %zu",
                                line_after(reading->text, block->after));
    return parse_key(reading, block);
}

static int take_block(struct reading *reading, const struct block *block)
{
    static const char *const certificates[] = {"CERTIFICATE", "X509 CERTIFICATE", NULL};
    static const char *const keys[] = {"PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "ENCRYPTED PRIVATE KEY",
                                       NULL};

    if (reading->wants_certificates && is_one_of(block->label, certificates))
        return take_certificate(reading, block);
    if (reading->wants_key && is_one_of(block->label, keys))
        return take_key(reading, block);
    return 0;
}

static int read_text(struct reading *reading, weft_bytes text)
{
    BIO *bio;
    struct block block;
    int status;

    if (text.length > WEFT_CERTIFICATE_TEXT)
        return certificate_fail(reading->why, -EFBIG, "the text is longer than %zu bytes", WEFT_CERTIFICATE_TEXT);
    if (text.length == 0)
        return 0;
    bio = BIO_new_mem_buf(text.data, (int)text.length);
    if (!bio)
        return certificate_fail(reading->why, certificate_error(WEFT_ENOMEM, NULL), "there is no memory to read it");
    reading->text = text;
    while ((status = next_block(reading, bio, &block)) > 0) {
        status = take_block(reading, &block);
        block_fini(&block);
        if (status < 0)
            break;
    }
    BIO_free(bio);
    return status;
}

/* -- the whole -- */

static int read_both(struct reading *reading, weft_bytes chain, weft_bytes key)
{
    int status;

    reading->wants_certificates = true;
    reading->wants_key = key.length == 0;
    status = read_text(reading, chain);
    if (status == 0 && reading->count == 0)
        return certificate_fail(reading->why, WEFT_ECERTFORM,
                                "there is no certificate in it (a block '%sCERTIFICATE-----')", BEGINNING);
    reading->wants_certificates = false;
    reading->wants_key = true;
    if (status == 0)
        status = read_text(reading, key);
    if (status == 0 && key.length > 0 && !reading->key)
        return certificate_fail(reading->why, WEFT_EKEYFORM,
                                "there is no private key in it (a block '%sPRIVATE KEY-----')", BEGINNING);
    return status;
}

static int check_key(const struct reading *reading)
{
    int error;

    if (!reading->key || X509_check_private_key(reading->chain[0], reading->key) == 1)
        return 0;
    error = certificate_error(WEFT_EKEYOTHER, NULL);
    return certificate_fail(reading->why, error, "the private key does not belong to the first certificate");
}

int weft_certificate_read(weft_bytes chain, weft_bytes key, weft_certificate **ret, weft_failure **ret_why)
{
    struct reading reading = {.why = ret_why};
    int status = read_both(&reading, chain, key);

    if (status == 0)
        status = check_key(&reading);
    if (status == 0) {
        status = certificate_make(reading.chain, reading.count, reading.key, ret);
        if (status < 0)
            certificate_fail(ret_why, status, "cannot keep the certificates");
    }
    for (size_t i = 0; i < reading.count; i++)
        X509_free(reading.chain[i]);
    EVP_PKEY_free(reading.key);
    return status;
}
