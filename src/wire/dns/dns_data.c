/* SPDX-License-Identifier: MIT */
/* The fields of the types that a resolver looks into. */
#include "wire/dns/dns_name.h"
#include "wire/dns/dns_schema.h"

int weft_dns_address_read(uint16_t type, weft_bytes data, weft_address *ret)
{
    weft_address address = {.family = type == WEFT_DNS_A ? WEFT_ADDRESS_IPV4 : WEFT_ADDRESS_IPV6};

    if (type != WEFT_DNS_A && type != WEFT_DNS_AAAA)
        return -EINVAL;
    if (data.length != (type == WEFT_DNS_A ? 4 : 16))
        return WEFT_EPROTOCOL;
    memcpy(address.ip, data.data, data.length);
    *ret = address;
    return 0;
}

int weft_dns_target_read(weft_bytes data, weft_dns_name *ret)
{
    return data.length > 0 && dns_name_span(data) == data.length ? weft_dns_name_take(&data, ret) : WEFT_EPROTOCOL;
}

int weft_dns_soa_read(weft_bytes data, weft_dns_soa *ret)
{
    if (weft_dns_data_check(WEFT_DNS_SOA, data) < 0)
        return WEFT_EPROTOCOL;
    if (weft_dns_name_take(&data, &ret->mname) < 0 || weft_dns_name_take(&data, &ret->rname) < 0)
        return WEFT_EPROTOCOL;
    ret->serial = dns_get32(data.data);
    ret->refresh = dns_get32(data.data + 4);
    ret->retry = dns_get32(data.data + 8);
    ret->expire = dns_get32(data.data + 12);
    ret->minimum = dns_get32(data.data + 16);
    return 0;
}

int weft_dns_mx_read(weft_bytes data, weft_dns_mx *ret)
{
    if (weft_dns_data_check(WEFT_DNS_MX, data) < 0)
        return WEFT_EPROTOCOL;
    ret->preference = dns_get16(data.data);
    return weft_dns_target_read(weft_bytes_skip(data, 2), &ret->exchange);
}

int weft_dns_srv_read(weft_bytes data, weft_dns_srv *ret)
{
    if (weft_dns_data_check(WEFT_DNS_SRV, data) < 0)
        return WEFT_EPROTOCOL;
    ret->priority = dns_get16(data.data);
    ret->weight = dns_get16(data.data + 2);
    ret->port = dns_get16(data.data + 4);
    return weft_dns_target_read(weft_bytes_skip(data, 6), &ret->target);
}

int weft_dns_svcb_read(weft_bytes data, weft_dns_svcb *ret)
{
    weft_bytes rest = weft_bytes_skip(data, 2);

    if (weft_dns_data_check(WEFT_DNS_SVCB, data) < 0 || weft_dns_name_take(&rest, &ret->target) < 0)
        return WEFT_EPROTOCOL;
    ret->priority = dns_get16(data.data);
    ret->params = rest;
    return 0;
}

int weft_dns_string_next(weft_bytes *rest, weft_bytes *string)
{
    size_t length;

    if (rest->length == 0)
        return 0;
    length = (uint8_t)rest->data[0];
    if (rest->length - 1 < length)
        return WEFT_EPROTOCOL;
    *string = weft_bytes_of(rest->data + 1, length);
    *rest = weft_bytes_skip(*rest, 1 + length);
    return 1;
}
