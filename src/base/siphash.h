/* SPDX-License-Identifier: MIT */
/**
 * @file
 * SipHash (Aumasson and Bernstein, 2012): a keyed hash of short inputs.
 *
 * Whoever does not know the key cannot choose inputs that collide.
 */
#ifndef BASE_SIPHASH_H
#define BASE_SIPHASH_H

#include <weft/bytes.h>

#define SIPHASH_KEY_SIZE 16

/** One round for each word and three at the end: for hash tables, whose hashes nobody sees. */
uint64_t siphash_1_3(const uint8_t key[SIPHASH_KEY_SIZE], weft_bytes bytes);
/** Two and four rounds: for what is sent (RFC 9018 §4.4). */
uint64_t siphash_2_4(const uint8_t key[SIPHASH_KEY_SIZE], weft_bytes bytes);

#endif
