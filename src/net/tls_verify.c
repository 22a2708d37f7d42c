/* SPDX-License-Identifier: MIT */
/*
 * Whether the peer is who it says it is: OpenSSL verifies the chain, the use
 * and the name (RFC 9525: only subjectAltName, a wildcard only for a whole
 * label), at the loop's time; here it is said what is asked of it, and told
 * what was wrong with which certificate.
 */
#include "net/tls_internal.h"

#include <openssl/x509v3.h>
#include <stdio.h>

#include "base/address_parse.h"

static const struct {
    int reason, error;
} reasons[] = {
    {X509_V_ERR_CERT_HAS_EXPIRED, WEFT_ETLSEXPIRED},
    {X509_V_ERR_CERT_NOT_YET_VALID, WEFT_ETLSEXPIRED},
    {X509_V_ERR_HOSTNAME_MISMATCH, WEFT_ETLSNAME},
    {X509_V_ERR_IP_ADDRESS_MISMATCH, WEFT_ETLSNAME},
    {X509_V_ERR_INVALID_PURPOSE, WEFT_ETLSUSAGE},
    {X509_V_ERR_CERT_REJECTED, WEFT_ETLSUSAGE},
    {X509_V_ERR_INVALID_CA, WEFT_ETLSUSAGE},
    {X509_V_ERR_INVALID_NON_CA, WEFT_ETLSUSAGE},
    {X509_V_ERR_PATH_LENGTH_EXCEEDED, WEFT_ETLSUSAGE},
    {X509_V_ERR_KEYUSAGE_NO_CERTSIGN, WEFT_ETLSUSAGE},
    {X509_V_ERR_PERMITTED_VIOLATION, WEFT_ETLSUSAGE},
    {X509_V_ERR_EXCLUDED_VIOLATION, WEFT_ETLSUSAGE},
    {X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION, WEFT_ETLSUSAGE},
    {X509_V_ERR_CERT_REVOKED, WEFT_ETLSREVOKED},
    {X509_V_ERR_EE_KEY_TOO_SMALL, WEFT_ETLSWEAK},
    {X509_V_ERR_CA_KEY_TOO_SMALL, WEFT_ETLSWEAK},
    {X509_V_ERR_CA_MD_TOO_WEAK, WEFT_ETLSWEAK},
    {X509_V_ERR_OUT_OF_MEM, WEFT_ENOMEM},
};

/* All others say that no way leads from the certificate to somebody who is trusted. */
static int number_of(int reason)
{
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (reasons[i].reason == reason)
            return reasons[i].error;
    return WEFT_ETLSUNTRUSTED;
}

#define TEXT_MOST 200

/* Whose @p certificate is: its subject, or, if that is empty, the names that it bears. */
static void write_owner(X509 *certificate, char text[TEXT_MOST])
{
    const X509_NAME *subject = certificate ? X509_get_subject_name(certificate) : NULL;
    char names[TEXT_MOST - 2] = "";

    if (X509_NAME_entry_count(subject) > 0) {
        X509_NAME_oneline(subject, text, TEXT_MOST);
        return;
    }
    if (certificate)
        (void)tls_names_text(certificate, names, sizeof names);
    if (names[0] != '\0')
        snprintf(text, TEXT_MOST, "\"%s\"", names);
    else
        snprintf(text, TEXT_MOST, "?");
}

static void tell(struct tls_layer *layer, X509_STORE_CTX *store)
{
    int reason = X509_STORE_CTX_get_error(store), error = number_of(reason);
    X509 *certificate = X509_STORE_CTX_get_current_cert(store);
    char owner[TEXT_MOST], names[TEXT_MOST];

    write_owner(certificate, owner);
    if (error == WEFT_ETLSNAME && certificate) {
        tls_names_text(certificate, names, sizeof names);
        (void)tls_error_set(layer, error, "the certificate of %s is for \"%s\", and not for \"%s\"", owner, names,
                            layer->name ? layer->name : "");
        return;
    }
    (void)tls_error_set(layer, error, "the certificate of %s (number %d of its chain)%s%s: %s", owner,
                        X509_STORE_CTX_get_error_depth(store), layer->name ? ", shown for " : "",
                        layer->name ? layer->name : "", X509_verify_cert_error_string(reason));
}

int tls_verify_chain(X509_STORE_CTX *store, void *arg)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct tls_layer *layer = SSL_get_app_data(ssl);

    (void)arg;
    if (layer->client && layer->client->trusts_anybody)
        return 1;
    if (X509_verify_cert(store) > 0)
        return 1;
    if (X509_STORE_CTX_get_error(store) == X509_V_OK)
        X509_STORE_CTX_set_error(store, X509_V_ERR_UNSPECIFIED);
    tell(layer, store);
    return 0;
}

bool tls_is_address(const char *text)
{
    weft_bytes bytes = weft_bytes_from(text);
    uint8_t ip[16];

    return address_parse_ipv4(bytes, ip) || address_parse_ipv6(bytes, ip);
}

int tls_verify_expect(SSL *ssl, const char *name)
{
    X509_VERIFY_PARAM *param = SSL_get0_param(ssl);

    if (tls_is_address(name))
        return X509_VERIFY_PARAM_set1_ip_asc(param, name) ? 0 : WEFT_ENOMEM;
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    return X509_VERIFY_PARAM_set1_host(param, name, 0) && SSL_set_tlsext_host_name(ssl, name) ? 0 : WEFT_ENOMEM;
}
