/* SPDX-License-Identifier: MIT */
/* PROXY headers in front of streams: received from those who may send them, and sent (docs/decisions/0024). */
#ifndef NET_PROXY_LAYER_H
#define NET_PROXY_LAYER_H

#include <weft/wire/proxy.h>

#include "net/layer.h"

/* What a stream was told about whom it is for. */
struct stream_claim {
    weft_address peer; /* of no family: the one that is connected */
    weft_proxy_header header;
    char text[]; /* what the header's slices point to */
};

/* Makes a layer for each connection of a listener, which believes the networks of @p from, a list as url_parse_networks
 * takes it. Returns 0 or WEFT_ENOMEM. */
int proxy_receiver_new(weft_bytes from, struct layer_maker **ret);

/* Makes a layer that sends a header of @p version: @p announce (*borrowed*) or, if that is NULL, one of the connection
 * itself. Returns 0, -EINVAL for what cannot be sent, WEFT_ENOMEM. */
int proxy_sender_new(uint8_t version, const weft_proxy_header *announce, struct layer **ret);

#endif
