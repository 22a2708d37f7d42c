/* SPDX-License-Identifier: MIT */
/* What can be asked of a stream's TLS. */
#include "net/tls_internal.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "net/certificate.h"

/* The topmost TLS of @p stream, in whatever state; NULL if it has none. */
static struct tls_layer *top_of(const weft_stream *stream)
{
    for (struct layer *layer = layers_top(stream); layer; layer = layer->below) {
        struct tls_layer *tls = tls_layer_of(layer);

        if (tls)
            return tls;
    }
    return NULL;
}

static struct tls_layer *ready_of(const weft_stream *stream)
{
    struct tls_layer *tls = top_of(stream);

    return tls && (tls->flags & TLS_READY) ? tls : NULL;
}

static bool is_verified(const struct tls_layer *tls)
{
    bool trusts = tls->client && tls->client->trusts_anybody;

    return !trusts && SSL_get0_peer_certificate(tls->ssl) && SSL_get_verify_result(tls->ssl) == X509_V_OK;
}

static const char *group_of(SSL *ssl)
{
    int number = (int)SSL_get_negotiated_group(ssl);
    const char *name = number > 0 ? SSL_group_to_name(ssl, number) : NULL;

    return name ? name : "";
}

int weft_stream_tls(const weft_stream *stream, weft_tls_info *info)
{
    struct tls_layer *tls = ready_of(stream);
    const unsigned char *protocol;
    unsigned length;

    if (info->size < sizeof *info)
        return -EINVAL;
    if (!tls)
        return -ENOTCONN;
    SSL_get0_alpn_selected(tls->ssl, &protocol, &length);
    info->version = SSL_get_version(tls->ssl);
    info->cipher = SSL_get_cipher_name(tls->ssl);
    info->group = group_of(tls->ssl);
    info->alpn = weft_bytes_of(protocol, length);
    info->name = tls->name ? tls->name : "";
    info->server = tls->flags & TLS_SERVER;
    info->resumed = SSL_session_reused(tls->ssl);
    info->verified = is_verified(tls);
    return 0;
}

/* (A server's list of what its client sent does not begin with the client's own.) */
static X509 *certificate_at(const struct tls_layer *tls, size_t index)
{
    STACK_OF(X509) *chain = SSL_get_peer_cert_chain(tls->ssl);

    if (index == 0)
        return SSL_get0_peer_certificate(tls->ssl);
    if (index > INT32_MAX)
        return NULL;
    return sk_X509_value(chain, (int)index - (tls->flags & TLS_SERVER ? 1 : 0));
}

static void write_name(const X509_NAME *name, char *buffer, size_t size)
{
    BIO *bio = BIO_new(BIO_s_mem());
    int length = -1;

    if (bio && X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253) >= 0)
        length = BIO_read(bio, buffer, (int)size - 1);
    buffer[length > 0 ? length : 0] = '\0';
    BIO_free(bio);
    ERR_clear_error();
}

int weft_stream_tls_certificate(const weft_stream *stream, size_t index, weft_tls_certificate *ret_certificate)
{
    struct tls_layer *tls = ready_of(stream);
    X509 *certificate = tls ? certificate_at(tls, index) : NULL;
    weft_tls_certificate found;
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned length;

    if (!certificate)
        return tls ? -ENOENT : -ENOTCONN;
    if (!X509_digest(certificate, EVP_sha256(), digest, &length))
        return WEFT_ENOMEM;
    memcpy(found.fingerprint, digest, sizeof found.fingerprint);
    write_name(X509_get_subject_name(certificate), found.subject, sizeof found.subject);
    write_name(X509_get_issuer_name(certificate), found.issuer, sizeof found.issuer);
    (void)tls_names_text(certificate, found.names, sizeof found.names);
    found.not_before = certificate_time(X509_get0_notBefore(certificate));
    found.not_after = certificate_time(X509_get0_notAfter(certificate));
    *ret_certificate = found;
    return 0;
}

int64_t weft_stream_tls_der(const weft_stream *stream, size_t index, void *buffer, size_t size)
{
    struct tls_layer *tls = ready_of(stream);
    X509 *certificate = tls ? certificate_at(tls, index) : NULL;
    unsigned char *to = buffer;
    int length;

    if (!certificate)
        return tls ? -ENOENT : -ENOTCONN;
    length = i2d_X509(certificate, NULL);
    if (length < 0)
        return WEFT_ENOMEM;
    if ((size_t)length <= size)
        (void)i2d_X509(certificate, &to);
    return length;
}

const weft_failure *weft_stream_tls_failure(const weft_stream *stream)
{
    for (struct layer *layer = layers_top(stream); layer; layer = layer->below) {
        struct tls_layer *tls = tls_layer_of(layer);

        if (tls && tls->failure)
            return tls->failure;
    }
    return NULL;
}
