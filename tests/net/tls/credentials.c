/* SPDX-License-Identifier: MIT */
#include "net/tls/credentials.h"

#include <openssl/evp.h>
#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FROM "20000101000000Z"
#define TO "21000101000000Z"

static void demand(bool condition, const char *what)
{
    if (!condition) {
        fprintf(stderr, "cannot make a certificate: %s\n", what);
        abort();
    }
}

static void extend(X509 *certificate, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;
    X509_EXTENSION *extension;

    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    demand(extension && X509_add_ext(certificate, extension, -1), value);
    X509_EXTENSION_free(extension);
}

static char *text_of(BIO *bio)
{
    char *data, *text;
    long length = BIO_get_mem_data(bio, &data);

    text = malloc((size_t)length + 1);
    demand(text, "memory");
    memcpy(text, data, (size_t)length);
    text[length] = '\0';
    BIO_free(bio);
    return text;
}

static void write_texts(struct credentials *credentials)
{
    BIO *chain = BIO_new(BIO_s_mem()), *key = BIO_new(BIO_s_mem());

    demand(PEM_write_bio_X509(chain, credentials->certificate) &&
               PEM_write_bio_PKCS8PrivateKey(key, credentials->key, NULL, NULL, 0, NULL, NULL),
           "PEM");
    credentials->chain = text_of(chain);
    credentials->key_text = text_of(key);
}

static void name_subject(X509 *certificate, const char *subject)
{
    demand(X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                                      (const unsigned char *)subject, -1, -1, 0),
           subject);
}

void credentials_make(struct credentials *ret, const struct credentials *issuer, const struct credentials_kind *kind)
{
    static long serial = 1000;
    const char *names = kind->names ? kind->names : kind->authority ? "" : "DNS:localhost";
    const char *usage = kind->usage ? kind->usage : kind->authority ? "" : "serverAuth";
    X509 *certificate = X509_new(), *above = issuer ? issuer->certificate : certificate;

    ret->key = kind->rsa_bits ? EVP_RSA_gen(kind->rsa_bits) : EVP_EC_gen("P-256");
    ret->certificate = certificate;
    demand(certificate && ret->key, "key");
    X509_set_version(certificate, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial);
    ASN1_TIME_set_string(X509_getm_notBefore(certificate), kind->from ? kind->from : FROM);
    ASN1_TIME_set_string(X509_getm_notAfter(certificate), kind->to ? kind->to : TO);
    if (!kind->subject || *kind->subject)
        name_subject(certificate, kind->subject ? kind->subject : kind->authority ? "An Authority" : "A Certificate");
    X509_set_issuer_name(certificate, X509_get_subject_name(above));
    X509_set_pubkey(certificate, ret->key);
    extend(certificate, above, NID_basic_constraints, kind->authority ? "critical,CA:TRUE" : "critical,CA:FALSE");
    extend(certificate, above, NID_key_usage, kind->authority ? "critical,keyCertSign" : "critical,digitalSignature");
    extend(certificate, above, NID_subject_key_identifier, "hash");
    if (*names)
        extend(certificate, above, NID_subject_alt_name, names);
    if (*usage)
        extend(certificate, above, NID_ext_key_usage, usage);
    if (kind->status)
        extend(certificate, above, NID_tlsfeature, kind->status);
    demand(X509_sign(certificate, issuer ? issuer->key : ret->key, EVP_sha256()), "signature");
    write_texts(ret);
}

void credentials_free(struct credentials *credentials)
{
    X509_free(credentials->certificate);
    EVP_PKEY_free(credentials->key);
    free(credentials->chain);
    free(credentials->key_text);
}

void credentials_append(struct credentials *credentials, const struct credentials *other)
{
    size_t length = strlen(credentials->chain), more = strlen(other->chain);
    char *chain = realloc(credentials->chain, length + more + 1);

    demand(chain, "memory");
    memcpy(chain + length, other->chain, more + 1);
    credentials->chain = chain;
}

weft_tls_identity credentials_identity(const struct credentials *credentials)
{
    return (weft_tls_identity){.chain = weft_bytes_from(credentials->chain),
                               .key = weft_bytes_from(credentials->key_text)};
}

/* OpenSSL makes none whose end is no time: it is written into the one that it has made. */
static void set_end(OCSP_BASICRESP *basic, const char *to)
{
    ASN1_GENERALIZEDTIME *until = NULL;

    (void)OCSP_single_get0_status(OCSP_resp_get0(basic, 0), NULL, NULL, NULL, &until);
    demand(until && ASN1_STRING_set(until, to, -1), "OCSP");
}

weft_bytes credentials_staple(const struct credentials *about, const struct credentials *issuer, int status,
                              const char *since, const char *to)
{
    return credentials_staple_by(issuer, about, issuer, status, since, to);
}

weft_bytes credentials_staple_by(const struct credentials *signer, const struct credentials *about,
                                 const struct credentials *issuer, int status, const char *since, const char *to)
{
    OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
    OCSP_CERTID *id = OCSP_cert_to_id(EVP_sha1(), about->certificate, issuer->certificate);
    ASN1_TIME *from = ASN1_TIME_new();
    OCSP_RESPONSE *response;
    unsigned char *der = NULL, *copy;
    int length;

    ASN1_TIME_set_string(from, since);
    demand(OCSP_basic_add1_status(basic, id, status, OCSP_REVOKED_STATUS_NOSTATUS,
                                  status == V_OCSP_CERTSTATUS_REVOKED ? from : NULL, from, to ? from : NULL),
           "OCSP");
    if (to)
        set_end(basic, to);
    demand(OCSP_basic_sign(basic, signer->certificate, signer->key, EVP_sha256(), NULL, 0), "OCSP");
    response = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
    length = i2d_OCSP_RESPONSE(response, &der);
    demand(length > 0, "OCSP");
    copy = malloc((size_t)length);
    demand(copy, "memory");
    memcpy(copy, der, (size_t)length);
    OPENSSL_free(der);
    OCSP_RESPONSE_free(response);
    OCSP_BASICRESP_free(basic);
    OCSP_CERTID_free(id);
    ASN1_TIME_free(from);
    return weft_bytes_of(copy, (size_t)length);
}
