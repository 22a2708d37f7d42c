/* SPDX-License-Identifier: MIT */
/* What a fuzz target defines; libFuzzer calls it, or replay.c does. */
#ifndef WEFT_TESTS_FUZZ_H
#define WEFT_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* Feeds @p size bytes of @p data (borrowed) to what is tested. Returns 0; aborts when it finds something. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
