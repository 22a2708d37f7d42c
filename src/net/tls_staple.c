/* SPDX-License-Identifier: MIT */
/*
 * OCSP responses that are stapled to a certificate (RFC 6066 §8). A server
 * sends what it was given. A client refuses whoever staples a bad one, and
 * whoever staples none where there must be one (RFC 7633). Nobody is asked
 * over the network.
 */
#include "net/tls_internal.h"

#include <openssl/err.h>
#include <openssl/ocsp.h>

/* How far a responder's clock may be ahead. */
#define CLOCKS_DIFFER 300

int tls_staple_send(SSL *ssl, void *arg)
{
    const struct tls_named *named = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    unsigned char *copy;

    (void)arg;
    if (!named || named->staple.length == 0)
        return SSL_TLSEXT_ERR_NOACK;
    copy = OPENSSL_memdup(named->staple.data, named->staple.length);
    if (!copy)
        return SSL_TLSEXT_ERR_NOACK;
    if (!SSL_set_tlsext_status_ocsp_resp(ssl, copy, (long)named->staple.length)) {
        OPENSSL_free(copy);
        return SSL_TLSEXT_ERR_NOACK;
    }
    return SSL_TLSEXT_ERR_OK;
}

/* The part of a response that is about @p leaf; NULL. (A name is hashed as the responder has chosen.) */
static OCSP_SINGLERESP *about(OCSP_BASICRESP *basic, X509 *leaf, X509 *issuer)
{
    for (int i = 0; i < OCSP_resp_count(basic); i++) {
        OCSP_SINGLERESP *single = OCSP_resp_get0(basic, i);
        const OCSP_CERTID *is = OCSP_SINGLERESP_get0_id(single);
        ASN1_OBJECT *digest;
        OCSP_CERTID *wanted;
        bool same;

        OCSP_id_get0_info(NULL, &digest, NULL, NULL, (OCSP_CERTID *)(uintptr_t)is);
        wanted = OCSP_cert_to_id(EVP_get_digestbyobj(digest), leaf, issuer);
        same = wanted && OCSP_id_cmp(wanted, is) == 0;
        OCSP_CERTID_free(wanted);
        if (same)
            return single;
    }
    return NULL;
}

static int judge(struct tls_layer *layer, OCSP_SINGLERESP *single)
{
    time_t now = tls_seconds(layer->layer.stream->loop), soon = now + CLOCKS_DIFFER;
    ASN1_GENERALIZEDTIME *since, *until = NULL;
    int status = OCSP_single_get0_status(single, NULL, NULL, &since, &until);

    if (status == V_OCSP_CERTSTATUS_REVOKED)
        return tls_error_set(layer, WEFT_ETLSREVOKED, "the certificate of \"%s\" was revoked", layer->name);
    if (status != V_OCSP_CERTSTATUS_GOOD)
        return tls_error_set(layer, WEFT_ETLSSTAPLE, "the responder does not know the certificate of \"%s\"",
                             layer->name);
    /* One that does not say how long it holds would hold for ever; 0 is a time that is none. */
    if (X509_cmp_time(since, &soon) >= 0 || !until || X509_cmp_time(until, &now) <= 0)
        return tls_error_set(layer, WEFT_ETLSSTAPLE, "the OCSP response about \"%s\" is out of date", layer->name);
    return 0;
}

/* Whether @p issuer has signed it, or somebody to whom it has delegated that. Nobody else of the chain may, the leaf
 * least of all: whom OpenSSL is given here it believes unseen. */
static bool is_signed(struct tls_layer *layer, OCSP_BASICRESP *basic, X509 *issuer)
{
    X509_STORE *store = SSL_CTX_get_cert_store(SSL_get_SSL_CTX(layer->ssl));
    STACK_OF(X509) *believed = sk_X509_new_null();
    bool is = believed && sk_X509_push(believed, issuer) > 0 &&
              OCSP_basic_verify(basic, believed, store, OCSP_TRUSTOTHER) > 0;

    sk_X509_free(believed);
    return is;
}

static int check(struct tls_layer *layer, OCSP_BASICRESP *basic, X509 *leaf, X509 *issuer)
{
    OCSP_SINGLERESP *single = about(basic, leaf, issuer);

    if (!single)
        return tls_error_set(layer, WEFT_ETLSSTAPLE, "the OCSP response is not about the certificate of \"%s\"",
                             layer->name);
    if (!is_signed(layer, basic, issuer))
        return tls_error_set(layer, WEFT_ETLSSTAPLE, "the OCSP response about \"%s\" is not signed by who may",
                             layer->name);
    return judge(layer, single);
}

static int check_response(struct tls_layer *layer, const unsigned char *data, long length, X509 *leaf, X509 *issuer)
{
    OCSP_RESPONSE *response = d2i_OCSP_RESPONSE(NULL, &data, length);
    OCSP_BASICRESP *basic = NULL;
    int status;

    if (response && OCSP_response_status(response) == OCSP_RESPONSE_STATUS_SUCCESSFUL)
        basic = OCSP_response_get1_basic(response);
    status = basic ? check(layer, basic, leaf, issuer)
                   : tls_error_set(layer, WEFT_ETLSSTAPLE, "the OCSP response about \"%s\" is not one", layer->name);
    OCSP_BASICRESP_free(basic);
    OCSP_RESPONSE_free(response);
    return status;
}

static int check_all(struct tls_layer *layer)
{
    STACK_OF(X509) *chain = SSL_get0_verified_chain(layer->ssl);
    X509 *leaf = sk_X509_value(chain, 0), *issuer = sk_X509_value(chain, 1);
    const unsigned char *data = NULL;
    long length = SSL_get_tlsext_status_ocsp_resp(layer->ssl, &data);
    bool demanded = layer->client->staple == WEFT_TLS_STAPLE_REQUIRED ||
                    (leaf && X509_get_ext_by_NID(leaf, NID_tlsfeature, -1) >= 0);

    if (!data || length <= 0)
        return demanded ? tls_error_set(layer, WEFT_ETLSSTAPLE, "\"%s\" gave no OCSP response", layer->name) : 0;
    if (leaf && issuer)
        return check_response(layer, data, length, leaf, issuer);
    /* The leaf is trusted itself: what is said about it is nothing that its issuer could be held to. */
    return demanded ? tls_error_set(layer, WEFT_ETLSSTAPLE,
                                    "nobody above the certificate of \"%s\" could sign an OCSP response", layer->name)
                    : 0;
}

/* 1: the handshake goes on; 0: it ends with bad_certificate_status_response. */
int tls_staple_check(SSL *ssl, void *arg)
{
    struct tls_layer *layer = SSL_get_app_data(ssl);
    int status;

    (void)arg;
    /* A response comes with the certificate (RFC 8446 §4.4.2.1): that of a session was judged when it began. */
    if (layer->client->trusts_anybody || SSL_session_reused(ssl))
        return 1;
    status = check_all(layer);
    ERR_clear_error();
    return status == 0;
}
