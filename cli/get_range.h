/* SPDX-License-Identifier: MIT */
/* What a response says of the range that it holds (RFC 9110 §14.4). */
#ifndef WEFT_CLI_GET_RANGE_H
#define WEFT_CLI_GET_RANGE_H

#include <stdint.h>

#include <weft/bytes.h>

struct get_range {
    uint64_t first, last; /* both inclusive */
};

/* Reads the Content-Range of a 206, "bytes FIRST-LAST/LENGTH", which must go to the end of the whole; a star in place of
 * the length says that it is not known. Returns 0, or -EINVAL for anything else, with *ret as it was. */
int get_range_parse(weft_bytes value, struct get_range *ret);

/* Reads the Content-Range of a 416, which has a star in place of the range. Returns as get_range_parse. */
int get_range_parse_length(weft_bytes value, uint64_t *ret);

#endif
