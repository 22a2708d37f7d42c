/* SPDX-License-Identifier: MIT */
/**
 * @file
 * TLS 1.2 and 1.3 under a stream, for servers and clients
 * (docs/decisions/0023-tls.md).
 *
 * What a server or a client is, whom it trusts and what it speaks, is a
 * `weft_tls_server` or a `weft_tls_client`: made once, at start-up, from
 * certificates and options; immutable from then on, counted, and shared by
 * any number of streams, listeners and loops. Changed certificates are a new
 * one, which weft_listener_set_tls gives to a listener while it runs.
 *
 * A stream with TLS is used as any other. It is `connected` when the handshake
 * has ended well; it is lost with one of the errors WEFT_ETLS... when that
 * goes wrong, and weft_stream_tls_failure says which certificate, which name
 * and why. A peer is told of every end (close_notify); one that does not tell
 * is reported as WEFT_ETLSTRUNCATED, never as an end.
 *
 * The profile is the same for all and cannot be made weaker by accident:
 * TLS 1.3, and 1.2 with ECDHE and AEAD only; X25519, P-256, P-384; no
 * renegotiation, no compression, no early data; certificates are verified.
 * What lowers this has a name that begins with `dangerously`.
 */
#ifndef WEFT_TLS_H
#define WEFT_TLS_H

#include <weft/failure.h>
#include <weft/listener.h>

WEFT_BEGIN_DECLS

/** The keys of a server's session tickets. Counted; may be used by several loops at once. */
typedef struct weft_tls_tickets weft_tls_tickets;

/** A version of TLS. */
typedef enum weft_tls_version {
    WEFT_TLS_DEFAULT, /**< 1.2 and above */
    WEFT_TLS_1_2,
    WEFT_TLS_1_3
} weft_tls_version;

/** What a server asks of its clients. */
typedef enum weft_tls_clients {
    WEFT_TLS_CLIENTS_ANONYMOUS, /**< no certificate */
    WEFT_TLS_CLIENTS_OPTIONAL,  /**< a certificate, if the client has one: a bad one is refused */
    WEFT_TLS_CLIENTS_REQUIRED   /**< a certificate */
} weft_tls_clients;

/**
 * A certificate with its key. Each part is given as bytes or as the path of a file. All *borrowed* during the call that
 * takes it.
 */
typedef struct weft_tls_identity {
    weft_bytes chain;         /**< PEM: the certificate, then those between it and the authority's */
    const char *chain_file;   /**< instead of `chain` */
    weft_bytes key;           /**< PEM, not encrypted; default: it is in the same text as the chain */
    const char *key_file;     /**< instead of `key` */
    weft_bytes staple;        /**< DER: an OCSP response about the certificate; default: none */
    const char *staple_file;  /**< instead of `staple` */
    const char *const *names; /**< which names it answers for: "www.example", "*.example" (one label); default: all that
                                   the certificate bears */
    size_t name_count;
} weft_tls_identity;

/** Told of a line of the key log (NSS's format, without the end of line), on the thread of the loop. */
typedef void weft_tls_key_log(const char *line, void *arg);

/** The ticket count that means none. */
#define WEFT_TLS_NO_TICKETS 0xffffffffu

/** How a server speaks TLS. Zero means the default. */
typedef struct weft_tls_server_options {
    size_t size; /**< sizeof(weft_tls_server_options) */
    const weft_tls_identity
        *identities; /**< at least one; the first answers for a client that asks for no name, or for a
                                              name that nobody has */
    size_t identity_count;
    bool known_names_only;    /**< a name that nobody has is refused (unrecognized_name), and so is none */
    const char *const *alpn;  /**< protocols, the best first: "h2", "http/1.1"; a client that offers only others is
                                   refused; default: none is agreed on */
    size_t alpn_count;        /**< of them */
    weft_tls_clients clients; /**< whether clients show certificates */
    weft_bytes ca;            /**< PEM: the authorities of clients' certificates */
    const char *ca_file;      /**< instead of `ca` */
    weft_tls_version minimum; /**< the lowest version */
    bool dangerously_allow_old_versions; /**< TLS 1.0 and 1.1 too, whose ciphers and signatures are broken (RFC 8996) */
    weft_tls_tickets *tickets;           /**< *borrowed*: the keys of tickets, to share them; default: its own */
    unsigned tickets_sent;     /**< tickets for a client of TLS 1.3 (default 1); WEFT_TLS_NO_TICKETS: no session is
                                              resumed, of TLS 1.2 neither */
    size_t max_handshakes;     /**< under way at once on one listener (default 1,000); more are reset */
    bool key_log_environment;  /**< secrets of every connection are written to the file that the environment's
                                              SSLKEYLOGFILE names: for finding faults, never else */
    weft_tls_key_log *key_log; /**< instead: called with each line; default: none */
    void *key_log_arg;         /**< passed on to it */
} weft_tls_server_options;

/**
 * Makes a server's TLS, at start-up: this call reads files, and may block.
 * @param options  *borrowed*
 * @param[out] ret_server   *returned*, the caller unrefs it
 * @param[out] ret_failure  set on failure only, *returned*: which file, which certificate, why; may be NULL
 * @return 0; WEFT_ETLSCREDENTIALS if a certificate or a key is not usable; -ENOENT and the like; -EINVAL, -E2BIG for
 *         @p options; WEFT_ENOMEM
 */
WEFT_API WEFT_NODISCARD int weft_tls_server_new(const weft_tls_server_options *options, weft_tls_server **ret_server,
                                                weft_failure **ret_failure);
/** One reference more. From any thread. @return @p server */
WEFT_API weft_tls_server *weft_tls_server_ref(weft_tls_server *server);
/** One reference less. From any thread. NULL does nothing. */
WEFT_API void weft_tls_server_unref(weft_tls_server *server);

/** What a client demands of the OCSP response that a server may staple to its certificate. */
typedef enum weft_tls_staple {
    WEFT_TLS_STAPLE_IF_GIVEN, /**< one that comes must be good; and one must come if the certificate says so */
    WEFT_TLS_STAPLE_REQUIRED  /**< one must come */
} weft_tls_staple;

/** The session count that means none. */
#define WEFT_TLS_NO_SESSIONS SIZE_MAX

/** How a client speaks TLS. Zero means the default. */
typedef struct weft_tls_client_options {
    size_t size;                         /**< sizeof(weft_tls_client_options) */
    weft_bytes ca;                       /**< PEM: whom to trust; default: whom the system trusts */
    const char *ca_file;                 /**< instead of `ca` */
    const weft_tls_identity *identity;   /**< its own certificate, for servers that ask for one; default: none */
    const char *const *alpn;             /**< protocols that are offered, the best first; default: none */
    size_t alpn_count;                   /**< of them */
    weft_tls_version minimum;            /**< the lowest version */
    bool dangerously_allow_old_versions; /**< TLS 1.0 and 1.1 too, whose ciphers and signatures are broken (RFC 8996) */
    bool dangerously_trust_anybody; /**< no certificate is verified: whoever is on the way can read and change all */
    weft_tls_staple staple;         /**< what is demanded of OCSP */
    size_t sessions;                /**< kept for resuming (default 128); WEFT_TLS_NO_SESSIONS: none */
    bool key_log_environment;       /**< as for a server */
    weft_tls_key_log *key_log;      /**< as for a server */
    void *key_log_arg;              /**< passed on to it */
} weft_tls_client_options;

/**
 * Makes a client's TLS, at start-up: this call reads files, and may block.
 * @param options  *borrowed*; NULL for the defaults
 * @param[out] ret_client   *returned*, the caller unrefs it
 * @param[out] ret_failure  as for weft_tls_server_new
 * @return as weft_tls_server_new
 */
WEFT_API WEFT_NODISCARD int weft_tls_client_new(const weft_tls_client_options *options, weft_tls_client **ret_client,
                                                weft_failure **ret_failure);
/** One reference more. From any thread. @return @p client */
WEFT_API weft_tls_client *weft_tls_client_ref(weft_tls_client *client);
/** One reference less. From any thread. NULL does nothing. */
WEFT_API void weft_tls_client_unref(weft_tls_client *client);

/** A secret for tickets has so many bytes. */
#define WEFT_TLS_TICKET_SECRET 32

/**
 * Makes the keys of session tickets. They change every @p rotation by the wall clock, each from the one before by a
 * function that cannot be turned back; tickets of the key before the current one are still good, and replaced. So all
 * workers, and all processes that were given the same secret, agree without a word.
 * @param secret    WEFT_TLS_TICKET_SECRET bytes, *borrowed* and copied; NULL for random ones
 * @param since     the wall clock's time at which @p secret was the current key; 0 with random ones
 * @param rotation  a duration; 0 for the default of 12 hours
 * @param[out] ret_tickets  *returned*, the caller unrefs it
 * @return 0; WEFT_ENOMEM; -EINVAL for a rotation of less than a minute
 */
WEFT_API WEFT_NODISCARD int weft_tls_tickets_new(const void *secret, weft_time since, weft_time rotation,
                                                 weft_tls_tickets **ret_tickets);
/** One reference more. From any thread. @return @p tickets */
WEFT_API weft_tls_tickets *weft_tls_tickets_ref(weft_tls_tickets *tickets);
/** One reference less; the last forgets the keys. From any thread. NULL does nothing. */
WEFT_API void weft_tls_tickets_unref(weft_tls_tickets *tickets);

/** Has @p listener, which was made with TLS, speak it as @p server says on connections that come from now on: how
 *  certificates are replaced. @param server  *borrowed*; the listener takes a reference
 *  @return 0; -EINVAL if the listener has no TLS */
WEFT_API WEFT_NODISCARD int weft_listener_set_tls(weft_listener *listener, weft_tls_server *server);

/** @name STARTTLS: TLS that begins in the middle of a connection.
 *
 * Called by a stream's protocol, in the `received` that has consumed the command or its answer. What was written before
 * goes out first, and then TLS begins. Whatever came after the bytes that this `received` consumes was sent by somebody
 * who did not wait, or slipped in by somebody between: the stream is lost with WEFT_ETLSSMUGGLED (CVE-2011-0411). So a
 * protocol forgets what it has learnt before, and calls this with nothing but the command behind it. When the handshake
 * has ended well, `connected` is called once more, as for a new connection; until then a write fails with -EBUSY.
 * Both give 0; -EALREADY if it has begun already, or the stream is not open yet; WEFT_EENDED if the stream is over or
 * ending; WEFT_ENOMEM.
 * @{ */
/** Speaks as @p server (*borrowed*) says from now on. @return 0 or an error, as said above */
WEFT_API WEFT_NODISCARD int weft_stream_start_tls_server(weft_stream *stream, weft_tls_server *server);
/** Speaks as @p client (*borrowed*) says, with a server whose certificate must be for @p name, a host name or a numeric
 *  address. @return 0 or an error, as said above; -EINVAL if @p name is neither */
WEFT_API WEFT_NODISCARD int weft_stream_start_tls_client(weft_stream *stream, weft_tls_client *client,
                                                         const char *name);
/** @} */

/** What is known of a TLS connection; everything in it is valid *until* the stream's memory is gone. */
typedef struct weft_tls_info {
    size_t size;         /**< sizeof(weft_tls_info), set by the caller */
    const char *version; /**< "TLSv1.3" */
    const char *cipher;  /**< "TLS_AES_128_GCM_SHA256" */
    const char *group;   /**< of the key exchange, "x25519"; "" if it is not known */
    weft_bytes alpn;     /**< the protocol that was agreed on; empty if none was */
    const char *name;    /**< a server's: what the client asked for; a client's: what it asked for and verified; "" if
                              there was none */
    bool server;         /**< this end is the server */
    bool resumed;        /**< an earlier session was */
    bool verified;       /**< the peer has shown a certificate, now or when the session began, and it was verified */
} weft_tls_info;

/**
 * Asks about the TLS of @p stream: its own top-most, if there is one in another.
 * @param[in,out] info  its size is set by the caller, the rest on success
 * @return 0; -ENOTCONN if it has none, or its handshake is not over; -EINVAL if the size is not set
 */
WEFT_API WEFT_NODISCARD int weft_stream_tls(const weft_stream *stream, weft_tls_info *info);

/** One certificate, for a person and for who decides by it. */
typedef struct weft_tls_certificate {
    char subject[256]; /**< as RFC 2253 writes it; cut short if it is longer */
    char issuer[256];  /**< the same */
    char names[512];   /**< the DNS names and addresses that it bears, with spaces between; cut short at one of these */
    weft_time not_before;    /**< wall clock; INT64_MIN for what lies before all that it can hold */
    weft_time not_after;     /**< wall clock; WEFT_NEVER for what lies beyond (it ends in 2262) */
    uint8_t fingerprint[32]; /**< SHA-256 of the whole */
} weft_tls_certificate;

/** Reads certificate @p index that the peer has shown: 0 is its own, then those that it sent along.
 *  @return 0; -ENOENT if there is none (a resumed session of TLS 1.2 may know none); -ENOTCONN as weft_stream_tls;
 *          WEFT_ENOMEM */
WEFT_API WEFT_NODISCARD int weft_stream_tls_certificate(const weft_stream *stream, size_t index,
                                                        weft_tls_certificate *ret_certificate);
/** Writes certificate @p index as DER into @p buffer, if it fits into @p size bytes.
 *  @return its length; an error as weft_stream_tls_certificate */
WEFT_API WEFT_NODISCARD int64_t weft_stream_tls_der(const weft_stream *stream, size_t index, void *buffer, size_t size);

/** Why TLS failed on @p stream: which certificate, which name, which alert. In `lost` and later it can still be asked.
 *  @return *borrowed* *until* the stream's memory is gone; NULL if nothing has failed */
WEFT_API const weft_failure *weft_stream_tls_failure(const weft_stream *stream);

WEFT_END_DECLS

#endif
