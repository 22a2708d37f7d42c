/* SPDX-License-Identifier: MIT */
/* The inside of certificates (weft/certificate.h), for the files that read, write and issue them, and for TLS. */
#ifndef NET_CERTIFICATE_H
#define NET_CERTIFICATE_H

#include <stdatomic.h>

#include <openssl/x509v3.h>

#include <weft/certificate.h>

/* OpenSSL's library context in which keys are made and signatures checked; NULL: that of the process. */
#define CERTIFICATE_LIBRARY NULL

struct weft_certificate {
    atomic_uint references;
    EVP_PKEY *key; /* of the first; NULL: there is none */
    size_t count;
    X509 *chain[];
};

/* Takes one reference more to each of the @p count certificates and to @p key, which may be NULL. Returns 0 or
 * WEFT_ENOMEM. */
int certificate_make(X509 *const *chain, size_t count, EVP_PKEY *key, weft_certificate **ret);

/* -- errors -- */

/* Tells the story, if somebody wants it, and is @p error. */
#define certificate_fail(ret_why, error, ...) \
    certificate_told((ret_why), (error), (ret_why) ? weft_failure_new((error), NULL, __VA_ARGS__) : NULL)
int certificate_told(weft_failure **ret_why, int error, weft_failure *why);

/* Takes what OpenSSL has queued: WEFT_ENOMEM, if it had no memory; else @p otherwise. If @p ret_reason is not NULL, it
 * gets OpenSSL's words for the reason, which are constant. */
int certificate_error(int otherwise, const char **ret_reason);

/* -- names -- */

struct certificate_name {
    weft_certificate_name_kind kind;
    char text[256];   /* in small letters, without a dot at the end */
    uint8_t ip[16];   /* of an address */
    size_t ip_length; /* 4 or 16 */
};

/* What @p text names: the first three kinds. Returns 0 or WEFT_ECERTNAME. */
int certificate_name_parse(const char *text, struct certificate_name *ret, weft_failure **ret_why);
/* One name as it stands in a certificate; NULL if memory is short. */
GENERAL_NAME *certificate_name_make(const struct certificate_name *name);

/* -- what certificates say -- */

/* The extensions that can be added to one that is being made. Each returns whether it was. */
bool certificate_add_basic(X509 *certificate, bool is_authority);
bool certificate_add_key_usage(X509 *certificate, bool is_authority);
bool certificate_add_uses(X509 *certificate, unsigned uses);
bool certificate_add_key_ids(X509 *certificate, const X509 *issuer);
bool certificate_add_names(X509 *certificate, const struct certificate_name *names, size_t count, bool is_critical);
/* Only these, and the machine itself. */
bool certificate_add_constraints(X509 *certificate, const struct certificate_name *only, size_t count);

/* Clamped: INT64_MIN and WEFT_NEVER for what a weft_time cannot hold. */
weft_time certificate_time(const ASN1_TIME *time);

#endif
