/* SPDX-License-Identifier: MIT */
/**
 * @file
 * Keys, tokens, password hashes: comparing them and forgetting them.
 *
 * Whatever a peer sends to prove that it knows a secret is compared here, and
 * what held one is cleared here before it is released. Where secrets come
 * from is weft_loop_entropy.
 */
#ifndef WEFT_SECRET_H
#define WEFT_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <weft/api.h>

WEFT_BEGIN_DECLS

/**
 * Compares two secrets of one length. How long it takes depends on @p length alone, so a peer that measures learns
 * nothing of where its guess goes wrong (CWE-208).
 * @return whether all @p length bytes are equal; true for no bytes
 */
WEFT_API WEFT_NODISCARD bool weft_secret_equal(const void *a, const void *b, size_t length) WEFT_NONBLOCKING;

/** Overwrites @p length bytes with zeros, even if nothing reads them any more (CWE-14). NULL with 0 does nothing. */
WEFT_API void weft_secret_clear(void *memory, size_t length);

WEFT_END_DECLS

#endif
