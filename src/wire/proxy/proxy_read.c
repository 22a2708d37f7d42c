/* SPDX-License-Identifier: MIT */
/* Reading headers; version 2 (proxy-protocol.txt §2.2). */
#include "wire/proxy/proxy_bits.h"

const char proxy_signature[PROXY_SIGNATURE] = {'\r', '\n', '\r', '\n', '\0', '\r', '\n', 'Q', 'U', 'I', 'T', '\n'};

static uint8_t byte_at(weft_bytes bytes, size_t at)
{
    return (uint8_t)bytes.data[at];
}

static uint16_t number_at(weft_bytes bytes, size_t at)
{
    return (uint16_t)(byte_at(bytes, at) << 8 | byte_at(bytes, at + 1));
}

static int wrong(const char **ret_problem, const char *problem)
{
    *ret_problem = problem;
    return WEFT_EPROTOCOL;
}

/* RFC 3720 §12.1 (the table has the remainders of four bits). */
uint32_t proxy_crc32c(weft_bytes bytes, size_t hole)
{
    static const uint32_t table[16] = {0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3,
                                       0x61c69362, 0x7198540d, 0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
                                       0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75};
    uint32_t crc = UINT32_MAX;

    for (size_t i = 0; i < bytes.length; i++) {
        crc ^= i >= hole && i < hole + 4 ? 0 : byte_at(bytes, i);
        crc = crc >> 4 ^ table[crc & 15];
        crc = crc >> 4 ^ table[crc & 15];
    }
    return ~crc;
}

/* -- TLVs -- */

int weft_proxy_header_next(weft_bytes *tlvs, weft_bytes *ret_value)
{
    int type;

    if (tlvs->length < 3 || tlvs->length - 3 < number_at(*tlvs, 1))
        return -1;
    type = byte_at(*tlvs, 0);
    *ret_value = weft_bytes_first(weft_bytes_skip(*tlvs, 3), number_at(*tlvs, 1));
    *tlvs = weft_bytes_skip(*tlvs, 3 + ret_value->length);
    return type;
}

/* Which slice of the header a TLV fills; NULL for what is not kept apart. */
static weft_bytes *slice_for(weft_proxy_header *header, int type)
{
    switch (type) {
    case PROXY_ALPN:
        return &header->alpn;
    case PROXY_AUTHORITY:
        return &header->authority;
    case PROXY_ID:
        return &header->unique_id;
    case PROXY_NETNS:
        return &header->netns;
    case PROXY_TLS_VERSION:
        return &header->tls.version;
    case PROXY_TLS_CN:
        return &header->tls.common_name;
    case PROXY_TLS_CIPHER:
        return &header->tls.cipher;
    case PROXY_TLS_SIGNATURE:
        return &header->tls.signature;
    case PROXY_TLS_KEY:
        return &header->tls.key;
    default:
        return NULL;
    }
}

/* A second of a kind would leave open which one is meant. */
static int fill(weft_proxy_header *header, int type, weft_bytes value, const char **ret_problem)
{
    weft_bytes *slice = slice_for(header, type);

    if (!slice)
        return 0;
    if (slice->data)
        return wrong(ret_problem, "a TLV comes twice");
    if (type == PROXY_ID && value.length > PROXY_UNIQUE_ID)
        return wrong(ret_problem, "the unique id has more than 128 bytes");
    *slice = value;
    return 0;
}

/* §2.2.6: a byte of bits, what the verification said (0: all is well), and TLVs inside. */
static int read_tls(weft_bytes value, weft_proxy_header *header, const char **ret_problem)
{
    weft_bytes rest = weft_bytes_skip(value, 5), inner;
    int type, status;

    if (value.length < 5)
        return wrong(ret_problem, "the TLV of TLS is too short");
    header->tls.used = byte_at(value, 0) & PROXY_CLIENT_TLS;
    header->tls.on_this_connection = byte_at(value, 0) & PROXY_CLIENT_CERT_CONNECTION;
    header->tls.certificate = byte_at(value, 0) & (PROXY_CLIENT_CERT_CONNECTION | PROXY_CLIENT_CERT_SESSION);
    header->tls.verified = header->tls.certificate && number_at(value, 1) == 0 && number_at(value, 3) == 0;
    while ((type = weft_proxy_header_next(&rest, &inner)) >= 0) {
        status = type > PROXY_TLS && type <= PROXY_TLS_KEY ? fill(header, type, inner, ret_problem) : 0;
        if (status < 0)
            return status;
    }
    return rest.length == 0 ? 0 : wrong(ret_problem, "a TLV inside of the TLV of TLS does not fit");
}

static int check_crc(weft_bytes whole, weft_bytes value, weft_proxy_header *header, const char **ret_problem)
{
    uint32_t told;

    if (header->checksum || value.length != 4)
        return wrong(ret_problem, "the CRC32C comes twice, or does not have four bytes");
    told = (uint32_t)number_at(value, 0) << 16 | number_at(value, 2);
    if (told != proxy_crc32c(whole, (size_t)(value.data - whole.data)))
        return wrong(ret_problem, "the CRC32C is wrong");
    header->checksum = true;
    return 0;
}

static int read_tlvs(weft_bytes whole, weft_proxy_header *header, const char **ret_problem)
{
    weft_bytes rest = header->tlvs, value;
    bool tls = false;
    int type;

    while ((type = weft_proxy_header_next(&rest, &value)) >= 0) {
        int status = 0;

        if (type == PROXY_CRC32C)
            status = check_crc(whole, value, header, ret_problem);
        else if (type == PROXY_TLS)
            status = tls ? wrong(ret_problem, "a TLV comes twice") : read_tls(value, header, ret_problem);
        else if (type < PROXY_TLS || type > PROXY_TLS_KEY) /* those have no business outside of PROXY_TLS */
            status = fill(header, type, value, ret_problem);
        if (status < 0)
            return status;
        tls |= type == PROXY_TLS;
    }
    return rest.length == 0 ? 0 : wrong(ret_problem, "a TLV does not fit");
}

/* -- addresses -- */

static void read_ip(weft_bytes body, size_t size, uint8_t family, weft_proxy_header *ret)
{
    ret->source.family = ret->destination.family = family;
    memcpy(ret->source.ip, body.data, size);
    memcpy(ret->destination.ip, body.data + size, size);
    ret->source.port = number_at(body, 2 * size);
    ret->destination.port = number_at(body, 2 * size + 2);
}

/* Up to the zeros at its end: an abstract name may have some inside. */
static weft_bytes read_path(weft_bytes field)
{
    while (field.length > 0 && field.data[field.length - 1] == '\0')
        field.length--;
    return field;
}

static int read_addresses(weft_bytes body, unsigned family, weft_proxy_header *ret, const char **ret_problem)
{
    static const uint8_t lengths[] = {0, 12, 36, 216};

    if (family > PROXY_UNIX)
        return wrong(ret_problem, "the family of addresses is not known");
    if (body.length < lengths[family])
        return wrong(ret_problem, "the length has no room for the addresses");
    if (family == PROXY_INET)
        read_ip(body, 4, WEFT_ADDRESS_IPV4, ret);
    if (family == PROXY_INET6)
        read_ip(body, 16, WEFT_ADDRESS_IPV6, ret);
    if (family == PROXY_UNIX) {
        ret->source.family = ret->destination.family = WEFT_ADDRESS_UNIX;
        ret->source_path = read_path(weft_bytes_first(body, PROXY_PATH));
        ret->destination_path = read_path(weft_bytes_first(weft_bytes_skip(body, PROXY_PATH), PROXY_PATH));
    }
    ret->tlvs = weft_bytes_skip(body, lengths[family]);
    return 0;
}

/* -- the whole -- */

static int read_body(weft_bytes whole, weft_proxy_header *ret, const char **ret_problem)
{
    unsigned command = byte_at(whole, 12) & 15, family = byte_at(whole, 13) >> 4, kind = byte_at(whole, 13) & 15;
    int status;

    ret->local = command == 0;
    if (ret->local)
        return 0; /* §2.2: the rest is to be discarded, whatever it is */
    if (kind > PROXY_DATAGRAM)
        return wrong(ret_problem, "the transport is not known");
    ret->datagrams = kind == PROXY_DATAGRAM;
    status = read_addresses(weft_bytes_skip(whole, PROXY_FIXED), family, ret, ret_problem);
    return status < 0 ? status : read_tlvs(whole, ret, ret_problem);
}

/* What can be seen to be wrong before all of it is there. */
static const char *look(weft_bytes in, size_t most)
{
    size_t compared = in.length < PROXY_SIGNATURE ? in.length : PROXY_SIGNATURE;

    if (memcmp(in.data, proxy_signature, compared) != 0)
        return "these bytes are no PROXY header";
    if (in.length > 12 && (byte_at(in, 12) >> 4 != 2 || (byte_at(in, 12) & 15) > 1))
        return "the version is not 2, or the command not LOCAL or PROXY";
    if (in.length >= PROXY_FIXED && number_at(in, 14) > most)
        return "the header is longer than the limit";
    return NULL;
}

int weft_proxy_header_read(weft_bytes in, size_t most, weft_proxy_header *ret, const char **ret_problem)
{
    weft_proxy_header found = {.version = 2};
    const char *unwanted, *problem;
    size_t length;
    int status;

    if (!ret_problem)
        ret_problem = &unwanted;
    if (in.length == 0)
        return 0;
    if (in.data[0] == 'P')
        return proxy_read_line(in, ret, ret_problem);
    problem = look(in, most ? most : WEFT_PROXY_LENGTH);
    if (problem)
        return wrong(ret_problem, problem);
    if (in.length < PROXY_FIXED || in.length - PROXY_FIXED < number_at(in, 14))
        return 0;
    length = PROXY_FIXED + (size_t)number_at(in, 14);
    status = read_body(weft_bytes_first(in, length), &found, ret_problem);
    if (status < 0)
        return status;
    *ret = found;
    return (int)length;
}
