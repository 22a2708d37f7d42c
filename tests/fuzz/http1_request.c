/* SPDX-License-Identifier: MIT */
#include "fuzz/fuzz.h"
#include "fuzz/http1_split.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    http1_fuzz_divisions(weft_bytes_of(data, size), WEFT_HTTP1_REQUEST, WEFT_HTTP1_ANSWERS_OTHER);
    return 0;
}
