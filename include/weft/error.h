/* SPDX-License-Identifier: MIT */
/**
 * @file
 * What a function returns when it fails.
 *
 * A fallible function returns an `int`: 0 or positive is success, negative is
 * an error. -1 ... -4095 are negated errno values; Weft's own lie below, from
 * one table (WEFT_ERRORS) that gives name, class and text. The story of an
 * error (where, which peer, the cause beneath) is a `weft_failure`.
 */
#ifndef WEFT_ERROR_H
#define WEFT_ERROR_H

#include <errno.h>

#include <weft/api.h>

WEFT_BEGIN_DECLS

/** What kind of thing went wrong: enough to decide what to do next. */
typedef enum weft_error_class {
    WEFT_CLASS_NONE,      /**< not an error (0 or positive) */
    WEFT_CLASS_IO,        /**< the operating system or the network failed */
    WEFT_CLASS_CLOSED,    /**< the connection or object ended */
    WEFT_CLASS_PROTOCOL,  /**< the peer broke the protocol */
    WEFT_CLASS_CANCELLED, /**< somebody here no longer wants the result */
    WEFT_CLASS_TIMEOUT,   /**< a deadline passed */
    WEFT_CLASS_LIMIT,     /**< a named limit was reached */
    WEFT_CLASS_MEMORY,    /**< an allocation failed */
    WEFT_CLASS_USAGE,     /**< the caller's mistake */
    WEFT_CLASS_INTERNAL   /**< Weft's mistake */
} weft_error_class;

/** An allocation failed; the object is still usable and closable. */
#define WEFT_ENOMEM (-ENOMEM)
/** Cancelled by its scope or its owner. */
#define WEFT_ECANCELED (-ECANCELED)
/** A deadline passed, where no more exact error below says which. */
#define WEFT_ETIMEDOUT (-ETIMEDOUT)

/* X(name, value, class, text). Values are never reused. */
#define WEFT_ERRORS(X)                                                                              \
    X(ECLOSED, -5000, CLOSED, "the connection was closed cleanly")                                  \
    X(EABORTED, -5001, CLOSED, "the connection was aborted from this side")                         \
    X(EENDED, -5002, CLOSED, "the stream was already closed or half-closed for writing")            \
    X(ETRUNCATED, -5003, CLOSED, "the data ended before it was complete")                           \
    X(EIDLE, -5010, TIMEOUT, "nothing was received or sent for the idle time")                      \
    X(EWRITESTALL, -5011, TIMEOUT, "the peer took no data for the write-stall time")                \
    X(ELIFETIME, -5012, TIMEOUT, "the connection reached its lifetime")                             \
    X(ECONNECTTIME, -5013, TIMEOUT, "the connection was not established in time")                   \
    X(EDRAIN, -5014, TIMEOUT, "the grace time of a shutdown ended")                                 \
    X(EHANDSHAKETIME, -5015, TIMEOUT, "the handshake was not over in time")                         \
    X(EINPUTLIMIT, -5020, LIMIT, "received more than the protocol consumed within the input limit") \
    X(EOUTPUTLIMIT, -5021, LIMIT, "more was written than the output limit allows")                  \
    X(ECONNECTIONS, -5022, LIMIT, "the limit on connections is reached")                            \
    X(EPERADDRESS, -5023, LIMIT, "the limit on connections from one address is reached")            \
    X(EPROTOCOL, -5030, PROTOCOL, "the peer broke the protocol")                                    \
    X(EREFUSED, -5031, CLOSED, "the protocol factory refused the connection")                       \
    X(EURL, -5040, USAGE, "the URL is not valid")                                                   \
    X(ESCHEME, -5041, USAGE, "the URL's scheme is not known")                                       \
    X(ENOSOCKET, -5042, USAGE, "systemd has passed no such socket, or it is in use already")        \
    X(ECHANGED, -5050, IO, "the file changed while it was sent")                                    \
    X(ENOTASK, -5060, USAGE, "only a task can wait, and this is not one")                           \
    X(EFULL, -5061, LIMIT, "the queue is full")                                                     \
    X(EWAITERS, -5062, LIMIT, "too many wait here already")                                         \
    X(ENOMORE, -5063, CLOSED, "the queue was closed")                                               \
    X(ENOTHELD, -5064, USAGE, "what is given back was not held")                                    \
    X(ETRIES, -5065, LIMIT, "all tries were used up")                                               \
    X(ENONAME, -5100, IO, "the host's name is not known")                                           \
    X(ENAMETRY, -5101, IO, "the host's name could not be looked up at the moment")                  \
    X(ENAMETIME, -5102, TIMEOUT, "the host's name was not looked up in time")                       \
    X(EADDRESS, -5103, USAGE, "the address is not allowed, or there is none of the wanted kind")    \
    X(EWAITTIME, -5110, TIMEOUT, "no connection became free in time")                               \
    X(EHEADTIME, -5111, TIMEOUT, "the response's head was not complete in time")                    \
    X(EBODYTIME, -5112, TIMEOUT, "the response's body stopped coming")                              \
    X(ETOTALTIME, -5113, TIMEOUT, "the exchange was not complete in time")                          \
    X(EHEADLIMIT, -5120, LIMIT, "the response's head is larger than the limit")                     \
    X(EINTERIM, -5121, LIMIT, "there were more interim responses than the limit")                   \
    X(EBODYLIMIT, -5122, LIMIT, "the response's body is larger than the limit")                     \
    X(EEXPANSION, -5123, LIMIT, "the compressed body expands beyond the limit")                     \
    X(EREDIRECTS, -5124, LIMIT, "there were more redirects than the limit")                         \
    X(EQUEUE, -5125, LIMIT, "too many requests wait for a connection")                              \
    X(EREDIRECT, -5130, PROTOCOL, "a redirect leads to where it must not be followed")              \
    X(ECODING, -5131, PROTOCOL, "the body's coding is not known, or the body is damaged")           \
    X(EREPEAT, -5132, CLOSED, "the request has to be sent again, and its body cannot be")           \
    X(EPROXY, -5150, IO, "the proxy could not connect to the target, or would not")                 \
    X(EPROXYAUTH, -5151, USAGE, "the proxy wants to know who asks, or another user and password")   \
    X(ETLSHANDSHAKE, -5200, PROTOCOL, "the TLS handshake failed")                                   \
    X(ETLSRECORD, -5201, PROTOCOL, "what the peer sent is not valid TLS")                           \
    X(ETLSALERT, -5202, PROTOCOL, "the peer ended TLS with an alert")                               \
    X(ETLSTRUNCATED, -5203, CLOSED, "the connection ended without TLS's close_notify")              \
    X(ETLSPROFILE, -5204, PROTOCOL, "no version, cipher or group of TLS in common")                 \
    X(ETLSALPN, -5205, PROTOCOL, "no protocol in common (ALPN)")                                    \
    X(ETLSFLOOD, -5206, LIMIT, "the peer sent too much TLS that carries no data")                   \
    X(ETLSSMUGGLED, -5207, PROTOCOL, "something came before TLS that did not wait for it")          \
    X(ETLSUNTRUSTED, -5210, PROTOCOL, "the peer's certificate is of nobody who is trusted here")    \
    X(ETLSNAME, -5211, PROTOCOL, "the certificate is for another name")                             \
    X(ETLSEXPIRED, -5212, PROTOCOL, "the peer's certificate has expired, or is not valid yet")      \
    X(ETLSUSAGE, -5213, PROTOCOL, "the peer's certificate is not meant for this use")               \
    X(ETLSREVOKED, -5214, PROTOCOL, "the peer's certificate was revoked")                           \
    X(ETLSWEAK, -5215, PROTOCOL, "the peer's certificate or key is too weak")                       \
    X(ETLSSTAPLE, -5216, PROTOCOL, "the peer gave no good OCSP response about its certificate")     \
    X(ETLSNOCERTIFICATE, -5217, PROTOCOL, "the peer has shown no certificate")                      \
    X(ETLSCREDENTIALS, -5218, USAGE, "a certificate or a key cannot be used")                       \
    X(ECERTFORM, -5280, USAGE, "there is no certificate that can be read")                          \
    X(EKEYFORM, -5281, USAGE, "there is no private key that can be read")                           \
    X(EKEYOTHER, -5282, USAGE, "the private key belongs to another certificate")                    \
    X(ECERTNAME, -5283, USAGE, "no certificate can be had for such a name")                         \
    X(EISSUER, -5284, USAGE, "the authority cannot sign this")                                      \
    X(ECRYPTO, -5285, INTERNAL, "the cryptographic library failed")

#define WEFT_ERROR_ENUM_(name, value, class_, text) WEFT_##name = (value),
enum { WEFT_ERRORS(WEFT_ERROR_ENUM_) WEFT_ERROR_LAST_ = -5999 };
#undef WEFT_ERROR_ENUM_

/**
 * The text of @p error, for a person: "the connection was closed cleanly".
 * @return a constant string; never NULL, whatever the number
 */
WEFT_API const char *weft_error_text(int error);

/**
 * The name of @p error, for a log or a test: "WEFT_ECLOSED", "ENOENT".
 * @return a constant string; "OK" for 0 and above; "UNKNOWN" for a number in no table
 */
WEFT_API const char *weft_error_name(int error);

/**
 * The class of @p error.
 *
 * Of the errno values: ECONNRESET, ECONNABORTED, EPIPE, ESHUTDOWN and ENOTCONN are CLOSED; EPROTO, EBADMSG and EILSEQ
 * PROTOCOL; ETIMEDOUT and ETIME TIMEOUT; EMFILE, ENFILE, ENOBUFS, EDQUOT and EFBIG LIMIT; EINVAL, EBADF, EFAULT,
 * ENOTSOCK, EDESTADDRREQ, EISCONN, EALREADY, E2BIG, EDOM, ERANGE and EOVERFLOW USAGE; ENOMEM MEMORY; ECANCELED
 * CANCELLED; all others IO. A number that is neither an errno value nor in WEFT_ERRORS is INTERNAL.
 */
WEFT_API weft_error_class weft_error_class_of(int error);

WEFT_END_DECLS

#endif
