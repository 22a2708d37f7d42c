/* SPDX-License-Identifier: MIT */
/**
 * @file
 * The address of one end of a stream.
 */
#ifndef WEFT_ADDRESS_H
#define WEFT_ADDRESS_H

#include <weft/bytes.h>

WEFT_BEGIN_DECLS

/** What kind of address it is. */
typedef enum weft_address_family {
    WEFT_ADDRESS_NONE, /**< unknown, or none: a pipe */
    WEFT_ADDRESS_IPV4,
    WEFT_ADDRESS_IPV6,
    WEFT_ADDRESS_UNIX,  /**< a UNIX socket; a client's end has no name */
    WEFT_ADDRESS_MEMORY /**< an in-memory stream */
} weft_address_family;

/** An address: a plain value, as it was when the connection was made. */
typedef struct weft_address {
    uint8_t ip[16];    /**< network order; IPv4 in the first four bytes */
    uint32_t scope_id; /**< IPv6 link-local only */
    uint16_t port;     /**< host order */
    uint8_t family;    /**< weft_address_family */
} weft_address;

/** Room for any address as text, with its NUL. */
#define WEFT_ADDRESS_TEXT 64

/** Writes @p address as text ("127.0.0.1:80", "[::1]:80", "unix:", "mem:") into @p buffer of WEFT_ADDRESS_TEXT
 *  bytes. */
WEFT_API void weft_address_text(const weft_address *address, char *buffer);
/** Writes its host alone ("127.0.0.1", "::1", "-" if it has none), as an access log wants it. */
WEFT_API void weft_address_host(const weft_address *address, char *buffer);
/** Whether two addresses are on one host: for IPv6 the same /64, which is what one peer commonly owns. */
WEFT_API bool weft_address_same_host(const weft_address *a, const weft_address *b);

WEFT_END_DECLS

#endif
