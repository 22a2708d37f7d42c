/* SPDX-License-Identifier: MIT */
/* From what was received first to a connection that both sides have agreed on. */
#include "net/tls_internal.h"

#include <openssl/err.h>

#include "base/probe.h"

/* So much may come before a ClientHello is whole, however it is divided (TL-09). */
#define HELLO_MOST (64 * 1024)

static SSL_CTX *context_of(const struct tls_layer *layer)
{
    return layer->flags & TLS_SERVER ? layer->server->identities[0].context : layer->client->context;
}

static int set_up(struct tls_layer *layer)
{
    BIO *bio;
    int status = 0;

    SSL_set_app_data(layer->ssl, layer);
    X509_VERIFY_PARAM_set_time(SSL_get0_param(layer->ssl), tls_seconds(layer->layer.stream->loop));
    bio = tls_bio_new(layer);
    if (!bio)
        return WEFT_ENOMEM;
    SSL_set_bio(layer->ssl, bio, bio);
    if (layer->flags & TLS_SERVER) {
        SSL_set_accept_state(layer->ssl);
        return 0;
    }
    SSL_set_connect_state(layer->ssl);
    status = tls_verify_expect(layer->ssl, layer->name);
    if (status == 0)
        tls_sessions_offer(layer);
    return status;
}

int tls_handshake_prepare(struct tls_layer *layer)
{
    int status;

    tls_loop = layer->layer.stream->loop;
    layer->ssl = SSL_new(context_of(layer));
    status = layer->ssl ? set_up(layer) : WEFT_ENOMEM;
    tls_loop = NULL;
    ERR_clear_error();
    return status < 0 ? tls_error_set(layer, status, "TLS could not be begun") : 0;
}

static int complete(struct tls_layer *layer)
{
    layer->flags |= TLS_READY;
    layer->early = 0;
    if (SSL_session_reused(layer->ssl))
        PROBE("tls: a session was resumed");
    tls_handshake_counted_off(layer);
    return 1;
}

int tls_handshake_step(struct tls_layer *layer)
{
    size_t before = layer->feed.length;
    int result, error;

    tls_loop = layer->layer.stream->loop;
    ERR_clear_error();
    result = SSL_do_handshake(layer->ssl);
    error = result == 1 ? SSL_ERROR_NONE : SSL_get_error(layer->ssl, result);
    tls_loop = NULL;
    if (result == 1)
        return complete(layer);
    if (error != SSL_ERROR_WANT_READ) {
        layer->flags |= TLS_DEAD;
        return tls_error_take(layer, "the TLS handshake failed");
    }
    if ((layer->flags & (TLS_SERVER | TLS_HELLO)) == TLS_SERVER) {
        layer->early += (uint32_t)(before - layer->feed.length);
        if (layer->early > HELLO_MOST)
            return tls_error_set(layer, WEFT_ETLSFLOOD, "the ClientHello is larger than %d bytes", HELLO_MOST);
    }
    return 0;
}
