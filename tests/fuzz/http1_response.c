/* SPDX-License-Identifier: MIT */
#include "fuzz/fuzz.h"
#include "fuzz/http1_split.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* The request that is answered depends on the length, so that an input is all response. */
    http1_fuzz_divisions(weft_bytes_of(data, size), WEFT_HTTP1_RESPONSE, (weft_http1_answers)(size % 3));
    return 0;
}
