/* SPDX-License-Identifier: MIT */
/**
 * @file
 * Endpoints: where to listen, where to connect, in one string.
 *
 *     tcp://127.0.0.1:7007   tcp://[::1]:7007   tcp://:7007 (every address, both families)   tcp://localhost:0
 *     unix:///run/x.sock     unix://@name (abstract)
 *     systemd://name         a socket that systemd has opened for this program; one loop has it
 *     fd://3                 an inherited descriptor: a listening socket, or a connected one
 *     stdio:                 standard input and output as one stream
 *     mem://name             inside this loop
 *
 * Options follow a question mark (tcp://:7007?backlog=100&idle=30s), and go before those that the program gives;
 * docs/reference/endpoints.md has all of them, and the layers and proxies that there are. In a path a byte may be
 * written as %XX, and `%` and `?` must be. A program may add schemes of its own (weft/scheme.h).
 *
 * A UNIX path or name has at most 107 bytes; a path is removed when its listener's socket is closed, unless it has
 * become another's. A link-local IPv6 address may have a zone ([fe80::1%25eth0]). An inherited descriptor belongs to
 * Weft from then on and is closed with its stream or listener; if others share it, they find it blocking or not as it
 * was.
 *
 * Whoever connects may name the host (tcp://server.example:7): its addresses are tried in their order until one
 * answers, all within the stream's one deadline for connecting; if none does, the first one's failure is told. Whoever
 * listens names an address, or `localhost`, which is 127.0.0.1 here.
 */
#ifndef WEFT_LISTENER_H
#define WEFT_LISTENER_H

#include <weft/connection_limit.h>
#include <weft/stream.h>

WEFT_BEGIN_DECLS

/** What accepts connections at one place; its scope owns it. */
typedef struct weft_listener weft_listener;

/** How a server speaks TLS (weft/tls.h). */
typedef struct weft_tls_server weft_tls_server;

/** How to listen. Zero means the default. */
typedef struct weft_listen_options {
    size_t size;                  /**< sizeof(weft_listen_options) */
    int backlog;                  /**< connections that the system holds for us (default 4096, which it may lower) */
    bool claim_port;              /**< with reuse_port: -EADDRINUSE if anybody listens there already */
    bool reuse_port;              /**< SO_REUSEPORT: several loops share the port */
    size_t max_connections;       /**< at once (default 10,000); more wait in the backlog */
    size_t max_per_address;       /**< from one IPv4 address or IPv6 /64 (default WEFT_UNLIMITED); more are reset */
    unsigned unix_mode;           /**< permissions of a UNIX socket's path (default: what the umask leaves) */
    weft_connection_limit *limit; /**< *borrowed*: one that other listeners share, beside the two above; may be NULL */
    weft_stream_options stream;   /**< of every stream that is accepted */
    weft_tls_server *tls;         /**< speak TLS (weft/tls.h); the listener takes a reference; may be NULL */
} weft_listen_options;

/** What was wrong with a URL, and where. */
typedef struct weft_url_error {
    size_t offset;    /**< of the byte that is wrong, or where the part begins that is */
    const char *text; /**< a constant sentence */
} weft_url_error;

/**
 * Listens at @p url; @p factory builds a protocol for each connection.
 *
 * @param factory  *borrowed* until its `stopped` was called
 * @param options  *borrowed*, may be NULL
 * @param[out] ret_listener  *borrowed* until stopped; may be NULL
 * @param[out] ret_error  set if the result is WEFT_EURL or WEFT_ESCHEME; may be NULL
 * @return 0; WEFT_EURL, WEFT_ESCHEME; -EADDRINUSE and the like from the system; WEFT_ENOMEM; -EINVAL if @p options
 *         has no size, -E2BIG if it asks for what this version does not know; the reason if @p scope is cancelled. On
 *         an error nothing was started and nothing will be called.
 */
WEFT_API WEFT_NODISCARD int weft_listen(weft_scope *scope, const char *url, weft_factory *factory,
                                        const weft_listen_options *options, weft_listener **ret_listener,
                                        weft_url_error *ret_error);

/**
 * Asks every connection to finish (`draining`), closes the socket, and aborts the connections that have not finished
 * after @p grace. `stopped` is called when the last is gone. A second call can only shorten the grace time.
 *
 * With a grace time it first takes, in its next turn and within its limits, those that wait in the socket's backlog,
 * at most as many as that holds: for whoever sent them they are established, and closing the socket would reset them.
 * They are built, `connected` and asked to finish like the others. If a limit is reached, the socket stays open until
 * they have had their turn or the grace time ends. Without a grace time, and when its scope ends, they are reset.
 *
 * Of several listeners that share a port (reuse_port) each has a backlog of its own, and takes what is in its own. The
 * system chooses one of them for each connection when that begins; one whose listener closes in the middle of the
 * handshake is lost, unless the system moves it to another (Linux: net.ipv4.tcp_migrate_req, off by default). So stop
 * the old listeners only when the new ones listen.
 */
WEFT_API void weft_listener_stop(weft_listener *listener, weft_time grace);

/** How many of its connections are open. */
WEFT_API size_t weft_listener_connections(const weft_listener *listener);

/** Room for a listener's address as a URL (of a path that is long and full of escapes, for its first part). */
#define WEFT_LISTENER_URL 192

/** Writes where it listens, with the real port, as a URL of @p scheme (NULL: the endpoint's own) into @p buffer of
 *  WEFT_LISTENER_URL bytes: "http://127.0.0.1:8080/" for "http" (over TLS "https://127.0.0.1:8443/"),
 *  "tcp://127.0.0.1:7007" for NULL. What is no TCP address is written as it was given, whatever the scheme. */
WEFT_API void weft_listener_url(const weft_listener *listener, const char *scheme, char *buffer);

/**
 * Connects to @p url; @p protocol speaks on the stream.
 *
 * @param protocol  *borrowed* until its `lost` was called. A connection that fails is `lost` without `connected`.
 * @param options  *borrowed*, may be NULL
 * @param[out] ret_stream  *borrowed* until lost; may be NULL
 * @param[out] ret_error  as in weft_listen
 * @return 0; an error as in weft_listen, and then nothing will be called. What the network answers (refused, no route,
 *         no such path) is never returned here: it is the reason of `lost`, on every kind of endpoint; and so is what a
 *         look-up of its name answers (WEFT_ENONAME, WEFT_ENAMETRY)
 */
WEFT_API WEFT_NODISCARD int weft_stream_connect(weft_scope *scope, const char *url, weft_protocol *protocol,
                                                const weft_stream_options *options, weft_stream **ret_stream,
                                                weft_url_error *ret_error);

WEFT_END_DECLS

#endif
