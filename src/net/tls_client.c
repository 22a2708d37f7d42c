/* SPDX-License-Identifier: MIT */
/* A client's TLS: whom it trusts, what it offers, and the sessions that it can resume. */
#include "net/tls_internal.h"

#include <openssl/err.h>

#include <weft/memory.h>

#include "base/options.h"
#include "net/url.h"

#define SESSIONS_MOST 128
#define NAME_MOST 255

static int set_trust(weft_tls_client *client, const weft_tls_client_options *options, weft_failure **ret_failure)
{
    X509_STORE *store = SSL_CTX_get_cert_store(client->context);

    SSL_CTX_set_verify(client->context, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_cert_verify_callback(client->context, tls_verify_chain, NULL);
    if (client->trusts_anybody)
        return 0;
    X509_STORE_set_flags(store,
                         X509_V_FLAG_PARTIAL_CHAIN); /* whom it was given it trusts, though others vouch for them */
    if (options->ca_file || options->ca.length > 0)
        return tls_authorities(store, NULL, options->ca, options->ca_file, ret_failure);
    return tls_authorities_of_system(store, ret_failure);
}

static int set_sessions(weft_tls_client *client, size_t most)
{
    if (most == WEFT_TLS_NO_SESSIONS) {
        SSL_CTX_set_session_cache_mode(client->context, SSL_SESS_CACHE_OFF);
        SSL_CTX_set_options(client->context, SSL_OP_NO_TICKET);
        return 0;
    }
    SSL_CTX_set_session_cache_mode(client->context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(client->context, tls_session_new);
    return tls_sessions_new(most ? most : SESSIONS_MOST, &client->sessions);
}

static int set_protocols(weft_tls_client *client, const weft_tls_client_options *options)
{
    int status = tls_alpn_wire(options->alpn, options->alpn_count, &client->alpn);

    if (status < 0 || client->alpn.length == 0)
        return status;
    return SSL_CTX_set_alpn_protos(client->context, (const unsigned char *)client->alpn.data,
                                   (unsigned)client->alpn.length) == 0
               ? 0
               : WEFT_ENOMEM;
}

static int set_up(weft_tls_client *client, const weft_tls_client_options *options, weft_failure **ret_failure)
{
    X509 *leaf;
    int status = tls_profile_new(false, options->minimum, options->dangerously_allow_old_versions, &client->context);

    if (status == 0)
        status = set_protocols(client, options);
    if (status == 0)
        status = set_sessions(client, options->sessions);
    if (status == 0 && (!SSL_CTX_set_tlsext_status_type(client->context, TLSEXT_STATUSTYPE_ocsp) ||
                        !SSL_CTX_set_tlsext_status_cb(client->context, tls_staple_check)))
        status = WEFT_ENOMEM;
    if (status < 0)
        return tls_error_setup(status, ret_failure, "TLS could not be made ready");
    status = tls_key_log_new(options->key_log_environment, options->key_log, options->key_log_arg, &client->log,
                             ret_failure);
    if (client->log)
        SSL_CTX_set_keylog_callback(client->context, tls_key_log_line);
    if (status == 0)
        status = set_trust(client, options, ret_failure);
    if (status == 0 && options->identity)
        status = tls_identity_use(client->context, options->identity, &leaf, ret_failure);
    return status;
}

int weft_tls_client_new(const weft_tls_client_options *user_options, weft_tls_client **ret_client,
                        weft_failure **ret_failure)
{
    weft_tls_client_options options = {0};
    weft_tls_client *client;
    int status = options_copy(&options, sizeof options, user_options);

    if (status < 0)
        return tls_error_setup(status, ret_failure, "the options are not understood");
    client = weft_allocate_zeroed(1, sizeof *client);
    if (!client)
        return tls_error_setup(WEFT_ENOMEM, ret_failure, "TLS could not be made ready");
    atomic_init(&client->references, 1);
    client->trusts_anybody = options.dangerously_trust_anybody;
    client->staple = options.staple;
    status = set_up(client, &options, ret_failure);
    if (status < 0)
        weft_tls_client_unref(client);
    else
        *ret_client = client;
    return status;
}

weft_tls_client *weft_tls_client_ref(weft_tls_client *client)
{
    atomic_fetch_add(&client->references, 1);
    return client;
}

void weft_tls_client_unref(weft_tls_client *client)
{
    if (!client || atomic_fetch_sub(&client->references, 1) != 1)
        return;
    SSL_CTX_free(client->context);
    tls_sessions_free(client->sessions);
    tls_key_log_free(client->log);
    weft_release((void *)(uintptr_t)client->alpn.data);
    weft_release(client);
}

/* -- its layers -- */

int tls_client_layer(weft_tls_client *client, const char *name, struct layer **ret)
{
    size_t length = strlen(name);
    struct tls_layer *layer;

    if (length > 1 && name[length - 1] == '.')
        length--; /* the root's dot is no part of a certificate's name, nor of SNI (RFC 6066 §3) */
    if (length > NAME_MOST || (!tls_is_address(name) && !url_is_name(weft_bytes_of(name, length))))
        return -EINVAL;
    layer = tls_layer_new(0);
    if (!layer)
        return WEFT_ENOMEM;
    layer->name = weft_allocate(length + 1);
    if (!layer->name) {
        weft_release(layer);
        return WEFT_ENOMEM;
    }
    for (size_t i = 0; i < length; i++)
        layer->name[i] = name[i] >= 'A' && name[i] <= 'Z' ? (char)(name[i] + ('a' - 'A')) : name[i];
    layer->name[length] = '\0';
    layer->client = weft_tls_client_ref(client);
    *ret = &layer->layer;
    return 0;
}

/* -- the one that a loop has, for whoever says nothing else -- */

struct default_client {
    struct loop_slot slot;
    weft_tls_client *client;
};

static const char default_key;

static void forget_default(struct loop_slot *slot)
{
    struct default_client *kept = weft_container_of(slot, struct default_client, slot);

    weft_tls_client_unref(kept->client);
    weft_release(kept);
}

int tls_client_default(weft_loop *loop, weft_tls_client **ret)
{
    struct loop_slot *slot = loop_slot_find(loop, &default_key);
    struct default_client *kept;
    int status;

    if (!slot) {
        kept = weft_allocate_zeroed(1, sizeof *kept);
        if (!kept)
            return WEFT_ENOMEM;
        status = weft_tls_client_new(NULL, &kept->client, NULL);
        if (status < 0) {
            weft_release(kept);
            return status;
        }
        loop_slot_enter(loop, &kept->slot, &default_key, forget_default);
        slot = &kept->slot;
    }
    *ret = weft_container_of(slot, struct default_client, slot)->client;
    return 0;
}
