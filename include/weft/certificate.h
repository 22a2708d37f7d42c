/* SPDX-License-Identifier: MIT */
/**
 * @file
 * Certificates (X.509, RFC 5280): read from PEM, looked at, and issued by an
 * authority of one's own, as `weft cert` does for a laptop or a test.
 *
 *     weft_certificate *authority, *server;
 *     const char *const names[] = {"localhost", "127.0.0.1", "::1"};
 *
 *     weft_certificate_authority_new(loop, NULL, &authority, NULL);
 *     weft_certificate_issue(loop, authority, &(weft_certificate_options){.size = sizeof(weft_certificate_options),
 *                            .names = names, .name_count = 3}, &server, NULL);
 *
 * Everything is in memory: no function here opens a file, asks anybody for a
 * passphrase, or looks at the system's store of authorities. Each of them
 * computes (a signature takes some 50 µs, an RSA key 100 ms and more) and
 * waits for nothing.
 *
 * Functions that fail tell the story if they are asked to: @p ret_why, which
 * may be NULL, is set on failure only, and is *returned*: the caller unrefs it.
 */
#ifndef WEFT_CERTIFICATE_H
#define WEFT_CERTIFICATE_H

#include <weft/bytes.h>
#include <weft/failure.h>
#include <weft/time.h>

WEFT_BEGIN_DECLS

/** A loop (weft/loop.h). */
typedef struct weft_loop weft_loop;

/**
 * A chain of certificates, of which the first is the one that matters, and each further one may have signed the one
 * before it; and the private key of the first, if it was read or issued with one. Immutable and counted, for several
 * loops and threads at once.
 */
typedef struct weft_certificate weft_certificate;

/** The longest PEM text that is read, in bytes. */
#define WEFT_CERTIFICATE_TEXT ((size_t)1024 * 1024)
/** The most certificates of one chain. */
#define WEFT_CERTIFICATE_CHAIN 32
/** The most names that one certificate is issued for. */
#define WEFT_CERTIFICATE_NAMES 100

/** @name Reading and writing
 * @{ */
/**
 * Reads a chain of certificates, and the private key of the first.
 *
 * PEM as RFC 7468 has it, with the forms of keys that OpenSSL wrote once ("RSA PRIVATE KEY", "EC PRIVATE KEY") besides;
 * text around the blocks and blocks of other kinds are passed over. The key is looked for in both texts, so that one
 * file may hold all. Nothing is verified: a chain that is expired or out of order is read.
 *
 * @param chain  *borrowed*; at least one certificate
 * @param key    *borrowed*; empty if there is no key, or it is in @p chain
 * @param[out] ret  *returned*, the caller unrefs it
 * @return 0; WEFT_ECERTFORM if there is no certificate, or one that cannot be read; WEFT_EKEYFORM if a key cannot be
 *         read, is encrypted, or there are two, or @p key was given and holds none; WEFT_EKEYOTHER if the key belongs
 *         to another certificate; -EFBIG beyond the limits above; WEFT_ENOMEM
 */
WEFT_API WEFT_NODISCARD int weft_certificate_read(weft_bytes chain, weft_bytes key, weft_certificate **ret,
                                                  weft_failure **ret_why);

/** One reference more. @return @p certificate */
WEFT_API weft_certificate *weft_certificate_ref(weft_certificate *certificate);
/** One reference less; the last clears the key. NULL does nothing. */
WEFT_API void weft_certificate_unref(weft_certificate *certificate);

/** How many certificates there are, at least 1. */
WEFT_API size_t weft_certificate_count(const weft_certificate *certificate);
/** Whether it has the private key of the first. */
WEFT_API bool weft_certificate_has_key(const weft_certificate *certificate);

/**
 * Writes the chain as PEM.
 * @param buffer  gets at most @p size bytes, always NUL-terminated when size > 0; too small a one is worth nothing
 * @return the length that the whole text has, without its NUL, as snprintf; WEFT_ENOMEM
 */
WEFT_API WEFT_NODISCARD int weft_certificate_write(const weft_certificate *certificate, char *buffer, size_t size);
/**
 * Writes the private key as PEM (PKCS #8, RFC 5958), not encrypted: clear @p buffer with weft_secret_clear.
 * @return as weft_certificate_write; WEFT_EKEYFORM if there is none
 */
WEFT_API WEFT_NODISCARD int weft_certificate_write_key(const weft_certificate *certificate, char *buffer, size_t size);
/** @} */

/** @name Looking at them
 * @{ */
/** What a certificate may be used for (RFC 5280 §4.2.1.12). */
enum {
    WEFT_CERTIFICATE_SERVER = 1 << 0, /**< to be a TLS server */
    WEFT_CERTIFICATE_CLIENT = 1 << 1, /**< to be a TLS client */
    WEFT_CERTIFICATE_OTHER = 1 << 2,  /**< something else that it names */
    WEFT_CERTIFICATE_ANY = 1 << 3     /**< it does not say, or says anything */
};

/** What is known of one certificate. Texts are cut where they do not fit, and bytes in them that are no printable ASCII
 *  are escaped as RFC 4514 does. */
typedef struct weft_certificate_about {
    char subject[256]; /**< whom it names, as RFC 4514 writes it ("CN=x,O=y"); empty if it is known by its names only */
    char issuer[256];  /**< who signed it, the same way */
    char serial[64];   /**< in hexadecimal */
    char fingerprint[65];   /**< SHA-256 of the whole, in hexadecimal */
    char key[48];           /**< of what kind its key is: "EC P-256", "RSA 2048", "ED25519" */
    char signature[48];     /**< how it was signed: "ecdsa-with-SHA256" */
    weft_time begins;       /**< wall clock; what lies beyond is INT64_MIN */
    weft_time ends;         /**< wall clock; what lies beyond, or never comes, is WEFT_NEVER */
    unsigned uses;          /**< WEFT_CERTIFICATE_SERVER and so on */
    int path_length;        /**< of an authority, how many more may stand below it; -1: it does not say */
    bool is_authority;      /**< it may sign certificates */
    bool is_self_signed;    /**< with its own key */
    bool is_signed_by_next; /**< by the one that follows it in the chain */
} weft_certificate_about;

/**
 * Looks at the certificate @p index, from 0.
 * @param[out] ret  set on success only
 * @return 0; -ERANGE if there is none of that number; WEFT_ECERTFORM if what it says cannot be understood; WEFT_ENOMEM
 */
WEFT_API WEFT_NODISCARD int weft_certificate_look(const weft_certificate *certificate, size_t index,
                                                  weft_certificate_about *ret);

/** A kind of name that a certificate is for (RFC 5280 §4.2.1.6). */
typedef enum weft_certificate_name_kind {
    WEFT_CERTIFICATE_NAME_DNS,   /**< of a host, perhaps with "*" as its first label */
    WEFT_CERTIFICATE_NAME_IP,    /**< an address */
    WEFT_CERTIFICATE_NAME_EMAIL, /**< of a mailbox */
    WEFT_CERTIFICATE_NAME_OTHER  /**< a URI, a directory's name, ... */
} weft_certificate_name_kind;

/** Told one name that a certificate is for. @p name is *borrowed* during the call, and may hold any byte, zero too; of
 *  an address it is the text, of another kind than the first three what kind it is ("URI"). */
typedef void weft_certificate_found(weft_certificate_name_kind kind, weft_bytes name, void *arg);

/**
 * Tells the names that the certificate @p index is for, in its order. The subject is none of them (RFC 9525 §2).
 * @return how many there are; an error as weft_certificate_look, and then some may have been told
 */
WEFT_API WEFT_NODISCARD int weft_certificate_names(const weft_certificate *certificate, size_t index,
                                                   weft_certificate_found *found, void *arg);
/** @} */

/** @name Issuing
 * @{ */
/** What kind of key is made. */
typedef enum weft_certificate_key {
    WEFT_CERTIFICATE_P256,    /**< ECDSA on P-256: the default, taken by everybody */
    WEFT_CERTIFICATE_P384,    /**< ECDSA on P-384 */
    WEFT_CERTIFICATE_ED25519, /**< EdDSA; not taken by browsers */
    WEFT_CERTIFICATE_RSA      /**< RSA with 2048 bits, for clients that are old */
} weft_certificate_key;

/** How an authority is made. Zero is the default. */
typedef struct weft_certificate_authority_options {
    size_t size;        /**< sizeof(weft_certificate_authority_options) */
    const char *name;   /**< its common name, at most 64 bytes of UTF-8; default "Weft development authority" and a
                                   number of its own, for stores of authorities confuse those of one name */
    weft_time lifetime; /**< default ten years of 365 days */
    weft_certificate_key key; /**< default P-256 */
    const char *const
        *only;         /**< the domains ("example.test": that and all beneath) and addresses ("10.1.2.3") that it may
                                   sign for; with these, addresses of the machine itself (127.0.0.0/8 and ::1) too and
                                   nothing else (RFC 5280 §4.2.1.10). NULL: whatever there is */
    size_t only_count; /**< at most WEFT_CERTIFICATE_NAMES */
} weft_certificate_authority_options;

/**
 * Makes an authority: a key, and a certificate that is signed with it and may sign others, but no further authorities.
 * The clock and the number are of @p loop, the key is drawn by OpenSSL.
 * @param options  *borrowed*; NULL for the defaults
 * @param[out] ret  *returned*, the caller unrefs it
 * @return 0; WEFT_ECERTNAME for a name or an entry of `only` that cannot be; -EINVAL, -E2BIG for options that cannot be
 *         read; WEFT_ECRYPTO, WEFT_ENOMEM, an error of weft_loop_entropy
 */
WEFT_API WEFT_NODISCARD int weft_certificate_authority_new(weft_loop *loop,
                                                           const weft_certificate_authority_options *options,
                                                           weft_certificate **ret, weft_failure **ret_why);

/** What a certificate is issued for. Zero is the default. */
typedef struct weft_certificate_options {
    size_t size;              /**< sizeof(weft_certificate_options) */
    const char *const *names; /**< "example.test", "*.example.test", "192.0.2.1", "::1", "somebody@example.test" */
    size_t name_count;        /**< 1 to WEFT_CERTIFICATE_NAMES */
    unsigned uses;            /**< WEFT_CERTIFICATE_SERVER (the default) or WEFT_CERTIFICATE_CLIENT, or both */
    weft_time lifetime;       /**< default 90 days; it ends with the authority at the latest */
    weft_certificate_key key; /**< default P-256 */
} weft_certificate_options;

/**
 * Issues a certificate, with a key of its own, that @p authority signs. Names stand in the extension for them only;
 * that of a client has the first as its common name, too. It begins an hour ago, for clocks that are late.
 *
 * The chain that is returned is what a server sends: all but a self-signed authority, which whoever verifies must have
 * already. Clock, number and key as for weft_certificate_authority_new.
 * @param options  *borrowed*
 * @param[out] ret  *returned*, the caller unrefs it
 * @return 0; WEFT_ECERTNAME for a name that cannot be in a certificate, or that the authority may not sign for;
 *         WEFT_EISSUER if @p authority is none, has no key, or is not valid now; -EINVAL, -E2BIG for options that
 *         cannot be read; WEFT_ECRYPTO, WEFT_ENOMEM, an error of weft_loop_entropy
 */
WEFT_API WEFT_NODISCARD int weft_certificate_issue(weft_loop *loop, const weft_certificate *authority,
                                                   const weft_certificate_options *options, weft_certificate **ret,
                                                   weft_failure **ret_why);
/** @} */

WEFT_END_DECLS

#endif
