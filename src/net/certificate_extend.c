/* SPDX-License-Identifier: MIT */
/* The extensions of certificates that are issued here (RFC 5280 §4.2.1). */
#include <openssl/evp.h>

#include "net/certificate.h"

/* As many bytes of the digest as SHA-1 has, which was taken for it once (RFC 7093 §2, method 1). */
#define KEY_ID 20

static bool add(X509 *certificate, int what, void *value, bool is_critical)
{
    return value && X509_add1_ext_i2d(certificate, what, value, is_critical, X509V3_ADD_DEFAULT) == 1;
}

/* An authority has one level below it. */
bool certificate_add_basic(X509 *certificate, bool is_authority)
{
    BASIC_CONSTRAINTS *basic = BASIC_CONSTRAINTS_new();
    bool is_added = basic;

    if (basic && is_authority) {
        basic->ca = 0xff;
        basic->pathlen = ASN1_INTEGER_new();
        is_added = basic->pathlen && ASN1_INTEGER_set(basic->pathlen, 0) == 1;
    }
    is_added = is_added && add(certificate, NID_basic_constraints, basic, true);
    BASIC_CONSTRAINTS_free(basic);
    return is_added;
}

/* The bits of RFC 5280 §4.2.1.3. Key encipherment is for RSA without forward secrecy, of which nothing is wanted here;
 * but there are clients that ask for it of every RSA key. */
bool certificate_add_key_usage(X509 *certificate, bool is_authority)
{
    enum { DIGITAL_SIGNATURE, NON_REPUDIATION, KEY_ENCIPHERMENT, KEY_CERT_SIGN = 5, CRL_SIGN };
    ASN1_BIT_STRING *bits = ASN1_BIT_STRING_new();
    bool is_rsa = EVP_PKEY_is_a(X509_get0_pubkey(certificate), "RSA");
    bool is_added = bits && ASN1_BIT_STRING_set_bit(bits, is_authority ? KEY_CERT_SIGN : DIGITAL_SIGNATURE, 1) == 1;

    if (is_added && is_authority)
        is_added = ASN1_BIT_STRING_set_bit(bits, CRL_SIGN, 1) == 1;
    else if (is_added && is_rsa)
        is_added = ASN1_BIT_STRING_set_bit(bits, KEY_ENCIPHERMENT, 1) == 1;
    is_added = is_added && add(certificate, NID_key_usage, bits, true);
    ASN1_BIT_STRING_free(bits);
    return is_added;
}

static bool push_use(EXTENDED_KEY_USAGE *list, int what)
{
    ASN1_OBJECT *object = OBJ_nid2obj(what); /* a constant */

    return object && sk_ASN1_OBJECT_push(list, object) > 0;
}

bool certificate_add_uses(X509 *certificate, unsigned uses)
{
    EXTENDED_KEY_USAGE *list = sk_ASN1_OBJECT_new_null();
    bool is_added = list;

    if (is_added && uses & WEFT_CERTIFICATE_SERVER)
        is_added = push_use(list, NID_server_auth);
    if (is_added && uses & WEFT_CERTIFICATE_CLIENT)
        is_added = push_use(list, NID_client_auth);
    is_added = is_added && add(certificate, NID_ext_key_usage, list, false);
    sk_ASN1_OBJECT_pop_free(list, ASN1_OBJECT_free);
    return is_added;
}

static bool add_own_key_id(X509 *certificate)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    ASN1_OCTET_STRING *id = ASN1_OCTET_STRING_new();
    bool is_added = id && X509_pubkey_digest(certificate, EVP_sha256(), digest, NULL) == 1 &&
                    ASN1_OCTET_STRING_set(id, digest, KEY_ID) == 1 &&
                    add(certificate, NID_subject_key_identifier, id, false);

    ASN1_OCTET_STRING_free(id);
    return is_added;
}

/* An authority that somebody else made may have no identifier. */
static bool add_issuer_key_id(X509 *certificate, const X509 *issuer)
{
    const ASN1_OCTET_STRING *id = X509_get0_subject_key_id((X509 *)(uintptr_t)issuer);
    AUTHORITY_KEYID *authority;
    bool is_added;

    if (!id)
        return true;
    authority = AUTHORITY_KEYID_new();
    is_added = authority && (authority->keyid = ASN1_OCTET_STRING_dup(id)) &&
               add(certificate, NID_authority_key_identifier, authority, false);
    AUTHORITY_KEYID_free(authority);
    return is_added;
}

bool certificate_add_key_ids(X509 *certificate, const X509 *issuer)
{
    return add_own_key_id(certificate) && (issuer == certificate || add_issuer_key_id(certificate, issuer));
}

bool certificate_add_names(X509 *certificate, const struct certificate_name *names, size_t count, bool is_critical)
{
    GENERAL_NAMES *list = sk_GENERAL_NAME_new_null();
    bool is_added = list;

    for (size_t i = 0; is_added && i < count; i++) {
        GENERAL_NAME *name = certificate_name_make(&names[i]);

        is_added = name && sk_GENERAL_NAME_push(list, name) > 0;
        if (!is_added)
            GENERAL_NAME_free(name);
    }
    is_added = is_added && add(certificate, NID_subject_alt_name, list, is_critical);
    GENERAL_NAMES_free(list);
    return is_added;
}

/* -- constraints -- */

/* An address and its mask, of @p ip_length bytes each. */
static GENERAL_NAME *make_network(const struct certificate_name *name, unsigned bits)
{
    unsigned char network[32] = {0};
    ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
    GENERAL_NAME *general = GENERAL_NAME_new();

    memcpy(network, name->ip, name->ip_length);
    for (unsigned i = 0; i < bits; i++)
        network[name->ip_length + i / 8] |= (unsigned char)(0x80 >> i % 8);
    if (!value || !general || ASN1_OCTET_STRING_set(value, network, (int)(2 * name->ip_length)) != 1) {
        ASN1_OCTET_STRING_free(value);
        GENERAL_NAME_free(general);
        return NULL;
    }
    GENERAL_NAME_set0_value(general, GEN_IPADD, value);
    return general;
}

/* Takes @p base, which may be NULL. */
static bool permit(NAME_CONSTRAINTS *constraints, GENERAL_NAME *base)
{
    GENERAL_SUBTREE *tree = base ? GENERAL_SUBTREE_new() : NULL;

    if (!tree) {
        GENERAL_NAME_free(base);
        return false;
    }
    GENERAL_NAME_free(tree->base);
    tree->base = base;
    if (sk_GENERAL_SUBTREE_push(constraints->permittedSubtrees, tree) > 0)
        return true;
    GENERAL_SUBTREE_free(tree);
    return false;
}

static bool permit_name(NAME_CONSTRAINTS *constraints, const struct certificate_name *name)
{
    if (name->kind == WEFT_CERTIFICATE_NAME_IP)
        return permit(constraints, make_network(name, (unsigned)name->ip_length * 8));
    return permit(constraints, certificate_name_make(name));
}

/* A kind of name that is permitted nowhere would be free: so the machine's own addresses always stand there, and of the
 * kinds that no entry can be of the domain `invalid`, in which there is nothing (RFC 6761 §6.4). */
bool certificate_add_constraints(X509 *certificate, const struct certificate_name *only, size_t count)
{
    static const struct certificate_name loopback4 = {.ip = {127}, .ip_length = 4};
    static const struct certificate_name loopback6 = {.ip = {[15] = 1}, .ip_length = 16};
    static const struct certificate_name no_host = {.kind = WEFT_CERTIFICATE_NAME_DNS, .text = "invalid"};
    static const struct certificate_name no_mailbox = {.kind = WEFT_CERTIFICATE_NAME_EMAIL, .text = "invalid"};
    NAME_CONSTRAINTS *constraints = NAME_CONSTRAINTS_new();
    bool is_added = constraints && (constraints->permittedSubtrees = sk_GENERAL_SUBTREE_new_null());

    for (size_t i = 0; is_added && i < count; i++)
        is_added = permit_name(constraints, &only[i]);
    is_added = is_added && permit(constraints, make_network(&loopback4, 8)) &&
               permit(constraints, make_network(&loopback6, 128)) && permit_name(constraints, &no_host) &&
               permit_name(constraints, &no_mailbox) && add(certificate, NID_name_constraints, constraints, true);
    NAME_CONSTRAINTS_free(constraints);
    return is_added;
}
