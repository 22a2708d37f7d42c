/* SPDX-License-Identifier: MIT */
/*
 * TLS as a layer, for whoever puts layers together: listeners, connections,
 * endpoint URLs. (weft/tls.h is what a user sees; tls_internal.h is shared by
 * the files of TLS.)
 */
#ifndef NET_TLS_H
#define NET_TLS_H

#include <weft/tls.h>

#include "net/layer.h"

/* Makes the layer of each connection of a listener; holds a reference to @p server. Returns 0 or WEFT_ENOMEM. */
int tls_server_maker(weft_tls_server *server, struct layer_maker **ret);
/* The maker of TLS in a chain; NULL if there is none. The topmost. */
struct layer_maker *tls_server_maker_in(struct layer_maker *bottom);
/* Has @p maker, one of these, make its layers of @p server from now on. */
void tls_server_maker_set(struct layer_maker *maker, weft_tls_server *server);

/* The layer of one connection to the server @p name: a host name or a numeric address (without brackets), which its
 * certificate must bear. Returns 0; -EINVAL if it can be neither; WEFT_ENOMEM. */
int tls_client_layer(weft_tls_client *client, const char *name, struct layer **ret);
/* A client with the default options, made once for @p loop; *borrowed* until that ends. Returns 0 or an error of
 * weft_tls_client_new; the first call reads the system's authorities. */
int tls_client_default(weft_loop *loop, weft_tls_client **ret);

/*
 * The options of TLS in an endpoint's query:
 *
 *     both     cert=FILE key=FILE ca=FILE alpn=A,B min=1.2|1.3 keylog=environment
 *     server   staple=FILE clients=none|optional|required names=known tickets=COUNT
 *     client   name=HOST staple=required dangerously_trust_anybody
 *
 * `cert` (with its chain; and the key, if there is no `key`) may be repeated, each with the `key` and `staple` that follow.
 */
#define TLS_QUERY_IDENTITIES 16
#define TLS_QUERY_PROTOCOLS 16

struct tls_query {
    bool server; /* which end it is of; set before the first option, all else zero */
    size_t identity_count, alpn_count;
    weft_tls_identity identities[TLS_QUERY_IDENTITIES];
    const char *alpn[TLS_QUERY_PROTOCOLS];
    const char *ca_file;
    const char *name; /* which the server's certificate must bear; NULL: that of the URL */
    weft_tls_clients clients;
    weft_tls_version minimum;
    weft_tls_staple staple;
    unsigned tickets_sent;
    bool known_names_only, key_log_environment, trust_anybody;
    bool any; /* an option was taken */
    struct tls_query_text *texts;
};

/* Takes an option, decoded: 1 if it is one of TLS; 0 if it is not; WEFT_EURL, and *ret_text is a constant sentence about its
 * value (or about its place: of the other end, a key before its certificate); WEFT_ENOMEM. */
int tls_query_take(struct tls_query *query, weft_bytes name, weft_bytes value, const char **ret_text);
/* Makes what the options say. *ret_failure as weft_tls_server_new. */
int tls_query_server(const struct tls_query *query, weft_tls_server **ret, weft_failure **ret_failure);
int tls_query_client(const struct tls_query *query, weft_tls_client **ret, weft_failure **ret_failure);
/* Releases what the options refer to. */
void tls_query_fini(struct tls_query *query);

#endif
