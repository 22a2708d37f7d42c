/* SPDX-License-Identifier: MIT */
/**
 * @file
 * DNS messages on the wire (RFC 1035 §4; EDNS: RFC 6891).
 *
 * A message is read with a reader that is pulled: `weft_dns_next` gives one
 * question or record after the other, section by section. A message is written
 * into the caller's room, with compressed names. Neither allocates, keeps a
 * pointer beyond the call or knows a socket or a clock; on TCP the two octets
 * of length before a message are the caller's.
 *
 * Whatever a message says, reading it costs a bounded number of steps for each
 * of its octets, and so does writing one. Record data is read and written
 * without compression: <weft/wire/dns_data.h> says what is in it.
 *
 *     weft_dns_reader_init(&reader, message, &header);
 *     while ((section = weft_dns_next(&reader, &record)) > 0) {
 *         switch (section) {
 *         case WEFT_DNS_QUESTION: ...
 *         case WEFT_DNS_ANSWER:
 *             length = weft_dns_read_data(&reader, &record, data, sizeof data);
 *         ...
 *     }
 *     if (section < 0)
 *         drop it, or answer FORMERR
 */
#ifndef WEFT_WIRE_DNS_MESSAGE_H
#define WEFT_WIRE_DNS_MESSAGE_H

#include <weft/wire/dns_name.h>

WEFT_BEGIN_DECLS

/** The octets of a message's header. */
#define WEFT_DNS_HEADER_SIZE 12
/** The most octets of a message, and of a record's data. */
#define WEFT_DNS_MESSAGE_MAX 65535
/** The most octets of a message over UDP without EDNS (RFC 1035 §4.2.1). */
#define WEFT_DNS_UDP_MAX 512
/** The payload size to say and to send over UDP, which is not fragmented anywhere (DNS flag day 2020). */
#define WEFT_DNS_EDNS_SIZE 1232

/** Types of records, and of questions: the codec knows the data of all but those marked. Any number may occur. */
enum weft_dns_type {
    WEFT_DNS_A = 1,
    WEFT_DNS_NS = 2,
    WEFT_DNS_MD = 3,
    WEFT_DNS_MF = 4,
    WEFT_DNS_CNAME = 5,
    WEFT_DNS_SOA = 6,
    WEFT_DNS_MB = 7,
    WEFT_DNS_MG = 8,
    WEFT_DNS_MR = 9,
    WEFT_DNS_NULL = 10, /**< as bytes */
    WEFT_DNS_PTR = 12,
    WEFT_DNS_HINFO = 13,
    WEFT_DNS_MINFO = 14,
    WEFT_DNS_MX = 15,
    WEFT_DNS_TXT = 16,
    WEFT_DNS_RP = 17,
    WEFT_DNS_AFSDB = 18,
    WEFT_DNS_AAAA = 28,
    WEFT_DNS_LOC = 29,
    WEFT_DNS_SRV = 33,
    WEFT_DNS_NAPTR = 35,
    WEFT_DNS_KX = 36,
    WEFT_DNS_DNAME = 39,
    WEFT_DNS_OPT = 41, /**< not a record: see weft_dns_edns */
    WEFT_DNS_DS = 43,
    WEFT_DNS_SSHFP = 44,
    WEFT_DNS_RRSIG = 46,
    WEFT_DNS_NSEC = 47,
    WEFT_DNS_DNSKEY = 48,
    WEFT_DNS_DHCID = 49,
    WEFT_DNS_NSEC3 = 50,
    WEFT_DNS_NSEC3PARAM = 51,
    WEFT_DNS_TLSA = 52,
    WEFT_DNS_SMIMEA = 53,
    WEFT_DNS_CDS = 59,
    WEFT_DNS_CDNSKEY = 60,
    WEFT_DNS_OPENPGPKEY = 61,
    WEFT_DNS_CSYNC = 62,
    WEFT_DNS_ZONEMD = 63,
    WEFT_DNS_SVCB = 64,
    WEFT_DNS_HTTPS = 65,
    WEFT_DNS_SPF = 99,
    WEFT_DNS_TKEY = 249, /**< as bytes */
    WEFT_DNS_TSIG = 250, /**< as bytes */
    WEFT_DNS_IXFR = 251, /**< only in questions */
    WEFT_DNS_AXFR = 252, /**< only in questions */
    WEFT_DNS_ANY = 255,  /**< only in questions */
    WEFT_DNS_URI = 256,
    WEFT_DNS_CAA = 257
};

/** Classes. In an OPT the place of the class holds a size. */
enum weft_dns_class {
    WEFT_DNS_IN = 1,
    WEFT_DNS_CH = 3,
    WEFT_DNS_HS = 4,
    WEFT_DNS_CLASS_NONE = 254, /**< RFC 2136 §2.4 */
    WEFT_DNS_CLASS_ANY = 255
};

/** Kinds of requests. */
enum weft_dns_opcode {
    WEFT_DNS_QUERY = 0,
    WEFT_DNS_IQUERY = 1, /**< obsolete (RFC 3425) */
    WEFT_DNS_STATUS = 2,
    WEFT_DNS_NOTIFY = 4, /**< RFC 1996 */
    WEFT_DNS_UPDATE = 5, /**< RFC 2136 */
    WEFT_DNS_DSO = 6     /**< RFC 8490 */
};

/** What a response says of the request. Above 15 only with EDNS. */
enum weft_dns_rcode {
    WEFT_DNS_NOERROR = 0,
    WEFT_DNS_FORMERR = 1,
    WEFT_DNS_SERVFAIL = 2,
    WEFT_DNS_NXDOMAIN = 3,
    WEFT_DNS_NOTIMP = 4,
    WEFT_DNS_REFUSED = 5,
    WEFT_DNS_YXDOMAIN = 6,
    WEFT_DNS_YXRRSET = 7,
    WEFT_DNS_NXRRSET = 8,
    WEFT_DNS_NOTAUTH = 9,
    WEFT_DNS_NOTZONE = 10,
    WEFT_DNS_BADVERS = 16, /**< as BADSIG in a TSIG */
    WEFT_DNS_BADKEY = 17,
    WEFT_DNS_BADTIME = 18,
    WEFT_DNS_BADCOOKIE = 23
};

/** A message's header (RFC 1035 §4.1.1; AD and CD: RFC 4035 §3). The reserved bit is ignored and sent as 0. */
typedef struct weft_dns_header {
    uint16_t id;
    uint8_t opcode; /**< 0 to 15 */
    uint8_t rcode;  /**< 0 to 15: with EDNS only the lower four bits, see weft_dns_rcode_of */
    bool qr;        /**< a response */
    bool aa;        /**< an authoritative answer */
    bool tc;        /**< truncated */
    bool rd;        /**< recursion desired */
    bool ra;        /**< recursion available */
    bool ad;        /**< authentic data */
    bool cd;        /**< checking disabled */
    uint16_t qdcount, ancount, nscount, arcount; /**< of the four sections; a writer counts by itself */
} weft_dns_header;

/** The sections of a message, and the end of it. */
typedef enum weft_dns_section {
    WEFT_DNS_END,
    WEFT_DNS_QUESTION,  /**< in an UPDATE the zone */
    WEFT_DNS_ANSWER,    /**< prerequisites */
    WEFT_DNS_AUTHORITY, /**< updates */
    WEFT_DNS_ADDITIONAL
} weft_dns_section;

/** A question or a record as it lies in a message. */
typedef struct weft_dns_record {
    weft_dns_name name;
    uint16_t type;
    uint16_t rrclass; /**< the class; C++ keeps the plain word for itself */
    uint32_t ttl; /**< seconds; one with its top bit set is 0 (RFC 2181 §8); of a question 0; of an OPT as it came */
    weft_bytes data; /**< *borrowed* from the message, as it is there, perhaps with compressed names: use
                          `weft_dns_read_data`. Of a question empty */
} weft_dns_record;

/** Names that a reader remembers to have been pointed to. */
#define WEFT_DNS_READER_NAMES 4

/** Reads one message, in the caller's memory. All fields are private. */
typedef struct weft_dns_reader {
    weft_bytes message;
    const char *problem;
    size_t at;
    uint32_t work; /* steps that may still be made */
    uint16_t left[4];
    uint8_t section;
    bool edns;
    uint8_t next_target;
    struct {
        uint16_t target; /* 0: none */
        uint8_t pointers;
        weft_dns_name name;
    } targets[WEFT_DNS_READER_NAMES];
} weft_dns_reader;

/**
 * Begins to read @p message.
 * @param message      *borrowed*, for as long as the reader and its records are used
 * @param[out] header  set on success only
 * @return 0, or WEFT_EPROTOCOL if there are fewer than 12 octets or more than 65,535: that cannot even be answered
 */
WEFT_API WEFT_NODISCARD int weft_dns_reader_init(weft_dns_reader *reader, weft_bytes message, weft_dns_header *header);

/**
 * Gives the next question or record.
 *
 * Of a record only the frame is looked at; `weft_dns_read_data` looks at its data. An OPT is refused outside of the
 * additional section, with a name, or a second time (RFC 6891 §6.1.1).
 * @param[out] record  set if and only if the result is positive
 * @return the section it stands in (weft_dns_section); WEFT_DNS_END, which is 0, after the last one; WEFT_EPROTOCOL if
 *         the message is malformed (FORMERR), and so for ever then
 */
WEFT_API WEFT_NODISCARD int weft_dns_next(weft_dns_reader *reader, weft_dns_record *record);

/**
 * Gives the data of @p record with all names in it in full, and checks it against its type (`weft_dns_data_check`).
 *
 * Names that RFC 3597 §4 lets nobody compress are taken only in full.
 * @param record  that this reader gave
 * @param out     may be smaller than WEFT_DNS_MESSAGE_MAX where the type is known to need less
 * @return the length; WEFT_EPROTOCOL if the data is malformed; -ENOSPC if it does not fit
 */
WEFT_API WEFT_NODISCARD int weft_dns_read_data(weft_dns_reader *reader, const weft_dns_record *record, void *out,
                                               size_t room);

/** What was wrong with a message, for a log: "a compressed name points forward". A constant; "" if nothing was. */
WEFT_API const char *weft_dns_reader_problem(const weft_dns_reader *reader);

/** The octets behind the last record, once weft_dns_next has given WEFT_DNS_END: *borrowed*. Some servers send such. */
WEFT_API weft_bytes weft_dns_reader_rest(const weft_dns_reader *reader);

/** What a server does with a request, before it has looked at more than the header. */
#define WEFT_DNS_DROP (-1)

/**
 * What a server does with what came to it, as far as the header tells.
 *
 * A response is never answered: two servers would do so for ever. A QUERY has one question (RFC 9619 §4).
 * @param opcodes  those that this server knows: bit n for opcode n
 * @return WEFT_DNS_DROP: no answer at all; WEFT_DNS_NOERROR: go on; WEFT_DNS_FORMERR or WEFT_DNS_NOTIMP: answer with
 *         this rcode, and with nothing of what was asked
 */
WEFT_API int weft_dns_judge_request(const weft_dns_header *header, unsigned opcodes);

/* -- EDNS (RFC 6891) -- */

/** The most options that an OPT may have; more are malformed. */
#define WEFT_DNS_OPTIONS_MAX 64

/** What an OPT says. */
typedef struct weft_dns_edns {
    uint16_t udp_size;      /**< the payload size that the sender can take; below 512 it means 512 */
    uint8_t extended_rcode; /**< the upper eight bits of the rcode */
    uint8_t version;        /**< 0; a server answers another one with BADVERS */
    bool dnssec_ok;         /**< DO (RFC 3225) */
    weft_bytes options;     /**< one after the other; *borrowed* */
} weft_dns_edns;

/** An option of an OPT. */
typedef struct weft_dns_option {
    uint16_t code;
    weft_bytes data; /**< *borrowed* */
} weft_dns_option;

/**
 * Reads the OPT that @p record is, and checks that its options fill it, at a cost that is linear in them.
 * @param[out] ret  set on success only
 * @return 0, or WEFT_EPROTOCOL if it is malformed or has more than WEFT_DNS_OPTIONS_MAX options
 */
WEFT_API WEFT_NODISCARD int weft_dns_edns_read(const weft_dns_record *record, weft_dns_edns *ret);

/**
 * Takes the next option off the front of @p rest.
 * @param[out] option  set if and only if the result is positive
 * @return 1; 0 if there is none; WEFT_EPROTOCOL if what is left is no option
 */
WEFT_API WEFT_NODISCARD int weft_dns_option_next(weft_bytes *rest, weft_dns_option *option);

/**
 * Writes an option, to be one of weft_dns_edns.options.
 * @return the length, or -ENOSPC with nothing written
 */
WEFT_API WEFT_NODISCARD int weft_dns_option_write(void *out, size_t room, uint16_t code, weft_bytes data);

/** The whole rcode of a message: with @p edns all twelve bits, with NULL those of the header. */
WEFT_API unsigned weft_dns_rcode_of(const weft_dns_header *header, const weft_dns_edns *edns);

/* -- writing -- */

/** Names that a writer remembers to point to. */
#define WEFT_DNS_WRITER_NAMES 256
#define WEFT_DNS_WRITER_CHAINS 64

/** Writes one message into the caller's room, in the caller's memory. All fields are private. */
typedef struct weft_dns_writer {
    uint8_t *out;
    size_t room;
    size_t reserved;
    size_t length;
    uint32_t work; /* steps that may still be spent on compression */
    uint16_t count[4];
    uint16_t chain[WEFT_DNS_WRITER_CHAINS]; /* 1 + an index into names; 0: none */
    struct {
        uint16_t offset, next;
        uint32_t hash;
    } names[WEFT_DNS_WRITER_NAMES];
    uint16_t name_count;
    uint8_t section;
} weft_dns_writer;

/** A place in a message that is being written, to come back to. Its fields are private. */
typedef struct weft_dns_mark {
    size_t length;
    uint16_t count[4];
    uint16_t name_count;
    uint8_t section;
} weft_dns_mark;

/**
 * Begins a message.
 * @param out     *until* weft_dns_writer_finish
 * @param room    of that many octets, more than 65,535 are not used; what the message may be long at most: the size
 *                that the other side can take
 * @param header  its counts are not used
 * @return 0; -ENOSPC if not even the header fits; -EINVAL if opcode or rcode is above 15
 */
WEFT_API WEFT_NODISCARD int weft_dns_writer_init(weft_dns_writer *writer, void *out, size_t room,
                                                 const weft_dns_header *header);

/**
 * Adds a question; all questions come before all records.
 * @return 0; -ENOSPC with nothing changed; -EINVAL if a record was written already
 */
WEFT_API WEFT_NODISCARD int weft_dns_write_question(weft_dns_writer *writer, const weft_dns_name *name, uint16_t type,
                                                    uint16_t rrclass);

/**
 * Adds a record to @p section, which is not before that of the last one.
 *
 * Its name, and those in its data that RFC 3597 §4 allows, are compressed, as long as that costs no more than a bounded
 * number of steps for the message; beyond it they are written in full.
 * @param data  as weft_dns_read_data gives it and weft_dns_data_parse makes it; *borrowed*
 * @return 0; -ENOSPC with nothing changed; -EINVAL if the section or the data is not valid
 */
WEFT_API WEFT_NODISCARD int weft_dns_write_record(weft_dns_writer *writer, weft_dns_section section,
                                                  const weft_dns_name *name, uint16_t type, uint16_t rrclass,
                                                  uint32_t ttl, weft_bytes data);

/**
 * Adds an OPT to the additional section.
 * @return 0; -ENOSPC with nothing changed
 */
WEFT_API WEFT_NODISCARD int weft_dns_write_edns(weft_dns_writer *writer, const weft_dns_edns *edns);

/** The octets that an OPT with @p options of that many octets takes: what to reserve for it. */
#define WEFT_DNS_EDNS_ROOM(options) (11 + (options))

/**
 * Keeps the last @p octets of the room back, for what must be there in the end: an OPT, a TSIG. 0 gives them free.
 * @return 0, or -ENOSPC if they are not free any more
 */
WEFT_API WEFT_NODISCARD int weft_dns_writer_reserve(weft_dns_writer *writer, size_t octets);

/** The place where the next record would begin. */
WEFT_API weft_dns_mark weft_dns_writer_mark(const weft_dns_writer *writer);
/** Takes away what was written since @p mark was: an RRset that did not fit as a whole (RFC 2181 §9). */
WEFT_API void weft_dns_writer_rewind(weft_dns_writer *writer, const weft_dns_mark *mark);
/** Sets TC: what should have been in the message does not fit (RFC 2181 §9). */
WEFT_API void weft_dns_writer_truncate(weft_dns_writer *writer);
/** Changes the lower four bits of the rcode. */
WEFT_API void weft_dns_writer_set_rcode(weft_dns_writer *writer, unsigned rcode);
/** Completes the message. @return it: *borrowed* from the room; more can be added, and this called again */
WEFT_API weft_bytes weft_dns_writer_finish(weft_dns_writer *writer);

WEFT_END_DECLS

#endif
