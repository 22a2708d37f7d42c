/* SPDX-License-Identifier: MIT */
/* The life of certificates (weft/certificate.h), their errors, and how they are written. */
#include "net/certificate.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <weft/memory.h>

/* -- life -- */

int certificate_make(X509 *const *chain, size_t count, EVP_PKEY *key, weft_certificate **ret)
{
    weft_certificate *certificate = weft_allocate_zeroed(1, sizeof *certificate + count * sizeof(X509 *));

    if (!certificate)
        return WEFT_ENOMEM;
    atomic_init(&certificate->references, 1);
    for (; certificate->count < count; certificate->count++) {
        X509_up_ref(chain[certificate->count]);
        certificate->chain[certificate->count] = chain[certificate->count];
    }
    if (key)
        EVP_PKEY_up_ref(key);
    certificate->key = key;
    *ret = certificate;
    return 0;
}

weft_certificate *weft_certificate_ref(weft_certificate *certificate)
{
    atomic_fetch_add_explicit(&certificate->references, 1, memory_order_relaxed);
    return certificate;
}

void weft_certificate_unref(weft_certificate *certificate)
{
    if (!certificate || atomic_fetch_sub(&certificate->references, 1) != 1)
        return;
    for (size_t i = 0; i < certificate->count; i++)
        X509_free(certificate->chain[i]);
    EVP_PKEY_free(certificate->key); /* clears it */
    weft_release(certificate);
}

size_t weft_certificate_count(const weft_certificate *certificate)
{
    return certificate->count;
}

bool weft_certificate_has_key(const weft_certificate *certificate)
{
    return certificate->key;
}

/* -- errors -- */

int certificate_told(weft_failure **ret_why, int error, weft_failure *why)
{
    if (ret_why)
        *ret_why = why;
    return error;
}

int certificate_error(int otherwise, const char **ret_reason)
{
    unsigned long first = ERR_peek_error(), last = ERR_peek_last_error();
    const char *reason = first != 0 ? ERR_reason_error_string(first) : NULL;

    ERR_clear_error();
    if (ret_reason)
        *ret_reason = reason ? reason : "for a reason that OpenSSL does not give";
    if (ERR_GET_REASON(first) == ERR_R_MALLOC_FAILURE || ERR_GET_REASON(last) == ERR_R_MALLOC_FAILURE)
        return WEFT_ENOMEM;
    return otherwise;
}

/* -- writing -- */

/* What was written to @p bio, which is taken. */
static int take_text(BIO *bio, bool is_written, char *buffer, size_t size)
{
    char *text = NULL;
    long length = is_written ? BIO_get_mem_data(bio, &text) : -1;

    if (length < 0 || length > INT32_MAX) {
        BIO_free(bio);
        return certificate_error(WEFT_ECRYPTO, NULL);
    }
    if (size > 0) {
        size_t count = (size_t)length < size ? (size_t)length : size - 1;

        if (count > 0)
            memcpy(buffer, text, count);
        buffer[count] = '\0';
    }
    BIO_free(bio);
    return (int)length;
}

int weft_certificate_write(const weft_certificate *certificate, char *buffer, size_t size)
{
    BIO *bio = BIO_new(BIO_s_secmem());
    bool is_written = bio;

    for (size_t i = 0; is_written && i < certificate->count; i++)
        is_written = PEM_write_bio_X509(bio, certificate->chain[i]) == 1;
    return take_text(bio, is_written, buffer, size);
}

int weft_certificate_write_key(const weft_certificate *certificate, char *buffer, size_t size)
{
    BIO *bio;
    bool is_written;

    if (!certificate->key)
        return WEFT_EKEYFORM;
    bio = BIO_new(BIO_s_secmem()); /* cleared when it is freed */
    is_written = bio && PEM_write_bio_PKCS8PrivateKey(bio, certificate->key, NULL, NULL, 0, NULL, NULL) == 1;
    return take_text(bio, is_written, buffer, size);
}
