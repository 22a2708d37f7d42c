/* SPDX-License-Identifier: MIT */
/* Version 5 (RFC 1928) with user and password (RFC 1929). */
#include "wire/socks/socks_parts.h"

enum { VERSION = 5, PASSWORD_VERSION = 1 };
enum { TYPE_IPV4 = 1, TYPE_NAME = 3, TYPE_IPV6 = 4 };

/* -- methods, section 3 -- */

int weft_socks_read_greeting(weft_bytes in, weft_socks_greeting *ret)
{
    if ((in.length > 0 && in.data[0] != VERSION) || (in.length > 1 && in.data[1] == 0))
        return WEFT_EPROTOCOL;
    if (in.length < 2 || in.length - 2 < socks_byte(in, 1))
        return 0;
    ret->methods = weft_bytes_first(weft_bytes_skip(in, 2), socks_byte(in, 1));
    return 2 + (int)ret->methods.length;
}

int weft_socks_write_greeting(char *out, size_t room, const weft_socks_greeting *greeting)
{
    const char head[2] = {VERSION, (char)greeting->methods.length};
    const weft_bytes pieces[] = {weft_bytes_of(head, sizeof head), greeting->methods};

    if (greeting->methods.length == 0 || greeting->methods.length > 255)
        return -EINVAL;
    return socks_write_pieces(out, room, pieces, 2);
}

int weft_socks_read_choice(weft_bytes in, uint8_t *ret_method)
{
    if (in.length > 0 && in.data[0] != VERSION)
        return WEFT_EPROTOCOL;
    if (in.length < 2)
        return 0;
    *ret_method = socks_byte(in, 1);
    return 2;
}

int weft_socks_write_choice(char *out, size_t room, uint8_t method)
{
    const char text[2] = {VERSION, (char)method};
    const weft_bytes whole = weft_bytes_of(text, sizeof text);

    return socks_write_pieces(out, room, &whole, 1);
}

/* -- user and password, RFC 1929 section 2 -- */

/* Takes one that has its length before it: 1; 0 if more is needed; WEFT_EPROTOCOL for an empty one. */
static int take_counted(weft_bytes *rest, weft_bytes *ret)
{
    if (rest->length == 0)
        return 0;
    if (rest->data[0] == 0)
        return WEFT_EPROTOCOL;
    if (rest->length - 1 < socks_byte(*rest, 0))
        return 0;
    *ret = weft_bytes_first(weft_bytes_skip(*rest, 1), socks_byte(*rest, 0));
    *rest = weft_bytes_skip(*rest, 1 + ret->length);
    return 1;
}

int weft_socks_read_credentials(weft_bytes in, weft_socks_credentials *ret)
{
    weft_socks_credentials found;
    weft_bytes rest = weft_bytes_skip(in, 1);
    int status;

    if (in.length > 0 && in.data[0] != PASSWORD_VERSION)
        return WEFT_EPROTOCOL;
    status = take_counted(&rest, &found.user);
    if (status > 0)
        status = take_counted(&rest, &found.password);
    if (status <= 0)
        return status;
    *ret = found;
    return (int)(in.length - rest.length);
}

int weft_socks_write_credentials(char *out, size_t room, const weft_socks_credentials *credentials)
{
    const char head[2] = {PASSWORD_VERSION, (char)credentials->user.length};
    const char between[1] = {(char)credentials->password.length};
    const weft_bytes pieces[] = {weft_bytes_of(head, sizeof head), credentials->user,
                                 weft_bytes_of(between, sizeof between), credentials->password};

    if (credentials->user.length - 1 > 254 || credentials->password.length - 1 > 254)
        return -EINVAL;
    return socks_write_pieces(out, room, pieces, 4);
}

int weft_socks_read_verdict(weft_bytes in, bool *ret_accepted)
{
    if (in.length > 0 && in.data[0] != PASSWORD_VERSION)
        return WEFT_EPROTOCOL;
    if (in.length < 2)
        return 0;
    *ret_accepted = in.data[1] == 0;
    return 2;
}

int weft_socks_write_verdict(char *out, size_t room, bool accepted)
{
    const char text[2] = {PASSWORD_VERSION, accepted ? 0 : 1};
    const weft_bytes whole = weft_bytes_of(text, sizeof text);

    return socks_write_pieces(out, room, &whole, 1);
}

/* -- requests and replies, sections 4 to 6: a version, a number, a zero, a place -- */

/* How long the address is, with its type; 0 if that cannot be known yet; WEFT_EPROTOCOL for a type that does not exist. */
static int place_length(weft_bytes in)
{
    if (in.length == 0)
        return 0;
    switch (in.data[0]) {
    case TYPE_IPV4:
        return 1 + 4;
    case TYPE_IPV6:
        return 1 + 16;
    case TYPE_NAME:
        if (in.length == 1)
            return 0;
        return in.data[1] == 0 ? WEFT_EPROTOCOL : 2 + socks_byte(in, 1);
    default:
        return WEFT_EPROTOCOL;
    }
}

static int read_place(weft_bytes in, weft_socks_place *ret)
{
    int length = place_length(in);

    if (length <= 0)
        return length;
    if (in.data[0] == TYPE_NAME) {
        ret->name = weft_bytes_skip(weft_bytes_first(in, (size_t)length), 2);
        if (weft_bytes_find(ret->name, '\0') != SIZE_MAX)
            return WEFT_EPROTOCOL;
    }
    if (in.length < (size_t)length + 2)
        return 0;
    if (in.data[0] != TYPE_NAME) {
        ret->address.family = in.data[0] == TYPE_IPV4 ? WEFT_ADDRESS_IPV4 : WEFT_ADDRESS_IPV6;
        memcpy(ret->address.ip, in.data + 1, (size_t)length - 1);
    }
    ret->address.port = socks_port(in, (size_t)length);
    return length + 2;
}

static int read_message(weft_bytes in, uint8_t *number, weft_socks_place *place)
{
    int length;

    if ((in.length > 0 && in.data[0] != VERSION) || (in.length > 2 && in.data[2] != 0))
        return WEFT_EPROTOCOL;
    if (in.length < 3)
        return 0;
    length = read_place(weft_bytes_skip(in, 3), place);
    if (length <= 0)
        return length;
    *number = socks_byte(in, 1);
    return 3 + length;
}

static int write_message(char *out, size_t room, uint8_t number, const weft_socks_place *place)
{
    const weft_address *address = &place->address;
    const char port[2] = {(char)(address->port >> 8), (char)address->port};
    const char count[1] = {(char)place->name.length};
    char head[4] = {VERSION, (char)number, 0, TYPE_NAME};
    bool named = address->family == WEFT_ADDRESS_NONE;
    size_t size = address->family == WEFT_ADDRESS_IPV4 ? 4 : 16;
    const weft_bytes pieces[] = {weft_bytes_of(head, sizeof head), weft_bytes_of(count, named ? 1 : 0),
                                 named ? place->name : weft_bytes_of(address->ip, size),
                                 weft_bytes_of(port, sizeof port)};

    if (named ? !socks_is_text(place->name, false)
              : address->family != WEFT_ADDRESS_IPV4 && address->family != WEFT_ADDRESS_IPV6)
        return -EINVAL;
    if (!named)
        head[3] = size == 4 ? TYPE_IPV4 : TYPE_IPV6;
    return socks_write_pieces(out, room, pieces, 4);
}

int socks5_read_request(weft_bytes in, weft_socks_request *ret)
{
    weft_socks_request found = {.version = VERSION};
    int length = read_message(in, &found.command, &found.place);

    if (length > 0)
        *ret = found;
    return length;
}

int socks5_write_request(char *out, size_t room, const weft_socks_request *request)
{
    return write_message(out, room, request->command, &request->place);
}

int socks5_read_reply(weft_bytes in, weft_socks_reply *ret)
{
    weft_socks_reply found = {.version = VERSION};
    int length = read_message(in, &found.answer, &found.place);

    if (length > 0)
        *ret = found;
    return length;
}

int socks5_write_reply(char *out, size_t room, const weft_socks_reply *reply)
{
    return write_message(out, room, reply->answer, &reply->place);
}
