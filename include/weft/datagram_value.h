/* SPDX-License-Identifier: MIT */
/**
 * @file
 * One datagram: a plain value, which weft/datagram.h sends and receives.
 */
#ifndef WEFT_DATAGRAM_VALUE_H
#define WEFT_DATAGRAM_VALUE_H

#include <weft/address.h>

WEFT_BEGIN_DECLS

/** What a packet says of congestion (RFC 3168, section 5). */
typedef enum weft_ecn {
    WEFT_ECN_NONE, /**< its sender does not look at congestion marks */
    WEFT_ECN_ECT1,
    WEFT_ECN_ECT0, /**< its sender does */
    WEFT_ECN_CE    /**< it met congestion on its way */
} weft_ecn;

/**
 * A datagram that has come, or that is to go. All zero but the bytes is one to the peer of a connected socket.
 */
typedef struct weft_datagram {
    weft_bytes bytes; /**< *borrowed* during the call */
    weft_bytes path;  /**< UNIX: the peer's path, or '@' and its abstract name; empty if it has none. *Borrowed* */
    weft_address
        peer; /**< from whom it came, or to whom it goes; of no family: to the one that the socket is connected to */
    weft_address
        local; /**< to which of our addresses it came, if the socket is bound to all of them, and from which it is to
                             go; without a port. Of no family: unknown, or as the system chooses */
    uint32_t
        interface;  /**< the index of the interface that it came in by, known whenever `local` is, or is to leave by; 0:
                             as the system chooses */
    uint8_t ecn;    /**< weft_ecn; of what came only if the socket's options ask for it */
    bool truncated; /**< it was longer than 64 KiB (only UNIX datagrams can be): the rest is lost */
    bool to_group;  /**< it came to a multicast group or to a broadcast address, known whenever `local` is */
} weft_datagram;

WEFT_END_DECLS

#endif
