/* SPDX-License-Identifier: MIT */
/**
 * @file
 * The data of DNS records: checked, as text, from text, and the fields of some.
 *
 * Data is here always without compression (`weft_dns_read_data` gives it so).
 * As text it has the form of zone files (RFC 1035 §5.1 and the document of
 * each type); data of an unknown type, and data that its type does not allow,
 * has that of RFC 3597 §5: `\# 4 0a000001`.
 *
 * Nothing here allocates; text and data are written into the caller's room.
 */
#ifndef WEFT_WIRE_DNS_DATA_H
#define WEFT_WIRE_DNS_DATA_H

#include <weft/wire/dns_message.h>

WEFT_BEGIN_DECLS

/** Room for a type or a class as text, with its NUL. */
#define WEFT_DNS_TYPE_TEXT 16

/**
 * Writes a type as text: "AAAA", or "TYPE65280" (RFC 3597 §5).
 * @param buffer  of WEFT_DNS_TYPE_TEXT bytes; gets a NUL at the end
 * @return the length without the NUL
 */
WEFT_API size_t weft_dns_type_text(uint16_t type, char *buffer);
/** The same for a class: "IN", or "CLASS32". */
WEFT_API size_t weft_dns_class_text(uint16_t rrclass, char *buffer);
/**
 * Reads a type, without case, or TYPE and a number.
 * @param[out] ret  set on success only
 * @return 0, or -EINVAL
 */
WEFT_API WEFT_NODISCARD int weft_dns_type_parse(weft_bytes text, uint16_t *ret);
/**
 * Reads a class, without case, or CLASS and a number.
 * @param[out] ret  set on success only
 * @return 0, or -EINVAL
 */
WEFT_API WEFT_NODISCARD int weft_dns_class_parse(weft_bytes text, uint16_t *ret);
/** The name of an rcode: "NXDOMAIN". A constant; "RCODE" if it has none. */
WEFT_API const char *weft_dns_rcode_text(unsigned rcode);

/**
 * Whether @p data is what records of @p type hold. Any data is, of a type that is not known.
 * @return 0, or WEFT_EPROTOCOL
 */
WEFT_API WEFT_NODISCARD int weft_dns_data_check(uint16_t type, weft_bytes data);

/**
 * Writes data as text.
 * @param out  gets a NUL at the end
 * @return the length without the NUL, or -ENOSPC
 */
WEFT_API WEFT_NODISCARD int weft_dns_data_text(uint16_t type, weft_bytes data, char *out, size_t room);

/**
 * Writes a record as a line of a zone file: name, TTL, class, type, data, with a tab between them and no newline.
 * @param data  without compression
 * @param out   gets a NUL at the end
 * @return the length without the NUL, or -ENOSPC
 */
WEFT_API WEFT_NODISCARD int weft_dns_record_text(const weft_dns_name *name, uint16_t type, uint16_t rrclass,
                                                 uint32_t ttl, weft_bytes data, char *out, size_t room);

/** What is wrong with a text, and where. */
typedef struct weft_dns_text_error {
    size_t offset;    /**< of the byte that is wrong */
    const char *text; /**< what is wrong with it: a constant */
} weft_dns_text_error;

/**
 * Reads the data of a record of @p type from its text: what stands behind the type in a zone file.
 *
 * Spaces, tabs and line ends separate fields; parentheses group, and a semicolon begins a comment to the end of the
 * line. The form of RFC 3597 §5 is taken for any type.
 * @param origin          what names without a dot at their end are relative to; NULL: the root
 * @param[out] out        data without compression; its first bytes may be overwritten on failure, too
 * @param[out] ret_error  set on failure only; may be NULL
 * @return the length; -EINVAL if the text is not valid; -ENOSPC if the data does not fit
 */
WEFT_API WEFT_NODISCARD int weft_dns_data_parse(uint16_t type, weft_bytes text, const weft_dns_name *origin, void *out,
                                                size_t room, weft_dns_text_error *ret_error);

/**
 * Makes the names in @p data small that RFC 4034 §6.2 (as RFC 6840 §5.1 has it) wants so: its canonical form.
 * @return 0, or WEFT_EPROTOCOL with nothing changed if it is not what records of @p type hold
 */
WEFT_API WEFT_NODISCARD int weft_dns_data_canonical(uint16_t type, void *data, size_t length);

/* -- the fields of some types -- */

/** Of a SOA (RFC 1035 §3.3.13). */
typedef struct weft_dns_soa {
    weft_dns_name mname, rname;
    uint32_t serial, refresh, retry, expire, minimum;
} weft_dns_soa;

/** Of an MX (RFC 1035 §3.3.9). */
typedef struct weft_dns_mx {
    uint16_t preference;
    weft_dns_name exchange;
} weft_dns_mx;

/** Of an SRV (RFC 2782). */
typedef struct weft_dns_srv {
    uint16_t priority, weight, port;
    weft_dns_name target;
} weft_dns_srv;

/** Of an SVCB or HTTPS (RFC 9460). */
typedef struct weft_dns_svcb {
    uint16_t priority; /**< 0: an alias */
    weft_dns_name target;
    weft_bytes params; /**< for weft_dns_svcparam_next; *borrowed* */
} weft_dns_svcb;

/** One parameter of an SVCB or HTTPS. */
typedef struct weft_dns_svcparam {
    uint16_t key;
    weft_bytes value; /**< *borrowed* */
} weft_dns_svcparam;

/**
 * Reads the address of an A or AAAA. The address gets port 0.
 * @param[out] ret  set on success only
 * @return 0, or WEFT_EPROTOCOL; -EINVAL if it is another type
 */
WEFT_API WEFT_NODISCARD int weft_dns_address_read(uint16_t type, weft_bytes data, weft_address *ret);
/**
 * Reads the data that is a name and nothing else: of a CNAME, DNAME, NS or PTR.
 * @param[out] ret  set on success only
 * @return 0, or WEFT_EPROTOCOL
 */
WEFT_API WEFT_NODISCARD int weft_dns_target_read(weft_bytes data, weft_dns_name *ret);
/**
 * Reads the data of a SOA.
 * @param[out] ret  set on success only
 * @return 0, or WEFT_EPROTOCOL
 */
WEFT_API WEFT_NODISCARD int weft_dns_soa_read(weft_bytes data, weft_dns_soa *ret);
/**
 * Reads the data of an MX.
 * @param[out] ret  set on success only
 * @return 0, or WEFT_EPROTOCOL
 */
WEFT_API WEFT_NODISCARD int weft_dns_mx_read(weft_bytes data, weft_dns_mx *ret);
/**
 * Reads the data of an SRV.
 * @param[out] ret  set on success only
 * @return 0, or WEFT_EPROTOCOL
 */
WEFT_API WEFT_NODISCARD int weft_dns_srv_read(weft_bytes data, weft_dns_srv *ret);
/**
 * Reads the data of an SVCB or HTTPS.
 * @param[out] ret  set on success only
 * @return 0, or WEFT_EPROTOCOL
 */
WEFT_API WEFT_NODISCARD int weft_dns_svcb_read(weft_bytes data, weft_dns_svcb *ret);
/**
 * Takes the next parameter off the front of @p rest.
 * @param[out] param  set if and only if the result is positive
 * @return 1; 0 if there is none; WEFT_EPROTOCOL if what is left is no parameter
 */
WEFT_API WEFT_NODISCARD int weft_dns_svcparam_next(weft_bytes *rest, weft_dns_svcparam *param);
/**
 * Takes the next character-string off the front of @p rest: of a TXT, a HINFO.
 * @param[out] string  *borrowed*; set if and only if the result is positive
 * @return 1; 0 if there is none; WEFT_EPROTOCOL if what is left is no character-string
 */
WEFT_API WEFT_NODISCARD int weft_dns_string_next(weft_bytes *rest, weft_bytes *string);

WEFT_END_DECLS

#endif
