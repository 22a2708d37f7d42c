/* SPDX-License-Identifier: MIT */
/*
 * Endpoint URLs: the string that says where to listen or connect
 * (docs/decisions/0024, docs/reference/endpoints.md).
 *
 *     [layer "+" ...] carrier "://" place ["?" option "=" value ["&" ...]]
 *
 * Three files share the parser: url.c the schemes, url_address.c hosts, ports
 * and addresses, url_option.c what stands behind the question mark. It is pure:
 * no system call, no allocation, nothing that is looked up.
 */
#ifndef NET_URL_H
#define NET_URL_H

#include <weft/listener.h>

#include "backend/backend.h"

enum url_kind { URL_SOCKET, URL_DESCRIPTOR, URL_STDIO, URL_SYSTEMD };

/* The words of the scheme. */
enum {
    URL_TCP = 1 << 0,
    URL_UNIX = 1 << 1,
    URL_MEM = 1 << 2,
    URL_FD = 1 << 3,
    URL_STANDARD = 1 << 4, /* stdio: */
    URL_SYSTEM = 1 << 5,   /* systemd:// */
    URL_UDP = 1 << 6,
    URL_UNIXGRAM = 1 << 7,
    URL_SOCKS4A = 1 << 8, /* from here on: the socket leads to a proxy, which is asked for `target` */
    URL_SOCKS5 = 1 << 9,
    URL_HTTP_CONNECT = 1 << 10,
    /* Layers over the carrier, in the order in which they come on the wire. */
    URL_PROXY = 1 << 11, /* a PROXY header */
    URL_TLS = 1 << 12,
};
#define URL_PROXIES (URL_SOCKS4A | URL_SOCKS5 | URL_HTTP_CONNECT)
#define URL_STREAMS (URL_TCP | URL_UNIX | URL_MEM | URL_FD | URL_STANDARD | URL_SYSTEM | URL_PROXIES)
#define URL_DATAGRAMS (URL_UDP | URL_UNIXGRAM)

enum url_option {
    URL_BACKLOG,
    URL_REUSEPORT,
    URL_MODE,
    URL_CONNECTIONS,
    URL_PERADDRESS,
    URL_NODELAY,
    URL_KEEPALIVE,
    URL_CONNECTTIME,
    URL_HANDSHAKE,
    URL_IDLE,
    URL_WRITESTALL,
    URL_LIFETIME,
    URL_FROM,
    URL_VERSION,
    URL_CERT,
    URL_KEY,
    URL_ALPN,
    URL_CA,
    URL_NAME,
    URL_OPTIONS
};

/* What an option says: a number, a truth, a weft_time; or a text, which url_text decodes. */
struct url_value {
    weft_bytes text; /* as it was written; points into the string */
    int64_t number;
};

struct url {
    uint32_t words;
    enum url_kind kind;
    struct backend_endpoint endpoint; /* URL_SOCKET; its path points into `path`, its zone into the string */
    char path[108];
    bool any;            /* tcp://:PORT: every address, both families */
    weft_bytes name;     /* to be looked up, for the address but not the port; points into the string */
    int fd;              /* URL_DESCRIPTOR */
    weft_bytes service;  /* URL_SYSTEMD: the name, as it was written; empty: whichever comes next */
    struct {             /* what a proxy is asked for */
        weft_bytes host; /* a name or a numeric address, without brackets; points into the string */
        uint16_t port;
        uint8_t family; /* weft_address_family; WEFT_ADDRESS_NONE: it is a name */
        uint8_t ip[16];
    } target;
    weft_bytes user, password; /* for a proxy, as they were written; without data if there are none */
    uint32_t given;            /* which options: bits 1 << enum url_option */
    struct url_value options[URL_OPTIONS];
};

/* Each returns 0, WEFT_EURL or WEFT_ESCHEME; then *ret_error says what is wrong where. What the result points to lives as long
 * as @p text and *ret do. */
int url_parse(const char *text, struct url *ret, weft_url_error *ret_error);
/* The same for whoever connects: the host may be a name. */
int url_parse_peer(const char *text, struct url *ret, weft_url_error *ret_error);
/* The same for datagrams: udp:// and unixgram://. Hosts are numeric. */
int url_parse_datagrams(const char *text, struct url *ret, weft_url_error *ret_error);

/* Whether @p name is a word that schemes are made of here. */
bool url_is_scheme(weft_bytes name);

/* The name of an option, as it is written. */
const char *url_option_name(enum url_option option);

static inline bool url_has(const struct url *url, enum url_option option)
{
    return url->given >> option & 1;
}

/* Writes @p raw, a part of a URL that was parsed, with its %XX decoded and with a NUL, into @p buffer.
 * Returns its length, or -ENAMETOOLONG if it has more than @p room bytes with its NUL. */
int url_text(weft_bytes raw, char *buffer, size_t room);
/* Writes @p text so that it can stand in a URL as a path. Returns its length, cut to @p room bytes with a NUL. */
size_t url_escape(weft_bytes text, char *buffer, size_t room);

/* Room for an address as URLs have it. */
#define URL_ADDRESS_TEXT (WEFT_ADDRESS_TEXT + 2)
/* Writes "host:port" of @p address, which is of IP, so that it can stand in a URL: "[fe80::1%252]:80". */
void url_write_address(const weft_address *address, char buffer[URL_ADDRESS_TEXT]);

/* Whether @p host can be a name: letters, digits, `-`, `_` and single dots, and nobody could take it for an address. */
bool url_is_name(weft_bytes host);

/* One of a list of networks, "192.0.2.0/24,2001:db8::/32,unix". */
struct url_network {
    uint8_t family; /* WEFT_ADDRESS_UNIX stands for MEMORY, too */
    uint8_t bits;
    uint8_t ip[16];
};
#define URL_NETWORKS_MOST 64

/* Parses such a list. Returns how many, at least 1; or WEFT_EURL, and where in @p text in *ret_error. */
int url_parse_networks(weft_bytes text, struct url_network ret[URL_NETWORKS_MOST], weft_url_error *ret_error);

#endif
