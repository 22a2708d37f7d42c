/* SPDX-License-Identifier: MIT */
/* An HTTP proxy's CONNECT (RFC 9110 §9.3.6), with Basic (RFC 7617), as a layer that leaves. */
#include <stdio.h>

#include <weft/memory.h>
#include <weft/secret.h>
#include <weft/wire/http1.h>

#include "net/socks_layer.h"
#include "net/talk.h"

/* user:password, each up to 255 bytes; and in base64. */
#define PAIR_ROOM 512
#define BASE64_ROOM (PAIR_ROOM / 3 * 4 + 8)
/* Names have at most 253 bytes; twice, with ports, and what is around them. */
#define HEAD_ROOM 1024

/* A whole head, which the parser bounds, and a line of it. */
#define ANSWER_MOST (32 * 1024)

struct tunnel {
    struct talk talk;
    weft_http1_parser parser;
    unsigned code;
    size_t length;
    char request[HEAD_ROOM + BASE64_ROOM];
};

static struct tunnel *tunnel_of(struct talk *talk)
{
    return weft_container_of(talk, struct tunnel, talk);
}

static void forget_request(struct tunnel *tunnel)
{
    weft_secret_clear(tunnel->request, sizeof tunnel->request);
}

static int begin(struct talk *talk)
{
    struct tunnel *tunnel = tunnel_of(talk);
    int status = talk_say(talk, weft_bytes_of(tunnel->request, tunnel->length));

    forget_request(tunnel);
    return status;
}

static int error_of(unsigned code)
{
    switch (code) {
    case 407:
        return WEFT_EPROXYAUTH;
    case 403:
        return -EACCES;
    default:
        return WEFT_EPROXY;
    }
}

/* Returns 0; or why the connection is of no use. */
static int take_event(struct tunnel *tunnel, const weft_http1_event *event)
{
    switch (event->type) {
    case WEFT_HTTP1_STATUS_LINE:
        tunnel->code = event->status.code;
        if (tunnel->code == 101) /* nobody asked for another protocol */
            return WEFT_EPROTOCOL;
        return tunnel->code < 300 ? 0 : error_of(tunnel->code);
    case WEFT_HTTP1_MESSAGE_END:
        tunnel->talk.over = tunnel->code >= 200;
        if (!tunnel->talk.over) {
            weft_http1_parser_reset(&tunnel->parser);
            weft_http1_parser_answers(&tunnel->parser, WEFT_HTTP1_ANSWERS_CONNECT);
        }
        return 0;
    default:
        return 0;
    }
}

static int heard(struct talk *talk, weft_bytes in)
{
    struct tunnel *tunnel = tunnel_of(talk);
    weft_bytes rest = in;
    weft_http1_event event;
    int type = 1, status = 0;

    while (status == 0 && type > 0 && !talk->over) {
        type = weft_http1_next(&tunnel->parser, &rest, &event);
        status = type > 0 ? take_event(tunnel, &event) : type;
    }
    return status < 0 ? status : (int)(in.length - rest.length);
}

static void free_tunnel(struct talk *talk)
{
    struct tunnel *tunnel = tunnel_of(talk);

    forget_request(tunnel);
    weft_release(tunnel);
}

static const struct talk_ops tunnel_ops = {
    .layer = TALK_LAYER_OPS("http connect"),
    .begin = begin,
    .heard = heard,
    .free = free_tunnel,
    .most = ANSWER_MOST,
};

/* -- the request -- */

/* RFC 4648 §4 */
static void write_base64(weft_bytes bytes, char *out)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    for (size_t i = 0; i < bytes.length; i += 3) {
        unsigned left = bytes.length - i < 3 ? (unsigned)(bytes.length - i) : 3, value = 0;

        for (unsigned j = 0; j < 3; j++)
            value = value << 8 | (j < left ? (unsigned char)bytes.data[i + j] : 0);
        for (unsigned j = 0; j < 4; j++)
            *out++ = '=';
        for (unsigned j = 0; j <= left; j++)
            out[(int)j - 4] = digits[value >> (18 - 6 * j) & 63];
    }
    *out = '\0';
}

static int write_credentials(const struct url *url, char base64[BASE64_ROOM])
{
    char pair[PAIR_ROOM];
    int user = url_text(url->user, pair, 256), password;

    if (user < 0)
        return user;
    pair[user] = ':';
    password = url_text(url->password, pair + user + 1, 256);
    if (password >= 0)
        write_base64(weft_bytes_of(pair, (size_t)(user + 1 + password)), base64);
    weft_secret_clear(pair, sizeof pair);
    return password < 0 ? password : 0;
}

/* RFC 9112 §3.2.3: the target is host and port, the same as Host. */
static int write_request(struct tunnel *tunnel, const struct url *url)
{
    char base64[BASE64_ROOM] = "", authority[300];
    bool v6 = url->target.family == WEFT_ADDRESS_IPV6;
    int status = url->user.length > 0 ? write_credentials(url, base64) : 0;

    if (status < 0)
        return status;
    snprintf(authority, sizeof authority, "%s%.*s%s:%u", v6 ? "[" : "", (int)url->target.host.length,
             url->target.host.data, v6 ? "]" : "", url->target.port);
    tunnel->length = (size_t)snprintf(tunnel->request, sizeof tunnel->request,
                                      "CONNECT %s HTTP/1.1\r\nHost: %s\r\n%s%s%s\r\n", authority, authority,
                                      base64[0] ? "Proxy-Authorization: Basic " : "", base64, base64[0] ? "\r\n" : "");
    weft_secret_clear(base64, sizeof base64);
    return 0;
}

int connect_layer_new(const struct url *url, struct layer **ret)
{
    struct tunnel *tunnel = weft_allocate_zeroed(1, sizeof *tunnel);
    int status;

    if (!tunnel)
        return WEFT_ENOMEM;
    talk_init(&tunnel->talk, &tunnel_ops);
    weft_http1_parser_init(&tunnel->parser, WEFT_HTTP1_RESPONSE, NULL);
    weft_http1_parser_answers(&tunnel->parser, WEFT_HTTP1_ANSWERS_CONNECT);
    status = write_request(tunnel, url);
    if (status < 0) {
        weft_release(tunnel);
        return status;
    }
    *ret = &tunnel->talk.layer;
    return 0;
}
