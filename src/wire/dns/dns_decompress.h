/* SPDX-License-Identifier: MIT */
/* Names in messages. */
#ifndef WIRE_DNS_DECOMPRESS_H
#define WIRE_DNS_DECOMPRESS_H

#include <weft/wire/dns_message.h>

/* Sets the reader's problem, a constant. Returns WEFT_EPROTOCOL. */
int dns_reader_fail(weft_dns_reader *reader, const char *problem);

/* Makes the reader's part of this ready for its message. */
void dns_decompress_init(weft_dns_reader *reader);

/*
 * Reads the name at @p at of the message, of which what stands there ends before @p end.
 * @param compressed  whether it may be
 * @return where it ends there; 0 if it is refused, with the reader's problem set
 */
size_t dns_decompress(weft_dns_reader *reader, size_t at, size_t end, bool compressed, weft_dns_name *ret);

#endif
