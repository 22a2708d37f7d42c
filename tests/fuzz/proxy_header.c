/* SPDX-License-Identifier: MIT */
/* PROXY headers: all divisions of an input give the same, as early as possible; and what was read says the same when it is
 * written and read again. */
#include <stdio.h>
#include <stdlib.h>

#include <weft/wire/proxy.h>

#include "fuzz/fuzz.h"

static void demand(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "proxy_header: %s\n", what);
    abort();
}

static bool same_address(const weft_address *a, const weft_address *b)
{
    return a->family == b->family && a->port == b->port && memcmp(a->ip, b->ip, sizeof a->ip) == 0;
}

static void check_again(const weft_proxy_header *header)
{
    static char out[WEFT_PROXY_LENGTH + 64];
    weft_proxy_header again;
    int length = weft_proxy_header_write(out, sizeof out, header);

    if (header->version == 2 && header->source.family == WEFT_ADDRESS_NONE)
        return; /* TLVs may be repeated differently */
    demand(length > 0, "what was read cannot be written");
    demand(weft_proxy_header_read(weft_bytes_of(out, (size_t)length), 0, &again, NULL) == length,
           "what was written is not read");
    demand(same_address(&again.source, &header->source) && same_address(&again.destination, &header->destination),
           "an address has changed");
    demand(weft_bytes_equal(again.authority, header->authority) && weft_bytes_equal(again.alpn, header->alpn),
           "a TLV has changed");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    weft_proxy_header header = {.version = 9}, part;
    const char *problem = NULL;
    int whole = weft_proxy_header_read(weft_bytes_of(data, size), 0, &header, &problem), status = 0;
    size_t length = 0, value_count = 0;
    weft_bytes rest, value;

    demand((whole == WEFT_EPROTOCOL) == (problem != NULL), "an error without a reason, or a reason without an error");
    demand(whole > 0 || header.version == 9, "a result that was touched");
    while (status == 0 && length < size)
        status = weft_proxy_header_read(weft_bytes_of(data, ++length), 0, &part, NULL);
    demand(status == whole, "another result when it comes in pieces");
    if (whole <= 0)
        return 0;
    demand((size_t)whole == length, "a header was taken before it was there, or later");
    for (rest = header.tlvs; weft_proxy_header_next(&rest, &value) >= 0; value_count++)
        demand(value.data >= (const char *)data && value.data + value.length <= (const char *)data + whole,
               "a TLV outside");
    check_again(&header);
    return 0;
}
