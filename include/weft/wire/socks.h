/* SPDX-License-Identifier: MIT */
/**
 * @file
 * SOCKS on the wire: version 5 (RFC 1928), its user names and passwords (RFC 1929), and version 4 with names (4a); what
 * a client says and what a server says, each to read and to write.
 *
 * A reader takes one message off the front of @p in: it returns its length, 0 if more bytes are needed, or
 * WEFT_EPROTOCOL as soon as they cannot be one; nothing is read beyond its end. A writer returns the length; -ENOSPC if
 * there is no room, -EINVAL for what cannot be said. Slices point into what was read. Nothing here allocates or knows a
 * socket.
 */
#ifndef WEFT_WIRE_SOCKS_H
#define WEFT_WIRE_SOCKS_H

#include <weft/address.h>
#include <weft/error.h>

WEFT_BEGIN_DECLS

/** No message is longer. */
#define WEFT_SOCKS_LONGEST 520

/** How a client may prove who it is (RFC 1928, section 3). */
typedef enum weft_socks_method {
    WEFT_SOCKS_NO_PROOF = 0x00, /**< not at all */
    WEFT_SOCKS_GSSAPI = 0x01,   /**< RFC 1961 */
    WEFT_SOCKS_PASSWORD = 0x02, /**< RFC 1929 */
    WEFT_SOCKS_NO_METHOD = 0xff /**< a server's: none of those will do */
} weft_socks_method;

/** What a client asks for. */
typedef enum weft_socks_command {
    WEFT_SOCKS_CONNECT = 1,
    WEFT_SOCKS_BIND = 2,
    WEFT_SOCKS_UDP_ASSOCIATE = 3 /**< version 5 only */
} weft_socks_command;

/** What a server of version 5 answers (section 6); of version 4 it is 0 for 90, else 1 with the number in `code4`. */
typedef enum weft_socks_answer {
    WEFT_SOCKS_GRANTED = 0,
    WEFT_SOCKS_FAILED = 1,
    WEFT_SOCKS_NOT_ALLOWED = 2,
    WEFT_SOCKS_NETWORK_UNREACHABLE = 3,
    WEFT_SOCKS_HOST_UNREACHABLE = 4,
    WEFT_SOCKS_REFUSED = 5,
    WEFT_SOCKS_TTL_EXPIRED = 6,
    WEFT_SOCKS_NO_COMMAND = 7,
    WEFT_SOCKS_NO_ADDRESS_TYPE = 8
} weft_socks_answer;

/** A place: an address with its port, or a name with one. */
typedef struct weft_socks_place {
    weft_address address; /**< of no family if it is a name; the port in either case */
    weft_bytes name;      /**< 1 to 255 bytes without a zero; empty if it is an address */
} weft_socks_place;

/** A client's first message in version 5. */
typedef struct weft_socks_greeting {
    weft_bytes methods; /**< 1 to 255 bytes, each a weft_socks_method */
} weft_socks_greeting;

/** A user and a password, 1 to 255 bytes each (RFC 1929). */
typedef struct weft_socks_credentials {
    weft_bytes user;     /**< its name */
    weft_bytes password; /**< a secret */
} weft_socks_credentials;

/** A request. */
typedef struct weft_socks_request {
    uint8_t version; /**< 4 or 5 */
    uint8_t command; /**< weft_socks_command, or another number, which a server answers with NO_COMMAND */
    weft_socks_place place;
    weft_bytes user; /**< version 4: a name that nobody checks, up to 255 bytes without a zero */
} weft_socks_request;

/** An answer to a request. */
typedef struct weft_socks_reply {
    uint8_t version;        /**< 4 or 5 */
    uint8_t answer;         /**< weft_socks_answer */
    uint8_t code4;          /**< version 4: 90 to 93; written if it is not 0 */
    weft_socks_place place; /**< where the server is connected from, or bound to */
} weft_socks_reply;

/** @name What a client says.
 *  @{ */
/** @return as the others (see the top of this file) */
WEFT_API WEFT_NODISCARD int weft_socks_read_greeting(weft_bytes in, weft_socks_greeting *ret);
/** @return as the others */
WEFT_API WEFT_NODISCARD int weft_socks_write_greeting(char *out, size_t room, const weft_socks_greeting *greeting);
/** @return as the others */
WEFT_API WEFT_NODISCARD int weft_socks_read_credentials(weft_bytes in, weft_socks_credentials *ret);
/** @return as the others */
WEFT_API WEFT_NODISCARD int weft_socks_write_credentials(char *out, size_t room,
                                                         const weft_socks_credentials *credentials);
/** A request of version 4, 4a or 5, by its first byte. @return as the others */
WEFT_API WEFT_NODISCARD int weft_socks_read_request(weft_bytes in, weft_socks_request *ret);
/** @return as the others; -EINVAL for an IPv6 address or UDP_ASSOCIATE in version 4, too */
WEFT_API WEFT_NODISCARD int weft_socks_write_request(char *out, size_t room, const weft_socks_request *request);
/** @} */

/** @name What a server says.
 *  @{ */
/** The method that a server has chosen. @return as the others */
WEFT_API WEFT_NODISCARD int weft_socks_read_choice(weft_bytes in, uint8_t *ret_method);
/** @return as the others */
WEFT_API WEFT_NODISCARD int weft_socks_write_choice(char *out, size_t room, uint8_t method);
/** Whether user and password were right. @return as the others */
WEFT_API WEFT_NODISCARD int weft_socks_read_verdict(weft_bytes in, bool *ret_accepted);
/** @return as the others */
WEFT_API WEFT_NODISCARD int weft_socks_write_verdict(char *out, size_t room, bool accepted);
/** @param version  4 or 5: of the request. @return as the others */
WEFT_API WEFT_NODISCARD int weft_socks_read_reply(weft_bytes in, uint8_t version, weft_socks_reply *ret);
/** @return as the others; -EINVAL for anything but an IPv4 address in version 4, too */
WEFT_API WEFT_NODISCARD int weft_socks_write_reply(char *out, size_t room, const weft_socks_reply *reply);
/** @} */

WEFT_END_DECLS

#endif
