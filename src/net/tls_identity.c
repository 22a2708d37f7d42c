/* SPDX-License-Identifier: MIT */
/* Certificates and keys, from PEM in memory: OpenSSL opens no file. */
#include "net/tls_internal.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>

#include <weft/memory.h>
#include <weft/secret.h>

#include "backend/file.h"

/* All authorities of a system are some 250 KiB. */
#define FILE_MOST (8 * 1024 * 1024)

/* Bytes that were given, or that a file holds. */
struct content {
    weft_bytes bytes;
    char *loaded; /* or NULL */
};

static int load(weft_bytes given, const char *file, struct content *ret, weft_failure **ret_failure)
{
    size_t length;
    int status;

    *ret = (struct content){.bytes = given};
    if (!file)
        return 0;
    status = file_read_whole(file, FILE_MOST, &ret->loaded, &length);
    if (status < 0)
        return tls_error_setup(status, ret_failure, "%s", file);
    ret->bytes = weft_bytes_of(ret->loaded, length);
    return 0;
}

static void unload(struct content *content)
{
    if (content->loaded)
        weft_secret_clear(content->loaded, content->bytes.length);
    weft_release(content->loaded);
}

static BIO *bio_of(weft_bytes bytes)
{
    return bytes.length <= INT32_MAX ? BIO_new_mem_buf(bytes.data ? bytes.data : "", (int)bytes.length) : NULL;
}

/* Nobody is asked for a passphrase. */
static int no_passphrase(char *buffer, int size, int writing, void *arg)
{
    (void)buffer;
    (void)size;
    (void)writing;
    (void)arg;
    return -1;
}

/* The next certificate; NULL at the end, with nothing in OpenSSL's queue of errors, or if it is damaged. */
static X509 *next_certificate(BIO *bio)
{
    X509 *certificate = X509_new_ex(tls_library(), NULL);

    if (certificate && PEM_read_bio_X509(bio, &certificate, no_passphrase, NULL))
        return certificate;
    X509_free(certificate);
    if (ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE)
        ERR_clear_error();
    return NULL;
}

static const char *name_of(const weft_tls_identity *identity)
{
    return identity->chain_file ? identity->chain_file : "the certificate that was given";
}

static int use_chain(SSL_CTX *context, const weft_tls_identity *identity, weft_bytes text, weft_failure **ret_failure)
{
    BIO *bio = bio_of(text);
    X509 *certificate = bio ? next_certificate(bio) : NULL;
    bool good = certificate && SSL_CTX_use_certificate(context, certificate);
    bool was_there = certificate;

    X509_free(certificate);
    while (good && (certificate = next_certificate(bio))) {
        good = SSL_CTX_add0_chain_cert(context, certificate);
        if (!good)
            X509_free(certificate);
    }
    if (good && ERR_peek_error())
        good = false;
    BIO_free(bio);
    if (good)
        return 0;
    if (!was_there && !ERR_peek_error())
        return tls_error_setup(WEFT_ETLSCREDENTIALS, ret_failure, "%s: there is no certificate in it",
                               name_of(identity));
    return tls_error_setup(WEFT_ETLSCREDENTIALS, ret_failure, "%s: a certificate in it cannot be used",
                           name_of(identity));
}

static int use_key(SSL_CTX *context, const weft_tls_identity *identity, weft_bytes text, weft_failure **ret_failure)
{
    const char *name = identity->key_file ? identity->key_file : identity->key.length ? "the key" : name_of(identity);
    BIO *bio = bio_of(text);
    EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey_ex(bio, NULL, no_passphrase, NULL, tls_library(), NULL) : NULL;
    int status = 0;

    BIO_free(bio);
    if (!key) {
        if (ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE)
            ERR_clear_error();
        return tls_error_setup(WEFT_ETLSCREDENTIALS, ret_failure, "%s: there is no private key in it%s", name,
                               ERR_peek_error() ? " that can be read (one with a passphrase cannot)" : "");
    }
    if (!SSL_CTX_use_PrivateKey(context, key) || !SSL_CTX_check_private_key(context))
        status = tls_error_setup(WEFT_ETLSCREDENTIALS, ret_failure, "%s: the private key is not that of %s", name,
                                 name_of(identity));
    EVP_PKEY_free(key);
    return status;
}

int tls_identity_use(SSL_CTX *context, const weft_tls_identity *identity, X509 **ret_leaf, weft_failure **ret_failure)
{
    struct content chain, key = {.bytes = {NULL, 0}};
    bool apart = identity->key_file || identity->key.length > 0;
    int status = load(identity->chain, identity->chain_file, &chain, ret_failure);

    if (status < 0)
        return status;
    status = load(identity->key, identity->key_file, &key, ret_failure);
    if (status == 0)
        status = use_chain(context, identity, chain.bytes, ret_failure);
    if (status == 0)
        status = use_key(context, identity, apart ? key.bytes : chain.bytes, ret_failure);
    unload(&chain);
    unload(&key);
    if (status == 0)
        *ret_leaf = SSL_CTX_get0_certificate(context);
    return status;
}

int tls_identity_staple(const weft_tls_identity *identity, weft_bytes *ret, weft_failure **ret_failure)
{
    struct content staple;
    char *copy;
    int status = load(identity->staple, identity->staple_file, &staple, ret_failure);

    if (status < 0)
        return status;
    copy = weft_allocate(staple.bytes.length + 1);
    if (copy) {
        if (staple.bytes.length > 0)
            memcpy(copy, staple.bytes.data, staple.bytes.length);
        *ret = weft_bytes_of(copy, staple.bytes.length);
    }
    unload(&staple);
    return copy ? 0 : tls_error_setup(WEFT_ENOMEM, ret_failure, "OCSP");
}

/* -- authorities -- */

static int add_authority(X509_STORE *store, STACK_OF(X509_NAME) * names, X509 *certificate)
{
    X509_NAME *name;

    if (!X509_STORE_add_cert(store, certificate))
        return WEFT_ENOMEM;
    if (!names)
        return 0;
    name = X509_NAME_dup(X509_get_subject_name(certificate));
    if (name && sk_X509_NAME_push(names, name))
        return 0;
    X509_NAME_free(name);
    return WEFT_ENOMEM;
}

int tls_authorities(X509_STORE *store, STACK_OF(X509_NAME) * names, weft_bytes text, const char *file,
                    weft_failure **ret_failure)
{
    const char *source = file ? file : "the authorities";
    struct content content;
    X509 *certificate;
    size_t count = 0;
    BIO *bio;
    int status = load(text, file, &content, ret_failure);

    if (status < 0)
        return status;
    bio = bio_of(content.bytes);
    while (status == 0 && bio && (certificate = next_certificate(bio))) {
        status = add_authority(store, names, certificate);
        X509_free(certificate);
        count++;
    }
    BIO_free(bio);
    unload(&content);
    if (status < 0)
        return tls_error_setup(status, ret_failure, "%s", source);
    if (ERR_peek_error())
        return tls_error_setup(WEFT_ETLSCREDENTIALS, ret_failure, "%s: a certificate in it cannot be read", source);
    if (count == 0)
        return tls_error_setup(WEFT_ETLSCREDENTIALS, ret_failure, "%s: there is no certificate in it", source);
    return 0;
}

int tls_authorities_of_system(X509_STORE *store, weft_failure **ret_failure)
{
    static const char *const places[] = {
        "/etc/ssl/certs/ca-certificates.crt",                /* Debian, Arch, Gentoo */
        "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", /* Fedora */
        "/etc/pki/tls/certs/ca-bundle.crt",                  /* older ones */
        "/etc/ssl/ca-bundle.pem",                            /* SUSE */
        "/etc/ssl/cert.pem",                                 /* Alpine, the BSDs */
    };
    int status = -ENOENT;

    for (size_t i = 0; i < sizeof places / sizeof *places && status == -ENOENT; i++) {
        weft_failure *failure = NULL;

        status = tls_authorities(store, NULL, weft_bytes_of(NULL, 0), places[i], &failure);
        if (status < 0 && status != -ENOENT && ret_failure)
            *ret_failure = failure;
        else
            weft_failure_unref(failure);
    }
    /* Nobody is trusted then, which the first handshake will say. */
    return status == -ENOENT ? 0 : status;
}

/* -- names -- */

static weft_bytes text_of(const ASN1_STRING *string)
{
    return weft_bytes_of(ASN1_STRING_get0_data(string), (size_t)ASN1_STRING_length(string));
}

int tls_names_visit(X509 *certificate, int (*visit)(weft_bytes name, void *arg), void *arg)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    int status = 0;

    for (int i = 0; status >= 0 && i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

        if (name->type == GEN_DNS)
            status = visit(text_of(name->d.dNSName), arg);
    }
    GENERAL_NAMES_free(names);
    return status;
}

/* "192.0.2.1", or an IPv6 address in full. */
static void address_text(weft_bytes address, char buffer[48])
{
    size_t length = 0;

    if (address.length == 4) {
        const uint8_t *ip = (const uint8_t *)address.data;

        snprintf(buffer, 48, "%u.%u.%u.%u", ip[0], ip[1], ip[2], ip[3]);
        return;
    }
    buffer[0] = '\0';
    for (size_t i = 0; i + 1 < address.length && i < 16; i += 2)
        length += (size_t)snprintf(buffer + length, 48 - length, "%s%x", i ? ":" : "",
                                   (unsigned)((uint8_t)address.data[i] << 8 | (uint8_t)address.data[i + 1]));
}

/* A certificate may bear any bytes, a NUL among them. */
static void copy_printable(char *to, weft_bytes text)
{
    for (size_t i = 0; i < text.length; i++)
        to[i] = text.data[i] > ' ' && text.data[i] < 0x7f ? text.data[i] : '?';
}

size_t tls_names_text(X509 *certificate, char *buffer, size_t size)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    size_t length = 0, fits = 0;

    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        char address[48];
        weft_bytes text;
        size_t added;

        if (name->type != GEN_DNS && name->type != GEN_IPADD)
            continue;
        if (name->type == GEN_IPADD)
            address_text(text_of(name->d.iPAddress), address);
        text = name->type == GEN_DNS ? text_of(name->d.dNSName) : weft_bytes_from(address);
        added = text.length + (length > 0);
        if (length == fits && length + added < size) {
            if (length > 0)
                buffer[length] = ' ';
            copy_printable(buffer + length + (length > 0), text);
            fits += added;
        }
        length += added;
    }
    GENERAL_NAMES_free(names);
    if (size > 0)
        buffer[fits] = '\0';
    return length;
}
