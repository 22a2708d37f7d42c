/* SPDX-License-Identifier: MIT */
/* What is spoken (docs/decisions/0023): the same for servers and clients, after RFC 9325 and Mozilla's "intermediate". */
#include "net/tls_internal.h"

#include <weft/memory.h>

static const char suites[] = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
static const char ciphers[] = "ECDHE+AESGCM:ECDHE+CHACHA20";
static const char old_ciphers[] = "ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE+AES:AES:!aNULL:!eNULL:@SECLEVEL=0";
static const char groups[] = "X25519:P-256:P-384";

/* The most that a peer's certificates, or anything else of a handshake but its beginning, may take. */
#define HANDSHAKE_MOST (64 * 1024)

static bool set_versions(SSL_CTX *context, weft_tls_version minimum, bool old_versions)
{
    int lowest = minimum == WEFT_TLS_1_3 ? TLS1_3_VERSION : old_versions ? TLS1_VERSION : TLS1_2_VERSION;

    SSL_CTX_set_security_level(context, old_versions ? 0 : 2);
    return SSL_CTX_set_min_proto_version(context, lowest) && SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION) &&
           SSL_CTX_set_ciphersuites(context, suites) &&
           SSL_CTX_set_cipher_list(context, old_versions ? old_ciphers : ciphers) &&
           SSL_CTX_set1_groups_list(context, groups);
}

int tls_profile_new(bool server, weft_tls_version minimum, bool old_versions, SSL_CTX **ret)
{
    OSSL_LIB_CTX *library = tls_library();
    SSL_CTX *context =
        library ? SSL_CTX_new_ex(library, NULL, server ? TLS_server_method() : TLS_client_method()) : NULL;

    if (!context)
        return WEFT_ENOMEM;
    if (!set_versions(context, minimum, old_versions)) {
        SSL_CTX_free(context);
        return WEFT_ENOMEM;
    }
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                     SSL_OP_PRIORITIZE_CHACHA);
    /* One record at a time, so that those without data can be counted; what a chain lacks is not looked for. */
    SSL_CTX_clear_mode(context, SSL_MODE_AUTO_RETRY);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                  SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN);
    SSL_CTX_set_read_ahead(context, 0); /* nothing behind a close_notify is swallowed */
    SSL_CTX_set_max_cert_list(context, HANDSHAKE_MOST);
    SSL_CTX_set_keylog_callback(context, NULL);
    *ret = context;
    return 0;
}

int tls_alpn_wire(const char *const *protocols, size_t count, weft_bytes *ret_wire)
{
    size_t length = 0;
    char *wire;

    for (size_t i = 0; i < count; i++) {
        size_t one = strlen(protocols[i]);

        if (one == 0 || one > 255) /* RFC 7301 §3.1 */
            return -EINVAL;
        length += 1 + one;
    }
    if (length > UINT16_MAX)
        return -EINVAL;
    if (length == 0) {
        *ret_wire = weft_bytes_of(NULL, 0);
        return 0;
    }
    wire = weft_allocate(length);
    if (!wire)
        return WEFT_ENOMEM;
    *ret_wire = weft_bytes_of(wire, length);
    for (size_t i = 0; i < count; i++) {
        size_t one = strlen(protocols[i]);

        *wire++ = (char)one;
        memcpy(wire, protocols[i], one);
        wire += one;
    }
    return 0;
}
