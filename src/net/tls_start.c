/* SPDX-License-Identifier: MIT */
/* STARTTLS: TLS that begins on an open stream (weft/tls.h; layers_start keeps what came too early away from it). */
#include "net/tls_internal.h"

int weft_stream_start_tls_server(weft_stream *stream, weft_tls_server *server)
{
    struct layer *layer;
    int status = tls_server_layer(server, &layer);

    return status < 0 ? status : layers_start(stream, layer, WEFT_ETLSSMUGGLED);
}

int weft_stream_start_tls_client(weft_stream *stream, weft_tls_client *client, const char *name)
{
    struct layer *layer;
    int status = tls_client_layer(client, name, &layer);

    return status < 0 ? status : layers_start(stream, layer, WEFT_ETLSSMUGGLED);
}
