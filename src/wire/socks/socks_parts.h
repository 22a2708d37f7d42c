/* SPDX-License-Identifier: MIT */
/* What the two versions share. */
#ifndef WEFT_WIRE_SOCKS_PARTS_H
#define WEFT_WIRE_SOCKS_PARTS_H

#include <weft/wire/socks.h>

static inline uint8_t socks_byte(weft_bytes bytes, size_t at)
{
    return (uint8_t)bytes.data[at];
}

static inline uint16_t socks_port(weft_bytes bytes, size_t at)
{
    return (uint16_t)(socks_byte(bytes, at) << 8 | socks_byte(bytes, at + 1));
}

/* Up to 255 bytes, and perhaps at least one, without a zero. */
bool socks_is_text(weft_bytes text, bool may_be_empty);
/* Writes @p count pieces one after the other, or nothing. Returns the length or -ENOSPC. */
int socks_write_pieces(char *out, size_t room, const weft_bytes *pieces, size_t count);

int socks4_read_request(weft_bytes in, weft_socks_request *ret);
int socks4_write_request(char *out, size_t room, const weft_socks_request *request);
int socks4_read_reply(weft_bytes in, weft_socks_reply *ret);
int socks4_write_reply(char *out, size_t room, const weft_socks_reply *reply);

int socks5_read_request(weft_bytes in, weft_socks_request *ret);
int socks5_write_request(char *out, size_t room, const weft_socks_request *request);
int socks5_read_reply(weft_bytes in, weft_socks_reply *ret);
int socks5_write_reply(char *out, size_t room, const weft_socks_reply *reply);

#endif
