/* SPDX-License-Identifier: MIT */
/* What is said to a proxy that is to lead to the target: SOCKS and HTTP CONNECT (docs/decisions/0024). */
#ifndef NET_SOCKS_LAYER_H
#define NET_SOCKS_LAYER_H

#include "net/layer.h"
#include "net/url.h"

/* A layer that asks a SOCKS server for the target of @p url, whose words say which version. Returns 0 or WEFT_ENOMEM. */
int socks_layer_new(const struct url *url, struct layer **ret);
/* One that asks an HTTP proxy for it (RFC 9110 §9.3.6). Returns 0 or WEFT_ENOMEM. */
int connect_layer_new(const struct url *url, struct layer **ret);

#endif
