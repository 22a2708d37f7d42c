/* SPDX-License-Identifier: MIT */
/* Text of a user or of a server, made fit for a message on a terminal. */
#ifndef WEFT_CLI_PRINTABLE_H
#define WEFT_CLI_PRINTABLE_H

#include <stddef.h>

#include <weft/bytes.h>

/*
 * @text without what would move a cursor, ring a bell, begin an escape sequence or turn the direction of writing: each
 * control character (C0, C1, those of bidirectional text) and each byte that is not UTF-8 shows as "?", and what is
 * too long is cut. In @buffer, which it returns.
 */
const char *printable(weft_bytes text, char *buffer, size_t size);

/* The same of a URL, valid or not, with "***" in place of a password in it. */
const char *printable_url(const char *url, char *buffer, size_t size);

#endif
