/* SPDX-License-Identifier: MIT */
/*
 * A server's TLS: an OpenSSL context for each of its certificates, all alike
 * but for that. The ClientHello's name chooses among them before anything else
 * is decided, and a session is bound to the certificate and to what is asked
 * of clients: so one that was begun under one name is not resumed under
 * another with other rules (CVE-2025-23419).
 */
#include "net/tls_internal.h"

#include <openssl/err.h>

#include <weft/memory.h>

#include "base/options.h"
#include "net/listener_internal.h"

#define HANDSHAKES_MOST 1000
#define NAME_MOST 255

/* -- names -- */

/* In lower case, without a trailing dot. Returns the length; 0 if it is too long. */
static size_t fold_name(weft_bytes name, char folded[NAME_MOST])
{
    if (name.length > 0 && name.data[name.length - 1] == '.')
        name.length--;
    if (name.length > NAME_MOST)
        return 0;
    for (size_t i = 0; i < name.length; i++)
        folded[i] = name.data[i] >= 'A' && name.data[i] <= 'Z' ? (char)(name.data[i] + ('a' - 'A')) : name.data[i];
    return name.length;
}

static struct tls_named *find_name(const weft_tls_server *server, weft_bytes name)
{
    char folded[NAME_MOST];
    weft_bytes key = weft_bytes_of(folded, fold_name(name, folded));
    struct tls_named *named = key.length > 0 ? map_find(&server->names, key) : NULL;
    size_t dot = weft_bytes_find(key, '.');

    if (named || dot == SIZE_MAX || dot == 0)
        return named;
    return map_find(&server->names, weft_bytes_skip(key, dot)); /* "*.example" is kept as ".example" */
}

struct naming {
    weft_tls_server *server;
    struct tls_named *named;
};

/* The first that has a name keeps it. */
static int add_name(weft_bytes name, void *arg)
{
    struct naming *naming = arg;
    char folded[NAME_MOST];
    weft_bytes key = weft_bytes_of(folded, fold_name(name, folded));
    int status;

    if (key.length > 2 && key.data[0] == '*' && key.data[1] == '.')
        key = weft_bytes_skip(key, 1);
    if (key.length == 0)
        return 0;
    status = map_put(&naming->server->names, key, naming->named);
    return status == -EEXIST ? 0 : status;
}

static int add_names(weft_tls_server *server, struct tls_named *named, const weft_tls_identity *identity, X509 *leaf)
{
    struct naming naming = {server, named};
    int status = 0;

    if (identity->name_count == 0)
        return tls_names_visit(leaf, add_name, &naming);
    for (size_t i = 0; status == 0 && i < identity->name_count; i++)
        status = add_name(weft_bytes_from(identity->names[i]), &naming);
    return status;
}

/* -- OpenSSL's callbacks -- */

/* RFC 6066 §3: a list of one name, of type 0. Empty if there is none, or it is malformed. */
static weft_bytes name_in_hello(SSL *ssl)
{
    const unsigned char *data;
    size_t length, name;

    if (!SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &data, &length) || length < 5 || data[2] != 0)
        return weft_bytes_of(NULL, 0);
    name = (size_t)data[3] << 8 | data[4];
    return name + 5 > length ? weft_bytes_of(NULL, 0) : weft_bytes_of(data + 5, name);
}

static char *copy_name(weft_bytes name)
{
    char *copy = weft_allocate(name.length + 1);

    if (!copy)
        return NULL;
    if (name.length > 0)
        memcpy(copy, name.data, name.length);
    copy[name.length] = '\0';
    return copy;
}

static int client_hello(SSL *ssl, int *alert, void *arg)
{
    struct tls_layer *layer = SSL_get_app_data(ssl);
    weft_bytes name = name_in_hello(ssl);
    struct tls_named *named = find_name(layer->server, name);

    (void)arg;
    layer->flags |= TLS_HELLO;
    if (!named && layer->server->known_names_only) {
        *alert = SSL_AD_UNRECOGNIZED_NAME;
        (void)tls_error_set(layer, WEFT_ETLSNAME, "the client asks for \"%.*s\", which nobody is here",
                            (int)name.length, name.length ? name.data : "");
        return SSL_CLIENT_HELLO_ERROR;
    }
    weft_release(layer->name);
    layer->name = copy_name(name);
    if (!layer->name || (named && !SSL_set_SSL_CTX(ssl, named->context))) {
        *alert = SSL_AD_INTERNAL_ERROR;
        layer->error = WEFT_ENOMEM;
        return SSL_CLIENT_HELLO_ERROR;
    }
    return SSL_CLIENT_HELLO_SUCCESS;
}

/* The name was dealt with above; this says that it was understood. */
static int name_is_known(SSL *ssl, int *alert, void *arg)
{
    const struct tls_layer *layer = SSL_get_app_data(ssl);

    (void)alert;
    (void)arg;
    return layer->name && find_name(layer->server, weft_bytes_from(layer->name)) ? SSL_TLSEXT_ERR_OK
                                                                                 : SSL_TLSEXT_ERR_NOACK;
}

/* Our order counts. (Both lists are well-formed: OpenSSL has checked the client's.) */
static int choose_protocol(SSL *ssl, const unsigned char **ret, unsigned char *ret_length, const unsigned char *offered,
                           unsigned offered_length, void *arg)
{
    const weft_tls_server *server = arg;
    const unsigned char *ours = (const unsigned char *)server->alpn.data;

    (void)ssl;
    for (size_t i = 0; i < server->alpn.length; i += 1U + ours[i]) {
        for (size_t j = 0; j < offered_length; j += 1U + offered[j]) {
            if (offered[j] == ours[i] && memcmp(offered + j + 1, ours + i + 1, ours[i]) == 0) {
                *ret = ours + i + 1;
                *ret_length = ours[i];
                return SSL_TLSEXT_ERR_OK;
            }
        }
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL; /* RFC 7301 §3.2: no_application_protocol */
}

/* -- contexts -- */

/* What all contexts of a server share while it is made. */
struct making {
    const weft_tls_server_options *options;
    weft_tls_server *server;
    X509_STORE *store;           /* NULL: clients are anonymous */
    STACK_OF(X509_NAME) * names; /* of the authorities in it */
    uint8_t rules[32];           /* a digest of what is asked of clients */
    weft_failure **ret_failure;
};

static void set_tickets(SSL_CTX *context, const struct making *making)
{
    unsigned count = making->options->tickets_sent ? making->options->tickets_sent : 1;

    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    if (!making->server->tickets) {
        SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
        SSL_CTX_set_num_tickets(context, 0);
        return;
    }
    SSL_CTX_set_num_tickets(context, count);
    SSL_CTX_set_tlsext_ticket_key_evp_cb(context, tls_ticket_key);
    SSL_CTX_set_session_ticket_cb(context, tls_ticket_made, tls_ticket_opened, NULL);
}

static bool set_clients(SSL_CTX *context, const struct making *making)
{
    STACK_OF(X509_NAME) * names;

    if (!making->store)
        return true;
    SSL_CTX_set_verify(context,
                       SSL_VERIFY_PEER |
                           (making->server->clients == WEFT_TLS_CLIENTS_REQUIRED ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0),
                       NULL);
    SSL_CTX_set_cert_verify_callback(context, tls_verify_chain, NULL);
    SSL_CTX_set1_cert_store(context, making->store);
    names = SSL_dup_CA_list(making->names);
    if (names)
        SSL_CTX_set_client_CA_list(context, names);
    return names;
}

/* A session may be resumed only where the same certificate answers and the same is asked of clients. */
static bool bind_sessions(SSL_CTX *context, const struct making *making, X509 *leaf)
{
    uint8_t bound[EVP_MAX_MD_SIZE];
    unsigned length;

    return X509_digest(leaf, EVP_sha256(), bound, &length) &&
           tls_derive(bound, weft_bytes_of(making->rules, sizeof making->rules), bound) &&
           SSL_CTX_set_session_id_context(context, bound, SSL_MAX_SID_CTX_LENGTH);
}

static bool set_callbacks(SSL_CTX *context, weft_tls_server *server)
{
    SSL_CTX_set_client_hello_cb(context, client_hello, NULL);
    if (!SSL_CTX_set_tlsext_servername_callback(context, name_is_known) ||
        !SSL_CTX_set_tlsext_status_cb(context, tls_staple_send))
        return false;
    if (server->alpn.length > 0)
        SSL_CTX_set_alpn_select_cb(context, choose_protocol, server);
    if (server->log)
        SSL_CTX_set_keylog_callback(context, tls_key_log_line);
    return true;
}

static int make_identity(struct making *making, const weft_tls_identity *identity)
{
    const weft_tls_server_options *options = making->options;
    struct tls_named *named = &making->server->identities[making->server->count];
    X509 *leaf;
    int status = tls_profile_new(true, options->minimum, options->dangerously_allow_old_versions, &named->context);

    if (status < 0)
        return tls_error_setup(status, making->ret_failure, "OpenSSL could not be made ready");
    making->server->count++;
    SSL_CTX_set_app_data(named->context, named);
    status = tls_identity_use(named->context, identity, &leaf, making->ret_failure);
    if (status == 0)
        status = tls_identity_staple(identity, &named->staple, making->ret_failure);
    if (status < 0)
        return status;
    set_tickets(named->context, making);
    if (!set_clients(named->context, making) || !bind_sessions(named->context, making, leaf) ||
        !set_callbacks(named->context, making->server) || add_names(making->server, named, identity, leaf) < 0)
        return tls_error_setup(WEFT_ENOMEM, making->ret_failure, "TLS could not be made ready");
    return 0;
}

/* The authorities whole, and not their names alone: another key may bear the same name. */
static bool digest_rules(struct making *making)
{
    STACK_OF(X509_OBJECT) *authorities = making->store ? X509_STORE_get0_objects(making->store) : NULL;
    uint8_t clients = (uint8_t)making->server->clients, digest[EVP_MAX_MD_SIZE];
    unsigned length;

    if (!tls_derive(making->rules, weft_bytes_of(&clients, 1), making->rules))
        return false;
    for (int i = 0; i < sk_X509_OBJECT_num(authorities); i++) {
        X509 *authority = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(authorities, i));

        if (!authority || !X509_digest(authority, EVP_sha256(), digest, &length) ||
            !tls_derive(making->rules, weft_bytes_of(digest, length), making->rules))
            return false;
    }
    return true;
}

static int make_authorities(struct making *making)
{
    const weft_tls_server_options *options = making->options;
    int status;

    if (options->clients == WEFT_TLS_CLIENTS_ANONYMOUS)
        return 0;
    if (!options->ca_file && options->ca.length == 0)
        return tls_error_setup(-EINVAL, making->ret_failure, "clients' certificates need an authority to verify them");
    making->store = X509_STORE_new();
    making->names = sk_X509_NAME_new_null();
    if (!making->store || !making->names)
        return tls_error_setup(WEFT_ENOMEM, making->ret_failure, "TLS could not be made ready");
    X509_STORE_set_flags(making->store, X509_V_FLAG_PARTIAL_CHAIN);
    status = tls_authorities(making->store, making->names, options->ca, options->ca_file, making->ret_failure);
    return status;
}

static int make_all(struct making *making)
{
    const weft_tls_server_options *options = making->options;
    weft_tls_server *server = making->server;
    int status = tls_alpn_wire(options->alpn, options->alpn_count, &server->alpn);

    if (status < 0)
        return tls_error_setup(status, making->ret_failure, "a protocol's name has from 1 to 255 bytes");
    if (options->tickets)
        server->tickets = weft_tls_tickets_ref(options->tickets);
    else if (options->tickets_sent != WEFT_TLS_NO_TICKETS)
        status = weft_tls_tickets_new(NULL, 0, 0, &server->tickets);
    if (status < 0)
        return tls_error_setup(status, making->ret_failure, "TLS could not be made ready");
    status = tls_key_log_new(options->key_log_environment, options->key_log, options->key_log_arg, &server->log,
                             making->ret_failure);
    if (status == 0)
        status = make_authorities(making);
    if (status == 0 && !digest_rules(making))
        status = tls_error_setup(WEFT_ENOMEM, making->ret_failure, "TLS could not be made ready");
    for (size_t i = 0; status == 0 && i < options->identity_count; i++)
        status = make_identity(making, &options->identities[i]);
    return status;
}

int weft_tls_server_new(const weft_tls_server_options *user_options, weft_tls_server **ret_server,
                        weft_failure **ret_failure)
{
    static const uint8_t no_secret[SIPHASH_KEY_SIZE]; /* no peer chooses these keys */
    weft_tls_server_options options = {0};
    struct making making = {.options = &options, .ret_failure = ret_failure};
    int status = options_copy(&options, sizeof options, user_options);

    if (status == 0 && options.identity_count == 0)
        status = -EINVAL;
    if (status < 0)
        return tls_error_setup(status, ret_failure, "a server's TLS needs at least one certificate");
    if (!tls_library())
        return tls_error_setup(WEFT_ENOMEM, ret_failure, "OpenSSL could not be made ready");
    making.server =
        weft_allocate_zeroed(1, sizeof *making.server + options.identity_count * sizeof *making.server->identities);
    if (!making.server)
        return tls_error_setup(WEFT_ENOMEM, ret_failure, "TLS could not be made ready");
    atomic_init(&making.server->references, 1);
    map_init(&making.server->names, no_secret);
    making.server->known_names_only = options.known_names_only;
    making.server->clients = options.clients;
    making.server->max_handshakes = options.max_handshakes ? options.max_handshakes : HANDSHAKES_MOST;
    status = make_all(&making);
    X509_STORE_free(making.store);
    sk_X509_NAME_pop_free(making.names, X509_NAME_free);
    if (status < 0)
        weft_tls_server_unref(making.server);
    else
        *ret_server = making.server;
    return status;
}

weft_tls_server *weft_tls_server_ref(weft_tls_server *server)
{
    atomic_fetch_add(&server->references, 1);
    return server;
}

void weft_tls_server_unref(weft_tls_server *server)
{
    if (!server || atomic_fetch_sub(&server->references, 1) != 1)
        return;
    for (size_t i = 0; i < server->count; i++) {
        SSL_CTX_free(server->identities[i].context);
        weft_release((void *)(uintptr_t)server->identities[i].staple.data);
    }
    map_fini(&server->names);
    weft_tls_tickets_unref(server->tickets);
    tls_key_log_free(server->log);
    weft_release((void *)(uintptr_t)server->alpn.data);
    weft_release(server);
}

/* -- the layers of a listener's connections -- */

static void maker_unref(struct tls_server_maker *maker)
{
    if (--maker->references > 0)
        return;
    weft_tls_server_unref(maker->server);
    weft_release(maker);
}

static void maker_free(struct layer_maker *base)
{
    maker_unref(weft_container_of(base, struct tls_server_maker, maker));
}

int tls_server_layer(weft_tls_server *server, struct layer **ret)
{
    struct tls_layer *layer = tls_layer_new(TLS_SERVER);

    if (!layer)
        return WEFT_ENOMEM;
    layer->server = weft_tls_server_ref(server);
    *ret = &layer->layer;
    return 0;
}

static int make(struct layer_maker *base, weft_stream *stream, struct layer **ret)
{
    struct tls_server_maker *maker = weft_container_of(base, struct tls_server_maker, maker);
    struct tls_layer *layer;
    int status;

    (void)stream;
    if (maker->handshakes >= maker->server->max_handshakes)
        return WEFT_ECONNECTIONS;
    status = tls_server_layer(maker->server, ret);
    if (status < 0)
        return status;
    layer = tls_layer_of(*ret);
    layer->flags |= TLS_COUNTED;
    layer->maker = maker;
    maker->handshakes++;
    maker->references++;
    return 0;
}

void tls_handshake_counted_off(struct tls_layer *layer)
{
    if (!(layer->flags & TLS_COUNTED))
        return;
    layer->flags &= ~(uint32_t)TLS_COUNTED;
    layer->maker->handshakes--;
    maker_unref(layer->maker);
    layer->maker = NULL;
}

int tls_server_maker(weft_tls_server *server, struct layer_maker **ret)
{
    struct tls_server_maker *maker = weft_allocate_zeroed(1, sizeof *maker);

    if (!maker)
        return WEFT_ENOMEM;
    maker->maker.make = make;
    maker->maker.free = maker_free;
    maker->server = weft_tls_server_ref(server);
    maker->references = 1;
    *ret = &maker->maker;
    return 0;
}

struct layer_maker *tls_server_maker_in(struct layer_maker *bottom)
{
    struct layer_maker *found = NULL;

    for (struct layer_maker *maker = bottom; maker; maker = maker->above)
        if (maker->make == make)
            found = maker;
    return found;
}

void tls_server_maker_set(struct layer_maker *base, weft_tls_server *server)
{
    struct tls_server_maker *maker = weft_container_of(base, struct tls_server_maker, maker);
    weft_tls_server *former = maker->server;

    maker->server = weft_tls_server_ref(server);
    weft_tls_server_unref(former);
}

int weft_listener_set_tls(weft_listener *listener, weft_tls_server *server)
{
    struct layer_maker *maker = tls_server_maker_in(listener->layers);

    if (!maker)
        return -EINVAL;
    tls_server_maker_set(maker, server);
    return 0;
}
