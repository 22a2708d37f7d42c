/* SPDX-License-Identifier: MIT */
/*
 * What the fuzz targets of the HTTP/1.1 codec share: an input must give the same events whole and divided, under any
 * limits, and no event may hold what the writer would refuse to send.
 */
#ifndef WEFT_TESTS_FUZZ_HTTP1_SPLIT_H
#define WEFT_TESTS_FUZZ_HTTP1_SPLIT_H

#include <weft/wire/http1.h>

/* Aborts if a division of @p data gives other events than the whole. */
void http1_fuzz_divisions(weft_bytes data, weft_http1_kind kind, weft_http1_answers answers);

#endif
