/* SPDX-License-Identifier: MIT */
/* The TLS that an endpoint's words and options ask for. */
#include <weft/failure.h>
#include <weft/log.h>

#include "net/endpoint.h"
#include "net/tls.h"

/* For a path, or a list of names. */
#define VALUE_ROOM 1024

static const enum url_option options[] = {URL_CERT, URL_KEY, URL_CA, URL_ALPN, URL_NAME};

static bool has_options(const struct url *url)
{
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        if (url_has(url, options[i]))
            return true;
    return false;
}

/* Returns 0 or a negative error. */
static int take_options(const struct url *url, struct tls_query *query)
{
    char value[VALUE_ROOM];
    const char *problem;

    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        int length, status;

        if (!url_has(url, options[i]))
            continue;
        length = url_text(url->options[options[i]].text, value, sizeof value);
        if (length < 0)
            return length;
        status = tls_query_take(query, weft_bytes_from(url_option_name(options[i])),
                                weft_bytes_of(value, (size_t)length), &problem);
        if (status == WEFT_EURL)
            weft_log(WEFT_LOG_ERROR, "tls", "%s=: %s", url_option_name(options[i]), problem);
        if (status < 0)
            return status;
    }
    return 0;
}

/* What was wrong with a file is not to be seen in a number. */
static void tell(weft_failure *failure)
{
    char text[512];

    if (!failure)
        return;
    (void)weft_failure_describe(failure, text, sizeof text);
    weft_log(WEFT_LOG_ERROR, "tls", "%s", text);
    weft_failure_unref(failure);
}

int endpoint_tls_server(const struct url *url, struct layer_maker **top)
{
    struct tls_query query = {.server = true};
    weft_failure *failure = NULL;
    weft_tls_server *server;
    int status = take_options(url, &query);

    if (status == 0)
        status = tls_query_server(&query, &server, &failure);
    tls_query_fini(&query);
    tell(failure);
    if (status < 0)
        return status;
    status = tls_server_maker(server, top);
    weft_tls_server_unref(server);
    return status;
}

/* A client of its own, or the loop's. */
static int add_client(const struct url *url, weft_stream *stream, const struct tls_query *query, const char *host)
{
    bool own = has_options(url);
    weft_failure *failure = NULL;
    weft_tls_client *client;
    struct layer *layer;
    int status =
        own ? tls_query_client(query, &client, &failure) : tls_client_default(weft_stream_loop(stream), &client);

    tell(failure);
    if (status < 0)
        return status;
    status = tls_client_layer(client, query->name ? query->name : host, &layer);
    if (own)
        weft_tls_client_unref(client);
    return status < 0 ? status : layers_add(stream, layer);
}

int endpoint_tls_client(const struct url *url, weft_stream *stream, const char *host)
{
    struct tls_query query = {.server = false};
    int status = take_options(url, &query);

    if (status == 0)
        status = !host && !query.name ? -EINVAL : add_client(url, stream, &query, host);
    tls_query_fini(&query);
    return status;
}
