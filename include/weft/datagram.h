/* SPDX-License-Identifier: MIT */
/**
 * @file
 * Sockets for datagrams: UDP, with multicast and broadcast, and UNIX datagrams.
 *
 *     udp://127.0.0.1:5353   udp://[::1]:5353   udp://:5353 (every address, both families)   udp://localhost:0
 *     unixgram:///run/x.sock     unixgram://@name (abstract)
 *
 * Hosts are numeric, or `localhost`, which is 127.0.0.1 here. A path is removed when its socket is closed, unless it
 * has become another's.
 *
 * Datagrams may be lost, doubled or come in another order; nobody is told. The functions never wait and never call back
 * before they return. A socket belongs to its scope and ends with it; a pointer to it is valid until `lost` returns.
 */
#ifndef WEFT_DATAGRAM_H
#define WEFT_DATAGRAM_H

#include <weft/datagram_value.h>
#include <weft/listener.h>

WEFT_BEGIN_DECLS

/** A socket for datagrams; its scope owns it. */
typedef struct weft_datagram_socket weft_datagram_socket;
/** What a user writes to speak on one: the base that it embeds. */
typedef struct weft_datagram_protocol weft_datagram_protocol;

/** A protocol's callbacks. Any of them may be NULL, but @c name may not. In each, the protocol may send, pause or
 *  close; only after @c lost may it free itself. */
typedef struct weft_datagram_protocol_ops {
    const char *name; /**< for dumps, logs and the watchdog: "dns" */

    /** How a socket is handed to a new binary: not yet possible, so the reason why this protocol has no freeze and
     *  thaw. Set by WEFT_DATAGRAM_PROTOCOL. */
    const char *not_handed_over;

    /** Datagrams came, oldest first, at most a few thousand; @p datagrams is *borrowed*. What came in one batch is
     *  delivered, even if the protocol pauses or closes in between: it has all of it here. */
    void (*received)(weft_datagram_protocol *protocol, weft_datagram_socket *socket, const weft_datagram *datagrams,
                     size_t count);

    /** The queue fell to the low-water mark after a send had answered 1. */
    void (*drained)(weft_datagram_protocol *protocol, weft_datagram_socket *socket);

    /**
     * Something went wrong, but the socket goes on.
     * @param status  of a connected socket, what its peer's host or a router has said (-ECONNREFUSED: nobody is there);
     *                of a datagram that was sent: why it was dropped (-EMSGSIZE, -ENETUNREACH, -EPERM);
     *                WEFT_EWRITESTALL: all that was queued has waited for too long, and was dropped
     * @param peer  *borrowed*: to whom the datagram was to go; NULL if it is none that was sent
     */
    void (*failed)(weft_datagram_protocol *protocol, weft_datagram_socket *socket, int status,
                   const weft_address *peer);

    /** The socket is gone, for @p reason: WEFT_ECLOSED after a close. The last call, exactly once. The socket can still
     *  be asked for counts; sends fail. */
    void (*lost)(weft_datagram_protocol *protocol, weft_datagram_socket *socket, int reason);
} weft_datagram_protocol_ops;

/** The base that a user's protocol embeds. */
struct weft_datagram_protocol {
    const weft_datagram_protocol_ops *ops;
};

/** Defines a protocol's table of callbacks as @p identifier; @p why_not_handed_over as for WEFT_PROTOCOL. */
#define WEFT_DATAGRAM_PROTOCOL(identifier, protocol_name, why_not_handed_over, ...) \
    const weft_datagram_protocol_ops identifier = {                                 \
        .name = (protocol_name), .not_handed_over = ("" why_not_handed_over), __VA_ARGS__}

/** How a socket is opened. Zero means the default. */
typedef struct weft_datagram_options {
    size_t size;             /**< sizeof(weft_datagram_options) */
    const char *bind;        /**< weft_datagram_open_to: the URL of our own end (default: an address and a port that
                                       the system chooses; a UNIX socket without a name) */
    size_t high_water;       /**< sends answer 1 above this many queued bytes (default 64 KiB) */
    size_t low_water;        /**< `drained` is called at or below this many (default 16 KiB) */
    size_t output_limit;     /**< a send that would queue more bytes is refused (default 1 MiB) */
    size_t output_count;     /**< or more datagrams (default 4096) */
    weft_time output_time;   /**< what could not be sent for so long is dropped (default 5 s) */
    size_t receive_buffer;   /**< bytes that the system keeps for us (default: its own), which counts more than the
                                       bytes of datagrams, and has a limit (Linux: net.core.rmem_max) */
    size_t send_buffer;      /**< the same for what is sent */
    bool reuse_port;         /**< SO_REUSEPORT: several loops share the port, and the system chooses for each peer */
    bool reuse_address;      /**< SO_REUSEADDR: several sockets have the port, and each gets what comes to a group */
    bool broadcast;          /**< may send to broadcast addresses */
    bool congestion;         /**< say of each datagram that comes what it says of congestion (its `ecn`) */
    bool dont_fragment;      /**< a datagram that is longer than the way allows is dropped; one that is longer than its
                                       first link fails with -EMSGSIZE (default: it is divided) */
    unsigned hops;           /**< how many routers may pass it on, to 255 (default: the system's) */
    unsigned multicast_hops; /**< the same for what goes to a group (default 1: none) */
    bool no_multicast_loop;  /**< what goes to a group does not come to sockets on this host */
    uint32_t multicast_interface; /**< by which it leaves (default: as the routes say) */
    unsigned unix_mode;           /**< permissions of a UNIX socket's path (default: what the umask leaves) */
} weft_datagram_options;

/**
 * Opens a socket at @p url, for whoever may send to it.
 *
 * @param protocol  *borrowed* until its `lost` was called
 * @param options  *borrowed*, may be NULL
 * @param[out] ret_socket  *borrowed* until lost; may be NULL
 * @param[out] ret_error  set if the result is WEFT_EURL or WEFT_ESCHEME; may be NULL
 * @return 0; WEFT_EURL, WEFT_ESCHEME; -EADDRINUSE and the like from the system; WEFT_ENOMEM; -EINVAL if @p options has
 *         no size or an option is out of range, -E2BIG if it asks for what this version does not know; the reason if
 *         @p scope is cancelled. On an error nothing was opened and nothing will be called.
 */
WEFT_API WEFT_NODISCARD int weft_datagram_open(weft_scope *scope, const char *url, weft_datagram_protocol *protocol,
                                               const weft_datagram_options *options, weft_datagram_socket **ret_socket,
                                               weft_url_error *ret_error);

/** Opens a socket that is connected to @p url: it sends there, only what comes from there is received, and is told of
 *  what ICMP says. Parameters as those of weft_datagram_open. @return as weft_datagram_open, and -ENETUNREACH, -ENOENT,
 *  -ECONNREFUSED (a UNIX path at which nobody receives) and the like */
WEFT_API WEFT_NODISCARD int weft_datagram_open_to(weft_scope *scope, const char *url, weft_datagram_protocol *protocol,
                                                  const weft_datagram_options *options,
                                                  weft_datagram_socket **ret_socket, weft_url_error *ret_error);

/** The address that a udp:// URL says, for weft_datagram's `peer`.
 *  @return 0; WEFT_EURL, WEFT_ESCHEME, with *ret_error */
WEFT_API WEFT_NODISCARD int weft_datagram_address(const char *url, weft_address *ret_address,
                                                  weft_url_error *ret_error);

/**
 * Sends @p datagrams (*borrowed*), in their order: a few are copied, and go out together with what else is sent in this
 * turn, at its end; eight or more are tried at once, if nothing waits before them, and what the system does not take is
 * copied. Datagrams of equal size to one peer cost least.
 * @return 0; 1 if the queue is above the high-water mark, or was and `drained` is still to come (stop, and go on when
 *         it is called; the datagrams are queued all the same); WEFT_EOUTPUTLIMIT, and none was taken; WEFT_ENOMEM, and
 *         some may have been sent; -EINVAL for a path that is too long, or for one that is longer than 65,507 bytes by
 *         UDP, and none was taken; WEFT_EENDED after close or the loss of the socket. What the system says of one later
 *         is told by `failed`.
 */
WEFT_API int weft_datagram_send(weft_datagram_socket *socket, const weft_datagram *datagrams, size_t count);
/** Sends @p bytes (*borrowed*) to the peer of @p asked, from the address that it came to.
 *  @return as weft_datagram_send */
WEFT_API int weft_datagram_reply(weft_datagram_socket *socket, const weft_datagram *asked, weft_bytes bytes);

/** Sends what was queued, then closes: lost with WEFT_ECLOSED, after at most `output_time`. Nothing but `lost` is
 *  called from now on. Idempotent. */
WEFT_API void weft_datagram_close(weft_datagram_socket *socket);
/** Drops what was queued and closes: lost with WEFT_EABORTED. Idempotent. */
WEFT_API void weft_datagram_abort(weft_datagram_socket *socket);

/** Delivers nothing until resume: what comes waits in the system's buffer, which drops when it is full. */
WEFT_API void weft_datagram_pause(weft_datagram_socket *socket);
/** Delivers again. */
WEFT_API void weft_datagram_resume(weft_datagram_socket *socket);

/** Connects the socket to @p peer alone from now on; NULL: to nobody any more, and a port that the system has
 *  chosen is given back. What has come from others already is still delivered.
 *  @return 0; -ENETUNREACH and the like; -EINVAL for an address of another family; WEFT_EENDED */
WEFT_API int weft_datagram_connect(weft_datagram_socket *socket, const weft_address *peer);

/** A multicast group. */
typedef struct weft_datagram_group {
    weft_address address; /**< of the group; without a port */
    weft_address source;  /**< only what comes from there; of no family: from anybody */
    uint32_t interface;   /**< by which it comes; 0: as the routes say */
} weft_datagram_group;

/** Receives from now on what is sent to @p group. @return 0; -EINVAL for no group's address; -EADDRINUSE if it has
 *  joined already; -ENODEV for no such interface, and the like; WEFT_EENDED */
WEFT_API int weft_datagram_join(weft_datagram_socket *socket, const weft_datagram_group *group);
/** And no more. @return 0; -EADDRNOTAVAIL if it has not joined; as weft_datagram_join */
WEFT_API int weft_datagram_leave(weft_datagram_socket *socket, const weft_datagram_group *group);

/** What can be changed while a socket is open; the words of weft_datagram_options. */
typedef enum weft_datagram_setting {
    WEFT_DATAGRAM_BROADCAST,
    WEFT_DATAGRAM_HOPS,
    WEFT_DATAGRAM_MULTICAST_HOPS,
    WEFT_DATAGRAM_MULTICAST_LOOP,
    WEFT_DATAGRAM_MULTICAST_INTERFACE
} weft_datagram_setting;
/** Changes one. @return 0; -EINVAL if @p value is out of range; WEFT_EENDED */
WEFT_API int weft_datagram_set(weft_datagram_socket *socket, weft_datagram_setting setting, unsigned value);

/** How many bytes are queued. */
WEFT_API size_t weft_datagram_queued(const weft_datagram_socket *socket);

/** What a socket has done so far. */
typedef struct weft_datagram_counts {
    uint64_t received, received_bytes;
    uint64_t truncated;        /**< of those received */
    uint64_t sent, sent_bytes; /**< that the system has taken */
    uint64_t refused;          /**< by the limits of the queue, or for want of memory */
    uint64_t dropped;          /**< from the queue: by an error, too late, or with the socket */
    uint64_t errors;           /**< that were told by `failed` */
} weft_datagram_counts;
/** What it has done so far. */
WEFT_API void weft_datagram_count(const weft_datagram_socket *socket, weft_datagram_counts *ret_counts);

/** Our own address, with the port that the system chose. @return 0; WEFT_EENDED once it is lost */
WEFT_API WEFT_NODISCARD int weft_datagram_local(const weft_datagram_socket *socket, weft_address *ret_address);
/** Writes where it receives, with the real port, as a URL ("udp://127.0.0.1:53", "unixgram:///run/x") into @p buffer of
 *  WEFT_LISTENER_URL bytes. */
WEFT_API void weft_datagram_url(const weft_datagram_socket *socket, char *buffer);
/** The loop that it lives on. */
WEFT_API weft_loop *weft_datagram_loop(const weft_datagram_socket *socket);

/**
 * The whole of a small server: makes a loop, opens @p url, says `listening on URL` on standard error, and closes it on
 * SIGTERM or SIGINT.
 *
 * @param protocol  *borrowed* until the call returns
 * @param options  *borrowed*, may be NULL
 * @return an exit status for main: 0; 1 after an error, whose story it told on standard error; 2 for a bad URL
 */
WEFT_API int weft_serve_datagrams(const char *url, weft_datagram_protocol *protocol,
                                  const weft_datagram_options *options);

WEFT_END_DECLS

#endif
