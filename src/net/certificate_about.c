/* SPDX-License-Identifier: MIT */
/* What a certificate says (weft/certificate.h), in words that a program can show. */
#include <errno.h>
#include <stdio.h>
#include <time.h>

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include <weft/address.h>

#include "net/certificate.h"

/* The certificate @p index; OpenSSL keeps what it has found out in what it looks at, under a lock of its own. */
static X509 *at(const weft_certificate *certificate, size_t index)
{
    return index < certificate->count ? certificate->chain[index] : NULL;
}

static void write_hex(char *to, size_t size, const unsigned char *bytes, size_t length)
{
    static const char digits[] = "0123456789abcdef";
    size_t at = 0;

    for (size_t i = 0; i < length && at + 2 < size; i++) {
        to[at++] = digits[bytes[i] >> 4];
        to[at++] = digits[bytes[i] & 15];
    }
    to[at] = '\0';
}

/* -- times -- */

weft_time certificate_time(const ASN1_TIME *time)
{
    struct tm parts;
    weft_time ns;

    if (!time || ASN1_TIME_to_tm(time, &parts) != 1) {
        ERR_clear_error();
        return INT64_MIN;
    }
    if (!__builtin_mul_overflow((int64_t)timegm(&parts), WEFT_SECONDS(1), &ns))
        return ns;
    return parts.tm_year < 70 ? INT64_MIN : WEFT_NEVER;
}

/* -- texts -- */

/* As RFC 4514 writes it: everything but printable ASCII is escaped. */
static bool write_subject(const X509_NAME *name, char *to, size_t size)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *text = NULL;
    long length = -1;

    if (bio && X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253) >= 0)
        length = BIO_get_mem_data(bio, &text);
    if (length >= 0)
        snprintf(to, size, "%.*s", (int)length, length > 0 ? text : "");
    BIO_free(bio);
    return length >= 0;
}

static void write_serial(const ASN1_INTEGER *serial, char *to, size_t size)
{
    bool is_negative = ASN1_STRING_type((const ASN1_STRING *)serial) == V_ASN1_NEG_INTEGER;

    to[0] = '-';
    write_hex(to + is_negative, size - is_negative, ASN1_STRING_get0_data((const ASN1_STRING *)serial),
              (size_t)ASN1_STRING_length((const ASN1_STRING *)serial));
}

static void write_key_kind(X509 *certificate, char *to, size_t size)
{
    EVP_PKEY *key = X509_get0_pubkey(certificate);
    const char *kind = key ? EVP_PKEY_get0_type_name(key) : NULL;
    char group[40] = "";

    if (!kind) {
        snprintf(to, size, "unknown");
    } else if (EVP_PKEY_get_group_name(key, group, sizeof group, NULL) == 1) {
        const char *usual = EC_curve_nid2nist(OBJ_sn2nid(group));
        snprintf(to, size, "%s %s", kind, usual ? usual : group);
    } else if (strncmp(kind, "ED", 2) == 0) {
        snprintf(to, size, "%s", kind);
    } else {
        snprintf(to, size, "%s %d", kind, EVP_PKEY_get_bits(key));
    }
}

static bool write_texts(X509 *certificate, weft_certificate_about *ret)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    const char *signature = OBJ_nid2ln(X509_get_signature_nid(certificate));

    if (X509_digest(certificate, EVP_sha256(), digest, &length) != 1 ||
        !write_subject(X509_get_subject_name(certificate), ret->subject, sizeof ret->subject) ||
        !write_subject(X509_get_issuer_name(certificate), ret->issuer, sizeof ret->issuer))
        return false;
    write_hex(ret->fingerprint, sizeof ret->fingerprint, digest, length);
    write_serial(X509_get0_serialNumber(certificate), ret->serial, sizeof ret->serial);
    write_key_kind(certificate, ret->key, sizeof ret->key);
    snprintf(ret->signature, sizeof ret->signature, "%s", signature ? signature : "unknown");
    return true;
}

/* -- what it may be used for -- */

static unsigned uses_of(X509 *certificate)
{
    uint32_t found = X509_get_extended_key_usage(certificate);
    unsigned uses = 0;

    if (found == UINT32_MAX || found & XKU_ANYEKU)
        return WEFT_CERTIFICATE_ANY;
    if (found & XKU_SSL_SERVER)
        uses |= WEFT_CERTIFICATE_SERVER;
    if (found & XKU_SSL_CLIENT)
        uses |= WEFT_CERTIFICATE_CLIENT;
    if (found == 0 || found & ~(uint32_t)(XKU_SSL_SERVER | XKU_SSL_CLIENT))
        uses |= WEFT_CERTIFICATE_OTHER;
    return uses;
}

static bool is_signed_by(X509 *certificate, X509 *issuer)
{
    EVP_PKEY *key = issuer ? X509_get0_pubkey(issuer) : NULL;

    return key && X509_check_issued(issuer, certificate) == X509_V_OK && X509_verify(certificate, key) == 1;
}

int weft_certificate_look(const weft_certificate *certificate, size_t index, weft_certificate_about *ret)
{
    X509 *here = at(certificate, index);
    weft_certificate_about about = {0};

    if (!here)
        return -ERANGE;
    ERR_clear_error();
    if (X509_get_extension_flags(here) & EXFLAG_INVALID || !write_texts(here, &about))
        return certificate_error(WEFT_ECERTFORM, NULL);
    about.begins = certificate_time(X509_get0_notBefore(here));
    about.ends = certificate_time(X509_get0_notAfter(here));
    about.uses = uses_of(here);
    about.is_authority = X509_check_ca(here) > 0;
    about.path_length = (int)X509_get_pathlen(here);
    about.is_self_signed = X509_self_signed(here, 1) == 1;
    about.is_signed_by_next = is_signed_by(here, at(certificate, index + 1));
    ERR_clear_error();
    *ret = about;
    return 0;
}

/* -- names -- */

static void tell_address(const ASN1_OCTET_STRING *ip, weft_certificate_found *found, void *arg)
{
    weft_address address = {.family = ASN1_STRING_length(ip) == 4 ? WEFT_ADDRESS_IPV4 : WEFT_ADDRESS_IPV6};
    char text[WEFT_ADDRESS_TEXT] = "damaged";

    if (ASN1_STRING_length(ip) == 4 || ASN1_STRING_length(ip) == 16) {
        memcpy(address.ip, ASN1_STRING_get0_data(ip), (size_t)ASN1_STRING_length(ip));
        weft_address_host(&address, text);
    }
    found(WEFT_CERTIFICATE_NAME_IP, weft_bytes_from(text), arg);
}

static weft_bytes bytes_of(const ASN1_STRING *string)
{
    return weft_bytes_of(ASN1_STRING_get0_data(string), (size_t)ASN1_STRING_length(string));
}

static void tell_name(const GENERAL_NAME *name, weft_certificate_found *found, void *arg)
{
    switch (name->type) {
    case GEN_DNS:
        found(WEFT_CERTIFICATE_NAME_DNS, bytes_of(name->d.dNSName), arg);
        break;
    case GEN_IPADD:
        tell_address(name->d.iPAddress, found, arg);
        break;
    case GEN_EMAIL:
        found(WEFT_CERTIFICATE_NAME_EMAIL, bytes_of(name->d.rfc822Name), arg);
        break;
    case GEN_URI:
        found(WEFT_CERTIFICATE_NAME_OTHER, weft_bytes_from("URI"), arg);
        break;
    case GEN_DIRNAME:
        found(WEFT_CERTIFICATE_NAME_OTHER, weft_bytes_from("directory name"), arg);
        break;
    default:
        found(WEFT_CERTIFICATE_NAME_OTHER, weft_bytes_from("another kind of name"), arg);
        break;
    }
}

int weft_certificate_names(const weft_certificate *certificate, size_t index, weft_certificate_found *found, void *arg)
{
    X509 *here = at(certificate, index);
    GENERAL_NAMES *names;
    int critical, count;

    if (!here)
        return -ERANGE;
    ERR_clear_error();
    names = X509_get_ext_d2i(here, NID_subject_alt_name, &critical, NULL);
    if (!names)
        return critical == -1 ? certificate_error(0, NULL) : certificate_error(WEFT_ECERTFORM, NULL);
    count = sk_GENERAL_NAME_num(names);
    for (int i = 0; i < count; i++)
        tell_name(sk_GENERAL_NAME_value(names, i), found, arg);
    GENERAL_NAMES_free(names);
    return count;
}
