/* SPDX-License-Identifier: MIT */
/* Version 1: one line of text (proxy-protocol.txt §2.1). */
#include "wire/proxy/proxy_bits.h"

#include <stdio.h>

#include "base/address_parse.h"

static const weft_bytes begin = WEFT_BYTES("PROXY ");

static int wrong(const char **ret_problem, const char *problem)
{
    *ret_problem = problem;
    return WEFT_EPROTOCOL;
}

/* The part up to the next space, which is taken away, too; without one no part. */
static bool take_word(weft_bytes *rest, weft_bytes *ret)
{
    size_t space = weft_bytes_find(*rest, ' ');

    if (space == SIZE_MAX)
        return false;
    *ret = weft_bytes_first(*rest, space);
    *rest = weft_bytes_skip(*rest, space + 1);
    return true;
}

static bool parse_port(weft_bytes text, uint16_t *ret)
{
    uint64_t value;

    if ((text.length > 1 && text.data[0] == '0') || weft_bytes_to_uint64(text, 65535, &value) < 0)
        return false;
    *ret = (uint16_t)value;
    return true;
}

/* "192.0.2.1 192.0.2.2 56324 443" */
static bool parse_addresses(weft_bytes rest, uint8_t family, weft_proxy_header *ret)
{
    bool (*parse)(weft_bytes text, uint8_t ip[16]) =
        family == WEFT_ADDRESS_IPV4 ? address_parse_ipv4 : address_parse_ipv6;
    weft_bytes source, destination, port;

    ret->source.family = ret->destination.family = family;
    return take_word(&rest, &source) && take_word(&rest, &destination) && take_word(&rest, &port) &&
           parse(source, ret->source.ip) && parse(destination, ret->destination.ip) &&
           parse_port(port, &ret->source.port) && parse_port(rest, &ret->destination.port);
}

static int parse_line(weft_bytes line, weft_proxy_header *ret, const char **ret_problem)
{
    weft_bytes rest = weft_bytes_skip(line, begin.length), word = rest;
    bool more = take_word(&rest, &word);

    if (weft_bytes_equal(word, weft_bytes_from("UNKNOWN")))
        return 0; /* what follows is to be ignored */
    if (more && weft_bytes_equal(word, weft_bytes_from("TCP4")))
        return parse_addresses(rest, WEFT_ADDRESS_IPV4, ret)
                   ? 0
                   : wrong(ret_problem, "TCP4 is not followed by two IPv4 addresses and two ports");
    if (more && weft_bytes_equal(word, weft_bytes_from("TCP6")))
        return parse_addresses(rest, WEFT_ADDRESS_IPV6, ret)
                   ? 0
                   : wrong(ret_problem, "TCP6 is not followed by two IPv6 addresses and two ports");
    return wrong(ret_problem, "the protocol is not TCP4, TCP6 or UNKNOWN");
}

/* The offset of the LF that ends the line, if all before it can be in one: 0 if there is none yet. */
static size_t find_end(weft_bytes in, const char **ret_problem)
{
    size_t most = in.length < WEFT_PROXY_LINE ? in.length : WEFT_PROXY_LINE;

    for (size_t i = 0; i < most; i++) {
        bool after_cr = i > 0 && in.data[i - 1] == '\r';

        if (i < begin.length && in.data[i] != begin.data[i])
            *ret_problem = "it does not begin with \"PROXY \"";
        else if (after_cr != (in.data[i] == '\n'))
            *ret_problem = "the line does not end with CR LF";
        else if (in.data[i] == '\0')
            *ret_problem = "there is a NUL in the line";
        else if (!after_cr)
            continue;
        return i;
    }
    if (most == WEFT_PROXY_LINE)
        *ret_problem = "the line has more than 107 bytes";
    return 0;
}

int proxy_read_line(weft_bytes in, weft_proxy_header *ret, const char **ret_problem)
{
    weft_proxy_header found = {.version = 1};
    const char *problem = NULL;
    size_t end = find_end(in, &problem);
    int status;

    if (problem)
        return wrong(ret_problem, problem);
    if (end == 0)
        return 0;
    status = parse_line(weft_bytes_first(in, end - 1), &found, ret_problem);
    if (status < 0)
        return status;
    *ret = found;
    return (int)end + 1;
}

int proxy_write_line(char *out, size_t room, const weft_proxy_header *header)
{
    const weft_address *source = &header->source, *destination = &header->destination;
    char line[WEFT_PROXY_LINE + 1] = "PROXY UNKNOWN\r\n", hosts[2][WEFT_ADDRESS_TEXT];
    bool known = !header->local && !header->datagrams &&
                 (source->family == WEFT_ADDRESS_IPV4 || source->family == WEFT_ADDRESS_IPV6);
    weft_address bare[2] = {*source, *destination};
    size_t length;

    if (known) {
        bare[0].scope_id = bare[1].scope_id = 0; /* a zone means nothing on another host */
        weft_address_host(&bare[0], hosts[0]);
        weft_address_host(&bare[1], hosts[1]);
        snprintf(line, sizeof line, "PROXY TCP%c %.39s %.39s %u %u\r\n",
                 source->family == WEFT_ADDRESS_IPV4 ? '4' : '6', hosts[0], hosts[1], source->port, destination->port);
    }
    length = strlen(line);
    if (length > room)
        return -ENOSPC;
    memcpy(out, line, length);
    return (int)length;
}
