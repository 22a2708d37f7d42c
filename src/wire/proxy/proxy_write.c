/* SPDX-License-Identifier: MIT */
/* Writing headers (proxy-protocol.txt §2.2). */
#include "wire/proxy/proxy_bits.h"

/* What is written; if there is no room any more it goes on counting. */
struct writer {
    char *out;
    size_t room, length;
    bool too_long; /* a part does not fit into its length */
};

static void put(struct writer *writer, const void *data, size_t length)
{
    if (length > 0 && writer->length <= writer->room && length <= writer->room - writer->length)
        memcpy(writer->out + writer->length, data, length);
    writer->length += length;
}

static void put_number(struct writer *writer, size_t number)
{
    const char bytes[2] = {(char)(number >> 8), (char)number};

    if (number > UINT16_MAX)
        writer->too_long = true;
    put(writer, bytes, sizeof bytes);
}

static void put_byte(struct writer *writer, unsigned byte)
{
    const char c = (char)byte;

    put(writer, &c, 1);
}

static void put_tlv(struct writer *writer, unsigned type, weft_bytes value)
{
    if (value.length == 0)
        return;
    put_byte(writer, type);
    put_number(writer, value.length);
    put(writer, value.data, value.length);
}

static void put_path(struct writer *writer, weft_bytes path)
{
    static const char zeros[PROXY_PATH];

    if (path.length > PROXY_PATH) {
        writer->too_long = true;
        return;
    }
    put(writer, path.data, path.length);
    put(writer, zeros, PROXY_PATH - path.length);
}

static void put_addresses(struct writer *writer, const weft_proxy_header *header)
{
    size_t size = header->source.family == WEFT_ADDRESS_IPV4 ? 4 : 16;

    if (header->source.family == WEFT_ADDRESS_UNIX) {
        put_path(writer, header->source_path);
        put_path(writer, header->destination_path);
        return;
    }
    put(writer, header->source.ip, size);
    put(writer, header->destination.ip, size);
    put_number(writer, header->source.port);
    put_number(writer, header->destination.port);
}

static size_t tlv_length(weft_bytes value)
{
    return value.length ? 3 + value.length : 0;
}

static void put_tls(struct writer *writer, const weft_proxy_tls *tls)
{
    unsigned bits = PROXY_CLIENT_TLS | (tls->on_this_connection ? PROXY_CLIENT_CERT_CONNECTION : 0u) |
                    (tls->certificate ? PROXY_CLIENT_CERT_SESSION : 0u);

    put_byte(writer, PROXY_TLS);
    put_number(writer, 5 + tlv_length(tls->version) + tlv_length(tls->common_name) + tlv_length(tls->cipher) +
                           tlv_length(tls->signature) + tlv_length(tls->key));
    put_byte(writer, bits);
    put_number(writer, 0);
    put_number(writer, tls->verified ? 0 : 1);
    put_tlv(writer, PROXY_TLS_VERSION, tls->version);
    put_tlv(writer, PROXY_TLS_CN, tls->common_name);
    put_tlv(writer, PROXY_TLS_CIPHER, tls->cipher);
    put_tlv(writer, PROXY_TLS_SIGNATURE, tls->signature);
    put_tlv(writer, PROXY_TLS_KEY, tls->key);
}

static unsigned family_of(const weft_proxy_header *header)
{
    switch (header->source.family) {
    case WEFT_ADDRESS_IPV4:
        return PROXY_INET;
    case WEFT_ADDRESS_IPV6:
        return PROXY_INET6;
    case WEFT_ADDRESS_UNIX:
        return PROXY_UNIX;
    default:
        return PROXY_UNSPEC;
    }
}

static void put_body(struct writer *writer, const weft_proxy_header *header, unsigned family)
{
    static const char zeros[4];

    if (family != PROXY_UNSPEC)
        put_addresses(writer, header);
    put_tlv(writer, PROXY_ALPN, header->alpn);
    put_tlv(writer, PROXY_AUTHORITY, header->authority);
    put_tlv(writer, PROXY_ID, header->unique_id);
    if (header->tls.used)
        put_tls(writer, &header->tls);
    put_tlv(writer, PROXY_NETNS, header->netns);
    if (header->checksum)
        put_tlv(writer, PROXY_CRC32C, weft_bytes_of(zeros, sizeof zeros));
}

/* The checksum is the last. */
static void fill_checksum(const struct writer *writer)
{
    uint32_t crc = proxy_crc32c(weft_bytes_of(writer->out, writer->length), writer->length - 4);

    for (int i = 0; i < 4; i++)
        writer->out[writer->length - 4 + (size_t)i] = (char)(crc >> (24 - 8 * i));
}

static int write_binary(char *out, size_t room, const weft_proxy_header *header)
{
    struct writer writer = {.out = out, .room = room};
    unsigned family = family_of(header);
    unsigned kind = family == PROXY_UNSPEC ? 0u : header->datagrams ? PROXY_DATAGRAM : PROXY_STREAM;
    size_t body;

    put(&writer, proxy_signature, PROXY_SIGNATURE);
    put_byte(&writer, 0x20u | (header->local ? 0u : 1u));
    put_byte(&writer, header->local ? 0 : family << 4 | kind);
    put_number(&writer, 0);
    if (!header->local)
        put_body(&writer, header, family);
    body = writer.length - PROXY_FIXED;
    if (writer.too_long || body > UINT16_MAX)
        return -EINVAL;
    if (writer.length > room)
        return -ENOSPC;
    out[14] = (char)(body >> 8);
    out[15] = (char)body;
    if (header->checksum && !header->local)
        fill_checksum(&writer);
    return (int)writer.length;
}

int weft_proxy_header_write(char *out, size_t room, const weft_proxy_header *header)
{
    if (header->source.family != header->destination.family || header->unique_id.length > PROXY_UNIQUE_ID)
        return -EINVAL;
    if (header->version == 1)
        return proxy_write_line(out, room, header);
    return header->version == 2 ? write_binary(out, room, header) : -EINVAL;
}
