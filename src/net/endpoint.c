/* SPDX-License-Identifier: MIT */
#include "net/endpoint.h"

#include "base/options.h"
#include "net/proxy_layer.h"
#include "net/socks_layer.h"

static void set_time(const struct url *url, enum url_option option, weft_time *to)
{
    if (url_has(url, option))
        *to = url->options[option].number;
}

static void set_size(const struct url *url, enum url_option option, size_t *to)
{
    if (url_has(url, option))
        *to = (size_t)url->options[option].number;
}

/* Options that were left out have no size; from now on they have one. */
static void set_stream(const struct url *url, weft_stream_options *options)
{
    if (url->given && options_left_out(options, sizeof *options))
        options->size = sizeof *options;
    set_time(url, URL_CONNECTTIME, &options->connect);
    set_time(url, URL_HANDSHAKE, &options->handshake);
    set_time(url, URL_IDLE, &options->idle);
    set_time(url, URL_WRITESTALL, &options->write_stall);
    set_time(url, URL_LIFETIME, &options->lifetime);
    set_time(url, URL_KEEPALIVE, &options->keepalive);
    if (url_has(url, URL_NODELAY))
        options->delay = !url->options[URL_NODELAY].number;
}

void endpoint_listen_options(const struct url *url, weft_listen_options *options)
{
    if (url_has(url, URL_BACKLOG))
        options->backlog = (int)url->options[URL_BACKLOG].number;
    if (url_has(url, URL_REUSEPORT))
        options->reuse_port = url->options[URL_REUSEPORT].number;
    if (url_has(url, URL_MODE))
        options->unix_mode = (unsigned)url->options[URL_MODE].number;
    set_size(url, URL_CONNECTIONS, &options->max_connections);
    set_size(url, URL_PERADDRESS, &options->max_per_address);
    set_stream(url, &options->stream);
}

int endpoint_stream_options(const struct url *url, const weft_stream_options *user, weft_stream_options *ret)
{
    weft_stream_options options = {0};
    int status = options_copy(&options, sizeof options, user);

    if (status < 0)
        return status;
    set_stream(url, &options);
    *ret = options;
    return 0;
}

/* -- layers -- */

int endpoint_listener_layers(const struct url *url, struct layer_maker **bottom)
{
    struct layer_maker *receiver;
    int status = (url->words & URL_TLS) && !*bottom ? endpoint_tls_server(url, bottom) : 0;

    if (status < 0 || !(url->words & URL_PROXY))
        return status;
    status = proxy_receiver_new(url->options[URL_FROM].text, &receiver);
    if (status < 0)
        return status;
    receiver->above = *bottom;
    *bottom = receiver;
    return 0;
}

/* Behind a proxy nobody is told of the connection to it, which has its address and one that is ours at home. */
static int add_proxy_header(const struct url *url, weft_stream *stream, const weft_proxy_header *announce)
{
    static const weft_proxy_header local = {.local = true};
    uint8_t version = url_has(url, URL_VERSION) ? (uint8_t)url->options[URL_VERSION].number : 2;
    struct layer *layer;
    int status;

    if (!announce && (url->words & URL_PROXIES))
        announce = &local;
    status = proxy_sender_new(version, announce, &layer);
    return status < 0 ? status : layers_add(stream, layer);
}

static int add_proxy(const struct url *url, weft_stream *stream)
{
    struct layer *layer;
    int status = url->words & URL_HTTP_CONNECT ? connect_layer_new(url, &layer) : socks_layer_new(url, &layer);

    return status < 0 ? status : layers_add(stream, layer);
}

int endpoint_stream_layers(const struct url *url, weft_stream *stream, const weft_proxy_header *announce)
{
    int status = 0;

    if (url->words & URL_PROXIES)
        status = add_proxy(url, stream);
    if (status == 0 && (url->words & URL_PROXY))
        status = add_proxy_header(url, stream, announce);
    return status;
}
