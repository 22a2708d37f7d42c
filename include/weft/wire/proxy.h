/* SPDX-License-Identifier: MIT */
/**
 * @file
 * The PROXY header on the wire: what a proxy says in front of a connection about whom it is for
 * (https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt), versions 1 and 2, to read and to write.
 *
 * Nothing here allocates, knows a socket, or decides who may be believed.
 */
#ifndef WEFT_WIRE_PROXY_H
#define WEFT_WIRE_PROXY_H

#include <weft/address.h>
#include <weft/error.h>

WEFT_BEGIN_DECLS

/** What the sender says of TLS between the client and itself (PP2_TYPE_SSL). */
typedef struct weft_proxy_tls {
    bool used;               /**< the client speaks TLS */
    bool certificate;        /**< the client showed a certificate, on this connection or in this session */
    bool on_this_connection; /**< on this one */
    bool verified;           /**< and it was verified */
    weft_bytes version;      /**< "TLSv1.3" */
    weft_bytes common_name;  /**< of the client's certificate */
    weft_bytes cipher;       /**< its name */
    weft_bytes signature;    /**< the algorithm by which the certificate is signed */
    weft_bytes key;          /**< the algorithm of the certificate's key */
} weft_proxy_tls;

/** A header. What is not there is empty, or an address of no family. */
typedef struct weft_proxy_header {
    uint8_t version;          /**< 1 or 2 */
    bool local;               /**< LOCAL: the sender's own connection, such as a health check; it says nothing else */
    bool datagrams;           /**< of datagrams, not of a stream */
    bool checksum;            /**< it has a CRC32C (one that is read was right) */
    weft_address source;      /**< whom the connection is for */
    weft_address destination; /**< where that is connected to */
    weft_bytes source_path;   /**< of a UNIX socket; begins with a zero if it is abstract */
    weft_bytes destination_path; /**< the same */
    weft_bytes alpn;             /**< the protocol that was agreed on */
    weft_bytes authority;        /**< the host name that the client asked for, such as of SNI */
    weft_bytes unique_id;        /**< of the connection, at most 128 bytes */
    weft_bytes netns;            /**< the name of the network namespace */
    weft_proxy_tls tls;
    weft_bytes tlvs; /**< all of them as they came, for weft_proxy_header_next; not written */
} weft_proxy_header;

/** What follows the first 16 bytes of version 2 at most, if nobody says otherwise. */
#define WEFT_PROXY_LENGTH 4096
/** A header of version 1 has at most so many bytes, with its line end. */
#define WEFT_PROXY_LINE 107

/**
 * Reads the header at the begin of @p in.
 *
 * @param most  of the length that version 2 gives; 0: WEFT_PROXY_LENGTH
 * @param[out] ret  its slices point into @p in
 * @param[out] ret_problem  why it is none, a constant sentence; may be NULL
 * @return how many bytes it has; 0 if more are needed to know; WEFT_EPROTOCOL if these bytes begin no header. What is
 *         wrong is told as soon as it can be seen, and the same however the bytes are divided
 */
WEFT_API WEFT_NODISCARD int weft_proxy_header_read(weft_bytes in, size_t most, weft_proxy_header *ret,
                                                   const char **ret_problem);

/**
 * Takes the first of @p tlvs (of a header, or the rest that this left).
 * @return its type; -1 if there is none any more
 */
WEFT_API int weft_proxy_header_next(weft_bytes *tlvs, weft_bytes *ret_value);

/**
 * Writes @p header into @p out.
 *
 * Version 1 has room for TCP addresses only; of all else it says UNKNOWN. So does version 2, as AF_UNSPEC, if the
 * addresses are of no family.
 * @return its length; -ENOSPC if @p room is too small; -EINVAL for what cannot be written: another version, addresses
 *         of two families, parts that are too long
 */
WEFT_API WEFT_NODISCARD int weft_proxy_header_write(char *out, size_t room, const weft_proxy_header *header);

WEFT_END_DECLS

#endif
