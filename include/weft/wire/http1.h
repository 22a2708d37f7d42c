/* SPDX-License-Identifier: MIT */
/**
 * @file
 * HTTP/1.1 on the wire: bytes to events, messages to bytes (RFC 9112, and the
 * syntax of RFC 9110).
 *
 * The parser is pulled: `weft_http1_next` takes bytes off the front of an
 * input and gives one event. It allocates nothing, copies nothing, knows no
 * socket and no clock, and keeps no pointer into the input between calls. It
 * is strict: what RFC 9112 lets a recipient repair, and what has been used to
 * make two recipients read one message differently, is refused, and the
 * connection has to be closed.
 *
 * A server's loop:
 *
 *     weft_http1_parser_init(&parser, WEFT_HTTP1_REQUEST, NULL);
 *     ...
 *     while ((type = weft_http1_next(&parser, &input, &event)) > 0) {
 *         switch (type) {
 *         case WEFT_HTTP1_REQUEST_LINE: ...
 *         case WEFT_HTTP1_MESSAGE_END:  answer; weft_http1_parser_reset(&parser); ...
 *         }
 *     }
 *     if (type < 0)
 *         answer with weft_http1_parser_status(&parser), then close
 *     else
 *         keep `input` and present it again, contiguous, with more bytes after it
 */
#ifndef WEFT_WIRE_HTTP1_H
#define WEFT_WIRE_HTTP1_H

#include <weft/bytes.h>
#include <weft/error.h>

WEFT_BEGIN_DECLS

/** Which of the two kinds of message a parser reads. */
typedef enum weft_http1_kind {
    WEFT_HTTP1_REQUEST, /**< a server reads requests */
    WEFT_HTTP1_RESPONSE /**< a client reads responses */
} weft_http1_kind;

/**
 * What a parser accepts at most. In every limit zero means the default, and
 * WEFT_UNLIMITED (<weft/time.h>) is the word for none. Bytes, if not said
 * otherwise.
 */
typedef struct weft_http1_limits {
    size_t request_line;     /**< of a request line or status line, without its CRLF; default 8192; beyond it 414 */
    size_t head_bytes;       /**< of all field lines of a message, trailers included, with their CRLFs, without the
                              first line; default 16384; beyond it 431 */
    size_t field_count;      /**< fields of a message, trailers included; default 100; beyond it 431 */
    size_t chunk_line;       /**< of the line with a chunk's size, without its CRLF; default 1024; beyond it 400 */
    size_t chunk_extensions; /**< of all chunk extensions of a message; default 16384; beyond it 400 */
    size_t body;             /**< of a body without its chunk framing; default 1 MiB; beyond it 413 */
    bool whole_head;         /**< not a limit: give no event of a head before all of it is in the input. All
                                  slices of a head then lie in one input, and a connection that waits in the
                                  middle of a head has nothing to remember. A bad first line is still refused
                                  at once, a bad field only when the head is complete or too long. */
} weft_http1_limits;

/**
 * A parser of one connection's messages, in the caller's memory: 64 bytes. All
 * fields are private. It may be copied or moved between calls.
 */
typedef struct weft_http1_parser {
    const weft_http1_limits *limits;
    uint64_t body_limit;
    uint64_t body_total; /* of the body so far, the chunk under way included; or the Content-Length */
    uint64_t left;       /* of the body or the chunk, still to come; of a first line that is kept back, its length */
    size_t scanned;      /* bytes at the front of the input that need not be looked at again */
    size_t head_bytes;
    uint32_t field_count;
    uint32_t extension_bytes;
    uint16_t flags;
    uint8_t kind;
    uint8_t state;
    uint8_t problem;
    uint8_t minor;
    uint8_t answers;
} weft_http1_parser;

/** What `weft_http1_next` gives. */
typedef enum weft_http1_event_type {
    WEFT_HTTP1_NEED_MORE,    /**< what is left in the input is not enough */
    WEFT_HTTP1_REQUEST_LINE, /**< `request` */
    WEFT_HTTP1_STATUS_LINE,  /**< `status` */
    WEFT_HTTP1_FIELD,        /**< `field`, one line of the head */
    WEFT_HTTP1_HEAD_END,     /**< `head`: the head is complete and says how the message is framed */
    WEFT_HTTP1_BODY,         /**< `body`, the next run of it, never empty */
    WEFT_HTTP1_TRAILER,    /**< `field`, after a chunked body; never to be merged with the head's (RFC 9110 §6.5.1) */
    WEFT_HTTP1_MESSAGE_END /**< the message is complete; given again until the parser is reset */
} weft_http1_event_type;

/** The four forms of a request target (RFC 9112 §3.2). */
typedef enum weft_http1_target_form {
    WEFT_HTTP1_ORIGIN_FORM,    /**< "/path?query" */
    WEFT_HTTP1_ABSOLUTE_FORM,  /**< "http://host:port/path?query" */
    WEFT_HTTP1_AUTHORITY_FORM, /**< "host:port", with CONNECT and only there */
    WEFT_HTTP1_ASTERISK_FORM   /**< "*", with OPTIONS only */
} weft_http1_target_form;

/** The fields that the parser itself understands. */
typedef enum weft_http1_field_id {
    WEFT_HTTP1_FIELD_OTHER,
    WEFT_HTTP1_FIELD_HOST,
    WEFT_HTTP1_FIELD_CONTENT_LENGTH,
    WEFT_HTTP1_FIELD_TRANSFER_ENCODING,
    WEFT_HTTP1_FIELD_CONNECTION,
    WEFT_HTTP1_FIELD_EXPECT,
    WEFT_HTTP1_FIELD_UPGRADE
} weft_http1_field_id;

/** How the end of a message's body is known (RFC 9112 §6.3). */
typedef enum weft_http1_framing {
    WEFT_HTTP1_BODY_NONE,       /**< there is none */
    WEFT_HTTP1_BODY_LENGTH,     /**< Content-Length, greater than 0 */
    WEFT_HTTP1_BODY_CHUNKED,    /**< Transfer-Encoding: chunked */
    WEFT_HTTP1_BODY_UNTIL_CLOSE /**< responses only: all that comes until the peer ends the stream */
} weft_http1_framing;

/** A request line. The version's major number is always 1. */
typedef struct weft_http1_request_line {
    weft_bytes method;    /**< a token, case-sensitive, not necessarily one that anybody knows */
    weft_bytes target;    /**< as it came; visible ASCII without `"`, `#`, `<` and `>`; percent-encoding not checked */
    weft_bytes scheme;    /**< absolute-form: "http"; else empty */
    weft_bytes authority; /**< absolute-form and authority-form: host and port; else empty. In absolute-form it is
                               the host that is meant, and equal to the Host field (RFC 9112 §3.2.2) */
    weft_bytes path;      /**< origin-form: the target; absolute-form: what follows the authority ("/path?query",
                               and where the target has no path "" or "?query", which means "/" or "/?query");
                               asterisk-form: "*"; authority-form: empty */
    weft_http1_target_form form;
    unsigned minor; /**< HTTP/1.minor */
} weft_http1_request_line;

/** A status line. The version's major number is always 1. */
typedef struct weft_http1_status_line {
    unsigned code;     /**< 100 to 999 */
    unsigned minor;    /**< HTTP/1.minor */
    weft_bytes reason; /**< may be empty */
} weft_http1_status_line;

/** A field line of a head or a trailer. */
typedef struct weft_http1_field {
    weft_bytes name;  /**< a token, as it came; names are compared without case */
    weft_bytes value; /**< without the whitespace around it; HTAB, SP, visible ASCII and bytes >= 0x80; may be empty */
    weft_http1_field_id id;
} weft_http1_field;

/** What the whole head says about the message and the connection. */
typedef struct weft_http1_head {
    weft_http1_framing framing;
    uint64_t length;      /**< WEFT_HTTP1_BODY_LENGTH: the body's; else 0 */
    bool keep_alive;      /**< another message may follow on this connection (RFC 9112 §9.3) */
    bool expect_continue; /**< a request whose body the client sends after `100 Continue` (RFC 9110 §10.1.1) */
    bool upgrade;         /**< a request: HTTP/1.1 with Upgrade and `Connection: upgrade`. A response: 101, or a 2xx
                               to CONNECT: what follows the message is no longer HTTP, so do not reset and go on */
    bool interim;         /**< a response of 100 or 102 to 199: the final one follows, after a reset */
} weft_http1_head;

/** One event. Its slices are *borrowed* from the input: they live as long as the input's bytes stay where they are. */
typedef struct weft_http1_event {
    weft_http1_event_type type;
    union {
        weft_http1_request_line request; /**< WEFT_HTTP1_REQUEST_LINE */
        weft_http1_status_line status;   /**< WEFT_HTTP1_STATUS_LINE */
        weft_http1_field field;          /**< WEFT_HTTP1_FIELD, WEFT_HTTP1_TRAILER */
        weft_http1_head head;            /**< WEFT_HTTP1_HEAD_END */
        weft_bytes body;                 /**< WEFT_HTTP1_BODY */
    };
} weft_http1_event;

/** The request that a response answers, as far as it changes how the response ends (RFC 9112 §6.3). */
typedef enum weft_http1_answers {
    WEFT_HTTP1_ANSWERS_OTHER,
    WEFT_HTTP1_ANSWERS_HEAD,   /**< the response has no body, whatever its fields say */
    WEFT_HTTP1_ANSWERS_CONNECT /**< a 2xx has no body and ends HTTP on this connection */
} weft_http1_answers;

/**
 * Makes a parser that waits for the first message of a connection.
 * @param limits  *until* the parser is no longer used; NULL for the defaults. One constant struct can serve all
 *                parsers of a server.
 */
WEFT_API void weft_http1_parser_init(weft_http1_parser *parser, weft_http1_kind kind,
                                     const weft_http1_limits *limits) WEFT_NONBLOCKING;

/**
 * Makes the parser wait for the next message of the same connection, under the same limits.
 *
 * Call it after WEFT_HTTP1_MESSAGE_END, if the head said keep_alive. A parser that has failed stays failed, since
 * nobody knows where the next message begins (RFC 9112 §11.2): only `weft_http1_parser_init` revives it.
 */
WEFT_API void weft_http1_parser_reset(weft_http1_parser *parser) WEFT_NONBLOCKING;

/**
 * Changes the limit on the body of the message under way, for a route that takes more or less than the others.
 *
 * It has effect on a Content-Length before WEFT_HTTP1_HEAD_END was given, and on each chunk whose size was not yet
 * read; `weft_http1_parser_reset` brings the limit of the options back.
 * @param maximum  bytes; 0 means none at all; UINT64_MAX for no limit
 */
WEFT_API void weft_http1_parser_limit_body(weft_http1_parser *parser, uint64_t maximum) WEFT_NONBLOCKING;

/** Says which request the next response answers. Call it after init or reset; a reset brings ANSWERS_OTHER back. */
WEFT_API void weft_http1_parser_answers(weft_http1_parser *parser, weft_http1_answers answers) WEFT_NONBLOCKING;

/**
 * Takes bytes from the front of @p input and gives one event.
 *
 * @param input  advanced over what was used; its bytes are *borrowed*. What is left must come first, contiguous, in
 *               the next call's input; the parser remembers how much of that it has already looked at, so that one
 *               byte at a time costs no more than all at once.
 * @param event  set if and only if the result is not negative
 * @return the event's type: positive, or WEFT_HTTP1_NEED_MORE, which is 0;
 *         WEFT_EPROTOCOL if the message was refused: `weft_http1_parser_status` and `weft_http1_parser_problem` say
 *         more, and each further call gives the same error and takes nothing
 */
WEFT_API WEFT_NODISCARD int weft_http1_next(weft_http1_parser *parser, weft_bytes *input,
                                            weft_http1_event *event) WEFT_NONBLOCKING;

/**
 * Says that the peer has ended its stream, when `weft_http1_next` wanted more.
 *
 * @param rest   what is left of the input
 * @param event  set if and only if the result is not negative
 * @return WEFT_HTTP1_MESSAGE_END if that is the end of a body until close, or if the message had ended;
 *         WEFT_HTTP1_NEED_MORE between two messages: a clean end;
 *         WEFT_ETRUNCATED in the middle of a message (RFC 9112 §8), which must not be taken as complete;
 *         WEFT_EPROTOCOL if the parser had refused the message
 */
WEFT_API WEFT_NODISCARD int weft_http1_end(weft_http1_parser *parser, weft_bytes rest,
                                           weft_http1_event *event) WEFT_NONBLOCKING;

/**
 * The status that a server answers a refused request with, before it closes the connection: 400, 413, 414, 417, 431,
 * 501 or 505. For a response it is 502, which is what a gateway tells its own client.
 * @return 0 if nothing was refused
 */
WEFT_API unsigned weft_http1_parser_status(const weft_http1_parser *parser) WEFT_NONBLOCKING;

/** What was wrong with a refused message, for a log: "a line ends with a bare LF". A constant; "" if nothing was. */
WEFT_API const char *weft_http1_parser_problem(const weft_http1_parser *parser) WEFT_NONBLOCKING;

/** Whether @p bytes is a token, as methods and field names are: `1*tchar` (RFC 9110 §5.6.2). */
WEFT_API bool weft_http1_is_token(weft_bytes bytes) WEFT_NONBLOCKING;

/**
 * Whether @p bytes can be sent as the value of a field (RFC 9110 §5.5): no control character but HTAB, and no space
 * or HTAB at either end. The empty value can.
 */
WEFT_API bool weft_http1_is_value(weft_bytes bytes) WEFT_NONBLOCKING;

/** Whether @p bytes can be sent as a reason phrase (RFC 9112 §4): no control character but HTAB. */
WEFT_API bool weft_http1_is_reason(weft_bytes bytes) WEFT_NONBLOCKING;

/** Whether @p bytes can be sent as a request target: visible ASCII without `"`, `#`, `<` and `>`, not empty. */
WEFT_API bool weft_http1_is_target(weft_bytes bytes) WEFT_NONBLOCKING;

/**
 * Whether @p bytes is the value of a Host field (RFC 9112 §3.2): a host that is not empty, and perhaps a port.
 *
 * The host is an IPv6 address in brackets or a registered name (an IPv4 address is one too). A comma, although
 * RFC 3986 allows it, is refused, because it also separates the members of lists.
 */
WEFT_API bool weft_http1_is_host(weft_bytes bytes) WEFT_NONBLOCKING;

/**
 * Whether a trailer may be called @p name: fields for framing, routing, authentication, conditions and the handling of
 * the content may not come in trailers (RFC 9110 §6.5.1).
 */
WEFT_API bool weft_http1_is_trailer_name(weft_bytes name) WEFT_NONBLOCKING;

/**
 * The next member of a list such as the value of Connection (RFC 9110 §5.6.1). Empty members are skipped. Commas in
 * quoted strings are not understood: it is for lists of tokens.
 * @param rest         the value at first; advanced
 * @param[out] member  *borrowed* from @p rest, without the whitespace around it; set on success only
 * @return whether there was one
 */
WEFT_API bool weft_http1_list_next(weft_bytes *rest, weft_bytes *member) WEFT_NONBLOCKING;

/*
 * Writing. Every function writes to @p out at most @p room bytes, and either all that it has to say or nothing:
 * the number of bytes written, or
 *   -EINVAL if an argument holds what must not be sent (nothing is ever stripped or repaired), or
 *   -ENOSPC if it does not fit.
 */

/** The most bytes that `weft_http1_write_chunk` needs. */
#define WEFT_HTTP1_CHUNK_ROOM 18
/** The most bytes that `weft_http1_write_length` needs. */
#define WEFT_HTTP1_LENGTH_ROOM 38

/**
 * Writes "method SP target SP HTTP/1.1 CRLF" (RFC 9112 §3). Needs both lengths and 12 bytes.
 * @return the length, -EINVAL or -ENOSPC
 */
WEFT_API WEFT_NODISCARD int weft_http1_write_request_line(char *out, size_t room, weft_bytes method,
                                                          weft_bytes target) WEFT_NONBLOCKING;

/**
 * Writes "HTTP/1.1 SP code SP reason CRLF" (RFC 9112 §4). Needs the reason's length and 15 bytes.
 * @param code  100 to 999
 * @return the length, -EINVAL or -ENOSPC
 */
WEFT_API WEFT_NODISCARD int weft_http1_write_status_line(char *out, size_t room, unsigned code,
                                                         weft_bytes reason) WEFT_NONBLOCKING;

/**
 * Writes "name: value CRLF" (RFC 9112 §5). Needs both lengths and 4 bytes.
 * @return the length, -EINVAL or -ENOSPC
 */
WEFT_API WEFT_NODISCARD int weft_http1_write_field(char *out, size_t room, weft_bytes name,
                                                   weft_bytes value) WEFT_NONBLOCKING;

/**
 * Writes a Content-Length field. Needs at most WEFT_HTTP1_LENGTH_ROOM bytes.
 * @param length  at most INT64_MAX
 * @return the length, -EINVAL or -ENOSPC
 */
WEFT_API WEFT_NODISCARD int weft_http1_write_length(char *out, size_t room, uint64_t length) WEFT_NONBLOCKING;

/**
 * Writes the CRLF that ends a head, the data of a chunk, or the trailers. Needs 2 bytes.
 * @return the length, -EINVAL or -ENOSPC
 */
WEFT_API WEFT_NODISCARD int weft_http1_write_crlf(char *out, size_t room) WEFT_NONBLOCKING;

/**
 * Writes the line before a chunk of @p size bytes (RFC 9112 §7.1). The chunk's data and a CRLF follow.
 * Needs at most WEFT_HTTP1_CHUNK_ROOM bytes.
 * @param size  1 to INT64_MAX: an empty chunk would end the body
 * @return the length, -EINVAL or -ENOSPC
 */
WEFT_API WEFT_NODISCARD int weft_http1_write_chunk(char *out, size_t room, uint64_t size) WEFT_NONBLOCKING;

/**
 * Writes the line of the last chunk, "0 CRLF". Trailers and a CRLF follow. Needs 3 bytes.
 * @return the length, -EINVAL or -ENOSPC
 */
WEFT_API WEFT_NODISCARD int weft_http1_write_last_chunk(char *out, size_t room) WEFT_NONBLOCKING;

/**
 * Writes a trailer, whose name `weft_http1_is_trailer_name` must allow. Needs both lengths and 4 bytes.
 * @return the length, -EINVAL or -ENOSPC
 */
WEFT_API WEFT_NODISCARD int weft_http1_write_trailer(char *out, size_t room, weft_bytes name,
                                                     weft_bytes value) WEFT_NONBLOCKING;

WEFT_END_DECLS

#endif
