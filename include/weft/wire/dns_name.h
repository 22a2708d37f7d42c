/* SPDX-License-Identifier: MIT */
/**
 * @file
 * Domain names (RFC 1035 §3.1, RFC 4343, RFC 4034 §6).
 *
 * A name is a value in the caller's memory: its labels as they are on the
 * wire, without compression, the root's empty label at the end. So every name
 * is absolute, and it may hold any octet. Letters keep their case and are
 * compared without it, ASCII only (RFC 4343).
 *
 * Nothing here allocates. Internationalised names are somebody else's matter:
 * here they are in their A-label form.
 */
#ifndef WEFT_WIRE_DNS_NAME_H
#define WEFT_WIRE_DNS_NAME_H

#include <weft/address.h>
#include <weft/error.h>

WEFT_BEGIN_DECLS

/** The most octets of a name on the wire, its lengths and the root's zero included (RFC 1035 §2.3.4). */
#define WEFT_DNS_NAME_MAX 255
/** The most octets of a label. */
#define WEFT_DNS_LABEL_MAX 63
/** The most labels of a name, the root's not counted. */
#define WEFT_DNS_LABELS_MAX 127
/** Room for any name as text, with its NUL. */
#define WEFT_DNS_NAME_TEXT 1005

/** A domain name. Set it with the functions below; `WEFT_DNS_ROOT` is the root. */
typedef struct weft_dns_name {
    uint8_t length;                    /**< octets in use, 1 to 255 */
    uint8_t octets[WEFT_DNS_NAME_MAX]; /**< labels, each after its length; a zero at the end */
} weft_dns_name;

/** The name of the root: an initialiser. */
#define WEFT_DNS_ROOT \
    {                 \
        1,            \
        {             \
            0         \
        }             \
    }

/** The octets of @p name as they are on the wire: *borrowed*, for as long as the name stays where it is. */
static inline weft_bytes weft_dns_name_bytes(const weft_dns_name *name)
{
    return weft_bytes_of(name->octets, name->length);
}

/**
 * Reads a name in the form of zone files (RFC 1035 §5.1): labels and dots, `\.` and its like for the character
 * itself, `\DDD` for an octet in decimal. `.` is the root.
 *
 * @param origin    what a name without a dot at its end is relative to, and what `@` alone means; NULL: the root, and
 *                  `@` is a label as any other
 * @param[out] ret  set on success only
 * @return 0; -EINVAL if the text is empty, or has an empty label or a broken escape; -ENAMETOOLONG if a label is longer
 *         than 63 octets or the name longer than 255
 */
WEFT_API WEFT_NODISCARD int weft_dns_name_parse(weft_bytes text, const weft_dns_name *origin, weft_dns_name *ret);

/**
 * Writes @p name in the form of zone files, a dot at its end.
 * @param buffer  of WEFT_DNS_NAME_TEXT bytes; gets a NUL at the end
 * @return the length without the NUL
 */
WEFT_API size_t weft_dns_name_text(const weft_dns_name *name, char *buffer);

/**
 * Takes a name without compression off the front of @p input.
 * @param[out] ret  set on success only, and so is @p input advanced
 * @return 0, or WEFT_EPROTOCOL if the bytes do not begin with one
 */
WEFT_API WEFT_NODISCARD int weft_dns_name_take(weft_bytes *input, weft_dns_name *ret);

/** Whether two names are equal, letters compared without case (RFC 4343 §3). */
WEFT_API bool weft_dns_name_equal(const weft_dns_name *a, const weft_dns_name *b);
/** Whether two names are the same octet by octet: what a resolver that draws the case of its questions demands. */
WEFT_API bool weft_dns_name_same(const weft_dns_name *a, const weft_dns_name *b);
/**
 * Compares in the canonical order (RFC 4034 §6.1): by labels from the right, without case, a shorter label first.
 * @return negative, 0 or positive, as @p a comes before @p b, is equal to it or comes after it
 */
WEFT_API int weft_dns_name_compare(const weft_dns_name *a, const weft_dns_name *b);
/** Whether @p name is @p ancestor or lies beneath it. Everything lies beneath the root. */
WEFT_API bool weft_dns_name_is_under(const weft_dns_name *name, const weft_dns_name *ancestor);
/** How many labels @p name has, the root's not counted: 3 for `www.example.com.`. */
WEFT_API unsigned weft_dns_name_labels(const weft_dns_name *name);

/** Makes the letters A-Z of @p name small: its canonical form (RFC 4034 §6.2). */
WEFT_API void weft_dns_name_lower(weft_dns_name *name);
/**
 * Gives @p name without its first @p count labels.
 * @param[out] ret  may be @p name itself; set on success only
 * @return 0, or -EINVAL if it has fewer labels
 */
WEFT_API WEFT_NODISCARD int weft_dns_name_parent(const weft_dns_name *name, unsigned count, weft_dns_name *ret);
/**
 * Gives the labels of @p first, then those of @p second: `www.` and `example.com.` are `www.example.com.`.
 * @param[out] ret  may be one of the two; set on success only
 * @return 0, or -ENAMETOOLONG
 */
WEFT_API WEFT_NODISCARD int weft_dns_name_join(const weft_dns_name *first, const weft_dns_name *second,
                                               weft_dns_name *ret);
/**
 * Puts @p to in the place of @p from at the end of @p name: what a DNAME does (RFC 6672 §2.2).
 * @param[out] ret  may be one of the three; set on success only
 * @return 0; -EINVAL if @p name is not beneath @p from (the name itself is not redirected); -ENAMETOOLONG if the
 *         result is too long, which a server answers with YXDOMAIN
 */
WEFT_API WEFT_NODISCARD int weft_dns_name_replace(const weft_dns_name *name, const weft_dns_name *from,
                                                  const weft_dns_name *to, weft_dns_name *ret);
/**
 * Gives the name under which the name of @p address is asked for: `1.2.0.192.in-addr.arpa.` (RFC 1035 §3.5), or 32
 * nibbles and `ip6.arpa.` (RFC 3596 §2.5).
 * @param[out] ret  set on success only
 * @return 0, or -EINVAL if it is neither an IPv4 nor an IPv6 address
 */
WEFT_API WEFT_NODISCARD int weft_dns_name_of_address(const weft_address *address, weft_dns_name *ret);

WEFT_END_DECLS

#endif
