/* SPDX-License-Identifier: MIT */
/*
 * A SOCKS client (RFC 1928, RFC 1929, SOCKS 4a), as a layer that leaves.
 *
 *   version 5:  CHOOSING ──no proof──────────────▶ ASKING ──granted──▶ over
 *                   └──password──▶ PROVING ──ok──────┘
 *   version 4:                                     ASKING ──granted──▶ over
 */
#include "net/socks_layer.h"

#include <weft/memory.h>
#include <weft/secret.h>
#include <weft/wire/socks.h>

#include "net/talk.h"

/* RFC 1929 §2 */
#define CREDENTIAL_ROOM 256

struct socks {
    struct talk talk;
    enum { CHOOSING, PROVING, ASKING } state;
    weft_socks_request request;
    bool has_password;
    char name[CREDENTIAL_ROOM], user[CREDENTIAL_ROOM], password[CREDENTIAL_ROOM];
};

static struct socks *socks_of(struct talk *talk)
{
    return weft_container_of(talk, struct socks, talk);
}

/* -- what the client says -- */

static int ask(struct socks *socks)
{
    char out[WEFT_SOCKS_LONGEST];
    int length = weft_socks_write_request(out, sizeof out, &socks->request);

    socks->state = ASKING;
    return length < 0 ? length : talk_say(&socks->talk, weft_bytes_of(out, (size_t)length));
}

static int greet(struct socks *socks)
{
    static const char both[] = {WEFT_SOCKS_NO_PROOF, WEFT_SOCKS_PASSWORD};
    const weft_socks_greeting greeting = {weft_bytes_of(both, socks->has_password ? 2 : 1)};
    char out[8];
    int length = weft_socks_write_greeting(out, sizeof out, &greeting);

    return length < 0 ? length : talk_say(&socks->talk, weft_bytes_of(out, (size_t)length));
}

static int prove(struct socks *socks)
{
    const weft_socks_credentials credentials = {weft_bytes_from(socks->user), weft_bytes_from(socks->password)};
    char out[WEFT_SOCKS_LONGEST];
    int length = weft_socks_write_credentials(out, sizeof out, &credentials), status;

    socks->state = PROVING;
    status = length < 0 ? length : talk_say(&socks->talk, weft_bytes_of(out, (size_t)length));
    weft_secret_clear(out, sizeof out);
    return status;
}

static int begin(struct talk *talk)
{
    struct socks *socks = socks_of(talk);

    return socks->request.version == 4 ? ask(socks) : greet(socks);
}

/* -- what the server answers -- */

static int hear_choice(struct socks *socks, weft_bytes in)
{
    uint8_t method;
    int length = weft_socks_read_choice(in, &method), status;

    if (length <= 0)
        return length;
    if (method == WEFT_SOCKS_NO_METHOD)
        return WEFT_EPROXYAUTH;
    if (method == WEFT_SOCKS_NO_PROOF)
        status = ask(socks);
    else if (method == WEFT_SOCKS_PASSWORD && socks->has_password)
        status = prove(socks);
    else
        status = WEFT_EPROTOCOL; /* it chose what was not offered */
    return status < 0 ? status : length;
}

static int hear_verdict(struct socks *socks, weft_bytes in)
{
    bool accepted;
    int length = weft_socks_read_verdict(in, &accepted), status;

    if (length <= 0)
        return length;
    status = accepted ? ask(socks) : WEFT_EPROXYAUTH;
    return status < 0 ? status : length;
}

static int error_of(uint8_t answer)
{
    switch (answer) {
    case WEFT_SOCKS_NOT_ALLOWED:
        return -EACCES;
    case WEFT_SOCKS_NETWORK_UNREACHABLE:
        return -ENETUNREACH;
    case WEFT_SOCKS_HOST_UNREACHABLE:
    case WEFT_SOCKS_TTL_EXPIRED:
        return -EHOSTUNREACH;
    case WEFT_SOCKS_REFUSED:
        return -ECONNREFUSED;
    default:
        return WEFT_EPROXY;
    }
}

static int hear_reply(struct socks *socks, weft_bytes in)
{
    weft_socks_reply reply;
    int length = weft_socks_read_reply(in, socks->request.version, &reply);

    if (length <= 0)
        return length;
    if (reply.answer != WEFT_SOCKS_GRANTED)
        return error_of(reply.answer);
    socks->talk.over = true;
    return length;
}

static int heard(struct talk *talk, weft_bytes in)
{
    struct socks *socks = socks_of(talk);

    switch (socks->state) {
    case CHOOSING:
        return hear_choice(socks, in);
    case PROVING:
        return hear_verdict(socks, in);
    default:
        return hear_reply(socks, in);
    }
}

static void free_socks(struct talk *talk)
{
    struct socks *socks = socks_of(talk);

    weft_secret_clear(socks->password, sizeof socks->password);
    weft_release(socks);
}

static const struct talk_ops socks_ops = {
    .layer = TALK_LAYER_OPS("socks"),
    .begin = begin,
    .heard = heard,
    .free = free_socks,
    .most = WEFT_SOCKS_LONGEST,
};

/* -- making one -- */

/* The parser has seen to it that all fit. */
static int set_up(struct socks *socks, const struct url *url)
{
    weft_socks_place *place = &socks->request.place;
    int length;

    socks->request.version = url->words & URL_SOCKS4A ? 4 : 5;
    socks->request.command = WEFT_SOCKS_CONNECT;
    place->address.family = url->target.family;
    place->address.port = url->target.port;
    memcpy(place->address.ip, url->target.ip, sizeof place->address.ip);
    length = url_text(url->target.host, socks->name, sizeof socks->name);
    if (length >= 0 && url->target.family == WEFT_ADDRESS_NONE)
        place->name = weft_bytes_of(socks->name, (size_t)length);
    if (length >= 0)
        length = url_text(url->user, socks->user, sizeof socks->user);
    if (length >= 0 && socks->request.version == 4)
        socks->request.user = weft_bytes_of(socks->user, (size_t)length);
    if (length >= 0)
        length = url_text(url->password, socks->password, sizeof socks->password);
    socks->has_password = length > 0;
    return length < 0 ? length : 0;
}

int socks_layer_new(const struct url *url, struct layer **ret)
{
    struct socks *socks = weft_allocate_zeroed(1, sizeof *socks);
    int status;

    if (!socks)
        return WEFT_ENOMEM;
    talk_init(&socks->talk, &socks_ops);
    status = set_up(socks, url);
    if (status < 0) {
        weft_release(socks);
        return status;
    }
    *ret = &socks->talk.layer;
    return 0;
}
