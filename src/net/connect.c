/* SPDX-License-Identifier: MIT */
/* Outgoing connections: a stream that is given its protocol before it is open. */
#include <weft/listener.h>

#include <stdio.h>

#include "base/options.h"
#include "net/endpoint.h"
#include "net/stream_internal.h"
#include "net/tls.h"

/* A host's name, with a NUL. */
#define HOST_MOST 256

static int begin(weft_stream *stream, const struct url *url)
{
    struct backend *backend = stream->loop->backend;
    int status;

    if (url->name.length > 0)
        return connect_search_start(stream, url->name, url->endpoint.address.port);
    if (url->kind == URL_SOCKET) {
        struct backend_endpoint to = url->endpoint;
        if (url->any)
            to.address.ip[15] = 1; /* "every address" means this host's own */
        stream->peer = to.address;
        stream->flags |= STREAM_CONNECTING;
        status = backend->ops->connect(backend, &stream->io, &to, &stream->config->socket);
        if (status == 0)
            stream_arm(stream);
        return status;
    }
    status = url->kind == URL_STDIO
                 ? backend->ops->adopt_stream(backend, &stream->io, 0, 1, &stream->config->socket, &stream->peer)
                 : backend->ops->adopt_stream(backend, &stream->io, url->fd, url->fd, &stream->config->socket,
                                              &stream->peer);
    if (status == 0) {
        stream->flags |= STREAM_OPEN_DUE;
        stream_schedule(stream);
    }
    return status;
}

/* The host of @p url as a certificate has it: a name or a numeric address. Returns 0, or -EINVAL if it has neither. */
static int host_of(const struct url *url, char host[HOST_MOST])
{
    const weft_address *at = &url->endpoint.address;
    weft_bytes name = url->words & URL_PROXIES ? url->target.host : url->name; /* TLS is spoken with the target */

    if (name.length > 0) {
        snprintf(host, HOST_MOST, "%.*s", (int)name.length, name.data);
        return 0;
    }
    if (url->kind != URL_SOCKET || (at->family != WEFT_ADDRESS_IPV4 && at->family != WEFT_ADDRESS_IPV6))
        return -EINVAL;
    weft_address_host(at, host);
    return 0;
}

/* That of the program's options, or of the URL. */
static int add_tls(weft_stream *stream, const struct url *url, const weft_stream_options *options)
{
    char text[HOST_MOST];
    const char *host = host_of(url, text) == 0 ? text : NULL;
    struct layer *layer;
    int status;

    if (options->tls_name)
        host = options->tls_name;
    if (options->tls_name && !options->tls && !(url->words & URL_TLS))
        return -EINVAL; /* whoever names whom it wants to speak with is not to speak in plain text with anybody */
    if (!options->tls)
        return url->words & URL_TLS ? endpoint_tls_client(url, stream, host) : 0;
    status = host ? tls_client_layer(options->tls, host, &layer) : -EINVAL;
    return status == 0 ? layers_add(stream, layer) : status;
}

int weft_stream_connect(weft_scope *scope, const char *url_text, weft_protocol *protocol,
                        const weft_stream_options *options, weft_stream **ret_stream, weft_url_error *ret_error)
{
    char translated[ENDPOINT_TRANSLATED];
    weft_stream_options said;
    struct stream_config *config;
    weft_stream *stream;
    struct url url;
    int status = endpoint_parse(scope, url_text, url_parse_peer, translated, &url, ret_error);

    if (status == 0)
        status = endpoint_stream_options(&url, options, &said);
    if (status < 0)
        return status;
    status = stream_config_new(&said, NULL, &config);
    if (status < 0)
        return status;
    stream = stream_new(scope, config, protocol, &status);
    stream_config_unref(config);
    if (!stream)
        return status;
    status = endpoint_stream_layers(&url, stream, said.announce);
    if (status == 0)
        status = add_tls(stream, &url, &said);
    if (status == 0)
        status = begin(stream, &url);
    if (status < 0) {
        stream_discard(stream);
        return status;
    }
    if (ret_stream)
        *ret_stream = stream;
    return 0;
}
