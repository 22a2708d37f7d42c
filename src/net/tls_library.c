/* SPDX-License-Identifier: MIT */
/*
 * OpenSSL as Weft uses it: a library context of our own, which no
 * configuration file of the system and no other part of the program changes;
 * its random bytes come through the seam, so that they are the seed's in a
 * simulated world; and its BIO is the layer itself.
 */
#include "net/tls_internal.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/provider.h>
#include <openssl/rand.h>

#include "backend/system.h"

#define RANDOM_NAME "WEFT-RANDOM"
/* What OpenSSL may ask for at once; it divides what is more. */
#define RANDOM_MOST ((size_t)1 << 16)

_Thread_local weft_loop *tls_loop;

static struct {
    CRYPTO_ONCE once;
    OSSL_LIB_CTX *context; /* NULL: it could not be made */
    BIO_METHOD *bio;
    EVP_CIPHER *ticket_cipher;
} library = {.once = CRYPTO_ONCE_STATIC_INIT};

/* -- randomness: a provider with one generator, which has no state -- */

static int stateless;

static void *random_new(void *provider, void *parent, const OSSL_DISPATCH *parent_calls)
{
    (void)provider;
    (void)parent;
    (void)parent_calls;
    return &stateless;
}

static void random_free(void *generator)
{
    (void)generator;
}

static int random_begin(void *generator, unsigned strength, int resistance, const unsigned char *personal,
                        size_t length, const OSSL_PARAM params[])
{
    (void)generator;
    (void)strength;
    (void)resistance;
    (void)personal;
    (void)length;
    (void)params;
    return 1;
}

static int random_end(void *generator)
{
    (void)generator;
    return 1;
}

static int random_generate(void *generator, unsigned char *out, size_t length, unsigned strength, int resistance,
                           const unsigned char *extra, size_t extra_length)
{
    (void)generator;
    (void)strength;
    (void)resistance;
    (void)extra;
    (void)extra_length;
    return (tls_loop ? weft_loop_entropy(tls_loop, out, length) : system_entropy(NULL, out, length)) == 0;
}

static int random_enable_locking(void *generator)
{
    (void)generator;
    return 1;
}

static const OSSL_PARAM *random_gettable(void *generator, void *provider)
{
    static const OSSL_PARAM known[] = {OSSL_PARAM_int(OSSL_RAND_PARAM_STATE, NULL),
                                       OSSL_PARAM_uint(OSSL_RAND_PARAM_STRENGTH, NULL),
                                       OSSL_PARAM_size_t(OSSL_RAND_PARAM_MAX_REQUEST, NULL), OSSL_PARAM_END};

    (void)generator;
    (void)provider;
    return known;
}

static int random_get(void *generator, OSSL_PARAM params[])
{
    OSSL_PARAM *state = OSSL_PARAM_locate(params, OSSL_RAND_PARAM_STATE);
    OSSL_PARAM *strength = OSSL_PARAM_locate(params, OSSL_RAND_PARAM_STRENGTH);
    OSSL_PARAM *most = OSSL_PARAM_locate(params, OSSL_RAND_PARAM_MAX_REQUEST);

    (void)generator;
    return (!state || OSSL_PARAM_set_int(state, EVP_RAND_STATE_READY)) &&
           (!strength || OSSL_PARAM_set_uint(strength, 256)) && (!most || OSSL_PARAM_set_size_t(most, RANDOM_MOST));
}

typedef void function(void);

static const OSSL_DISPATCH random_calls[] = {
    {OSSL_FUNC_RAND_NEWCTX, (function *)random_new},
    {OSSL_FUNC_RAND_FREECTX, (function *)random_free},
    {OSSL_FUNC_RAND_INSTANTIATE, (function *)random_begin},
    {OSSL_FUNC_RAND_UNINSTANTIATE, (function *)random_end},
    {OSSL_FUNC_RAND_GENERATE, (function *)random_generate},
    {OSSL_FUNC_RAND_ENABLE_LOCKING, (function *)random_enable_locking},
    {OSSL_FUNC_RAND_GETTABLE_CTX_PARAMS, (function *)random_gettable},
    {OSSL_FUNC_RAND_GET_CTX_PARAMS, (function *)random_get},
    {0, NULL},
};

static const OSSL_ALGORITHM *provider_query(void *provider, int operation, int *no_cache)
{
    static const OSSL_ALGORITHM generators[] = {{RANDOM_NAME, "provider=weft", random_calls, "the loop's entropy"},
                                                {NULL, NULL, NULL, NULL}};

    (void)provider;
    *no_cache = 0;
    return operation == OSSL_OP_RAND ? generators : NULL;
}

static int provider_begin(const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *core, const OSSL_DISPATCH **ret_calls,
                          void **ret_provider)
{
    static const OSSL_DISPATCH calls[] = {{OSSL_FUNC_PROVIDER_QUERY_OPERATION, (function *)provider_query}, {0, NULL}};

    (void)handle;
    (void)core;
    *ret_calls = calls;
    *ret_provider = &stateless;
    return 1;
}

/* -- the BIO -- */

static int bio_read(BIO *bio, char *data, size_t room, size_t *ret_count)
{
    BIO_clear_retry_flags(bio);
    if (tls_read(BIO_get_data(bio), data, room, ret_count))
        return 1;
    BIO_set_retry_read(bio);
    return -1;
}

static int bio_write(BIO *bio, const char *data, size_t length, size_t *ret_count)
{
    BIO_clear_retry_flags(bio);
    if (!tls_write(BIO_get_data(bio), data, length))
        return 0;
    *ret_count = length;
    return 1;
}

static long bio_control(BIO *bio, int command, long number, void *pointer)
{
    (void)bio;
    (void)number;
    (void)pointer;
    return command == BIO_CTRL_FLUSH;
}

static int bio_begin(BIO *bio)
{
    BIO_set_init(bio, 1);
    return 1;
}

static BIO_METHOD *make_bio_method(void)
{
    BIO_METHOD *method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "weft");

    if (method && BIO_meth_set_read_ex(method, bio_read) && BIO_meth_set_write_ex(method, bio_write) &&
        BIO_meth_set_ctrl(method, bio_control) && BIO_meth_set_create(method, bio_begin))
        return method;
    BIO_meth_free(method);
    return NULL;
}

BIO *tls_bio_new(struct tls_layer *layer)
{
    BIO *bio = BIO_new(library.bio);

    if (bio)
        BIO_set_data(bio, layer);
    return bio;
}

/* -- the context -- */

static bool make_ready(OSSL_LIB_CTX *context)
{
    if (!OSSL_PROVIDER_add_builtin(context, "weft", provider_begin) || !OSSL_PROVIDER_load(context, "default") ||
        !OSSL_PROVIDER_load(context, "weft") || !RAND_set_DRBG_type(context, RANDOM_NAME, NULL, NULL, NULL))
        return false;
    library.bio = make_bio_method();
    library.ticket_cipher = EVP_CIPHER_fetch(context, "AES-256-CBC", NULL);
    return library.bio && library.ticket_cipher;
}

static void make_library(void)
{
    OSSL_LIB_CTX *context = OSSL_LIB_CTX_new();

    if (context && make_ready(context))
        library.context = context;
    else
        OSSL_LIB_CTX_free(context);
}

OSSL_LIB_CTX *tls_library(void)
{
    (void)CRYPTO_THREAD_run_once(&library.once, make_library);
    return library.context;
}

const EVP_CIPHER *tls_ticket_cipher(void)
{
    return library.ticket_cipher;
}

bool tls_derive(const uint8_t key[32], weft_bytes text, uint8_t ret[32])
{
    size_t length;

    return EVP_Q_mac(library.context, "HMAC", NULL, "SHA256", NULL, key, 32, (const unsigned char *)text.data,
                     text.length, ret, 32, &length) &&
           length == 32;
}

/* (A new session says when it was made, and that is now.) */
time_t tls_openssl_now(void)
{
    SSL_SESSION *session = SSL_SESSION_new();
    time_t now = session ? (time_t)SSL_SESSION_get_time(session) : 0;

    SSL_SESSION_free(session);
    return now;
}
