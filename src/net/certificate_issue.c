/* SPDX-License-Identifier: MIT */
/* Authorities, and the certificates that they sign (weft/certificate.h). */
#include <errno.h>
#include <stdio.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include <weft/loop.h>
#include <weft/memory.h>

#include "base/options.h"
#include "net/certificate.h"

#define AUTHORITY_LIFETIME WEFT_HOURS(24 * 365 * 10)
#define LIFETIME WEFT_HOURS(24 * 90)
/* For clocks that are late. */
#define EARLIER WEFT_HOURS(1)
/* RFC 5280 §4.1.2.2: at most 20 bytes, positive; and random, so that nobody can foretell what is signed. */
#define SERIAL 20
#define RSA_BITS ((size_t)2048)

/* A certificate that is being made. */
struct issue {
    weft_loop *loop;
    weft_failure **why;
    X509 *certificate;
    EVP_PKEY *key;
    struct certificate_name *names;
    size_t count;
    weft_time begins, ends;
};

static void issue_fini(struct issue *issue)
{
    X509_free(issue->certificate);
    EVP_PKEY_free(issue->key);
    weft_release(issue->names);
}

static int fail(const struct issue *issue, const char *doing)
{
    const char *reason;
    int error = certificate_error(WEFT_ECRYPTO, &reason);

    return certificate_fail(issue->why, error, "%s: %s", doing, reason);
}

/* -- what every certificate has -- */

static EVP_PKEY *make_key(weft_certificate_key kind)
{
    switch (kind) {
    case WEFT_CERTIFICATE_P384:
        return EVP_PKEY_Q_keygen(CERTIFICATE_LIBRARY, NULL, "EC", "P-384");
    case WEFT_CERTIFICATE_ED25519:
        return EVP_PKEY_Q_keygen(CERTIFICATE_LIBRARY, NULL, "ED25519");
    case WEFT_CERTIFICATE_RSA:
        return EVP_PKEY_Q_keygen(CERTIFICATE_LIBRARY, NULL, "RSA", RSA_BITS);
    default:
        return EVP_PKEY_Q_keygen(CERTIFICATE_LIBRARY, NULL, "EC", "P-256");
    }
}

static int parse_names(struct issue *issue, const char *const *names, size_t count)
{
    int status = 0;

    if (count > WEFT_CERTIFICATE_NAMES || (count > 0 && !names))
        return certificate_fail(issue->why, -EINVAL, "there may be at most %d names", WEFT_CERTIFICATE_NAMES);
    issue->names = weft_allocate_zeroed(count + 1, sizeof *issue->names);
    if (!issue->names)
        return certificate_fail(issue->why, WEFT_ENOMEM, "there is no memory for the names");
    for (; status == 0 && issue->count < count; issue->count++)
        status = certificate_name_parse(names[issue->count], &issue->names[issue->count], issue->why);
    return status;
}

static int set_times(struct issue *issue, weft_time lifetime, const X509 *issuer)
{
    weft_time now = weft_loop_wall(issue->loop);

    if (lifetime < 0)
        return certificate_fail(issue->why, -EINVAL, "a lifetime cannot be negative");
    issue->begins = now - EARLIER;
    if (__builtin_add_overflow(now, lifetime, &issue->ends))
        issue->ends = WEFT_NEVER - 1;
    if (issuer && issue->begins < certificate_time(X509_get0_notBefore(issuer)))
        issue->begins = certificate_time(X509_get0_notBefore(issuer));
    if (issuer && issue->ends > certificate_time(X509_get0_notAfter(issuer)))
        issue->ends = certificate_time(X509_get0_notAfter(issuer));
    if (!ASN1_TIME_set(X509_getm_notBefore(issue->certificate), issue->begins / WEFT_SECONDS(1)) ||
        !ASN1_TIME_set(X509_getm_notAfter(issue->certificate), issue->ends / WEFT_SECONDS(1)))
        return fail(issue, "cannot say how long it is valid");
    return 0;
}

/* The key, the serial number and the time. @p issuer is NULL for what signs itself. */
static int begin(struct issue *issue, weft_certificate_key kind, weft_time lifetime, const X509 *issuer)
{
    unsigned char serial[SERIAL];
    int status = weft_loop_entropy(issue->loop, serial, sizeof serial);

    if (status < 0)
        return certificate_fail(issue->why, status, "no randomness can be had for its number");
    serial[0] = (serial[0] & 0x7f) | 0x40; /* of one length, and positive */
    ERR_clear_error();
    issue->key = make_key(kind);
    if (!issue->key)
        return fail(issue, "cannot make a key");
    issue->certificate = X509_new_ex(CERTIFICATE_LIBRARY, NULL);
    if (!issue->certificate || X509_set_version(issue->certificate, X509_VERSION_3) != 1 ||
        X509_set_pubkey(issue->certificate, issue->key) != 1 ||
        ASN1_STRING_set(X509_get_serialNumber(issue->certificate), serial, sizeof serial) != 1)
        return fail(issue, "cannot begin a certificate");
    return set_times(issue, lifetime, issuer);
}

static int set_common_name(const struct issue *issue, const char *text)
{
    X509_NAME *subject = X509_get_subject_name(issue->certificate);
    const char *reason;
    int error;

    if (X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_UTF8, (const unsigned char *)text, -1, -1, 0) == 1)
        return 0;
    error = certificate_error(WEFT_ECERTNAME, &reason);
    return certificate_fail(issue->why, error, "the name '%.100s': %s", text, reason);
}

/* -- signing -- */

/* The digest that goes with @p key; EdDSA brings its own. */
static const EVP_MD *digest_for(const EVP_PKEY *key)
{
    if (EVP_PKEY_is_a(key, "ED25519") || EVP_PKEY_is_a(key, "ED448"))
        return NULL;
    return EVP_PKEY_is_a(key, "EC") && EVP_PKEY_get_bits(key) >= 384 ? EVP_sha384() : EVP_sha256();
}

/* Signs with @p key, and makes the chain: what was made, and of @p authority all that whoever verifies need not have. */
static int finish(const struct issue *issue, EVP_PKEY *key, const weft_certificate *authority, weft_certificate **ret)
{
    X509 *chain[WEFT_CERTIFICATE_CHAIN + 1] = {issue->certificate};
    size_t count = 1;
    int status;

    if (X509_sign(issue->certificate, key, digest_for(key)) == 0)
        return fail(issue, "cannot sign it");
    for (size_t i = 0; authority && i < authority->count; i++)
        if (!(X509_get_extension_flags(authority->chain[i]) & EXFLAG_SS))
            chain[count++] = authority->chain[i];
    status = certificate_make(chain, count, issue->key, ret);
    return status < 0 ? certificate_fail(issue->why, status, "there is no memory for the chain") : 0;
}

/* -- an authority -- */

static int name_authority(const struct issue *issue, const char *name)
{
    const unsigned char *serial = ASN1_STRING_get0_data(X509_get0_serialNumber(issue->certificate));
    char made[64];

    snprintf(made, sizeof made, "Weft development authority %02x%02x%02x", serial[1], serial[2], serial[3]);
    return set_common_name(issue, name ? name : made);
}

static int check_only(const struct issue *issue)
{
    for (size_t i = 0; i < issue->count; i++)
        if (issue->names[i].text[0] == '*')
            return certificate_fail(issue->why, WEFT_ECERTNAME,
                                    "'%.100s': a domain that an authority may sign for holds all beneath it already",
                                    issue->names[i].text);
    return 0;
}

static int make_authority(struct issue *issue, const weft_certificate_authority_options *options,
                          weft_certificate **ret)
{
    X509 *certificate;
    int status = parse_names(issue, options->only, options->only_count);

    if (status == 0)
        status = check_only(issue);
    if (status == 0)
        status = begin(issue, options->key, options->lifetime, NULL);
    if (status == 0)
        status = name_authority(issue, options->name);
    if (status < 0)
        return status;
    certificate = issue->certificate;
    if (X509_set_issuer_name(certificate, X509_get_subject_name(certificate)) != 1 ||
        !certificate_add_basic(certificate, true) || !certificate_add_key_usage(certificate, true) ||
        !certificate_add_key_ids(certificate, certificate) ||
        (issue->count > 0 && !certificate_add_constraints(certificate, issue->names, issue->count)))
        return fail(issue, "cannot make the authority");
    return finish(issue, issue->key, NULL, ret);
}

int weft_certificate_authority_new(weft_loop *loop, const weft_certificate_authority_options *options,
                                   weft_certificate **ret, weft_failure **ret_why)
{
    struct issue issue = {.loop = loop, .why = ret_why};
    weft_certificate_authority_options all = {0};
    int status = options_copy(&all, sizeof all, options);

    if (status < 0)
        return certificate_fail(ret_why, status, "the options cannot be read");
    if (all.lifetime == 0)
        all.lifetime = AUTHORITY_LIFETIME;
    status = make_authority(&issue, &all, ret);
    issue_fini(&issue);
    return status;
}

/* -- a certificate -- */

static int check_authority(const struct issue *issue, const weft_certificate *authority)
{
    X509 *signer = authority->chain[0];
    weft_time now = weft_loop_wall(issue->loop);
    const char *problem = NULL;

    if (!authority->key)
        problem = "its private key is not there";
    else if (X509_get_extension_flags(signer) & EXFLAG_INVALID || X509_check_ca(signer) != 1 ||
             !(X509_get_key_usage(signer) & KU_KEY_CERT_SIGN))
        problem = "it is no authority: it may not sign certificates";
    else if (now >= certificate_time(X509_get0_notAfter(signer)))
        problem = "it has expired";
    else if (now < certificate_time(X509_get0_notBefore(signer)))
        problem = "it is not valid yet";
    return problem ? certificate_fail(issue->why, WEFT_EISSUER, "the authority cannot sign: %s", problem) : 0;
}

/* Whether @p signer may sign for @p name: 1, 0, or a negative error. */
static int may_sign(X509 *signer, const struct certificate_name *name)
{
    int critical, verdict = X509_V_ERR_OUT_OF_MEM;
    NAME_CONSTRAINTS *constraints = X509_get_ext_d2i(signer, NID_name_constraints, &critical, NULL);
    X509 *trial;

    if (!constraints)
        return critical == -1 ? 1 : certificate_error(WEFT_EISSUER, NULL);
    trial = X509_new();
    if (trial && certificate_add_names(trial, name, 1, true)) {
        (void)X509_get_extension_flags(trial); /* has the names found, which the check takes for granted */
        verdict = NAME_CONSTRAINTS_check(trial, constraints);
    }
    X509_free(trial);
    NAME_CONSTRAINTS_free(constraints);
    ERR_clear_error();
    return verdict == X509_V_ERR_OUT_OF_MEM ? WEFT_ENOMEM : verdict == X509_V_OK;
}

static int check_names(const struct issue *issue, const weft_certificate *authority)
{
    for (size_t i = 0; i < authority->count; i++) {
        for (size_t j = 0; j < issue->count; j++) {
            int allowed = may_sign(authority->chain[i], &issue->names[j]);

            if (allowed == 0)
                return certificate_fail(issue->why, WEFT_ECERTNAME, "'%s': the authority may not sign for it",
                                        issue->names[j].text);
            if (allowed < 0)
                return certificate_fail(issue->why, allowed, "what the authority may sign cannot be understood");
        }
    }
    return 0;
}

static int fill(const struct issue *issue, const weft_certificate *authority, unsigned uses)
{
    X509 *certificate = issue->certificate, *signer = authority->chain[0];
    bool has_subject = uses & WEFT_CERTIFICATE_CLIENT && strlen(issue->names[0].text) <= 64;
    int status = has_subject ? set_common_name(issue, issue->names[0].text) : 0;

    if (status < 0)
        return status;
    /* RFC 5280 §4.2.1.6: with an empty subject the names are critical. */
    if (X509_set_issuer_name(certificate, X509_get_subject_name(signer)) != 1 ||
        !certificate_add_basic(certificate, false) || !certificate_add_key_usage(certificate, false) ||
        !certificate_add_uses(certificate, uses) || !certificate_add_key_ids(certificate, signer) ||
        !certificate_add_names(certificate, issue->names, issue->count, !has_subject))
        return fail(issue, "cannot make the certificate");
    return 0;
}

static int make_certificate(struct issue *issue, const weft_certificate *authority,
                            const weft_certificate_options *options, weft_certificate **ret)
{
    int status = check_authority(issue, authority);

    if (status == 0 && options->name_count == 0)
        return certificate_fail(issue->why, WEFT_ECERTNAME, "a certificate needs a name");
    if (status == 0)
        status = parse_names(issue, options->names, options->name_count);
    if (status == 0)
        status = check_names(issue, authority);
    if (status == 0)
        status = begin(issue, options->key, options->lifetime, authority->chain[0]);
    if (status == 0)
        status = fill(issue, authority, options->uses);
    return status == 0 ? finish(issue, authority->key, authority, ret) : status;
}

int weft_certificate_issue(weft_loop *loop, const weft_certificate *authority, const weft_certificate_options *options,
                           weft_certificate **ret, weft_failure **ret_why)
{
    struct issue issue = {.loop = loop, .why = ret_why};
    weft_certificate_options all = {0};
    int status = options_copy(&all, sizeof all, options);

    if (status == 0 && all.uses & ~(unsigned)(WEFT_CERTIFICATE_SERVER | WEFT_CERTIFICATE_CLIENT))
        status = -EINVAL;
    if (status < 0)
        return certificate_fail(ret_why, status, "the options cannot be read");
    if (all.lifetime == 0)
        all.lifetime = LIFETIME;
    if (all.uses == 0)
        all.uses = WEFT_CERTIFICATE_SERVER;
    status = make_certificate(&issue, authority, &all, ret);
    issue_fini(&issue);
    return status;
}
