/* SPDX-License-Identifier: MIT */
/* What the files of the parser share (url.h). */
#ifndef NET_URL_PARSE_H
#define NET_URL_PARSE_H

#include "net/url.h"

/* What the URL is for. */
enum url_use { URL_LISTEN = 1, URL_CONNECT = 2, URL_EXCHANGE = 4 };

struct url_parse {
    const char *text;
    weft_bytes rest; /* of the place: behind the scheme, before the question mark */
    weft_bytes query;
    weft_url_error *error;
    enum url_use use;
};

/* Returns WEFT_EURL, with @p text for the byte @p at of the string. */
int url_fail(struct url_parse *parse, const char *at, const char *text);
/* Returns -1 if it is none. */
static inline int url_hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Checks the %XX of @p part. */
int url_check_escapes(struct url_parse *parse, weft_bytes part);

/* -- url_address.c -- */

/* What it may be: nothing, a name; and whether it is another who takes it for what it is, localhost, too. */
enum { URL_HOST_EMPTY = 1, URL_HOST_NAME = 2, URL_HOST_ELSEWHERE = 4 };
struct url_host {
    weft_bytes name; /* not to be had as an address */
    weft_address address;
    weft_bytes zone; /* the name of an interface */
    weft_bytes text; /* without brackets and zone */
};
/* "host:port"; @p port: what it is if none is given, or -1. */
int url_parse_authority(struct url_parse *parse, weft_bytes text, unsigned may, int port, struct url_host *ret);

/* -- url_option.c -- */

int url_parse_options(struct url_parse *parse, struct url *url);

#endif
