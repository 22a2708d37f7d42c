/* SPDX-License-Identifier: MIT */
/* The options of TLS in an endpoint's query: tls://:443?cert=chain.pem&key=key.pem&alpn=h2,http/1.1 */
#include "net/tls_internal.h"

#include <weft/memory.h>

/* A copy of a value, as long as the query. */
struct tls_query_text {
    struct tls_query_text *next;
    char text[];
};

static char *keep(struct tls_query *query, weft_bytes value)
{
    struct tls_query_text *text = weft_allocate(sizeof *text + value.length + 1);

    if (!text)
        return NULL;
    if (value.length > 0)
        memcpy(text->text, value.data, value.length);
    text->text[value.length] = '\0';
    text->next = query->texts;
    query->texts = text;
    return text->text;
}

static int wrong(const char **ret_text, const char *text)
{
    *ret_text = text;
    return WEFT_EURL;
}

static bool is(weft_bytes value, const char *word)
{
    return weft_bytes_equal(value, weft_bytes_from(word));
}

static int take_file(struct tls_query *query, const char **slot, weft_bytes value, const char **ret_text)
{
    char *path;

    if (value.length == 0)
        return wrong(ret_text, "the path of a file is missing");
    if (weft_bytes_find(value, '\0') != SIZE_MAX)
        return wrong(ret_text, "a path holds no NUL");
    path = keep(query, value);
    if (!path)
        return WEFT_ENOMEM;
    *slot = path;
    return 1;
}

static weft_tls_identity *last_identity(struct tls_query *query)
{
    return query->identity_count > 0 ? &query->identities[query->identity_count - 1] : NULL;
}

static int take_cert(struct tls_query *query, weft_bytes value, const char **ret_text)
{
    const char *path = NULL;
    int status;

    if (query->identity_count == (query->server ? TLS_QUERY_IDENTITIES : 1))
        return wrong(ret_text, query->server ? "there are too many certificates" : "a client has one certificate");
    status = take_file(query, &path, value, ret_text);
    if (status == 1)
        query->identities[query->identity_count++] = (weft_tls_identity){.chain_file = path};
    return status;
}

static int take_key(struct tls_query *query, weft_bytes value, const char **ret_text)
{
    weft_tls_identity *identity = last_identity(query);

    if (!identity || identity->key_file)
        return wrong(ret_text, "a key stands behind its certificate (cert=...&key=...)");
    return take_file(query, &identity->key_file, value, ret_text);
}

static int take_ca(struct tls_query *query, weft_bytes value, const char **ret_text)
{
    return take_file(query, &query->ca_file, value, ret_text);
}

static int take_alpn(struct tls_query *query, weft_bytes value, const char **ret_text)
{
    for (;;) {
        size_t comma = weft_bytes_find(value, ',');
        weft_bytes one = comma == SIZE_MAX ? value : weft_bytes_first(value, comma);

        if (one.length == 0 || one.length > 255)
            return wrong(ret_text, "a protocol's name has from 1 to 255 bytes");
        if (query->alpn_count == TLS_QUERY_PROTOCOLS)
            return wrong(ret_text, "there are too many protocols");
        query->alpn[query->alpn_count] = keep(query, one);
        if (!query->alpn[query->alpn_count])
            return WEFT_ENOMEM;
        query->alpn_count++;
        if (comma == SIZE_MAX)
            return 1;
        value = weft_bytes_skip(value, comma + 1);
    }
}

static int take_minimum(struct tls_query *query, weft_bytes value, const char **ret_text)
{
    if (!is(value, "1.2") && !is(value, "1.3"))
        return wrong(ret_text, "the lowest version is 1.2 or 1.3");
    query->minimum = is(value, "1.3") ? WEFT_TLS_1_3 : WEFT_TLS_1_2;
    return 1;
}

static int take_key_log(struct tls_query *query, weft_bytes value, const char **ret_text)
{
    if (!is(value, "environment"))
        return wrong(ret_text, "it must be keylog=environment, for the file that SSLKEYLOGFILE names");
    query->key_log_environment = true;
    return 1;
}

static int take_staple(struct tls_query *query, weft_bytes value, const char **ret_text)
{
    weft_tls_identity *identity = last_identity(query);

    if (!query->server) {
        if (!is(value, "required"))
            return wrong(ret_text, "it must be staple=required");
        query->staple = WEFT_TLS_STAPLE_REQUIRED;
        return 1;
    }
    if (!identity || identity->staple_file)
        return wrong(ret_text, "a staple stands behind its certificate (cert=...&staple=...)");
    return take_file(query, &identity->staple_file, value, ret_text);
}

static int take_clients(struct tls_query *query, weft_bytes value, const char **ret_text)
{
    if (is(value, "none"))
        query->clients = WEFT_TLS_CLIENTS_ANONYMOUS;
    else if (is(value, "optional"))
        query->clients = WEFT_TLS_CLIENTS_OPTIONAL;
    else if (is(value, "required"))
        query->clients = WEFT_TLS_CLIENTS_REQUIRED;
    else
        return wrong(ret_text, "it must be clients=none, clients=optional or clients=required");
    return 1;
}

static int take_names(struct tls_query *query, weft_bytes value, const char **ret_text)
{
    if (!is(value, "known"))
        return wrong(ret_text, "it must be names=known");
    query->known_names_only = true;
    return 1;
}

static int take_tickets(struct tls_query *query, weft_bytes value, const char **ret_text)
{
    uint64_t count;

    if (weft_bytes_to_uint64(value, 16, &count) < 0)
        return wrong(ret_text, "the number of tickets is from 0 to 16");
    query->tickets_sent = count == 0 ? WEFT_TLS_NO_TICKETS : (unsigned)count;
    return 1;
}

static int take_name(struct tls_query *query, weft_bytes value, const char **ret_text)
{
    (void)ret_text;
    query->name = keep(query, value);
    return query->name ? 1 : WEFT_ENOMEM;
}

static int take_trust(struct tls_query *query, weft_bytes value, const char **ret_text)
{
    if (value.length > 0 && !is(value, "1"))
        return wrong(ret_text, "it has no value");
    query->trust_anybody = true;
    return 1;
}

enum { SERVER = 1, CLIENT = 2, BOTH = 3 };

static const struct {
    const char *name;
    unsigned ends;
    int (*take)(struct tls_query *query, weft_bytes value, const char **ret_text);
} options[] = {
    {"cert", BOTH, take_cert},     {"key", BOTH, take_key},
    {"ca", BOTH, take_ca},         {"alpn", BOTH, take_alpn},
    {"min", BOTH, take_minimum},   {"keylog", BOTH, take_key_log},
    {"staple", BOTH, take_staple}, {"clients", SERVER, take_clients},
    {"names", SERVER, take_names}, {"tickets", SERVER, take_tickets},
    {"name", CLIENT, take_name},   {"dangerously_trust_anybody", CLIENT, take_trust},
};

int tls_query_take(struct tls_query *query, weft_bytes name, weft_bytes value, const char **ret_text)
{
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        if (!is(name, options[i].name))
            continue;
        if (!(options[i].ends & (query->server ? SERVER : CLIENT)))
            return wrong(ret_text, query->server ? "only a client has this option" : "only a server has this option");
        query->any = true;
        return options[i].take(query, value, ret_text);
    }
    return 0;
}

int tls_query_server(const struct tls_query *query, weft_tls_server **ret, weft_failure **ret_failure)
{
    return weft_tls_server_new(&(weft_tls_server_options){.size = sizeof(weft_tls_server_options),
                                                          .identities = query->identities,
                                                          .identity_count = query->identity_count,
                                                          .known_names_only = query->known_names_only,
                                                          .alpn = query->alpn,
                                                          .alpn_count = query->alpn_count,
                                                          .clients = query->clients,
                                                          .ca_file = query->ca_file,
                                                          .minimum = query->minimum,
                                                          .tickets_sent = query->tickets_sent,
                                                          .key_log_environment = query->key_log_environment},
                               ret, ret_failure);
}

int tls_query_client(const struct tls_query *query, weft_tls_client **ret, weft_failure **ret_failure)
{
    return weft_tls_client_new(
        &(weft_tls_client_options){.size = sizeof(weft_tls_client_options),
                                   .ca_file = query->ca_file,
                                   .identity = query->identity_count > 0 ? &query->identities[0] : NULL,
                                   .alpn = query->alpn,
                                   .alpn_count = query->alpn_count,
                                   .minimum = query->minimum,
                                   .dangerously_trust_anybody = query->trust_anybody,
                                   .staple = query->staple,
                                   .key_log_environment = query->key_log_environment},
        ret, ret_failure);
}

void tls_query_fini(struct tls_query *query)
{
    while (query->texts) {
        struct tls_query_text *text = query->texts;

        query->texts = text->next;
        weft_release(text);
    }
}
