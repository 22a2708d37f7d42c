/* SPDX-License-Identifier: MIT */
/* EDNS(0): what an OPT holds (RFC 6891 §6.1). */
#include "wire/dns/dns_schema.h"

int weft_dns_option_next(weft_bytes *rest, weft_dns_option *option)
{
    size_t length;

    if (rest->length == 0)
        return 0;
    if (rest->length < 4)
        return WEFT_EPROTOCOL;
    length = dns_get16(rest->data + 2);
    if (rest->length - 4 < length)
        return WEFT_EPROTOCOL;
    option->code = dns_get16(rest->data);
    option->data = weft_bytes_of(rest->data + 4, length);
    *rest = weft_bytes_skip(*rest, 4 + length);
    return 1;
}

int weft_dns_edns_read(const weft_dns_record *record, weft_dns_edns *ret)
{
    weft_bytes rest = record->data;
    weft_dns_option option;
    int status, count = 0;

    if (record->type != WEFT_DNS_OPT)
        return WEFT_EPROTOCOL;
    while ((status = weft_dns_option_next(&rest, &option)) > 0)
        if (++count > WEFT_DNS_OPTIONS_MAX)
            return WEFT_EPROTOCOL;
    if (status < 0)
        return status;
    ret->udp_size = record->rrclass < WEFT_DNS_UDP_MAX ? WEFT_DNS_UDP_MAX : record->rrclass; /* RFC 6891 §6.2.3 */
    ret->extended_rcode = (uint8_t)(record->ttl >> 24);
    ret->version = (uint8_t)(record->ttl >> 16);
    ret->dnssec_ok = record->ttl & 0x8000;
    ret->options = record->data;
    return 0;
}

int weft_dns_option_write(void *out, size_t room, uint16_t code, weft_bytes data)
{
    uint8_t *octets = out;

    if (data.length > WEFT_DNS_MESSAGE_MAX || room < 4 || room - 4 < data.length)
        return -ENOSPC;
    dns_put16(octets, code);
    dns_put16(octets + 2, (unsigned)data.length);
    if (data.length > 0)
        memcpy(octets + 4, data.data, data.length);
    return (int)(4 + data.length);
}

unsigned weft_dns_rcode_of(const weft_dns_header *header, const weft_dns_edns *edns)
{
    return (edns ? (unsigned)edns->extended_rcode << 4 : 0) | header->rcode;
}

int weft_dns_write_edns(weft_dns_writer *writer, const weft_dns_edns *edns)
{
    static const weft_dns_name root = WEFT_DNS_ROOT;
    uint32_t flags = (uint32_t)edns->extended_rcode << 24 | (uint32_t)edns->version << 16;

    if (edns->dnssec_ok)
        flags |= 0x8000;
    return weft_dns_write_record(writer, WEFT_DNS_ADDITIONAL, &root, WEFT_DNS_OPT, edns->udp_size, flags,
                                 edns->options);
}
