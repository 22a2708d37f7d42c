/* SPDX-License-Identifier: MIT */
/* Authorities and certificates, good and bad, made in memory. */
#ifndef NET_TLS_CREDENTIALS_H
#define NET_TLS_CREDENTIALS_H

#include <openssl/x509.h>

#include <weft/tls.h>

/* A certificate with its key. */
struct credentials {
    X509 *certificate;
    EVP_PKEY *key;
    char *chain, *key_text; /* PEM */
};

/* What one is to be. Zero: a certificate for a server on localhost that is good from 2000 to 2100, P-256. */
struct credentials_kind {
    const char *subject;   /* its CN; default: "A Certificate" or "An Authority"; "": none */
    const char *names;     /* "DNS:a.example,IP:192.0.2.1"; default: "DNS:localhost"; "": none */
    const char *usage;     /* default: "serverAuth"; "": none is said */
    const char *from, *to; /* "20000101000000Z" */
    const char *status;    /* extension "status_request" (RFC 7633), if it is set */
    unsigned rsa_bits;     /* RSA of so many, instead of P-256 */
    bool authority;
};

/* @p issuer: NULL for one that signs itself. Aborts if it cannot. */
void credentials_make(struct credentials *ret, const struct credentials *issuer, const struct credentials_kind *kind);
void credentials_free(struct credentials *credentials);
/* Adds @p other's certificate behind its own in the PEM text. */
void credentials_append(struct credentials *credentials, const struct credentials *other);
/* As options take it. */
weft_tls_identity credentials_identity(const struct credentials *credentials);
/* An OCSP response about @p about by @p issuer: V_OCSP_CERTSTATUS_GOOD and so on, of @p since until @p to ("2000...";
 * NULL: it does not say). DER, freed with free. */
weft_bytes credentials_staple(const struct credentials *about, const struct credentials *issuer, int status,
                              const char *since, const char *to);
/* The same, signed by @p signer. */
weft_bytes credentials_staple_by(const struct credentials *signer, const struct credentials *about,
                                 const struct credentials *issuer, int status, const char *since, const char *to);

#endif
