/* SPDX-License-Identifier: MIT */
/* Endpoint URLs: the string that says where to listen or connect. */
#ifndef NET_URL_H
#define NET_URL_H

#include <weft/listener.h>

#include "backend/backend.h"

enum url_kind { URL_SOCKET, URL_DESCRIPTOR, URL_STDIO };

struct url {
    enum url_kind kind;
    struct backend_endpoint endpoint; /* URL_SOCKET; its path points into the string */
    bool any;                         /* tcp://:PORT: every address, both families */
    weft_bytes name;                  /* to be looked up, for the address but not the port; points into the string */
    int fd;                           /* URL_DESCRIPTOR */
};

/* Returns 0, WEFT_EURL or WEFT_ESCHEME; then *ret_error says what is wrong where. */
int url_parse(const char *text, struct url *ret, weft_url_error *ret_error);
/* The same for whoever connects: the host may be a name. */
int url_parse_peer(const char *text, struct url *ret, weft_url_error *ret_error);

/* Whether @p host can be a name: letters, digits, `-`, `_` and single dots, and nobody could take it for an address. */
bool url_is_name(weft_bytes host);

/* Parses a numeric address without brackets or port. */
bool url_parse_ipv4(weft_bytes text, uint8_t ip[16]);
bool url_parse_ipv6(weft_bytes text, uint8_t ip[16]);

#endif
