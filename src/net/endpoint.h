/* SPDX-License-Identifier: MIT */
/* What an endpoint's URL says beside the address, put to use. */
#ifndef NET_ENDPOINT_H
#define NET_ENDPOINT_H

#include "net/layer.h"
#include "net/url.h"

/* What the operator wrote goes before what the program set: the options in @p url replace those in @p options. */
void endpoint_listen_options(const struct url *url, weft_listen_options *options);
/* The same for a connection: @p ret is what stream_config_new is to have in the place of @p user, which may be NULL.
 * Returns 0, -EINVAL or -E2BIG. */
int endpoint_stream_options(const struct url *url, const weft_stream_options *user, weft_stream_options *ret);

/* Puts what the words of @p url ask for below the layers that a listener's connections have already, such as the TLS of its
 * options. Returns 0 or a negative error. */
int endpoint_listener_layers(const struct url *url, struct layer_maker **bottom);
/* Adds what they ask for to a stream that is to connect, which has no layers yet; its PROXY header says @p announce, which may
 * be NULL. Returns 0 or a negative error. */
int endpoint_stream_layers(const struct url *url, weft_stream *stream, const struct weft_proxy_header *announce);

/* endpoint_tls.c: the TLS that the options of @p url describe: what makes the layer of each of a listener's connections, and
 * that of a stream to @p host (NULL: there is none; then `name=` has to be there), on top of what it has. Both return 0 or a
 * negative error; what was wrong with a file is in the log. */
int endpoint_tls_server(const struct url *url, struct layer_maker **top);
int endpoint_tls_client(const struct url *url, weft_stream *stream, const char *host);

/* Room for what a scheme that was added stands for. */
#define ENDPOINT_TRANSLATED 1024

/* Parses @p text by @p parse, one of url.h, after it has followed the schemes that were added (weft/scheme.h) to the loop of
 * @p scope, which may be NULL. What the result points to lives as long as @p text, @p buffer and *ret do. Returns 0 or a
 * negative error. */
int endpoint_parse(const weft_scope *scope, const char *text,
                   int (*parse)(const char *text, struct url *ret, weft_url_error *ret_error),
                   char buffer[ENDPOINT_TRANSLATED], struct url *ret, weft_url_error *ret_error);

#endif
